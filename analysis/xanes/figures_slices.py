"""Slices of one map through one place, particle below particle, on one scale of colours: for boards, reports and the command line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import Trace, nothing
from analysis.drawing import finish_units as finish
from analysis.schemas import has_voxel_size, spatial_dims, voxel_um
from analysis.xanes.figures_base import heading, legend, one_of, titled
from analysis.xanes.figures_map_values import UNIT_TEXT, value_title
from analysis.xanes.map_values import LABELS, Chosen, MapParams, chosen

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_PIXELS = 320  # of a side of a slice: more are left out evenly, a figure is no data
GAP = 0.05  # between slices, of the width
HEAD = 0.11  # above each row, of the height, for the name of its particle
NOTE = 88  # characters of a line of the note
BAR_ROOM = 0.86  # the colour bar stands right of it
SCALES = {"viridis": "Viridis", "cividis": "Cividis", "grey": "Greys_r"}
NO_MAP = "No map to show. Choose a particle whose map is made."


class SliceParams(MapParams):
    """Which map, through which voxel, and its range of colours."""

    at: tuple[int, ...] = Field((), max_length=3, title="Through the voxel z, y, x (the middle if empty)")
    axes: tuple[Literal["z", "y", "x"], ...] = Field(("z", "y", "x"), min_length=1, max_length=3, title="Across")
    low: float | None = Field(None, title="Colours from (the first percentile of the slices if empty)")
    high: float | None = Field(None, title="Colours to (the 99th percentile if empty)")
    colours: Literal["viridis", "cividis", "grey"] = Field("viridis", title="Colours")


def slices(items: tuple[Labelled, ...], style: Style, params: SliceParams) -> "go.Figure":
    """One row of slices for each particle: what counts as a value is coloured, the rest is blank."""
    shown = tuple(i for i in items if params.variable in i.data.data_vars)
    if not shown:
        return nothing(NO_MAP, style)
    one_of(shown, "definition")
    maps = [chosen(MapParams(variable=params.variable, layer=params.layer), map=i.data) for i in shown]
    rows = [_planes(of, params) for of in maps]
    low, high = _range([p.values for row in rows for p in row], params)
    scale = {"cmin": low, "cmax": high, "colorscale": SCALES[params.colours], "colorbar": _bar(maps[0], style)}
    traces: list[Trace] = []
    layout: dict[str, Any] = {"coloraxis": scale, "annotations": [], "showlegend": False, "hovermode": "closest"}
    for r, (item, row) in enumerate(zip(shown, rows, strict=True)):
        for c, plane in enumerate(row):
            _place(layout, plane, r, c, (len(rows), len(row)))
            traces.append(_trace(plane, r * len(row) + c, maps[0]))
        top = 1.0 - r / len(rows)
        layout["annotations"].append(heading(legend(item.label, [item.origin]), 0.0, top, style))
    note = "Slices through z, y, x = " + ", ".join(str(v) for v in _at(maps[0], params)) + ". Blank: no value."
    middle = f"xaxis{_number((len(rows) - 1) * len(rows[0]) + len(rows[0]) // 2)}"
    unit = "µm" if has_voxel_size(shown[0].data) else "voxels"
    layout[middle]["title"] = titled(f"Length / {unit}", shown, [note], style, length=NOTE)
    return finish(traces, layout, style, f"slices {params.variable} {len(rows)}")


@dataclass(frozen=True)
class _Plane:
    """A slice, shape (rows, columns), with its places in µm, or in voxels where their size is not known."""

    values: np.ndarray
    name: str
    x: np.ndarray
    y: np.ndarray


def _at(of: Chosen, params: SliceParams) -> tuple[int, ...]:
    """The voxel that all slices go through, inside the map."""
    sizes = [of.values.sizes[d] for d in spatial_dims(of.ds)]
    wanted = params.at[-len(sizes) :] if len(params.at) >= len(sizes) else tuple(s // 2 for s in sizes)
    return tuple(min(max(w, 0), s - 1) for w, s in zip(wanted, sizes, strict=True))


def _planes(of: Chosen, params: SliceParams) -> list[_Plane]:
    dims = spatial_dims(of.ds)
    at = dict(zip(dims, _at(of, params), strict=True))
    um = dict(zip(dims, voxel_um(of.ds) if has_voxel_size(of.ds) else (1.0,) * len(dims), strict=True))
    wanted = params.axes if len(dims) == 3 else ("",)
    return [_plane(of, axis, at, um) for axis in wanted]


def _plane(of: Chosen, axis: str, at: dict[str, int], um: dict[str, float]) -> _Plane:
    cut = {axis: at[axis]} if axis else {}
    row, column = (str(d) for d in of.values.isel(cut).dims)
    steps = {d: -(-of.values.sizes[d] // MOST_PIXELS) for d in (row, column)}
    thin = {**cut, **{d: slice(None, None, step) for d, step in steps.items()}}
    values = of.values.isel(thin).to_numpy().astype(np.float32)
    if of.values.name not in LABELS and "flags" in of.ds:
        values = np.where(of.ds["flags"].isel(thin).to_numpy() == 0, values, np.nan)
    places = {d: (np.arange(values.shape[k]) + 0.5) * steps[d] * um[d] for k, d in enumerate((row, column))}
    name = f"{column}{row}, {axis} {at[axis]}" if axis else f"{column}{row}"
    return _Plane(values, name, places[column], places[row])


def _range(planes: Sequence[np.ndarray], params: SliceParams) -> tuple[float, float]:
    values = np.concatenate([p[np.isfinite(p)] for p in planes])
    found = np.percentile(values, [1, 99]) if values.size else np.array([0.0, 1.0])
    low = float(found[0]) if params.low is None else params.low
    high = float(found[1]) if params.high is None else params.high
    return (low, high) if high > low else (low, low + 1e-6 + abs(low) * 1e-6)


def _bar(of: Chosen, style: Style) -> dict[str, Any]:
    about = of.ds.assign_attrs(variable=str(of.values.name))
    title, _, definition = value_title(about).partition(" (")
    unit = UNIT_TEXT.get(of.units, of.units)
    words = f"{title} / {unit}" + (f"<br><span style='color:{style.muted}'>{definition.removesuffix(')')}</span>" if definition else "")
    return {"title": {"text": words, "side": "right"}, "thickness": 12, "len": 0.9, "x": BAR_ROOM + 0.01, "tickformat": "~f", "nticks": 6}


def _number(place: int) -> str:
    return "" if place == 0 else str(place + 1)


def _place(layout: dict[str, Any], plane: _Plane, r: int, c: int, count: tuple[int, int]) -> None:
    """Axes of one slice: equal lengths in both directions, rows from above."""
    rows, columns = count
    n = _number(r * columns + c)
    width, height = BAR_ROOM / columns, 1.0 / rows
    step = (float(plane.x[1] - plane.x[0]) if plane.x.size > 1 else 1.0) / 2
    ends = [float(plane.x[0]) - step, float(plane.x[-1]) + step]
    layout[f"xaxis{n}"] = {
        "domain": [c * width, (c + 1) * width - GAP],
        "anchor": f"y{n}",
        "range": ends,
        "constrain": "domain",
        "showticklabels": r == rows - 1,
        "showgrid": False,
        "zeroline": False,
    }
    layout[f"yaxis{n}"] = {
        "domain": [1.0 - (r + 1) * height + 0.02, 1.0 - r * height - HEAD],
        "anchor": f"x{n}",
        "autorange": "reversed",
        "scaleanchor": f"x{n}",
        "constrain": "domain",
        "showgrid": False,
        "zeroline": False,
        "showticklabels": c == 0,
        "title": {"text": plane.name},
    }


def _trace(plane: _Plane, place: int, of: Chosen) -> Trace:
    n = _number(place)
    unit = "" if of.units == "1" else f" {UNIT_TEXT.get(of.units, of.units)}"
    return {
        "type": "heatmap",
        "z": plane.values,
        "x": plane.x,
        "y": plane.y,
        "xaxis": f"x{n}",
        "yaxis": f"y{n}",
        "coloraxis": "coloraxis",
        "hovertemplate": f"%{{z:.4~f}}{unit}<extra>{plane.name}</extra>",
        "hoverongaps": False,
    }
