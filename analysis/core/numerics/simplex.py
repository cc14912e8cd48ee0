"""Least squares with weights that are not negative, and optionally add up to one: the exact optimum, for many right sides."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from analysis.core.errors import DataError

MOST_PARTS = 10  # the number of supports doubles with each
WORST_CONDITION = 1e10  # of the matrix of products; beyond it the parts are too much alike for float64


class Supports(NamedTuple):
    """Solutions for every choice of parts that are not zero: w = solve[s] @ b + shift[s]. Bit i of s stands for part i."""

    gram: np.ndarray  # (n, n)
    solve: np.ndarray  # (2**n, n, n)
    shift: np.ndarray  # (2**n, n)
    to_one: bool


@dataclass(frozen=True)
class Weights:
    """Weights (N, n) and their standard deviations for unit noise (N, n; 0 at a bound)."""

    weights: np.ndarray
    gain: np.ndarray
    residual: np.ndarray  # (N,) sum of squares that is left
    squares: np.ndarray  # (N,) sum of squares of the row
    used: np.ndarray  # (N,) parts that are not zero


def supports(parts: np.ndarray, *, sum_to_one: bool) -> Supports:
    """What solving needs besides the right sides.

    Parameters
    ----------
    parts
        Shape (E, n), the columns to be combined.
    """
    n = parts.shape[1]
    if n > MOST_PARTS:
        raise DataError(f"{n} references are too many for an exact fit.", hint=f"Choose up to {MOST_PARTS}.")
    gram = np.asarray(parts.T @ parts, dtype=np.float64)
    scale = np.sqrt(np.diag(gram))
    if not (scale > 0).all() or np.linalg.cond(gram / np.outer(scale, scale)) > WORST_CONDITION:
        raise DataError("The references are too much alike: one is a combination of the others.", hint="Leave one of them out.")
    solve, shift = np.zeros((2**n, n, n)), np.zeros((2**n, n))
    for s in range(1, 2**n):
        chosen = [i for i in range(n) if s >> i & 1]
        inverse = np.linalg.inv(gram[np.ix_(chosen, chosen)])
        if sum_to_one:
            along = inverse.sum(axis=1)
            solve[np.ix_([s], chosen, chosen)] = inverse - np.outer(along, along) / along.sum()
            shift[s, chosen] = along / along.sum()
        else:
            solve[np.ix_([s], chosen, chosen)] = inverse
    return Supports(gram, solve, shift, sum_to_one)


def solve(values: np.ndarray, parts: np.ndarray, known: Supports) -> Weights:
    """The weights that minimise ``|y - parts @ w|**2`` for each row y; NaN where a row has a value that is none.

    Parameters
    ----------
    values
        Shape (N, E).
    parts
        Shape (E, n), those of ``known``.

    Notes
    -----
    Starting with all parts, the most negative one is left out until none is negative. That is the optimum where leaving the
    others out does not pay (the conditions of Karush, Kuhn and Tucker); elsewhere all supports are tried. A row's bits do not
    depend on the other rows.
    """
    count, n = len(values), parts.shape[1]
    weights, gain = np.zeros((count, n)), np.zeros((count, n))
    left, used = np.zeros(count), np.zeros(count, dtype=np.int64)
    products, squares = np.zeros((count, n)), np.zeros(count)
    _project(np.ascontiguousarray(values, np.float64), np.ascontiguousarray(parts.T, np.float64), products, squares)
    _solve(products, squares, known, weights, gain, left, used)
    return Weights(weights, gain, left, squares, used)


@njit(nogil=True, cache=True)
def _project(values: np.ndarray, parts: np.ndarray, products: np.ndarray, squares: np.ndarray) -> None:
    for i in range(values.shape[0]):
        for k in range(values.shape[1]):
            squares[i] += values[i, k] * values[i, k]
        for j in range(parts.shape[0]):
            for k in range(values.shape[1]):
                products[i, j] += values[i, k] * parts[j, k]


@njit(nogil=True, cache=True)
def _solve(
    products: np.ndarray,
    squares: np.ndarray,
    known: Supports,
    weights: np.ndarray,
    gain: np.ndarray,
    left: np.ndarray,
    used: np.ndarray,
) -> None:
    gram, table, shift, to_one = known.gram, known.solve, known.shift, known.to_one
    n = gram.shape[0]
    w = np.zeros(n)
    for i in range(products.shape[0]):
        b = products[i]
        if not np.isfinite(squares[i]):
            weights[i] = np.nan
            gain[i] = np.nan
            left[i] = np.nan
            continue
        s = _shrunk(b, table, shift, w, to_one)
        if not _optimal(b, s, gram, w, to_one):
            s = _best(b, gram, table, shift, w, to_one)
        total = squares[i]
        for j in range(n):
            part = 0.0
            for k in range(n):
                part += gram[j, k] * w[k]
            total += w[j] * (part - 2 * b[j])
            weights[i, j] = w[j]
            if s >> j & 1:
                gain[i, j] = np.sqrt(max(table[s, j, j], 0.0))
                used[i] += 1
        left[i] = max(total, 0.0)


@njit(nogil=True, cache=True)
def _at(b: np.ndarray, s: int, table: np.ndarray, shift: np.ndarray, w: np.ndarray) -> None:
    for j in range(b.size):
        total = shift[s, j]
        for k in range(b.size):
            total += table[s, j, k] * b[k]
        w[j] = total


@njit(nogil=True, cache=True)
def _shrunk(b: np.ndarray, table: np.ndarray, shift: np.ndarray, w: np.ndarray, to_one: bool) -> int:
    s = (1 << b.size) - 1
    while s:
        _at(b, s, table, shift, w)
        worst = int(np.argmin(w))
        if w[worst] >= 0:
            return s
        s &= ~(1 << worst)
    w[:] = 0
    return 0


@njit(nogil=True, cache=True)
def _optimal(b: np.ndarray, s: int, gram: np.ndarray, w: np.ndarray, to_one: bool) -> bool:
    """Whether bringing in a part that is zero would not lower the sum of squares."""
    slope = np.zeros(b.size)
    inside = 0.0
    for j in range(b.size):
        slope[j] = -b[j]
        for k in range(b.size):
            slope[j] += gram[j, k] * w[k]
    if to_one:
        many = 0
        for j in range(b.size):
            if s >> j & 1:
                inside += slope[j]
                many += 1
        if many == 0:
            return False
        inside /= many
    lowest = inside
    for j in range(b.size):
        if not s >> j & 1:
            lowest = min(lowest, slope[j])
    return lowest >= inside


@njit(nogil=True, cache=True)
def _best(b: np.ndarray, gram: np.ndarray, table: np.ndarray, shift: np.ndarray, w: np.ndarray, to_one: bool) -> int:
    """The feasible support of the smallest sum of squares."""
    best, least = 0, 0.0 if not to_one else np.inf
    for s in range(1, 1 << b.size):
        _at(b, s, table, shift, w)
        if np.min(w) < 0:
            continue
        total = 0.0
        for j in range(b.size):
            part = -2 * b[j]
            for k in range(b.size):
                part += gram[j, k] * w[k]
            total += w[j] * part
        if total < least:
            best, least = s, total
    if best == 0:
        w[:] = 0
    else:
        _at(b, best, table, shift, w)
    return best
