"""The Cracks page: how much is cracked, what it does to the chemistry, what it cuts off; workbench, 3D and tables of the same particles."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from components import comparability, crack_workbench, cracks_results, cracks_stage, cracks_view, edge_maps, job_panel, notice, shell
from components.card import card
from components.context import style, workspace
from components.controls import chip, excluded, hidden, picker
from components.cracks_summary import RATIOS, SETTINGS
from components.cracks_tables import DOMAINS, GROUPS, PARTICLES
from components.panels import panel
from components.views import VIEWS, Query, listed

TABS = (("compare", "Compare"), ("workbench", "Workbench"), ("view", "3D"), ("table", "Table"))
STATES = (("", "All states"), ("charged,discharged", "Cycled"), ("charged", "Charged"), ("discharged", "Discharged"))
AXES = (("log", "log"), ("linear", "linear"))
AGAINST = (("normalised", "normalised"), ("crack", "in µm"))
VALUES = (("relative", "E − particle mean"), ("energy", "edge energy"))
PER = (("groups", "Groups"), ("particles", "Single particles"))
WIDTHS = (("", "histogram"), ("cumulative", "added up"))
LAY = (("", "Lying as imported"), ("registered", "Tomogram laid over the map"))
HOW = (
    "Import tomograms of particles (or stacks over an absorption edge as volumes): one particle each, with its cell, group and state. "
    "A stack or edge map of the same particle adds the chemistry. Masks of other programs (TIFF, NRRD, MHA, HDF5, npy) are taken too."
)


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    tab = query.get("tab", "compare")
    bar = shell.toolbar("Cracks", query.get("ref", ref), query.get("cmp", cmp), _controls(query))
    if not cracks_results.specimens(workspace().group_names()):
        return shell.view(bar, job_panel.in_progress(), notice.empty("No volume yet", HOW))
    body = {"workbench": crack_workbench.layout, "table": _table, "view": cracks_stage.layout}.get(tab, _compare)(query)
    if tab == "workbench":
        return shell.view(bar, shell.page(body, class_name="cracks"))
    chosen = [s.source for s in cracks_view.specimens(query, off=False)]
    guard = comparability.panel(edge_maps.MODALITY, chosen, cracks_view.groups(query))
    lay = picker("lay", query, LAY, "How chemistry and cracks lie over each other", width=196)
    settings = html.Div([panel(SETTINGS, query, class_name="grow"), lay], className="recipe-row")
    if tab == "view":
        return shell.view(bar, settings, shell.page(body, class_name="cracks"))
    return shell.view(bar, settings, _particles(query), guard, panel(RATIOS, query), shell.page(body, class_name="cracks"))


def _controls(query: Query) -> list[Component]:
    tab = query.get("tab", "compare")
    shown = [shell.choice("tab", tab, "compare", TABS, "View")]
    if tab in ("workbench", "view"):
        return [*shown, *(cracks_stage.controls(query) if tab == "view" else ())]
    shown += [picker("states", query, STATES, "States", width=116)]
    cycles = sorted(
        {s.source.cycle_number for s in cracks_results.specimens(cracks_view.groups(query)) if s.source.cycle_number is not None}
    )
    if len(cycles) > 1 or query.get("cycle"):
        named = (("", "All cycles"), *((str(c), f"Cycle {c}") for c in cycles))
        shown.append(picker("cycle", query, named, "Cycle", width=110))
    if tab == "compare":
        shown += [picker("per", query, PER, "Curves of", width=126), picker("value", query, VALUES, "Edge energies", width=160)]
    return shown


def _particles(query: Query) -> Component:
    """One chip for each particle."""
    found, off, look = cracks_view.specimens(query, off=False), set(listed(query, "off")), style()
    shown: list[Component] = []
    before: tuple[str | None, str | None] | None = None
    for s in found:
        m = s.source
        if (m.group, m.state) != before and m.state:
            shown.append(dmc.Text(m.state, size="xs", c="dimmed"))
        before = (m.group, m.state)
        has = "" if s.mapped is not None else "no edge map"
        about = ", ".join(w for w in (m.state or "", f"cycle {m.cycle_number}" if m.cycle_number is not None else "", has) if w)
        on, reason = s.id not in off, m.excluded_because or ""
        shown.append(chip(s.id, edge_maps.particle_name(m), m.group or "", on=on, look=look, about=about, reason=reason))
    none = [] if found else [dmc.Text("No volume of these groups in these states.", size="sm", c="dimmed")]
    some = any(s.source.excluded for s in cracks_results.specimens(cracks_view.groups(query)))
    return dmc.Group([*shown, *none, *([excluded(query)] if some else []), hidden(query, "off", "excluded")], gap=6, className="cells")


def _compare(query: Query) -> Component:
    axis = picker("axis", query, AXES, "Axis of the ratio", width=84)
    against = picker("against", query, AGAINST, "Distance", width=108)
    widths = picker("widths", query, WIDTHS, "Widths as", width=104)
    cards = [
        card(VIEWS["cracks.volume"], query, controls=[axis]),
        card(VIEWS["cracks.near"], query, controls=[against]),
        card(VIEWS["cracks.depth"], query),
        card(VIEWS["cracks.isolated"], query),
        card(VIEWS["cracks.joint"], query, class_name="wide"),
        card(VIEWS["cracks.widths"], query, controls=[widths]),
        card(VIEWS["cracks.radial"], query),
        card(VIEWS["cracks.evolution"], query),
        card(VIEWS["cracks.sensitivity"], query, controls=[_trial(query)], class_name="full"),
    ]
    return html.Div(cards, className="grid cracks-grid")


def _trial(query: Query) -> Component:
    """On which particles the settings are tried; it takes minutes, so that nobody is surprised by it."""
    named = [(s.id, f"on {edge_maps.particle_name(s.source)} {s.source.state or ''}".strip()) for s in cracks_view.specimens(query)]
    options = (("", "try settings on …"), ("first", "on the first of each group"), *named)
    return picker("trial", query, options, "Particles on which the settings are tried", width=210)


def _table(query: Query) -> Component:
    parts = [("Particles", PARTICLES, "wide"), ("Groups", GROUPS, "wide"), ("Isolated domains", DOMAINS, "wide")]
    cards = [
        html.Section([html.H2(title, className="card-title pad"), panel(name, query, class_name="fill")], className=f"card {wide}")
        for title, name, wide in parts
    ]
    return html.Div(cards, className="cracks-tables")
