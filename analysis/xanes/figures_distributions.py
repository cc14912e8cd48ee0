"""Histograms of edge energy: of single particles, and of each group in each state with every particle weighing the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import scalars
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.core.tables import column_name
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish
from analysis.xanes.figures_base import (
    NOTE_PX,
    STATES,
    WIDE_NOTE,
    heading,
    legend,
    number_format,
    one_of,
    plural,
    short_name,
    state_of,
    titled,
    unit_of,
    value_axis,
)

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

NO_PARTICLES = "No distribution to show. Choose particles whose edge energies are mapped."
BESIDE = 0.74  # of the width: the panels, where numbers stand to their right
FEW = 2  # histograms in a panel that are filled, with their curves and numbers; more are lines
HEIGHTS = {"density": "Density", "fraction": "Fraction of the volume"}


class HistogramParams(Params):
    """What a histogram shows besides its bars."""

    per: Literal["particles", "pooled"] = Field("particles", title="Histograms of single particles, or of each group in each state")
    height: Literal["density", "fraction"] = Field("density", title="Height of the bars")
    curves: Literal["none", "gaussian", "mixture", "both"] = Field("both", title="Curves: Gaussian of the same mean and width, mixture")
    low: float | None = Field(None, title="Shown from")
    high: float | None = Field(None, title="Shown to")
    brush: tuple[float, float] | None = Field(None, title="Marked range")


@dataclass(frozen=True)
class Bars:
    """One histogram: of a particle, or of a group in a state."""

    name: str
    group: str
    state: str
    id: str
    origins: tuple[str, ...]
    energy: np.ndarray
    heights: np.ndarray
    gaussian: np.ndarray
    mixture: np.ndarray
    numbers: str
    count: str


def histogram(items: tuple[Labelled, ...], style: Style, params: HistogramParams) -> "go.Figure":
    """Histograms on common bins: a panel for each state, the colour of the group, with curves and numbers while they are few."""
    single = tuple(i for i in items if i.data.attrs.get("schema") == "xanes.distribution" and i.data.sizes.get("bin", 0))
    together = tuple(i for i in items if i.data.attrs.get("schema") == "xanes.pooled")
    shown = together if params.per == "pooled" else single
    if not shown:
        return nothing(NO_PARTICLES, style)
    for name in ("definition", "dimensionality", "bin_width", "quantity"):
        one_of(shown, name)
    bars = (
        [b for i in together for b in _of_sets(i, single, params)] if params.per == "pooled" else [_of_particle(i, params) for i in single]
    )
    found = {b.state for b in bars}
    states = [s for s in reversed(STATES) if s in found] + sorted(found - set(STATES))
    traces: list[Trace] = []
    for row, state in enumerate(states):
        beside = [b for b in bars if b.state == state]
        traces += [t for b in beside for t in _drawn(b, row, len(beside) <= FEW, shown[0].data, style, params)]
    return finish(_with_legend(traces, bars), _layout(shown, bars, states, style, params), style, f"histogram {params.height}")


def histogram_table(items: Sequence[Labelled], params: HistogramParams) -> "pd.DataFrame":
    """Every bin of what is drawn: of single particles, or of each group in each state."""
    import pandas as pd

    parts = []
    for item in items:
        ds, kind = item.data, item.data.attrs.get("schema")
        if kind != ("xanes.pooled" if params.per == "pooled" else "xanes.distribution"):
            continue
        of_bin = {str(n): v for n, v in ds.data_vars.items() if "bin" in v.dims}
        for k in range(ds.sizes.get("set", 1)):
            about = {"group": item.group, "particle": short_name(item), "state": state_of(item)}
            if kind == "xanes.pooled":
                about = {"group": str(ds["set_group"].values[k]), "particle": "all", "state": str(ds["set_state"].values[k])}
            columns = {column_name(n, str(v.attrs["units"])): v.values[k] if v.ndim == 2 else v.values for n, v in of_bin.items()}
            parts.append(pd.DataFrame({**about, "origin": item.origin, "key": item.key, **columns}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "particle", "state", "origin", "key"])


def _of_particle(item: Labelled, params: HistogramParams) -> Bars:
    ds, found = item.data, scalars(item.data)
    scale = float(ds.attrs["bin_width"]) if params.height == "fraction" else 1.0
    names: tuple[str, ...] = ("median", "skewness", "dip", "n_valid")
    numbers = {n: float(v) for n in names if n in found and isinstance(v := found[n].value, int | float)}
    parts = len(ds.attrs["distribution"]["parts"])
    return Bars(
        short_name(item),
        item.group,
        state_of(item),
        item.id,
        (item.origin,),
        ds["energy"].values,
        ds[params.height].values,
        scale * ds["gaussian"].values,
        scale * ds["mixture"].values,
        _numbers(ds, numbers, parts),
        plural(int(numbers.get("n_valid", 0)), "voxel"),
    )


def _of_sets(item: Labelled, particles: Sequence[Labelled], params: HistogramParams) -> list[Bars]:
    """Each group in each state; where its particles are given too, they say whether they are synthetic."""
    ds, made = item.data, []
    scale = float(ds.attrs["bin_width"]) if params.height == "fraction" else 1.0
    for k, (group, state) in enumerate(zip(ds["set_group"].values.astype(str), ds["set_state"].values.astype(str), strict=True)):
        numbers = {n: float(ds[n][k]) for n in ("median", "skewness", "dip")}
        origins = tuple(p.origin for p in particles if p.group == group and state_of(p) == state) or (item.origin,)
        n, voxels = int(ds["n_particles"][k]), int(ds["n_voxels"][k])
        heights, gaussian, mixture = ds[params.height].values[k], scale * ds["gaussian"].values[k], scale * ds["mixture"].values[k]
        text = _numbers(ds, numbers, len(ds.attrs["parts"][k]))
        count = f"{plural(n, 'particle')}, {plural(voxels, 'voxel')}"
        made.append(Bars(str(group), str(group), str(state), "", origins, ds["energy"].values, heights, gaussian, mixture, text, count))
    return made


def _numbers(ds: xr.Dataset, numbers: dict[str, float], parts: int) -> str:
    """Median, skewness, dip and the mixture's size as words."""
    words = [f"median {numbers['median']:{number_format(ds)}}{unit_of(ds)}"] if "median" in numbers else []
    words += [f"skew {numbers['skewness']:+.2f}"] if "skewness" in numbers else []
    words += [f"dip {numbers['dip']:.3f}"] if "dip" in numbers else []
    return ", ".join([*words, f"mixture of {parts}"]).replace("-", "\u2212")


