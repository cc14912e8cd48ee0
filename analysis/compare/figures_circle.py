"""The vicious circle of cracks, isolation and uneven charge as a diagram whose arrows carry what this study measured.

After the schematic of the interplay in layered oxide cathodes of solid-state batteries: cracks cut domains off, cut-off domains keep
their state of charge, uneven charge strains the particle and opens cracks further; domains that do not take part are lost capacity, and
reactions at the interface make the way of the ions uneven. An arrow says what drives what; its numbers are rank correlations from cell to
cell within groups, which do not prove that it does.
"""

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.compare.figures_base import of_schema, origins, small
from analysis.compare.metrics import KNOWN
from analysis.compare.replicates import OTHER_CYCLE
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import finish

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Node:
    """A box of the diagram: what it says, the metric that stands for it, and where it is (0–1)."""

    title: str
    metric: str
    x: float
    y: float


NODES = {
    "cracks": Node("Cracks", "cracks.ratio", 0.19, 0.93),
    "isolated": Node("Isolated domains", "cracks.isolated", 0.81, 0.93),
    "uneven": Node("Uneven state<br>of charge", "xanes.spread_discharged", 0.21, 0.52),
    "interface": Node("Reactions at<br>the interface", "spectra.bridging_charged", 0.21, 0.08),
    "activity": Node("Active material<br>that takes part", "xanes.activity", 0.81, 0.52),
    "capacity": Node("Capacity kept", "cycling.retention", 0.81, 0.08),
}


@dataclass(frozen=True)
class Arrow:
    """From one box to another: why, and how the sign of its correlation is expected if it holds."""

    start: str
    end: str
    why: str
    expected: int


ARROWS = (
    Arrow("cracks", "isolated", "cut domains off", 1),
    Arrow("isolated", "uneven", "keep their charge", 1),
    Arrow("uneven", "cracks", "strains and opens", 1),
    Arrow("interface", "uneven", "hinders ions unevenly", 1),
    Arrow("isolated", "activity", "do not take part", -1),
    Arrow("activity", "capacity", "is what stores charge", 1),
    Arrow("uneven", "capacity", "is charge left behind", -1),
)
PAIRS = tuple((NODES[a.start].metric, NODES[a.end].metric) for a in ARROWS)
ABOUT = (
    "Rank correlations from cell to cell within groups; (g): not at equal cycles, group level. Grey: the sign is not the one that the "
    "arrow stands for."
)
LABEL_SHIFT = 0.5  # along the arrow
ABOVE = 0.045  # of the picture's height, between an arrow and the label on top of it
HALF_WIDTH, HALF_HEIGHT = 0.17, 0.06  # of a box, with a little room
ALONG = {("isolated", "uneven"): 0.68, ("uneven", "capacity"): 0.74}


def circle(items: tuple[Labelled, ...], style: Style, _params: Params) -> "go.Figure":
    """Boxes and arrows; an arrow's weight is the size of its correlation, its label ρ, p and n, or "not enough data"."""
    found = of_schema(items, "compare.correlation")
    notes: list[dict[str, Any]] = []
    for arrow in ARROWS:
        notes += _arrow(arrow, found, style)
    notes += [_box(node, style) for node in NODES.values()]
    said = f"{ABOUT} {origins(items)}".strip()
    notes.append(_text("<br>".join(textwrap.wrap(said, 64)), -0.03, -0.09, style, anchor="left"))
    hidden = {"visible": False, "fixedrange": True}
    layout = {
        "xaxis": {**hidden, "range": [-0.04, 1.04]},
        "yaxis": {**hidden, "range": [-0.13, 1.08]},
        "annotations": notes,
        "showlegend": False,
        "margin": {"l": 8, "r": 8, "t": 6, "b": 6},
        "dragmode": False,
    }
    return finish([], layout, style, "compare.circle")


