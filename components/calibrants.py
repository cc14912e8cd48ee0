"""Calibrants of maps of state of charge or valence: particles of the workspace whose state is known, or edge energies that are written.

Names in the address: ``calibrants`` (measurements, in their order), ``energies`` where none are chosen, ``values`` of either.
"""

import dash_mantine_components as dmc
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from components import edge_maps
from components.address import control
from components.controls import entry
from components.views import Items, Query, listed

NAMES = ("calibrants", "energies", "values")


def chosen(query: Query) -> list[MeasurementRecord]:
    """The particles that calibrate, in the order of the address; what is gone is left out."""
    known = {str(m.id): m for m in edge_maps.measured_particles()}
    return [known[i] for i in listed(query, "calibrants") if i in known]


def maps(query: Query) -> Items:
    """Edge maps of the calibrants, made like those that they calibrate."""
    found = chosen(query)
    return edge_maps.edge_maps(query, found) if found else Items()


def fields(query: Query) -> list[Component]:
    """What is asked for: particles, or edge energies in their place; and the value of each."""
    options = [{"value": str(m.id), "label": edge_maps.titled(m)} for m in edge_maps.measured_particles()]
    pick = dmc.MultiSelect(
        id=control("calibrants", ""),
        data=options,
        value=[str(m.id) for m in chosen(query)],
        size="xs",
        miw=230,
        maw=460,
        searchable=True,
        placeholder="particles of known state",
        **{"aria-label": "Particles that calibrate"},
    )
    tip = "Edge energies of the calibrants, where no particles are chosen; of the same definition and calibration as the maps"
    worth = "State of charge or valence of each calibrant, in the same order"
    return [
        dmc.Text("Calibrants", size="xs", fw=600),
        pick,
        entry("energies", query, "or edges at", tip, placeholder="8342.1, 8344.6", unit="eV", width=130),
        entry("values", query, "their values", worth, placeholder="0, 1", width=80),
    ]
