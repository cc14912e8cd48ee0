"""The scorecard as a table to read: both groups, effect with its interval, better or worse in shape and word, guard, spark plot."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from analysis.catalog.comparability import Difference, guard
from analysis.compare.figures_base import unit_text
from analysis.compare.metrics import KNOWN
from analysis.compare.replicates import Rows, replicates
from analysis.compare.scorecard import AVERAGED, DEPENDENT, GROUP_LEVEL, OTHER_CYCLES
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from components import compare_links, compare_view, notice
from components.address import href
from components.compare_sources import CHOICE, at_cycle, groups
from components.compare_spark import spark
from components.context import style, workspace
from components.icons import icon
from components.numbers import between, with_spread, within
from components.panels import Drawn, Panel, register
from components.views import Query

SHAPES = {"better": "▲", "worse": "▼", "higher": "△", "lower": "▽", "not told apart": "○"}
SHORT = {
    AVERAGED: "averaged",
    DEPENDENT: "not independent",
    OTHER_CYCLES: "cycles differ",
    GROUP_LEVEL: "group level",
}  # a remark of the scorecard in the room of a column; the whole sentence is its tooltip
NAME = "compare.scorecard"
Card = Mapping[str, Any]


def draw(query: Query) -> Drawn:
    """The scorecard of the address, or what it waits for."""
    found = compare_view.scorecard(query)
    said = notice.problems(found.problems) + _awaited(found.waiting)
    card, values = compare_view.items_of(found), compare_view.items_of(compare_view.values(query))
    if card is None or values is None:
        return Drawn(said or [notice.alert("Nothing to compare", "The chosen groups hold no results yet.")], waiting=bool(found.waiting))
    # What is there is shown; rows of what is still being computed come when their modality is complete.
    return Drawn([*said, _table(card, Rows.of(values.data), query, awaited=bool(found.waiting))], waiting=bool(found.waiting))


def _awaited(waiting: Sequence[Status]) -> list[Component]:
    """One line of how much is still being computed; what it is stands under Jobs."""
    if not waiting:
        return []
    running = [s for s in waiting if s.state == "running"]
    words = f"{len(waiting)} results are being computed" if len(waiting) > 1 else "1 result is being computed"
    doing = f": {running[0].title}" if running else ""
    bar = html.Progress(value=str(running[0].fraction) if running else None, max="1", **{"aria-label": "Progress"})
    return [html.Div([bar, html.Span(words + doing, className="ellipsis")], className="scorecard-awaited")]


def _table(card: Labelled, rows: Rows, query: Query, *, awaited: bool) -> Component:
    ds = card.data
    columns = {str(n): v.values for n, v in ds.data_vars.items()}
    pair, by = groups(query), compare_view.by(query)
    guards = {m: _guard(m, pair, query) for m in dict.fromkeys(columns["modality"].astype(str).tolist())}
    body = []
    for k in range(ds.sizes["metric"]):
        line = {n: (str(v[k]) if v.dtype.kind in "US" else float(v[k])) for n, v in columns.items()}
        body.append(_line(line, rows, guards[str(line["modality"])], query, awaited=awaited))
    head = html.Thead(
        html.Tr(
            [
                html.Th("Metric", scope="col"),
                *(_heading(g) for g in pair),
                html.Th(["Effect ", html.Small("compared − reference [interval]")], scope="col"),
                html.Th("Direction", scope="col", className="words"),
                html.Th(by.capitalize(), scope="col", className="words"),
                html.Th("Guard", scope="col", className="words"),
            ]
        )
    )
    table = html.Table([head, html.Tbody(body)], className="scalars scorecard")
    return html.Div([_top(card, query), html.Div(table, className="scroll")], className="scorecard-body")


def _heading(group: str) -> Component:
    swatch = html.Span(className="swatch", style={"background": style().color(group)})
    return html.Th([swatch, f" {workspace().group_title(group)} ", html.Small("mean ± SD (n)")], scope="col")


def _line(line: Card, rows: Rows, differing: Sequence[Difference], query: Query, *, awaited: bool) -> Component:
    metric, modality, unit = str(line["id"]), str(line["modality"]), unit_text(str(line["unit"]))
    link = compare_links.place(metric, modality, query)
    name: Any = dcc.Link(str(line["title"]), href=link, className="row-link") if link else str(line["title"])
    head = html.Th([name, html.Small(f"  {unit}" if unit else "")], scope="row", title=_about(line))
    sides = [html.Td(_side(line, s), className="number") for s in ("reference", "compared")]
    if not line["reference_n"] and not line["compared_n"]:
        missing = html.Td(_missing(metric, modality, query, awaited=awaited), colSpan=4, className="missing")
        return html.Tr([head, *sides, missing], className="row-empty")
    points = [
        (g, [r.value for r in replicates(rows, metric, g, by=_by(query), with_excluded=compare_view.with_excluded(query))])
        for g in groups(query)
    ]
    return html.Tr(
        [
            head,
            *sides,
            html.Td(_effect(line), className="number", title=str(line["method"])),
            html.Td(_direction(line), className="words"),
            html.Td(spark(points, f"{line['title']}: {_spelled(points, unit)}"), className="words"),
            html.Td(_warning(line, differing), className="words"),
        ]
    )


def _by(query: Query) -> Any:
    return compare_view.by(query)


def _about(line: Card) -> str:
    better = {"more": "more is better", "less": "less is better"}.get(str(line["better"]), "neither way is better by itself")
    known = KNOWN.get(str(line["id"]))
    about = f" ({known.about})" if known is not None and known.about else ""
    return f"{line['title']}{about}: of each {line['level']}, {better}"


def _spelled(points: Sequence[tuple[str, Sequence[float]]], unit: str) -> str:
    return "; ".join(f"{g} {', '.join(f'{v:.4g}' for v in values) or '–'}" for g, values in points) + (f" {unit}" if unit else "")


def _side(line: Card, side: str) -> list[Component | str]:
    n, parts, mean = int(line[f"{side}_n"]), int(line[f"{side}_parts"]), float(line[f"{side}_mean"])
    if not n:
        return ["–"]
    spread = float(line[f"{side}_std"])
    count = f" ({n})" if parts == n else f" ({n} of {parts})"
    return [with_spread(mean, spread if isfinite(spread) else None), html.Small(count, title=f"{n} replicates of {parts} measurements")]


def _effect(line: Card) -> list[Component | str]:
    value, low, high, level = (float(line[n]) for n in ("effect", "low", "high", "confidence"))
    if not isfinite(value):
        return ["–"]
    kind = f"{100 * level:.0f} %" if isfinite(level) else "range"
    signed = within(value, low, high)
    return [signed if signed.startswith("−") else f"+{signed}", html.Small(f"  [{between(low, high)}] {kind}")]


def _direction(line: Card) -> list[Component | str]:
    verdict = str(line["verdict"])
    if not verdict:
        return ["–"]
    colour = verdict if verdict in ("better", "worse") else "plain"
    firm = (
        [html.Small(" significant", title="The 95 % interval excludes 0, with five or more a side")] if line["significant"] == "yes" else []
    )
    return [html.Span([html.Span(SHAPES[verdict], **{"aria-hidden": "true"}), f" {verdict}"], className=colour), *firm]


def _warning(line: Card, differing: Sequence[Difference]) -> Component:
    """What else differs between the groups, for this row's modality, and how its replicates were made."""
    remark = str(line["remark"])
    differs = [d for d in differing if d.kind == "differs"]
    said = [d.sentence for d in differing] + ([remark] if remark else [])
    if not said:
        return html.Span(
            [icon("check", 13)], title="Nothing recorded differs between the groups", role="img", **{"aria-label": "comparable"}
        )
    words = f"{len(differs)} differ{'s' if len(differs) == 1 else ''}" if differs else _shortly(remark)
    return html.Span(
        [icon("warning", 13) if differs or "differ" in remark else icon("info", 13), html.Small(f" {words}")], title="\n".join(said)
    )


