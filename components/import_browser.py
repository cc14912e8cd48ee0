"""Files of the server itself: a browser for the folders given at start, and for nothing outside of them."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Input, Output, State, callback, ctx, dcc, html, no_update
from dash.development.base_component import Component

from analysis.core.errors import ParamError, UserError
from analysis.staging import printed_bytes
from components import notice, pressed
from components.context import context
from components.icons import icon
from components.import_uploads import staging
from components.pressed import heard, into

MOST = 2000  # entries of a folder that are listed
FOLDER = "import-folder"
GO = "import-go"  # where presses of folders are noted
MODAL = "import-browser"
NO_ROOTS = "Start the program with --roots DIR to let this page take files from folders of the machine it runs on."


@dataclass(frozen=True)
class Listing:
    """What a folder shows: names only, with sizes of files."""

    folders: tuple[str, ...]
    files: tuple[tuple[str, int], ...]
    more: bool  # than are listed


def go_id(root: Any, path: Any) -> dict[str, Any]:
    return {"part": "import-go", "root": root, "path": path}


def pick_id(name: Any) -> dict[str, Any]:
    return {"part": "import-pick", "name": name}


def inside(root: int, path: str) -> Path:
    """The file or folder at ``path`` below a root; what lies elsewhere, by dots or by links, or is hidden, is refused."""
    roots = context().roots
    parts = PurePosixPath(path).parts
    if not 0 <= root < len(roots) or any(p.startswith(".") or p.startswith("/") or "\\" in p for p in parts):
        raise ParamError("This folder is not offered.", hint="Choose one of the list.")
    real = roots[root].joinpath(*parts).resolve()
    if not real.is_relative_to(roots[root]):
        raise ParamError(f"{parts[-1]} leads out of the folders that were given at start.", hint="Give its own folder with --roots.")
    return real


def listing(root: int, path: str) -> Listing:
    """Folders and files below a root, in the order of their names; hidden ones and links that lead out are left out."""
    folder, base = inside(root, path), context().roots[root]
    folders, files = [], []
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if entry.name.startswith(".") or (entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(base)):
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file():
                    files.append((entry.name, entry.stat().st_size))
    except OSError as err:
        raise ParamError(f"{folder.name} cannot be listed: {err.strerror or err}.", hint="Check its permissions.") from err
    shown = sorted(files, key=lambda f: f[0].lower())[:MOST]
    return Listing(tuple(sorted(folders, key=str.lower)[:MOST]), tuple(shown), len(files) > MOST or len(folders) > MOST)


def modal() -> Component:
    """The dialog; its body is filled when it opens."""
    first = {"root": 0, "path": ""} if len(context().roots) == 1 else {"root": -1, "path": ""}
    return dmc.Modal(
        [
            dcc.Store(id=FOLDER, data=first),
            pressed.store(GO),
            html.Div(id="import-browser-body"),
            dmc.Group([dmc.Button("Add the ticked files", id="import-browser-add", size="xs", n_clicks=0)], justify="flex-end", mt="sm"),
        ],
        id=MODAL,
        title="Files on the server",
        size="lg",
        keepMounted=True,
    )


def body(at: dict[str, Any]) -> list[Component]:
    """The folder with its way up, or the roots to choose from."""
    roots = context().roots
    if not roots:
        return [notice.alert("No folder is offered", NO_ROOTS)]
    root, path = int(at.get("root", -1)), str(at.get("path", ""))
    if root < 0:
        return [html.Div([_folder(i, "", str(r)) for i, r in enumerate(roots)], className="browser")]
    try:
        found = listing(root, path)
    except UserError as err:
        return [_crumbs(-1, ""), notice.problem(err, title="This folder is not shown")]
    rows = [_folder(root, str(PurePosixPath(path) / name), name) for name in found.folders]
    rows += [_file(name, size) for name, size in found.files]
    empty = [dmc.Text("Nothing here.", size="sm", c="dimmed")] if not rows else []
    more = [dmc.Text(f"Only the first {MOST} are shown.", size="sm", c="dimmed")] if found.more else []
    every = [dmc.Checkbox(id="import-pick-all", label="all files", size="xs", checked=False)] if found.files else []
    return [html.Div([_crumbs(root, path), *every], className="browser-head"), html.Div([*rows, *empty, *more], className="browser")]


def _crumbs(root: int, path: str) -> Component:
    parts = PurePosixPath(path).parts
    steps = [_crumb(-1, "", "folders")] if len(context().roots) > 1 else []
    if root >= 0:
        steps.append(_crumb(root, "", context().roots[root].name or str(context().roots[root])))
        steps += [_crumb(root, "/".join(parts[: i + 1]), part) for i, part in enumerate(parts)]
    return html.Nav([part for step in steps for part in (step, " / ")][:-1], className="crumbs", **{"aria-label": "Folder"})


def _crumb(root: int, path: str, name: str) -> Component:
    return html.Button(name, id=go_id(root, f"{path}/"), className="crumb", **into(GO))


def _folder(root: int, path: str, name: str) -> Component:
    return html.Button([icon("folder", 15), html.Span(name)], id=go_id(root, path), className="browser-row", **into(GO))


def _file(name: str, size: int) -> Component:
    tick = dmc.Checkbox(id=pick_id(name), label=name, size="xs", checked=False)
    return html.Div([tick, html.Span(printed_bytes(size), className="lot-facts")], className="browser-row")


@callback(
    Output(MODAL, "opened"),
    Input("import-browse", "n_clicks"),
    Input({"part": "import-nudge", "from": "browser"}, "data"),
    prevent_initial_call=True,
)
def toggle(_clicks: int | None, _added: Any) -> bool:
    return bool(ctx.triggered_id == "import-browse")


@callback(Output("import-browser-body", "children"), Input(FOLDER, "data"), Input(MODAL, "opened"))
def show(at: dict[str, Any] | None, opened: bool | None) -> Any:
    return body(at or {}) if opened else no_update


@callback(Output(FOLDER, "data"), heard(GO), prevent_initial_call=True)
def go(asked: dict[str, Any] | None) -> Any:
    return {"root": asked["root"], "path": str(asked["path"]).rstrip("/")} if asked else no_update


@callback(
    Output({"part": "import-nudge", "from": "browser"}, "data"),
    Input("import-browser-add", "n_clicks"),
    State(pick_id(ALL), "checked"),
    State(pick_id(ALL), "id"),
    State(FOLDER, "data"),
    prevent_initial_call=True,
)
def add(clicks: int, checked: list[bool], ids: list[dict[str, str]], at: dict[str, Any]) -> Any:
    names = [i["name"] for i, c in zip(ids, checked, strict=True) if c]
    for name in names:
        staging().refer(inside(int(at["root"]), f"{at['path']}/{name}".lstrip("/")))
    return clicks if names else no_update


@callback(Output(pick_id(ALL), "checked"), Input("import-pick-all", "checked"), State(pick_id(ALL), "id"), prevent_initial_call=True)
def tick_all(every: bool, ids: list[dict[str, str]]) -> list[bool]:
    return [bool(every)] * len(ids)
