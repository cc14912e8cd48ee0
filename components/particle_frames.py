"""Raw frames on the particle page: the shifts between energies as a table that can be edited, applied in one interpolation.

What is typed becomes an edit of the store, an input of the recipe that makes the stack; the address names it. Undo points to the edit
before it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
import numpy as np
import xarray as xr
from dash import Input, Output, State, callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.core.data import Scalar, scalars
from analysis.core.errors import DataError, UserError
from analysis.core.store import Store
from analysis.xanes.frames import FRAMES
from analysis.xanes.prepare import SHIFTS
from components import notice, particle_figures
from components.address import ADDRESS, control
from components.card import graph_id
from components.context import theme, workspace
from components.edge_maps import schema_of
from components.numbers import printed
from components.particle_view import sides
from components.views import Query

ALIGN = (("reference", "each against the reference"), ("previous", "each against the one before"), ("none", "not looked for"))
COLUMNS = (("energy", "Energy / eV", False), ("shift_y", "Down / px", True), ("shift_x", "Right / px", True), ("scale", "Scale", False))
MOST_PX = 10_000.0
SAID = ("largest_shift", "smallest_scale", "fraction_missing", "noise")


def raw(query: Query) -> MeasurementRecord | None:
    """The measurement of raw frames that is shown."""
    return next((m for m in sides(query) if schema_of(m) == FRAMES.name), None)


def editor(query: Query) -> Component:
    """The table of shifts with what can be done to it."""
    align = dmc.Select(
        id=control("align", "reference"),
        data=[{"value": v, "label": t} for v, t in ALIGN],
        value=query.get("align", "reference"),
        size="xs",
        w=216,
        allowDeselect=False,
        **{"aria-label": "Drift is found"},
    )
    buttons = [
        dmc.Button("Apply", id="shifts-apply", size="compact-sm", n_clicks=0),
        dmc.Button("Undo", id="shifts-undo", size="compact-sm", variant="default", n_clicks=0),
        dmc.Button("As found", id="shifts-found", size="compact-sm", variant="default", n_clicks=0),
    ]
    grid = dag.AgGrid(
        id="shifts-grid",
        rowData=rows(query),
        columnDefs=[_column(*c) for c in COLUMNS],
        defaultColDef={"sortable": False, "resizable": True, "suppressMovable": True},
        dashGridOptions={"rowHeight": 26, "headerHeight": 28, "singleClickEdit": True, "stopEditingWhenCellsLoseFocus": True},
        columnSize="sizeToFit",
        className="ag-theme-alpine-dark" if theme() == "dark" else "ag-theme-alpine",
        style={"height": "100%"},
    )
    return html.Section(
        [
            html.Div([html.H2("Shifts", className="card-title"), align, *buttons], className="card-head"),
            html.Div(grid, className="shifts-grid"),
            html.Div(facts(query), id="shifts-facts", className="pad"),
            html.Div(id="shifts-problem"),
            dcc.Store(id="shifts-made"),
        ],
        className="card",
        **{"aria-label": "Shifts of the frames"},
    )


def _column(field: str, title: str, editable: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"field": field, "headerName": title, "editable": editable, "type": "rightAligned"}
    return spec | ({"cellDataType": "number", "cellClass": ["ag-right-aligned-cell", "shift-editable"]} if editable else {})


def rows(query: Query) -> list[dict[str, float]]:
    """Energy, shifts and scale of each frame, as the stack on the screen was made with them."""
    shown = particle_figures.shifts(query).shown
    if not shown:
        return []
    ds = shown[0].data
    columns = {name: ds[name].to_numpy().astype(float) for name, _, _ in COLUMNS}
    digits = {"energy": 2, "scale": 5}
    return [{n: round(float(v[i]), digits.get(n, 3)) for n, v in columns.items()} for i in range(ds.sizes["energy"])]


def facts(query: Query) -> list[Component]:
    """What is told of the stack that was made."""
    shown = particle_figures.shifts(query).shown
    if not shown:
        return []
    found = scalars(shown[0].data)
    said = [f"{s.title}: {_printed(s)}" for n in SAID if (s := found.get(n)) is not None and s.value is not None]
    edited = "Shifts edited by hand" if query.get("shifts") else "Shifts as found"
    return [dmc.Text("; ".join([edited, *said]) + ".", size="xs", c="dimmed")]


def _printed(scalar: Scalar) -> str:
    return f"{printed(scalar.value, 3)} {'' if scalar.unit == '1' else scalar.unit}".strip()


def keep_shifts(store: Store, typed: Sequence[Mapping[str, Any]], previous: str) -> str:
    """Store the table as an edit; return its key.

    Raises
    ------
    DataError
        A shift is no number, or far beyond any frame.
    """
    values = np.full((len(typed), 3), np.nan)
    for i, row in enumerate(typed):
        for k, name in enumerate(("energy", "shift_y", "shift_x")):
            try:
                values[i, k] = float(str(row[name]).replace(",", ".").replace("\u2212", "-"))
            except (KeyError, ValueError) as err:
                raise DataError(f"The shift at {row.get('energy')} eV is not a number.", hint="Type pixels, such as -3.5.") from err
    if not len(typed) or not np.isfinite(values).all() or np.abs(values[:, 1:]).max() > MOST_PX:
        raise DataError("These shifts cannot be used.", hint=f"Each is a number of pixels, at most {MOST_PX:g}.")
    columns = {n: ("energy", values[:, k], {"units": "1"}) for k, n in ((1, "shift_y"), (2, "shift_x"))}
    made = xr.Dataset(columns, {"energy": ("energy", values[:, 0], {"units": "eV"})})
    return store.put_edit(SHIFTS.conform(made), note="shifts of raw frames", previous=previous)


@callback(
    Output(control("shifts", ""), "value"),
    Output("shifts-problem", "children"),
    Input("shifts-apply", "n_clicks"),
    Input("shifts-undo", "n_clicks"),
    Input("shifts-found", "n_clicks"),
    State("shifts-grid", "rowData"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def act(_apply: int, _undo: int, _found: int, typed: list[dict[str, Any]] | None, query: dict[str, str] | None) -> tuple[Any, Any]:
    """Apply what was typed, take the last change back, or go back to the shifts that were found."""
    m, store, current = raw(query or {}), workspace().store, (query or {}).get("shifts", "").partition(".")[2]
    if m is None or ctx.triggered_id == "shifts-found":
        return "", None
    if ctx.triggered_id == "shifts-undo":
        before = store.provenance(current)["previous"] if current and store.has(current) else ""
        return f"{m.id}.{before}" if before else "", None
    try:
        return f"{m.id}.{keep_shifts(store, typed or [], current)}", None
    except UserError as err:
        return no_update, notice.problem(err)


@callback(
    Output("shifts-grid", "rowData"),
    Output("shifts-facts", "children"),
    Input(graph_id(particle_figures.SHIFTS.id), "figure"),
    State(ADDRESS, "data"),
    prevent_initial_call=True,
)
def refresh(_figure: Any, query: dict[str, str] | None) -> tuple[list[dict[str, float]], list[Component]]:
    return rows(query or {}), facts(query or {})
