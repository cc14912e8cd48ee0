"""The figures of the cycling modality: the table of contents, and the numbers behind each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.core.params import Params
from analysis.core.registry import Figure, Labelled
from analysis.cycling.figures_curves import CurveParams, DerivativeParams, ProfileParams, dqdv, dvdq, profiles
from analysis.cycling.figures_cycles import CapacityParams, QuantityParams, capacity, quantity
from analysis.cycling.figures_groups import (
    RateParams,
    RetentionParams,
    SummaryParams,
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
    Figure("cycling.dqdv", "Differential capacity", "cycling.dqdv", dqdv, DerivativeParams),
    Figure("cycling.dvdq", "Differential voltage", "cycling.dqdv", dvdq, DerivativeParams),
    Figure("cycling.rate", "Rate test", "cycling.rates", rate, RateParams),
    Figure("cycling.trace", "Voltage and current against time", "cycling.record", trace, TraceParams),
)


def figure_table(items: Sequence[Labelled], figure_id: str, params: Params) -> "pd.DataFrame":
    """The numbers behind a figure, tidy and in full precision: what it draws, before any thinning or clipping."""
    if isinstance(params, SummaryParams):
        found = tidy_scalars(items)
        return found[found["quantity"] == params.scalar].reset_index(drop=True)
    if isinstance(params, CurveParams) and params.cycles:
        return tidy([_of_cycles(i, params.cycles) for i in items])
    table = tidy(items)
    if figure_id == "cycling.retention" and items:
        return table.assign(**{"retention / %": np.concatenate([retention_values(i) for i in items])})
    return table


def _of_cycles(item: Labelled, cycles: Sequence[int]) -> Labelled:
    kept = np.isin(item.data["cycle"].values, cycles)
    return Labelled(item.data.isel(point=kept), item.label, item.group, item.origin, item.key, item.id)
