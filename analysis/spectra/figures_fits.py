"""Fits and what they give: peaks under the edge, linear combinations, areas by group, components, repeats."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from analysis.core.errors import DataError
from analysis.core.numerics.statistics import mean_interval
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SYMBOLS, Style
from analysis.spectra.figures_base import (
    SpectrumFigureParams,
    Trace,
    colours,
    energy_axis,
    finish,
    legend,
    line,
    markers,
    names,
    safe,
    titled,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

RESIDUAL_SHARE = 0.2  # of the height, for the panel of residuals
SCATTER = 0.5  # of a bar's place, over which the samples of a group stand side by side
NORM_TITLE = "Normalised absorption / 1"


class PeakFitParams(SpectrumFigureParams):
    spectrum: int = Field(1, ge=1, title="Spectrum of the result, from 1")


def peak_fit(items: tuple[Labelled, ...], style: Style, params: PeakFitParams) -> "go.Figure":
    """One spectrum with its fit, background and peaks, and the residuals below."""
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
    shapes, labels = markers(params.markers, style)
    layout: dict[str, Any] = {
        "xaxis": {**energy_axis(items, style, params), "anchor": "y2"},
        "yaxis": {"title": {"text": NORM_TITLE}, "domain": [RESIDUAL_SHARE + 0.04, 1.0]},
        "yaxis2": {"title": {"text": "Residual / 1"}, "domain": [0.0, RESIDUAL_SHARE], "nticks": 3},
        "shapes": shapes,
        "annotations": labels,
    }
    return finish(traces, layout, style, revision)


def lcf(items: tuple[Labelled, ...], style: Style, params: SpectrumFigureParams) -> "go.Figure":
    """The unknown, its fit, the weighted references, and the residuals below."""
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


class AreaParams(Params):
    peak: str = Field("", title="Peak (the reported one if empty)")
    level: float = Field(0.9, gt=0.5, lt=1, title="Level of the groups' intervals")


def areas(items: tuple[Labelled, ...], style: Style, params: AreaParams) -> "go.Figure":
    """Peak areas: a bar for each group's mean with its interval over samples, and every sample as a point with its own."""
    groups = list(dict.fromkeys(i.group or i.label for i in items))
    traces: list[Trace] = []
    for place, group in enumerate(groups):
        members = [i for i in items if (i.group or i.label) == group]
        rows = [r for i in members for r in _area_rows(i, params.peak)]
        if not rows:
            continue
        values = np.array([r[1] for r in rows])
        mean = mean_interval(values, level=params.level)
        made_up = {i.origin for i in members} == {"synthetic"}
        name = safe(f"{group}, n = {values.size}{' (synthetic)' if made_up else ''}")
        bar: Trace = {"type": "bar", "x": [place], "y": [mean.value], "name": name, "marker": {"color": style.fill(group, 0.35)}}
        if np.isfinite(mean.low):
            above, below = mean.high - mean.value, mean.value - mean.low
            bar["error_y"] = {"type": "data", "array": [above], "arrayminus": [below], "symmetric": False}
        points: Trace = {
            "type": "scatter",
            "mode": "markers",
            "x": place + SCATTER * (np.arange(values.size) - 0.5 * (values.size - 1)) / max(values.size - 1, 1),
            "y": values,
            "text": [safe(r[0]) for r in rows],
            "hovertemplate": "%{text}<br>%{y:.3f} eV<extra></extra>",
            "showlegend": False,
            "marker": {"color": style.color(group), "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 7},
            "error_y": {
                "type": "data",
                "array": [r[3] - r[1] for r in rows],
                "arrayminus": [r[1] - r[2] for r in rows],
                "symmetric": False,
            },
        }
        traces += [bar, points]
    peak = params.peak or str(items[0].data.attrs.get("feature", "")) if items else ""
    ticks = {
        "tickmode": "array",
        "tickvals": list(range(len(groups))),
        "ticktext": ["<br>".join(map(safe, textwrap.wrap(g, 14))) for g in groups],
        "showgrid": False,
    }
    layout = {
        "xaxis": {
            "title": titled("Group", items, style, [f"Bars: mean and {params.level:.0%} interval over samples."]),
            **ticks,
        },
        "yaxis": {"title": {"text": safe(f"Area of the peak {peak} / eV")}, "rangemode": "tozero"},
        "barmode": "overlay",
    }
    return finish(traces, layout, style, "spectra.areas")


def _area_rows(item: Labelled, peak: str) -> list[tuple[str, float, float, float]]:
    """Name, area and ends of its interval (eV) of the peak, for every spectrum of an item."""
    ds = item.data
    wanted = peak or str(ds.attrs.get("feature", ""))
    places = np.flatnonzero(ds["peak_name"].values.astype(str) == wanted)
    found = []
    for j in places:
        label = item.label if places.size == 1 else f"{item.label} · {ds['spectrum_name'].values[j]}"
        area, low, high = (float(ds[n].values[j]) for n in ("area", "area_low", "area_high"))
        found.append((str(label), area, low, high))
    return found


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
        "xaxis": {"title": titled("Number of components / 1", items, style), "dtick": 1},
        "yaxis": {"title": {"text": "Indicator function / 1"}, "type": "log", "exponentformat": "power"},
    }
    return finish(traces, layout, style, "spectra.components")


def scans(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """The watched feature scan by scan."""
    traces = []
    for item, colour in zip(items, colours(items, style), strict=True):
        x, y = item.data["scan"].values, item.data["feature"].values
        traces.append(
            {"type": "scatter", "mode": "lines+markers", "x": x, "y": y, "name": legend(item.label, item), "marker": {"color": colour}}
        )
    layout = {
        "xaxis": {"title": titled("Scan / 1", items, style), "dtick": 1},
        "yaxis": {"title": {"text": "Height of the feature / 1"}},
    }
    return finish(traces, layout, style, "spectra.scans")
