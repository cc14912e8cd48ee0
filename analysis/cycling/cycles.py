"""The table of cycles: one row a cycle, in the units people use, with what is odd about it."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import table
from analysis.core.errors import DataError
from analysis.core.numerics.robust import spread
from analysis.core.params import Params
from analysis.cycling.halfcycles import Detection, HalfCycles
from analysis.cycling.labels import kinds_of, labels_of
from analysis.cycling.pairing import CHARGE_FIRST, CONVENTION, Pairs, by_instrument, cut_off, kinds, pair, voltage_window

MA_H = 1e3 / 3600  # mA h in an A s, and mW h in a W s
MISMATCH = 0.01  # relative difference between counter and integral
GAP_S = 3600.0  # a hole in the record under current, if also 20 times the usual interval
GAP_FACTOR = 20.0
CE_MARGIN = 1e-3  # coulombic efficiency above one by less is within a cycler's accuracy (about 0.05 % on each side)
SHORT_EXCESS = 1.1  # charge over discharge, relative to the usual cycle, from which a short is looked for
SHORT_DRAWDOWN = 0.02  # of the voltage window: the charging voltage collapses and returns
GRAM_MG = 1e-3


class CycleParams(Params):
    """How a record is turned into cycles. Shared by every recipe that reads records."""

    active_mass_mg: float | None = Field(None, gt=0, title="Active mass", json_schema_extra={"unit": "mg"})
    pairing: Literal["charge_first", "discharge_first"] = Field("charge_first", title="Pairing of half cycles")
    cycles_from: Literal["current", "instrument"] = Field("current", title="Cycles as told by")
    capacity_source: Literal["integral", "counter"] = Field("integral", title="Capacity from")
    rest_current: float | None = Field(None, gt=0, title="Rest below (automatic if empty)", json_schema_extra={"unit": "A"})
    rest_fraction: float = Field(5e-4, gt=0, lt=0.5, title="Rest below this part of the largest current")
    blip_s: float = Field(60.0, ge=0, title="Longest blip or pulse inside a half cycle", json_schema_extra={"unit": "s"})
    blip_fraction: float = Field(0.2, gt=0, lt=1, title="Largest blip, as part of the half cycle around it")
    one_c_mA_per_g: float | None = Field(None, gt=0, title="1C means", json_schema_extra={"unit": "mA/g"})

    @property
    def detection(self) -> Detection:
        return Detection(self.rest_current, self.rest_fraction, self.blip_s, self.blip_fraction, self.cycles_from == "instrument")


def pairs_of(halves: HalfCycles, params: CycleParams) -> Pairs:
    return by_instrument(halves) if params.cycles_from == "instrument" else pair(halves, params.pairing)


def charge_of(halves: HalfCycles, params: CycleParams) -> np.ndarray:
    """Charge of each half cycle in A s, positive, from the integral or the instrument's counter; shape (H,)."""
    if params.capacity_source == "integral":
        return np.abs(halves["charge"])
    if not halves.has_counter:
        raise DataError("The record has no capacity counters.", hint="Use the integral of the current.")
    return np.abs(halves["counted"])


def unit_of(params: CycleParams) -> tuple[float, str]:
    """Factor from mA h to the capacity's unit, and what is appended to its name: per gram where a mass is given."""
    return (1.0, "") if params.active_mass_mg is None else (1.0 / (params.active_mass_mg * GRAM_MG), "/g")


def cycle_table(
    halves: HalfCycles,
    params: CycleParams,
    *,
    formation: int | None,
    labels: Mapping[str, str] | None = None,
    middle: np.ndarray | None = None,
) -> xr.Dataset:
    """Half cycles as rows of ``schemas.CYCLES``.

    Parameters
    ----------
    labels
        What the file calls the instrument's cycles, by their number.
    middle
        Voltage of each half cycle at half of its charge, in V; shape (H,).
    """
    pairs = pairs_of(halves, params)
    if pairs.number.size == 0:
        raise DataError("No half cycle is found in the record.", hint="Choose a smaller rest current.")
    factor, per = unit_of(params)
    capacity = charge_of(halves, params) * MA_H * factor
    energy = np.abs(halves["energy"]) * MA_H * factor
    with np.errstate(divide="ignore", invalid="ignore"):
        voltage = np.abs(halves["energy"]) / np.abs(halves["charge"])  # both from the integral: consistent whichever counter is shown
    voltage = np.copysign(voltage, halves["energy"] * halves["sign"])
    label = labels_of(halves, pairs, labels or {})
    kind = with_labels(kinds(halves, pairs, params.pairing, formation=formation), label, cut_off(halves, pairs))
    kind[(kind == "cycle") & (pairs.number <= (formation or 0))] = "formation"
    charge, discharge = pairs.pick(capacity, "charge"), pairs.pick(capacity, "discharge")
    charge_energy, discharge_energy = pairs.pick(energy, "charge"), pairs.pick(energy, "discharge")
    charge_voltage, discharge_voltage = pairs.pick(voltage, "charge"), pairs.pick(voltage, "discharge")
    gained = efficiency(charge, discharge, params.pairing)
    start, end = halves["t0"][pairs.row()], halves["t1"][pairs.last_row()]
    words = flags(halves, pairs, kind, gained, capacity)
    columns = {
        "cycle": (pairs.number, "1"),
        "charge_capacity": (charge, f"mA h{per}"),
        "discharge_capacity": (discharge, f"mA h{per}"),
        "coulombic_efficiency": (gained, "1"),
        "energy_efficiency": (efficiency(charge_energy, discharge_energy, params.pairing), "1"),
        "charge_energy": (charge_energy, f"mW h{per}"),
        "discharge_energy": (discharge_energy, f"mW h{per}"),
        "mean_charge_voltage": (charge_voltage, "V"),
        "mean_discharge_voltage": (discharge_voltage, "V"),
        "hysteresis": (charge_voltage - discharge_voltage, "V"),
        "charge_current": (pairs.pick(halves["current"], "charge"), "A"),
        "discharge_current": (pairs.pick(halves["current"], "discharge"), "A"),
        "start_time": (start, "s"),
        "duration": (end - start, "s"),
        "kind": (kind, ""),
        "flags": (words, ""),
        **({"label": (label, "")} if label.astype(bool).any() else {}),
        **({} if middle is None else {"polarisation": (pairs.pick(middle, "charge") - pairs.pick(middle, "discharge"), "V")}),
    }
    return table(columns, dim="cycle", attrs=_explain(halves, params))


