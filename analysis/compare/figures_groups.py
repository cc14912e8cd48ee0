"""One metric in each group, as bars of means with intervals and all replicates; and all effects as one forest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.compare.figures_base import axis_text, of_schema, origins, small, unit_text
from analysis.compare.replicates import Replicate, Rows, replicates
from analysis.core.numerics.statistics import FEW, mean_interval
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SYMBOLS, Style
from analysis.drawing import Trace, finish, nothing, safe

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from pandas import DataFrame

MARKS = {"better": "triangle-up", "worse": "triangle-down"}
SPREAD = 0.22  # of a group's place, over which its replicates stand side by side


class MetricParams(Params):
    metric: str = Field("cracks.ratio", title="Metric")
    groups: tuple[str, ...] = Field((), title="Groups (all if empty)")
    by: Literal["cells", "particles"] = Field("cells", title="Replicates")
    with_excluded: bool = Field(False, title="With what was excluded")
    level: float = Field(0.95, gt=0.5, lt=1, title="Level of the intervals")


def metric(items: tuple[Labelled, ...], style: Style, params: MetricParams) -> "go.Figure":
    """Bars: group means with Student's interval over replicates, from three on; points: the replicates."""
    values = of_schema(items, "compare.values")
    if values is None:
        return nothing("No values yet.", style)
    rows = Rows.of(values)
    groups = params.groups or tuple(dict.fromkeys(rows.text["group"].tolist()))
    sides = {g: replicates(rows, params.metric, g, by=params.by, with_excluded=params.with_excluded) for g in groups}
    if not any(sides.values()):
        return nothing("Neither group has a value of this metric.", style)
    traces: list[Trace] = []
    for place, (group, side) in enumerate(sides.items()):
        if side:
            traces += [_bar(group, place, side, style, params), _points(group, place, side, style)]
    ticks = [f"{safe(g)}<br>n = {len(s)} {params.by}" for g, s in sides.items()]
    note = {"text": origins(items), "x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
    layout: dict[str, Any] = {
        "xaxis": {"tickmode": "array", "tickvals": list(range(len(groups))), "ticktext": ticks, "range": [-0.6, len(groups) - 0.4]},
        "yaxis": {
            "title": {"text": axis_text(rows.first(params.metric, "title"), rows.first(params.metric, "unit"))},
            "rangemode": "tozero",
        },
        "showlegend": False,
        "annotations": [{**note, "showarrow": False, "font": {"color": style.muted, "size": small(style)}}],
        "margin": {"t": 18},
    }
    return finish(traces, layout, style, "compare.metric")


def _bar(group: str, place: int, side: Sequence[Replicate], style: Style, params: MetricParams) -> Trace:
    found = mean_interval(np.array([r.value for r in side]), level=params.level)
    known = found.n >= FEW
    whisker = {"type": "data", "array": [found.high - found.value if known else np.nan], "color": style.ink, "thickness": 1.5, "width": 5}
    return {
        "type": "bar",
        "x": [place],
        "y": [found.value],
        "width": [0.56],
        "marker": {"color": style.fill(group, 0.35)},
        "error_y": whisker,
        "hovertemplate": f"{safe(group)}: mean %{{y:.4g}}, n = {found.n}<extra></extra>",
    }


def _points(group: str, place: int, side: Sequence[Replicate], style: Style) -> Trace:
    offsets = SPREAD * (np.arange(len(side)) - 0.5 * (len(side) - 1)) / max(len(side) - 1, 1)
    said = [safe(r.name) + (f", excluded: {safe(r.excluded)}" if r.excluded else "") for r in side]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": (place + offsets).tolist(),
        "y": [r.value for r in side],
        "text": said,
        "customdata": [r.name for r in side],
        "marker": {
            "color": style.color(group),
            "size": 7,
            "symbol": [("x" if r.excluded else SYMBOLS[place % len(SYMBOLS)]) for r in side],
        },
        "hovertemplate": "%{text}<br>%{y:.4g}<extra></extra>",
    }


def effects(items: tuple[Labelled, ...], style: Style, _params: Params) -> "go.Figure":
    """Every effect over the standard deviation within groups, with its interval: metrics of all units on one axis."""
    card = of_schema(items, "compare.scorecard")
    if card is None:
        return nothing("No comparison yet.", style)
    scale = np.sqrt((card["reference_std"].values ** 2 + card["compared_std"].values ** 2) / 2)
    shown = np.flatnonzero(np.isfinite(card["effect"].values) & np.isfinite(scale) & (scale > 0))[::-1]
    if not shown.size:
        return nothing("No metric has two replicates a side.", style)
    value, low, high = (card[n].values[shown] / scale[shown] for n in ("effect", "low", "high"))
    titles = [safe(str(t)) for t in card["title"].values[shown]]
    said = [_told(card, int(k)) for k in shown]
    compared, reference = str(card.attrs["compared"]), str(card.attrs["reference"])
    points: Trace = {
        "type": "scatter",
        "mode": "markers",
        "x": value.tolist(),
        "y": titles,
        "text": said,
        "error_x": {"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "color": style.muted, "width": 3},
        "marker": {
            "color": style.color(compared),
            "size": 9,
            "symbol": [MARKS.get(str(card["verdict"].values[k]), "circle") for k in shown],
        },
        "hovertemplate": "%{y}<br>%{text}<extra></extra>",
    }
    about = f"{int(card.attrs['n_compared'])} metrics compared. " + origins(items)
    note = {
        "text": about.strip(),
        "x": 1,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "right",
        "yanchor": "bottom",
        "showarrow": False,
    }
    layout = {
        "xaxis": {"title": {"text": f"({safe(compared)} − {safe(reference)}) / standard deviation within groups"}, "zeroline": True},
        "yaxis": {"type": "category", "title": {"text": ""}},
        "showlegend": False,
        "annotations": [{**note, "font": {"color": style.muted, "size": small(style)}}],
        "margin": {"t": 20},
    }
    return finish([points], layout, style, "compare.effects")


def _told(card: Any, k: int) -> str:
    unit = unit_text(str(card["unit"].values[k]))
    effect, low, high, level = (float(card[n].values[k]) for n in ("effect", "low", "high", "confidence"))
    kind = f"{100 * level:.0f} %" if np.isfinite(level) else "range"
    return safe(f"{effect:.4g} [{low:.4g}, {high:.4g}] {unit}, {kind}; {card['verdict'].values[k]}")


def effects_table(items: Sequence[Labelled], _params: Params) -> "DataFrame":
    """The scorecard with all its columns, a row a metric; units stand in a column."""
    import pandas as pd

    frames = []
    for item in items:
        if item.data.attrs.get("schema") == "compare.scorecard":
            made = pd.DataFrame({str(n): v.values for n, v in item.data.data_vars.items()})
            made.insert(0, "compared", str(item.data.attrs["compared"]))
            made.insert(0, "reference", str(item.data.attrs["reference"]))
            frames.append(made.assign(metrics_compared=int(item.data.attrs["n_compared"]), origin=item.origin, key=item.key))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"id": []})
