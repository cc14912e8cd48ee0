"""Difference spectra against a reference, after an optional common shift."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize_scalar

from analysis.core.data import Scalar, warn
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


def difference(spectra: Sequence[xr.Dataset], reference: xr.Dataset, params: DifferenceParams) -> xr.Dataset:
    """Each spectrum minus the reference's first one, on the spectrum's own energies; the reference is interpolated by a spline.

    ``area`` is the integral of the absolute difference. Its standard deviation holds the errors of both edge steps and the noise.
    """
    kind = "flat" if params.flattened else "norm"
    found, base = norm_curves(spectra, values=kind), norm_curves([reference], values=kind)[0]
    made = [_one(c, base, params) for c in found]
    energy = union([grid for grid, *_ in made])
    attrs = {"reference": base.name, "flattened": params.flattened, **common_attrs([*spectra, reference])}
    out = xr.Dataset(
        {
            "energy": ("energy", energy, {"units": "eV"}),
            "name": ("spectrum", np.array([c.name for c in found], dtype=str), {"units": ""}),
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
    # Errors of the two edge steps scale whole spectra; noise is that of single points.
    std = np.sqrt(
        (values * curve.scale_std) ** 2 + (spline(at) * base.scale_std) ** 2 + (curve.noise * curve.gain[inside]) ** 2 + base.noise**2
    )
    return grid, change, std, float(np.trapezoid(np.abs(change), grid)), shift


def summarise(stored: xr.Dataset, params: DifferenceParams) -> Mapping[str, Scalar]:
    """The area of the absolute difference and where it is largest, of the first spectrum."""
    change = np.asarray(stored["difference"].values[0], dtype=float)
    at = int(np.nanargmax(np.abs(change)))
    return {
        "area": Scalar(float(stored["area"].values[0]), "eV", title="Area of the absolute difference"),
        "largest": Scalar(float(change[at]), "1", std=float(stored["difference_std"].values[0][at]), title="Largest difference"),
        "largest_at": Scalar(float(stored["energy"].values[at]), "eV", title="Energy of the largest difference"),
    }