def _drawn(bars: Bars, row: int, few: bool, ds: xr.Dataset, style: Style, params: HistogramParams) -> list[Trace]:
    """The histogram as steps and, while few are in the panel, filled and with its reference curves."""
    width, colour = float(ds.attrs["bin_width"]), style.color(bars.group)
    x, y = bars.energy, bars.heights
    axes: Trace = {"xaxis": "x", "yaxis": f"y{row + 1}" if row else "y", "legendgroup": bars.group or bars.name}
    axes |= {"meta": {"id": bars.id}} if bars.id else {}
    at = f"%{{x:{number_format(ds)}}}{unit_of(ds)}: %{{y:.3g}}"
    title = safe(" ".join(w for w in (bars.name, bars.state) if w))
    trace: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([[x[0] - width], x, [x[-1] + width]]),
        "y": np.concatenate([[0.0], y, [0.0]]),
        "line": {"color": colour, "width": 1.4 if few else 1.0, "shape": "hvh"},
        "name": bars.name,
        "hovertemplate": f"<b>{title}</b><br>{at}<br>{safe(bars.numbers)}<br>{bars.count}<extra></extra>",
        "showlegend": True,
    }
    if few:
        trace |= {"fill": "tozeroy", "fillcolor": style.fill(bars.group) if bars.group in style.groups else "rgba(128,128,128,0.18)"}
    made = [{**trace, **axes}]
    for name, values, dash in (("gaussian", bars.gaussian, "dot"), ("mixture", bars.mixture, "dash")):
        if few and params.curves in (name, "both"):
            made.append({**_curve(x, values, name, colour, dash), **axes})
    return made


def _curve(x: np.ndarray, y: np.ndarray, name: str, colour: str, dash: str) -> Trace:
    line = {"color": colour, "width": 1.6, "dash": dash, "shape": "spline"}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line, "name": name, "hoverinfo": "skip", "showlegend": False}


def _with_legend(traces: Sequence[Trace], bars: Sequence[Bars]) -> list[Trace]:
    """Legend entries: single particles while they are few, else one for each group with its count."""
    entries = {b.group or b.name: [o for c in bars if (c.group or c.name) == (b.group or b.name) for o in c.origins] for b in bars}
    particles = {b.id for b in bars if b.id}
    few = 0 < len(particles) <= 2 * FEW
    seen: set[str] = set()
    made = []
    for trace in traces:
        entry = trace["legendgroup"]
        if not trace["showlegend"]:
            made.append(trace)
            continue
        if few:
            origins = next(b.origins for b in bars if b.id == trace["meta"]["id"])
            made.append({**trace, "name": legend(trace["name"], origins)})
            continue
        named = legend(f"{entry}, {plural(len(entries[entry]), 'particle')}", entries[entry])
        made.append({**trace, "name": named, "showlegend": entry not in seen})
        seen.add(entry)
    return made


