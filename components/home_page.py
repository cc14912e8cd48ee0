"""Compare, the first page: two groups over all modalities, five figures above, a row a metric below."""

from dash import html
from dash.development.base_component import Component

from components import comparability, compare_sources, compare_table, job_panel, notice, shell
from components.compare_tiles import state, tiles
from components.context import workspace
from components.controls import entry, excluded, hidden, picker
from components.panels import panel
from components.views import Query

BY = (("cells", "n = cells"), ("particles", "n = particles"))


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    bar = shell.toolbar("Compare", query.get("ref", ref), query.get("cmp", cmp), _controls(query))
    if not workspace().snapshot().measurements:
        return shell.view(bar, job_panel.in_progress(), _first_steps())
    chosen = [m for m in workspace().snapshot().measurements if m.group in compare_sources.groups(query) and not m.excluded]
    guard = comparability.panel("compare", chosen, compare_sources.groups(query))
    lines = html.Div([guard, state(query)], className="lines")
    body = shell.page(tiles(query), html.Section(panel(compare_table.NAME, query), className="card score-card"), class_name="compare")
    return shell.view(bar, lines, body)


def _controls(query: Query) -> list[Component]:
    """Cycle of the capacity, what counts as n, exclusions."""
    return [
        entry("at", query, "Capacity at cycle", "Cycle whose capacity is compared", placeholder=compare_sources.AT_CYCLE, width=56),
        picker("by", query, BY, "What counts as a replicate", width=122),
        excluded(query),
        hidden(query, "excluded"),
    ]


def _first_steps() -> Component:
    how = (
        "Drop the files as your instruments wrote them: cyclers first. Each is recognised by its content, shown before it is taken, "
        "and assigned to a cell and a group."
    )
    return notice.empty("This workspace is empty", how)
