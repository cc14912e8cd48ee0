"""Recipes of X-ray microscopy over an absorption edge: stacks in, maps and tables out. Pure: no file, no store, no picture."""

import xarray as xr

from analysis.core.errors import DataError
from analysis.core.registry import Input, Recipe
from analysis.schemas import EDGE_MAP
from analysis.xanes import activity, calibration, cluster, distribution, edges, lcf, pooling, position, spectrum
from analysis.xanes.quality import QualityParams

STACK = {"stack": Input("txm.stack"), "mask": Input("txm.mask", optional=True)}
MAPPED_STACK = {**STACK, "edges": Input("txm.edge_map", optional=True)}
Optional = xr.Dataset | None


class EdgeParams(QualityParams):
    """Edge-energy map of a stack."""


def edge_map(*, stack: xr.Dataset, params: EdgeParams, mask: Optional = None, template: Optional = None) -> xr.Dataset:
    """Edge energy, uncertainty, jump, white line and flags of every voxel."""
    return edges.edge_maps(stack, params, mask=mask, template=template)


def fractions(
    *, stack: xr.Dataset, references: tuple[xr.Dataset, ...], params: lcf.LcfParams, mask: Optional = None, edges: Optional = None
) -> xr.Dataset:
    """Fraction of every reference in every voxel."""
    return lcf.fractions(stack, references, params, mask=mask, edges=edges)


def clusters(*, stack: xr.Dataset, params: cluster.ClusterParams, mask: Optional = None, edges: Optional = None) -> xr.Dataset:
    """Voxels grouped by their spectra."""
    return cluster.clusters(stack, params, mask=mask, edges=edges)


def mean_spectrum(*, stack: xr.Dataset, params: spectrum.SpectrumParams, mask: Optional = None, edges: Optional = None) -> xr.Dataset:
    """Mean spectrum of a region with its normalisation."""
    return spectrum.spectrum(stack, params, mask=mask, edges=edges)


def histogram(*, edges: xr.Dataset, params: distribution.DistributionParams, mask: Optional = None) -> xr.Dataset:
    """Distribution of the edge energies of one particle."""
    return distribution.distribution(edges, params, mask=mask)


def state(*, edges: xr.Dataset, params: calibration.CalibrateParams, calibrants: tuple[xr.Dataset, ...] = ()) -> xr.Dataset:
    """State of charge or valence from the edge energy."""
    return calibration.calibrate(edges, params, calibrants=calibrants)


def compared(*, maps: tuple[xr.Dataset, ...], params: activity.CompareParams) -> xr.Dataset:
    """Charged against discharged particles, group by group."""
    if not maps:
        raise DataError("No map is given.", hint="Choose edge maps of charged and discharged particles.")
    return activity.activity(maps, params)


def state_histogram(*, state: xr.Dataset, params: distribution.StateDistributionParams, mask: Optional = None) -> xr.Dataset:
    """Distribution of the state of charge or valence of one particle."""
    return distribution.of_state(state, params, mask=mask)


def compared_states(*, maps: tuple[xr.Dataset, ...], params: activity.CompareParams) -> xr.Dataset:
    """Charged against discharged particles, group by group, on the scale of the calibration."""
    return compared(maps=tuple(distribution.state_as_map(m) for m in maps), params=params)


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "xanes.position",
        "Position of the edge",
        STACK,
        position.POSITION,
        position.position,
        position.PositionParams,
        position.summarise,
        chunked=True,
    ),
    Recipe(
        "xanes.edge_map",
        "Edge energy",
        {**STACK, "template": Input("xas.spectra", optional=True)},
        EDGE_MAP,
        edge_map,
        EdgeParams,
        edges.summarise,
        chunked=True,
    ),
    Recipe(
        "xanes.distribution",
        "Distribution of edge energies",
        {"edges": Input("txm.edge_map"), "mask": Input("txm.mask", optional=True)},
        distribution.DISTRIBUTION,
        histogram,
        distribution.DistributionParams,
        distribution.summarise,
    ),
    Recipe(
        "xanes.state_distribution",
        "Distribution of states",
        {"state": Input("xanes.state"), "mask": Input("txm.mask", optional=True)},
        distribution.DISTRIBUTION,
        state_histogram,
        distribution.StateDistributionParams,
        distribution.summarise,
    ),
    Recipe(
        "xanes.pooled",
        "Particles put together",
        {"particles": Input("xanes.distribution", many=True)},
        pooling.POOLED,
        pooling.pooled,
        pooling.PooledParams,
        pooling.summarise,
        light=True,
    ),
    Recipe(
        "xanes.lcf",
        "Fractions of reference spectra",
        {"stack": STACK["stack"], "references": Input("xas.spectra", many=True), "mask": STACK["mask"], "edges": MAPPED_STACK["edges"]},
        lcf.FRACTIONS,
        fractions,
        lcf.LcfParams,
        lcf.summarise,
        chunked=True,
    ),
    Recipe(
        "xanes.cluster",
        "Clusters of spectra",
        MAPPED_STACK,
        cluster.CLUSTERS,
        clusters,
        cluster.ClusterParams,
        cluster.summarise,
        chunked=True,
    ),
    Recipe(
        "xanes.calibrate",
        "State of charge or valence",
        {"edges": Input("txm.edge_map"), "calibrants": Input("txm.edge_map", many=True, optional=True)},
        calibration.STATE,
        state,
        calibration.CalibrateParams,
        calibration.summarise,
        chunked=True,
    ),
    Recipe(
        "xanes.spectrum",
        "Mean spectrum",
        MAPPED_STACK,
        spectrum.SPECTRUM,
        mean_spectrum,
        spectrum.SpectrumParams,
        spectrum.summarise,
        chunked=True,
    ),
    Recipe(
        "xanes.compare",
        "Charged against discharged",
        {"maps": Input("txm.edge_map", many=True)},
        activity.ACTIVITY,
        compared,
        activity.CompareParams,
        activity.summarise,
    ),
    Recipe(
        "xanes.compare_states",
        "Charged against discharged, in states",
        {"maps": Input("xanes.state", many=True)},
        activity.ACTIVITY,
        compared_states,
        activity.CompareParams,
        activity.summarise,
    ),
)
