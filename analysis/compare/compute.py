"""Recipes over results: values of metrics, two groups against each other, metrics against metrics. Pure."""

import xarray as xr

from analysis.compare import correlate as correlation
from analysis.compare import scorecard as card
from analysis.compare.correlate import CORRELATION, CorrelateParams
from analysis.compare.scorecard import SCORECARD, ScorecardParams
from analysis.compare.values import VALUES, ValuesParams
from analysis.compare.values import values as long_table
from analysis.core.errors import DataError
from analysis.core.registry import Input, Recipe

Results = tuple[xr.Dataset, ...]

# Results of other modalities are taken by the name of their schema; none of them is needed.
SOURCES = {
    "cycles": Input("cycling.cycles", many=True, optional=True),
    "edges": Input("xanes.distribution", many=True, optional=True),
    "cracks": Input("cracks.measures", many=True, optional=True),
    "domains": Input("cracks.domains", many=True, optional=True),
    "profiles": Input("cracks.distance_profile", many=True, optional=True),
    "peaks": Input("spectra.peaks", many=True, optional=True),
    "tables": Input("scalars.table", many=True, optional=True),
}
OF_VALUES = {"values": Input("compare.values")}


def values(
    *,
    params: ValuesParams,
    cycles: Results = (),
    edges: Results = (),
    cracks: Results = (),
    domains: Results = (),
    profiles: Results = (),
    peaks: Results = (),
    tables: Results = (),
) -> xr.Dataset:
    """Every metric of every cell, particle and sample that the results are of."""
    given = {"cycles": cycles, "edges": edges, "cracks": cracks, "domains": domains, "profiles": profiles, "peaks": peaks, "tables": tables}
    if not any(given.values()):
        raise DataError("No result was given.", hint="Give cycle tables, distributions, crack measurements, peak fits or own scalars.")
    return long_table(params, given)


def scorecard(*, values: xr.Dataset, params: ScorecardParams) -> xr.Dataset:
    """Two groups against each other, metric by metric."""
    return card.scorecard(values, params)


def correlate(*, values: xr.Dataset, params: CorrelateParams) -> xr.Dataset:
    """Rank correlations of metrics within groups."""
    return correlation.correlate(values, params)


RECIPES = (
    Recipe("compare.values", "Values of all metrics", SOURCES, VALUES, values, ValuesParams, light=True),
    Recipe("compare.scorecard", "Scorecard", OF_VALUES, SCORECARD, scorecard, ScorecardParams, summarise=card.summarise, light=True),
    Recipe(
        "compare.correlate", "Correlations", OF_VALUES, CORRELATION, correlate, CorrelateParams, summarise=correlation.summarise, light=True
    ),
)
