"""The step of another element's edge below the edge that is measured: Nb L2 at 2465 eV under S K at 2472 eV.

It is there in niobate-coated samples only, so that a comparison with uncoated ones sees it as chemistry: it adds to the edge
step, and its height goes into every normalised number. Fitted and taken off, it does not.
"""

from dataclasses import dataclass

import numpy as np

from analysis.core.errors import DataError

CLEAR = 4.0  # eV below the edge's onset up to which the fit reaches: above it, the edge's own peaks begin
ONSET = 0.5  # eV above E0 where the tails of the edge are centred
MIN_POINTS = 12


@dataclass(frozen=True)
class OtherEdge:
    """A fitted step: its height and standard deviation, and the step itself, shape (N,)."""

    height: float
    std: float
    step: np.ndarray


def arctangent(energy: np.ndarray, center: float, width: float) -> np.ndarray:
    """A step of height 1 with the core-hole width ``width`` (FWHM, eV) as its derivative's; shape (N,)."""
    return 0.5 + np.arctan(2.0 * (energy - center) / width) / np.pi


def fitted_step(energy: np.ndarray, mu: np.ndarray, *, e0: float, start: float, center: float, width: float) -> OtherEdge:
    """Least-squares step at ``center`` on a straight line, beside the low-energy tails of the edge at ``e0``.

    Parameters
    ----------
    energy, mu
        Shape (N,), eV, increasing.
    start
        Energy (eV) where the fit begins; it ends 4 eV below ``e0``.

    Raises
    ------
    DataError
        The range holds too few points, or none on one side of the step.

    Notes
    -----
    Tails: 1/d of the edge's arctangent and 1/d² of its Lorentzian peaks, d the distance from just above E0. Without them the step
    comes out 1 to 2 % of the edge step too high. The standard deviation is that of the scatter about the fit.
    """
    inside = (energy >= start) & (energy <= e0 - CLEAR)
    x, y = energy[inside], mu[inside]
    if x.size < MIN_POINTS or (x < center - width).sum() < 3 or (x > center).sum() < 3:
        raise DataError(
            f"The step at {center:.0f} eV cannot be fitted: {x.size} points lie between {start:.0f} and {e0 - CLEAR:.0f} eV.",
            hint="Mask it, or measure more points around it.",
        )
    distance = e0 + ONSET - x
    design = np.stack([np.ones_like(x), (x - center) / 50.0, 1.0 / distance, 1.0 / distance**2, arctangent(x, center, width)], axis=1)
    found, *_ = np.linalg.lstsq(design, y, rcond=None)
    variance = float(np.sum((y - design @ found) ** 2)) / max(x.size - design.shape[1], 1)
    covariance = variance * np.linalg.pinv(design.T @ design)
    return OtherEdge(float(found[-1]), float(np.sqrt(covariance[-1, -1])), found[-1] * arctangent(energy, center, width))