def with_labels(kind: np.ndarray, label: np.ndarray, unfinished: np.ndarray) -> np.ndarray:
    """Kinds by the rules, replaced where the file states one; an unfinished cycle stays what it is. Shape (C,)."""
    stated = kinds_of(label)
    return np.where((stated != "") & ~unfinished, stated, kind)


def efficiency(charge: np.ndarray, discharge: np.ndarray, rule: str) -> np.ndarray:
    gained, spent = (discharge, charge) if rule == CHARGE_FIRST else (charge, discharge)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spent > 0, gained / spent, np.nan)


def _explain(halves: HalfCycles, params: CycleParams) -> dict[str, object]:
    return {
        "rows": halves.rows,
        "pairing": params.pairing,
        "efficiency": CONVENTION[params.pairing],
        "cycles_from": params.cycles_from,
        "capacity_source": params.capacity_source,
        "rest_current_A": halves.threshold,
    }


def flags(halves: HalfCycles, pairs: Pairs, kind: np.ndarray, efficiency: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Words of ``schemas.FLAGS`` for each cycle, joined by blanks; shape (C,)."""
    found = {
        "ce_above_one": above_one(efficiency, kind),
        "time_jump": _either(pairs, _has_hole(halves)),
        "counter_reset": _either(pairs, halves["resets"] > 0),
        "cut_off": cut_off(halves, pairs),
        "short_suspected": _shorted(halves, pairs, kind, capacity),
        "counter_mismatch": _either(pairs, _mismatch(halves)),
    }
    return np.array([" ".join(word for word, mask in found.items() if mask[k]) for k in range(kind.size)], dtype=np.str_)


def _either(pairs: Pairs, mask: np.ndarray) -> np.ndarray:
    return np.nan_to_num(pairs.pick(mask.astype(float), "charge")).astype(bool) | np.nan_to_num(
        pairs.pick(mask.astype(float), "discharge")
    ).astype(bool)


def above_one(efficiency: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """More comes out than went in, beyond three times the scatter of the cycles' efficiency."""
    usual = efficiency[np.isin(kind, ("cycle", "formation"))]
    margin = max(CE_MARGIN, 3 * spread(usual)) if usual.size >= 5 else CE_MARGIN
    return np.nan_to_num(efficiency) > 1 + margin


def _has_hole(halves: HalfCycles) -> np.ndarray:
    usual = halves["active"] / np.maximum(halves["rows"], 1)
    return (halves["backsteps"] > 0) | ((halves["max_gap"] > GAP_S) & (halves["max_gap"] > GAP_FACTOR * usual))


def _mismatch(halves: HalfCycles) -> np.ndarray:
    if not halves.has_counter:
        return np.zeros(len(halves), dtype=bool)
    integral, counted = np.abs(halves["charge"]), np.abs(halves["counted"])
    return (counted > 0) & (np.abs(counted - integral) > MISMATCH * np.maximum(counted, integral))


def _shorted(halves: HalfCycles, pairs: Pairs, kind: np.ndarray, capacity: np.ndarray) -> np.ndarray:
    """Charge far above discharge, compared with the usual cycle, while the charging voltage collapses or misses its limit.

    A soft short carries electrons past the electrodes: charging goes on without storing. The first whole cycle,
    whose loss is that of the interphases, is never suspected.
    """
    charge, discharge = pairs.pick(capacity, "charge"), pairs.pick(capacity, "discharge")
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = charge / discharge
    usual = kind == "cycle"
    if usual.sum() < 2:
        return np.zeros(kind.size, dtype=bool)
    window = voltage_window(halves)
    high = pairs.pick(halves["v_max"], "charge")
    collapses = pairs.pick(halves["drawdown"], "charge") > SHORT_DRAWDOWN * window
    misses = high < np.nanmedian(high[usual]) - SHORT_DRAWDOWN * window
    suspected = (excess > SHORT_EXCESS * np.nanmedian(excess[usual])) & (collapses | misses) & pairs.complete
    suspected[: int(np.argmax(pairs.complete)) + 1] = False
    return suspected
