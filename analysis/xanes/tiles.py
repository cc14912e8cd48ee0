"""One pass over the spectra of a block that writes all maps: the compiled part of ``analysis.xanes.kernel``.

Tiles of spectra stay in the processor's cache, one row an energy, and never leave it normalised. What is the same for all spectra
(lines, smoothing, searches) goes over a tile, many at a time; what differs (refinement, uncertainty) spectrum by spectrum. Sums run
in a fixed order without fast-math: the bits of a voxel do not depend on its neighbours. This module imports nothing of the project:
compiled code is kept on disk and made anew only when this file changes.
"""

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from analysis.xanes.kernel import Plan

KIND = np.float32  # of spectra and weights; what is refined one by one is float64
PAD = 24  # rows of zeros before and after the energies of a tile: more than half of any window
TILE = 256  # spectra: with 80 energies, 80 kB in float32; of smaller tiles, beginning a loop costs as much as its work

# Rows of the kernel's output.
ENERGY, GAIN, JUMP, WHITE_LINE, HEIGHT, VARIANCE, REFUSED, ROWS = range(8)

# What is known of a tile's spectra.
ORIGIN_LINE, PRE_LINE, SLOPE_LINE, JUMP_LINE, SQUARE_LINE, FINITE_LINE, LEVEL_LINE, PLACE_LINE, LINES = range(9)

NOT_FINITE, NO_EDGE, NO_FEATURE, AT_RIM, UNWANTED = 1, 2, 4, 8, 32  # of analysis.schemas.FLAGS

E_HALF, WHITE, TEMPLATE, HALF_WHITE, STEEPEST = range(5)  # definitions of the edge energy
_MOST = 20.0  # exponent of the photon noise at most

# Of the parabolas about the white line: between which points it lies and how far; coefficients about the lower and upper point.
PLACE, PART, VALUE_A, LINEAR_A, BENT_A, VALUE_B, LINEAR_B, BENT_B, PEAKS = range(9)


@njit(nogil=True, cache=True)
def run(spectra: np.ndarray, wanted: np.ndarray, by_image: bool, plan: "Plan", out: np.ndarray) -> None:
    """All stages for a tile of spectra, tile after tile; tables in local names, since a look into the plan costs more than a spectrum."""
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
            tile[PAD : PAD + plan.length, : end - begin] = spectra[:, begin:end]
        else:
            _load_spectra(spectra[begin:end], rows, tile[PAD:])
        part = out[:, begin:end]
        _fit(tile[PAD : PAD + plan.length], lines, plan)
        _settle(wanted[begin:end], lines, plan, part)
        _smooth(tile, lines, smooth, plan)
        lines[PLACE_LINE] = plan.size
        _top(smooth, lines[PLACE_LINE], lines[FINITE_LINE], tops)
        _white_line(tile, lines, smooth, tops, peaks, plan, part)
        if plan.code in (E_HALF, HALF_WHITE):
            _crossing(lines, smooth, tops, plan, part)
        elif plan.code == WHITE:
            _white_line_noise(lines, smooth, tops, peaks, plan, part)
        elif plan.code == STEEPEST:
            _steepest(tile, lines, smooth, tops, plan, part)
        elif plan.code == TEMPLATE:
            _shifted(tile, lines, plan, part)


@njit(nogil=True, cache=True)
def _load_spectra(spectra: np.ndarray, rows: np.ndarray, tile: np.ndarray) -> None:
    """Turn spectra into images of one energy each; read in their own order first, which memory likes best."""
    rows[: spectra.shape[0]] = spectra
    for e in range(rows.shape[1]):
        image = tile[e]
        for j in range(TILE):
            image[j] = rows[j, e]


