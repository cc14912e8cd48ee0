"""Metrics against each other: a matrix of small scatter plots, each point a cell, its rank correlations opposite."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.compare.figures_base import axis_text, of_schema, origins, small
from analysis.compare.metrics import KNOWN
from analysis.compare.replicates import OTHER_CYCLE, Pairs, Rows, paired, replicates
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SYMBOLS, Style, legend_name
from analysis.drawing import Trace, finish, nothing, safe

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from pandas import DataFrame

GAP = 0.018  # between panels, of the whole
WRAP, NARROW_WRAP = 20, 14  # characters of a title; on paper


class MatrixParams(Params):
    metrics: tuple[str, ...] = Field((), title="Metrics")
    groups: tuple[str, ...] = Field((), title="Groups (all if empty)")
    by: Literal["cells", "particles"] = Field("cells", title="Replicates")
    with_excluded: bool = Field(False, title="With what was excluded")


def matrix(items: tuple[Labelled, ...], style: Style, params: MatrixParams) -> "go.Figure":
    """Below the diagonal a scatter plot for each pair, above it ρ, p and n; on it one line of points a metric.

    Points of one replicate bear its name as ``customdata``, by which the page brushes all panels together.
    """
    values = of_schema(items, "compare.values")
    chosen = params.metrics
    if values is None or len(chosen) < 2:
        return nothing("Choose two metrics or more that were measured.", style)
    rows = Rows.of(values)
    groups = params.groups or tuple(dict.fromkeys(rows.text["group"].tolist()))
    table = of_schema(items, "compare.correlation")
    traces: list[Trace] = []
    notes: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    size = len(chosen)
    for i in range(size):
        for j in range(size):
            place = _place(i, j, size)
            if i < j:
                notes.append(_label(table, chosen[j], chosen[i], place, style))
                continue
            panel = i * size + j + 1
            axes |= _axes(panel, place, (i, j, size), (chosen, rows), style)
            traces += _panel(rows, (chosen[j], chosen[i]), groups, panel, (style, params, items), first=not traces)
    note = {"text": origins(items), "x": 1, "y": 1, "xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
    notes.append({**note, "showarrow": False, "font": {"color": style.muted, "size": small(style)}})
    layout = {**axes, "annotations": notes, "dragmode": "select", "margin": {"l": 62, "r": 8, "t": 26, "b": 56}, "selectdirection": "any"}
    return finish(traces, layout, style, "compare.matrix " + ",".join(chosen))


def _place(i: int, j: int, size: int) -> tuple[float, float, float, float]:
    """Left, right, bottom, top of a panel in the picture; row 0 is at the top."""
    step = (1 + GAP) / size
    left, top = j * step, 1 - i * step
    return left, min(1.0, left + step - GAP), max(0.0, top - step + GAP), top  # rounding must not leave the picture


def _axes(
    panel: int, place: tuple[float, float, float, float], at: tuple[int, int, int], known: tuple[Sequence[str], Rows], style: Style
) -> dict[str, Any]:
    """Axes of one panel; titles and numbers stand at the rim of the matrix only."""
    (i, j, size), (chosen, rows) = at, known
    left, right, bottom, top = place
    small_ticks = {"tickfont": {"size": small(style) - 1}, "nticks": 4, "showticklabels": True, "automargin": False}

    def title(metric: str) -> dict[str, Any]:
        return {
            "text": axis_text(title_of(rows, metric), rows.first(metric, "unit"), width=WRAP if style.size == "screen" else NARROW_WRAP),
            "font": {"size": small(style)},
        }

    x: dict[str, Any] = {"domain": [left, right], "anchor": f"y{_suffix(panel)}", **small_ticks, "showticklabels": i == size - 1}
    y: dict[str, Any] = {"domain": [bottom, top], "anchor": f"x{_suffix(panel)}", **small_ticks, "showticklabels": j == 0 and i > 0}
    if i == size - 1:
        x["title"] = title(chosen[j])
    if j == 0:
        y["title"] = title(chosen[i])
    if i == j:
        y |= {"range": [-1, 1], "fixedrange": True, "showgrid": False, "showticklabels": False, "ticks": ""}
    elif i != size - 1:
        x["matches"] = f"x{(size - 1) * size + j + 1}"
    return {f"xaxis{_suffix(panel)}": x, f"yaxis{_suffix(panel)}": y}


def _suffix(panel: int) -> str:
    """Plotly's first axes have no number."""
    return "" if panel == 1 else str(panel)


