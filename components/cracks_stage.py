"""The 3D tab of the Cracks page: one particle or two beside each other, what is known of their surfaces, files of them."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components import cracks_solid, provenance, volume_view
from components import cracks_view as view
from components.address import ADDRESS
from components.card import state
from components.context import jobs
from components.controls import picker
from components.cracks_solid import COLOURS, FACES, READS, SHAPES, SIDES, Chosen, shown, sides, title_of
from components.edge_maps import particle_name
from components.job_panel import POLL_MS
from components.panels import Drawn, Panel, panel, register
from components.views import Query

FACTS = "cracks.surfaces"
NM = 1000.0
PARTS = {"surface": "", "shell": "particle"}  # what the file of a surface is called


def part_id(part: str, name: Any) -> dict[str, Any]:
    """Id of a part of a picture: stage, state, poll, retry."""
    return {"part": f"solid-{part}", "view": name}


def layout(query: Query) -> Component:
    """The body of the tab for an address."""
    found = sides(query)
    if not found:
        return html.Div(dmc.Text("No volume of these groups in these states.", size="sm", c="dimmed", p="md"), className="card")
    stages = [_stage(query, name) for name in found]
    facts = html.Section(panel(FACTS, query), className="card cracks-facts")
    return html.Div(
        [html.Div(stages, className="stages", **{"data-count": str(len(stages))}), facts, dcc.Store(id="solid-none")],
        className="cracks-solid",
    )


def controls(query: Query) -> list[Component]:
    """Which particles, what is opaque, how it is coloured."""
    every = view.specimens(query, off=False)
    first = cracks_solid.chosen(query)
    named = [(s.id, f"{particle_name(s.source)} · {s.source.state or ''}".strip(" ·")) for s in every]
    mine = first.id if first else ""
    beside = [("", "alone"), *(n for n in named if n[0] != mine)]
    colours = tuple((k, v) for k, v in COLOURS.items() if k != "edge_energy" or (first and first.mapped is not None))
    return [
        picker("particle", query, named, "Particle", default=named[0][0] if named else "", value=mine, width=190),
        picker("beside", query, beside, "Beside it", width=180),
        picker("shape", query, tuple(SHAPES.items()), "What is shown", width=136),
        picker("colour", query, colours, "Coloured by", width=158),
        picker("faces", query, tuple(FACES.items()), "Triangles at most", width=128),
    ]


def _stage(query: Query, name: str) -> Component:
    made = shown(query, name)
    picture = volume_view.volume_view(name, made.source, order=cracks_solid.order(query), label="Cracks in 3D")
    part = {n: query[n] for n in READS if n in query}
    return html.Section(
        [
            picture,
            html.Div(
                [
                    html.Div(state(made.items), id=part_id("state", name)),
                    html.Button("Try again", id=part_id("retry", name), hidden=not made.items.failed, className="retry", n_clicks=0),
                ],
                className="card-state",
            ),
            dcc.Store(id=part_id("stage", name), data={"reads": list(READS), "query": part}),
            dcc.Interval(id=part_id("poll", name), interval=POLL_MS, disabled=not made.items.waiting),
        ],
        className="card stage",
        **{"aria-label": title_of(sides(query)[name])},
    )


# -- what is known of the surfaces -----------------------------------------------------------------------------------------------


def facts(query: Query) -> Drawn:
    """Triangles, deviation, area and volume of every surface that is shown, with their files and where they come from."""
    rows: list[Component] = []
    entries: list[Component] = []
    waiting = False
    for name, specimen in sides(query).items():
        made = shown(query, name)
        waiting = waiting or bool(made.items.waiting)
        if made.source is None:
            continue
        what = SHAPES[Chosen.of(query, specimen).shape]
        for part, said in cracks_solid.facts(made.source).items():
            rows.append(_row(title_of(specimen), what if part == "surface" else SHAPES["particle"], said, _file(name, part, query)))
        entries.append(provenance.entries(made.items.shown))
    if not rows:
        return Drawn([], waiting)
    heads = ("Surface", "Triangles", "before", "Moved by, mean", "at most", "Smoothed, σ", "Area", "Volume inside", "File")
    head = html.Thead(html.Tr([html.Th(h, scope="col") for h in heads]))
    note = (
        "Made on the server from the masks; distances between the simplified surface and the one before. Areas in the tables are of voxels."
    )
    how = html.Details([html.Summary("How was this made?"), *entries], className="remarks")
    return Drawn(
        [
            html.Div(html.Table([head, html.Tbody(rows)], className="scalars"), className="scroll"),
            html.Div([dmc.Text(note, size="xs", c="dimmed"), how], className="table-foot"),
        ],
        waiting,
    )


def _row(title: str, what: str, said: Mapping[str, Any], file: Component) -> Component:
    unit, per = ("nm", NM) if said["has_voxel_size"] else ("voxels", 1.0)
    moved = [f"{per * said[n]:.3g} {unit}" for n in ("deviation_mean_um", "deviation_max_um")]
    length = "µm" if said["has_voxel_size"] else "voxels"
    cells = [f"{said['faces']:,}", f"{said['faces_before']:,}", *moved, f"{said['smooth_voxels']:g} voxels"]
    cells += [f"{said['area_um2']:.4g} {length}²", f"{said['volume_um3']:.4g} {length}³"]
    shown_cells = [html.Td(c.replace(",", "\u202f"), className="number") for c in cells]
    return html.Tr(
        [html.Th([what, html.Small(f" {title}")], scope="row", className="cell-name"), *shown_cells, html.Td(file, className="number")]
    )


def _file(name: str, part: str, query: Query) -> Component:
    return html.A(
        "PLY", href=f"/cracks-export/{name}/{part}.ply?{urlencode(dict(query))}", className="link", title="Triangles for other programs"
    )


register(Panel(FACTS, READS, facts))


# -- callbacks -----------------------------------------------------------------------------------------------------------------


def _shower(name: str) -> Callable[..., tuple[Any, Any, Any, bool, bool]]:
    """The callback of one picture: what it shows now; while a job runs the last picture stays."""

    def show(_changed: Any, _ticks: int | None, _retries: int | None, query: dict[str, str] | None) -> tuple[Any, Any, Any, bool, bool]:
        asked = query or {}
        made = shown(asked, name)
        if isinstance(ctx.triggered_id, dict) and ctx.triggered_id["part"] == "solid-retry":
            for key in made.items.failed:
                jobs().forget(key)
            made = shown(asked, name)
        same = cracks_solid.order(asked) if made.source else {}
        return made.source or no_update, same or no_update, state(made.items), not made.items.waiting, not made.items.failed

    return show


for _name in SIDES:
    clientside_callback(
        ClientsideFunction("cards", "changed"),
        Output(part_id("stage", _name), "data"),
        Input(ADDRESS, "data"),
        State(part_id("stage", _name), "data"),
        prevent_initial_call=True,
    )
    callback(
        Output(volume_view.source_id(_name), "data"),
        Output(volume_view.order_id(_name), "data"),
        Output(part_id("state", _name), "children"),
        Output(part_id("poll", _name), "disabled"),
        Output(part_id("retry", _name), "hidden"),
        Input(part_id("stage", _name), "data"),
        Input(part_id("poll", _name), "n_intervals"),
        Input(part_id("retry", _name), "n_clicks"),
        State(ADDRESS, "data"),
        prevent_initial_call=True,
    )(_shower(_name))
