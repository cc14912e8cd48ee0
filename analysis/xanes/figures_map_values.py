"""What one map says, drawn: how often its values occur, and how it runs along a line."""

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field

from analysis.core.data import scalars
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish
from analysis.schemas import DEFINITIONS, FLAGS
from analysis.xanes.figures_base import QUANTITIES, legend, plural, titled
from analysis.xanes.figures_spectra import NARROW, NO_COLOUR, mark_colour
from analysis.xanes.map_values import LABELS

if TYPE_CHECKING:
    import plotly.graph_objects as go

NO_VALUES = "No map to count yet."
NO_LINE = "Choose the tool Profile and drag a line over a slice."
TITLES = {
    "edge_energy": "Edge energy",
    "edge_energy_std": "Uncertainty of the edge energy, σ",
    "edge_jump": "Edge jump",
    "white_line": "White-line energy",
    "white_line_height": "White-line height",
    "noise": "Noise before the edge",
    "flags": "Flag",
    "rim": "Rim",
    "mu": "Optical depth",
    "density": "Absorption of the tomogram",
    "label": "Cluster",
    "weight": "Fraction",
    "r_factor": "R-factor",
    "state": "State of charge",
}
MANY_EV = 100.0  # above it an energy is a place on the scale, written to 0.01 eV; below it a width
UNIT_TEXT = {"1/um": "µm⁻¹", "um": "µm"}


class MapHistogramParams(Params):
    """What is marked in a histogram of a map."""

    brush: tuple[float, float] | None = Field(None, title="Marked range")
    colours: dict[str, int] = Field({}, title="Colours by id: places in the list of mark colours; its group's where there is none")


class ProfileFigureParams(Params):
    """Nothing to choose."""


def value_title(ds: Any) -> str:
    """What a map's values are, with the definition where they need one."""
    name = str(ds.attrs.get("variable", ""))
    if name == "state":
        return QUANTITIES.get(str(ds.attrs.get("quantity")), TITLES[name])
    definition = DEFINITIONS.get(str(ds.attrs.get("definition", "")), "definition not stated")
    return f"{TITLES[name]} ({definition})" if name == "edge_energy" else TITLES.get(name, name.replace("_", " "))


def axis_title(ds: Any) -> str:
    units = str(ds["value"].attrs["units"])
    return value_title(ds) if ds.attrs.get("variable") in LABELS else f"{value_title(ds)} / {UNIT_TEXT.get(units, units)}"


def _upright(ds: Any) -> str:
    """The title of a short axis: without the definition, which stands in a note."""
    return axis_title(ds).replace(f" ({DEFINITIONS.get(str(ds.attrs.get('definition', '')), 'definition not stated')})", "")


def map_histogram(items: tuple[Labelled, ...], style: Style, params: MapHistogramParams) -> "go.Figure":
    """Particles filled in the colour of their group, regions as lines in their own; each sums up to 100 %."""
    shown = [i for i in items if i.data.attrs.get("schema") == "xanes.map_histogram"]
    if not shown:
        return nothing(NO_VALUES, style)
    colours = [params.colours.get(i.id, NO_COLOUR) for i in shown]
    is_label = shown[0].data.attrs["variable"] in LABELS
    traces = [(_bars if is_label else _steps)(i, c, style) for i, c in zip(shown, colours, strict=True)]
    width = float(shown[0].data.attrs["bin_width"])
    unit = str(shown[0].data["value"].attrs["units"]).replace("1/um", "µm⁻¹")
    unit = "" if unit == "1" else f" {unit}"
    notes = (
        []
        if is_label
        else [f"Voxels that count, in bins of {width:g}{unit}. Legend: medians. Drag a range to light it up; a double click clears."]
    )
    layout: dict[str, Any] = {
        "xaxis": {"title": titled(axis_title(shown[0].data), shown, notes, style, length=NARROW), "tickformat": ".3~f", **_ticks(shown[0])},
        "yaxis": {"title": {"text": "Fraction of voxels / %"}, "rangemode": "tozero"},
        "dragmode": "select",
        "selectdirection": "h",
        "barmode": "group",
        "showlegend": True,
        "shapes": [] if is_label else _brush(params.brush),
    }
    return finish(traces, layout, style, f"values {shown[0].data.attrs['variable']}")


def _steps(item: Labelled, place: int, style: Style) -> Trace:
    ds, width = item.data, float(item.data.attrs["bin_width"])
    x, y = ds["value"].values, 100 * ds["fraction"].values
    of_group = place < 0
    colour = style.color(item.group) if of_group else mark_colour(place, style)
    fill = {"fill": "tozeroy", "fillcolor": style.fill(item.group) if item.group in style.groups else "rgba(128,128,128,0.18)"}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([[x[0] - width], x, [x[-1] + width]]),
        "y": np.concatenate([[0.0], y, [0.0]]),
        "line": {"color": colour, "width": 1.5, "shape": "hvh"},
        "name": _entry(item),
        "meta": {"id": item.id},
        "hovertemplate": f"<b>{safe(item.label)}</b><br>%{{x:{_digits(ds)}}}: %{{y:.2f}} % of voxels<extra></extra>",
        **(fill if of_group else {}),
    }


