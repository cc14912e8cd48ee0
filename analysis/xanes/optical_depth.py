"""Optical depth of a sample from counts with and without it, and its noise. Arrays in, arrays out."""

import numpy as np
from scipy import ndimage


def optical_depth(
    sample: np.ndarray,
    reference: np.ndarray,
    *,
    dark: np.ndarray | float = 0.0,
    exposure: float = 1.0,
    reference_exposure: float = 1.0,
) -> np.ndarray:
    """Optical depth −ln(((I − dark)/t) / ((I0 − dark)/t0)).

    Parameters
    ----------
    sample, reference
        Counts I and I0 of equal shape.
    dark
        Counts without beam, as an image or one number.
    exposure, reference_exposure
        Exposure times t and t0 in one unit. Sample and reference are often exposed differently.

    Returns
    -------
    np.ndarray
        float32; NaN where either is not above the dark level. Negative values are kept: noise around zero is symmetric, and
        cutting it off would shift every mean.

    Notes
    -----
    Lambert–Beer. Harmonics and stray light flatten large depths; they are not corrected.
    """
    light = (np.asarray(sample, float) - dark) / exposure
    incident = (np.asarray(reference, float) - dark) / reference_exposure
    valid = (light > 0) & (incident > 0)
    depth = np.log(np.where(valid, incident, np.nan)) - np.log(np.where(valid, light, np.nan))
    return depth.astype(np.float32)


def optical_depth_std(
    sample: np.ndarray,
    reference: np.ndarray,
    sample_std: np.ndarray,
    reference_std: np.ndarray,
    *,
    dark: np.ndarray | float = 0.0,
    pool: int = 9,
) -> np.ndarray:
    """Standard deviation of the optical depth, σ² = (σ_I/(I − dark))² + (σ_I0/(I0 − dark))².

    Parameters
    ----------
    sample, reference, sample_std, reference_std
        Means over repeats and the standard deviations of these means, shape (y, x).
    pool
        Variances are averaged over ``pool`` × ``pool`` pixels: those of a few repeats scatter too much to be used one by one.

    Returns
    -------
    np.ndarray
        float32; NaN where there are no repeats or no light.

    Notes
    -----
    First order in σ/I. Drift of the illumination between repeats counts as noise, as it should.
    """
    total = np.zeros(np.shape(sample))
    for counts, std in ((sample, sample_std), (reference, reference_std)):
        light = np.asarray(counts, float) - dark
        variance = ndimage.uniform_filter(np.asarray(std, float) ** 2, pool, mode="nearest")
        total += np.where(light > 0, variance, np.nan) / np.where(light > 0, light, np.nan) ** 2
    return np.sqrt(total).astype(np.float32)
