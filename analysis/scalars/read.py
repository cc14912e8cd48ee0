"""Tables of own scalars: numbers that people measured elsewhere or took from another program, with unit, cell and cycle.

Text (comma, semicolon or tab between the cells; any encoding; decimal point, or comma where commas do not separate) or a spreadsheet
(first sheet with such a table). The first row that is not blank and does not begin with # names the columns, in any order and case:

- long, a number a row: ``cell``, ``name`` (or quantity, metric, scalar), ``value``, and as far as known ``unit``, ``cycle``, ``state``,
  ``particle``, ``std`` (or uncertainty, error, sd), ``n``, ``better`` (more, less; else neither);
- wide, a sample a row: ``cell``, as far as known ``cycle``, ``state``, ``particle``, and a column for each quantity with its unit in the
  header: ``fracture strength / MPa``, ``R_ct (ohm)``, ``c [angstrom]``.

Every row names its cell, so one file may speak of many: it is imported once, whatever cell it is filed under. Cells are told by their
names in the catalog. A blank number is left out; text where a number should be is refused with its row. Seen: tables written by hand.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

import numpy as np
import xarray as xr

from analysis.core.data import Schema, Var, table
from analysis.core.errors import ReadError
from analysis.core.params import Options
from analysis.core.registry import Probe, Reader
from analysis.formats.delimited import encoding_of
from analysis.formats.excel import mentions, raw_sheets, shown
from analysis.schemas import Preview

ROW = ("row",)
TABLE = Schema(
    "scalars.table",
    {
        "cell": Var(ROW, "", title="Cell"),
        "particle": Var(ROW, "", title="Particle"),
        "state": Var(ROW, "", title="State"),
        "name": Var(ROW, "", title="Quantity"),
        "unit": Var(ROW, "", title="Unit"),
        "better": Var(ROW, "", title="Better"),  # more, less, or ""
        "value": Var(ROW, "", title="Value, in the unit of its row"),
        "std": Var(ROW, "", title="Standard deviation"),
        "n": Var(ROW, "", title="Number of measurements"),
        "cycle": Var(ROW, "", title="Cycle"),
    },
)
NAMES = {
    "cell": "cell",
    "sample": "cell",
    "name": "name",
    "quantity": "name",
    "metric": "name",
    "scalar": "name",
    "value": "value",
    "unit": "unit",
    "units": "unit",
    "cycle": "cycle",
    "state": "state",
    "particle": "particle",
    "std": "std",
    "sd": "std",
    "error": "std",
    "uncertainty": "std",
    "n": "n",
    "better": "better",
}
CELL = tuple(written for written, known in NAMES.items() if known == "cell")
BETTER = {"more": "more", "higher": "more", "less": "less", "lower": "less", "": "", "neither": "", "none": ""}
STATES = ("pristine", "charged", "discharged")
# A table of one row a cycle, a manifest, a record: other readers know what to do with them.
OTHERS = re.compile(r"\b(file|capacity|voltage|current|energy|time|dqdv)\b", re.IGNORECASE)
SMALL_BYTES = 4 << 20
HEAD_BYTES = 1 << 14  # titles, and comments above them
SURE, SURE_LONG, LONG = 0.6, 0.95, {"cell", "name", "value"}
_HEADER = re.compile(r"^(?P<name>.*?)\s*(?:\[(?P<a>[^\]]*)\]|\((?P<b>[^)]*)\)|\s/\s(?P<c>.+))$")


@dataclass(frozen=True)
class Head:
    """Which column is what: named ones, and quantities with their units."""

    named: dict[str, int]
    quantities: tuple[tuple[int, str, str], ...]  # place, name, unit

    @property
    def is_long(self) -> bool:
        return self.named.keys() >= LONG


def sniff(probe: Probe) -> float:
    """Sure where a table names cell, quantity and value; likely where it names a cell and quantities that no other reader knows."""
    if probe.size > SMALL_BYTES:
        return 0.0
    try:
        found = head_of(_first_row(probe))
    except (ReadError, csv.Error):
        return 0.0
    if "cell" not in found.named:
        return 0.0
    if found.is_long:
        return SURE_LONG
    known_elsewhere = any(OTHERS.search(name.replace("_", " ")) for _, name, _ in found.quantities)
    return SURE if found.quantities and not known_elsewhere else 0.0


def read(paths: tuple[Path, ...], options: Options) -> xr.Dataset:
    """All numbers of one table, or of several, in the order of the file."""
    rows = [row for path in paths for row in _rows(path)]
    text = ("cell", "particle", "state", "name", "unit", "better")
    columns = {n: (np.array([r[n] for r in rows], dtype=str if n in text else float), "") for n in TABLE.variables}
    return table(columns, dim="row")


def head_of(cells: Sequence[str]) -> Head:
    """The meaning of a row of column titles."""
    named: dict[str, int] = {}
    quantities = []
    for place, title in enumerate(cells):
        known = NAMES.get(re.sub(r"[\s_]+", " ", title).strip().casefold())
        if known is not None:
            named.setdefault(known, place)
        elif title.strip():
            split = _HEADER.match(title.strip())
            unit = next((u for u in split.groups()[1:] if u), "") if split else ""
            quantities.append((place, (split["name"] if split else title).strip(), unit.strip()))
    return Head(named, tuple(quantities))


def _rows(path: Path) -> Iterator[dict[str, str | float]]:
    lines = _lines(path)
    if not lines:
        raise ReadError(f"{path.name} holds no table of scalars.", hint="Name columns cell, name, value and unit in its first row.")
    head = head_of(lines[0][1])
    if "cell" not in head.named or not (head.is_long or head.quantities):
        raise ReadError(f"{path.name} does not say which cell its numbers are of.", hint="Name a column 'cell', and one for each quantity.")
    for line, cells in lines[1:]:
        row = Row(cells, head, f"{path.name}, row {line}")
        yield from _long(row) if head.is_long else _wide(row)


@dataclass(frozen=True)
class Row:
    """A cell of a row by the name of its column or by its place."""

    cells: Sequence[str]
    head: Head
    where: str

    def text(self, name: str) -> str:
        place = self.head.named.get(name)
        return self.cells[place].strip() if place is not None and place < len(self.cells) else ""

    def number(self, text: str, what: str) -> float:
        written = text.strip().replace("\u2212", "-").replace(" ", "")
        if written.count(",") == 1 and "." not in written:
            written = written.replace(",", ".")
        if written.casefold() in ("", "-", "–", "nan", "n/a", "na"):
            return nan
        try:
            value = float(written)
        except ValueError as err:
            raise ReadError(
                f"{self.where}: {what} '{text}' is not a number.", hint="Write the number alone; its unit has a column."
            ) from err
        return value if isfinite(value) else nan


def _common(get: Row) -> dict[str, str | float]:
    """What every number of a row shares."""
    where = get.where
    state, better = get.text("state").casefold(), get.text("better").casefold()
    if state and state not in STATES:
        raise ReadError(f"{where}: the state '{get.text('state')}' is not known.", hint=f"Write {', '.join(STATES)}, or nothing.")
    if better not in BETTER:
        raise ReadError(f"{where}: '{get.text('better')}' does not say what is better.", hint="Write more, less or nothing.")
    if not get.text("cell"):
        raise ReadError(f"{where}: no cell is named.", hint="Name the cell as the catalog does.")
    cycle = get.number(get.text("cycle"), "the cycle")
    return {"cell": get.text("cell"), "particle": get.text("particle"), "state": state, "better": BETTER[better], "cycle": cycle}


def _long(get: Row) -> Iterator[dict[str, str | float]]:
    value = get.number(get.text("value"), "the value")
    if not isfinite(value):
        return
    if not get.text("name"):
        raise ReadError(f"{get.where}: the value {get.text('value')} has no name.", hint="Say what was measured.")
    std, n = get.number(get.text("std"), "the uncertainty"), get.number(get.text("n"), "n")
    yield {**_common(get), "name": get.text("name"), "unit": get.text("unit") or "1", "value": value, "std": std, "n": n}


def _wide(get: Row) -> Iterator[dict[str, str | float]]:
    common = _common(get)
    for place, name, unit in get.head.quantities:
        value = get.number(get.cells[place] if place < len(get.cells) else "", name)
        if isfinite(value):
            yield {**common, "name": name, "unit": unit or "1", "value": value, "std": nan, "n": nan}


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Rows that hold something, with their numbers in the file."""
    with open(path, "rb") as raw:
        content = raw.read(SMALL_BYTES + 1)
    if len(content) > SMALL_BYTES:
        raise ReadError(
            f"{path.name} is larger than {SMALL_BYTES >> 20} MiB, which no table of scalars is.", hint="Import the table alone."
        )
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        for _, rows in raw_sheets(path):
            found = ((k, cells) for k, row in enumerate(rows, start=1) if "".join(cells := [shown(c) for c in row]).strip())
            first = next(found, None)
            if first is not None and "cell" in head_of(first[1]).named:
                return [first, *found]
        return []
    return _parsed(content)


