"""The library of marker lines: named energies of each edge, kept with the workspace."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.errors import ParamError
from analysis.core.hashing import json_digest
from components.context import workspace
from components.spectra_recipe import LIBRARY, is_drawn, library
from components.spectra_samples import edge
from components.views import Query

DIALOG, OPEN, ADD, SAVE, ROWS, SAID = (f"spectra-library-{n}" for n in ("dialog", "open", "add", "save", "rows", "said"))
FIELDS = ("name", "energy", "note")
BLANK: Mapping[str, Any] = {"shown": True, "name": "", "energy": "", "note": ""}


def field_id(field: Any, row: Any) -> dict[str, Any]:
    return {"part": "spectra-marker", "field": field, "row": row}


def button() -> Component:
    return html.Div(
        [
            dmc.Button("Lines", id=OPEN, size="xs", variant="default", n_clicks=0),
            dmc.Modal(
                [
                    html.Div(id=ROWS),
                    html.Div(id=SAID),
                    dmc.Group(
                        [
                            dmc.Button("Add a line", id=ADD, size="xs", variant="default", n_clicks=0),
                            dmc.Text("Blank the name to remove a line.", size="xs", c="dimmed"),
                            dmc.Button("Keep with the workspace", id=SAVE, size="xs", n_clicks=0, ml="auto"),
                        ],
                        mt="sm",
                    ),
                ],
                id=DIALOG,
                title="Marker lines",
                size="lg",
                keepMounted=True,
            ),
        ]
    )


def rows(query: Query) -> list[Component]:
    """The lines of the shown edge, ticked where they are drawn."""
    own = [m for m in library() if m["edge"] == edge(query)]
    return drawn([{**m, "shown": is_drawn(query, m["name"])} for m in own])


def drawn(lines: Sequence[Mapping[str, Any]]) -> list[Component]:
    return [_row(k, line) for k, line in enumerate(lines)]


def _row(k: int, line: Mapping[str, Any]) -> Component:
    texts = [
        dmc.TextInput(
            id=field_id(name, k),
            value=str(line.get(name, "")),
            size="xs",
            placeholder={"name": "name", "energy": "energy / eV", "note": "source or note"}[name],
            style={"flex": flex},
            **{"aria-label": f"{name} of line {k + 1}"},
        )
        for name, flex in (("name", 2), ("energy", 1), ("note", 5))
    ]
    shown = dmc.Checkbox(id=field_id("shown", k), checked=bool(line["shown"]), size="xs", **{"aria-label": f"line {k + 1} is drawn"})
    return dmc.Group([shown, *texts], gap=6, wrap="nowrap", mb=4)


def typed(values: Sequence[Any], checked: Sequence[Any]) -> list[dict[str, Any]]:
    """The dialog's lines; fields come in the order in which they stand: a tick, then its three texts."""
    size = 1 + len(FIELDS)
    found = []
    for k in range(0, len(values), size):
        texts = {name: str(v or "").strip() for name, v in zip(FIELDS, values[k + 1 : k + size], strict=True)}
        found.append({"shown": bool(checked[k]), **texts})
    return found


def kept(query: Query, lines: Sequence[Mapping[str, Any]]) -> str:
    """Keep the lines with the workspace; the address's value that draws those that are ticked.

    Raises
    ------
    ParamError
        An energy is no number, a name holds a comma or stands twice.
    """
    own = [_checked(line, edge(query)) for line in lines if line["name"]]
    names = [m["name"] for m in own]
    if len(set(names)) < len(names):
        raise ParamError("Two marker lines have one name.", hint="Give each a name of its own.")
    others = [m for m in library() if m["edge"] != edge(query)]
    workspace().catalog.set_setting(LIBRARY, [*others, *own])
    shown = [line["name"] for line in lines if line["name"] and line["shown"]]
    # The edition makes the address another one, so that figures are drawn anew and shared ones are told apart.
    return ("all" if len(shown) == len(own) else ",".join(shown) or "none") + f"~{json_digest(own)[:4]}"


def _checked(line: Mapping[str, Any], of: str) -> dict[str, Any]:
    name = str(line["name"])
    try:
        energy = float(str(line["energy"]).replace(",", "."))
    except ValueError as err:
        raise ParamError(f"'{line['energy']}' is no energy for '{name}'.", hint="Write it in eV, such as 2472.0.") from err
    if set(",@~") & set(name) or not 0 < energy < 1e6:
        raise ParamError(f"'{name}' at {energy:g} eV cannot be a marker.", hint="Names hold no comma, @ or ~; energies are in eV.")
    return {"name": name, "energy": energy, "edge": of, "note": str(line["note"])}
