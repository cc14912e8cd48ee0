"""The words and numbers of the distributions page: differences over particles, the marked range, the recipe, the particles as a table."""

import re
from collections.abc import Sequence
from urllib.parse import urlencode

import dash_mantine_components as dmc
import numpy as np
from dash import html
from dash.development.base_component import Component

from analysis.core.data import Scalar, scalars
from analysis.core.numerics.statistics import mean_interval
from analysis.core.registry import Labelled
from analysis.core.style import origin_note
from analysis.schemas import DEFINITIONS
from analysis.xanes.compute import EdgeParams
from analysis.xanes.distribution import share_between
from analysis.xanes.figures_base import STATE_SHORT, short_name, state_of, unit_of
from analysis.xanes.figures_violins import effect_text
from components import distributions_view as view
from components import edge_maps
from components.address import href
from components.context import style
from components.numbers import between
from components.panels import Drawn, Panel, register
from components.remarks import folded, remarks_of
from components.views import Items, Query

# Scalar, heading, digits after the point for energies and for states of charge.
COLUMNS = (
    ("n_valid", "Voxels", None),
    ("median", "Median", (3, 4)),
    ("iqr", "IQR", (3, 4)),
    ("noise_floor", "Noise σ", (3, 4)),
    ("heterogeneity", "Beyond noise", (3, 4)),
    ("skewness", "Skew", (2, 2)),
    ("dip", "Dip", (4, 4)),
    ("n_parts", "Parts", None),
    ("fraction_refused", "Refused", None),
)
DIFFERENCES, MARKED, RECIPE, TABLE = (f"distributions.{n}" for n in ("differences", "marked", "recipe", "table"))
WITH_INTERVAL = ("skewness",)


def differences(query: Query) -> Drawn:
    """Charged − discharged of each group, the difference of these, and that of the widths; each with interval and number of particles."""
    found = view.compared(query)
    if not found.shown:
        return Drawn(_why_no_difference(query, found), bool(found.waiting))
    result = found.shown[0].data
    names = result["name"].values.astype(str).tolist()
    counts = {n: f"n = {int(result['n_charged'][k])} + {int(result['n_discharged'][k])}" for k, n in enumerate(names)}
    values = scalars(result)
    blocks = [
        _block(f"{n}, particle medians, charged − discharged", values.get(f"activity_{k + 1}"), counts[n], result, n)
        for k, n in enumerate(names)
    ]
    if len(names) == 2:
        both = f"{names[0]} − {names[1]}"
        blocks.append(_block(f"{both}, difference of these", values.get("activity_difference"), "", result))
    return Drawn(html.Div([b for b in blocks if b is not None], className="stat-row"))


def _why_no_difference(query: Query, found: Items) -> Component:
    if found.waiting:
        return html.Div(dmc.Text("Differences follow when all particles are mapped.", size="xs", c="dimmed"), className="stat-row")
    states = sorted({m.state or "none" for m in view.measurements(query, off=True)})
    words = f"Differences need charged and discharged particles; shown here: {', '.join(states) or 'no particle'}."
    return html.Div(dmc.Text(words, size="xs", c="dimmed"), className="stat-row")


def _block(label: str, scalar: Scalar | None, counts: str, result: "Labelled | object", group: str = "") -> Component | None:
    if scalar is None or not isinstance(scalar.value, float) or not np.isfinite(scalar.value):
        return None
    swatch = [html.Span(className="swatch", style={"background": style().color(group)})] if group else []
    n = counts or f"n = {scalar.n}"
    value = effect_text(scalar, result)  # type: ignore[arg-type]
    head, _, rest = value.partition(" [")
    return html.Div(
        [
            html.Div([*swatch, label], className="stat-name"),
            html.Div([html.Strong(head), html.Span(f" [{rest}" if rest else ""), html.Small(f" {n}")]),
        ],
        className="stat",
        title=f"{scalar.title}: {scalar.of}",
    )


def marked(query: Query) -> Drawn:
    """What the marked range holds in each group and state, and where to see its voxels."""
    found = view.pair(query, "brush")
    if found is None:
        return Drawn([])
    items = view.distributions(query, off=True)
    if not items.shown:
        return Drawn([], bool(items.waiting))
    sets: dict[tuple[str, str], list[float]] = {}
    for item in items.shown:
        sets.setdefault((item.group, state_of(item)), []).append(share_between(item.data, *found))
    low, high = found
    unit = unit_of(items.shown[0].data)
    said = [f"{group} {state} {_share(values)}".strip() for (group, state), values in sets.items()]
    links = [_link(item, query, low, high) for item in items.shown]
    text = dmc.Text(f"Marked {low:.8g} … {high:.8g}{unit}, share of the volume (mean over particles): {'; '.join(said)}.", size="xs")
    return Drawn(html.Div([text, dmc.Text("Show these voxels:", size="xs", fw=600), *links], className="brush-row"), bool(items.waiting))


def _share(values: Sequence[float]) -> str:
    mean = mean_interval(100 * np.array(values))
    if not np.isfinite(mean.low):
        return f"{mean.value:.1f} % (n = 1)"
    return f"{mean.value:.1f} % [{max(mean.low, 0):.1f} … {min(mean.high, 100):.1f}] (n = {mean.n})"


def _link(item: Labelled, query: Query, low: float, high: float) -> Component:
    name = f"{short_name(item)} {STATE_SHORT.get(state_of(item), state_of(item))}".strip()
    return html.A(name, href=particle_href(item, query, f"{low:.8g},{high:.8g}"), className="link")


