"""The form of the segmentation workbench: every field of ``CrackParams``, presets, brush, and where the mask comes from.

A field that is empty has the value of the preset, which stands in it in grey. Numbers have a slider too (assets/67_cracks.mjs): while it
is dragged, masks follow; the address takes the value when it is let go.
"""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.catalog.records import unit_of
from analysis.cracks.params import CrackParams
from analysis.schemas import VOLUME
from components import crack_settings, pressed
from components import crack_workbench_preview as preview
from components import crack_workbench_results as results
from components.address import control
from components.context import workspace
from components.controls import WAIT_MS
from components.crack_settings import STANDARD, named
from components.edge_maps import particle_name, schema_of
from components.views import Query

DETECTORS = {"hysteresis": "darkness, two limits", "intensity": "darkness, one limit", "sheet": "sheet filter", "tophat": "top-hat filter"}
WALLS = {"volume": "missing absorption", "half": "half the contrast"}
YES_NO = {"true": "yes", "false": "no"}
# Fields by section; those of a detector only where it is chosen.
CRACKS = {
    "hysteresis": ("seed", "grow", "depth"),
    "intensity": ("threshold",),
    "sheet": ("seed", "grow", "depth", "sheet_scale"),
    "tophat": ("seed", "grow", "depth", "tophat"),
}
PARTICLES = ("smooth", "closing", "split", "min_particle")
MORE_PARTICLES = ("fill", "neck", "solid", "void")
MORE = ("boundary", "blanks", "random")
SLIDERS = {  # what a slider goes over: from, to, step
    "seed": (1, 20, 0.1),
    "grow": (1, 20, 0.1),
    "depth": (0, 0.6, 0.01),
    "threshold": (0.02, 0.98, 0.01),
    "sheet_scale": (0.5, 5, 0.1),
    "tophat": (1, 20, 1),
    "margin": (0, 12, 0.5),
    "min_crack": (1, 500, 1),
    "smooth": (0, 3, 0.1),
    "closing": (0, 32, 1),
    "neck": (0.3, 0.95, 0.01),
}
PRESET, PRESET_NAME, PRESET_SAVE, PRESET_DELETE, PRESET_SAID = (f"crack-preset-{n}" for n in ("pick", "name", "save", "delete", "said"))
GROUPS_PICK, GROUPS_APPLY, GROUPS_SAID = (f"crack-groups-{n}" for n in ("pick", "apply", "said"))
MASK, PRISTINE = "crack-mask-pick", "crack-pristine-pick"
EDITED, ACTED, APPLIED = "crack-edited", "crack-acted", "crack-applied"  # what was done last
BRUSH, RADIUS, STROKE, UNDO, REDO, CLEAR = (f"crack-brush-{n}" for n in ("tool", "radius", "stroke", "undo", "redo", "clear"))
BRUSH_STATE = "crack-brush-state"


def form(query: Query, m: MeasurementRecord) -> Component:
    """All that can be set for a measurement, beside the slices."""
    detector = str(_shown(query, m, "detector"))
    cracks = [_field(query, m, n) for n in ("detector", *CRACKS.get(detector, CRACKS["hysteresis"]), "margin", "min_crack")]
    particles = [_field(query, m, n) for n in PARTICLES]
    more = [_field(query, m, n) for n in (*MORE_PARTICLES, *MORE)]
    parts = [
        _presets(query, m),
        section("Cracks", *cracks),
        section("Brush", *_brush(m)),
        section("Particles and envelopes", *particles),
        html.Details(
            [html.Summary("More: levels, walls, blanks"), html.Div([*more, _pristine()], className="fields")], className="form-more"
        ),
        section("Mask", _mask(m)),
    ]
    return html.Section(
        [html.Div(parts, className="form scroll"), *_unseen(query, m, detector)], className="card crack-form", **{"aria-label": "Settings"}
    )


def section(title: str, *fields: Component) -> Component:
    return html.Fieldset([html.Legend(title), html.Div(list(fields), className="fields")], className="form-section")


# -- parameters ----------------------------------------------------------------------------------------------------------------


def _preset_value(query: Query, m: MeasurementRecord, name: str) -> Any:
    return crack_settings.base(query, m.group).get(name, CrackParams.model_fields[name].default)


