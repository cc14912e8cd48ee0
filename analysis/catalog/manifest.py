"""A study as a table: CSV, spreadsheet or TOML, one row a file, for import, export and exchange.

CSV: a header, then rows; separated by commas, semicolons (then with decimal commas too) or tabs. A blank means "not
said". All columns may be left out but ``file`` and ``cell``:

- ``file``: path of the original, relative to the manifest; ``original_name`` where the file was renamed since. A pattern
  (``scan1/*.xrm``) means all files of one measurement, such as the frames of a scan, in natural order.
  A row without one only describes a group, a cell or a sample.
- ``cell``, ``group`` and every other field of a cell (``composite_mass_mg``, ``voltage_upper_V`` …), of which
  ``notes operator date origin excluded_reason`` are called ``cell_notes`` and so on. They may stand in any row of that
  cell, once or repeatedly, but must not contradict one another.
- ``group_title group_colour_slot group_position group_description``.
- ``modality`` (recognised from the file where blank), ``state``, ``cycle``, ``instrument dimensionality definition
  calibration date operator notes origin excluded_reason reader`` and ``reader_options`` (a JSON object).
- ``part_of``: files of one cell and modality with the same name here are parts of one test, in the order of rows.
- ``particle``, ``particle_location particle_notes particle_excluded_reason``.
- ``harvest``: ``yes`` if the sample was taken out of the cell at that cycle and state, ``no`` if not; where blank it
  was if a particle and a cycle or state are named. ``harvest_date harvest_notes``.

A list of cells, without files, needs no more than a column of their names: headers may be spelled as people do (``columns``), with
units in brackets. What the catalog has no field for goes into the cell's notes, and a warning of the first row says so.

TOML: the same fields in ``[[group]]`` tables (``name title colour_slot position description``), ``[[cell]]`` tables
(``name`` and the fields of a cell, without prefix) and ``[[file]]`` tables (the columns above; ``reader_options`` may
be a table).
"""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from analysis.catalog.catalog import Catalog
from analysis.catalog.columns import COLUMNS
from analysis.catalog.manifest_text import Row, Source, flat, parse, render
from analysis.catalog.records import (
    CellFields,
    Fields,
    FileFields,
    GroupFields,
    HarvestFields,
    MeasurementFields,
    MeasurementRecord,
    ParticleFields,
    problems,
)
from analysis.core.errors import ParamError
from analysis.core.params import Params
from analysis.formats.file_names import natural

F = TypeVar("F", bound=Fields)
Named = TypeVar("Named", GroupFields, CellFields)
YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class ManifestRow(Params):
    """One checked row. ``where`` says which one it is; ``group`` and ``cell`` hold what all rows together say."""

    where: str
    file: Path | None = None
    more_files: tuple[Path, ...] = ()  # that a pattern names besides
    original_name: str = ""
    group: GroupFields | None = None
    cell: CellFields | None = None
    harvest: HarvestFields | None = None
    particle: ParticleFields | None = None
    measurement: MeasurementFields = MeasurementFields()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """What is taken into the catalog as one: a measurement with its files in order, or, without files, a description."""

    where: str
    group: GroupFields | None
    cell: CellFields | None
    harvest: HarvestFields | None
    particle: ParticleFields | None
    measurement: MeasurementFields
    files: tuple[Path, ...]
    original_names: tuple[str, ...]


def read_manifest(path: Path) -> tuple[ManifestRow, ...]:
    """Every row, checked; the files exist.

    Raises
    ------
    ParamError
        Names the row and the column.
    ReadError
        The manifest cannot be read as CSV, spreadsheet or TOML.
    """
    rows = tuple(_row(source, path.parent) for source in parse(path))
    cells = _said_together([(r, r.cell) for r in rows], "cell")
    groups = _said_together([(r, r.group) for r in rows], "group")
    merged = tuple(r.model_copy(update={"cell": r.cell and cells[r.cell.name], "group": r.group and groups[r.group.name]}) for r in rows)
    entries(merged)
    return merged


def remarks(rows: Iterable[ManifestRow]) -> tuple[str, ...]:
    """What was assumed and what was kept as notes, each sentence once."""
    return tuple(dict.fromkeys(sentence for row in rows for sentence in row.warnings))


