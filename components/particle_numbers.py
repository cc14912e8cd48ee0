"""The particle page's lists: marks with the edge energy at each, and the numbers of the particles with n and uncertainty."""

from functools import partial
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.core.data import Scalar, scalars, warnings_of
from analysis.core.errors import UserError
from analysis.core.registry import Labelled
from analysis.schemas import DEFINITIONS, FLAGS, has_voxel_size, voxel_um
from analysis.xanes.compute import EdgeParams
from analysis.xanes.edges import summarise
from analysis.xanes.figures_base import STATE_MARK
from analysis.xanes.figures_spectra import mark_colour
from analysis.xanes.map_values import LABELS
from components import particle_figures, particle_view
from components.address import ADDRESS
from components.card import state
from components.context import style, workspace
from components.edge_maps import labelled, particle_name
from components.icons import icon
from components.job_panel import POLL_MS
from components.numbers import printed, with_spread
from components.particle_marks import Mark, marks_of, slices_of
from components.particle_view import MAP_PARAMETERS, NotYet, collected, sides
from components.results import merged
from components.views import Items, Query

ROWS = (
    ("n_valid", "Voxels that count"),
    ("median", "Median"),
    ("iqr", "Quartile distance"),
    ("std", "Standard deviation"),
    ("noise_floor", "Noise floor σ"),
    ("heterogeneity", "Spread beyond noise"),
    ("fraction_refused_in_particle", "Refused in the particle"),
    ("n_rim", "Rim, left out"),
    ("e0", "E0"),
)
PLACE_EV = 100.0  # an energy above it is a place on the scale, one below it a width, written to a meV
OUTSIDE = 32  # of FLAGS: not looked at, which is no refusal
READS = ("particle", "beside", *MAP_PARAMETERS, "brush", "map")
LIST_READS = (*MAP_PARAMETERS, "particle", "beside", "points", "map", "layer", "bin_width")
UNITS = {"edge_energy": " eV", "edge_energy_std": " eV", "white_line": " eV"}


def mark_id(change: Any, mark: Any) -> dict[str, Any]:
    return {"part": "mark", "change": change, "mark": mark}


# -- marks ---------------------------------------------------------------------------------------------------------------------


def marks_list(query: Query) -> list[Component]:
    """A row a mark: colour (click for the next one), name, edge energy with its uncertainty, a way to remove it."""
    shown = {m.id: m for m in sides(query)}
    marks = [k for k in marks_of(query.get("points", "")) if k.measurement in shown]
    if not marks:
        return [dmc.Text("Click a voxel in a slice, or draw around a region with the lasso.", size="xs", c="dimmed", p=8)]
    return [html.Ul([_row(k, shown[k.measurement], len(shown) > 1, query) for k in marks], className="marks")]


def _row(mark: Mark, m: MeasurementRecord, named: bool, query: Query) -> Component:
    colour = mark_colour(mark.colour, style())
    swatch = html.Button(
        className="mark-colour",
        id=mark_id("colour", mark.id),
        n_clicks=0,
        style={"background": colour},
        **{"aria-label": f"{mark.name}: next colour"},
    )
    name = dmc.TextInput(
        id=mark_id("name", mark.id), value=mark.name, debounce=True, size="xs", className="mark-name", **{"aria-label": "Name of the mark"}
    )
    gone = html.Button(
        icon("close", 12), id=mark_id("remove", mark.id), n_clicks=0, className="mark-remove", **{"aria-label": f"Remove {mark.name}"}
    )
    where = f"{particle_name(m)}, {_place(mark)}" if named else _place(mark)
    reach = [_reach(mark)] if isinstance(mark.place, str) and workspace().store.has(mark.place) else []
    return html.Li([swatch, name, gone, html.Span(_value(mark, m, query)), *reach, html.Small(where)])


def _reach(mark: Mark) -> Component:
    """The slices that a region covers; other ones can be written."""
    drawn = workspace().store.open(str(mark.place)).attrs["drawn"]
    first, last = slices_of(drawn)
    text = dmc.TextInput(
        id=mark_id("slices", mark.id),
        value=f"{first}" if first == last else f"{first}–{last}",
        debounce=True,
        size="xs",
        className="mark-slices",
        **{"aria-label": f"Slices of {mark.name}"},
    )
    hint = "One slice, or the first and the last of a prism, such as 20–30"
    return html.Label([f"slices {drawn['axis']}", text], className="mark-reach", title=hint)


