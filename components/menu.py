"""Menus of pictures: one for each kind of picture, shared by all of them and opened by the button of any (``assets/16_menu.mjs``).

A menu of its own for every figure would be most of what a page holds, and the browser asks each of its entries whether it changed
whenever anything does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import Input, dcc, html
from dash.development.base_component import Component

from components.icons import icon

_MENUS: dict[str, tuple["Entry", ...]] = {}


@dataclass(frozen=True)
class Entry:
    """One thing that can be done with a picture."""

    action: str
    label: str
    symbol: str


# What can be done with every picture, after what it can be saved as.
COMMON = (
    Entry("how", "How was this made?", "info"),
    Entry("command", "Copy the command", "terminal"),
    Entry("pin", "Pin to a board…", "pin"),
)


def define(name: str, entries: Sequence[Entry]) -> None:
    """A kind of menu, its own entries before the common ones; the page holds it once."""
    _MENUS[name] = (*entries, *COMMON)


def button(name: str, of: str, label: str, without: Sequence[str] = ()) -> Component:
    """What opens menu ``name`` for the picture ``of``; entries that it has no use for are left out."""
    data = {"data-menu": name, "data-of": of, "data-without": " ".join(without)}
    return html.Button(
        icon("dots", 16), type="button", className="menu-button", title=label, **data, **{"aria-label": label, "aria-haspopup": "menu"}
    )


def asked(name: str) -> Input:
    """What a callback listens to that says how a picture was made: ``of`` which, and when it was asked (``at``)."""
    return Input(f"{name}-how", "data")


def shared() -> list[Component]:
    """Every menu, for the shell."""
    return [part for name, entries in _MENUS.items() for part in (_menu(name, entries), dcc.Store(id=f"{name}-how"))]


def _menu(name: str, entries: Sequence[Entry]) -> Component:
    items = [
        html.Button([icon(e.symbol, 15), e.label], type="button", role="menuitem", tabIndex=-1, **{"data-action": e.action})
        for e in entries
    ]
    return html.Div(items, id=f"{name}-menu", role="menu", className="menu", **{"aria-label": "Download and more"})
