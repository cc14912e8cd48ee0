"""One pass over the spectra of a block that writes all maps.

Spectra are taken in tiles that stay in the processor's cache, turned there into one row an energy, and never leave it
normalised. What is the same for all spectra (lines, smoothing, search for the maximum and the crossing) goes over the
spectra of a tile, many at a time; what differs (refinement, uncertainty) spectrum by spectrum. Sums run over energies in a
fixed order and without fast-math: the bits of a voxel do not depend on which voxels stand beside it.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from analysis.xanes.definitions import CODES, Template, Window
from analysis.xanes.normalise import Lines

KIND = np.float32  # of spectra and weights; what is refined one by one is float64
PAD = 24  # rows of zeros before and after the energies of a tile: more than half of any window
TILE = 64  # spectra: with 80 energies, 20 kB in float32

# Rows of the kernel's output.
ENERGY, GAIN, JUMP, WHITE_LINE, HEIGHT, VARIANCE, REFUSED = range(7)
ROWS = 7

# What is known of a tile's spectra.
ORIGIN_LINE, PRE_LINE, SLOPE_LINE, JUMP_LINE, SQUARE_LINE, FINITE_LINE = range(6)
LINES = 6

NOT_FINITE, NO_EDGE, NO_FEATURE, AT_RIM, UNWANTED = 1, 2, 4, 8, 32  # of analysis.schemas.FLAGS

E_HALF, WHITE, TEMPLATE, HALF_WHITE, STEEPEST = (
    CODES[d] for d in ("e_half", "white_line", "template_shift", "half_white_line", "max_slope")
)
_MOST = 20.0  # exponent of the photon noise at most


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
    tops = np.zeros(TILE, dtype=np.int32)
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
        _white_line(tile, lines, smooth, tops, plan, part)
        if plan.code == E_HALF or plan.code == HALF_WHITE:
            _crossing(lines, smooth, tops, plan, part)
        elif plan.code == WHITE:
            _white_line_noise(tile, lines, smooth, tops, plan, part)
        elif plan.code == STEEPEST:
            _steepest(tile, lines, smooth, tops, plan, part)
        elif plan.code == TEMPLATE:
            _shifted(tile, lines, plan, part)


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
    _add_taps(tile, PAD + plan.start - plan.reach, 1, smooth, plan.smooth)


@njit(nogil=True, cache=True)
def _add_taps(tile: np.ndarray, first: int, step: int, sums: np.ndarray, weights: np.ndarray) -> None:
    """Add to row t the images from ``first + step * t`` on, weighted by row t of the table: four at a time, it has that many."""
    for t in range(weights.shape[0]):
        total = sums[t]
        for k in range(0, weights.shape[1], 4):
            at = first + step * t + k
            a, b, c, d = tile[at], tile[at + 1], tile[at + 2], tile[at + 3]
            u, v, w, x = weights[t, k], weights[t, k + 1], weights[t, k + 2], weights[t, k + 3]
            for j in range(TILE):
                total[j] += (u * a[j] + v * b[j]) + (w * c[j] + x * d[j])


@njit(nogil=True, cache=True)
def _top(smooth: np.ndarray, highest: np.ndarray, tops: np.ndarray) -> None:
    """The first maximum of each spectrum."""
    tops[:] = 0
    highest[:] = smooth[0]
    for t in range(1, smooth.shape[0]):
        now, index = smooth[t], np.int32(t)
        for j in range(TILE):
            higher = now[j] > highest[j]
            tops[j] = index if higher else tops[j]
            highest[j] = now[j] if higher else highest[j]


@njit(nogil=True, cache=True)
def _noise(kappa: float, rise: float) -> float:
    """Variance of the noise where absorption is higher by ``rise``, in units of that before the edge."""
    return np.exp(min(kappa * rise, _MOST)) if kappa != 0 else 1.0


@njit(nogil=True, cache=True)
def _white_line(tile: np.ndarray, lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """Maximum of a parabola about the highest smoothed point; height above the pre-edge line, in units of the jump.

    Parabolas about the two grid points beside the smoothed maximum are mixed by how near it is to each, so that the result
    does not leap where noise makes another grid point the highest.
    """
    energy, x, peak, last = plan.energy, plan.x, plan.peak, plan.size - 1
    half = peak.shape[2] // 2
    first = PAD + plan.start - half
    for j in range(out.shape[1]):
        top = tops[j]
        if out[REFUSED, j] != 0:
            continue
        if top == 0 or top >= last:
            _refuse(out, j, AT_RIM, plan.code)
            continue
        pre, slope = lines[PRE_LINE, j], lines[SLOPE_LINE, j]
        vertex = _vertex(smooth, j, top, energy)
        a = top if vertex >= 0 else top - 1
        width = energy[a + 1] - energy[a]
        part = (energy[top] + vertex - energy[a]) / width
        step_a, height_a, _ = _parabola(tile, first + a, j, a, pre + slope * x[a], slope, peak)
        step_b, height_b, _ = _parabola(tile, first + a + 1, j, a + 1, pre + slope * x[a + 1], slope, peak)
        found = (1 - part) * (energy[a] + step_a) + part * (energy[a + 1] + step_b)
        if not energy[max(top - half, 0)] <= found <= energy[min(top + half, last)]:
            _refuse(out, j, NO_FEATURE, plan.code)
            continue
        out[WHITE_LINE, j] = found
        out[HEIGHT, j] = ((1 - part) * height_a + part * height_b) / lines[JUMP_LINE, j]


@njit(nogil=True, cache=True)
def _white_line_noise(tile: np.ndarray, lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """The white line as the edge energy, with what the noise of every point does to it."""
    energy, x, peak, table, of_slope = plan.energy, plan.x, plan.peak, plan.smooth, plan.spread[2]
    first = PAD + plan.start - peak.shape[2] // 2
    weights = np.zeros(2 * PAD + 4)  # how the result follows each value of the spectrum; [PAD] belongs to the highest point
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        top, slope = tops[j], lines[SLOPE_LINE, j]
        vertex = _vertex(smooth, j, top, energy)
        a = top if vertex >= 0 else top - 1
        width = energy[a + 1] - energy[a]
        part = (energy[top] + vertex - energy[a]) / width
        step_a, _, bent_a = _parabola(tile, first + a, j, a, slope, slope, peak)
        step_b, _, bent_b = _parabola(tile, first + a + 1, j, a + 1, slope, slope, peak)
        apart = (energy[a + 1] + step_b - energy[a] - step_a) / width
        weights[:] = 0
        _add_parabola(weights, a - top, step_a, -0.5 * (1 - part) / bent_a, peak[:, a])
        _add_parabola(weights, a + 1 - top, step_b, -0.5 * part / bent_b, peak[:, a + 1])
        _add_vertex(weights, smooth, j, top, vertex, -0.5 * apart, energy, table, plan.reach)
        total, moment = 0.0, 0.0
        for t in range(max(top - PAD, 0), min(top + PAD, x.size)):
            total += weights[t - top + PAD] ** 2
            moment += weights[t - top + PAD] * x[t]
        noise = _noise(plan.kappa, out[HEIGHT, j] * lines[JUMP_LINE, j])
        out[ENERGY, j] = out[WHITE_LINE, j]
        out[GAIN, j] = np.sqrt(total * noise + moment * moment * of_slope)


@njit(nogil=True, cache=True)
def _refuse(out: np.ndarray, j: int, why: int, code: int) -> None:
    """A spectrum without a white line has an edge energy all the same where the definition needs none."""
    if code in (WHITE, HALF_WHITE):
        out[REFUSED, j] = why


@njit(nogil=True, cache=True)
def _vertex(smooth: np.ndarray, j: int, top: int, energy: np.ndarray) -> float:
    """Where the parabola through the highest smoothed point and its neighbours peaks, relative to that point."""
    before, after = energy[top - 1] - energy[top], energy[top + 1] - energy[top]
    highest = np.float64(smooth[top, j])
    left, right = smooth[top - 1, j] - highest, smooth[top + 1, j] - highest
    twist = right * before - left * after  # bend times before * after * (after - before)
    return 0.0 if twist == 0 else 0.5 * (right * before * before - left * after * after) / twist


@njit(nogil=True, cache=True)
def _parabola(tile: np.ndarray, first: int, j: int, at: int, line: float, slope: float, peak: np.ndarray) -> tuple:
    """Peak of the parabola fitted about a point of the window: energy relative to the point, height, bend."""
    value = linear = bent = line - line
    values, of_value, of_linear, of_bent = tile[first : first + peak.shape[2], j], peak[0, at], peak[1, at], peak[2, at]
    for k in range(values.size):
        value += of_value[k] * values[k]
        linear += of_linear[k] * values[k]
        bent += of_bent[k] * values[k]
    b, c = np.float64(linear) - slope, np.float64(bent)
    if not c < 0:
        return np.nan, np.nan, c
    step = -0.5 * b / c
    return step, np.float64(value) - line + 0.5 * b * step, c


@njit(nogil=True, cache=True)
def _add_parabola(weights: np.ndarray, offset: int, step: float, factor: float, peak: np.ndarray) -> None:
    """Of a parabola's peak."""
    first = PAD + offset - peak.shape[1] // 2
    for k in range(peak.shape[1]):
        weights[first + k] += factor * (peak[1, k] + 2 * step * peak[2, k])


