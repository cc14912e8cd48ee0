"""Which column is what: the dialog for tables that no reader knows, with a live check; the answer is kept for the next file."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.core.errors import UserError
from analysis.cycling.aliases import BASES
from analysis.cycling.mapping import TARGETS, Proposal, propose, unit_choices
from analysis.cycling.read_tables import TableOptions
from analysis.cycling.schemas import RECORD
from analysis.inspection import TRIAL_BYTES, Found, trial
from analysis.staging import Staged
from components import notice
from components.context import style, workspace
from components.import_detail import picture
from components.import_rows import ACT, printed_duration
from components.import_uploads import staging
from components.import_work import found_in, look_again
from components.pressed import heard

READER = "cycling.generic"
MODAL = "import-mapping"
OPEN = "import-mapping-open"
FIRST = ("time", "voltage", "current", "cycle", "step", "charge_capacity", "discharge_capacity", "capacity")
TITLES = {
    "step_time": "Step time",
    "capacity": "Capacity (both directions)",
    "energy": "Energy (both directions)",
    "state": "State (charging …)",
    "label": "Kind of cycle",
}
SHOWN_ROWS = 8
SETTINGS = ("current_sign", "sheet", "decimal")


def map_id(setting: Any, target: Any) -> dict[str, Any]:
    """Id of a choice: ``setting`` is columns, units or one of ``SETTINGS`` (then ``target`` is "")."""
    return {"part": "import-map", "setting": setting, "target": target}


def modal() -> Component:
    """The dialog; its body is filled for the file it opens for."""
    buttons = [
        dmc.Button("Cancel", id="import-mapping-cancel", size="xs", variant="default", n_clicks=0),
        dmc.Button("Read it like this, and remember", id="import-mapping-keep", size="xs", n_clicks=0, disabled=True),
    ]
    return dmc.Modal(
        [
            dcc.Store(id=OPEN),
            html.Div(id="import-mapping-body"),
            html.Div(id="import-mapping-check", role="status"),
            dmc.Group(buttons, justify="flex-end", mt="sm"),
        ],
        id=MODAL,
        title="Which column is what?",
        size="80rem",
        keepMounted=True,
    )


def body(staged: Staged, sheet: str | None = None) -> list[Component]:
    """The first rows of a file, and a choice for each quantity."""
    try:
        proposal = propose(staged.path, sheet)
    except (UserError, OSError) as err:
        return [notice.alert("This is not a table", str(err), color="red")]
    found = found_in(staged)
    before = {**dict(found.options if found else {}), **staged.form.get("options", {})} if sheet is None else {}
    targets = [t for t in (*FIRST, *TARGETS) if t in TARGETS]
    rows = [_choice(t, proposal, before) for t in dict.fromkeys(targets)]
    return [
        html.Div(_first_rows(proposal), className="map-table"),
        html.Div(_settings(proposal, before), className="map-settings"),
        html.Div(rows[: len(FIRST)], className="map-choices"),
        html.Details([html.Summary("More columns"), html.Div(rows[len(FIRST) :], className="map-choices")]),
    ]


def _first_rows(proposal: Proposal) -> Component:
    head = html.Thead(html.Tr([html.Th(h, scope="col") for h in proposal.headers]))
    return html.Table([head, html.Tbody([html.Tr([html.Td(c) for c in row]) for row in proposal.rows[:SHOWN_ROWS]])], className="map-rows")


def _settings(proposal: Proposal, before: Mapping[str, Any]) -> list[Component]:
    fields = TableOptions.model_fields
    signs = ["positive charges", "positive discharges", "by state"]
    made = [_select(map_id("current_sign", ""), fields["current_sign"].title, signs, before.get("current_sign", signs[0]))]
    if len(proposal.sheets) > 1:
        made.append(_select(map_id("sheet", ""), fields["sheet"].title, list(proposal.sheets), proposal.sheet))
    if proposal.options.get("decimal"):
        made.append(
            _select(map_id("decimal", ""), fields["decimal"].title, [".", ","], before.get("decimal") or proposal.options["decimal"])
        )
    return made


def _choice(target: str, proposal: Proposal, before: Mapping[str, Any]) -> Component:
    """Column and unit of one quantity."""
    kept, units = before.get("columns", {}).get(target), before.get("units", {})
    column = kept if kept in proposal.headers else proposal.columns.get(target)
    title = RECORD.variables[target].title if target in RECORD.variables else TITLES[target]
    choices = [u for u in unit_choices(target) if u != "1"]
    unit = units.get(target) or proposal.units.get(target) or None
    picked = _select(
        map_id("columns", target), title, list(dict.fromkeys(proposal.headers)), column, clearable=target not in proposal.columns
    )
    if not choices:
        return html.Div([picked], className="map-choice")
    shown = _select(map_id("units", target), "Unit", choices, unit, clearable=True, placeholder=f"header, else {BASES[target]}")
    return html.Div([picked, shown], className="map-choice")


def _select(component_id: Mapping[str, Any], label: str | None, data: list[str], value: str | None, **properties: Any) -> Component:
    return dmc.Select(
        id=dict(component_id),
        label=label,
        data=data,
        value=value,
        size="xs",
        searchable=len(data) > 8,
        allowDeselect=False,
        comboboxProps={"withinPortal": True},
        **properties,
    )


def options_of(ids: Sequence[Mapping[str, str]], values: Sequence[str | None]) -> dict[str, Any]:
    """The reader's options that the choices say; what is left open is left to the reader."""
    made: dict[str, Any] = {"columns": {}, "units": {}}
    for component_id, value in zip(ids, values, strict=True):
        setting, target = component_id["setting"], component_id["target"]
        if not value:
            continue
        if setting in SETTINGS:
            made[setting] = value
        else:
            made[setting][target] = value
    made["units"] = {t: u for t, u in made["units"].items() if t in made["columns"]}
    return made