@njit(nogil=True, cache=True)
def _fit(tile: np.ndarray, lines: np.ndarray, plan: "Plan") -> None:
    """Pre-edge line, jump, variance about the line; ``FINITE_LINE`` becomes 0, or NaN where a value is not finite.

    A value of each spectrum is taken off it first, which keeps float32 from cancelling digits.
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
def _settle(wanted: np.ndarray, lines: np.ndarray, plan: "Plan", out: np.ndarray) -> None:
    """What is known before the edge is looked at; spectra that are normalised already get the lines 0 and 1."""
    if plan.normalised:
        lines[PRE_LINE], lines[SLOPE_LINE], lines[JUMP_LINE] = -lines[ORIGIN_LINE], 0, 1
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
def _smooth(tile: np.ndarray, lines: np.ndarray, smooth: np.ndarray, plan: "Plan") -> None:
    """Smoothed absorption above the pre-edge line over the window."""
    pre, slope, x = lines[PRE_LINE], lines[SLOPE_LINE], plan.x
    for t in range(x.size):
        sums, at = smooth[t], x[t]
        for j in range(TILE):
            sums[j] = -pre[j] - slope[j] * at
    _add_taps(tile, PAD + plan.start - plan.reach, smooth, plan.smooth)


@njit(nogil=True, cache=True)
def _top(rows: np.ndarray, limits: np.ndarray, highest: np.ndarray, tops: np.ndarray) -> None:
    """The first maximum of each spectrum up to its limit; places as floats, which go side by side with the values."""
    tops[:] = 0
    highest[:] = rows[0]
    for t in range(1, rows.shape[0]):
        now, index = rows[t], KIND(t)
        for j in range(TILE):
            old, new, place = highest[j], now[j], tops[j]
            above = (new > old) & (index <= limits[j])
            highest[j], tops[j] = new if above else old, index if above else place


@njit(nogil=True, cache=True)
def _add_taps(tile: np.ndarray, first: int, sums: np.ndarray, weights: np.ndarray) -> None:
    """Add to row t the images from ``first + t`` on, weighted by row t of the table: four at a time, it has that many."""
    for t in range(weights.shape[0]):
        total = sums[t]
        for k in range(0, weights.shape[1], 4):
            at = first + t + k
            a, b, c, d = tile[at], tile[at + 1], tile[at + 2], tile[at + 3]
            u, v, w, x = weights[t, k], weights[t, k + 1], weights[t, k + 2], weights[t, k + 3]
            for j in range(TILE):
                total[j] += (u * a[j] + v * b[j]) + (w * c[j] + x * d[j])


@njit(nogil=True, cache=True)
def _add_products(tile: np.ndarray, sums: np.ndarray, weights: np.ndarray) -> None:
    """Add to row t the images weighted by row t of the table: four images and two rows at a time, it has that many."""
    for t in range(0, weights.shape[0], 2):
        total, other = sums[t], sums[t + 1]
        for k in range(0, weights.shape[1], 4):
            a, b, c, d = tile[k], tile[k + 1], tile[k + 2], tile[k + 3]
            u, v, w, x = weights[t, k], weights[t, k + 1], weights[t, k + 2], weights[t, k + 3]
            m, n, o, p = weights[t + 1, k], weights[t + 1, k + 1], weights[t + 1, k + 2], weights[t + 1, k + 3]
            for j in range(TILE):
                one, two, three, four = a[j], b[j], c[j], d[j]
                total[j] += (u * one + v * two) + (w * three + x * four)
                other[j] += (m * one + n * two) + (o * three + p * four)


@njit(nogil=True, cache=True)
def _noise_at(kappa: float, rise: float) -> float:
    """Variance of the noise where absorption is higher by ``rise``, in units of that before the edge."""
    return np.exp(min(kappa * rise, _MOST)) if kappa != 0 else 1.0


@njit(nogil=True, cache=True)
def _white_line(
    tile: np.ndarray, lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, peaks: np.ndarray, plan: "Plan", out: np.ndarray
) -> None:
    """Maximum of a parabola about the highest smoothed point; height above the pre-edge line, in units of the jump.

    Parabolas about the grid points beside the smoothed maximum are mixed by how near it is to each: noise makes nothing leap then.
    """
    _place(smooth, tops, plan.energy, peaks, out)
    _parabolas(tile, PAD + plan.start - plan.peak.shape[2] // 2, peaks, plan.peak)
    x, origin, last, half = plan.x, plan.energy[0] - plan.x[0], plan.size - 1, plan.peak.shape[2] // 2
    needed = plan.code in (WHITE, HALF_WHITE)  # other definitions do without a white line
    for j in range(out.shape[1]):
        a = int(peaks[PLACE, j])
        if out[REFUSED, j] != 0:
            continue
        if a < 0:
            out[REFUSED, j] = AT_RIM if needed else 0
            continue
        pre, slope, part = lines[PRE_LINE, j], lines[SLOPE_LINE, j], peaks[PART, j]
        step_a, height_a = _vertex(peaks[VALUE_A, j] - pre - slope * x[a], peaks[LINEAR_A, j] - slope, peaks[BENT_A, j])
        step_b, height_b = _vertex(peaks[VALUE_B, j] - pre - slope * x[a + 1], peaks[LINEAR_B, j] - slope, peaks[BENT_B, j])
        found = (1 - part) * (x[a] + step_a) + part * (x[a + 1] + step_b)
        if not x[max(a - half, 0)] <= found <= x[min(a + 1 + half, last)]:
            out[REFUSED, j] = NO_FEATURE if needed else 0
            continue
        out[WHITE_LINE, j] = origin + found
        out[HEIGHT, j] = ((1 - part) * height_a + part * height_b) / lines[JUMP_LINE, j]


@njit(nogil=True, cache=True)
def _place(smooth: np.ndarray, tops: np.ndarray, energy: np.ndarray, peaks: np.ndarray, out: np.ndarray) -> None:
    """Between which points of the grid the smoothed maximum lies: the vertex of a parabola through three points."""
    for j in range(out.shape[1]):
        top = int(tops[j])
        if out[REFUSED, j] != 0 or top == 0 or top >= energy.size - 1:
            peaks[PLACE, j] = -1
            continue
        vertex = _top_vertex(smooth[top - 1 : top + 2, j], energy[top - 1] - energy[top], energy[top + 1] - energy[top])
        a = top if vertex >= 0 else top - 1
        peaks[PLACE, j] = a
        peaks[PART, j] = (energy[top] - energy[a] + vertex) / (energy[a + 1] - energy[a])


@njit(nogil=True, cache=True)
def _top_vertex(three: np.ndarray, before: float, after: float) -> float:
    """Of the parabola through three points, relative to the middle one."""
    left, right = np.float64(three[0]) - three[1], np.float64(three[2]) - three[1]
    twist = right * before - left * after  # bend times before * after * (after - before)
    return 0.0 if twist == 0 else 0.5 * (right * before * before - left * after * after) / twist


@njit(nogil=True, cache=True)
def _parabolas(tile: np.ndarray, first: int, peaks: np.ndarray, table: np.ndarray) -> None:
    """Coefficients about every point of the grid that any spectrum of the tile needs, for all of them; each keeps its own."""
    low, high = table.shape[1], -1
    for j in range(TILE):
        a = int(peaks[PLACE, j])
        if a >= 0:
            low, high = min(low, a), max(high, a + 1)
    sums = np.zeros((3, TILE), KIND)
    for at in range(low, high + 1):
        sums[:] = 0
        for k in range(table.shape[2]):
            image = tile[first + at + k]
            for c in range(3):
                weight, total = table[c, at, k], sums[c]
                for j in range(TILE):
                    total[j] += weight * image[j]
        _keep(peaks[PLACE], KIND(at), sums, peaks[VALUE_A : BENT_A + 1])
        _keep(peaks[PLACE], KIND(at - 1), sums, peaks[VALUE_B : BENT_B + 1])


@njit(nogil=True, cache=True)
def _keep(places: np.ndarray, here: np.floating, sums: np.ndarray, kept: np.ndarray) -> None:
    for c in range(3):
        own, new = kept[c], sums[c]
        for j in range(TILE):
            old = own[j]
            own[j] = new[j] if places[j] == here else old


@njit(nogil=True, cache=True)
def _vertex(value: float, linear: float, bent: float) -> tuple:
    """Where a parabola peaks, and its height there; NaN where it has a lowest point."""
    if not bent < 0:
        return np.nan, np.nan
    step = -0.5 * np.float64(linear) / bent
    return step, value + 0.5 * linear * step


@njit(nogil=True, cache=True)
def _white_line_noise(lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, peaks: np.ndarray, plan: "Plan", out: np.ndarray) -> None:
    """The white line as the edge energy, with what the noise of every point does to it."""
    energy, x, table, smoothing, kappa = plan.energy, plan.x, plan.peak, plan.smooth, plan.kappa
    reach, of_slope = plan.reach, plan.spread[2]
    span = max(reach, table.shape[2] // 2) + 2  # beyond, no value has a weight
    weights = np.zeros(2 * PAD + 4)  # how the result follows each value of the spectrum; [PAD] belongs to the highest point
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        top, a, slope, part = int(tops[j]), int(peaks[PLACE, j]), lines[SLOPE_LINE, j], np.float64(peaks[PART, j])
        bent_a, bent_b = np.float64(peaks[BENT_A, j]), np.float64(peaks[BENT_B, j])
        step_a, step_b = -0.5 * (peaks[LINEAR_A, j] - slope) / bent_a, -0.5 * (peaks[LINEAR_B, j] - slope) / bent_b
        apart = 1 + (step_b - step_a) / (energy[a + 1] - energy[a])
        weights[PAD - span : PAD + span] = 0
        _add_parabola(weights, a - top, step_a, -0.5 * (1 - part) / bent_a, table[1, a], table[2, a])
        _add_parabola(weights, a + 1 - top, step_b, -0.5 * part / bent_b, table[1, a + 1], table[2, a + 1])
        _add_vertex(weights, smooth[top - 1 : top + 2, j], -0.5 * apart, energy[top - 1 : top + 2], smoothing[top - 1 : top + 2], reach)
        total, moment = 0.0, 0.0
        for t in range(max(top - span, 0), min(top + span, x.size)):
            total += weights[t - top + PAD] ** 2
            moment += weights[t - top + PAD] * x[t]
        out[ENERGY, j] = out[WHITE_LINE, j]
        out[GAIN, j] = np.sqrt(total * _noise_at(kappa, out[HEIGHT, j] * lines[JUMP_LINE, j]) + moment * moment * of_slope)


@njit(nogil=True, cache=True)
def _add_parabola(weights: np.ndarray, offset: int, step: float, factor: float, linear: np.ndarray, bent: np.ndarray) -> None:
    """Of a parabola's peak."""
    first = PAD + offset - linear.size // 2
    for k in range(linear.size):
        weights[first + k] += factor * (linear[k] + 2 * step * bent[k])


