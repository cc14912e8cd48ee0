"""The import page: drop files, see what they are, say what is missing, take them.

The server keeps the list (analysis.staging), the page holds ids only. ``poll`` looks at the list and says where each row
stands; ``rows`` and ``shown`` draw what is new, and nothing else: somebody may be typing. ``save`` keeps what is typed;
``act`` does what buttons say.
"""

from collections.abc import Sequence
from typing import Any

import dash
import dash_mantine_components as dmc
from dash import ALL, MATCH, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.core.errors import StoreError, UserError
from analysis.core.hashing import json_digest
from components import import_actions, import_browser, import_detail, import_mapping, import_rows, import_work, pressed, shell
from components.context import workspace
from components.icons import icon
from components.import_form import BULK
from components.import_inputs import entry, field_id
from components.import_rows import ACT, facts_id, mark_id, open_id, saved_id, state_id, tick_id, words_id
from components.import_work import Lot
from components.pressed import heard, into

POLL_MS = 700  # while something is read or imported
IDLE_MS = 4000  # never off: answers may overtake one another
FORMATS = (
    "Cyclers: BioLogic, Neware, Arbin, Maccor, Landt, LANHE, Novonix, Basytec, Battery Data Format, any table · Microscopy: .xrm, .txrm, "
    "TIFF, HDF5, NeXus, Zarr, NumPy, STXM, raw · Spectra: XDI, Athena, NXxas, columns · a manifest with its files"
)

HOW = "Each file is recognised by its content and shown here; frames of one scan are put together. Nothing is taken before you say so."
WHY = (
    "Fill in for all files, or for the ticked ones. Without an active mass capacities stay in mAh, without a group a cell is in no "
    "comparison, without a state a particle is in no distribution; all can be added later."
)


TYPED_MS = 600  # longer than inputs wait after the last letter
WHEN_TYPED = into(ACT, after_ms=TYPED_MS)


def press_id(action: Any) -> dict[str, Any]:
    """Id of a button of the whole list; what is being typed is kept before its action starts."""
    return {"part": "import-press", "action": action}


def nudge_id(source: Any) -> dict[str, Any]:
    """Id of a store through which a part of the page says that the list has changed."""
    return {"part": "import-nudge", "from": source}


def layout(**_query: str) -> Component:
    """The page, with the list as it stands."""
    found = import_work.lots()
    current = _current(found, None)
    listed = html.Section(
        [_drop(), html.Div(id="import-uploads", role="status"), _bulk(), html.Div(import_rows.table(found), id="import-rows")],
        className="card import-list",
        **{"aria-label": "Waiting files"},
    )
    aside = html.Section(_detail(found, current), id="import-detail", className="card import-detail", **{"aria-label": "The chosen file"})
    return html.Div(
        [
            shell.toolbar("Import", "", "", [_buttons()], groups=False),
            shell.page(html.Div([listed, aside], className=_look(found), id="import-grid")),
            import_browser.modal(),
            import_mapping.modal(),
            dcc.Interval(id="import-poll", interval=POLL_MS),
            dcc.Store(id="import-revs", data=_revs(found)),
            dcc.Store(id="import-drawn", data=_revs(found)),
            dcc.Store(id="import-current"),
            pressed.store(ACT),
            dcc.Store(id=saved_id("")),
            dcc.Store(id="import-shown", data=_shown(found, current)),
            *[dcc.Store(id=nudge_id(source)) for source in ("upload", "browser", "mapping", "act")],
        ]
    )


def _drop() -> Component:
    buttons = [
        dmc.Button("Choose files…", id="import-choose", size="xs", n_clicks=0),
        dmc.Button("Browse the server…", id="import-browse", size="xs", variant="default", n_clicks=0),
    ]
    words = [
        dmc.Text("Drop files or folders here", fw=600, size="sm"),
        dmc.Text(HOW, size="xs", className="drop-how"),
        dmc.Text(FORMATS, size="xs", c="dimmed"),
    ]
    return html.Div(
        [icon("import", 22), html.Div(words, className="drop-words"), dmc.Group(buttons, gap="xs")], id="import-drop", className="drop"
    )


