"""Chemistry against cracks: profiles by distance, of groups and of single particles."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.numerics.statistics import mean_interval
from analysis.core.registry import Labelled
from analysis.core.style import DASHES, Style
from analysis.cracks.figures_base import colours, faded, legend, scalar, titled
from analysis.cracks.sets import Rows, SetParams, Together, rows, together
from analysis.drawing import Trace, finish, nothing, safe
from analysis.schemas import DEFINITIONS

if TYPE_CHECKING:
    import plotly.graph_objects as go

ENERGY = "Edge energy / eV"
RELATIVE = "E − particle mean / eV"
BEYOND = 1.06  # of the axis, of the last place where half of the particles have a value
STROKES = {"solid": "━━", "dash": "╍╍", "dot": "┅┅"}  # beside names, in the place of a legend
NONE = "No particle has both cracks and an edge map."
AXES = {
    "crack": ("distance", "", "slope", "Distance from the nearest crack / µm"),
    "normalised": ("fraction", "part_", "slope", "Distance from the nearest crack over its maximum"),
    "surface": ("depth", "depth_", "depth_slope", "Depth below the surface / µm"),
}


class ProfileParams(SetParams):
    """Against what the edge energy is drawn."""

    against: Literal["crack", "normalised", "surface"] = Field("normalised", title="Against")
    per: Literal["particles", "groups"] = Field("particles", title="A curve for each")
    relative: bool = Field(False, title="Less the mean of the particle")
    quartiles: bool = Field(True, title="Quartiles as a band")
    counts: bool = Field(False, title="Voxels of each bin below the curve")


def profile(items: tuple[Labelled, ...], style: Style, params: ProfileParams) -> "go.Figure":
    """Mean edge energy with quartiles by distance; slopes with their intervals stand beside the names, of groups below the axis."""
    if not items:
        return nothing(NONE, style)
    *_, slope, title = AXES[params.against]
    traces: list[Trace] = []
    marked: list[str] = []
    furthest = None
    if params.per == "groups":
        sets = together(items, params)
        states = list(dict.fromkeys(s.state for s in sets))
        dashes = [DASHES[states.index(s.state) % len(DASHES)] for s in sets]
        for one, dash in zip(sets, dashes, strict=True):
            traces += _set_curve(one, style, dash, params)
            furthest = max(furthest or 0.0, float(np.max(traces[-1]["x"], initial=0.0)))
        lines = [_slope_line(s, slope, style, d) for s, d in zip(sets, dashes, strict=True)]
        marked = ["Slopes / eV/µm: mean over n particles [95 %]", *lines]
        note = "Thick: mean over particles, thin: each, band: mean of their quartiles."
    else:
        for item, colour in zip(items, colours(items, style), strict=True):
            traces += _curve(item, colour, params)
        note = "Line: mean. Band: quartiles of the voxels. Slopes in eV/µm with 95 % intervals by blocks of space."
    layout: dict[str, Any] = {
        "xaxis": {"title": titled(title, items, style, note, definitions(items), marked=marked), "rangemode": "tozero"},
        "yaxis": {"title": {"text": RELATIVE if params.relative else ENERGY}, "tickformat": ".2f"},
        "showlegend": params.per != "groups",
    }
    if furthest:
        layout["xaxis"]["range"] = [0, furthest * BEYOND]
    if params.counts:
        layout["yaxis"]["domain"] = [0.28, 1]
        layout["yaxis2"] = {"title": {"text": "Voxels"}, "domain": [0, 0.2], "rangemode": "tozero"}
        layout["xaxis"]["anchor"] = "y2"
    return finish(traces, layout, style, f"profile {params.against} {params.relative}")


# -- single particles ----------------------------------------------------------------------------------------------------------


def _curve(item: Labelled, colour: str, params: ProfileParams) -> list[Trace]:
    place, prefix, slope, _ = AXES[params.against]
    own = {k: np.asarray(item.data[f"{prefix}{k}"].values, float) for k in ("mean", "median", "lower", "upper", "count")}
    less = middle(item) if params.relative else 0.0
    x, shown = np.asarray(item.data[place].values, float), np.isfinite(own["mean"])
    name = f"{legend(item)}: {said(item, slope)}"
    shared = {"type": "scatter", "legendgroup": item.key or item.label}
    words = [f"median {m:.3f} eV, n = {int(n)}" for m, n in zip(own["median"][shown], own["count"][shown], strict=True)]
    line: Trace = {**shared, "mode": "lines+markers", "x": x[shown], "y": own["mean"][shown] - less, "name": name, "text": words}
    line |= {"line": {"color": colour, "width": 2}, "marker": {"size": 4}, "hovertemplate": "%{x:.3g}: %{y:.3f} eV, %{text}"}
    traces = [line]
    if params.quartiles and shown.any():
        traces.insert(0, {**shared, **_band(x[shown], own["lower"][shown] - less, own["upper"][shown] - less, colour)})
    if params.counts:
        bars = {"type": "bar", "yaxis": "y2", "marker": {"color": colour, "opacity": 0.6}, "showlegend": False}
        traces.append({**bars, "x": x[shown], "y": own["count"][shown], "legendgroup": shared["legendgroup"]})
    return traces


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> Trace:
    fill = {"fill": "toself", "fillcolor": faded(colour, 0.15), "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return {"type": "scatter", "mode": "lines", "x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]]), **fill}


def middle(item: Labelled) -> float:
    """Mean edge energy of all voxels of a particle that count."""
    mean, count = (np.asarray(item.data[n].values, float) for n in ("part_mean", "part_count"))
    known = np.isfinite(mean)
    return float(np.sum(mean[known] * count[known]) / np.sum(count[known])) if known.any() else float("nan")


def said(item: Labelled, name: str) -> str:
    """The slope in words: value, interval, voxels."""
    found = scalar(item, name)
    if found is None:
        return "no slope"
    interval = f" [{found.low:.3g}, {found.high:.3g}]" if found.low is not None and found.high is not None else " (no interval)"
    return f"{found.value:.3g}{interval} eV/µm, n = {found.n} {'particles' if found.of == 'particles' else 'voxels'}"


def definitions(items: Sequence[Labelled]) -> str:
    """What the edge energies mean."""
    given = {str(i.data.attrs.get("definition", "")) for i in items}
    found = {DEFINITIONS.get(g, g) for g in given}
    if len(found) > 1:
        return "Edge energies of several definitions: not comparable."
    return f"Edge energy: {next(iter(found))}." if found != {""} else ""


# -- groups --------------------------------------------------------------------------------------------------------------------


def _set_curve(one: Together, style: Style, dash: str, params: ProfileParams) -> list[Trace]:
    place, prefix, slope, _ = AXES[params.against]
    colour = style.color(one.group)
    less = np.array([middle(i) for i in one.items])[:, None] if params.relative else 0.0
    mean, low, high = (_moved(rows(one.items, place, f"{prefix}{k}"), less) for k in ("mean", "lower", "upper"))
    shared = {"type": "scatter", "legendgroup": one.name, "mode": "lines"}
    traces: list[Trace] = []
    shown = np.isfinite(mean.mean())
    if params.quartiles and shown.any():
        traces.append({**shared, **_band(mean.x[shown], low.mean()[shown], high.mean()[shown], colour)})
    for item, y in zip(one.items, mean.y, strict=True) if len(one.items) > 1 else ():
        thin = {"line": {"color": faded(colour, 0.45), "width": 1, "dash": dash}, "showlegend": False}
        hover = f"{safe(item.label)}: {said(item, slope)}<extra></extra>"
        traces.append({**shared, **thin, "x": mean.x, "y": y, "hovertemplate": hover})
    words = [f"n = {k} of {len(one.items)} particles" for k in mean.known[shown]]
    thick: Trace = {**shared, "x": mean.x[shown], "y": mean.mean()[shown], "text": words, "name": safe(one.name)}
    thick |= {"line": {"color": colour, "width": 2.6, "dash": dash}, "hovertemplate": "%{x:.3g}: %{y:.3f} eV, %{text}<extra></extra>"}
    return [*traces, thick]


def _moved(found: Rows, less: "np.ndarray | float") -> Rows:
    return Rows(found.x, found.y - less)


def _slope_line(one: Together, name: str, style: Style, dash: str) -> str:
    """Mean slope of a set over its particles, with its interval and what it is over."""
    found = mean_interval(one.values(name))
    interval = f" [{found.low:.2g}, {found.high:.2g}]" if np.isfinite(found.low) else ""
    missing = f" ({found.n} with a slope)" if 0 < found.n < len(one.items) else ""
    told = f"{found.value:.2g}{interval}" if found.n else "none"
    named = f'<span style="color:{style.color(one.group)}">{STROKES.get(dash, STROKES["dot"])} {safe(one.name)}</span>'
    return f"{named} {told.replace('-', '−')}, {one.short_count}{missing}"
