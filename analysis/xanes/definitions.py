"""What "edge energy" means, one definition after another, as weights over the energies of the edge window."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field, field_validator
from scipy.interpolate import CubicSpline

from analysis.core.errors import DataError, ParamError
from analysis.xanes.normalise import EV, LineParams, Lines

Definition = Literal["e_half", "white_line", "template_shift", "half_white_line", "max_slope"]

TEMPLATE_REACH = 6.0  # eV: how far a spectrum's edge may lie from the template's
TEMPLATE_STEP = 0.25  # eV, of the shifts tried; a parabola goes between


class DefinitionParams(LineParams):
    """Which point of the edge is meant, and how it is found."""

    definition: Definition = Field("e_half", title="Definition of the edge energy")
    edge1: float = Field(-20.0, title="Edge window from, relative to E0", json_schema_extra=EV)
    edge2: float = Field(35.0, title="Edge window to, relative to E0", json_schema_extra=EV)
    smooth_points: int = Field(7, ge=3, le=41, title="Points of the smoothing window (odd)")
    peak_points: int = Field(9, ge=5, le=41, title="Points of the parabola through the white line (odd)")
    slope_points: int = Field(11, ge=5, le=41, title="Points of the slope's window (odd)")

    @field_validator("smooth_points", "peak_points", "slope_points")
    @classmethod
    def _odd(cls, points: int) -> int:
        if points % 2 == 0:
            raise ValueError("a window has an odd number of points")
        return points


@dataclass(frozen=True)
class Window:
    """Weights over the edge window: points ``start`` to ``stop`` of the grid.

    Every row of a weight table belongs to one point of the window; its columns are that point's neighbours on the grid, from
    ``half`` points before to ``half`` after, with zeros where the grid ends.

    smooth    (n, 2h+1)     value of a local parabola, "Savitzky–Golay" for any spacing
    peak      (3, n, 2p+1)  constant, linear and quadratic coefficient of a parabola about the point
    slope     (n, 2s+1)     first derivative of a local parabola
    bend      (2, n, 2s+3)  linear and quadratic coefficient of the derivative's parabola through three points
    """

    start: int
    stop: int
    smooth: np.ndarray
    peak: np.ndarray
    slope: np.ndarray
    bend: np.ndarray

    @property
    def size(self) -> int:
        return self.stop - self.start


def edge_window(energy: np.ndarray, e0: float, params: DefinitionParams) -> Window:
    """The points between ``edge1`` and ``edge2`` about E0 and their weights."""
    if not params.edge1 < 0 < params.edge2:
        raise ParamError("The edge window must reach from below E0 to above it.", hint="edge1 is negative, edge2 positive.")
    start, stop = np.searchsorted(energy, [e0 + params.edge1, e0 + params.edge2 + 1e-9])
    n = int(stop - start)
    if n < 5:
        raise DataError(
            f"Only {n} energies lie in the edge window from {e0 + params.edge1:g} to {e0 + params.edge2:g} eV.",
            hint="Widen edge1 and edge2, or check E0.",
        )
    rows = range(int(start), int(stop))
    smooth = _local(energy, rows, params.smooth_points // 2)[0]
    peak = _local(energy, rows, params.peak_points // 2)
    slope = _local(energy, rows, params.slope_points // 2)[1]
    return Window(int(start), int(stop), smooth, peak, slope, _bend(energy, slope, int(start)))


def _local(energy: np.ndarray, rows: range, half: int) -> np.ndarray:
    """Coefficients of the local least-squares parabola, shape (3, n, 2 half + 1).

    For even spacing these are the weights of Savitzky and Golay, Anal. Chem. 36, 1627 (1964), doi 10.1021/ac60214a047.
    """
    out = np.zeros((3, len(rows), 2 * half + 1))
    for i, t in enumerate(rows):
        low, high = max(0, t - half), min(energy.size, t + half + 1)
        order = min(2, high - low - 1)
        x = energy[low:high] - energy[t]
        scale = np.abs(x).max()
        fit = np.linalg.pinv(np.vander(x / scale, order + 1, increasing=True)) / scale ** np.arange(order + 1)[:, None]
        out[: order + 1, i, low - t + half : high - t + half] = fit
    return out


def _bend(energy: np.ndarray, slope: np.ndarray, start: int) -> np.ndarray:
    """Weights of the parabola through the derivative at a point and its two neighbours; zeros at the window's ends."""
    n, width = slope.shape
    out = np.zeros((2, n, width + 2))
    for i in range(1, n - 1):
        t = start + i
        through = np.linalg.inv(np.vander(energy[t - 1 : t + 2] - energy[t], 3, increasing=True))
        for row, coefficients in enumerate(through[1:]):
            for k in range(3):
                out[row, i, k : k + width] += coefficients[k] * slope[i - 1 + k]
    return out


@dataclass(frozen=True)
class Template:
    """The mean spectrum at many shifts, over the points of the edge window.

    shifts (K,) in eV · bank (n, K) normalised spectra moved up by each shift · square (K,) their sums of squares ·
    gain (K,) standard deviation of the shift for unit noise and unit jump, in eV · anchor, the template's own edge energy
    """

    shifts: np.ndarray
    bank: np.ndarray
    square: np.ndarray
    gain: np.ndarray
    anchor: float


def template_of(norm: np.ndarray, lines: Lines, window: Window) -> Template:
    """Template from a normalised mean spectrum of shape (E,).

    The shift is that of least squares at fixed normalisation. Its gain holds the noise of the spectrum and of both lines:
    with T' the slope of the template, shift = -sum(T' d(mu - pre)/J - T T' dJ/J) / sum(T'^2).
    """
    spline = CubicSpline(lines.energy, norm)
    energy, x = lines.energy[window.start : window.stop], lines.x[window.start : window.stop]
    shifts = np.arange(-TEMPLATE_REACH, TEMPLATE_REACH + TEMPLATE_STEP / 2, TEMPLATE_STEP)
    moved = energy[:, None] - shifts
    bank, steep = spline(moved), spline(moved, 1)
    information = np.sum(steep**2, axis=0)
    of_pre = np.sum(bank * steep, axis=0) - np.sum(steep, axis=0)
    of_slope = -np.sum(steep * x[:, None], axis=0)
    of_post = np.sum(bank * steep, axis=0)
    variance = (
        information
        + of_pre**2 * lines.pre_pre
        + 2 * of_pre * of_slope * lines.pre_slope
        + of_slope**2 * lines.slope_slope
        + of_post**2 * lines.post_post
    )
    anchor = half_height(energy, window_smooth(norm, window))
    return Template(shifts, bank, np.sum(bank**2, axis=0), np.sqrt(variance) / information, anchor)


def window_smooth(spectrum: np.ndarray, window: Window) -> np.ndarray:
    """A spectrum of shape (E,) smoothed at the points of the window, shape (n,)."""
    half = window.smooth.shape[1] // 2
    padded = np.pad(spectrum, half)
    rows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)[window.start : window.stop]
    return np.asarray(np.sum(rows * window.smooth, axis=1))


def half_height(energy: np.ndarray, smooth: np.ndarray) -> float:
    """Last energy below the maximum at which a smoothed, normalised spectrum crosses one half; NaN where it does not."""
    top = int(np.argmax(smooth))
    below = np.flatnonzero(smooth[:top] < 0.5)
    if not below.size:
        return float("nan")
    i = int(below[-1])
    return float(energy[i] + (0.5 - smooth[i]) / (smooth[i + 1] - smooth[i]) * (energy[i + 1] - energy[i]))
