"""Masks and grey values widened, narrowed and closed."""

import numpy as np
from numba import njit

from analysis.core.numerics.edt import squared_distances
from analysis.core.numerics.parallel import in_parts


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
    rim = int(np.ceil(radius)) + 1
    around = np.pad(mask == 0, rim, constant_values=True)
    grown = squared_distances(around) <= radius**2
    shrunk = squared_distances(grown) > radius**2
    inner = (slice(rim, -rim),) * 3
    return shrunk[inner] | (mask != 0)


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
