"""Voxels of a particle so far below its surface: a mask for spectra, fractions and clusters, and edge maps of them alone."""

import numpy as np
import xarray as xr
from pydantic import Field
from pydantic.config import JsonDict
from scipy import ndimage

from analysis.core.data import Scalar
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.edt import distances
from analysis.core.numerics.morphology import closed
from analysis.core.params import Params
from analysis.core.registry import Input, Recipe
from analysis.schemas import EDGE_MAP, MASK, has_voxel_size, spatial_dims, voxel_um
from analysis.xanes import kernel

NO_PARTICLE = kernel.NOT_FINITE | kernel.NO_EDGE | kernel.UNWANTED  # flags of voxels that are no part of the particle
UM: JsonDict = {"unit": "um"}


class DepthParams(Params):
    """From which depth to which; below the surface of the particle with its cracks and holes closed."""

    low: float = Field(0.0, ge=0, title="From", json_schema_extra=UM)
    high: float | None = Field(None, gt=0, title="To (the middle if empty)", json_schema_extra=UM)
    close: float = Field(3.0, ge=0, le=50, title="Cracks up to twice as wide are no surface (voxels)")


def depth_mask(*, edges: xr.Dataset, params: DepthParams) -> xr.Dataset:
    """Voxels with an edge whose middle lies from ``low`` up to, but not at, ``high`` below the surface.

    The surface is that of the envelope: what has an edge, closed by ``close`` voxels and with its holes filled, so that a crack is
    no surface. The border of the data is none either. Depth is measured to the middle of the nearest voxel outside, in um; in a
    picture it is the distance from the outline.

    Raises
    ------
    DataError
        The map has no voxel size or no surface, nothing has an edge, or no voxel lies so deep.
    ParamError
        The range is empty.
    """
    if params.high is not None and params.high <= params.low:
        raise ParamError(f"No depth lies from {params.low:g} to {params.high:g} um.", hint="Give the smaller one first.")
    if not has_voxel_size(edges):
        raise DataError("The map has no voxel size, so that depths are not known.", hint="State it when the stack is imported.")
    dims = spatial_dims(edges)
    solid = (edges["flags"].to_numpy().astype(np.uint8) & NO_PARTICLE) == 0
    if not solid.any():
        raise DataError("No voxel of this map has an edge.", hint="Look at its flags.")
    deep = _depth(solid, voxel_um(edges), params.close)
    if np.isinf(deep[solid]).all():
        raise DataError("The particle fills the whole map, so that its surface is not in it.", hint="Leave the depths out.")
    mask = solid & (deep >= params.low) & (deep < (np.inf if params.high is None else params.high))
    if not mask.any():
        deepest = float(deep[solid].max())
        raise DataError(f"No voxel lies so deep: the deepest one is {deepest:.3g} um below the surface.", hint="Give a smaller depth.")
    made = xr.Dataset({"mask": (dims, mask.astype(np.uint8), {"units": "1"})})
    return made.assign_attrs(voxel_um=list(voxel_um(edges)), deepest=float(deep[mask].max()), n_voxels=int(mask.sum()))


def _depth(solid: np.ndarray, voxel: tuple[float, ...], close: float) -> np.ndarray:
    """Distance of every voxel of the envelope from what lies outside, in the unit of ``voxel``; shape as ``solid``."""
    volume, lengths = (solid, voxel) if solid.ndim == 3 else (solid[None], (1.0, *voxel))
    envelope = closed(volume, close) if close else volume
    flat = volume.shape[0] == 1
    envelope = ndimage.binary_fill_holes(envelope[0])[None] if flat else ndimage.binary_fill_holes(envelope)
    found = distances(np.ascontiguousarray(envelope), (float(lengths[0]), float(lengths[1]), float(lengths[2])))
    return found if solid.ndim == 3 else found[0]


def summarise(stored: xr.Dataset, params: DepthParams) -> dict[str, Scalar]:
    """How many voxels the mask has, and how deep the deepest lies."""
    n = int(stored.attrs["n_voxels"])
    return {
        "n_voxels": Scalar(n, "1", n=n, of="voxels", title="Voxels of the mask"),
        "deepest": Scalar(float(stored.attrs["deepest"]), "um", n=n, of="voxels", title="Depth of the deepest"),
    }


def within_depth(*, edges: xr.Dataset, params: DepthParams) -> xr.Dataset:
    """The edge map with only the voxels of these depths; all others are "outside the mask", as where a mask was given to the map itself.

    Raises
    ------
    DataError, ParamError
        As ``depth_mask``.
    """
    inside = depth_mask(edges=edges, params=params)["mask"].to_numpy() != 0
    dims = spatial_dims(edges)
    made = edges.copy()
    for name, variable in edges.data_vars.items():
        if variable.dims != dims:
            continue
        values = variable.to_numpy()
        if name == "flags":
            made[name] = variable.copy(data=np.where(inside, values, kernel.UNWANTED).astype(values.dtype))
        elif values.dtype.kind == "f":
            made[name] = variable.copy(data=np.where(inside, values, np.nan).astype(values.dtype))
    ends = [params.low, float("inf") if params.high is None else params.high]
    return made.assign_attrs(depth_um=[end for end in ends if np.isfinite(end)])


RECIPES_DEPTH = (
    Recipe("xanes.depth_mask", "Mask by depth", {"edges": Input(EDGE_MAP.name)}, MASK, depth_mask, DepthParams, summarise),
    Recipe("xanes.within_depth", "Edge map of some depths", {"edges": Input(EDGE_MAP.name)}, EDGE_MAP, within_depth, DepthParams),
)
