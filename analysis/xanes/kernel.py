"""One pass over the spectra of a block that writes all maps.

Spectra are taken in tiles that stay in the processor's cache, turned there into one row an energy, and never leave it
normalised. What is the same for all spectra (lines, smoothing, search for the maximum) goes over the spectra of a tile, many at
a time; what differs (refinement, uncertainty) spectrum by spectrum. Sums run over energies in a fixed order and without
fast-math: the bits of a voxel do not depend on which voxels stand beside it.
"""

import numpy as np
from numba import njit

from analysis.xanes.plan import (
    E_HALF,
    FINITE_LINE,
    HALF_WHITE,
    JUMP,
    JUMP_LINE,
    KIND,
    LINES,
    NO_EDGE,
    NOT_FINITE,
    ORIGIN_LINE,
    PAD,
    PRE_LINE,
    REFUSED,
    ROWS,
    SLOPE_LINE,
    SQUARE_LINE,
    STEEPEST,
    TEMPLATE,
    TILE,
    UNWANTED,
    VARIANCE,
    WHITE,
    Plan,
)
from analysis.xanes.refine import PEAKS, add_taps, crossing, shifted, steepest, white_line, white_line_noise


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
    _pass(np.ascontiguousarray(spectra.T) if by_image else spectra, wanted, by_image, plan, out)
    out[:REFUSED, out[REFUSED] == UNWANTED] = np.nan
    return out


@njit(nogil=True, cache=True)
def _pass(spectra: np.ndarray, wanted: np.ndarray, by_image: bool, plan: Plan, out: np.ndarray) -> None:
    """All stages for a tile of spectra, tile after tile.

    A stage goes over the whole tile with its tables in local names: what is looked up in the plan costs more than a spectrum.
    """
    rows = np.zeros((TILE, plan.length), dtype=KIND)
    tile = np.zeros((plan.length + 2 * PAD, TILE), dtype=KIND)
    smooth = np.zeros((plan.size, TILE), dtype=KIND)
    lines = np.zeros((LINES, TILE), dtype=KIND)
    tops = np.zeros(TILE, dtype=KIND)
    peaks = np.zeros((PEAKS, TILE), dtype=KIND)
    for begin in range(0, wanted.size, TILE):
        end = min(begin + TILE, wanted.size)
        if not wanted[begin:end].any():
            continue
        if by_image:
            _load_images(spectra, begin, end, tile[PAD:])
        else:
            _load_spectra(spectra[begin:end], rows, tile[PAD:])
        part = out[:, begin:end]
        _fit(tile[PAD : PAD + plan.length], lines, plan)
        _settle(wanted[begin:end], lines, plan, part)
        _smooth(tile, lines, smooth, plan)
        _top(smooth, lines[FINITE_LINE], tops)
        white_line(tile, lines, smooth, tops, peaks, plan, part)
        if plan.code in (E_HALF, HALF_WHITE):
            crossing(lines, smooth, tops, plan, part)
        elif plan.code == WHITE:
            white_line_noise(lines, smooth, tops, peaks, plan, part)
        elif plan.code == STEEPEST:
            steepest(tile, lines, smooth, tops, plan, part)
        elif plan.code == TEMPLATE:
            shifted(tile, lines, plan, part)


@njit(nogil=True, cache=True)
def _load_spectra(spectra: np.ndarray, rows: np.ndarray, tile: np.ndarray) -> None:
    """Turn spectra into images of one energy each; read in their own order first, which memory likes best."""
    for j in range(spectra.shape[0]):
        spectrum, row = spectra[j], rows[j]
        for e in range(row.size):
            row[e] = spectrum[e]
    for e in range(rows.shape[1]):
        image = tile[e]
        for j in range(TILE):
            image[j] = rows[j, e]


@njit(nogil=True, cache=True)
def _load_images(images: np.ndarray, begin: int, end: int, tile: np.ndarray) -> None:
    for e in range(images.shape[0]):
        image, values = tile[e], images[e][begin:end]
        for j in range(values.size):
            image[j] = values[j]


@njit(nogil=True, cache=True)
def _fit(tile: np.ndarray, lines: np.ndarray, plan: Plan) -> None:
    """Pre-edge line, jump, and the variance about the line.

    A value of each spectrum is taken off it first, which keeps float32 from cancelling digits; ``FINITE_LINE`` becomes 0, or
    NaN where a value is not finite.
    """
    w_pre, w_slope, w_post, x = plan.w_pre, plan.w_slope, plan.w_post, plan.pre_x
    lines[:] = 0
    origin, pre, slope, post, finite = lines[ORIGIN_LINE], lines[PRE_LINE], lines[SLOPE_LINE], lines[JUMP_LINE], lines[FINITE_LINE]
    squares = lines[SQUARE_LINE]
    origin[:] = tile[plan.pre_start]
    for e in range(tile.shape[0]):
        image = tile[e]
        for j in range(TILE):
            image[j] -= origin[j]
            finite[j] += image[j] - image[j]
    for k in range(w_pre.size):
        image, a, b = tile[plan.pre_start + k], w_pre[k], w_slope[k]
        for j in range(TILE):
            pre[j] += a * image[j]
            slope[j] += b * image[j]
    for k in range(w_post.size):
        image, a = tile[plan.post_start + k], w_post[k]
        for j in range(TILE):
            post[j] += a * image[j]
    for k in range(x.size):
        image, a = tile[plan.pre_start + k], x[k]
        for j in range(TILE):
            off = image[j] - pre[j] - slope[j] * a
            squares[j] += off * off
    for j in range(TILE):
        post[j] -= pre[j]


@njit(nogil=True, cache=True)
def _settle(wanted: np.ndarray, lines: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """What is known before the edge is looked at; spectra that are normalised already get the lines 0 and 1."""
    if plan.normalised:
        for j in range(TILE):
            lines[PRE_LINE, j] = -lines[ORIGIN_LINE, j]
            lines[SLOPE_LINE, j] = 0
            lines[JUMP_LINE, j] = 1
    for j in range(wanted.size):
        out[JUMP, j] = lines[JUMP_LINE, j]
        if plan.freedom > 0:
            out[VARIANCE, j] = lines[SQUARE_LINE, j] / plan.freedom
        if not wanted[j]:
            continue
        if lines[FINITE_LINE, j] != 0:
            out[REFUSED, j] = NOT_FINITE
        elif not lines[JUMP_LINE, j] > 0:
            out[REFUSED, j] = NO_EDGE


@njit(nogil=True, cache=True)
def _smooth(tile: np.ndarray, lines: np.ndarray, smooth: np.ndarray, plan: Plan) -> None:
    """Smoothed absorption above the pre-edge line over the window."""
    pre, slope, x = lines[PRE_LINE], lines[SLOPE_LINE], plan.x
    for t in range(x.size):
        sums, at = smooth[t], x[t]
        for j in range(TILE):
            sums[j] = -pre[j] - slope[j] * at
    add_taps(tile, PAD + plan.start - plan.reach, 1, smooth, plan.smooth)


@njit(nogil=True, cache=True)
def _top(smooth: np.ndarray, highest: np.ndarray, tops: np.ndarray) -> None:
    """The first maximum of each spectrum; places as floats, which go side by side with the values."""
    tops[:] = 0
    highest[:] = smooth[0]
    for t in range(1, smooth.shape[0]):
        now, index = smooth[t], KIND(t)
        for j in range(TILE):
            old, new, place = highest[j], now[j], tops[j]
            highest[j] = new if new > old else old
            tops[j] = index if new > old else place
