"""A segmentation of another program laid over the volume that it was made from: checked against it, and painted on."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.cracks.masks import NO_SIZE, checked_shape, masks_of, segmentation_of
from analysis.cracks.segment import Optional, ratio_of, volume_of
from analysis.cracks.strokes import painted
from analysis.schemas import has_voxel_size, voxel_um

ALIKE = 0.01  # relative difference of two statements of one voxel size


class AdoptParams(Params):
    """Nothing is chosen: the mask says what is solid and what is crack."""


def adopt(
    *,
    mask: xr.Dataset,
    params: AdoptParams,
    volume: Optional = None,
    edges: Optional = None,
    stack: Optional = None,
    strokes: Optional = None,
) -> xr.Dataset:
    """The mask as the segmentation of a volume, with the volume's voxel size where it states none itself; strokes are applied last.

    Raises
    ------
    DataError
        The mask has another shape or another voxel size than the volume, or it is empty.
    """
    masks = masks_of(mask)
    like = mask if volume is None and edges is None and stack is None else volume_of(volume, edges, stack)
    checked_shape(mask, like, "mask")
    checked_size(mask, like)
    crack = painted(masks.crack, strokes) if strokes is not None else masks.crack
    said = {"imported": True, "noisy": False, **({"strokes": int(strokes.sizes["stroke"])} if strokes is not None else {})}
    if like is not mask and not has_voxel_size(like) and has_voxel_size(mask):
        like = like.assign_attrs(voxel_um=mask.attrs["voxel_um"])
    origin = {"metadata": mask.attrs["metadata"]} if "metadata" in mask.attrs else {}
    made = segmentation_of(masks.label, crack, like, {"segmentation": said, **origin})
    return warn(made, *(w for w in warnings_of(mask) if w != NO_SIZE and w not in warnings_of(made)))


def checked_size(mask: xr.Dataset, like: xr.Dataset) -> None:
    """Refuse two statements of the voxel size that differ."""
    if not (has_voxel_size(mask) and has_voxel_size(like)):
        return
    own, found = voxel_um(like), voxel_um(mask)
    if not np.allclose(own, found, rtol=ALIKE, atol=0):
        sizes = [" × ".join(f"{s:g}" for s in size) for size in (found, own)]
        raise DataError(
            f"The mask has voxels of {sizes[0]} µm, the volume of {sizes[1]} µm.",
            hint="Import the mask again with the voxel size of its volume, or choose the volume that it was made from.",
        )


def summarise(stored: xr.Dataset, params: AdoptParams) -> Mapping[str, Scalar]:
    """The plain ratio."""
    label, crack = (stored[n].to_numpy() for n in ("particle", "crack"))
    n = int(np.count_nonzero(label))
    return {"ratio": Scalar(ratio_of(crack, label), "1", n=n, of="voxels", title="Crack volume ratio of all particles")}
