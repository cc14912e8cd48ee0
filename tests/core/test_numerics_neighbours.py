"""Box sums against SciPy, and their bits against how an array is cut."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, uniform_filter

from analysis.core.numerics.neighbours import box_sums, near


@pytest.mark.parametrize("shape", [(17, 23), (9, 11, 13), (1, 40), (3, 1, 5)])
@pytest.mark.parametrize("reach", [0, 1, 2])
def test_sums_equal_scipys(shape: tuple[int, ...], reach: int) -> None:
    values = np.random.default_rng(0).standard_normal(shape)
    size = 2 * reach + 1
    expected = uniform_filter(values, size, mode="constant") * size ** len(shape)
    assert box_sums(values, reach) == pytest.approx(expected, abs=1e-12)


def test_bits_do_not_depend_on_the_block() -> None:
    values = np.random.default_rng(1).standard_normal((30, 31, 32))
    whole = box_sums(values, 2)
    assert np.array_equal(whole[8:20, 5:, 3:30], box_sums(values[6:22, 3:, 1:32], 2)[2:-2, 2:, 2:-2])


def test_near_is_a_dilation_with_a_box() -> None:
    mask = np.random.default_rng(2).random((12, 13, 14)) > 0.98
    assert np.array_equal(near(mask, 2), binary_dilation(mask, np.ones((5, 5, 5))))
