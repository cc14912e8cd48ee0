"""What the figures of comparisons share: safe text, units on axes, the empty figure, which dataset an item holds."""

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from analysis.core.registry import Labelled
from analysis.core.style import FONT_PX, Style, origin_note

if TYPE_CHECKING:
    import plotly.graph_objects as go

Trace = dict[str, Any]
NOT_BROKEN = "\u00a0"  # a unit is not torn from the end of its title
UNITS = {
    "mA h/g": "mA h g⁻¹",
    "mA h/g/cycle": "mA h g⁻¹ per cycle",
    "mA h/cycle": "mA h per cycle",
    "mV/cycle": "mV per cycle",
    "eV/um": "eV µm⁻¹",
}


def safe(text: str) -> str:
    """User text as text: no markup, and no hover template either."""
    return html.escape(text, quote=False).replace("%{", "%&#123;")


def unit_text(unit: str) -> str:
    """A unit as it is printed."""
    return UNITS.get(unit, unit)


def axis_text(title: str, unit: str, *, width: int = 0) -> str:
    """``title / unit``, wrapped where a ``width`` in characters is given."""
    ending = f" / {unit_text(unit)}" if unit and unit != "1" else ""
    if not width:
        return safe(title + ending)
    lines = textwrap.wrap(title + ending.replace(" ", NOT_BROKEN), width)
    return "<br>".join(safe(line.replace(NOT_BROKEN, " ")) for line in lines)


def of_schema(items: Sequence[Labelled], schema: str) -> xr.Dataset | None:
    """The first dataset of that schema among the items."""
    return next((i.data for i in items if i.data.attrs.get("schema") == schema), None)


def origins(items: Sequence[Labelled]) -> str:
    """The note of a figure that shows something synthetic, "" where all is measured."""
    return origin_note({i.origin for i in items})


def finish(traces: Sequence[Trace], layout: dict[str, Any], style: Style, revision: str) -> "go.Figure":
    """The figure of these traces; plain dicts are not checked one by one, which is twenty times faster."""
    import plotly.graph_objects as go

    return go.Figure({"data": list(traces), "layout": {"template": style.template(), "uirevision": revision, **layout}}, _validate=False)


def nothing(sentence: str, style: Style) -> "go.Figure":
    """An empty figure that says what is missing."""
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    text = "<br>".join(safe(line) for line in textwrap.wrap(sentence, 44))
    note = {"text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, "font": {"color": style.muted}}
    return finish([], {"xaxis": hidden, "yaxis": hidden, "annotations": [note], "showlegend": False}, style, "nothing")


def small(style: Style) -> int:
    """Size of notes and labels inside a picture, px."""
    return FONT_PX[style.size] - 1
