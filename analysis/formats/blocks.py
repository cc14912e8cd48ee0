"""Arrays that stay in their file and are read block by block.

Readers of image formats return objects with ``shape``, ``dtype`` and ``ndim`` that give an array for a tuple of slices. They hold
names and numbers only, no open file, so that another process can read a part of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from analysis.core.errors import ReadError

Key = tuple[slice, ...]


class Blocks(Protocol):
    """An array in a file. ``paged``: a part of a page costs as much as the whole page (it is decoded)."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> np.dtype: ...
    @property
    def ndim(self) -> int: ...
    @property
    def paged(self) -> bool: ...
    def __getitem__(self, key: Key) -> np.ndarray: ...


class Typed:
    """What a shape and the name of a NumPy type with its byte order (``"<u2"``) say; names travel to other processes, types need not."""

    shape: tuple[int, ...]
    typestr: str

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.typestr)

    @property
    def ndim(self) -> int:
        return len(self.shape)


@dataclass(frozen=True)
class Mapped(Typed):
    """An uncompressed array that lies in one piece: rows are read where they are, without decoding.

    ``typestr`` is a NumPy type with its byte order (``"<u2"``); ``order`` is ``"C"`` or ``"F"``; ``offset`` in bytes.
    """

    path: Path
    shape: tuple[int, ...]
    typestr: str
    offset: int = 0
    order: str = "C"
    paged: bool = False

    def __getitem__(self, key: Key) -> np.ndarray:
        source = np.memmap(self.path, self.dtype, "r", self.offset, self.shape, "F" if self.order == "F" else "C")
        return np.array(source[key])


@dataclass(frozen=True)
class Stacked:
    """Equal arrays of several files, one behind the other along a new first axis."""

    parts: tuple[Blocks, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.parts), *self.parts[0].shape)

    @property
    def dtype(self) -> np.dtype:
        return self.parts[0].dtype

    @property
    def ndim(self) -> int:
        return self.parts[0].ndim + 1

    @property
    def paged(self) -> bool:
        return self.parts[0].paged

    def __getitem__(self, key: Key) -> np.ndarray:
        first, *rest = key
        return np.stack([part[tuple(rest)] for part in self.parts[first]])


@dataclass(frozen=True)
class InMemory:
    """An array that had to be unpacked as a whole."""

    array: np.ndarray
    paged: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    @property
    def ndim(self) -> int:
        return self.array.ndim

    def __getitem__(self, key: Key) -> np.ndarray:
        return self.array[key]


@dataclass(frozen=True)
class Without:
    """An array without its axes of length one."""

    source: Blocks

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(n for n in self.source.shape if n != 1)

    @property
    def dtype(self) -> np.dtype:
        return self.source.dtype

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def paged(self) -> bool:
        return self.source.paged

    def __getitem__(self, key: Key) -> np.ndarray:
        wanted = iter(key)
        whole = tuple(slice(None) if n == 1 else next(wanted) for n in self.source.shape)
        single = tuple(i for i, n in enumerate(self.source.shape) if n == 1)
        return np.squeeze(self.source[whole], axis=single)


def stacked(parts: Sequence[Blocks], names: Sequence[str]) -> Blocks:
    """Several files as one array; ``ReadError`` names the first that differs from the others."""
    first = parts[0]
    for part, name in zip(parts, names, strict=True):
        if part.shape != first.shape or part.dtype != first.dtype:
            raise ReadError(
                f"{name} holds {size_text(part.shape)} values of type {part.dtype.name}, but {names[0]} {size_text(first.shape)} "
                f"of type {first.dtype.name}.",
                hint="Give files of one scan, with equal image size and type.",
            )
    return Stacked(tuple(parts))


def whole(source: Blocks) -> np.ndarray:
    """All of it, in memory, in the machine's byte order."""
    found = source[(slice(None),) * source.ndim]
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def size_text(shape: Sequence[int]) -> str:
    """``1024 × 1024``."""
    return " × ".join(map(str, shape)) or "1"


def complete(path: Path, need: int) -> None:
    """Refuse a file that ends before byte ``need``."""
    have = path.stat().st_size
    if have < need:
        raise ReadError(f"{path.name} is cut off: it has {have:,} bytes, its header promises {need:,}.", hint="Copy or transfer it again.")
