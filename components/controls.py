"""Small controls whose values live in the address, and the chips that switch samples on and off."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.style import Style
from components.address import control
from components.views import Query

WAIT_MS = 600  # after the last letter


def picker(name: str, query: Query, options: Sequence[tuple[str, str]], label: str, *, width: int = 130) -> Component:
    """One of some options, of which the first is the default."""
    default = options[0][0]
    known = [v for v, _ in options]
    value = query.get(name, default)
    return dmc.Select(
        id=control(name, default),
        data=[{"value": v, "label": t} for v, t in options],
        value=value if value in known else default,
        size="xs",
        w=width,
        allowDeselect=False,
        **{"aria-label": label},
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


def hidden(query: Query, *names: str) -> Component:
    """Values of the address that are set by clicking things."""
    inputs = [dmc.TextInput(id=control(n, ""), value=query.get(n, ""), **{"aria-label": n}) for n in names]
    return html.Div(inputs, style={"display": "none"})
