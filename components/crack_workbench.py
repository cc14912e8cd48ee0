"""The segmentation workbench: slices of a volume with the mask over them, the settings that make it, and what is stored of them.

Names in the address: ``particle`` (measurement), ``at`` (place of the crosshair), those of ``components.crack_settings`` and, where cracks
are looked for in the edge jump of a stack, those of ``components.edge_maps``.
"""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html, no_update
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.core.errors import UserError
from analysis.cracks.params import CrackParams
from analysis.schemas import VOLUME
from components import crack_settings, image_view, notice
from components import crack_workbench_actions as actions
from components import crack_workbench_form as form
from components import crack_workbench_levels as levels
from components import crack_workbench_preview as preview
from components import crack_workbench_results as results
from components.address import ADDRESS
from components.card import CONFIG
from components.context import style
from components.controls import picker
from components.edge_maps import particle_name, schema_of
from components.job_panel import POLL_MS, progress
from components.numbers import printed
from components.panels import Drawn, Panel, panel, register
from components.particle_view import NotYet, form_of, title_of
from components.views import Query

VIEW = "cracks"  # of the slices
NOTES = "cracks.workbench.notes"
HEARD = tuple(f"crack-heard-{n}" for n in ("settings", "stored", "brush", "seen"))
UNITS = {"1/um": "µm⁻¹"}  # as they are printed; others have none
LAYERS = (("crack", "Cracks", 65), ("solid", "Solid", 0), ("envelope", "Envelope", 90), ("brush", "Brush", 80))
NONE = "Import a reconstructed tomogram of a particle, or a stack over an absorption edge as a volume, with its cell and state."
HINT = (
    "Numbers follow while a slider is dragged. With the brush on, drag in any slice; hold Alt to take away instead of adding (or the other "
    "way round)."
)

__all__ = ["actions", "layout"]


def layout(query: Query) -> Component:
    """The body of the tab for an address."""
    m = preview.chosen(query)
    if m is None:
        return notice.empty("No volume yet", NONE)
    return html.Div(
        [
            html.Div([_stage(query, m), html.Div(_cards(query), className="crack-cards")], className="crack-left"),
            form.form(query, m),
        ],
        className="crack-bench",
    )


def _stage(query: Query, m: MeasurementRecord) -> Component:
    source, state, waits = _picture(query, m)
    named = [(str(v.id), _title(v)) for v in preview.volumes()]
    pick = picker("particle", query, named, "Volume", default="", value=str(m.id), width=264)
    layers = [
        html.Label(
            [
                html.Span(className=f"crack-swatch {name}"),
                words,
                html.Span(className="crack-opacity", **{"data-layer": name, "data-start": str(start)}),
            ]
        )
        for name, words, start in LAYERS
    ]
    return html.Section(
        [
            html.Div([pick, *layers], className="crack-layers"),
            image_view.image_view(VIEW, source, order=_order(query), label="Slices with the mask"),
            html.Div(
                "Looking for particles …",
                id="crack-said",
                className="crack-said",
                role="status",
                title=HINT,
                **{"data-view": VIEW, "data-measurement": str(m.id)},
            ),
            html.Div(state, id="crack-stage-state", className="card-state"),
            dcc.Interval(id="crack-stage-poll", interval=POLL_MS, disabled=not waits),
            *(dcc.Store(id=name) for name in HEARD),
        ],
        className="card stage crack-stage",
        **{"aria-label": title_of(m)},
    )


def _title(m: MeasurementRecord) -> str:
    words = (particle_name(m), m.state or "", "tomogram" if schema_of(m) == VOLUME.name else "edge jump", "excluded" if m.excluded else "")
    return " · ".join(w for w in words if w)


def _order(query: Query) -> dict[str, Any] | None:
    place = [int(p) for p in query.get("at", "").split(".") if p.isdigit()]
    return {"index": dict(zip(preview.AXES, place, strict=True))} if len(place) == len(preview.AXES) else None


