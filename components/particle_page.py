"""The particle page: slices, 3D, spectra of what is clicked, values of the map, the map along a line; all of it in the address."""

from collections.abc import Sequence
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.core.errors import UserError
from analysis.schemas import EDGE_MAP
from analysis.xanes.frames import FRAMES
from components import (
    image_view,
    job_panel,
    notice,
    particle_frames,
    particle_marks,
    particle_numbers,
    particle_recipe,
    particle_stage,
    particle_view,
    shell,
)
from components.address import ADDRESS, control
from components.card import card, graph_id
from components.context import workspace
from components.edge_maps import schema_of, titled
from components.particle_figures import PROFILE, SHIFTS, SPECTRA, VALUES
from components.particle_marks import Line, line_of, marks_of, text_of
from components.particle_view import DEFAULT_MAP, MAPS, chosen, particles, sides, tomograms
from components.views import Query

TABS = (("slices", "Slices"), ("solid", "3D"), ("frames", "Raw frames"))
AXES = (("z", "across z"), ("y", "across y"), ("x", "across x"))
HOW = (
    "Import a stack of images over an absorption edge (TIFF with its energies, HDF5 or NeXus, Zarr, NumPy, raw numbers, STXM), raw frames "
    "with references (.xrm), or a finished edge map; name the particle and its state on the import page."
)
HIDDEN = ("points", "line", "brush", "shifts", "layer")  # set by what a hand does in pictures and figures


def layout(**query: str) -> Component:
    """The page for an address."""
    every = particles()
    if not every:
        bar = shell.toolbar("Particle", "", "", groups=False)
        return shell.view(bar, job_panel.in_progress(), notice.empty("No particle yet", HOW))
    tab = _tab(query)
    bar = shell.toolbar("Particle", "", "", _controls(query, every, tab), groups=False)
    recipe = html.Div(particle_recipe.row(query), className="recipe-row")
    extra = html.Div(particle_recipe.extra(query), id="particle-extra", className="recipe-row")
    body = {"solid": _solid, "frames": _frames}.get(tab, _slices)(query)
    return shell.view(bar, recipe, extra, shell.page(body, class_name="particle"), _unseen(query))


def _tab(query: Query) -> str:
    raw = any(schema_of(m) == FRAMES.name for m in sides(query))
    tab = query.get("tab", "slices")
    return "slices" if tab == "frames" and not raw else tab


def _controls(query: Query, every: Sequence[MeasurementRecord], tab: str) -> list[Component]:
    first = chosen(query)
    named = [(str(m.id), titled(m)) for m in every]
    default = str(first.id) if first and "particle" not in query else ""
    raw = any(schema_of(m) == FRAMES.name for m in sides(query))
    tabs = tuple(t for t in TABS if raw or t[0] != "frames")
    others = [n for n in named if first and n[0] != str(first.id)]
    picks = [
        _pick("particle", str(first.id) if first else "", default, named, "Particle", 270),
        _pick("beside", query.get("beside", ""), "", [("", "no second particle"), *others], "Beside it", 250),
        shell.choice("tab", tab, "slices", tabs, "View"),
    ]
    shown = [
        _pick("map", query.get("map", DEFAULT_MAP), DEFAULT_MAP, _maps(first), "Map", 178),
        _pick("over", query.get("over", ""), "", _grounds(first), "What the map lies over", 170),
    ]
    # Beside the shifts there is one picture; the choice waits for the other tabs.
    picks += [html.Div(shown, style={"display": "none"})] if tab == "frames" else shown
    if len(sides(query)) > 1 or tab == "solid":
        picks.append(_pick("axis", query.get("axis", "z"), "z", AXES, "Slices", 96))
    return picks


def _maps(m: MeasurementRecord | None) -> list[tuple[str, str]]:
    """The maps that this particle can have: a finished map has those that it was imported with."""
    if m is None or schema_of(m) != EDGE_MAP.name:
        return [(name, kind.title) for name, kind in MAPS.items()]
    held = workspace().store.open(m.dataset_keys[0]).data_vars
    return [(name, kind.title) for name, kind in MAPS.items() if name == "state" or (kind.source == "edges" and kind.variable in held)]


