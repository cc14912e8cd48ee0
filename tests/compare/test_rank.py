"""Rank correlation within groups: exact p against all permutations written out, and against SciPy."""

from itertools import permutations, product

import numpy as np
import pytest
from scipy import stats

from analysis.compare.rank import stratified_spearman


def by_hand(x: list[np.ndarray], y: list[np.ndarray]) -> tuple[float, float]:
    """rho and the share of all permutations within groups that are as far from zero."""
    r, s = ([stats.rankdata(v) - np.mean(stats.rankdata(v)) for v in side] for side in (x, y))
    seen = sum(a @ b for a, b in zip(r, s, strict=True))
    every = [sum(a @ np.array(q) for a, q in zip(r, qs, strict=True)) for qs in product(*(permutations(b) for b in s))]
    scale = np.sqrt(sum(a @ a for a in r) * sum(b @ b for b in s))
    return seen / scale, float(np.mean(np.abs(every) >= abs(seen) - 1e-9))


@pytest.mark.parametrize("ties", [False, True])
def test_two_groups_agree_with_all_permutations(ties: bool) -> None:
    rng = np.random.default_rng(3)
    x, y = ([rng.normal(size=n) for n in (4, 3)] for _ in range(2))
    if ties:
        x, y = ([np.round(v, 0) for v in side] for side in (x, y))
    found = stratified_spearman(np.concatenate(x), np.concatenate(y), ["a"] * 4 + ["b"] * 3)
    rho, p = by_hand(x, y)
    assert (found.rho, found.p, found.n, found.counts) == (pytest.approx(rho), pytest.approx(p), 7, (4, 3))


def test_one_group_is_spearman() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 8))
    assert stratified_spearman(x, y, ["a"] * 8).rho == pytest.approx(stats.spearmanr(x, y).statistic)


def test_groups_that_differ_do_not_fake_a_correlation() -> None:
    """Pooled, ranks of two distant groups correlate by 0.8 and more; within them nothing is related."""
    x = np.array([1.0, 2, 3, 4, 101, 102, 103, 104])
    y = np.array([2.0, 4, 1, 3, 103, 101, 104, 102])
    found = stratified_spearman(x, y, ["a"] * 4 + ["b"] * 4)
    assert stats.spearmanr(x, y).statistic > 0.7
    assert found.rho == pytest.approx(0.0) and found.p == pytest.approx(1.0)


def test_the_smallest_p_is_one_over_the_number_of_permutations() -> None:
    found = stratified_spearman(np.arange(8.0), np.arange(8.0), ["a"] * 4 + ["b"] * 4)
    assert found.rho == pytest.approx(1.0) and found.p == pytest.approx(2 / 24**2)


def test_few_cells_are_not_enough() -> None:
    assert stratified_spearman(np.arange(4.0), np.arange(4.0), list("aabb")).method == "not enough data"
    lonely = stratified_spearman(np.arange(5.0), np.arange(5.0), list("aaaab"))  # one cell alone has no order
    assert (lonely.method, lonely.n) == ("not enough data", 4)
    flat = stratified_spearman(np.ones(6), np.arange(6.0), list("aaabbb"))
    assert flat.method == "not enough data" and np.isnan(flat.rho)


def test_larger_groups_are_drawn_and_agree_with_the_exact_count() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=12)
    y = x + rng.normal(0, 1.5, 12)
    drawn = stratified_spearman(x, y, ["a"] * 12, seed=1)
    assert drawn.method == "random permutations" and drawn.p == stratified_spearman(x, y, ["a"] * 12, seed=1).p
    assert drawn.p == pytest.approx(stats.spearmanr(x, y).pvalue, abs=0.02)  # Student's approximation at n = 12
