"""How a cell ages: retention, fade with its interval, knee, cycles to 80 %, efficiency and hysteresis."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar
from analysis.core.errors import ParamError
from analysis.core.numerics.robust import Slope, knee, least_squares, theil_sen
from analysis.core.params import Params
from analysis.cycling.cycles import CycleParams
from analysis.cycling.labels import kinds_of

END_OF_LIFE = 0.8  # of the reference capacity, the field's usual end of life
DIP = 3  # cycles in a row below it: one bad cycle is not the end
LEVEL = 0.95


class AgeingParams(Params):
    """What retention refers to, and over which cycles fade is taken."""

    formation_cycles: int | None = Field(None, ge=0, title="Formation cycles (found if empty)")
    reference_cycle: int | None = Field(None, ge=0, title="Reference cycle (first after formation if empty)")
    fade_from: int | None = Field(None, ge=0, title="Fade from cycle (reference if empty)")
    fade_to: int | None = Field(None, ge=0, title="Fade to cycle (last if empty)")
    fade_method: Literal["theil_sen", "least_squares"] = Field("theil_sen", title="Fade regression")


class SummaryParams(AgeingParams, CycleParams):
    """Cycle by cycle, and how the cell ages."""


def ageing(cycles: xr.Dataset) -> np.ndarray:
    """Whole cycles of the ageing test itself; shape (C,), bool.

    Whole: it has every capacity that the table gives at all. Where the file labels its ageing cycles, only those are.
    """
    chosen = cycles["kind"].values == "cycle"
    for name in ("charge_capacity", "discharge_capacity"):
        known = np.isfinite(cycles[name].values)
        chosen &= known | ~known.any()
    labelled = kinds_of(cycles["label"].values.astype(np.str_)) == "cycle" if "label" in cycles else np.zeros(chosen.shape, dtype=bool)
    return chosen & labelled if (chosen & labelled).any() else chosen


def reference_of(cycles: xr.Dataset, wanted: int | None) -> int | None:
    """Number of the cycle that capacity is compared with: the given one, else the first regular cycle after formation."""
    number, kind = cycles["cycle"].values, cycles["kind"].values
    if wanted is not None:
        if wanted not in number:
            raise ParamError(f"There is no cycle {wanted}.", hint=f"Cycles run from {number.min()} to {number.max()}.")
        return wanted
    known = np.isfinite(cycles["discharge_capacity"].values)
    for candidates in (ageing(cycles) & known, ((kind == "formation") | (kind == "check")) & known, known):
        if candidates.any():
            return int(number[candidates][0])
    return None


def retention(cycles: xr.Dataset, reference: int | None) -> np.ndarray:
    """Discharge capacity relative to the reference cycle's; shape (C,), NaN where there is none."""
    capacity = cycles["discharge_capacity"].values
    if reference is None:
        return np.full(capacity.shape, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return capacity / capacity[cycles["cycle"].values == reference][0]


def summarise(cycles: xr.Dataset, params: AgeingParams) -> Mapping[str, Scalar]:
    """The scalars of ``cycling.summary``; capacities in mA h, or mA h/g where an active mass was given."""
    reference = cycles.attrs["reference_cycle"]
    return {
        "rows": Scalar(cycles.attrs["rows"], title="Rows"),
        "n_cycles": Scalar(int(np.sum(cycles["cycle"].values >= 1)), title="Cycles"),
        "n_whole_cycles": Scalar(_whole(cycles), title="Cycles with charge and discharge"),
        "formation_cycles": Scalar(int(np.sum(cycles["kind"].values == "formation")), title="Formation cycles"),
        "reference_cycle": Scalar(reference, title="Reference cycle"),
        **_capacities(cycles, reference),
        **_fade(cycles, reference, params),
        **_life(cycles, reference),
        **_efficiencies(cycles, reference),
    }


def _whole(cycles: xr.Dataset) -> int:
    whole = np.isfinite(cycles["charge_capacity"].values) & np.isfinite(cycles["discharge_capacity"].values)
    return int(whole.sum())


def _regular(cycles: xr.Dataset, reference: int | None) -> np.ndarray:
    """Regular whole cycles from the reference on; shape (C,), bool."""
    if reference is None:
        return np.zeros(cycles.sizes["cycle"], dtype=bool)
    return ageing(cycles) & (cycles["cycle"].values >= reference)


def _capacities(cycles: xr.Dataset, reference: int | None) -> dict[str, Scalar]:
    unit = cycles["discharge_capacity"].attrs["units"]
    capacity, number = cycles["discharge_capacity"].values, cycles["cycle"].values
    regular = np.flatnonzero(_regular(cycles, reference))
    if reference is not None and not regular.size:
        regular = np.flatnonzero(np.isfinite(capacity) & (number >= reference))
    first = float(capacity[number == reference][0]) if reference is not None else None
    last = float(capacity[regular[-1]]) if regular.size else None
    kept = last / first if first and last is not None else None
    best = float(np.max(capacity[regular])) if regular.size else None
    at = f"cycle {number[regular[-1]]}" if regular.size else ""
    return {
        "initial_discharge_capacity": Scalar(first, unit, title=f"Discharge capacity of cycle {reference}"),
        "last_discharge_capacity": Scalar(last, unit, title=f"Discharge capacity of {at}" if at else "Last discharge capacity"),
        "max_discharge_capacity": Scalar(best, unit, title="Largest discharge capacity"),
        "retention": Scalar(kept, title=f"Retention, {at} over cycle {reference}" if at else "Retention"),
    }


def _fade(cycles: xr.Dataset, reference: int | None, params: AgeingParams) -> dict[str, Scalar]:
    number, unit = cycles["cycle"].values, cycles["discharge_capacity"].attrs["units"]
    chosen = _regular(cycles, reference)
    if params.fade_from is not None:
        chosen = ageing(cycles) & (number >= params.fade_from)
    if params.fade_to is not None:
        chosen &= number <= params.fade_to
    fit = theil_sen if params.fade_method == "theil_sen" else least_squares
    capacity = fit(number[chosen], cycles["discharge_capacity"].values[chosen], level=LEVEL)
    hysteresis = fit(number[chosen], cycles["hysteresis"].values[chosen], level=LEVEL)
    return {
        "fade_rate": _slope(capacity, f"{unit}/cycle", "Change of discharge capacity per cycle"),
        "hysteresis_growth": _slope(hysteresis, "V/cycle", "Change of hysteresis per cycle"),
    }


def _slope(fit: Slope, unit: str, title: str) -> Scalar:
    return Scalar(_known(fit.slope), unit, low=_known(fit.low), high=_known(fit.high), n=fit.n, level=fit.level, of="cycles", title=title)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _life(cycles: xr.Dataset, reference: int | None) -> dict[str, Scalar]:
    regular = _regular(cycles, reference)
    number, kept = cycles["cycle"].values[regular], cycles["retention"].values[regular]
    bend = knee(number, kept)
    found: dict[str, Scalar] = {
        "cycles_to_80": Scalar(end_of_life(number, kept), n=int(number.size), of="cycles", title="Cycles to 80 % of the reference capacity")
    }
    if bend is not None:
        found["knee_cycle"] = Scalar(bend.position, n=int(number.size), of="cycles", title="Knee (two lines beat one)")
    return found


def end_of_life(number: np.ndarray, kept: np.ndarray, *, limit: float = END_OF_LIFE) -> int | None:
    """First cycle from which three in a row (or all that follow) keep less than ``limit``; None where it is not reached."""
    below = kept < limit
    for k in np.flatnonzero(below):
        if below[k : k + DIP].all():
            return int(number[k])
    return None


def _efficiencies(cycles: xr.Dataset, reference: int | None) -> dict[str, Scalar]:
    regular = _regular(cycles, reference)
    values = cycles["coulombic_efficiency"].values[regular]
    values = values[np.isfinite(values)]
    energy = cycles["energy_efficiency"].values[regular]
    energy = energy[np.isfinite(energy)]
    return {
        "mean_coulombic_efficiency": _mean(values, f"Mean coulombic efficiency ({cycles.attrs['efficiency']})"),
        "mean_energy_efficiency": _mean(energy, "Mean energy efficiency"),
        "cumulative_ce_loss": Scalar(
            float(np.sum(1 - values)) if values.size else None, n=int(values.size), of="cycles", title="Sum of 1 − coulombic efficiency"
        ),
    }


def _mean(values: np.ndarray, title: str) -> Scalar:
    if not values.size:
        return Scalar(None, n=0, of="cycles", title=title)
    std = float(np.std(values, ddof=1)) if values.size > 1 else None
    return Scalar(float(np.mean(values)), std=std, n=int(values.size), of="cycles", title=title)
