"""Spectra made of spectra: merged, rebinned, freed of glitches."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import table, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.spectra.curves import Curve, assemble, common_attrs, curves, gathered, overlap
from analysis.spectra.edge_energy import find_e0

EV: dict[str, Any] = {"unit": "eV"}
ETOK = 0.2624682917  # 2 m_e / hbar², 1/(eV angstrom²), CODATA 2018
NEAR = 0.5  # of the local step: how close a point must lie to the energy that was clicked


class MergeParams(Params):
    name: str = Field("merge", min_length=1, title="Name of the merged spectrum")
    weighting: Literal["equal", "noise", "given"] = Field("equal", title="Weights")
    weights: tuple[float, ...] = Field((), title="Given weights, in the order of the spectra")


def merged(spectra: Sequence[xr.Dataset], params: MergeParams) -> xr.Dataset:
    """The weighted mean of all spectra on the first one's energies, with the standard error from their scatter.

    Raises
    ------
    DataError
        The spectra share no energies.
    ParamError
        There are not as many weights as spectra.
    """
    found = gathered(spectra)
    low, high = overlap(found)
    grid = found[0].between(low, high).energy
    if grid.size < 10:
        raise DataError(f"The spectra share {grid.size} points.", hint="Choose spectra of the same edge and range.")
    values = np.stack([np.interp(grid, c.energy, c.mu) for c in found])
    weights = _weights(found, values, params)
    mean = weights @ values
    foils = [c.reference for c in found]
    foil = None
    if all(f is not None for f in foils):
        foil = weights @ np.stack([np.interp(grid, c.energy, np.asarray(f)) for c, f in zip(found, foils, strict=True)])
    std = _standard_error(values, weights, mean)
    one = Curve(params.name, grid, mean, foil, std=std)
    made = assemble([one], units=str(spectra[0]["mu"].attrs.get("units", "1")), attrs=common_attrs(spectra))
    note = {"spectra": [c.name for c in found], "weights": [float(w) for w in weights]}
    return warn(made.assign_attrs(merged=note), *(w for ds in spectra for w in warnings_of(ds)))


def _weights(found: Sequence[Curve], values: np.ndarray, params: MergeParams) -> np.ndarray:
    if params.weighting == "given":
        given = np.asarray(params.weights, dtype=float)
        if given.size != len(found) or (given < 0).any() or not given.sum() > 0:
            raise ParamError(
                f"{len(params.weights)} weights do not fit {len(found)} spectra.", hint="Give one weight of 0 or more for each."
            )
        return given / given.sum()
    if params.weighting == "noise":
        # Second differences leave the noise of a smooth curve: their variance is six times its own.
        variance = np.median(np.diff(values, n=2, axis=1) ** 2, axis=1)
        weights = 1.0 / np.maximum(variance, 1e-12 * max(float(variance.max()), 1e-300))
        return weights / weights.sum()
    return np.full(len(found), 1.0 / len(found))


def _standard_error(values: np.ndarray, weights: np.ndarray, mean: np.ndarray) -> np.ndarray | None:
    """Standard error of the weighted mean at every point, shape (N,); None for a single spectrum."""
    n = values.shape[0]
    if n < 2:
        return None
    scatter = weights @ (values - mean) ** 2
    independent = 1.0 / float(np.sum(weights**2))
    return np.sqrt(scatter / max(independent - 1.0, 1e-12)) if independent > 1.0 + 1e-9 else None


class RebinParams(Params):
    """Steps of the new grid; limits relative to E0."""

    e0: float | None = Field(None, gt=0, title="Edge energy E0 (found if empty)", json_schema_extra=EV)
    edge1: float = Field(-30.0, title="Fine from", json_schema_extra=EV)
    edge2: float = Field(50.0, title="Fine to", json_schema_extra=EV)
    pre_step: float = Field(5.0, gt=0, title="Step before", json_schema_extra=EV)
    edge_step: float = Field(0.25, gt=0, title="Step in the edge", json_schema_extra=EV)
    k_step: float = Field(0.05, gt=0, title="Step after, in k", json_schema_extra={"unit": "1/angstrom"})


def rebinned(spectra: xr.Dataset, params: RebinParams) -> xr.Dataset:
    """Every spectrum averaged in bins: energy and absorption are the means of a bin's points, so nothing is interpolated.

    Empty bins have no point. ``mu_std`` is the standard error in bins of three points or more.
    """
    if params.edge1 >= params.edge2:
        raise ParamError("The fine range of the grid is empty.", hint="Let it begin below its end.")
    made = [_rebin(c, params) for c in curves(spectra)]
    kept = {k: v for k, v in spectra.attrs.items() if k not in ("schema", "schema_version")}
    return assemble(made, units=str(spectra["mu"].attrs.get("units", "1")), attrs=kept)


def _rebin(curve: Curve, params: RebinParams) -> Curve:
    e0 = params.e0 or find_e0(curve.energy, curve.mu)
    edges = _bins(curve.energy[0], curve.energy[-1], e0, params)
    place = np.digitize(curve.energy, edges)
    used, index, count = np.unique(place, return_inverse=True, return_counts=True)
    if used.size < 10:
        raise DataError(f"Only {used.size} bins of '{curve.name}' hold points.", hint="Choose smaller steps.")

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(index, weights=values) / count

    mu = mean(curve.mu)
    scatter = np.bincount(index, weights=(curve.mu - mu[index]) ** 2) / np.maximum(count - 1, 1)
    std = np.where(count >= 3, np.sqrt(scatter / count), np.nan)
    reference = None if curve.reference is None else mean(curve.reference)
    return replace(curve, energy=mean(curve.energy), mu=mu, reference=reference, std=std)


def _bins(first: float, last: float, e0: float, params: RebinParams) -> np.ndarray:
    start, end = e0 + params.edge1, e0 + params.edge2
    before = np.arange(first - params.pre_step / 2, start, params.pre_step)
    edge = np.arange(start, end, params.edge_step)
    k_end = np.sqrt(max(ETOK * params.edge2, 0.0))
    k = np.arange(k_end, np.sqrt(max(ETOK * (last - e0), ETOK * params.edge2)) + params.k_step, params.k_step)
    return np.unique(np.concatenate([before, edge, e0 + k**2 / ETOK]))


def glitches(points: Sequence[tuple[float, str]]) -> xr.Dataset:
    """The edit that takes points out: energy (eV) and name of the spectrum, "" for all spectra."""
    energy, name = [p[0] for p in points], [p[1] for p in points]
    return table({"energy": (np.array(energy, dtype=float), "eV"), "spectrum_name": (np.array(name, dtype=str), "")}, dim="point")


def deglitched(spectra: xr.Dataset, edit: xr.Dataset) -> xr.Dataset:
    """Spectra without the points that were taken out by hand; they stay in the dataset this was made from.

    Raises
    ------
    DataError
        A point is not there: no point of that spectrum lies within half a step of its energy.
    """
    found = list(curves(spectra))
    names = [c.name for c in found]
    removed = 0
    for energy, name in zip(edit["energy"].values.astype(float), edit["spectrum_name"].values.astype(str), strict=True):
        if name and name not in names:
            raise DataError(f"There is no spectrum '{name}'.", hint=f"There are {', '.join(names[:12])}.")
        for k, curve in enumerate(found):
            if name and curve.name != name:
                continue
            at = _at(curve, energy)
            if at is None:
                if name:
                    raise DataError(f"'{name}' has no point at {energy:.2f} eV.", hint="Choose the point again.")
                continue
            found[k] = curve.where(np.arange(curve.energy.size) != at)
            removed += 1
    kept = {k: v for k, v in spectra.attrs.items() if k not in ("schema", "schema_version")}
    made = assemble(found, units=str(spectra["mu"].attrs.get("units", "1")), attrs=kept)
    return warn(made, f"{removed} point{'s were' if removed != 1 else ' was'} taken out by hand.")


def _at(curve: Curve, energy: float) -> int | None:
    """The point of a curve that is meant by an energy."""
    at = int(np.abs(curve.energy - energy).argmin())
    around = curve.energy[max(at - 1, 0) : at + 2]
    return at if abs(curve.energy[at] - energy) <= NEAR * float(np.diff(around).min()) else None
