"""The pictures of the particle page: slices and 3D of one particle or two, with what they wait for.

Each picture has a store with the part of the address that it depends on; where that changes, the server says what is shown now.
"""

from collections.abc import Callable, Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis import viewform
from analysis.catalog import MeasurementRecord
from analysis.core.errors import UserError
from analysis.core.registry import Labelled
from analysis.xanes.figures_spectra import mark_colour
from components import image_view, menu, particle_figures, particle_view, provenance, volume_view
from components.address import ADDRESS
from components.card import state
from components.context import jobs, style, workspace
from components.edge_maps import labelled, particle_name
from components.image_view import Source
from components.job_panel import POLL_MS
from components.menu import Entry
from components.particle_marks import drawn, line_of, marks_of
from components.particle_view import MAP_PARAMETERS, NotYet, chosen, collected, sides, title_of
from components.results import merged
from components.views import Items, Query
from components.volume_view import solid, surface_for

SLICES = {"particle-a": "particle", "particle-b": "beside"}
SOLIDS = {"solid-a": "particle", "solid-b": "beside"}
SHOWS = ("particle", "beside", "map", "over", "axis", *MAP_PARAMETERS)
MARKS = ("points", "brush", "line")
SHELL_PART, SHELL_PERCENT = 0.4, 95.0  # the shell encloses voxels with so much of the 95th percentile of the edge jump
LINK = "particles"
AXES = ("z", "y", "x")
MENU = "stage"
menu.define(
    MENU,
    (
        Entry("png", "Download PNG", "image"),
        Entry("csv", "Download these slices (CSV)", "table"),
    ),
)
OF_SLICES = ("csv", "pin")  # what a 3D view has not

Made = tuple[dict[str, Any] | None, Items]


def part_id(part: str, view: Any) -> dict[str, Any]:
    """Id of a part of a picture: stage, marks, state, poll, retry."""
    return {"part": f"particle-{part}", "view": view}


# -- what is shown -------------------------------------------------------------------------------------------------------------


def sliced(query: Query, side: str) -> Made:
    """The slices of a particle, and the results behind them."""
    m = chosen(query, side)
    if m is None:
        return None, Items()
    tops: list[Source] = []
    grounds: list[Source] = []

    def top() -> tuple[Labelled, ...]:
        key, source = particle_view.map_of(m, query)
        tops.append(source)
        return (labelled(key, m),)

    def ground() -> tuple[Labelled, ...]:
        below = particle_view.ground_of(m, query)
        grounds.extend([below[1]] if below else [])
        return (labelled(below[0], m),) if below else ()

    # The map is shown alone while what it lies on is being made.
    items = merged(collected(particle_name(m), top), collected(f"{particle_name(m)}, below the map", ground))
    if not tops:
        return None, items
    base, overlay = (grounds[0], tops[0]) if grounds else (tops[0], None)
    return image_view.shown(base, overlay=overlay, axes=_axes(query), caption=title_of(m)), items


def _axes(query: Query) -> tuple[str, ...]:
    """All three slices where there is room, else the one that the address names."""
    alone = len(sides(query)) == 1 and query.get("tab") != "solid"
    return AXES if alone else (query["axis"] if query.get("axis") in AXES else "z",)


def solid_of(query: Query, side: str) -> Made:
    """The surface of a particle, coloured by the map, with a shell around it."""
    m = chosen(query, side)
    if m is None:
        return None, Items()
    found: list[dict[str, Any]] = []

    def make() -> tuple[Labelled, ...]:
        edges = particle_view.edges_of(m, query)
        key, top = particle_view.map_of(m, query)
        shape = particle_view.form_of(edges, "edge_energy", particle_name(m))["key"]
        said = viewform.described(workspace().store, top["key"])
        layer = min(_number(query, "layer"), len(said["layers"]["values"]) - 1) if said["layers"] else 0
        surface = _surface(shape, top["key"], layer=layer)
        found.append(solid(surface, shell=_shell(edges, particle_name(m)), link=LINK, caption=title_of(m), shell_shown=False))
        return (labelled(key, m),)

    items = collected(particle_name(m), make)
    return (found[0] if found else None), items


def _surface(shape: str, colour: str, **options: Any) -> str:
    key, status = surface_for(shape, colour, **options)
    if key is None:
        raise NotYet(status)  # type: ignore[arg-type]
    return key


def _shell(edges: str, name: str) -> str:
    """The whole particle, cracks and refused voxels included; "" where the map has no edge jump."""
    if "edge_jump" not in workspace().store.open(edges):
        return ""
    form = particle_view.form_of(edges, "edge_jump", name)["key"]
    said = viewform.described(workspace().store, form)
    high = said["percentiles"][said["percents"].index(SHELL_PERCENT)] or 0.0
    return _surface(form, "", threshold=SHELL_PART * high)


