"""Local thickness: in every voxel the diameter of the largest ball inside the mask that holds it."""

import numpy as np
from numba import njit

from analysis.core.numerics.edt import distances
from analysis.core.numerics.parallel import in_parts

ALIKE = 0.25  # distances of two neighbours on either side of a middle that lies between voxels differ by less, in voxels


def thickness(mask: np.ndarray) -> np.ndarray:
    """Local thickness in voxels.

    Parameters
    ----------
    mask
        Shape (z, y, x), bool.

    Returns
    -------
    np.ndarray
        Same shape, float32, 0 outside the mask.

    Notes
    -----
    Balls stand on voxels' middles, and half-way between two where the thickness is an even number of voxels: a plane sheet along the
    axes has its exact width. Of slanted sheets the width is known to about a voxel.

    References
    ----------
    .. [1] T. Hildebrand, P. Rüegsegger, J. Microsc. 185, 67 (1997), doi 10.1046/j.1365-2818.1997.1340694.x.
    """
    away = distances(mask)
    away[~np.isfinite(away)] = float(max(mask.shape))
    halo = int(np.ceil(away.max())) + 1
    out = np.zeros(mask.shape, np.float32)
    in_parts(lambda a, b: _paint(away, a, b, halo, out), mask.shape[0])
    return out


@njit(nogil=True, cache=True)
def _at(away, z, y, x):  # type: ignore[no-untyped-def]
    depth, height, width = away.shape
    if z < 0 or y < 0 or x < 0 or z >= depth or y >= height or x >= width:
        return np.float32(0.0)
    return away[z, y, x]


@njit(nogil=True, cache=True)
def _is_within_another(away, z, y, x):  # type: ignore[no-untyped-def]
    """Whether the ball of a neighbour holds the ball of this voxel."""
    here = away[z, y, x]
    for i in range(-1, 2):
        for j in range(-1, 2):
            for k in range(-1, 2):
                step = np.sqrt(np.float32(i * i + j * j + k * k))
                if step > 0 and _at(away, z + i, y + j, x + k) >= here + step - 1e-4:
                    return True
    return False


@njit(nogil=True, cache=True)
def _ball(away, cz, cy, cx, radius, diameter, begin, end, out):  # type: ignore[no-untyped-def]
    _, height, width = out.shape
    limit = radius * radius - 1e-4
    for z in range(max(begin, int(np.ceil(cz - radius))), min(end, int(np.floor(cz + radius)) + 1)):
        for y in range(max(0, int(np.ceil(cy - radius))), min(height, int(np.floor(cy + radius)) + 1)):
            for x in range(max(0, int(np.ceil(cx - radius))), min(width, int(np.floor(cx + radius)) + 1)):
                if (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < limit and away[z, y, x] > 0 and out[z, y, x] < diameter:
                    out[z, y, x] = diameter


@njit(nogil=True, cache=True)
def _is_between(away, z, y, x, i, j, k):  # type: ignore[no-untyped-def]
    """Whether the middle of the mask lies between this voxel and the next along a direction."""
    here = away[z, y, x]
    return (
        abs(_at(away, z + i, y + j, x + k) - here) < ALIKE
        and _at(away, z - i, y - j, x - k) < here - ALIKE
        and _at(away, z + 2 * i, y + 2 * j, x + 2 * k) < here - ALIKE
    )


@njit(nogil=True, cache=True)
def _paint(away, begin, end, halo, out):  # type: ignore[no-untyped-def]
    depth, height, width = away.shape
    for z in range(max(0, begin - halo), min(depth, end + halo)):
        for y in range(height):
            for x in range(width):
                here = away[z, y, x]
                if here == 0 or _is_within_another(away, z, y, x):
                    continue
                _ball(away, float(z), float(y), float(x), here, 2 * here - 1, begin, end, out)
                for i, j, k in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
                    if _is_between(away, z, y, x, i, j, k):
                        _ball(away, z + i / 2, y + j / 2, x + k / 2, here, 2 * here, begin, end, out)
