"""Recipes of cycling: records in, tables and curves out. Pure: no file, no store, no picture."""

import numpy as np
import xarray as xr

from analysis.core.data import warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.registry import Input, Recipe
from analysis.cycling.aging import SummaryParams, reference_of, retention, summarise
from analysis.cycling.cycles import cycle_table
from analysis.cycling.halfcycles import find
from analysis.cycling.schemas import CYCLES

RECORDS = {"records": Input("cycling.record", many=True)}


def one_record(records: tuple[xr.Dataset, ...]) -> xr.Dataset:
    """The record itself, or the parts of one test put together in time order."""
    if not records:
        raise DataError("No record is given.", hint="Give one cycler file, or the files of one test in time order.")
    if len(records) == 1:
        return records[0]
    from analysis.cycling.stitch import stitch  # only a test in several files needs it

    return stitch(records)


def summary(*, records: tuple[xr.Dataset, ...], params: SummaryParams) -> xr.Dataset:
    """One row a cycle: capacities, efficiencies, voltages, currents, what kind of cycle it is and what is odd about it."""
    record = one_record(records)
    halves = find(record, params.detection)
    cycles = cycle_table(halves, params, formation=params.formation_cycles)
    reference = reference_of(cycles, params.reference_cycle)
    cycles = cycles.assign(retention=("cycle", retention(cycles, reference), {"units": "1"}))
    cycles.attrs["reference_cycle"] = reference
    return warn(cycles, *warnings_of(record), *_remarks(cycles))


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
        if word == "ce_above_one":  # a partial cycle is expected to
            hit &= cycles["kind"].values != "partial"
        if hit.any():
            remarks.append(f"{_cycles(numbers[hit])}: {sentence}.")
    return remarks


def _cycles(numbers: np.ndarray) -> str:
    shown = ", ".join(str(n) for n in numbers[:5])
    more = f" and {numbers.size - 5} more" if numbers.size > 5 else ""
    return f"Cycle{'s' if numbers.size > 1 else ''} {shown}{more}"


RECIPES: tuple[Recipe, ...] = (Recipe("cycling.summary", "Cycles", RECORDS, CYCLES, summary, SummaryParams, summarise, light=True),)
