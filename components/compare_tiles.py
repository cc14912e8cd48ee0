"""The five small figures of the comparison; each opens its page, and one without data says what to import."""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import dcc, html
from dash.development.base_component import Component

from components import compare_links, compare_sources
from components.card import card
from components.context import workspace
from components.views import VIEWS, Query


@dataclass(frozen=True)
class Tile:
    """A figure, the modality it needs, and the page that shows it large."""

    view: str
    modality: str
    measured: str  # the modality whose files it is made of


TILES = (
    Tile("compare.capacity", "cycling", "cycling"),
    Tile("compare.histogram", "xanes", "xanes"),
    Tile("compare.violins", "xanes", "xanes"),
    Tile("compare.cracks", "cracks", "xanes"),
    Tile("compare.spectra", "spectra", "spectra"),
)


def tiles(query: Query) -> Component:
    """The row of figures for an address."""
    has = compare_sources.modalities(compare_sources.groups(query))
    return html.Div([_tile(t, query, has.get(t.measured, 0)) for t in TILES], className="tiles")


def _tile(tile: Tile, query: Query, measured: int) -> Component:
    view = VIEWS[tile.view]
    if not measured:
        return _empty(view.title, tile.modality)
    link = compare_links.place("", tile.modality, query)
    opened = [dcc.Link("open", href=link, className="tile-link", title=f"{view.title}: open its page")] if link else []
    return card(view, query, controls=opened, class_name="tile")


def _empty(title: str, modality: str) -> Component:
    what = compare_links.IMPORTS.get(modality, "data")
    said = [html.P("No data of these groups."), dcc.Link(f"Import {what}", href="/import")]
    return html.Section(
        [html.Div(html.H2(title, className="card-title"), className="card-head"), html.Div(said, className="tile-empty")],
        className="card tile",
        **{"aria-label": title},
    )


def state(query: Query) -> Component:
    """What the workspace holds, in a line that opens."""
    snap = workspace().snapshot()
    cells = ", ".join(f"{g.title or g.name} {g.n_cells}" for g in snap.groups)
    titles = {m.id: m.title for m in workspace().registry.modalities.values()}
    kinds: dict[str, int] = {}
    for m in snap.measurements:
        kinds[str(m.modality)] = kinds.get(str(m.modality), 0) + 1
    counts = " · ".join(f"{titles.get(k, k)} {n}" for k, n in kinds.items())
    summary = html.Summary([html.Span("This workspace: "), f"cells {cells} · {counts}"])
    return html.Details([summary, html.Table(html.Tbody(_facts(query)), className="facts")], className="guard same workspace-state")


def _facts(query: Query) -> Sequence[Component]:
    """Cells of every group, what is left out and why, cells without a mass, modalities that could not load."""
    snap = workspace().snapshot()
    rows = [(f"{g.title or g.name}", ", ".join(c.name for c in snap.cells if c.group == g.name) or "no cells") for g in snap.groups]
    excluded = [f"{m.cell}: {m.excluded_because}" for m in snap.measurements if m.excluded]
    unweighed = [c.name for c in snap.cells if c.effective_active_mass_mg is None and c.group in compare_sources.groups(query)]
    rows += [("left out", "; ".join(excluded))] if excluded else []
    rows += [("no active mass", ", ".join(unweighed))] if unweighed else []
    rows += [("could not load", f"{k}: {v}") for k, v in workspace().registry.broken.items()]
    return [html.Tr([html.Th(name, scope="row"), html.Td(said)]) for name, said in rows]
