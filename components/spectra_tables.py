"""Tables of the spectra page: group against group, areas by sample, edges, combinations; each number with its interval and n."""

from collections.abc import Sequence
from dataclasses import replace

import dash_mantine_components as dmc
import numpy as np
import xarray as xr
from dash import html
from dash.development.base_component import Component

from analysis.core.data import warnings_of
from analysis.core.numerics.statistics import Interval
from analysis.core.registry import Labelled
from analysis.spectra.effects import AreaEffect, AreaRow, area_effects, area_rows
from components import spectra_mixtures, spectra_recipe, spectra_view
from components.context import style
from components.numbers import between, printed, with_spread, within
from components.results import merged
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
    note = (
        f"{_all_synthetic(items.shown)}Area of {peak} / eV (on an edge step of 1). Means with {LEVEL:.0%} intervals over cells; "
        f"difference by Welch. {len(found)} comparisons; nothing is called significant below 5 cells a side."
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


def fit(query: Query) -> Table:
    """Centre, area, height and width of every peak of the drawn fit."""
    items = spectra_view.fit_of_one(query)
    if not items.shown:
        return [], items
    ds = items.shown[0].data
    level = float(ds.attrs.get("level", LEVEL))
    rows = [_peak_row(ds, k) for k in range(ds.sizes["peak"])]
    r_factor, step = float(ds["r_factor"].values[0]), float(ds["step_height"].values[0])
    window = float(ds["feature_height"].values[0])
    note = (
        f"{items.shown[0].label} ({items.shown[0].origin}). Areas with {level:.0%} intervals: scatter of the points and error of the edge "
        f"step. Step {printed(step, 3)}, R factor {printed(r_factor, 2)}; at {ds.attrs.get('feature')} the mean is {printed(window, 3)}."
    )
    head = ("Peak", "Centre / eV", "Area / eV", "Height / 1")
    return [table(head, rows), _said(note)], Items(problems=items.problems, waiting=items.waiting)


def _peak_row(ds: xr.Dataset, k: int) -> Component:
    value = {n: float(ds[n].values[k]) for n in ("center", "center_std", "area", "area_low", "area_high", "height", "height_std", "sigma")}
    flag = str(ds["flags"].values[k])
    area: list[Component | str] = [
        within(value["area"], value["area_low"], value["area_high"]),
        html.Br(),
        html.Small(between(value["area_low"], value["area_high"])),
    ]
    cells: list[list[Component | str]] = [
        _spread(value["center"], value["center_std"]) if np.isfinite(value["center_std"]) else [f"{value['center']:.2f}"],
        [*area, *([html.Br(), html.Small(flag, className="worse")] if flag else [])],
        _spread(value["height"], value["height_std"]),
    ]
    name = html.Th(str(ds["peak_name"].values[k]), scope="row", title=f"Gaussian σ {value['sigma']:.2f} eV")
    return html.Tr([name, *(html.Td(c, className="number") for c in cells)])


def _spread(value: float, std: float) -> list[Component | str]:
    """A value, and its standard deviation below it."""
    whole = with_spread(value, std).partition(" ± ")
    return [whole[0], html.Br(), html.Small(f"± {whole[2]}")] if whole[2] else [whole[0]]


def areas(query: Query) -> Table:
    """The area of every peak of every sample, with its interval."""
    items = spectra_view.areas(query)
    if not items.shown:
        return [], items
    peaks = list(dict.fromkeys(items.shown[0].data["peak_name"].values.astype(str).tolist()))
    mixed = not _all_synthetic(items.shown)
    rows = [_sample_row(i, [area_rows(i, p) for p in peaks], mixed=mixed) for i in items.shown]
    level = float(items.shown[0].data.attrs.get("level", LEVEL))
    note = (
        f"{_all_synthetic(items.shown)}Areas on an edge step of 1, with {level:.0%} intervals of the fit. A flag says that a parameter is "
        "at its bound."
    )
    return [table(("Sample", *(f"{p} / eV" for p in peaks)), rows), _said(note)], Items(problems=items.problems, waiting=items.waiting)


def _all_synthetic(items: Sequence[Labelled]) -> str:
    """What the note of a table begins with where every row of it is synthetic; "" where they are not, and rows say it of themselves."""
    return "Synthetic data. " if {i.origin for i in items} == {"synthetic"} else ""


def _synthetic(item: Labelled, mixed: bool) -> list[Component | str]:
    return [" ", html.Small("synthetic")] if mixed and item.origin == "synthetic" else []


def _sample_row(item: Labelled, found: Sequence[Sequence[AreaRow]], *, mixed: bool) -> Component:
    name = html.Th([swatch(item.group), " ", item.label, *_synthetic(item, mixed)], scope="row", className="cell-name")
    return html.Tr([name, *(html.Td([part for r in rows for part in _area(r)], className="number") for rows in found)])


def _area(found: AreaRow) -> list[Component | str]:
    flag: list[Component | str] = [html.Br(), html.Small(found.flags, className="worse")] if found.flags else []
    return [within(found.area, found.low, found.high), html.Br(), html.Small(between(found.low, found.high)), *flag]


def _area_in_line(found: AreaRow) -> list[Component | str]:
    """The same in one line, where a table has a row for each of many samples."""
    flag: list[Component | str] = [html.Small(f", {found.flags}", className="worse")] if found.flags else []
    return [within(found.area, found.low, found.high), html.Small(f" [{between(found.low, found.high)}]"), *flag]


def fractions(query: Query) -> Table:
    """Fractions of the reported fit, with their intervals."""
    items = spectra_mixtures.fit(query)
    if not items.shown:
        return [], items
    ds = items.shown[0].data
    level = float(ds.attrs.get("level", LEVEL))
    rows = [_fraction_row(ds, k) for k in range(ds.sizes["reference"])]
    shift = float(ds.attrs["shift"])
    note = (
        f"{ds.attrs['unknown']}: R factor {printed(float(ds.attrs['r_factor']), 3)}, references shifted by {shift:+.2f} eV, "
        f"{float(ds.attrs['independent_points']):.0f} independent points (range over core-hole width). Intervals {level:.0%}."
    )
    said = [dmc.Text(w, size="xs", c="orange") for w in warnings_of(ds) if not w.startswith("Uncorrected")]
    return [table(("Reference", "Fraction / 1"), rows), _said(note), *said], Items(problems=items.problems, waiting=items.waiting)


def _fraction_row(ds: xr.Dataset, k: int) -> Component:
    return html.Tr([html.Th(str(ds["reference"].values[k]), scope="row"), html.Td(_fraction(ds, k), className="number")])


def _fraction(ds: xr.Dataset, k: int) -> list[Component | str]:
    """A fraction with its interval; a reference that is not in the fit has none."""
    value, std, low, high = (float(ds[n].values[k]) for n in ("weight", "weight_std", "weight_low", "weight_high"))
    if value == 0 or not np.isfinite(std):
        return ["0"]
    if std == 0:  # the only reference of a sum that is one
        return [printed(value, 3)]
    return [within(value, low, high), html.Br(), html.Small(between(low, high))]


def mixtures(query: Query) -> Table:
    """The same mixture of every sample: a row each, a column for each reference."""
    items = spectra_mixtures.fits(query)
    if not items.shown:
        return [], items
    references = items.shown[0].data["reference"].values.astype(str).tolist()
    level = float(items.shown[0].data.attrs.get("level", LEVEL))
    mixed = not _all_synthetic(items.shown)
    rows = [_mixture_row(i, mixed=mixed) for i in items.shown]
    note = (
        f"{_all_synthetic(items.shown)}Every sample by the same references and rules, each with the fit that the F-test allows; intervals "
        f"{level:.0%}; 0: not in the fit. References as samples are left out."
    )
    head = ("Sample", *(f"{r} / 1" for r in references), "R factor", "Shift / eV")
    return [table(head, rows), _said(note)], Items(problems=items.problems, waiting=items.waiting)


def _mixture_row(item: Labelled, *, mixed: bool) -> Component:
    ds = item.data
    name = html.Th([swatch(item.group), " ", item.label, *_synthetic(item, mixed)], scope="row", className="cell-name")
    shift = f"{round(float(ds['shift'].values[0]), 2) + 0.0:+.2f}".replace("-", "−")
    cells = [*(_fraction(ds, k) for k in range(ds.sizes["row"])), printed(float(ds["r_factor"].values[0]), 3), shift]
    return html.Tr([name, *(html.Td(c, className="number") for c in cells)])


def combinations(query: Query) -> Table:
    """All combinations, the best first, with the F-test of each against the best."""
    items = spectra_mixtures.fit(query)
    if not items.shown:
        return [], items
    ds = items.shown[0].data
    used = {str(n) for n, w in zip(ds["reference"].values.astype(str), ds["weight"].values, strict=True) if w != 0}
    rows = [_combination_row(ds, k, used) for k in range(ds.sizes["combination"])]
    note = (
        "p: that the best fit is better by chance alone (F-test with independent points); – where it has no more references. Bold: the "
        "fit that is reported, as small as the test allows."
    )
    return [table(("References", "R factor", "p"), rows), _said(note)], Items(waiting=items.waiting)


def _combination_row(ds: xr.Dataset, k: int, used: set[str]) -> Component:
    label = str(ds["combination"].values[k])
    name: Component | str = html.Strong(label) if set(label.split(" + ")) == used else label
    p = float(ds["combination_p"].values[k])
    cells = [
        f"{float(ds['combination_r_factor'].values[k]):.3g}",
        "best" if k == 0 else "–" if not np.isfinite(p) else "< 0.001" if p < 1e-3 else f"{p:.3f}",
    ]
    return html.Tr([html.Th(name, scope="row"), *(html.Td(c, className="number") for c in cells)])


def edges(query: Query) -> Table:
    """Every sample with the numbers of its processing: one recipe, one row each."""
    items = spectra_view.everyone(query)
    if not items.shown:
        return [], items
    fitted = spectra_view.fitted(query, items)
    fits = {i.label: i for i in fitted.shown}
    feature = query.get("feature") or spectra_view.FEATURE
    mixed = not _all_synthetic(items.shown)
    rows = [_edge_row(i, k, fits.get(i.label), feature, mixed=mixed) for i in items.shown for k in range(i.data.sizes["spectrum"])]
    head = (
        "Sample",
        "Shift / eV",
        "E0 / eV",
        "Half step / eV",
        "Steepest / eV",
        "Inflection / eV",
        "White line / eV",
        "Height / 1",
        "Edge step / 1",
        "Noise / 1",
        f"{feature} / eV",
    )
    found = spectra_recipe.sentence(query)
    note = (
        f"{_all_synthetic(items.shown)}{found} E0 is that of the recipe; the other energies are what each definition finds. Height and "
        f"noise on an edge step of 1. Areas with {LEVEL:.0%} intervals."
    )
    said = dict.fromkeys(w for i in items.shown for w in warnings_of(i.data))
    return [table(head, rows), _said(note), *(dmc.Text(w, size="xs", c="orange") for w in said)], merged(
        replace(items, shown=()), replace(fitted, shown=())
    )


def _edge_row(item: Labelled, k: int, fit: Labelled | None, feature: str, *, mixed: bool) -> Component:
    ds = item.data
    value = {n: float(ds[n].values[k]) for n in ("e0", "half_step", "max_slope", "inflection", "white_line", "white_line_height", "noise")}
    step, std = float(ds["edge_step"].values[k]), float(ds["edge_step_std"].values[k])
    shift = float(ds["energy_shift"].values[k]) if "energy_shift" in ds else 0.0
    energies = [f"{value[n]:.2f}" if np.isfinite(value[n]) else "–" for n in ("e0", "half_step", "max_slope", "inflection", "white_line")]
    area = [part for r in area_rows(fit, feature) for part in _area_in_line(r)] if fit else ["–"]
    cells = [
        f"{shift:+.2f}".replace("-", "−"),
        *energies,
        printed(value["white_line_height"], 3),
        with_spread(step, std),
        printed(value["noise"], 2),
    ]
    name = html.Th([swatch(item.group), " ", str(ds["name"].values[k]), *_synthetic(item, mixed)], scope="row", className="cell-name")
    return html.Tr([name, *(html.Td(c, className="number") for c in cells), html.Td(area, className="number")])


def table(head: Sequence[str], rows: Sequence[Component]) -> Component:
    return html.Table(
        [html.Thead(html.Tr([html.Th(h, scope="col") for h in head])), html.Tbody(list(rows))],
        className="scalars",
    )


def _said(text: str) -> Component:
    return dmc.Text(text, size="xs", c="dimmed", py=4)


def swatch(group: str) -> Component:
    return html.Span(className="swatch", style={"background": style().color(group)})
