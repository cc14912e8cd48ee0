"""Tables of Microsoft Access databases (Jet 3 and 4, ACE), read without Access.

Origin: undocumented by Microsoft; worked out by the mdbtools project (its file ``HACKING.md`` describes pages, table definitions and
rows). All numbers are little-endian.

The file is a row of pages of 2048 bytes (Jet 3) or 4096 (later). Page 0 is the header: ``00 01 00 00``, ``Standard Jet DB`` or
``Standard ACE DB``, and the version at 0x14 (0 Jet 3, 1 Jet 4, 2 and more ACE). A page that starts with ``02 01`` is part of a table
definition, one with ``01 01`` holds rows of the table whose definition starts at the page number in its ``owner`` field.

A table definition may span pages (``u4`` at 4 is the next one, 0 ends). It counts columns and indexes, then come the real indexes,
the column descriptions and the column names. A data page lists where its rows begin; rows are packed from the end of the page
backwards. A row is: number of columns, fixed-length values at the offsets of the definition, variable-length values, their end
offsets backwards, their number, and one bit a column that says whether it has a value. The table of tables is at page 2.

Read: numbers, dates, booleans and short text. Not read: memo, OLE and money columns, rows that were moved to another page (a table of
fixed-length numbers has none), encrypted pages. Pages are gathered with numpy: a table of
18 numbers reads in about 1 µs a row.

Seen: Jet 4 (Arbin MITS 4.32). Jet 3 and ACE follow the description, no file of these was tried.
"""

import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np

MAGIC = (b"\x00\x01\x00\x00Standard Jet DB\x00", b"\x00\x01\x00\x00Standard ACE DB\x00")
_CATALOG_PAGE = 2
_DELETED, _MOVED, _OFFSET = 0x8000, 0x4000, 0x1FFF
_BOOLEAN, _TEXT = 1, 10
# Types whose values have a fixed place and size; dates are days since 1899-12-30.
_FIXED = {2: "<u1", 3: "<i2", 4: "<i4", 6: "<f4", 7: "<f8", 8: "<f8"}
_USER_TABLE = 1


class JetError(Exception):
    """The file is no Access database, or is damaged where it was read. The text says what was found."""


@dataclass(frozen=True)
class _Layout:
    """Where things stand in a generation of the format (offsets in bytes)."""

    page: int
    rows: int  # number of rows in a data page; their offsets follow
    count: int  # columns in a table definition: max, variable, all (u2 each)
    indexes: int  # size of the description of a real index
    columns: int  # start of these descriptions
    column: int  # size of the description of a column
    id: int
    variable: int
    flags: int
    offset: int
    width: int
    small: str  # struct code of the counts in rows and of the length of names


_JET3 = _Layout(2048, 8, 21, 8, 43, 18, 1, 3, 13, 14, 16, "B")
_JET4 = _Layout(4096, 12, 41, 12, 63, 25, 5, 7, 15, 21, 23, "H")


@dataclass(frozen=True)
class Column:
    """One column of a table: where its value stands in a row."""

    name: str
    type: int
    id: int
    variable: int
    fixed: bool
    offset: int
    width: int


