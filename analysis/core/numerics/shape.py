"""The shape of a distribution that is given as counts in narrow bins: spread, asymmetry, modes."""

from dataclasses import dataclass

import numpy as np

DIP_POINTS = 4000  # quantiles that stand for a larger sample


@dataclass(frozen=True)
class Shape:
    """Numbers that describe a distribution; NaN where it has no spread.

    ``skewness`` and ``kurtosis`` (excess) are the moments' ratios g1 and g2. ``bimodality`` is Sarle's coefficient
    (g1**2 + 1) / (g2 + 3): 1/3 for a Gaussian, 5/9 for a uniform distribution, 1 for two points. ``dip`` is Hartigan's
    largest distance to the nearest distribution with one mode [1]_.

    References
    ----------
    .. [1] J. A. Hartigan, P. M. Hartigan, Ann. Stat. 13, 70 (1985), doi 10.1214/aos/1176346577.
    """

    mean: float
    std: float
    median: float
    iqr: float
    p5: float
    p95: float
    skewness: float
    kurtosis: float
    bimodality: float
    dip: float


def shape_of(centers: np.ndarray, counts: np.ndarray) -> Shape:
    """The shape of counts in bins of equal width; shapes (B,) and (B,), counts may be weights.

    Quantiles go linearly through each bin. Half a bin is the error of all lengths; the variance is corrected by width**2 / 12
    (Sheppard).
    """
    total = float(counts.sum())
    if total <= 0:
        return Shape(*(float("nan"),) * 10)
    width = float(centers[1] - centers[0]) if centers.size > 1 else 0.0
    mean = float(np.sum(counts * centers) / total)
    off = centers - mean
    m2, m3, m4 = (float(np.sum(counts * off**k) / total) for k in (2, 3, 4))
    p5, low, median, high, p95 = quantiles(centers, counts, np.array([0.05, 0.25, 0.5, 0.75, 0.95]))
    std = float(np.sqrt(max(m2 - width**2 / 12, 0.0)))
    if m2 <= width**2 / 4:
        return Shape(mean, std, median, high - low, p5, p95, *(float("nan"),) * 4)
    skewness, kurtosis = m3 / m2**1.5, m4 / m2**2 - 3
    bimodality = (skewness**2 + 1) / (kurtosis + 3)
    return Shape(mean, std, median, high - low, p5, p95, skewness, kurtosis, bimodality, _dip(centers, counts))


def quantiles(centers: np.ndarray, counts: np.ndarray, at: np.ndarray) -> tuple[float, ...]:
    """Quantiles of binned values, linear within a bin."""
    return tuple(_quantiles(centers, counts, at).tolist())


def _quantiles(centers: np.ndarray, counts: np.ndarray, at: np.ndarray) -> np.ndarray:
    width = float(centers[1] - centers[0]) if centers.size > 1 else 0.0
    edges = np.concatenate([centers - width / 2, [centers[-1] + width / 2]])
    reached = np.concatenate([[0.0], np.cumsum(counts, dtype=np.float64)])
    kept = np.concatenate([[True], np.diff(reached) > 0]) | np.concatenate([np.diff(reached) > 0, [True]])
    return np.asarray(np.interp(at * reached[-1], reached[kept], edges[kept]))


def _dip(centers: np.ndarray, counts: np.ndarray) -> float:
    import diptest

    points = int(min(DIP_POINTS, max(counts.sum(), 4)))
    return float(diptest.dipstat(_quantiles(centers, counts, (np.arange(points) + 0.5) / points)))


def fine_bins(values: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Centers of bins of a width that cover the values, aligned at multiples of the width; and each value's bin.

    A value on the limit of two bins, to within a millionth of the width, belongs to the upper one.
    """
    floor = values / width
    floor += 1e-6
    np.floor(floor, out=floor)
    low = floor.min()
    floor -= low
    place = floor.astype(np.int32)
    return (int(low) + np.arange(int(place.max()) + 1) + 0.5) * width, place
