"""The catalog's tables as grids: columns, editors and filters from the fields' own titles, units and choices.

What needs the browser (cell of a group, filter by values, writing an edit) is in ``assets/40_catalog.mjs``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.catalog import CellFields, GroupFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.catalog.grid import Column, apply_edit, columns, grid_rows
from analysis.catalog.records import Fields
from analysis.core.style import Style
from components.context import style, workspace
from components.icons import icon

TABLES = (
    ("cells", "Cells"),
    ("measurements", "Measurements"),
    ("harvests", "Harvests"),
    ("particles", "Particles"),
    ("groups", "Groups"),
)
NEW_GROUP = "New group…"  # the entry of the group editor that asks for a name
FIELDS: dict[str, type[Fields]] = {
    "cells": CellFields,
    "measurements": MeasurementFields,
    "harvests": HarvestFields,
    "particles": ParticleFields,
    "groups": GroupFields,
}
# What is shown at first, in this order; the first one stays at the left.
SHOWN: dict[str, tuple[str, ...]] = {
    "cells": (
        "name",
        "group",
        "effective_active_mass_mg",
        "active_mass_mg",
        "electrode_area_cm2",
        "effective_loading_mg_cm2",
        "coating",
        "formation_cycles",
        "one_c_mA_per_g",
        "voltage_lower_V",
        "voltage_upper_V",
        "n_measurements",
        "excluded_reason",
    ),
    "measurements": ("cell", "group", "modality", "part_of", "files", "particle", "state", "cycle_number", "date", "excluded_because"),
    "harvests": ("cell", "cycle_number", "state", "date", "notes"),
    "particles": ("name", "cell", "location", "notes", "n_measurements", "excluded_reason"),
    "groups": ("name", "title", "n_cells", "colour_slot", "position", "description"),
}
COME_WITH = {
    "measurements": "Import files on the import page.",
    "harvests": "They come with imported measurements of samples that were taken out of a cell.",
    "particles": "They come with imported measurements that name one, or with a manifest.",
}
FEW_VALUES = {
    *("group", "coating", "active_material", "electrolyte", "anode", "rate", "operator", "cell"),
    *("modality", "instrument", "reader_id", "part_of", "particle", "definition"),
}
WIDTHS = {"text": 120, "number": 94, "date": 110, "choice": 104}
WIDE = {
    **{"name": 130, "cell": 150, "group": 104, "coating": 84, "n_measurements": 110, "excluded_reason": 140, "excluded_because": 200},
    **{"effective_active_mass_mg": 84, "active_mass_mg": 76, "electrode_area_cm2": 80, "effective_loading_mg_cm2": 96},
    **{"formation_cycles": 80, "one_c_mA_per_g": 78, "voltage_lower_V": 68, "voltage_upper_V": 68},
    **{"files": 230, "notes": 220, "description": 240},
}
THEME = (
    "themeQuartz.withParams({"
    "backgroundColor: 'var(--card-ground)', foregroundColor: 'var(--mantine-color-text)', borderColor: 'var(--card-border)', "
    "accentColor: 'var(--mantine-primary-color-filled)', headerBackgroundColor: 'var(--card-ground)', chromeBackgroundColor: "
    "'var(--card-ground)', headerTextColor: 'var(--mantine-color-text)', fontFamily: 'inherit', fontSize: 12, headerFontSize: 11, "
    "headerFontWeight: 600, rowHeight: 30, spacing: 6, cellHorizontalPadding: 8, wrapperBorder: false, "
    "wrapperBorderRadius: 0, browserColorScheme: 'inherit', pinnedColumnBorder: true, menuBackgroundColor: 'var(--card-ground)'})"
)


def grid_id(table: Any) -> dict[str, Any]:
    return {"part": "catalog-grid", "table": table}


def columns_id(table: Any) -> dict[str, Any]:
    return {"part": "catalog-columns", "table": table}


def rows(table: str) -> list[dict[str, Any]]:
    """Every row of a table as the grid takes it."""
    look = style()
    return [_dressed(table, row, look) for row in grid_rows(workspace().catalog, table)]


def edited(table: str, row_id: int, field: str, value: object) -> dict[str, Any]:
    """Write one value; the row as it is stored now, as the grid takes it.

    Raises
    ------
    UserError
        The value is refused; nothing is changed.
    """
    return _dressed(table, apply_edit(workspace().catalog, table, row_id, field, value), style())


def row(table: str, row_id: int) -> dict[str, Any] | None:
    """A row as it is stored now; None where it is gone."""
    return next((r for r in rows(table) if r["id"] == row_id), None)


def _dressed(table: str, row: Mapping[str, Any], look: Style) -> dict[str, Any]:
    """With the group's colour, and yes or no where the catalog says true or false."""
    group = row.get("name") if table == "groups" else row.get("group")
    words = {"excluded": "yes" if row["excluded"] else "no"} if "excluded" in row else {}
    return {**row, **words, "swatch": look.color(str(group)) if group else None}


def grid(table: str) -> Component:
    """The editable table."""
    return dag.AgGrid(
        id=grid_id(table),
        rowData=rows(table),
        columnDefs=definitions(table),
        defaultColDef={"sortable": True, "resizable": True, "wrapHeaderText": True, "suppressHeaderMenuButton": False},
        getRowId="params.data.id + ''",
        rowClassRules={"catalog-left-out": "params.data.excluded == 'yes'"},
        dashGridOptions=_options(table),
        eventListeners={"cellEditingStarted": ["catalogOpen()"]},
        className="catalog-grid",
        style={"height": "100%"},
    )


