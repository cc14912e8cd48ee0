"""How a spectrum came to be what is compared: as measured, its standard, its lines, its correction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import SYMBOLS, Style
from analysis.drawing import Trace, safe
from analysis.spectra.curves import curves
from analysis.spectra.energy_axis import feature_energy
from analysis.spectra.figures_base import (
    ENERGY_TITLE,
    EV,
    SpectrumFigureParams,
    colours,
    columns_of_legend,
    dash_of,
    energy_axis,
    finish,
    legend,
    line,
    markers,
    names,
    notes,
    span,
    visible_range,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

MU_TITLE = "Absorption / 1"
ROWS_PX, SMALLEST_ROW_PX, LARGEST_ROW_PX = 190.0, 6.5, 10.0  # names of rows: together, and one of them
ENERGIES = {"e0": "E0", "half_step": "half step", "max_slope": "steepest", "inflection": "inflection", "white_line": "white line"}


class MeasuredParams(SpectrumFigureParams):
    taken: tuple[str, ...] = Field((), title="Points taken out, as spectrum@energy")
    points: bool = Field(False, title="Show points")


def measured(items: tuple[Labelled, ...], style: Style, params: MeasuredParams) -> "go.Figure":
    """Absorption as measured, before any step; points that were taken out are crossed."""
    traces: list[Trace] = []
    for item, colour in zip(items, colours(items, style), strict=True):
        energy = np.asarray(item.data["energy"].values, dtype=float)
        rows = np.asarray(item.data["mu"].values, dtype=float)
        for row, name, own in zip(rows, names(item), item.data["name"].values.astype(str).tolist(), strict=True):
            clickable = {"customdata": [[own]] * int(np.isfinite(row).sum())} if params.points else {}
            look = {"mode": "lines+markers", "marker": {"size": 4}} if params.points else {}
            drawn = line(energy, row, legend(name, item), colour, line={"dash": dash_of(item, items), "width": 1.2}, **clickable)
            traces += [{**drawn, **look}, *_taken(energy, row, own, params.taken, style)]
    shapes, labels = markers(params.markers, style, span(params, traces))
    layout = {
        "xaxis": energy_axis(params),
        "notes": notes(items),
        "width_of_notes": "narrow",
        "yaxis": {"title": {"text": MU_TITLE}, **visible_range([(t["x"], t["y"]) for t in traces], params)},
        "shapes": shapes,
        "annotations": labels,
    }
    return finish(traces, layout, style, "spectra.measured")


def _taken(energy: np.ndarray, row: np.ndarray, name: str, taken: Sequence[str], style: Style) -> list[Trace]:
    """Crosses over the points of a spectrum that were taken out."""
    wanted = [float(t.rpartition("@")[2]) for t in taken if t.rpartition("@")[0] in ("", name)]
    own = np.flatnonzero(np.isfinite(row))
    places = [int(own[np.abs(energy[own] - e).argmin()]) for e in wanted if own.size]
    if not places:
        return []
    look = {"symbol": "x", "size": 9, "color": style.ink}
    shape = {"type": "scatter", "mode": "markers", "x": energy[places], "y": row[places], "customdata": [[name]] * len(places)}
    return [{**shape, "marker": look, "name": "taken out", "hovertemplate": "%{x:.2f} eV, taken out<extra></extra>"}]


class StandardParams(SpectrumFigureParams):
    feature: Literal["max_slope", "white_line"] = Field("white_line", title="Feature")
    assigned: float = Field(2472.02, gt=0, title="Assigned energy", json_schema_extra=EV)
    search: float = Field(5.0, gt=0, title="Distance within which the feature is looked for", json_schema_extra=EV)


def standards(items: tuple[Labelled, ...], style: Style, params: StandardParams) -> "go.Figure":
    """Standards as measured around their feature, with where it was found and the energy that it is said to be at."""
    traces: list[Trace] = []
    low, high = params.assigned - 2 * params.search, params.assigned + 2 * params.search
    for item, colour in zip(items, style.sequence(len(items)), strict=True):
        curve = curves(item.data)[0]
        found = feature_energy(curve, params.feature, params.assigned, params.search)
        near = curve.between(low, high)
        height = float(np.ptp(near.mu)) or 1.0
        values = (near.mu - near.mu.min()) / height
        shift = f"{params.assigned - found:+.2f}".replace("-", "−")
        name = safe(f"{item.label}: {shift} eV")
        traces.append(line(near.energy, values, name, colour, legendgroup=item.key))
        at = float(np.interp(found, near.energy, values))
        mark = {"type": "scatter", "mode": "markers", "x": [found], "y": [at], "marker": {"color": colour, "size": 8}, "showlegend": False}
        traces.append({**mark, "legendgroup": item.key, "hovertemplate": "%{x:.3f} eV<extra></extra>"})
    what = "white line" if params.feature == "white_line" else "steepest rise"
    shapes, labels = markers([f"assigned {params.assigned:g} eV@{params.assigned}"] if items else (), style)
    layout = {
        "xaxis": {"title": {"text": ENERGY_TITLE}, "range": [low, high]},
        "notes": notes(items, f"Dots: {what} as measured; numbers: shift to the assigned energy."),
        "legend": columns_of_legend(len(items), 2),
        "width_of_notes": "narrow",
        "yaxis": {"title": {"text": "Absorption, scaled / 1"}},
        "shapes": shapes,
        "annotations": labels,
    }
    return finish(traces, layout, style, "spectra.standards")


class LinesParams(SpectrumFigureParams):
    spectrum: int = Field(1, ge=1, title="Spectrum of the result, from 1")


def lines(items: tuple[Labelled, ...], style: Style, params: LinesParams) -> "go.Figure":
    """Absorption with the pre-edge line, the post-edge polynomial, the ranges they were fitted in, and E0 in its definitions."""
    if not items:
        return finish([], {"xaxis": {"title": {"text": ENERGY_TITLE}}, "yaxis": {"title": {"text": MU_TITLE}}}, style, "spectra.lines")
    item, k = items[0], params.spectrum - 1
    ds = item.data
    if k >= ds.sizes["spectrum"]:
        raise DataError(f"The result holds {ds.sizes['spectrum']} spectra, not {params.spectrum}.", hint="Choose a smaller number.")
    energy = np.asarray(ds["energy"].values, dtype=float)
    rows = {n: np.asarray(ds[n].values[k], dtype=float) for n in ("mu", "pre", "post")}
    traces = [line(energy, rows["mu"], legend("absorption", item), style.color(item.group))]
    if "interference" in ds:
        step = np.asarray(ds["interference"].values[k], dtype=float)
        if np.nanmax(np.abs(step)) > 0:
            traces.append(line(energy, rows["mu"] - step, "less step of Nb L2", style.ink, line={"width": 1}))
    for name, title in (("pre", "pre-edge line"), ("post", "post-edge")):
        traces.append(line(energy, rows[name], title, style.muted, line={"dash": "dash" if name == "pre" else "dot"}))
    found = {title: float(ds[name].values[k]) for name, title in ENERGIES.items() if np.isfinite(ds[name].values[k])}
    shapes, _ = markers([f"{title}@{energy}" for title, energy in found.items()], style)
    energies = ", ".join(f"{title} {energy:.2f}" for title, energy in found.items())
    layout = {
        "xaxis": energy_axis(params),
        "notes": notes(items[:1], f"Dotted: {energies} eV.", "Shaded: ranges of the fits."),
        "width_of_notes": "narrow",
        "legend": columns_of_legend(len(traces), 2),
        "yaxis": {"title": {"text": MU_TITLE}},
        "shapes": [*_ranges(ds, k, style), *shapes],
    }
    return finish(traces, layout, style, "spectra.lines")


def _ranges(ds: xr.Dataset, k: int, style: Style) -> list[dict[str, Any]]:
    """The fit ranges as shaded stripes."""
    recipe, e0 = ds.attrs.get("recipe", {}), float(ds["e0"].values[k])
    made = []
    for low, high in (("pre1", "pre2"), ("norm1", "norm2")):
        ends = recipe.get(low), recipe.get(high)
        if None not in ends:
            place = {"x0": e0 + ends[0], "x1": e0 + ends[1], "xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}
            made.append({"type": "rect", **place, "fillcolor": style.fill("", 0.13), "line": {"width": 0}, "layer": "below"})
    return made


def corrected(items: tuple[Labelled, ...], style: Style, params: SpectrumFigureParams) -> "go.Figure":
    """Normalised absorption before and after the correction for self-absorption, and its amplification."""
    traces: list[Trace] = []
    for item, colour in zip(items, style.sequence(len(items)), strict=True):
        energy = np.asarray(item.data["energy"].values, dtype=float)
        traces.append(line(energy, np.asarray(item.data["norm"].values[0], dtype=float), legend(item.label, item), colour))
        if "amplification" in item.data:
            gain = np.asarray(item.data["amplification"].values[0], dtype=float)
            look = {"line": {"dash": "dot"}, "yaxis": "y2"}
            traces.append(line(energy, gain, "amplification of noise", style.muted, **look))
    models = [i.data.attrs["self_absorption"] for i in items if i.data.attrs.get("self_absorption")]
    said = [f"{n['formula']}, {n['angle_in']:g}° in, {n['angle_out']:g}° out, {n['model']}." for n in models]
    layout: dict[str, Any] = {
        "xaxis": energy_axis(params),
        "notes": notes(items, *said) if said else notes(items, "No formula is given: not corrected."),
        "width_of_notes": "narrow",
        "legend": columns_of_legend(len(traces), 2),
        "yaxis": {"title": {"text": "Norm. absorption / 1"}},
    }
    if any(t.get("yaxis") == "y2" for t in traces):
        layout["xaxis"]["anchor"] = "y2"
        layout["yaxis"]["domain"] = [0.36, 1.0]
        layout["yaxis2"] = {"title": {"text": "Amplif. / 1"}, "domain": [0.0, 0.28], "rangemode": "tozero", "nticks": 4}
    return finish(traces, layout, style, "spectra.corrected")


def _row_px(rows: int) -> float:
    """Size of a row's name: many stand closer together."""
    return max(SMALLEST_ROW_PX, min(LARGEST_ROW_PX, ROWS_PX / max(rows, 1)))


def edge_energies(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Edge energies of every sample by every definition: a symbol for each definition, a colour for each group."""
    rows = [(i, k, n) for i in items for k, n in enumerate(names(i))]
    traces: list[Trace] = []
    for symbol, (name, title) in zip(SYMBOLS, ENERGIES.items(), strict=False):
        if name == "e0":
            continue  # the recipe's, the same for all
        x = [float(i.data[name].values[k]) for i, k, _ in rows]
        look = {"symbol": symbol, "size": 7, "color": [style.color(i.group) for i, _, _ in rows]}
        shape = {"type": "scatter", "mode": "markers", "x": x, "y": [safe(n) for _, _, n in rows], "marker": look, "name": title}
        traces.append({**shape, "hovertemplate": f"%{{y}}<br>{title} %{{x:.2f}} eV<extra></extra>"})
    layout = {
        "xaxis": {"title": {"text": ENERGY_TITLE}, "tickformat": ".1f"},
        "yaxis": {"autorange": "reversed", "type": "category", "tickmode": "linear", "dtick": 1, "tickfont": {"size": _row_px(len(rows))}},
        "notes": notes(items),
        "width_of_notes": "narrow",
    }
    return finish(traces, layout, style, "spectra.edges")
