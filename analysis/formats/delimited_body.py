"""The rows of a text table whose layout is known, as Arrow columns: at once, or in batches where the file is large."""

import codecs
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from analysis.core.errors import ReadError
from analysis.formats.delimited import HEAD_BYTES, Layout, numeric_columns, split_row, to_table
from analysis.formats.table import Table

WHOLE_BYTES = 48 << 20  # files up to here (some 0.5 M rows) are parsed at once, larger ones in blocks
BLOCK_BYTES = 8 << 20
_SMALL_BYTES = 1 << 20  # up to here starting threads takes longer than parsing
_NULLS = ["", "nan", "NaN", "NAN", "-nan", "-", "--", "n/a", "N/A", "null", "NULL", "None"]
_LINE_END = re.compile(rb"\r\n|\n|\r")
_TRIM = re.compile(rb"[ \t]+")


class MixedCellsError(Exception):
    """A column that looked numeric at its start holds something else further down: read it again as text."""


@dataclass
class Rows:
    """The body of a text table; iterate once, then see ``warnings``."""

    path: Path
    layout: Layout
    columns: tuple[str, ...]
    as_text: bool = False
    warnings: list[str] = field(default_factory=list)
    count: int = 0

    def __iter__(self) -> Iterator[pa.Table]:
        large = self.path.stat().st_size > WHOLE_BYTES
        for batch in self._streamed() if large else self._whole():
            self.count += batch.num_rows
            yield batch
        if self._cut:
            self.warnings.append(f"{self.path.name}: row {self.count + 1}, the last, is cut off in the middle and was left out.")

    _cut: bool = False

    def _whole(self) -> Iterator[pa.Table]:
        whole = _plain(self.path.read_bytes(), self.layout)
        start = _offset_of(whole, self.layout.first_row)
        end = start + self._end(whole[max(start, len(whole) - HEAD_BYTES) :], len(whole) - start)
        content = pa.py_buffer(whole).slice(start, end - start)
        ragged: list[str] = []
        batch = self._parse(content, ragged)
        if ragged:
            batch = self._parse(pa.py_buffer(self._mended(whole[start:end], ragged)), [])
        yield batch

    def _parse(self, content: pa.Buffer, ragged: list[str]) -> pa.Table:
        """Columns of ``content``; a column that is no number throughout comes as text."""
        for as_text in (self.as_text, True):
            try:
                return pc.read_csv(pa.BufferReader(content), **self._options(ragged, as_text=as_text, block=max(content.size, 1 << 16)))
            except pa.ArrowInvalid as err:
                if as_text and "Empty CSV" not in str(err):
                    raise self._damaged(err) from err
                if "Empty CSV" in str(err):
                    break
                ragged.clear()
        return pa.table({name: pa.array([], pa.float64()) for name in self.columns})

    def _streamed(self) -> Iterator[pa.Table]:
        ragged: list[str] = []
        size = self.path.stat().st_size
        with open(self.path, "rb") as raw:
            raw.seek(max(size - HEAD_BYTES, 0))
            # Where cells are made over while reading, a short last row is found as a ragged one instead.
            made_over = self.layout.delimiter == " " or self.layout.encoding.startswith("utf-16")
            end = size if made_over else self._end(raw.read(), size)
        with _BodyStream(self.path, self.layout, end) as source:
            try:
                reader = pc.open_csv(source, **self._options(ragged, as_text=self.as_text, block=BLOCK_BYTES))
                for batch in reader:
                    yield pa.Table.from_batches([batch])
            except pa.ArrowInvalid as err:
                if not self.as_text and "conversion error" in str(err):
                    raise MixedCellsError(str(err)) from err
                raise self._damaged(err) from err
        if ragged:
            self.warnings.append(
                f"{self.path.name}: {len(ragged)} rows with a wrong number of cells were left out, first: '{ragged[0][:60]}'."
            )

    def _options(self, ragged: list[str], *, as_text: bool, block: int) -> dict[str, object]:
        def collect(row: pc.InvalidRow) -> str:
            ragged.append(row.text)
            return "skip"

        numeric = frozenset() if as_text else numeric_columns(self.layout)
        delimiter = "\t" if self.layout.delimiter == " " else self.layout.delimiter
        return {
            "read_options": pc.ReadOptions(
                column_names=list(self.layout.columns), block_size=min(block, (1 << 31) - 1), use_threads=block > _SMALL_BYTES
            ),
            "parse_options": pc.ParseOptions(delimiter=delimiter, invalid_row_handler=collect),
            "convert_options": pc.ConvertOptions(
                include_columns=list(self.columns),
                column_types={name: pa.float64() if name in numeric else pa.binary() for name in self.columns},
                null_values=_NULLS,
                strings_can_be_null=False,
                decimal_point=self.layout.decimal,
                check_utf8=False,  # they were made UTF-8
            ),
        }

    def _end(self, tail: bytes, size: int) -> int:
        """Where the last whole row ends; a row that is cut off in the middle is left out."""
        body = tail.rstrip(b" \t\x00\x1a")
        if not body or body.endswith((b"\n", b"\r")):
            return size - (len(tail) - len(body))
        start = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1
        before = _LINE_END.split(body[:start].rstrip(b"\r\n"))[-20:]
        last = _cells(body[start:], self.layout)
        earlier = [_cells(line, self.layout) for line in before if line.strip()]
        self._cut = bool(earlier) and start > 0 and _is_cut(last, earlier)
        return size - len(tail) + (start if self._cut else len(body))

    def _mended(self, content: bytes, ragged: Sequence[str]) -> bytes:
        """Rows that are too short are filled up, empty cells at the end dropped, others left out with a warning."""
        wanted = set(ragged)
        width, mark = len(self.layout.columns), "\t" if self.layout.delimiter == " " else self.layout.delimiter
        kept: list[bytes] = []
        dropped: list[int] = []
        short: list[int] = []
        row = 0
        for line in _LINE_END.split(content):
            if not line.strip():
                continue
            row += 1
            shown = line.decode("utf-8")
            if shown not in wanted:
                kept.append(line)
                continue
            cells = split_row(shown, mark)
            while len(cells) > width and not cells[-1]:
                cells.pop()
            if len(cells) > width:
                dropped.append(row)
                continue
            if len(cells) < width:
                short.append(row)
            kept.append(mark.join(['"' + c + '"' if mark in c else c for c in cells] + [""] * (width - len(cells))).encode())
        self._tell(dropped, "have more cells than the header and were left out")
        self._tell(short, "have fewer cells than the header; what is missing counts as empty")
        return b"\n".join(kept) + b"\n"

    def _tell(self, rows: Sequence[int], what: str) -> None:
        if rows:
            shown = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
            self.warnings.append(f"{self.path.name}: {len(rows)} rows ({shown}) {what}.")

    def _damaged(self, err: pa.ArrowInvalid) -> ReadError:
        return ReadError(
            f"The rows of {self.path.name} cannot be told apart: {str(err).splitlines()[0][:160]}.", hint="Export the file again."
        )


