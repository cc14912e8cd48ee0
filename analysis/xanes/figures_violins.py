"""Violins of charge against discharge, and what they come to: differences between particles with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, scalars
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.core.tables import column_name
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish
from analysis.xanes.figures_base import (
    NARROW_NOTE,
    NOTE_PX,
    STATES,
    WIDE_NOTE,
    legend,
    number_format,
    one_of,
    plural,
    short,
    short_name,
    state_of,
    titled,
    unit_of,
    value_axis_upright,
)

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

NO_SETS = "No particles to compare. Choose particles in a charged and in a discharged state."
HALF = 0.42  # half width of the widest violin, in places
ROOM = 0.16  # above the violins, of their height, for the differences
GAP = 0.5  # places between groups
SPREAD = 0.2  # over which points of particles are laid out, in places


class ViolinParams(Params):
    """How particles are drawn in their violin."""

    inside: Literal["points", "violins"] = Field("points", title="Particles: medians as points, or thin violins too")
    low: float | None = Field(None, title="Shown from")
    high: float | None = Field(None, title="Shown to")


@dataclass(frozen=True)
class Violin:
    """One group in one state, where it stands and which of the pooled particles are its own."""

    row: int
    place: float
    group: str
    state: str
    members: tuple[Labelled, ...]
    origins: tuple[str, ...]


def violins(items: tuple[Labelled, ...], style: Style, params: ViolinParams) -> "go.Figure":
    """A violin for each group in each state: outline, quartiles, median, noise floor, and every particle's median as a point.

    Outlines are densities on one scale, so that all have the same area. Differences are written above where they are known.
    """
    together = tuple(i for i in items if i.data.attrs.get("schema") == "xanes.pooled")
    if not together:
        return nothing(NO_SETS, style)
    pooled = together[0]
    particles = tuple(i for i in items if i.data.attrs.get("schema") == "xanes.distribution")
    for name in ("definition", "dimensionality", "quantity"):
        one_of((pooled, *particles), name)
    drawn = _placed(pooled, particles)
    scale = HALF / float(np.nanmax(pooled.data["outline"].values))
    traces = [t for v in drawn for t in _violin(v, pooled.data, scale, style, params)]
    effects = next((i for i in items if i.data.attrs.get("schema") == "xanes.activity"), None)
    layout = _layout(drawn, pooled, effects, style, params)
    return finish(_explained(traces, pooled.data, style), layout, style, f"violins {len(drawn)}")


def _placed(pooled: Labelled, particles: Sequence[Labelled]) -> list[Violin]:
    """Groups beside one another, within them the states as the edge energy rises."""
    ds = pooled.data
    groups, states = ds["set_group"].values.astype(str).tolist(), ds["set_state"].values.astype(str).tolist()
    order = {s: k for k, s in enumerate((*STATES, *sorted(set(states) - set(STATES))))}
    rows = sorted(range(len(groups)), key=lambda k: (groups.index(groups[k]), order[states[k]]))
    made: list[Violin] = []
    place = 0.0
    for row in rows:
        if made:
            place += 1.0 + (GAP if groups[row] != made[-1].group else 0.0)
        members = tuple(p for p in particles if p.group == groups[row] and state_of(p) == states[row])
        origins = tuple(m.origin for m in members) or (pooled.origin,)
        made.append(Violin(row, place, groups[row], states[row], members, origins))
    return made


def _violin(violin: Violin, ds: xr.Dataset, scale: float, style: Style, params: ViolinParams) -> list[Trace]:
    at, density = ds["at"].values, ds["outline"].values[violin.row]
    colour = style.color(violin.group)
    inside = density > 1e-4 * density.max()
    at, half = at[inside], scale * density[inside]
    name = " ".join(w for w in (violin.group, violin.state) if w)
    outline: Trace = {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([violin.place - half, (violin.place + half)[::-1]]),
        "y": np.concatenate([at, at[::-1]]),
        "fill": "toself",
        "fillcolor": style.fill(violin.group, 0.38 if violin.state == "charged" else 0.16) if violin.group in style.groups else style.grid,
        "line": {"color": colour, "width": 1.2},
        "hoveron": "fills",
        "name": name,
        "text": _said(violin, ds),
        "hoverinfo": "text",
        "showlegend": False,
    }
    return [outline, *_box(violin, ds, colour, style), *_particles(violin, ds, scale, colour, style, params)]


def _said(violin: Violin, ds: xr.Dataset) -> str:
    """What hovering over a violin says."""
    form, unit, k = number_format(ds), unit_of(ds), violin.row
    numbers = {n: float(ds[n][k]) for n in ("median", "q25", "q75", "noise_floor", "mean_of_medians", "low", "high")}
    lines = [
        f"<b>{safe(' '.join(w for w in (violin.group, violin.state) if w))}</b>",
        f"median of the volume {numbers['median']:{form}}{unit}",
        f"quartiles {numbers['q25']:{form}} … {numbers['q75']:{form}}{unit}",
        f"noise floor ± {numbers['noise_floor']:{form}}{unit}",
        f"mean of particle medians {numbers['mean_of_medians']:{form}}{unit}",
    ]
    if np.isfinite(numbers["low"]):
        lines[-1] += f" [{numbers['low']:{form}} … {numbers['high']:{form}}] 95 %"
    return "<br>".join([*lines, f"{plural(int(ds['n_particles'][k]), 'particle')}, {plural(int(ds['n_voxels'][k]), 'voxel')}"])


def _box(violin: Violin, ds: xr.Dataset, colour: str, style: Style) -> list[Trace]:
    """Quartiles as a thick line, the median across the violin, the noise floor as a bar beside it."""
    k, x = violin.row, violin.place
    q25, q75, median, noise = (float(ds[n][k]) for n in ("q25", "q75", "median", "noise_floor"))
    quiet = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    made: list[Trace] = [
        {**quiet, "x": [x, x], "y": [q25, q75], "line": {"color": colour, "width": 4}},
        {**quiet, "x": [x - 0.16, x + 0.16], "y": [median, median], "line": {"color": style.ink, "width": 2}},
    ]
    if np.isfinite(noise):
        bar = {"x": [x + 0.36], "y": [median], "marker": {"size": 0.1, "color": style.muted}}
        error = {"type": "data", "array": [noise], "thickness": 1.6, "width": 4, "color": style.muted}
        said = f"noise floor ± {noise:{number_format(ds)}}{unit_of(ds)}<extra></extra>"
        made.append({"type": "scatter", "mode": "markers", **bar, "error_y": error, "hovertemplate": said, "showlegend": False})
    return made


def _particles(violin: Violin, ds: xr.Dataset, scale: float, colour: str, style: Style, params: ViolinParams) -> list[Trace]:
    """Each particle's median as a point that says its name; its own thin outline where that is wanted."""
    medians = ds["particle_median"].values[ds["particle_set"].values == violin.row]
    outlines = ds["particle_outline"].values[ds["particle_set"].values == violin.row]
    n = medians.size
    offsets = SPREAD * (np.arange(n) - (n - 1) / 2) / max(n - 1, 1)
    made: list[Trace] = []
    for k in range(n):
        named = violin.members[k] if len(violin.members) == n else None
        label = legend(short_name(named), [named.origin]) if named else f"particle {k + 1}"
        own: Trace = {"type": "scatter", "showlegend": False, **({"meta": {"id": named.id}} if named else {})}
        place = violin.place + 2 * offsets[k] if params.inside == "violins" else violin.place + offsets[k]
        if params.inside == "violins":
            made.append({**own, **_thin(ds["at"].values, outlines[k], place, scale / (n + 1), colour)})
        said = f"<b>{label}</b><br>median %{{y:{number_format(ds)}}}{unit_of(ds)}<extra></extra>"
        marker = {"size": 7, "color": style.template()["layout"]["paper_bgcolor"], "line": {"color": style.ink, "width": 1.4}}
        marker["color"] = colour
        made.append({**own, "mode": "markers", "x": [place], "y": [medians[k]], "marker": marker, "hovertemplate": said})
    return made


