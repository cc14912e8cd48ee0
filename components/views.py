"""Views: what a figure on a page shows, as a function of the address alone.

    query of the address → requests → stored results → pure figure

The same view feeds the page, its redrawing, the CSV download, the provenance and the copied command.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.core.errors import UserError
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from analysis.core.style import Style
from components.context import style, workspace
from components.kept import Kept
from components.room import roomy

Query = Mapping[str, str]

FIGURES_KEPT = 256  # about 100 kB each


@dataclass(frozen=True)
class Items:
    """What a view can draw now, and the jobs whose results it still waits for."""

    shown: tuple[Labelled, ...] = ()
    waiting: tuple[Status, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()  # (what, sentence): shown beside the figure, never swallowed
    failed: tuple[str, ...] = ()  # keys of jobs that ended without a result and can be tried again


@dataclass(frozen=True)
class View:
    """A figure of the registry together with where its data come from.

    ``reads`` names the parts of the address that it depends on: others change without a redraw. ``name`` tells apart the views that
    show one figure on several pages. ``finish`` changes the drawn figure as plain data, such as to fit a small place.
    """

    figure: str
    title: str
    reads: tuple[str, ...]
    items: Callable[[Query], Items]
    params: Callable[[Query], dict[str, Any]] = lambda _query: {}
    hint: str = ""
    name: str = ""
    finish: Callable[[dict[str, Any]], dict[str, Any]] = lambda figure: figure

    @property
    def id(self) -> str:
        return self.name or self.figure


VIEWS: dict[str, View] = {}


def register(*views: View) -> None:
    """Make views known to the generic callbacks and routes."""
    VIEWS.update({v.id: v for v in views})


def project(view: View, query: Query) -> dict[str, str]:
    """The part of the address that a view reads."""
    return {name: query[name] for name in view.reads if name in query}


def draw(view: View, query: Query) -> tuple[dict[str, Any], Items]:
    """The figure as plain JSON-able data, and the items it was made of.

    What is complete is remembered until the catalog changes: pages are opened again far more often than data change.
    """
    look = style()
    part = tuple(sorted(project(view, query).items()))
    place = (str(workspace().root), workspace().stamp(), view.id, part, look)
    made = _DRAWN.get(place, lambda: _built(view, query, look))
    return _with_hidden(made[0], query), made[1]


def _built(view: View, query: Query, look: Style) -> tuple[dict[str, Any], Items]:
    kind = workspace().registry.figure(view.figure)
    try:
        items = view.items(query)
        figure = kind.build(items.shown, look, kind.params.check(view.params(query)))
    except UserError as err:
        items = Items(problems=((view.title, str(err)),))
        figure = kind.build((), look, kind.params())
    # Numbers are packed here once, not each time that the figure is sent.
    return roomy(view.finish(json.loads(figure.to_json()))), items


def _is_complete(made: tuple[dict[str, Any], Items]) -> bool:
    return not (made[1].waiting or made[1].problems)


_DRAWN = Kept(FIGURES_KEPT, whole=_is_complete)


def _with_hidden(figure: dict[str, Any], query: Query) -> dict[str, Any]:
    """Hide the traces of cells that are switched off; the browser does the same without asking the server."""
    off = set(listed(query, "off"))
    if not off:
        return figure
    data = [
        {**trace, "visible": False} if isinstance(trace.get("meta"), dict) and str(trace["meta"].get("id", "")) in off else trace
        for trace in figure.get("data", ())
    ]
    return {**figure, "data": data}


def listed(query: Query, name: str, default: str = "") -> list[str]:
    """A list-valued part of the address."""
    return [part for part in query.get(name, default).split(",") if part]


def numbers(query: Query, name: str, default: str = "") -> list[int]:
    """Whole numbers of the address; what is not a number is left out."""
    return [int(part) for part in listed(query, name, default) if part.strip().lstrip("-").isdigit()]
