"""Shapes of known distributions."""

import numpy as np
import pytest
from scipy import stats

from analysis.core.numerics.shape import fine_bins, quantiles, shape_of

WIDTH = 0.01


def binned(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centers, place = fine_bins(values, WIDTH)
    return centers, np.bincount(place, minlength=centers.size).astype(float)


def test_binned_numbers_are_those_of_the_values() -> None:
    values = 8340 + stats.gamma(4, scale=0.2).rvs(200_000, random_state=0)
    found = shape_of(*binned(values))
    assert found.mean == pytest.approx(values.mean(), abs=1e-3)
    assert found.std == pytest.approx(values.std(), rel=1e-3)
    wanted = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert [found.p5, found.median, found.p95] == pytest.approx(wanted[[0, 2, 4]], abs=2e-3)
    assert found.iqr == pytest.approx(wanted[3] - wanted[1], abs=2e-3)
    assert found.skewness == pytest.approx(stats.skew(values), abs=5e-3)
    assert found.kurtosis == pytest.approx(stats.kurtosis(values), abs=0.02)


@pytest.mark.parametrize(("law", "bimodality"), [(stats.norm(0, 1), 1 / 3), (stats.uniform(0, 3), 5 / 9), (stats.expon(0, 1), 5 / 9)])
def test_bimodality_of_known_laws(law: object, bimodality: float) -> None:
    """(g1**2 + 1) / (g2 + 3): 1/3 for a Gaussian, 5/9 for uniform and exponential laws."""
    values = law.ppf((np.arange(400_000) + 0.5) / 400_000)  # type: ignore[attr-defined]
    assert shape_of(*binned(values)).bimodality == pytest.approx(bimodality, abs=0.003)


def test_dip_is_half_of_the_gap_for_two_far_points_and_small_for_one_mode() -> None:
    """Hartigan: two equal clumps far apart have the largest dip of all, 1/4; one mode has about zero."""
    rng = np.random.default_rng(0)
    two = np.concatenate([rng.normal(0, 0.05, 5000), rng.normal(10, 0.05, 5000)])
    assert shape_of(*binned(two)).dip == pytest.approx(0.25, abs=0.01)
    assert shape_of(*binned(rng.normal(0, 1, 10_000))).dip < 0.01


def test_quantiles_go_linearly_through_bins() -> None:
    centers, counts = np.array([0.5, 1.5, 2.5, 3.5]), np.array([1.0, 0.0, 2.0, 1.0])
    assert quantiles(centers, counts, np.array([0.0, 0.125, 0.5, 0.75, 1.0])) == pytest.approx((0, 0.5, 2.5, 3.0, 4.0))


def test_equal_values_have_no_shape() -> None:
    found = shape_of(*binned(np.full(100, 8340.123)))
    assert found.median == pytest.approx(8340.123, abs=WIDTH)
    assert found.std == 0
    assert np.isnan([found.skewness, found.kurtosis, found.bimodality, found.dip]).all()
    assert np.isnan(shape_of(np.array([1.0]), np.array([0.0])).mean)
