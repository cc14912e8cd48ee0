"""Moments and quantiles of values that come part by part, for arrays that memory does not hold."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

BINS = 1 << 16

Parts = Callable[[], Iterable[np.ndarray]]  # the same parts each time it is called, of one dimension


@dataclass(frozen=True)
class Moments:
    """Of finite values: their number, mean, sum of squared deviations from it, smallest and largest."""

    n: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")

    @property
    def variance(self) -> float:
        """Of the population that they are a sample of; NaN for fewer than two."""
        return self.squares / (self.n - 1) if self.n > 1 else float("nan")

    def with_part(self, values: np.ndarray) -> "Moments":
        """These moments and those of a further part (Chan, Golub & LeVeque, Am. Stat. 37, 242, 1983)."""
        if values.size == 0:
            return self
        own = values.astype(np.float64)
        mean = float(own.mean())
        squares = float(np.sum((own - mean) ** 2))
        n, apart = self.n + values.size, mean - self.mean
        return Moments(
            n,
            self.mean + apart * values.size / n,
            self.squares + squares + apart * apart * self.n * values.size / n,
            min(self.low, float(own.min())),
            max(self.high, float(own.max())),
        )


def moments_of(parts: Parts) -> Moments:
    found = Moments()
    for part in parts():
        found = found.with_part(part)
    return found


def quantiles_of(parts: Parts, wanted: Sequence[float], moments: Moments) -> np.ndarray:
    """Exact quantiles, as ``numpy.quantile`` gives them of all values at once; NaN where there is none.

    The values are counted in fine bins first; of those bins alone in which a wanted value lies they are looked at one by one.
    """
    if moments.n == 0:
        return np.full(len(wanted), np.nan)
    if moments.low == moments.high:
        return np.full(len(wanted), moments.low)
    scale = BINS / (moments.high - moments.low)

    def bins(values: np.ndarray) -> np.ndarray:
        return np.minimum(((values.astype(np.float64) - moments.low) * scale).astype(np.int64), BINS - 1)

    counts = np.zeros(BINS, dtype=np.int64)
    for part in parts():
        counts += np.bincount(bins(part), minlength=BINS)
    places = np.asarray(wanted) * (moments.n - 1)
    ranks = np.unique(np.concatenate([np.floor(places), np.ceil(places)]).astype(np.int64))
    ends = np.cumsum(counts)
    needed = np.zeros(BINS, dtype=bool)
    needed[np.searchsorted(ends, ranks, side="right")] = True
    chosen = np.sort(np.concatenate([part[needed[bins(part)]] for part in parts()]).astype(np.float64))
    before = np.cumsum(np.where(needed, 0, counts))  # values below that are not among the chosen
    at = {rank: chosen[rank - before[np.searchsorted(ends, rank, side="right")]] for rank in ranks}
    low, high = (np.array([at[int(r)] for r in f(places)]) for f in (np.floor, np.ceil))
    return np.asarray(low + (high - low) * (places - np.floor(places)))
