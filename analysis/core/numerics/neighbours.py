"""Sums and tests over the neighbours of a voxel, with bits that do not depend on how an array is cut into blocks."""

import numpy as np
from numba import njit


def box_sums(values: np.ndarray, reach: int) -> np.ndarray:
    """Sum over the box of ``2 reach + 1`` voxels about each voxel; beyond the array there is nothing.

    Parameters
    ----------
    values
        Shape (y, x) or (z, y, x), finite.

    Returns
    -------
    np.ndarray
        float64, of the same shape. A box is added up axis by axis from its lower to its upper end, so that a voxel's sum is the
        same to the last bit in any block that holds the whole box.
    """
    out = np.ascontiguousarray(values, dtype=np.float64)
    if reach == 0:
        return out.copy()
    for axis in range(values.ndim):
        shape = out.shape
        lines = out.reshape(int(np.prod(shape[:axis])), shape[axis], int(np.prod(shape[axis + 1 :])))
        summed = np.empty_like(lines)
        _along(lines, reach, summed)
        out = summed.reshape(shape)
    return out


@njit(nogil=True, cache=True)
def _along(values: np.ndarray, reach: int, out: np.ndarray) -> None:
    before, length, after = values.shape
    for i in range(before):
        for j in range(length):
            row = out[i, j]
            row[:] = 0
            for k in range(max(j - reach, 0), min(j + reach + 1, length)):
                other = values[i, k]
                for m in range(after):
                    row[m] += other[m]


def near(mask: np.ndarray, reach: int) -> np.ndarray:
    """Whether any voxel of the mask lies in the box of ``2 reach + 1`` voxels about each voxel; shape as the mask's."""
    return np.asarray(box_sums(mask, reach) > 0)