def particle_href(item: Labelled, query: Query, brush: str = "") -> str:
    """The particle page of a particle, with the same recipe, and its voxels of a range marked."""
    same = {n: query[n] for n in edge_maps.RECIPE if n in query}
    kind = view.calibrated(query)
    state = {"map": "state", "quantity": kind, **{n: query[n] for n in ("energies", "values") if n in query}} if kind else {}
    return href("/particle", {"particle": item.id, **same, **state, "brush": brush})


def recipe(query: Query) -> Drawn:
    """How all particles are normalised, in one line, and what the analysis wants said."""
    params, finding = edge_maps.parameters(query)
    shown = EdgeParams.check(params)
    where = "as given" if query.get("e0") else "the median of all stacks"
    e0 = f"E0 {params['e0']:g} eV ({where})" if "e0" in params else "E0 is being found"
    lines = f"pre-edge line {shown.pre1:g} … {shown.pre2:g} eV, post-edge line {shown.norm1:g} … {shown.norm2:g} eV from E0, order 1"
    lines += f", energies {shown.energy_offset:+g} eV" if shown.energy_offset else ""
    lines += f"; only {ends[0]:g} to {ends[1]:g} µm below the surface" if (ends := view.depth(query)) else ""
    items = merged_remarks(query)
    text = f"All particles alike: {DEFINITIONS[shown.definition]}, {e0}, {_minus(lines)}."
    total = sum(i.data.attrs.get("schema") == "xanes.distribution" for i in items.shown)
    body = [dmc.Text(text, size="xs", c="dimmed"), *folded([*remarks_of(items.shown, total), *_of_one_cell(query)])]
    return Drawn(body, bool(items.waiting or finding.waiting))


def _minus(text: str) -> str:
    return re.sub(r"-(?=\d)", "−", text)


def merged_remarks(query: Query) -> Items:
    """The results whose warnings the page repeats."""
    return view.merged(view.distributions(query, off=True), view.compared(query))


def _of_one_cell(query: Query) -> list[tuple[str, str]]:
    """Particles of one cell in one state, which count as replicates although they share their cell."""
    found: dict[tuple[str, str], int] = {}
    for m in view.measurements(query, off=True):
        found[m.cell, m.state or ""] = found.get((m.cell, m.state or ""), 0) + 1
    several = [f"{n} {state} of {cell}".replace("  ", " ") for (cell, state), n in found.items() if n > 1]
    return [("Particles of one cell are not independent of each other, but count as such here.", ", ".join(several))] if several else []


def particle_table(query: Query) -> Drawn:
    """A row for each particle that is switched on."""
    items = view.distributions(query, off=True)
    if not items.shown:
        return Drawn(dmc.Text("No particle to show yet.", size="sm", c="dimmed", p="sm"), bool(items.waiting))
    first = items.shown[0].data
    unit = unit_of(first).strip()
    heads = [_heading(title, unit if digits == (3, 4) else "") for _, title, digits in COLUMNS]
    head = html.Thead(html.Tr([html.Th("Particle", scope="col"), html.Th("State", scope="col", style={"textAlign": "left"}), *heads]))
    body = html.Tbody([_row(i, query) for i in items.shown])
    download = html.A("Download CSV", href=f"/export/distributions.heterogeneity.csv?{urlencode(dict(query))}", className="link")
    definition, e0 = DEFINITIONS.get(first.attrs.get("definition", ""), ""), first.attrs.get("e0")
    made = f"{definition[:1].upper()}{definition[1:]}" + (f", E0 {e0:g} eV" if e0 is not None else "")
    origin = origin_note({i.origin for i in items.shown})
    note = f"{made}. Brackets: 95 % within the particle, not for inference. {origin[:1].upper()}{origin[1:]}{'.' if origin else ''}"
    foot = dmc.Group([dmc.Text(note, size="xs", c="dimmed"), download], justify="space-between", className="table-foot")
    return Drawn([html.Div(html.Table([head, body], className="scalars"), className="scroll"), foot], bool(items.waiting))


def _heading(title: str, unit: str) -> Component:
    return html.Th([title, *([html.Br(), html.Small(unit)] if unit else [])], scope="col")


def _row(item: Labelled, query: Query) -> Component:
    found, energies = scalars(item.data), unit_of(item.data) != ""
    swatch = html.Span(className="swatch", style={"background": style().color(item.group)})
    link = html.A(short_name(item), href=particle_href(item, query, query.get("brush", "")), className="link", title="Show its voxels")
    name = html.Th([swatch, " ", link], scope="row", className="cell-name")
    cells = [html.Td(_cell(n, found.get(n), digits, energies), className="number") for n, _, digits in COLUMNS]
    return html.Tr([name, html.Td(state_of(item) or "–"), *cells])


def _cell(name: str, scalar: Scalar | None, digits: tuple[int, int] | None, energies: bool) -> list[Component | str]:
    if scalar is None or not isinstance(scalar.value, int | float):
        return ["–"]
    if name == "fraction_refused":
        return [f"{100 * scalar.value:.1f} %"]
    if digits is None:
        return [f"{int(scalar.value):,}".replace(",", "\u202f")]
    places = digits[0 if energies else 1]
    shown: list[Component | str] = [f"{scalar.value:.{places}f}".replace("-", "−")]
    if name in WITH_INTERVAL and scalar.low is not None and scalar.high is not None:
        shown.append(html.Small(f" [{between(scalar.low, scalar.high)}]"))
    return shown


register(
    Panel(DIFFERENCES, (*view.MAPS, "off"), differences),
    Panel(MARKED, (*view.COUNTED, "brush"), marked),
    Panel(RECIPE, view.COUNTED, recipe),
    Panel(TABLE, (*view.COUNTED, "brush"), particle_table),
)