def _shortly(remark: str) -> str:
    parts = [r.partition(":")[0] for r in remark.split("; ") if r]
    return ", ".join(SHORT.get(p, p) for p in parts) or "see"


def _guard(modality: str, pair: Sequence[str], query: Query) -> tuple[Difference, ...]:
    snap = workspace().snapshot()
    shown = compare_view.with_excluded(query)
    used = [m for m in snap.measurements if m.modality == _measured(modality) and m.group in pair and (shown or not m.excluded)]
    ids = {m.cell_id for m in used}
    sides = [[c for c in snap.cells if c.group == g and c.id in ids] for g in pair]
    return guard(sides[0], sides[1], used)


def _measured(modality: str) -> str:
    """Cracks are found in what microscopy measured."""
    return "xanes" if modality == "cracks" else modality


def _missing(metric: str, modality: str, query: Query, *, awaited: bool) -> list[Component | str]:
    """A dash with what to import, or that the data there do not give this number yet."""
    has = any(m.modality == _measured(modality) and m.group in groups(query) for m in workspace().snapshot().measurements)
    if has and metric == "cycling.capacity_at":
        return [f"no cell has a whole cycle {at_cycle(query)}"]
    if has and awaited:
        return ["being computed"]
    if has:
        link = compare_links.place("", modality, query)
        return ["not computed yet: ", dcc.Link("open its page", href=link)] if link else ["not computed yet"]
    return ["no data: ", dcc.Link(f"import {compare_links.IMPORTS.get(modality, 'data')}", href="/import")]


def _top(card: Labelled, query: Query) -> Component:
    """Title, download, and what must be known to read the numbers: how many metrics, what n counts, when significant is said."""
    ds = card.data
    n = int(ds.attrs["n_compared"])
    parts: list[str] = [f"{n} metrics compared: without any difference, {0.05 * n:.1f} intervals of 95 % would miss 0 by chance."]
    parts += ["n counts particles; those of one cell are not independent."] if ds.attrs["replicates"] == "particles" else []
    if np.any(ds["significant"].values.astype(str) == "not said"):
        parts.append("Below five a side nothing is called significant.")
    if card.origin == "synthetic":
        parts.append("Synthetic data.")
    parts += list(ds.attrs.get("warnings", ()))
    text = " ".join(parts)
    link = html.A(
        [icon("table", 14), " Download CSV"], href=href("/export/compare.effects.csv", query), className="tile-link", id="scorecard-csv"
    )
    title = html.H2("Scorecard", className="card-title")
    return html.Div([title, html.Span(text, className="foot", title=text), link], className="card-head scorecard-head")


register(Panel(NAME, CHOICE, draw))
