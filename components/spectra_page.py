"""The spectra page: coated against uncoated, charged against discharged; everything of it in the address."""

from collections.abc import Callable

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from components import (
    comparability,
    job_panel,
    notice,
    shell,
    spectra_forms,
    spectra_library,
    spectra_mixtures,
    spectra_recipe,
    spectra_samples,
    spectra_single,
    spectra_view,
)
from components import spectra_figures as _views  # noqa: F401 - registers the views
from components.card import card
from components.context import workspace
from components.controls import excluded, hidden, picker
from components.spectra_actions import DEGLITCH, RESTORE, UNDO
from components.spectra_controls import chips, many, number
from components.spectra_forms import section
from components.spectra_panels import panel
from components.views import VIEWS, Query

TABS = (("compare", "Compare"), ("peaks", "Peaks"), ("mixtures", "Mixtures"), ("processing", "Processing"), ("table", "Table"))
SHOWN = (("auto", "Means if several"), ("means", "Means of cells"), ("both", "Means and samples"), ("samples", "Every sample"))
QUANTITIES = (("norm", "Normalised"), ("flat", "Flattened"), ("mu", "As processed, μ"))
APART = (("groups", "by group"), ("states", "by state"), ("items", "each"))
RANGE = (("from", "low", "From"), ("to", "high", "To"))
ZOOM = (("zoom1", "From", "2469"), ("zoom2", "To", "2475"))
INSET = (("on", "shown"), ("off", "none"))
SHIFTS = (("", "as calibrated"), ("fit", "fitted, ± 0.3 eV"))
HIDDEN = ("off", "excluded", "taken", "recipe")


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    bar = shell.toolbar("Spectra", query.get("ref", ref), query.get("cmp", cmp), _controls(query))
    if not spectra_samples.everything():
        how = "Drop spectra (XDI, Athena projects, columns of text, NXxas) on the import page, standards and references with them."
        return shell.view(bar, job_panel.in_progress(), notice.empty("No spectra yet", how))
    found = spectra_samples.samples(query)
    if not found:
        return shell.view(bar, _cells(query), notice.empty("No spectra of these groups", "Choose other groups, or another edge."))
    guard = comparability.panel("spectra", found, spectra_samples.groups(query))
    body = BODIES.get(query.get("tab", ""), _compare)(query)
    return shell.view(bar, _cells(query), guard, body)


def _controls(query: Query) -> list[Component]:
    """View, edge and recipe: what all spectra of the page have in common is always in sight."""
    edges = [(e, e) for e in spectra_samples.edges(query)]
    edge = spectra_samples.edge(query)
    shown = [shell.choice("tab", query.get("tab") or "compare", "compare", TABS, "View")]
    if len(edges) > 1:
        shown.append(picker("edge", query, edges, "Edge", value=edge, width=84))
    said = spectra_recipe.sentence(query)
    return [*shown, dmc.Text(said, size="xs", c="dimmed", className="ellipsis", maw=330, attributes={"root": {"title": said}})]


def _cells(query: Query) -> Component:
    refs = [(str(m.id), _reference_name(m.cell, m.date)) for m in spectra_samples.references(query)]
    beside = [many("refs", query, refs, "Reference spectra", placeholder="Reference spectra", width=150)] if refs else []
    return dmc.Group(
        [
            *chips(spectra_samples.samples(query), query),
            *beside,
            spectra_library.button(),
            excluded(query),
            hidden(query, *HIDDEN, defaults={"markers": "all"}),
        ],
        gap=6,
        className="cells",
    )


def _reference_name(cell: str, date: object) -> str:
    return f"{cell}, {date}" if date else cell


def _compare(query: Query) -> Component:
    """The picture for the meeting: spectra above, differences below, areas and their comparison beside."""
    overlay = [
        picker("curves", query, SHOWN, "Shown", default="auto", width=140),
        picker("quantity", query, QUANTITIES, "Quantity", default="norm", width=132),
        _axes(query),
    ]
    modes = spectra_view.difference_modes(query)
    against = [
        dmc.Text("minus", size="xs", c="dimmed"),
        picker("diff", query, modes, "Reference of the difference", value=spectra_view.difference_mode(query), width=190),
    ]
    cards = [
        card(VIEWS["spectra.overlay"], query, controls=overlay, class_name="wide"),
        card(VIEWS["spectra.areas"], query, controls=_feature(query)),
        card(VIEWS["spectra.difference"], query, controls=against, class_name="wide"),
        panel("effects", query),
    ]
    return shell.page(html.Div(cards, className="grid"))


