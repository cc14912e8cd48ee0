"""Normalised spectra as recipes compare and fit them: with the noise and the error of their scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.spectra.curves import MIN_POINTS, calibrated_on
from analysis.spectra.normalising import recipe_mismatch


@dataclass(frozen=True)
class NormCurve:
    """One normalised spectrum. Arrays have shape (N,); energies are in eV.

    ``scale_std`` is the relative standard deviation of the edge step that it was divided by, ``baseline_std`` the part of it that
    moves the level below the edge too; ``gain`` is the amplification by a self-absorption correction (1 without one); ``error`` is
    the standard error of a mean over samples from their scatter, NaN for a single spectrum.
    """

    name: str
    energy: np.ndarray
    norm: np.ndarray
    e0: float
    scale_std: float
    baseline_std: float
    noise: float
    gain: np.ndarray
    error: np.ndarray

    def between(self, low: float, high: float) -> "NormCurve":
        """The points from ``low`` to ``high`` (eV)."""
        return self.where((self.energy >= low) & (self.energy <= high))

    def where(self, kept: np.ndarray) -> "NormCurve":
        return replace(self, energy=self.energy[kept], norm=self.norm[kept], gain=self.gain[kept], error=self.error[kept])


def norm_curves(datasets: Sequence[xr.Dataset], *, values: str = "norm") -> tuple[NormCurve, ...]:
    """Every spectrum of some normalised datasets, in order."""
    made = []
    for ds in datasets:
        energy = np.asarray(ds["energy"].values, dtype=float)
        scale, baseline = (_relative(ds, name) for name in ("edge_step_std", "baseline_error"))
        gains = np.asarray(ds["amplification"].values, dtype=float) if "amplification" in ds else None
        for k, name in enumerate(ds["name"].values.astype(str).tolist()):
            norm = np.asarray(ds[values].values[k], dtype=float)
            own = np.isfinite(norm)
            gain = np.ones(int(own.sum())) if gains is None else gains[k][own]
            e0, noise = float(ds["e0"].values[k]), float(ds["noise"].values[k])
            error = _standard_error(ds, values, k)[own]
            made.append(NormCurve(name, energy[own], norm[own], e0, scale[k], baseline[k], noise, gain, error))
    if not made:
        raise DataError("No spectrum is given.", hint="Choose at least one.")
    return tuple(made)


def _standard_error(ds: xr.Dataset, values: str, k: int) -> np.ndarray:
    """Standard deviation over samples by the root of their number, shape (energy,); NaN where there is one sample."""
    if "n_samples" not in ds or f"{values}_std" not in ds:
        return np.full(ds.sizes["energy"], np.nan)
    return np.asarray(ds[f"{values}_std"].values[k], dtype=float) / np.sqrt(float(ds["n_samples"].values[k]))


def _relative(ds: xr.Dataset, name: str) -> list[float]:
    """An error in units of the edge step, for every spectrum; 0 where it is not known."""
    if name not in ds:
        return [0.0] * ds.sizes["spectrum"]
    values = np.asarray(ds[name].values, dtype=float) / np.asarray(ds["edge_step"].values, dtype=float)
    return np.where(np.isfinite(values), values, 0.0).tolist()


def remarks(datasets: Sequence[xr.Dataset]) -> list[str]:
    """What the datasets say, and whether they can be compared: one recipe, one calibration."""
    said = [w for ds in datasets for w in warnings_of(ds)]
    mismatch = recipe_mismatch(datasets)
    if mismatch:
        said.append(mismatch)
    notes = [ds.attrs.get("calibration") for ds in datasets]
    standards = {calibrated_on(n) if n else "none" for n in notes}
    if len(standards) > 1:
        named = ", ".join(sorted(standards))
        said.append(f"The energies are calibrated differently ({named}).")
    return said


def numbered(found: Sequence[NormCurve], numbers: Sequence[int]) -> tuple[NormCurve, ...]:
    """The spectra of these numbers, which count from 1."""
    if not all(1 <= n <= len(found) for n in numbers):
        raise ParamError(f"There are {len(found)} spectra, not {max(numbers)}.", hint="Choose smaller numbers.")
    return tuple(found[n - 1] for n in numbers)


def common_grid(found: Sequence[NormCurve], low: float, high: float) -> np.ndarray:
    """The first spectrum's energies from ``low`` to ``high`` that all spectra cover.

    Raises
    ------
    DataError
        There are fewer than ten: the spectra are of different edges, or the range is wrong.
    """
    low, high = max(low, *(c.energy[0] for c in found)), min(high, *(c.energy[-1] for c in found))
    grid = found[0].energy[(found[0].energy >= low) & (found[0].energy <= high)]
    if grid.size < MIN_POINTS:
        raise DataError(
            f"The spectra share {grid.size} points between {low:.1f} and {high:.1f} eV; {MIN_POINTS} are needed.",
            hint="Choose spectra of one edge, and a range that they cover.",
        )
    return grid
