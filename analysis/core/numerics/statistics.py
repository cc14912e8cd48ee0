"""Comparing few replicates honestly: intervals with the level that they attain, exact where exact is possible."""

from dataclasses import dataclass
from math import comb
from typing import Literal

import numpy as np
from scipy import stats

FEW = 3  # fewer replicates a side: effect and range only
MANY = 6  # from here on the exact rank test can reach p < 0.05 with room, and is given
EXACT_PAIRS = 2500  # from 50 against 50 on, the normal approximation is as good as the count and much faster
SAYABLE = 5  # "significant" is never said below


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval. ``level`` is the attained one; low and high are NaN where there is none."""

    value: float
    low: float
    high: float
    level: float
    n: int
    std: float = np.nan


@dataclass(frozen=True)
class Effect:
    """How much larger the first group is than the second, over replicates.

    ``low`` and ``high`` bound the interval of ``level``; where ``level`` is None they are the range of all differences between
    single replicates. ``p`` is exact (Mann–Whitney) and given from six a side on. ``significant`` is None where it must not be said.
    """

    value: float
    low: float
    high: float
    level: float | None
    method: Literal["range", "welch", "hodges_lehmann"]
    n_a: int
    n_b: int
    p: float | None = None

    @property
    def significant(self) -> bool | None:
        """Whether the interval, of at least 95 %, excludes zero; None below five replicates a side."""
        if min(self.n_a, self.n_b) < SAYABLE or self.level is None or self.level < 0.95:
            return None
        return self.low > 0 or self.high < 0


def mean_interval(values: np.ndarray, *, level: float = 0.95) -> Interval:
    """Mean with Student's t interval; shape (N,), values that are not finite are left out."""
    x = _finite(values)
    n = x.size
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, level, 0)
    mean = float(np.mean(x))
    if n == 1:
        return Interval(mean, np.nan, np.nan, level, 1)
    std = float(np.std(x, ddof=1))
    half = float(stats.t.ppf(0.5 + level / 2, n - 1)) * std / np.sqrt(n)
    return Interval(mean, mean - half, mean + half, level, n, std)


def welch(a: np.ndarray, b: np.ndarray, *, level: float = 0.95) -> Interval:
    """Difference of means, a - b, with Welch's interval for unequal variances.

    References
    ----------
    .. [1] B. L. Welch, Biometrika 34, 28 (1947), doi 10.1093/biomet/34.1-2.28.
    """
    a, b = _finite(a), _finite(b)
    n = a.size + b.size
    if min(a.size, b.size) < 2:
        return Interval(float(np.mean(a) - np.mean(b)) if a.size and b.size else np.nan, np.nan, np.nan, level, n)
    difference = float(np.mean(a) - np.mean(b))
    va, vb = np.var(a, ddof=1) / a.size, np.var(b, ddof=1) / b.size
    if va + vb == 0:
        return Interval(difference, difference, difference, level, n)
    freedom = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
    half = float(stats.t.ppf(0.5 + level / 2, freedom) * np.sqrt(va + vb))
    return Interval(difference, difference - half, difference + half, level, n)