def _bulk() -> Component:
    """Fields for the ticked files, or for all."""
    groups = [g.name for g in workspace().snapshot().groups]
    fields = [entry(field_id("", f), f, None, suggestions=groups if f == "cell.group" else None) for f in BULK]
    return html.Div(
        [
            html.Div(
                [
                    dmc.Text(WHY, size="xs", c="dimmed"),
                    dmc.Button("Make the ticked one measurement", id=press_id("join"), size="compact-xs", variant="default", **WHEN_TYPED),
                ],
                className="bulk-words",
            ),
            *fields,
            dmc.Button("Apply", id=press_id("apply"), size="xs", variant="default", **WHEN_TYPED),
        ],
        className="bulk",
        role="group",
        **{"aria-label": "Fields for several files"},
    )


def _buttons() -> Component:
    return dmc.Group(
        [
            dmc.Button("Take the imported off the list", id=press_id("clear"), size="xs", variant="subtle", color="gray", **WHEN_TYPED),
            dmc.Button("Import", id=press_id("import"), size="xs", disabled=True, **WHEN_TYPED),
        ],
        gap="xs",
        className="push",
    )


def _look(found: Sequence[Lot]) -> str:
    return "import-grid" if found else "import-grid nothing"


def _revs(found: Sequence[Lot]) -> dict[str, str]:
    return {lot.sid: lot.rev for lot in found}


def _current(found: Sequence[Lot], wanted: str | None) -> str:
    """The open file: as wanted ("id", or "id.place" for a later part of a test), else the first."""
    sid = (wanted or "").partition(".")[0]
    return wanted if wanted and any(lot.sid == sid for lot in found) else found[0].sid if found else ""


def _shown(found: Sequence[Lot], current: str) -> list[str]:
    return [current, next((lot.seen for lot in found if lot.sid == current.partition(".")[0]), "")]


def _detail(found: Sequence[Lot], current: str) -> Component:
    sid, _, place = current.partition(".")
    lot = next((lot for lot in found if lot.sid == sid), None)
    if lot is None:
        return import_detail.nothing()
    return import_detail.detail(lot, min(int(place or 0), len(lot.parts) - 1))


@callback(
    Output("import-revs", "data"),
    Output("import-poll", "interval"),
    Output(press_id("import"), "children"),
    Output(press_id("import"), "disabled"),
    Output(press_id("clear"), "disabled"),
    Output(state_id(ALL), "children"),
    Output(words_id(ALL), "children"),
    Output(facts_id(ALL), "children"),
    Input("import-poll", "n_intervals"),
    Input(nudge_id(ALL), "data"),
    Input(saved_id(ALL), "data"),
    Input(tick_id(ALL), "checked"),
    State(tick_id(ALL), "id"),
    State("import-revs", "data"),
)
def poll(_n: Any, _nudges: Any, _saved: Any, checked: list[bool], ids: list[dict[str, str]], revs: dict[str, str]) -> tuple[Any, ...]:
    import_work.look(revs)  # a new file gets its row first, its reading with the next look
    found = import_work.lots()
    by_sid = {lot.sid: lot for lot in found}
    ticked = [i["sid"] for i, c in zip(ids, checked, strict=True) if c]
    ready, asked = import_actions.ready(found, ticked), import_actions.chosen(found, ticked)
    said = {p.sid: import_rows.line(lot, i) for lot in found for i, p in enumerate(lot.parts)}
    new = _revs(found)
    states, words, facts = ([o["id"]["sid"] for o in outputs] for outputs in ctx.outputs_list[-3:])
    return (
        no_update if list(new.items()) == list(revs.items()) else new,
        POLL_MS if any(lot.state in ("reading", "importing") for lot in found) else IDLE_MS,
        import_actions.label(ready, asked, is_part=bool(ticked)),
        not ready,
        not any(lot.state == "done" for lot in found),
        [import_rows.state(by_sid[sid]) if sid in by_sid else [] for sid in states],
        [import_rows.words(by_sid[sid]) if sid in by_sid else [] for sid in words],
        [said.get(sid, "") for sid in facts],
    )


