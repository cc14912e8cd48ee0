"""Savitzky–Golay against polynomials and white noise."""

import numpy as np
import pytest

from analysis.core.errors import ParamError
from analysis.core.numerics.smoothing import noise_gain, savitzky_golay, window_points


@pytest.mark.parametrize(("derivative", "want"), [(0, lambda x: x**3 - 2 * x), (1, lambda x: 3 * x**2 - 2), (2, lambda x: 6 * x)])
def test_polynomials_up_to_the_order_are_exact(derivative: int, want: object) -> None:
    x = np.arange(0, 3, 0.05)
    found = savitzky_golay(x**3 - 2 * x, spacing=0.05, points=9, order=3, derivative=derivative)
    np.testing.assert_allclose(found, want(x), atol=1e-9)  # type: ignore[operator]


def test_noise_gain_is_what_noise_shows() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 100_000)
    smooth = savitzky_golay(noise, spacing=0.1, points=11, order=2, derivative=1)
    assert np.std(smooth) == pytest.approx(noise_gain(11, 2, derivative=1, spacing=0.1), rel=0.02)


def test_window_is_odd_and_wide_enough() -> None:
    assert window_points(0.02, 0.001, order=3) == 21
    assert window_points(0.001, 0.001, order=3) == 5
    assert window_points(0.0, 0.001, order=2) == 5


def test_a_window_longer_than_the_curve_is_refused() -> None:
    with pytest.raises(ParamError, match="21 points is longer than the curve"):
        savitzky_golay(np.zeros(10), spacing=1, points=21, order=3)
