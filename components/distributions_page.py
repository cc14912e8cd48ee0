"""The distributions page: charge against discharge, coated against uncoated, over particles that are analysed alike."""

import dash_mantine_components as dmc
from dash import ClientsideFunction, Input, Output, clientside_callback, html
from dash.development.base_component import Component

from analysis.core.errors import ParamError
from analysis.schemas import DEFINITIONS
from analysis.xanes.compute import EdgeParams
from analysis.xanes.figures_base import QUANTITIES
from components import calibrants, comparability, distributions_view, edge_maps, job_panel, notice, shell
from components.address import control
from components.card import card, graph_id
from components.context import style, workspace
from components.controls import chip, entry, excluded, hidden, picker
from components.distributions_tables import DIFFERENCES, MARKED, RECIPE, TABLE
from components.panels import panel
from components.views import VIEWS, Query, listed

TABS = (("compare", "Compare"), ("table", "Table"))
SHOWN = (("", "Edge energy"), *((k, v) for k, v in QUANTITIES.items()))
STATES = (("", "All states"), ("charged,discharged", "Charged and discharged"), ("charged", "Charged"), ("discharged", "Discharged"))
PER = (("pooled", "Group and state"), ("particles", "Single particles"))
CURVES = (("both", "Gaussian and mixture"), ("gaussian", "Gaussian"), ("mixture", "Mixture"), ("none", "No curves"))
INSIDE = (("points", "Particles as points"), ("violins", "Particles as violins"))
FIELDS = (
    ("e0", "E0"),
    ("pre1", "pre-edge"),
    ("pre2", "to"),
    ("norm1", "post-edge"),
    ("norm2", "to"),
    ("energy_offset", "offset"),
)
DEPTH = "Only voxels of these depths below the surface, in µm: two ends with a comma between. Cracks are no surface."
HOW = (
    "Import stacks of images over an absorption edge, or finished edge maps: one particle each, with its cell and group, and its state "
    "(charged or discharged) and cycle. Two particles in each state are enough to begin with."
)


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    bar = shell.toolbar("Distributions", query.get("ref", ref), query.get("cmp", cmp), _controls(query))
    if not edge_maps.measured_particles():
        return shell.view(bar, job_panel.in_progress(), notice.empty("No particle yet", HOW))
    if (missing := _missing(query)) is not None:
        asked = notice.alert("Calibrants are needed", missing.message, missing.hint)
        return shell.view(bar, _recipe(query, said=False), shell.page(asked))
    chosen = distributions_view.measurements(query)
    guard = comparability.panel(edge_maps.MODALITY, chosen, distributions_view.groups(query))
    body = _table(query) if query.get("tab") == "table" else _compare(query)
    stats = panel(DIFFERENCES, query)
    brush = panel(MARKED, query)
    return shell.view(bar, _recipe(query), _particles(query), guard, stats, brush, shell.page(body))


def _missing(query: Query) -> ParamError | None:
    """What keeps the state of charge or valence from being shown: said once, in place of every figure."""
    if not distributions_view.calibrated(query):
        return None
    try:
        distributions_view.calibration(query)
    except ParamError as err:
        return err
    return None


def _controls(query: Query) -> list[Component]:
    shown = [shell.choice("tab", query.get("tab", "compare"), "compare", TABS, "View")]
    shown += [picker("definition", query, tuple(DEFINITIONS.items()), "Definition of the edge energy", width=190)]
    shown += [picker("show", query, SHOWN, "What is shown", width=146)]
    shown += [picker("states", query, STATES, "States", width=168)]
    cycles = distributions_view.cycles(query)
    if len(cycles) > 1 or query.get("cycle"):
        named = (("", "All cycles"), *((str(c), f"Cycle {c}") for c in cycles))
        shown.append(picker("cycle", query, named, "Cycle", width=110))
    dims = distributions_view.dimensionalities(query)
    if len(dims) > 1:
        shown.append(picker("dims", query, tuple((d if k else "", d) for k, d in enumerate(dims)), "Projections or volumes", width=70))
    return shown


def _recipe(query: Query, *, said: bool = True) -> Component:
    """One recipe for all particles: always in sight, each number can be changed, and what is said about it beside."""
    fields = []
    for name, word in FIELDS:
        info = EdgeParams.model_fields[name]
        default = _found_e0() if info.default is None else f"{info.default:g}"
        fields.append(entry(name, query, word, info.title or name, placeholder=default, unit="eV", width=58))
    fields.append(entry("depth", query, "depth", DEPTH, placeholder="all", unit="µm", width=72))
    shown = calibrants.fields(query) if distributions_view.calibrated(query) else []
    about = [panel(RECIPE, query, class_name="grow")] if said else []
    return html.Div([*fields, *shown, *about], className="recipe-row")


def _found_e0() -> str:
    """The E0 that holds where none is given."""
    e0, _ = edge_maps.common_e0()
    return "found" if e0 is None else f"{e0:g}"


def _particles(query: Query) -> Component:
    """One chip for each particle, and how the pictures are drawn."""
    found, off, look = distributions_view.measurements(query), set(listed(query, "off")), style()
    shown: list[Component] = []
    before: tuple[str | None, str | None] | None = None
    for m in found:
        if (m.group, m.state) != before and m.state:
            shown.append(dmc.Text(m.state, size="xs", c="dimmed"))
        before = (m.group, m.state)
        about = ", ".join(w for w in (m.state or "", f"cycle {m.cycle_number}" if m.cycle_number is not None else "") if w)
        on, reason = str(m.id) not in off, m.excluded_because or ""
        shown.append(chip(str(m.id), edge_maps.particle_name(m), m.group or "", on=on, look=look, about=about, reason=reason))
    none = [] if found else [dmc.Text("No particle of these groups in these states.", size="sm", c="dimmed")]
    return dmc.Group([*shown, *none, *_excluded(query), hidden(query, "off", "excluded")], gap=6, className="cells")


def _excluded(query: Query) -> list[Component]:
    """The switch for what was excluded, where there is any."""
    if not any(m.excluded for m in edge_maps.measured_particles()):
        return []
    return [excluded(query)]


def _compare(query: Query) -> Component:
    words = "Range of the energy axis: its two ends with a comma between"
    reach = entry("range", query, "range", words, placeholder="all", width=112)
    inside = picker("inside", query, INSIDE, "How particles are drawn", width=150)
    per = picker("per", query, PER, "Histograms of", width=138)
    curves = picker("curves", query, CURVES, "Reference curves", width=178)
    bins = entry("bins", query, "bins", "Width of the bins, in eV (of state of charge or valence: 1)", placeholder="auto", width=50)
    brush = entry("brush", query, "marked", "Marked range: drag over the histogram, or write its two ends", placeholder="none", width=112)
    cards = [
        card(VIEWS["distributions.violins"], query, controls=[reach, inside], class_name="wide"),
        card(VIEWS["distributions.effects"], query),
        card(VIEWS["distributions.histogram"], query, controls=[bins, brush, per, curves], class_name="wide"),
        card(VIEWS["distributions.heterogeneity"], query),
    ]
    return html.Div(cards, className="grid tight")


def _table(query: Query) -> Component:
    table = html.Section([html.H2("Particles", className="card-title pad"), panel(TABLE, query, class_name="fill")], className="card wide")
    return html.Div([table, card(VIEWS["distributions.quality"], query)], className="grid tight")


clientside_callback(
    ClientsideFunction("distributions", "brush"),
    Output(control("brush", ""), "value"),
    Input(graph_id("distributions.histogram"), "selectedData"),
    prevent_initial_call=True,
)