def _axes(query: Query) -> Component:
    """Range, zoomed part, offset: set once in a while, so they stand behind a button."""
    usual = spectra_view.window({"edge": spectra_samples.edge(query)})
    ends = [number(n, query, label, unit="eV", placeholder=f"{usual[e]:g}" if e in usual else "all") for n, e, label in RANGE]
    zoom = [number(n, query, label, unit="eV", placeholder=grey) for n, label, grey in ZOOM]
    fields = [
        section("Shown", *ends),
        section("Zoomed part beside", picker("inset", query, INSET, "Zoom", default="on", width=84, above=True), *zoom),
        section(
            "Offset",
            number("offset", query, "Offset", placeholder="0"),
            picker("apart", query, APART, "Set apart", default="groups", width=100, above=True),
        ),
        section("Differences", picker("diffshift", query, SHIFTS, "Energy shift", default="", width=130, above=True)),
    ]
    return dmc.Popover(
        [
            dmc.PopoverTarget(dmc.Button("Axes", size="xs", variant="default", n_clicks=0)),
            dmc.PopoverDropdown(html.Div(fields, className="form")),
        ],
        width=330,
        position="bottom-end",
        keepMounted=True,
        shadow="md",
    )


def _peaks(query: Query) -> Component:
    """One fit with its parts, the model, and the areas of all."""
    sample = _sample(query)
    cards = [
        card(VIEWS["spectra.peak_fit"], query, controls=sample, class_name="wide"),
        spectra_forms.peaks(query),
        panel("areas", query),
        panel("fit", query),
    ]
    return shell.page(html.Div(cards, className="grid"))


def _sample(query: Query, name: str = "sample") -> list[Component]:
    """Which sample or mean is drawn by itself."""
    one, names = spectra_view.one_of(query, name)
    options = [(n, n) for n in names]
    return [picker(name, query, options, "Sample", default="", value=one.shown[0].label, width=210)] if one.shown else []


def _feature(query: Query) -> list[Component]:
    peaks = spectra_view.peak_names(query)
    return [picker("feature", query, [(p, p) for p in peaks], "Peak", default=spectra_view.FEATURE, width=104)] if peaks else []


def _mixtures(query: Query) -> Component:
    """One spectrum as a mixture of others, and how many components all of them have."""
    known = spectra_mixtures.candidates(query).shown
    target = spectra_mixtures.unknown(query, known)
    names = list(dict.fromkeys(i.label for i in known))
    references = spectra_mixtures.reference_names(query, known)
    tables = html.Div([panel("fractions", query), panel("combinations", query)], className="stacked")
    cards = [
        card(VIEWS["spectra.lcf"], query, class_name="wide"),
        spectra_forms.mixture(query, names, target.label if target else "", references),
        tables,
        card(VIEWS["spectra.components"], query),
        card(VIEWS["spectra.loadings"], query),
        panel("mixtures", query),
    ]
    return shell.page(html.Div(cards, className="grid"))


def _processing(query: Query) -> Component:
    """One sample from its file to the spectrum that is compared, beside the recipe of all."""
    names = list(spectra_single.names(query))
    found = spectra_single.chosen(query)
    sample = picker("one", query, [(n, n) for n in names], "Sample", default="", value=found[0] if found else "", width=190)
    last = "spectra.scans" if spectra_single.has_repeats(query) else "spectra.corrected"
    cards = [
        card(VIEWS["spectra.measured"], query, controls=[sample]),
        card(VIEWS["spectra.lines"], query),
        html.Div(spectra_forms.processing(query), className="tall stacked"),
        card(VIEWS["spectra.standards"], query),
        card(VIEWS[last], query),
    ]
    return shell.page(_deglitching(query), html.Div(cards, className="grid"))


def _deglitching(query: Query) -> Component:
    """What a click on a point does, and how it is undone."""
    session = spectra_single.session_of(query)
    return dmc.Group(
        [
            dmc.Switch(id=DEGLITCH, label="Click takes points out of the measured spectrum", checked=False, size="xs"),
            dmc.Button("Undo", id=UNDO, size="compact-xs", variant="default", n_clicks=0),
            dmc.Button("Put all back", id=RESTORE, size="compact-xs", variant="default", n_clicks=0),
            dmc.Text(f"Calibrated on: {session}." if session else "", size="xs", c="dimmed"),
        ],
        gap="xs",
        pb=6,
    )


def _table(query: Query) -> Component:
    """Every sample by one recipe: a row each, and the same as figure."""
    cards = [
        panel("edges", query),
        card(VIEWS["spectra.edges"], query, class_name="wide"),
        card(VIEWS["spectra.areas"], query, controls=_feature(query)),
    ]
    return shell.page(html.Div(cards, className="grid"))


BODIES: dict[str, Callable[[Query], Component]] = {
    "compare": _compare,
    "peaks": _peaks,
    "mixtures": _mixtures,
    "processing": _processing,
    "table": _table,
}