def _thin(at: np.ndarray, density: np.ndarray, place: float, scale: float, colour: str) -> Trace:
    inside = density > 1e-3 * density.max()
    half, at = scale * density[inside], at[inside]
    x, y = np.concatenate([place - half, (place + half)[::-1]]), np.concatenate([at, at[::-1]])
    return {"mode": "lines", "x": x, "y": y, "line": {"color": colour, "width": 0.8}, "hoverinfo": "skip"}


def _explained(traces: list[Trace], ds: xr.Dataset, style: Style) -> list[Trace]:
    """Legend entries for the marks, which have no trace of their own that could stand for all."""
    key = {"type": "scatter", "x": [None], "y": [None], "hoverinfo": "skip", "showlegend": True}
    marks: list[Trace] = [
        {
            **key,
            "mode": "markers",
            "name": "particle median",
            "marker": {"size": 7, "color": style.muted, "line": {"color": style.ink, "width": 1.4}},
        },
        {**key, "mode": "lines", "name": "median of the volume", "line": {"color": style.ink, "width": 2}},
        {**key, "mode": "lines", "name": "quartiles", "line": {"color": style.muted, "width": 4}},
    ]
    if np.isfinite(ds["noise_floor"].values).any():
        marks.append(
            {**key, "mode": "markers", "name": "noise floor ± σ", "marker": {"symbol": "line-ns-open", "size": 9, "color": style.muted}}
        )
    return [*traces, *marks]