def _layout(
    items: Sequence[Labelled], bars: Sequence[Bars], states: Sequence[str], style: Style, params: HistogramParams
) -> dict[str, Any]:
    """Panels above one another on one energy axis, the range that is marked, numbers beside, notes below."""
    ds, rows = items[0].data, len(states)
    unit = "eV⁻¹" if params.height == "density" and not ds.attrs.get("quantity") else "1"
    shown = {"range": [params.low, params.high]} if params.low is not None and params.high is not None else {}
    title = titled(value_axis(ds), _origins(items, bars), _notes(ds, bars, states, params), style, length=WIDE_NOTE)
    beside = _with_numbers(bars, states)
    across = {"domain": [0, BESIDE]} if beside else {}
    layout: dict[str, Any] = {
        "xaxis": {"title": title, "anchor": "y" if rows == 1 else f"y{rows}", "tickformat": ".2~f", **across, **shown},
        "annotations": [_upright(f"{HEIGHTS[params.height]} / {unit}")],
        "dragmode": "select",
        "selectdirection": "h",
        "selectionrevision": str(params.brush),
        "shapes": _brush(params.brush, style),
    }
    for row, state in enumerate(states):
        top, bottom = 1 - row / rows - (0.02 if row else 0), 1 - (row + 1) / rows + (0.02 if row + 1 < rows else 0)
        layout[f"yaxis{row + 1 if row else ''}"] = {"domain": [bottom, top], "rangemode": "tozero", "nticks": 5}
        if state:
            layout["annotations"].append(heading(state, 0, top, style))
        layout["annotations"] += _beside([b for b in bars if b.state == state], top, style) if beside else []
    return layout


def _upright(title: str) -> dict[str, Any]:
    """One title for the axes of all panels."""
    place = {"x": 0, "xref": "paper", "xanchor": "right", "xshift": -34, "y": 0.5, "yref": "paper", "yanchor": "middle"}
    return {"text": title, "textangle": -90, "showarrow": False, **place}


def _origins(items: Sequence[Labelled], bars: Sequence[Bars]) -> list[Labelled]:
    """The items with the origins of what is drawn of them, for the note below."""
    return [replace(items[0], origin=o) for b in bars for o in b.origins]


def _notes(ds: xr.Dataset, bars: Sequence[Bars], states: Sequence[str], params: HistogramParams) -> list[str]:
    notes = [f"Bins of {ds.attrs['bin_width']:g}{unit_of(ds)}."]
    if params.per == "pooled":
        notes.append("Every particle weighs the same.")
    drawn = any(sum(b.state == s for b in bars) <= FEW for s in states)
    if drawn and params.curves != "none":
        words = {"gaussian": "Dotted: Gaussian of the same mean and width.", "mixture": "Dashed: Gaussian mixture."}
        notes += [text for name, text in words.items() if params.curves in (name, "both")]
    return notes


def _beside(bars: Sequence[Bars], top: float, style: Style) -> list[dict[str, Any]]:
    """The numbers of few histograms to the right of their panel, in their colours."""
    if not bars:
        return []
    lines = [f'<span style="color:{style.color(b.group)}">{"<br>".join(map(safe, b.numbers.split(", ", 1)))}</span>' for b in bars]
    place = {"x": BESIDE, "xref": "paper", "xanchor": "left", "xshift": 8, "y": top, "yref": "paper", "yanchor": "top"}
    return [{"text": "<br>".join(lines), "showarrow": False, "align": "left", "font": {"size": NOTE_PX[style.size]}, **place}]


def _with_numbers(bars: Sequence[Bars], states: Sequence[str]) -> bool:
    """Whether all panels hold few histograms."""
    return all(sum(b.state == s for b in bars) <= FEW for s in states)


def _brush(brush: tuple[float, float] | None, style: Style) -> list[dict[str, Any]]:
    if brush is None:
        return []
    place = {"type": "rect", "xref": "x", "yref": "paper", "x0": brush[0], "x1": brush[1], "y0": 0, "y1": 1}
    return [{**place, "fillcolor": style.muted, "opacity": 0.18, "line": {"width": 0}, "layer": "below"}]
