"""Spreadsheets (.xlsx, .xlsm, .xls, .ods) as columns, through calamine.

An .xlsx is a zip archive: how large it unpacks is checked before anything is unpacked.
"""

import datetime as dt
import html
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
import pyarrow as pa
import python_calamine as calamine

from analysis.core.errors import ReadError
from analysis.formats.deflate import DAMAGED
from analysis.formats.delimited import Layout, layout_of

UNPACKED_LIMIT = 1 << 30  # bytes; a sheet of a million rows and 15 columns unpacks to about 0.7 GiB
RATIO_LIMIT = 200  # real sheets pack 5 to 30 times
RATIO_FLOOR = 32 << 20  # smaller archives may pack as well as they like
# What a damaged or locked archive raises; names that are no text are a ValueError, a password that is asked for a RuntimeError.
_UNREADABLE: tuple[type[Exception], ...] = (BadZipFile, EOFError, OSError, RuntimeError, ValueError, *DAMAGED)
_NO_SHEETS: tuple[type[Exception], ...] = (KeyError, *_UNREADABLE)
_VERIFY_BYTES = 1 << 20  # packed members above this size are unpacked once to see that they tell the truth
_HEAD_ROWS = 200
TEXTS_BYTES = 1 << 20  # of the texts of a workbook that are searched
OLE_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta


@dataclass(frozen=True)
class Sheet:
    """One sheet: where its table begins, and all its rows."""

    name: str
    layout: Layout
    rows: Sequence[Sequence[Cell]]


def guard(path: Path) -> None:
    """Refuse an archive that unpacks to far more than a spreadsheet would."""
    try:
        with ZipFile(path) as archive:
            members = archive.infolist()
            packed = sum(m.compress_size for m in members)
            unpacked = sum(m.file_size for m in members)
            honest = all(_honest(path, m) for m in members if m.compress_size > _VERIFY_BYTES)
    except _UNREADABLE as err:
        raise _damaged(path) from err
    if unpacked > UNPACKED_LIMIT or (unpacked > RATIO_FLOOR and unpacked > RATIO_LIMIT * max(packed, 1)) or not honest:
        raise ReadError(
            f"{path.name} would unpack to {unpacked / 2**20:.0f} MiB, {unpacked / max(packed, 1):.0f} times its size, and was not opened.",
            hint="If it is a real measurement, export it as CSV.",
        )


def _honest(path: Path, member: ZipInfo) -> bool:
    """Whether a member unpacks to the size it states."""
    if member.compress_type != 8:  # stored
        return member.compress_size >= member.file_size
    unpacker = zlib.decompressobj(-15)
    size = 0
    with open(path, "rb") as raw:
        raw.seek(member.header_offset + 26)
        lengths = raw.read(4)
        raw.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
        left = member.compress_size
        while left > 0 and (block := raw.read(min(left, 1 << 16))):
            left -= len(block)
            size += len(unpacker.decompress(block, 1 << 26))
            if size > member.file_size or unpacker.unconsumed_tail:
                return False
    return True


def sheet_names(path: Path) -> tuple[str, ...]:
    """Names of the sheets, without reading them where the file is an .xlsx."""
    try:
        with ZipFile(path) as archive:
            with archive.open("xl/workbook.xml") as part:
                found = re.findall(r"<(?:\w+:)?sheet\s[^>]*?name=\"([^\"]*)\"", part.read(1 << 20).decode("utf-8", errors="replace"))
            return tuple(html.unescape(name) for name in found)
    except _NO_SHEETS:
        return ()


def mentions(path: Path, words: Sequence[str]) -> bool:
    """Whether a cell of an .xlsx may say one of some words (in lower case): its texts stand in one part, the sheets are not read."""
    try:
        with ZipFile(path) as archive, archive.open("xl/sharedStrings.xml") as part:
            texts = part.read(TEXTS_BYTES).lower()
            return any(word.encode() in texts for word in words)
    except KeyError:  # texts within the sheets
        return True
    except _NO_SHEETS:
        return False


