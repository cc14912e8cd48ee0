"""A chemistry map beside a segmentation: on the same grid, or on one that is coarser by whole factors."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core.errors import DataError
from analysis.schemas import VOXEL, has_voxel_size, spatial_dims, voxel_um

LIKE = 0.02  # voxel sizes may differ by so much, relative
HINT = "Lay the tomogram over the map first (xanes.register)."


@dataclass(frozen=True)
class Chemistry:
    """Edge energies of shape (z, y, x), NaN where none counts; ``factor`` voxels of the segmentation go into one of the map."""

    energy: np.ndarray
    factor: tuple[int, int, int]
    noise_variance: float


def factor_of(edges: xr.Dataset, segmentation: xr.Dataset) -> tuple[int, int, int]:
    """How many voxels of the segmentation go into one of the map, along z, y, x.

    Raises
    ------
    DataError
        The grids do not fit together.
    """
    if spatial_dims(edges) != VOXEL:
        raise DataError("The edge map is a picture, the segmentation a volume.", hint="Choose the map of a tomogram.")
    own, found = ([ds.sizes[d] for d in VOXEL] for ds in (segmentation, edges))
    factor = tuple(a // b for a, b in zip(own, found, strict=True))
    if any(f < 1 or f * b != a for f, a, b in zip(factor, own, found, strict=True)):
        sizes = [" × ".join(map(str, s)) for s in (found, own)]
        raise DataError(f"The edge map has {sizes[0]} voxels, the segmentation {sizes[1]}: their grids do not fit.", hint=HINT)
    if has_voxel_size(edges) and has_voxel_size(segmentation):
        for u, v, f in zip(voxel_um(edges), voxel_um(segmentation), factor, strict=True):
            if abs(u / (v * f) - 1) > LIKE:
                raise DataError(
                    f"Voxels of the edge map are {u:g} µm, those of the segmentation {v:g} µm: not {f} times as small.", hint=HINT
                )
    z, y, x = factor
    return z, y, x


def grids_fit(edges: xr.Dataset, segmentation: xr.Dataset) -> bool:
    """Whether the voxels of a map hold whole voxels of a segmentation."""
    try:
        factor_of(edges, segmentation)
    except DataError:
        return False
    return True


def chemistry_of(edges: xr.Dataset, segmentation: xr.Dataset) -> Chemistry:
    """The edge energies that count (flag 0, off the rim) beside a segmentation.

    Raises
    ------
    DataError
        The grids do not fit together.
    """
    factor = factor_of(edges, segmentation)
    keep = edges["flags"].to_numpy() == 0
    if "rim" in edges:
        keep &= edges["rim"].to_numpy() == 0
    energy = np.where(keep, edges["edge_energy"].to_numpy(), np.nan).astype(np.float32)
    noise = 0.0
    if "edge_energy_std" in edges:
        std = edges["edge_energy_std"].to_numpy()[keep]
        noise = float(np.nanmean(std.astype(np.float64) ** 2)) if np.isfinite(std).any() else 0.0
    if not np.isfinite(energy).any():
        raise DataError("The edge map has no voxel that counts.", hint="Look at its flags, or choose another map.")
    return Chemistry(energy, factor, noise)


def coarsened(values: np.ndarray, factor: tuple[int, int, int], *, whole: bool = False) -> np.ndarray:
    """Means over blocks of ``factor`` voxels; with ``whole``, whether all of a block is marked."""
    if factor == (1, 1, 1):
        return values
    (fz, fy, fx), (z, y, x) = factor, values.shape
    blocks = values.reshape(z // fz, fz, y // fy, fy, x // fx, fx)
    return np.asarray(blocks.all(axis=(1, 3, 5)) if whole else blocks.mean(axis=(1, 3, 5), dtype=np.float64))
