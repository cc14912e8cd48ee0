"""Shifts that lay the frames of a scan over each other, energy by energy."""

from typing import TYPE_CHECKING

from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish
from analysis.xanes.figures_base import legend, titled

if TYPE_CHECKING:
    import plotly.graph_objects as go

NO_SHIFTS = "Choose a measurement of raw frames: the shifts between its energies appear here."
PARTS = (("shift_y", "down", "solid", "circle"), ("shift_x", "to the right", "dash", "square"))


class ShiftParams(Params):
    """Nothing to choose."""


def shifts(items: tuple[Labelled, ...], style: Style, params: ShiftParams) -> "go.Figure":
    """Shift down and to the right against energy, in pixels of the reference energy's frame."""
    shown = [i for i in items if "shift_y" in i.data]
    if not shown:
        return nothing(NO_SHIFTS, style)
    traces: list[Trace] = []
    for item in shown:
        for name, words, dash, symbol in PARTS:
            hover = f"<b>{safe(item.label)}</b><br>%{{x:.1f}} eV: %{{y:.2f}} px {words}<extra></extra>"
            colour = style.color(item.group)
            look = {"line": {"color": colour, "dash": dash, "width": 1.4}, "marker": {"color": colour, "symbol": symbol, "size": 6}}
            place = {"x": item.data["energy"].values, "y": item.data[name].values}
            name_of = legend(f"{item.label}: {words}", [item.origin])
            traces.append({"type": "scatter", "mode": "lines+markers", **place, **look, "name": name_of, "hovertemplate": hover})
    at = float(shown[0].data.attrs["reference_energy"])
    scale = shown[0].data["scale"].values
    notes = [f"Against the frame at {at:g} eV.", f"Frames are scaled by {scale.min():.4f} to {scale.max():.4f} before they are moved."]
    layout = {
        "xaxis": {"title": titled("Photon energy / eV", shown, notes, style), "tickformat": ".1~f"},
        "yaxis": {"title": {"text": "Shift / px"}},
    }
    return finish(traces, layout, style, "shifts")
