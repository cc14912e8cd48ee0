"""How much is cracked: bars of groups, histograms of width and radial position, evolution over cycles, sensitivity."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.numerics.statistics import mean_interval
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SYMBOLS, Style
from analysis.cracks.figures_base import by_group, colours, faded, legend, number, titled
from analysis.cracks.sets import Rows, SetParams, rows, shares, together
from analysis.drawing import Trace, finish, nothing, safe

if TYPE_CHECKING:
    import plotly.graph_objects as go

PERCENT = 100.0
APART = 0.035  # of the axis, between groups at a cycle
FEW = 3  # particles from which a mean has an interval
RATIO_TITLE = "Crack volume ratio / %"
NONE = "No particle has a crack volume ratio."


class BarParams(SetParams):
    """How the bars are drawn."""

    log: bool = Field(True, title="Logarithmic axis")
    particles: bool = Field(True, title="Single particles as points")


class ShapeParams(SetParams):
    """Whether curves are of particles or of groups."""

    per: Literal["particles", "groups"] = Field("particles", title="A curve for each")


class HistogramParams(ShapeParams):
    """How a histogram is drawn."""

    cumulative: bool = Field(False, title="Added up from below")


class CycleParams(Params):
    """Cycle numbers of the particles, in the order of the items."""

    cycles: tuple[float, ...] = Field((), title="Cycle number of each particle")
    log: bool = Field(True, title="Logarithmic axis")


def _seen(item: Labelled) -> tuple[float | None, float | None, bool]:
    """Ratio in %, detection limit in %, and whether the ratio is below it."""
    ratio, limit = number(item, "crack_volume_ratio"), number(item, "detection_limit")
    below = ratio is not None and limit is not None and ratio < limit
    return _percent(ratio), _percent(limit), below


def _percent(value: float | None) -> float | None:
    return None if value is None else PERCENT * value


def bars(items: tuple[Labelled, ...], style: Style, params: BarParams) -> "go.Figure":
    """Mean crack volume ratio of each group with single particles; below the detection limit a particle is drawn hollow at the limit."""
    groups = {g: [i for i in members if _seen(i)[0] is not None] for g, members in by_group(items).items()}
    groups = {g: members for g, members in groups.items() if members}
    if not groups:
        return nothing(NONE, style)
    traces: list[Trace] = []
    for place, (group, members) in enumerate(groups.items()):
        traces += _bar(group, place, members, style, params)
    lowest = _lowest(items)
    axis: dict[str, Any] = {"title": {"text": RATIO_TITLE}, "rangemode": "tozero"}
    if params.log:
        axis = {"title": axis["title"], "type": "log", "range": [np.log10(lowest), np.log10(_highest(items)) + 0.3], "dtick": 1}
    told = [next(t["text"][0] for t in traces if t["type"] == "bar" and t["x"] == [k]) for k in range(len(groups))]
    ticks = {
        "tickvals": list(range(len(groups))),
        "ticktext": [f"{safe(g) or 'no group'}<br>{t}" for g, t in zip(groups, told, strict=True)],
    }
    note = "Bars: mean over particles, with its 95 % interval from 3 particles on. Hollow: below the detection limit, drawn at it."
    layout = {
        "xaxis": {**ticks, "title": titled("", items, style, note), "range": [-0.6, len(groups) - 0.4], "showgrid": False},
        "yaxis": axis,
        "showlegend": False,
        "bargap": 0.45,
    }
    return finish(traces, layout, style, f"bars {params.log}")


def _bar(group: str, place: int, members: list[Labelled], style: Style, params: BarParams) -> list[Trace]:
    seen = [_seen(i) for i in members]
    values = np.array([r for r, _, _ in seen if r is not None])
    over = mean_interval(values)
    all_below = all(below for _, _, below in seen)
    shown = max((limit or 0.0) for _, limit, _ in seen) if all_below else over.value
    colour = style.color(group)
    error = {}
    if values.size >= FEW and not all_below:
        error = {"error_y": {"type": "data", "array": [over.high - over.value], "arrayminus": [over.value - over.low], "color": style.ink}}
    said = f"< LOD ({shown:.2g} %)" if all_below else f"{over.value:.3g} %"
    text = f"{said}, n = {values.size}"
    look = {"color": "rgba(0,0,0,0)" if all_below else style.fill(group, 0.55), "line": {"color": colour, "width": 1.4}}
    bar: Trace = {"type": "bar", "x": [place], "y": [shown], "marker": look, "text": [text], "textposition": "none"}
    bar |= {"hovertemplate": f"{safe(group)}<br>{text}<extra></extra>", **error}
    return [bar, *([_points(place, members, seen, colour, style)] if params.particles else [])]


def _points(place: int, members: list[Labelled], seen: Sequence[tuple[Any, ...]], colour: str, style: Style) -> Trace:
    spread = 0.22 * (np.arange(len(members)) - (len(members) - 1) / 2) / max(1, len(members) - 1)
    y = [limit if below else ratio for ratio, limit, below in seen]
    symbols = ["circle-open" if below else "circle" for _, _, below in seen]
    words = [f"{legend(i)}: {'< ' if below else ''}{v:.3g} %" for i, v, (_, _, below) in zip(members, y, seen, strict=True)]
    marker = {"color": colour, "size": 7, "symbol": symbols, "line": {"color": style.ink, "width": 1}}
    return {"type": "scatter", "mode": "markers", "x": place + spread, "y": y, "marker": marker, "text": words, "hoverinfo": "text"}


def _lowest(items: Sequence[Labelled]) -> float:
    known = [v for i in items for r, limit, below in [_seen(i)] for v in ([limit] if below else [r, limit]) if v]
    return min(known, default=0.01) / 3


def _highest(items: Sequence[Labelled]) -> float:
    return max([r for i in items if (r := _seen(i)[0])], default=1.0)


def widths(items: tuple[Labelled, ...], style: Style, params: HistogramParams) -> "go.Figure":
    """Distribution of crack volume over width."""
    shown = tuple(i for i in items if i.data["width_volume"].values.sum() > 0)
    if not shown:
        return nothing("There are no cracks.", style)
    traces: list[Trace] = []
    for members, name, colour in _curves(shown, style, params, by=items):
        found = shares(members, "width", "width_volume")
        parts = PERCENT * (np.cumsum(found.y, axis=1) if params.cumulative else found.y)
        traces += _lines(members, name, colour, found.x, parts, "hvh")
    note = "Local thickness; slanted sheets are known to about a voxel. " + _weights(params)
    layout = {
        "xaxis": {"title": titled("Width of the crack / µm", shown, style, note), "rangemode": "tozero"},
        "yaxis": {"title": {"text": "Part of the crack volume / %"}, "rangemode": "tozero"},
    }
    return finish(traces, layout, style, f"width {params.cumulative}")


def radial(items: tuple[Labelled, ...], style: Style, params: ShapeParams) -> "go.Figure":
    """Part of each shell, from the core to the surface, that is crack."""
    traces: list[Trace] = []
    for members, name, colour in _curves(items, style, params, by=items):
        crack, whole = (rows(members, "radius", n) for n in ("radial_crack", "radial_envelope"))
        with np.errstate(invalid="ignore", divide="ignore"):
            traces += _lines(members, name, colour, crack.x, np.where(whole.y > 0, PERCENT * crack.y / whole.y, np.nan), "linear")
    title = titled("Radial position (0 core, 1 surface)", items, style, "Shells of equal steps of the depth.", _weights(params))
    layout = {
        "xaxis": {"title": title, "range": [0, 1]},
        "yaxis": {"title": {"text": "Crack volume of the shell / %"}, "rangemode": "tozero"},
    }
    return finish(traces, layout, style, "radial")


def _weights(params: ShapeParams) -> str:
    return "Thick: mean over particles of a group, thin: each particle." if params.per == "groups" else ""


Curve = tuple[tuple[Labelled, ...], str, str]  # particles, name, colour


def _curves(shown: tuple[Labelled, ...], style: Style, params: ShapeParams, *, by: Sequence[Labelled]) -> list[Curve]:
    """What is drawn together: the particles of a group, or each alone; ``by`` are all items, whose order the parameters have."""
    if params.per == "particles":
        return [((i,), legend(i), c) for i, c in zip(shown, colours(shown, style), strict=True)]
    found, drawn = [], {id(i) for i in shown}
    for one in together(by, params, by_state=False):
        members = tuple(i for i in one.items if id(i) in drawn)
        less = f", {len(members)} with cracks" if len(members) < len(one.items) else ""
        found += [(members, f"{safe(one.name)}, {one.count}{less}", style.color(one.group))] if members else []
    return found


def _lines(members: Sequence[Labelled], name: str, colour: str, x: np.ndarray, y: np.ndarray, shape: str) -> list[Trace]:
    """Thin lines of single particles under the thick one of their mean."""
    shared = {"type": "scatter", "mode": "lines", "x": x, "legendgroup": name}
    thin = {"color": faded(colour, 0.4), "width": 1, "shape": shape}
    traces: list[Trace] = []
    for item, own in zip(members, y, strict=True) if len(members) > 1 else ():
        hover = f"{legend(item)}: %{{x:.3g}}, %{{y:.3g}} %<extra></extra>"
        traces.append({**shared, "y": own, "line": thin, "showlegend": False, "hovertemplate": hover})
    mean = Rows(x, y).mean()
    return [*traces, {**shared, "y": mean, "line": {"color": colour, "width": 2.4, "shape": shape}, "name": name}]


def evolution(items: tuple[Labelled, ...], style: Style, params: CycleParams) -> "go.Figure":
    """Crack volume ratio against cycle number: single particles and the mean of each group at a cycle."""
    cycles = cycles_of(items, params)
    known = [(i, c, *_seen(i)) for i, c in zip(items, cycles, strict=True) if c is not None and _seen(i)[0] is not None]
    if not known:
        return nothing("No particle has both a cycle number and a crack volume ratio.", style)
    traces: list[Trace] = []
    groups = list(dict.fromkeys(i.group for i, *_ in known))
    last = max(c for _, c, *_ in known)
    apart = APART * max(last, 1.0)
    for k, group in enumerate(groups):
        mine = [row for row in known if row[0].group == group]
        traces += _course(group, mine, style, SYMBOLS[k % len(SYMBOLS)], apart * (k - (len(groups) - 1) / 2))
    axis: dict[str, Any] = {"title": {"text": RATIO_TITLE}, **({"type": "log", "dtick": 1} if params.log else {"rangemode": "tozero"})}
    several = len({c for _, c, *_ in known}) > 1
    told = "Different particles at each cycle." if several else "All particles are of one cycle: import others to see how cracks grow."
    note = f"{told} Dash: mean over particles [95 % from 3 on]. Hollow: below the detection limit, drawn at it."
    x = {"title": titled("Cycle", [i for i, *_ in known], style, note), "range": [-0.05 * max(last, 1.0), 1.12 * max(last, 1.0)]}
    return finish(traces, {"xaxis": x, "yaxis": axis}, style, f"evolution {params.log}")


def cycles_of(items: Sequence[Labelled], params: CycleParams) -> list[float | None]:
    """The cycle number of each item, as given or as its result has it."""
    given = [*params.cycles, *([None] * len(items))]
    return [given[k] if given[k] is not None else item.data.attrs.get("cycle_number") for k, item in enumerate(items)]


def _course(group: str, rows: list[tuple[Any, ...]], style: Style, symbol: str, shift: float) -> list[Trace]:
    """Points of single particles, beside each other where groups meet at a cycle, and the line of their means."""
    colour = style.color(group)
    x = [c + shift for _, c, *_ in rows]
    y = [limit if below else ratio for _, _, ratio, limit, below in rows]
    symbols = [f"{symbol}-open" if below else symbol for *_, below in rows]
    words = [f"{legend(i)}, cycle {c:g}: {'< ' if b else ''}{v:.3g} %" for (i, c, _, _, b), v in zip(rows, y, strict=True)]
    marker = {"color": colour, "size": 6, "symbol": symbols, "opacity": 0.75}
    points: Trace = {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": marker, "text": words, "hoverinfo": "text"}
    at = sorted({c for _, c, *_ in rows})
    over = [mean_interval(np.array([row[2] for row in rows if row[1] == c])) for c in at]
    said = [f"{safe(group)}, cycle {c:g}: mean {o.value:.3g} % of n = {o.n}" for c, o in zip(at, over, strict=True)]
    line: Trace = {"type": "scatter", "mode": "lines+markers", "x": [c + shift for c in at], "y": [o.value for o in over], "text": said}
    line |= {"line": {"color": colour, "width": 1.6}, "name": safe(group), "hoverinfo": "text"}
    line["marker"] = {"symbol": "line-ew", "size": 18, "color": colour, "line": {"color": colour, "width": 2.6}}
    half = [o.high - o.value if o.n >= FEW else 0.0 for o in over]
    line["error_y"] = {"type": "data", "array": half, "color": colour, "thickness": 1.2, "width": 4}
    return [line, {**points, "showlegend": False}]


def sensitivity(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """How the ratio changes when a setting is a fifth lower or a quarter higher."""
    if not items:
        return nothing("Choose particles above: every setting is tried on them, which takes minutes.", style)
    traces: list[Trace] = []
    for item, colour in zip(items, colours(items, style), strict=True):
        names = item.data["parameter"].values.astype(str)
        ratio = PERCENT * item.data["ratio"].values
        words = [f"{n} = {v:.3g}" for n, v in zip(names, item.data["value"].values, strict=True)]
        marker = {"color": colour, "size": 8}
        traces.append({"type": "scatter", "mode": "markers", "x": ratio, "y": names, "marker": marker, "text": words, "name": legend(item)})
    layout = {
        "xaxis": {"title": titled(RATIO_TITLE, items, style, "Each setting × 0.8 and × 1.25.")},
        "yaxis": {"title": {"text": "Setting"}},
    }
    return finish(traces, layout, style, "sensitivity")
