"""Arctangent step and Voigt peaks under a normalised edge.

The Lorentzian width of every peak is that of the core hole; what the instrument and disorder add is Gaussian. Areas, heights of the
step and baseline enter linearly: for given centres and widths they follow by non-negative least squares, and only centres, widths
and the step's place are searched for. Uncertainties come from the curvature there, with the scatter of the residuals at each point
(heteroscedasticity-consistent, HC2: fluorescence noise grows with the signal), widened by the error of the edge step; Student's t.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import least_squares, lsq_linear
from scipy.special import voigt_profile

from analysis.core.errors import DataError
from analysis.spectra.interference import arctangent

AT_BOUND = 0.01  # of its range: a parameter nearer to a bound is said to be at it
SIGMA = (0.1, 1.5)  # eV, bounds of the Gaussian width
START_SIGMA = 0.45


@dataclass(frozen=True)
class PeakModel:
    """What is fitted: peaks by their centres (eV) and widest allowed Gaussian, and the background under them.

    ``wide`` says which peaks may be broad (resonances above the edge): their Gaussian width may reach three times the usual bound.
    """

    names: tuple[str, ...]
    centers: tuple[float, ...]
    wide: tuple[bool, ...]
    freedom: float  # eV by which a centre may leave its place
    gamma: float  # eV, half width of the Lorentzian
    step: bool
    step_center: float
    step_freedom: float
    step_width: float
    baseline: int  # order of the polynomial, -1 for none


@dataclass(frozen=True)
class PeakFit:
    """Fitted parameters with standard deviations; arrays have shape (P,) for P peaks, curves (N,) on the fitted energies."""

    center: np.ndarray
    sigma: np.ndarray
    area: np.ndarray
    height: np.ndarray
    center_std: np.ndarray
    area_std: np.ndarray
    height_std: np.ndarray
    flags: tuple[str, ...]
    step_height: float
    step_center: float
    fit: np.ndarray
    background: np.ndarray
    components: np.ndarray  # (P, N)
    freedom: int
    r_factor: float
    level: float
    quantile: float


def fit_peaks(energy: np.ndarray, norm: np.ndarray, model: PeakModel, *, level: float = 0.9) -> PeakFit:
    """The least-squares fit of a peak model.

    Parameters
    ----------
    energy, norm
        Shape (N,), the fitted points only; eV, increasing.

    Raises
    ------
    DataError
        There are not more points than parameters.
    """
    lower, upper, start = _bounds(model)
    parameters = lower.size + _linear_count(model)
    if energy.size <= parameters + 1:
        raise DataError(
            f"{energy.size} points cannot carry a fit of {len(model.names)} peaks ({parameters} parameters).",
            hint="Fit fewer peaks, or a wider range.",
        )
    found = least_squares(
        lambda p: _residual(p, energy, norm, model), start, bounds=(lower, upper), x_scale=np.maximum(upper - lower, 1e-9), method="trf"
    )
    return _finished(found.x, energy, norm, model, lower, upper, level)


def _bounds(model: PeakModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower and upper bounds and start of the non-linear parameters: centres, widths, the step's place."""
    centers = np.array(model.centers)
    top = np.where(model.wide, 3 * SIGMA[1], SIGMA[1])
    first = np.where(model.wide, 3 * START_SIGMA, START_SIGMA)
    lower = [centers - model.freedom, np.full(centers.size, SIGMA[0])]
    upper = [centers + model.freedom, top]
    start = [centers, first]
    if model.step and model.step_freedom > 0:
        lower.append(np.array([model.step_center - model.step_freedom]))
        upper.append(np.array([model.step_center + model.step_freedom]))
        start.append(np.array([model.step_center]))
    return np.concatenate(lower), np.concatenate(upper), np.concatenate(start)


def _linear_count(model: PeakModel) -> int:
    return len(model.names) + int(model.step) + model.baseline + 1


def _design(p: np.ndarray, energy: np.ndarray, model: PeakModel) -> np.ndarray:
    """Columns that enter linearly: peaks of area 1, step of height 1, baseline; shape (N, L)."""
    n = len(model.names)
    peaks = [voigt_profile(energy - c, s, model.gamma) for c, s in zip(p[:n], p[n : 2 * n], strict=True)]
    columns = peaks
    if model.step:
        columns = [*columns, arctangent(energy, p[2 * n] if p.size > 2 * n else model.step_center, model.step_width)]
    middle, half = 0.5 * (energy[0] + energy[-1]), 0.5 * (energy[-1] - energy[0])
    columns = [*columns, *(((energy - middle) / half) ** k for k in range(model.baseline + 1))]
    return np.stack(columns, axis=1)


