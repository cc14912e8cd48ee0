"""Drift and magnification against images that were moved on purpose, and against a real scan."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from analysis.xanes.alignment import drift, drifts, magnification, measured_scale, transformed
from analysis.xanes.optical_depth import optical_depth
from tests.xanes.stack_files import taken

GRID = np.mgrid[0:160, 0:180].astype(float)
ATOL = 0.01  # of a cubic spline on blobs of three pixels, at the rims of the image
BLOBS = np.random.default_rng(5).uniform([20, 20, 3, 0.3], [140, 160, 7, 1.0], (25, 4))


def particle(shift: tuple[float, float] = (0.0, 0.0), scale: float = 1.0) -> np.ndarray:
    """Blobs, calculated where they are after magnification about the centre and drift: no interpolation."""
    centre = (np.array(GRID.shape[1:]) - 1) / 2
    image = np.zeros(GRID.shape[1:])
    for y, x, width, height in BLOBS:
        at = centre + scale * (np.array([y, x]) - centre - np.array(shift))
        image += height * np.exp(-((GRID[0] - at[0]) ** 2 + (GRID[1] - at[1]) ** 2) / (2 * (scale * width) ** 2))
    return image


@pytest.mark.parametrize("shift", [(0.0, 0.0), (3.35, -6.2), (-12.7, 9.45)])
def test_a_known_drift_is_found_and_undone(shift: tuple[float, float]) -> None:
    still, moved = particle(), particle(shift)
    found = drift(still, moved)
    assert found == pytest.approx(shift, abs=0.06)  # found in steps of 1/20
    back = transformed(moved, scale=1.0, shift=shift, order=3)
    inner = np.isfinite(back)
    assert inner.mean() > 0.8
    np.testing.assert_allclose(back[inner], still[inner], atol=ATOL)


def test_scale_and_shift_are_undone_together() -> None:
    still, moved = particle(), particle((4.3, -2.6), 0.97)
    back = transformed(moved, scale=0.97, shift=(4.3, -2.6), order=3)
    inner = np.isfinite(back)
    np.testing.assert_allclose(back[inner], still[inner], atol=ATOL)
    assert measured_scale(still, transformed(moved, scale=1.0, shift=(0, 0)), around=0.975) == pytest.approx(0.97, abs=5e-4)


def test_a_fixed_pattern_does_not_hold_the_sample() -> None:
    """Pixels of the camera that differ do not move with the sample: they must not decide."""
    pattern = 0.1 * np.random.default_rng(2).standard_normal(GRID.shape[1:])
    shift = (7.4, -5.1)
    assert drift(particle() + pattern, particle(shift) + pattern) == pytest.approx(shift, abs=0.1)


def test_the_edge_changes_contrast_and_not_the_shift() -> None:
    shift = (-6.3, 2.2)
    flake = ndimage.gaussian_filter((np.hypot(GRID[0] - 60, GRID[1] - 70) < 20).astype(float), 1)
    assert drift(particle(), 2.3 * particle(shift) + 0.4 * np.roll(flake, (6, -2), (0, 1))) == pytest.approx(shift, abs=0.15)


def test_pixels_without_value_stay_without() -> None:
    image = particle()
    image[80, 90] = np.nan
    moved = transformed(image, scale=1.0, shift=(2.5, 0.0))
    assert np.isnan(moved[82:84, 90]).all()
    assert np.isfinite(moved[[81, 84], 90]).all()
    assert np.isnan(moved[:2]).all()
    assert drift(particle(), np.where(np.isnan(image), np.nan, particle((1.5, 2.0)))) == pytest.approx((1.5, 2.0), abs=0.06)


@pytest.mark.parametrize("against", ["reference", "previous"])
def test_a_drifting_scan(against: str) -> None:
    energy = 8300 + np.arange(5) * 50.0
    scale = magnification(energy, 8400.0)
    assert scale[[0, 4]] == pytest.approx([8400 / 8300, 8400 / 8500])
    true = np.array([[-2.0, 3.0], [-1.2, 1.4], [0, 0], [2.1, -1.8], [4.7, -2.2]])
    images = [particle((t[0], t[1]), s) for t, s in zip(true, scale, strict=True)]
    found = drifts(images.__getitem__, scale, reference=2, against=against)  # type: ignore[arg-type]
    assert found == pytest.approx(true, abs=0.12)


@pytest.mark.slow
def test_the_drift_and_the_scale_of_ssrl_6_2c(shared_data: Path) -> None:
    """Drift (−19.9, −10.1) px and scale 0.9957 from 8324 to 8354 eV; proportional to energy would be 0.9964."""
    ds = taken(*sorted((shared_data / "txm/ssrl_6-2c_nca_raw").glob("rep01*")))
    depth = [optical_depth(ds["sample"].values[i], ds["reference"].values[i], exposure=0.5, reference_exposure=0.3) for i in range(2)]
    assert drift(depth[0], depth[1]) == pytest.approx((-19.9, -10.1), abs=0.5)
    assert measured_scale(depth[0], depth[1]) == pytest.approx(0.9957, abs=5e-4)
    assert magnification(ds["energy"].values, 8324.0)[1] == pytest.approx(0.9964, abs=5e-5)
