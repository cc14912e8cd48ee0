"""E0 by its several definitions, the white line, and which edge a spectrum shows."""

import numpy as np
from scipy.signal import fftconvolve

from analysis.core.errors import DataError
from analysis.spectra.edges import Edge, nearest_edge

WHITE_LINE_WINDOW = 30.0  # eV above E0 in which the white line is looked for
TOP_POINTS = 7  # through which the white line's parabola is drawn
SAME_EDGE = 25.0  # eV by which E0 may lie off the table's edge energy: chemistry, definition, miscalibration
MIN_POINTS = 10


def find_e0(energy: np.ndarray, mu: np.ndarray) -> float:
    """Energy of the steepest rise of a spectrum, on its own grid.

    Parameters
    ----------
    energy, mu
        Shape (N,), energies in eV and increasing, N >= 10.

    Notes
    -----
    A point of the largest derivative of which both neighbours rise steeply too (a spike has none), looked for on the derivative
    as measured, then again around it on the derivative smoothed with a Lorentzian whose width follows the grid's step and the
    core hole. The rules follow Larch's ``find_e0``, so that both programs start from the same energy.
    """
    if energy.size < MIN_POINTS:
        raise DataError(f"{energy.size} points are too few to find an edge.", hint=f"Measure at least {MIN_POINTS}.")
    first = _steepest(energy, _derivative(energy, mu))
    low, high = max(3, first - 75), min(first + 75, energy.size - 3)
    inside = energy[low:high]
    if inside.size < MIN_POINTS:
        return float(energy[first])
    slope = _smooth(inside, _derivative(inside, mu[low:high]), _width(energy, float(energy[first])))
    return float(inside[_steepest(inside, slope)])


def _derivative(energy: np.ndarray, mu: np.ndarray) -> np.ndarray:
    return np.gradient(mu) / np.gradient(energy)


def _steepest(energy: np.ndarray, slope: np.ndarray) -> int:
    """Place of the largest slope whose neighbours are steep as well; a margin at both ends does not count."""
    margin = max(3, int(0.02 * energy.size))
    inside = slope[margin:-margin]
    if inside.size == 0:
        return int(np.argmax(slope))
    level = (slope - inside.min()) / max(float(np.ptp(inside)), 1e-10)
    threshold = 0.60
    steep = level > threshold
    while steep.sum() < 3 and threshold > 0.1:
        threshold *= 0.5
        steep = level > threshold
    places = np.flatnonzero(steep[margin - 1 : -margin - 1] & steep[margin:-margin] & steep[margin + 1 : slope.size - margin + 1]) + margin
    if places.size == 0:
        return int(np.argmax(inside)) + margin
    return int(places[np.argmax(level[places])])


def _width(energy: np.ndarray, near: float) -> float:
    """Width of the smoothing (eV): between the finest steps of the grid and the energy resolution."""
    steps = np.sort(np.diff(energy)[np.diff(energy) > 0])
    start = int(0.01 * energy.size)
    step = float(np.clip(steps[start : start + 10].mean(), 0.01, 1.0)) if steps.size > start else 1.0
    return 0.5 * (step + float(np.clip(near / 25000.0, 0.01, 1.0)))


def _smooth(energy: np.ndarray, values: np.ndarray, width: float) -> np.ndarray:
    """Values convolved with a Lorentzian of half width ``width`` on an even grid of that step, back on ``energy``.

    Beyond the ends the values are mirrored.
    """
    start = width * int((energy[0] - width) / width)
    grid = np.arange(start, energy[-1] + 2 * width, width)
    even = np.interp(grid, energy, values)
    kernel = 1.0 / (1.0 + np.arange(-grid.size + 1.0, grid.size) ** 2)
    padded = np.pad(even, grid.size - 1, mode="reflect")
    return np.interp(energy, grid, fftconvolve(padded, kernel / kernel.sum(), "valid"))


def half_step(energy: np.ndarray, norm: np.ndarray, e0: float) -> float:
    """Energy where normalised absorption last crosses 0.5 on its way up to the white line; NaN where it does not.

    The white line is the first maximum above 0.5 that is no less than 0.9 of the largest value within 30 eV above E0.
    """
    window = (energy >= e0 - WHITE_LINE_WINDOW) & (energy <= e0 + WHITE_LINE_WINDOW)
    x, y = energy[window], norm[window]
    if x.size < 3 or not (y >= 0.5).any():
        return np.nan
    top = int(np.argmax(y >= 0.9 * y.max()))
    below = np.flatnonzero(y[: top + 1] < 0.5)
    if below.size == 0:
        return np.nan
    k = int(below[-1])
    if k + 1 >= x.size:
        return np.nan
    return float(x[k] + (0.5 - y[k]) * (x[k + 1] - x[k]) / (y[k + 1] - y[k]))


def white_line(energy: np.ndarray, norm: np.ndarray, e0: float) -> tuple[float, float]:
    """Energy (eV) and height of the white line: a parabola through the seven points around the largest value.

    The largest value is looked for from E0 to 30 eV above. NaN where the absorption still rises there: there is no white line.
    """
    places = np.flatnonzero((energy >= e0 - 1.0) & (energy <= e0 + WHITE_LINE_WINDOW))
    if places.size < 3:
        return np.nan, np.nan
    top = int(places[np.argmax(norm[places])])
    return parabola_top(energy, norm, top) if top < places[-1] else (np.nan, np.nan)


def parabola_top(energy: np.ndarray, values: np.ndarray, top: int) -> tuple[float, float]:
    """Energy and height of the maximum at point ``top``, by a parabola through the seven points around it.

    The point itself where the parabola has no maximum among them; NaN where fewer than four points are there.
    """
    low, high = max(top - TOP_POINTS // 2, 0), min(top + TOP_POINTS // 2 + 1, energy.size)
    x = energy[low:high] - energy[top]
    if x.size < 4:
        return np.nan, np.nan
    curvature, slope, height = np.polyfit(x, values[low:high], 2)
    place = -slope / (2 * curvature) if curvature < 0 else np.nan
    if not x[0] <= place <= x[-1]:
        return float(energy[top]), float(values[top])
    return float(energy[top] + place), float(height - slope**2 / (4 * curvature))


def inflection(energy: np.ndarray, norm: np.ndarray, near: float) -> float:
    """Energy where the smoothed second derivative falls through zero, next to ``near``; NaN where it does not within 5 eV."""
    window = np.abs(energy - near) <= 15.0
    x, y = energy[window], norm[window]
    if x.size < MIN_POINTS:
        return np.nan
    width = _width(energy, near)
    second = _derivative(x, _smooth(x, _derivative(x, y), width))
    falls = np.flatnonzero((second[:-1] > 0) & (second[1:] <= 0))
    if falls.size == 0:
        return np.nan
    at = x[falls] + second[falls] * (x[falls + 1] - x[falls]) / (second[falls] - second[falls + 1])
    best = float(at[np.argmin(np.abs(at - near))])
    return best if abs(best - near) <= 5.0 else np.nan


def edge_seen(energy: np.ndarray, mu: np.ndarray) -> Edge | None:
    """The known edge at which a spectrum rises; None where none is near."""
    e0 = find_e0(energy, mu)
    edge = nearest_edge(e0)
    return edge if abs(edge.energy - e0) <= SAME_EDGE else None
