"""Decimation keeps what a picture shows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.numerics.decimate import min_max


def test_short_series_are_kept() -> None:
    x = np.arange(5.0)
    assert min_max(x, x, 10).tolist() == [0, 1, 2, 3, 4]


def test_each_bucket_keeps_its_ends_and_extremes() -> None:
    x = np.arange(1000.0)
    y = np.sin(x / 7)
    y[503], y[777] = 9, -9
    kept = min_max(x, y, 80)
    assert kept.size <= 80
    assert {0, 503, 777, 999} <= set(kept.tolist())
    for bucket in np.array_split(np.arange(1000), 20):
        inside = kept[np.isin(kept, bucket)]
        assert (y[inside].min(), y[inside].max()) == (y[bucket].min(), y[bucket].max())


@given(st.integers(5, 400), st.integers(4, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_indices_rise_and_extremes_survive(n: int, points: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.choice([rng.uniform(0, 1, n), rng.integers(0, 4, n)], axis=0))
    y = rng.normal(size=n)
    kept = min_max(x, y, points)
    assert np.all(np.diff(kept) > 0)
    assert kept.size <= max(points, 4) or n <= points
    assert (y[kept].min(), y[kept].max()) == (y.min(), y.max())
    assert (kept[0], kept[-1]) == (0, n - 1)


def test_gaps_do_not_hide_extremes() -> None:
    x = np.arange(100.0)
    y = np.full(100, np.nan)
    y[40:60] = np.arange(20)
    kept = min_max(x, y, 8)
    assert {40, 59} <= set(kept.tolist())


def test_a_million_points_become_two_thousand() -> None:
    x = np.arange(1e6)
    assert min_max(x, np.sin(x), 2000).size == pytest.approx(2000, rel=0.01)
