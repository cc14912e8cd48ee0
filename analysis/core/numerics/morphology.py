"""Masks and grey values widened, narrowed and closed."""

import numpy as np
from numba import get_num_threads, njit

from analysis.core.numerics.parallel import in_parts

MOST_RADIUS = 180  # voxels: twice its square, and one, are held in two bytes
SLICES = 48  # that are worked on at once, at least


def widened(mask: np.ndarray, reach: int) -> np.ndarray:
    """Whether any voxel of the mask lies in the box of ``2 reach + 1`` voxels about each voxel; shape (z, y, x), bool."""
    marks = np.ascontiguousarray(mask).view(np.uint8) if mask.dtype == bool else np.ascontiguousarray(mask)
    out = np.empty(mask.shape, np.uint8)
    in_parts(lambda a, b: _widen(marks, a, b, reach, out), mask.shape[0])
    return out.view(bool)


def narrowed(mask: np.ndarray, reach: int) -> np.ndarray:
    """Whether all voxels of the box of ``2 reach + 1`` voxels belong to the mask; the border of the array takes nothing away."""
    return ~widened(np.asarray(mask) == 0, reach)


def closed(mask: np.ndarray, radius: float) -> np.ndarray:
    """The mask closed by a ball: gaps narrower than its diameter are filled, convex surfaces stay.

    Parameters
    ----------
    mask
        Shape (z, y, x), bool. Beyond the array there is nothing.
    radius
        Of the ball, in voxels.
    """
    box = bounds(mask)
    if box is None or radius < 1:
        return np.asarray(mask != 0)
    rim = int(radius) + 1
    around = np.pad(mask[box] != 0, rim)
    free = ~within(around, radius)
    out = np.zeros(mask.shape, bool)
    np.logical_not(within(free, radius)[(slice(rim, -rim),) * 3], out=out[box])
    out[box] |= mask[box] != 0
    return out


