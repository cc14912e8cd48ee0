"""Means and tests over the neighbours of a voxel, with bits that do not depend on how an array is cut into blocks."""

import numpy as np
from numba import njit


def pooled_mean(values: np.ndarray, used: np.ndarray, reach: int) -> np.ndarray:
    """Mean of the used voxels in the box of ``2 reach + 1`` voxels about each voxel.

    Parameters
    ----------
    values
        Shape (y, x) or (z, y, x), float; looked at where ``used`` only.
    used
        Of the same shape, bool.

    Returns
    -------
    np.ndarray
        float64, of the same shape; NaN where no voxel of the box is used. A box is added up axis by axis from its lower to its
        upper end, so that a voxel's mean is the same to the last bit in any block that holds the whole box.
    """
    out = np.empty(values.shape)
    volume = (1,) * (3 - values.ndim) + values.shape
    _pooled_mean(values.reshape(volume), used.reshape(volume).view(np.uint8), reach, out.reshape(volume))
    return out


@njit(nogil=True, cache=True)
def _pooled_mean(values: np.ndarray, used: np.ndarray, reach: int, out: np.ndarray) -> None:
    """One image of sums along z after the other: images and rows of sums stay in the processor's cache."""
    depth, height, width = values.shape
    of_z, count_z = np.empty((height, width)), np.empty((height, width), np.float32)
    of_y, count_y = np.empty(width), np.empty(width, np.float32)
    of_x, count_x = np.empty(width), np.empty(width, np.float32)
    for z in range(depth):
        of_z[:] = 0
        count_z[:] = 0
        for k in range(max(z - reach, 0), min(z + reach + 1, depth)):
            for y in range(height):
                value, use, total, count = values[k, y], used[k, y], of_z[y], count_z[y]
                for x in range(width):
                    total[x] += value[x] if use[x] != 0 else 0.0
                    count[x] += np.float32(use[x])
        for y in range(height):
            of_y[:] = 0
            count_y[:] = 0
            for k in range(max(y - reach, 0), min(y + reach + 1, height)):
                total, count = of_z[k], count_z[k]
                for x in range(width):
                    of_y[x] += total[x]
                    count_y[x] += count[x]
            _shifted_sums(of_y, reach, of_x)
            _shifted_sums(count_y, reach, count_x)
            row = out[z, y]
            for x in range(width):
                row[x] = of_x[x] / count_x[x] if count_x[x] > 0 else np.nan


@njit(nogil=True, cache=True)
def _shifted_sums(row: np.ndarray, reach: int, out: np.ndarray) -> None:
    """Sums along a row: neighbour after neighbour for the whole row, which the processor does many at a time."""
    out[:] = 0
    for k in range(-reach, reach + 1):
        first, last = max(0, -k), min(row.size, row.size - k)
        if first >= last:
            continue
        part, other = out[first:last], row[first + k : last + k]
        for x in range(part.size):
            part[x] += other[x]


def near(mask: np.ndarray, reach: int) -> np.ndarray:
    """Whether any voxel of the mask lies in the box of ``2 reach + 1`` voxels about each voxel; shape as the mask's."""
    out = mask != 0
    for axis in range(mask.ndim):
        before, out = out, out.copy()
        for k in range(1, min(reach, mask.shape[axis] - 1) + 1):
            low = (slice(None),) * axis + (slice(None, -k),)
            high = (slice(None),) * axis + (slice(k, None),)
            out[low] |= before[high]
            out[high] |= before[low]
    return np.asarray(out)
