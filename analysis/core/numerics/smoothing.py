"""Smooth and differentiate evenly spaced data."""

import numpy as np
from scipy.signal import savgol_coeffs, savgol_filter

from analysis.core.errors import ParamError


def window_points(width: float, spacing: float, *, order: int) -> int:
    """Odd number of points that spans ``width``, at least ``order`` + 2 (made odd), so that the fit smooths at all."""
    points = round(width / spacing) | 1
    return max(points, (order + 2) | 1)


def savitzky_golay(y: np.ndarray, *, spacing: float, points: int, order: int, derivative: int = 0) -> np.ndarray:
    """Value or derivative of the polynomial fitted around every point.

    Parameters
    ----------
    y
        Shape (..., N), evenly spaced by ``spacing``, N >= ``points``.
    points
        Odd length of the fitted window.

    Returns
    -------
    np.ndarray
        Shape (..., N); at the ends the outermost window's polynomial goes on.

    References
    ----------
    .. [1] A. Savitzky, M. J. E. Golay, Anal. Chem. 36, 1627 (1964), doi 10.1021/ac60214a047.
    """
    if points > y.shape[-1]:
        raise ParamError(
            f"A smoothing window of {points} points is longer than the curve ({y.shape[-1]} points).",
            hint="Choose a narrower window or a finer grid.",
        )
    return savgol_filter(y, points, order, deriv=derivative, delta=spacing, mode="interp")


def noise_gain(points: int, order: int, *, derivative: int = 0, spacing: float = 1.0) -> float:
    """Factor by which the filter multiplies the standard deviation of white noise."""
    return float(np.sqrt(np.sum(savgol_coeffs(points, order, deriv=derivative, delta=spacing) ** 2)))
