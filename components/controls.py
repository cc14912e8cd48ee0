"""Small controls whose values live in the address, and the chips that switch samples on and off."""

from collections.abc import Mapping, Sequence

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Input, Output, State, clientside_callback, html
from dash.development.base_component import Component

from analysis.core.style import Style
from components.address import control
from components.views import Query

Options = Sequence[tuple[str, str]]

WAIT_MS = 600  # after the last letter


def picker(
    name: str,
    query: Query,
    options: Options,
    label: str,
    *,
    default: str | None = None,
    value: str | None = None,
    width: int | str = 130,
    above: bool = False,
) -> Component:
    """One of some options; ``default`` is the first unless given, ``value`` stands where it is not simply what the address says.

    The label is told to screen readers, and stands above the control in forms (``above``).
    """
    known = [v for v, _ in options]
    usual = default if default is not None else next(iter(known), "")
    shown = query.get(name, usual) if value is None else value
    return dmc.Select(
        id=control(name, usual),
        data=[{"value": v, "label": t} for v, t in options],
        value=shown if shown in known else (usual if usual in known else next(iter(known), None)),
        size="xs",
        w=width,
        allowDeselect=False,
        **{"label" if above else "aria-label": label},
    )


def entry(name: str, query: Query, word: str, label: str, *, placeholder: str = "", unit: str = "", width: int = 70) -> Component:
    """A number or a list of them after a word; what stands in its place while it is empty is the default."""
    text = dmc.TextInput(
        id=control(name, ""),
        value=query.get(name, ""),
        placeholder=placeholder,
        debounce=WAIT_MS,
        size="xs",
        w=width,
        inputProps={"inputMode": "decimal"},
        **{"aria-label": label},
    )
    units = [dmc.Text(unit, size="xs", c="dimmed")] if unit else []
    parts = [dmc.Text(word, size="xs", c="dimmed"), text, *units]
    return dmc.Tooltip(dmc.Group(parts, gap=4, wrap="nowrap"), label=label, multiline=True, maw=320)


def chip(sample_id: str, name: str, group: str, *, on: bool, look: Style, about: str = "", reason: str = "") -> Component:
    """One sample in its group's colour; off means out of pictures and means, and is known to the address."""
    title = ", ".join(t for t in (name, group, about) if t) + (f"; excluded: {reason}" if reason else "")
    return html.Button(
        [html.Span(className="swatch", style={"background": look.color(group)}), html.Span(name, className="ellipsis")],
        id={"part": "cell-chip", "cell": sample_id},
        className="chip" + (" excluded" if reason else ""),
        title=title,
        n_clicks=0,
        **{"aria-pressed": "true" if on else "false"},
    )


def hidden(query: Query, *names: str, defaults: Mapping[str, str] | None = None) -> Component:
    """Values of the address that are set by clicking things; ``defaults`` of those whose usual value is not empty."""
    usual = {**dict.fromkeys(names, ""), **(defaults or {})}
    inputs = [dmc.TextInput(id=control(n, d), value=query.get(n, d), **{"aria-label": n}) for n, d in usual.items()]
    return html.Div(inputs, style={"display": "none"})


def excluded(query: Query) -> Component:
    """Whether excluded cells, particles and spectra are shown and counted too."""
    shown = query.get("excluded") == "shown"
    return dmc.Switch(id="excluded-switch", label="with excluded", checked=shown, size="xs", className="push")


clientside_callback(
    ClientsideFunction("controls", "chips"),
    Output(control("off", ""), "value"),
    Output({"part": "cell-chip", "cell": ALL}, "aria-pressed"),
    Input({"part": "cell-chip", "cell": ALL}, "n_clicks"),
    State({"part": "cell-chip", "cell": ALL}, "id"),
    State(control("off", ""), "value"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("controls", "excluded"),
    Output(control("excluded", ""), "value"),
    Input("excluded-switch", "checked"),
    prevent_initial_call=True,
)
