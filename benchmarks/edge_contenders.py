"""Other ways to an edge energy in every voxel: vectorised NumPy, and the procedures that programs of the field publish.

Each takes spectra (N, E) and gives the half-height energy, the white line, or both, by its own definition. Before it is timed, what
it makes of noise-free spectra is compared with that definition, evaluated on the model curve itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import UnivariateSpline
from scipy.optimize import curve_fit
from scipy.signal import savgol_filter

E0 = 8343.0
PRE, POST, EDGE = (-120.0, -25.0), (45.0, 350.0), (-15.0, 30.0)
AROUND = 4.0  # eV, of the polynomial about the white line
FINE = 0.02  # eV, of the grid on which splines are searched


@dataclass(frozen=True)
class Way:
    """One procedure: what it yields, where it is from, how many spectra make a fair share of time."""

    name: str
    yields: str  # "half" or "white"
    of: str
    act: Callable[[np.ndarray, np.ndarray], np.ndarray]
    count: int
    within_ev: float  # of its definition, on noise-free spectra


def _rows(energy: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    return np.flatnonzero((energy >= E0 + span[0]) & (energy <= E0 + span[1]))


def vectorised(spectra: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """All spectra at once: lines by least squares, Savitzky–Golay smoothing, last crossing of one half before the maximum."""
    x, pre, post, window = energy - E0, _rows(energy, PRE), _rows(energy, POST), _rows(energy, EDGE)
    before = np.linalg.pinv(np.stack([np.ones(pre.size), x[pre]], axis=1))
    after = np.linalg.pinv(np.stack([np.ones(post.size), x[post]], axis=1))
    offset, slope = spectra[:, pre] @ before[0], spectra[:, pre] @ before[1]
    jump = spectra[:, post] @ after[0] - offset
    wide = np.arange(window[0] - 3, window[-1] + 4)
    norm = (spectra[:, wide] - offset[:, None] - slope[:, None] * x[wide]) / jump[:, None]
    smooth = savgol_filter(norm, 7, 2, axis=1)[:, 3:-3]
    top, places, rows = smooth.argmax(axis=1), np.arange(window.size), np.arange(len(spectra))
    below = np.where((smooth < 0.5) & (places < top[:, None]), places, -1).max(axis=1)
    low, high = smooth[rows, below], smooth[rows, below + 1]
    grid = energy[window]
    return np.asarray(grid[below] + (0.5 - low) / (high - low) * (grid[below + 1] - grid[below]))


def image_by_image(spectra: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Lines fitted to all pixels with ``polyfit``, the stack divided, then a parabola about each pixel's maximum."""
    pre, post = _rows(energy, PRE), _rows(energy, POST)
    images = np.ascontiguousarray(spectra.T, dtype=float)
    a, b = np.polyfit(energy[pre], images[pre], 1), np.polyfit(energy[post], images[post], 1)
    base = a[0] * energy[:, None] + a[1]
    norm = (images - base) / (b[0] * energy[:, None] + b[1] - base)
    found = np.empty(norm.shape[1])
    for j in range(norm.shape[1]):
        top = int(np.argmax(norm[:, j]))
        near = np.flatnonzero(np.abs(energy - energy[top]) <= AROUND)
        bent, linear, _ = np.polyfit(energy[near] - energy[top], norm[near, j], 2)
        found[j] = energy[top] - 0.5 * linear / bent
    return found


def _normalised(spectrum: np.ndarray, energy: np.ndarray) -> np.ndarray:
    pre, post = _rows(energy, PRE), _rows(energy, POST)
    base = np.polyval(np.polyfit(energy[pre], spectrum[pre], 1), energy)
    rise = np.polyval(np.polyfit(energy[post] - E0, spectrum[post], 1), 0.0) - np.interp(E0, energy, base)
    return np.asarray((spectrum - base) / rise)


def spline_half(spectra: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectrum by spectrum: lines by ``polyfit``, a spline on a fine grid, the last crossing of one half before its maximum."""
    window = _rows(energy, EDGE)
    fine = np.arange(energy[window[0]], energy[window[-1]], FINE)
    found = np.empty(len(spectra))
    for j, spectrum in enumerate(spectra):
        curve = UnivariateSpline(energy[window], _normalised(spectrum.astype(float), energy)[window], k=3, s=0)(fine)
        found[j] = fine[np.flatnonzero(curve[: int(np.argmax(curve))] < 0.5)[-1]]
    return found


def spline_white(spectra: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectrum by spectrum: lines by ``polyfit``, a spline on a fine grid, its maximum."""
    window = _rows(energy, EDGE)
    fine = np.arange(energy[window[0]], energy[window[-1]], FINE)
    found = np.empty(len(spectra))
    for j, spectrum in enumerate(spectra):
        curve = UnivariateSpline(energy[window], _normalised(spectrum.astype(float), energy)[window], k=3, s=0)(fine)
        found[j] = fine[int(np.argmax(curve))]
    return found


def model(energy: np.ndarray, center: float, height: float, width: float, peak: float, offset: float, spread: float) -> np.ndarray:
    """A step with a Gaussian white line."""
    step = height * (0.5 + np.arctan((energy - center) / width) / np.pi)
    return np.asarray(step + peak * np.exp(-0.5 * ((energy - center - offset) / spread) ** 2))


def fitted(spectra: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """Spectrum by spectrum: lines by ``polyfit``, then a step and a Gaussian fitted to the edge; the white line of the fit."""
    window = _rows(energy, (EDGE[0] - 10, EDGE[1]))
    fine = np.arange(E0 - 10, E0 + 20, FINE)
    found = np.empty(len(spectra))
    for j, spectrum in enumerate(spectra):
        norm = _normalised(spectrum.astype(float), energy)
        guess = (E0, 1.0, 1.2, 0.5, 4.0, 3.0)
        values, _ = curve_fit(model, energy[window], norm[window], p0=guess, maxfev=4000)
        found[j] = fine[int(np.argmax(model(fine, *values)))]
    return found


WAYS = (
    Way("NumPy, all spectra at once", "half", "least squares, crossing of one half after smoothing over 7 points", vectorised, 32**3, 0.2),
    Way(
        "image by image, white line by parabola",
        "white",
        "the manner of PyXAS; parabola over ±4 eV about the highest point",
        image_by_image,
        4000,
        0.35,
    ),
    Way("spline, half height", "half", "the manner of TXM-Sandbox, `edge50`", spline_half, 2000, 0.12),
    Way("spline, white line", "white", "the manner of TXM-Sandbox, `whiteline`", spline_white, 2000, 0.25),
    Way("fit of step and Gaussian", "white", "the manner of xanespy, one fit a voxel", fitted, 200, 0.3),
)
