"""Rank correlation within groups, with its exact permutation distribution.

Groups that differ in both quantities make any two quantities correlate when they are pooled. Ranks are therefore taken within each
group, and only permutations within groups are counted: what remains is what varies together from cell to cell.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from typing import Literal

import numpy as np
from scipy import stats

ENOUGH = 5  # cells; below, no correlation is stated
EXACT = 11  # in one group: 2**n sets times the number of sums are counted
DRAWS = 20_000
_SMALLEST = 2  # of a group: a single cell has no order


@dataclass(frozen=True)
class RankCorrelation:
    """``rho`` over all groups, ``p`` two-sided, ``n`` cells of groups that have two or more. NaN where there are too few."""

    rho: float
    p: float
    n: int
    counts: tuple[int, ...]
    method: Literal["exact", "random permutations", "not enough data"]


def stratified_spearman(x: np.ndarray, y: np.ndarray, groups: Sequence[Hashable], *, seed: int = 0) -> RankCorrelation:
    """Spearman's correlation of ranks within groups, and the share of permutations within groups that are as far from zero.

    Parameters
    ----------
    x, y
        Shape (N,); pairs with a value that is not finite are left out.
    groups
        The group of each pair.
    seed
        Of the random permutations that are drawn where a group has more than 11 members.

    Notes
    -----
    With centred ranks r, s of every group, rho = Σ r·s / √(Σ r² Σ s²), summed over all groups; with one group it is Spearman's. The
    distribution of Σ r·s over all permutations of each group is counted exactly, ties included, and the groups' distributions are
    convolved.

    References
    ----------
    .. [1] J. M. G. Taylor, Biometrics 43, 409 (1987), doi 10.2307/2531821 (correlation in strata).
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    good = np.isfinite(x) & np.isfinite(y)
    owners = np.array([str(g) for g in groups])
    strata = [np.flatnonzero(good & (owners == g)) for g in dict.fromkeys(owners[good].tolist())]
    strata = [s for s in strata if s.size >= _SMALLEST]
    counts = tuple(int(s.size) for s in strata)
    n = sum(counts)
    # Midranks are halves: twice the ranks are whole, and so is their product.
    ranks = [(np.rint(2 * stats.rankdata(x[s])).astype(np.int64), np.rint(2 * stats.rankdata(y[s])).astype(np.int64)) for s in strata]
    spread = [float(np.sum((r - r.mean()) ** 2)) for r, _ in ranks], [float(np.sum((s - s.mean()) ** 2)) for _, s in ranks]
    scale = float(np.sqrt(sum(spread[0]) * sum(spread[1])))
    if n < ENOUGH or scale == 0:
        return RankCorrelation(np.nan, np.nan, n, counts, "not enough data")
    observed = sum(float(np.sum((r - r.mean()) * (s - s.mean()))) for r, s in ranks)
    if max(counts) <= EXACT:
        return RankCorrelation(observed / scale, _exact(ranks, observed), n, counts, "exact")
    return RankCorrelation(observed / scale, _drawn(ranks, observed, seed), n, counts, "random permutations")


def _exact(ranks: Sequence[tuple[np.ndarray, np.ndarray]], observed: float) -> float:
    """Share of all permutations within groups whose Σ r·s is as far from its mean as the observed one."""
    share, centre = np.ones(1), 0.0
    for r, s in ranks:
        share = np.convolve(share, sums_of_products(tuple(np.sort(r).tolist()), tuple(np.sort(s).tolist())))
        centre += r.size * r.mean() * s.mean()
    far = np.abs(np.arange(share.size) - centre) >= abs(observed) - 1e-6
    return float(min(1.0, share[far].sum()))


@lru_cache(maxsize=64)
def sums_of_products(r: tuple[int, ...], s: tuple[int, ...]) -> np.ndarray:
    """Share of the permutations of ``s`` that give each Σ r·s; shape (largest sum + 1,), index = sum.

    By sets: the first k of ``r`` are paired with each set of k of ``s`` once, in as many ways as its parts allow.
    """
    n = len(r)
    largest = sum(a * b for a, b in zip(sorted(r), sorted(s), strict=True))
    ways: dict[int, np.ndarray] = {0: np.zeros(largest + 1)}
    ways[0][0] = 1.0
    for k in range(n):
        grown: dict[int, np.ndarray] = {}
        for taken, counts in ways.items():
            for j in range(n):
                if not taken >> j & 1:
                    step = r[k] * s[j]
                    into = grown.setdefault(taken | 1 << j, np.zeros(largest + 1))
                    into[step:] += counts[: largest + 1 - step]
        ways = grown
    return ways[(1 << n) - 1] / factorial(n)


def _drawn(ranks: Sequence[tuple[np.ndarray, np.ndarray]], observed: float, seed: int) -> float:
    """The same share over random permutations; the observed one counts as one of them."""
    rng = np.random.default_rng(seed)
    total = np.zeros(DRAWS)
    for r, s in ranks:
        total += rng.permuted(np.tile(s - s.mean(), (DRAWS, 1)), axis=1) @ (r - r.mean())
    return float((1 + np.sum(np.abs(total) >= abs(observed) - 1e-6)) / (DRAWS + 1))
