"""The catalog as flat rows for an editable table: values that JSON can hold, one dict a row.

``columns`` says what a table shows and how; ``apply_edit`` writes one changed value and returns the row as it is now.
"""

import datetime as dt
import types
import typing
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from analysis.catalog.catalog import Catalog
from analysis.catalog.records import (
    CellFields,
    CellRecord,
    Fields,
    GroupFields,
    GroupRecord,
    HarvestFields,
    HarvestRecord,
    MeasurementFields,
    MeasurementRecord,
    ParticleFields,
    ParticleRecord,
    title_of,
    unit_of,
)
from analysis.core.errors import ParamError

Table = Literal["groups", "cells", "harvests", "particles", "measurements"]


@dataclass(frozen=True)
class Column:
    """One column; ``choices`` are all allowed values where there are few, ``kind`` says how to sort and edit."""

    field: str
    title: str
    unit: str = ""
    kind: Literal["text", "number", "date", "choice"] = "text"
    choices: tuple[str, ...] = ()
    editable: bool = False


_FIELDS: dict[str, type[Fields]] = {
    "groups": GroupFields,
    "cells": CellFields,
    "harvests": HarvestFields,
    "particles": ParticleFields,
    "measurements": MeasurementFields,
}
# Written by the import, not by hand.
_FIXED = ("modality", "part_of", "reader_id", "reader_options", "dataset_keys")
_DERIVED = {
    "groups": (Column("n_cells", "Cells", kind="number"),),
    "cells": (
        Column("effective_active_mass_mg", "Active mass in use", "mg", "number"),
        Column("effective_loading_mg_cm2", "Areal loading in use", "mg/cm²", "number"),
        Column("n_measurements", "Measurements", kind="number"),
        Column("excluded", "Excluded", kind="choice"),
    ),
    "harvests": (Column("cell", "Cell"),),
    "particles": (
        Column("cell", "Cell"),
        Column("n_measurements", "Measurements", kind="number"),
        Column("excluded", "Excluded", kind="choice"),
    ),
    "measurements": (
        Column("cell", "Cell"),
        Column("group", "Group"),
        Column("particle", "Particle"),
        Column("files", "Files"),
        Column("excluded", "Excluded", kind="choice"),
        Column("excluded_because", "Left out because"),
    ),
}


def columns(table: str) -> tuple[Column, ...]:
    """What the table shows: first what can be edited, then what follows from it. Every row also has ``id``."""
    fields = _fields(table)
    return (*(_column(fields, name) for name in fields.model_fields if name not in ("reader_options", "dataset_keys")), *_DERIVED[table])


def grid_rows(catalog: Catalog, table: str = "cells") -> list[dict[str, Any]]:
    """Every row of a table, excluded ones too."""
    _fields(table)
    if table == "groups":
        return [_plain(g) for g in catalog.groups()]
    if table == "harvests":
        return [_plain(h) for h in catalog.harvests()]
    measurements = catalog.measurements()
    if table == "measurements":
        return [_measurement(m) for m in measurements]
    if table == "particles":
        per_particle = Counter(m.particle_id for m in measurements)
        return [_particle(p, per_particle[p.id]) for p in catalog.particles()]
    per_cell = Counter(m.cell_id for m in measurements)
    return [_cell(c, per_cell[c.id]) for c in catalog.cells()]


def apply_edit(catalog: Catalog, table: str, row_id: int, field: str, value: object) -> dict[str, Any]:
    """Write one value and return the row as it is now.

    Raises
    ------
    UserError
        The value is out of range, the field cannot be edited, or the row is gone. Nothing is changed.
    """
    fields = _fields(table)
    if field not in fields.model_fields or field in _FIXED:
        editable = ", ".join(c.title for c in columns(table) if c.editable)
        raise ParamError(f"'{field}' of a {fields.kind} cannot be edited.", hint=f"These can: {editable}.")
    change = {field: value}
    if table == "groups":
        return _plain(catalog.update_group(row_id, **change))
    if table == "harvests":
        return _plain(catalog.update_harvest(row_id, **change))
    if table == "measurements":
        return _measurement(catalog.update_measurement(row_id, **change))
    if table == "particles":
        particle = catalog.update_particle(row_id, **change)
        return _particle(particle, sum(m.particle_id == row_id for m in catalog.measurements(cell=particle.cell_id)))
    return _cell(catalog.update_cell(row_id, **change), len(catalog.measurements(cell=row_id)))


def _fields(table: str) -> type[Fields]:
    if table not in _FIELDS:
        raise ParamError(f"There is no table '{table}'.", hint=f"Known tables: {', '.join(_FIELDS)}.")
    return _FIELDS[table]


def _column(fields: type[Fields], name: str) -> Column:
    parts = _parts(fields.model_fields[name].annotation)
    choices = tuple(str(v) for part in parts if typing.get_origin(part) is Literal for v in typing.get_args(part))
    kind: Literal["text", "number", "date", "choice"] = "text"
    if choices:
        kind = "choice"
    elif float in parts or int in parts:
        kind = "number"
    elif dt.date in parts:
        kind = "date"
    return Column(name, title_of(fields, name), unit_of(fields, name), kind, choices, editable=name not in _FIXED)


def _parts(annotation: Any) -> tuple[Any, ...]:
    """The plain types that an annotation such as ``Annotated[Literal[...], ...] | None`` is made of."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _parts(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(part for option in typing.get_args(annotation) for part in _parts(option))
    return (annotation,)


def _plain(record: GroupRecord | HarvestRecord | ParticleRecord | CellRecord | MeasurementRecord, *without: str) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in type(record).model_fields if name not in without}
    return {name: v.isoformat() if isinstance(v, dt.date) else v for name, v in values.items()}


def _cell(cell: CellRecord, n_measurements: int) -> dict[str, Any]:
    return {
        **_plain(cell),
        "effective_active_mass_mg": cell.effective_active_mass_mg,
        "effective_loading_mg_cm2": cell.effective_loading_mg_cm2,
        "n_measurements": n_measurements,
        "excluded": cell.excluded,
    }


def _particle(particle: ParticleRecord, n_measurements: int) -> dict[str, Any]:
    return {**_plain(particle), "n_measurements": n_measurements, "excluded": particle.excluded_reason is not None}


def _measurement(m: MeasurementRecord) -> dict[str, Any]:
    row = _plain(m, "files", "reader_options", "dataset_keys")
    return {**row, "dataset_keys": list(m.dataset_keys), "files": ", ".join(f.original_name for f in m.files), "excluded": m.excluded}
