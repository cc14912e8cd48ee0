"""Connected parts of a mask, found over runs of voxels: memory grows with the surface of the mask, not with the volume.

A run is a stretch of marked voxels in a row along x. Runs are found slab by slab, joined where they touch, and numbered in the order
in which their parts are first met (z, then y, then x), as scipy.ndimage.label does.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from analysis.core.numerics.parallel import in_parts


@dataclass(frozen=True)
class Components:
    """The runs of a mask and the part that each belongs to.

    ``row`` is z * height + y, ``start`` and ``stop`` are along x, ``label`` counts from 1; all of shape (runs,), int32.
    """

    shape: tuple[int, int, int]
    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    label: np.ndarray
    count: int

    def sizes(self) -> np.ndarray:
        """Voxels of each part, shape (count + 1,), int64; those of label 0 are not counted."""
        return np.bincount(self.label, self.stop - self.start, minlength=self.count + 1).astype(np.int64)

    def any_of(self, marks: np.ndarray) -> np.ndarray:
        """Whether a part holds any voxel that is not 0 in ``marks``, shape (count + 1,), bool; label 0 holds none."""
        found = np.zeros(self.count + 1, bool)
        _any_of(self.row, self.start, self.stop, self.label, _rows_of(marks), found)
        return found

    def beside(self, marks: np.ndarray) -> np.ndarray:
        """Whether a part has a voxel that is 0 in ``marks`` among the neighbours of its voxels over faces, edges and corners.

        Shape (count + 1,), bool; what lies beyond the array is no neighbour.
        """
        found = np.zeros(self.count + 1, bool)
        _beside(self.row, self.start, self.stop, self.label, self.shape[1], _rows_of(marks), found)
        return found

    def first(self) -> np.ndarray:
        """Place of the first voxel of each run when the voxels of all runs stand in a row, shape (runs + 1,), int64."""
        return np.concatenate([[0], np.cumsum(self.stop - self.start, dtype=np.int64)])

    def between(self, low: int, high: int) -> slice:
        """The runs in slices ``low`` … ``high``."""
        a, b = np.searchsorted(self.row, [low * self.shape[1], high * self.shape[1]])
        return slice(int(a), int(b))

    def painted(self, values: np.ndarray) -> np.ndarray:
        """A volume with ``values[label]`` in every voxel of a part and 0 elsewhere; of the type of ``values``."""
        out = np.zeros(self.shape, values.dtype)
        _paint(self.row, self.start, self.stop, self.label, values, _rows_of(out))
        return out

    def labels(self) -> np.ndarray:
        """The number of its part in every voxel, int32, 0 outside the mask."""
        return self.painted(np.arange(self.count + 1, dtype=np.int32))

    def on_border(self) -> np.ndarray:
        """Whether a part reaches the border of the volume, shape (count + 1,), bool."""
        depth, height, width = self.shape
        z, y = self.row // height, self.row % height
        at = (z == 0) | (z == depth - 1) | (y == 0) | (y == height - 1) | (self.start == 0) | (self.stop == width)
        found = np.zeros(self.count + 1, bool)
        found[self.label[at]] = True
        return found


def components(mask: np.ndarray, *, connectivity: int = 26) -> Components:
    """The connected parts of a mask.

    Parameters
    ----------
    mask
        Shape (z, y, x), bool or uint8.
    connectivity
        6 (shared faces) or 26 (faces, edges and corners).

    References
    ----------
    .. [1] L. He, Y. Chao, K. Suzuki, IEEE Trans. Image Process. 17, 749 (2008), doi 10.1109/TIP.2008.919369: runs and their union.
    """
    marks = _rows_of(mask)
    counts = np.zeros(len(marks) + 1, np.int64)
    in_parts(lambda a, b: _count(marks, a, b, counts), len(marks), part=64)
    first = np.cumsum(counts)
    row, start, stop = (np.empty(int(first[-1]), np.int32) for _ in range(3))
    in_parts(lambda a, b: _fill(marks, a, b, first, row, start, stop), len(marks), part=64)
    depth, height, width = mask.shape
    parent = np.arange(row.size, dtype=np.int32)
    _join(first, start, stop, depth, height, 1 if connectivity == 26 else 0, parent)
    count = _number(parent)
    return Components((depth, height, width), row, start, stop, parent, count)


def filled(mask: np.ndarray) -> np.ndarray:
    """The mask with its holes: what cannot be reached from the border of the array over faces; shape as given, bool."""
    outside = components(mask == 0, connectivity=6)
    return outside.painted(outside.on_border()) == 0


def kept(mask: np.ndarray, wanted: Callable[[Components], np.ndarray], *, connectivity: int = 26) -> np.ndarray:
    """The mask with those of its parts only for which ``wanted`` (of the parts, shape (count + 1,)) says so; bool."""
    found = components(mask, connectivity=connectivity)
    return found.painted(np.asarray(wanted(found), bool))


def _rows_of(volume: np.ndarray) -> np.ndarray:
    flat = volume.reshape(-1, volume.shape[-1])
    return flat.view(np.uint8) if flat.dtype == bool else flat


@njit(nogil=True, cache=True)
def _count(marks, begin, end, counts):  # type: ignore[no-untyped-def]
    for r in range(begin, end):
        n, before = 0, False
        for x in range(marks.shape[1]):
            now = marks[r, x] != 0
            if now and not before:
                n += 1
            before = now
        counts[r + 1] = n


@njit(nogil=True, cache=True)
def _fill(marks, begin, end, first, row, start, stop):  # type: ignore[no-untyped-def]
    width = marks.shape[1]
    for r in range(begin, end):
        n, x = first[r], 0
        while x < width:
            if marks[r, x] == 0:
                x += 1
                continue
            row[n], start[n] = r, x
            while x < width and marks[r, x] != 0:
                x += 1
            stop[n] = x
            n += 1


@njit(nogil=True, cache=True)
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(nogil=True, cache=True)
def _touch(a, a_end, b, b_end, start, stop, more, parent):  # type: ignore[no-untyped-def]
    """Join the runs of two neighbouring rows; ``more`` is 1 where corners count."""
    while a < a_end and b < b_end:
        if start[a] < stop[b] + more and start[b] < stop[a] + more:
            i, j = _root(parent, a), _root(parent, b)
            if i < j:
                parent[j] = i
            elif j < i:
                parent[i] = j
        if stop[a] < stop[b]:
            a += 1
        else:
            b += 1


@njit(nogil=True, cache=True)
def _join(first, start, stop, depth, height, more, parent):  # type: ignore[no-untyped-def]
    for z in range(depth):
        for y in range(height):
            r = z * height + y
            if first[r] == first[r + 1]:
                continue
            if y > 0:
                _touch(first[r], first[r + 1], first[r - 1], first[r], start, stop, more, parent)
            if z == 0:
                continue
            for other in range(max(y - more, 0), min(y + more, height - 1) + 1):
                q = (z - 1) * height + other
                _touch(first[r], first[r + 1], first[q], first[q + 1], start, stop, more, parent)


@njit(nogil=True, cache=True)
def _number(parent):  # type: ignore[no-untyped-def]
    """Turn roots into consecutive labels from 1, in place; the root of a part is its first run."""
    count = 0
    for i in range(parent.size):
        if parent[i] == i:
            count += 1
            parent[i] = -count
        else:
            parent[i] = parent[_known(parent, i)]
    for i in range(parent.size):
        parent[i] = -parent[i]
    return count


@njit(nogil=True, cache=True)
def _known(parent, i):  # type: ignore[no-untyped-def]
    """The first ancestor that already has its (negative) label."""
    while parent[i] >= 0:
        i = parent[i]
    return i


@njit(nogil=True, cache=True)
def _any_of(row, start, stop, label, marks, found):  # type: ignore[no-untyped-def]
    for i in range(row.size):
        if found[label[i]] or label[i] == 0:
            continue
        for x in range(start[i], stop[i]):
            if marks[row[i], x] != 0:
                found[label[i]] = True
                break


@njit(nogil=True, cache=True)
def _beside(row, start, stop, label, height, marks, found):  # type: ignore[no-untyped-def]
    width = marks.shape[1]
    for i in range(row.size):
        if found[label[i]] or label[i] == 0:
            continue
        y = row[i] % height
        for z in range(row[i] // height - 1, row[i] // height + 2):
            for other in range(max(y - 1, 0), min(y + 2, height)):
                r = z * height + other
                if 0 <= r < marks.shape[0] and _any_zero(marks[r], max(start[i] - 1, 0), min(stop[i] + 1, width)):
                    found[label[i]] = True


@njit(nogil=True, cache=True)
def _any_zero(row, begin, end):  # type: ignore[no-untyped-def]
    x = begin
    while x < end and row[x] != 0:
        x += 1
    return x < end


@njit(nogil=True, cache=True)
def _paint(row, start, stop, label, values, out):  # type: ignore[no-untyped-def]
    for i in range(row.size):
        value = values[label[i]]
        for x in range(start[i], stop[i]):
            out[row[i], x] = value