def _grounds(m: MeasurementRecord | None) -> list[tuple[str, str]]:
    """What the map can lie over: the morphology of the same particle."""
    if m is None:
        return [("", "map alone")]
    finished = schema_of(m) == EDGE_MAP.name
    named = [("mu", "over optical depth")] if not finished else []
    named += [("edge_jump", "over the edge jump")]
    return [
        ("", "map alone"),
        *named,
        *((f"t{t.id}", f"over tomogram {t.files[0].original_name if t.files else t.id}") for t in tomograms(m)),
    ]


def _pick(name: str, value: str, default: str, options: Sequence[tuple[str, str]], label: str, width: int) -> Component:
    data = [{"value": v, "label": t} for v, t in options]
    known = value if value in [v for v, _ in options] else default
    return dmc.Select(id=control(name, default), data=data, value=known, size="xs", w=width, allowDeselect=False, **{"aria-label": label})


def _unseen(query: Query) -> Component:
    """Values of the address that hands set in pictures and figures, and what the pictures share."""
    inputs = [dmc.TextInput(id=control(n, ""), value=query.get(n, ""), **{"aria-label": n}) for n in HIDDEN]
    # Callbacks that listen to both pictures need both to be there.
    shown = _pictures(query)
    absent = [
        dcc.Store(id=store(v)) for v in particle_stage.SLICES if v not in shown for store in (image_view.event_id, image_view.seen_id)
    ]
    heard = [dcc.Store(id=particle_stage.part_id("seen", v)) for v in particle_stage.SLICES]
    return html.Div([*inputs, *absent, *heard, particle_stage.drawer()], style={"display": "none"})


def _pictures(query: Query) -> list[str]:
    """The views of slices that this address shows."""
    both = len(sides(query)) > 1
    if _tab(query) == "solid":
        return [] if both else ["particle-a"]
    return list(particle_stage.SLICES) if both and _tab(query) == "slices" else ["particle-a"]


# -- bodies --------------------------------------------------------------------------------------------------------------------


def _slices(query: Query) -> Component:
    return _grid(query, [particle_stage.slices_card(query, v) for v in _pictures(query)])


def _solid(query: Query) -> Component:
    if len(sides(query)) > 1:
        return _grid(query, [particle_stage.solid_card(query, v) for v in particle_stage.SOLIDS])
    return _grid(query, [particle_stage.solid_card(query, "solid-a"), particle_stage.slices_card(query, "particle-a")])


def _grid(query: Query, stages: Sequence[Component]) -> Component:
    """Pictures above, figures below."""
    return html.Div(
        [
            html.Div(list(stages), className="stages", **{"data-count": str(len(stages))}),
            html.Div(_cards(query), className="particle-cards"),
        ],
        className="particle-grid",
    )


def _cards(query: Query) -> list[Component]:
    shown = query.get("spectra", "absorption")
    look = shell.choice("spectra", shown, "absorption", (("absorption", "lines"), ("normalised", "norm.")), "Spectra shown as")
    reach = shell.choice("reach", query.get("reach", "edge"), "edge", (("edge", "edge"), ("all", "all")), "Energies shown")
    return [
        card(SPECTRA, query, controls=[look, reach]),
        particle_numbers.marks_card(query, _around(query)),
        card(VALUES, query),
        html.Div(third(query.get("third", "numbers"), query), id="particle-third", className="particle-third"),
    ]


def _around(query: Query) -> Component:
    options = (("0", "1 voxel"), ("1", "3 a side"), ("2", "5 a side"))
    return _pick("around", query.get("around", "0"), "0", options, "Voxels averaged about a point", 92)


def third(which: str, query: Query) -> list[Component]:
    """The last card: the numbers of the particle, or the map along the line."""
    tabs = shell.choice("third", which, "numbers", (("numbers", "numbers"), ("profile", "profile")), "Card")
    if which == "profile":
        return [card(PROFILE, query, controls=[tabs])]
    return [particle_numbers.card(query, tabs)]


def _frames(query: Query) -> Component:
    """Raw frames: how they are laid over each other, and the optical depth that comes of it."""
    cards = [particle_stage.slices_card(query, "particle-a"), card(SHIFTS, query), particle_frames.editor(query)]
    return html.Div(cards, className="frames-grid")


