"""XDI, the XAFS data interchange format, version 1 (github.com/XraySpectroscopy/XAS-Data-Interchange, public domain).

Text. The first line is ``# XDI/1.x`` and may name the programs that wrote the file. Then ``# Family.key: value`` lines, of
which ``# Column.N: name unit`` name the columns, and ``Element.symbol``, ``Element.edge``, ``Mono.d_spacing`` (angstrom),
``Sample.name``, ``Facility.name``, ``Beamline.name``, ``Scan.start_time`` are common; families and keys do not care for case.
``# ///`` begins free comments, ``# ---`` ends the header, and the line after it usually repeats the column titles. Columns are
separated by blanks or tabs. Comment lines may begin with any of ``# ; % * ! $``.

Seen: files of GSECARS (1.0 and 1.1) and SSRL, ending in ``.xdi`` and ``.xxdi``. A last row that was cut off while it was
written is left out, with a warning.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.text_lines import numbers, read_lines

COMMENT = "#;%*!$"
_MARK = re.compile(r"[#;%*!$]\s*XDI/(\d[\d.]*)")
_FIELD = re.compile(r"([A-Za-z]\w*)\.([\w.]+)\s*:\s*(.*)")


@dataclass(frozen=True)
class XdiFile:
    """The table of an XDI file and what its header says.

    ``values`` has shape (rows, columns); ``units`` has "" where the file states none. Keys of ``fields`` are lower case.
    """

    version: str
    fields: dict[str, str]
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    comments: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def is_xdi(text: str) -> bool:
    """Whether a text begins as XDI files do."""
    return _MARK.match(text.lstrip("\ufeff")) is not None


def read_xdi(path: Path) -> XdiFile:
    """Every column of an XDI file.

    Raises
    ------
    ReadError
        The file is not XDI, has no row of numbers, or a row inside the table is not like the others.
    """
    lines = read_lines(path)
    mark = _MARK.match(lines[0].strip())
    if mark is None:
        raise ReadError(f"{path.name} does not begin with '# XDI/…'.", hint="Read it as columns of text instead.")
    header = [(n, line.strip()) for n, line in enumerate(lines) if line.strip()[:1] and line.strip()[0] in COMMENT]
    fields, columns, comments = _header([text[1:].strip() for _, text in header[1:]])
    values, warnings = _table(path.name, lines)
    names, units = _columns(columns, comments, values.shape[1])
    return XdiFile(mark[1], fields, names, units, values, tuple(comments), tuple(warnings))


def _header(lines: list[str]) -> tuple[dict[str, str], dict[int, tuple[str, str]], list[str]]:
    """Fields, named columns by number, and comments."""
    fields: dict[str, str] = {}
    columns: dict[int, tuple[str, str]] = {}
    comments: list[str] = []
    in_comments = False
    for text in lines:
        if len(text) > 2 and set(text) <= {"-"}:
            in_comments = False
        elif len(text) > 2 and set(text) <= {"/"}:
            in_comments = True
        elif in_comments or (field := _FIELD.match(text)) is None:
            comments.append(text)
        elif field[1].lower() == "column" and field[2].isdigit():
            words = field[3].split(maxsplit=1) or [f"column{field[2]}"]
            columns[int(field[2])] = (words[0].lower(), words[1].strip() if len(words) > 1 else "")
        else:
            fields.setdefault(f"{field[1]}.{field[2]}".lower(), field[3].strip())
    return fields, columns, comments


def _table(name: str, lines: list[str]) -> tuple[np.ndarray, list[str]]:
    rows: list[list[float]] = []
    places: list[int] = []
    broken: list[int] = []
    for n, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text[0] in COMMENT:
            continue
        row = numbers(text.replace(",", " ").split())
        if row is None or (rows and len(row) != len(rows[0])):
            broken.append(n)
        else:
            rows.append(row)
            places.append(n)
    if not rows:
        raise ReadError(f"{name} holds no row of numbers.", hint="Only a header was found; copy it again.")
    if broken and broken != [n for n in broken if n > places[-1]][:1]:
        raise ReadError(f"{name}, line {broken[0]}: not {len(rows[0])} numbers as in the rows before.", hint="Repair or remove that line.")
    return np.array(rows), [f"Line {n}, the last one, is cut off and was left out." for n in broken]


def _columns(named: dict[int, tuple[str, str]], comments: list[str], width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of all columns: from the header's fields, else from the title line, else by number."""
    titles = comments[-1].lower().split() if comments and len(comments[-1].split()) == width else []
    names = [named[k][0] if k in named else titles[k - 1] if titles and not named else f"column{k}" for k in range(1, width + 1)]
    return tuple(names), tuple(named[k][1] if k in named else "" for k in range(1, width + 1))
