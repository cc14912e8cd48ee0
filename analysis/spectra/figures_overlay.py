"""Overlays: normalised spectra with offset, marker lines and a zoomed part; difference spectra."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import Trace
from analysis.spectra.edges import S_K_MARKERS
from analysis.spectra.figures_base import (
    ENERGY_TITLE,
    EV,
    SpectrumFigureParams,
    colours,
    columns_of_legend,
    dash_of,
    energy_axis,
    finish,
    is_mean,
    legend,
    line,
    markers,
    names,
    notes,
    span,
    state_of,
    trace_id,
    visible_range,
)
from analysis.spectra.normalising import recipe_mismatch

if TYPE_CHECKING:
    import plotly.graph_objects as go

QUANTITY_TITLES = {"norm": "Normalised absorption / 1", "flat": "Flattened absorption / 1", "mu": "Absorption / 1"}
DEFAULT_MARKERS = tuple(f"{m.name}@{m.energy:g}" for m in S_K_MARKERS)
WHOLE, ZOOMED = [0.0, 0.62], [0.70, 1.0]  # of the width: beside one another, so that the zoomed part hides nothing
BEHIND = {"opacity": 0.3, "showlegend": False}  # single samples where their mean is drawn


class OverlayParams(SpectrumFigureParams):
    """Which curve, how they are set apart, and the inset."""

    quantity: Literal["norm", "flat", "mu"] = Field("norm", title="Quantity")
    offset: float = Field(0.0, ge=0, title="Offset between curves")
    offset_by: Literal["items", "groups", "states"] = Field("items", title="Set apart")
    inset: bool = Field(False, title="Zoomed part beside")
    inset_low: float = Field(2469.0, title="Zoomed from", json_schema_extra=EV)
    inset_high: float = Field(2475.0, title="Zoomed to", json_schema_extra=EV)


def overlay(items: tuple[Labelled, ...], style: Style, params: OverlayParams) -> "go.Figure":
    """Spectra over one another: colour by group, dash by state, each set off by the offset.

    Means over samples bear a band of one standard deviation; single samples beside them are thin.
    """
    traces = _curves(items, style, params)
    shapes, labels = markers(params.markers, style, span(params, traces) / (0.62 if params.inset else 1.0))
    mismatch = recipe_mismatch([i.data for i in items])
    several = len({_level(i, items, params.offset_by) for i in items}) > 1
    set_off = f"Curves are set off by {params.offset:g}." if params.offset and several else ""
    counts = sample_counts(items)
    bands = "Bands: standard deviation over cells." if counts else ""
    bands += f" Means of {counts[0]} {'cells' if counts[0] > 1 else 'cell'}." if len(counts) == 1 else ""
    layout: dict[str, Any] = {
        "xaxis": energy_axis(params),
        "notes": notes(items, mismatch, set_off, bands),
        "legend": columns_of_legend(sum(t.get("showlegend", True) for t in traces)),
        "yaxis": {"title": {"text": QUANTITY_TITLES[params.quantity]}, **_range(traces, params)},
    }
    if params.inset:
        traces += _inset(traces, params)
        shapes, labels = _zoomed(shapes, labels, params)
        layout["xaxis"] |= {"domain": WHOLE}
        layout["xaxis2"] = {
            "domain": ZOOMED,
            "anchor": "y2",
            "range": [params.inset_low, params.inset_high],
            "title": {"text": ENERGY_TITLE},
        }
        layout["yaxis2"] = {"anchor": "x2", "title": {"text": ""}}
    return finish(traces, {**layout, "shapes": shapes, "annotations": labels}, style, f"spectra.overlay {params.quantity}")


def _zoomed(
    shapes: list[dict[str, Any]], labels: list[dict[str, Any]], params: OverlayParams
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Marker lines in both parts; a name stands in the zoomed part where that shows its line."""

    def inside(x: float) -> bool:
        return params.inset_low < x < params.inset_high

    place = {"xref": "x2", "yref": "y2 domain"}
    return [*shapes, *({**s, **place} for s in shapes if inside(s["x0"]))], [{**n, **place} if inside(n["x"]) else n for n in labels]


def _range(traces: Sequence[Trace], params: OverlayParams) -> dict[str, Any]:
    return visible_range([(t["x"], t["y"]) for t in traces if t.get("fill") != "toself"], params)


def _level(item: Labelled, items: Sequence[Labelled], by: str) -> int:
    """How many offsets an item is set off."""
    if by == "items":
        return items.index(item)
    key = state_of if by == "states" else _group
    return list(dict.fromkeys(map(key, items))).index(key(item))


def _group(item: Labelled) -> str:
    return item.group