@njit(nogil=True, cache=True)
def _add_vertex(
    weights: np.ndarray,
    smooth: np.ndarray,
    j: int,
    top: int,
    vertex: float,
    factor: float,
    energy: np.ndarray,
    table: np.ndarray,
    reach: int,
) -> None:
    """Of the smoothed maximum."""
    before, after = energy[top - 1] - energy[top], energy[top + 1] - energy[top]
    highest = np.float64(smooth[top, j])
    bent = ((smooth[top + 1, j] - highest) / after - (smooth[top - 1, j] - highest) / before) / (after - before)
    if bent == 0:
        return
    bent_right, bent_left = 1 / (after * (after - before)), -1 / (before * (after - before))
    right = factor / bent * (1 / after - after * bent_right + 2 * vertex * bent_right)
    left = factor / bent * (-after * bent_left + 2 * vertex * bent_left)
    first = PAD - reach
    for k in range(2 * reach + 1):
        weights[first - 1 + k] += left * table[top - 1, k]
        weights[first + k] -= (left + right) * table[top, k]
        weights[first + 1 + k] += right * table[top + 1, k]


@njit(nogil=True, cache=True)
def _crossing(lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """Last crossing, before the maximum, of half the jump or of half the white line's height."""
    energy, x, own, next_to, peak, spread = plan.energy, plan.x, plan.own, plan.next_to, plan.peak, plan.spread
    of_jump = plan.code == E_HALF
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        jump = np.float64(lines[JUMP_LINE, j])
        t, level = tops[j], 0.5 * jump if of_jump else 0.5 * jump * out[HEIGHT, j]
        while t > 0 and smooth[t - 1, j] >= level:
            t -= 1
        if t < 2 or t >= plan.size - 1:
            out[REFUSED, j] = NO_FEATURE if t == 0 else AT_RIM
            continue
        rise = np.float64(smooth[t, j]) - smooth[t - 1, j]
        part = (level - smooth[t - 1, j]) / rise
        width = energy[t] - energy[t - 1]
        at = x[t - 1] + part * width
        total = (1 - part) ** 2 * own[t - 1] + 2 * part * (1 - part) * next_to[t] + part**2 * own[t]
        variance = total * _noise(plan.kappa, level) + 0.25 * spread[0]
        if of_jump:
            variance += at * spread[1] + at * at * spread[2] + 0.25 * spread[3] * _noise(plan.kappa, jump)
        else:
            top = tops[j]
            step = np.float64(out[WHITE_LINE, j]) - energy[top]
            at -= 0.5 * (x[top] + step)
            variance += at * spread[1] + at * at * spread[2]
            variance += 0.25 * _height_noise(peak, top, step) * _noise(plan.kappa, 2 * level)
        out[ENERGY, j] = energy[t - 1] + part * width
        out[GAIN, j] = np.sqrt(variance) * width / rise


@njit(nogil=True, cache=True)
def _height_noise(peak: np.ndarray, top: int, step: float) -> float:
    """Variance of a parabola's height for unit noise."""
    total = 0.0
    for k in range(peak.shape[2]):
        total += (peak[0, top, k] + step * (peak[1, top, k] + step * peak[2, top, k])) ** 2
    return total


@njit(nogil=True, cache=True)
def _steepest(tile: np.ndarray, lines: np.ndarray, slopes: np.ndarray, tops: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """Maximum of the smoothed derivative up to the white line; ``slopes`` is written over."""
    energy, table, bend, gain = plan.energy, plan.slope, plan.bend, plan.steep_gain
    first = PAD + plan.start - plan.slope_reach
    slopes[:] = 0
    _add_taps(tile, first, 1, slopes, table)
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        t = 0
        for k in range(1, tops[j] + 1):
            if slopes[k, j] > slopes[t, j]:
                t = k
        if t == 0 or t >= plan.size - 1:
            out[REFUSED, j] = AT_RIM
            continue
        linear, bent, total = 0.0, 0.0, 0.0
        for k in range(bend.shape[2]):
            linear += bend[0, t, k] * tile[first + t - 1 + k, j]
            bent += bend[1, t, k] * tile[first + t - 1 + k, j]
        step = -0.5 * linear / bent if bent < 0 else np.nan
        if not energy[t - 1] <= energy[t] + step <= energy[t + 1]:
            out[REFUSED, j] = NO_FEATURE
            continue
        for k in range(bend.shape[2]):
            total += (bend[0, t, k] + 2 * step * bend[1, t, k]) ** 2
        # The bend of a noisy derivative is too uncertain to say how uncertain its maximum is: the mean spectrum's says it better.
        jump = np.float64(lines[JUMP_LINE, j])
        unit = gain / jump if gain > 0 else -0.5 * np.sqrt(total) / bent
        out[ENERGY, j] = energy[t] + step
        out[GAIN, j] = unit * np.sqrt(_noise(plan.kappa, 0.5 * jump))


@njit(nogil=True, cache=True)
def _shifted(tile: np.ndarray, lines: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """Shift of the template that fits best, by a parabola through the three best shifts."""
    pre, slope, x, bank, square, shifts = lines[PRE_LINE], lines[SLOPE_LINE], plan.x, plan.bank, plan.square, plan.shifts
    cost = np.zeros((shifts.size, TILE), dtype=KIND)
    for t in range(plan.size):
        image, at = tile[PAD + plan.start + t], x[t]
        for j in range(TILE):
            image[j] -= pre[j] + slope[j] * at
    _add_taps(tile, PAD + plan.start, 0, cost, bank)
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        jump, best = np.float64(lines[JUMP_LINE, j]), 0
        least = square[0] - 2 / jump * cost[0, j]
        for k in range(1, shifts.size):
            now = square[k] - 2 / jump * cost[k, j]
            if now < least:
                best, least = k, now
        if best == 0 or best == shifts.size - 1:
            out[REFUSED, j] = AT_RIM
            continue
        before = square[best - 1] - 2 / jump * cost[best - 1, j] - least
        after = square[best + 1] - 2 / jump * cost[best + 1, j] - least
        step = 0.5 * (before - after) / (before + after) * (shifts[1] - shifts[0])
        out[ENERGY, j] = plan.anchor + shifts[best] + step
        out[GAIN, j] = plan.shift_gain[best] / jump * np.sqrt(_noise(plan.kappa, 0.5 * jump))
