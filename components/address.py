"""The address bar is the state that is shared: page, groups, cells, cycles, parameters.

Every control that belongs to it has the id ``control("name", default)``. One clientside callback collects them all and is the
only thing that writes the address; it puts the query into the store ``ADDRESS``, from which panels are redrawn. Values that
equal their default are left out, so that addresses stay short and survive a change of defaults.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from dash import ALL, ClientsideFunction, Input, Output, State, clientside_callback

ADDRESS = "address"
_LOCATION = "_pages_location"  # the dcc.Location of Dash's pages


def control(name: Any, default: Any = "") -> dict[str, Any]:
    """Id of a control whose ``value`` lives in the address under ``name``; lists are joined by commas."""
    return {"part": "address", "name": name, "default": _text(default) if default is not ALL else ALL}


def nav(path: Any) -> dict[str, Any]:
    """Id of a link whose ``href`` carries the chosen groups along."""
    return {"part": "nav", "path": path}


def href(path: str, query: Mapping[str, Any]) -> str:
    """The address of a view."""
    given = {k: _text(v) for k, v in query.items() if v not in (None, "", ())}
    return f"{path}?{urlencode(given)}" if given else path


def _text(value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, Iterable):
        return "" if value is None else str(value)
    return ",".join(map(str, value))


clientside_callback(
    ClientsideFunction("address", "collect"),
    Output(ADDRESS, "data"),
    Input(control(ALL, ALL), "value"),
    Input(_LOCATION, "search"),
    State(control(ALL, ALL), "id"),
    State(ADDRESS, "data"),
)

clientside_callback(
    ClientsideFunction("address", "links"),
    Output(nav(ALL), "href"),
    Input(ADDRESS, "data"),
    State(nav(ALL), "id"),
)
