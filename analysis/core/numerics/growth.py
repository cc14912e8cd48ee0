"""Labels that grow into the rest of a mask, nearest first."""

import numpy as np
from numba import njit


def grown(label: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Labels spread over faces through the mask, each voxel to the label that reaches it in the fewest steps.

    Parameters
    ----------
    label
        Shape (z, y, x), int32, 0 where there is none yet.
    mask
        Same shape, bool; where labels may go.

    Returns
    -------
    np.ndarray
        Same shape, int32; 0 where the mask is not connected to any label. Of two labels at equal steps the one that comes first in
        the array wins.
    """
    out = label.copy()
    front = np.empty(int(np.count_nonzero(mask)) + 1, np.int64)
    _grow(out, mask, front)
    return out


@njit(nogil=True, cache=True)
def _grow(label, mask, front):  # type: ignore[no-untyped-def]
    depth, height, width = label.shape
    begin, end = 0, 0
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if label[z, y, x] > 0 and _is_rim(label, mask, z, y, x):
                    front[end] = (z * height + y) * width + x
                    end += 1
    while begin < end:
        place = front[begin]
        begin += 1
        z, rest = place // (height * width), place % (height * width)
        y, x = rest // width, rest % width
        for side in range(6):
            way = 2 * (side % 2) - 1
            i, j, k = z + way * (side // 2 == 0), y + way * (side // 2 == 1), x + way * (side // 2 == 2)
            if i < 0 or j < 0 or k < 0 or i >= depth or j >= height or k >= width:
                continue
            if mask[i, j, k] and label[i, j, k] == 0:
                label[i, j, k] = label[z, y, x]
                front[end] = (i * height + j) * width + k
                end += 1


@njit(nogil=True, cache=True)
def _is_rim(label, mask, z, y, x):  # type: ignore[no-untyped-def]
    depth, height, width = label.shape
    for side in range(6):
        way = 2 * (side % 2) - 1
        i, j, k = z + way * (side // 2 == 0), y + way * (side // 2 == 1), x + way * (side // 2 == 2)
        if 0 <= i < depth and 0 <= j < height and 0 <= k < width and mask[i, j, k] and label[i, j, k] == 0:
            return True
    return False
