"""Statistics against scipy, tables and enumeration."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from analysis.core.numerics.statistics import compare, hodges_lehmann, mann_whitney, mean_interval, welch

RNG = np.random.default_rng(5)


def test_mean_interval_is_students() -> None:
    x = np.array([4.1, 3.9, 4.4, 4.0, np.nan])
    found = mean_interval(x)
    low, high = stats.t.interval(0.95, 3, loc=x[:4].mean(), scale=stats.sem(x[:4]))
    assert (found.value, found.low, found.high, found.n) == pytest.approx((4.1, low, high, 4))


def test_welch_agrees_with_scipy() -> None:
    a, b = RNG.normal(3, 1, 5), RNG.normal(0, 4, 9)
    want = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    found = welch(a, b)
    assert (found.low, found.high) == pytest.approx((want.low, want.high))


def test_three_against_three_attains_90_percent() -> None:
    found = hodges_lehmann(np.array([5.0, 6.0, 7.5]), np.array([1.0, 2.0, 2.5]))
    assert found.level == pytest.approx(0.9)
    assert (found.low, found.high) == (5.0 - 2.5, 7.5 - 1.0)
    assert found.value == np.median([5 - 1, 5 - 2, 5 - 2.5, 6 - 1, 6 - 2, 6 - 2.5, 7.5 - 1, 7.5 - 2, 7.5 - 2.5])


@pytest.mark.parametrize(("n", "m", "lower", "level"), [(4, 4, 1, 0.9714), (5, 5, 3, 0.9683), (6, 6, 6, 0.9589), (5, 8, 7, 0.9549)])
def test_hodges_lehmann_cuts_where_the_tables_say(n: int, m: int, lower: int, level: float) -> None:
    """Critical values of U for a two-sided 5 % are 0, 2, 5 and 6: the interval starts at the next ordered difference."""
    a, b = RNG.normal(size=n), RNG.normal(size=m)
    differences = np.sort((a[:, None] - b).ravel())
    found = hodges_lehmann(a, b)
    assert found.low == differences[lower - 1]
    assert found.high == differences[-lower]
    assert found.level == pytest.approx(level, abs=2e-4)


def test_hodges_lehmann_interval_covers_as_it_says() -> None:
    hit, runs = 0, 3000
    for _ in range(runs):
        found = hodges_lehmann(RNG.standard_exponential(4) + 1.0, RNG.standard_exponential(4))
        hit += found.low <= 1.0 <= found.high
    assert hit / runs == pytest.approx(found.level, abs=3 * np.sqrt(0.03 * 0.97 / runs))


@pytest.mark.parametrize(("n", "m"), [(3, 3), (6, 7), (9, 12)])
def test_mann_whitney_without_ties_is_scipys(n: int, m: int) -> None:
    a, b = RNG.normal(size=n) + 0.7, RNG.normal(size=m)
    assert mann_whitney(a, b) == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)


def test_mann_whitney_with_ties_counts_all_allocations() -> None:
    a, b = np.array([1.0, 2, 2, 4, 5, 5]), np.array([1.0, 1, 2, 3, 3, 2])
    ranks = stats.rankdata(np.concatenate([a, b]))
    sums = np.array([ranks[list(c)].sum() for c in combinations(range(12), 6)])
    want = np.mean(np.abs(sums - 39) >= abs(ranks[:6].sum() - 39) - 1e-9)
    assert mann_whitney(a, b) == pytest.approx(want)


def test_large_samples_use_the_approximation() -> None:
    a, b = RNG.normal(size=200) + 0.3, RNG.normal(size=300)
    found = compare(a, b)
    assert found.p == pytest.approx(stats.mannwhitneyu(a, b).pvalue)
    assert found.level == pytest.approx(0.95, abs=1e-3)
    assert found.low < found.value < found.high


def test_what_is_said_follows_the_number_of_replicates() -> None:
    two = compare(np.array([2.0, 3.0]), np.array([0.0, 1.0, 1.5]))
    assert (two.method, two.level, two.p, two.significant) == ("range", None, None, None)
    assert (two.low, two.high) == (0.5, 3.0)
    three = compare(np.array([2.0, 3.0, 4.0]), np.array([0.0, 1.0, 1.5]))
    assert three.level == pytest.approx(0.9)
    assert three.p is None
    assert three.significant is None
    five = compare(np.arange(5.0) + 10, np.arange(5.0))
    assert five.significant is True
    six = compare(np.arange(6.0) + 10, np.arange(6.0))
    assert six.p == pytest.approx(2 / 924)
    assert compare(np.arange(5.0), np.arange(5.0) + 0.5).significant is False
    assert compare(np.arange(4.0), np.arange(4.0), method="welch").method == "welch"


def test_swapping_groups_turns_the_sign() -> None:
    a, b = RNG.normal(size=5), RNG.normal(size=7)
    one, other = compare(a, b), compare(b, a)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))


def test_an_empty_group_has_no_effect() -> None:
    none = compare(np.array([]), np.array([1.0]))
    assert np.isnan(none.value)
    assert none.significant is None
