"""Least squares of values that resemble their neighbours: intervals from leaving out one block of space at a time."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.core.numerics.spatial import FEWEST_BLOCKS


@dataclass(frozen=True)
class BlockFit:
    """Coefficients with their intervals, shape (p,) each; ``low`` and ``high`` are NaN where there are too few blocks."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float
    n: int
    blocks: int


def block_growth(curve: np.ndarray, side: int) -> float:
    """Factor by which blocks of ``side`` voxels understate a variance, because neighbours resemble each other across their faces too.

    Parameters
    ----------
    curve
        Correlation at lags 0, 1, 2 …, in all directions alike, shape (lags,).

    Notes
    -----
    The variance of a sum is its sum of correlations over all pairs. Of the pairs r apart along an axis, |r| / side fall into different
    blocks; with m the mean of |r| along an axis, weighted by the correlation in space, (1 - m / side)**3 of the sum stays within blocks.
    """
    lags = np.arange(1, curve.size)
    weight = 4 * np.pi * lags**2 * np.clip(curve[1:], 0.0, 1.0)
    total = float(weight.sum())
    if total == 0:
        return 1.0
    apart = float(np.sum(weight * lags) / total / 2)
    kept = max(1 - apart / side, 0.3) ** 3
    return (1 + total) / (1 + kept * total)


def block_fit(design: np.ndarray, values: np.ndarray, block: np.ndarray, *, growth: float = 1.0, level: float = 0.95) -> BlockFit:
    """Coefficients of a linear model with the jackknife's interval over blocks.

    Parameters
    ----------
    design
        Shape (n, p); a column of ones for the constant.
    values
        Shape (n,).
    block
        Shape (n,), numbers of the blocks from 0: cubes of space whose sides are a few correlation lengths.
    growth
        Of ``block_growth``: what the variance between blocks is multiplied by.

    Notes
    -----
    The variance is that of the estimates with one block left out each time, (G - 1)/G times their sum of squares [1]_, which errs to
    the safe side; Student's t with as many degrees of freedom as blocks of equal weight would give, less p. Blocks count by
    their share of the information about each coefficient. Below 20 blocks there is no interval.

    References
    ----------
    .. [1] J. G. MacKinnon, M. Ø. Nielsen, M. D. Webb, J. Appl. Econom. 38, 671 (2023), doi 10.1002/jae.2969.
    """
    n, p = design.shape
    count = int(block.max()) + 1 if n else 0
    square, product = np.zeros((count, p, p)), np.zeros((count, p))
    for i in range(p):
        product[:, i] = np.bincount(block, design[:, i] * values, minlength=count)
        for j in range(i, p):
            square[:, i, j] = square[:, j, i] = np.bincount(block, design[:, i] * design[:, j], minlength=count)
    whole, target = square.sum(axis=0), product.sum(axis=0)
    none = np.full(p, np.nan)
    if n <= p or np.linalg.matrix_rank(whole) < p:
        return BlockFit(none, none, none, level, n, count)
    value = np.linalg.solve(whole, target)
    if count < FEWEST_BLOCKS:
        return BlockFit(value, none, none, level, n, count)
    without = np.linalg.solve(whole - square, (target - product)[..., None])[..., 0]
    spread = np.sqrt(growth * (count - 1) / count * np.sum((without - value) ** 2, axis=0))
    half = stats.t.ppf(0.5 + level / 2, np.maximum(_alike(square, whole) - p, 1.0)) * spread
    return BlockFit(value, value - half, value + half, level, n, count)


def _alike(square: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """How many blocks of equal weight know as much about each coefficient, shape (p,)."""
    inverse = np.linalg.inv(whole)
    weight = np.einsum("ij,gjk,ki->gi", inverse, square, inverse)
    return np.asarray(weight.sum(axis=0) ** 2 / np.sum(weight**2, axis=0))