def _picture(query: Query, m: MeasurementRecord) -> tuple[dict[str, Any] | None, list[Component], bool]:
    """What the slices show, what stands in their place, and whether it is awaited."""
    try:
        key, variable = preview.picture_of(preview.inputs_of(m, query))
        base = form_of(key, variable, title_of(m))
        return image_view.shown(base, colours={"base": "grey"}, caption=title_of(m)), [], False
    except NotYet as wait:
        return None, [progress(wait.status)] if wait.status.active else [notice.of_job(wait.status)], wait.status.active
    except UserError as err:
        return None, [notice.problem(err)], False


@callback(
    Output(image_view.source_id(VIEW), "data"),
    Output("crack-stage-state", "children"),
    Output("crack-stage-poll", "disabled"),
    Input("crack-stage-poll", "n_intervals"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def follow(_ticks: int | None, query: dict[str, str] | None) -> tuple[Any, Any, bool]:
    """The slices, once the job that makes them has ended."""
    m = preview.chosen(query or {})
    if m is None:
        return no_update, [], True
    source, state, waits = _picture(query or {}, m)
    return source or no_update, state, not waits


def _cards(query: Query) -> list[Component]:
    parts = (("Whole volume", results.RESULT), ("Volume and levels", NOTES), ("Groups", results.GROUPS))
    return [
        html.Section(
            [
                html.Div(html.H2(title, className="card-title"), className="card-head"),
                html.Div(panel(name, query, class_name="pad"), className="scroll"),
            ],
            className="card",
            **{"aria-label": title},
        )
        for title, name in parts
    ]


def draw_notes(query: Query) -> Drawn:
    """What must be said of the volume, or why it cannot be segmented."""
    m = preview.chosen(query)
    if m is None:
        return Drawn([])
    try:
        inputs, params = preview.inputs_of(m, query), crack_settings.params(query, m.group)
        mask = crack_settings.mask(m)
        if mask is not None:
            return Drawn(_sentences(preview.remarks_of_mask(mask, inputs)))
        found = preview.known_ground(inputs, params)
        if isinstance(found, UserError):
            return Drawn(notice.problem(found, title="No mask"))
        if found is None:
            return Drawn(dmc.Text("Particles are being found …", size="xs", c="dimmed"), waiting=True)
    except NotYet as wait:
        return Drawn([progress(wait.status)], waiting=wait.status.active)
    return Drawn([_levels(m, found, inputs, params), *_sentences(preview.remarks(found))])


def _levels(m: MeasurementRecord, ground: preview.Ground, inputs: dict[str, str], params: CrackParams) -> Component:
    """The histogram of grey values with what decides, and resolution and noise in words."""
    lines = levels.levels(ground.grey, ground.facts, preview.limits_in(ground, inputs, params), params)
    unit = UNITS.get(str(ground.source["density"].attrs.get("units", "")), "")
    drawn = levels.figure(preview.counts_in(ground, inputs, params), lines, style(), unit=unit)
    facts = ground.facts
    noise = f"contrast over noise {printed(facts.snr, 3)}" if facts.raw_noise > 0 else "no noise"
    words = f"Resolution {printed(facts.resolution, 2)} voxels (σ) · {noise} · particles: {ground.particles.count}"
    words += " · synthetic" if m.origin == "synthetic" else ""
    graph = dcc.Graph(figure=drawn, config={**CONFIG, "displayModeBar": False}, className="crack-levels")
    return html.Div([graph, dmc.Text(words, size="xs", c="dimmed")], className="crack-levels")


def _sentences(said: list[str]) -> list[Component]:
    return [dmc.Text(sentence, size="xs") for sentence in dict.fromkeys(said)]


register(Panel(NOTES, results.READS, draw_notes))

# One each, so that the brush does not wait for what the server answers to the others.
clientside_callback(
    ClientsideFunction("cracks", "settings"), Output(HEARD[0], "data"), Input(ADDRESS, "data"), Input(form.BRUSH_STATE, "data")
)
clientside_callback(
    ClientsideFunction("cracks", "stored"),
    Output(HEARD[1], "data"),
    Input(results.poll_of(results.RESULT), "disabled"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("cracks", "brush"), Output(HEARD[2], "data"), Input(form.BRUSH, "value"), Input(form.RADIUS, "value")
)
clientside_callback(
    ClientsideFunction("cracks", "seen"), Output(HEARD[3], "data"), Input(image_view.seen_id(VIEW), "data"), prevent_initial_call=True
)
