"""Results of cells and particles as one long table: a row a metric and unit, each with the result that it is read from."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.compare.metrics import METRICS, OWN, Metric, bridging_area, capacity_at
from analysis.core.data import Scalar, Schema, Var, table, warn
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params

ROW = ("row",)
TEXT = (
    "metric",
    "title",
    "unit",
    "modality",
    "level",
    "better",
    "cell",
    "group",
    "particle",
    "state",
    "of",
    "excluded",
    "origin",
    "source",
)
NUMBERS = ("value", "std", "low", "high", "confidence", "n", "cycle")
TITLES = {
    "metric": "Metric",
    "title": "Title",
    "unit": "Unit",
    "modality": "Modality",
    "level": "Replicate",
    "better": "Better",
    "cell": "Cell",
    "group": "Group",
    "particle": "Particle",
    "state": "State",
    "cycle": "Cycle",
    "value": "Value, in the unit of its row",
    "std": "Standard deviation",
    "low": "Lower limit",
    "high": "Upper limit",
    "confidence": "Level of the interval",
    "n": "Number within the unit",
    "of": "What it counts",
    "excluded": "Excluded because",
    "origin": "Origin",
    "source": "Input",
}
# Numbers of several units in one column: the unit stands beside each value.
VALUES = Schema("compare.values", {n: Var(ROW, "", title=TITLES[n]) for n in (*TEXT, *NUMBERS)})


class Unit(Params):
    """What one result is of: a cell, and where it has them a particle, state and cycle."""

    cell: str = Field(title="Cell")
    group: str = Field("", title="Group")
    particle: str = Field("", title="Particle")
    state: str = Field("", title="State")
    cycle: int | None = Field(None, title="Cycle")
    excluded: str = Field("", title="Excluded because")
    origin: Literal["measured", "synthetic"] = Field("measured", title="Origin")
    spectra: tuple[str, ...] = Field((), title="Spectra of this sample in the result")
    result: int = Field(0, ge=0, title="Which of the results holds it (peak fits)")


class ValuesParams(Params):
    """What each result is of, in the order of the results; ``cells`` are those that tables of own scalars may name."""

    at_cycle: int = Field(100, ge=0, title="Cycle of the capacity")
    cycles: tuple[Unit, ...] = Field((), title="Cells of the cycle tables")
    edges: tuple[Unit, ...] = Field((), title="Particles of the edge-energy distributions")
    cracks: tuple[Unit, ...] = Field((), title="Particles of the crack measurements")
    domains: tuple[Unit, ...] = Field((), title="Particles of the isolated domains")
    profiles: tuple[Unit, ...] = Field((), title="Particles of the distance profiles")
    peaks: tuple[Unit, ...] = Field((), title="Samples of the peak fits")
    cells: tuple[Unit, ...] = Field((), title="Cells that own scalars may be of")


@dataclass(frozen=True)
class Value:
    """One number of one unit."""

    metric: Metric
    unit: Unit
    scalar: Scalar
    source: str
    cycle: int | None = None


def values(params: ValuesParams, sources: Mapping[str, Sequence[xr.Dataset]]) -> xr.Dataset:
    """Every metric of every unit; shape (row,). A number that a result does not have is no row.

    Raises
    ------
    ParamError
        There are not as many units as results.
    DataError
        No result holds any metric.
    """
    found: list[Value] = []
    for name in ("cycles", "edges", "cracks", "domains", "profiles"):
        found += _single(name, sources.get(name, ()), getattr(params, name), params.at_cycle)
    found += _peaks(sources.get("peaks", ()), params.peaks)
    own, said = _own(sources.get("tables", ()), {u.cell: u for u in params.cells})
    found += own
    if not found:
        raise DataError(
            "None of the results holds a number to compare.", hint="Give cycle tables, distributions, peak fits or own scalars."
        )
    kept, mixed = _one_unit(found)
    return warn(_table(kept), *said, *mixed)


def _single(name: str, results: Sequence[xr.Dataset], units: Sequence[Unit], at_cycle: int) -> Iterator[Value]:
    """Metrics of results that are of one cell or particle each."""
    if len(results) != len(units):
        raise ParamError(
            f"{len(results)} results of '{name}' are said to be of {len(units)} units.", hint="Name one unit for each, in order."
        )
    wanted = [m for m in METRICS if m.source == name and m.difference is None]
    for k, (ds, unit) in enumerate(zip(results, units, strict=True)):
        for metric in wanted:
            if metric.state and metric.state != unit.state:
                continue
            is_capacity = metric.id == "cycling.capacity_at"
            number = capacity_at(ds, at_cycle) if is_capacity else metric.find(ds)
            if number is not None:
                titled = _titled(metric, at_cycle) if is_capacity else metric
                yield Value(titled, unit, number, f"{name} {k + 1}", _cycle(metric, unit, ds, at_cycle))


def _titled(metric: Metric, at_cycle: int) -> Metric:
    return Metric(metric.id, f"Capacity at cycle {at_cycle}", metric.modality, metric.source, metric.level, metric.better, metric.find)


def _cycle(metric: Metric, unit: Unit, ds: xr.Dataset, at_cycle: int) -> int | None:
    """The cycle that a number speaks of; None where it speaks of a whole test."""
    if metric.id == "cycling.capacity_at":
        return at_cycle
    if metric.id == "cycling.initial_capacity":
        return ds.attrs.get("reference_cycle")
    if metric.id == "cycling.retention":
        return int(np.max(ds["cycle"].values)) if ds.sizes.get("cycle") else None
    return None if metric.source == "cycles" else unit.cycle


def _peaks(results: Sequence[xr.Dataset], units: Sequence[Unit]) -> Iterator[Value]:
    """The area of the 2472.0 eV peak of every sample."""
    wanted = [m for m in METRICS if m.source == "peaks"]
    for unit in units:
        if unit.result >= len(results):
            raise ParamError(
                f"'{unit.cell}' is said to be in peak fit {unit.result + 1}; there are {len(results)}.", hint="Count them from 0."
            )
        area = bridging_area(results[unit.result], frozenset(unit.spectra))
        for metric in wanted:
            if area is not None and metric.state == unit.state:
                yield Value(metric, unit, area, f"peaks {unit.result + 1}", unit.cycle)


def _own(tables: Sequence[xr.Dataset], cells: Mapping[str, Unit]) -> tuple[list[Value], list[str]]:
    """Rows of imported tables, each of the cell that it names; rows of unknown cells are said."""
    found: list[Value] = []
    unknown: dict[str, None] = {}
    for k, ds in enumerate(tables):
        columns = {n: ds[n].values for n in ("cell", "particle", "state", "name", "unit", "better", "value", "std", "n", "cycle")}
        for row in range(ds.sizes["row"]):
            at = {n: v[row] for n, v in columns.items()}
            known = cells.get(str(at["cell"]))
            if known is None:
                unknown.setdefault(str(at["cell"]))
                continue
            cycle = int(at["cycle"]) if np.isfinite(at["cycle"]) else None
            unit = Unit(
                cell=known.cell,
                group=known.group,
                particle=str(at["particle"]),
                state=str(at["state"]),
                cycle=cycle,
                excluded=known.excluded,
                origin=known.origin if ds.attrs.get("origin") is None else ds.attrs["origin"],
            )
            number = Scalar(float(at["value"]), str(at["unit"]), std=_known(at["std"]), n=int(at["n"]) if np.isfinite(at["n"]) else None)
            found.append(Value(_own_metric(str(at["name"]), unit, str(at["better"])), unit, number, f"tables {k + 1}", cycle))
    said = [f"Own scalars of cells that are not in the chosen groups are left out: {', '.join(unknown)}."] if unknown else []
    return found, said


def _own_metric(name: str, unit: Unit, better: str) -> Metric:
    title = f"{name}, {unit.state}" if unit.state else name
    level: Literal["cell", "particle"] = "particle" if unit.particle else "cell"
    way: Literal["more", "less", "neither"] = "more" if better == "more" else "less" if better == "less" else "neither"
    return Metric(f"{OWN}{title}", title, "scalars", "tables", level, way, lambda _ds: None)


def _one_unit(found: Sequence[Value]) -> tuple[list[Value], list[str]]:
    """Numbers of one metric are of one unit: the commonest; others are left out and said."""
    kept: list[Value] = []
    said = []
    for metric in dict.fromkeys(v.metric.id for v in found):
        mine = [v for v in found if v.metric.id == metric]
        units = [printed_unit(v) for v in mine]
        common = max(dict.fromkeys(units), key=units.count)
        kept += [v for v, u in zip(mine, units, strict=True) if u == common]
        others = [f"{v.unit.cell} ({u})" for v, u in zip(mine, units, strict=True) if u != common]
        if others:
            said.append(
                f"{mine[0].metric.title} is in {common or 'no unit'}; left out: {', '.join(others)}. Give every cell its active mass."
            )
    return kept, said


def printed_unit(value: Value) -> str:
    """The unit after the metric's factor, "" for a plain number."""
    unit = value.metric.unit or value.scalar.unit
    return "" if unit == "1" else unit


def _table(found: Sequence[Value]) -> xr.Dataset:
    def scaled(name: str) -> list[float]:
        return [np.nan if (x := getattr(v.scalar, name)) is None else v.metric.factor * float(x) for v in found]

    columns: dict[str, Iterable[object]] = {
        "metric": [v.metric.id for v in found],
        "title": [v.metric.title for v in found],
        "unit": [printed_unit(v) for v in found],
        "modality": [v.metric.modality for v in found],
        "level": [v.metric.level for v in found],
        "better": [v.metric.better for v in found],
        **{n: [getattr(v.unit, n) for v in found] for n in ("cell", "group", "particle", "state", "excluded", "origin")},
        "of": [v.scalar.of for v in found],
        "source": [v.source for v in found],
        **{n: scaled(n) for n in ("value", "std", "low", "high")},
        "confidence": [np.nan if v.scalar.level is None else v.scalar.level for v in found],
        "n": [np.nan if v.scalar.n is None else float(v.scalar.n) for v in found],
        "cycle": [np.nan if v.cycle is None else float(v.cycle) for v in found],
    }
    return table({n: (np.array(list(c), dtype=str if n in TEXT else float), "") for n, c in columns.items()}, dim="row")


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
