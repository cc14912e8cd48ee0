"""What the catalog's dialogs show: a question that names what will happen, its fields, and the button that does it."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from analysis.catalog import CellFields, GroupFields
from analysis.catalog.grid import grid_rows
from analysis.catalog.records import Fields, title_of, unit_of
from analysis.core.errors import UserError
from analysis.core.style import PALETTE
from components import notice
from components.context import theme, workspace

MANIFEST_UPLOAD = "catalog-manifest-upload"
MANIFEST_SAID = "catalog-manifest-said"
MANIFEST_BYTES = 5_000_000  # it travels as text within one request
NAMES_SHOWN = 8
CELL_NUMBERS = (
    "active_mass_mg",
    "composite_mass_mg",
    "active_fraction",
    "electrode_area_cm2",
    "one_c_mA_per_g",
    "formation_cycles",
)
Ids = Sequence[int]
BELOW = ["label", "input", "description", "error"]  # boxes beside each other keep one line
FOCUS: dict[str, Any] = {"data-autofocus": True}  # where the keyboard is when the dialog opens


def field_id(name: Any) -> dict[str, Any]:
    return {"part": "catalog-field", "name": name}


def confirm_id(action: Any) -> dict[str, Any]:
    return {"part": "catalog-confirm", "action": action}


def dialog(action: str, table: str, ids: Ids) -> tuple[str, list[Component]]:
    """Title and content of a dialog."""
    builders: dict[str, Callable[[str, Ids], tuple[str, list[Component]]]] = {
        "exclude": _exclude,
        "include": _include,
        "delete": _delete,
        "move": _move,
        "cell": _cell,
        "group": _group,
        "manifest": _manifest,
    }
    return builders[action](table, ids)


def refused(error: UserError, title: str) -> Component:
    """A refusal for the page: without the fields' internal names, which stand for the command line and manifests."""
    return notice.alert(title, re.sub(r" \[\w+\]", "", error.message), error.hint, color="red")


def named(table: str, ids: Ids) -> str:
    """The rows by their names, the first few of many."""
    found = [_name(table, row) for row in grid_rows(workspace().catalog, table) if row["id"] in set(ids)]
    shown = ", ".join(found[:NAMES_SHOWN])
    return shown if len(found) <= NAMES_SHOWN else f"{shown} and {len(found) - NAMES_SHOWN} more"


def _name(table: str, row: dict[str, Any]) -> str:
    if table == "measurements":
        test = f", {row['part_of']}" if row["part_of"] else ""
        return f"{row['cell']} ({row['modality']}{test})"
    return str(row.get("name") or row.get("cell"))


def counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _ask(action: str, words: str, *children: Component | str, color: str = "") -> list[Component]:
    button = dmc.Button(words, id=confirm_id(action), size="sm", n_clicks=0, **({"color": color} if color else {}))
    return [
        dmc.Stack([*(c if isinstance(c, Component) else dmc.Text(c, size="sm") for c in children), dmc.Group([button], justify="flex-end")])
    ]


def _exclude(table: str, ids: Ids) -> tuple[str, list[Component]]:
    reason = dmc.Textarea(id=field_id("reason"), label="Reason", required=True, autosize=True, minRows=2, maxRows=6, **FOCUS)
    what = f"{named(table, ids)} will be left out of every comparison. The reason is shown wherever it is missing."
    return f"Exclude {counted(len(ids), table[:-1])}", _ask("exclude", "Exclude", what, reason)


def _include(table: str, ids: Ids) -> tuple[str, list[Component]]:
    words = [f"{named(table, ids)} will be compared again."]
    measurements = [m for m in workspace().catalog.measurements() if m.id in set(ids)] if table == "measurements" else []
    for m in measurements[:NAMES_SHOWN]:
        if m.excluded_because != m.excluded_reason:
            words.append(f"{m.cell} stays left out through its cell or particle ({m.excluded_because}); include that in its own table.")
    return f"Include {counted(len(ids), table[:-1])} again", _ask("include", "Include again", *dict.fromkeys(words))


def _delete(table: str, ids: Ids) -> tuple[str, list[Component]]:
    words = [f"{named(table, ids)} will be deleted from the catalog."]
    words += _together(table, ids)
    if table != "groups":
        words.append("The measured files stay in the workspace folder and can be imported again.")
    else:
        words.append("Only a group without cells can be deleted.")
    return f"Delete {counted(len(ids), table[:-1])}", _ask("delete", "Delete", *words, color="red")


