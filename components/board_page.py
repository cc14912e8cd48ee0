"""The boards page: all boards, or one of them with its versions, exports and presentation.

Names in the address: ``board`` (number), ``version`` (an older one, to look at), ``slide`` (presentation, kept by the browser).
"""

from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, callback, clientside_callback, dcc, html
from dash.development.base_component import Component

from analysis.catalog.boards import BoardRecord
from analysis.core.errors import UserError
from analysis.report.export import FORMATS
from components import board_view, notice, shell
from components.address import ADDRESS, href
from components.context import workspace
from components.icons import icon
from components.views import Query

EXPORTS = tuple((name, f.title) for name, f in FORMATS.items() if name != "figures")
SIZES = (("single", "single column"), ("double", "double column"))
PICTURES = ("pdf", "svg", "png")


def layout(**query: str) -> Component:
    """The page for an address."""
    stores = [dcc.Store(id="board-saved"), dcc.Store(id="board-told")]
    return html.Div([html.Div(_view(query), id="board-view"), *stores])


def _view(query: Query) -> Component:
    wanted = query.get("board", "")
    if not wanted:
        return _overview()
    try:
        version = query.get("version", "")
        board = workspace().catalog.boards.get(int(wanted) if wanted.isdigit() else wanted, int(version) if version.isdigit() else None)
    except UserError as err:
        bar = shell.toolbar("Boards", "", "", [_link("All boards", "/boards")], groups=False)
        return shell.view(bar, shell.page(notice.problem(err, title="No such board")))
    return _board(board, query)


# -- all boards ----------------------------------------------------------------------------------------------------------------


def _overview() -> Component:
    bar = shell.toolbar("Boards", "", "", [_button("New board…", "plus", "new"), _study()], groups=False)
    boards = workspace().catalog.boards.all()
    if not boards:
        how = "Make one here, or pin a figure: “Pin to a board…” stands in the menu of every figure."
        return shell.view(bar, _running(), notice.empty("No boards yet", how, href="/cycling", action="Open the cycling page"))
    head = html.Tr([html.Th(t, scope="col") for t in ("Board", "Figures", "Open actions", "Version", "Saved", "")])
    table = html.Table([html.Thead(head), html.Tbody([_row(b) for b in boards])], className="board-list")
    return shell.view(bar, _running(), shell.page(html.Div(table, className="card board-table")))


def _row(board: BoardRecord) -> Component:
    still = sum(a.what == "action" and not a.done for a in board.content.actions)
    remove = board_view.act("Delete this board", "trash", "delete", board=str(board.id), name=board.name)
    return html.Tr(
        [
            html.Td(_link(board.name, href("/boards", {"board": board.id}))),
            html.Td(str(len(board.content.pins)), className="number"),
            html.Td(str(still), className="number"),
            html.Td(str(board.version), className="number"),
            html.Td(f"{board.saved_at:%Y-%m-%d %H:%M} UTC", className="number"),
            html.Td(remove),
        ]
    )


def _study() -> Component:
    """The whole study as one file, out and in."""
    return dmc.Group(
        [_button("Export the study", "download", "study-export"), _button("Import a study…", "import", "study-import")],
        gap=6,
        className="push",
    )


# -- one board -----------------------------------------------------------------------------------------------------------------


def _board(board: BoardRecord, query: Query) -> Component:
    old = board.version != board.latest
    controls = [_link("All boards", "/boards"), _versions(board), *_out(board)]
    bar = shell.toolbar(board.name, "", "", controls, groups=False)
    rows: list[Component] = [bar, _running()]
    if old:
        said = f"Version {board.version} of {board.latest}, as it was saved on {board.saved_at:%Y-%m-%d %H:%M} UTC. It cannot be changed."
        back = [_button("Restore this version", "refresh", "restore"), _link("Newest version", href("/boards", {"board": board.id}))]
        rows.append(dmc.Group([dmc.Text(said, size="sm"), *back], gap="sm", className="board-old"))
    content = html.Div(board_view.body(board, editable=not old), id="board-body")
    facts = {
        "data-board": str(board.id),
        "data-version": str(board.version),
        "data-latest": str(board.latest),
        "data-slide": query.get("slide", ""),
    }
    stage = html.Div([content, _stage_bar()], id="board", className="page board-page", **facts)
    return shell.view(*rows, stage)


def _versions(board: BoardRecord) -> Component:
    saved = workspace().catalog.boards.versions(board.id)
    links = [
        dmc.MenuItem(
            f"{v.version} · {v.change} · {v.saved_at:%Y-%m-%d %H:%M}",
            href=href("/boards", {"board": board.id, "version": "" if v.version == board.latest else v.version}),
            disabled=v.version == board.version,
        )
        for v in saved
    ]
    target = dmc.Button(f"Version {board.version}", size="compact-sm", variant="default", rightSection=icon("down", 14))
    return dmc.Menu([dmc.MenuTarget(target), dmc.MenuDropdown(links, className="board-versions")], position="bottom-start", shadow="md")


def _out(board: BoardRecord) -> list[Component]:
    items = [dmc.MenuItem(title, leftSection=icon("download", 15), **_data("export", kind=name)) for name, title in EXPORTS]
    items += [dmc.MenuDivider(), dmc.MenuLabel("Figures as files, 7 pt, colour-blind-safe")]
    for size, words in SIZES:
        items += [
            dmc.MenuItem(
                f"{form.upper()}, {words}", leftSection=icon("image", 15), **_data("export", kind="figures", format=form, size=size)
            )
            for form in PICTURES
        ]
    items.append(dmc.MenuItem("Another font size…", leftSection=icon("edit", 15), **_data("figures")))
    target = dmc.Button("Export", size="compact-sm", variant="default", leftSection=icon("download", 15))
    menu = dmc.Menu([dmc.MenuTarget(target), dmc.MenuDropdown(items)], position="bottom-end", shadow="md", keepMounted=True)
    present = _button("Present", "present", "present", filled=True, disabled=not board.content.pins)
    return [dmc.Group([menu, present], gap=6, className="push")]


def _stage_bar() -> Component:
    """What stands under a slide; arrows, Home, End and Escape do the same."""
    return html.Div(
        [
            board_view.act("Previous slide", "left", "previous"),
            html.Span("", id="board-slide", className="number"),
            board_view.act("Next slide", "right", "next"),
            board_view.act("Show or hide the notes", "edit", "notes"),
            board_view.act("End the presentation", "close", "end"),
        ],
        className="board-stage",
    )


# -- parts ---------------------------------------------------------------------------------------------------------------------


def _running() -> Component:
    """Where exports say how far they are; filled by assets/82_board_export.mjs."""
    return html.Div(id="board-running", className="board-running", **{"aria-live": "polite"})


def _data(do: str, **data: str) -> dict[str, Any]:
    return {"data-do": do, **{f"data-{n}": v for n, v in data.items()}}


def _button(words: str, symbol: str, do: str, *, filled: bool = False, disabled: bool = False) -> Component:
    look = {"variant": "filled"} if filled else {"variant": "default"}
    return dmc.Button(words, leftSection=icon(symbol, 15), size="compact-sm", disabled=disabled, **look, **_data(do))


def _link(words: str, to: str) -> Component:
    return dmc.Anchor(words, href=to, size="sm")


@callback(Output("board-view", "children"), Input("board-saved", "data"), State(ADDRESS, "data"), prevent_initial_call=True)
def redraw(_saved: float | None, query: dict[str, str] | None) -> Component:
    """The page again after something was saved."""
    return _view(query or {})


clientside_callback(ClientsideFunction("boards", "arrived"), Output("board-told", "data"), Input("board-body", "children"))
