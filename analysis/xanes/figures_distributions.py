"""Histograms of edge energy: of single particles, and of each group in each state with every particle weighing the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.data import scalars
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.xanes.figures_base import (
    Trace,
    finish,
    groups_of,
    heading,
    legend,
    nothing,
    number_format,
    one_of,
    plural,
    safe,
    short_name,
    state_of,
    states_of,
    titled,
    unit_of,
    value_axis,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

NO_PARTICLES = "No distribution to show. Choose particles whose edge energies are mapped."
FILLED = 2  # so many particles or groups in a panel have their histograms filled; more are lines
HEIGHTS = {"density": "Density", "fraction": "Fraction of the volume"}


class HistogramParams(Params):
    """What a histogram shows besides its bars."""

    height: Literal["density", "fraction"] = Field("density", title="Height of the bars")
    curves: Literal["none", "gaussian", "mixture", "both"] = Field("both", title="Curves: Gaussian of the same mean and width, mixture")
    low: float | None = Field(None, title="Shown from")
    high: float | None = Field(None, title="Shown to")
    brush: tuple[float, float] | None = Field(None, title="Marked range")


def histogram(items: tuple[Labelled, ...], style: Style, params: HistogramParams) -> "go.Figure":
    """Histograms on common bins: a panel for each state, the colour of the group, with reference curves while they are few."""
    shown = tuple(i for i in items if i.data.attrs.get("schema") == "xanes.distribution" and i.data.sizes.get("bin", 0))
    if not shown:
        return nothing(NO_PARTICLES, style)
    for name in ("definition", "dimensionality", "bin_width", "quantity"):
        one_of(shown, name)
    states = states_of(shown)
    traces: list[Trace] = []
    for row, state in enumerate(states):
        of_state = [i for i in shown if state_of(i) == state]
        traces += [t for item in of_state for t in _bars(item, row, len(of_state), style, params)]
    return finish(_once_a_group(traces, shown), _layout(shown, states, style, params), style, f"histogram {params.height}")


def _bars(item: Labelled, row: int, beside: int, style: Style, params: HistogramParams) -> list[Trace]:
    """One particle's histogram as steps, its median as a line, and its reference curves while few are in the panel."""
    ds, few = item.data, beside <= FILLED
    x, y = ds["energy"].values, ds[params.height].values
    width, colour = float(ds.attrs["bin_width"]), style.color(item.group)
    axes = {"xaxis": "x", "yaxis": f"y{row + 1}" if row else "y", "meta": {"id": item.id}, "legendgroup": item.group or item.label}
    unit, form = unit_of(ds), number_format(ds)
    count = f"%{{x:{form}}}{unit}: %{{y:.3g}}"
    bars = {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([[x[0] - width], x, [x[-1] + width]]),
        "y": np.concatenate([[0.0], y, [0.0]]),
        "line": {"color": colour, "width": 1.4 if few else 1.0, "shape": "hvh"},
        "name": legend(short_name(item), [item.origin]),
        "hovertemplate": f"<b>{safe(item.label)}</b><br>{count}<br>{safe(_facts(item))}<extra></extra>",
    }
    if few:
        bars |= {"fill": "tozeroy", "fillcolor": style.fill(item.group) if item.group in style.groups else "rgba(128,128,128,0.18)"}
    made = [{**bars, **axes}]
    scale = width if params.height == "fraction" else 1.0
    for name, title, dash in (("gaussian", "Gaussian", "dot"), ("mixture", "mixture", "dash")):
        if few and params.curves in (name, "both"):
            made.append(_curve(x, scale * ds[name].values, f"{short_name(item)} {title}", colour, dash) | axes)
    return made


def _curve(x: np.ndarray, y: np.ndarray, name: str, colour: str, dash: str) -> Trace:
    line = {"color": colour, "width": 1.4, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "name": safe(name), "hoverinfo": "skip", "showlegend": False}


def _facts(item: Labelled) -> str:
    found, unit, form = scalars(item.data), unit_of(item.data), number_format(item.data)
    median, n = found["median"].value, found["n_valid"].value
    return f"median {median:{form}}{unit}, {plural(int(n or 0), 'voxel')}"


def _once_a_group(traces: Sequence[Trace], items: Sequence[Labelled]) -> list[Trace]:
    """Legend entries: single particles while they are few, else one for each group with its count."""
    few = len(items) <= 2 * FILLED
    counts = {g or "no group": sum(i.group == g for i in items) for g in groups_of(items)}
    origins = {g or "no group": [i.origin for i in items if i.group == g] for g in groups_of(items)}
    seen: set[str] = set()
    made = []
    for trace in traces:
        group = trace["legendgroup"]
        shown = trace.get("showlegend", True) and (few or group not in seen)
        own = {} if few or not shown else {"name": legend(f"{group}, {plural(counts.get(group, 1), 'particle')}", origins.get(group, []))}
        seen.add(group)
        made.append({**trace, **own, "showlegend": shown})
    return made


def _layout(items: Sequence[Labelled], states: Sequence[str], style: Style, params: HistogramParams) -> dict[str, Any]:
    """Panels above one another on one energy axis, the range that is marked, notes below."""
    ds, rows = items[0].data, len(states)
    unit = "1/eV" if params.height == "density" and not ds.attrs.get("quantity") else "1"
    notes = [f"Bins of {ds.attrs['bin_width']:g}{unit_of(ds)}."]
    shown = {"range": [params.low, params.high]} if params.low is not None and params.high is not None else {}
    layout: dict[str, Any] = {
        "xaxis": {
            "title": titled(value_axis(ds), items, notes, style),
            "anchor": "y" if rows == 1 else f"y{rows}",
            "tickformat": ".2~f",
            **shown,
        },
        "annotations": [],
        "dragmode": "select",
        "selectdirection": "h",
        "shapes": _brush(params.brush, style),
    }
    for row, state in enumerate(states):
        top, bottom = 1 - row / rows - (0.02 if row else 0), 1 - (row + 1) / rows + (0.02 if row + 1 < rows else 0)
        axis = {"domain": [bottom, top], "rangemode": "tozero", "title": {"text": f"{HEIGHTS[params.height]} / {unit}"}}
        layout[f"yaxis{row + 1 if row else ''}"] = axis
        if state:
            layout["annotations"].append(heading(state, 0, top, style))
    return layout


def _brush(brush: tuple[float, float] | None, style: Style) -> list[dict[str, Any]]:
    if brush is None:
        return []
    place = {"type": "rect", "xref": "x", "yref": "paper", "x0": brush[0], "x1": brush[1], "y0": 0, "y1": 1}
    return [{**place, "fillcolor": style.muted, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}]
