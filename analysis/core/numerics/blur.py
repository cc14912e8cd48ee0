"""Gaussian smoothing of volumes, with bits that do not depend on how a volume is cut into slabs."""

import numpy as np
from numba import njit

from analysis.core.numerics.parallel import in_parts

CUT = 3.5  # standard deviations at which the kernel ends


def reach(sigma: float) -> int:
    """Voxels on each side that a smoothed value depends on."""
    return int(np.ceil(CUT * sigma)) if sigma > 0 else 0


def weights(sigma: float) -> np.ndarray:
    """One half of the kernel from its middle on, float32; the whole kernel adds up to 1."""
    half = np.exp(-0.5 * (np.arange(reach(sigma) + 1) / sigma) ** 2) if sigma > 0 else np.ones(1)
    return (half / (2 * half.sum() - half[0])).astype(np.float32)


def blurred(values: np.ndarray, sigma: float | tuple[float, float, float], *, inner: slice | None = None) -> np.ndarray:
    """The volume smoothed by a Gaussian; beyond the array the outermost values go on.

    Parameters
    ----------
    values
        Shape (z, y, x), finite, any real type.
    sigma
        Standard deviation in voxels, one for all axes or one each; 0 leaves values as they are.
    inner
        Only these slices are returned; a slab with ``reach(sigma)`` slices more on each side gives the bits of the whole volume.

    Returns
    -------
    np.ndarray
        Shape (slices, y, x), float32.
    """
    per_axis = (sigma,) * 3 if isinstance(sigma, int | float) else sigma
    down, across, along = (weights(float(s)) for s in per_axis)
    start, stop = (inner.start, inner.stop) if inner is not None else (0, values.shape[0])
    given = np.ascontiguousarray(values)
    if given.dtype == bool:
        given = given.view(np.uint8)
    elif given.dtype not in (np.float32, np.uint8):
        given = given.astype(np.float32)
    out = np.empty((stop - start, *values.shape[1:]), np.float32)
    in_parts(lambda a, b: _blur(given, start + a, start + b, down, across, along, out[a:b]), stop - start)
    return out


@njit(nogil=True, cache=True)
def _blur(values, start, stop, down, across, along, out):  # type: ignore[no-untyped-def]
    _, height, width = values.shape
    plane = np.empty((height, width), np.float32)
    row = np.empty(width + 2 * (along.size - 1), np.float32)
    for z in range(start, stop):
        for y in range(height):
            _down(values, z, y, down, plane[y])
        for y in range(height):
            _across(plane, y, across, row[along.size - 1 : along.size - 1 + width])
            _along(row, along, out[z - start, y])


@njit(nogil=True, cache=True)
def _down(values, z, y, kernel, out):  # type: ignore[no-untyped-def]
    last, first = values.shape[0] - 1, values[z, y]
    for x in range(out.size):
        out[x] = kernel[0] * first[x]
    for k in range(1, kernel.size):
        w = kernel[k]
        above, below = values[max(z - k, 0), y], values[min(z + k, last), y]
        for x in range(out.size):
            out[x] += w * (np.float32(above[x]) + np.float32(below[x]))


@njit(nogil=True, cache=True)
def _across(plane, y, kernel, out):  # type: ignore[no-untyped-def]
    last, first = plane.shape[0] - 1, plane[y]
    for x in range(out.size):
        out[x] = kernel[0] * first[x]
    for k in range(1, kernel.size):
        w = kernel[k]
        above, below = plane[max(y - k, 0)], plane[min(y + k, last)]
        for x in range(out.size):
            out[x] += w * (above[x] + below[x])


@njit(nogil=True, cache=True)
def _along(row, kernel, out):  # type: ignore[no-untyped-def]
    """``row`` has a halo on both sides, which is filled with its outermost values."""
    halo, width = kernel.size - 1, out.size
    for k in range(halo):
        row[k], row[halo + width + k] = row[halo], row[halo + width - 1]
    for x in range(width):
        out[x] = kernel[0] * row[halo + x]
    for k in range(1, kernel.size):
        w = kernel[k]
        for x in range(width):
            out[x] += w * (row[halo + x - k] + row[halo + x + k])
