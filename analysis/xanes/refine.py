"""From where a feature was found on the grid to its energy, and what the noise of every point does to it.

All functions take the spectra of one tile, see ``analysis.xanes.kernel``.
"""

import numpy as np
from numba import njit

from analysis.xanes.plan import (
    AT_RIM,
    E_HALF,
    ENERGY,
    GAIN,
    HALF_WHITE,
    HEIGHT,
    JUMP_LINE,
    KIND,
    LEVEL_LINE,
    NO_FEATURE,
    PAD,
    PLACE_LINE,
    PRE_LINE,
    REFUSED,
    SLOPE_LINE,
    TILE,
    WHITE,
    WHITE_LINE,
    Plan,
)

_MOST = 20.0  # exponent of the photon noise at most

# Of the parabolas about the white line: between which points it lies and how far; coefficients about the lower and upper point.
PLACE, PART, VALUE_A, LINEAR_A, BENT_A, VALUE_B, LINEAR_B, BENT_B = range(8)
PEAKS = 8


@njit(nogil=True, cache=True)
def add_taps(tile: np.ndarray, first: int, step: int, sums: np.ndarray, weights: np.ndarray) -> None:
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
def noise_at(kappa: float, rise: float) -> float:
    """Variance of the noise where absorption is higher by ``rise``, in units of that before the edge."""
    return np.exp(min(kappa * rise, _MOST)) if kappa != 0 else 1.0


