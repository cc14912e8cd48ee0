"""What is stored of a workbench's settings: the segmentation of the whole volume with its numbers, and those of whole groups.

Panels that follow jobs: they are keyed by what is asked, so that a page that is left and opened again finds them.
"""

from collections.abc import Mapping, Sequence

import dash_mantine_components as dmc
import xarray as xr
from dash import html
from dash.development.base_component import Component

from analysis import tasks
from analysis.catalog import MeasurementRecord
from analysis.core.data import Scalar, scalars, warnings_of
from analysis.core.errors import ParamError, UserError
from analysis.core.jobs import Status
from analysis.core.run import Request, plan
from analysis.cracks.params import CrackParams
from components import crack_settings, cracks_results, notice
from components import crack_workbench_preview as preview
from components.context import jobs, style, workspace
from components.crack_settings import STANDARD
from components.cracks_results import Specimen
from components.edge_maps import particle_name, schema_of
from components.job_panel import progress
from components.numbers import between, printed
from components.panels import Drawn, Panel, register
from components.particle_view import NotYet
from components.pressed import into
from components.results import looking
from components.views import Query

ACT = "crack-act"  # what the buttons of the panels tell when they are pressed
RESULT, GROUPS = "crack-result", "crack-groups"  # no points: callbacks name these panels
READS = ("particle", *cracks_results.ADDRESS)
SENSITIVITY = "cracks.sensitivity"
PERCENT = 100.0
ROWS = (  # scalar of cracks.measure, words, factor, unit
    ("crack_volume_ratio", "Crack volume ratio", PERCENT, "%"),
    ("detection_limit", "Detection limit", PERCENT, "%"),
    ("blank_ratio", "Ratio of blanks", PERCENT, "%"),
    ("n_cracks", "Cracks", 1.0, ""),
    ("largest_crack_fraction", "Largest of all cracks", PERCENT, "%"),
    ("surface_connected_fraction", "Open to the surface", PERCENT, "%"),
    ("mean_width", "Mean width", 1.0, "µm"),
    ("n_particles", "Particles that count", 1.0, ""),
)


def act_id(act: object) -> dict[str, object]:
    """Id of a button of a panel: compute, sensitivity, cancel-group."""
    return {"part": "crack-act", "act": act}


def poll_of(panel: str) -> dict[str, str]:
    """What has a panel drawn again."""
    return {"part": "panel-poll", "panel": panel}


# -- one volume ----------------------------------------------------------------------------------------------------------------


def request_of(m: MeasurementRecord, query: Query) -> Request:
    """What makes the segmentation of the whole volume."""
    return crack_settings.segment_request(query, m, preview.inputs_of(m, query))


def key_of(request: Request) -> str:
    return plan(request, workspace().registry).key


def stored(m: MeasurementRecord, query: Query) -> str:
    """Key of the segmentation that these settings make, "" where it is not stored."""
    key = key_of(request_of(m, query))
    return key if workspace().store.has(key) else ""


def sensitivity_request(m: MeasurementRecord, query: Query) -> Request:
    params = crack_settings.params(query, m.group).model_dump(mode="json", exclude_unset=True)
    return Request(recipe=SENSITIVITY, inputs=dict(preview.inputs_of(m, query)), params=params)


def start(request: Request, title: str) -> None:
    """Begin a job, again where it ended without a result."""
    key = key_of(request)
    known = jobs().status(key)
    if known.active or workspace().store.has(key):
        return
    jobs().forget(key)
    jobs().submit(key, tasks.RUN, {"request": request.model_dump(mode="json"), "key": key}, title=title)


def draw_result(query: Query) -> Drawn:
    """The whole volume under these settings: to be computed, on its way, or its numbers."""
    m = preview.chosen(query)
    if m is None:
        return Drawn([])
    try:
        request = request_of(m, query)
        key = key_of(request)
    except NotYet as wait:
        return Drawn([progress(wait.status)], waiting=wait.status.active)
    if not workspace().store.has(key):
        status = jobs().status(key)
        return Drawn(_not_stored(status), waiting=status.active)
    return _numbers(m, query, request, key)