# -- callbacks -----------------------------------------------------------------------------------------------------------------


def _owner(view: str, query: Query) -> MeasurementRecord | None:
    return chosen(query, particle_stage.SLICES.get(view, ""))


@callback(
    Output(control("points", ""), "value"),
    Input(image_view.event_id("particle-a"), "data"),
    Input(image_view.event_id("particle-b"), "data"),
    Input(particle_numbers.mark_id("remove", ALL), "n_clicks"),
    Input(particle_numbers.mark_id("colour", ALL), "n_clicks"),
    Input(particle_numbers.mark_id(ALL, ALL), "value"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def mark(_a: Any, _b: Any, _removed: Any, _coloured: Any, _written: Any, query: dict[str, str] | None) -> Any:
    """The list of marks after a click, a lasso, or a change in the list itself."""
    cause, marks = ctx.triggered_id, marks_of((query or {}).get("points", ""))
    value = ctx.triggered[0]["value"] if ctx.triggered else None
    if not isinstance(cause, dict) or not value:
        return no_update
    try:
        text = text_of(_after(cause, value, marks, query or {}))
    except UserError as err:
        dash.set_props("notifications", {"sendNotifications": [{"action": "show", "message": str(err), "color": "orange", "id": "mark"}]})
        return no_update
    return text if text != text_of(marks) else no_update


def _after(cause: dict[str, str], value: Any, marks: list[particle_marks.Mark], query: Query) -> list[particle_marks.Mark]:
    changes = {"remove": particle_marks.removed, "colour": particle_marks.recoloured}
    if cause["part"] != "image-event":
        kind = cause["change"]
        if kind == "slices":
            return particle_marks.reaching(workspace().store, marks, cause["mark"], value)
        return particle_marks.renamed(marks, cause["mark"], value) if kind == "name" else changes[kind](marks, cause["mark"])
    m = _owner(cause["view"], query)
    if m is None or value["type"] == "profile":
        return marks
    if value["type"] == "voxel":
        return particle_marks.added(marks, m.id, (int(value["z"]), int(value["y"]), int(value["x"])))
    shape = workspace().store.open(particle_view.stack_of(m, query) if schema_of(m) != EDGE_MAP.name else m.dataset_keys[0])
    return particle_marks.added(marks, m.id, particle_marks.keep_region(workspace().store, value, shape))


@callback(
    Output(control("line", ""), "value"),
    Output(control("third", "numbers"), "value"),
    Input(image_view.event_id("particle-a"), "data"),
    Input(image_view.event_id("particle-b"), "data"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def line(_a: Any, _b: Any, query: dict[str, str] | None) -> tuple[Any, Any]:
    """The line that was drawn, and the card that shows the map along it."""
    cause, value = ctx.triggered_id, ctx.triggered[0]["value"] if ctx.triggered else None
    m = _owner(cause["view"], query or {}) if isinstance(cause, dict) else None
    if m is None or not value or value.get("type") != "profile":
        return no_update, no_update
    ends = [tuple(float(value[end][d]) for d in ("z", "y", "x")) for end in ("from", "to")]
    text = str(Line(m.id, ends[0], ends[1]))  # type: ignore[arg-type]
    return (text, "profile") if line_of(text) is not None else (no_update, no_update)


@callback(
    Output("particle-third", "children"),
    Input(control("third", "numbers"), "value"),
    State(control("line", ""), "value"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def turn(which: str, line: str | None, query: dict[str, str] | None) -> list[Component]:
    """The other card; the line that was just drawn may not be in the address yet."""
    return third(which, {**(query or {}), "third": which, "line": line or ""})


clientside_callback(
    ClientsideFunction("particle", "brush"),
    Output(control("brush", ""), "value"),
    Input(graph_id("particle.values"), "selectedData"),
    Input(control("map", DEFAULT_MAP), "value"),
    State(control("brush", ""), "value"),
    prevent_initial_call=True,
)
for _view in particle_stage.SLICES:
    clientside_callback(
        ClientsideFunction("particle", "seen"),
        Output(particle_stage.part_id("seen", _view), "data"),
        Input(image_view.seen_id(_view), "data"),
        State(image_view.seen_id(_view), "id"),
        prevent_initial_call=True,
    )
