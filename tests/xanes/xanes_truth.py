"""Spectra and stacks with known truth, and the studies of accuracy that tests run small and benchmarks run large."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.interpolate import UnivariateSpline

from analysis.schemas import STACK
from analysis.xanes import kernel
from analysis.xanes.definitions import DefinitionParams, edge_window, template_of
from analysis.xanes.edges import steep_gain
from analysis.xanes.normalise import fit_lines, normalise

# 80 energies over 8100–8800 eV: coarse outside, 1 eV in the edge.
GRID = np.concatenate([np.arange(8100, 8300, 20.0), np.arange(8300, 8325, 5.0), np.arange(8325, 8376, 1.0), np.linspace(8380, 8800, 14)])
E0 = 8343.0
DEFINITIONS = ("e_half", "white_line", "template_shift", "half_white_line", "max_slope")


def edge(energy: np.ndarray, center: float = E0) -> np.ndarray:
    """A step with a white line 5 eV above it: half height near ``center`` - 0.7 eV."""
    return 0.5 + np.arctan((energy - center) / 1.2) / np.pi + 0.75 * np.exp(-0.5 * ((energy - center - 5) / 3.0) ** 2)


class Reference:
    """A measured spectrum as a smooth function of energy in eV; constant below its first point."""

    def __init__(self, path: Path) -> None:
        energy, mu = np.loadtxt(path).T
        self.energy, self.mu = energy * 1000, mu  # the files are in keV
        self._curve = UnivariateSpline(self.energy, mu, s=energy.size * 0.0015**2, k=4)

    def __call__(self, energy: np.ndarray) -> np.ndarray:
        return np.asarray(self._curve(np.clip(energy, self.energy[0] + 5, self.energy[-1])))


def stack(mu: np.ndarray, energy: np.ndarray = GRID, **attrs: object) -> xr.Dataset:
    """A stack of shape (…, E)."""
    dims = ("z", "y", "x")[4 - mu.ndim :]
    return STACK.conform(
        xr.Dataset({"mu": ((*dims, "energy"), mu, {"units": "1"})}, {"energy": ("energy", energy, {"units": "eV"})}, dict(attrs))
    )


@dataclass(frozen=True)
class Ball:
    """A particle in air: its stack, where it is, and how far each voxel's edge is moved."""

    stack: xr.Dataset
    inside: np.ndarray
    shift: np.ndarray
    jump: float


def ball(n: int, *, noise: float, seed: int, jump: float = 0.4, radius: float = 0.4, photons: float = 0.0) -> Ball:
    """A ball of shifted edges, with noise relative to the jump; ``photons`` makes its variance grow as exp(photons * mu)."""
    rng = np.random.default_rng(seed)
    place = np.mgrid[:n, :n, :n] - (n - 1) / 2
    inside = np.sqrt((place**2).sum(axis=0)) < radius * n
    shift = rng.uniform(-0.5, 0.5, inside.shape)
    clean = inside[..., None] * (jump * edge(GRID - shift[..., None]) + 0.2)
    grows = np.exp(0.5 * photons * clean)
    mu = clean + noise * jump * grows * rng.standard_normal(clean.shape)
    return Ball(stack(mu.astype(np.float32), voxel_um=0.1), inside, shift, jump)


@dataclass(frozen=True)
class Accuracy:
    """What one definition makes of many noisy spectra; energies in eV.

    ``bias``, ``std`` and ``coverage`` are against the same definition on the noise-free spectrum, ``phase`` is the scatter of
    that over positions of the edge on the grid, ``bound`` is the smallest standard deviation that any unbiased estimate of a
    rigid shift can have where jump and pre-edge line are unknown.
    """

    definition: str
    noise: float
    bias: float
    std: float
    stated: float
    coverage: float
    phase: float
    bound: float
    refused: float


