"""Spectra of voxels and regions: as measured with the lines that normalise them, or normalised; edge energies marked."""

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish
from analysis.schemas import DEFINITIONS
from analysis.xanes.definitions import Definition
from analysis.xanes.figures_base import plural, titled

if TYPE_CHECKING:
    import plotly.graph_objects as go

NOTHING = "Click a voxel or draw a lasso: its spectrum appears here."
NEAR_EV = (-40.0, 80.0)  # about E0: what a reader looks at first
HALF = 0.5
NARROW = 50  # characters of a line of notes: the figure stands in a narrow card
NO_COLOUR = -1

# Of what a hand marked in pictures and figures; none of them is the colour of a group or of a colour map's ends.
MARK_COLOURS = {
    "light": ("#b0206f", "#0a7a70", "#6a42c8", "#8a6200", "#c0362c", "#3f6f12", "#2b62d9", "#7a4a2b"),
    "dark": ("#ff7fc4", "#4fd8c9", "#b79cff", "#f0c24a", "#ff8b7c", "#a3d86a", "#8ab8ff", "#d9a98a"),
}


class SpectraParams(Params):
    """How spectra are drawn."""

    show: Literal["absorption", "normalised"] = Field("absorption", title="Spectra as measured with their lines, or normalised")
    definition: Definition = Field("e_half", title="Edge energy that is marked")
    whole: bool = Field(False, title="All energies, not only those near the edge")
    colours: dict[str, int] = Field({}, title="Colours by id: places in the list of mark colours; that of the group where there is none")


def mark_colour(place: int, style: Style) -> str:
    """The colour at a place of the list of mark colours; grey below 0."""
    colours = MARK_COLOURS[style.theme]
    return style.muted if place < 0 else colours[place % len(colours)]


def spectra(items: tuple[Labelled, ...], style: Style, params: SpectraParams) -> "go.Figure":
    """One line a spectrum with its pre-edge and post-edge line, and its edge energy."""
    shown = [i for i in items if i.data.attrs.get("schema") == "xanes.spectrum"]
    if not shown:
        return nothing(NOTHING, style)
    colours = [mark_colour(params.colours[i.id], style) if i.id in params.colours else style.color(i.group) for i in shown]
    traces = [t for item, colour in zip(shown, colours, strict=True) for t in _traces(item, colour, params)]
    return finish(traces, _layout(shown, colours, style, params), style, f"spectra {params.show} {params.whole}")


def _traces(item: Labelled, colour: str, params: SpectraParams) -> list[Trace]:
    ds, name = item.data, "mu" if params.show == "absorption" else "norm"
    energy = ds["energy"].values
    common: dict[str, Any] = {"type": "scatter", "x": energy, "legendgroup": item.id or item.label, "meta": {"id": item.id}}
    found = edge_of(item, params.definition)
    said = "no edge energy" if found is None else f"{found:.2f} eV"
    entry = safe(f"{item.label}: {said}")
    voxels = plural(int(ds.attrs["n_voxels"]), "voxel")
    hover = f"<b>{safe(item.label)}</b>, {voxels}<br>%{{x:.1f}} eV: %{{y:.4f}}<extra></extra>"
    look = {"mode": "lines+markers", "line": {"color": colour, "width": 1.4}, "marker": {"size": 3.5, "color": colour}}
    made: list[Trace] = [{**common, **look, "y": ds[name].values, "name": entry, "hovertemplate": hover}]
    quiet = {**common, "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    if params.show == "absorption":
        for line, dash, part in (("pre", "dot", energy <= ds.attrs["e0"]), ("post", "dash", energy >= ds.attrs["e0"])):
            made.append({**quiet, "x": energy[part], "y": ds[line].values[part], "line": {"color": colour, "width": 1, "dash": dash}})
    if found is not None:
        made.append(_marked(ds, found, name, colour, quiet))
    return made


def _marked(ds: Any, found: float, name: str, colour: str, quiet: Trace) -> Trace:
    """The edge energy as a point on the spectrum."""
    at = float(np.interp(found, ds["energy"].values, ds[name].values))
    symbol = {"symbol": "circle-open", "size": 10, "color": colour, "line": {"width": 2}}
    hover = f"edge energy {found:.2f} eV<extra></extra>"
    return {**quiet, "x": [found], "y": [at], "mode": "markers", "marker": symbol, "hoverinfo": "x", "hovertemplate": hover}


def edge_of(item: Labelled, definition: str) -> float | None:
    """Edge energy of a mean spectrum in eV; None where it has none by this definition."""
    found = item.data.attrs["energies"].get(definition)
    return None if found is None else float(found)


def _layout(items: list[Labelled], colours: list[str], style: Style, params: SpectraParams) -> dict[str, Any]:
    ds = items[0].data
    notes = [f"Circle: {DEFINITIONS[params.definition]}."]
    if params.show == "absorption":
        (a, b), (c, d) = ds.attrs["ranges"]
        notes.append(f"Lines fitted over {a:g}–{b:g} eV (dotted) and {c:g}–{d:g} eV (dashed).")
    e0 = float(ds.attrs["e0"])
    near = {} if params.whole else {"range": [e0 + NEAR_EV[0], e0 + NEAR_EV[1]]}
    unit = {"1": "1", "1/um": "µm⁻¹"}[str(ds["mu"].attrs["units"])] if params.show == "absorption" else "1"
    title = (
        "Optical depth" if params.show == "absorption" and unit == "1" else "Absorption" if params.show == "absorption" else "Normalised µ"
    )
    shapes = []
    if params.show == "normalised" and params.definition == "e_half":
        line = {"color": style.muted, "width": 1, "dash": "dot"}
        shapes = [{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": HALF, "y1": HALF, "line": line, "layer": "below"}]
    return {
        "xaxis": {"title": titled("Photon energy / eV", items, notes, style, length=NARROW), "tickformat": ".1~f", **near},
        "yaxis": {"title": {"text": f"{title} / {unit}"}, "tickformat": ".2~f"},
        "shapes": shapes,
    }
