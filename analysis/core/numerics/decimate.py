"""Fewer points that draw the same picture."""

import numpy as np
from numba import njit


def min_max(x: np.ndarray, y: np.ndarray, points: int) -> np.ndarray:
    """Indices of the first, lowest, highest and last point of each of ``points // 4`` buckets of equal width in ``x``.

    Parameters
    ----------
    x
        Shape (N,), not decreasing.
    y
        Shape (N,). Points that are not finite in y are never chosen as extremes.
    points
        About how many to keep, at least 4.

    Returns
    -------
    np.ndarray
        Shape (M,), increasing, M <= max(points, 4): drawn at no more than one bucket per pixel column, lines through these points cover
        the pixels that lines through all points cover [1]_.

    References
    ----------
    .. [1] U. Jugel et al., Proc. VLDB Endow. 7, 797 (2014), doi 10.14778/2732951.2732953.
    """
    if x.size <= points:
        return np.arange(x.size)
    x, y = _read_only(x), _read_only(y)
    kept = np.empty(x.size if x.size < 4 else 4 * max(points // 4, 1), dtype=np.int64)
    return kept[: _min_max(x, y, max(points // 4, 1), kept)]


def _read_only(values: np.ndarray) -> np.ndarray:
    """A contiguous view that nobody writes to: one kind of array, so that the loop is compiled once."""
    view = np.ascontiguousarray(values, dtype=float).view()
    view.flags.writeable = False
    return view


@njit(cache=True, nogil=True)
def _bucket_end(x, begin, limit):  # type: ignore[no-untyped-def]
    """First index from ``begin`` on whose x is at least ``limit``; x is sorted."""
    low, high = begin, x.size
    while low < high:
        middle = (low + high) // 2
        if x[middle] < limit:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _extremes(y, begin, end):  # type: ignore[no-untyped-def]
    lowest, highest = begin, begin
    for k in range(begin, end):
        if y[k] < y[lowest] or not np.isfinite(y[lowest]):
            lowest = k
        if y[k] > y[highest] or not np.isfinite(y[highest]):
            highest = k
    return lowest, highest


@njit(cache=True, nogil=True)
def _min_max(x, y, buckets, kept):  # type: ignore[no-untyped-def]
    count, begin = 0, 0
    width = (x[-1] - x[0]) / buckets
    for b in range(buckets):
        end = x.size if b == buckets - 1 else _bucket_end(x, begin, x[0] + (b + 1) * width)
        if end > begin:
            lowest, highest = _extremes(y, begin, end)
            for k in (begin, min(lowest, highest), max(lowest, highest), end - 1):
                if count == 0 or k > kept[count - 1]:
                    kept[count] = k
                    count += 1
        begin = end
    return count
