"""The recipe of the particle page: how edge energies are found, always in sight; and what single maps ask besides."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Input, Output, State, callback
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.catalog.records import unit_of
from analysis.core.params import Params
from analysis.schemas import DEFINITIONS, EDGE_MAP
from analysis.xanes.compute import EdgeParams
from components import calibrants, edge_maps, particle_view
from components.address import ADDRESS, control
from components.context import workspace
from components.edge_maps import schema_of
from components.particle_view import DEFAULT_MAP, chosen, map_kind
from components.views import Query, listed

# Name, and the word before it; the full title is the tooltip.
FIELDS = (("e0", "E0"), ("pre1", "pre-edge"), ("pre2", "to"), ("norm1", "post-edge"), ("norm2", "to"), ("energy_offset", "offset"))
WAIT_MS = 600  # after the last letter
DEFINITION = "e_half"


def row(query: Query) -> list[Component]:
    """Definition, E0 and the ranges of both lines; for a finished map, what it was made with."""
    m = chosen(query)
    if m is not None and schema_of(m) == EDGE_MAP.name:
        said = str(workspace().store.open(m.dataset_keys[0]).attrs.get("definition", ""))
        return [dmc.Text(f"A finished map: its edge energies are {DEFINITIONS.get(said, said)}.", size="xs", c="dimmed")]
    options = [{"value": k, "label": v} for k, v in DEFINITIONS.items()]
    select = dmc.Select(
        id=control("definition", DEFINITION),
        data=options,
        value=query.get("definition", DEFINITION),
        size="xs",
        w=190,
        allowDeselect=False,
        **{"aria-label": "Definition of the edge energy"},
    )
    return [dmc.Text("Edge energy", size="xs", fw=600), select, *(_field(EdgeParams, n, word, query, _default(n, m)) for n, word in FIELDS)]


def _default(name: str, m: MeasurementRecord | None) -> str:
    """What stands in an empty field: the default, and for E0 the one of all particles together, where this one was measured over it."""
    value = EdgeParams.model_fields[name].default
    if name == "e0":
        found, _ = edge_maps.common_e0()
        return f"{found:g}" if found is not None and (m is None or edge_maps.reaches(m, found)) else "found"
    return f"{value:g}"


def _field(params: type[Params], name: str, word: str, query: Query, placeholder: str, width: int = 96) -> Component:
    info = params.model_fields[name]
    unit = unit_of(params, name)
    label = dmc.Text(word, size="xs", c="dimmed")
    text = dmc.TextInput(
        id=control(name, ""),
        value=query.get(name, ""),
        placeholder=placeholder,
        debounce=WAIT_MS,
        size="xs",
        w=width - 30 if unit else width,
        inputProps={"inputMode": "decimal"},
        **{"aria-label": info.title or name},
    )
    return dmc.Tooltip(
        dmc.Group([label, text, *([dmc.Text(unit, size="xs", c="dimmed")] if unit else [])], gap=4, wrap="nowrap"), label=info.title or name
    )


def extra(query: Query) -> list[Component]:
    """What the chosen map asks besides: clusters, references, calibrants."""
    makers = {"clusters": _clusters, "fractions": _fractions, "state": _state}
    source = map_kind(query).source
    return makers[source](query) if source in makers else []


def _params(recipe: str) -> type[Params]:
    return workspace().registry.recipe(recipe).params


def _plain(recipe: str, query: Query, fields: Sequence[tuple[str, str]], width: int = 70) -> list[Component]:
    params = _params(recipe)
    return [_field(params, n, word, query, _shown(params.model_fields[n].default), width) for n, word in fields]


def _shown(value: Any) -> str:
    return "" if value in (None, ()) else str(value)


def _clusters(query: Query) -> list[Component]:
    return [
        dmc.Text("Clusters", size="xs", fw=600),
        *_plain("xanes.cluster", query, (("clusters", "number"), ("components", "principal components"))),
    ]


def _fractions(query: Query) -> list[Component]:
    m = chosen(query)
    found = particle_view.references(m) if m is not None else []
    data = [
        {"value": str(r.id), "label": " · ".join(p for p in (r.cell, r.particle or "", r.state or "", r.part_of or "") if p)} for r in found
    ]
    select = dmc.MultiSelect(
        id=control("references", ""),
        data=data,
        value=listed(query, "references"),
        size="xs",
        w=420,
        placeholder="choose two or more reference spectra" if found else "no spectra of this edge are imported yet",
        **{"aria-label": "Reference spectra"},
    )
    return [dmc.Text("References", size="xs", fw=600), select, *_plain("xanes.lcf", query, (("max_shift", "largest shift"),), 100)]


def _state(query: Query) -> list[Component]:
    quantity = dmc.Select(
        id=control("quantity", "soc"),
        data=[{"value": "soc", "label": "State of charge"}, {"value": "valence", "label": "Ni valence"}],
        value=query.get("quantity", "soc"),
        size="xs",
        w=140,
        allowDeselect=False,
        **{"aria-label": "Quantity"},
    )
    return [quantity, *calibrants.fields(query), dmc.Text("Beyond the calibrants nothing is said.", size="xs", c="dimmed")]


@callback(
    Output("particle-extra", "children"), Input(control("map", DEFAULT_MAP), "value"), State(ADDRESS, "data"), prevent_initial_call=True
)
def ask(name: str, query: dict[str, str] | None) -> list[Component]:
    return extra({**(query or {}), "map": name})
