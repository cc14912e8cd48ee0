"""The figures of the cycling modality: the table of contents, and the numbers behind each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.core.registry import Figure, Labelled
from analysis.core.tables import tidy, tidy_scalars
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

if TYPE_CHECKING:
    import pandas as pd


def _with_retention(item: Labelled) -> Labelled:
    if "retention" in item.data:
        return item
    return replace(item, data=item.data.assign(retention=("cycle", retention_values(item) / 100.0, {"units": "1"})))


def _of_cycles(item: Labelled, cycles: Sequence[int]) -> Labelled:
    kept = np.isin(item.data["cycle"].values, cycles)
    return replace(item, data=item.data.isel(point=kept))


def _scalar_table(items: Sequence[Labelled], params: SummaryParams) -> "pd.DataFrame":
    found = tidy_scalars(items)
    return found[found["quantity"] == params.scalar].reset_index(drop=True)


def _curve_table(items: Sequence[Labelled], params: CurveParams) -> "pd.DataFrame":
    return tidy([_of_cycles(i, params.cycles) for i in items] if params.cycles else items)


def _retention_table(items: Sequence[Labelled], _params: RetentionParams) -> "pd.DataFrame":
    return tidy([_with_retention(i) for i in items if i.data.attrs.get("schema") == "cycling.cycles"])


FIGURES = (
    Figure("cycling.capacity", "Capacity and coulombic efficiency", "cycling.cycles", capacity, CapacityParams),
    Figure("cycling.retention", "Capacity retention", "cycling.cycles", retention, RetentionParams, _retention_table),
    Figure("cycling.quantity", "Quantity against cycle", "cycling.cycles", quantity, QuantityParams),
    Figure("cycling.summary_bars", "Cells by group", "cycling.cycles", summary, SummaryParams, _scalar_table),
    Figure("cycling.profiles", "Charge–discharge profiles", "cycling.profile", profiles, ProfileParams, _curve_table),
    Figure("cycling.dqdv", "Differential capacity", "cycling.dqdv", dqdv, DqdvParams, _curve_table),
    Figure("cycling.dvdq", "Differential voltage", "cycling.dqdv", dvdq, DerivativeParams, _curve_table),
    Figure("cycling.rate", "Rate test", "cycling.rates", rate, RateParams),
    Figure("cycling.pooled", "Groups cycle by cycle", "cycling.pooled", pooled_groups, PooledParams),
    Figure("cycling.trace", "Voltage and current against time", "cycling.trace", trace, TraceParams),
    Figure("cycling.record", "Voltage and current of a whole record", "cycling.record", trace, TraceParams),
)
