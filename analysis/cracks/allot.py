"""Walls of cracks drawn so that the volume of a crack is the absorption that it takes away."""

import numpy as np
from numba import njit

from analysis.core.numerics.blur import blurred, reach
from analysis.core.numerics.parallel import in_parts

CELL = 16  # voxels a side of the cells in which volume is kept
UNSHARP = 1.0  # voxels
HALO = reach(UNSHARP)
MOST_CARRIED = 256.0  # voxels that a cell without room hands on to the next


def sharpened(missing: np.ndarray, strength: float, inner: slice) -> np.ndarray:
    """The values with ``strength`` times what a Gaussian of ``UNSHARP`` voxels would take away from them, float32.

    Blur moves the walls of round cracks towards the middle of their curvature: a domain of a thousand voxels that is enclosed by a crack
    would lose a fifth of its volume. Each value depends on ``HALO`` voxels on each side; only the slices ``inner`` are returned.
    """
    out = blurred(missing, UNSHARP, inner=inner)
    out -= missing[inner]
    out *= np.float32(-strength)
    out += missing[inner]
    return out


def allotted(missing: np.ndarray, order: np.ndarray, zone: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """As many voxels of each cell as absorption is missing in it, those first where ``order`` is highest.

    Parameters
    ----------
    missing
        Shape (z, y, x), float32: 0 in the solid, 1 in the void.
    order
        Same shape, float32, such as ``sharpened(missing)``.
    zone
        Where there may be crack, same shape, bool: wide enough to hold all that blur has spread. Cells begin at multiples of ``CELL``
        slices: a slab that begins at such a slice of a volume has the volume's cells.
    inside
        Where crack may be drawn, same shape, bool: the envelope. What is missing in the zone beyond it counts too, since the blur of a
        crack's mouth lies there.

    Returns
    -------
    np.ndarray
        Same shape, bool.

    Notes
    -----
    Blur moves absorption but makes none: the sum of what is missing is the crack's volume however thin the crack is, whereas a
    threshold at half the contrast loses cracks thinner than the resolution. What rounding leaves in a cell is carried to the next
    along x.
    """
    marks = zone.astype(np.uint8)
    marks += zone & inside
    out = np.zeros(missing.shape, np.uint8)
    in_parts(lambda a, b: _allot(missing, order, marks, a, b, out), missing.shape[0], part=CELL)
    return out.view(bool)


@njit(nogil=True, cache=True)
def _allot(missing, order, marks, begin, end, out):  # type: ignore[no-untyped-def]
    _, height, width = missing.shape
    values = np.empty(CELL**3, np.float32)
    for z in range(begin, end, CELL):
        for y in range(0, height, CELL):
            carried = 0.0
            for x in range(0, width, CELL):
                here = (slice(z, min(z + CELL, end)), slice(y, min(y + CELL, height)), slice(x, min(x + CELL, width)))
                count, total = _gathered(missing[here], order[here], marks[here], values)
                total += carried
                wanted = min(max(int(np.floor(total + 0.5)), 0), count)
                carried = min(max(total - wanted, -MOST_CARRIED), MOST_CARRIED)
                if wanted > 0:
                    limit = np.partition(values[:count], count - wanted)[count - wanted]
                    _above(order[here], marks[here], limit, out[here])


@njit(nogil=True, cache=True)
def _gathered(missing, order, marks, values):  # type: ignore[no-untyped-def]
    """Sum of what is missing in the zone, and number of voxels of it that may be crack, whose order goes into ``values``."""
    count, total = 0, 0.0
    for i in range(missing.shape[0]):
        for j in range(missing.shape[1]):
            for k in range(missing.shape[2]):
                if marks[i, j, k] == 0:
                    continue
                total += missing[i, j, k]
                if marks[i, j, k] == 2:
                    values[count] = order[i, j, k]
                    count += 1
    return count, total


@njit(nogil=True, cache=True)
def _above(order, marks, limit, out):  # type: ignore[no-untyped-def]
    for i in range(order.shape[0]):
        for j in range(order.shape[1]):
            for k in range(order.shape[2]):
                if marks[i, j, k] == 2 and order[i, j, k] >= limit:
                    out[i, j, k] = 1
