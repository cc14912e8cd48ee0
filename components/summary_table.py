"""Scalars of the chosen cells as one table: a row a cell, value with its interval, grouped."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.data import Scalar, scalars
from analysis.core.registry import Labelled
from components.context import style
from components.numbers import between, displayed, printed, with_spread, within
from components.views import Items

# Scalar, and its heading; the scalar's own, longer title is the heading's tooltip.
SHOWN = {
    "n_cycles": "Cycles",
    "initial_discharge_capacity": "First capacity",
    "last_discharge_capacity": "Last capacity",
    "retention": "Retention",
    "fade_rate": "Fade rate",
    "mean_coulombic_efficiency": "Mean CE",
    "cycles_to_80": "Cycles to 80 %",
    "knee_cycle": "Knee at cycle",
    "hysteresis_growth": "Hysteresis growth",
}


def table(items: Items) -> Component:
    """Every cell's scalars; a dash where a value does not exist."""
    if not items.shown:
        return dmc.Text("No cell to show.", size="sm", c="dimmed", p="sm")
    names = [n for n in SHOWN if any(n in scalars(i.data) for i in items.shown)]
    head = html.Thead(html.Tr([html.Th("Cell", scope="col"), *(_heading(n, items.shown) for n in names)]))
    body = html.Tbody([_row(i, names) for i in items.shown])
    return html.Div(html.Table([head, body], className="scalars"), className="scroll")


def _heading(name: str, items: Sequence[Labelled]) -> Component:
    known = [displayed(name, s) for i in items if (s := scalars(i.data).get(name)) is not None]
    unit = "" if known[0].unit == "1" else known[0].unit
    titles = "; ".join(dict.fromkeys(s.title for s in known if s.title))
    return html.Th([SHOWN[name], *([html.Br(), html.Small(unit)] if unit else [])], scope="col", title=titles)


def _row(item: Labelled, names: Sequence[str]) -> Component:
    values = {n: displayed(n, s) for n, s in scalars(item.data).items()}
    swatch = html.Span(className="swatch", style={"background": style().color(item.group)})
    said = [html.Br(), html.Small(item.origin)] if item.origin == "synthetic" else []
    name = html.Th([swatch, " ", item.label, *said], scope="row", className="cell-name")
    return html.Tr([name, *(html.Td(_cell(values.get(n)), className="number", title=_count(values.get(n))) for n in names)])


def _cell(scalar: Scalar | None) -> list[Component | str]:
    """Value and, below it, its interval (with its level) or its standard deviation, and over how many."""
    if scalar is None or scalar.value is None:
        return ["–"]
    has_interval = scalar.low is not None and scalar.high is not None
    shown: list[Component | str] = [_value(scalar)]
    if scalar.low is not None and scalar.high is not None:
        shown += [html.Br(), html.Small(between(scalar.low, scalar.high))]
    if scalar.n is not None:
        level = f"{100 * scalar.level:.0f} %, " if scalar.level and has_interval else ""
        shown += [html.Br(), html.Small(f"{level}n = {scalar.n}")]
    return shown


def _value(scalar: Scalar) -> str:
    if not isinstance(scalar.value, float):
        return printed(scalar.value)
    if scalar.low is not None and scalar.high is not None:
        return within(scalar.value, scalar.low, scalar.high)
    return printed(scalar.value, zeros=True) if scalar.std is None else with_spread(scalar.value, scalar.std)


def _count(scalar: Scalar | None) -> str:
    """What the value is, and what its n counts."""
    if scalar is None or scalar.value is None:
        return "not defined for this cell"
    return ", ".join(t for t in (scalar.title, f"n = {scalar.n} {scalar.of}" if scalar.n is not None else "") if t)
