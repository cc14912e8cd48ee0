"""Lines through data that hold outliers."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

MAX_POINTS = 2000  # pairs grow with the square: two million here


@dataclass(frozen=True)
class Slope:
    """A fitted slope with its interval; ``low`` and ``high`` are NaN where there are too few points."""

    slope: float
    intercept: float
    low: float
    high: float
    level: float
    n: int


def theil_sen(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> Slope:
    """Median of the slopes between all pairs of points, with Sen's interval.

    Parameters
    ----------
    x, y
        Shape (N,). Points that are not finite are left out; above 2000 points an even selection of 2000 is used.

    Notes
    -----
    Breaks down only when 29 % of the points are bad. The interval inverts Kendall's test [1]_; it assumes
    independent residuals, and is given from four points on. The intercept is median(y) - slope * median(x).

    References
    ----------
    .. [1] P. K. Sen, J. Am. Stat. Assoc. 63, 1379 (1968), doi 10.1080/01621459.1968.10480934.
    """
    x, y = _finite(x, y)
    n = x.size
    if n < 2 or np.ptp(x) == 0:
        return Slope(np.nan, np.nan, np.nan, np.nan, level, n)
    if n > MAX_POINTS:
        chosen = np.linspace(0, n - 1, MAX_POINTS).round().astype(int)
        x, y = x[chosen], y[chosen]
    i, j = np.triu_indices(x.size, k=1)
    dx = x[j] - x[i]
    slopes = np.sort(((y[j] - y[i])[dx != 0]) / dx[dx != 0])
    slope = float(np.median(slopes))
    low, high = _sen_interval(slopes, y, x, level) if n >= 4 else (np.nan, np.nan)
    return Slope(slope, float(np.median(y) - slope * np.median(x)), low, high, level, n)


def _sen_interval(slopes: np.ndarray, y: np.ndarray, x: np.ndarray, level: float) -> tuple[float, float]:
    n = y.size
    ties = sum(k * (k - 1) * (2 * k + 5) for values in (x, y) for k in np.unique(values, return_counts=True)[1])
    sigma = np.sqrt((n * (n - 1) * (2 * n + 5) - ties) / 18)
    z = stats.norm.ppf(0.5 - level / 2)
    upper = min(round((slopes.size - z * sigma) / 2), slopes.size - 1)
    lower = max(round((slopes.size + z * sigma) / 2) - 1, 0)
    return float(slopes[lower]), float(slopes[upper])


def least_squares(x: np.ndarray, y: np.ndarray, *, level: float = 0.95) -> Slope:
    """Ordinary least-squares slope with Student's t interval (from three points on)."""
    x, y = _finite(x, y)
    n = x.size
    if n < 2 or np.ptp(x) == 0:
        return Slope(np.nan, np.nan, np.nan, np.nan, level, n)
    fit = stats.linregress(x, y)
    half = stats.t.ppf(0.5 + level / 2, n - 2) * fit.stderr if n > 2 else np.nan
    return Slope(float(fit.slope), float(fit.intercept), float(fit.slope - half), float(fit.slope + half), level, n)


@dataclass(frozen=True)
class Knee:
    """Where a line bends: position of the bend, slopes before and after, and how much BIC prefers two lines to one."""

    position: float
    slope_before: float
    slope_after: float
    gain: float  # BIC of one line - BIC of two; positive where two are better


def knee(x: np.ndarray, y: np.ndarray, *, margin: int = 5) -> Knee | None:
    """Best continuous fit of two lines, or None where it does not beat one line.

    Every point at least ``margin`` points from the ends is tried as the bend. Two lines are taken only where the Bayesian information
    criterion [1]_ prefers them (four parameters against two); below ``4 * margin`` points, or where residuals vanish, the answer is None.

    References
    ----------
    .. [1] G. Schwarz, Ann. Stat. 6, 461 (1978), doi 10.1214/aos/1176344136.
    """
    x, y = _finite(x, y)
    n = x.size
    if n < 4 * margin:
        return None
    one = _residual(np.column_stack([np.ones(n), x]), y)[0]
    best, at, coefficients = np.inf, 0.0, np.zeros(3)
    for bend in x[margin:-margin]:
        rss, found = _residual(np.column_stack([np.ones(n), x, np.maximum(x - bend, 0.0)]), y)
        if rss < best:
            best, at, coefficients = rss, float(bend), found
    tiny = n * np.finfo(float).eps * float(np.sum(y**2))
    if one <= tiny:
        return None
    gain = n * np.log(one / max(best, tiny)) - 2 * np.log(n)
    if gain <= 0:
        return None
    return Knee(at, float(coefficients[1]), float(coefficients[1] + coefficients[2]), float(gain))


def _residual(design: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    return float(np.sum((y - design @ coefficients) ** 2)), coefficients


def spread(values: np.ndarray) -> float:
    """Standard deviation as the median absolute deviation tells it; 0 without values."""
    good = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(good - np.median(good)))) if good.size else 0.0


def _finite(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    good = np.isfinite(x) & np.isfinite(y)
    return x[good], y[good]