def _curves(items: Sequence[Labelled], style: Style, params: OverlayParams) -> list[Trace]:
    made = []
    with_means = any(is_mean(i) for i in items)
    for place, (item, colour) in enumerate(zip(items, colours(items, style), strict=True)):
        level = params.offset * (place if params.offset_by == "items" else _level(item, items, params.offset_by))
        energy = np.asarray(item.data["energy"].values, dtype=float)
        behind = BEHIND if with_means and not is_mean(item) and item.group else {}
        for k, (row, name) in enumerate(zip(np.asarray(item.data[params.quantity].values, dtype=float), names(item), strict=True)):
            if is_mean(item) and params.quantity != "mu":
                std = np.asarray(item.data[f"{params.quantity}_std"].values[k], dtype=float)
                made += [band(energy, row + level, std, _fill(item, colour, style), legendgroup=name)] if np.isfinite(std).any() else []
                name = f"{name}, n = {int(item.data['n_samples'].values[k])}" if len(sample_counts(items)) > 1 else name
            look = {"line": {"dash": dash_of(item, items), "width": 1 if behind else 1.6}, "legendgroup": name.partition(", n =")[0]}
            points = {"customdata": [[item.id or item.label]] * int(np.isfinite(row).sum()), **trace_id(item), **behind}
            made.append(line(energy, row + level, legend(name, item), colour, **look, **points))
    return made


def sample_counts(items: Sequence[Labelled]) -> list[int]:
    """Of how many cells the means are; one number where it is the same for all."""
    return sorted({int(n) for i in items if is_mean(i) for n in i.data["n_samples"].values})


def _fill(item: Labelled, colour: str, style: Style) -> str:
    return style.fill(item.group, 0.14) if item.group in style.groups else style.fill("", 0.14)


def _inset(traces: Sequence[Trace], params: OverlayParams) -> list[Trace]:
    """The same curves, only the zoomed part of them, without legend."""
    made = []
    for trace in traces:
        inside = (trace["x"] >= params.inset_low) & (trace["x"] <= params.inset_high)
        small = {k: v for k, v in trace.items() if k != "customdata"}
        shown = {"x": trace["x"][inside], "y": trace["y"][inside], "xaxis": "x2", "yaxis": "y2", "showlegend": False, "hoverinfo": "skip"}
        made.append({**small, **shown})
    return made


class DifferenceParams(SpectrumFigureParams):
    band: bool = Field(True, title="Standard deviation as a band")


def difference(items: tuple[Labelled, ...], style: Style, params: DifferenceParams) -> "go.Figure":
    """Difference spectra with their standard deviation as a band."""
    traces: list[Trace] = []
    for item, colour in zip(items, colours(items, style), strict=True):
        energy = np.asarray(item.data["energy"].values, dtype=float)
        change = np.asarray(item.data["difference"].values, dtype=float)
        std = np.asarray(item.data["difference_std"].values, dtype=float)
        for row, spread, name in zip(change, std, names(item), strict=True):
            if params.band:
                traces.append({**band(energy, row, spread, style.fill(item.group, 0.15)), **trace_id(item)})
            traces.append(line(energy, row, legend(name, item), colour, line={"dash": dash_of(item, items)}, **trace_id(item)))
    shapes, labels = markers(params.markers, style, span(params, traces))
    zero = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": 0, "y1": 0, "yref": "y", "line": {"color": style.muted, "width": 1}}
    layout = {
        "xaxis": energy_axis(params),
        "notes": notes(items, *_said(items, params)),
        "yaxis": {
            "title": {"text": "Difference / 1"},
            **visible_range([(t["x"], t["y"]) for t in traces], params),
        },
        "shapes": [zero, *shapes],
        "annotations": labels,
    }
    return finish(traces, layout, style, "spectra.difference")


def _said(items: Sequence[Labelled], params: DifferenceParams) -> list[str]:
    """What is subtracted, and what the bands are."""
    references = sorted({str(i.data.attrs.get("reference", "")) for i in items} - {""})
    bands = list(dict.fromkeys(str(i.data.attrs["band"]) for i in items if i.data.attrs.get("band")))
    said = [f"Reference: {', '.join(references)}."] if references else []
    return [*said, *([f"Bands: {'; '.join(bands)}."] if bands and params.band else [])]


def band(energy: np.ndarray, middle: np.ndarray, std: np.ndarray, colour: str, **properties: Any) -> Trace:
    """A band of one standard deviation around a curve."""
    own = np.isfinite(middle) & np.isfinite(std)
    x = np.concatenate([energy[own], energy[own][::-1]])
    y = np.concatenate([(middle + std)[own], (middle - std)[own][::-1]])
    shape = {"type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "fillcolor": colour, "line": {"width": 0}}
    return {**shape, "showlegend": False, "hoverinfo": "skip", "name": "standard deviation", **properties}
