"""What the catalog's dialogs do when they are confirmed, and the callbacks between buttons, dialogs and tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import ALL, Input, Output, State, callback, ctx, no_update

from analysis.catalog import CellFields
from analysis.core.errors import ParamError, UserError
from components import catalog_manifest, notice
from components.catalog_dialogs import CELL_NUMBERS, MANIFEST_SAID, MANIFEST_UPLOAD, confirm_id, dialog, field_id, refused
from components.context import workspace

ASKED = "catalog-asked"  # {action, table, ids}: what a button asks for
DIALOG = "catalog-dialog"
DIALOG_BODY = "catalog-dialog-body"
DIALOG_PROBLEM = "catalog-dialog-problem"
Ids = Sequence[int]
Said = Mapping[str, Any]


def written_id(by: Any) -> dict[str, Any]:
    """Id of a store that changes whenever something was written; ``rows`` says that rows have to be read again."""
    return {"part": "catalog-written", "by": by}


def perform(action: str, table: str, ids: Ids, fields: Said) -> None:
    """Do what a dialog says.

    Raises
    ------
    UserError
        With the sentence for the dialog. Rows before a refused one are done.
    """
    steps: dict[str, Callable[[str, Ids, Said], None]] = {
        "exclude": _exclude,
        "include": _include,
        "delete": _delete,
        "move": _move,
        "cell": _cell,
        "group": _group,
    }
    steps[action](table, ids, fields)


def _exclude(table: str, ids: Ids, fields: Said) -> None:
    for row_id in ids:
        workspace().catalog.exclude(_kind(table), row_id, str(fields.get("reason") or ""))


def _include(table: str, ids: Ids, _fields: Said) -> None:
    for row_id in ids:
        workspace().catalog.include(_kind(table), row_id)


def _kind(table: str) -> Any:
    return table[:-1]  # Catalog.exclude refuses what cannot be excluded


def _delete(table: str, ids: Ids, _fields: Said) -> None:
    catalog = workspace().catalog
    remove: dict[str, Callable[[int], object]] = {
        "cells": catalog.delete_cell,
        "harvests": catalog.delete_harvest,
        "particles": catalog.delete_particle,
        "measurements": catalog.delete_measurement,
        "groups": catalog.delete_group,
    }
    for row_id in ids:
        remove[table](row_id)


def _move(_table: str, ids: Ids, fields: Said) -> None:
    catalog, group = workspace().catalog, str(fields.get("group") or "").strip()
    if group and group.casefold() not in {g.name.casefold() for g in catalog.groups()}:
        catalog.add_group(group)
    for row_id in ids:
        catalog.update_cell(row_id, group=group or None)


def _cell(_table: str, _ids: Ids, fields: Said) -> None:
    catalog, name = workspace().catalog, str(fields.get("name") or "").strip()
    if any(c.name == name for c in catalog.cells()):
        raise ParamError(f"There is already a cell '{name}'.", hint="Choose another name, or change that cell in the table.")
    given = {n: fields.get(n) for n in ("group", "coating", *CELL_NUMBERS) if fields.get(n)}
    checked = CellFields.check({"name": name, **given})
    catalog.upsert_cell(**checked.given())


def _group(_table: str, ids: Ids, fields: Said) -> None:
    catalog = workspace().catalog
    given = {n: fields.get(n) or None for n in ("title", "colour_slot", "position")}
    made = catalog.add_group(str(fields.get("name") or ""), **given)
    for row_id in ids:
        catalog.update_cell(row_id, group=made.name)


@callback(
    Output(DIALOG, "opened"),
    Output(DIALOG, "title"),
    Output(DIALOG_BODY, "children"),
    Output(DIALOG_PROBLEM, "children"),
    Output(written_id("dialog"), "data"),
    Input(ASKED, "data"),
    Input(confirm_id(ALL), "n_clicks"),
    State(field_id(ALL), "value"),
    prevent_initial_call=True,
)
def ask_and_do(asked: dict[str, Any] | None, clicks: list[int | None], _values: list[Any]) -> tuple[Any, ...]:
    """A button opens its dialog; the dialog's button does it, and closes it where that succeeds."""
    nothing = (no_update,) * 5
    if not asked or asked["action"] == "details":
        return nothing
    if ctx.triggered_id == ASKED:
        return (True, *dialog(asked["action"], asked["table"], asked["ids"]), [], no_update)
    if not any(clicks):
        return nothing
    fields = {field["id"]["name"]: field.get("value") for field in ctx.states_list[0]}
    try:
        perform(asked["action"], asked["table"], asked["ids"], fields)
    except UserError as err:
        return no_update, no_update, no_update, refused(err, "This did not work"), _written()
    return False, no_update, no_update, [], _written()


@callback(
    Output(MANIFEST_SAID, "children"),
    Output(written_id("manifest"), "data"),
    Output(MANIFEST_UPLOAD, "contents"),
    Input(MANIFEST_UPLOAD, "contents"),
    State(MANIFEST_UPLOAD, "filename"),
    prevent_initial_call=True,
)
def import_manifest(contents: str | None, name: str | None) -> tuple[Any, ...]:
    if not contents:
        return no_update, no_update, no_update
    try:
        sentence = catalog_manifest.take(workspace().catalog, name or "manifest.csv", contents)
    except UserError as err:
        return refused(err, "Not imported"), no_update, None
    return notice.alert("Imported", sentence, color="teal"), _written(), None


def _written() -> dict[str, Any]:
    return {"at": time.time_ns(), "rows": True}
