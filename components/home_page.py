"""The overview: what the workspace holds, and coated against uncoated at a glance."""

from collections.abc import Sequence

import dash_mantine_components as dmc
import numpy as np
from dash import html
from dash.development.base_component import Component

from analysis.core.data import scalars
from analysis.core.numerics.statistics import compare
from analysis.core.registry import Labelled
from components import comparability, cycling_view, job_panel, notice, shell
from components.address import href
from components.card import card
from components.context import style, workspace
from components.numbers import between, displayed, with_spread, within
from components.summary_table import SHOWN
from components.views import VIEWS, Query

# Metric, and whether more is better; None where neither is.
METRICS = (
    ("initial_discharge_capacity", True),
    ("last_discharge_capacity", True),
    ("retention", True),
    ("fade_rate", True),
    ("mean_coulombic_efficiency", True),
    ("hysteresis_growth", False),
)

METHODS = {
    "range": "Fewer than three cells in a group: the range of all differences between single cells.",
    "welch": "Difference of means with Welch's t interval over cells.",
    "hodges_lehmann": "Hodges–Lehmann shift with its exact interval over cells.",
}


def layout(**query: str) -> Component:
    """The page for an address."""
    ref, cmp = workspace().default_pair()
    bar = shell.toolbar("Overview", query.get("ref", ref), query.get("cmp", cmp))
    if not workspace().snapshot().measurements:
        return shell.view(bar, job_panel.in_progress(), _first_steps())
    chosen = cycling_view.measurements(query)
    guard = comparability.panel("overview", chosen, cycling_view.groups(query))
    cards = [
        card(VIEWS["cycling.capacity"], query, class_name="wide"),
        html.Section([html.H2("This workspace", className="card-title pad"), _state()], className="card"),
        html.Section([html.H2("At a glance", className="card-title pad"), _glance(query)], className="card wide"),
        card(VIEWS["cycling.retention"], query),
    ]
    return shell.view(bar, guard, shell.page(html.Div(cards, className="grid")))


def _first_steps() -> Component:
    how = (
        "Drop the files as your instruments wrote them: cycler records, X-ray microscopy (stacks, or frames with references), absorption "
        "spectra. Each is recognised by its content, shown before it is taken, and assigned to a cell and a group."
    )
    return notice.empty("This workspace is empty", how)


def _glance(query: Query) -> Component:
    """Group means with their spread, and the difference with its interval."""
    items = cycling_view.summaries(query).shown
    names = cycling_view.groups(query)
    sides = [[i for i in items if i.group == g] for g in names]
    head = [
        html.Th(["Mean ± SD", html.Br(), html.Small("over cells")], scope="col"),
        *(_side_heading(g, side) for g, side in zip(names, sides, strict=True)),
    ]
    if len(names) == 2:
        head.append(html.Th("Difference", scope="col"))
    rows = [row for metric, more in METRICS if (row := _metric(metric, more, sides)) is not None]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="scalars glance")
    return html.Div([table, *_remarks(items)], className="scroll")


def _remarks(items: Sequence[Labelled]) -> list[Component]:
    """What a reader must know before comparing: tests of different length, intervals of few cells."""
    last = [s.value for i in items if (s := scalars(i.data).get("n_cycles")) is not None and isinstance(s.value, int)]
    said = ["Differences are compared minus reference, with their interval over cells; n < 5 a side: nothing is called significant."]
    if last and min(last) != max(last):
        said.insert(0, f"Tests end at cycle {min(last)} to {max(last)}: last capacity and retention are not taken at equal cycles.")
    return [dmc.Text(sentence, size="xs", c="dimmed", mt=6) for sentence in said]


def _side_heading(group: str, side: Sequence[Labelled]) -> Component:
    return html.Th([_swatch(group), f" {group}", html.Br(), html.Small(f"n = {len(side)} cells")], scope="col")


def _swatch(group: str) -> Component:
    return html.Span(className="swatch", style={"background": style().color(group)})


def _metric(metric: str, more: bool, sides: Sequence[Sequence[Labelled]]) -> Component | None:
    found = [[displayed(metric, s) for i in side if (s := scalars(i.data).get(metric)) is not None] for side in sides]
    known = next((s for side in found for s in side), None)
    if known is None:
        return None
    values = [[float(s.value) for s in side if isinstance(s.value, int | float)] for side in found]
    cells = [html.Td(_mean(v, len(side)), className="number") for v, side in zip(values, sides, strict=True)]
    if len(values) == 2:
        cells.append(_difference(values, more))
    unit = "" if known.unit == "1" else known.unit
    name = [SHOWN[metric], *([html.Small(f"  {unit}")] if unit else [])]
    return html.Tr([html.Th(name, scope="row", title=known.title), *cells])


def _mean(values: Sequence[float], cells: int) -> list[Component | str]:
    if not values:
        return ["–"]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    fewer = [html.Small(f" n = {len(values)}")] if len(values) != cells else []
    return [with_spread(float(np.mean(values)), spread), *fewer]


def _difference(values: Sequence[Sequence[float]], more: bool) -> Component:
    """Compared minus reference, with its interval; good or bad is said in a word, not only by colour."""
    if not all(values):
        return html.Td("–", className="number")
    effect = compare(np.array(values[1]), np.array(values[0]))
    words = "better" if (effect.value > 0) == more else "worse"
    lines: list[Component | str] = [html.Span(f"{within(effect.value, effect.low, effect.high)} {words}", className=words)]
    bounds = between(effect.low, effect.high)
    lines += [html.Small(f"  [{bounds}]" + (f" {100 * effect.level:.0f} %" if effect.level else " range"))]
    return html.Td(lines, className="number", title=METHODS[effect.method])


def _state() -> Component:
    """Counts, where to go on, and what needs attention."""
    snap = workspace().snapshot()
    rows = []
    for group in snap.groups:
        cells = [c for c in snap.cells if c.group == group.name]
        names = ", ".join(c.name for c in cells[:6]) + (" …" if len(cells) > 6 else "")
        rows.append(
            html.Tr(
                [
                    html.Th([_swatch(group.name), f" {group.title or group.name}"], scope="row"),
                    html.Td(f"{len(cells)} cells: {names}" if cells else "no cells"),
                ]
            )
        )
    kinds = {str(m.modality): 0 for m in snap.measurements}
    for m in snap.measurements:
        kinds[str(m.modality)] += 1
    rows += [html.Tr([html.Th("measurements", scope="row"), html.Td(", ".join(f"{n} {k}" for k, n in kinds.items()))])]
    excluded = [m for m in snap.measurements if m.excluded]
    if excluded:
        said = "; ".join(f"{m.cell}: {m.excluded_because}" for m in excluded[:5])
        rows.append(html.Tr([html.Th("left out", scope="row"), html.Td(said)]))
    unweighed = [c.name for c in snap.cells if c.effective_active_mass_mg is None]
    if unweighed:
        rows.append(html.Tr([html.Th("no active mass", scope="row"), html.Td(", ".join(unweighed))]))
    rows += [html.Tr([html.Th("could not load", scope="row"), html.Td(f"{k}: {v}")]) for k, v in workspace().registry.broken.items()]
    links = [
        dmc.Anchor("Import data", href=href("/import", {}), size="sm"),
        dmc.Anchor("Open the catalog", href=href("/catalog", {}), size="sm"),
    ]
    return html.Div([html.Table(html.Tbody(rows), className="facts"), dmc.Group(links, gap="md", mt="xs")], className="pad")
