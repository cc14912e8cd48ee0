"""The cycling page's views: which results of which cells stand behind each figure, as the address says."""

import re
from collections.abc import Mapping
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.registry import Labelled
from analysis.core.run import Request
from components.context import workspace
from components.results import merged, obtain, results
from components.views import Items, Query, View, listed, numbers, register

FIRST_AND_HUNDREDTH = "1,100"
CHOICE = ("ref", "cmp", "excluded", "test")  # which measurements
RATE_TEST = "rate"  # a test whose name contains this word is shown in the rate figure
CURVE_POINTS = 300  # drawn for each half cycle: two for each pixel of a card; the CSV has them all
COMMON = ("pairing", "capacity_source", "formation_cycles")  # parameters that all recipes of the page share


def groups(query: Query) -> tuple[str, ...]:
    """The groups that the address compares: reference first, the other unless it is 'none' or the same."""
    ref, cmp = workspace().default_pair()
    chosen = (query.get("ref", ref), query.get("cmp", cmp))
    return tuple(dict.fromkeys(g for g in chosen if g and g != "none"))


def measurements(query: Query, *, rate: bool = False, off: bool = False) -> list[MeasurementRecord]:
    """The chosen groups' cycling measurements, one test a cell: the named one, else its first that is no rate test."""
    wanted, test = groups(query), query.get("test", "")
    gone = set(listed(query, "off")) if off else set()
    found: dict[int, MeasurementRecord] = {}
    for m in workspace().snapshot().measurements:
        if m.modality != "cycling" or m.group not in wanted or str(m.cell_id) in gone:
            continue
        if m.excluded and query.get("excluded") != "shown":
            continue
        name = (m.part_of or "").lower()
        fits = RATE_TEST in name if rate else (name == test.lower() if test else RATE_TEST not in name)
        if fits:
            found.setdefault(m.cell_id, m)
    return sorted(found.values(), key=lambda m: (wanted.index(m.group or ""), m.cell))


def tests() -> list[str]:
    """Names of all cycling tests, in the order of their import."""
    return list(dict.fromkeys(m.part_of for m in workspace().snapshot().measurements if m.modality == "cycling" and m.part_of))


def parameters(recipe_id: str, query: Query, **more: Any) -> dict[str, Any]:
    """The page's parameters, as far as this recipe knows them."""
    fields = workspace().registry.recipe(recipe_id).params.model_fields
    given: Mapping[str, Any] = {**{n: query[n] for n in COMMON if query.get(n)}, **more}
    return {n: v for n, v in given.items() if n in fields}


def _of(recipe_id: str, query: Query, *, rate: bool = False, off: bool = False, **more: Any) -> Items:
    return results(recipe_id, measurements(query, rate=rate, off=off), parameters(recipe_id, query, **more))


def summaries(query: Query) -> Items:
    """Per-cycle results of every chosen cell."""
    return _of("cycling.summary", query)


def _visible_summaries(query: Query) -> Items:
    return _of("cycling.summary", query, off=True)


def _with_pooled(query: Query) -> Items:
    """The cells that are switched on, and what their groups have in common."""
    cells = _visible_summaries(query)
    if not cells.shown:
        return cells
    request = Request(
        recipe="cycling.pooled", inputs={"cells": tuple(i.key for i in cells.shown)}, params={"groups": [i.group for i in cells.shown]}
    )
    key, status = obtain(request, title="Mean of each group")
    if key is None:
        return merged(cells, Items(waiting=(status,) if status else ()))
    origin = "synthetic" if any(i.origin == "synthetic" for i in cells.shown) else "measured"
    pooled = Labelled(workspace().store.open(key), label="group mean", origin=origin, key=key)
    return merged(cells, Items(shown=(pooled,)))


def _profiles(query: Query) -> Items:
    return _of("cycling.profile", query, cycles=numbers(query, "cycles", FIRST_AND_HUNDREDTH))


def _derivatives(query: Query) -> Items:
    return _of("cycling.dqdv", query, cycles=numbers(query, "cycles", FIRST_AND_HUNDREDTH))


def _rates(query: Query) -> Items:
    tested = _of("cycling.rates", query, rate=True)
    return tested if tested.shown or tested.waiting else _of("cycling.rates", query)


def _trace(query: Query) -> Items:
    found = measurements(query)
    chosen = [m for m in found if str(m.cell_id) == query.get("cell")] or found[:1]
    return results("cycling.trace", chosen, {n: 3600.0 * h for n, h in _stretch(query).items()})


def _stretch(query: Query) -> dict[str, float]:
    """The zoomed stretch of test time, in h."""
    return {n: float(query[n]) for n in ("start", "end") if re.fullmatch(r"-?\d+(\.\d+)?", query.get(n, ""))}


def _cycle_axis(query: Query) -> dict[str, Any]:
    return {"x": query.get("x", "absolute"), "selected": numbers(query, "cycles", FIRST_AND_HUNDREDTH)}


def _derivative_axes(query: Query) -> dict[str, Any]:
    return {"scale": query.get("scale", "cell"), "show_peaks": query.get("peaks") == "marked", "points": CURVE_POINTS}


register(
    View(
        "cycling.capacity",
        "Discharge capacity and coulombic efficiency",
        (*CHOICE, *COMMON, "x", "cycles"),
        summaries,
        _cycle_axis,
        hint="Click a cycle to see its profile and dQ/dV.",
    ),
    View("cycling.retention", "Capacity retention", (*CHOICE, *COMMON, "x", "off"), _with_pooled, lambda q: {"x": q.get("x", "absolute")}),
    View(
        "cycling.profiles",
        "Charge and discharge profiles",
        (*CHOICE, *COMMON, "cycles", "scale", "sides"),
        _profiles,
        lambda q: {"scale": q.get("scale", "cell"), "side_by_side": q.get("sides") == "beside", "points": CURVE_POINTS},
    ),
    View(
        "cycling.dqdv", "dQ/dV", (*CHOICE, *COMMON, "cycles", "scale", "peaks"), _derivatives, lambda q: {"scale": q.get("scale", "cell")}
    ),
    View("cycling.dvdq", "dV/dQ", (*CHOICE, *COMMON, "cycles"), _derivatives),
    View("cycling.rate", "Rate capability", (*CHOICE, *COMMON), _rates),
    View(
        "cycling.quantity",
        "Per cycle",
        (*CHOICE, *COMMON, "x", "quantity", "cycles"),
        summaries,
        lambda q: {"quantity": q.get("quantity", "hysteresis"), **_cycle_axis(q)},
    ),
    View(
        "cycling.summary_bars",
        "Comparison",
        (*CHOICE, *COMMON, "scalar", "off"),
        _visible_summaries,
        lambda q: {"scalar": q.get("scalar", "retention")},
    ),
    View(
        "cycling.trace",
        "Voltage and current",
        (*CHOICE, "cell", "start", "end"),
        _trace,
        lambda q: {f"{n}_h": h for n, h in _stretch(q).items()},
    ),
)