def _first_row(probe: Probe) -> list[str]:
    """The titles that a table begins with; none where it is no table."""
    if probe.head.startswith(b"PK"):
        lines = _lines(probe.path) if mentions(probe.path, CELL) else []
    else:
        lines = _parsed(probe.head[:HEAD_BYTES])[:1]
    return lines[0][1] if lines else []


def _parsed(content: bytes) -> list[tuple[int, list[str]]]:
    """Rows of a text table."""
    lines = content.decode(encoding_of(content), errors="replace").splitlines()
    kept = [(k, line) for k, line in enumerate(lines, start=1) if line.strip() and not line.lstrip().startswith("#")]
    if not kept or "\x00" in kept[0][1]:
        return []
    delimiter = max("\t;,|", key=kept[0][1].count)
    return [(k, cells) for (k, _), cells in zip(kept, csv.reader([line for _, line in kept], delimiter=delimiter), strict=False)]


def preview(ds: xr.Dataset) -> Preview:
    """What a table holds, before it is taken."""
    names = list(dict.fromkeys(f"{n} / {u}" if u != "1" else str(n) for n, u in zip(ds["name"].values, ds["unit"].values, strict=True)))
    cells = list(dict.fromkeys(ds["cell"].values.astype(str).tolist()))
    return Preview({"Numbers": str(ds.sizes["row"]), "Quantities": ", ".join(names), "Cells": ", ".join(cells)})


READERS = (Reader("scalars.table", "Table of own scalars", TABLE, (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"), sniff, read),)
PREVIEWS = {TABLE.name: preview}