def entries(rows: Iterable[ManifestRow]) -> tuple[Entry, ...]:
    """Rows brought together: parts of one test become one entry, in the place of its first row."""
    tests: dict[object, list[ManifestRow]] = {}
    for i, row in enumerate(rows):
        m = row.measurement
        is_part = row.file is not None and m.part_of is not None
        key: object = (row.cell and row.cell.name, m.modality, m.part_of) if is_part else i
        tests.setdefault(key, []).append(row)
    return tuple(_entry(parts) for parts in tests.values())


def take(
    catalog: Catalog, entry: Entry, *, measurement: MeasurementFields | None = None, files: Sequence[FileFields] = ()
) -> MeasurementRecord | None:
    """Write an entry into the catalog; None where it only describes a group, cell or sample.

    Parameters
    ----------
    measurement
        The entry's own, completed by what reading told: modality, reader, dataset keys.
    files
        The entry's files as they are kept now.
    """
    if entry.group is not None:
        catalog.upsert_group(**entry.group.given())
    if entry.cell is None:
        return None
    if entry.files:
        return catalog.add_measurement(
            measurement or entry.measurement, cell=entry.cell, harvest=entry.harvest, particle=entry.particle, files=files
        )
    cell = catalog.upsert_cell(**entry.cell.given())
    harvest = None if entry.harvest is None else catalog.add_harvest(cell.id, **entry.harvest.given()).id
    if entry.particle is not None:
        catalog.add_particle(cell.id, harvest=harvest, **entry.particle.given())
    return None


def write_manifest(catalog: Catalog, path: Path) -> None:
    """The whole catalog as CSV or TOML, by the suffix; reading it again gives the same catalog.

    Datasets are not in it: they follow from files, reader and options. Parts of a test without a name get one.
    """
    groups = [flat("group", g) for g in catalog.groups()]
    cells = [flat("cell", c) for c in catalog.cells()]
    render(path, groups, cells, [*_samples(catalog), *_files(catalog, path.parent)])


def _row(source: Source, folder: Path) -> ManifestRow:
    values = source.values
    if "file" in values and "cell" not in values:
        raise source.error("cell", "the cell of this file is missing.", hint="Name the cell that was measured.")
    measurement = _checked(_with_options(source), MeasurementFields, "measurement")
    particle = _checked(source, ParticleFields, "particle") if "particle" in values else None
    file, *more = _existing(source, folder) if "file" in values else (None,)
    return ManifestRow(
        where=source.where,
        file=file,
        more_files=tuple(p for p in more if p is not None),
        original_name=str(values.get("original_name", file.name if file else "")),
        group=_checked(source, GroupFields, "group") if "group" in values else None,
        cell=_checked(source, CellFields, "cell") if "cell" in values else None,
        harvest=_checked(source, HarvestFields, "harvest") if _is_harvested(source) else None,
        particle=particle,
        measurement=measurement,
        warnings=source.remarks,
    )


def _checked(source: Source, cls: type[F], kind: str) -> F:
    columns = COLUMNS[kind]
    try:
        return cls.model_validate({field: source.values[column] for field, column in columns.items() if column in source.values})
    except ValidationError as err:
        field, sentence = problems(cls, err)[0]
        raise source.error(columns.get(field, ""), sentence) from err


def _with_options(source: Source) -> Source:
    given = source.values.get("reader_options")
    if not isinstance(given, str):
        return source
    try:
        options = json.loads(given)
    except json.JSONDecodeError as err:
        raise source.error("reader_options", f"this is not a JSON object ({err.msg}).", hint='Write it as {"name": value}.') from err
    return replace(source, values={**source.values, "reader_options": options})


def _existing(source: Source, folder: Path) -> tuple[Path, ...]:
    """The file, or the files of a pattern."""
    given = str(source.values["file"])
    for spelling in (given, given.replace("\\", "/")):  # the table may come from Windows
        if (folder / spelling).is_file():
            return (folder / spelling,)
        if is_pattern(spelling) and (found := _matching(folder, spelling)):
            return found
    raise source.error("file", f"there is no file '{given}'.", hint=f"Paths start from the manifest's folder, {folder}.")


def is_pattern(spelled: str) -> bool:
    """Whether a manifest names several files at once."""
    return "*" in spelled or "?" in spelled


def _matching(folder: Path, pattern: str) -> tuple[Path, ...]:
    """The files of a pattern in natural order; a pattern that leads out of the manifest's folder matches none."""
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        return ()
    return tuple(sorted((p for p in folder.glob(pattern) if p.is_file()), key=lambda p: natural(str(p))))


