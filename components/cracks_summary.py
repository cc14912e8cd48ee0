"""What stands above the figures of cracks: the ratios of the groups with their difference, how cracks were found, what must be said."""

from collections.abc import Sequence

import dash_mantine_components as dmc
import numpy as np
from dash import dcc, html
from dash.development.base_component import Component

from analysis.core.data import scalars
from analysis.core.numerics.statistics import Effect, compare, mean_interval
from analysis.core.registry import Labelled
from analysis.core.style import origin_note
from analysis.cracks.params import CrackParams
from analysis.cracks.sets import SetParams, Together, together
from components import crack_settings, cracks_results, cracks_solid
from components import cracks_view as view
from components.address import href
from components.context import style
from components.cracks_results import Specimen
from components.edge_maps import particle_name
from components.numbers import between, within
from components.panels import Drawn, Panel, register
from components.remarks import Remark, folded, remarks_of
from components.results import merged
from components.views import Items, Query

RATIOS, SETTINGS = "cracks.ratios", "cracks.settings"
PERCENT = 100.0
NO_CRACKS = "There are no cracks at all in this segmentation."
# Scalar, what it is called, unit, factor; ratios are in % of something.
TOLD = (
    ("crack_volume_ratio", "crack volume ratio", "%", PERCENT),
    ("isolated_fraction", "isolated part of the solid", "%", PERCENT),
)
METHODS = {"range": "range of all differences", "welch": "95 %", "hodges_lehmann": ""}


def group_sets(items: Items, query: Query, *, by_state: bool = False) -> list[Together]:
    """The results of a step, group by group, with the number of their cells."""
    found = view.owners(items, query)
    params = SetParams(states=tuple(m.state or "" for m in found), cells=tuple(m.cell for m in found))
    return together(items.shown, params, by_state=by_state)


def ratios(query: Query) -> Drawn:
    """Crack volume ratio of each group and its difference, that of the isolated part: over particles, each with its interval."""
    measured, isolated = view.measures(query), view.domains(query)
    waiting = bool(measured.waiting or isolated.waiting)
    if not measured.shown:
        words = "Numbers follow when the cracks of a particle are found." if waiting else "No particle has a crack volume ratio."
        return Drawn(html.Div(dmc.Text(words, size="xs", c="dimmed"), className="stat-row"), waiting)
    blocks: list[Component] = []
    for (name, title, unit, factor), items in zip(TOLD, (measured, isolated), strict=True):
        sets = [s for s in group_sets(items, query) if np.isfinite(s.values(name)).any()]
        alone = name != TOLD[0][0]
        blocks += [] if alone else [_group(s, factor * s.values(name), title, unit) for s in sets]
        if len(sets) == 2:
            blocks.append(_difference(sets, name, title, unit, factor))
    return Drawn(html.Div(blocks, className="stat-row"), waiting)


def _group(one: Together, values: np.ndarray, title: str, unit: str) -> Component:
    found = mean_interval(values)
    swatch = html.Span(className="swatch", style={"background": style().color(one.group)})
    limit = PERCENT * one.values("detection_limit")
    all_below = one.below == len(one.items)
    head = f"< {np.nanmax(limit):.2g} {unit}" if all_below else f"{_rounded(found.value, found.low, found.high)} {unit}"
    interval = f" [{between(max(found.low, 0.0), found.high)}]" if np.isfinite(found.low) and not all_below else ""
    below = f", {one.below} below the detection limit" if one.below else ""
    about = f"Mean over particles, each with the same weight; Student's 95 % interval. Detection limit: {_limits(limit)}."
    body = html.Div([html.Strong(head), html.Span(interval), html.Small(f" {one.count}{below}")])
    return html.Div([html.Div([swatch, f"{one.group or 'no group'}, {title}"], className="stat-name"), body], className="stat", title=about)


def _limits(limit: np.ndarray) -> str:
    known = limit[np.isfinite(limit)]
    return f"{known.min():.2g} … {known.max():.2g} %" if known.size else "not known"


def _rounded(value: float, low: float, high: float) -> str:
    return within(value, low, high) if np.isfinite(low) and np.isfinite(high) else f"{value:.3g}"


def _difference(sets: Sequence[Together], name: str, title: str, unit: str, factor: float) -> Component:
    reference, compared = sets
    found = compare(factor * compared.values(name), factor * reference.values(name))
    label = f"{compared.group} − {reference.group}, {title}"
    value = _rounded(found.value, found.low, found.high)
    signed = value if value.startswith("−") else f"+{value}"
    body = [html.Strong(f"{signed} {unit}"), html.Span(f" [{between(found.low, found.high)}] {_level(found)}")]
    body.append(html.Small(f" n = {found.n_b} + {found.n_a} particles ({reference.cells} + {compared.cells} cells)"))
    p = f" Mann–Whitney, exact: p = {found.p:.2g}." if found.p is not None else ""
    about = f"Difference of percentages, over particles, which count as independent even if of one cell.{p}"
    return html.Div([html.Div(label, className="stat-name"), html.Div(body)], className="stat", title=about)


