"""Figures over the cycle number: capacity with coulombic efficiency, any per-cycle quantity, retention."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.cycling.figures_base import (
    FigureParams,
    axis_text,
    common_units,
    customdata,
    float32,
    hover,
    is_regular,
    plural,
    text_values,
    title_with_notes,
    trace_of,
    unit_text,
    with_legend,
)
from analysis.cycling.schemas import CYCLES
from analysis.drawing import Trace, nothing
from analysis.drawing import finish_units as finish

if TYPE_CHECKING:
    import plotly.graph_objects as go

# Plotly's numbers of marker symbols; 100 more is the hollow one. Numbers travel as bytes, names as text.
CIRCLE, SQUARE, DIAMOND, TRIANGLE, HOLLOW = 0, 1, 2, 5, 100
MARKER_PX = 5
LINE_PX = 1.6
MARKERS_UP_TO = 60  # regular cycles; more are drawn as a line
MARKERS_ON_A_LINE = 12
SMALL_PX = 10  # words inside the plot
RATIOS = ("coulombic_efficiency", "energy_efficiency")  # stored as ratios, shown in %
CE_RANGE = (90.0, 102.0)  # %; widened in steps of 5 where the bulk of the cycles needs it
NO_CYCLES = "No cycles to show. Choose cells whose cycling data have been imported."

Quantity = Literal[
    "discharge_capacity",
    "charge_capacity",
    "coulombic_efficiency",
    "energy_efficiency",
    "mean_charge_voltage",
    "mean_discharge_voltage",
    "hysteresis",
    "polarisation",
    "charge_energy",
    "discharge_energy",
    "charge_current",
    "discharge_current",
    "duration",
]


class CycleAxisParams(FigureParams):
    """How cycles are counted, and which are pointed at."""

    x: Literal["absolute", "after_formation"] = Field(
        "absolute", title="Cycle axis", description="the other count stands on the top axis where all cells have the same formation"
    )
    selected: tuple[int, ...] = Field((), title="Highlighted cycles", description="absolute cycle numbers")


class CapacityParams(CycleAxisParams):
    show_charge: bool = Field(False, title="Show charge capacity")


class QuantityParams(CycleAxisParams):
    quantity: Quantity = Field("energy_efficiency", title="Quantity")


@dataclass(frozen=True)
class CycleAxis:
    """The cycle axis below the plot and, where all cells agree, the other count above it."""

    absolute: bool
    formations: tuple[int, ...]  # last formation cycle of each cell, 0 without formation
    special: tuple[str, ...]  # what else makes cycles irregular
    first: float  # of the cycles, as they are counted here
    last: float

    @classmethod
    def of(cls, items: Sequence[Labelled], mode: str) -> "CycleAxis":
        formations = tuple(formation_end(i) for i in items)
        offsets = [0 if mode == "absolute" else f for f in formations]
        cycles = [i.data["cycle"].values - o for i, o in zip(items, offsets, strict=True)]
        low = min((float(c.min()) for c in cycles if c.size), default=0.0)
        high = max((float(c.max()) for c in cycles if c.size), default=1.0)
        return cls(mode == "absolute", formations, _special(items), low, high)

    def x(self, index: int, cycles: np.ndarray) -> np.ndarray:
        """Where the cycles of item ``index`` stand."""
        return (cycles if self.absolute else cycles - self.formations[index]).astype(np.int32)

    @property
    def shared(self) -> int:
        """Formation cycles of every cell; 0 where they differ or there are none."""
        return self.formations[0] if len(set(self.formations)) == 1 else 0

    def limits(self, shift: int = 0) -> list[float]:
        """From the first to the last cycle, with a rim."""
        rim = max(0.6, 0.02 * (self.last - self.first))
        return [self.first - rim + shift, self.last + rim + shift]

    @property
    def words(self) -> tuple[str, str]:
        both = ("Cycle", "Cycle after formation")
        return both if self.absolute else both[::-1]

    @property
    def notes(self) -> list[str]:
        least, most = min(self.formations), max(self.formations)
        span = f"{most} {plural(most, 'cycle')}" if least == most else f"{least} to {most} cycles"
        hollow = [f"formation ({span})"] if most else []
        hollow += self.special
        return [f"Hollow: {', '.join(hollow)}."] if hollow else []

    def layout(self, items: Sequence[Labelled], notes: Sequence[str], style: Style, *, hollow: bool = True) -> dict[str, Any]:
        said = [*(self.notes if hollow else []), *notes]
        bottom = {"title": title_with_notes(self.words[0], items, said, style), "range": self.limits()}
        if not self.shared:
            return {"xaxis": bottom}
        shift = -self.shared if self.absolute else self.shared
        top = {
            "range": self.limits(shift),
            "overlaying": "x",
            "side": "top",
            "ticks": "inside",
            "ticklabelposition": "inside",  # outside stands the legend, whose height nobody knows before drawing
            "tickfont": {"color": style.muted, "size": SMALL_PX},
            "showgrid": False,
            "mirror": False,
            "tickmode": "auto",  # plotly would put the ticks of the lower axis here, at odd numbers
        }
        return {"xaxis": bottom, "xaxis2": top}

    def carriers(self) -> list[Trace]:
        """Two invisible traces with the same ends, one on each axis.

        Plotly draws the top axis only where a trace uses it, and both axes agree when plotly chooses their range.
        """
        if not self.shared:
            return []
        look = {"type": "scatter", "mode": "markers", "y": [None, None], "yaxis": "y", "hoverinfo": "skip", "showlegend": False}
        top = -self.shared if self.absolute else self.shared
        ends = (("x", 0), ("x2", top))
        return [{**look, "xaxis": axis, "x": [self.first + shift, self.last + shift]} for axis, shift in ends]

    def marks(self, selected: Sequence[int], style: Style) -> dict[str, Any]:
        """Shapes and words: the shaded formation, what the top axis counts, a line at each highlighted cycle."""
        words = []
        shapes = self._selection_lines(selected, style)
        small = {"showarrow": False, "font": {"size": SMALL_PX, "color": style.muted}, "yref": "paper"}
        last = max(self.formations)
        if last:
            end = 0.5 + (last if self.absolute else 0)
            fill = {"fillcolor": style.muted, "opacity": 0.14, "line": {"width": 0}, "layer": "below"}
            shapes.append({"type": "rect", "xref": "x", "yref": "paper", "x0": end - last, "x1": end, "y0": 0, "y1": 1, **fill})
            other = "counts after it" if self.absolute else "counts all cycles"
            text = "◂ formation" + (f"; the top axis {other}" if self.shared else "")
            words.append({"text": text, **small, "x": end, "xref": "x", "xanchor": "left", "y": 0.01, "yanchor": "bottom"})
        return {"shapes": shapes, "annotations": words}

    def _selection_lines(self, selected: Sequence[int], style: Style) -> list[dict[str, Any]]:
        """A dotted line at each highlighted cycle, where a cycle stands at one place for all cells."""
        if not self.absolute and not self.shared:
            return []
        x = [c if self.absolute else c - self.shared for c in selected]
        look = {"line": {"color": style.muted, "width": 1, "dash": "dot"}, "layer": "below"}
        return [{"type": "line", "xref": "x", "yref": "paper", "x0": c, "x1": c, "y0": 0, "y1": 1, **look} for c in x]


def _special(items: Sequence[Labelled]) -> tuple[str, ...]:
    """Kinds of cycles besides regular ones and formation, and whether some are cut off."""
    kinds = {k for i in items for k in np.unique(text_values(i.data["kind"])).tolist()} - {"cycle", "formation"}
    cut = any((~is_regular(i) & (text_values(i.data["kind"]) == "cycle")).any() for i in items)
    return (*sorted(kinds), *(("cut off",) if cut else ()))


def formation_end(item: Labelled) -> int:
    """Number of the last formation cycle of a cell, 0 without formation."""
    formation = item.data["cycle"].values[text_values(item.data["kind"]) == "formation"]
    return int(formation.max()) if formation.size else 0


def capacity(items: tuple[Labelled, ...], style: Style, params: CapacityParams) -> "go.Figure":
    """Capacity (left) and coulombic efficiency (right) against cycle; formation hollow and shaded.

    The efficiency axis covers the bulk; how many points lie outside is said below, and a double click shows them.
    """
    shown = tuple(i for i in items if i.data.sizes.get("cycle", 0))
    if not shown:
        return nothing(NO_CYCLES, style)
    units = common_units(shown, "discharge_capacity")
    axis = CycleAxis.of(shown, params.x)
    traces: list[Trace] = []
    for k, item in enumerate(shown):
        traces += _points(item, axis, k, "discharge_capacity", CIRCLE, style)
        if params.show_charge:
            traces += _points(item, axis, k, "charge_capacity", TRIANGLE, style, opacity=0.6)
        traces += [{**t, "yaxis": "y2"} for t in _points(item, axis, k, "coulombic_efficiency", DIAMOND, style, size=4)]
    low, high, outside = efficiency_range(shown)
    rings = selection_rings(traces, params.selected, style)
    top = max((float(np.nanmax(t["y"], initial=0.0)) for t in traces if "yaxis" not in t), default=1.0) or 1.0
    title = "● Discharge, ▲ charge" if params.show_charge else "● Discharge capacity"
    layout = {
        **axis.layout(shown, [convention_note(shown), _outside_note(outside, "CE point")], style),
        "yaxis": {"title": {"text": axis_text(title, units)}, "range": [0, 1.4 * top], "mirror": False},
        "yaxis2": {
            "title": {"text": "◆ Coulombic efficiency / %"},
            "range": [low, high],
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "tickmode": "auto",  # plotly would put the ticks of the left axis here, at odd numbers
        },
        **axis.marks(params.selected, style),
    }
    return finish([*with_legend(traces, params.legend), *rings, *axis.carriers()], layout, style, f"capacity {params.x}")


def quantity(items: tuple[Labelled, ...], style: Style, params: QuantityParams) -> "go.Figure":
    """One per-cycle quantity of all cells against cycle; efficiencies in %, times in h."""
    name = params.quantity
    filled = tuple(i for i in items if i.data.sizes.get("cycle", 0))
    shown = tuple(i for i in filled if name in i.data and np.isfinite(i.data[name].values).any())
    if not shown:
        return nothing(f"No {CYCLES.variables[name].title.lower()} is known of these cells." if filled else NO_CYCLES, style)
    common_units(shown, name)
    axis = CycleAxis.of(shown, params.x)
    traces = [t for k, item in enumerate(shown) for t in _points(item, axis, k, name, CIRCLE, style)]
    low, high, outside = regular_range(shown, name)
    layout = {
        **axis.layout(shown, [_outside_note(outside, "point"), _missing_note(filled, shown)], style),
        "yaxis": {"title": {"text": f"{CYCLES.variables[name].title} / {displayed(shown[0], name)[1]}"}, "range": [low, high]},
        **axis.marks(params.selected, style),
    }
    rings = selection_rings(traces, params.selected, style)
    return finish([*with_legend(traces, params.legend), *rings, *axis.carriers()], layout, style, f"{name} {params.x}")


def _missing_note(items: Sequence[Labelled], shown: Sequence[Labelled]) -> str:
    lacking = [i.label for i in items if i not in shown]
    return f"Not known of {', '.join(lacking[:3])}{' and others' if len(lacking) > 3 else ''}." if lacking else ""


def regular_range(items: Sequence[Labelled], name: str) -> tuple[float, float, int]:
    """Limits that hold all regular cycles, with room for the top axis' labels, and how many points lie outside."""
    values = np.concatenate([displayed(i, name)[0] for i in items])
    regular = np.concatenate([is_regular(i) for i in items])
    finite = np.isfinite(values)
    low, high = room_for_labels(values[finite & regular] if (finite & regular).any() else values)
    return low, high, int((finite & ((values < low) | (values > high))).sum())