def accuracy(
    definition: str, noise: float, *, spectrum: object = edge, e0: float = E0, count: int = 10_000, seed: int = 1, grid: np.ndarray = GRID
) -> Accuracy:
    """Accuracy over edges of random position on the grid, moved by up to 1 eV, noise relative to the jump and known."""
    rng = np.random.default_rng(seed)
    shift = rng.uniform(-1, 1, count)
    clean = spectrum(grid - shift[:, None])  # type: ignore[operator]
    noisy = clean + noise * rng.standard_normal(clean.shape)
    params = DefinitionParams(e0=e0, definition=definition)
    lines, window = fit_lines(grid, e0, params), edge_window(grid, e0, params)
    mean = normalise(spectrum(grid), lines).norm  # type: ignore[operator]
    template = template_of(mean, lines, window) if definition == "template_shift" else None
    gain = steep_gain(mean, lines, window) if definition == "max_slope" else np.nan
    plan = kernel.plan_of(definition, lines, window, template=template, steep_gain=gain)
    everything = np.ones(count, dtype=bool)
    found = kernel.edge_maps(noisy.astype(np.float32), everything, plan)
    true = kernel.edge_maps(clean.astype(np.float32), everything, plan)[kernel.ENERGY].astype(float)
    off = found[kernel.ENERGY] - true
    std = found[kernel.GAIN] * noise
    good = found[kernel.REFUSED] == 0
    return Accuracy(
        definition,
        noise,
        float(np.mean(off[good])),
        float(np.std(off[good])),
        float(np.sqrt(np.mean(std[good].astype(float) ** 2))),
        float(np.mean(np.abs(off[good]) < 1.6449 * std[good])),
        float(np.std(true - shift)),
        information_bound(spectrum, noise, e0=e0, grid=grid),
        float(1 - good.mean()),
    )


def information_bound(spectrum: object, noise: float, *, e0: float = E0, grid: np.ndarray = GRID) -> float:
    """Cramér–Rao bound of a rigid shift with jump, pre-edge offset and slope unknown."""
    step = 1e-3
    slope = (spectrum(grid - step) - spectrum(grid + step)) / (2 * step)  # type: ignore[operator]
    design = np.stack([slope, spectrum(grid), np.ones(grid.size), grid - e0], axis=1)  # type: ignore[operator]
    return float(noise * np.sqrt(np.linalg.inv(design.T @ design)[0, 0]))


def numpy_edge_maps(spectra: np.ndarray, energy: np.ndarray, params: DefinitionParams) -> dict[str, np.ndarray]:
    """The same maps for ``e_half`` in vectorised NumPy, written independently of the kernel: what it is measured against.

    Smoothing is by SciPy's Savitzky–Golay filter, so the edge window must be evenly spaced.
    """
    from scipy.signal import savgol_filter

    e0 = float(params.e0 or E0)
    x = energy - e0
    pre, post = _range(energy, e0 + params.pre1, e0 + params.pre2), _range(energy, e0 + params.norm1, e0 + params.norm2)
    line = np.linalg.pinv(np.stack([np.ones(pre.size), x[pre]], axis=1))
    late = np.linalg.pinv(np.stack([np.ones(post.size), x[post]], axis=1))
    offset, slope = spectra[:, pre] @ line[0], spectra[:, pre] @ line[1]
    jump = spectra[:, post] @ late[0] - offset
    residual = spectra[:, pre] - offset[:, None] - slope[:, None] * x[pre]
    window = np.flatnonzero((energy >= e0 + params.edge1) & (energy <= e0 + params.edge2))
    wide = np.arange(window[0] - 3, window[-1] + 4)
    norm = (spectra[:, wide] - offset[:, None] - slope[:, None] * x[wide]) / jump[:, None]
    smooth = savgol_filter(norm, 7, 2, axis=1)[:, 3:-3]
    rows, top = np.arange(len(spectra)), smooth.argmax(axis=1)
    places = np.arange(window.size)
    below = np.where((smooth < 0.5) & (places < top[:, None]), places, -1).max(axis=1)
    low, high = smooth[rows, below], smooth[rows, below + 1]
    part = (0.5 - low) / (high - low)
    return {
        "edge_energy": energy[window][below] + part * (energy[window][below + 1] - energy[window][below]),
        "edge_jump": jump,
        "variance": np.sum(residual**2, axis=1) / (pre.size - 2),
        "top": energy[window][top],
    }


def _range(energy: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.arange(np.flatnonzero(energy <= low)[-1], np.abs(energy - high).argmin())
