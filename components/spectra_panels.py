"""Tables of the spectra page: panels in a card of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from dash import html
from dash.development.base_component import Component

from components import card, panels, spectra_mixtures, spectra_tables
from components.spectra_view import CHOICE, PEAKS, SUBJECTS
from components.views import Items, Query

Build = Callable[[Query], tuple[list[Component], Items]]


@dataclass(frozen=True)
class Titled:
    """A table, the parts of the address that it reads, and its heading."""

    title: str
    reads: tuple[str, ...]
    build: Build
    class_name: str = ""


TABLES = {
    "effects": Titled("Group against group", (*CHOICE, *PEAKS, "off"), spectra_tables.effects),
    "fit": Titled("This fit", (*SUBJECTS, *PEAKS, "sample"), spectra_tables.fit),
    "areas": Titled("Areas by sample", (*CHOICE, *PEAKS, "off"), spectra_tables.areas, "wide"),
    "edges": Titled("Every sample by one recipe", (*CHOICE, *PEAKS), spectra_tables.edges, "whole"),
    "fractions": Titled("Fractions", (*CHOICE, "off", *spectra_mixtures.READS), spectra_tables.fractions),
    "mixtures": Titled("Every sample as this mixture", (*CHOICE, "off", *spectra_mixtures.READS), spectra_tables.mixtures, "whole"),
    "combinations": Titled("All combinations", (*CHOICE, "off", *spectra_mixtures.READS), spectra_tables.combinations),
}


def panel(name: str, query: Query) -> Component:
    """The card of a table, made for this address."""
    found = TABLES[name]
    return html.Section(
        [
            html.Div(html.H2(found.title, className="card-title"), className="card-head"),
            panels.panel(_panel_name(name), query, class_name="scroll"),
        ],
        className=f"card {found.class_name}".strip(),
        **{"aria-label": found.title},
    )


def _panel_name(name: str) -> str:
    return f"spectra.{name}"


def _draw(build: Build, query: Query) -> panels.Drawn:
    children, items = build(query)
    return panels.Drawn([*children, *card.state(items)], bool(items.waiting))


panels.register(*(panels.Panel(_panel_name(n), t.reads, partial(_draw, t.build)) for n, t in TABLES.items()))
