"""Local thickness: in every voxel the diameter of the largest ball inside the mask that holds it."""

from collections.abc import Callable

import numpy as np
from numba import njit

from analysis.core.numerics.components import Components
from analysis.core.numerics.edt import distances
from analysis.core.numerics.morphology import bounds, wider
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
    out = np.zeros(mask.shape, np.float32)
    box = _box(mask)
    if box is not None:
        inner = out[box]

        def keep(begin: int, end: int, found: np.ndarray) -> None:
            inner[begin:end] = found

        _each_slab(mask[box], keep)
    return out


def thickness_along(mask: np.ndarray, runs: Components) -> np.ndarray:
    """Local thickness of the voxels of the mask one after another, shape (voxels,), float32: in the memory of a few slices.

    ``runs`` are those of ``components(mask)``.
    """
    first = runs.first()
    out = np.zeros(int(first[-1]), np.float32)
    box = _box(mask)
    if box is not None:
        origin = np.array([s.start for s in box])

        def keep(begin: int, end: int, found: np.ndarray) -> None:
            own = runs.between(origin[0] + begin, origin[0] + end)
            _gather(runs.row[own], runs.start[own], runs.stop[own], first[own], runs.shape[1], origin, begin, found, out)

        _each_slab(mask[box], keep)
    return out


def _box(mask: np.ndarray) -> tuple[slice, slice, slice] | None:
    """The mask with a voxel around it: what is beyond cannot be seen from inside."""
    box = bounds(mask)
    return None if box is None else wider(box, 1, mask.shape)


def _each_slab(mask: np.ndarray, keep: Callable[[int, int, np.ndarray], None]) -> None:
    """Call ``keep(begin, end, thickness of these slices)`` for slabs of the mask, in threads."""
    away = distances(mask)
    away[~np.isfinite(away)] = float(max(mask.shape))
    halo = int(np.ceil(away.max())) + 1

    def slab(begin: int, end: int) -> None:
        found = np.zeros((end - begin, *mask.shape[1:]), np.float32)
        _paint(away, begin, halo, found)
        keep(begin, end, found)

    in_parts(slab, mask.shape[0], part=max(1, min(2 * halo, mask.shape[0] // 4)))


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
def _ball(away, cz, cy, cx, radius, diameter, begin, out):  # type: ignore[no-untyped-def]
    count, height, width = out.shape
    limit = radius * radius - 1e-4
    for z in range(max(begin, int(np.ceil(cz - radius))), min(begin + count, int(np.floor(cz + radius)) + 1)):
        for y in range(max(0, int(np.ceil(cy - radius))), min(height, int(np.floor(cy + radius)) + 1)):
            for x in range(max(0, int(np.ceil(cx - radius))), min(width, int(np.floor(cx + radius)) + 1)):
                if (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < limit and away[z, y, x] > 0:
                    out[z - begin, y, x] = max(out[z - begin, y, x], diameter)


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
def _paint(away, begin, halo, out):  # type: ignore[no-untyped-def]
    """The thickness in the slices from ``begin`` on, as many as ``out`` has."""
    depth, height, width = away.shape
    for z in range(max(0, begin - halo), min(depth, begin + out.shape[0] + halo)):
        for y in range(height):
            for x in range(width):
                here = away[z, y, x]
                if here == 0 or _is_within_another(away, z, y, x):
                    continue
                _ball(away, float(z), float(y), float(x), here, 2 * here - 1, begin, out)
                for i, j, k in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
                    if _is_between(away, z, y, x, i, j, k):
                        _ball(away, z + i / 2, y + j / 2, x + k / 2, here, 2 * here, begin, out)


@njit(nogil=True, cache=True)
def _gather(row, start, stop, first, height, origin, begin, values, out):  # type: ignore[no-untyped-def]
    for i in range(row.size):
        z, y = row[i] // height - origin[0] - begin, row[i] % height - origin[1]
        for x in range(start[i], stop[i]):
            out[first[i] + x - start[i]] = values[z, y, x - origin[2]]
