"""Everything about one measurement: its files with their hashes, how they were read, what the reader said, where it leads."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, callback, html, no_update
from dash.development.base_component import Component

from analysis.catalog import FileRecord, MeasurementRecord
from analysis.core.errors import UserError
from components import notice, provenance
from components.catalog_actions import ASKED
from components.context import workspace

DRAWER = "catalog-details"
DRAWER_BODY = "catalog-details-body"


def drawer() -> Component:
    return dmc.Drawer(html.Div(id=DRAWER_BODY), id=DRAWER, title="Measurement", position="right", size="lg")


def described(m: MeasurementRecord) -> list[Component]:
    """The drawer's content."""
    look = workspace()
    present = [k for k in m.dataset_keys if look.store.has(k)]
    started = [str(s) for k in present if (s := look.store.open(k).attrs.get("start_time"))]
    rows = [
        ("cell", f"{m.cell}{f' ({m.group})' if m.group else ''}"),
        ("modality", m.modality),
        ("test", m.part_of),
        ("started", ", ".join(dict.fromkeys(started))),
        ("imported", _moment(m.created_at)),
        ("instrument", m.instrument),
        ("reader", m.reader_id),
        *((f"option {n}", json.dumps(v, ensure_ascii=False)) for n, v in m.reader_options.items()),
        ("left out because", m.excluded_because),
        *(("dataset", k if k in present else f"{k} (missing from the store)") for k in m.dataset_keys),
    ]
    said = look.warnings(m)
    warnings = [notice.alert("What the reader said", "\n".join(said), color="orange")] if said else []
    return [_facts(rows), *warnings, _heading("Files"), *(_file(f) for f in m.files), *_made(m, present)]


def _made(m: MeasurementRecord, keys: Iterable[str]) -> list[Component]:
    shown = tuple(workspace().labelled(k, m) for k in keys)
    return [_heading("How it was read"), provenance.entries(shown)] if shown else []


def _heading(words: str) -> Component:
    return dmc.Title(words, order=3, size="h6", mt="sm", mb=4)


def _facts(rows: Iterable[tuple[str, str | None]]) -> Component:
    return html.Table(html.Tbody([html.Tr([html.Th(n, scope="row"), html.Td(v)]) for n, v in rows if v]), className="facts")


def _file(f: FileRecord) -> Component:
    where = f"{f.stored_path} (referenced in place)" if f.referenced else f.stored_path
    rows = [("file", f.original_name), ("size", f"{f.size_bytes:,} bytes"), ("sha256", f.sha256), ("stored at", where)]
    return html.Div(_facts([*rows, ("role", f.role if f.role != "data" else None)]), className="catalog-file")


def _moment(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


@callback(Output(DRAWER, "opened"), Output(DRAWER_BODY, "children"), Input(ASKED, "data"), prevent_initial_call=True)
def show(asked: dict[str, Any] | None) -> tuple[Any, Any]:
    if not asked or asked["action"] != "details" or not asked["ids"]:
        return no_update, no_update
    try:
        return True, described(workspace().catalog.measurement(asked["ids"][0]))
    except UserError as err:
        return True, notice.problem(err)