def _number(query: Query, name: str) -> int:
    text = query.get(name, "")
    return int(text) if text.isdigit() and len(text) < 6 else 0


# -- how it is shown -----------------------------------------------------------------------------------------------------------


def slice_order(query: Query, side: str, *, fresh: bool) -> dict[str, Any]:
    """Marks and brush; ``fresh`` adds one range of colours for all particles, where there are several, and an energy with contrast."""
    role = _role(query, side)
    order: dict[str, Any] = {"brush": _brush(query, on=role), "marks": _marks(query, side)}
    if fresh and not query.get("layer"):
        order |= _contrast(query, side)
    if fresh and len(sides(query)) > 1 and (span := _span(query)) is not None:
        order[role] = span
    return order


def first_order(query: Query, side: str) -> dict[str, Any]:
    """What a picture is opened with: marks, brush, and place, layer and range as the address has them."""
    order = slice_order(query, side, fresh=True)
    if side == "particle":
        place = [int(p) for p in query.get("at", "").split(".") if p.isdigit()]
        order |= {"index": dict(zip(AXES, place, strict=True))} if len(place) == len(AXES) else {}
        order |= {"energy": _number(query, "layer")} if query.get("layer") else {}
        order |= {_role(query, side): given} if (given := _given_range(query)) else {}
    return order


def _contrast(query: Query, side: str) -> dict[str, int]:
    """Under a map, optical depth is shown above the edge, where the particle stands out most: at the last energy."""
    source, _ = sliced(query, side)
    if source is None or source["overlay"] is None or source["base"]["variable"] != "mu":
        return {}
    said = viewform.described(workspace().store, source["base"]["key"])
    return {"energy": len(said["layers"]["values"]) - 1}


def solid_order(query: Query, *, fresh: bool) -> dict[str, Any]:
    order: dict[str, Any] = {"brush": _brush(query)}
    if fresh:
        order |= _given_range(query) or (_span(query) if len(sides(query)) > 1 else None) or {}
    return order


def _role(query: Query, side: str) -> str:
    """Where the map lies in the picture: on top of something, or alone."""
    source, _ = sliced(query, side)
    return "overlay" if source and source["overlay"] else "base"


def _brush(query: Query, **on: str) -> dict[str, Any] | None:
    brush = particle_figures.brush_of(query)
    # A stack's values are not those of the histogram beside it.
    if brush is None or particle_view.map_kind(query).source == "stack":
        return None
    return {"low": brush[0], "high": brush[1], **on}


def _marks(query: Query, side: str) -> dict[str, Any]:
    m = chosen(query, side)
    if m is None:
        return {}
    shown = [(k, drawn(workspace().store, k, mark_colour(k.colour, style()))) for k in marks_of(query.get("points", ""))]
    mine = [(k, d) for k, d in shown if k.measurement == m.id and d is not None]
    return {
        "points": [d for k, d in mine if not isinstance(k.place, str)],
        "regions": [d for k, d in mine if isinstance(k.place, str)],
        "lines": _lines(query, m),
    }


def _lines(query: Query, m: MeasurementRecord) -> list[dict[str, Any]]:
    line = line_of(query.get("line", ""))
    if line is None or line.measurement != m.id:
        return []
    return [{name: dict(zip(AXES, end, strict=True)) for name, end in (("from", line.start), ("to", line.end))}]


def _span(query: Query) -> dict[str, float] | None:
    try:
        span = particle_view.value_range(query)
    except (NotYet, UserError):
        return None
    return {"low": span[0], "high": span[1]} if span else None


def _given_range(query: Query) -> dict[str, Any] | None:
    """The range of colours in the address: two values, or two percentiles such as 2-98%."""
    text = query.get("range", "")
    sep = "_" if "_" in text else "-"
    try:
        low, high = map(float, text.removesuffix("%").split(sep))
    except ValueError:
        return None
    return {"percents": [low, high]} if text.endswith("%") else {"low": low, "high": high}


# -- cards ---------------------------------------------------------------------------------------------------------------------


def slices_card(query: Query, view: str) -> Component:
    source, items = sliced(query, SLICES[view])
    picture = image_view.image_view(view, source, order=first_order(query, SLICES[view]), label="Slices")
    return _card(query, view, SLICES[view], picture, items)