def _options(table: str) -> dict[str, Any]:
    words = dict(TABLES)[table].lower()
    none = f"No {words} yet. {COME_WITH.get(table, '')}".strip()
    return {
        "theme": {"function": THEME},
        "headerHeight": 58 if table == "cells" else 36,
        "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": True, "selectAll": "filtered"},
        "selectionColumnDef": {"pinned": "left", "width": 40},
        "stopEditingWhenCellsLoseFocus": True,
        "enableBrowserTooltips": True,
        "maintainColumnOrder": True,
        "animateRows": False,
        "tooltipShowDelay": 500,
        "localeText": {"noRowsToShow": none, "noMatchingRows": f"No {words} match the filters."},
    }


def definitions(table: str) -> list[dict[str, Any]]:
    """Column definitions: what is shown at first comes first."""
    known = {c.field: c for c in columns(table)}
    order = [*SHOWN[table], *(f for f in known if f not in SHOWN[table])]
    return [_definition(table, known[f]) for f in order if f in known]


def _definition(table: str, column: Column) -> dict[str, Any]:
    first = column.field == SHOWN[table][0]
    description = FIELDS[table].model_fields[column.field].description if column.field in FIELDS[table].model_fields else None
    made: dict[str, Any] = {
        "field": column.field,
        "headerName": heading(column),
        "headerTooltip": ". ".join(t for t in (heading(column), description, "" if column.editable else "Cannot be edited here") if t),
        "initialWidth": WIDE.get(column.field, WIDTHS[column.kind]),
        "minWidth": 60,
        "editable": column.editable,
        "initialHide": column.field not in SHOWN[table],
        "initialPinned": "left" if first else None,
        "lockPinned": True,
        "cellClass": "" if column.editable else "catalog-fixed",
        **({"flex": 1, "minWidth": WIDE.get(column.field, 0) or WIDTHS[column.kind]} if column.field == SHOWN[table][-1] else {}),
        **_behaviour(table, column),
    }
    if column.field == "group" or (table == "groups" and first):
        made["cellRenderer"] = "CatalogGroup"
    return made


def heading(column: Column) -> str:
    """Title and unit."""
    return f"{column.title} / {column.unit}" if column.unit else column.title


def _behaviour(table: str, column: Column) -> dict[str, Any]:
    """How values of this kind are printed, sorted, filtered and edited."""
    if column.kind == "number":
        fixed = "" if column.editable else " catalog-fixed"
        return {
            "cellDataType": "number",
            "type": "rightAligned",
            "cellClass": f"number{fixed}",
            "filter": "agNumberColumnFilter",
            "cellEditor": "agNumberCellEditor",
            "valueFormatter": {"function": "catalogNumber(params)"},
        }
    if column.kind == "date":
        return {"cellDataType": "dateString", "filter": "agDateColumnFilter", "cellEditor": "agDateStringCellEditor"}
    few = column.kind == "choice" or column.field in FEW_VALUES
    made: dict[str, Any] = {
        "cellDataType": "text",
        "filter": {"function": "CatalogValuesFilter"} if few else "agTextColumnFilter",
        "comparator": {"function": "catalogOrder"},
        "tooltipField": column.field,
    }
    return made | _editor(table, column)


def _editor(table: str, column: Column) -> dict[str, Any]:
    if not column.editable:
        return {}
    if table == "cells" and column.field == "group":
        return _select(["", *workspace().group_names(), NEW_GROUP])
    if column.choices:
        required = FIELDS[table].model_fields[column.field].default is not None
        return _select([*([] if required else [""]), *column.choices])
    if column.field in ("notes", "description"):
        return {"cellEditor": "agLargeTextCellEditor", "cellEditorPopup": True, "cellEditorParams": {"maxLength": 20_000}}
    return {"cellEditor": "agTextCellEditor"}


def _select(values: Sequence[str]) -> dict[str, Any]:
    return {
        "cellEditor": "agSelectCellEditor",
        "cellEditorParams": {"values": list(values)},
        "cellRenderer": "CatalogValue",
        "valueFormatter": {"function": "catalogChoice(params)"},
    }


def chooser(table: str) -> Component:
    """Which columns are shown; the browser remembers it."""
    known = {c.field: c for c in columns(table)}
    boxes = [
        dmc.Checkbox(value=d["field"], label=d["headerName"], size="xs", disabled=d["field"] == SHOWN[table][0])
        for d in definitions(table)
        if d["field"] in known
    ]
    group = dmc.CheckboxGroup(
        html.Div(boxes, className="catalog-columns"),
        id=columns_id(table),
        value=list(SHOWN[table]),
        persistence=f"catalog-{table}",
        persistence_type="local",
    )
    button = dmc.Button("Columns", leftSection=icon("table", 14), size="compact-xs", variant="default")
    return dmc.Popover(
        [dmc.PopoverTarget(button), dmc.PopoverDropdown(group, className="catalog-chooser")],
        position="bottom-end",
        shadow="md",
        withinPortal=True,
    )
