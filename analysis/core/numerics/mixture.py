"""Gaussian mixtures of binned values, with as many parts as the data can bear."""

from dataclasses import dataclass

import numpy as np

ROUNDS = 500
SETTLED = 1e-7  # change of the mean log-likelihood at which the fit ends
LEAST_SHARE = 0.01  # a part below it is not told from the rest


@dataclass(frozen=True)
class Mixture:
    """Parts in the order of their means; ``bic`` of this and ``bics`` of every number of parts that was tried, from one on."""

    weight: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    bic: float
    bics: tuple[float, ...]

    @property
    def size(self) -> int:
        return int(self.weight.size)

    def density(self, at: np.ndarray) -> np.ndarray:
        """Probability density, shape as ``at``."""
        return np.asarray(np.sum(_parts(at, self.weight, self.mean, self.std), axis=0))


def mixture_of(centers: np.ndarray, counts: np.ndarray, *, n_effective: float, most: int = 4) -> Mixture:
    """The mixture whose Bayesian information criterion is smallest.

    Parameters
    ----------
    centers, counts
        Shape (B,), bins of equal width.
    n_effective
        Number of independent values behind the counts. Voxels beside each other are not independent: with the plain count
        every ripple would become a part of its own.

    Notes
    -----
    Expectation and maximisation [1]_ from quantiles, so that the same data give the same parts; a width is not below one bin.

    References
    ----------
    .. [1] A. P. Dempster, N. M. Laird, D. B. Rubin, J. R. Stat. Soc. B 39, 1 (1977), doi 10.1111/j.2517-6161.1977.tb01600.x.
    """
    share = counts / counts.sum()
    found = [_fit(centers, share, k, n_effective) for k in range(1, most + 1)]
    allowed = [f for f in found if f.size == 1 or f.weight.min() >= LEAST_SHARE]
    best = min(allowed, key=lambda f: f.bic)
    return Mixture(best.weight, best.mean, best.std, best.bic, tuple(f.bic for f in found))


def _fit(centers: np.ndarray, share: np.ndarray, k: int, n_effective: float) -> Mixture:
    width = float(centers[1] - centers[0]) if centers.size > 1 else 1.0
    overall = float(np.sum(share * centers))
    spread = max(float(np.sqrt(np.sum(share * (centers - overall) ** 2))), width)
    reached = np.cumsum(share)
    mean = np.interp((np.arange(k) + 0.5) / k, reached, centers)
    std, weight = np.full(k, spread / k), np.full(k, 1.0 / k)
    before = -np.inf
    for _ in range(ROUNDS):
        parts = _parts(centers, weight, mean, std)
        total = np.maximum(parts.sum(axis=0), 1e-300)
        likelihood = float(np.sum(share * np.log(total)))
        if likelihood - before < SETTLED:
            break
        before = likelihood
        mine = share * parts / total
        weight = np.maximum(mine.sum(axis=1), 1e-12)
        mean = mine @ centers / weight
        std = np.sqrt(np.maximum(np.sum(mine * (centers - mean[:, None]) ** 2, axis=1) / weight, width**2))
    bic = -2 * n_effective * before + (3 * k - 1) * np.log(max(n_effective, 2.0))
    order = np.argsort(mean)
    return Mixture(weight[order] / weight.sum(), mean[order], std[order], float(bic), ())


def _parts(at: np.ndarray, weight: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    z = (at - mean[:, None]) / std[:, None]
    return np.asarray(weight[:, None] * np.exp(-0.5 * z**2) / (np.sqrt(2 * np.pi) * std[:, None]))
