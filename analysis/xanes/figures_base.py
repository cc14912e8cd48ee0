"""What the figures of X-ray microscopy share: names, states, notes below the axis."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import xarray as xr

from analysis.core.errors import DataError
from analysis.core.registry import Labelled
from analysis.core.style import Style, legend_name, origin_note
from analysis.drawing import safe
from analysis.schemas import DEFINITIONS

STATE_MARK = " · "  # what stands before the state in a label: "U1 P2 · charged"
STATES = ("pristine", "discharged", "charged")  # as the edge energy rises
STATE_SHORT = {"charged": "ch.", "discharged": "dis.", "pristine": "pr."}
NOTE_LENGTH = 64
NARROW_NOTE = 44  # in figures whose names take room at the left
WIDE_NOTE = 120  # in figures that are drawn wide
NOTE_PX = {"screen": 10.5, "single": 8, "double": 8}
QUANTITIES = {"soc": "State of charge", "valence": "Ni valence"}


def state_of(item: Labelled) -> str:
    """The state that an item's label ends with; empty where it names none."""
    return item.label.rpartition(STATE_MARK)[2] if STATE_MARK in item.label else ""


def states_of(items: Sequence[Labelled]) -> list[str]:
    """The states of some items, charged first."""
    found = {state_of(i) for i in items}
    return [s for s in reversed(STATES) if s in found] + sorted(found - set(STATES))


def groups_of(items: Sequence[Labelled]) -> list[str]:
    """The groups of some items, in the order of their first appearance."""
    return list(dict.fromkeys(i.group for i in items))


def short_name(item: Labelled) -> str:
    """The label without its state."""
    return item.label.rpartition(STATE_MARK)[0] if STATE_MARK in item.label else item.label


def short(text: str, length: int = 18) -> str:
    """``text`` cut to ``length`` characters, the cut shown."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def legend(name: str, origins: Iterable[str]) -> str:
    """A legend entry; it says so where any of its parts is synthetic."""
    return safe(legend_name(name, "synthetic" if "synthetic" in set(origins) else "measured"))


def plural(n: int, word: str) -> str:
    """``12 432 voxels``: thousands apart by a narrow space."""
    return f"{n:,} {word if n == 1 else word + 's'}".replace(",", "\u202f")


def one_of(items: Sequence[Labelled], name: str, default: Any = "") -> Any:
    """An attribute that all items must share; DataError names two that differ."""
    first = items[0].data.attrs.get(name, default)
    for item in items[1:]:
        other = item.data.attrs.get(name, default)
        if other != first:
            raise DataError(
                f"{items[0].label} and {item.label} share no axis: {name.replace('_', ' ')} {first} and {other}.",
                hint="Show particles of one kind only, analysed alike.",
            )
    return first


def value_axis(ds: xr.Dataset) -> str:
    """Title of the axis of edge energies, with the definition; or of state of charge or valence."""
    quantity = ds.attrs.get("quantity")
    definition = DEFINITIONS.get(ds.attrs.get("definition", ""), "definition not stated")
    if quantity:
        return f"{QUANTITIES.get(quantity, quantity)} ({definition}) / 1"
    return f"Edge energy ({definition}) / eV"


def value_axis_upright(ds: xr.Dataset) -> str:
    """The same in two lines, for an upright axis."""
    quantity = ds.attrs.get("quantity")
    definition = DEFINITIONS.get(ds.attrs.get("definition", ""), "definition not stated")
    title = f"{QUANTITIES.get(quantity, quantity)} / 1" if quantity else "Edge energy / eV"
    return f"{title}<br>({definition})"


def unit_of(ds: xr.Dataset) -> str:
    """Unit of what is distributed, as printed after a number; empty for state of charge and valence."""
    return "" if ds.attrs.get("quantity") else " eV"


def number_format(ds: xr.Dataset) -> str:
    return ".3f" if ds.attrs.get("quantity") else ".2f"


def titled(title: str, items: Sequence[Labelled], notes: Sequence[str], style: Style, *, length: int = NOTE_LENGTH) -> dict[str, Any]:
    """An axis title with notes below it: plotly keeps room for titles, for free annotations it does not."""
    origin = origin_note({i.origin for i in items})
    said = " ".join([*([f"{origin[:1].upper()}{origin[1:]}."] if origin else []), *notes])
    look = f"font-size:{NOTE_PX[style.size]}px;color:{style.muted}"
    lines = [f'<span style="{look}">{safe(line)}</span>' for line in textwrap.wrap(said, length)]
    return {"text": "<br>".join([*([title] if title else []), *lines])}


def heading(text: str, x: float, y: float, style: Style) -> dict[str, Any]:
    """A panel's name in its upper left corner; places in parts of the paper."""
    place = {"x": x, "xref": "paper", "xanchor": "left", "xshift": 6, "y": y, "yref": "paper", "yanchor": "top", "yshift": -3}
    return {"text": f"<b>{safe(text)}</b>", "showarrow": False, "font": {"color": style.ink}, **place}
