"""Mixtures of known parts."""

import numpy as np
import pytest

from analysis.core.numerics.mixture import mixture_of
from analysis.core.numerics.shape import fine_bins


def binned(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centers, place = fine_bins(values, 0.01)
    return centers, np.bincount(place, minlength=centers.size).astype(float)


def test_two_parts_are_found_with_their_numbers() -> None:
    rng = np.random.default_rng(0)
    values = 8341 + np.concatenate([rng.normal(0, 0.2, 30_000), rng.normal(1.2, 0.3, 10_000)])
    found = mixture_of(*binned(values), n_effective=values.size)
    assert found.size == 2
    assert found.weight == pytest.approx([0.75, 0.25], abs=0.01)
    assert found.mean == pytest.approx([8341, 8342.2], abs=0.02)
    assert found.std == pytest.approx([0.2, 0.3], abs=0.02)
    at = np.arange(8338, 8346, 0.01)
    assert np.sum(found.density(at)) * 0.01 == pytest.approx(1, abs=1e-6)


def test_one_gaussian_stays_one() -> None:
    for seed in range(5):
        values = np.random.default_rng(seed).normal(8341, 0.4, 5000)
        assert mixture_of(*binned(values), n_effective=values.size).size == 1


def test_few_independent_values_bear_fewer_parts() -> None:
    """The same counts, of which many belong to neighbours that resemble each other."""
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 0.3, 5000), rng.normal(0.9, 0.3, 5000)])
    assert mixture_of(*binned(values), n_effective=10_000).size == 2
    assert mixture_of(*binned(values), n_effective=20).size == 1


def test_criterion_of_one_gaussian_is_the_text_books() -> None:
    """BIC = -2 ln L + p ln n with the likelihood of the mean and standard deviation; bins add their width**2 / 12."""
    values = np.random.default_rng(2).normal(0, 1, 20_000)
    n = values.size
    likelihood = -0.5 * n * (np.log(2 * np.pi * values.var()) + 1)
    assert mixture_of(*binned(values), n_effective=n).bics[0] == pytest.approx(-2 * likelihood + 2 * np.log(n), rel=1e-4)
