"""Which column is what: a proposal for the person who imports a table, and its signature so that the answer is remembered."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.cycling.aliases import BASES, resolve
from analysis.cycling.schemas import RECORD
from analysis.formats import excel, parquet
from analysis.formats.cells import text
from analysis.formats.delimited import detect
from analysis.formats.headers import CLOCK, UNITS, Unit, slug

SHOWN_ROWS = 20
NEEDED = ("time", "voltage", "current")
# What the reader of tables accepts as targets, in the order a dialog shows them.
TARGETS = (*RECORD.variables, "step_time", "capacity", "energy", "state", "label")


@dataclass(frozen=True)
class Proposal:
    """What a table holds and how it would be read; the person may change ``columns`` and ``units``.

    ``columns`` and ``units`` are what ``cycling.generic`` takes under the same names.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]  # the first rows as text
    columns: dict[str, str]  # variable → header
    units: dict[str, str]  # variable → unit, "" where the header states none
    missing: tuple[str, ...]  # what a record needs and no column offers
    signature: str
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    options: dict[str, Any] = field(default_factory=dict)  # how the text is laid out: delimiter, decimal

    def to_json(self) -> dict[str, Any]:
        """The proposal as plain lists and dictionaries."""
        return json.loads(json.dumps(self.__dict__))


def propose(path: Path, sheet: str | None = None) -> Proposal:
    """Columns of a CSV, Excel or parquet file with their likely meaning.

    Raises
    ------
    ReadError
        The file holds no table, or no sheet of that name.
    """
    with open(path, "rb") as raw:
        mark = raw.read(8)
    if mark.startswith(parquet.MARK):
        return _of_parquet(path)
    if mark.startswith(b"PK") or mark == excel.OLE_MARK:
        return _of_workbook(path, sheet)
    layout = detect(path)
    rows = tuple(_fitted(row, len(layout.columns)) for row in layout.sample[:SHOWN_ROWS])
    return _proposal(layout.columns, layout.units, rows, options={"delimiter": layout.delimiter, "decimal": layout.decimal})


def signature(columns: Sequence[str]) -> str:
    """Short hash of header names; case, punctuation and order do not matter."""
    names = sorted(slug(column) or column.strip() for column in columns)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def remembered(proposal: Proposal, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Options of ``cycling.generic`` that were used before for a table with these headers; the proposal's own where none were.

    ``known`` maps signatures to options and is JSON-able.
    """
    if proposal.signature in known:
        return dict(known[proposal.signature])
    return {"columns": dict(proposal.columns), "units": {k: v for k, v in proposal.units.items() if v}}


def _of_workbook(path: Path, sheet: str | None) -> Proposal:
    found = excel.read_sheets(path, [sheet] if sheet else None)
    names = excel.sheet_names(path) or tuple(s.name for s in found)
    if not found:
        return Proposal((), (), {}, {}, NEEDED, signature(()), names, sheet or "")
    best = max(found, key=lambda s: len(set(NEEDED) & resolve(s.layout.columns, s.layout.units).keys()))
    body = best.rows[best.layout.first_row : best.layout.first_row + SHOWN_ROWS]
    rows = tuple(_fitted([excel.shown(cell) for cell in row], len(best.layout.columns)) for row in body)
    return _proposal(best.layout.columns, best.layout.units, rows, sheets=names, sheet=best.name)


def _of_parquet(path: Path) -> Proposal:
    head = parquet.head(path)
    first = next(parquet.batches(path, head.columns)).slice(0, SHOWN_ROWS)
    cells = [text(first.column(name)).to_pylist() for name in head.columns]
    rows = tuple(tuple("" if cell is None else cell for cell in row) for row in zip(*cells, strict=True))
    return _proposal(head.columns, (), rows)


def _proposal(
    headers: Sequence[str],
    unit_cells: Sequence[str],
    rows: tuple[tuple[str, ...], ...],
    *,
    sheets: tuple[str, ...] = (),
    sheet: str = "",
    options: dict[str, Any] | None = None,
) -> Proposal:
    found = {target: source for target, source in resolve(headers, unit_cells).items() if target in TARGETS}
    units = {target: unit_text(source.unit) for target, source in found.items()}
    clocked = "time" in found or "step_time" in found or "timestamp" in found
    missing = tuple(need for need in NEEDED if need not in found and not (need == "time" and clocked))
    columns = {target: source.column for target, source in found.items()}
    return Proposal(tuple(headers), rows, columns, units, missing, signature(headers), sheets, sheet, dict(options or {}))


def unit_text(unit: Unit | None) -> str:
    """How a unit is written in options; "" where there is none."""
    if unit is CLOCK:
        return "h:m:s"
    return next((name for name, known in UNITS.items() if known == unit), "")


def unit_choices(target: str) -> tuple[str, ...]:
    """Units that a column for ``target`` may have."""
    clock = ("h:m:s",) if BASES[target] == "s" else ()
    return (*(name for name, unit in UNITS.items() if unit.base == BASES[target] and name != "C"), *clock)


def _fitted(row: Sequence[str], width: int) -> tuple[str, ...]:
    return tuple([*row, *[""] * width][:width])
