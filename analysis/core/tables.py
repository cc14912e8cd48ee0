"""The numbers behind a figure as one tidy table, in full precision and not thinned."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from analysis.core.data import scalars
from analysis.core.registry import Labelled

if TYPE_CHECKING:
    import pandas as pd


def column_name(name: str, units: str) -> str:
    """Header of a column: ``voltage / V``; text has no unit."""
    return f"{name} / {units}" if units else name


def tidy(items: Sequence[Labelled]) -> "pd.DataFrame":
    """One row per row of each item's one-dimensional dataset, with group, cell, origin and key before its variables.

    Columns that only some items have, or that they have in other units, are empty for the rest.
    """
    import pandas as pd

    parts = [_frame(item) for item in items]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group", "cell", "origin", "key"])


def _frame(item: Labelled) -> "pd.DataFrame":
    import pandas as pd

    columns = _values(item.data)
    rows = len(next(iter(columns.values()), ()))
    about = {"group": item.group, "cell": item.label, "origin": item.origin, "key": item.key}
    return pd.DataFrame({**{k: np.full(rows, v, dtype=object) for k, v in about.items()}, **columns})


def _values(ds: xr.Dataset) -> dict[str, np.ndarray]:
    """The variables by header; over several dimensions, such as group and cycle, every combination is a row."""
    units = {str(name): str(var.attrs.get("units", "")) for name, var in ds.variables.items()}
    if len(ds.dims) > 1:
        frame = ds.to_dataframe().reset_index()
        return {column_name(str(c), units.get(str(c), "")): frame[c].to_numpy() for c in frame.columns}
    return {column_name(str(name), units[str(name)]): np.asarray(var.values) for name, var in ds.variables.items() if var.ndim == 1}


def tidy_scalars(items: Sequence[Labelled]) -> "pd.DataFrame":
    """One row per cell and scalar: value, unit, std, low, high, level and n, as far as they are known."""
    import pandas as pd

    rows = [
        {"group": i.group, "cell": i.label, "origin": i.origin, "key": i.key, "quantity": name, **s.to_json()}
        for i in items
        for name, s in scalars(i.data).items()
    ]
    names = ["group", "cell", "origin", "key", "quantity", "value", "unit", "std", "low", "high", "level", "n", "of"]
    return pd.DataFrame(rows, columns=names)
