"""Manifests as text: CSV and TOML to rows of named values and back. What the values mean is ``manifest``'s business."""

import csv
import datetime as dt
import difflib
import io
import json
import os
import re
import tomllib
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.catalog.records import CellFields, Fields, GroupFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.core.errors import ParamError, ReadError

MAX_BYTES = 20_000_000  # some hundred thousand rows; more is not a manifest
Row = dict[str, Any]

_OWN = ("notes", "operator", "date", "origin", "excluded_reason")  # of cell and measurement alike
# For each kind of record: field → column.
COLUMNS: dict[str, dict[str, str]] = {
    "group": {f: "group" if f == "name" else f"group_{f}" for f in GroupFields.model_fields},
    "cell": {f: "cell" if f == "name" else f"cell_{f}" if f in _OWN else f for f in CellFields.model_fields},
    "harvest": {f: {"cycle_number": "cycle", "state": "state"}.get(f, f"harvest_{f}") for f in HarvestFields.model_fields},
    "particle": {f: "particle" if f == "name" else f"particle_{f}" for f in ParticleFields.model_fields},
    "measurement": {
        f: {"cycle_number": "cycle", "reader_id": "reader"}.get(f, f) for f in MeasurementFields.model_fields if f != "dataset_keys"
    },
}
# In the order in which they are written.
KNOWN = tuple(
    dict.fromkeys(["file", "cell", "group", *(c for kind in COLUMNS.values() for c in kind.values()), "harvest", "original_name"])
)
NUMBERS = {column for field, column in COLUMNS["cell"].items() if float in typing.get_args(CellFields.model_fields[field].annotation)}


@dataclass(frozen=True)
class Source:
    """One row as it was written: only what is not blank, by column."""

    manifest: str
    where: str
    values: Mapping[str, Any]

    def error(self, column: str, sentence: str, *, hint: str = "") -> ParamError:
        place = f"{self.where}, column {column}" if column else self.where
        return ParamError(f"{self.manifest}, {place}: {sentence}", hint=hint)


def parse(path: Path) -> list[Source]:
    """The rows of a manifest; TOML by its suffix, else CSV."""
    text = _text(path)
    return _from_toml(path.name, text) if path.suffix.lower() == ".toml" else _from_csv(path.name, text)


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


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except OSError as err:
        raise ReadError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check the path and its permissions.") from err
    if size > MAX_BYTES:
        raise ReadError(f"{path.name} is too large for a manifest ({size / 1e6:.0f} MB).", hint="Is it a data file?")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what Excel writes as "CSV" on western Windows


def _from_csv(name: str, text: str) -> list[Source]:
    first = text.lstrip("\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as err:
        raise ReadError(f"{name} is not a readable CSV file: {err}.", hint="Save it again as CSV (UTF-8).") from err
    lines = [(number, row) for number, row in enumerate(table, start=1) if any(cell.strip() for cell in row)]
    if len(lines) < 2:
        raise ReadError(f"{name} has no rows.", hint="Give a header with at least file and cell, then one row a file.")
    header = _header(f"{name}, row {lines[0][0]}", lines[0][1])
    return [_csv_row(name, f"row {number}", header, row, decimal_comma=delimiter == ";") for number, row in lines[1:]]


def _header(where: str, cells: Sequence[str]) -> list[str]:
    known = {column.casefold(): column for column in KNOWN}
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    header = []
    for given in cells:
        column = known.get(re.sub(r"\s+", "_", given.strip()).casefold())
        if column is None:
            raise ParamError(f"{where}: there is no column '{given.strip()}'.", hint=_suggestion(given))
        if column in header:
            raise ParamError(f"{where}: column '{column}' is there twice.", hint="Remove one of them.")
        header.append(column)
    return header


def _suggestion(given: str) -> str:
    close = difflib.get_close_matches(given.strip(), KNOWN, n=1)
    return f"Is '{close[0]}' meant?" if close else f"Known columns: {', '.join(KNOWN)}."


def _csv_row(name: str, where: str, header: Sequence[str], row: Sequence[str], *, decimal_comma: bool) -> Source:
    cells = [cell.strip() for cell in row]
    if any(cells[len(header) :]):
        raise ParamError(f"{name}, {where}: there are more values than columns.", hint="Put text that contains the separator into quotes.")
    values = {column: cell for column, cell in zip(header, cells, strict=False) if cell}
    if decimal_comma:
        values = {c: re.sub(r"^([-+]?\d*),(\d+)$", r"\1.\2", v) if c in NUMBERS else v for c, v in values.items()}
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