def _place(mark: Mark) -> str:
    if not isinstance(mark.place, str):
        return "z {}, y {}, x {}".format(*mark.place)
    if not workspace().store.has(mark.place):
        return "not in this workspace"
    said = workspace().store.open(mark.place).attrs
    return f"region, {_whole(said['n_voxels'])} voxels"


def _value(mark: Mark, m: MeasurementRecord, query: Query) -> str:
    """Edge energy of a voxel with its σ, or why it has none; of a region, what is counted of the map in it."""
    try:
        edges = workspace().store.open(particle_view.edges_of(m, query))
    except (NotYet, UserError):
        return "–"
    if isinstance(mark.place, str):
        return _spread(mark, m, query)
    place = {d: p for d, p in zip(("z", "y", "x"), mark.place, strict=True) if d in edges.sizes}
    if any(p >= edges.sizes[d] for d, p in place.items()):
        return "outside"
    at = edges[[n for n in ("edge_energy", "edge_energy_std", "flags") if n in edges]].isel(place).load()
    flag = int(at["flags"])
    if flag:
        return next((words for bit, words in FLAGS.items() if flag & bit), "refused")
    spread = f" ± {float(at['edge_energy_std']):.2f}" if "edge_energy_std" in at else ""
    return f"{float(at['edge_energy']):.2f}{spread} eV"


def _spread(mark: Mark, m: MeasurementRecord, query: Query) -> str:
    """Median of the shown map over the voxels of a region that count, their standard deviation and number."""
    try:
        counted = workspace().store.open(particle_figures.values_of(m, mark, query)).attrs
    except (NotYet, UserError):
        return "–"
    if counted["variable"] in LABELS:
        return f"n = {_whole(counted['n'])}"
    unit = UNITS.get(particle_figures.counted_map(query).variable, "")
    return f"{with_spread(counted['quartiles'][1], counted['std'])}{unit} (SD), n = {_whole(counted['n'])}"


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def marks_card(query: Query, around: Component) -> Component:
    """The list with what it needs to follow the address."""
    part = {n: query[n] for n in LIST_READS if n in query}
    return html.Section(
        [
            html.Div([html.H2("Marks", className="card-title", title="Points and regions"), around], className="card-head"),
            html.Div(marks_list(query), id="particle-marks-list", className="scroll"),
            dcc.Store(id="marks-query", data={"reads": list(LIST_READS), "query": part}),
            dcc.Interval(id="marks-poll", interval=POLL_MS, disabled=not _awaited(query)),
        ],
        className="card",
        **{"aria-label": "Points and regions"},
    )


def _awaited(query: Query) -> bool:
    """Whether a value of the list is still being made."""
    return bool(edge_items(query).waiting or particle_figures.values(query).waiting)


# -- numbers -------------------------------------------------------------------------------------------------------------------


def card(query: Query, tabs: Component) -> Component:
    """The numbers of the edge maps that are shown, with what was refused and why."""
    items = edge_items(query)
    return html.Section(
        [
            html.Div([html.H2("Numbers", className="card-title"), tabs], className="card-head"),
            html.Div(table(query, items), id="particle-numbers", className="scroll"),
            dcc.Store(id="numbers-query", data={"reads": list(READS), "query": {n: query[n] for n in READS if n in query}}),
            dcc.Interval(id="numbers-poll", interval=POLL_MS, disabled=not items.waiting),
        ],
        className="card",
        **{"aria-label": "Numbers"},
    )


def edge_items(query: Query) -> Items:
    """The edge maps of the particles that are shown."""
    return merged(*(collected(particle_name(m), partial(_edges, m, query)) for m in sides(query)))


def _edges(m: MeasurementRecord, query: Query) -> tuple[Labelled, ...]:
    return (labelled(particle_view.edges_of(m, query), m),)


def table(query: Query, items: Items) -> list[Component]:
    found = [(i, _numbers(i.data)) for i in items.shown]
    if not found:
        return state(items)
    swatches = [html.Span(className="swatch", style={"background": style().color(i.group)}) for i, _ in found]
    head = html.Tr([html.Th("Edge energy", scope="col"), *(_heading(s, i) for s, (i, _) in zip(swatches, found, strict=True))])
    rows = _lit(query) + [row for name, title in ROWS if (row := _line(title, [n.get(name) for _, n in found])) is not None]
    rows += _refusals([n for _, n in found]) + _facts([i.data for i, _ in found])
    said = list(dict.fromkeys(w for i, _ in found for w in warnings_of(i.data)))
    remarks = [dmc.Text(w, size="xs", c="dimmed", mt=4) for w in said]
    return [html.Table([html.Thead(head), html.Tbody(rows)], className="scalars glance"), *remarks, *state(items)]


