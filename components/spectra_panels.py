"""Tables of the spectra page that follow the address and wait for results, as figures do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import MATCH, ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html
from dash.development.base_component import Component

from components import card, spectra_mixtures, spectra_tables
from components.address import ADDRESS
from components.job_panel import POLL_MS
from components.spectra_view import CHOICE, PEAKS, SUBJECTS
from components.views import Items, Query


@dataclass(frozen=True)
class Panel:
    """A table, the parts of the address that it reads, and its heading."""

    title: str
    reads: tuple[str, ...]
    build: Callable[[Query], tuple[list[Component], Items]]
    class_name: str = ""


PANELS = {
    "effects": Panel("Group against group", (*CHOICE, *PEAKS, "off"), spectra_tables.effects),
    "fit": Panel("This fit", (*SUBJECTS, *PEAKS, "sample"), spectra_tables.fit),
    "areas": Panel("Areas by sample", (*CHOICE, *PEAKS, "off"), spectra_tables.areas, "wide"),
    "edges": Panel("Every sample by one recipe", (*CHOICE, *PEAKS), spectra_tables.edges, "whole"),
    "fractions": Panel("Fractions", (*CHOICE, "off", *spectra_mixtures.READS), spectra_tables.fractions),
    "combinations": Panel("All combinations", (*CHOICE, "off", *spectra_mixtures.READS), spectra_tables.combinations),
}


def _id(part: str, name: Any) -> dict[str, Any]:
    return {"part": f"spectra-panel-{part}", "name": name}


def panel(name: str, query: Query) -> Component:
    """The card of a table, made for this address."""
    found = PANELS[name]
    children, items = found.build(query)
    return html.Section(
        [
            html.Div(html.H2(found.title, className="card-title"), className="card-head"),
            html.Div([*children, *card.state(items)], id=_id("body", name), className="scroll"),
            dcc.Store(id=_id("query", name), data={"reads": list(found.reads), "query": {n: query[n] for n in found.reads if n in query}}),
            dcc.Interval(id=_id("poll", name), interval=POLL_MS, disabled=not items.waiting),
        ],
        className=f"card {found.class_name}".strip(),
        **{"aria-label": found.title},
    )


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
    children, items = PANELS[panel_id["name"]].build(query or {})
    return [*children, *card.state(items)], not items.waiting