def _box(node: Node, style: Style) -> dict[str, Any]:
    metric = KNOWN[node.metric].title
    return {
        "text": f"<b>{node.title}</b><br><span style='font-size:{small(style)}px'>{metric}</span>",
        "x": node.x,
        "y": node.y,
        "showarrow": False,
        "bordercolor": style.muted,
        "borderwidth": 1,
        "borderpad": 6,
        "bgcolor": _ground(style),
        "align": "center",
    }


def _ground(style: Style) -> str:
    return "#ffffff" if style.theme == "light" else "#1f252d"


def _arrow(arrow: Arrow, found: xr.Dataset | None, style: Style) -> list[dict[str, Any]]:
    """The arrow itself, from rim to rim of its boxes, and its label beside the middle."""
    start, end = NODES[arrow.start], NODES[arrow.end]
    k = _row(found, start.metric, end.metric)
    rho = float(found["rho"].values[k]) if found is not None and k is not None else np.nan
    known = np.isfinite(rho)
    dx, dy = end.x - start.x, end.y - start.y
    length = float(np.hypot(dx, dy))
    gap_a, gap_b = _rim(dx, dy), _rim(dx, dy)
    tail = (start.x + dx / length * gap_a, start.y + dy / length * gap_a)
    head = (end.x - dx / length * gap_b, end.y - dy / length * gap_b)
    line = {
        "x": head[0],
        "y": head[1],
        "ax": tail[0],
        "ay": tail[1],
        "xref": "x",
        "yref": "y",
        "axref": "x",
        "ayref": "y",
        "text": "",
        "showarrow": True,
        "arrowhead": 2,
        "arrowsize": 1,
        "arrowwidth": 1.2 + 3.3 * abs(rho) if known else 1.2,
        "arrowcolor": (style.muted if rho * arrow.expected < 0 else style.ink)
        if known
        else style.grid
        if style.theme == "dark"
        else "#b8c0ca",
    }
    along = ALONG.get((arrow.start, arrow.end), LABEL_SHIFT)
    x, y = tail[0] + along * (head[0] - tail[0]), tail[1] + along * (head[1] - tail[1])
    numbers = _numbers(found, k)
    said = f"<i>{arrow.why}</i><br>{numbers.replace(', n =', '<br>n =') if style.size == 'single' else numbers}"
    if dy == 0:  # between two boxes side by side there is no room on the arrow, only above it
        return [line, {**_text(said, x, y + ABOVE, style), "yanchor": "bottom"}]
    return [line, {**_text(said, x, y, style), "bgcolor": _ground(style), "borderpad": 1}]


def _rim(dx: float, dy: float) -> float:
    """Distance from a box's middle to its rim in the direction of the arrow, in the units of the picture."""
    length = float(np.hypot(dx, dy))
    return min(HALF_WIDTH * length / max(abs(dx), 1e-9), HALF_HEIGHT * length / max(abs(dy), 1e-9))


def _row(found: xr.Dataset | None, x: str, y: str) -> int | None:
    if found is None:
        return None
    at = np.flatnonzero((found["x"].values.astype(str) == x) & (found["y"].values.astype(str) == y))
    return int(at[0]) if at.size else None


def _numbers(found: xr.Dataset | None, k: int | None) -> str:
    if found is None or k is None:
        return "not enough data"
    rho, p, n = (float(found[v].values[k]) for v in ("rho", "p", "n"))
    if not np.isfinite(rho):
        return f"not enough data (n = {n:.0f})"
    group_level = " (g)" if str(found["pairing"].values[k]) == OTHER_CYCLE else ""
    return f"ρ = {rho:+.2f}, p = {p:.2g}, n = {found['counts'].values[k]}{group_level}".replace("-", "\u2212")


def _text(text: str, x: float, y: float, style: Style, *, anchor: str = "center") -> dict[str, Any]:
    align = {"align": "left"} if anchor == "left" else {}
    font = {"size": small(style), "color": style.muted if anchor == "left" else style.ink}
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": font, "xanchor": anchor, **align}