def _not_stored(status: Status) -> list[Component]:
    if status.active:
        return [progress(status)]
    said = dmc.Text("Not computed with these settings: what lies over the slices is a preview.", size="xs", c="dimmed")
    again = [notice.of_job(status)] if status.state in ("failed", "cancelled") else []
    return [*again, said, _button("Compute whole volume", "compute", primary=True)]


def _button(words: str, act: str, *, primary: bool = False) -> Component:
    return dmc.Button(words, id=act_id(act), size="compact-sm", variant="filled" if primary else "default", **into(ACT))


def _numbers(m: MeasurementRecord, query: Query, request: Request, key: str) -> Drawn:
    specimen = Specimen(m, m if schema_of(m) in cracks_results.MAPPED else None)
    found = cracks_results.measures(query, [specimen])
    items = found.items
    said = list(dict.fromkeys(warnings_of(workspace().store.open(key))))
    parts: list[Component] = []
    for item in found.shown:
        parts.append(_table(scalars(item.data)))
        said = list(dict.fromkeys([*warnings_of(item.data), *said]))
    tried, busy = _sensitivity(m, query, request)
    waits = [progress(s) for s in items.waiting]
    remarks = [dmc.Text(w, size="xs", c="dimmed") for w in said]
    return Drawn([*parts, *waits, *notice.problems(items.problems), *tried, *remarks], waiting=bool(items.waiting) or busy)


def _table(found: Mapping[str, Scalar]) -> Component:
    rows = [_row(words, found[name], factor, unit) for name, words, factor, unit in ROWS if name in found]
    return html.Table(html.Tbody(rows), className="scalars glance crack-numbers")


def _row(words: str, found: Scalar, factor: float, unit: str) -> Component:
    value = found.value * factor if isinstance(found.value, int | float) and factor != 1 else found.value
    limits = ""
    if found.low is not None and found.high is not None:
        limits = f"[{between(found.low * factor, found.high * factor)}]"
    elif found.std is not None:
        limits = f"SD {printed(found.std * factor, 2)}"
    counted = f"n = {found.n} {found.of}" if found.n is not None and found.of else ""
    cells = [printed(value, 3), unit, limits]
    return html.Tr([html.Th(words, scope="row"), *(html.Td(c) for c in cells)], title=counted)


def _sensitivity(m: MeasurementRecord, query: Query, request: Request) -> tuple[list[Component], bool]:
    """How the ratio changes with each setting: a table, a job, or the button that begins it; and whether it is awaited."""
    if request.recipe != crack_settings.SEGMENT:
        return [], False
    key = key_of(sensitivity_request(m, query))
    if workspace().store.has(key):
        return [_tried(workspace().store.open(key))], False
    status = jobs().status(key)
    if status.active:
        return [progress(status)], True
    failed = [notice.of_job(status)] if status.state in ("failed", "cancelled") else []
    return [*failed, _button("Try other settings (sensitivity)", "sensitivity")], False


def _tried(held: xr.Dataset) -> Component:
    columns = [held[n].values.tolist() for n in ("parameter", "factor", "value", "ratio")]
    titles = {n: f.title or n for n, f in CrackParams.model_fields.items()}
    rows = [
        html.Tr(
            [
                html.Th(titles.get(name, name), scope="row"),
                html.Td(f"× {factor:g}" if name in titles else ""),
                html.Td(printed(value, 3) if name in titles else ""),
                html.Td(f"{printed(PERCENT * ratio, 3)} %"),
            ]
        )
        for name, factor, value, ratio in zip(*columns, strict=True)
    ]
    head = html.Thead(html.Tr([html.Th(t, scope="col") for t in ("Setting", "", "value", "ratio")]))
    return html.Table([head, html.Tbody(rows)], className="scalars glance crack-numbers")