@njit(nogil=True, cache=True)
def _add_vertex(weights: np.ndarray, three: np.ndarray, factor: float, energy: np.ndarray, table: np.ndarray, reach: int) -> None:
    """Of the smoothed maximum, from three points and what they are smoothed with."""
    before, after = energy[0] - energy[1], energy[2] - energy[1]
    vertex = _top_vertex(three, before, after)
    left, right = np.float64(three[0]) - three[1], np.float64(three[2]) - three[1]
    bent = (right / after - left / before) / (after - before)
    if bent == 0:
        return
    bent_right, bent_left = 1 / (after * (after - before)), -1 / (before * (after - before))
    of_right = factor / bent * (1 / after - after * bent_right + 2 * vertex * bent_right)
    of_left = factor / bent * (-after * bent_left + 2 * vertex * bent_left)
    first = PAD - reach
    for k in range(2 * reach + 1):
        weights[first - 1 + k] += of_left * table[0, k]
        weights[first + k] -= (of_left + of_right) * table[1, k]
        weights[first + 1 + k] += of_right * table[2, k]


@njit(nogil=True, cache=True)
def _last_rise(smooth: np.ndarray, levels: np.ndarray, tops: np.ndarray, found: np.ndarray) -> None:
    """The last point up to the maximum that has reached a level of which the point before it falls short; 0 where there is none."""
    found[:] = 0
    for t in range(1, smooth.shape[0]):
        before, now, index = smooth[t - 1], smooth[t], KIND(t)
        for j in range(TILE):
            old, level = found[j], levels[j]
            found[j] = index if (now[j] >= level) & (before[j] < level) & (index <= tops[j]) else old