def read_sheets(path: Path, wanted: Sequence[str] | None = None) -> tuple[Sheet, ...]:
    """Sheets that hold a table of numbers, in the order of the workbook; ``wanted`` names the ones to look at."""
    return tuple(sheet for name, rows in raw_sheets(path, wanted) if (sheet := _sheet(path, name, rows)) is not None)


def raw_sheets(path: Path, wanted: Sequence[str] | None = None) -> list[tuple[str, Sequence[Sequence[Cell]]]]:
    """Name and rows of each sheet, whatever it holds; cells that are not there are ""."""
    with open(path, "rb") as raw:
        mark = raw.read(8)
    if mark.startswith(b"PK"):
        guard(path)
    elif mark != OLE_MARK:
        raise ReadError(f"{path.name} is no spreadsheet.", hint="Choose the reader of its instrument, or export it as CSV.")
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        names = [n for n in book.sheet_names if wanted is None or n in wanted]
        if wanted and not names:
            raise ReadError(f"{path.name} has no sheet '{wanted[0]}'.", hint=f"It has: {', '.join(book.sheet_names)}.")
        return [(name, book.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in names]
    except (calamine.CalamineError, OSError, ValueError) as err:
        raise _damaged(path) from err


def _sheet(path: Path, name: str, rows: Sequence[Sequence[Cell]]) -> Sheet | None:
    lines = ["\t".join(shown(cell) for cell in row) for row in rows[:_HEAD_ROWS]]
    if not any(line.strip() for line in lines):
        return None
    try:
        return Sheet(name, layout_of(lines, f"{path.name}, sheet {name}", delimiter="\t", decimal="."), rows)
    except ReadError:
        return None


def shown(cell: Cell) -> str:
    """A cell as text; whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.timedelta):
        return str(cell.total_seconds())
    return str(cell).replace("\t", " ").replace("\n", " ").replace("\r", " ")


def columns_of(sheet: Sheet, names: Sequence[str]) -> pa.Table:
    """The named columns of a sheet: numbers where all cells are, dates where all are, else text."""
    body = sheet.rows[sheet.layout.first_row :]
    places = {name: i for i, name in enumerate(sheet.layout.columns)}
    body = [row for row in body if row and (row[0] != "" or any(cell != "" for cell in row))]
    narrowest = min(map(len, body), default=0)
    return pa.table({name: _column(_cells(body, places[name], narrowest)) for name in names})


def _cells(body: Sequence[Sequence[Cell]], place: int, narrowest: int) -> list[Cell]:
    if place < narrowest:
        return [row[place] for row in body]
    return [row[place] if place < len(row) else "" for row in body]


def _column(cells: list[Cell]) -> pa.Array:
    kinds = set(map(type, cells))
    if kinds and kinds <= {float, int, bool}:
        return pa.array(np.array(cells, dtype=np.float64))
    if kinds == {dt.datetime}:
        return pa.array(cells, pa.timestamp("us"))
    if str in kinds:
        kinds = {type(cell) for cell in cells if cell != ""}
    if kinds <= {float, int, bool}:
        return pa.array(np.array([np.nan if cell == "" else cell for cell in cells], dtype=np.float64))
    if kinds <= {dt.datetime, dt.date}:
        return pa.array([None if cell == "" else _datetime(cell) for cell in cells], pa.timestamp("us"))
    if kinds <= {dt.timedelta, dt.time}:
        return pa.array([None if cell == "" else _duration(cell) for cell in cells], pa.duration("us"))
    return pa.array([shown(cell) for cell in cells], pa.string())


def _datetime(cell: Cell) -> dt.datetime:
    return cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())  # type: ignore[arg-type]


def _duration(cell: Cell) -> dt.timedelta:
    if isinstance(cell, dt.time):
        return dt.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)
    return cell  # type: ignore[return-value]


def _damaged(path: Path) -> ReadError:
    return ReadError(f"{path.name} is no readable spreadsheet: it is damaged or cut off.", hint="Save or export it again.")