def _layout(drawn: Sequence[Violin], pooled: Labelled, effects: Labelled | None, style: Style, params: ViolinParams) -> dict[str, Any]:
    ds = pooled.data
    ticks = [_tick(v, ds) for v in drawn]
    notes = ["Every particle weighs the same.", "Outlines: equal area, kernel " + _kernels(ds) + "."]
    from_all = [m for v in drawn for m in v.members] or [pooled]
    low, high = _range(ds, params)
    return {
        "xaxis": {
            "title": titled("", from_all, notes, style, length=WIDE_NOTE),
            "tickvals": [v.place for v in drawn],
            "ticktext": ticks,
            "range": [-0.75, drawn[-1].place + 0.75],
            "tickangle": 0,
            "tickfont": {"size": NOTE_PX[style.size]},
            "showgrid": False,
        },
        "yaxis": {"title": {"text": value_axis_upright(ds)}, "range": [low, high], "tickformat": ".2~f"},
        "annotations": _differences(drawn, effects, ds, style) if effects else [],
        "hovermode": "closest",
    }


def _tick(violin: Violin, ds: xr.Dataset) -> str:
    k = violin.row
    n, voxels = int(ds["n_particles"][k]), int(ds["n_voxels"][k])
    group = safe(violin.group or "no group")
    return f"<b>{group}</b><br>{safe(violin.state)}<br>{plural(n, 'particle')}<br>{plural(voxels, 'voxel')}"


def _kernels(ds: xr.Dataset) -> str:
    widths = ds["bandwidth"].values
    low, high = float(widths.min()), float(widths.max())
    text = f"{low:.2g}" if f"{low:.2g}" == f"{high:.2g}" else f"{low:.2g} to {high:.2g}"
    return f"{text}{unit_of(ds)}"


def _range(ds: xr.Dataset, params: ViolinParams) -> tuple[float, float]:
    """The axis with room above for the differences."""
    at = ds["at"].values
    low = float(at[0]) if params.low is None else params.low
    high = float(at[-1]) if params.high is None else params.high
    return low, high + ROOM * (high - low)


def _differences(drawn: Sequence[Violin], effects: Labelled, ds: xr.Dataset, style: Style) -> list[dict[str, Any]]:
    """Charged − discharged of each group, over its violins."""
    found, names = scalars(effects.data), effects.data["name"].values.astype(str).tolist()
    made = []
    for group in dict.fromkeys(v.group for v in drawn):
        scalar = found.get(f"activity_{names.index(group) + 1}") if group in names else None
        places = [v.place for v in drawn if v.group == group]
        if scalar is None or not isinstance(scalar.value, float):
            continue
        text = f"Δ = {effect_text(scalar, ds)}"
        place = {"x": float(np.mean(places)), "xref": "x", "y": 1, "yref": "paper", "yanchor": "top", "yshift": -4}
        made.append({"text": text, "showarrow": False, "font": {"size": NOTE_PX[style.size] + 1, "color": style.color(group)}, **place})
    return made


def effect_text(scalar: Scalar, ds: xr.Dataset) -> str:
    """``+1.42 eV [1.21 … 1.60] 97 %``: a difference with its interval and level, or the range where there is none."""
    form = number_format(ds)
    text = f"{scalar.value:+{form}}{unit_of(ds)}"
    if scalar.low is not None and scalar.high is not None:
        level = f"{100 * scalar.level:.0f} %" if scalar.level else "range"
        text += f" [{scalar.low:{form}} … {scalar.high:{form}}] {level}"
    return text.replace("-", "−")


