"""Recipes of cycling: records in, tables and curves out. Pure: no file, no store, no picture."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import table, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.registry import Input, Recipe
from analysis.cycling.aging import AgeingParams, SummaryParams, reference_of, retention, summarise
from analysis.cycling.curves import half_curves, joined, labels, thinned
from analysis.cycling.cycles import CycleParams, cycle_table, unit_of
from analysis.cycling.derivative import DerivativeParams, derivative, peaks
from analysis.cycling.halfcycles import find
from analysis.cycling.midpoint import half_voltage
from analysis.cycling.pooling import POOLED, PoolParams, pool
from analysis.cycling.rates import RateParams, rate_groups
from analysis.cycling.schemas import CYCLES, DQDV, PROFILE, RATES
from analysis.cycling.stitch import stitch
from analysis.cycling.tabled import joined as joined_tables
from analysis.cycling.tabled import specific, with_rule
from analysis.cycling.trace import TRACE, TraceParams, thin_record

RECORDS = {"records": Input("cycling.record", many=True)}
TABLES = {"cycles": Input("cycling.cycles", many=True)}


def one_record(records: tuple[xr.Dataset, ...]) -> xr.Dataset:
    """The record itself, or the parts of one test put together in time order."""
    if not records:
        raise DataError("No record is given.", hint="Give one cycler file, or the files of one test in time order.")
    if len(records) == 1:
        return records[0]
    return stitch(records)


def summary(*, records: tuple[xr.Dataset, ...], params: SummaryParams) -> xr.Dataset:
    """One row a cycle: capacities, efficiencies, voltages, currents, what kind of cycle it is and what is odd about it."""
    record = one_record(records)
    halves = find(record, params.detection)
    labels = record.attrs.get("metadata", {}).get("cycle_labels", {})
    cycles = cycle_table(halves, params, formation=params.formation_cycles, labels=labels, middle=half_voltage(record, halves))
    return _aged(cycles, params, warnings_of(record))


def _aged(cycles: xr.Dataset, params: AgeingParams, said: Sequence[str]) -> xr.Dataset:
    """With retention, its reference, and remarks."""
    reference = reference_of(cycles, params.reference_cycle)
    cycles = cycles.assign(retention=("cycle", retention(cycles, reference), {"units": "1"}))
    cycles.attrs["reference_cycle"] = reference
    return warn(cycles, *said, *_remarks(cycles))


def _remarks(cycles: xr.Dataset) -> list[str]:
    """Sentences about what a reader of the table should know."""
    said = {
        "ce_above_one": "more charge comes back than went in; check the pairing rule",
        "short_suspected": "a soft short is suspected",
        "counter_mismatch": "the cycler's counter and the integral of the current differ by more than 1 %",
        "time_jump": "the record has holes or steps back in time",
        "counter_reset": "a counter restarted in the middle of a half cycle",
        "cut_off": "the test stopped before the half cycle reached its limit",
    }
    words = [str(w).split() for w in cycles["flags"].values]
    numbers = cycles["cycle"].values
    remarks = []
    for word, sentence in said.items():
        hit = np.array([word in w for w in words], dtype=bool)
        if word == "ce_above_one":  # partial and pulse cycles are expected to
            hit &= ~np.isin(cycles["kind"].values, ("partial", "pulse", "impedance"))
        if hit.any():
            remarks.append(f"{_cycles(numbers[hit])}: {sentence}.")
    return remarks


def _cycles(numbers: np.ndarray) -> str:
    shown = ", ".join(str(n) for n in numbers[:5])
    more = f" and {numbers.size - 5} more" if numbers.size > 5 else ""
    return f"Cycle{'s' if numbers.size > 1 else ''} {shown}{more}"


class TableSummaryParams(AgeingParams):
    """How a table that gives one row a cycle is taken."""

    active_mass_mg: float | None = Field(None, gt=0, title="Active mass", json_schema_extra={"unit": "mg"})
    pairing: Literal["charge_first", "discharge_first"] = Field("charge_first", title="What a cycle begins with")


def summary_of_table(*, cycles: tuple[xr.Dataset, ...], params: TableSummaryParams) -> xr.Dataset:
    """What ``cycling.summary`` makes of a record, of a table that gives one row a cycle: what it does not hold is unknown."""
    whole = joined_tables([specific(part, params.active_mass_mg) for part in cycles])
    ruled = with_rule(whole, params.pairing, formation=params.formation_cycles)
    made = ruled.assign_attrs(rows=ruled.sizes["cycle"], warnings=[])
    if params.active_mass_mg is not None and any(str(part["discharge_capacity"].attrs["units"]).endswith("/g") for part in cycles):
        made = warn(made, "The table gives capacities per gram already: the active mass is not applied again.")
    return _aged(made, params, warnings_of(whole))


class ProfileParams(CycleParams):
    """Voltage profiles of chosen cycles."""

    cycles: tuple[int, ...] = Field((1, 100), title="Cycles")
    max_points: int | None = Field(1000, ge=16, title="Points of a half cycle at most (all if empty)")


def profile(*, records: tuple[xr.Dataset, ...], params: ProfileParams) -> xr.Dataset:
    """Voltage against capacity of chosen cycles, half cycle after half cycle; cycles that are not there are named in a warning."""
    record = one_record(records)
    found = half_curves(record, params.cycles, params)
    halves = tuple(thinned(h, params.max_points) for h in found.halves)
    columns = {
        "cycle": (labels(halves, "cycle"), "1"),
        "direction": (labels(halves, "direction"), "1"),
        "capacity": (joined(halves, "capacity"), f"mA h{unit_of(params)[1]}"),
        "voltage": (joined(halves, "voltage"), "V"),
    }
    made = table(columns, dim="point", attrs={"pairing": params.pairing, "capacity_source": params.capacity_source})
    return warn(made, *warnings_of(record), *found.missing)


def dqdv(*, records: tuple[xr.Dataset, ...], params: DerivativeParams) -> xr.Dataset:
    """dQ/dV and dV/dQ of chosen cycles on an even voltage grid, with the peaks in the attributes."""
    record = one_record(records)
    found = half_curves(record, params.cycles, params)
    slopes = [(h, derivative(h, params)) for h in found.halves]
    halves = tuple(d for _, d in slopes if d is not None)
    short = [h for h, d in slopes if d is None]
    per = unit_of(params)[1]
    columns = {
        "cycle": (labels(halves, "cycle"), "1"),
        "direction": (labels(halves, "direction"), "1"),
        "voltage": (joined(halves, "voltage"), "V"),
        "capacity": (joined(halves, "capacity"), f"mA h{per}"),
        "dqdv": (joined(halves, "dqdv"), f"mA h{per}/V"),
        "dvdq": (joined(halves, "dvdq"), f"V/(mA h{per})"),
    }
    attrs = {
        **{name: getattr(params, name) for name in ("window_mV", "grid_mV", "order", "pairing")},
        "peaks": [p for h in halves for p in peaks(h, params.prominence)],
    }
    said = [f"Cycle {h.cycle}: a half cycle spans less voltage than the smoothing window and is left out." for h in short]
    return warn(table(columns, dim="point", attrs=attrs), *warnings_of(record), *found.missing, *said)


def rates(*, records: tuple[xr.Dataset, ...], params: RateParams) -> xr.Dataset:
    """Capacity by C-rate: cycles in a row at one current form a group."""
    return rate_groups(summary(records=records, params=params), params)


def trace(*, records: tuple[xr.Dataset, ...], params: TraceParams) -> xr.Dataset:
    """The record thinned for drawing, whole or between two times."""
    record = one_record(records)
    return warn(thin_record(record, params), *warnings_of(record))


def pooled(*, cells: tuple[xr.Dataset, ...], params: PoolParams) -> xr.Dataset:
    """Mean, standard deviation and number of cells for every group and cycle."""
    if not cells:
        raise DataError("No cell is given.", hint="Choose at least one cell.")
    return pool(cells, params)


RECIPES: tuple[Recipe, ...] = (
    Recipe("cycling.summary", "Cycles", RECORDS, CYCLES, summary, SummaryParams, summarise, light=True),
    Recipe("cycling.summary_of_table", "Cycles of a table", TABLES, CYCLES, summary_of_table, TableSummaryParams, summarise, light=True),
    Recipe("cycling.profile", "Voltage profiles", RECORDS, PROFILE, profile, ProfileParams, light=True),
    Recipe("cycling.dqdv", "dQ/dV", RECORDS, DQDV, dqdv, DerivativeParams, light=True),
    Recipe("cycling.rates", "Rate test", RECORDS, RATES, rates, RateParams, light=True),
    Recipe("cycling.trace", "Voltage and current against time", RECORDS, TRACE, trace, TraceParams, light=True),
    Recipe(
        "cycling.pooled", "Groups cycle by cycle", {"cells": Input("cycling.cycles", many=True)}, POOLED, pooled, PoolParams, light=True
    ),
)
