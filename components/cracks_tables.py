"""The tables of cracks: every particle's measures, the groups in numbers, every isolated domain with its place in the slices."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
import numpy as np
from dash import html
from dash.development.base_component import Component

from analysis.core.data import Scalar, scalars
from analysis.core.numerics.statistics import Effect, Interval
from analysis.core.registry import Labelled
from analysis.core.style import legend_name, origin_note
from analysis.cracks.summary import Line, summary
from analysis.schemas import VOXEL
from components import cracks_view as view
from components import edge_maps
from components.address import href
from components.context import style, workspace
from components.cracks_results import Specimen
from components.cracks_summary import READS, below, group_sets
from components.edge_maps import particle_name
from components.notice import problems
from components.numbers import between, printed, within
from components.panels import Drawn, Panel, register
from components.results import merged
from components.views import Items, Query

PARTICLES, GROUPS, DOMAINS = (f"cracks.table_{n}" for n in ("particles", "groups", "domains"))
MOST_DOMAINS = 500  # rows; the CSV has them all
Cell = list[Component | str]
# Variable of a particle, heading, unit, factor, significant digits.
OWN = (
    ("cracks", "Cracks", "", 1.0, 4),
    ("largest_fraction", "Largest", "% of cracks", 100.0, 3),
    ("surface_fraction", "Open", "% of cracks", 100.0, 3),
    ("mean_width", "Width", "µm", 1.0, 3),
    ("radial_position", "Radial", "0 … 1", 1.0, 2),
    ("crack_area", "Surface", "µm²", 1.0, 3),
    ("diameter", "Diameter", "µm", 1.0, 3),
)
FURTHER = (("n_domains", "Domains", "", 1.0), ("isolated_fraction", "Isolated", "% of solid", 100.0), ("slope", "Slope", "eV/µm", 1.0))


def particles(query: Query) -> Drawn:
    """A row for each particle; volumes that hold several have a row for all of them first."""
    measured, isolated, sloped = view.measures(query), view.domains(query), view.profiles(query)
    waiting = bool(measured.waiting or isolated.waiting or sloped.waiting)
    if not measured.shown:
        return Drawn([_none("No particle is measured yet."), *problems(measured.problems)], waiting)
    further = {i.id: {**scalars(i.data)} for i in isolated.shown}
    for i in sloped.shown:
        further.setdefault(i.id, {}).update({"slope": scalars(i.data)["slope"]})
    by_id = {s.id: s for s in view.specimens(query)}
    heads = [
        ("Ratio", "%"),
        ("Range", "%, limits ±"),
        ("LOD", "%"),
        *((h, u) for _, h, u, _, _ in OWN),
        *((h, u) for _, h, u, _ in FURTHER),
    ]
    first = [html.Th(n, scope="col", style={"textAlign": "left"}) for n in ("Particle", "State")]
    head = html.Thead(html.Tr([*first, *(_heading(h, u) for h, u in heads), html.Th("Said", scope="col", style={"textAlign": "left"})]))
    rows = [r for i in measured.shown for r in _particle_rows(i, by_id[i.id], further.get(i.id, {}), query)]
    note = f"Ratio: cracks over envelope. Range: limits of the detector a fifth lower and a quarter higher. {_origin(measured)}"
    return Drawn([_table(head, rows), _foot(note, "cracks.volume", query), *problems(merged(measured, isolated, sloped).problems)], waiting)


def _particle_rows(item: Labelled, specimen: Specimen, further: Mapping[str, Scalar], query: Query) -> list[Component]:
    ds, found = item.data, scalars(item.data)
    several = ds.sizes["particle_row"] > 1
    ratio, limit = found["crack_volume_ratio"], found["detection_limit"]
    shown: list[Cell] = [_ratio(item, ratio), [_range(ratio)], [_number(limit.value, 100.0, 2)]]
    own = {n: _of_all(item, n) if several else ds[n].values[0] for n, *_ in OWN}
    shown += [[_number(own[n], factor, digits)] for n, _, _, factor, digits in OWN]
    shown += [_further(name, further.get(name), factor) for name, _, _, factor in FURTHER]
    cells = [html.Td(c, className="number") for c in shown]
    rows: list[Component] = [
        html.Tr([_name(specimen, query), html.Td(specimen.source.state or "–"), *cells, html.Td(_said(item), className="said")])
    ]
    for k in range(ds.sizes["particle_row"]) if several else ():
        single: list[Cell] = [[_number(ds["ratio"].values[k], 100.0, 3)], ["–"], ["–"]]
        single += [[_number(ds[n].values[k], factor, digits)] for n, _, _, factor, digits in OWN]
        single += [["–"]] * len(FURTHER)
        name = html.Th(f"particle {int(ds['particle'].values[k])}", scope="row", className="cell-name sub-row")
        cut = ["cut by the border"] if ds["cut"].values[k] else []
        rows.append(html.Tr([name, html.Td(""), *(html.Td(c, className="number") for c in single), html.Td(cut, className="said")]))
    return rows


def _of_all(item: Labelled, name: str) -> Any:
    """A quantity of all particles of a volume together, where it is told."""
    names = {"cracks": "n_cracks", "largest_fraction": "largest_crack_fraction", "surface_fraction": "surface_connected_fraction"}
    found = scalars(item.data).get(names.get(name, name))
    return found.value if found is not None else None


def _name(specimen: Specimen, query: Query) -> Component:
    m = specimen.source
    swatch = html.Span(className="swatch", style={"background": style().color(m.group or "")})
    kept = {n: v for n, v in query.items() if n not in ("tab", "off")}
    link = html.A(
        legend_name(particle_name(m), m.origin), href=href("/cracks", {**kept, "tab": "view", "particle": specimen.id}), className="link"
    )
    return html.Th([swatch, " ", link], scope="row", className="cell-name", title="Show it in 3D")


def _ratio(item: Labelled, ratio: Scalar) -> Cell:
    if not isinstance(ratio.value, int | float):
        return ["–"]
    return ["< LOD ", html.Small(f"({_number(ratio.value, 100.0, 2)})")] if below(item) else [_number(ratio.value, 100.0, 3)]


def _range(ratio: Scalar) -> str:
    return f"{_number(ratio.low, 100.0, 3)} … {_number(ratio.high, 100.0, 3)}" if ratio.low is not None and ratio.high is not None else "–"


def _further(name: str, scalar: Scalar | None, factor: float) -> Cell:
    if scalar is None or not isinstance(scalar.value, int | float):
        return ["–"]
    if name == "slope" and scalar.low is not None and scalar.high is not None:
        return [within(scalar.value, scalar.low, scalar.high), html.Small(f" [{between(scalar.low, scalar.high)}]")]
    return [_number(scalar.value, factor, 3)]


def _said(item: Labelled) -> str:
    """What must be known of one particle, in few words."""
    found, ds = scalars(item.data), item.data
    cut, crack = int((ds["cut"].values != 0).sum()), found["crack_volume"].value
    said = []
    if cut:
        counted = int(found["n_particles"].value or 0)  # type: ignore[arg-type]
        said.append("cut by the border: no ratio" if not counted else f"{cut} cut by the border, left out")
    if crack == 0 and found["crack_volume_ratio"].value is not None:
        said.append("no cracks")
    if ds.sizes["particle_row"] > 1:
        said.append(f"{ds.sizes['particle_row']} particles, all together")
    return "; ".join(said)


# -- groups --------------------------------------------------------------------------------------------------------------------


def lines(query: Query) -> tuple[list[Line], Items]:
    """The groups in numbers, and the results that they stand on."""
    steps = {"measures": view.measures(query), "domains": view.domains(query), "profiles": view.profiles(query)}
    sets = {name: group_sets(items, query) for name, items in steps.items()}
    return summary(sets, view.groups(query)), merged(*steps.values())


def groups(query: Query) -> Drawn:
    """A row for each quantity: mean of both groups with interval and n, and the difference."""
    found, items = lines(query)
    if not found:
        return Drawn(_none("Numbers follow when particles are measured."), bool(items.waiting))
    pair = view.groups(query)
    heads = [
        html.Th([html.Span(className="swatch", style={"background": style().color(g)}), f" {workspace().group_title(g)}"]) for g in pair
    ]
    difference = [html.Th(f"{pair[1]} − {pair[0]}")] if len(pair) == 2 else []
    head = html.Thead(html.Tr([html.Th("Mean over particles", scope="col"), *heads, *difference]))
    rows = [html.Tr([_quantity(line), *(_mean(i, c) for _, i, c in line.groups), *_effect(line.effect, pair)]) for line in found]
    note = (
        "Brackets: 95 % over particles (Student); differences by Hodges–Lehmann or Welch at the level that is stated, the range of all "
        f"single differences below three particles a side. Particles of one cell are not independent. {_origin(items)}"
    )
    link = html.A("Download CSV", href=f"/cracks-export/groups.csv?{urlencode(dict(query))}", className="link")
    foot = dmc.Group([dmc.Text(note, size="xs", c="dimmed"), link], justify="space-between", className="table-foot", wrap="nowrap")
    return Drawn([_table(head, rows), foot], bool(items.waiting))


def _quantity(line: Line) -> Component:
    unit = [html.Small(f"  {line.quantity.unit}")] if line.quantity.unit else []
    return html.Th([line.quantity.title, *unit], scope="row", className="cell-name")


def _mean(found: Interval, cells: int) -> Component:
    if not found.n:
        return html.Td("–", className="number")
    n = html.Small(f" n = {found.n} ({cells} cells)" if cells else f" n = {found.n}")
    if not np.isfinite(found.low):
        return html.Td([printed(found.value, 3), n], className="number")
    return html.Td([within(found.value, found.low, found.high), html.Small(f" [{between(found.low, found.high)}]"), n], className="number")


def _effect(effect: Effect | None, pair: Sequence[str]) -> list[Component]:
    if len(pair) < 2:
        return []
    if effect is None or not np.isfinite(effect.value):
        return [html.Td("–", className="number")]
    value = within(effect.value, effect.low, effect.high)
    level = f" {100 * effect.level:.3g} %" if effect.level is not None else " range"
    p = f", p = {effect.p:.2g}" if effect.p is not None else ""
    signed = value if value.startswith("−") else f"+{value}"
    return [html.Td([signed, html.Small(f" [{between(effect.low, effect.high)}]{level}{p}")], className="number")]


# -- domains -------------------------------------------------------------------------------------------------------------------


def domains(query: Query) -> Drawn:
    """A row for each isolated domain, the largest of each particle first; its name leads to the slices."""
    items = view.domains(query)
    by_id = {s.id: s for s in view.specimens(query)}
    rows = [_domain(i, k, by_id[i.id], query) for i in items.shown for k in range(i.data.sizes["domain_row"])]
    if not rows:
        said = "Domains follow when the cracks of a particle are found." if items.waiting else "No domain is cut off."
        return Drawn([_none(said), *problems(items.problems)], bool(items.waiting))
    heads = (("Volume", "µm³"), ("Of the solid", "%"), ("Contact", "µm²"), ("Kind", ""), ("Edge energy", "eV"), ("To main body", "eV"))
    left = [html.Th(n, scope="col", style={"textAlign": "left"}) for n in ("Domain", "State")]
    head = html.Thead(
        html.Tr([*left, *(_heading(h, u) for h, u in heads), _heading("Voxels", "with energy"), _heading("At z, y, x", "voxel")])
    )
    more = f" The first {MOST_DOMAINS} of {len(rows)} are listed." if len(rows) > MOST_DOMAINS else ""
    note = f"Enclosed by cracks, or detached with a part of the outer surface. Click one to see it in the slices.{more} {_origin(items)}"
    return Drawn([_table(head, rows[:MOST_DOMAINS]), _foot(note, "cracks.isolated", query), *problems(items.problems)], bool(items.waiting))


def _domain(item: Labelled, k: int, specimen: Specimen, query: Query) -> Component:
    ds = item.data
    own = {str(n): v.values[k] for n, v in ds.variables.items() if v.dims == ("domain_row",)}
    energies = [f"{own[n]:.3f}" if n in own and np.isfinite(own[n]) else "–" for n in ("edge_energy", "difference")]
    at = [int(own[f"at_{a}"]) for a in "zyx"]
    sizes = [_number(own["volume"], 1.0, 3), _number(own["fraction"], 100.0, 3), _number(own["contact"], 1.0, 3)]
    signed = energies[1] if energies[1].startswith(("-", "–")) else f"+{energies[1]}"
    count = printed(int(own["voxels_with_energy"])) if "voxels_with_energy" in own else "–"
    shown = [*sizes, str(own["kind"]), energies[0], signed.replace("-", "−"), count, ", ".join(map(str, at))]
    link = html.A(f"{particle_name(specimen.source)}, domain {int(own['domain'])}", href=place(specimen, item, at, query), className="link")
    name = html.Th(
        [html.Span(className="swatch", style={"background": style().color(item.group)}), " ", link], scope="row", className="cell-name"
    )
    return html.Tr([name, html.Td(specimen.source.state or "–"), *(html.Td(s, className="number") for s in shown)])


def place(specimen: Specimen, item: Labelled, at: Sequence[int], query: Query) -> str:
    """The slices through a voxel of a segmentation: of the chemistry where there is a map, else of the workbench."""
    if specimen.mapped is None:
        kept = {n: v for n, v in query.items() if n not in ("tab", "off", "particle")}
        return href("/cracks", {**kept, "tab": "workbench", "particle": specimen.id, "at": ".".join(map(str, at))})
    own = [item.data.sizes[d] for d in VOXEL]
    shape = [workspace().store.open(specimen.mapped.dataset_keys[0]).sizes[d] for d in VOXEL]
    on_map = [a * n // m for a, n, m in zip(at, shape, own, strict=True)]
    same = {n: query[n] for n in edge_maps.RECIPE if n in query}
    return href("/particle", {"particle": str(specimen.mapped.id), "at": ".".join(map(str, on_map)), **same})


# -- parts ---------------------------------------------------------------------------------------------------------------------


def _none(words: str) -> Component:
    return dmc.Text(words, size="sm", c="dimmed", p="sm")


def _number(value: Any, factor: float, digits: int) -> str:
    if not isinstance(value, int | float | np.integer | np.floating) or not np.isfinite(value):
        return "–"
    return printed(factor * float(value), digits)


def _heading(title: str, unit: str) -> Component:
    return html.Th([title, *([html.Br(), html.Small(unit)] if unit else [])], scope="col")


def _table(head: Component, rows: Sequence[Component]) -> Component:
    return html.Div(html.Table([head, html.Tbody(list(rows))], className="scalars"), className="scroll")


def _foot(note: str, figure: str, query: Query) -> Component:
    link = html.A("Download CSV", href=f"/export/{figure}.csv?{urlencode(dict(query))}", className="link")
    return dmc.Group([dmc.Text(note, size="xs", c="dimmed"), link], justify="space-between", className="table-foot", wrap="nowrap")


def _origin(items: Items) -> str:
    origin = origin_note({i.origin for i in items.shown})
    return f"{origin[:1].upper()}{origin[1:]}." if origin else ""


register(Panel(PARTICLES, READS, particles), Panel(GROUPS, READS, groups), Panel(DOMAINS, READS, domains))