class Database:
    """An Access database in memory.

    Parameters
    ----------
    raw
        The whole file.

    Raises
    ------
    JetError
        Here and in all methods, where the bytes are not what the format says.
    """

    def __init__(self, raw: bytes) -> None:
        if not raw.startswith(MAGIC):
            raise JetError("it does not begin like an Access database")
        if len(raw) < _JET3.page:
            raise JetError("it ends within its first page")
        self._layout = _JET3 if raw[0x14] == 0 else _JET4
        n = len(raw) // self._layout.page
        if n <= _CATALOG_PAGE:
            raise JetError("it ends before the list of tables")
        self.is_cut_off = len(raw) % self._layout.page != 0
        self._pages = np.frombuffer(raw, np.uint8, n * self._layout.page).reshape(n, self._layout.page)

    @cached_property
    def tables(self) -> dict[str, int]:
        """Names of the user's tables, and the page where each is defined."""
        catalog = Rows(self, _CATALOG_PAGE)
        names, ids, types = catalog.text("Name"), catalog.numbers("Id"), catalog.numbers("Type")
        return {name: int(i) & 0xFFFFFF for name, i, kind in zip(names, ids, types, strict=True) if kind == _USER_TABLE and name}

    def rows(self, table: str) -> "Rows":
        """The rows of one table."""
        if table not in self.tables:
            raise JetError(f"it has no table {table}")
        return Rows(self, self.tables[table])

    @cached_property
    def _owners(self) -> np.ndarray:
        """Shape (pages,): the table that each data page belongs to, -1 for other pages."""
        owner = np.ascontiguousarray(self._pages[:, 4:8]).view("<u4")[:, 0].astype(np.int64)
        return np.where((self._pages[:, 0] == 1) & (self._pages[:, 1] == 1), owner, -1)

    def data_pages(self, table_page: int) -> np.ndarray:
        """Shape (n, page size), bytes."""
        return self._pages[self._owners == table_page]

    def definition(self, page: int) -> bytes:
        """The table definition that starts at ``page``, joined."""
        parts, seen, following = [], set[int](), page
        while following:
            if following in seen or following >= self._pages.shape[0] or bytes(self._pages[following, :2]) != b"\x02\x01":
                raise JetError(f"the table definition at page {page} is damaged")
            seen.add(following)
            here = self._pages[following].tobytes()
            parts.append(here if following == page else here[8:])
            following = struct.unpack_from("<I", here, 4)[0]
        return b"".join(parts)

    def columns(self, page: int) -> tuple[Column, ...]:
        """The columns of the table that is defined at ``page``."""
        at = self._layout
        definition = self.definition(page)
        try:
            n_columns, _, n_indexes = struct.unpack_from("<HII", definition, at.count + 4)
            start = at.columns + n_indexes * at.indexes
            names = self._names(definition, start + n_columns * at.column, n_columns)
            return tuple(_column(at, definition, start + k * at.column, name) for k, name in enumerate(names))
        except (struct.error, UnicodeDecodeError) as err:
            raise JetError(f"the table definition at page {page} is damaged") from err

    def _names(self, definition: bytes, at: int, n: int) -> list[str]:
        small = self._layout.small
        names = []
        for _ in range(n):
            size = struct.unpack_from("<" + small, definition, at)[0]
            at += struct.calcsize(small)
            names.append(definition[at : at + size].decode("latin-1" if small == "B" else "utf-16-le"))
            at += size
        return names

    @property
    def layout(self) -> _Layout:
        return self._layout


def _column(at: _Layout, definition: bytes, start: int, name: str) -> Column:
    def u2(offset: int) -> int:
        return int(struct.unpack_from("<H", definition, start + offset)[0])

    return Column(name, definition[start], u2(at.id), u2(at.variable), bool(definition[start + at.flags] & 1), u2(at.offset), u2(at.width))


