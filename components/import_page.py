"""The import page: drop files, see what they are, say what is missing, take them.

The server keeps the list (analysis.staging), the page holds ids only. ``poll`` looks at the list and says how each row stands;
``rows`` and ``shown`` draw again what has changed its revision; ``save`` keeps what is typed; ``act`` does what buttons say.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import dash_mantine_components as dmc
from dash import ALL, MATCH, ClientsideFunction, Input, Output, State, callback, clientside_callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.core.errors import UserError
from components import import_actions, import_browser, import_detail, import_mapping, import_rows, import_work, notice, shell
from components.icons import icon
from components.import_form import BULK
from components.import_inputs import bulk_id, entry, field_id
from components.import_rows import action_id, open_id, saved_id, state_id, tick_id, words_id
from components.import_work import Lot
from components.context import workspace
from components.uploads_ids import ARRIVED

POLL_MS = 700
FORMATS = "BioLogic .mpr .mpt · Neware .nda .ndax · Arbin .res .xlsx .csv · Maccor · Landt · LANHE .ccs · Novonix · Basytec · Battery Data Format · any CSV or Excel table · a manifest with its files"


def layout(**_query: str) -> Component:
    """The page; the list is drawn as it stands."""
    import_work.look()
    found = import_work.lots()
    return html.Div(
        [
            shell.toolbar("Import", "", "", [_counts()], groups=False),
            shell.page(
                html.Div(
                    [
                        html.Section(
                            [_drop(), _bulk(), html.Div(import_rows.table(found, frozenset(), _first(found)), id="import-rows")],
                            className="card import-list",
                        ),
                        html.Section(
                            _open(found, _first(found)),
                            id="import-detail",
                            className="card import-detail",
                            **{"aria-label": "The chosen file"},
                        ),
                    ],
                    className="import-grid" + ("" if found else " nothing"),
                    id="import-grid",
                ),
                class_name="import",
            ),
            *_parts(found),
        ]
    )