def room_for_labels(values: np.ndarray) -> tuple[float, float]:
    """Limits that hold the finite values, with room below for a word and above for the top axis' labels."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    span = (high - low) or 0.1 * abs(high) or 1.0
    return low - 0.15 * span, high + 0.25 * span


def displayed(item: Labelled, name: str) -> tuple[np.ndarray, str]:
    """Values of a per-cycle quantity and their unit as people read them: ratios in %, durations in h, currents in mA."""
    values, units = item.data[name].values, str(item.data[name].attrs["units"])
    if name in RATIOS:
        return 100.0 * values, "%"
    if units == "s":
        return values / 3600.0, "h"
    if units == "A":
        return 1000.0 * values, "mA"
    return values, unit_text(units)


def _points(
    item: Labelled, axis: CycleAxis, index: int, name: str, symbol: int, style: Style, *, size: int = MARKER_PX, opacity: float = 0.85
) -> list[Trace]:
    """One cell and quantity: its regular cycles, and hollow markers where a cycle is not a regular one.

    Long tests are lines with a marker now and then: thousands of markers take a browser seconds to draw.
    """
    values, unit = displayed(item, name)
    said = f"{CYCLES.variables[name].title.lower()}: %{{y:.4~g}} {unit}"
    regular = is_regular(item)
    made: list[Trace] = []
    for kept, hollow in ((regular, False), (~regular, True)):
        cycles = item.data["cycle"].values[kept]
        if not cycles.size:
            continue
        marker = {"color": style.color(item.group), "symbol": symbol + (HOLLOW if hollow else 0), "size": size, "opacity": opacity}
        remarks = _remarks(*(text_values(item.data[word])[kept] for word in ("kind", "flags")))
        trace = trace_of(
            item,
            mode="markers",
            x=axis.x(index, cycles),
            y=float32(values[kept]),
            marker={**marker, "line": {"width": 1 if hollow else 0}},
            customdata=customdata(item, cycles),
            hovertemplate=hover(item, "cycle %{customdata[1]}" + ("%{text}" if any(remarks) else ""), said),
        )
        if any(remarks):
            trace["text"] = remarks
        made.append({**trace, **_as_line(style.color(item.group), marker)} if not hollow and cycles.size > MARKERS_UP_TO else trace)
    return made


def _as_line(color: str, marker: dict[str, Any]) -> dict[str, Any]:
    line = {"color": color, "width": LINE_PX, "simplify": False}
    return {"mode": "lines+markers", "line": line, "marker": {**marker, "maxdisplayed": MARKERS_ON_A_LINE, "line": {"width": 0}}}


def _remarks(kinds: np.ndarray, flags: np.ndarray) -> list[str]:
    """What the hover text adds to a cycle's number: its kind where it is not a regular one, and its flags."""
    both = list(zip(kinds.tolist(), flags.tolist(), strict=True))
    words = {(k, f): [*([k] if k != "cycle" else []), *(w.replace("_", " ") for w in f.split())] for k, f in set(both)}
    said = {pair: f" ({', '.join(w)})" if w else "" for pair, w in words.items()}
    return [said[pair] for pair in both]