def _together(table: str, ids: Ids) -> list[str]:
    """What is deleted with cells, harvests, particles."""
    column = {"cells": "cell_id", "harvests": "harvest_id", "particles": "particle_id"}.get(table)
    if column is None:
        return []
    known, gone = workspace().catalog, set(ids)
    kinds = Counter(str(m.modality) for m in known.measurements() if getattr(m, column) in gone)
    parts = [counted(n, f"{kind} measurement") for kind, n in kinds.items()]
    parts += [counted(n, "harvest") for n in [sum(h.cell_id in gone for h in known.harvests())] if n and table == "cells"]
    if table != "particles":
        parts += [counted(n, "particle") for n in [sum(getattr(p, column) in gone for p in known.particles())] if n]
    return [f"This includes {', '.join(parts)}."] if parts else []


def _group_box(**more: Any) -> Component:
    names = list(workspace().group_names())
    return dmc.Autocomplete(
        id=field_id("group"), label="Group", data=names, description="A new name makes a new group.", inputWrapperOrder=BELOW, **more
    )


def _move(table: str, ids: Ids) -> tuple[str, list[Component]]:
    box = _group_box(placeholder="none", comboboxProps={"position": "top"}, **FOCUS)
    return f"Move {counted(len(ids), 'cell')}", _ask("move", "Move", f"{named(table, ids)} will belong to this group.", box)


def _label(fields: type[Fields], name: str) -> str:
    unit = unit_of(fields, name)
    return f"{title_of(fields, name)} / {unit}" if unit else title_of(fields, name)


def _cell(_table: str, _ids: Ids) -> tuple[str, list[Component]]:
    name = dmc.TextInput(id=field_id("name"), label="Cell", required=True, **FOCUS)
    coating = dmc.TextInput(
        id=field_id("coating"), label="Coating", description=CellFields.model_fields["coating"].description, inputWrapperOrder=BELOW
    )
    numbers = [dmc.TextInput(id=field_id(n), label=_label(CellFields, n), inputProps={"inputMode": "decimal"}) for n in CELL_NUMBERS]
    body = [dmc.SimpleGrid([name, _group_box()], cols=2), coating, dmc.SimpleGrid(numbers, cols=2)]
    return "Add a cell", _ask("cell", "Add", *body, "Everything else of the cell can be said in the table.")


def _group(_table: str, ids: Ids) -> tuple[str, list[Component]]:
    known = workspace().catalog.groups()
    taken = {g.colour_slot: g.title for g in known}
    slots = range(max([len(PALETTE["light"]), *(s + 2 for s in taken)]))
    colours = [_colour(slot, taken.get(slot)) for slot in slots]
    free = next((s for s in slots if s not in taken), len(slots))
    body: list[Component | str] = [
        dmc.SimpleGrid(
            [
                dmc.TextInput(id=field_id("name"), label="Group", required=True, **FOCUS),
                dmc.TextInput(
                    id=field_id("title"), label="Title", description=GroupFields.model_fields["title"].description, inputWrapperOrder=BELOW
                ),
            ],
            cols=2,
        ),
        dmc.RadioGroup(dmc.Group(colours, gap="sm", mt=4), id=field_id("colour_slot"), label="Colour", value=str(free)),
        dmc.TextInput(
            id=field_id("position"),
            label="Order",
            description="Place among the groups; last if not given.",
            inputWrapperOrder=BELOW,
            inputProps={"inputMode": "numeric"},
        ),
    ]
    if ids:
        body.append(f"Then {named('cells', ids)} will belong to it.")
    return "Add a group", _ask("group", "Add", *body)


def _colour(slot: int, taken: str | None) -> Component:
    palette = PALETTE[theme()]
    swatch = html.Span(className="swatch catalog-swatch", style={"background": palette[slot % len(palette)]})
    return dmc.Radio(
        value=str(slot),
        label=html.Span([swatch, f" {slot}" if taken is None else f" {slot}, {taken}"]),
        size="xs",
        disabled=taken is not None,
    )


def _manifest(_table: str, _ids: Ids) -> tuple[str, list[Component]]:
    text = (
        "A CSV, Excel or TOML table that describes groups, cells and samples: each row adds one, or changes the fields it names of one "
        "that is there. A manifest that lists data files belongs on the import page, which takes the files too."
    )
    drop = dcc.Upload(
        html.Div(["Drop a manifest here, or ", html.U("choose a file")]),
        id=MANIFEST_UPLOAD,
        accept=".csv,.tsv,.toml,.xlsx,.xls,.ods,text/csv",
        max_size=MANIFEST_BYTES,
        className="catalog-drop",
    )
    links = dmc.Group(
        [dmc.Anchor("Import page", href="/import", size="sm"), dmc.Anchor("The cells as CSV", href="/catalog/cells.csv", size="sm")]
    )
    return "Import a manifest", [dmc.Stack([dmc.Text(text, size="sm"), drop, html.Div(id=MANIFEST_SAID), links])]
