"""Text tables as instruments export them: what the layout is, and their body as Arrow columns.

Any encoding and line end, a block of header lines of any length, tab, semicolon, comma or blanks between the cells, decimal
point or comma, a row of units, rows that are too short or too long, a last row that is cut off. Cells stay as they are:
numeric columns arrive as float64, all others as the bytes of the file (``analysis.formats.cells`` reads those).
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from analysis.core.errors import ReadError
from analysis.formats.cells import numbers, text
from analysis.formats.headers import is_unit_row
from analysis.formats.table import Table

HEAD_BYTES = 1 << 18  # enough for the longest header seen (13 kB in one line) and some hundred rows
DELIMITERS = ("\t", ";", ",", "|", " ")  # a blank stands for any run of blanks and tabs
_MIN_COLUMNS = 2
_FIRST_LOOK = 200  # lines; most header blocks are shorter than this by more than the rows it takes to know the table
_NEARLY = 0.15  # of the cells; a date splits at its blank into two values, which makes blanks look a little better than tabs
_HEADER_CELLS = 3  # a line with fewer cells is no header of a table without rows
_ENOUGH_ROWS = 40  # so many rows in a row are the table, no need to look further
_NUMBER = re.compile(r"^[+-]?(?:\d+(?:[.,]\d*)*|[.,]\d+)(?:[eE][+-]?\d+)?$|^[+-]?nan$|^[+-]?inf$", re.IGNORECASE)
_CLOCK = re.compile(r"^-?(?:\d+\s*d\S*\s+)?\d+:\d{1,2}(?::\d{1,2}(?:[.,]\d*)?)?$")
_GROUPED = {
    mark: re.compile(rf"[+-]?(?:\d{{1,3}}(?:{re.escape(other)}\d{{3}})+|\d*){re.escape(mark)}\d+(?:[eE][+-]?\d+)?")
    for mark, other in ((",", "."), (".", ","))
}
_QUOTED = re.compile(r"[+-]?\d+,\d+")
_PLAIN = re.compile(r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]+\d{1,2}:\d{2}.*)?$|^\d{1,2}[- ][A-Za-z]{3}[- ]\d{2,4}.*$")


@dataclass(frozen=True)
class Layout:
    """Where the table starts in a text file and how its cells are written."""

    encoding: str
    delimiter: str
    decimal: str
    first_row: int  # physical line of the first data row, counted from 0
    columns: tuple[str, ...]  # one name a cell, unique
    preamble: tuple[str, ...] = ()  # lines above the header
    units: tuple[str, ...] = ()  # cells of the row of units, where there is one
    sample: tuple[tuple[str, ...], ...] = field(default=(), repr=False)  # first data rows


def encoding_of(head: bytes) -> str:
    """Encoding by mark, else UTF-8 where the bytes allow it, else latin-1."""
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(mark):
            return name
    if head[1:200:2].count(0) > len(head[1:200:2]) * 0.7:
        return "utf-16-le"
    try:
        head[: len(head) - 3].decode("utf-8") if len(head) >= HEAD_BYTES else head.decode("utf-8")
    except UnicodeDecodeError as err:
        # The head may end inside a character.
        return "utf-8" if len(head) >= HEAD_BYTES and err.start > len(head) - 8 else "latin-1"
    return "utf-8"


def head_of(path: Path, size: int = HEAD_BYTES) -> bytes:
    try:
        with open(path, "rb") as f:
            return f.read(size)
    except OSError as err:
        raise ReadError(f"{path.name} cannot be opened: {err.strerror or err}.", hint="Check the path and its permissions.") from err


def split_lines(content: str) -> list[str]:
    """Lines by CR, LF or both; form feeds and other separators stay inside their line."""
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    return content.split("\n")


def split_row(line: str, delimiter: str) -> list[str]:
    """Cells of a line, without blanks around; quotation marks protect a delimiter."""
    if delimiter == " ":
        return line.split()
    if '"' not in line:
        return [cell.strip() for cell in line.split(delimiter)]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return [cell.strip() for cell in line.split(delimiter)]


def is_value(cell: str) -> bool:
    """Whether a cell reads as a number, a duration or a date."""
    return bool(_NUMBER.match(cell) or _CLOCK.match(cell) or _DATE.match(cell))


def _share(cells: Sequence[str]) -> float:
    """Part of the filled cells that are values, where that makes the line a row of data; 0 where it does not."""
    filled = [cell for cell in cells if cell]
    if len(filled) < _MIN_COLUMNS:
        return 0.0
    values = list(map(is_value, filled))
    return sum(values) / len(filled) if sum(values) * 2 >= len(filled) and any(values[:4]) else 0.0


def detect(path: Path, *, delimiter: str = "", decimal: str = "", skip_rows: int | None = None) -> Layout:
    """The layout of a text table; ``delimiter``, ``decimal`` and ``skip_rows`` (lines above the header) overrule the guess."""
    return layout_at_head(head_of(path), path.name, delimiter, decimal, skip_rows)


@lru_cache(maxsize=4)
def layout_at_head(head: bytes, name: str, delimiter: str, decimal: str, skip_rows: int | None) -> Layout:
    """The layout of a text table that begins with ``head``: all of the file, or its first ``HEAD_BYTES``.

    Kept for the files seen last by what they hold, since a file is looked at to recognise it and again to read it.
    """
    if not head.strip():
        raise ReadError(f"{name} is empty.", hint="Export or copy it again.")
    encoding = encoding_of(head)
    content = head.decode(encoding, errors="replace")
    if "\x00" in content or len(_CONTROL.findall(content, 0, 4096)) > len(content[:4096]) * 0.02:
        raise ReadError(f"{name} is not a text file.", hint="Choose the reader of its instrument, or export it as CSV.")
    lines = split_lines(content)
    if len(head) >= HEAD_BYTES:
        lines.pop()
    return layout_of(lines, name, encoding=encoding, delimiter=delimiter, decimal=decimal, skip_rows=skip_rows)


def layout_of(
    lines: Sequence[str], name: str, *, encoding: str = "utf-8", delimiter: str = "", decimal: str = "", skip_rows: int | None = None
) -> Layout:
    """The layout of the lines at the head of the file ``name``."""
    start = skip_rows or 0
    if start >= len(lines):
        raise ReadError(
            f"{name} ends before its table, which should start after {start} lines.",
            hint="Copy it again, or check the lines above the header.",
        )
    choices = (delimiter,) if delimiter else DELIMITERS
    found = _best([_block(lines[: start + _FIRST_LOOK], mark, start) for mark in choices])
    if found.rows < _ENOUGH_ROWS and len(lines) > start + _FIRST_LOOK:
        found = _best([_block(lines, mark, start) for mark in choices])
    if not found.rows:
        return _header_only(lines, name, encoding, found, start, skip_rows is not None)
    header = start if skip_rows is not None else _header_line(lines, found)
    width, mark = found.width, found.delimiter
    names = split_row(lines[header], mark) if header is not None and header < found.first else []
    between = [tuple(split_row(line, mark)) for line in lines[(header or 0) + 1 : found.first] if line.strip()] if names else []
    units = next((cells for cells in between if is_unit_row(cells)), ())
    sample = tuple(tuple(split_row(line, mark)) for line in lines[found.first : found.first + 50] if line.strip())
    return Layout(
        encoding,
        mark,
        decimal or _decimal(sample, mark),
        found.first,
        _unique(names, max(width, len(_trimmed(names)))),
        tuple(lines[: header if header is not None else found.first]),
        units,
        sample,
    )


@dataclass(frozen=True)
class _Block:
    """The longest run of rows that look like data under one delimiter."""

    delimiter: str
    first: int
    rows: int
    width: int
    share: float = 0.0  # of the filled cells that are values


def _best(blocks: Sequence["_Block"]) -> "_Block":
    """The block with most rows; of equals the first that reads nearly as well as the best of them."""
    longest = [block for block in blocks if block.rows == max(b.rows for b in blocks)]
    return next(block for block in longest if block.share >= max(b.share for b in longest) - _NEARLY)


def _block(lines: Sequence[str], delimiter: str, start: int) -> _Block:
    best = _Block(delimiter, 0, 0, 0)
    first, widths, shares = -1, [0], [0.0]
    if delimiter != " " and not any(delimiter in line for line in lines):
        return best
    for i in range(start, len(lines) + 1):
        cells = split_row(lines[i], delimiter) if i < len(lines) else []
        blank = i < len(lines) and not lines[i].strip()
        if blank and first >= 0:
            continue
        # A step of two cells between neighbours is a ragged row, a larger one another table.
        if (share := _share(cells)) and (first < 0 or abs(len(cells) - widths[-1]) <= 2 or len(cells) > 4):
            if first < 0:
                first, widths, shares = i, [], []
            widths.append(len(cells))
            shares.append(share)
            if len(widths) < _ENOUGH_ROWS:
                continue
        if first >= 0 and len(widths) > best.rows:
            best = _Block(delimiter, first, len(widths), max(set(widths), key=widths.count), sum(shares) / len(shares))
            if best.rows >= _ENOUGH_ROWS:
                break
        first = -1
    return best


def _header_line(lines: Sequence[str], block: _Block) -> int | None:
    """The line of names: the nearest above the data that has about as many cells, few of them values."""
    for i in range(block.first - 1, max(block.first - 6, -1), -1):
        cells = split_row(lines[i], block.delimiter)
        filled = [cell for cell in cells if cell]
        if len(filled) < max(_MIN_COLUMNS, block.width * 0.5):
            continue
        if is_unit_row(tuple(cells)):
            continue
        if sum(map(is_value, filled)) * 3 <= len(filled):
            return i
    return None


def _header_only(lines: Sequence[str], name: str, encoding: str, block: _Block, start: int, chosen: bool) -> Layout:
    """The layout of a table without rows: its header is the first of the last lines that have several cells."""
    for i in range(start if chosen else len(lines) - 1, -1, -1):
        for delimiter in (block.delimiter, *DELIMITERS[:-1]):
            width = len(split_row(lines[i], delimiter))
            if sum(map(bool, split_row(lines[i], delimiter))) >= _HEADER_CELLS:
                while not chosen and i > 0 and len(split_row(lines[i - 1], delimiter)) == width:
                    i -= 1
                return Layout(encoding, delimiter, ".", i + 1, _unique(split_row(lines[i], delimiter), width), tuple(lines[:i]))
    raise ReadError(f"{name} holds no table of numbers.", hint="It needs a line of column names and rows below it.")


def _trimmed(cells: Sequence[str]) -> list[str]:
    out = list(cells)
    while out and not out[-1]:
        out.pop()
    return out


def _unique(names: Sequence[str], width: int) -> tuple[str, ...]:
    """Names for ``width`` cells: missing ones are numbered, repeated ones told apart."""
    made: list[str] = []
    for i in range(width):
        name = names[i].strip().strip('"').lstrip("\ufeff") if i < len(names) and names[i].strip() else f"column {i + 1}"
        count = 2
        unique = name
        while unique in made:
            unique, count = f"{name} ({count})", count + 1
        made.append(unique)
    return tuple(made)


def _decimal(sample: Sequence[Sequence[str]], delimiter: str) -> str:
    """Comma where numbers carry one and nothing speaks for the point."""
    if delimiter == ",":
        quoted = [cell for row in sample for cell in row if "," in cell and _QUOTED.fullmatch(cell)]
        if not quoted:
            return "."
        plain = [cell for row in sample for cell in row if "." in cell and _PLAIN.fullmatch(cell)]
        return "," if len(quoted) > len(plain) else "."
    cells = [cell for row in sample for cell in row if _NUMBER.match(cell)]
    comma, point = (sum(mark in cell and bool(_GROUPED[mark].fullmatch(cell)) for cell in cells) for mark in (",", "."))
    return "," if comma > point else "."


def numeric_columns(layout: Layout) -> frozenset[str]:
    """Columns whose sampled cells are all plain numbers (or empty)."""
    mark = re.escape(layout.decimal)
    plain = re.compile(rf"^[+-]?(?:\d+{mark}?\d*|{mark}\d+)(?:[eE][+-]?\d+)?$|^$|^nan$", re.IGNORECASE)
    columns = [[row[i] if i < len(row) else "" for row in layout.sample] for i in range(len(layout.columns))]
    return frozenset(name for name, cells in zip(layout.columns, columns, strict=True) if all(map(plain.match, cells)) and any(cells))


def to_table(batches: Iterator[pa.Table] | Sequence[pa.Table], layout: Layout, warnings: Sequence[str] = ()) -> Table:
    """All batches as one table: numbers where a column holds numbers, text elsewhere."""
    whole = pa.concat_tables(list(batches))
    columns: dict[str, np.ndarray] = {}
    for name in whole.column_names:
        cells = whole.column(name)
        if pa.types.is_floating(cells.type):
            columns[name] = numbers(cells)
        else:
            values = numbers(cells, decimal=layout.decimal)
            shown = np.asarray(text(cells).to_numpy(zero_copy_only=False), dtype=object)
            columns[name] = values if np.isfinite(values).any() else shown
    units = {name: unit for name, unit in zip(layout.columns, layout.units, strict=False) if unit}
    return Table(columns, units, {"preamble": list(layout.preamble)}, tuple(warnings))
