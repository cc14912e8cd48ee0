"""Recipes of X-ray microscopy over an absorption edge: stacks in, maps and tables out. Pure: no file, no store, no picture."""

import xarray as xr

from analysis.core.registry import Input, Recipe
from analysis.schemas import EDGE_MAP
from analysis.xanes import edges as edge_maps_of
from analysis.xanes.quality import QualityParams

STACK_AND_MASK = {"stack": Input("txm.stack"), "mask": Input("txm.mask", optional=True)}


class EdgeParams(QualityParams):
    """Edge-energy map of a stack."""


def edge_map(*, stack: xr.Dataset, params: EdgeParams, mask: xr.Dataset | None = None, template: xr.Dataset | None = None) -> xr.Dataset:
    """Edge energy, uncertainty, jump, white line and flags of every voxel."""
    return edge_maps_of.edge_maps(stack, params, mask=mask, template=template)


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "xanes.edge_map",
        "Edge energy",
        {**STACK_AND_MASK, "template": Input("xas.spectra", optional=True)},
        EDGE_MAP,
        edge_map,
        EdgeParams,
        edge_maps_of.summarise,
        chunked=True,
    ),
)