def effects(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Differences with their intervals about zero: charge − discharge of each group, between groups, and of their widths."""
    shown = next((i for i in items if i.data.attrs.get("schema") == "xanes.activity"), None)
    if shown is None:
        return nothing("No difference to show. Charged and discharged particles are needed.", style)
    rows = _rows(shown)
    if not rows:
        return nothing("No difference to show: a group has particles in one state only.", style)
    ds = shown.data
    traces = [_interval(k, name, scalar, colour, ds, style) for k, (name, scalar, colour) in enumerate(rows)]
    texts = [_beside(k, scalar, ds, style) for k, (_, scalar, _) in enumerate(rows)]
    unit = "1" if ds.attrs.get("quantity") else "eV"
    notes = ["Intervals over particles.", *(["Width: heterogeneity beyond noise."] if "width_state" in ds else [])]
    zero = {"type": "line", "x0": 0, "x1": 0, "xref": "x", "y0": 0, "y1": 1, "yref": "paper", "line": {"color": style.muted, "width": 1}}
    layout = {
        "xaxis": {
            "title": titled(f"Difference / {unit}", [shown], notes, style, length=NARROW_NOTE),
            "range": _reach([r[1] for r in rows]),
        },
        "yaxis": {
            "tickvals": list(range(len(rows))),
            "ticktext": [name for name, _, _ in rows],
            "range": [len(rows) - 0.6, -0.75],
            "showgrid": False,
        },
        "shapes": [zero],
        "annotations": texts,
        "showlegend": False,
    }
    return finish(traces, layout, style, "effects")


def effect_table(items: Sequence[Labelled], _params: Params) -> "pd.DataFrame":
    """One row for each difference: value, limits, level and number of particles."""
    import pandas as pd

    rows = [
        {"difference": s.title, "origin": i.origin, "key": i.key, **{k: v for k, v in s.to_json().items() if k != "title"}}
        for i in items
        for s in scalars(i.data).values()
    ]
    return pd.DataFrame(rows)


def violin_table(items: Sequence[Labelled], _params: Params) -> "pd.DataFrame":
    """Outlines of all groups in all states, point by point, with their numbers; particles' medians are in the particle table."""
    import pandas as pd

    parts = []
    for item in items:
        if item.data.attrs.get("schema") != "xanes.pooled":
            continue
        ds = item.data
        for k in range(ds.sizes["set"]):
            columns = {"at": ds["at"], "outline": ds["outline"][k]}
            own = {column_name(n, str(v.attrs["units"])): v.values for n, v in columns.items()}
            fixed = {column_name(str(n), str(v.attrs["units"])): v.values[k] for n, v in ds.data_vars.items() if v.dims == ("set",)}
            parts.append(pd.DataFrame({"origin": item.origin, "key": item.key, **fixed, **own}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _rows(shown: Labelled) -> list[tuple[str, Scalar, str]]:
    """Name, difference and group of each row."""
    found, names = scalars(shown.data), shown.data["name"].values.astype(str).tolist()
    first = [safe(short(n)) for n in names]
    both = " − ".join(first)
    rows = [
        (f"<b>{n}</b><br>charged − disch.", found[f"activity_{k + 1}"], names[k])
        for k, n in enumerate(first)
        if f"activity_{k + 1}" in found
    ]
    if "activity_difference" in found:
        rows.append((f"<b>{both}</b><br>of these", found["activity_difference"], ""))
    for state in ("charged", "discharged"):
        if f"width_{state}" in found:
            rows.append((f"<b>{both}</b><br>width, {state}", found[f"width_{state}"], ""))
    return [r for r in rows if isinstance(r[1].value, float) and np.isfinite(r[1].value)]


def _interval(row: int, name: str, scalar: Scalar, group: str, ds: xr.Dataset, style: Style) -> Trace:
    colour = style.color(group) if group else style.ink
    value = float(scalar.value) if isinstance(scalar.value, int | float) else np.nan
    reach = [v for v in (scalar.low, scalar.high) if v is not None]
    error = {"array": [max(reach) - value], "arrayminus": [value - min(reach)]} if reach else {"array": [0.0], "arrayminus": [0.0]}
    look = {"type": "data", "symmetric": False, "thickness": 2, "width": 5, "color": colour}
    said = f"{name}<br>{effect_text(scalar, ds)}<br>n = {scalar.n} {safe(scalar.of)}<extra></extra>"
    marker = {"size": 9, "color": colour}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [value],
        "y": [row],
        "marker": marker,
        "error_x": {**look, **error},
        "hovertemplate": said,
    }


def _beside(row: int, scalar: Scalar, ds: xr.Dataset, style: Style) -> dict[str, Any]:
    """The numbers of a row, above it and at the right."""
    place = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": -4, "y": row, "yref": "y", "yanchor": "bottom", "yshift": 5}
    return {"text": effect_text(scalar, ds), "showarrow": False, "font": {"size": NOTE_PX[style.size], "color": style.ink}, **place}


def _reach(shown: Sequence[Scalar]) -> list[float]:
    """An axis that holds zero and all intervals."""
    ends = [0.0, *(float(v) for s in shown for v in (s.value, s.low, s.high) if isinstance(v, int | float))]
    room = 0.08 * (max(ends) - min(ends)) or 1.0
    return [min(ends) - room, max(ends) + room]
