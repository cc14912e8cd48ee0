"""Panels: parts of a page made of words and tables, drawn from the address alone and drawn again while results are awaited.

What views are for figures, panels are for everything else. A page registers them and puts ``panel(name, query)`` where it
wants them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import MATCH, ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html
from dash.development.base_component import Component

from analysis.core.errors import UserError
from components import notice
from components.address import ADDRESS
from components.job_panel import POLL_MS
from components.views import Query


@dataclass(frozen=True)
class Drawn:
    """What a panel shows now, and whether it waits for more."""

    children: Any
    waiting: bool = False


@dataclass(frozen=True)
class Panel:
    """A part of a page: ``reads`` names the parts of the address that it depends on."""

    name: str
    reads: tuple[str, ...]
    draw: Callable[[Query], Drawn]


PANELS: dict[str, Panel] = {}


def register(*panels: Panel) -> None:
    """Make panels known to the callback that redraws them."""
    PANELS.update({p.name: p for p in panels})


def panel(name: str, query: Query, *, class_name: str = "") -> Component:
    """The panel, drawn for this address."""
    found = PANELS[name]
    shown = drawn(found, query)
    part = {n: query[n] for n in found.reads if n in query}
    return html.Div(
        [
            html.Div(shown.children, id=_id("body", name), className="panel-body"),
            dcc.Store(id=_id("query", name), data={"reads": list(found.reads), "query": part}),
            dcc.Interval(id=_id("poll", name), interval=POLL_MS, disabled=not shown.waiting),
        ],
        className=f"panel {class_name}".strip(),
    )


def _id(part: str, name: Any) -> dict[str, Any]:
    return {"part": f"panel-{part}", "panel": name}


def drawn(found: Panel, query: Query) -> Drawn:
    """What the panel shows at an address; what people can solve is said in its place."""
    try:
        return found.draw(query)
    except UserError as err:
        return Drawn(notice.problem(err))


clientside_callback(
    ClientsideFunction("cards", "changed"),
    Output(_id("query", MATCH), "data"),
    Input(ADDRESS, "data"),
    State(_id("query", MATCH), "data"),
    prevent_initial_call=True,
)


@callback(
    Output(_id("body", MATCH), "children"),
    Output(_id("poll", MATCH), "disabled"),
    Input(_id("query", MATCH), "data"),
    Input(_id("poll", MATCH), "n_intervals"),
    State(_id("query", MATCH), "id"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def redraw(_changed: dict[str, Any], _ticks: int | None, panel_id: dict[str, str], query: dict[str, str] | None) -> tuple[Any, bool]:
    shown = drawn(PANELS[panel_id["panel"]], query or {})
    return shown.children, not shown.waiting
