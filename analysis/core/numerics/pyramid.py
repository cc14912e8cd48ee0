"""Arrays of real numbers as small integers for the screen: quantised, halved, counted.

Code 0 stands for "not a number"; the codes 1 … 65535 are values ``offset + scale * code``. Means of codes are codes of means,
so that a pyramid of halved arrays needs no second look at the values.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

CODES = 65535  # codes of numbers; 0 is "not a number"
SHORT_CODES = 255  # the same in 8 bits
SAMPLES_A_BLOCK = 1 << 14
OUTLYING = 64  # a range so many times wider than its middle 99.8 % is cut
MARGIN = 16  # … to the middle and so many of its widths on each side


@dataclass(frozen=True)
class Scale:
    """How codes are read: ``value = offset + scale * code``; code 0 has no value."""

    scale: float
    offset: float

    def values(self, codes: np.ndarray) -> np.ndarray:
        """The numbers of some codes, float64, NaN for code 0."""
        return np.where(codes == 0, np.nan, self.offset + self.scale * codes.astype(np.float64))


@dataclass
class Range:
    """Extremes of the finite numbers of an array that is looked at block by block, with an even sample of them."""

    low: float = np.inf
    high: float = -np.inf
    whole: bool = True  # all of them are whole numbers
    samples: tuple[np.ndarray, ...] = ()

    def add(self, block: np.ndarray) -> None:
        """Take one block into account, of any shape and real type."""
        values = block.reshape(-1)
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
            self.whole = self.whole and not np.any(values % 1)
        if values.size == 0:
            return
        self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))
        step = max(1, values.size // SAMPLES_A_BLOCK)
        self.samples += (values[step // 2 :: step].astype(np.float64),)

    def scale(self) -> Scale:
        """Codes for these numbers: one a whole number where they fit, otherwise evenly spread over the range.

        Notes
        -----
        A few numbers far away (a failed fit, a hot pixel) would leave the rest a handful of codes. Where the range is more than
        ``OUTLYING`` times as wide as the middle 99.8 %, it ends ``MARGIN`` such widths beyond; numbers outside get the last code.
        """
        if not self.samples:
            return Scale(1.0, -1.0)
        if self.whole and self.high - self.low < CODES:
            return Scale(1.0, self.low - 1.0)
        low, high = self._without_outliers()
        step = (high - low) / (CODES - 1) if high > low else 1.0
        return Scale(step, low - step)

    def _without_outliers(self) -> tuple[float, float]:
        first, last = np.quantile(np.concatenate(self.samples), [0.001, 0.999])
        width = float(last - first)
        if width == 0 or self.high - self.low <= OUTLYING * width:
            return self.low, self.high
        return max(self.low, float(first) - MARGIN * width), min(self.high, float(last) + MARGIN * width)


def quantise(values: np.ndarray, scale: Scale) -> np.ndarray:
    """Codes of numbers, uint16, 0 for what is not finite; numbers beyond the codes get the last one on their side.

    The error is at most half a ``scale.scale`` for numbers within the range.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        codes = np.rint((values.astype(np.float64) - scale.offset) / scale.scale)
        np.clip(codes, 1, CODES, out=codes)
    if values.dtype.kind == "f":
        codes[~np.isfinite(values)] = 0
    return codes.astype(np.uint16)


def halve(codes: np.ndarray, *, labels: bool) -> np.ndarray:
    """Every second voxel along the last three axes, each the rounded mean of the up to eight it stands for that have a value.

    Parameters
    ----------
    codes
        Shape (…, z, y, x), uint16. Axes of length 1 stay; odd ones are rounded up.
    labels
        Labels are not averaged: the first voxel of the eight stands for them.
    """
    steps = [2 if n > 1 else 1 for n in codes.shape[-3:]]
    if labels:
        return np.ascontiguousarray(codes[_last(slice(None, None, s) for s in steps)])
    shape = (*codes.shape[:-3], *(-(-n // s) for n, s in zip(codes.shape[-3:], steps, strict=True)))
    total, count = np.zeros(shape, np.uint32), np.zeros(shape, np.uint8)
    for start in np.ndindex(*steps):
        part = codes[_last(slice(b, None, s) for b, s in zip(start, steps, strict=True))]
        here = _last(slice(0, n) for n in part.shape[-3:])
        total[here] += part
        count[here] += part != 0
    many = np.maximum(count, 1)
    return ((total + many // 2) // many).astype(np.uint16)


def _last(slices: Iterable[slice]) -> tuple[Any, ...]:
    return (..., *slices)


def shorten(codes: np.ndarray, low: int, high: int) -> np.ndarray:
    """8-bit codes of 16-bit ones: 1 … 255 spread over ``low`` … ``high``, what lies beyond at the ends, 0 for no value."""
    return _short_codes(low, high)[codes]


@lru_cache(maxsize=64)
def _short_codes(low: int, high: int) -> np.ndarray:
    span = max(1, high - low)
    table = 1 + (np.clip(np.arange(CODES + 1) - low, 0, span) * (SHORT_CODES - 1) + span // 2) // span
    table[0] = 0
    return table.astype(np.uint8)


def short_scale(scale: Scale, low: int, high: int) -> Scale:
    """How the codes of ``shorten`` are read."""
    step = scale.scale * max(1, high - low) / (SHORT_CODES - 1)
    return Scale(step, scale.offset + scale.scale * low - step)


def percentiles(counts: np.ndarray, scale: Scale, percents: tuple[float, ...]) -> list[float | None]:
    """Percentiles of numbers from the counts of their codes, to the width of a bin.

    Parameters
    ----------
    counts
        Shape (n,), n a divisor of 65536: how many codes lie in each of n equal bins; code 0 is left out by the caller.
    percents
        0 … 100.

    Returns
    -------
    list
        None each where nothing was counted.
    """
    total = counts.sum()
    if total == 0:
        return [None] * len(percents)
    width = (CODES + 1) // counts.size
    places = np.searchsorted(np.cumsum(counts), np.maximum(1, np.ceil(np.asarray(percents) / 100 * total)))
    codes = np.clip(places * width + (width - 1) / 2, 1, CODES)
    return [float(scale.offset + scale.scale * c) for c in codes]
