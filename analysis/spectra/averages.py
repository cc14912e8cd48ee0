"""The mean spectrum of a group's samples, with their scatter: replicates are cells, not scans or points."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.spectra.curves import MIN_POINTS, common_attrs, picked
from analysis.spectra.edge_energy import find_e0, half_step, inflection, white_line
from analysis.spectra.normcurves import remarks
from analysis.spectra.processing import stacked

CURVES = ("norm", "flat", "post")


class MeanParams(Params):
    """Which spectra make which mean, and which of them are of one cell: those are averaged first."""

    sets: tuple[str, ...] = Field((), title='Name of the mean that each spectrum goes into ("" leaves it out; one of all if empty)')
    cells: tuple[str, ...] = Field((), title="Cell of each spectrum (each a cell of its own if empty)")


def means(spectra: Sequence[xr.Dataset], params: MeanParams) -> xr.Dataset:
    """Mean normalised spectra over cells; ``norm_std`` is the standard deviation over cells, ``n_samples`` their number.

    Raises
    ------
    DataError
        The spectra of a mean share fewer than ten energies.
    ParamError
        There are not as many names as spectra.
    """
    each = [picked(ds, [k]) for ds in spectra for k in range(ds.sizes["spectrum"])]
    sets = params.sets or ("mean",) * len(each)
    cells = params.cells or tuple(map(str, range(len(each))))
    for what, given in (("sets", sets), ("cells", cells)):
        if len(given) != len(each):
            raise ParamError(f"{len(given)} {what} are named for {len(each)} spectra.", hint="Name that of each, or none.")
    made = []
    for name in dict.fromkeys(s for s in sets if s):
        members = [k for k, s in enumerate(sets) if s == name]
        made.append(mean_spectrum(name, [each[k] for k in members], [cells[k] for k in members]))
    if not made:
        raise ParamError("Every spectrum is left out.", hint="Name the mean of at least one.")
    return stacked(made)


def mean_spectrum(name: str, spectra: Sequence[xr.Dataset], cells: Sequence[str]) -> xr.Dataset:
    """The mean of some spectra over their cells, on the first one's energies."""
    grid = _grid(spectra)
    each = {curve: _by_cell([_rows(ds, curve, grid) for ds in spectra], cells) for curve in CURVES}
    n = len(dict.fromkeys(cells))
    curve = ("spectrum", "energy")
    mean = {c: rows.mean(axis=0) for c, rows in each.items()}
    std = {c: rows.std(axis=0, ddof=1) if n > 1 else np.full(grid.size, np.nan) for c, rows in each.items()}
    made = xr.Dataset(
        {
            "energy": ("energy", grid, {"units": "eV"}),
            "name": ("spectrum", np.array([name], dtype=str), {"units": ""}),
            "mu": (curve, mean["norm"][None], {"units": "1"}),
            "pre": (curve, np.zeros((1, grid.size)), {"units": "1"}),
            **{c: (curve, rows[None], {"units": "1"}) for c, rows in mean.items()},
            **{f"{c}_std": (curve, std[c][None], {"units": "1"}) for c in ("norm", "flat")},
            "edge_step": ("spectrum", np.ones(1), {"units": "1"}),
            "edge_step_std": ("spectrum", _relative(spectra, "edge_step_std"), {"units": "1"}),
            "baseline_error": ("spectrum", _relative(spectra, "baseline_error"), {"units": "1"}),
            "noise": ("spectrum", _pooled([float(np.mean(ds["noise"].values)) for ds in spectra]), {"units": "1"}),
            "n_samples": ("spectrum", np.array([n]), {"units": "1"}),
            **_energies(grid, mean["flat"], float(np.mean([ds["e0"].values.mean() for ds in spectra]))),
        }
    )
    recipes = [ds.attrs.get("recipe", {}) for ds in spectra]
    recipe = {k: v if all(r.get(k) == v for r in recipes) else None for k, v in recipes[0].items()}
    return warn(made.assign_attrs(common_attrs(spectra) | {"recipe": recipe}), *remarks(spectra))


def _grid(spectra: Sequence[xr.Dataset]) -> np.ndarray:
    """The first spectrum's energies that all cover; shape (E,), eV."""
    own = [np.asarray(ds["energy"].values, dtype=float)[np.isfinite(ds["norm"].values).any(axis=0)] for ds in spectra]
    low, high = max(e[0] for e in own), min(e[-1] for e in own)
    grid = own[0][(own[0] >= low) & (own[0] <= high)]
    if grid.size < MIN_POINTS:
        raise DataError(f"The spectra share {grid.size} points; a mean needs {MIN_POINTS}.", hint="Choose spectra of one edge.")
    return grid


def _rows(ds: xr.Dataset, name: str, grid: np.ndarray) -> np.ndarray:
    """The mean of a dataset's spectra on the grid, ``post`` as the normalised post-edge; shape (E,)."""
    energy = np.asarray(ds["energy"].values, dtype=float)
    made = []
    for k in range(ds.sizes["spectrum"]):
        values = np.asarray(ds[name].values[k], dtype=float)
        if name == "post":
            values = (values - np.asarray(ds["pre"].values[k], dtype=float)) / float(ds["edge_step"].values[k])
        own = np.isfinite(values)
        made.append(np.interp(grid, energy[own], values[own]))
    return np.mean(made, axis=0)


def _by_cell(rows: Sequence[np.ndarray], cells: Sequence[str]) -> np.ndarray:
    """Means of the rows of each cell, shape (cells, E)."""
    return np.stack([np.mean([r for r, c in zip(rows, cells, strict=True) if c == cell], axis=0) for cell in dict.fromkeys(cells)])


def _relative(spectra: Sequence[xr.Dataset], name: str) -> np.ndarray:
    """The error of the mean's scale from those of its spectra, relative to their edge steps; shape (1,)."""
    parts = [ds[name].values / ds["edge_step"].values if name in ds else np.full(ds.sizes["spectrum"], np.nan) for ds in spectra]
    return _pooled([float(np.mean(p)) for p in parts])


def _pooled(stds: Sequence[float]) -> np.ndarray:
    return np.array([float(np.sqrt(np.sum(np.square(stds)))) / len(stds)])


def _energies(energy: np.ndarray, flat: np.ndarray, e0: float) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
    """Edge energies and white line of the mean."""
    slope = find_e0(energy, flat)
    place, height = white_line(energy, flat, e0)
    values = {
        "e0": e0,
        "half_step": half_step(energy, flat, e0),
        "max_slope": slope,
        "inflection": inflection(energy, flat, slope),
        "white_line": place,
    }
    made = {n: ("spectrum", np.array([v]), {"units": "eV"}) for n, v in values.items()}
    return made | {"white_line_height": ("spectrum", np.array([height]), {"units": "1"})}
