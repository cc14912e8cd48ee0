"""Groups of cells cycle by cycle: mean, standard deviation and number."""

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Schema, Var, warn
from analysis.core.errors import ParamError
from analysis.core.params import Params
from analysis.cycling.schemas import CAPACITY

DIMS = ("group", "cycle")
QUANTITIES = ("discharge_capacity", "charge_capacity", "retention", "coulombic_efficiency")
POOLED_KINDS = ("cycle", "formation", "check")

POOLED = Schema(
    "cycling.pooled",
    {
        "group": Var(("group",), "", title="Group"),
        "cycle": Var(("cycle",), "1", title="Cycle"),
        "discharge_capacity": Var(DIMS, CAPACITY, title="Mean discharge capacity"),
        "discharge_capacity_std": Var(DIMS, CAPACITY, title="Standard deviation over cells"),
        "charge_capacity": Var(DIMS, CAPACITY, title="Mean charge capacity"),
        "charge_capacity_std": Var(DIMS, CAPACITY, title="Standard deviation over cells"),
        "retention": Var(DIMS, "1", title="Mean retention, each cell relative to its own reference cycle"),
        "retention_std": Var(DIMS, "1", title="Standard deviation over cells"),
        "coulombic_efficiency": Var(DIMS, "1", title="Mean coulombic efficiency"),
        "coulombic_efficiency_std": Var(DIMS, "1", title="Standard deviation over cells"),
        "n_cells": Var(DIMS, "1", title="Cells"),
    },
)


class PoolParams(Params):
    """Which cell is in which group."""

    groups: tuple[str, ...] = Field((), title="Group of each cell, in order (one group if empty)")


def pool(cells: tuple[xr.Dataset, ...], params: PoolParams) -> xr.Dataset:
    """Rows of ``POOLED`` from the cycle tables of several cells. No cell is left out, however odd it is.

    Cells contribute where they have a whole cycle of that number; retention is relative to each cell's own reference.
    The standard deviation (n - 1) needs two cells.
    """
    groups = params.groups or ("all",) * len(cells)
    if len(groups) != len(cells):
        raise ParamError(f"{len(groups)} groups are named for {len(cells)} cells.", hint="Give one group for each cell, in the same order.")
    units = sorted({str(c["discharge_capacity"].attrs["units"]) for c in cells})
    if len(units) > 1:
        raise ParamError(
            f"The cells' capacities are in {' and '.join(units)}.", hint="Give every cell its active mass, or leave it out for all."
        )
    number = np.unique(np.concatenate([c["cycle"].values for c in cells]))
    names = list(dict.fromkeys(groups))
    member = np.array([names.index(g) for g in groups])
    made = xr.Dataset(coords={"group": ("group", np.array(names), {"units": ""}), "cycle": ("cycle", number, {"units": "1"})})
    for quantity in QUANTITIES:
        values = _aligned(cells, number, quantity)
        mean, std, count = _moments(values, member, len(names))
        unit = units[0] if quantity.endswith("capacity") else "1"
        made[quantity] = (DIMS, mean, {"units": unit})
        made[f"{quantity}_std"] = (DIMS, std, {"units": unit})
        if quantity == "discharge_capacity":
            made["n_cells"] = (DIMS, count, {"units": "1"})
    made.attrs["cells"] = {name: int(np.sum(member == k)) for k, name in enumerate(names)}
    return warn(made, *_unequal(cells, groups))


def _aligned(cells: tuple[xr.Dataset, ...], number: np.ndarray, quantity: str) -> np.ndarray:
    """Values of every cell on the common cycle numbers; shape (cell, cycle), NaN where a cell has no whole cycle."""
    out = np.full((len(cells), number.size), np.nan)
    for k, cell in enumerate(cells):
        whole = np.isin(cell["kind"].values, POOLED_KINDS)
        out[k, np.searchsorted(number, cell["cycle"].values[whole])] = cell[quantity].values[whole]
    return out


def _moments(values: np.ndarray, member: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation (n - 1) and number over the cells of each group; shape (group, cycle) each."""
    shape = (groups, values.shape[1])
    mean, std, count = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
    for g in range(groups):
        mine = values[member == g]
        count[g] = np.isfinite(mine).sum(axis=0)
        some, several = count[g] > 0, count[g] > 1
        mean[g, some] = np.nanmean(mine[:, some], axis=0)
        std[g, several] = np.nanstd(mine[:, several], axis=0, ddof=1)
    return mean, std, count


def _unequal(cells: tuple[xr.Dataset, ...], groups: tuple[str, ...]) -> list[str]:
    """Sentences about what makes cells differ in how they were evaluated."""
    said = []
    for name, what in (("pairing", "pairing rules"), ("capacity_source", "sources of capacity"), ("reference_cycle", "reference cycles")):
        values = sorted({str(c.attrs.get(name)) for c in cells})
        if len(values) > 1:
            said.append(f"Cells are pooled that have different {what}: {', '.join(values)}.")
    return said
