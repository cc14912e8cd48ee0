"""Maps of edge energy by distance and depth, and isolated domains: as points and as a table."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SEQUENTIAL, Style
from analysis.cracks.figures_base import colours, legend, titled
from analysis.cracks.figures_profile import BEYOND, ENERGY, NONE, RELATIVE, definitions, middle, said
from analysis.cracks.sets import SetParams, Together, together
from analysis.drawing import Trace, finish, nothing, safe

if TYPE_CHECKING:
    import plotly.graph_objects as go

DIVERGING = "RdBu_r"
DISTANCE, DEPTH = "Distance from the nearest crack / µm", "Depth below the surface / µm"
GAP = 0.04  # of the width, between maps
KINDS = {"enclosed": "circle", "detached": "diamond-open"}
REACH = 98.0  # percentile of the absolute differences at which the colours end


class JointParams(SetParams):
    """Of what the map of distance and depth is drawn."""

    per: Literal["first", "groups"] = Field("first", title="A map of the first particle, or one for each group")


def joint(items: tuple[Labelled, ...], style: Style, params: JointParams) -> "go.Figure":
    """Mean edge energy by distance from a crack and depth below the surface."""
    if not items:
        return nothing(NONE, style)
    return _maps(items, style, params) if params.per == "groups" else _map(items[0], style)


def _map(item: Labelled, style: Style) -> "go.Figure":
    values = np.asarray(item.data["joint_mean"].values, float)
    x, y = (np.asarray(item.data[k].values, float) for k in ("distance", "depth"))
    bar = {"title": {"text": ENERGY, "side": "right"}, "thickness": 12, "tickformat": ".2f"}
    hover = "distance %{x:.3g} µm, depth %{y:.3g} µm: %{z:.3f} eV, n = %{customdata}<extra></extra>"
    counts = np.asarray(item.data["joint_count"].values)
    heat: Trace = {"type": "heatmap", "x": x, "y": y, "z": values, "colorscale": SEQUENTIAL, "colorbar": bar, "customdata": counts}
    note = f"{legend(item)}. Distance at equal depth: {said(item, 'adjusted_slope')}."
    layout = {
        "xaxis": {"title": titled(DISTANCE, [item], style, note, definitions([item]))},
        "yaxis": {"title": {"text": DEPTH}},
    }
    return finish([{**heat, "hovertemplate": hover}], layout, style, "joint")


def _maps(items: tuple[Labelled, ...], style: Style, params: JointParams) -> "go.Figure":
    """One map for each group in each state: the mean over particles of what a place differs by from the mean of its particle."""
    sets = together(items, params)
    grids = [_pooled(s) for s in sets]
    reaches = [(x[np.isfinite(z).any(axis=0)], y[np.isfinite(z).any(axis=1)]) for x, y, z, _ in grids]
    ends = [max((float(p[k][-1]) for p in reaches if p[k].size), default=1.0) for k in (0, 1)]
    every = np.concatenate([np.abs(z[np.isfinite(z)]) for _, _, z, _ in grids])
    reach = float(np.percentile(every, REACH)) if every.size else 1.0
    wide = (1 - GAP * (len(sets) - 1)) / len(sets)
    traces: list[Trace] = []
    layout: dict[str, Any] = {"yaxis": {"title": {"text": DEPTH}}, "annotations": []}
    for k, (one, (x, y, z, n)) in enumerate(zip(sets, grids, strict=True)):
        axis, left = str(k + 1) if k else "", k * (wide + GAP)
        heat: Trace = {"type": "heatmap", "x": x, "y": y, "z": z, "customdata": n, "xaxis": f"x{axis}", "yaxis": f"y{axis}"}
        hover = "distance %{x:.3g} µm, depth %{y:.3g} µm: %{z:+.3f} eV, %{customdata} particles"
        traces.append({**heat, "name": safe(one.name), "coloraxis": "coloraxis", "hovertemplate": hover})
        layout[f"xaxis{axis}"] = {"domain": [left, left + wide], "anchor": f"y{axis}", "range": [0, ends[0] * BEYOND]}
        layout[f"yaxis{axis}"] = {**layout.get(f"yaxis{axis}", {}), "anchor": f"x{axis}", "range": [0, ends[1] * BEYOND]}
        if k:
            layout[f"yaxis{axis}"] |= {"matches": "y", "showticklabels": False}
            layout[f"xaxis{axis}"]["matches"] = "x"
        head = {"text": f"<b>{safe(one.name)}</b><br>{one.count}", "x": left, "y": 1.0, "xref": "paper", "yref": "paper"}
        look = {"xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"size": 11, "color": style.color(one.group)}}
        layout["annotations"].append({**head, **look})
    note = "Mean over particles of a group in one state. Left out: places that fewer than half of them have."
    said_below = titled(DISTANCE, items, style, note, definitions(items), wide=True)["text"]
    layout["annotations"].append(
        {"text": said_below, "x": 0.5, "y": 0, "yshift": -20, "xref": "paper", "yref": "paper", "yanchor": "top", "showarrow": False}
    )
    bar = {"title": {"text": RELATIVE, "side": "right", "font": {"size": 10}}, "thickness": 10, "tickformat": "+.2f"}
    layout["coloraxis"] = {"colorscale": DIVERGING, "cmin": -reach, "cmax": reach, "cmid": 0, "colorbar": bar}
    return finish(traces, {**layout, "margin": {"l": 56, "r": 8, "t": 36, "b": 66}}, style, "joint groups")


def _pooled(one: Together) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distances, depths, mean difference and number of particles in each place; particles with other steps are left out."""
    step = max(2 * float(i.data["distance"].values[0]) for i in one.items)
    fitting = [i for i in one.items if abs(2 * float(i.data["distance"].values[0]) / step - 1) < 1e-3]
    shape = tuple(max(i.data.sizes[d] for i in fitting) for d in ("layer", "bin"))
    stack = np.full((len(fitting), *shape), np.nan)
    for k, item in enumerate(fitting):
        values = np.asarray(item.data["joint_mean"].values, float) - middle(item)
        stack[k, : values.shape[0], : values.shape[1]] = values
    known = np.isfinite(stack).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where((known > 0) & (2 * known >= len(fitting)), np.nansum(stack, axis=0) / known, np.nan)
    return (np.arange(shape[1]) + 0.5) * step, (np.arange(shape[0]) + 0.5) * step, mean, known


