"""The figures of the cycling modality: the table of contents, and the numbers behind each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.core.params import Params
from analysis.core.registry import Figure, Labelled
from analysis.cycling.figures_curves import CurveParams, DerivativeParams, DqdvParams, ProfileParams, dqdv, dvdq, profiles
from analysis.cycling.figures_cycles import CapacityParams, QuantityParams, capacity, quantity
from analysis.cycling.figures_groups import (
    PooledParams,
    RateParams,
    RetentionParams,
    SummaryParams,
    pooled_groups,
    rate,
    retention,
    retention_values,
    summary,
)
from analysis.cycling.figures_trace import TraceParams, trace
from analysis.cycling.tables import tidy, tidy_scalars

if TYPE_CHECKING:
    import pandas as pd

FIGURES = (
    Figure("cycling.capacity", "Capacity and coulombic efficiency", "cycling.cycles", capacity, CapacityParams),
    Figure("cycling.retention", "Capacity retention", "cycling.cycles", retention, RetentionParams),
    Figure("cycling.quantity", "Quantity against cycle", "cycling.cycles", quantity, QuantityParams),
    Figure("cycling.summary_bars", "Cells by group", "cycling.cycles", summary, SummaryParams),
    Figure("cycling.profiles", "Charge–discharge profiles", "cycling.profile", profiles, ProfileParams),
    Figure("cycling.dqdv", "Differential capacity", "cycling.dqdv", dqdv, DqdvParams),
    Figure("cycling.dvdq", "Differential voltage", "cycling.dqdv", dvdq, DerivativeParams),
    Figure("cycling.rate", "Rate test", "cycling.rates", rate, RateParams),
    Figure("cycling.pooled", "Groups cycle by cycle", "cycling.pooled", pooled_groups, PooledParams),
    Figure("cycling.trace", "Voltage and current against time", "cycling.trace", trace, TraceParams),
    Figure("cycling.record", "Voltage and current of a whole record", "cycling.record", trace, TraceParams),
)


def figure_table(items: Sequence[Labelled], figure_id: str, params: Params) -> "pd.DataFrame":
    """The numbers behind a figure, tidy and in full precision: what it draws, before any thinning or clipping."""
    if isinstance(params, SummaryParams):
        found = tidy_scalars(items)
        return found[found["quantity"] == params.scalar].reset_index(drop=True)
    if isinstance(params, CurveParams) and params.cycles:
        return tidy([_of_cycles(i, params.cycles) for i in items])
    if figure_id == "cycling.retention":
        return tidy([_with_retention(i) for i in items])
    return tidy(items)


def _with_retention(item: Labelled) -> Labelled:
    if "retention" in item.data:
        return item
    return replace(item, data=item.data.assign(retention=("cycle", retention_values(item) / 100.0, {"units": "1"})))


def _of_cycles(item: Labelled, cycles: Sequence[int]) -> Labelled:
    kept = np.isin(item.data["cycle"].values, cycles)
    return replace(item, data=item.data.isel(point=kept))
