"""Fits and what they give: peaks under the edge, linear combinations, components, repeats."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import Trace, safe
from analysis.spectra.figures_base import SpectrumFigureParams, colours, energy_axis, finish, legend, line, markers, names, notes, span

if TYPE_CHECKING:
    import plotly.graph_objects as go

RESIDUAL_SHARE = 0.2  # of the height, for the panel of residuals
NORM_TITLE = "Norm. absorption / 1"


class PeakFitParams(SpectrumFigureParams):
    spectrum: int = Field(1, ge=1, title="Spectrum of the result, from 1")


def peak_fit(items: tuple[Labelled, ...], style: Style, params: PeakFitParams) -> "go.Figure":
    """One spectrum with its fit, background and peaks, and the residuals below."""
    if not items:
        return _with_residuals([], (), style, params, "spectra.peak_fit")
    item = items[0]
    ds, k = item.data, params.spectrum - 1
    if k >= ds.sizes["spectrum"]:
        raise DataError(f"The result holds {ds.sizes['spectrum']} spectra, not {params.spectrum}.", hint="Choose a smaller number.")
    energy = np.asarray(ds["energy"].values, dtype=float)
    norm, fit, background = (np.asarray(ds[n].values[k], dtype=float) for n in ("norm", "fit", "background"))
    own = np.isfinite(norm)
    name = str(ds["name"].values[k])
    label = names(item)[k]
    points = {"type": "scatter", "mode": "markers", "x": energy[own], "y": norm[own], "name": legend(label, item)}
    traces: list[Trace] = [{**points, "marker": {"color": style.muted, "size": 4}}]
    of_peak = np.flatnonzero(ds["spectrum_name"].values.astype(str) == name)
    several = len(set(ds["name"].values.astype(str).tolist())) < ds.sizes["spectrum"]
    if several:  # names may be equal: peaks stand in the order of the spectra
        each = ds.sizes["peak"] // ds.sizes["spectrum"]
        of_peak = np.arange(k * each, (k + 1) * each)
    for j, colour in zip(of_peak, style.sequence(len(of_peak)), strict=True):
        curve = np.asarray(ds["component"].values[j], dtype=float) + background
        traces.append(line(energy, curve, safe(f"{ds['peak_name'].values[j]} {float(ds['center'].values[j]):.2f} eV"), colour))
    traces.append(line(energy, background, "step and baseline", style.muted, line={"dash": "dash"}))
    traces.append(line(energy, fit, "fit", style.ink))
    traces.append(line(energy, norm - fit, "residual", style.muted, yaxis="y2", showlegend=False))
    return _with_residuals(traces, items[:1], style, params, "spectra.peak_fit")


def _with_residuals(
    traces: list[Trace], items: Sequence[Labelled], style: Style, params: SpectrumFigureParams, revision: str
) -> "go.Figure":
    shapes, labels = markers(params.markers, style, span(params, traces))
    layout: dict[str, Any] = {
        "xaxis": {**energy_axis(params), "anchor": "y2"},
        "notes": notes(items),
        "yaxis": {"title": {"text": NORM_TITLE}, "domain": [RESIDUAL_SHARE + 0.04, 1.0]},
        "yaxis2": {"title": {"text": "Residual"}, "domain": [0.0, RESIDUAL_SHARE], "nticks": 3},
        "shapes": shapes,
        "annotations": labels,
    }
    return finish(traces, layout, style, revision)


def lcf(items: tuple[Labelled, ...], style: Style, params: SpectrumFigureParams) -> "go.Figure":
    """The unknown, its fit, the weighted references, and the residuals below."""
    if not items:
        return _with_residuals([], (), style, params, "spectra.lcf")
    item = items[0]
    ds = item.data
    energy = np.asarray(ds["energy"].values, dtype=float)
    unknown = str(ds.attrs.get("unknown", item.label))
    points = {"type": "scatter", "mode": "markers", "x": energy, "y": ds["unknown"].values, "name": legend(unknown, item)}
    traces: list[Trace] = [{**points, "marker": {"color": style.muted, "size": 4}}, line(energy, ds["fit"].values, "fit", style.ink)]
    used = np.flatnonzero(ds["weight"].values != 0)
    for j, colour in zip(used, style.sequence(len(used)), strict=True):
        weight, std = float(ds["weight"].values[j]), float(ds["weight_std"].values[j])
        name = safe(f"{ds['reference'].values[j]} {weight:.3f} ± {std:.3f}")
        traces.append(line(energy, np.asarray(ds["component"].values[j], dtype=float), name, colour))
    traces.append(line(energy, np.asarray(ds["residual"].values, dtype=float), "residual", style.muted, yaxis="y2", showlegend=False))
    return _with_residuals(traces, items[:1], style, params, "spectra.lcf")


def components(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Indicator function against the number of components: its minimum is how many there are."""
    traces = []
    for item, colour in zip(items, colours(items, style), strict=True):
        n, values = item.data["component"].values, np.asarray(item.data["indicator"].values, dtype=float)
        own = np.isfinite(values)
        look = {"color": colour, "size": 8}
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "x": n[own], "y": values[own], "name": legend(item.label, item), "marker": look}
        )
    layout = {
        "xaxis": {"title": {"text": "Number of components / 1"}, "nticks": 12},
        "notes": notes(items),
        "width_of_notes": "narrow",
        "yaxis": {"title": {"text": "Indicator function / 1"}, "type": "log", "exponentformat": "power"},
    }
    return finish(traces, layout, style, "spectra.components")


class LoadingParams(SpectrumFigureParams):
    count: int = Field(3, ge=1, le=12, title="Components shown")


def loadings(items: tuple[Labelled, ...], style: Style, params: LoadingParams) -> "go.Figure":
    """The first components as spectra; they are mathematical, not those of substances."""
    traces = []
    for item in items[:1]:
        energy, rows = np.asarray(item.data["energy"].values, dtype=float), np.asarray(item.data["loading"].values, dtype=float)
        shown = rows[: params.count]
        for k, (row, colour) in enumerate(zip(shown, style.sequence(len(shown)), strict=True), start=1):
            share = float(item.data["explained"].values[k - 1])
            traces.append(line(energy, row, f"component {k} (to {100 * share:.3f} %)", colour))
    layout = {
        "xaxis": energy_axis(params),
        "notes": notes(items[:1], "In brackets: share of the variance up to this component."),
        "width_of_notes": "narrow",
        "yaxis": {"title": {"text": "Loading / 1"}},
    }
    return finish(traces, layout, style, "spectra.loadings")


def scans(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """The watched feature scan by scan."""
    traces = []
    for item, colour in zip(items, colours(items, style), strict=True):
        x, y = item.data["scan"].values, item.data["feature"].values
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "x": x, "y": y, "name": legend(item.label, item), "marker": {"color": colour}}
        )
    layout = {
        "xaxis": {"title": {"text": "Scan / 1"}, "dtick": 1},
        "notes": notes(items),
        "width_of_notes": "narrow",
        "yaxis": {"title": {"text": "Height of the feature / 1"}},
    }
    return finish(traces, layout, style, "spectra.scans")
