"""Slices out of view forms, with what was unpacked for them kept: scrubbing unpacks each chunk once."""

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from analysis.core import settings
from components.kept import Kept

LIMITS = (128 << 20, 1 << 30)  # bytes kept: at least, at most; between them a sixteenth of the memory


class Slab(NamedTuple):
    """The neighbourhood of a slice: all chunks of one layer that a plane across ``axis`` (0 z, 1 y, 2 x) cuts."""

    folder: str
    level: int
    layer: int
    axis: int
    number: int


class Slabs(Kept[np.ndarray]):
    """Unpacked slabs up to a number of bytes; the least recently used go first. Two requests for one share the work.

    Who goes through the slices finds the next slab unpacked when the middle of one was passed.
    """

    def __init__(self, limit: int) -> None:
        super().__init__(limit, lambda slab: slab.nbytes)
        self._last: tuple[Slab, int] | None = None
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="slabs")

    def plane(self, folder: Path, level: int, layer: int, axis: int, index: int) -> np.ndarray:
        """One slice, shape (rows, columns), uint16."""
        thick = _array(str(folder), level).chunks[1 + axis]
        wanted = Slab(str(folder), level, layer, axis, index // thick)
        made = self._slab(wanted)
        self._look_ahead(wanted, index, thick)
        return np.ascontiguousarray(np.take(made, index % thick, axis))

    def _look_ahead(self, slab: Slab, index: int, thick: int) -> None:
        before, self._last = self._last, (slab, index)
        if before is None or before[0] != slab:
            return
        step = int(np.sign(index - before[1]))
        following = slab._replace(number=slab.number + step)
        past_middle = (index % thick - thick / 2) * step > 0
        exists = 0 <= following.number * thick < _array(slab.folder, slab.level).shape[1 + slab.axis]
        if past_middle and exists and following not in self:
            self._ahead.submit(self._slab, following)

    def _slab(self, wanted: Slab) -> np.ndarray:
        return self.get(wanted, lambda: _unpacked(wanted))


def _unpacked(slab: Slab) -> np.ndarray:
    array = _array(slab.folder, slab.level)
    thick = array.chunks[1 + slab.axis]
    box: list[Any] = [slab.layer, slice(None), slice(None), slice(None)]
    box[1 + slab.axis] = slice(slab.number * thick, (slab.number + 1) * thick)
    return np.asarray(array[tuple(box)])


@lru_cache(maxsize=256)
def _array(folder: str, level: int) -> Any:
    import zarr

    return zarr.open_array(f"{folder}/level{level}", mode="r")


slabs = Slabs(min(max(settings.memory_bytes() // 16, LIMITS[0]), LIMITS[1]))
