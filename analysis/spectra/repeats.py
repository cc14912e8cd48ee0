"""Repeated scans of one place: do they drift with dose? A check for beam damage and for a moving energy axis."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, warn
from analysis.core.errors import DataError
from analysis.core.numerics.robust import least_squares
from analysis.core.params import Params
from analysis.spectra.curves import common_attrs
from analysis.spectra.normcurves import common_grid, norm_curves, numbered, remarks

EV: dict[str, Any] = {"unit": "eV"}


class RepeatsParams(Params):
    """Window of the feature that is watched, absolute, and the range of the comparison, relative to E0."""

    feature: float = Field(2472.0, gt=0, title="Feature that is watched", json_schema_extra=EV)
    window: float = Field(0.5, gt=0, title="Half width of its window", json_schema_extra=EV)
    low: float = Field(-20.0, title="Compared from", json_schema_extra=EV)
    high: float = Field(30.0, title="Compared to", json_schema_extra=EV)
    level: float = Field(0.95, gt=0.5, lt=1, title="Level of the interval")
    chosen: tuple[int, ...] = Field((), title="Numbers of the scans, from 1 (all if empty)")


def repeats(spectra: Sequence[xr.Dataset], params: RepeatsParams) -> xr.Dataset:
    """Feature height and distance from the mean, scan by scan in the given order, and the change a scan at every energy."""
    offered = norm_curves(spectra)
    found = numbered(offered, params.chosen) if params.chosen else offered
    if len(found) < 3:
        raise DataError(f"{len(found)} scans cannot show a trend.", hint="Give at least three repeats, in the order of time.")
    grid = common_grid(found, found[0].e0 + params.low, found[0].e0 + params.high)
    inside = np.abs(grid - params.feature) <= params.window
    if not inside.any():
        raise DataError(f"No point lies within {params.window:g} eV of {params.feature:g} eV.", hint="Choose a feature of this edge.")
    rows = np.stack([np.interp(grid, c.energy, c.norm) for c in found])
    scan = np.arange(1, len(found) + 1)
    centred = scan - scan.mean()
    trend = centred @ rows / float(centred @ centred)
    feature = rows[:, inside].mean(axis=1)
    distance = np.sqrt(np.mean((rows - rows.mean(axis=0)) ** 2, axis=1))
    out = xr.Dataset(
        {
            "scan": ("scan", scan, {"units": "1"}),
            "name": ("scan", np.array([c.name for c in found], dtype=str), {"units": ""}),
            "feature": ("scan", feature, {"units": "1"}),
            "distance": ("scan", distance, {"units": "1"}),
            "energy": ("energy", grid, {"units": "eV"}),
            "trend": ("energy", trend, {"units": "1"}),
        }
    )
    line = least_squares(scan.astype(float), feature, level=params.level)
    said = []
    if line.low > 0 or line.high < 0:
        said.append(
            f"The height at {params.feature:g} eV changes by {line.slope:+.4f} a scan: beam damage or drift; use the first scans only."
        )
    return warn(out.assign_attrs(common_attrs(spectra)), *remarks(spectra), *said)


def summarise(stored: xr.Dataset, params: RepeatsParams) -> Mapping[str, Scalar]:
    """The feature's change a scan with its interval."""
    line = least_squares(stored["scan"].values.astype(float), stored["feature"].values, level=params.level)
    return {"drift": Scalar(line.slope, "1", low=line.low, high=line.high, level=params.level, n=line.n, of="scans", title="Change a scan")}
