"""Regions that a hand drew, as masks."""

import numpy as np

from analysis.core.errors import DataError

MOST_CORNERS = 10_000


def inside(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose middle lies inside a polygon.

    Parameters
    ----------
    polygon
        Shape (n, 2), n ≥ 3: row and column of each corner in pixels; pixel i covers i … i + 1. The last corner joins the first.
    shape
        Rows and columns of the picture.

    Returns
    -------
    np.ndarray
        Shape ``shape``, bool. Where the polygon crosses itself, what it encloses an odd number of times counts.
    """
    if polygon.ndim != 2 or polygon.shape[1] != 2 or not 3 <= len(polygon) <= MOST_CORNERS or not np.isfinite(polygon).all():
        raise DataError("A region needs at least three corners.", hint="Draw around it with the lasso.")
    found = np.zeros(shape, bool)
    middles = np.arange(shape[1]) + 0.5
    first, second = polygon, np.roll(polygon, -1, axis=0)
    for row in range(shape[0]):
        y = row + 0.5
        crossing = (first[:, 0] <= y) != (second[:, 0] <= y)
        a, b = first[crossing], second[crossing]
        at = a[:, 1] + (y - a[:, 0]) / (b[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
        found[row] = (middles[:, None] > at).sum(axis=1) % 2 == 1
    return found
