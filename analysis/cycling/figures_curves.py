"""Figures of curves inside a cycle: voltage profiles, dQ/dV and dV/dQ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.registry import Labelled
from analysis.core.style import DASHES, FONT_PX, Style
from analysis.cycling.curves import LI_IN_V, to_li_scale
from analysis.cycling.figures_base import (
    FigureParams,
    axis_text,
    cell_id,
    common_units,
    count_note,
    customdata,
    float32,
    heading,
    hover,
    notes_below,
    title_with_notes,
    trace_of,
    unit_text,
    with_legend,
)
from analysis.drawing import Trace, nothing
from analysis.drawing import finish_units as finish

if TYPE_CHECKING:
    import plotly.graph_objects as go

VOLTAGE = {False: "Cell voltage", True: "Voltage vs Li⁺/Li"}
GAP = np.full((2, 1), np.nan)
NAMED_CYCLES = 4  # more cycles than these are told apart by shade and not one by one in the legend
NO_CURVES = "No curves to show. Choose cells with cycling data, and cycles that they have completed."


Limits = tuple[float, float]
Scale = Literal["cell", "Li"]
SCALE_HELP = "Li: measured + 0.62 V, for a Li–In anode"


class CurveParams(FigureParams):
    cycles: tuple[int, ...] = Field((), title="Cycles", description="absolute cycle numbers; empty: all that the data hold")
    points: int = Field(300, ge=20, le=5000, title="Points drawn per curve", description="for the screen; exports hold all")


class ProfileParams(CurveParams):
    scale: Scale = Field("cell", title="Voltage scale", description=SCALE_HELP)
    side_by_side: bool = Field(False, title="Groups side by side")


class DerivativeParams(CurveParams):
    side_by_side: bool = Field(True, title="Groups side by side")


class DqdvParams(DerivativeParams):
    scale: Scale = Field("cell", title="Voltage scale", description=SCALE_HELP)
    show_peaks: bool = Field(False, title="Mark peaks")


@dataclass(frozen=True)
class Curve:
    """One cycle of one cell; charge and discharge with a gap between them."""

    item: Labelled
    cycle: int
    x: np.ndarray
    y: np.ndarray


def profiles(items: tuple[Labelled, ...], style: Style, params: ProfileParams) -> "go.Figure":
    """Voltage against capacity, each half cycle from 0; colour is the group, dash or shade the cycle."""
    against_li = params.scale == "Li"
    curves = [replace(c, y=to_li_scale(c.y)) if against_li else c for c in _curves(items, "capacity", "voltage", params)]
    if not curves:
        return nothing(NO_CURVES, style)
    shown = _items_of(curves)
    units = common_units(shown, "capacity")
    cycles = sorted({c.cycle for c in curves})
    panels = Panels.of(shown, params.side_by_side)
    traces = []
    for curve in curves:
        line = {"width": 1.6, **_cycle_line(cycles.index(curve.cycle), len(cycles), curve.item.group, style)}
        lines = ("cycle %{customdata[1]}", f"%{{x:.4~g}} {unit_text(units)}", "%{y:.3f} V" + (" vs Li⁺/Li" if against_li else ""))
        traces.append(_line(_thinned(curve, params.points), line, _suffix(curve.cycle, cycles), panels, lines))
    notes = [count_note(shown), _shade_note(cycles), _scale_note(against_li)]
    title = axis_text(VOLTAGE[against_li], "V")
    layout = panels.layout(axis_text("Capacity", units), title, {}, shown, notes, style)
    return finish(
        with_legend(traces, params.legend, panels=bool(panels.groups)), layout, style, f"profiles {params.scale} {params.side_by_side}"
    )


def dqdv(items: tuple[Labelled, ...], style: Style, params: DqdvParams) -> "go.Figure":
    """dQ/dV against voltage, coloured by cycle; the smoothing window stands below."""
    against_li = params.scale == "Li"
    shift = to_li_scale(np.zeros(1))[0] if against_li else 0.0
    curves = [replace(c, x=c.x + shift) for c in _curves(items, "voltage", "dqdv", params)]
    marked = _peaks(items, shift) if params.show_peaks else {}
    return _derivative(curves, style, params, Axes("voltage", "dqdv", VOLTAGE[against_li], "dQ/dV", 0.5), marked, _scale_note(against_li))


def dvdq(items: tuple[Labelled, ...], style: Style, params: DerivativeParams) -> "go.Figure":
    """dV/dQ against capacity, coloured by cycle; the smoothing window stands below."""
    return _derivative(
        _curves(items, "capacity", "dvdq", params), style, params, Axes("capacity", "dvdq", "Capacity", "dV/dQ", 4.0), {}, ""
    )


@dataclass(frozen=True)
class Axes:
    """What a derivative is drawn from, and the words of its axes."""

    x: str
    y: str
    x_word: str
    y_word: str
    tail: float  # % of the x axis whose extremes may leave the plot


Peaks = dict[tuple[str, int], tuple[list[float], list[float]]]  # (cell, cycle): places, heights


def _derivative(curves: Sequence[Curve], style: Style, params: DerivativeParams, axes: Axes, marked: Peaks, scale_note: str) -> "go.Figure":
    if not curves:
        return nothing(NO_CURVES, style)
    shown = _items_of(curves)
    x_units, y_units = common_units(shown, axes.x), common_units(shown, axes.y)
    cycles = sorted({c.cycle for c in curves})
    colors = style.sequence(len(cycles))
    limits, clipped = _robust_limits(curves, axes.tail)
    panels = Panels.of(shown, params.side_by_side)
    groups = list(dict.fromkeys(i.group for i in shown))
    lines = ("cycle %{customdata[1]}", f"%{{x:.4~g}} {unit_text(x_units)}", f"{axes.y_word}: %{{y:.4~g}} {unit_text(y_units)}")
    traces = []
    for curve in curves:
        dash = "solid" if params.side_by_side else DASHES[groups.index(curve.item.group) % len(DASHES)]
        line = {"width": 1.4, "color": colors[cycles.index(curve.cycle)], "dash": dash}
        drawn = _line(_thinned(curve, params.points, limits), line, _suffix(curve.cycle, cycles), panels, lines)
        traces += [drawn, *_peak_marks(curve, drawn, marked, lines)]
    off = "Steep ends cut off (double-click)." if clipped else ""
    titles = axis_text(axes.x_word, x_units), axis_text(axes.y_word, y_units)
    layout = panels.layout(*titles, {"range": list(limits)}, shown, [count_note(shown), window_note(shown), scale_note, off], style)
    bar = [_cycle_bar(cycles, style)] if len(cycles) > NAMED_CYCLES else []
    dressed = with_legend(traces, params.legend, panels=bool(panels.groups))
    return finish([*dressed, *bar], layout, style, f"{axes.x_word} {axes.y} {params.side_by_side}")


def window_note(items: Sequence[Labelled]) -> str:
    """The Savitzky–Golay window of the derivative, as its results state it."""
    windows = sorted({float(i.data.attrs["window_mV"]) for i in items if "window_mV" in i.data.attrs})
    if not windows:
        return ""
    return f"Savitzky–Golay window {' and '.join(f'{w:g}' for w in windows)} mV."


def _curves(items: Sequence[Labelled], x: str, y: str, params: CurveParams) -> list[Curve]:
    curves = []
    for item in items:
        have = item.data["cycle"].values.astype(int)
        for cycle in params.cycles or np.unique(have).tolist():
            rows = np.flatnonzero(have == cycle)
            if rows.size:
                curves.append(_curve(item, int(cycle), rows, (x, y)))
    return curves


def _curve(item: Labelled, cycle: int, rows: np.ndarray, names: tuple[str, str]) -> Curve:
    """Charge, a gap, discharge, in the order of the data."""
    direction = item.data["direction"].values[rows]
    values = np.stack([item.data[n].values[rows] for n in names]).astype(float)
    parts = [values[:, direction == d] for d in dict.fromkeys(direction.tolist())]
    joined = np.concatenate([p for part in parts for p in (part, GAP)][:-1], axis=1)
    return Curve(item, cycle, joined[0], joined[1])


def _thinned(curve: Curve, points: int, limits: Limits | None = None) -> Curve:
    """The curve as it is drawn: each half cycle thinned for the part that lies between the limits."""
    values = np.stack([curve.x, curve.y])
    halves = np.split(values, np.flatnonzero(np.isnan(curve.x)), axis=1)
    made = [thin(x, y, points, limits) for x, y in (h if k == 0 else h[:, 1:] for k, h in enumerate(halves))]
    joined = np.concatenate([p for half in made for p in (half, GAP)][:-1], axis=1)
    return replace(curve, x=joined[0], y=joined[1])


def thin(x: np.ndarray, y: np.ndarray, points: int, limits: Limits | None = None) -> np.ndarray:
    """About ``points`` of a curve's points, evenly along its drawn length, so that bends and steps survive; shape (2, n).

    What lies outside ``limits`` of y counts as if it stood at their rim.
    """
    finite = np.isfinite(x) & np.isfinite(y)
    curve = np.stack([x[finite], y[finite]])
    if curve.shape[1] <= points:
        return curve
    seen = curve if limits is None else np.stack([curve[0], np.clip(curve[1], limits[0], limits[1])])
    span = np.ptp(seen, axis=1, keepdims=True)
    steps = np.diff(seen / np.where(span > 0, span, 1.0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(*steps))])
    picked = np.unique(np.searchsorted(length, np.linspace(0.0, length[-1], points)))
    return curve[:, np.minimum(picked, curve.shape[1] - 1)]


def _items_of(curves: Sequence[Curve]) -> tuple[Labelled, ...]:
    return tuple({id(c.item): c.item for c in curves}.values())


def _line(curve: Curve, line: dict[str, Any], suffix: str, panels: "Panels", hover_lines: tuple[str, ...]) -> Trace:
    return trace_of(
        curve.item,
        suffix,
        mode="lines",
        x=float32(curve.x),
        y=float32(curve.y),
        line={**line, "simplify": False},  # plotly's own thinning draws corners, and these curves are thin already
        customdata=customdata(curve.item, np.full(curve.x.size, curve.cycle)),
        hovertemplate=hover(curve.item, *hover_lines),
        **panels.axes(curve.item.group),
    )


def _peaks(items: Sequence[Labelled], shift: float) -> Peaks:
    """The peaks that the results list, by cell and cycle, on the voltage scale of the plot."""
    found: Peaks = {}
    for item in items:
        for p in item.data.attrs.get("peaks", ()):
            places, heights = found.setdefault((cell_id(item), int(p["cycle"])), ([], []))
            places.append(float(p["voltage"]) + shift)
            heights.append(float(p["height"]))
    return found


def _peak_marks(curve: Curve, line: Trace, marked: Peaks, hover_lines: tuple[str, ...]) -> list[Trace]:
    """Rings at the peaks of a curve, on its axes and under its legend entry."""
    places, heights = marked.get((cell_id(curve.item), curve.cycle), ([], []))
    if not places:
        return []
    marker = {"symbol": "circle-open", "size": 7, "color": line["line"]["color"], "line": {"width": 1.5}}
    points = {"x": float32(places), "y": float32(heights), "customdata": customdata(curve.item, [curve.cycle] * len(places))}
    kept = {k: v for k, v in line.items() if k != "line"}
    return [{**kept, **points, "mode": "markers", "marker": marker, "hovertemplate": hover(curve.item, "peak", *hover_lines)}]


def _suffix(cycle: int, cycles: Sequence[int]) -> str:
    return f"cycle {cycle}" if len(cycles) <= NAMED_CYCLES else ""


def _cycle_line(index: int, n: int, group: str, style: Style) -> dict[str, Any]:
    """Dash for few cycles; for many, the group's colour from pale (first) to full (last)."""
    if n <= NAMED_CYCLES:
        return {"color": style.color(group), "dash": DASHES[index]}
    return {"color": style.fill(group, 0.3 + 0.7 * index / (n - 1))}


