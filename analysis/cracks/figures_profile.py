"""Chemistry against cracks: profiles by distance, the map of distance and depth, isolated domains."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SEQUENTIAL, Style
from analysis.cracks.figures_base import Trace, colours, faded, finish, legend, nothing, safe, scalar, titled
from analysis.schemas import DEFINITIONS

if TYPE_CHECKING:
    import plotly.graph_objects as go

ENERGY = "Edge energy / eV"
AXES = {
    "crack": ("distance", "", "slope", "Distance from the nearest crack / µm"),
    "normalised": ("fraction", "part_", "slope", "Distance from the nearest crack over its maximum"),
    "surface": ("depth", "depth_", "depth_slope", "Depth below the surface / µm"),
}


class ProfileParams(Params):
    """Against what the edge energy is drawn."""

    against: Literal["crack", "normalised", "surface"] = Field("normalised", title="Against")
    quartiles: bool = Field(True, title="Quartiles as a band")
    counts: bool = Field(False, title="Voxels of each bin below the curve")


def profile(items: tuple[Labelled, ...], style: Style, params: ProfileParams) -> "go.Figure":
    """Mean edge energy with quartiles by distance; the slope with its interval stands beside each name."""
    place, prefix, slope, title = AXES[params.against]
    traces: list[Trace] = []
    for item, colour in zip(items, colours(items, style), strict=True):
        traces += _curve(item, colour, place, prefix, slope, params)
    note = "Line: mean. Band: quartiles of the voxels. Slopes in eV/µm with 95 % intervals by blocks of space."
    layout: dict[str, Any] = {
        "xaxis": {"title": titled(title, items, style, note, _definitions(items)), "rangemode": "tozero"},
        "yaxis": {"title": {"text": ENERGY}, "tickformat": ".2f"},
    }
    if params.counts:
        layout["yaxis"]["domain"] = [0.28, 1]
        layout["yaxis2"] = {"title": {"text": "Voxels"}, "domain": [0, 0.2], "rangemode": "tozero"}
        layout["xaxis"]["anchor"] = "y2"
    return finish(traces, layout, style, f"profile {params.against}")


def _curve(item: Labelled, colour: str, place: str, prefix: str, slope: str, params: ProfileParams) -> list[Trace]:
    own = {k: np.asarray(item.data[f"{prefix}{k}"].values, float) for k in ("mean", "median", "lower", "upper", "count")}
    x, shown = np.asarray(item.data[place].values, float), np.isfinite(own["mean"])
    name = f"{legend(item)}: {_said(item, slope)}"
    shared = {"type": "scatter", "legendgroup": item.key or item.label}
    words = [f"median {m:.3f} eV, n = {int(n)}" for m, n in zip(own["median"][shown], own["count"][shown], strict=True)]
    line: Trace = {**shared, "mode": "lines+markers", "x": x[shown], "y": own["mean"][shown], "name": name, "text": words}
    line |= {"line": {"color": colour, "width": 2}, "marker": {"size": 4}, "hovertemplate": "%{x:.3g}: %{y:.3f} eV, %{text}"}
    traces = [line]
    if params.quartiles and shown.any():
        around = np.concatenate([x[shown], x[shown][::-1]])
        band = np.concatenate([own["upper"][shown], own["lower"][shown][::-1]])
        fill = {"fill": "toself", "fillcolor": faded(colour, 0.15), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        traces.insert(0, {**shared, "mode": "lines", "x": around, "y": band, **fill})
    if params.counts:
        bars = {"type": "bar", "yaxis": "y2", "marker": {"color": colour, "opacity": 0.6}, "showlegend": False}
        traces.append({**bars, "x": x[shown], "y": own["count"][shown], "legendgroup": shared["legendgroup"]})
    return traces


def _said(item: Labelled, name: str) -> str:
    """The slope in words: value, interval, voxels."""
    found = scalar(item, name)
    if found is None:
        return "no slope"
    interval = f" [{found.low:.3g}, {found.high:.3g}]" if found.low is not None and found.high is not None else " (no interval)"
    return f"{found.value:.3g}{interval} eV/µm, n = {found.n} {'particles' if found.of == 'particles' else 'voxels'}"


def _definitions(items: tuple[Labelled, ...]) -> str:
    given = {str(i.data.attrs.get("definition", "")) for i in items}
    found = {DEFINITIONS.get(g, g) for g in given}
    if len(found) > 1:
        return "Edge energies of several definitions: not comparable."
    return f"Edge energy: {next(iter(found))}." if found != {""} else ""


def joint(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Mean edge energy by distance from a crack and depth below the surface, of the first item."""
    if not items:
        return nothing("No profile is chosen.", style)
    item = items[0]
    values = np.asarray(item.data["joint_mean"].values, float)
    x, y = (np.asarray(item.data[k].values, float) for k in ("distance", "depth"))
    bar = {"title": {"text": ENERGY, "side": "right"}, "thickness": 12, "tickformat": ".2f"}
    hover = "distance %{x:.3g} µm, depth %{y:.3g} µm: %{z:.3f} eV, n = %{customdata}<extra></extra>"
    counts = np.asarray(item.data["joint_count"].values)
    heat: Trace = {"type": "heatmap", "x": x, "y": y, "z": values, "colorscale": SEQUENTIAL, "colorbar": bar, "customdata": counts}
    note = f"{legend(item)}. Distance at equal depth: {_said(item, 'adjusted_slope')}."
    layout = {
        "xaxis": {"title": titled("Distance from the nearest crack / µm", items[:1], style, note, _definitions(items[:1]))},
        "yaxis": {"title": {"text": "Depth below the surface / µm"}},
    }
    return finish([{**heat, "hovertemplate": hover}], layout, style, "joint")


def isolated(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Isolated domains as a table: volume, contact, kind, edge energy and difference to the main body."""
    heads = ["Particle", "Domain", "Volume / µm³", "Of the solid / %", "Contact / µm²", "Kind", "Edge energy / eV", "Difference / eV"]
    rows: list[list[str]] = []
    for item in items:
        ds = item.data
        energy = "edge_energy" in ds
        for k in range(ds.sizes["domain_row"]):
            shown = [f"{ds[n].values[k]:.3f}" if energy and np.isfinite(ds[n].values[k]) else "–" for n in ("edge_energy", "difference")]
            sizes = [f"{ds['volume'].values[k]:.3g}", f"{100 * ds['fraction'].values[k]:.3g}", f"{ds['contact'].values[k]:.3g}"]
            rows.append([legend(item), str(int(ds["domain"].values[k])), *sizes, safe(str(ds["kind"].values[k])), *shown])
    if not rows:
        return nothing("No domain is cut off.", style)
    look = {"fill": {"color": "rgba(0,0,0,0)"}, "line": {"color": style.grid}, "font": {"color": style.ink}}
    table: Trace = {
        "type": "table",
        "header": {"values": heads, "align": "left", **look},
        "cells": {
            "values": [list(c) for c in zip(*rows, strict=True)],
            "align": ["left", *["right"] * 4, "left", "right", "right"],
            **look,
        },
    }
    return finish([table], {"margin": {"l": 4, "r": 4, "t": 4, "b": 4}}, style, "isolated")
