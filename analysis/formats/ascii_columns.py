"""Columns of numbers in text, as beamlines and analysis programs write spectra.

Two layouts are known.

*Data Collector* of SSRL (and SMAK, which goes on with its files): a first line ``SSRL … Data Collector 1.0``, the date,
``PTS: n COLS: m``, free lines, a block of weights and one of offsets, then ``Data:``, one column title a line, an empty line,
and the rows, separated by tabs. Seen: version 1.0 of 2008 with 69 columns. A scan that was stopped has fewer rows than PTS.

*Columns*: anything else. Header lines, marked by ``# % ; * ! $ "`` or by letters, then rows of equally many numbers, separated
by blanks, tabs, commas or semicolons (with a decimal comma where the cells say so). The last header line with as many titles as
there are columns names them; a title may hold blanks where the separator is no blank. Seen: PHOENIX of SLS (titles such as
``D1_AlKa_corr_c13`` in the first line), ``.xmu`` and ``.nor`` of Athena and Ifeffit, Larch's ASCII, files without header.
A last row that is cut off is left out, with a warning; so are rows in between that are no numbers, up to one in ten.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.text_lines import numbers, read_lines

MARKS = '#%;*!$"/'
MIN_ROWS = 3  # fewer rows of numbers in a row are no table
MAX_BROKEN = 0.1
_SSRL = re.compile(r"\s*SSRL.*Data Collector", re.IGNORECASE)
_SIZE = re.compile(r"PTS:\s*(\d+)\s+COLS:\s*(\d+)", re.IGNORECASE)
WAYS = ((" ", False), (",", False), (";", False), (";", True), ("\t", True), (" ", True))  # separator; whether decimals have a comma
SAMPLE = 24  # lines
_WORD = re.compile(r"[A-Za-z]")


@dataclass(frozen=True)
class ColumnFile:
    """A table of numbers. ``values`` has shape (rows, columns); names are unique; ``origin`` is "SSRL" or "columns"."""

    names: tuple[str, ...]
    values: np.ndarray
    header: tuple[str, ...]
    origin: str
    warnings: tuple[str, ...] = ()


def is_data_collector(text: str) -> bool:
    """Whether a text begins as files of SSRL's Data Collector do."""
    return _SSRL.match(text) is not None


def columns_in(text: str) -> ColumnFile | None:
    """The table that the head of a file begins with, or None where it holds no rows of equally many numbers."""
    lines = text.splitlines()
    if len(lines) > 12:
        lines = lines[:-1]  # the head may end within a line
    # Tables reach to the end of the head: separators that give no numbers there need not be tried on all of it.
    end = [line for line in lines if line.strip()][-SAMPLE:]
    able = [way for way in WAYS if any((row := _row(line, *way)) is not None and len(row) >= 2 for line in end)]
    found = _splitter(lines, able)
    if found is None:
        return None
    header = tuple(lines[: found.first])
    return ColumnFile(_titles(header, found), np.array(list(found.rows.values())), header, "columns")


def read_columns(path: Path) -> ColumnFile:
    """Every column of the table.

    Raises
    ------
    ReadError
        No table of at least two columns is found, or more than one row in ten is not like the others.
    """
    lines = read_lines(path)
    return _data_collector(path.name, lines) if is_data_collector(lines[0]) else _plain(path.name, lines)


def _data_collector(name: str, lines: list[str]) -> ColumnFile:
    size = next((m for line in lines[:10] if (m := _SIZE.search(line))), None)
    start = next((n for n, line in enumerate(lines) if line.strip() == "Data:"), None)
    if size is None or start is None:
        raise ReadError(f"{name} ends before its data, or has no line 'PTS: … COLS: …'.", hint="Copy it again.")
    points, width = int(size[1]), int(size[2])
    titles = [line.strip() for line in lines[start + 1 : start + 1 + width]]
    rows = [r for line in lines[start + 1 + width :] if line.strip() and (r := numbers(line.split())) is not None and len(r) == width]
    if not rows:
        raise ReadError(f"{name} has no row of {width} numbers after its column titles.", hint="Copy it again.")
    short = f"The scan has {len(rows)} of the {points} points that its header announces."
    return ColumnFile(_unique(titles), np.array(rows), tuple(lines[:start]), "SSRL", (short,) if len(rows) < points else ())