def isolated(items: tuple[Labelled, ...], style: Style, params: SetParams) -> "go.Figure":
    """Every isolated domain as a point: its volume and how its edge energy differs from the main body of its particle."""
    if not items:
        return nothing("No particle was searched for isolated domains yet.", style)
    found = [i for i in items if i.data.sizes["domain_row"]]
    if not found:
        return nothing("No domain is cut off.", style)
    with_energy = [i for i in found if "difference" in i.data]
    traces: list[Trace] = []
    for one in together(found, params):
        for kind, symbol in KINDS.items():
            traces += _points(one, kind, symbol, style, energies=bool(with_energy))
    traces.append({"type": "scatter", "mode": "markers", "x": [None], "y": [None], "showlegend": False})
    note = f"Filled: enclosed by cracks; hollow: detached at the surface. {_shares(items, params)}"
    y = "Difference to the main body / eV" if with_energy else "Part of the solid / %"
    layout: dict[str, Any] = {
        "xaxis": {"title": titled("Volume of the domain / µm³", items, style, note), "type": "log", "dtick": "D2"},
        "yaxis": {"title": {"text": y}, **({"zeroline": True, "zerolinecolor": style.muted} if with_energy else {"rangemode": "tozero"})},
    }
    return finish(traces, layout, style, f"isolated {bool(with_energy)}")


def _points(one: Together, kind: str, symbol: str, style: Style, *, energies: bool) -> list[Trace]:
    x: list[float] = []
    y: list[float] = []
    words: list[str] = []
    for item in one.items:
        ds = item.data
        if energies and "difference" not in ds:
            continue
        for k in np.flatnonzero(ds["kind"].values.astype(str) == kind):
            x.append(float(ds["volume"].values[k]))
            y.append(float(ds["difference"].values[k]) if energies else 100 * float(ds["fraction"].values[k]))
            words.append(f"{legend(item)}, domain {int(ds['domain'].values[k])}, {kind}")
    if not x:
        return []
    colour = style.color(one.group)
    charged = one.state in ("", "charged")
    base = symbol.replace("circle", "circle" if charged else "square")
    marker = {"color": colour, "size": 8, "symbol": base, "line": {"color": colour, "width": 1.4}, "opacity": 0.85}
    hover = "%{text}: %{x:.3g} µm³, %{y:+.3f} eV<extra></extra>" if energies else "%{text}: %{x:.3g} µm³, %{y:.2g} %<extra></extra>"
    name = f"{safe(one.name)}, {kind}, n = {len(x)}"
    return [{"type": "scatter", "mode": "markers", "x": x, "y": y, "text": words, "marker": marker, "hovertemplate": hover, "name": name}]


def _shares(items: tuple[Labelled, ...], params: SetParams) -> str:
    """Isolated part of the solid, mean over the particles of each group."""
    said_of = []
    for one in together(items, params, by_state=False):
        values = 100 * one.values("isolated_fraction")
        if np.isfinite(values).any():
            said_of.append(f"{one.group or 'no group'} {np.nanmean(values):.2g} % of the solid ({one.count})")
    return f"Isolated: {'; '.join(said_of)}." if said_of else ""


def listed(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Isolated domains as a table: volume, contact, kind, edge energy and difference to the main body."""
    heads = ["Particle", "Domain", "Volume / µm³", "Of the solid / %", "Contact / µm²", "Kind", "Edge energy / eV", "Difference / eV"]
    table_rows: list[list[str]] = []
    for item, _ in zip(items, colours(items, style), strict=True):
        ds = item.data
        energy = "edge_energy" in ds
        for k in range(ds.sizes["domain_row"]):
            shown = [f"{ds[n].values[k]:.3f}" if energy and np.isfinite(ds[n].values[k]) else "–" for n in ("edge_energy", "difference")]
            sizes = [f"{ds['volume'].values[k]:.3g}", f"{100 * ds['fraction'].values[k]:.3g}", f"{ds['contact'].values[k]:.3g}"]
            table_rows.append([legend(item), str(int(ds["domain"].values[k])), *sizes, safe(str(ds["kind"].values[k])), *shown])
    if not table_rows:
        return nothing("No domain is cut off.", style)
    look = {"fill": {"color": "rgba(0,0,0,0)"}, "line": {"color": style.grid}, "font": {"color": style.ink}}
    table: Trace = {
        "type": "table",
        "header": {"values": heads, "align": "left", **look},
        "cells": {
            "values": [list(c) for c in zip(*table_rows, strict=True)],
            "align": ["left", *["right"] * 4, "left", "right", "right"],
            **look,
        },
    }
    return finish([table], {"margin": {"l": 4, "r": 4, "t": 4, "b": 4}}, style, "isolated table")
