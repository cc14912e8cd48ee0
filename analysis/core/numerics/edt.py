"""Euclidean distances inside a mask, exact, with four bytes a voxel and little besides."""

import numpy as np
from numba import njit

from analysis.core.numerics.parallel import in_parts

LANES = 64  # columns that are worked on together: neighbours in memory
FAR = 160  # steps along a column after which its lower envelope is found instead
CHECKED = 4  # steps after which it is asked whether a farther voxel can still be nearer


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

    Notes
    -----
    Squared distances along x, then the least of them plus the squared step along y and z in turn. Steps are tried from the nearest on
    until none can give less; where that is far away, the lower envelope of parabolas is found instead [1]_.

    References
    ----------
    .. [1] P. F. Felzenszwalb, D. P. Huttenlocher, Theory of Computing 8, 415 (2012), doi 10.4086/toc.2012.v008a019.
    """
    unit = voxel[0] if min(voxel) == max(voxel) else 1.0  # of cubes: exact whole squares, rounded once
    squares = squared_distances(mask, voxel if unit == 1.0 else (1.0, 1.0, 1.0))

    def finish(begin: int, end: int) -> None:
        part = np.sqrt(squares[begin:end], out=squares[begin:end])
        if unit != 1.0:
            part *= np.float32(unit)

    in_parts(finish, mask.shape[0])
    return squares


def squared_distances(mask: np.ndarray, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """Squares of ``distances``; exact whole numbers for voxels of edge length 1."""
    out = np.empty(mask.shape, np.float32)
    marks = mask.view(np.uint8) if mask.dtype == bool else mask
    depth, height, _ = mask.shape
    in_parts(lambda a, b: _rows(marks[a:b], np.float32(voxel[2]), out[a:b]), depth)
    if height > 1:
        in_parts(lambda a, b: _columns(out[a:b], np.float32(voxel[1] ** 2)), depth)
    if depth > 1:
        in_parts(lambda a, b: _columns(out[:, a:b].transpose(1, 0, 2), np.float32(voxel[0] ** 2)), height)
    return out


@njit(nogil=True, cache=True)
def _rows(marks, spacing, out):  # type: ignore[no-untyped-def]
    """Squared distance along x from the nearest unmarked voxel of the same row."""
    depth, height, width = marks.shape
    for z in range(depth):
        for y in range(height):
            row, x = out[z, y], 0
            row[:] = 0
            while x < width:
                if marks[z, y, x] == 0:
                    x += 1
                    continue
                begin = x
                while x < width and marks[z, y, x] != 0:
                    x += 1
                for k in range(begin, x):
                    left = np.float32(k - begin + 1) if begin > 0 else np.float32(np.inf)
                    right = np.float32(x - k) if x < width else np.float32(np.inf)
                    nearer = min(left, right) * spacing
                    row[k] = nearer * nearer


@njit(nogil=True, cache=True)
def _columns(squares, weight):  # type: ignore[no-untyped-def]
    """The least of ``squares[j] + weight (i - j)**2`` over j along the second axis, in place; ``weight`` is the squared spacing."""
    count, length, width = squares.shape
    source = np.full((length + 2, LANES), np.float32(np.inf), np.float32)  # the first and the last row lie beyond the array
    for i in range(count):
        for first in range(0, width, LANES):
            many = min(LANES, width - first)
            changes = False
            for k in range(length):
                source[k + 1, :many] = squares[i, k, first : first + many]
                for c in range(many):
                    changes |= source[k + 1, c] > 0
            source[1:-1, many:] = 0
            if changes and not _stepwise(source, weight, squares[i, :, first : first + many]):
                _by_envelopes(source[1:-1, :many], weight, squares[i, :, first : first + many])


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _stepwise(source, weight, out):  # type: ignore[no-untyped-def]
    """Step by step from each voxel; False, and nothing of use, where ``FAR`` steps are not enough."""
    length, many = out.shape
    found = np.empty(LANES, np.float32)
    for k in range(length):
        found[:] = source[k + 1]
        largest = _largest(found)
        if largest == 0:
            continue
        for step in range(1, length):
            added = weight * np.float32(step * step)
            if added >= largest:
                break
            if step > FAR:
                return False
            before, after = source[max(k + 1 - step, 0)], source[min(k + 1 + step, length + 1)]
            for c in range(LANES):
                found[c] = min(found[c], min(before[c], after[c]) + added)
            if step % CHECKED == 0:
                largest = _largest(found)
        out[k] = found[:many]
    return True


@njit(nogil=True, cache=True, fastmath={"nnan", "nsz"})
def _largest(values):  # type: ignore[no-untyped-def]
    largest = np.float32(0)
    for c in range(LANES):
        largest = max(largest, values[c])
    return largest


@njit(nogil=True, cache=True)
def _by_envelopes(source, weight, out):  # type: ignore[no-untyped-def]
    """Lower envelope of the parabolas of each column."""
    length, many = out.shape
    column, found = np.empty(length, np.float64), np.empty(length, np.float64)
    root, begin = np.empty(length, np.int64), np.empty(length + 1, np.float64)
    for c in range(many):
        for k in range(length):
            column[k] = source[k, c]
        if _envelope(column, weight, root, begin, found):
            for k in range(length):
                out[k, c] = found[k]
        else:
            for k in range(length):
                out[k, c] = column[k]


@njit(nogil=True, cache=True)
def _envelope(values, weight, root, begin, out):  # type: ignore[no-untyped-def]
    """min over j of values[j] + weight (i - j)**2 for every i; False where nothing changes."""
    length = values.size
    last = -1
    for j in range(length):
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
    if last < 0:
        return False
    k = 0
    for i in range(length):
        while k < last and begin[k + 1] < i:
            k += 1
        step = i - root[k]
        out[i] = values[root[k]] + weight * step * step
    return True