@dataclass(frozen=True)
class _Split:
    """Rows that one separator gives: the first, the numbers with their line, and the lines that are no such row."""

    separator: str
    comma: bool
    first: int
    width: int
    rows: dict[int, list[float]]
    broken: tuple[int, ...]

    def cells(self, text: str) -> list[str]:
        return _cells(text, self.separator)


def _plain(name: str, lines: list[str]) -> ColumnFile:
    found = _splitter(lines)
    if found is None:
        raise ReadError(
            f"{name} holds no table of numbers with at least two columns and {MIN_ROWS} rows.",
            hint="Export energy and absorption as columns.",
        )
    last = max(found.rows)
    inside = [n for n in found.broken if n < last]
    if len(inside) > MAX_BROKEN * len(found.rows):
        raise ReadError(f"{name}, line {inside[0] + 1}: not {found.width} numbers as in other rows.", hint="Repair or remove that line.")
    warnings = [f"Line {n + 1} is not {found.width} numbers and was left out." for n in inside[:5]]
    warnings += [f"{len(inside) - 5} more lines were left out."] if len(inside) > 5 else []
    warnings += [f"Line {n + 1}, the last one, is cut off and was left out." for n in found.broken if n > last]
    header = tuple(lines[: found.first])
    return ColumnFile(_titles(header, found), np.array(list(found.rows.values())), header, "columns", tuple(warnings))


def _splitter(lines: list[str], ways: Sequence[tuple[str, bool]] = WAYS) -> _Split | None:
    """The reading of the lines that gives the most numbers."""
    tried = [_split(lines, separator, comma) for separator, comma in ways]
    good = [s for s in tried if s is not None and len(s.rows) >= MIN_ROWS]
    return max(good, key=lambda s: len(s.rows) * s.width, default=None)


def _split(lines: list[str], separator: str, comma: bool) -> _Split | None:
    parsed = {n: row for n, line in enumerate(lines) if (row := _row(line, separator, comma)) is not None and len(row) >= 2}
    if not parsed:
        return None
    widths = [len(r) for r in parsed.values()]
    width = max(set(widths), key=lambda w: (widths.count(w), w))
    rows = {n: r for n, r in parsed.items() if len(r) == width}
    first = _start(sorted(rows))
    rows = {n: r for n, r in rows.items() if n >= first}
    broken = tuple(n for n in range(first, len(lines)) if n not in rows and lines[n].strip() and lines[n].strip()[0] not in MARKS)
    return _Split(separator, comma, first, width, rows, broken)


def _start(places: list[int]) -> int:
    """Where the table begins: numbers in the header stand alone, those of the table follow one another."""
    for k, n in enumerate(places[:-2]):
        if places[k + 2] - n <= 4:
            return n
    return places[0]


def _row(line: str, separator: str, comma: bool) -> list[float] | None:
    text = line.strip()
    if not text or text[0] in MARKS:
        return None
    cells = _cells(text, separator)
    if comma:
        if any("." in c for c in cells) or not any("," in c for c in cells):
            return None
        cells = [c.replace(",", ".") for c in cells]
    return numbers(cells)


def _cells(text: str, separator: str) -> list[str]:
    if separator == " ":
        return text.split()
    cells = [c.strip() for c in text.strip().split(separator)]
    return cells[:-1] if cells and not cells[-1] else cells


def _titles(header: tuple[str, ...], found: _Split) -> tuple[str, ...]:
    """Names of the columns: the last header line that has as many words as there are columns, else ``c1 c2 …``."""
    for line in reversed(header):
        text = line.strip().lstrip(MARKS).strip().removeprefix("L ").strip()
        cells = [c.strip().strip('"') for c in found.cells(text)]
        if len(cells) == found.width and all(_WORD.search(c) for c in cells):
            return _unique(cells)
    return tuple(f"c{k}" for k in range(1, found.width + 1))


def _unique(names: list[str]) -> tuple[str, ...]:
    """Names of which each occurs once: a repeated one gets its number."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(made)
