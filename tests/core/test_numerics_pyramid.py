"""Codes of numbers: what they keep, what they lose, and what a coarser level means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.core.numerics import pyramid


def ranged(*blocks: np.ndarray) -> pyramid.Range:
    found = pyramid.Range()
    for block in blocks:
        found.add(block)
    return found


@given(st.lists(st.floats(-1e9, 1e9, width=32), min_size=2, max_size=50, unique=True))
def test_codes_are_half_a_step_from_their_numbers(numbers: list[float]) -> None:
    values = np.array(numbers)
    found = ranged(values)
    scale = found.scale()
    if found.low >= scale.offset + scale.scale / 2 and found.high <= scale.offset + scale.scale * (pyramid.CODES + 0.5):
        back = scale.values(pyramid.quantise(values, scale))
        assert np.abs(back - values).max() <= 0.5001 * scale.scale + 1e-9 * np.abs(values).max()


def test_what_is_no_number_is_code_0_and_nothing_else_is() -> None:
    values = np.array([np.nan, -1.0, 2.5, np.inf, -np.inf, 0.0])
    codes = pyramid.quantise(values, ranged(values).scale())
    assert (codes == 0).tolist() == [True, False, False, True, True, False]
    assert codes.max() == pyramid.CODES and codes[1] == 1
    assert np.isnan(pyramid.Scale(1, 0).values(np.array([0, 3], np.uint16))).tolist() == [True, False]


def test_whole_numbers_keep_their_values() -> None:
    values = np.array([[7, 9000], [12, 65000]], np.int32)
    scale = ranged(values[:1], values[1:]).scale()
    assert scale == pyramid.Scale(1.0, 6.0)
    assert (scale.values(pyramid.quantise(values, scale)) == values).all()
    assert ranged(np.array([np.nan, 3.0, 4.0])).scale().scale == 1.0  # labels that came as floats


def test_one_failed_fit_does_not_cost_the_rest_its_digits() -> None:
    rng = np.random.default_rng(1)
    values = np.append(rng.normal(8345, 1, 100_000), 1e12)
    scale = ranged(values).scale()
    assert scale.scale < 0.01
    codes = pyramid.quantise(values, scale)
    assert codes[-1] == pyramid.CODES
    assert np.abs(scale.values(codes[:-1]) - values[:-1]).max() <= 0.51 * scale.scale


def test_nothing_and_a_constant() -> None:
    assert pyramid.quantise(np.full(3, np.nan), ranged(np.full(3, np.nan)).scale()).tolist() == [0, 0, 0]
    values = np.full(4, 2.5)
    scale = ranged(values).scale()
    assert scale.values(pyramid.quantise(values, scale)) == pytest.approx(values)


def test_halving_is_the_mean_of_what_has_a_value() -> None:
    codes = np.zeros((1, 2, 2, 3), np.uint16)
    codes[0, 0, 0, 0], codes[0, 1, 1, 1], codes[0, 1, 0, 2] = 100, 201, 7
    assert pyramid.halve(codes, labels=False).tolist() == [[[[151, 7]]]]  # 150.5 and, at the rim, one alone
    rng = np.random.default_rng(2)
    full = rng.integers(1, 65536, (1, 8, 8, 8)).astype(np.uint16)
    want = full[0].reshape(4, 2, 4, 2, 4, 2).astype(float).mean(axis=(1, 3, 5))
    assert np.abs(pyramid.halve(full, labels=False)[0] - want).max() <= 0.5


def test_labels_are_never_averaged_and_flat_axes_stay() -> None:
    labels = np.array([[[[1, 9], [5, 5]]]], np.uint16)
    assert pyramid.halve(labels, labels=True).tolist() == [[[[1]]]]
    assert pyramid.halve(np.ones((3, 1, 5, 4), np.uint16), labels=False).shape == (3, 1, 3, 2)


def test_8_bits_of_a_range() -> None:
    scale = pyramid.Scale(0.5, 100.0)
    codes = np.array([0, 1, 1000, 1500, 2000, 65535], np.uint16)
    short = pyramid.shorten(codes, 1000, 2000)
    assert short.tolist() == [0, 1, 1, 128, 255, 255]
    values = pyramid.short_scale(scale, 1000, 2000).values(short)
    assert values[2:5] == pytest.approx([600.0, 850.0, 1100.0], abs=500 / 254)
    assert pyramid.shorten(np.arange(256, dtype=np.uint16), 1, 255).tolist() == list(range(256))  # labels pass unchanged


def test_percentiles_of_counts_are_those_of_the_numbers() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, 200_000)
    scale = ranged(values).scale()
    counts = np.bincount(pyramid.quantise(values, scale), minlength=65536)
    found = pyramid.percentiles(counts, scale, (1.0, 50.0, 99.0))
    assert found == pytest.approx(np.percentile(values, [1, 50, 99]), abs=2 * scale.scale)
    coarse = pyramid.percentiles(counts.reshape(1024, -1).sum(axis=1), scale, (50.0,))
    assert coarse == pytest.approx([0.0], abs=64 * scale.scale)
    assert pyramid.percentiles(np.zeros(1024, int), scale, (50.0,)) == [None]