@njit(nogil=True, cache=True)
def _crossing(lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, plan: "Plan", out: np.ndarray) -> None:
    """Last crossing, before the maximum, of half the jump or of half the white line's height."""
    energy, x, own, next_to, peak, spread = plan.energy, plan.x, plan.own, plan.next_to, plan.peak, plan.spread
    of_jump = plan.code == E_HALF
    levels, places = lines[LEVEL_LINE], lines[PLACE_LINE]
    for j in range(out.shape[1]):
        levels[j] = lines[JUMP_LINE, j] * (KIND(0.5) if of_jump else KIND(0.5) * out[HEIGHT, j])
    _last_rise(smooth, levels, tops, places)
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        jump, level, t = np.float64(lines[JUMP_LINE, j]), np.float64(levels[j]), int(places[j])
        if t < 2 or t >= plan.size - 1:
            out[REFUSED, j] = NO_FEATURE if t == 0 else AT_RIM
            continue
        rise = np.float64(smooth[t, j]) - smooth[t - 1, j]
        part = (level - smooth[t - 1, j]) / rise
        width = energy[t] - energy[t - 1]
        at = x[t - 1] + part * width
        total = (1 - part) ** 2 * own[t - 1] + 2 * part * (1 - part) * next_to[t] + part**2 * own[t]
        variance = total * _noise_at(plan.kappa, level) + 0.25 * spread[0]
        if of_jump:
            variance += at * spread[1] + at * at * spread[2] + 0.25 * spread[3] * _noise_at(plan.kappa, jump)
        else:
            top = int(tops[j])
            step = np.float64(out[WHITE_LINE, j]) - energy[top]
            at -= 0.5 * (x[top] + step)
            variance += at * spread[1] + at * at * spread[2]
            variance += 0.25 * _height_noise(peak, top, step) * _noise_at(plan.kappa, 2 * level)
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
def _steepest(tile: np.ndarray, lines: np.ndarray, slopes: np.ndarray, tops: np.ndarray, plan: "Plan", out: np.ndarray) -> None:
    """Maximum of the smoothed derivative up to the white line; ``slopes`` is written over."""
    energy, table, bend, gain = plan.energy, plan.slope, plan.bend, plan.steep_gain
    first = PAD + plan.start - plan.slope_reach
    slopes[:] = 0
    _add_taps(tile, first, slopes, table)
    _top(slopes, tops, lines[LEVEL_LINE], lines[PLACE_LINE])
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        t = int(lines[PLACE_LINE, j])
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
        out[GAIN, j] = unit * np.sqrt(_noise_at(plan.kappa, 0.5 * jump))