# -- whole groups --------------------------------------------------------------------------------------------------------------


def groups() -> list[str]:
    """Groups that have particles whose cracks can be found."""
    return [g for g in workspace().group_names() if cracks_results.specimens([g])]


def apply(query: Query, group: str | None, chosen: Sequence[str]) -> None:
    """Give groups the preset of the address, and segment all their particles with it.

    Raises
    ------
    ParamError
        No group is chosen, or the settings are not those of a preset.
    """
    if not chosen:
        raise ParamError("No group is chosen.", hint="Choose the groups whose particles shall be segmented.")
    if crack_settings.changed(query):
        raise ParamError("The settings were changed and are no preset yet.", hint="Save them under a name first.")
    crack_settings.apply(crack_settings.preset(query, group), list(chosen))
    start_groups(chosen)


def start_groups(chosen: Sequence[str]) -> None:
    """Begin the segmentation of all particles of some groups, each with its group's preset."""
    for group in chosen:
        for _, status in states([group]):
            if status.state in ("failed", "cancelled"):
                jobs().forget(status.key)
        cracks_results.segmentations({}, cracks_results.specimens([group]))


def cancel_groups(chosen: Sequence[str]) -> None:
    """Stop what still runs or waits for some groups."""
    for _, status in states(chosen):
        if status.active:
            jobs().cancel(status.key)


def states(chosen: Sequence[str]) -> list[tuple[Specimen, Status]]:
    """How far the segmentation of each particle is under its group's preset."""
    return [(s, _state_of(s)) for s in cracks_results.specimens(chosen)]


def _state_of(specimen: Specimen) -> Status:
    with looking():
        try:
            key = key_of(request_of(specimen.source, {}))
        except NotYet:
            return Status("")
        except UserError as err:
            return Status("", "failed", particle_name(specimen.source), message=err.message, hint=err.hint)
    return Status(key, "done", fraction=1.0) if workspace().store.has(key) else jobs().status(key)


def draw_groups(_query: Query) -> Drawn:
    """The preset of every group, and how many of its particles are segmented with it."""
    rows, problems, busy = [], [], False
    applied = crack_settings.applied()
    for group in groups():
        found = states([group])
        active = [s for _, s in found if s.active]
        busy = busy or bool(active)
        problems += [(particle_name(k.source), f"{s.message} {s.hint}".strip()) for k, s in found if s.state == "failed"]
        rows.append(_group_row(group, applied.get(group, STANDARD), [s for _, s in found], bool(active)))
    head = html.Thead(html.Tr([html.Th(t, scope="col") for t in ("Group", "Preset", "Particles", "")]))
    return Drawn([html.Table([head, html.Tbody(rows)], className="scalars glance"), *notice.problems(problems)], waiting=busy)


def _group_row(group: str, name: str, found: Sequence[Status], busy: bool) -> Component:
    done = sum(s.state == "done" for s in found)
    part = sum(s.fraction for s in found) / max(len(found), 1)
    bar = [dmc.Progress(value=PERCENT * part, size="sm", animated=True, attributes={"section": {"aria-label": "Progress"}})] if busy else []
    act = "cancel" if busy else "" if done == len(found) else "segment"
    words = {"cancel": "Cancel", "segment": "Segment"}.get(act, "")
    button = dmc.Button(words, id=act_id(f"{act}:{group}"), size="compact-xs", variant="default", **into(ACT)) if act else ""
    swatch = html.Span(className="swatch", style={"background": style().color(group)})
    cells = [html.Td(name, title=name), html.Td([f"{done} of {len(found)}", *bar]), html.Td(button)]
    return html.Tr([html.Th([swatch, " ", group], scope="row", title=group), *cells])


register(Panel(RESULT, READS, draw_result), Panel(GROUPS, ("preset",), draw_groups))
