"""Tables of the spectra page: group against group, areas by sample, edges, combinations; each number with its interval and n."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.core.numerics.statistics import Interval
from analysis.spectra.effects import AreaEffect, area_effects
from components import spectra_view
from components.context import style
from components.numbers import between, printed, within
from components.spectra_samples import groups
from components.spectra_view import state_in
from components.views import Items, Query

Table = tuple[list[Component], Items]
LEVEL = 0.9


def effects(query: Query) -> Table:
    """Area of the reported peak: mean of each group in each state, and the difference between the groups."""
    items = spectra_view.areas(query)
    compared = groups(query)
    if len(compared) < 2 or not items.shown:
        return [_said("Choose two groups to compare them." if len(compared) < 2 else "")], items
    sides = [[i for i in items.shown if i.group == g] for g in compared[:2]]
    states = {i.label: state_in(i) for i in items.shown}
    ordered = dict(sorted(states.items(), key=lambda kv: spectra_view.place(kv[1])))
    found = area_effects(sides[0], sides[1], ordered, peak=query.get("feature", ""), level=LEVEL)
    peak = query.get("feature") or str(items.shown[0].data.attrs.get("feature", ""))
    head = ("State", compared[0], compared[1], f"{compared[1]} − {compared[0]}")
    synthetic = "Synthetic data. " if {i.origin for i in items.shown} == {"synthetic"} else ""
    note = (
        f"{synthetic}Area of {peak} / eV (on an edge step of 1). Means with {LEVEL:.0%} intervals over cells; difference by Welch. "
        f"{len(found)} comparisons; nothing is called significant below 5 cells a side."
    )
    return [table(head, [_effect_row(e, compared) for e in found]), _said(note)], Items(problems=items.problems, waiting=items.waiting)


def _effect_row(found: AreaEffect, compared: Sequence[str]) -> Component:
    effect = found.effect
    kind = f"{effect.level:.0%}" if effect.level is not None else "range"
    cells = [_interval(found.first), _interval(found.second)]
    change = [
        html.Strong(within(effect.value, effect.low, effect.high)),
        html.Br(),
        html.Small(between(effect.low, effect.high)),
        html.Br(),
        html.Small(f"{kind}, n = {effect.n_b} + {effect.n_a}"),
    ]
    return html.Tr(
        [html.Th(found.state or "all", scope="row"), *(html.Td(c, className="number") for c in cells), html.Td(change, className="number")]
    )


def _interval(found: Interval) -> list[Component | str]:
    if found.n < 2:
        return [printed(found.value, 3), html.Br(), html.Small(f"n = {found.n}")]
    ends = [html.Br(), html.Small(between(found.low, found.high))]
    return [within(found.value, found.low, found.high), *ends, html.Br(), html.Small(f"n = {found.n}")]


def table(head: Sequence[str], rows: Sequence[Component]) -> Component:
    return html.Table(
        [html.Thead(html.Tr([html.Th(h, scope="col") for h in head])), html.Tbody(list(rows))],
        className="scalars",
    )


def _said(text: str) -> Component:
    return dmc.Text(text, size="xs", c="dimmed", py=4)


def swatch(group: str) -> Component:
    return html.Span(className="swatch", style={"background": style().color(group)})
