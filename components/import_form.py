"""What the user says about a waiting file: fields of the catalog's classes, what they still lack, and the job they become.

A field is named ``kind.name`` (``cell.group``, ``measurement.state``); what is said lies in the file's form under ``fields``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analysis.catalog import CellFields, CellRecord, HarvestFields, MeasurementFields, ParticleFields
from analysis.catalog.records import Fields, problems
from analysis.inspection import Found
from analysis.staging import Staged
from components.context import workspace

KINDS: dict[str, type[Fields]] = {"cell": CellFields, "measurement": MeasurementFields, "particle": ParticleFields}
ROW = ("cell.name", "cell.group", "cell.active_mass_mg")
PARTICLE_ROW = ("cell.name", "cell.group", "particle.name")
WITH_PARTICLES = ("xanes", "cracks")  # modalities whose measurements are of a particle
MASSES = ("cell.composite_mass_mg", "cell.active_fraction", "cell.electrode_area_cm2")
SAMPLE = ("measurement.part_of", "measurement.state", "measurement.cycle_number", "particle.name", "measurement.date")
PARTICLE_SAMPLE = ("measurement.state", "measurement.cycle_number", "particle.name", "measurement.date")
SAMPLE_MORE = ("measurement.operator", "measurement.notes")
BUILD = tuple(
    f"cell.{n}"
    for n in CellFields.model_fields
    if f"cell.{n}" not in (*ROW, *MASSES) and n not in ("origin", "excluded_reason", "operator", "date")
)
BULK = ("cell.group", "cell.active_mass_mg", *MASSES, "measurement.state")
ALL_FIELDS = (*ROW, *MASSES, *SAMPLE, *SAMPLE_MORE, *BUILD)


@dataclass(frozen=True)
class Judged:
    """Whether a test can be imported, what it lacks, and what would be imported."""

    ready: bool
    missing: tuple[str, ...] = ()  # said, but no obstacle
    wrong: tuple[tuple[str, str], ...] = ()  # field ("" where it is about the file) and sentence
    payload: Mapping[str, Any] | None = None


def said(staged: Staged) -> dict[str, Any]:
    """The fields of a file as they stand: what the user said, else the cell's name from the file's."""
    fields = {k: v for k, v in dict(staged.form.get("fields", {})).items() if k in ALL_FIELDS}
    series = str((staged.found or {}).get("series", ""))
    return {"cell.name": proposed_cell(series or staged.name), **fields}


def proposed_cell(name: str) -> str:
    """A cell's name from a file's: without suffix, and without what cyclers append."""
    stem = name
    while (suffix := Path(stem).suffix) and re.fullmatch(r"\.[A-Za-z][A-Za-z0-9]{1,7}|\.\d{3}", suffix):
        stem = stem.removesuffix(suffix)
    return re.sub(r"[\s_]+", " ", stem).strip(" -_.")[:80] or "cell"


def effective(fields: Mapping[str, Any], cells: Iterable[CellRecord]) -> tuple[CellRecord | None, dict[str, Any]]:
    """The existing cell that is meant, and the cell's fields as they will be: the record's, changed by what is said."""
    known = next((c for c in cells if c.name == fields.get("cell.name")), None)
    given = {n: v for n, v in _of("cell", fields).items() if v not in (None, "")}
    before = {n: getattr(known, n) for n in CellFields.model_fields} if known else {}
    return known, {**before, **given}


def judge(parts: Sequence[Staged], found: Sequence[Found | None], cells: Iterable[CellRecord]) -> Judged:
    """Judge one test: ``parts`` in order, the first of which holds what is said about all of them."""
    unread = [f"{p.name} is still being read." for p, f in zip(parts, found, strict=True) if f is None]
    sentences = unread or [f.message for f in found if f is not None and f.kind != "data"]
    readings = {_reading(f) for f in found if f is not None}
    if not sentences and len(readings) > 1:
        sentences = ["The parts of one measurement must be of one format, read with the same options."]
    fields = said(parts[0])
    _, cell = effective(fields, cells)
    wrong = [("", s) for s in sentences] + _wrong(fields, cell)
    missing = () if unread else _missing(found[0], fields, cell)
    if wrong:
        return Judged(False, missing, tuple(wrong))
    return Judged(True, missing, payload=_payload(parts, found[0], fields))


def _reading(found: Found) -> str:
    return f"{found.reader} {sorted(found.options.items(), key=str)}"


def _wrong(fields: Mapping[str, Any], cell: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Sentences of the field classes themselves, by field."""
    sentences = []
    given = {kind: _of(kind, fields) for kind in KINDS}
    if not any(given["particle"].values()):
        del given["particle"]
    for kind, values in {**given, "cell": dict(cell)}.items():
        try:
            KINDS[kind].model_validate(values)
        except ValidationError as err:
            sentences += [(f"{kind}.{name}" if name else "", _plain(s)) for name, s in problems(KINDS[kind], err)]
    return sentences


