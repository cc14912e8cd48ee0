"""What the figures of spectra share: names in legends, notes below the axis, marker lines, the frame."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from analysis import drawing
from analysis.core.data import warnings_of
from analysis.core.errors import ParamError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import DASHES, Style, legend_name, origin_note
from analysis.drawing import Trace, safe
from analysis.spectra.curves import calibrated_on

if TYPE_CHECKING:
    import plotly.graph_objects as go

EV: dict[str, Any] = {"unit": "eV"}
STATE_MARK = " · "  # what stands before the state in a label: "C1 · charged"
STATES = ("charged", "discharged", "pristine")  # always the same dash and the same order
CROWDED = 0.045  # of the shown range: names of markers that are nearer to one another stand below one another
LOWER = 0.2  # of the height
LEGEND_COLUMN = {2: 0.48, 3: 0.32}  # of the width, for an entry, by how many stand in a row
LEGEND_PX = 10
BELOW_PX = 42  # from the axis to the notes: ticks and title of the axis
NOTE_LENGTH = {"wide": 106, "narrow": 60}  # characters of a line of notes below a figure on the screen
NOTE_PX = {"screen": 10.5, "single": 8, "double": 8}
ENERGY_TITLE = "Photon energy / eV"


class SpectrumFigureParams(Params):
    """What every figure with an energy axis can be asked."""

    low: float | None = Field(None, title="Shown from", json_schema_extra=EV)
    high: float | None = Field(None, title="Shown to", json_schema_extra=EV)
    markers: tuple[str, ...] = Field((), title="Marker lines as name@energy")


def names(item: Labelled) -> list[str]:
    """A name for every spectrum of an item: its label, with the spectrum's own name where there are several."""
    own = [str(n) for n in item.data["name"].values]
    return [item.label] if len(own) == 1 else [n if n.startswith(item.label) else f"{item.label}{STATE_MARK}{n}" for n in own]


def legend(name: str, item: Labelled) -> str:
    return safe(legend_name(name, item.origin))


def dash_of(item: Labelled, items: Sequence[Labelled]) -> str:
    """The line's dash by state, the same in every figure; states of other names follow in their order."""
    known = [*STATES, *dict.fromkeys(s for i in items if (s := state_of(i)) not in ("", *STATES))]
    state = state_of(item)
    return DASHES[known.index(state) % len(DASHES)] if state else DASHES[0]


def state_of(item: Labelled) -> str:
    """The part of a label after the last " · ", "" where there is none."""
    return item.label.rpartition(STATE_MARK)[2] if STATE_MARK in item.label else ""


def is_mean(item: Labelled) -> bool:
    """Whether an item is the mean over samples."""
    return "n_samples" in item.data


def colours(items: Sequence[Labelled], style: Style) -> list[str]:
    """Colour of every item: that of its group, or along a sequence where there are no groups."""
    if any(i.group in style.groups for i in items):
        return [style.color(i.group) for i in items]
    return style.sequence(len(items))


