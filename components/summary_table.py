"""Scalars of the chosen cells as one table: a row a cell, value with its interval, grouped."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.data import Scalar, scalars
from analysis.core.registry import Labelled
from components.context import style
from components.views import Items

SHOWN = (
    "n_cycles",
    "initial_discharge_capacity",
    "last_discharge_capacity",
    "retention",
    "fade_rate",
    "mean_coulombic_efficiency",
    "cycles_to_80",
    "knee_cycle",
    "hysteresis_growth",
)
UNITS = {"1": "", "mA h/g": "mA h/g"}


def table(items: Items) -> Component:
    """Every cell's scalars; a dash where a value does not exist."""
    if not items.shown:
        return dmc.Text("No cell to show.", size="sm", c="dimmed", p="sm")
    names = [n for n in SHOWN if any(n in scalars(i.data) for i in items.shown)]
    head = html.Thead(html.Tr([html.Th("Cell", scope="col"), *(html.Th(_heading(n, items.shown), scope="col") for n in names)]))
    body = html.Tbody([_row(i, names) for i in items.shown])
    return html.Div(html.Table([head, body], className="scalars"), className="scroll")


def _heading(name: str, items: Sequence[Labelled]) -> list[Component | str]:
    first = next(s for i in items if (s := scalars(i.data).get(name)) is not None)
    unit = UNITS.get(first.unit, first.unit)
    return [first.title or name.replace("_", " ").capitalize(), *([html.Br(), html.Small(unit)] if unit else [])]


def _row(item: Labelled, names: Sequence[str]) -> Component:
    values = scalars(item.data)
    swatch = html.Span(className="swatch", style={"background": style().color(item.group)})
    name = html.Th([swatch, " ", item.label, html.Small(f" {item.origin}" if item.origin == "synthetic" else "")], scope="row")
    return html.Tr([name, *(html.Td(_cell(values.get(n)), className="number") for n in names)])


def _cell(scalar: Scalar | None) -> list[Component | str]:
    """Value and, in small, its interval (with its level) or its standard deviation."""
    if scalar is None or scalar.value is None:
        return ["–"]
    shown: list[Component | str] = [printed(scalar.value)]
    if scalar.low is not None and scalar.high is not None:
        level = f"{100 * scalar.level:.0f} %: " if scalar.level else ""
        shown += [html.Br(), html.Small(f"{level}{printed(scalar.low)} … {printed(scalar.high)}")]
    elif scalar.std is not None:
        shown += [html.Br(), html.Small(f"± {printed(scalar.std)}")]
    if scalar.n is not None and scalar.of:
        shown += [html.Small(f" n = {scalar.n} {scalar.of}", className="count")]
    return shown


def printed(value: float | int | str) -> str:
    """A number with the digits that mean something: four significant ones, whole numbers whole."""
    if isinstance(value, str | int):
        return str(value)
    text = f"{value:.4g}"
    return text.replace("-", "−") if "e" not in text else f"{value:.2e}".replace("-", "−")
