"""Euclidean distances inside a mask, exact, with four bytes a voxel and nothing besides."""

import numpy as np
from numba import njit

from analysis.core.numerics.parallel import in_parts

COLUMNS = 16  # that are worked on together: neighbours in memory


def distances(mask: np.ndarray, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """Distance of every marked voxel from the nearest unmarked one, between middles.

    Parameters
    ----------
    mask
        Shape (z, y, x), bool or uint8. The border of the array is no border of the mask.
    voxel
        Edge lengths along z, y, x.

    Returns
    -------
    np.ndarray
        Shape (z, y, x), float32, in the unit of ``voxel``; 0 outside the mask, infinite where nothing is unmarked.

    References
    ----------
    .. [1] P. F. Felzenszwalb, D. P. Huttenlocher, Theory of Computing 8, 415 (2012), doi 10.4086/toc.2012.v008a019.
    """
    squares = squared_distances(mask, voxel)
    return np.sqrt(squares, out=squares)


def squared_distances(mask: np.ndarray, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """Squares of ``distances``; exact whole numbers for voxels of edge length 1."""
    out = np.empty(mask.shape, np.float32)
    marks = mask.view(np.uint8) if mask.dtype == bool else mask
    depth, height, _ = mask.shape
    in_parts(lambda a, b: _rows(marks[a:b], voxel[2], out[a:b]), depth)
    if height > 1:
        in_parts(lambda a, b: _down(out[a:b], voxel[1] ** 2), depth)
    if depth > 1:
        in_parts(lambda a, b: _down(out[:, a:b].transpose(1, 0, 2), voxel[0] ** 2), height)
    return out


@njit(nogil=True, cache=True)
def _rows(marks, spacing, out):  # type: ignore[no-untyped-def]
    """Squared distance along x from the nearest unmarked voxel of the same row."""
    depth, height, width = marks.shape
    for z in range(depth):
        for y in range(height):
            since = np.inf
            for x in range(width):
                since = 0.0 if marks[z, y, x] == 0 else since + 1.0
                out[z, y, x] = since
            since = np.inf
            for x in range(width - 1, -1, -1):
                since = 0.0 if marks[z, y, x] == 0 else since + 1.0
                nearer = min(since, out[z, y, x]) * spacing
                out[z, y, x] = nearer * nearer


@njit(nogil=True, cache=True)
def _down(squares, weight):  # type: ignore[no-untyped-def]
    """Lower envelope of the parabolas of each column along the second axis, in place; ``weight`` is the squared spacing."""
    count, length, width = squares.shape
    column = np.empty((COLUMNS, length), np.float64)
    found = np.empty(length, np.float64)
    root = np.empty(length, np.int64)
    begin = np.empty(length + 1, np.float64)
    for i in range(count):
        for first in range(0, width, COLUMNS):
            many = min(COLUMNS, width - first)
            for k in range(length):
                for c in range(many):
                    column[c, k] = squares[i, k, first + c]
            for c in range(many):
                if _envelope(column[c], weight, root, begin, found):
                    column[c] = found
            for k in range(length):
                for c in range(many):
                    squares[i, k, first + c] = column[c, k]


@njit(nogil=True, cache=True)
def _envelope(values, weight, root, begin, out):  # type: ignore[no-untyped-def]
    """min over j of values[j] + weight (i - j)**2 for every i; False where nothing changes."""
    length = values.size
    last, changes = -1, False
    for j in range(length):
        if values[j] > 0.0:
            changes = True
        if values[j] == np.inf:
            continue
        height = values[j] + weight * j * j
        start = -np.inf
        while last >= 0:
            other = root[last]
            start = (height - values[other] - weight * other * other) / (2.0 * weight * (j - other))
            if start > begin[last]:
                break
            last -= 1
            start = -np.inf
        last += 1
        root[last], begin[last] = j, start
    if last < 0 or not changes:
        return False
    k = 0
    for i in range(length):
        while k < last and begin[k + 1] < i:
            k += 1
        step = i - root[k]
        out[i] = values[root[k]] + weight * step * step
    return True
