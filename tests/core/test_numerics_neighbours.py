"""Means over neighbours against SciPy, and their bits against how an array is cut."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, uniform_filter

from analysis.core.numerics.neighbours import near, pooled_mean


@pytest.mark.parametrize("shape", [(17, 23), (9, 11, 13), (1, 40), (3, 1, 5), (2, 2)])
@pytest.mark.parametrize("reach", [0, 1, 2, 4])
def test_means_equal_scipys(shape: tuple[int, ...], reach: int) -> None:
    rng = np.random.default_rng(0)
    used = rng.random(shape) > 0.4
    values = np.where(used, rng.standard_normal(shape), np.nan)
    size, cells = 2 * reach + 1, (2 * reach + 1) ** len(shape)
    total = uniform_filter(np.where(used, values, 0.0), size, mode="constant") * cells
    count = np.round(uniform_filter(used.astype(float), size, mode="constant") * cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.where(count > 0, total / count, np.nan)
    assert pooled_mean(values, used, reach) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_bits_do_not_depend_on_the_block() -> None:
    rng = np.random.default_rng(1)
    values, used = rng.standard_normal((30, 31, 32)), rng.random((30, 31, 32)) > 0.3
    whole = pooled_mean(values, used, 2)
    part = pooled_mean(values[6:22, 3:, 1:32], used[6:22, 3:, 1:32], 2)
    assert np.array_equal(whole[8:20, 5:, 3:30], part[2:-2, 2:, 2:-2])


@pytest.mark.parametrize("shape", [(12, 13, 14), (12, 13), (1, 2, 9)])
@pytest.mark.parametrize("reach", [0, 1, 2, 5])
def test_near_is_a_dilation_with_a_box(shape: tuple[int, ...], reach: int) -> None:
    mask = np.random.default_rng(2).random(shape) > 0.95
    assert np.array_equal(near(mask, reach), binary_dilation(mask, np.ones((2 * reach + 1,) * len(shape))))
