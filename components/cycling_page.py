"""The cycling page: groups beside each other, one figure a card, everything of it in the address."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, State, clientside_callback, html
from dash.development.base_component import Component

from components import comparability, cycling_view, job_panel, notice, shell, summary_table
from components.address import control
from components.card import card, graph_id
from components.context import style, workspace
from components.controls import chip, excluded, hidden, picker
from components.views import VIEWS, Query, listed

TABS = (("compare", "Compare"), ("record", "Record"), ("table", "Table"))
RULES = (
    ("pairing", (("charge_first", "Charge first"), ("discharge_first", "Discharge first")), "What a cycle begins with"),
    ("x", (("absolute", "All cycles"), ("after_formation", "After formation")), "What the cycle axis counts"),
    ("scale", (("cell", "V measured"), ("Li", "V vs Li/Li⁺")), "Voltage scale"),
    ("sides", (("overlaid", "Overlaid"), ("beside", "Side by side")), "Groups in the curves"),
)
QUANTITIES = (
    ("hysteresis", "Voltage hysteresis"),
    ("polarisation", "Polarisation at half capacity"),
    ("energy_efficiency", "Energy efficiency"),
    ("mean_charge_voltage", "Mean charge voltage"),
    ("mean_discharge_voltage", "Mean discharge voltage"),
    ("charge_capacity", "Charge capacity"),
    ("discharge_energy", "Discharge energy"),
    ("duration", "Duration"),
)
SCALARS = (
    ("retention", "Capacity retention"),
    ("fade_rate", "Fade rate"),
    ("initial_discharge_capacity", "Initial capacity"),
    ("last_discharge_capacity", "Last capacity"),
    ("mean_coulombic_efficiency", "Mean coulombic efficiency"),
    ("hysteresis_growth", "Hysteresis growth"),
)


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    bar = shell.toolbar("Cycling", query.get("ref", ref), query.get("cmp", cmp), _controls(query))
    if not any(m.modality == "cycling" for m in workspace().snapshot().measurements):
        how = "Drop cycler files (BioLogic, Neware, Arbin, Maccor, Landt, Battery Data Format, CSV, Excel) on the import page."
        return shell.view(bar, job_panel.in_progress(), notice.empty("No cycling data yet", how))
    body = {"record": _record, "table": _table}.get(query.get("tab", ""), _compare)(query)
    guard = comparability.panel("cycling", cycling_view.measurements(query), cycling_view.groups(query))
    return shell.view(bar, _cells(query), guard, body)


def _controls(query: Query) -> list[Component]:
    """How cycles are made and shown: each rule is always in sight, and each can be switched."""
    shown = [shell.choice("tab", query.get("tab", "compare"), "compare", TABS, "View")]
    shown += [picker(name, query, options, label, width=118) for name, options, label in RULES]
    return shown


def _cells(query: Query) -> Component:
    """One chip for each cell, in its group's colour: off means out of pictures and means."""
    found, off, look = cycling_view.measurements(query), set(listed(query, "off")), style()
    chips = [
        chip(str(m.cell_id), m.cell, m.group or "", on=str(m.cell_id) not in off, look=look, reason=m.excluded_because or "") for m in found
    ]
    cycles = dmc.TextInput(
        id=control("cycles", cycling_view.FIRST_AND_HUNDREDTH),
        value=query.get("cycles", cycling_view.FIRST_AND_HUNDREDTH),
        debounce=True,
        size="xs",
        w=150,
        leftSection=dmc.Text("Cycles", size="xs", c="dimmed"),
        leftSectionWidth=54,
        **{"aria-label": "Cycles whose profiles are shown"},
    )
    return dmc.Group(
        [*chips, cycles, *_test(query), excluded(query), hidden(query, "off", "excluded", "start", "end")], gap=6, className="cells"
    )


def _test(query: Query) -> list[Component]:
    """Which test of each cell, where some have several."""
    tests = cycling_view.tests()
    if len(tests) < 2:
        return []
    named = (("", "Main test"), *((t, f"Test: {t}") for t in tests))
    return [picker("test", query, named, "Test", width=130)]


def _compare(query: Query) -> Component:
    peaks = picker("peaks", query, (("", "Curves"), ("marked", "Peaks marked")), "Peaks", width=112)
    quantity = picker("quantity", query, QUANTITIES, "Quantity per cycle", width=190)
    cards = [
        card(VIEWS["cycling.capacity"], query),
        card(VIEWS["cycling.retention"], query),
        card(VIEWS["cycling.profiles"], query),
        card(VIEWS["cycling.dqdv"], query, controls=[peaks]),
        card(VIEWS["cycling.rate"], query),
        card(VIEWS["cycling.quantity"], query, controls=[quantity]),
    ]
    return shell.page(html.Div(cards, className="grid"))


def _record(query: Query) -> Component:
    found = cycling_view.measurements(query)
    if not found:
        return shell.page(notice.alert("No cell", "The chosen groups hold no cycling data."))
    names = tuple((str(m.cell_id), m.cell) for m in found)
    cell = picker("cell", query, names, "Cell", default="", width=190)
    cards = [
        card(VIEWS["cycling.trace"], query, controls=[cell], class_name="wide"),
        card(VIEWS["cycling.dvdq"], query),
    ]
    return shell.page(html.Div(cards, className="grid"))


def _table(query: Query) -> Component:
    scalar = picker("scalar", query, SCALARS, "Quantity compared", width=190)
    items = cycling_view.summaries(query)
    return shell.page(
        html.Div(
            [
                card(VIEWS["cycling.summary_bars"], query, controls=[scalar]),
                html.Div(summary_table.table(items), className="wide card"),
            ],
            className="grid",
        )
    )


clientside_callback(
    ClientsideFunction("cycling", "pick"),
    Output(control("cycles", cycling_view.FIRST_AND_HUNDREDTH), "value"),
    Input(graph_id("cycling.capacity"), "clickData"),
    State(control("cycles", cycling_view.FIRST_AND_HUNDREDTH), "value"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction("cycling", "zoom"),
    Output(control("start", ""), "value"),
    Output(control("end", ""), "value"),
    Input(graph_id("cycling.trace"), "relayoutData"),
    prevent_initial_call=True,
)