def efficiency_range(items: Sequence[Labelled]) -> tuple[float, float, int]:
    """Limits in % that hold the bulk (5th to 95th percentile) of regular cycles, and how many points lie outside."""
    values = np.concatenate([100.0 * i.data["coulombic_efficiency"].values for i in items])
    regular = np.concatenate([is_regular(i) for i in items])
    finite = np.isfinite(values)
    low, high = CE_RANGE
    bulk = values[finite & regular] if (finite & regular).any() else values[finite]
    if bulk.size:
        p5, p95 = np.percentile(bulk, [5, 95])
        low = low if p5 >= low else max(0.0, 5.0 * np.floor(p5 / 5.0 - 0.2))
        high = high if p95 <= high else 5.0 * np.ceil(p95 / 5.0 + 0.2)
    inside = (values >= low) & (values <= high)
    return float(low), float(high), int((finite & ~inside).sum())


def convention_note(items: Sequence[Labelled]) -> str:
    """What over what the coulombic efficiency is, as the results state it."""
    stated = {str(i.data.attrs.get("efficiency", "")).removesuffix(" of the same cycle").replace(" / ", "/") for i in items}
    said = sorted(stated - {""})
    return f"CE = {' or '.join(said)}." if said else ""


def _outside_note(outside: int, kind: str) -> str:
    return f"{outside} {plural(outside, kind)} off the axis (double-click)." if outside else ""


def selection_rings(traces: Sequence[Trace], selected: Sequence[int], style: Style) -> list[Trace]:
    """Rings around the points of the highlighted cycles; the points below them still answer hover and click."""
    rings: list[Trace] = []
    for y_axis in ("y", "y2"):
        picked = [(t["x"][i], t["y"][i]) for t in traces if t.get("yaxis", "y") == y_axis for i in _at(t, selected)]
        if picked:
            x, y = (np.array(v) for v in zip(*picked, strict=True))
            ring = {"symbol": CIRCLE + HOLLOW, "size": MARKER_PX + 4, "color": style.ink, "line": {"width": 1}}
            look = {"mode": "markers", "marker": ring, "hoverinfo": "skip", "showlegend": False, "name": "highlighted"}
            rings.append({"type": "scatter", "x": x, "y": y, "yaxis": y_axis, **look})
    return rings


def _at(trace: Trace, selected: Sequence[int]) -> list[int]:
    wanted = set(selected)
    return [i for i, (_, cycle) in enumerate(trace["customdata"]) if cycle in wanted]
