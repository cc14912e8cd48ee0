"""What hands do in the segmentation workbench: paint, undo, choose and keep presets, apply them to groups, begin and stop jobs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import ALL, Input, Output, State, callback, ctx, no_update, set_props

from analysis.catalog import MeasurementRecord
from analysis.core.errors import DataError, UserError
from analysis.cracks.strokes import strokes_of
from components import crack_settings, notice
from components import crack_workbench_form as form
from components import crack_workbench_preview as preview
from components import crack_workbench_results as results
from components.address import ADDRESS, control
from components.context import workspace
from components.crack_settings import FIELDS, named
from components.edge_maps import particle_name
from components.pressed import heard
from components.views import Query

# -- brush ---------------------------------------------------------------------------------------------------------------------


def paint(m: MeasurementRecord, stroke: Mapping[str, Any]) -> None:
    """Keep a stroke as an edit after those that are there; what was undone before is gone.

    Raises
    ------
    DataError
        It is no stroke: it comes from a browser.
    """
    try:
        points = np.asarray(stroke["points"], dtype=float)
        radius, add = float(stroke["radius"]), bool(stroke["add"])
    except (KeyError, TypeError, ValueError) as err:
        raise DataError("This is not a stroke.", hint="Paint on the slice.") from err
    before, store = crack_settings.strokes(m), workspace().store
    edit = strokes_of(points, radius=radius, add=add, before=store.open(before) if before else None)
    crack_settings.note(m, strokes=store.put_edit(edit, note="brush", previous=before), ahead=[])


def undo(m: MeasurementRecord) -> None:
    """Point to the edit before."""
    key = crack_settings.strokes(m)
    if key:
        before = str(workspace().store.provenance(key).get("previous", ""))
        crack_settings.note(m, strokes=before, ahead=[key, *crack_settings.noted(m).get("ahead", ())])


def redo(m: MeasurementRecord) -> None:
    """Point to the edit that was undone last."""
    ahead = [str(k) for k in crack_settings.noted(m).get("ahead", ())]
    if ahead:
        crack_settings.note(m, strokes=ahead[0], ahead=ahead[1:])


def clear(m: MeasurementRecord) -> None:
    """Point to no edit; each can be redone."""
    while crack_settings.strokes(m):
        undo(m)


HANDS = {form.UNDO: undo, form.REDO: redo, form.CLEAR: clear}


@callback(
    Output(form.BRUSH_STATE, "data"),
    Output(form.UNDO, "disabled"),
    Output(form.REDO, "disabled"),
    Output(form.CLEAR, "disabled"),
    Output("crack-brush-words", "children"),
    Input(form.STROKE, "data"),
    Input(form.UNDO, "n_clicks"),
    Input(form.REDO, "n_clicks"),
    Input(form.CLEAR, "n_clicks"),
    Input(form.EDITED, "data"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def brushed(stroke: Any, _undo: int, _redo: int, _clear: int, _edited: Any, query: dict[str, str] | None) -> tuple[Any, ...]:
    """A stroke kept, undone or redone; the preview and the numbers follow."""
    m = preview.chosen(query or {})
    if m is None or not any(t["value"] for t in ctx.triggered):
        return (no_update,) * 5
    said = ""
    try:
        if ctx.triggered_id == form.STROKE:
            if stroke.get("measurement") != m.id:
                return (no_update,) * 5
            paint(m, stroke)
        elif ctx.triggered_id in HANDS:
            HANDS[ctx.triggered_id](m)
    except UserError as err:
        said = f"{err.message} {err.hint}"
    state = form.brush_state(m)
    return state, not state["back"], not state["ahead"], not state["back"], said or state["words"]


# -- presets and groups --------------------------------------------------------------------------------------------------------


@callback(
    Output(control("preset", ""), "value"),
    *(Output({"part": "address", "name": named(n), "default": ALL}, "value") for n in FIELDS),
    Output(form.PRESET, "data"),
    Output(form.PRESET_SAID, "children"),
    Input(form.PRESET, "value"),
    Input(form.PRESET_SAVE, "n_clicks"),
    Input(form.PRESET_DELETE, "n_clicks"),
    State(form.PRESET_NAME, "value"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def preset(picked: str, save: int, delete: int, name: str | None, query: dict[str, str] | None) -> list[Any]:
    """Another preset takes the place of the present settings with all that was changed in them; a saved one is chosen at once."""
    asked, fields = query or {}, ctx.outputs_list[1:-2]
    as_is = [no_update, *([no_update] * len(g) for g in fields), no_update]
    m = preview.chosen(asked)
    if m is None:
        return [*as_is, no_update]
    try:
        wanted = _kept(asked, m, picked, name or "", save=bool(save), delete=bool(delete))
    except UserError as err:
        return [*as_is, notice.problem(err)]
    if wanted is None:
        return [*as_is, no_update]
    if ctx.triggered_id == form.PRESET_DELETE:
        set_props(form.APPLIED, {"data": picked})  # groups that had it have the standard again
    blank = [[o["id"]["default"] for o in g] for g in fields]
    return ["" if wanted == crack_settings.preset({}, m.group) else wanted, *blank, form.preset_options(), ""]


def _kept(query: Query, m: MeasurementRecord, picked: str, name: str, *, save: bool, delete: bool) -> str | None:
    """The preset that holds after a click; None where it is the one that holds already."""
    if ctx.triggered_id == form.PRESET_SAVE and save:
        return crack_settings.save(query, m.group, name)
    if ctx.triggered_id == form.PRESET_DELETE and delete:
        crack_settings.forget(picked)
        return crack_settings.preset({}, m.group)
    return picked if ctx.triggered_id == form.PRESET and picked != crack_settings.preset(query, m.group) else None


@callback(
    Output(form.APPLIED, "data"),
    Output(form.GROUPS_SAID, "children"),
    Input(form.GROUPS_APPLY, "n_clicks"),
    State(form.GROUPS_PICK, "value"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def applied(clicks: int, groups: list[str] | None, query: dict[str, str] | None) -> tuple[Any, Any]:
    """The preset of the address becomes that of groups, whose particles are segmented with it."""
    m = preview.chosen(query or {})
    if not clicks or m is None:
        return no_update, no_update
    try:
        results.apply(query or {}, m.group, groups or [])
    except UserError as err:
        return no_update, notice.problem(err)
    return groups, ""


@callback(
    Output(form.EDITED, "data"),
    Input(form.MASK, "value"),
    Input(form.PRISTINE, "value"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def edited(mask: str, pristine: list[str] | None, query: dict[str, str] | None) -> Any:
    """Where the mask comes from, and which particles stand for dense ones."""
    m = preview.chosen(query or {})
    if m is None:
        return no_update
    if ctx.triggered_id == form.MASK:
        crack_settings.note(m, mask=int(mask) if mask else None)
        return {"mask": mask}
    workspace().catalog.set_setting(crack_settings.PRISTINE, [int(p) for p in pristine or ()])
    return {"pristine": pristine}


# -- jobs ----------------------------------------------------------------------------------------------------------------------


@callback(Output(form.ACTED, "data"), heard(results.ACT), State(ADDRESS, "data"), prevent_initial_call=True)
def act(told: dict[str, Any] | None, query: dict[str, str] | None) -> Any:
    """Begin or stop what the pressed button names."""
    m = preview.chosen(query or {})
    if not told or m is None:
        return no_update
    _done(told["act"], m, query or {})
    return told


def _done(name: str, m: MeasurementRecord, query: Query) -> None:
    what, _, group = name.partition(":")
    if what == "compute":
        results.start(results.request_of(m, query), f"Cracks of {particle_name(m)}")
    elif what == "sensitivity":
        results.start(results.sensitivity_request(m, query), f"Settings tried on {particle_name(m)}")
    elif what == "cancel":
        results.cancel_groups([group])
    elif what == "segment":
        results.start_groups([group])


@callback(
    Output(results.poll_of(results.RESULT), "n_intervals"),
    Output(results.poll_of(results.GROUPS), "n_intervals"),
    Input(form.BRUSH_STATE, "data"),
    Input(form.ACTED, "data"),
    Input(form.APPLIED, "data"),
    prevent_initial_call=True,
)
def again(_painted: Any, _acted: Any, _applied: Any) -> tuple[int, int]:
    """Both panels, after something was done."""
    return 0, 0
