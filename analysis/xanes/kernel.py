"""The edge energies, jumps and white lines of many spectra in one pass: weights laid out, compiled code called."""

from typing import NamedTuple

import numpy as np

from analysis.xanes import tiles
from analysis.xanes.definitions import Template, Window
from analysis.xanes.normalise import Lines
from analysis.xanes.tiles import AT_RIM as AT_RIM
from analysis.xanes.tiles import ENERGY as ENERGY
from analysis.xanes.tiles import GAIN as GAIN
from analysis.xanes.tiles import HEIGHT as HEIGHT
from analysis.xanes.tiles import JUMP as JUMP
from analysis.xanes.tiles import NO_EDGE as NO_EDGE
from analysis.xanes.tiles import NO_FEATURE as NO_FEATURE
from analysis.xanes.tiles import NOT_FINITE as NOT_FINITE
from analysis.xanes.tiles import REFUSED as REFUSED
from analysis.xanes.tiles import ROWS as ROWS
from analysis.xanes.tiles import UNWANTED as UNWANTED
from analysis.xanes.tiles import VARIANCE as VARIANCE
from analysis.xanes.tiles import WHITE_LINE as WHITE_LINE

KIND = tiles.KIND
CODES: dict[str, int] = {
    "e_half": tiles.E_HALF,
    "white_line": tiles.WHITE,
    "template_shift": tiles.TEMPLATE,
    "half_white_line": tiles.HALF_WHITE,
    "max_slope": tiles.STEEPEST,
}


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
    bank: np.ndarray  # (K, n), likewise, and zeros up to an even number of rows
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
        bank=_fours(np.pad(bank, ((0, -len(bank) % 2), (0, 0)))),
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


def edge_maps(spectra: np.ndarray, wanted: np.ndarray, plan: Plan) -> np.ndarray:
    """The kernel's maps of a block.

    Parameters
    ----------
    spectra
        Shape (N, E), float32; rows or columns contiguous.
    wanted
        Shape (N,), bool; the others are not looked at.

    Returns
    -------
    np.ndarray
        Shape (7, N), float32; rows are ENERGY … REFUSED. GAIN times the noise of a spectrum is the standard deviation of ENERGY.
    """
    out = np.full((ROWS, spectra.shape[0]), np.nan, dtype=np.float32)
    out[REFUSED] = np.where(wanted, 0, UNWANTED)
    by_image = not spectra.flags.c_contiguous
    tiles.run(np.ascontiguousarray(spectra.T) if by_image else spectra, wanted, by_image, plan, out)
    out[:REFUSED, out[REFUSED] == UNWANTED] = np.nan
    return out
