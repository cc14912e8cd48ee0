"""The figures of absorption spectra: the table of contents, and the numbers behind each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.core.params import Params
from analysis.core.registry import Figure, Labelled
from analysis.core.tables import column_name
from analysis.spectra.figures_areas import AreaParams, areas
from analysis.spectra.figures_base import SpectrumFigureParams
from analysis.spectra.figures_fits import LoadingParams, PeakFitParams, components, lcf, loadings, peak_fit, scans
from analysis.spectra.figures_overlay import DEFAULT_MARKERS as DEFAULT_MARKERS
from analysis.spectra.figures_overlay import DifferenceParams, OverlayParams, difference, overlay
from analysis.spectra.figures_processing import (
    LinesParams,
    MeasuredParams,
    StandardParams,
    corrected,
    edge_energies,
    lines,
    measured,
    standards,
)

if TYPE_CHECKING:
    import pandas as pd


def _about(item: Labelled, rows: int) -> dict[str, np.ndarray]:
    return {k: np.full(rows, v, dtype=object) for k, v in (("group", item.group), ("sample", item.label), ("origin", item.origin))}


def _stacked(items: Sequence[Labelled], one: Callable[[xr.Dataset], dict[str, np.ndarray]]) -> "pd.DataFrame":
    import pandas as pd

    parts = []
    for item in items:
        columns = one(item.data)
        parts.append(pd.DataFrame({**_about(item, len(next(iter(columns.values())))), **columns}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "sample", "origin"])


def _long(ds: xr.Dataset, *values: str) -> dict[str, np.ndarray]:
    """Curves of every spectrum under one another, only the points that it has."""
    energy = np.asarray(ds["energy"].values, dtype=float)
    own = np.isfinite(np.asarray(ds[values[0]].values, dtype=float))
    columns = {
        "spectrum": np.repeat(ds["name"].values.astype(object), own.sum(axis=1)),
        "energy / eV": np.broadcast_to(energy, own.shape)[own],
    }
    for name in values:
        columns[column_name(name, str(ds[name].attrs["units"]))] = np.asarray(ds[name].values, dtype=float)[own]
    return columns


def _along(ds: xr.Dataset, dim: str) -> dict[str, np.ndarray]:
    """All variables that have this one dimension only."""
    return {column_name(str(n), str(v.attrs.get("units", ""))): np.asarray(v.values) for n, v in ds.variables.items() if v.dims == (dim,)}


def _curve_table(*values: str) -> "Callable[[Sequence[Labelled], Any], pd.DataFrame]":
    return lambda items, _params: _stacked(items, lambda ds: _long(ds, *values))


def _row_table(dim: str) -> "Callable[[Sequence[Labelled], Any], pd.DataFrame]":
    return lambda items, _params: _stacked(items, lambda ds: _along(ds, dim))


def _loadings(items: Sequence[Labelled], _params: Any) -> "pd.DataFrame":
    """Components as columns against energy."""

    def one(ds: xr.Dataset) -> dict[str, np.ndarray]:
        rows = {f"component {k} / 1": np.asarray(row) for k, row in enumerate(ds["loading"].values, start=1)}
        return {"energy / eV": np.asarray(ds["energy"].values), **rows}

    return _stacked(items, one)


_peak_rows = _row_table("peak")

FIGURES = (
    Figure("spectra.measured", "Spectra as measured", "xas.spectra", measured, MeasuredParams, _curve_table("mu")),
    Figure("spectra.standards", "Standards as measured", "xas.spectra", standards, StandardParams, _curve_table("mu")),
    Figure("spectra.lines", "Pre-edge and post-edge", "spectra.normalised", lines, LinesParams, _curve_table("mu", "pre", "post")),
    Figure("spectra.edges", "Edge energies", "spectra.normalised", edge_energies, Params, _row_table("spectrum")),
    Figure("spectra.corrected", "Self-absorption", "spectra.normalised", corrected, SpectrumFigureParams, _curve_table("norm", "mu")),
    Figure("spectra.overlay", "Normalised spectra", "spectra.normalised", overlay, OverlayParams, _curve_table("norm", "flat", "mu")),
    Figure(
        "spectra.difference",
        "Difference spectra",
        "spectra.difference",
        difference,
        DifferenceParams,
        _curve_table("difference", "difference_std"),
    ),
    Figure("spectra.areas", "Peak areas by group", "spectra.peaks", areas, AreaParams, _peak_rows),
    Figure("spectra.peak_fit", "Peak fit", "spectra.peaks", peak_fit, PeakFitParams, _curve_table("norm", "fit", "background")),
    Figure("spectra.lcf", "Linear combination fit", "spectra.lcf", lcf, SpectrumFigureParams, _row_table("reference")),
    Figure("spectra.components", "Principal components", "spectra.pca", components, Params, _row_table("component")),
    Figure("spectra.loadings", "Components as spectra", "spectra.pca", loadings, LoadingParams, _loadings),
    Figure("spectra.scans", "Repeated scans", "spectra.repeats", scans, Params, _row_table("scan")),
)