def verdict(found: Found, *, is_part: bool = False) -> list[Component]:
    """What comes out with these columns: a sentence and a picture, or what is wrong."""
    if found.kind != "data":
        return [notice.alert("Not yet", found.message, found.hint, color="orange")]
    low, high = found.ranges.get("time", (0.0, 0.0))
    words = f"Reads: {found.rows:,} rows".replace(",", "\u00a0") + f" over {printed_duration(high - low)}"
    said = [html.P(w, className="detail-warning") for w in found.warnings[:4]]
    return [
        dmc.Text(f"{words}{' in the beginning of the file' if is_part else ''}.", size="xs", c="dimmed"),
        *said,
        dcc.Graph(figure=picture(found, style()), config={"displayModeBar": False}, className="detail-graph"),
    ]


def keep(sid: str, options: Mapping[str, Any]) -> None:
    """Read a file with these options, and every later one with the same columns; waiting ones are looked at again."""
    waiting = staging().entry(sid)
    signature = propose(waiting.path, options.get("sheet") or None).signature
    workspace().catalog.remember_mapping(signature, options, name=waiting.name)
    staging().say(sid, reader=READER, options=dict(options))
    for other in staging().entries():
        found = found_in(other)
        if other.sid != sid and found is not None and found.kind == "table":
            look_again(other.sid)


@callback(
    Output(OPEN, "data"),
    heard(ACT),
    prevent_initial_call=True,
)
def opened(asked: dict[str, Any] | None) -> Any:
    return {"sid": asked["sid"], "n": asked["at"]} if asked and asked["action"] == "map" else no_update


@callback(
    Output(MODAL, "opened"),
    Input(OPEN, "data"),
    Input("import-mapping-cancel", "n_clicks"),
    Input({"part": "import-nudge", "from": "mapping"}, "data"),
    prevent_initial_call=True,
)
def toggle(_open: Any, _cancel: int, _kept: Any) -> bool:
    return bool(ctx.triggered_id == OPEN)


@callback(Output("import-mapping-body", "children"), Input(OPEN, "data"), Input(map_id("sheet", ALL), "value"), prevent_initial_call=True)
def show(at: dict[str, Any] | None, sheets: list[str | None]) -> Any:
    if not at:
        return no_update
    changed = isinstance(ctx.triggered_id, dict)
    staged = staging().entry(at["sid"])
    if changed and (not sheets or not sheets[0] or sheets[0] == _sheet_now(staged)):
        return no_update
    return body(staged, sheets[0] if changed else None)


def _sheet_now(staged: Staged) -> str:
    return propose(staged.path).sheet


@callback(
    Output("import-mapping-check", "children"),
    Output("import-mapping-keep", "disabled"),
    Input(map_id(ALL, ALL), "value"),
    State(map_id(ALL, ALL), "id"),
    State(OPEN, "data"),
    prevent_initial_call=True,
)
def check(values: list[str | None], ids: list[dict[str, str]], at: dict[str, Any] | None) -> Any:
    if not at or not ids:
        return [], True
    staged = staging().entry(at["sid"])
    found = trial(staged.path, workspace().registry, reader_id=READER, options=options_of(ids, values))
    return verdict(found, is_part=staged.size > TRIAL_BYTES), found.kind != "data"


@callback(
    Output({"part": "import-nudge", "from": "mapping"}, "data"),
    Input("import-mapping-keep", "n_clicks"),
    State(map_id(ALL, ALL), "value"),
    State(map_id(ALL, ALL), "id"),
    State(OPEN, "data"),
    prevent_initial_call=True,
)
def kept(clicks: int, values: list[str | None], ids: list[dict[str, str]], at: dict[str, Any] | None) -> Any:
    if not clicks or not at:
        return no_update
    keep(at["sid"], options_of(ids, values))
    return clicks