def _level(found: Effect) -> str:
    if found.level is None:
        return "(range of all single differences)"
    return f"{PERCENT * found.level:.3g} %"


# -- settings and remarks ------------------------------------------------------------------------------------------------------


def settings(query: Query) -> Drawn:
    """How cracks are found, in one line; what the analysis wants said."""
    in_3d = query.get("tab") == "view"  # there only the particles that are seen are asked for
    chosen = list(cracks_solid.sides(query).values()) if in_3d else view.specimens(query)
    measured = cracks_results.measures(query, chosen).items
    every = measured if in_3d else merged(measured, view.domains(query), view.profiles(query))
    more = {n: v for n, v in query.items() if n not in ("off", "axis", "per", "value")}
    link = dcc.Link("change in the workbench", href=href("/cracks", {**more, "tab": "workbench"}), className="link")
    origin = origin_note({i.origin for i in measured.shown})
    said = f" {origin[:1].upper()}{origin[1:]}." if origin else ""
    line = html.Div([dmc.Text(_alike(query) + said, size="xs", c="dimmed", span=True), " ", link])
    return Drawn([line, *folded([*remarks_of(every.shown, len(chosen)), *_further(query, measured, chosen)])], bool(every.waiting))


def _alike(query: Query) -> str:
    names = {g: crack_settings.preset(query, g) for g in view.groups(query)}
    found = {g: crack_settings.params(query, g) for g in names}
    if len(set(found.values())) > 1:
        each = "; ".join(f"{g} by '{names[g]}': {_said(p)}" for g, p in found.items())
        return f"Groups are not analysed alike: {each}."
    one = next(iter(found.values()), CrackParams())
    name = next(iter(names.values()), crack_settings.STANDARD)
    changed = ", changed by the address" if crack_settings.changed(query) else ""
    return f"All particles alike: preset '{name}'{changed}; {_said(one)}."


def _said(params: CrackParams) -> str:
    begins = {
        "hysteresis": f"cracks begin at {params.seed:g} × noise and go on to {params.grow:g} ×",
        "intensity": f"cracks are darker than {params.threshold:g} of the contrast",
        "sheet": f"cracks by the sheet filter at {params.sheet_scale:g} voxels",
        "tophat": f"cracks by the top-hat up to {2 * params.tophat} voxels wide",
    }[params.detector]
    return f"{begins}, envelope closed with {params.closing:g} voxels, at least {params.min_crack} voxels"


def _blanks(query: Query) -> str:
    pristine = crack_settings.pristine()
    if pristine:
        return f"Detection limit from {len(pristine)} pristine particles."
    return "Detection limit from dense phantoms of each volume's resolution and noise."


def _further(query: Query, measured: Items, chosen: Sequence[Specimen]) -> list[Remark]:
    """What follows from several results at once."""
    said: list[Remark] = [(_blanks(query), f"{len(chosen)} particles")]
    if without := [particle_name(s.source) for s in chosen if s.mapped is None]:
        said.append(("There is no edge map: no edge energies by distance.", ", ".join(without[:4])))
    several = [i.label for i in measured.shown if i.data.sizes["particle_row"] > 1]
    if several:
        said.append(
            ("The volume holds several particles: their ratio is that of all together; the table lists each.", ", ".join(several[:4]))
        )
    lying = [s for s in chosen if s.mapped is not None and s.mapped is not s.source]
    if lying and query.get("lay") != "registered":
        words = (
            "Tomogram and map lie over each other as imported where their voxels fit; choose 'Tomogram laid over the map' if one was moved."
        )
        said.append((words, f"{len(lying)} particles with both"))
    counts: dict[tuple[str, str], int] = {}
    for s in chosen:
        counts[(s.source.cell, s.source.state or "")] = counts.get((s.source.cell, s.source.state or ""), 0) + 1
    if shared := [f"{n} {state} of {cell}".replace("  ", " ") for (cell, state), n in counts.items() if n > 1]:
        said.append(("Particles of one cell are not independent of each other, but count as such here.", ", ".join(shared)))
    return said


def below(item: Labelled) -> bool:
    """Whether a particle's ratio is below its detection limit."""
    found = scalars(item.data).get("against_limit")
    return found is not None and str(found.value).startswith("below")


READS = view.READS
register(Panel(RATIOS, READS, ratios), Panel(SETTINGS, (*READS, "particle", "beside"), settings))
