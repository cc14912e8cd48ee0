"""Difference spectra against a reference, after an optional common shift."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize_scalar

from analysis.core.data import Scalar, warn
from analysis.core.errors import ParamError
from analysis.core.params import Params
from analysis.spectra.curves import common_attrs, spread, union
from analysis.spectra.normcurves import NormCurve, common_grid, norm_curves, remarks

EV: dict[str, Any] = {"unit": "eV"}


class DifferenceParams(Params):
    """Range of the difference; energies relative to the reference's E0."""

    low: float = Field(-20.0, title="From", json_schema_extra=EV)
    high: float = Field(30.0, title="To", json_schema_extra=EV)
    flattened: bool = Field(False, title="Flattened spectra")
    max_shift: float = Field(0.0, ge=0, le=2, title="Energy shift that may be fitted (0: none)", json_schema_extra=EV)
    chosen: tuple[int, ...] = Field((), title="Numbers of the spectra, from 1 (all if empty)")
    against: tuple[int, ...] = Field((), title="Number of each one's reference, from 1 (the first for all if empty)")
    names: tuple[str, ...] = Field((), title="Names of the differences (those of the spectra if empty)")

    def pairs(self, spectra: int, references: int) -> list[tuple[int, int]]:
        """Places of each spectrum and its reference."""
        chosen = self.chosen or tuple(range(1, spectra + 1))
        against = self.against or (1,) * len(chosen)
        fits = all(1 <= k <= spectra for k in chosen) and all(1 <= k <= references for k in against)
        if len(against) != len(chosen) or (self.names and len(self.names) != len(chosen)) or not fits:
            raise ParamError(
                f"The chosen numbers do not fit {spectra} spectra and {references} references.", hint="Give a reference for each spectrum."
            )
        return [(k - 1, r - 1) for k, r in zip(chosen, against, strict=True)]


def difference(spectra: Sequence[xr.Dataset], reference: xr.Dataset, params: DifferenceParams) -> xr.Dataset:
    """Each spectrum minus its reference, on the spectrum's own energies; the reference is interpolated by a spline.

    ``area`` is the integral of the absolute difference. Its standard deviation holds the errors of both edge steps and the noise,
    or, between means over samples, their standard errors.
    """
    kind = "flat" if params.flattened else "norm"
    curves, bases = norm_curves(spectra, values=kind), norm_curves([reference], values=kind)
    pairs = params.pairs(len(curves), len(bases))
    found = [curves[k] for k, _ in pairs]
    base = [bases[r] for _, r in pairs]
    made = [_one(c, b, params) for c, b in zip(found, base, strict=True)]
    energy = union([grid for grid, *_ in made])
    over_samples = all(np.isfinite(c.error).any() for c in (*found, *base))
    band = "standard error over samples" if over_samples else "standard deviation by noise and edge step"
    attrs = {
        "reference": ", ".join(dict.fromkeys(b.name for b in base)),
        "flattened": params.flattened,
        "band": band,
        **common_attrs([*spectra, reference]),
    }
    out = xr.Dataset(
        {
            "energy": ("energy", energy, {"units": "eV"}),
            "name": ("spectrum", np.array(params.names or [c.name for c in found], dtype=str), {"units": ""}),
            "reference_name": ("spectrum", np.array([b.name for b in base], dtype=str), {"units": ""}),
            "difference": (("spectrum", "energy"), np.stack([spread(energy, g, d) for g, d, *_ in made]), {"units": "1"}),
            "difference_std": (("spectrum", "energy"), np.stack([spread(energy, g, s) for g, _, s, *_ in made]), {"units": "1"}),
            "area": ("spectrum", np.array([a for *_, a, _ in made]), {"units": "eV"}),
            "shift": ("spectrum", np.array([s for *_, s in made]), {"units": "eV"}),
        },
        attrs=attrs,
    )
    far = [c.name for c, (*_, s) in zip(found, made, strict=True) if params.max_shift and abs(s) > 0.95 * params.max_shift]
    said = [f"The shift of '{n}' is at its bound." for n in far]
    return warn(out, *remarks([*spectra, reference]), *said)


def _one(curve: NormCurve, base: NormCurve, params: DifferenceParams) -> tuple[np.ndarray, np.ndarray, np.ndarray, float, float]:
    """Grid, difference, its standard deviation, area of the absolute difference (eV), shift (eV)."""
    grid = common_grid([curve, base], base.e0 + params.low, base.e0 + params.high)
    inside = np.isin(curve.energy, grid)
    spline = make_interp_spline(base.energy, base.norm, k=3)
    values = curve.norm[inside]
    shift = 0.0
    if params.max_shift:
        middle = (grid > grid[0] + params.max_shift) & (grid < grid[-1] - params.max_shift)

        def misfit(s: float) -> float:
            return float(np.sum((values[middle] - spline(grid[middle] + s)) ** 2))

        shift = float(minimize_scalar(misfit, bounds=(-params.max_shift, params.max_shift), method="bounded").x)
    at = np.clip(grid + shift, base.energy[0], base.energy[-1])
    change = values - spline(at)
    std = np.hypot(_error(curve, grid, values), _error(base, at, spline(at)))
    return grid, change, std, float(np.trapezoid(np.abs(change), grid)), shift


def _error(curve: NormCurve, at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Standard deviation of a curve at the energies ``at`` (eV); shape (N,).

    Of a mean over samples: from their scatter. Of one spectrum: its edge step's error scales it whole, noise is that of points.
    """
    if np.isfinite(curve.error).any():
        return np.interp(at, curve.energy, curve.error)
    return np.hypot(values * curve.scale_std, curve.noise * np.interp(at, curve.energy, curve.gain))


def summarise(stored: xr.Dataset, params: DifferenceParams) -> Mapping[str, Scalar]:
    """The area of the absolute difference and where it is largest, of the first spectrum."""
    change = np.asarray(stored["difference"].values[0], dtype=float)
    at = int(np.nanargmax(np.abs(change)))
    return {
        "area": Scalar(float(stored["area"].values[0]), "eV", title="Area of the absolute difference"),
        "largest": Scalar(float(change[at]), "1", std=float(stored["difference_std"].values[0][at]), title="Largest difference"),
        "largest_at": Scalar(float(stored["energy"].values[at]), "eV", title="Energy of the largest difference"),
    }
