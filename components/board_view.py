"""A board on the page: its words, its figures drawn from what is pinned, its decisions."""

from typing import Any

import dash_mantine_components as dmc
from dash import MATCH, Input, Output, State, callback, dcc, html
from dash.development.base_component import Component

from analysis.catalog.boards import Action, BoardContent, BoardRecord, Pin
from analysis.core.errors import UserError
from analysis.report import pins
from analysis.report.notes import for_browser
from analysis.report.web import action_cells, caption
from components import board_state, notice
from components.address import href
from components.card import CONFIG
from components.context import style, workspace
from components.icons import icon

TALL = 0.9  # height over width from which a figure needs more room


def state_id(pin: Any) -> dict[str, Any]:
    return {"part": "pin-state", "pin": pin}


def asked_id(pin: Any) -> dict[str, Any]:
    return {"part": "pin-asked", "pin": pin}


def markdown(note: str | None, *, empty: str = "") -> Component:
    """A note; tags in it are shown as they were typed, and pictures are not loaded."""
    if not note:
        return html.P(empty, className="board-empty") if empty else html.Div()
    return dcc.Markdown(for_browser(note), className="board-note", link_target="_blank")


def act(words: str, symbol: str, do: str, *, disabled: bool = False, **data: str) -> Component:
    """A small button whose meaning stands in its data attributes (see assets/80_boards.mjs)."""
    given = {f"data-{n}": v for n, v in data.items()}
    return html.Button(
        icon(symbol, 15),
        className="board-act",
        title=words,
        disabled=disabled,
        **{"aria-label": words, "data-do": do, "type": "button", **given},
    )


def body(board: BoardRecord, *, editable: bool) -> Component:
    """Everything between the toolbar and the end of the page."""
    content = board.content
    figures: list[Component] = [_figure(n, pin, len(content.pins), editable) for n, pin in enumerate(content.pins)]
    if not figures:
        how = "Open a page, and choose “Pin to a board…” in the menu of any figure."
        figures = [html.P(how, className="board-empty")]
    return html.Div([_head(content, editable), html.Div(figures, className="board-figures")], className="board-body")


def _head(content: BoardContent, editable: bool) -> Component:
    edit = [act("Edit title and notes", "edit", "texts")] if editable else []
    words = html.Div(
        [
            html.Div([html.H2(content.title, className="board-title"), *edit], className="board-line"),
            markdown(content.notes, empty="No notes yet." if editable else ""),
        ],
        className="board-words card",
        **{"data-title": content.title, "data-notes": content.notes or ""},
    )
    return html.Section([words, _actions(content, editable)], className="board-head slide", **{"aria-label": "Summary"})


def _actions(content: BoardContent, editable: bool) -> Component:
    add = [act("Add a decision or an action", "plus", "action")] if editable else []
    rows = [_action(a, editable) for a in content.actions]
    head = html.Tr([html.Th(t, scope="col") for t in ("", "What", "Owner", "Date", "")])
    table = html.Table([html.Thead(head), html.Tbody(rows)], className="board-actions")
    shown = table if rows else html.P("Nothing decided yet." if editable else "Nothing decided.", className="board-empty")
    still = sum(a.what == "action" and not a.done for a in content.actions)
    count = [dmc.Badge(f"{still} open", size="sm", variant="light")] if still else []
    line = html.Div([html.H2("Decisions and actions", className="board-title"), *count, *add], className="board-line")
    return html.Div([line, shown], className="board-decided card")


def _action(a: Action, editable: bool) -> Component:
    what, text, owner, date, state = action_cells(a)
    mark: Component = dmc.Badge(what, size="sm", variant="light", color="teal")
    if a.what == "action":
        mark = html.Button(
            state,
            className=f"board-done {state}",
            disabled=not editable,
            **{"data-do": "done", "data-id": a.id, "data-done": "" if a.done else "1", "type": "button", "aria-label": f"{state}: {text}"},
        )
    buttons = [act("Edit", "edit", "action", id=a.id), act("Remove", "trash", "drop", id=a.id)] if editable else []
    data = {"data-action": a.id, "data-what": what, "data-text": text, "data-owner": owner, "data-date": date}
    cells = [html.Td(mark), html.Td(text, className="board-text"), html.Td(owner), html.Td(date, className="number")]
    return html.Tr([*cells, html.Td(buttons, className="board-buttons")], className=state, **data)


def _figure(number: int, pin: Pin, count: int, editable: bool) -> Component:
    origin = pins.said_origin(pin)
    badge = [dmc.Badge(origin, size="sm", variant="light", color="yellow")] if origin else []
    head = html.Div(
        [html.H2(f"{number + 1}. {pin.title}", className="card-title", title=pin.title), *badge, *_buttons(number, pin, count, editable)],
        className="card-head",
    )
    under = [
        dcc.Store(id=asked_id(pin.id), data=pin.model_dump(mode="json")),
        html.Div(html.Span("…", className="board-empty"), id=state_id(pin.id), className="board-state", **{"aria-live": "polite"}),
        markdown(pin.note),
        html.P(caption(pin), className="board-caption"),
    ]
    return html.Section(
        [head, html.Div(_graph(pin), className=f"board-graph{' tall' if _is_tall(pin) else ''}"), html.Div(under, className="board-under")],
        className="card board-figure slide",
        **{"aria-label": pin.title, "data-pin": pin.id, "data-title": pin.title, "data-note": pin.note or ""},
    )


def _buttons(number: int, pin: Pin, count: int, editable: bool) -> list[Component]:
    opened = dmc.Anchor("Open the page", href=href(pin.page, pin.query), size="xs", className="board-open")
    if not editable:
        return [opened]
    return [
        opened,
        act("Earlier", "up", "move", id=pin.id, to=str(number - 1), disabled=number == 0),
        act("Later", "down", "move", id=pin.id, to=str(number + 1), disabled=number == count - 1),
        act("Keep this zoom", "zoom", "zoom", id=pin.id),
        act("Edit title and note", "edit", "pin", id=pin.id),
        act("Refresh from the address", "refresh", "refresh", id=pin.id),
        act("Take off the board", "trash", "remove", id=pin.id),
    ]


def _is_tall(pin: Pin) -> bool:
    modalities = workspace().registry.modalities.values()
    return any(f.id == pin.figure and f.aspect >= TALL for m in modalities for f in m.figures)


def _graph(pin: Pin) -> Component:
    try:
        figure = pins.draw(pin, workspace().store, workspace().registry, style())
    except UserError as err:
        return notice.problem(err, title="This figure cannot be drawn")
    return dcc.Graph(figure=figure, config=CONFIG, className="graph", responsive=True)


@callback(Output(state_id(MATCH), "children"), Input(asked_id(MATCH), "data"), State(asked_id(MATCH), "id"))
def tell(data: dict[str, Any], _pin: dict[str, str]) -> list[Component]:
    """Whether the figure is still what its address gives: asked after the page is drawn, and nothing is computed for it."""
    found = board_state.state(Pin.check(data))
    mark = (
        dmc.Badge("stale", color="orange", variant="light", size="sm")
        if found.stale
        else dmc.Badge("up to date", color="teal", variant="light", size="sm")
    )
    return [mark, *(html.Span(sentence) for sentence in found.sentences)]
