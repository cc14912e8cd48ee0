"""Results as modalities store them, with scalars of the test's choice, and tables of values made of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from analysis.compare.compute import values
from analysis.compare.values import ValuesParams
from analysis.core.data import Scalar, table, with_scalars


def cycle_table(capacity: Sequence[float], *, retention: float, unit: str = "mA h/g") -> xr.Dataset:
    """A table of whole cycles with these capacities, and the scalars that cycling stores."""
    n = len(capacity)
    columns = {
        "cycle": (np.arange(1, n + 1), "1"),
        "discharge_capacity": (np.asarray(capacity, float), unit),
        "kind": (np.array(["cycle"] * n), ""),
    }
    ds = table(columns, dim="cycle", attrs={"reference_cycle": 1})
    return with_scalars(
        ds,
        {
            "initial_discharge_capacity": Scalar(float(capacity[0]), unit),
            "retention": Scalar(retention),
            "fade_rate": Scalar(-0.1, f"{unit}/cycle"),
            "mean_coulombic_efficiency": Scalar(0.99, n=n, of="cycles"),
            "hysteresis_growth": Scalar(2e-4, "V/cycle"),
        },
    )


def distribution(median: float, heterogeneity: float) -> xr.Dataset:
    return with_scalars(xr.Dataset(), {"median": Scalar(median, "eV"), "heterogeneity": Scalar(heterogeneity, "eV")})


def unit(cell: str, group: str, **more: object) -> dict[str, object]:
    return {"cell": cell, "group": group, **more}


def table_of(groups: Mapping[str, Sequence[float]], **more: object) -> xr.Dataset:
    """Values of cells whose retention is given (a ratio), group by group."""
    cycles = tuple(cycle_table([100.0, 100.0 * v], retention=v) for side in groups.values() for v in side)
    units = [unit(f"{g}-{k}", g, **more) for g, side in groups.items() for k in range(len(side))]
    return values(params=ValuesParams.check({"cycles": units, "at_cycle": 2}), cycles=cycles)


def line(card: xr.Dataset, metric: str) -> dict[str, object]:
    """A row of a scorecard by its metric."""
    k = card["id"].values.astype(str).tolist().index(metric)
    return {str(n): v.values[k] for n, v in card.data_vars.items()}
