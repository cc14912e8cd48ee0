"""Small controls of the spectra page: pickers, numbers and texts whose values live in the address; chips of cells."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from components.address import control
from components.context import style
from components.views import Query, listed

Options = Sequence[tuple[str, str]]


def picker(name: str, query: Query, default: str, options: Options, label: str, width: int = 130, value: str | None = None) -> Component:
    """One of some options; ``value`` where it is not simply what the address says."""
    known = [v for v, _ in options]
    shown = query.get(name, default) if value is None else value
    return dmc.Select(
        id=control(name, default),
        data=[{"value": v, "label": t} for v, t in options],
        value=shown if shown in known else (default if default in known else next(iter(known), None)),
        size="xs",
        w=width,
        allowDeselect=False,
        **{"aria-label": label},
    )


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
    )


def labelled(name: str, query: Query, default: str, options: Options, label: str, width: int | str = 130) -> Component:
    """A picker with its name above it, for forms."""
    known = [v for v, _ in options]
    value = query.get(name, default)
    return dmc.Select(
        id=control(name, default),
        data=[{"value": v, "label": t} for v, t in options],
        value=value if value in known else default,
        size="xs",
        w=width,
        allowDeselect=False,
        label=label,
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


def hidden(query: Query, names: Options) -> Component:
    """Values of the address that are set by clicking things."""
    return html.Div(
        [dmc.TextInput(id=control(n, d), value=query.get(n, d), **{"aria-label": n}) for n, d in names], style={"display": "none"}
    )


def chips(measurements: Sequence[MeasurementRecord], query: Query) -> list[Component]:
    """One chip for each cell, in its group's colour: off means out of pictures and means."""
    off, look = set(listed(query, "off")), style()
    cells: dict[int, list[MeasurementRecord]] = {}
    for m in measurements:
        cells.setdefault(m.cell_id, []).append(m)
    made: list[Component] = []
    for cell_id, own in cells.items():
        first, on = own[0], str(cell_id) not in off
        reasons = [m.excluded_because for m in own if m.excluded_because]
        states = ", ".join(dict.fromkeys(str(m.state) for m in own if m.state))
        title = f"{first.cell}, {first.group}" + (f": {states}" if states else "") + (f"; excluded: {reasons[0]}" if reasons else "")
        made.append(
            html.Button(
                [
                    html.Span(className="swatch", style={"background": look.color(first.group or "")}),
                    html.Span(first.cell, className="ellipsis"),
                ],
                id={"part": "cell-chip", "cell": str(cell_id)},
                className="chip" + (" excluded" if reasons else ""),
                title=title,
                n_clicks=0,
                **{"aria-pressed": "true" if on else "false"},
            )
        )
    return made
