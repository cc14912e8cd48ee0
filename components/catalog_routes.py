"""What the catalog page asks by HTTP: one value written at once, and the study as a manifest.

POST /catalog/edit            {"table", "row", "field", "value"} → {"row", "notice"}
GET  /catalog/manifest.csv    the whole study; also .toml
GET  /catalog/cells.csv       groups and cells only
"""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from plotly.io.json import to_json_plotly

from analysis.catalog.manifest import write_manifest
from analysis.catalog.manifest_text import flat, render
from analysis.catalog.records import MAX_INT
from analysis.core.errors import UserError
from components import catalog_grid
from components.catalog_dialogs import refused
from components.context import workspace

catalog = Blueprint("catalog", __name__, url_prefix="/catalog")


@catalog.post("/edit")
def edit() -> Response:
    """Write one value. ``row`` is the row as it is stored now (null where it is gone), ``notice`` says why where it was refused."""
    given = request.get_json(silent=True)
    asked: dict[str, Any] = given if isinstance(given, dict) else {}
    table, row_id, field, value = (asked.get(n) for n in ("table", "row", "field", "value"))
    known = table in dict(catalog_grid.TABLES) and isinstance(row_id, int) and abs(row_id) <= MAX_INT and isinstance(field, str)
    if not known or isinstance(value, bool | list | dict):
        return Response("An edit names table, row, field and a single value.", 400, mimetype="text/plain")
    try:
        row = catalog_grid.edited(str(table), int(str(row_id)), str(field), value)
    except UserError as err:
        return _json({"row": catalog_grid.row(str(table), int(str(row_id))), "notice": refused(err, "Not stored")})
    return _json({"row": row, "notice": None})


def _json(answer: dict[str, Any]) -> Response:
    return Response(to_json_plotly(answer), mimetype="application/json")


@catalog.get("/manifest.csv")
def manifest_csv() -> Response:
    return _attached("manifest.csv", lambda path: write_manifest(workspace().catalog, path))


@catalog.get("/manifest.toml")
def manifest_toml() -> Response:
    return _attached("manifest.toml", lambda path: write_manifest(workspace().catalog, path))


@catalog.get("/cells.csv")
def cells_csv() -> Response:
    known = workspace().catalog

    def write(path: Path) -> None:
        render(path, [flat("group", g) for g in known.groups()], [flat("cell", c) for c in known.cells()], [])

    return _attached("cells.csv", write)


def _attached(name: str, write: Callable[[Path], None]) -> Response:
    """A manifest for download. It is written in the workspace folder, from which its paths start."""
    path = workspace().root / f"export-{secrets.token_hex(8)}{Path(name).suffix}"
    try:
        write(path)
        content = path.read_bytes()
    except UserError as err:
        return Response(str(err), 409, mimetype="text/plain")
    finally:
        path.unlink(missing_ok=True)
    kind = "text/csv" if name.endswith(".csv") else "application/toml"
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"})
