"""Robust lines against scipy and exact lines."""

import numpy as np
import pytest
from scipy import stats

from analysis.core.numerics.robust import knee, least_squares, spread, theil_sen

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("n", [7, 40])
def test_theil_sen_agrees_with_scipy(n: int) -> None:
    x = np.arange(n, dtype=float)
    y = 160 - 0.05 * x + RNG.normal(0, 0.3, n)
    want = stats.theilslopes(y, x, alpha=0.95)
    found = theil_sen(x, y)
    assert (found.slope, found.intercept, found.low, found.high) == pytest.approx(
        (want.slope, want.intercept, want.low_slope, want.high_slope)
    )


def test_theil_sen_does_not_mind_a_quarter_of_outliers() -> None:
    x = np.arange(40.0)
    y = 2 - 0.1 * x
    y[::4] = 50
    assert theil_sen(x, y).slope == pytest.approx(-0.1, abs=0.02)


def test_long_series_are_thinned_but_right() -> None:
    x = np.arange(5000.0)
    found = theil_sen(x, 3 - 0.01 * x + RNG.normal(0, 1, x.size))
    assert found.n == 5000
    assert found.low < -0.01 < found.high
    assert found.slope == pytest.approx(-0.01, rel=0.01)


def test_sen_interval_covers() -> None:
    x = np.arange(12.0)
    runs = 1500
    hit = 0
    for _ in range(runs):
        found = theil_sen(x, x + RNG.standard_t(3, 12))
        hit += found.low <= 1 <= found.high
    assert hit / runs == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("fit", [theil_sen, least_squares])
def test_too_few_points_give_nan(fit: object) -> None:
    for x in (np.array([1.0]), np.array([2.0, 2.0])):
        assert np.isnan(fit(x, x).slope)  # type: ignore[operator]
    two = fit(np.array([0.0, 1.0]), np.array([1.0, 3.0]))  # type: ignore[operator]
    assert two.slope == 2
    assert np.isnan(two.low)


def test_least_squares_interval_is_students() -> None:
    x = np.arange(10.0)
    y = 1 + 2 * x + RNG.normal(0, 1, 10)
    fit = stats.linregress(x, y)
    half = stats.t.ppf(0.975, 8) * fit.stderr
    found = least_squares(x, y)
    assert (found.low, found.high) == pytest.approx((fit.slope - half, fit.slope + half))


def test_knee_is_found_where_it_is() -> None:
    x = np.arange(1.0, 201)
    y = 1 - 1e-3 * x - 4e-3 * np.maximum(x - 120, 0) + RNG.normal(0, 2e-3, x.size)
    found = knee(x, y)
    assert found is not None
    assert found.position == pytest.approx(120, abs=3)
    assert (found.slope_before, found.slope_after) == pytest.approx((-1e-3, -5e-3), rel=0.05)


def test_a_line_has_no_knee() -> None:
    x = np.arange(1.0, 101)
    assert knee(x, 1 - 1e-3 * x) is None
    found = [knee(x, 1 - 1e-3 * x + RNG.normal(0, 1e-3, x.size)) for _ in range(100)]
    assert sum(f is not None for f in found) <= 15  # the bend is searched, so BIC errs more often than for one fixed bend
    assert knee(x[:10], x[:10]) is None


def test_spread_of_normal_noise() -> None:
    assert spread(RNG.normal(0, 2, 20_000)) == pytest.approx(2, rel=0.03)
    assert spread(np.array([np.nan])) == 0
