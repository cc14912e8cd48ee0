"""Optical depth and its noise against Lambert–Beer and simulated photons."""

import numpy as np
import pytest

from analysis.xanes.frames import averaged
from analysis.xanes.optical_depth import optical_depth, optical_depth_std

RNG = np.random.default_rng(11)


def test_exposures_and_dark_cancel() -> None:
    """Counts made from a known depth give it back, whatever the exposures and the dark level."""
    depth = RNG.uniform(-0.1, 2.5, (40, 30))
    rate, dark = RNG.uniform(500, 900, depth.shape), RNG.uniform(90, 110, depth.shape)
    sample, reference = rate * np.exp(-depth) * 0.5 + dark, rate * 0.3 + dark
    found = optical_depth(sample, reference, dark=dark, exposure=0.5, reference_exposure=0.3)
    assert found == pytest.approx(depth, abs=1e-6)
    assert (found < 0).sum() == (depth < 0).sum()


def test_without_light_there_is_no_depth() -> None:
    found = optical_depth(np.array([[10.0, 0.0, 5.0]]), np.array([[20.0, 20.0, 0.0]]))
    assert found[0, 0] == pytest.approx(np.log(2))
    assert np.isnan(found[0, 1:]).all()


def test_the_noise_is_that_of_repeated_scans() -> None:
    """400 scans of 4 sample and 6 reference frames with Poisson noise: the scatter of the depth is what one scan states."""
    light, incident, shape = 900.0, 2500.0, (24, 24)
    depths, stated = [], []
    for _ in range(400):
        sample = averaged(RNG.poisson(light, (4, *shape)), 1.0)
        reference = averaged(RNG.poisson(incident, (6, *shape)), 1.0)
        depths.append(optical_depth(sample.mean, reference.mean))
        stated.append(optical_depth_std(sample.mean, reference.mean, sample.std, reference.std))
    expected = np.sqrt(1 / (4 * light) + 1 / (6 * incident))
    assert np.std(depths, axis=0).mean() == pytest.approx(expected, rel=0.01)
    assert np.mean(stated) == pytest.approx(expected, rel=0.01)


def test_a_single_frame_states_no_noise() -> None:
    one, many = averaged(RNG.poisson(900, (1, 5, 5)), 1.0), averaged(RNG.poisson(900, (5, 5, 5)), 1.0)
    assert np.isnan(optical_depth_std(one.mean, many.mean, one.std, many.std)).all()