def solid_card(query: Query, view: str) -> Component:
    source, items = solid_of(query, SOLIDS[view])
    picture = volume_view.volume_view(view, source, order=solid_order(query, fresh=True), label="3D")
    return _card(query, view, SOLIDS[view], picture, items)


def _card(query: Query, view: str, side: str, picture: Component, items: Items) -> Component:
    m = chosen(query, side)
    part = {n: query[n] for n in SHOWS if n in query}
    return html.Section(
        [
            _menu(view),
            picture,
            html.Div(
                [
                    html.Div(state(items), id=part_id("state", view)),
                    html.Button("Try again", id=part_id("retry", view), hidden=not items.failed, className="retry", n_clicks=0),
                ],
                className="card-state",
            ),
            dcc.Store(id=part_id("stage", view), data={"reads": list(SHOWS), "query": part}),
            dcc.Store(id=part_id("marks", view), data={"reads": list(MARKS), "query": {n: query[n] for n in MARKS if n in query}}),
            dcc.Interval(id=part_id("poll", view), interval=POLL_MS, disabled=not items.waiting),
        ],
        className="card stage",
        **{"aria-label": title_of(m) if m else ""},
    )


def _menu(view: str) -> Component:
    what, without = ("Slices", ()) if view in SLICES else ("3D", OF_SLICES)
    return html.Div(menu.button(MENU, view, f"{what}: download and more", without), className="stage-menu")


# -- callbacks -----------------------------------------------------------------------------------------------------------------


def _shower(make: Callable[[Query, str], Made], side: str) -> Callable[..., tuple[Any, Any, bool, bool]]:
    """The callback of one picture: what it shows now; while a job runs the last picture stays."""

    def show(_changed: Any, _ticks: int | None, _retries: int | None, query: dict[str, str] | None) -> tuple[Any, Any, bool, bool]:
        source, items = make(query or {}, side)
        if isinstance(ctx.triggered_id, dict) and ctx.triggered_id["part"] == "particle-retry":
            for key in items.failed:
                jobs().forget(key)
            source, items = make(query or {}, side)
        return source or no_update, state(items), not items.waiting, not items.failed

    return show


def _orderer(order: Callable[..., dict[str, Any]], view: str) -> Callable[..., dict[str, Any]]:
    def ordered(_marks: Any, _source: Any, query: dict[str, str] | None) -> dict[str, Any]:
        fresh = any(t["prop_id"].endswith("data") and '"particle-marks"' not in t["prop_id"] for t in ctx.triggered)
        sided = (SLICES[view],) if view in SLICES else ()
        return order(query or {}, *sided, fresh=fresh)

    return ordered


def _connect(view: str, side: str, source: Mapping[str, Any], order: Mapping[str, Any], make: Any, say: Any) -> None:
    for part in ("stage", "marks"):
        clientside_callback(
            ClientsideFunction("cards", "changed"),
            Output(part_id(part, view), "data"),
            Input(ADDRESS, "data"),
            State(part_id(part, view), "data"),
            prevent_initial_call=True,
        )
    callback(
        Output(dict(source), "data"),
        Output(part_id("state", view), "children"),
        Output(part_id("poll", view), "disabled"),
        Output(part_id("retry", view), "hidden"),
        Input(part_id("stage", view), "data"),
        Input(part_id("poll", view), "n_intervals"),
        Input(part_id("retry", view), "n_clicks"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )(_shower(make, side))
    callback(
        Output(dict(order), "data"),
        Input(part_id("marks", view), "data"),
        Input(dict(source), "data"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )(_orderer(say, view))


for _view, _side in SLICES.items():
    _connect(_view, _side, image_view.source_id(_view), image_view.order_id(_view), sliced, slice_order)
for _view, _side in SOLIDS.items():
    _connect(_view, _side, volume_view.source_id(_view), volume_view.order_id(_view), solid_of, solid_order)


def shown_by(view: str, query: Query) -> tuple[Labelled, ...]:
    """The results behind a picture."""
    made = sliced(query, SLICES[view]) if view in SLICES else solid_of(query, SOLIDS[view])
    return made[1].shown


@callback(
    Output("stage-provenance", "opened"),
    Output("stage-provenance-body", "children"),
    menu.asked(MENU),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def how(asked: dict[str, str], query: dict[str, str] | None) -> tuple[bool, Any]:
    """The drawer that says where a picture comes from."""
    items = shown_by(asked["of"], query or {})
    return True, [provenance.entries(items)] if items else [dmc.Text("Nothing is shown yet.", size="sm", c="dimmed")]


def drawer() -> Component:
    return dmc.Drawer(html.Div(id="stage-provenance-body"), id="stage-provenance", title="How was this made?", position="right", size="lg")