@njit(nogil=True, cache=True)
def _shifted(tile: np.ndarray, lines: np.ndarray, plan: "Plan", out: np.ndarray) -> None:
    """Shift of the template that fits best, by a parabola through the three best shifts."""
    pre, slope, x, bank, square, shifts = lines[PRE_LINE], lines[SLOPE_LINE], plan.x, plan.bank, plan.square, plan.shifts
    cost = np.zeros((bank.shape[0], TILE), dtype=KIND)
    for t in range(plan.size):
        image, at = tile[PAD + plan.start + t], x[t]
        for j in range(TILE):
            image[j] -= pre[j] + slope[j] * at
    _add_products(tile[PAD + plan.start :], cost, bank)
    _least_cost(cost, square, lines)
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        jump, best = np.float64(lines[JUMP_LINE, j]), int(lines[PLACE_LINE, j])
        least = square[best] - 2 / jump * cost[best, j]
        if best == 0 or best == shifts.size - 1:
            out[REFUSED, j] = AT_RIM
            continue
        before = square[best - 1] - 2 / jump * cost[best - 1, j] - least
        after = square[best + 1] - 2 / jump * cost[best + 1, j] - least
        step = 0.5 * (before - after) / (before + after) * (shifts[1] - shifts[0])
        out[ENERGY, j] = plan.anchor + shifts[best] + step
        out[GAIN, j] = plan.shift_gain[best] / jump * np.sqrt(_noise_at(plan.kappa, 0.5 * jump))


@njit(nogil=True, cache=True, error_model="numpy")
def _least_cost(cost: np.ndarray, square: np.ndarray, lines: np.ndarray) -> None:
    """Which shift fits each spectrum best: the first of the least squared distances, less what is the same for all shifts."""
    scale, least, best = lines[FINITE_LINE], lines[LEVEL_LINE], lines[PLACE_LINE]
    jump, first, none = lines[JUMP_LINE], cost[0], KIND(square[0])
    for j in range(TILE):
        scale[j] = KIND(2) / jump[j]
        least[j] = none - scale[j] * first[j]
    best[:] = 0
    for k in range(1, square.size):
        products, norm, index = cost[k], KIND(square[k]), KIND(k)
        for j in range(TILE):
            old, place = least[j], best[j]
            new = norm - scale[j] * products[j]
            least[j] = new if new < old else old
            best[j] = index if new < old else place
