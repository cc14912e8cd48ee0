"""Statistics of values that know their neighbours: how far they resemble each other, how many are independent, resampling by blocks."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

FEWEST_BLOCKS = 20
ENDS_AT = 0.05  # correlation
TOGETHER = 100  # resamples that are summed in one multiplication
BLOCK_LENGTHS = 3.0  # side of a block in correlation lengths, at least


@dataclass(frozen=True)
class Correlation:
    """How a map resembles itself.

    ``length`` in voxels is where the correlation of the values without their noise has fallen to 1/e; ``n_effective`` is the
    number of independent values whose mean would be as certain as that of all ``n``. ``curve`` is the correlation at lags 0, 1, 2 …
    """

    length: float
    n: int
    n_effective: float
    curve: np.ndarray


def correlation(values: np.ndarray, mask: np.ndarray, *, noise_variance: float = 0.0) -> Correlation:
    """Correlation of a masked map along its axes.

    Parameters
    ----------
    values, mask
        Shape (y, x) or (z, y, x). Values outside the mask are not looked at.
    noise_variance
        Of the values, independent from voxel to voxel: it is taken off the variance.

    Notes
    -----
    At a lag all pairs along all axes count alike. The variance of the mean is (noise + signal * V) / n, with V the sum of the
    signal's correlation over all lags in the plane or in space, taken to be the same in all directions; the sum ends where the
    correlation has fallen to 5 %, since noise rules beyond.
    """
    n = int(mask.sum())
    if n < 2:
        return Correlation(0.0, n, float(n), np.ones(1))
    off = np.where(mask, values - np.mean(values[mask], dtype=np.float64), 0.0)
    variance = float(np.sum(off**2) / n)
    signal = variance - noise_variance
    if not signal > 0:
        return Correlation(0.0, n, float(n), np.ones(1))
    curve = [1.0]
    for lag in range(1, max(2, max(values.shape) // 2)):
        product, pairs = _at_lag(off, mask, lag)
        if pairs < n // 20 + 1:
            break
        curve.append(product / pairs / signal)
        if curve[-1] < ENDS_AT:
            break
    found = np.array(curve)
    length = _falls_to(found, 1 / np.e)
    lags = np.arange(1, found.size)
    shells = 2 * np.pi * lags if values.ndim == 2 else 4 * np.pi * lags**2
    volume = max(1.0, 1.0 + float(np.sum(shells * np.clip(found[1:], 0.0, 1.0))))
    independent = n * variance / (variance - signal + signal * volume)
    return Correlation(length, n, float(np.clip(independent, 1.0, n)), found)


def _at_lag(off: np.ndarray, mask: np.ndarray, lag: int) -> tuple[float, int]:
    product, pairs = 0.0, 0
    for axis in range(off.ndim):
        if off.shape[axis] <= lag:
            continue
        here = tuple(slice(None, -lag) if a == axis else slice(None) for a in range(off.ndim))
        there = tuple(slice(lag, None) if a == axis else slice(None) for a in range(off.ndim))
        product += float(np.sum(off[here] * off[there]))
        pairs += int(np.sum(mask[here] & mask[there]))
    return product, pairs


def _falls_to(curve: np.ndarray, level: float) -> float:
    """Lag at which a curve first passes below a level, between points along a line; its last lag where it does not."""
    below = np.flatnonzero(curve < level)
    if not below.size:
        return float(curve.size - 1)
    k = int(below[0])
    return float(k - 1 + (curve[k - 1] - level) / (curve[k - 1] - curve[k]))


def block_labels(mask: np.ndarray, side: int) -> tuple[np.ndarray, int]:
    """For every voxel of the mask, in order, which cube of ``side`` voxels it lies in; and how many cubes hold any."""
    label = np.zeros(mask.shape, dtype=np.int32)
    for axis, length in enumerate(mask.shape):
        place = np.arange(length, dtype=np.int32) // np.int32(side)
        shape = [1] * mask.ndim
        shape[axis] = length
        label *= place[-1] + 1
        label += place.reshape(shape)
    inside = label[mask]
    used = np.bincount(inside) > 0
    renumbered = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return renumbered[inside], int(used.sum())


@dataclass(frozen=True)
class BlockIntervals:
    """Percentile intervals, ``low`` and ``high`` of shape (S,), from ``blocks`` blocks of ``side`` voxels."""

    low: np.ndarray
    high: np.ndarray
    side: int
    blocks: int


def block_bootstrap(
    counts: np.ndarray,
    statistics: Callable[[np.ndarray], np.ndarray],
    *,
    side: int,
    resamples: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> BlockIntervals | None:
    """Intervals of statistics of a histogram, by drawing blocks of space with replacement; None below 20 blocks.

    Parameters
    ----------
    counts
        Shape (blocks, bins), the histogram of each block.
    statistics
        From a histogram of shape (bins,) to numbers of shape (S,).

    Notes
    -----
    Blocks keep what neighbours have in common (Künsch [1]_). The interval tells how certain a number is for this one piece of
    matter; it says nothing about other particles.

    References
    ----------
    .. [1] H. R. Künsch, Ann. Stat. 17, 1217 (1989), doi 10.1214/aos/1176347265.
    """
    blocks = len(counts)
    if blocks < FEWEST_BLOCKS:
        return None
    rng = np.random.default_rng(seed)
    drawn = []
    for start in range(0, resamples, TOGETHER):
        times = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=min(TOGETHER, resamples - start))
        drawn += [statistics(c) for c in times.astype(np.float64) @ counts]
    low, high = np.nanquantile(np.stack(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return BlockIntervals(low, high, side, blocks)


def block_side(length: float) -> int:
    """Side of a bootstrap block in voxels for a correlation length."""
    return max(2, int(np.ceil(BLOCK_LENGTHS * length)))
