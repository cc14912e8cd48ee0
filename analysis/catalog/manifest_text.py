"""Manifests: CSV, spreadsheets and TOML to rows of named values, and back to CSV and TOML.

What the values mean is ``manifest``'s business.
"""

import csv
import datetime as dt
import difflib
import io
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.catalog.columns import COLUMNS, KNOWN, NUMBERS, Column, columns_of, has_cells, knows
from analysis.catalog.records import Fields
from analysis.core.errors import ParamError, ReadError, UserError
from analysis.formats import excel

MAX_BYTES = 20_000_000  # some hundred thousand rows; more is not a manifest
MARKS = ",;\t"
TITLE_ROWS = 20  # above the header at most
SPREADSHEETS = (b"PK\x03\x04", excel.OLE_MARK)
Row = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """One row as it was written: only what is not blank, by column."""

    manifest: str
    where: str
    values: Mapping[str, Any]
    remarks: tuple[str, ...] = ()  # about the whole table, in its first row

    def error(self, column: str, sentence: str, *, hint: str = "") -> ParamError:
        place = f"{self.where}, column {column}" if column else self.where
        return ParamError(f"{self.manifest}, {place}: {sentence}", hint=hint)


def parse(path: Path) -> list[Source]:
    """The rows of a manifest: TOML by its suffix, a spreadsheet by its content, else CSV."""
    raw = _content(path)
    if raw.startswith(SPREADSHEETS):
        return _from_workbook(path)
    text = _decoded(raw)
    return _from_toml(path.name, text) if path.suffix.lower() == ".toml" else _from_csv(path.name, text)


def lists_cells(path: Path) -> bool:
    """Whether a table is a list of cells: each row names another one, and more of its columns are the catalog's."""
    try:
        sources = parse(path)
    except UserError:
        return False
    names = [source.values.get("cell") for source in sources]
    known = {column for source in sources for column in source.values} - {"cell", "cell_notes"}
    return None not in names and len(set(names)) == len(names) and bool(known) and "file" not in known


def render(path: Path, groups: Sequence[Row], cells: Sequence[Row], files: Sequence[Row]) -> None:
    """Write rows of columns; the file appears whole or not at all."""
    if path.suffix.lower() == ".toml":
        content = _to_toml(groups, cells, files).encode()
    else:
        content = _to_csv([*groups, *cells, *files]).encode("utf-8-sig")  # spreadsheets take a file without mark for latin-1
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as err:
        raise ReadError(f"{path} cannot be written: {err.strerror or err}.", hint="Choose another folder.") from err


def flat(kind: str, record: Fields) -> Row:
    """Columns of a record's fields, without those that are not recorded."""
    values = {column: getattr(record, field) for field, column in COLUMNS[kind].items()}
    return {column: v for column, v in values.items() if v is not None and v != {}}


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as err:
        raise ReadError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    if size > MAX_BYTES:
        raise ReadError(f"{path.name} is too large for a manifest ({size / 1e6:.0f} MB).", hint="Is it a data file?")
    return raw


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what Excel writes as "CSV" on western Windows


