"""Presses of buttons that are drawn anew now and then.

While a callback that draws buttons anew is under way, their own clicks wait for it, and are gone with the old buttons. So the browser
notes such a press at once in a store (``assets/15_controls.mjs``), and the server listens to the store.
"""

from typing import Any

from dash import Input, dcc
from dash.development.base_component import Component


def store(name: str) -> Component:
    """Where the last press of some buttons is noted; it stands in the same layout as what listens to it."""
    return dcc.Store(id=f"{name}-pressed")


def into(name: str, *, after_ms: int = 0) -> dict[str, Any]:
    """What a button with an id of several parts says of itself, so that its press is noted, some time after it if so wished."""
    return {"data-press": name, **({"data-press-after": str(after_ms)} if after_ms else {})}


def heard(name: str) -> Input:
    """What a callback listens to: the id of the button that was pressed last, and when (``at``)."""
    return Input(f"{name}-pressed", "data")