class Rows:
    """All rows of one table, in the order of the pages.

    Methods return one value a row; a missing number is NaN or 0 by its type, a missing text is empty.
    """

    def __init__(self, database: Database, table_page: int) -> None:
        self._layout = database.layout
        self.columns = {c.name: c for c in database.columns(table_page)}
        self._n_columns = len(self.columns)
        self._pages = np.ascontiguousarray(database.data_pages(table_page))
        self._start, self._end, self.n_left_out = self._places()

    def __len__(self) -> int:
        return int(self._start.size)

    def _places(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Where each row starts and ends in the joined pages, and how many rows were left out as moved or damaged."""
        at, pages = self._layout, self._pages
        if not pages.shape[0]:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), 0
        n = np.minimum(np.ascontiguousarray(pages[:, at.rows : at.rows + 2]).view("<u2")[:, 0], (at.page - at.rows - 2) // 2)
        widest = max(int(n.max()), 1)
        raw = np.ascontiguousarray(pages[:, at.rows + 2 : at.rows + 2 + 2 * widest]).view("<u2").astype(np.int64)
        offset = raw & _OFFSET
        end = np.concatenate([np.full((len(pages), 1), at.page), offset[:, :-1]], axis=1)
        exists = np.arange(widest) < n[:, None]
        live = exists & (raw & _DELETED == 0)
        smallest = (self._n_columns + 7) // 8 + struct.calcsize(at.small)
        sound = (raw & _MOVED == 0) & (end <= at.page) & (offset >= at.rows + 2) & (end - offset >= smallest)
        base = np.arange(len(pages))[:, None] * at.page
        kept = live & sound
        return (base + offset)[kept], (base + end)[kept], int((live & ~sound).sum())

    def numbers(self, name: str) -> np.ndarray:
        """Values of one number, date or boolean column, in the type that the file has."""
        column = self._column(name)
        has_value = self._bit(column.id)
        if column.type == _BOOLEAN:
            return has_value
        if column.type not in _FIXED or not column.fixed:
            raise JetError(f"its column {name} holds no numbers")
        dtype = np.dtype(_FIXED[column.type])
        at = self._start + struct.calcsize(self._layout.small) + column.offset
        inside = at + dtype.itemsize <= self._end
        if not inside.all():
            raise JetError(f"{int((~inside).sum())} of its rows are shorter than the column {name} needs")
        values = self._pages.ravel()[at[:, None] + np.arange(dtype.itemsize)].view(dtype)[:, 0]
        return np.where(has_value, values, np.asarray(np.nan if dtype.kind == "f" else 0, dtype))

    def text(self, name: str) -> list[str]:
        """Values of one text column."""
        column = self._column(name)
        if column.type != _TEXT:
            raise JetError(f"its column {name} holds no text")
        joined = self._pages.tobytes()
        has_value = self._bit(column.id)
        rows = zip(self._start, self._end, has_value, strict=True)
        return [self._one_text(joined[start:end], column) if there else "" for start, end, there in rows]

    def _one_text(self, row: bytes, column: Column) -> str:
        size = struct.calcsize(self._layout.small)
        if column.fixed:
            return self._decode(row[size + column.offset : size + column.offset + column.width])
        ends = self._variable_ends(row)
        if column.variable + 1 >= len(ends):
            return ""
        return self._decode(row[ends[column.variable] : ends[column.variable + 1]])

    def _variable_ends(self, row: bytes) -> list[int]:
        """Offsets in the row: start of the first variable-length value, then the end of each."""
        at = len(row) - (self._n_columns + 7) // 8
        if self._layout.small == "H":
            n = min(int.from_bytes(row[at - 2 : at], "little"), self._n_columns)
            return [int.from_bytes(row[at - 4 - 2 * k : at - 2 - 2 * k], "little") for k in range(n + 1)]
        # One byte an offset: a table of the values at which the offset passes another 256 stands in between.
        n, jumps = row[at - 1], (len(row) - 1) // 256
        table = row[at - 1 - jumps : at - 1][::-1]
        low = row[max(0, at - 2 - jumps - n) : at - 1 - jumps][::-1]
        return [value + 256 * sum(jump <= k for jump in table) for k, value in enumerate(low)]

    def _decode(self, raw: bytes) -> str:
        if self._layout.small == "B":
            return raw.decode("cp1252", errors="replace")
        if not raw.startswith(b"\xff\xfe"):
            return raw.decode("utf-16-le", errors="replace")
        # Compressed: a zero byte switches between one and two bytes a character.
        parts = raw[2:].split(b"\0")
        return "".join(part.decode("utf-16-le" if k % 2 else "latin-1", errors="replace") for k, part in enumerate(parts))

    def _bit(self, column_id: int) -> np.ndarray:
        """Whether each row has a value in a column."""
        size = (self._n_columns + 7) // 8
        if column_id >= 8 * size:
            raise JetError("its table definition is damaged")
        return self._pages.ravel()[self._end - size + column_id // 8] >> (column_id % 8) & 1 == 1

    def _column(self, name: str) -> Column:
        if name not in self.columns:
            raise JetError(f"its table has no column {name}")
        return self.columns[name]