def _linear(design: np.ndarray, norm: np.ndarray, model: PeakModel) -> np.ndarray:
    """Areas and heights: peaks and step not negative, the baseline free."""
    low = np.full(design.shape[1], -np.inf)
    low[: len(model.names) + int(model.step)] = 0.0
    free, *_ = np.linalg.lstsq(design, norm, rcond=None)
    if (free >= low).all():
        return free
    return lsq_linear(design, norm, bounds=(low, np.full(low.size, np.inf)), method="bvls").x


def _residual(p: np.ndarray, energy: np.ndarray, norm: np.ndarray, model: PeakModel) -> np.ndarray:
    design = _design(p, energy, model)
    return design @ _linear(design, norm, model) - norm


def _finished(
    p: np.ndarray, energy: np.ndarray, norm: np.ndarray, model: PeakModel, lower: np.ndarray, upper: np.ndarray, level: float
) -> PeakFit:
    n = len(model.names)
    design = _design(p, energy, model)
    linear = _linear(design, norm, model)
    fit = design @ linear
    bound = (p - lower < AT_BOUND * (upper - lower)) | (upper - p < AT_BOUND * (upper - lower))
    covariance, freedom = _covariance(p, linear, energy, norm - fit, model, bound)
    m = p.size
    area = linear[:n]
    unit = np.array([voigt_profile(0.0, s, model.gamma) for s in p[n : 2 * n]])
    change = np.array(
        [(voigt_profile(0.0, s + 1e-4, model.gamma) - voigt_profile(0.0, s - 1e-4, model.gamma)) / 2e-4 for s in p[n : 2 * n]]
    )
    height_std = []
    for k in range(n):
        gradient = np.zeros(covariance.shape[0])
        gradient[m + k], gradient[n + k] = unit[k], area[k] * change[k]
        height_std.append(float(np.sqrt(gradient @ covariance @ gradient)))
    std = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    total = float(np.sum(norm**2))
    return PeakFit(
        center=p[:n],
        sigma=p[n : 2 * n],
        area=area,
        height=area * unit,
        center_std=np.where(bound[:n], np.nan, std[:n]),
        area_std=std[m : m + n],
        height_std=np.array(height_std),
        flags=tuple(_flags(k, n, bound, area) for k in range(n)),
        step_height=float(linear[n]) if model.step else 0.0,
        step_center=float(p[2 * n]) if p.size > 2 * n else model.step_center,
        fit=fit,
        background=design[:, n:] @ linear[n:],
        components=(design[:, :n] * area).T,
        freedom=freedom,
        r_factor=float(np.sum((norm - fit) ** 2)) / total if total > 0 else np.nan,
        level=level,
        quantile=float(stats.t.ppf(0.5 + level / 2, max(freedom, 1))),
    )


def _covariance(
    p: np.ndarray, linear: np.ndarray, energy: np.ndarray, residual: np.ndarray, model: PeakModel, bound: np.ndarray
) -> tuple[np.ndarray, int]:
    """Covariance of all parameters, those at a bound held fixed (zero), and the degrees of freedom."""
    steps = 1e-4
    rows = [
        (_design(p + steps * unit, energy, model) - _design(p - steps * unit, energy, model)) @ linear / (2 * steps)
        for unit in np.eye(p.size)
    ]
    jacobian = np.concatenate([np.stack(rows, axis=1), _design(p, energy, model)], axis=1)
    positive = len(model.names) + int(model.step)
    fixed = np.concatenate([bound, np.append(linear[:positive] <= 0, np.zeros(linear.size - positive, dtype=bool))])
    # A peak of no area has no place and no width.
    for k in np.flatnonzero(linear[: len(model.names)] <= 0):
        fixed[[k, len(model.names) + k]] = True
    free = np.flatnonzero(~fixed)
    kept = jacobian[:, free]
    inverse = np.linalg.pinv(kept.T @ kept)
    leverage = np.clip(np.einsum("ij,jk,ik->i", kept, inverse, kept), 0.0, 0.95)
    scatter = kept * (residual / np.sqrt(1.0 - leverage))[:, None]
    covariance = np.zeros((fixed.size, fixed.size))
    covariance[np.ix_(free, free)] = inverse @ (scatter.T @ scatter) @ inverse
    return covariance, int(energy.size - free.size)


def _flags(k: int, n: int, bound: np.ndarray, area: np.ndarray) -> str:
    said = []
    if area[k] <= 0:
        return "no area"
    if bound[k]:
        said.append("centre at its bound")
    if bound[n + k]:
        said.append("width at its bound")
    return ", ".join(said)
