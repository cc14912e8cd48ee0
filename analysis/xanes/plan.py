"""The weights of a whole analysis, laid out for the kernel."""

from typing import NamedTuple

import numpy as np

from analysis.xanes.definitions import CODES, Template, Window
from analysis.xanes.normalise import Lines

KIND = np.float32  # of spectra and weights; what is refined one by one is float64
PAD = 24  # rows of zeros before and after the energies of a tile: more than half of any window
TILE = 64  # spectra: with 80 energies, 20 kB in float32

# Rows of the kernel's output.
ENERGY, GAIN, JUMP, WHITE_LINE, HEIGHT, VARIANCE, REFUSED = range(7)
ROWS = 7

# What is known of a tile's spectra.
ORIGIN_LINE, PRE_LINE, SLOPE_LINE, JUMP_LINE, SQUARE_LINE, FINITE_LINE, LEVEL_LINE, PLACE_LINE = range(8)
LINES = 8

NOT_FINITE, NO_EDGE, NO_FEATURE, AT_RIM, UNWANTED = 1, 2, 4, 8, 32  # of analysis.schemas.FLAGS

E_HALF, WHITE, TEMPLATE, HALF_WHITE, STEEPEST = (
    CODES[d] for d in ("e_half", "white_line", "template_shift", "half_white_line", "max_slope")
)


class Plan(NamedTuple):
    """All that the kernel needs besides the spectra; n points in the window."""

    code: int
    length: int
    normalised: bool
    kappa: float  # noise variance grows as exp(kappa * rise of absorption)
    pre_start: int
    post_start: int
    start: int
    size: int
    freedom: int
    w_pre: np.ndarray
    w_slope: np.ndarray
    w_post: np.ndarray
    pre_x: np.ndarray
    reach: int  # h
    slope_reach: int  # s
    smooth: np.ndarray  # (n, 2h+1), zeros up to a multiple of four columns
    x: np.ndarray  # (n,) energies of the window relative to E0
    own: np.ndarray  # (n,) float64: sum of a row's squared smoothing weights
    next_to: np.ndarray  # (n,) float64: sum of the products with the row before
    peak: np.ndarray  # (3, n, 2p+1)
    slope: np.ndarray  # (n, 2s+1), likewise
    bend: np.ndarray  # (2, n, 2s+3)
    spread: np.ndarray  # float64: variances and covariance of pre, slope and post at E0
    energy: np.ndarray  # (n,) float64
    bank: np.ndarray  # (K, n), likewise
    square: np.ndarray  # (K,) float64, as what follows
    shifts: np.ndarray
    shift_gain: np.ndarray
    anchor: float
    steep_gain: float  # of the steepest point, for unit noise and unit jump


def plan_of(
    definition: str,
    lines: Lines,
    window: Window,
    *,
    template: Template | None = None,
    kappa: float = 0.0,
    steep_gain: float = np.nan,
) -> Plan:
    """Weights laid out for the kernel."""
    rows, empty = slice(window.start, window.stop), np.zeros(2)
    bank = template.bank.T if template else empty[None]
    return Plan(
        code=CODES[definition],
        length=lines.energy.size,
        normalised=lines.normalised,
        kappa=float(kappa),
        pre_start=lines.pre.start,
        post_start=lines.post.start,
        start=window.start,
        size=window.size,
        freedom=lines.freedom,
        w_pre=np.ascontiguousarray(lines.w_pre, dtype=KIND),
        w_slope=np.ascontiguousarray(lines.w_slope, dtype=KIND),
        w_post=np.ascontiguousarray(lines.w_post, dtype=KIND),
        pre_x=np.ascontiguousarray(lines.x[lines.pre], dtype=KIND),
        reach=window.smooth.shape[1] // 2,
        slope_reach=window.slope.shape[1] // 2,
        smooth=_fours(window.smooth),
        x=np.ascontiguousarray(lines.x[rows], dtype=KIND),
        own=np.sum(window.smooth**2, axis=1),
        next_to=_products(window.smooth),
        peak=np.ascontiguousarray(window.peak, dtype=KIND),
        slope=_fours(window.slope),
        bend=np.ascontiguousarray(window.bend, dtype=KIND),
        spread=np.array([lines.pre_pre, lines.pre_slope, lines.slope_slope, lines.post_post]),
        energy=np.ascontiguousarray(lines.energy[rows]),
        bank=_fours(bank),
        square=template.square if template else empty,
        shifts=template.shifts if template else empty,
        shift_gain=template.gain if template else empty,
        anchor=template.anchor if template else np.nan,
        steep_gain=float(steep_gain),
    )


def _fours(weights: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.pad(weights, ((0, 0), (0, -weights.shape[1] % 4))), dtype=KIND)


def _products(smooth: np.ndarray) -> np.ndarray:
    """Covariance of a smoothed point with the one before, for unit noise; the first has none."""
    out = np.zeros(len(smooth))
    out[1:] = np.sum(smooth[1:, :-1] * smooth[:-1, 1:], axis=1)
    return out
