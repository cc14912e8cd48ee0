"""Small controls of the spectra page besides the common ones: numbers and texts of forms, several of some options, chips of cells."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from components.address import control
from components.context import style
from components.controls import Options, chip
from components.views import Query, listed


def number(
    name: str, query: Query, label: str, *, unit: str = "", placeholder: str = "", width: int | str = 84, tip: str = ""
) -> Component:
    """A number, blank where the recipe or the data decide; what they decide stands there in grey."""
    return dmc.TextInput(
        id=control(name, ""),
        value=query.get(name, ""),
        placeholder=placeholder,
        debounce=True,
        size="xs",
        w=width,
        label=f"{label} / {unit}" if unit else label,
        attributes={"input": {"title": tip or label}},
    )


def text(name: str, query: Query, label: str, *, default: str = "", placeholder: str = "", width: int | str = 200) -> Component:
    return dmc.TextInput(
        id=control(name, default),
        value=query.get(name, default),
        placeholder=placeholder,
        debounce=True,
        size="xs",
        w=width,
        label=label,
        className="two-fields",
    )


def many(name: str, query: Query, options: Options, label: str, *, default: str = "", placeholder: str = "", width: int = 240) -> Component:
    """Several of some options; the address joins them by commas."""
    known = [v for v, _ in options]
    return dmc.MultiSelect(
        id=control(name, default),
        data=[{"value": v, "label": t} for v, t in options],
        value=[v for v in listed(query, name, default) if v in known],
        placeholder=placeholder,
        size="xs",
        w=width,
        clearable=True,
        searchable=True,
        maxDropdownHeight=320,
        **{"aria-label": label},
    )


def chips(measurements: Sequence[MeasurementRecord], query: Query) -> list[Component]:
    """One chip for each cell, in its group's colour: off means out of pictures and means."""
    off, look = set(listed(query, "off")), style()
    cells: dict[int, list[MeasurementRecord]] = {}
    for m in measurements:
        cells.setdefault(m.cell_id, []).append(m)
    made: list[Component] = []
    for cell_id, own in cells.items():
        reason = next((m.excluded_because for m in own if m.excluded_because), "")
        states = ", ".join(dict.fromkeys(str(m.state) for m in own if m.state))
        on = str(cell_id) not in off
        made.append(chip(str(cell_id), own[0].cell, own[0].group or "", on=on, look=look, about=states, reason=reason))
    return made
