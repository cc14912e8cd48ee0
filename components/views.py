"""Views: what a figure on a page shows, as a function of the address alone.

    query of the address → requests → stored results → pure figure

The same view feeds the page, its redrawing, the CSV download, the provenance and the copied command.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.core.errors import UserError
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from components.context import style, workspace

Query = Mapping[str, str]


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

    ``reads`` names the parts of the address that it depends on: others change without a redraw.
    """

    figure: str
    title: str
    reads: tuple[str, ...]
    items: Callable[[Query], Items]
    params: Callable[[Query], dict[str, Any]] = lambda _query: {}
    hint: str = ""


VIEWS: dict[str, View] = {}


def register(*views: View) -> None:
    """Make views known to the generic callbacks and routes."""
    VIEWS.update({v.figure: v for v in views})


def project(view: View, query: Query) -> dict[str, str]:
    """The part of the address that a view reads."""
    return {name: query[name] for name in view.reads if name in query}


def draw(view: View, query: Query) -> tuple[dict[str, Any], Items]:
    """The figure as plain JSON-able data (cheaper to serve than a Figure), and the items it was made of."""
    kind = workspace().registry.figure(view.figure)
    try:
        items = view.items(query)
        figure = kind.build(items.shown, style(), kind.params.check(view.params(query)))
    except UserError as err:
        items = Items(problems=((view.title, str(err)),))
        figure = kind.build((), style(), kind.params())
    return _with_hidden(figure.to_plotly_json(), query), items


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
