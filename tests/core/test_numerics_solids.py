"""Areas and widths of shapes against their formulas; a regression over blocks of space."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from analysis.core.numerics.block_fit import block_fit, block_growth
from analysis.core.numerics.components import components
from analysis.core.numerics.spatial import block_labels, correlation
from analysis.core.numerics.surfels import areas
from analysis.core.numerics.thickness import thickness, thickness_along

SIDE = 64
AT = np.stack(np.meshgrid(*[np.arange(SIDE) - (SIDE - 1) / 2] * 3, indexing="ij"), axis=-1)
NOBODY = np.zeros((SIDE,) * 3, np.uint8)


def area(mask: np.ndarray, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> float:
    return float(areas(mask, ~mask, NOBODY, 0, voxel)[0])


@pytest.mark.parametrize("radius", [8, 15, 25])
def test_the_area_of_a_ball(radius: int) -> None:
    assert area(np.linalg.norm(AT, axis=-1) <= radius) == pytest.approx(4 * np.pi * radius**2, rel=0.02)


def test_the_areas_of_a_cylinder_and_a_slab() -> None:
    assert area(np.hypot(AT[..., 1], AT[..., 2]) <= 12) == pytest.approx(2 * np.pi * 12 * SIDE, rel=0.02)
    for width in (1, 2, 5):
        slab = np.zeros_like(NOBODY, bool)
        slab[20 : 20 + width] = True
        assert area(slab, (0.5, 0.1, 0.2)) == pytest.approx(2 * SIDE**2 * 0.1 * 0.2, rel=1e-6)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_the_area_of_slanted_sheets_however_thin(width: int) -> None:
    normal = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    sheet = np.abs(AT @ normal) < width / 2
    ball = np.linalg.norm(AT, axis=-1) <= 25  # the rest of the sheet goes on beyond what is counted
    found = areas(sheet, ~sheet, ball.astype(np.uint8), 1, (1.0, 1.0, 1.0))[1]
    assert found == pytest.approx(2 * np.pi * (25**2 - (width / 2) ** 2), rel=0.03)


@pytest.mark.parametrize("width", range(1, 8))
def test_the_width_of_a_slab_along_the_axes_is_exact(width: int) -> None:
    slab = np.zeros((20, 24, 24), bool)
    slab[5 : 5 + width] = True
    for turned in (slab, slab.transpose(1, 0, 2), slab.transpose(2, 1, 0)):
        assert np.unique(thickness(turned)[turned]).tolist() == [width]


def test_widths_voxel_after_voxel_are_those_of_the_volume() -> None:
    mask = gaussian_filter(np.random.default_rng(7).standard_normal((30, 40, 50)), 2) > 0.1
    whole = thickness(mask)
    np.testing.assert_array_equal(thickness_along(mask, components(mask)), whole[mask])
    far = np.zeros((90, 20, 20), bool)
    far[40:70, 3:17, 3:17] = True  # a slab of the work holds balls of its neighbours
    assert thickness(far)[55, 10, 10] == 14
    nobody = np.zeros((3, 4, 5), bool)
    assert thickness_along(nobody, components(nobody)).size == 0
    assert not areas(nobody, None, np.ones((3, 4, 5), np.uint8), 1, (1.0, 1.0, 1.0)).any()


def test_the_width_of_slanted_sheets_and_balls_to_about_a_voxel() -> None:
    normal = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    for width in (3, 5, 8):
        sheet = np.abs(AT @ normal) < width / 2
        assert np.median(thickness(sheet)[sheet]) == pytest.approx(width, abs=1.2)
    ball = np.linalg.norm(AT, axis=-1) <= 20
    assert thickness(ball).max() == pytest.approx(40, abs=2.0)


def test_the_interval_of_a_slope_respects_what_neighbours_have_in_common() -> None:
    """Of 100 fields without a slope, 95 % intervals exclude 0 in about 5; intervals that take voxels as independent, in most."""
    side, outside, naive = 40, 0, 0
    mask = np.ones((side,) * 3, bool)
    block, _ = block_labels(mask, 10)
    x = np.broadcast_to(np.arange(side, dtype=float), mask.shape)[mask]
    design = np.column_stack([np.ones(x.size), x])
    for seed in range(100):
        values = gaussian_filter(np.random.default_rng(seed).standard_normal(mask.shape), 2.0)[mask]
        field = values.reshape(mask.shape) - values.mean()
        fit = block_fit(design, values, block, growth=block_growth(correlation(field, mask).curve, 10))
        outside += bool(fit.low[1] > 0 or fit.high[1] < 0)
        naive += abs(fit.value[1]) > 1.96 * np.std(values) / np.sqrt(x.size) / np.std(x)
    assert 1 <= outside <= 10
    assert naive > 50
    assert np.isnan(block_fit(design[:600], values[:600], np.arange(600) // 60).low).all()  # ten blocks: none