def hodges_lehmann(a: np.ndarray, b: np.ndarray, *, level: float = 0.95) -> Interval:
    """Median of all differences a_i - b_j, with the exact interval that inverts the rank-sum test.

    The level is a step function of the sample sizes: the narrowest interval that attains ``level`` is taken, else the widest there is;
    the attained level is returned (3 against 3: 90 %).

    References
    ----------
    .. [1] J. L. Hodges, E. L. Lehmann, Ann. Math. Stat. 34, 598 (1963), doi 10.1214/aoms/1177704172.
    .. [2] M. Hollander, D. A. Wolfe, E. Chicken, Nonparametric Statistical Methods, 3rd ed., Wiley (2014), section 4.3.
    """
    a, b = _finite(a), _finite(b)
    if not (a.size and b.size):
        return Interval(np.nan, np.nan, np.nan, level, a.size + b.size)
    differences = np.sort((a[:, None] - b[None, :]).ravel())
    tail = _lower_tail(a.size, b.size)
    outside = int(np.sum(tail <= (1 - level) / 2 + 1e-12))  # values of U too small to be believed, so differences cut on each side
    cut = min(max(outside - 1, 0), (differences.size - 1) // 2)
    attained = 1 - 2 * float(tail[cut])
    return Interval(float(np.median(differences)), float(differences[cut]), float(differences[-1 - cut]), attained, a.size + b.size)


def _lower_tail(n_a: int, n_b: int) -> np.ndarray:
    """P(U <= u) for u = 0 … n_a n_b - 1 where both samples are of one distribution without ties."""
    pairs = n_a * n_b
    if pairs > EXACT_PAIRS:
        return stats.norm.cdf((np.arange(pairs) + 0.5 - pairs / 2) / np.sqrt(pairs * (n_a + n_b + 1) / 12))
    counts = _rank_sum_counts(np.arange(1, n_a + n_b + 1), n_a)
    smallest = n_a * (n_a + 1) // 2  # rank sum at U = 0
    return np.cumsum(counts[smallest:])[:pairs] / comb(n_a + n_b, n_a)


def mann_whitney(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sided p of the rank-sum test, ties included: the share of all allocations whose rank sum is as far from its mean.

    Exact up to 2500 pairs, by the normal approximation with its corrections for ties and continuity above.
    """
    a, b = _finite(a), _finite(b)
    if not (a.size and b.size):
        return np.nan
    if a.size * b.size > EXACT_PAIRS:
        return float(stats.mannwhitneyu(a, b, alternative="two-sided", method="asymptotic").pvalue)
    doubled = np.rint(2 * stats.rankdata(np.concatenate([a, b]))).astype(np.int64)  # midranks are halves: twice them is whole
    counts = _rank_sum_counts(doubled, a.size)
    sums = np.arange(counts.size)
    centre = a.size * (a.size + b.size + 1)
    far = np.abs(sums - centre) >= abs(int(doubled[: a.size].sum()) - centre)
    return float(counts[far].sum() / comb(a.size + b.size, a.size))


def _rank_sum_counts(ranks: np.ndarray, chosen: int) -> np.ndarray:
    """In how many ways ``chosen`` of the whole-numbered ranks add up to each sum; shape (S,), index = sum."""
    largest = int(np.sort(ranks)[-chosen:].sum())
    ways = np.zeros((chosen + 1, largest + 1))
    ways[0, 0] = 1.0
    for rank in ranks:
        for k in range(chosen, 0, -1):
            ways[k, rank:] += ways[k - 1, : largest + 1 - rank]
    return ways[chosen]


def compare(a: np.ndarray, b: np.ndarray, *, method: Literal["welch", "hodges_lehmann"] = "hodges_lehmann", level: float = 0.95) -> Effect:
    """Effect of group a over group b, by what the number of replicates allows.

    Fewer than three a side: difference of means and the range of all single differences, without a level.
    Fewer than six: Welch's interval or the exact Hodges–Lehmann interval at its attained level.
    Six and more: Hodges–Lehmann with the exact Mann–Whitney p.
    No bootstrap: at n = 3 its nominal 95 % covers 79 %.
    """
    a, b = _finite(a), _finite(b)
    fewest = min(a.size, b.size)
    if fewest < FEW:
        if fewest == 0:
            return Effect(np.nan, np.nan, np.nan, None, "range", a.size, b.size)
        low, high = float(np.min(a) - np.max(b)), float(np.max(a) - np.min(b))
        return Effect(float(np.mean(a) - np.mean(b)), low, high, None, "range", a.size, b.size)
    if fewest < MANY and method == "welch":
        found = welch(a, b, level=level)
        return Effect(found.value, found.low, found.high, found.level, "welch", a.size, b.size)
    found = hodges_lehmann(a, b, level=level)
    p = mann_whitney(a, b) if fewest >= MANY else None
    return Effect(found.value, found.low, found.high, found.level, "hodges_lehmann", a.size, b.size, p)


def _finite(values: np.ndarray) -> np.ndarray:
    x = np.asarray(values, dtype=float)
    return x[np.isfinite(x)]
