"""The catalog page: one table at a time, edited in place; actions on its selected rows; manifests out and in."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html, no_update
from dash.development.base_component import Component

from components import catalog_guard, notice, shell
from components.address import ADDRESS
from components.catalog_actions import ASKED, DIALOG, DIALOG_BODY, DIALOG_PROBLEM, written_id
from components.catalog_details import drawer
from components.catalog_grid import TABLES, chooser, columns_id, definitions, grid, grid_id, rows
from components.context import workspace
from components.icons import icon
from components.views import Query

TOOLBAR = "catalog-toolbar"
GUARD = "catalog-guard"
EMPTY = "catalog-empty"
SAID = "catalog-said"
DONE = {name: f"catalog-done-{name}" for name in ("edit", "columns", "search")}  # clientside callbacks need an output
SEARCH = "catalog-search"
COUNT = "catalog-count"
CYCLING = "catalog-cycling"
# For each table: action, words, icon, and what has to be selected (see assets/40_catalog.mjs).
ACTIONS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "cells": (
        ("exclude", "Exclude…", "eye-off", "some"),
        ("include", "Include again", "check", "out"),
        ("move", "Move to group…", "folder", "some"),
        ("delete", "Delete…", "trash", "some"),
    ),
    "measurements": (
        ("details", "Details", "info", "one"),
        ("exclude", "Exclude…", "eye-off", "some"),
        ("include", "Include again", "check", "out"),
        ("delete", "Delete…", "trash", "some"),
    ),
    "harvests": (("delete", "Delete…", "trash", "some"),),
    "particles": (
        ("exclude", "Exclude…", "eye-off", "some"),
        ("include", "Include again", "check", "out"),
        ("delete", "Delete…", "trash", "some"),
    ),
    "groups": (("delete", "Delete…", "trash", "some"),),
}
ADDS = (("cell", "Add a cell", ("cells",)), ("group", "Add a group", ("cells", "groups")))
HINT = "Double-click a value, or press Enter on it, to change it; Escape leaves it as it was. Changes are stored at once."


def action_id(action: Any, needs: Any) -> dict[str, Any]:
    return {"part": "catalog-action", "action": action, "needs": needs}


def _aria(label: str) -> dict[str, Any]:
    return {"aria-label": label}


def layout(**query: str) -> Component:
    """The page for an address."""
    table = _table(query)
    return shell.view(
        html.Div(_toolbar(query), id=TOOLBAR),
        html.Div(catalog_guard.panel(query), id=GUARD),
        shell.page(html.Section(_card(table), className="card catalog", **_aria("Catalog"))),
        *_hidden(),
    )


def _table(query: Query) -> str:
    named = query.get("table", "")
    return named if named in dict(TABLES) else TABLES[0][0]


def _toolbar(query: Query) -> Component:
    ref, cmp = workspace().default_pair()
    tables = shell.choice("table", _table(query), TABLES[0][0], TABLES, "Table")
    return shell.toolbar("Catalog", query.get("ref", ref), query.get("cmp", cmp), [tables])


def _hidden() -> list[Component]:
    dialog = dmc.Modal(
        [html.Div(id=DIALOG_BODY), html.Div(id=DIALOG_PROBLEM, className="catalog-problem")], id=DIALOG, size="lg", centered=True
    )
    stores = [dcc.Store(id=written_id(by)) for by in ("dialog", "manifest", "edit")] + [dcc.Store(id=name) for name in DONE.values()]
    return [html.Div([dialog, drawer(), dcc.Store(id=ASKED), *stores])]


def _card(table: str) -> list[Component]:
    return [
        html.Div([_actions(table), _tools(table)], className="catalog-bar"),
        html.Div(id=SAID, className="catalog-said", role="status"),
        html.Div(_nothing(), id=EMPTY, hidden=not _is_empty(table), className="catalog-empty"),
        html.Div(grid(table), className="catalog-table"),
        html.Div([dmc.Text(HINT, size="xs", c="dimmed"), dmc.Text("", id=COUNT, size="xs", fw=600)], className="catalog-hint"),
    ]


def _is_empty(table: str) -> bool:
    return table != "groups" and not workspace().snapshot().cells


def _nothing() -> Component:
    how = (
        "Import cycler files: each comes with its cell and group. Or describe the cells first, by hand with “Add a cell” or "
        "with a manifest (CSV or TOML)."
    )
    return notice.empty("No cells yet", how)


def _actions(table: str) -> Component:
    buttons = [
        dmc.Button(
            words,
            id=action_id(action, needs),
            leftSection=icon(symbol, 14),
            size="compact-xs",
            variant="default",
            disabled=True,
            n_clicks=0,
        )
        for action, words, symbol, needs in ACTIONS[table]
    ]
    link = dmc.Anchor(
        [icon("cycling", 14), "Open in Cycling"],
        id=CYCLING,
        href="/cycling",
        refresh=True,  # this page's groups would be written into the other's address otherwise
        underline="never",
        className="link-button small",
        style={"visibility": "hidden"},
    )
    return html.Div(
        [*buttons, link],
        className="catalog-actions",
        role="toolbar",
        **_aria("Selected rows"),
    )


def _tools(table: str) -> Component:
    search = dmc.TextInput(
        id=SEARCH, placeholder="Search", size="xs", w=120, className="catalog-search", debounce=150, **_aria("Search the table")
    )
    adds = [_add(action, words) for action, words, tables in ADDS if table in tables]
    return html.Div([search, chooser(table), _manifest_menu(), *adds], className="catalog-tools")


def _add(action: str, words: str) -> Component:
    return dmc.Button(words, id=action_id(action, "any"), leftSection=icon("plus", 14), size="compact-xs", variant="default", n_clicks=0)


def _manifest_menu() -> Component:
    downloads = (
        ("Whole study (CSV)", "/catalog/manifest.csv"),
        ("Whole study (TOML)", "/catalog/manifest.toml"),
        ("Groups and cells only (CSV)", "/catalog/cells.csv"),
    )
    items: list[Component] = [dmc.MenuLabel("Export")]
    items += [dmc.MenuItem(words, href=href, leftSection=icon("download", 14), refresh=True) for words, href in downloads]
    items += [
        dmc.MenuDivider(),
        dmc.MenuLabel("Import"),
        dmc.MenuItem("Import a manifest…", id=action_id("manifest", "any"), leftSection=icon("import", 14), n_clicks=0),
    ]
    button = dmc.Button("Manifest", leftSection=icon("file", 14), size="compact-xs", variant="default")
    return dmc.Menu([dmc.MenuTarget(button), dmc.MenuDropdown(items)], position="bottom-end", shadow="md", keepMounted=True)


clientside_callback(
    ClientsideFunction("catalog", "edit"), Output(DONE["edit"], "data"), Input(grid_id(ALL), "cellValueChanged"), prevent_initial_call=True
)
clientside_callback(
    ClientsideFunction("catalog", "ask"),
    Output(ASKED, "data"),
    Input(action_id(ALL, ALL), "n_clicks"),
    State(grid_id(ALL), "selectedRows"),
    State(grid_id(ALL), "id"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("catalog", "selected"),
    Output(COUNT, "children"),
    Output(action_id(ALL, ALL), "disabled"),
    Output(CYCLING, "href"),
    Output(CYCLING, "style"),
    Input(grid_id(ALL), "selectedRows"),
    State(action_id(ALL, ALL), "id"),
)
clientside_callback(
    ClientsideFunction("catalog", "columns"),
    Output(DONE["columns"], "data"),
    Input(columns_id(ALL), "value"),
    State(columns_id(ALL), "id"),
)
clientside_callback(
    ClientsideFunction("catalog", "search"),
    Output(DONE["search"], "data"),
    Input(SEARCH, "value"),
    State(grid_id(ALL), "id"),
    prevent_initial_call=True,
)


@callback(Output(GUARD, "children"), Input(written_id(ALL), "data"), State(ADDRESS, "data"), prevent_initial_call=True)
def compare(_written: list[Any], query: dict[str, str] | None) -> Component:
    return catalog_guard.panel(query or {})


@callback(
    Output(TOOLBAR, "children"),
    Output(EMPTY, "hidden"),
    Output(grid_id(ALL), "rowData"),
    Output(grid_id(ALL), "columnDefs"),
    Output(grid_id(ALL), "selectedRows"),
    Input(written_id(ALL), "data"),
    State(grid_id(ALL), "id"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def refresh(written: Sequence[dict[str, Any] | None], grids: Sequence[dict[str, str]], query: dict[str, str] | None) -> tuple[Any, ...]:
    """Rows, and what names the groups, after something was written."""
    newest = max((w for w in written if w), key=lambda w: w["at"], default=None)
    tables = [g["table"] for g in grids]
    if newest is None or not newest["rows"]:
        return no_update, no_update, *([no_update] * len(tables) for _ in range(3))
    return (
        _toolbar(query or {}),
        not all(_is_empty(t) for t in tables),
        [rows(t) for t in tables],
        [definitions(t) if t == "cells" else no_update for t in tables],
        [[] for _ in tables],
    )
