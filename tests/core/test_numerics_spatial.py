"""Correlation and blocks of fields whose correlation is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from analysis.core.numerics.spatial import block_bootstrap, block_labels, block_side, correlation


def field(shape: tuple[int, ...], sigma: float, seed: int, noise: float = 0.0) -> np.ndarray:
    """White noise smoothed by a Gaussian: correlation exp(-r**2 / (4 sigma**2)), variance 1, plus white noise."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.standard_normal(shape), sigma, mode="wrap")
    return smooth * (2 * np.sqrt(np.pi) * sigma) ** (len(shape) / 2) + noise * rng.standard_normal(shape)


@pytest.mark.parametrize(("shape", "sigma"), [((128, 128), 2.0), ((128, 128), 4.0), ((40, 40, 40), 1.5)])
def test_length_and_independent_values(shape: tuple[int, ...], sigma: float) -> None:
    """The correlation falls to 1/e at 2 sigma; the mean of the field varies as that of n_effective values."""
    everywhere = np.ones(shape, dtype=bool)
    found = [correlation(field(shape, sigma, s, 0.5), everywhere, noise_variance=0.25) for s in range(12)]
    assert np.mean([c.length for c in found]) == pytest.approx(2 * sigma, rel=0.03)
    # Variance of the mean on a torus: (integral of the correlation + noise) / n.
    expected = everywhere.sum() * 1.25 / ((4 * np.pi * sigma**2) ** (len(shape) / 2) + 0.25)
    assert np.mean([c.n_effective for c in found]) == pytest.approx(expected, rel=0.1)


def test_white_noise_is_independent() -> None:
    values = np.random.default_rng(0).standard_normal((60, 60))
    found = correlation(values, np.ones((60, 60), dtype=bool), noise_variance=1.0)
    assert found.n_effective == pytest.approx(3600, rel=0.05)
    assert correlation(values, np.ones((60, 60), dtype=bool)).length < 1


def test_values_outside_the_mask_do_not_count() -> None:
    values = field((80, 80), 3.0, seed=1)
    mask = np.hypot(*(np.mgrid[:80, :80] - 40)) < 30
    spoiled = np.where(mask, values, np.nan)
    assert np.array_equal(correlation(spoiled, mask).curve, correlation(values, mask).curve)
    assert correlation(values, np.zeros((80, 80), dtype=bool)).n_effective == 0


def test_blocks_are_cubes_of_the_mask() -> None:
    mask = np.zeros((6, 9), dtype=bool)
    mask[:, :4] = True
    label, blocks = block_labels(mask, 3)
    assert blocks == 4
    assert np.bincount(label).tolist() == [9, 3, 9, 3]
    assert block_side(2.1) == 7
    assert block_side(0.0) == 2


def test_intervals_cover_the_mean_of_correlated_fields() -> None:
    """Nominal 95 % over 60 fields, each in 64 blocks of four lengths: blocks lose little of what neighbours share."""
    covered = 0
    centers = np.arange(-6, 6, 0.05) + 0.025
    for seed in range(60):
        values = field((96, 96), 1.5, seed)
        label, blocks = block_labels(np.ones(values.shape, dtype=bool), 12)
        counts = np.zeros((blocks, centers.size))
        np.add.at(counts, (label, np.clip(((values.ravel() + 6) / 0.05).astype(int), 0, centers.size - 1)), 1)
        found = block_bootstrap(counts, lambda c: np.array([np.sum(c * centers) / c.sum()]), side=12, resamples=200, seed=seed)
        assert found is not None
        covered += bool(found.low[0] <= 0 <= found.high[0])
    assert 51 <= covered <= 60  # 95 % of 60 is 57; a fair coin of 0.95 is below 51 once in 400


def test_few_blocks_give_no_interval_and_seeds_repeat() -> None:
    counts = np.random.default_rng(0).random((30, 5))

    def mean(c: np.ndarray) -> np.ndarray:
        return np.array([c.mean()])

    assert block_bootstrap(counts[:19], mean, side=3) is None
    first, again = (block_bootstrap(counts, mean, side=3, seed=4) for _ in range(2))
    assert first is not None
    assert again is not None
    assert np.array_equal(first.low, again.low)
