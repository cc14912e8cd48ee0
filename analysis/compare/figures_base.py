"""What the figures of comparisons share: units on axes, notes, which dataset an item holds."""

import textwrap
from collections.abc import Sequence

import xarray as xr

from analysis.core.registry import Labelled
from analysis.core.style import FONT_PX, Style, origin_note
from analysis.drawing import safe

NOT_BROKEN = "\u00a0"  # a unit is not torn from the end of its title
UNITS = {
    "mA h/g": "mA h g⁻¹",
    "mA h/g/cycle": "mA h g⁻¹ per cycle",
    "mA h/cycle": "mA h per cycle",
    "mV/cycle": "mV per cycle",
    "eV/um": "eV µm⁻¹",
}


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


def small(style: Style) -> int:
    """Size of notes and labels inside a picture, px."""
    return FONT_PX[style.size] - 1