def bounds(mask: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The smallest box that holds all marked voxels; None where there are none."""
    z = np.flatnonzero([plane.any() for plane in mask])
    if z.size == 0:
        return None
    flat = np.logical_or.reduce(mask[z[0] : z[-1] + 1], axis=0)
    y, x = (np.flatnonzero(np.logical_or.reduce(flat, axis=a)) for a in (1, 0))
    zs, ys, xs = (slice(int(n[0]), int(n[-1]) + 1) for n in (z, y, x))
    return zs, ys, xs


def wider(box: tuple[slice, slice, slice], reach: int, shape: tuple[int, ...]) -> tuple[slice, slice, slice]:
    """The box with ``reach`` voxels more on each side, as far as the array goes."""
    z, y, x = (slice(max(0, s.start - reach), min(n, s.stop + reach)) for s, n in zip(box, shape, strict=True))
    return z, y, x


def within(mask: np.ndarray, radius: float) -> np.ndarray:
    """Whether a marked voxel lies within ``radius`` voxels of each voxel, between middles; shape (z, y, x), bool.

    Notes
    -----
    Exact: squared distances along x, then the least of them plus the squared step along y and z in turn. Nothing beyond the radius
    matters, so that whole numbers of two bytes are enough, and slab by slab with as many slices more on each side.

    Raises
    ------
    ValueError
        The radius is above ``MOST_RADIUS``.
    """
    if radius > MOST_RADIUS:
        raise ValueError(f"the radius {radius:g} is above {MOST_RADIUS}")
    marks = np.ascontiguousarray(mask).view(np.uint8) if mask.dtype == bool else np.ascontiguousarray(mask)
    out = np.empty(mask.shape, np.uint8)
    limit, part = int(radius**2 + 1e-9), max(1, min(-(-mask.shape[0] // get_num_threads()), SLICES + 2 * int(radius)))
    in_parts(lambda a, b: _within(marks, a, b, int(radius), np.uint16(limit), out), mask.shape[0], part=part)
    return out.view(bool)


def box_closing(values: np.ndarray, reach: int) -> np.ndarray:
    """Grey values closed by a box of ``2 reach + 1`` voxels: dark places narrower than it are filled; float32."""
    out = np.ascontiguousarray(values, dtype=np.float32)
    for sign in (1.0, -1.0):
        for axis in range(3):
            out = _extreme_along(out, axis, reach, np.float32(sign))
    return out


def _extreme_along(values: np.ndarray, axis: int, reach: int, sign: np.float32) -> np.ndarray:
    shape = values.shape
    lines = values.reshape(int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1 :])))
    out = np.empty_like(lines)
    _extremes(lines, reach, sign, out)
    return out.reshape(shape)


@njit(nogil=True, cache=True)
def _extremes(values, reach, sign, out):  # type: ignore[no-untyped-def]
    """Largest (sign 1) or smallest (sign -1) value of each window along the second axis."""
    before, length, after = values.shape
    for i in range(before):
        for j in range(length):
            first, last = max(j - reach, 0), min(j + reach, length - 1)
            for m in range(after):
                out[i, j, m] = values[i, first, m]
            for k in range(first + 1, last + 1):
                for m in range(after):
                    if sign * values[i, k, m] > sign * out[i, j, m]:
                        out[i, j, m] = values[i, k, m]


@njit(nogil=True, cache=True)
def _widen(marks, begin, end, reach, out):  # type: ignore[no-untyped-def]
    depth, height, width = marks.shape
    plane, row = np.empty((height, width), np.uint8), np.empty(width, np.uint8)
    for z in range(begin, end):
        plane[:] = 0
        for k in range(max(z - reach, 0), min(z + reach, depth - 1) + 1):
            for y in range(height):
                _join(marks[k, y], plane[y])
        for y in range(height):
            row[:] = 0
            for k in range(max(y - reach, 0), min(y + reach, height - 1) + 1):
                _join(plane[k], row)
            out[z, y] = row
            for k in range(1, min(reach, width - 1) + 1):
                _join(row[k:], out[z, y, :-k])
                _join(row[:-k], out[z, y, k:])


@njit(nogil=True, cache=True)
def _join(marks, out):  # type: ignore[no-untyped-def]
    for x in range(out.size):
        out[x] |= marks[x] != 0


@njit(nogil=True, cache=True)
def _within(marks, begin, end, reach, limit, out):  # type: ignore[no-untyped-def]
    depth, height, width = marks.shape
    far = np.uint16(limit + 1)
    low, high = max(begin - reach, 0), min(end + reach, depth)
    rows, planes = np.empty((height, width), np.uint16), np.empty((high - low, height, width), np.uint16)
    held = np.zeros((high - low, height), np.bool_)  # rows with anything near
    some = np.empty(height, np.bool_)
    nearest = np.empty(width, np.uint16)
    for z in range(low, high):
        for y in range(height):
            some[y] = _near_in_row(marks[z, y], reach, far, rows[y])
        for y in range(height):
            held[z - low, y] = _least(rows, some, y, reach, far, planes[z - low, y])
    for z in range(begin, end):
        for y in range(height):
            _least(planes[:, y], held[:, y], z - low, reach, far, nearest)
            for x in range(width):
                out[z, y, x] = nearest[x] <= limit


@njit(nogil=True, cache=True)
def _near_in_row(marks, reach, far, out):  # type: ignore[no-untyped-def]
    """Squared distance along a row, at most ``far``; False where nothing is marked."""
    width, x, last, any_of = marks.size, 0, -1, False
    out[:] = far
    while x < width:
        if marks[x] == 0:
            x += 1
            continue
        any_of = True
        begin = x
        while x < width and marks[x] != 0:
            out[x] = 0
            x += 1
        for k in range(1, min(reach, begin - last - 1) + 1):
            out[begin - k] = min(out[begin - k], np.uint16(k * k))
        for k in range(min(reach, width - x)):
            if marks[x + k] != 0:
                break
            out[x + k] = np.uint16((k + 1) * (k + 1))
        last = x - 1
    return any_of


@njit(nogil=True, cache=True)
def _least(rows, some, at, reach, far, out):  # type: ignore[no-untyped-def]
    """Least of the rows about one, each plus the square of its step, at most ``far``; False where all are far."""
    count, width = rows.shape
    any_of = some[at]
    if any_of:
        out[:] = rows[at]
    else:
        out[:] = far
    for step in range(1, reach + 1):
        square = np.uint16(step * step)
        for other in (at - step, at + step):
            if other < 0 or other >= count or not some[other]:
                continue
            any_of = True
            row = rows[other]
            for x in range(width):
                sum_ = np.uint16(row[x] + square)
                out[x] = sum_ if sum_ < out[x] else out[x]
    return any_of
