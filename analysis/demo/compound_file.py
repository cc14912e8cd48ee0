"""OLE2 compound files, the container of X-ray microscopes' images: written whole, with sectors of 4096 bytes (version 4).

Layout after [MS-CFB]: a header that fills the first sector, then streams of 4096 bytes and more in runs of sectors, the mini stream that
holds the smaller ones in pieces of 64 bytes, the table of those pieces, the directory, and the table of all sectors (FAT).
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
SECTOR, PIECE, ENTRY = 4096, 64, 128
FREE, END, FAT_SECTOR, NO_ENTRY = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5
IN_HEADER = 109  # sectors of the FAT that the header lists: 450 MB
PER_SECTOR = SECTOR // 4


@dataclass
class _Entry:
    """An entry of the directory; ``left``, ``right`` and ``child`` are places in it."""

    name: str
    kind: int
    start: int = END
    size: int = 0
    left: int = NO_ENTRY
    right: int = NO_ENTRY
    child: int = NO_ENTRY

    def packed(self) -> bytes:
        text = self.name.encode("utf-16-le") + b"\0\0"
        tree = (self.left, self.right, self.child)
        return struct.pack("<64sHBB3I16sIQQIQ", text, len(text), self.kind, 1, *tree, b"", 0, 0, 0, self.start, self.size)


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """A compound file with these streams, named ``Stream`` or ``Storage/Stream``."""
    entries = _directory(streams)
    body = bytearray()
    fat: list[int] = []

    def put(content: bytes) -> int:
        """A run of sectors behind what is there; where it starts."""
        count = -(-len(content) // SECTOR)
        start = len(fat)
        body.extend(content.ljust(count * SECTOR, b"\0"))
        fat.extend([*range(start + 1, start + count), END] if count else [])
        return start if count else END

    mini = bytearray()
    mini_fat: list[int] = []
    for path, entry in entries.items():
        if entry.kind != STREAM:
            continue
        content, entry.size = streams[path], len(streams[path])
        if entry.size >= SECTOR:
            entry.start = put(content)
        elif entry.size:
            count, entry.start = -(-entry.size // PIECE), len(mini_fat)
            mini.extend(content.ljust(count * PIECE, b"\0"))
            mini_fat += [*range(entry.start + 1, entry.start + count), END]
    root = entries[""]
    root.start, root.size = put(bytes(mini)), len(mini)
    mini_start = put(_table(mini_fat))
    listed = b"".join(e.packed() for e in entries.values())
    directory = put(listed)
    first, tables = len(fat), -(-len(fat) // (PER_SECTOR - 1))
    fat += [FAT_SECTOR] * tables
    header = _header(tables, first, -(-len(listed) // SECTOR), directory, mini_start, -(-len(mini_fat) // PER_SECTOR))
    return header + bytes(body) + _table(fat)


def _table(values: Sequence[int]) -> bytes:
    """Numbers of sectors, filled up to whole sectors."""
    filled = np.full(-(-len(values) // PER_SECTOR) * PER_SECTOR, FREE, "<u4")
    filled[: len(values)] = values
    return filled.tobytes()


def _header(tables: int, first: int, directory_sectors: int, directory: int, mini_start: int, mini_tables: int) -> bytes:
    listed = [*range(first, first + tables)] + [FREE] * (IN_HEADER - tables)
    about = struct.pack("<8s16sHHHHH6x", MAGIC, b"", 0x3E, 4, 0xFFFE, 12, 6)
    counts = struct.pack("<9I", directory_sectors, tables, directory, 0, SECTOR, mini_start, mini_tables, END, 0)
    return (about + counts + struct.pack(f"<{IN_HEADER}I", *listed)).ljust(SECTOR, b"\0")


def _directory(streams: Mapping[str, bytes]) -> dict[str, _Entry]:
    """Entries by path, the root first; those of one storage form a balanced tree, in the order that the format asks for."""
    folders = dict.fromkeys(path.rpartition("/")[0] for path in streams if "/" in path)
    entries = {"": _Entry("Root Entry", ROOT)}
    entries |= {folder: _Entry(folder, STORAGE) for folder in folders}
    entries |= {path: _Entry(path.rpartition("/")[2], STREAM) for path in streams}
    places = {path: i for i, path in enumerate(entries)}
    for folder in ("", *folders):
        inside = [p for p in entries if p and p.rpartition("/")[0] == folder]
        inside.sort(key=lambda p: (len(entries[p].name), entries[p].name.upper()))
        entries[folder].child = _balanced(inside, entries, places)
    return entries


def _balanced(paths: Sequence[str], entries: Mapping[str, _Entry], places: Mapping[str, int]) -> int:
    if not paths:
        return NO_ENTRY
    middle = len(paths) // 2
    entry = entries[paths[middle]]
    entry.left = _balanced(paths[:middle], entries, places)
    entry.right = _balanced(paths[middle + 1 :], entries, places)
    return places[paths[middle]]