def _digits(ds: Any) -> str:
    return ".2f" if str(ds["value"].attrs["units"]) == "eV" else ".4~g"


def _bars(item: Labelled, place: int, style: Style) -> Trace:
    ds = item.data
    colour = style.color(item.group) if place < 0 else mark_colour(place, style)
    known = ds["count"].values > 0
    found = [int(v) for v in np.round(ds["value"].values[known])]
    return {
        "type": "bar",
        "x": [_label(v, ds) for v in found],
        "y": 100 * ds["fraction"].values[known],
        "customdata": found,
        "marker": {"color": colour},
        "name": _entry(item),
        "meta": {"id": item.id},
        "hovertemplate": f"<b>{safe(item.label)}</b><br>%{{x}}: %{{y:.2f}} % of voxels<extra></extra>",
    }


def _label(value: int, ds: Any) -> str:
    if ds.attrs["variable"] != "flags":
        return str(value)
    return "counts" if value == 0 else "<br>".join(textwrap.wrap("; ".join(words for flag, words in FLAGS.items() if value & flag), 14))


def _entry(item: Labelled) -> str:
    found = scalars(item.data)
    n = int(found["n_valid"].value or 0)
    if item.data.attrs["variable"] in LABELS:
        return safe(f"{item.label}: {plural(n, 'voxel')}")
    value, unit = float(found["median"].value or 0), UNIT_TEXT.get(found["median"].unit, found["median"].unit)
    median = f"{value:.2f} eV" if unit == "eV" and abs(value) > MANY_EV else f"{value:.3g} {unit}".removesuffix(" 1")
    return safe(f"{item.label}: {median}")


def _ticks(item: Labelled) -> dict[str, Any]:
    return {"type": "category"} if item.data.attrs["variable"] in LABELS else {}


def _brush(brush: tuple[float, float] | None) -> list[dict[str, Any]]:
    if brush is None:
        return []
    place = {"type": "rect", "xref": "x", "yref": "paper", "x0": brush[0], "x1": brush[1], "y0": 0, "y1": 1}
    return [{**place, "fillcolor": "#ff3366", "opacity": 0.18, "line": {"width": 1, "color": "#ff3366"}, "layer": "below"}]


def map_profile(items: tuple[Labelled, ...], style: Style, params: ProfileFigureParams) -> "go.Figure":
    """The map along the line, with its standard deviation as a band where it has one."""
    shown = [i for i in items if i.data.attrs.get("schema") == "xanes.map_profile"]
    if not shown:
        return nothing(NO_LINE, style)
    traces = [t for i in shown for t in _line(i, style)]
    ds = shown[0].data
    units = str(ds["distance"].attrs["units"])
    along = f"Distance / {UNIT_TEXT[units]}" if units == "um" else "Distance / voxels"
    definition = DEFINITIONS.get(str(ds.attrs.get("definition", "")), "")
    notes = [f"Edge energy: {definition}."] if ds.attrs.get("variable") == "edge_energy" and definition else []
    notes += ["Band: ± σ of a voxel."] if "value_std" in ds else []
    layout = {
        "xaxis": {"title": titled(along, shown, notes, style, length=NARROW), "tickformat": ".3~f"},
        "yaxis": {"title": {"text": _upright(ds)}, "tickformat": ".3~f"},
    }
    return finish(traces, layout, style, f"profile {ds.attrs['variable']}")


def _line(item: Labelled, style: Style) -> list[Trace]:
    ds, colour = item.data, style.color(item.group)
    x, y = ds["distance"].values, ds["value"].values
    made: list[Trace] = []
    if "value_std" in ds:
        known = np.isfinite(y) & np.isfinite(ds["value_std"].values)
        for low, high, at in _runs(x, y, ds["value_std"].values, known):
            band = {"x": np.concatenate([at, at[::-1]]), "y": np.concatenate([high, low[::-1]]), "fill": "toself"}
            look = {"fillcolor": style.fill(item.group) if item.group in style.groups else "rgba(128,128,128,0.18)", "line": {"width": 0}}
            made.append({"type": "scatter", "mode": "lines", **band, **look, "hoverinfo": "skip", "showlegend": False})
    hover = f"<b>{safe(item.label)}</b><br>%{{x:.3f}}: %{{y:{_digits(ds)}}}<extra></extra>"
    name = legend(item.label, [item.origin])
    shown = {"mode": "lines", "line": {"color": colour, "width": 1.6}, "hovertemplate": hover, "showlegend": True}
    return [*made, {"type": "scatter", "x": x, "y": y, "name": name, "meta": {"id": item.id}, **shown}]


def _runs(x: np.ndarray, y: np.ndarray, std: np.ndarray, known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Lower and upper end of the band, and where, for each stretch without a gap."""
    parts = np.split(np.arange(x.size), np.flatnonzero(np.diff(known.astype(int))) + 1)
    return [(y[p] - std[p], y[p] + std[p], x[p]) for p in parts if known[p].all() and p.size > 1]
