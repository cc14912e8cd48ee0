"""Interplay: any metric against any other, cell by cell, and the vicious circle with the study's own correlations."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, clientside_callback, dcc, html
from dash.development.base_component import Component

from components import compare_sources, interplay_view, job_panel, notice, shell
from components.address import control
from components.card import card, graph_id
from components.context import workspace
from components.controls import entry, excluded, hidden, picker
from components.home_page import BY
from components.views import VIEWS, Query

MATRIX = "interplay.matrix"


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    bar = shell.toolbar("Interplay", query.get("ref", ref), query.get("cmp", cmp), _controls(query))
    if not workspace().snapshot().measurements:
        how = "Import cycling data, particles and spectra of the same cells: then what goes together can be seen."
        return shell.view(bar, job_panel.in_progress(), notice.empty("Nothing to relate yet", how))
    cards = [card(VIEWS[MATRIX], query, controls=[_metrics(query)]), card(VIEWS["interplay.circle"], query)]
    return shell.view(bar, _about(query), shell.page(html.Div(cards, className="grid interplay"), dcc.Store(id="interplay-brushed")))


def _controls(query: Query) -> list[Component]:
    """The cycle of the capacity, what counts as a point, exclusions."""
    at = entry("at", query, "Capacity at cycle", "Cycle whose capacity is shown", placeholder=compare_sources.AT_CYCLE, width=56)
    return [at, picker("by", query, BY, "What a point is", width=122), excluded(query), hidden(query, "excluded")]


def _metrics(query: Query) -> Component:
    """The metrics of the matrix."""
    return dmc.MultiSelect(
        id=control("metrics", interplay_view.default(query)),
        data=[{"value": m, "label": t} for m, t in interplay_view.measured(query)],
        value=list(interplay_view.chosen(query)),
        maxValues=interplay_view.MOST,
        size="xs",
        searchable=True,
        className="interplay-metrics",
        comboboxProps={"withinPortal": True},
        **{"aria-label": "Metrics of the matrix"},
    )


def _about(query: Query) -> Component:
    """What the numbers mean, and how many there are."""
    count = interplay_view.pairs_of(interplay_view.chosen(query))
    words = (
        f"ρ: Spearman's correlation of ranks within each group, p over all permutations within groups; fewer than five cells: not enough "
        f"data. {count} pairs are shown: of {count} without any relation, {0.05 * count:.1f} would have p < 0.05 by chance."
    )
    return html.P(words, className="foot lines-about")


clientside_callback(
    ClientsideFunction("interplay", "brush"),
    Output("interplay-brushed", "data"),
    Input(graph_id(MATRIX), "selectedData"),
    prevent_initial_call=True,
)
