"""Peak areas by group and state: bars of the means over cells with their intervals, and every sample."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from analysis.core.numerics.statistics import mean_interval
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SYMBOLS, Style, legend_name
from analysis.drawing import Trace, safe
from analysis.spectra.effects import AreaRow, area_rows, by_cell
from analysis.spectra.figures_base import STATES, finish, notes, state_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

WIDTH = 0.8  # of a state's place, shared by its groups
SCATTER = 0.5  # of a bar's width, over which its samples stand side by side
MIN_INTERVAL = 3  # cells; below, an interval says nothing


class AreaParams(Params):
    peak: str = Field("", title="Peak (the reported one if empty)")
    level: float = Field(0.9, gt=0.5, lt=1, title="Level of the groups' intervals")


def areas(items: tuple[Labelled, ...], style: Style, params: AreaParams) -> "go.Figure":
    """Peak areas: a bar for each group's mean in a state, with its interval over cells, and every sample with its own."""
    groups = list(dict.fromkeys(i.group or i.label for i in items))
    states = sorted(dict.fromkeys(map(state_of, items)), key=_order)
    traces: list[Trace] = []
    for place, group in enumerate(groups):
        members = [i for i in items if (i.group or i.label) == group]
        traces += _group(group, members, states, (place, len(groups)), style, params)
    peak = params.peak or (str(items[0].data.attrs.get("feature", "")) if items else "")
    ticks = {"tickmode": "array", "tickvals": list(range(len(states))), "ticktext": [safe(s) for s in states], "showgrid": False}
    note = f"Bars: mean, {params.level:.0%} interval over cells (from {MIN_INTERVAL} on); points: samples with that of their fit."
    layout = {
        "xaxis": {"title": {"text": "State" if any(states) else "Group"}, **ticks},
        "notes": notes(items, note),
        "width_of_notes": "narrow",
        "yaxis": {"title": {"text": safe(f"Area of the peak {peak} / eV")}, "rangemode": "tozero"},
        "barmode": "overlay",
    }
    return finish(traces, layout, style, "spectra.areas")


def _order(state: str) -> int:
    """Pristine first: what was there before."""
    order = ("pristine", *(s for s in STATES if s != "pristine"))
    return order.index(state) if state in order else len(order)


def _group(
    group: str, members: Sequence[Labelled], states: Sequence[str], place: tuple[int, int], style: Style, params: AreaParams
) -> list[Trace]:
    """Bars of one group, one for each state in which it was measured, and its samples."""
    width = WIDTH / place[1]
    x_of = {s: k + (place[0] - 0.5 * (place[1] - 1)) * width for k, s in enumerate(states)}
    found = {s: [r for i in members if state_of(i) == s for r in area_rows(i, params.peak)] for s in states}
    found = {s: rows for s, rows in found.items() if rows}
    if not found:
        return []
    means = [mean_interval(by_cell(rows), level=params.level) for rows in found.values()]
    counts = sorted({m.n for m in means})
    n = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]}–{counts[-1]}"
    origin = "synthetic" if {i.origin for i in members} == {"synthetic"} else "measured"
    known = [m if m.n >= MIN_INTERVAL else None for m in means]
    bars: Trace = {
        "type": "bar",
        "x": [x_of[s] for s in found],
        "y": [m.value for m in means],
        "width": [0.94 * width] * len(means),
        "name": safe(legend_name("<br>".join(textwrap.wrap(group, 24)) + f", {n}", origin)),
        "marker": {"color": style.fill(group, 0.35)},
        "hovertemplate": "%{y:.3f} eV<extra></extra>",
        "error_y": _whiskers([(m.high - m.value, m.value - m.low) if m else (np.nan, np.nan) for m in known], style.ink, 2),
    }
    points = [(x_of[s] + dx, r) for s, rows in found.items() for dx, r in zip(_side_by_side(len(rows), width), rows, strict=True)]
    return [bars, _points(points, style, group, place[0])]


def _side_by_side(n: int, width: float) -> np.ndarray:
    return SCATTER * width * (np.arange(n) - 0.5 * (n - 1)) / max(n - 1, 1)


def _whiskers(ends: Sequence[tuple[float, float]], colour: str, thickness: float) -> dict[str, Any]:
    above, below = ([e[k] for e in ends] for k in (0, 1))
    return {"type": "data", "array": above, "arrayminus": below, "symmetric": False, "color": colour, "thickness": thickness, "width": 3}


def _points(points: Sequence[tuple[float, AreaRow]], style: Style, group: str, place: int) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [x for x, _ in points],
        "y": [r.area for _, r in points],
        "text": [safe(r.label) for _, r in points],
        "customdata": [[r.cell] for _, r in points],
        "hovertemplate": "%{text}<br>%{y:.3f} eV<extra></extra>",
        "showlegend": False,
        "marker": {"color": style.color(group), "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 6},
        "error_y": _whiskers([(r.high - r.area, r.area - r.low) for _, r in points], style.color(group), 1),
    }
