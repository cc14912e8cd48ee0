"""Where the values of a comparison come from: the stored results of the chosen groups' cells, whatever page made them first.

results of every modality → one table of values (``compare.values``) → scorecard, correlations, figures

Measurements that are excluded are in the table, marked; what is made of it leaves them out unless the address says otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.errors import UserError
from analysis.core.registry import Labelled
from analysis.core.run import Request
from components import compare_cracks, cycling_view, distributions_view, spectra_samples, spectra_view
from components.context import workspace
from components.results import merged, obtain
from components.views import Items, Query

AT_CYCLE = "100"
CHOICE = ("ref", "cmp", "excluded", "test", "at", "by")  # of the address: what a comparison depends on
TABLES = "scalars"


@dataclass(frozen=True)
class Source:
    """Keys of results and what each is of, for one or more inputs of ``compare.values``; and what is not there yet."""

    inputs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    items: Items = field(default_factory=Items)


def groups(query: Query) -> tuple[str, ...]:
    """The compared groups: reference first; one where nothing, or the same, is chosen beside it."""
    return cycling_view.groups(query)


def at_cycle(query: Query) -> int:
    """The cycle whose capacity is compared."""
    text = query.get("at", "").strip()
    return int(text) if text.isdigit() and len(text) < 7 else int(AT_CYCLE)


def every(query: Query) -> dict[str, str]:
    """The address with every measurement of both groups, in an order that does not depend on which is the reference.

    What other pages choose (recipes of spectra or maps) is not carried over: a comparison uses the defaults of each page.
    """
    pair = sorted(groups(query))
    found = {"ref": pair[0] if pair else "none", "cmp": pair[1] if len(pair) > 1 else "none", "excluded": "shown"}
    return {**found, **({"test": query["test"]} if query.get("test") else {})}


def unit(m: MeasurementRecord, *, cycle: int | None = None, **more: Any) -> dict[str, Any]:
    """What a result of a measurement is of."""
    made = {
        "cell": m.cell,
        "group": m.group or "",
        "particle": m.particle or "",
        "state": m.state or "",
        "cycle": m.cycle_number if cycle is None else cycle,
        "excluded": m.excluded_because or "",
        "origin": m.origin,
    }
    return {**made, **more}


def values(query: Query) -> Items:
    """The table of values of the chosen groups: of every modality whose results are complete; the others are waited for."""
    together = every(query)
    found = [_guarded(name, make, together) for name, make in SOURCES.items()]
    waiting = replace(merged(*(s.items for s in found)), shown=())
    complete = [s for s in found if not s.items.waiting]
    inputs = {n: keys for s in complete for n, keys in s.inputs.items() if keys}
    if not inputs:
        return waiting
    params: dict[str, Any] = {n: u for s in complete for n, u in s.units.items() if u}
    request = Request(recipe="compare.values", inputs=dict(inputs), params={**params, "at_cycle": at_cycle(query)})
    key, status = obtain(request, title="Values of all metrics")
    if key is None:
        return merged(waiting, Items(waiting=(status,) if status else ()))
    return replace(waiting, shown=(labelled(key, "values"),))


def labelled(key: str, label: str) -> Labelled:
    """A result of both groups as figures take it; synthetic where anything in it is."""
    return Labelled(workspace().store.open(key), label=label, origin=origin(), key=key)


def origin() -> str:
    return "synthetic" if "synthetic" in workspace().origins() else "measured"


def _guarded(name: str, make: Callable[[Query], Source], query: Query) -> Source:
    """One modality's trouble is said and does not hide the others."""
    try:
        return make(query)
    except UserError as err:
        return Source(items=Items(problems=((name, str(err)),)))


def _cycling(query: Query) -> Source:
    found = cycling_view.summaries(query)
    by_cell = {str(m.cell_id): m for m in cycling_view.measurements(query)}
    shown = sorted(found.shown, key=lambda i: i.label)
    units = [unit(by_cell[i.id]) for i in shown]
    return Source({"cycles": _keys(shown)}, {"cycles": units}, replace(found, shown=()))


def _edges(query: Query) -> Source:
    found = distributions_view.distributions(query)
    by_id = {str(m.id): m for m in distributions_view.measurements(query)}
    shown = sorted(found.shown, key=lambda i: int(i.id))
    return Source({"edges": _keys(shown)}, {"edges": [unit(by_id[i.id]) for i in shown]}, replace(found, shown=()))


def _peaks(query: Query) -> Source:
    """All spectra of both groups in one peak fit; a sample is known by its name in it."""
    wanted = {**query, "edge": "S K"}
    chosen = spectra_samples.samples(wanted)
    if spectra_samples.edge(wanted) != "S K" or not chosen:
        return Source()
    found = spectra_view.areas(wanted)
    by_name = dict(zip(spectra_view.labels(chosen), chosen, strict=True))
    units = []
    for i in found.shown:
        names = sorted(set(i.data["spectrum_name"].values.astype(str).tolist()))
        units.append(unit(by_name[i.label], spectra=names, result=0))
    keys = tuple(dict.fromkeys(i.key for i in found.shown))
    return Source({"peaks": keys}, {"peaks": units}, replace(found, shown=()))


def _tables(query: Query) -> Source:
    """Imported tables of own scalars: their rows find their cells by name."""
    keys = [k for m in tables() for k in m.dataset_keys]
    named = sorted(groups(query))
    cells = [c for c in workspace().snapshot().cells if c.group in named]
    units = [{"cell": c.name, "group": c.group or "", "excluded": c.excluded_reason or "", "origin": _of_tables()} for c in cells]
    return Source({"tables": tuple(keys)}, {"cells": units if keys else []})


def tables() -> list[MeasurementRecord]:
    """Measurements that are tables of own scalars."""
    return [m for m in workspace().snapshot().measurements if m.modality == TABLES and m.dataset_keys and not m.excluded]


def _of_tables() -> str:
    return "synthetic" if any(m.origin == "synthetic" for m in tables()) else "measured"


def _cracks(query: Query) -> Source:
    """Cracks, isolated domains and slopes of every particle of both groups."""
    found = compare_cracks.results(query, groups(query))
    inputs = {part.input: _keys(part.shown) for part in found.parts}
    units = {part.input: [unit(m) for m in part.measurements] for part in found.parts}
    return Source(inputs, units, found.items)


def _keys(items: Iterable[Labelled]) -> tuple[str, ...]:
    return tuple(i.key for i in items)


SOURCES: Mapping[str, Callable[[Query], Source]] = {
    "Cycling": _cycling,
    "Edge energies": _edges,
    "Cracks": _cracks,
    "Peak areas": _peaks,
    "Own scalars": _tables,
}


def modalities(of: Sequence[str]) -> dict[str, int]:
    """How many measurements of each modality some groups have."""
    counts: dict[str, int] = {}
    for m in workspace().snapshot().measurements:
        if m.group in of:
            counts[str(m.modality)] = counts.get(str(m.modality), 0) + 1
    return counts