def _plain(sentence: str) -> str:
    """Without the field's internal name, which stands for the command line and manifests."""
    return re.sub(r" \[\w+\]", "", sentence, count=1)


def _missing(found: Found | None, fields: Mapping[str, Any], cell: Mapping[str, Any]) -> tuple[str, ...]:
    """What a measurement of this kind should not lack, as its modality says, and what its files do not say of themselves."""
    known = {
        "group": cell.get("group"),
        "active mass": cell.get("active_mass_mg") or (cell.get("composite_mass_mg") and cell.get("active_fraction")),
        "area": cell.get("electrode_area_cm2") or cell.get("areal_loading_mg_cm2"),
        "particle": fields.get("particle.name"),
        "state": fields.get("measurement.state"),
        "cycle": fields.get("measurement.cycle_number"),
    }
    modality = workspace().registry.modalities.get(found.modality) if found is not None else None
    asked = modality.asks if modality is not None else ("group", "active mass", "area")
    return (*(found.lacks if found is not None else ()), *(name for name in asked if not known[name]))


def _payload(parts: Sequence[Staged], found: Found | None, fields: Mapping[str, Any]) -> dict[str, Any]:
    measurement = {n: v for n, v in _of("measurement", fields).items() if v not in (None, "")}
    particle = {n: v for n, v in _of("particle", fields).items() if v not in (None, "")}
    if found is not None and found.instrument:
        measurement.setdefault("instrument", found.instrument[:200])
    sampled: dict[str, Any] = {n: measurement[n] for n in ("cycle_number", "state") if n in measurement} if particle else {}
    return {
        "paths": [str(p.path) for p in parts],
        "cell": {n: v for n, v in _of("cell", fields).items() if v not in (None, "")},
        "measurement": measurement,
        "particle": particle or None,
        "harvest": HarvestFields.check(sampled).model_dump(mode="json", exclude_unset=True) if sampled else None,
        "reader": found.reader if found else "",
        "options": found.options if found else {},
        "again": any(p.form.get("again") for p in parts),
    }


def _of(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key.partition(".")[2]: value for key, value in fields.items() if key.startswith(f"{kind}.")}


def is_number(field: str) -> bool:
    return spec_of(field).get("type") in ("number", "integer")


def typed(field: str, value: Any) -> Any:
    """What was typed for a field: numbers as numbers, with decimal point or comma; anything else stays as it is."""
    text = str(value).strip().replace("\u2212", "-") if value is not None else ""
    return number_in(text) if is_number(field) else text


def number_in(text: str) -> float | int | str:
    """The number that a text is, with decimal point or comma; the text itself where it is none."""
    if not re.fullmatch(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?", text.strip()):
        return text
    number = float(text.strip().replace(",", "."))
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


@cache
def schema_of(kind: str) -> dict[str, Any]:
    properties: dict[str, Any] = KINDS[kind].model_json_schema()["properties"]
    return properties


def spec_of(field: str) -> dict[str, Any]:
    """What the schema says of a field when it is given."""
    kind, _, name = field.partition(".")
    return present(schema_of(kind)[name])


def present(spec: dict[str, Any]) -> dict[str, Any]:
    """The part of a property's schema that is not about being absent."""
    return next((s for s in spec.get("anyOf", [spec]) if s.get("type") != "null"), spec)