def _heading(swatch: Component, item: Labelled) -> Component:
    name, _, condition = item.label.partition(STATE_MARK)
    return html.Th([swatch, " ", name, html.Br(), html.Small(condition or item.group)], scope="col")


def _numbers(ds: Any) -> dict[str, Scalar]:
    """The scalars of an edge map; those of a finished map are made of its voxels."""
    return scalars(ds) or summarise(ds, EdgeParams())


def _line(title: str, values: list[Scalar | None]) -> Component | None:
    if not any(v is not None and v.value is not None for v in values):
        return None
    known = next(v for v in values if v is not None)
    unit = [] if known.unit == "1" else [html.Small(f" {known.unit}")]
    return html.Tr([html.Th([title, *unit], scope="row", title=known.title), *(html.Td(_said(v), className="number") for v in values)])


def _said(value: Scalar | None) -> str:
    if value is None or value.value is None:
        return "–"
    if isinstance(value.value, int):
        return _whole(value.value)
    if value.unit == "1":
        return f"{100 * float(value.value):.1f} %"
    return f"{float(value.value):.{3 if abs(float(value.value)) < PLACE_EV else 2}f}"


def _refusals(found: list[dict[str, Scalar]]) -> list[Component]:
    """How many voxels were refused, reason by reason; reasons that none has are left out."""
    rows = []
    for flag, words in FLAGS.items():
        values = [n.get(f"n_refused_{flag}") for n in found]
        if flag != OUTSIDE and any(v is not None and v.value for v in values):
            rows.append(_line(f"Refused: {words}", values))
    return [r for r in rows if r is not None]


def _lit(query: Query) -> list[Component]:
    """How many voxels the marked range of values holds."""
    brush = particle_figures.brush_of(query)
    if brush is None:
        return []
    cells = []
    for m in sides(query):
        try:
            inside, n = particle_figures.within(m, query, brush)
            cells.append(f"{inside:,} ({100 * inside / n:.1f} %)".replace(",", " ") if n else "–")
        except (NotYet, UserError):
            cells.append("–")
    title = f"In {printed(brush[0], 6)} … {printed(brush[1], 6)}"
    return [
        html.Tr(
            [
                html.Th(title, scope="row", title="Voxels that count inside the marked range"),
                *(html.Td(c, className="number") for c in cells),
            ]
        )
    ]


def _facts(found: list[Any]) -> list[Component]:
    sizes = [" × ".join(str(ds.sizes[d]) for d in ("z", "y", "x") if d in ds.sizes) for ds in found]
    voxels = [f"{voxel_um(ds)[-1] * 1000:.4g} nm" if has_voxel_size(ds) else "not known" for ds in found]
    definitions = [DEFINITIONS.get(str(ds.attrs.get("definition", "")), "not stated") for ds in found]
    rows = (("Definition", definitions), ("Voxels", sizes), ("Voxel size", voxels))
    return [html.Tr([html.Th(t, scope="row"), *(html.Td(v, className="number") for v in values)]) for t, values in rows]


# -- callbacks -----------------------------------------------------------------------------------------------------------------


@callback(
    Output("particle-numbers", "children"),
    Output("numbers-poll", "disabled"),
    Input("numbers-query", "data"),
    Input("numbers-poll", "n_intervals"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def renumber(_changed: Any, _ticks: int | None, query: dict[str, str] | None) -> tuple[list[Component], bool]:
    items = edge_items(query or {})
    return table(query or {}, items), not items.waiting


@callback(
    Output("particle-marks-list", "children"),
    Output("marks-poll", "disabled"),
    Input("marks-query", "data"),
    Input("marks-poll", "n_intervals"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def relist(_changed: Any, _ticks: int | None, query: dict[str, str] | None) -> tuple[Any, bool]:
    waiting = _awaited(query or {})
    # While a map is being made the list stays as it is, so that names can be typed.
    return no_update if waiting and ctx.triggered_id == "marks-poll" else marks_list(query or {}), not waiting


for _store in ("numbers-query", "marks-query"):
    clientside_callback(
        ClientsideFunction("cards", "changed"),
        Output(_store, "data"),
        Input(ADDRESS, "data"),
        State(_store, "data"),
        prevent_initial_call=True,
    )
