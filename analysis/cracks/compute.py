"""Recipes of cracks: volumes in, masks and tables out. Pure: no file, no store, no picture."""

import xarray as xr

from analysis.core.registry import Input, Recipe
from analysis.cracks import adopt, fields, measure_scalars, segment
from analysis.cracks import distance as by_distance
from analysis.cracks import domains as cut_off
from analysis.cracks import measure as measuring
from analysis.cracks.params import CrackParams, ParticleParams
from analysis.cracks.schemas import DOMAINS, MEASURES, PARTICLES, PROFILE, SEGMENTATION, SENSITIVITY, STROKES
from analysis.schemas import EDGE_MAP, STACK, VOLUME

SOURCES = {
    "volume": Input(VOLUME.name, optional=True),
    "edges": Input(EDGE_MAP.name, optional=True),
    "stack": Input(STACK.name, optional=True),
}


def measured(
    *,
    segmentation: xr.Dataset,
    params: measuring.MeasureParams,
    pristine: tuple[xr.Dataset, ...] = (),
    sensitivity: xr.Dataset | None = None,
) -> xr.Dataset:
    """Tables of particles and cracks."""
    return measuring.measure(segmentation, params, pristine=pristine, sensitivity=sensitivity)


def isolated(*, segmentation: xr.Dataset, params: cut_off.DomainParams, edges: xr.Dataset | None = None) -> xr.Dataset:
    """Pieces of the solid that cracks cut off."""
    return cut_off.domains(segmentation, params, edges=edges)


def profile(*, segmentation: xr.Dataset, edges: xr.Dataset, params: by_distance.DistanceParams) -> xr.Dataset:
    """Edge energy against distance from cracks and surface."""
    return by_distance.distance_profile(segmentation, edges, params)


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "cracks.particles",
        "Particles and their envelopes",
        SOURCES,
        PARTICLES,
        segment.particles,
        ParticleParams,
        segment.summarise_particles,
        chunked=True,
    ),
    Recipe(
        "cracks.segment",
        "Cracks of a volume",
        {**SOURCES, "particles": Input(PARTICLES.name, optional=True), "strokes": Input(STROKES.name, optional=True)},
        SEGMENTATION,
        segment.segment,
        CrackParams,
        segment.summarise,
        chunked=True,
    ),
    Recipe(
        "cracks.adopt",
        "Mask of another program over its volume",
        {"mask": Input(SEGMENTATION.name), **SOURCES, "strokes": Input(STROKES.name, optional=True)},
        SEGMENTATION,
        adopt.adopt,
        adopt.AdoptParams,
        adopt.summarise,
        light=True,
    ),
    Recipe(
        "cracks.sensitivity",
        "Crack volume against the settings",
        SOURCES,
        SENSITIVITY,
        segment.sensitivity,
        CrackParams,
        segment.summarise_sensitivity,
        chunked=True,
    ),
    Recipe(
        "cracks.measure",
        "Crack volume, widths and positions",
        {
            "segmentation": Input(SEGMENTATION.name),
            "pristine": Input(SEGMENTATION.name, many=True, optional=True),
            "sensitivity": Input(SENSITIVITY.name, optional=True),
        },
        MEASURES,
        measured,
        measuring.MeasureParams,
        measure_scalars.summarise,
    ),
    Recipe(
        "cracks.domains",
        "Isolated domains",
        {"segmentation": Input(SEGMENTATION.name), "edges": Input(EDGE_MAP.name, optional=True)},
        DOMAINS,
        isolated,
        cut_off.DomainParams,
        cut_off.summarise,
    ),
    Recipe(
        "cracks.field",
        "A quantity of every voxel of a segmentation",
        {"segmentation": Input(SEGMENTATION.name), "edges": Input(EDGE_MAP.name, optional=True)},
        fields.FIELD,
        fields.field,
        fields.FieldParams,
        light=True,
    ),
    Recipe(
        "cracks.distance_profile",
        "Edge energy against distance from cracks",
        {"segmentation": Input(SEGMENTATION.name), "edges": Input(EDGE_MAP.name)},
        PROFILE,
        profile,
        by_distance.DistanceParams,
        by_distance.summarise,
    ),
)
