"""A figure on a page: title, graph, and one menu with everything that can be done with it."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import MATCH, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components import menu, notice, provenance
from components.address import ADDRESS
from components.context import jobs
from components.job_panel import POLL_MS, progress
from components.menu import Entry
from components.views import VIEWS, Items, Query, View, draw, project

CONFIG = {
    "showSendToCloud": False,  # Plotly's own button would upload the figure
    "plotlyServerURL": "",
    "displaylogo": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "toImage", "autoScale2d"],
    "displayModeBar": "hover",
}
MENU = "card"
menu.define(
    MENU,
    (
        Entry("png", "Download PNG", "image"),
        Entry("svg", "Download SVG", "image"),
        Entry("csv", "Download data (CSV)", "table"),
    ),
)

JOBS_SHOWN = 2  # over one figure; all of them are in the panel of jobs


def graph_id(figure: Any) -> dict[str, Any]:
    return {"part": "graph", "figure": figure}


def _query_id(figure: Any) -> dict[str, Any]:
    return {"part": "view-query", "figure": figure}


def _state_id(figure: Any) -> dict[str, Any]:
    return {"part": "view-state", "figure": figure}


def _poll_id(figure: Any) -> dict[str, Any]:
    return {"part": "view-poll", "figure": figure}


def _retry_id(figure: Any) -> dict[str, Any]:
    return {"part": "view-retry", "figure": figure}


def card(view: View, query: Query, *, controls: Sequence[Component] = (), class_name: str = "") -> Component:
    """The card of a view, drawn for this address."""
    figure, items = draw(view, query)
    return html.Section(
        [
            html.Div(
                [
                    html.H2(view.title, className="card-title", title=view.hint),
                    html.Div(list(controls), className="card-controls"),
                    menu.button(MENU, view.id, f"{view.title}: download and more"),
                ],
                className="card-head",
            ),
            html.Div(
                [
                    dcc.Graph(id=graph_id(view.id), figure=figure, config=CONFIG, className="graph", responsive=True),
                    html.Div(
                        [
                            html.Div(state(items), id=_state_id(view.id)),
                            html.Button("Try again", id=_retry_id(view.id), hidden=not items.failed, className="retry", n_clicks=0),
                        ],
                        className="card-state",
                    ),
                ],
                className="card-body",
            ),
            dcc.Store(id=_query_id(view.id), data={"reads": list(view.reads), "query": project(view, query)}),
            dcc.Interval(id=_poll_id(view.id), interval=POLL_MS, disabled=not items.waiting),
        ],
        className=f"card {class_name}".strip(),
        **{"aria-label": view.title},
    )


def state(items: Items) -> list[Component]:
    """What lies over a figure while its data are being computed, and problems of single inputs."""
    ahead = sorted(items.waiting, key=lambda s: s.state != "running")
    jobs_shown = [progress(s) for s in ahead[:JOBS_SHOWN]]
    if (more := len(ahead) - JOBS_SHOWN) > 0:
        jobs_shown.append(dmc.Text(f"and {more} more, listed under Jobs", size="xs", c="dimmed", className="job"))
    return [*jobs_shown, *notice.problems(items.problems)]


clientside_callback(
    ClientsideFunction("cards", "changed"),
    Output(_query_id(MATCH), "data"),
    Input(ADDRESS, "data"),
    State(_query_id(MATCH), "data"),
    prevent_initial_call=True,
)


@callback(
    Output(graph_id(MATCH), "figure"),
    Output(_state_id(MATCH), "children"),
    Output(_poll_id(MATCH), "disabled"),
    Output(_retry_id(MATCH), "hidden"),
    Input(_query_id(MATCH), "data"),
    Input(_poll_id(MATCH), "n_intervals"),
    Input(_retry_id(MATCH), "n_clicks"),
    State(_query_id(MATCH), "id"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def redraw(
    _changed: dict[str, Any], _ticks: int | None, _retries: int, card_id: dict[str, str], query: dict[str, str] | None
) -> tuple[Any, Any, bool, bool]:
    view, cause = VIEWS[card_id["figure"]], ctx.triggered_id["part"]
    figure, items = draw(view, query or {})
    if cause == "view-retry":
        for key in items.failed:
            jobs().forget(key)
        figure, items = draw(view, query or {})
    # While polling, the picture stays; only the progress moves, until everything is there.
    return no_update if cause == "view-poll" and items.waiting else figure, state(items), not items.waiting, not items.failed


clientside_callback(ClientsideFunction("cards", "toggle"), Output("cards-off", "data"), Input(ADDRESS, "data"))


@callback(
    Output("provenance", "opened"),
    Output("provenance-body", "children"),
    menu.asked(MENU),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def how(asked: dict[str, str], query: dict[str, str] | None) -> tuple[bool, Any]:
    view = VIEWS[asked["of"]]
    return True, provenance.described(view, view.items(query or {}).shown)


def extras() -> list[Component]:
    """What the cards share, once in the shell."""
    return [
        dcc.Store(id="cards-off"),
        dmc.Drawer(html.Div(id="provenance-body"), id="provenance", title="How was this made?", position="right", size="lg"),
    ]