def _is_harvested(source: Source) -> bool:
    """Whether the sample was taken out of its cell."""
    values = source.values
    if "harvest" not in values:
        return "particle" in values and ("cycle" in values or "state" in values)
    said = YES_NO.get(str(values["harvest"]).casefold())
    if said is None:
        raise source.error("harvest", f"this is neither yes nor no (given: {values['harvest']!r}).")
    return said


def _said_together(rows: Iterable[tuple[ManifestRow, Named | None]], kind: str) -> dict[str, Named]:
    by_name: dict[str, list[tuple[ManifestRow, Named]]] = {}
    for row, fields in rows:
        if fields is not None:
            by_name.setdefault(fields.name, []).append((row, fields))
    return {name: _merged(said, kind) for name, said in by_name.items()}


def _merged(said: Sequence[tuple[ManifestRow, F]], kind: str) -> F:
    """All that several rows say about one thing; they must not contradict one another."""
    values: dict[str, Any] = {}
    source: dict[str, ManifestRow] = {}
    for row, fields in said:
        for field, value in fields.given().items():
            if field in values and values[field] != value:
                raise ParamError(
                    f"{row.where}, column {COLUMNS[kind][field]}: '{value}' contradicts '{values[field]}' in {source[field].where}.",
                    hint=f"Both rows are about the same {kind}.",
                )
            values[field], source[field] = value, row
    cls = type(said[0][1])
    return cls.check(values, subject=f"{kind} in {said[-1][0].where}")


def _entry(rows: Sequence[ManifestRow]) -> Entry:
    first = rows[0]
    particles = [(r, r.particle) for r in rows if r.particle is not None]
    harvests = [(r, r.harvest) for r in rows if r.harvest is not None]
    return Entry(
        where=first.where,
        group=first.group,
        cell=first.cell,
        harvest=_merged(harvests, "harvest") if harvests else None,
        particle=_merged(particles, "particle") if particles else None,
        measurement=_merged([(r, r.measurement) for r in rows], "measurement"),
        files=tuple(p for r in rows if r.file is not None for p in (r.file, *r.more_files)),
        original_names=tuple(n for r in rows if r.file is not None for n in (r.original_name, *(p.name for p in r.more_files))),
    )


def _samples(catalog: Catalog) -> list[Row]:
    """A row for each harvest and each particle, with what is known of it."""
    harvests = {h.id: h for h in catalog.harvests()}
    rows: list[Row] = [{"cell": h.cell, "harvest": "yes", **flat("harvest", h)} for h in harvests.values()]
    for p in catalog.particles():
        harvest = {} if p.harvest_id is None else {**flat("harvest", harvests[p.harvest_id]), "harvest": "yes"}
        rows.append({"cell": p.cell, **harvest, **flat("particle", p)})
    return rows


def _files(catalog: Catalog, folder: Path) -> list[Row]:
    """A row for each data file; what is known of a measurement stands in its first."""
    rows: list[Row] = []
    taken: set[tuple[str, str | None, str]] = set()
    for m in catalog.measurements():
        files = [f for f in m.files if f.role == "data"]
        test = _test_name(m, len(files), taken)
        for i, file in enumerate(files):
            name = file.stored_path if file.referenced else _from_folder(catalog.root.resolve() / file.stored_path, folder)
            row: Row = {"file": name, "cell": m.cell, "modality": m.modality}
            row |= {"original_name": file.original_name} if Path(name).name != file.original_name else {}
            if i == 0:
                row |= {**flat("measurement", m), "harvest": "no" if m.harvest_id is None else "yes"}
                row |= {"particle": m.particle} if m.particle is not None else {}
            rows.append(row | ({"part_of": test} if test is not None else {}))
    return rows


def _test_name(m: MeasurementRecord, n_files: int, taken: set[tuple[str, str | None, str]]) -> str | None:
    """The test's name, made different from others of the same cell; only a single file needs none."""
    if m.part_of is None and n_files <= 1:
        return None
    name, number = m.part_of or f"test {m.id}", 1
    while (m.cell, m.modality, name) in taken:
        number += 1
        name = f"{m.part_of or f'test {m.id}'} ({number})"
    taken.add((m.cell, m.modality, name))
    return name


def _from_folder(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return path.as_posix()