def _from_csv(name: str, text: str) -> list[Source]:
    first = next((line for line in text.splitlines() if any(mark in line for mark in MARKS)), "")
    delimiter = max(MARKS, key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as err:
        raise ReadError(f"{name} is not a readable CSV file: {err}.", hint="Save it again as CSV (UTF-8).") from err
    return _rows(name, table, decimal_comma=delimiter == ";")


def _from_workbook(path: Path) -> list[Source]:
    """The first sheet that names cells."""
    tables = {name: _as_text(rows) for name, rows in excel.raw_sheets(path)}
    for name, table in tables.items():
        if any(has_cells(row) for row in table[:TITLE_ROWS]):
            return _rows(path.name if len(tables) == 1 else f"{path.name}, sheet {name}", table, decimal_comma=False)
    raise ReadError(f"{path.name} names no cells.", hint="One sheet needs a column 'cell' (or 'name'), then one row a cell.")


def _as_text(rows: Sequence[Sequence[excel.Cell]]) -> list[list[str]]:
    """Cells as text; whole numbers without a point in columns that hold no others."""
    width = max(map(len, rows), default=0)
    fractions = {i for row in rows for i, cell in enumerate(row) if isinstance(cell, float) and not cell.is_integer()}

    def text(place: int, cell: excel.Cell) -> str:
        return str(cell) if isinstance(cell, float) and place in fractions else excel.shown(cell)

    return [[text(i, cell) for i, cell in enumerate([*row, *[""] * (width - len(row))])] for row in rows]


def _rows(name: str, table: Sequence[Sequence[str]], *, decimal_comma: bool) -> list[Source]:
    """Rows below the header: the first row that is not blank, or the first of those after titles that names cells."""
    lines = [(number, row) for number, row in enumerate(table, start=1) if any(cell.strip() for cell in row)]
    titled = bool(lines) and not knows(lines[0][1])
    top = next((i for i, (_, row) in enumerate(lines[:TITLE_ROWS]) if has_cells(row)), 0) if titled else 0
    lines = lines[top:]
    if len(lines) < 2:
        raise ReadError(f"{name} has no rows.", hint="Give a header with at least file and cell, then one row a file.")
    headers = list(lines[0][1])
    while headers and not headers[-1].strip():
        headers.pop()
    columns = columns_of(f"{name}, row {lines[0][0]}", headers)
    made = [_row(name, f"row {number}", columns, row, decimal_comma=decimal_comma) for number, row in lines[1:]]
    return [replace(made[0], remarks=_remarks(name, columns)), *made[1:]]


def _remarks(name: str, columns: Sequence[Column]) -> tuple[str, ...]:
    """Sentences about what was assumed, and about what the catalog has no field for."""
    kept = [f"'{column.header}'" for column in columns if not column.name and column.header]
    said = [f"{name}: {column.remark}" for column in columns if column.remark]
    if kept:
        said.append(f"{name}: the catalog has no field for {', '.join(kept)}: kept in the notes of each cell.")
    return tuple(said)


def _row(name: str, where: str, columns: Sequence[Column], row: Sequence[str], *, decimal_comma: bool) -> Source:
    cells = [cell.strip() for cell in row]
    if any(cells[len(columns) :]):
        raise ParamError(f"{name}, {where}: there are more values than columns.", hint="Put text that contains the separator into quotes.")
    filled = [(column, cell) for column, cell in zip(columns, cells, strict=False) if cell]
    if decimal_comma:
        filled = [(c, re.sub(r"^([-+]?\d*),(\d+)$", r"\1.\2", v) if c.name in NUMBERS else v) for c, v in filled]
    values = {column.name: column.value(cell) for column, cell in filled if column.name}
    notes = [f"{column.header}: {cell}" for column, cell in filled if not column.name]
    if any(not column.name for column in columns) and "cell" not in values:
        raise ParamError(f"{name}, {where}, column cell: the name of the cell is missing.", hint="Remove the row, or name the cell.")
    if notes:
        values["cell_notes"] = "\n".join([*([values["cell_notes"]] if "cell_notes" in values else []), *notes])
    return Source(name, where, values)


def _from_toml(name: str, text: str) -> list[Source]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ReadError(
            f"{name} is not valid TOML: {err}.", hint="Strings need quotes; tables are [[group]], [[cell]] and [[file]]."
        ) from err
    unknown = [key for key in document if key not in ("group", "cell", "file")]
    if unknown:
        raise ParamError(f"{name}: there is no table '{unknown[0]}'.", hint="Tables are [[group]], [[cell]] and [[file]].")
    found = [s for kind in ("group", "cell", "file") for s in _toml_rows(name, kind, document.get(kind, []))]
    if not found:
        raise ReadError(f"{name} has no rows.", hint="Describe cells in [[cell]] and files in [[file]] tables.")
    return found


def _toml_rows(name: str, kind: str, tables: object) -> list[Source]:
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise ParamError(f"{name}: '{kind}' is not a list of tables.", hint=f"Write each as [[{kind}]].")
    return [_toml_row(name, f"[[{kind}]] {i}", kind, table) for i, table in enumerate(tables, start=1)]


def _toml_row(name: str, where: str, kind: str, table: Mapping[str, Any]) -> Source:
    columns = {c: c for c in KNOWN} if kind == "file" else COLUMNS[kind]
    values = {}
    for key, value in table.items():
        if key not in columns:
            close = difflib.get_close_matches(key, list(columns), n=1)
            raise ParamError(
                f"{name}, {where}: there is no field '{key}'.", hint=f"Is '{close[0]}' meant?" if close else f"Known: {', '.join(columns)}."
            )
        if not (isinstance(value, str) and not value.strip()):
            values[columns[key]] = value
    if kind != "file" and kind not in values:
        raise ParamError(f"{name}, {where}: the name is missing.", hint='Write name = "…".')
    return Source(name, where, values)


def _to_csv(rows: Sequence[Row]) -> str:
    used = [c for c in KNOWN if c in ("file", "cell", "group") or any(c in row for row in rows)]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(used)
    writer.writerows([_plain(row.get(c, "")) for c in used] for row in rows)
    return out.getvalue()


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _to_toml(groups: Iterable[Row], cells: Iterable[Row], files: Iterable[Row]) -> str:
    parts = []
    for kind, rows in (("group", groups), ("cell", cells), ("file", files)):
        names = {c: c for c in KNOWN} if kind == "file" else {column: field for field, column in COLUMNS[kind].items()}
        parts += [f"[[{kind}]]\n" + "".join(f"{names[c]} = {_literal(row[c])}\n" for c in KNOWN if c in row) for row in rows]
    return "\n".join(parts)


def _literal(value: object) -> str:
    """A TOML value. Its quoted strings are JSON's, but for control characters, which records never hold."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return json.dumps(_plain(value), ensure_ascii=False)
