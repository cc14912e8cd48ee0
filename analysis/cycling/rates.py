"""Rate test: cycles in groups of one C-rate, and the capacity that each rate gives."""

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import table, warn
from analysis.core.errors import DataError
from analysis.cycling.aging import SummaryParams
from analysis.cycling.cycles import GRAM_MG

GROUPED = ("cycle", "formation", "check")


class RateParams(SummaryParams):
    """Cycles grouped by C-rate."""

    tolerance: float = Field(0.1, gt=0, lt=1, title="Currents of one group differ by at most")


def rate_groups(cycles: xr.Dataset, params: RateParams) -> xr.Dataset:
    """Rows of ``schemas.RATES`` from a table of cycles.

    The C-rate is the discharge current over the current of 1C: ``one_c_mA_per_g`` times the active mass. Without these,
    1C is the current that would deliver the largest discharge capacity in one hour, and a warning says so.
    """
    whole = np.isin(cycles["kind"].values, GROUPED) & np.isfinite(cycles["discharge_current"].values)
    current = np.abs(cycles["discharge_current"].values)[whole]
    if not current.size:
        raise DataError("There is no whole cycle to group by rate.", hint="Check the pairing rule.")
    capacity, number = cycles["discharge_capacity"].values[whole], cycles["cycle"].values[whole]
    charge = cycles["charge_capacity"].values[whole]
    starts = group_starts(current, params.tolerance)
    groups = np.split(np.arange(current.size), starts[1:])
    one_c, remark = _one_c(cycles, params)
    unit = cycles["discharge_capacity"].attrs["units"]
    columns = {
        "c_rate": (np.array([np.median(current[g]) for g in groups]) / one_c, "1/h"),
        "first_cycle": (number[[g[0] for g in groups]], "1"),
        "last_cycle": (number[[g[-1] for g in groups]], "1"),
        "discharge_capacity": (np.array([np.mean(capacity[g]) for g in groups]), unit),
        "discharge_capacity_std": (np.array([_std(capacity[g]) for g in groups]), unit),
        "charge_capacity": (np.array([np.mean(charge[g]) for g in groups]), unit),
        "n_cycles": (np.array([g.size for g in groups]), "1"),
    }
    made = table(columns, dim="rate_group", attrs={**cycles.attrs, "one_c_A": one_c, "tolerance": params.tolerance})
    return warn(made, *remark)


def group_starts(current: np.ndarray, tolerance: float) -> np.ndarray:
    """Where a new rate begins: a current further than ``tolerance`` from the first of its group; shape (G,), from 0."""
    starts = [0]
    for k in range(1, current.size):
        if abs(current[k] / current[starts[-1]] - 1) > tolerance:
            starts.append(k)
    return np.array(starts, dtype=np.int64)


def _one_c(cycles: xr.Dataset, params: RateParams) -> tuple[float, list[str]]:
    """Current of 1C in A, and what has to be said about it."""
    if params.one_c_mA_per_g is not None and params.active_mass_mg is not None:
        return params.one_c_mA_per_g * params.active_mass_mg * GRAM_MG * 1e-3, []
    grams = 1.0 if params.active_mass_mg is None else params.active_mass_mg * GRAM_MG
    best = float(np.nanmax(cycles["discharge_capacity"].values)) * grams
    return best * 1e-3, ["C-rates are relative to the largest discharge capacity: give the active mass and what 1C means for true ones."]


def _std(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1)) if values.size > 1 else np.nan