def _scale_note(against_li: bool) -> str:
    return f"Measured + {LI_IN_V} V: right while Li–In is two-phase." if against_li else ""


def _shade_note(cycles: Sequence[int]) -> str:
    return f"Pale to full colour: cycle {cycles[0]} to {cycles[-1]}." if len(cycles) > NAMED_CYCLES else ""


def _cycle_bar(cycles: Sequence[int], style: Style) -> Trace:
    """A colour bar over the cycle numbers, carried by a trace without points."""
    colors = style.sequence(len(cycles))
    scale = [[k / (len(cycles) - 1), color] for k, color in enumerate(colors)]
    places = [0, len(cycles) // 2, len(cycles) - 1]
    bar = {
        "title": {"text": "Cycle", "side": "right", "font": {"size": FONT_PX[style.size]}},
        "thickness": 10,
        "outlinewidth": 0,
        "tickvals": places,
        "ticktext": [str(cycles[k]) for k in places],
    }
    marker = {"color": [0], "colorscale": scale, "cmin": 0, "cmax": len(cycles) - 1, "showscale": True, "colorbar": bar}
    return {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "marker": marker, "showlegend": False, "hoverinfo": "skip"}


def _robust_limits(curves: Sequence[Curve], tail: float) -> tuple[Limits, bool]:
    """Limits that hold all but ``tail`` (in %) of the x axis at each end of y, and whether some lies outside: derivatives run away.

    Points count by the stretch of x for which they stand, since a grid that is even in voltage crowds where capacity stands still.
    """
    parts = [(c.y[1:], np.abs(np.diff(c.x))) for c in curves]
    y, weight = (np.concatenate(p) for p in zip(*parts, strict=True))
    kept = np.isfinite(y) & np.isfinite(weight)
    y, weight = y[kept], weight[kept]
    if not weight.sum() > 0:
        return (-1.0, 1.0), False
    order = np.argsort(y)
    share = np.cumsum(weight[order]) / weight.sum()
    first, last = np.searchsorted(share, [tail / 100, 1 - tail / 100])
    low, high = float(y[order][first]), float(y[order][min(last, y.size - 1)])
    pad = 0.5 * (high - low) or 1.0
    low, high = max(low - pad, float(y.min()) - 0.1 * pad), min(high + pad, float(y.max()) + 0.1 * pad)
    return (low, high), bool(((y < low) | (y > high)).any())


@dataclass(frozen=True)
class Panels:
    """One plot, or one beside the other for each group with the same axes."""

    groups: tuple[str, ...]

    @classmethod
    def of(cls, items: Sequence[Labelled], side_by_side: bool) -> "Panels":
        groups = tuple(dict.fromkeys(i.group for i in items))
        return cls(groups if side_by_side and len(groups) > 1 else ())

    def axes(self, group: str) -> dict[str, str]:
        """The axes that a group's traces use."""
        k = self.groups.index(group) if self.groups else 0
        return {} if k == 0 else {"xaxis": f"x{k + 1}", "yaxis": f"y{k + 1}"}

    def layout(
        self, x_title: str, y_title: str, y_axis: dict[str, Any], items: Sequence[Labelled], notes: Sequence[str], style: Style
    ) -> dict[str, Any]:
        if not self.groups:
            return {"xaxis": {"title": title_with_notes(x_title, items, notes, style)}, "yaxis": {"title": {"text": y_title}, **y_axis}}
        made: dict[str, Any] = {"legend": {"y": 1.1}}
        n, gap = len(self.groups), 0.04
        width = (1 - gap * (n - 1)) / n
        for k in range(n):
            name = "" if k == 0 else str(k + 1)
            follow = {} if k == 0 else {"matches": "x"}
            left = k * (width + gap)
            made[f"xaxis{name}"] = {"title": {"text": x_title}, "domain": [left, left + width], "anchor": f"y{name}", **follow}
            own = {"title": {"text": y_title}} if k == 0 else {"matches": "y", "showticklabels": False}
            made[f"yaxis{name}"] = {**own, **y_axis, "anchor": f"x{name}"}
        headings = [self._heading(k, width, gap, style) for k in range(n)]
        below = notes_below(items, notes, style)
        return {**made, **below, "annotations": [*headings, *below.get("annotations", [])]}

    def _heading(self, k: int, width: float, gap: float, style: Style) -> dict[str, Any]:
        font = {"color": style.color(self.groups[k])}
        place = {"x": k * (width + gap) + width / 2, "xref": "paper", "xanchor": "center", "y": 1, "yref": "paper", "yanchor": "bottom"}
        return {"text": heading(self.groups[k]), "showarrow": False, "font": font, **place}
