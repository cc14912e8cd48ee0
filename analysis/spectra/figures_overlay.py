"""Overlays: normalised spectra with offset, marker lines and a zoomed part; difference spectra; spectra as measured."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.spectra.edges import S_K_MARKERS
from analysis.spectra.figures_base import (
    ENERGY_TITLE,
    EV,
    SpectrumFigureParams,
    Trace,
    colours,
    dash_of,
    energy_axis,
    finish,
    legend,
    line,
    markers,
    names,
)
from analysis.spectra.normalising import recipe_mismatch

if TYPE_CHECKING:
    import plotly.graph_objects as go

QUANTITY_TITLES = {"norm": "Normalised absorption / 1", "flat": "Flattened absorption / 1", "mu": "Absorption / 1"}
DEFAULT_MARKERS = tuple(f"{m.name}@{m.energy:g}" for m in S_K_MARKERS)
WHOLE, ZOOMED = [0.0, 0.62], [0.70, 1.0]  # of the width: beside one another, so that the zoomed part hides nothing


class OverlayParams(SpectrumFigureParams):
    """Which curve, how they are set apart, and the inset."""

    quantity: Literal["norm", "flat", "mu"] = Field("norm", title="Quantity")
    offset: float = Field(0.0, ge=0, title="Offset between curves")
    offset_by: Literal["items", "groups"] = Field("items", title="Set apart")
    inset: bool = Field(False, title="Zoomed part beside")
    inset_low: float = Field(2469.0, title="Zoomed from", json_schema_extra=EV)
    inset_high: float = Field(2475.0, title="Zoomed to", json_schema_extra=EV)


def overlay(items: tuple[Labelled, ...], style: Style, params: OverlayParams) -> "go.Figure":
    """Spectra over one another: colour by group, dash by state, each set off by the offset."""
    traces = _curves(items, style, params)
    shapes, labels = markers(params.markers, style)
    mismatch = recipe_mismatch([i.data for i in items])
    shift = [f"Curves are set off by {params.offset:g}."] if params.offset and len(items) > 1 else []
    layout: dict[str, Any] = {
        "xaxis": energy_axis(items, style, params, [s for s in (mismatch, *shift) if s]),
        "yaxis": {"title": {"text": QUANTITY_TITLES[params.quantity]}},
        "shapes": shapes,
        "annotations": labels,
    }
    if params.inset:
        traces += _inset(traces, params)
        layout["xaxis"] |= {"domain": WHOLE}
        layout["xaxis2"] = {
            "domain": ZOOMED,
            "anchor": "y2",
            "range": [params.inset_low, params.inset_high],
            "title": {"text": ENERGY_TITLE},
        }
        layout["yaxis2"] = {"anchor": "x2", "title": {"text": ""}}
    return finish(traces, layout, style, f"spectra.overlay {params.quantity}")


def _curves(items: Sequence[Labelled], style: Style, params: OverlayParams) -> list[Trace]:
    groups = list(dict.fromkeys(i.group for i in items))
    made = []
    for place, (item, colour) in enumerate(zip(items, colours(items, style), strict=True)):
        level = params.offset * (place if params.offset_by == "items" else groups.index(item.group))
        energy = np.asarray(item.data["energy"].values, dtype=float)
        for row, name in zip(np.asarray(item.data[params.quantity].values, dtype=float), names(item), strict=True):
            dash = dash_of(item, items)
            look = {"line": {"dash": dash}, "legendgroup": name, "customdata": [[item.id or item.label]] * int(np.isfinite(row).sum())}
            made.append(line(energy, row + level, legend(name, item), colour, **look))
    return made


def _inset(traces: Sequence[Trace], params: OverlayParams) -> list[Trace]:
    """The same curves, only the zoomed part of them, without legend."""
    made = []
    for trace in traces:
        inside = (trace["x"] >= params.inset_low) & (trace["x"] <= params.inset_high)
        small = {k: v for k, v in trace.items() if k != "customdata"}
        made.append(
            {
                **small,
                "x": trace["x"][inside],
                "y": trace["y"][inside],
                "xaxis": "x2",
                "yaxis": "y2",
                "showlegend": False,
                "hoverinfo": "skip",
            }
        )
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
                traces.append(_band(energy, row, spread, style.fill(item.group, 0.15)))
            traces.append(line(energy, row, legend(name, item), colour, line={"dash": dash_of(item, items)}))
    shapes, labels = markers(params.markers, style)
    references = sorted({str(i.data.attrs.get("reference", "")) for i in items} - {""})
    zero = {"type": "line", "x0": 0, "x1": 1, "xref": "x domain", "y0": 0, "y1": 0, "yref": "y", "line": {"color": style.muted, "width": 1}}
    layout = {
        "xaxis": energy_axis(items, style, params, [f"Reference: {', '.join(references)}."] if references else []),
        "yaxis": {"title": {"text": "Difference of normalised absorption / 1"}},
        "shapes": [zero, *shapes],
        "annotations": labels,
    }
    return finish(traces, layout, style, "spectra.difference")


def _band(energy: np.ndarray, middle: np.ndarray, std: np.ndarray, colour: str) -> Trace:
    own = np.isfinite(middle) & np.isfinite(std)
    x = np.concatenate([energy[own], energy[own][::-1]])
    y = np.concatenate([(middle + std)[own], (middle - std)[own][::-1]])
    line_off = {"width": 0}
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "fill": "toself",
        "fillcolor": colour,
        "line": line_off,
        "showlegend": False,
        "hoverinfo": "skip",
        "mode": "lines",
        "name": "standard deviation",
    }


def measured(items: tuple[Labelled, ...], style: Style, params: SpectrumFigureParams) -> "go.Figure":
    """Absorption as measured, before any normalisation."""
    traces: list[Trace] = []
    for item, colour in zip(items, colours(items, style), strict=True):
        energy = np.asarray(item.data["energy"].values, dtype=float)
        for row, name in zip(np.asarray(item.data["mu"].values, dtype=float), names(item), strict=True):
            traces.append(line(energy, row, legend(name, item), colour, line={"dash": dash_of(item, items)}))
    shapes, labels = markers(params.markers, style)
    layout = {
        "xaxis": energy_axis(items, style, params),
        "yaxis": {"title": {"text": QUANTITY_TITLES["mu"]}},
        "shapes": shapes,
        "annotations": labels,
    }
    return finish(traces, layout, style, "spectra.measured")