def markers(wanted: Sequence[str], style: Style, shown: float = 0.0) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Vertical lines and their names from ``name@energy``; ``shown`` is the width of the drawn range (eV, 0: not known)."""
    shapes, names_drawn = [], []
    level, before = 0, -np.inf
    for name, x in sorted(map(_marker, wanted), key=lambda m: m[1]):
        line = {"color": style.muted, "width": 1, "dash": "dot"}
        shapes.append({"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", "line": line})
        level = level + 1 if x - before < CROWDED * shown else 0
        place = {
            "x": x,
            "xref": "x",
            "y": 1 - LOWER * (level % 4),
            "yref": "y domain",
            "yanchor": "top",
            "xanchor": "left",
            "textangle": -90,
        }
        look = {"font": {"size": NOTE_PX[style.size], "color": style.muted}, "bgcolor": style.template()["layout"]["paper_bgcolor"]}
        names_drawn.append({**place, **look, "text": safe(name), "showarrow": False, "borderpad": 0, "opacity": 0.85})
        before = x
    return shapes, names_drawn


def _marker(text: str) -> tuple[str, float]:
    name, _, energy = text.rpartition("@")
    try:
        return name.strip(), float(energy)
    except ValueError as err:
        raise ParamError(f"'{text}' is not a marker.", hint="Write it as name@energy, such as P–Sx–P@2472.0.") from err


def span(params: SpectrumFigureParams, traces: Sequence[Trace]) -> float:
    """Width (eV) of the drawn energies."""
    if params.low is not None and params.high is not None:
        return params.high - params.low
    ends = [(float(t["x"][0]), float(t["x"][-1])) for t in traces if len(t.get("x", ())) and t.get("xaxis", "x") == "x"]
    return max((e[1] for e in ends), default=0.0) - min((e[0] for e in ends), default=0.0)


def notes_of(items: Sequence[Labelled]) -> list[str]:
    """What must be read beside the figure: origin, calibration, badges."""
    origin = origin_note({i.origin for i in items})
    said = [f"{origin[:1].upper()}{origin[1:]}."] if origin else []
    return [*said, *_calibrations(items), *_badges(items)]


def _calibrations(items: Sequence[Labelled]) -> list[str]:
    found: dict[str, None] = {}
    for item in items:
        note = item.data.attrs.get("calibration")
        if note:
            found[calibrated_on(note)] = None
    if not found:
        return []
    some = " (some spectra only)" if any(not i.data.attrs.get("calibration") for i in items) else ""
    return [f"Energies calibrated on {', '.join(found)}{some}."]


def _badges(items: Sequence[Labelled]) -> list[str]:
    said = [w for i in items for w in warnings_of(i.data) if w.startswith("Uncorrected")]
    return ["Fluorescence not corrected for self-absorption: heights unreliable."] if said else []


def energy_axis(params: SpectrumFigureParams) -> dict[str, Any]:
    """The energy axis with its range."""
    shown = {"range": [params.low, params.high]} if params.low is not None and params.high is not None else {}
    return {"title": {"text": ENERGY_TITLE}, **shown}


def notes(items: Sequence[Labelled], *extra: str) -> list[str]:
    """What stands below a figure: origin, calibration, badges, and what else is to be said."""
    return [*notes_of(items), *(e for e in extra if e)]


def _with_notes(layout: dict[str, Any], style: Style) -> dict[str, Any]:
    """The layout with its notes as text below the axis title, and room for them."""
    said, width = layout.pop("notes", ()), layout.pop("width_of_notes", "wide")
    length = NOTE_LENGTH[width] if style.size == "screen" else NOTE_LENGTH["narrow" if style.size == "single" else "wide"]
    lines = textwrap.wrap(" ".join(said), length)
    if not lines:
        return layout
    size = NOTE_PX[style.size]
    place = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": 0, "yanchor": "top", "yshift": -BELOW_PX, "xshift": -40}
    look = {"align": "left", "showarrow": False, "font": {"size": size, "color": style.muted}}
    text = {**place, **look, "name": "notes", "text": "<br>".join(map(safe, lines))}
    room = {"l": 56, "r": 12, "t": 10, "b": BELOW_PX + 4 + 1.35 * size * len(lines)}
    return {**layout, "annotations": [*layout.get("annotations", ()), text], "margin": room}


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **properties: Any) -> Trace:
    """A line without the points that a spectrum does not have."""
    own = np.isfinite(y)
    look = {"color": colour, "width": 1.6, **properties.pop("line", {})}
    return {"type": "scatter", "mode": "lines", "x": x[own], "y": y[own], "name": name, "line": look, **properties}


def finish(traces: Sequence[Trace], layout: dict[str, Any], style: Style, revision: str) -> "go.Figure":
    """The figure of these traces. The same ``revision`` keeps a reader's zoom when the data change."""
    return drawing.finish(traces, _with_notes(dict(layout), style), style, revision)


def trace_id(item: Labelled) -> dict[str, Any]:
    """What switches the traces of one cell off in the browser; means stay, they are made anew without it."""
    return {} if is_mean(item) or not item.id else {"meta": {"id": item.id}}


def visible_range(curves: Sequence[tuple[np.ndarray, np.ndarray]], params: SpectrumFigureParams) -> dict[str, Any]:
    """Range of the value axis that holds what the shown energies hold, with a margin; all where no range is set."""
    if params.low is None or params.high is None:
        return {}
    inside = [y[(x >= params.low) & (x <= params.high) & np.isfinite(y)] for x, y in curves]
    values = np.concatenate([v for v in inside if v.size] or [np.array([0.0, 1.0])])
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * max(high - low, 1e-9)
    return {"range": [low - margin, high + margin]}


def columns_of_legend(count: int, columns: int = 3) -> dict[str, Any]:
    """A legend in even columns, so that groups stand under one another."""
    width = {"entrywidth": LEGEND_COLUMN[columns], "entrywidthmode": "fraction", "font": {"size": LEGEND_PX}}
    return width if count > columns or columns < 3 else {}