def _shown(query: Query, m: MeasurementRecord, name: str) -> Any:
    return query.get(named(name)) or _preset_value(query, m, name)


def printed_value(value: Any) -> str:
    """A value of a parameter as it stands in the address and in fields."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _field(query: Query, m: MeasurementRecord, name: str) -> Component:
    info, value = CrackParams.model_fields[name], _preset_value(query, m, name)
    unit = unit_of(CrackParams, name)
    label = f"{info.title} / {unit}" if unit and not unit.startswith("×") else f"{info.title}, {unit}" if unit else str(info.title)
    choices = {"detector": DETECTORS, "boundary": WALLS}.get(name) or (YES_NO if isinstance(info.default, bool) else None)
    if choices:
        made: Component = _choice(query, name, printed_value(value), choices, label)
    else:
        made = _number(query, name, printed_value(value), label)
    low, high, step = SLIDERS.get(name, ("", "", ""))
    marks = {"data-field": name, "data-low": str(low), "data-high": str(high), "data-step": str(step), "data-preset": printed_value(value)}
    return html.Div(made, className="crack-field", title=info.description or "", **marks)


def _choice(query: Query, name: str, usual: str, choices: dict[str, str], label: str) -> Component:
    value = query.get(named(name), usual)
    data = [{"value": v, "label": t} for v, t in choices.items()]
    return dmc.Select(
        id=control(named(name), usual), data=data, value=value if value in choices else usual, label=label, size="xs", allowDeselect=False
    )


def _number(query: Query, name: str, usual: str, label: str) -> Component:
    return dmc.TextInput(
        id=control(named(name), ""),
        value=query.get(named(name), ""),
        placeholder=usual or "found",
        label=label,
        debounce=WAIT_MS,
        size="xs",
        inputProps={"inputMode": "decimal"},
    )


def _unseen(query: Query, m: MeasurementRecord, detector: str) -> list[Component]:
    """Controls of parameters that this detector does not ask for, so that a preset can empty them; and what hands write."""
    shown = {"detector", "margin", "min_crack", *CRACKS.get(detector, ()), *PARTICLES, *MORE_PARTICLES, *MORE}
    others = [n for n in crack_settings.FIELDS if n not in shown]
    inputs = [dmc.TextInput(id=control(named(n), ""), value=query.get(named(n), ""), **{"aria-label": n}) for n in others]
    preset = dmc.TextInput(id=control("preset", ""), value=query.get("preset", ""), **{"aria-label": "preset"})
    return [
        html.Div([*inputs, preset], style={"display": "none"}),
        dcc.Store(id=STROKE),
        *(dcc.Store(id=name) for name in (EDITED, ACTED, APPLIED)),
        pressed.store(results.ACT),
        dcc.Store(id=BRUSH_STATE, data=brush_state(m)),
    ]


# -- presets -------------------------------------------------------------------------------------------------------------------


def _presets(query: Query, m: MeasurementRecord) -> Component:
    own, data = crack_settings.preset(query, m.group), preset_options()
    changed = [str(CrackParams.model_fields[n].title) for n in crack_settings.FIELDS if query.get(named(n), "").strip()]
    pick = dmc.Select(id=PRESET, data=data, value=own, size="xs", allowDeselect=False, **{"aria-label": "Preset"})
    delete = dmc.Button("Delete", id=PRESET_DELETE, size="compact-xs", variant="default", n_clicks=0, disabled=own == STANDARD)
    name = dmc.TextInput(id=PRESET_NAME, placeholder="name", size="xs", **{"aria-label": "Name of the preset"})
    save = dmc.Button("Save as", id=PRESET_SAVE, size="compact-xs", variant="default", n_clicks=0)
    groups = dmc.MultiSelect(
        id=GROUPS_PICK,
        data=[{"value": g, "label": g} for g in _groups()],
        value=[m.group] if m.group in _groups() else [],
        size="xs",
        **{"aria-label": "Groups"},
    )
    apply = dmc.Button("Apply to groups", id=GROUPS_APPLY, size="compact-xs", n_clicks=0)
    said = "Changed: " + ", ".join(changed) if changed else "As saved."
    return html.Fieldset(
        [
            html.Legend("Preset"),
            html.Div([pick, delete], className="crack-row"),
            dmc.Text(said, id="crack-changed", size="xs", c="dimmed"),
            html.Div([name, save], className="crack-row"),
            html.Div([groups, apply], className="crack-row"),
            html.Div(id=PRESET_SAID),
            html.Div(id=GROUPS_SAID),
        ],
        className="form-section",
    )


def preset_options() -> list[dict[str, str]]:
    """The standard and all saved presets, to choose from."""
    return [{"value": n, "label": n} for n in (STANDARD, *crack_settings.presets())]


def _groups() -> list[str]:
    held = {m.group for m in preview.volumes()}
    return [g for g in workspace().group_names() if g in held]


# -- brush and masks -----------------------------------------------------------------------------------------------------------


def _brush(m: MeasurementRecord) -> Sequence[Component]:
    state = brush_state(m)
    tools = [{"value": "off", "label": "Off"}, {"value": "add", "label": "Add crack"}, {"value": "take", "label": "Take away"}]
    words = {"aria-label": "Brush"}
    tool = dmc.SegmentedControl(id=BRUSH, data=tools, value="off", size="xs", fullWidth=True, **words)
    radius = dmc.NumberInput(id=RADIUS, value=2, min=0, max=50, step=1, size="xs", label="Radius / voxels")
    buttons = [
        dmc.Button("Undo", id=UNDO, size="compact-xs", variant="default", n_clicks=0, disabled=not state["back"]),
        dmc.Button("Redo", id=REDO, size="compact-xs", variant="default", n_clicks=0, disabled=not state["ahead"]),
        dmc.Button("Remove all", id=CLEAR, size="compact-xs", variant="default", n_clicks=0, disabled=not state["back"]),
    ]
    return [
        html.Div(tool, className="crack-wide"),
        radius,
        html.Div(buttons, className="crack-row crack-wide"),
        dmc.Text(state["words"], id="crack-brush-words", size="xs", c="dimmed", className="crack-wide"),
    ]


def brush_state(m: MeasurementRecord) -> dict[str, Any]:
    """Key of the strokes, how many there are, and whether there is something to undo or to redo."""
    key = crack_settings.strokes(m)
    n = int(workspace().store.open(key).sizes["stroke"]) if key else 0
    ahead = bool(crack_settings.noted(m).get("ahead"))
    words = f"{n} ball{'' if n == 1 else 's'} painted" if n else "nothing painted"
    return {"measurement": m.id, "key": key, "back": bool(key), "ahead": ahead, "words": words}


def _mask(m: MeasurementRecord) -> Component:
    """Computed, or one of the segmentations that were imported for this particle."""
    found = crack_settings.masks(m)
    mine = crack_settings.mask(m)
    data = [{"value": "", "label": "computed with these settings"}, *({"value": str(k.id), "label": _file(k)} for k in found)]
    pick = dmc.Select(
        id=MASK,
        data=data,
        value=str(mine.id) if mine else "",
        size="xs",
        allowDeselect=False,
        **{"aria-label": "Where the mask comes from"},
    )
    how = "Masks of other programs are imported on the Import page, for this cell and particle, as “Segmentation of another program”."
    return html.Div([pick, *([] if found else [dmc.Text(how, size="xs", c="dimmed")])], className="crack-wide")


def _file(m: MeasurementRecord) -> str:
    name = m.files[0].original_name if m.files else str(m.id)
    return f"{name} ({m.state})" if m.state else name


def _pristine() -> Component:
    """Volumes of particles without cracks, whose ratio is the blank instead of that of phantoms."""
    every = [m for m in preview.volumes() if m.state == "pristine" and schema_of(m) == VOLUME.name]
    data = [{"value": str(m.id), "label": particle_name(m)} for m in every]
    return dmc.MultiSelect(
        id=PRISTINE,
        data=data,
        value=[str(m.id) for m in crack_settings.pristine() if str(m.id) in {d["value"] for d in data}],
        label="Pristine references, for all groups (three or more for a limit)",
        placeholder="dense phantoms" if data else "no pristine tomogram is imported",
        size="xs",
        className="crack-wide",
        clearable=True,
    )