@njit(nogil=True, cache=True)
def white_line(
    tile: np.ndarray, lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, peaks: np.ndarray, plan: Plan, out: np.ndarray
) -> None:
    """Maximum of a parabola about the highest smoothed point; height above the pre-edge line, in units of the jump.

    Parabolas about the two grid points beside the smoothed maximum are mixed by how near it is to each, so that the result
    does not leap where noise makes another grid point the highest.
    """
    _place(smooth, tops, plan.energy, peaks, out)
    _parabolas(tile, PAD + plan.start - plan.peak.shape[2] // 2, peaks, plan.peak)
    x, origin, last, half = plan.x, plan.energy[0] - plan.x[0], plan.size - 1, plan.peak.shape[2] // 2
    for j in range(out.shape[1]):
        a = int(peaks[PLACE, j])
        if out[REFUSED, j] != 0:
            continue
        if a < 0:
            _refuse(out, j, AT_RIM, plan.code)
            continue
        pre, slope, part = lines[PRE_LINE, j], lines[SLOPE_LINE, j], peaks[PART, j]
        step_a, height_a = _vertex(peaks[VALUE_A, j] - pre - slope * x[a], peaks[LINEAR_A, j] - slope, peaks[BENT_A, j])
        step_b, height_b = _vertex(peaks[VALUE_B, j] - pre - slope * x[a + 1], peaks[LINEAR_B, j] - slope, peaks[BENT_B, j])
        found = (1 - part) * (x[a] + step_a) + part * (x[a + 1] + step_b)
        if not x[max(a - half, 0)] <= found <= x[min(a + 1 + half, last)]:
            _refuse(out, j, NO_FEATURE, plan.code)
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
        vertex = _top_vertex(smooth, j, top, energy)
        a = top if vertex >= 0 else top - 1
        peaks[PLACE, j] = a
        peaks[PART, j] = (energy[top] - energy[a] + vertex) / (energy[a + 1] - energy[a])


@njit(nogil=True, cache=True)
def _top_vertex(smooth: np.ndarray, j: int, top: int, energy: np.ndarray) -> float:
    """Relative to the highest point."""
    before, after = energy[top - 1] - energy[top], energy[top + 1] - energy[top]
    highest = np.float64(smooth[top, j])
    left, right = smooth[top - 1, j] - highest, smooth[top + 1, j] - highest
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
    value, linear, bent = np.zeros(TILE, KIND), np.zeros(TILE, KIND), np.zeros(TILE, KIND)
    for at in range(low, high + 1):
        value[:] = 0
        linear[:] = 0
        bent[:] = 0
        for k in range(table.shape[2]):
            image, u, v, w = tile[first + at + k], table[0, at, k], table[1, at, k], table[2, at, k]
            for j in range(TILE):
                value[j] += u * image[j]
                linear[j] += v * image[j]
                bent[j] += w * image[j]
        _keep(peaks[PLACE], KIND(at), value, linear, bent, peaks[VALUE_A : BENT_A + 1])
        _keep(peaks[PLACE], KIND(at - 1), value, linear, bent, peaks[VALUE_B : BENT_B + 1])


@njit(nogil=True, cache=True)
def _keep(places: np.ndarray, here: np.floating, value: np.ndarray, linear: np.ndarray, bent: np.ndarray, kept: np.ndarray) -> None:
    a, b, c = kept[0], kept[1], kept[2]
    for j in range(TILE):
        old, own = a[j], places[j] == here
        a[j] = value[j] if own else old
    for j in range(TILE):
        old, own = b[j], places[j] == here
        b[j] = linear[j] if own else old
    for j in range(TILE):
        old, own = c[j], places[j] == here
        c[j] = bent[j] if own else old


@njit(nogil=True, cache=True)
def _vertex(value: float, linear: float, bent: float) -> tuple:
    """Where a parabola peaks, and its height there; NaN where it has a lowest point."""
    if not bent < 0:
        return np.nan, np.nan
    step = -0.5 * np.float64(linear) / bent
    return step, value + 0.5 * linear * step


@njit(nogil=True, cache=True)
def white_line_noise(lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, peaks: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """The white line as the edge energy, with what the noise of every point does to it."""
    energy, x, table, smoothing, kappa = plan.energy, plan.x, plan.peak, plan.smooth, plan.kappa
    reach, of_slope = plan.reach, plan.spread[2]
    weights = np.zeros(2 * PAD + 4)  # how the result follows each value of the spectrum; [PAD] belongs to the highest point
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        top, a, slope, part = int(tops[j]), int(peaks[PLACE, j]), lines[SLOPE_LINE, j], np.float64(peaks[PART, j])
        bent_a, bent_b = np.float64(peaks[BENT_A, j]), np.float64(peaks[BENT_B, j])
        step_a, step_b = -0.5 * (peaks[LINEAR_A, j] - slope) / bent_a, -0.5 * (peaks[LINEAR_B, j] - slope) / bent_b
        apart = 1 + (step_b - step_a) / (energy[a + 1] - energy[a])
        weights[:] = 0
        _add_parabola(weights, a - top, step_a, -0.5 * (1 - part) / bent_a, table[1, a], table[2, a])
        _add_parabola(weights, a + 1 - top, step_b, -0.5 * part / bent_b, table[1, a + 1], table[2, a + 1])
        _add_vertex(weights, smooth, j, top, -0.5 * apart, energy, smoothing, reach)
        total, moment = 0.0, 0.0
        for t in range(max(top - PAD, 0), min(top + PAD, x.size)):
            total += weights[t - top + PAD] ** 2
            moment += weights[t - top + PAD] * x[t]
        out[ENERGY, j] = out[WHITE_LINE, j]
        out[GAIN, j] = np.sqrt(total * noise_at(kappa, out[HEIGHT, j] * lines[JUMP_LINE, j]) + moment * moment * of_slope)


@njit(nogil=True, cache=True)
def _refuse(out: np.ndarray, j: int, why: int, code: int) -> None:
    """A spectrum without a white line has an edge energy all the same where the definition needs none."""
    if code in (WHITE, HALF_WHITE):
        out[REFUSED, j] = why


@njit(nogil=True, cache=True)
def _add_parabola(weights: np.ndarray, offset: int, step: float, factor: float, linear: np.ndarray, bent: np.ndarray) -> None:
    """Of a parabola's peak."""
    first = PAD + offset - linear.size // 2
    for k in range(linear.size):
        weights[first + k] += factor * (linear[k] + 2 * step * bent[k])


@njit(nogil=True, cache=True)
def _add_vertex(
    weights: np.ndarray,
    smooth: np.ndarray,
    j: int,
    top: int,
    factor: float,
    energy: np.ndarray,
    table: np.ndarray,
    reach: int,
) -> None:
    """Of the smoothed maximum."""
    vertex = _top_vertex(smooth, j, top, energy)
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
def _last_rise(smooth: np.ndarray, levels: np.ndarray, tops: np.ndarray, found: np.ndarray) -> None:
    """The last point up to the maximum that has reached a level of which the point before it falls short; 0 where there is none."""
    found[:] = 0
    for t in range(1, smooth.shape[0]):
        before, now, index = smooth[t - 1], smooth[t], KIND(t)
        for j in range(TILE):
            old, level = found[j], levels[j]
            found[j] = index if (now[j] >= level) & (before[j] < level) & (index <= tops[j]) else old


@njit(nogil=True, cache=True)
def crossing(lines: np.ndarray, smooth: np.ndarray, tops: np.ndarray, plan: Plan, out: np.ndarray) -> None:
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
        variance = total * noise_at(plan.kappa, level) + 0.25 * spread[0]
        if of_jump:
            variance += at * spread[1] + at * at * spread[2] + 0.25 * spread[3] * noise_at(plan.kappa, jump)
        else:
            top = int(tops[j])
            step = np.float64(out[WHITE_LINE, j]) - energy[top]
            at -= 0.5 * (x[top] + step)
            variance += at * spread[1] + at * at * spread[2]
            variance += 0.25 * _height_noise(peak, top, step) * noise_at(plan.kappa, 2 * level)
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
def steepest(tile: np.ndarray, lines: np.ndarray, slopes: np.ndarray, tops: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """Maximum of the smoothed derivative up to the white line; ``slopes`` is written over."""
    energy, table, bend, gain = plan.energy, plan.slope, plan.bend, plan.steep_gain
    first = PAD + plan.start - plan.slope_reach
    slopes[:] = 0
    add_taps(tile, first, 1, slopes, table)
    for j in range(out.shape[1]):
        if out[REFUSED, j] != 0:
            continue
        t = 0
        for k in range(1, int(tops[j]) + 1):
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
        out[GAIN, j] = unit * np.sqrt(noise_at(plan.kappa, 0.5 * jump))


@njit(nogil=True, cache=True)
def shifted(tile: np.ndarray, lines: np.ndarray, plan: Plan, out: np.ndarray) -> None:
    """Shift of the template that fits best, by a parabola through the three best shifts."""
    pre, slope, x, bank, square, shifts = lines[PRE_LINE], lines[SLOPE_LINE], plan.x, plan.bank, plan.square, plan.shifts
    cost = np.zeros((shifts.size, TILE), dtype=KIND)
    for t in range(plan.size):
        image, at = tile[PAD + plan.start + t], x[t]
        for j in range(TILE):
            image[j] -= pre[j] + slope[j] * at
    add_taps(tile, PAD + plan.start, 0, cost, bank)
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
        out[GAIN, j] = plan.shift_gain[best] / jump * np.sqrt(noise_at(plan.kappa, 0.5 * jump))