def title_of(rows: Rows, metric: str) -> str:
    """A metric's title: of the program's own, or of the table it came with."""
    known = KNOWN.get(metric)
    return known.title if known is not None and known.id != "cycling.capacity_at" else rows.first(metric, "title") or metric


def _panel(
    rows: Rows,
    pair: tuple[str, str],
    groups: Sequence[str],
    panel: int,
    look: tuple[Style, MatrixParams, Sequence[Labelled]],
    *,
    first: bool,
) -> list[Trace]:
    """One trace a group: points of both metrics, or of one metric along a line."""
    style, params, items = look
    origin = "synthetic" if any(i.origin == "synthetic" for i in items) else "measured"
    traces: list[Trace] = []
    for place, group in enumerate(groups):
        names, x, y = _points(rows, pair, group, place, len(groups), params)
        if not names and not first:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x,
                "y": y,
                "xaxis": f"x{_suffix(panel)}",
                "yaxis": f"y{_suffix(panel)}",
                "customdata": names,
                "text": [safe(n) for n in names],
                "name": safe(legend_name(group, origin)),
                "legendgroup": group,
                "showlegend": first,
                "marker": {
                    "color": style.color(group),
                    "size": 4 if style.size == "single" else 7,
                    "symbol": SYMBOLS[place % len(SYMBOLS)],
                },
                "unselected": {"marker": {"opacity": 0.16}},
                "hovertemplate": "%{text}<br>%{x:.4g}" + (", %{y:.4g}" if pair[0] != pair[1] else "") + "<extra></extra>",
            }
        )
    return traces


def _points(
    rows: Rows, pair: tuple[str, str], group: str, place: int, of: int, params: MatrixParams
) -> tuple[list[str], list[float], list[float]]:
    if pair[0] == pair[1]:
        side = replicates(rows, pair[0], group, by=params.by, with_excluded=params.with_excluded)
        height = (place + 1) * 2 / (of + 1) - 1
        return [r.name for r in side], [r.value for r in side], [height] * len(side)
    found: Pairs = paired(rows, *pair, (group,), by=params.by, with_excluded=params.with_excluded)
    return list(found.names), found.x.tolist(), found.y.tolist()


def _label(table: xr.Dataset | None, x: str, y: str, place: tuple[float, float, float, float], style: Style) -> dict[str, Any]:
    """What the mirror panel's points amount to."""
    left, right, bottom, top = place
    text, strength = _numbers(table, x, y)
    return {
        "text": text,
        "x": (left + right) / 2,
        "y": (bottom + top) / 2,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": small(style) - (style.size == "single"), "color": style.ink if strength else style.muted},
    }


def _numbers(table: xr.Dataset | None, x: str, y: str) -> tuple[str, float]:
    if table is None:
        return "not enough data", 0.0
    first, second = table["x"].values.astype(str), table["y"].values.astype(str)
    at = np.flatnonzero(((first == x) & (second == y)) | ((first == y) & (second == x)))
    if not at.size:
        return "not enough data", 0.0
    k = int(at[0])
    rho, p, n = (float(table[v].values[k]) for v in ("rho", "p", "n"))
    pairing = str(table["pairing"].values[k])
    if not np.isfinite(rho):
        return f"not enough data<br>n = {n:.0f}", 0.0
    level = "<br>group level" if pairing == OTHER_CYCLE else ""
    return f"<b>ρ = {rho:+.2f}</b><br>p = {p:.2g}<br>n = {table['counts'].values[k]}{level}".replace("-", "\u2212"), abs(rho)


def matrix_table(items: Sequence[Labelled], params: MatrixParams) -> "DataFrame":
    """Every replicate's value of every metric that is shown: metric, unit, group, cell or particle, value, cycle."""
    import pandas as pd

    values = of_schema(items, "compare.values")
    if values is None:
        return pd.DataFrame({"metric": []})
    rows = Rows.of(values)
    origin = "synthetic" if any(i.origin == "synthetic" for i in items) else "measured"
    made = [
        {
            "metric": m,
            "title": title_of(rows, m),
            "unit": rows.first(m, "unit"),
            "group": g,
            "replicate": r.name,
            "cell": r.cell,
            "value": r.value,
            "measurements": r.parts,
            "cycles": " ".join(map(str, sorted(r.cycles))),
            "excluded": r.excluded,
            "origin": origin,
        }
        for m in params.metrics
        for g in params.groups
        for r in replicates(rows, m, g, by=params.by, with_excluded=params.with_excluded)
    ]
    return pd.DataFrame(made)
