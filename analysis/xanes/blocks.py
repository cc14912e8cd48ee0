"""Stacks and maps block by block: in memory, from disk, and on a cluster by the same functions."""

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from analysis.core.errors import DataError
from analysis.schemas import spatial_dims

VOXELS = 32**3  # of a block, where the stack does not come in blocks already


def is_lazy(ds: xr.Dataset) -> bool:
    return any(v.chunks is not None for v in ds.variables.values())


def in_blocks(values: xr.DataArray) -> da.Array:
    """The array as dask blocks with all energies in each; an array in memory is cut along its first dimension, without a copy."""
    if values.chunks is not None:
        lazy = values.data
        return lazy.rechunk({lazy.ndim - 1: -1}) if "energy" in values.dims else lazy
    array = values.data
    across = int(np.prod(array.shape[1 : len(spatial_dims(values.to_dataset(name="v")))], dtype=np.int64))
    thick = max(1, VOXELS // max(across, 1))
    return da.from_array(array, chunks=(thick, *array.shape[1:]), name=False, asarray=False)


def like(mask: xr.DataArray, of: da.Array) -> da.Array:
    """A map cut as a stack (or another map) is."""
    spatial = of.chunks[: mask.ndim]
    if mask.chunks is not None:
        return mask.data.rechunk(spatial)
    return da.from_array(mask.data, chunks=spatial, name=False, asarray=False)


def spectra_of(block: np.ndarray, kind: type = np.float32) -> np.ndarray:
    """The spectra of a block as (N, E) floats; a view where they lie together, or image by image, and are of that kind."""
    count, length = int(np.prod(block.shape[:-1])), block.shape[-1]
    by_image = np.moveaxis(block, -1, 0)
    if by_image.flags.c_contiguous and not block.flags.c_contiguous:
        return by_image.astype(kind, copy=False).reshape(length, count).T
    return np.ascontiguousarray(block, dtype=kind).reshape(count, length)


def per_voxel(
    function: Callable[..., np.ndarray], stack: da.Array, *maps: da.Array, rows: int, kind: type = np.float32, **keywords: Any
) -> da.Array:
    """Maps of shape (rows, …) from a function of spectra (N, E) and values of the same voxels (N,), all of one float type."""

    def on_block(block: np.ndarray, *others: np.ndarray) -> np.ndarray:
        made = function(spectra_of(block, kind), *(o.reshape(-1) for o in others), **keywords)
        return made.reshape(rows, *block.shape[:-1]).astype(kind, copy=False)

    space = stack.ndim - 1
    return da.map_blocks(
        on_block,
        stack,
        *(m[..., None] for m in maps),
        dtype=kind,
        chunks=((rows,), *stack.chunks[:space]),
        drop_axis=space,
        new_axis=0,
        meta=np.empty((0,) * (space + 1), dtype=kind),
    )


def checked_mask(mask: xr.Dataset | None, stack: xr.Dataset) -> xr.DataArray | None:
    """The mask of a stack: the one given, else its own; None where there is none."""
    if mask is None:
        return stack.get("mask")
    dims = spatial_dims(stack)
    own = {d: stack.sizes[d] for d in dims}
    found = {d: mask.sizes[d] for d in spatial_dims(mask)}
    if own != found:
        raise DataError(f"The mask has {_size(found)} voxels, the stack {_size(own)}.", hint="Draw the mask on this stack.")
    return mask["mask"]


def _size(sizes: dict[str, int]) -> str:
    return " × ".join(map(str, sizes.values()))
