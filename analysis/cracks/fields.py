"""Quantities of every voxel of a segmentation, for pictures: depth, distance from the nearest crack, edge energy on the same grid."""

from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Schema, Var, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.edt import distances
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.cracks.grids import chemistry_of
from analysis.cracks.masks import masks_of
from analysis.schemas import VOXEL

FIELD = Schema(
    "cracks.field",
    {
        "depth": Var(VOXEL, "um", optional=True, title="Depth below the surface"),
        "distance": Var(VOXEL, "um", optional=True, title="Distance from the nearest crack"),
        "edge_energy": Var(VOXEL, "eV", optional=True, title="Edge energy"),
    },
)


class FieldParams(Params):
    """Which quantity."""

    quantity: Literal["depth", "distance", "edge_energy"] = Field("depth", title="Quantity")


def field(*, segmentation: xr.Dataset, params: FieldParams, edges: xr.Dataset | None = None) -> xr.Dataset:
    """One quantity on the grid of the segmentation, NaN outside the particles.

    Notes
    -----
    Where voxels of the edge map hold several of the segmentation, each of these has the map's value: nothing is interpolated.

    Raises
    ------
    DataError
        There are no cracks to be distant from, or no edge map that fits.
    """
    values, units, title = _distances(segmentation, params.quantity) if params.quantity != "edge_energy" else _energies(segmentation, edges)
    report(1.0)
    attrs: dict[str, Any] = {k: segmentation.attrs[k] for k in ("voxel_um", "origin") if k in segmentation.attrs}
    if edges is not None and "definition" in edges.attrs:
        attrs["definition"] = edges.attrs["definition"]
    made = xr.Dataset({params.quantity: (VOXEL, values, {"units": units, "title": title})}, attrs=attrs)
    return warn(made, *warnings_of(segmentation))


def _distances(segmentation: xr.Dataset, quantity: str) -> tuple[np.ndarray, str, str]:
    masks = masks_of(segmentation)
    if quantity == "depth":
        found = masks.depth()
    elif masks.crack.any():
        found = distances(~masks.crack, masks.voxel)
    else:
        raise DataError("There are no cracks at all: no voxel has a distance from one.", hint="Colour by another quantity.")
    found[~masks.envelope] = np.nan
    return found, "um", FIELD.variables[quantity].title


def _energies(segmentation: xr.Dataset, edges: xr.Dataset | None) -> tuple[np.ndarray, str, str]:
    if edges is None:
        raise DataError("The particle has no edge map.", hint="Import its stack, or colour by another quantity.")
    chemistry = chemistry_of(edges, segmentation)
    found = chemistry.energy
    for axis, factor in enumerate(chemistry.factor):
        found = np.repeat(found, factor, axis=axis) if factor > 1 else found
    return found, "eV", FIELD.variables["edge_energy"].title
