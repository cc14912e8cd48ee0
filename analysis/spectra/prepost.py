"""Pre-edge line, post-edge polynomial, edge step: the arithmetic of normalisation.

References
----------
.. [1] B. Ravel, M. Newville, J. Synchrotron Rad. 12, 537 (2005), doi 10.1107/S0909049505012719.
"""

from dataclasses import dataclass

import numpy as np

from analysis.core.errors import DataError

MIN_FIT_POINTS = 2


@dataclass(frozen=True)
class Ranges:
    """Fit ranges relative to E0 (eV), the order of the post-edge polynomial, and the power of the Victoreen pre-edge."""

    pre1: float
    pre2: float
    norm1: float
    norm2: float
    order: int
    victoreen: int = 0


@dataclass(frozen=True)
class Normalised:
    """A spectrum with its lines. Arrays have shape (N,); ``post`` includes the pre-edge line.

    ``edge_step_std`` is that of the edge step, ``baseline_std`` the part of it that comes from the pre-edge line: that part moves the
    whole spectrum beyond the edge up and down as well.
    """

    e0: float
    edge_step: float
    pre: np.ndarray
    post: np.ndarray
    norm: np.ndarray
    flat: np.ndarray
    ranges: Ranges
    edge_step_std: float = np.nan
    baseline_std: float = np.nan
    noise: float = np.nan


def default_ranges(energy: np.ndarray, e0: float) -> Ranges:
    """Ranges for a spectrum when none are given, by Larch's rules.

    Notes
    -----
    pre1 reaches to the second point of the scan, norm2 to the last, both rounded to 5 eV; pre2 = pre1 / 2; norm1 = the smaller of
    25 eV and norm2 / 3, rounded to 5 eV; order 2 where the post-edge range is 300 eV or more, 1 from 30 eV on, else 0.
    """
    at = int(np.abs(energy - e0).argmin())
    first = 1 if at > 20 else 0
    pre1 = 5.0 * round((energy[first] - e0) / 5.0)
    pre1 = max(pre1, float(energy.min() - e0))
    norm2 = 5.0 * round((energy.max() - e0) / 5.0)
    norm2 = min(norm2, float(energy.max() - e0))
    norm1 = min(25.0, 5.0 * round(norm2 / 15.0))
    return Ranges(pre1, 0.5 * pre1, norm1, norm2, default_order(norm1, norm2))


def default_order(norm1: float, norm2: float) -> int:
    """Order of the post-edge polynomial that a range of that length (eV) bears."""
    return 2 if norm2 - norm1 >= 300 else 1 if norm2 - norm1 >= 30 else 0


def fit_slice(energy: np.ndarray, low: float, high: float) -> slice:
    """The points of a fit range: from the last one at or below ``low`` up to, and without, the one nearest to ``high``."""
    first = max(0, int(np.searchsorted(energy, low, side="right")) - 1)
    last = int(np.abs(energy - high).argmin())
    return slice(first, last)


def normalise(
    energy: np.ndarray,
    mu: np.ndarray,
    *,
    e0: float,
    ranges: Ranges,
    excluded: tuple[tuple[float, float], ...] = (),
    step: float | None = None,
) -> Normalised:
    """Absorption less the pre-edge line, divided by the edge step.

    Parameters
    ----------
    energy, mu
        Shape (N,), eV, increasing.
    excluded
        Energy ranges (eV) whose points take no part in the fits.
    step
        Edge step, where it is to be fixed.

    Raises
    ------
    DataError
        A range holds too few points, or the absorption falls at the edge.

    Notes
    -----
    The line is a + b·E (times E^-n, n = ``victoreen``), the polynomial is fitted to mu - pre; step = post - pre at the point nearest
    to E0. flat = norm - r + r(E0) from there on, with r = (post - pre) / step.
    """
    at = int(np.abs(energy - e0).argmin())
    used = np.ones(energy.size, dtype=bool)
    for low, high in excluded:
        used &= (energy < low) | (energy > high)
    x = energy - e0
    weight = energy**ranges.victoreen if ranges.victoreen else np.ones_like(energy)
    before = _places(energy, used, e0, ranges.pre1, ranges.pre2, 1, "pre-edge")
    after = _places(energy, used, e0, ranges.norm1, ranges.norm2, ranges.order, "post-edge")
    line, line_cov = _polynomial(x[before], (mu * weight)[before], 1)
    pre = (line[0] + line[1] * x) / weight
    top, top_cov = _polynomial(x[after], (mu - pre)[after], ranges.order)
    rise = np.polynomial.polynomial.polyval(x, top)
    found = float(rise[at]) if step is None else step
    if not found > 0:
        raise DataError(
            f"The absorption does not rise at {e0:.1f} eV: the edge step is {found:.3g}.",
            hint="Check E0, the ranges, and whether signal and I0 were taken for one another.",
        )
    ratio, norm = rise / found, (mu - pre) / found
    flat = np.where(np.arange(energy.size) >= at, norm - ratio + ratio[at], norm)
    powers = x[at] ** np.arange(ranges.order + 1)
    # A constant post-edge takes the line's error where its points are, a polynomial continues it to E0.
    start = np.array([1.0, float(x[after].mean()) if ranges.order == 0 else x[at]]) / weight[at]
    baseline_std = float(np.sqrt(start @ line_cov @ start))
    std = float(np.hypot(np.sqrt(powers @ top_cov @ powers), baseline_std))
    noise = float(np.sqrt(np.sum((mu - pre - rise)[after] ** 2) / max(after.size - ranges.order - 1, 1))) / found
    return Normalised(e0, found, pre, pre + rise, norm, flat, ranges, std, baseline_std, noise)


def _places(energy: np.ndarray, used: np.ndarray, e0: float, low: float, high: float, order: int, what: str) -> np.ndarray:
    inside = np.zeros(energy.size, dtype=bool)
    inside[fit_slice(energy, e0 + low, e0 + high)] = True
    places = np.flatnonzero(inside & used)
    if places.size < max(order + 1, MIN_FIT_POINTS):
        raise DataError(
            f"The {what} range {e0 + low:.1f}–{e0 + high:.1f} eV holds {places.size} points (data {energy[0]:.0f}–{energy[-1]:.0f} eV).",
            hint="Widen it, or choose a scan that covers it.",
        )
    return places


def _polynomial(x: np.ndarray, y: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, constant first, and their covariance from the scatter about the fit (zero where it is exact)."""
    scale = max(float(np.abs(x).max()), 1e-12)
    design = (x[:, None] / scale) ** np.arange(order + 1)
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    coefficients = inverse @ (q.T @ y)
    freedom = x.size - order - 1
    variance = float(np.sum((y - design @ coefficients) ** 2)) / freedom if freedom > 0 else 0.0
    units = scale ** -np.arange(order + 1.0)
    return coefficients * units, variance * (inverse @ inverse.T) * np.outer(units, units)