def read_table(path: Path, layout: Layout, columns: Sequence[str] | None = None) -> Table:
    """A whole text table: columns by name, numbers where a column holds numbers."""
    rows = Rows(path, layout, tuple(columns or layout.columns), as_text=True)
    batches = list(rows)
    return to_table(batches, layout, rows.warnings)


def _cells(line: bytes, layout: Layout) -> list[str]:
    return split_row(line.decode("utf-8", errors="replace"), layout.delimiter if layout.delimiter != " " or b"\t" not in line else "\t")


def _is_cut(last: Sequence[str], earlier: Sequence[Sequence[str]]) -> bool:
    """Whether a row without a line end has fewer cells, or a shorter last number, than the rows before it."""
    if len(last) < min(map(len, earlier)):
        return True
    digits = {len(row[-1].rpartition(".")[2]) for row in earlier if "." in row[-1]}
    return len(digits) == 1 and len(earlier) > 3 and len(last[-1].rpartition(".")[2]) < min(digits)


def _plain(content: bytes, layout: Layout) -> bytes:
    """Bytes that are UTF-8 whatever the file's encoding; runs of blanks as one tab where blanks are the delimiter."""
    if not content.isascii() or layout.encoding.startswith("utf-16"):
        content = content.decode(layout.encoding, errors="replace").encode()
    return _single_tabs(content) if layout.delimiter == " " else content


def _single_tabs(content: bytes) -> bytes:
    return re.sub(rb"(?m)^\t|\t(?=\r?$)", b"", _TRIM.sub(b"\t", content))


def _offset_of(content: bytes, line: int) -> int:
    """Where physical line number ``line`` begins."""
    offset = 0
    for _ in range(line):
        found = _LINE_END.search(content, offset)
        if found is None:
            return len(content)
        offset = found.end()
    return offset


class _BodyStream(io.RawIOBase):
    """The body of a large file as a stream of plain bytes, without what stands above its first row."""

    def __init__(self, path: Path, layout: Layout, end: int) -> None:
        super().__init__()
        self._raw = open(path, "rb")  # noqa: SIM115 - closed by close()
        self._left = end
        self._decode = _decoder(layout.encoding)
        self._tabs = layout.delimiter == " "
        self._ready = b""
        self._rest = b""
        self._skip(layout.first_row)

    def readable(self) -> bool:
        return True

    def _skip(self, lines: int) -> None:
        while (start := _offset_of(self._ready, lines)) >= len(self._ready) and self._fill():
            continue
        self._ready = self._ready[start:]

    def _fill(self) -> bool:
        block = self._raw.read(min(BLOCK_BYTES, self._left))
        self._left -= len(block)
        if self._tabs:
            whole = self._rest + self._decode(block)
            cut = whole.rfind(b"\n") + 1 if block else len(whole)
            self._rest = whole[cut:]
            self._ready += _single_tabs(whole[:cut])
        else:
            self._ready += self._decode(block)
        return bool(block)

    def read(self, size: int = -1) -> bytes:
        while (size < 0 or len(self._ready) < size) and self._fill():
            continue
        out, self._ready = (self._ready, b"") if size < 0 else (self._ready[:size], self._ready[size:])
        return out

    def close(self) -> None:
        self._raw.close()
        super().close()


def _decoder(encoding: str) -> Callable[[bytes], bytes]:
    """Blocks of a file → UTF-8; what does not decode becomes a replacement sign, never an error."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    wide = encoding.startswith("utf-16")

    def plain(block: bytes) -> bytes:
        if not wide and block.isascii() and not decoder.getstate()[0]:
            return block
        return decoder.decode(block, final=not block).encode()

    return plain
