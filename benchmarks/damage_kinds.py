"""Damaged copies of files: each is determined by its number alone, so that any can be made again."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

HEAD = 4096  # half of all damage is done here, where formats say what they are
NUMBERS = (b"nan", b"inf", b"-1e308", b"1e400", b"0", b"", b"1,5", b"1.234.567", b"12:34", b"\xff\xfe", b'"', b"#REF!")

Damage = Callable[[bytearray, random.Random], bytearray]


def damaged(whole: bytes, name: str, number: int) -> bytes:
    """The ``number``-th damaged copy of a file; text also loses and swaps lines and columns, archives are damaged inside too."""
    rng = random.Random(f"{name}:{number}")
    if whole.startswith(b"PK") and rng.random() < 0.5 and (inside := _inside(whole, rng)) is not None:
        return inside
    kinds = BINARY + TEXT if _is_text(whole) else BINARY
    copy = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        copy = rng.choice(kinds)(copy, rng) or bytearray()
    return bytes(copy)


def _is_text(whole: bytes) -> bool:
    return b"\x00" not in whole[:HEAD] and not whole.startswith((b"PK", b"PAR1"))


def _inside(whole: bytes, rng: random.Random) -> bytes | None:
    """The archive with one member damaged and its checksum right again."""
    made = io.BytesIO()
    try:
        with ZipFile(io.BytesIO(whole)) as archive, ZipFile(made, "w", ZIP_DEFLATED) as out:
            chosen = rng.choice([n for n in archive.namelist() if archive.getinfo(n).file_size])
            for name in archive.namelist():
                content = bytearray(archive.read(name))
                out.writestr(name, bytes(rng.choice(BINARY)(content, rng) if name == chosen else content))
    except (BadZipFile, zlib.error, struct.error, IndexError):
        return None
    return made.getvalue()


def _place(copy: bytearray, rng: random.Random) -> int:
    return rng.randrange(max(1, min(len(copy), HEAD) if rng.random() < 0.5 else len(copy)))


# -- bytes -----------------------------------------------------------------------------------------------------------------


def _flip(copy: bytearray, rng: random.Random) -> bytearray:
    for _ in range(rng.choice((1, 3, 30)) if copy else 0):
        copy[_place(copy, rng)] ^= 1 << rng.randrange(8)
    return copy


def _cut(copy: bytearray, rng: random.Random) -> bytearray:
    return copy[: _place(copy, rng)]


def _fill(copy: bytearray, rng: random.Random) -> bytearray:
    at, size = _place(copy, rng), rng.choice((4, 64, 4096))
    part = len(copy[at : at + size])
    copy[at : at + size] = bytes([rng.choice((0, 0, 255))]) * part
    return copy


def _swap(copy: bytearray, rng: random.Random) -> bytearray:
    a, b, size = _place(copy, rng), _place(copy, rng), rng.choice((8, 64, 1024))
    copy[a : a + size], copy[b : b + size] = copy[b : b + size], copy[a : a + size]
    return copy


def _insert(copy: bytearray, rng: random.Random) -> bytearray:
    at = _place(copy, rng)
    copy[at:at] = rng.randbytes(rng.choice((1, 7, 100)))
    return copy


def _remove(copy: bytearray, rng: random.Random) -> bytearray:
    at = _place(copy, rng)
    del copy[at : at + rng.choice((1, 7, 100, 5000))]
    return copy


def _integer(copy: bytearray, rng: random.Random) -> bytearray:
    """A number somewhere becomes one at the edge of its type."""
    at = _place(copy, rng) & ~3
    copy[at : at + 4] = struct.pack("<I", rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FC00000, 0x00FFFFFF)))
    return copy


# -- lines and columns -----------------------------------------------------------------------------------------------------


def _lines(copy: bytearray, rng: random.Random) -> tuple[list[bytearray], int]:
    lines = copy.splitlines(keepends=True) or [bytearray()]
    return lines, rng.randrange(min(len(lines), 40) if rng.random() < 0.3 else len(lines))


def _repeat_lines(copy: bytearray, rng: random.Random) -> bytearray:
    lines, at = _lines(copy, rng)
    size = rng.choice((1, 1, 5, 50))
    return bytearray(b"".join([*lines[: at + size], *lines[at:]]))


def _drop_lines(copy: bytearray, rng: random.Random) -> bytearray:
    lines, at = _lines(copy, rng)
    del lines[at : at + rng.choice((1, 1, 5, 50))]
    return bytearray(b"".join(lines))


def _swap_lines(copy: bytearray, rng: random.Random) -> bytearray:
    lines, a = _lines(copy, rng)
    b = rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return bytearray(b"".join(lines))


def _swap_columns(copy: bytearray, rng: random.Random) -> bytearray:
    """Two columns change places from some line on, in the header too or not."""
    lines, at = _lines(copy, rng)
    mark = max((b"\t", b",", b";"), key=lambda m: lines[at].count(m))
    width = lines[at].count(mark) + 1
    a, b = rng.randrange(width), rng.randrange(width)
    for k in range(at, len(lines)):
        cells = lines[k].split(mark)
        if max(a, b) < len(cells) - 1:
            cells[a], cells[b] = cells[b], cells[a]
            lines[k] = bytearray(mark).join(cells)
    return bytearray(b"".join(lines))


def _change_cell(copy: bytearray, rng: random.Random) -> bytearray:
    lines, at = _lines(copy, rng)
    mark = max((b"\t", b",", b";"), key=lambda m: lines[at].count(m))
    cells = lines[at].split(mark)
    cells[rng.randrange(len(cells))] = bytearray(rng.choice(NUMBERS))
    lines[at] = bytearray(mark).join(cells)
    return bytearray(b"".join(lines))


def _change_marks(copy: bytearray, rng: random.Random) -> bytearray:
    """Other line ends, delimiters, decimal signs or encodings in the whole file."""
    old, new = rng.choice(((b"\r\n", b"\n"), (b"\n", b"\r"), (b",", b";"), (b".", b","), (b"\t", b","), (b"\t", b"  "), (b"/", b"-")))
    text = copy.replace(old, new)
    return bytearray(text.decode("latin-1").encode("utf-16")) if rng.random() < 0.1 else text


BINARY: tuple[Damage, ...] = (_flip, _cut, _fill, _swap, _insert, _remove, _integer)
TEXT: tuple[Damage, ...] = (_repeat_lines, _drop_lines, _swap_lines, _swap_columns, _change_cell, _change_marks)
