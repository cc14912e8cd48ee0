"""Columns that are larger than memory: written to raw scratch files, read back chunk by chunk.

Chunks are read with ordinary reads, not mapped: mapped pages count as resident memory. The files belong to the process
that wrote them and vanish with the last array that needs them, at exit, or when a later process finds their owner dead.
"""

import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np

from analysis.core.errors import ReadError

CHUNK_ROWS = 1 << 20  # 8 MiB of doubles: large enough to read at disk speed, small against memory
_PREFIX = "interplay-spill-"


class Scratch:
    """A folder that is removed when nothing in the owning process refers to it any more."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy in another process may read, but never removes.
        return _Borrowed, (self.folder,)


class _Borrowed:
    def __init__(self, folder: Path) -> None:
        self.folder = folder


def _sweep(root: Path) -> None:
    """Remove what processes that no longer live have left behind."""
    for folder in root.glob(f"{_PREFIX}*"):
        found = re.match(rf"{_PREFIX}(\d+)-", folder.name)
        if found and not _alive(int(found[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def read_chunk(scratch: Scratch | _Borrowed, name: str, start: int, count: int) -> np.ndarray:
    """Rows ``start`` to ``start + count`` of a spilled column, shape (count,)."""
    return np.fromfile(scratch.folder / name, dtype=np.float64, count=count, offset=start * 8)


class Spill:
    """Appends columns of equal length to scratch files; ``arrays`` gives them back as lazy arrays."""

    def __init__(self, names: Sequence[str]) -> None:
        self.scratch = Scratch()
        self.names = tuple(names)
        self.rows = 0
        self._stack = ExitStack()
        self._files: dict[str, IO[bytes]] = {
            name: self._stack.enter_context((self.scratch.folder / f"{i}.f64").open("wb")) for i, name in enumerate(self.names)
        }

    def append(self, columns: dict[str, np.ndarray]) -> None:
        """Add rows; ``columns`` holds shape (n,) for every name of this spill."""
        count = {columns[name].size for name in self.names}
        if len(count) != 1:
            raise ValueError(f"columns of one batch differ in length: {sorted(count)}")
        try:
            for name in self.names:
                np.ascontiguousarray(columns[name], dtype=np.float64).tofile(self._files[name])
        except OSError as err:
            raise ReadError(
                f"The folder for scratch files, {tempfile.gettempdir()}, cannot take the columns: {err.strerror or err}.",
                hint="Free some space there, or set TMPDIR to another folder.",
            ) from err
        self.rows += count.pop()

    def close(self) -> None:
        self._stack.close()

    def arrays(self) -> dict[str, Any]:
        """Every column as a dask array, shape (rows,), float64, in chunks of ``CHUNK_ROWS``."""
        import dask
        import dask.array as da

        self.close()
        read = dask.delayed(read_chunk, pure=False)
        starts = range(0, max(self.rows, 1), CHUNK_ROWS)
        made = {}
        for i, name in enumerate(self.names):
            parts = []
            for start in starts:
                count = min(CHUNK_ROWS, self.rows - start)
                parts.append(da.from_delayed(read(self.scratch, f"{i}.f64", start, count), shape=(count,), dtype=np.float64))
            made[name] = da.concatenate(parts)
        return made
