"""Segmentations as arrays: checked, with their voxel size, and made into datasets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.data import warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.edt import distances
from analysis.core.numerics.morphology import wider
from analysis.cracks.particles import Particles, cut_of, particles_of
from analysis.schemas import VOXEL, has_voxel_size, spatial_dims, voxel_um

NO_SIZE = "The voxel size is not known: lengths are in voxels, not in µm. Read the file with voxel_um=…"
Size = tuple[float, float, float]


@dataclass(frozen=True)
class Masks:
    """The masks of a segmentation in memory: ``crack`` bool, ``label`` the particle of each voxel of an envelope."""

    crack: np.ndarray
    label: np.ndarray
    voxel: Size
    particles: Particles

    @property
    def envelope(self) -> np.ndarray:
        return np.asarray(self.label > 0)

    @property
    def solid(self) -> np.ndarray:
        return np.asarray((self.label > 0) & ~self.crack)

    @property
    def voxel_volume(self) -> float:
        """In µm³."""
        return float(np.prod(self.voxel))

    def depth(self) -> np.ndarray:
        """Distance of every voxel of an envelope from its surface, in µm, float32; where particles touch is surface too."""
        out = np.zeros(self.label.shape, np.float32)
        for number, box in enumerate(self.particles.boxes, start=1):
            part = wider(box, 1, out.shape)
            own = self.label[part] == number
            out[part] += distances(own, self.voxel)
        return out


def masks_of(segmentation: xr.Dataset) -> Masks:
    """The masks of a stored segmentation.

    Raises
    ------
    DataError
        It is a picture, or no voxel belongs to a particle.
    """
    if spatial_dims(segmentation) != VOXEL:
        raise DataError("Cracks are measured in volumes, and this is a picture.", hint="Choose the segmentation of a tomogram.")
    label = np.ascontiguousarray(segmentation["particle"].to_numpy())
    particles = particles_of(label)
    if particles.count == 0:
        raise DataError("The mask is empty: no voxel belongs to a particle.", hint="Choose another mask, or find the particles again.")
    crack = np.ascontiguousarray(segmentation["crack"].to_numpy())
    crack = crack.view(bool) if crack.dtype.itemsize == 1 and crack.max(initial=0) < 2 else crack != 0
    z, y, x = voxel_um(segmentation)
    return Masks(crack, label, (z, y, x), particles)


def checked_shape(ds: xr.Dataset, other: xr.Dataset, what: str) -> None:
    """Refuse two datasets of different shape."""
    own, found = ([d.sizes[n] for n in spatial_dims(d)] for d in (other, ds))
    if own != found:
        sizes = [" × ".join(map(str, s)) for s in (found, own)]
        raise DataError(f"The {what} has {sizes[0]} voxels, the volume {sizes[1]}.", hint="Choose one that was made from this volume.")


def segmentation_of(label: np.ndarray, crack: np.ndarray, like: xr.Dataset, attrs: Mapping[str, Any]) -> xr.Dataset:
    """The dataset of the schema ``cracks.segmentation``, with the voxel size and remarks of what it was made from."""
    inside = label > 0
    crack = crack & inside
    variables = {
        "envelope": (VOXEL, inside.view(np.uint8), {"units": "1", "title": "Envelope"}),
        "solid": (VOXEL, (inside ^ crack).view(np.uint8), {"units": "1", "title": "Solid"}),
        "crack": (VOXEL, crack.view(np.uint8), {"units": "1", "title": "Cracks"}),
        "particle": (VOXEL, label, {"units": "1", "title": "Particle"}),
    }
    kept = {k: like.attrs[k] for k in ("voxel_um", "metadata", "origin") if k in like.attrs}
    remarks = [*warnings_of(like), *remarks_of(label, like)]
    return warn(xr.Dataset(variables, attrs={**kept, **attrs}), *remarks)


def remarks_of(label: np.ndarray, like: xr.Dataset) -> list[str]:
    """What must be said of a volume before cracks are measured in it."""
    found = [] if has_voxel_size(like) else [NO_SIZE]
    sizes = voxel_um(like)
    if max(sizes) > min(sizes) * 1.001:
        said = " × ".join(f"{s:g}" for s in sizes)
        found.append(f"Voxels are not cubes ({said} µm): distances and areas respect that, filters and widths count voxels.")
    cut = cut_of(label)
    if cut:
        named = ", ".join(map(str, cut[:5])) + (" …" if len(cut) > 5 else "")
        found.append(f"Cut by the border of the volume and left out of the ratio: particle {named}.")
    return found