@callback(
    Output("import-rows", "children"),
    Output("import-grid", "className"),
    Output("import-drawn", "data"),
    Input("import-revs", "data"),
    State("import-drawn", "data"),
    State(tick_id(ALL), "checked"),
    State(tick_id(ALL), "id"),
    prevent_initial_call=True,
)
def rows(_revs_now: Any, drawn: dict[str, str], checked: list[bool], ids: list[dict[str, str]]) -> tuple[Any, ...]:
    found = import_work.lots()
    now = _revs(found)
    if list(now.items()) == list(drawn.items()):
        return no_update, no_update, no_update
    ticked = {i["sid"] for i, c in zip(ids, checked, strict=True) if c}
    return import_rows.changes(drawn, found, ticked), _look(found), now


@callback(
    Output("import-detail", "children"),
    Output("import-shown", "data"),
    Input(facts_id(ALL), "children"),
    Input("import-drawn", "data"),
    Input("import-current", "data"),
    State("import-shown", "data"),
    prevent_initial_call=True,
)
def shown(_facts: Any, _drawn: Any, wanted: str | None, before: list[str]) -> tuple[Any, Any]:
    found = import_work.lots()
    current = _current(found, wanted)
    now = _shown(found, current)
    return (no_update, no_update) if now == before else (_detail(found, current), now)


@callback(
    Output(saved_id(MATCH), "data"),
    Input(field_id(MATCH, ALL), "value"),
    State(field_id(MATCH, ALL), "id"),
    prevent_initial_call=True,
)
def save(values: list[Any], ids: list[dict[str, str]]) -> Any:
    changed = {i["field"] for i in ctx.triggered_prop_ids.values()}
    named = {i["field"]: v for i, v in zip(ids, values, strict=True) if i["field"] in changed}
    if not named or not ids[0]["sid"]:
        return no_update
    try:
        return json_digest(values) if import_actions.keep(ids[0]["sid"], named) else no_update
    except StoreError:  # taken off the list by another page
        return json_digest(values)
    except UserError as err:
        _tell(err)
        return no_update


def _tell(err: UserError) -> None:
    told = {"action": "show", "id": "import", "title": err.message, "message": err.hint, "color": "orange"}
    dash.set_props("notifications", {"sendNotifications": [told]})


@callback(
    Output(nudge_id("act"), "data"),
    heard(ACT),
    State(tick_id(ALL), "checked"),
    State(tick_id(ALL), "id"),
    State(field_id("", ALL), "value"),
    State(field_id("", ALL), "id"),
    prevent_initial_call=True,
)
def act(asked: dict[str, Any] | None, checked: list[bool], ids: list[dict[str, str]], bulk: list[Any], fields: list[dict[str, str]]) -> Any:
    if not asked or asked["action"] == "map":  # that one opens a dialog
        return no_update
    ticked = [i["sid"] for i, c in zip(ids, checked, strict=True) if c]
    try:
        import_actions.act(asked["action"], asked.get("sid", ""), ticked, {f["field"]: v for f, v in zip(fields, bulk, strict=True)})
    except UserError as err:
        _tell(err)
    return asked


clientside_callback(
    ClientsideFunction("imports", "current"),
    Output("import-current", "data"),
    Input(open_id(ALL), "n_clicks"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("imports", "marks"),
    Output(mark_id(ALL), "className"),
    Input("import-shown", "data"),
    State(mark_id(ALL), "id"),
)
clientside_callback(
    ClientsideFunction("imports", "tickAll"),
    Output(tick_id(ALL), "checked"),
    Input("import-tick-all", "checked"),
    State(tick_id(ALL), "checked"),
    prevent_initial_call=True,
)
