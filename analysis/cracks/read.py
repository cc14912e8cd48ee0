"""Readers of segmentations made elsewhere: TIFF, NRRD, MetaImage (MHA, MHD), HDF5, NumPy.

A voxel holds a whole number. With three numbers or more, 0 is outside, 1 the solid and 2 the cracks, unless the options ``outside``,
``solid`` and ``crack`` name others. With two numbers, 0 and another, the other is the solid or the cracks as ``means`` says. From a mask
of the solid envelopes are made as of a tomogram (closed, then filled; touching particles split), and what of an envelope is not solid is
crack. A mask of cracks alone has no envelope: give the mask of the solid.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn
from analysis.core.errors import DataError, ReadError
from analysis.core.params import Options
from analysis.core.registry import Probe, Reader
from analysis.cracks.masks import segmentation_of
from analysis.cracks.params import VOXELS, ParticleParams
from analysis.cracks.particles import envelopes
from analysis.cracks.schemas import SEGMENTATION
from analysis.formats import hdf5, metaimage, npy, nrrd, tiff
from analysis.formats.blocks import whole
from analysis.formats.volume import Volume

MOST_LABELS = 1000


class MaskOptions(Options):
    """What the numbers of a mask mean."""

    voxel_um: float | tuple[float, ...] | None = Field(None, title="Voxel size", json_schema_extra={"unit": "um"})
    dataset: str = Field("", title="Dataset", description="Of an HDF5 or .npz file; empty: the only volume in it")
    outside: int = Field(0, title="Number of the outside")
    solid: int = Field(1, title="Number of the solid")
    crack: int | None = Field(
        None, title="Number of the cracks", description="Empty: 2 if the mask has it, else all that is not solid inside"
    )
    closing: float = Field(8.0, ge=0, le=100, title="Closing radius of the envelope", json_schema_extra=VOXELS)
    split: bool = Field(True, title="Touching particles are split")
    min_particle: int = Field(1000, ge=1, title="Smallest particle", json_schema_extra=VOXELS)


def read_mask(paths: tuple[Path, ...], options: MaskOptions) -> xr.Dataset:
    """The segmentation that a mask describes."""
    path = paths[0]
    opened = _opened(path, options)
    values = opened.values
    if values.ndim != 3:
        raise ReadError(f"{path.name} holds {values.ndim} dimensions where a mask has three.", hint="Choose the mask of a volume.")
    found = _numbers(values, path.name)
    solid = values == options.solid
    if not solid.any():
        said = ", ".join(f"{n:g}" for n in found[:8])
        raise DataError(f"No voxel of {path.name} is solid ({options.solid}): its numbers are {said}.", hint="State solid=… and crack=….")
    marked = _cracks(values, found, options)
    body = solid | marked if marked is not None else solid
    params = ParticleParams(closing=0 if marked is not None else options.closing, split=options.split, min_particle=options.min_particle)
    label = envelopes(body, params.model_copy(update={"fill": marked is None})).label
    crack = marked if marked is not None else ~solid
    voxel = options.voxel_um if options.voxel_um is not None else opened.voxel_um
    attrs = {} if voxel is None else {"voxel_um": voxel if isinstance(voxel, int | float) else list(voxel)}
    like = xr.Dataset({"mask": (("z", "y", "x"), values)}, attrs={**attrs, "metadata": {"imported_from": path.name}})
    made = segmentation_of(label, crack, like, {"segmentation": {"imported": True, "noisy": False}})
    made = warn(made, f"Envelopes were closed with {options.closing:g} voxels.") if marked is None else made
    return made if crack.any() else warn(made, f"There are no cracks at all in {path.name}.")


Kind = Literal["tiff", "nrrd", "metaimage", "hdf5", "numpy", ""]


def _kind(probe: Probe) -> Kind:
    head = probe.head
    if head.startswith(tiff.MAGICS):
        return "tiff"
    if head.startswith(nrrd.MARK):
        return "nrrd"
    if hdf5.is_hdf5(head):
        return "hdf5"
    if head.startswith(npy.MAGIC) or (head.startswith(b"PK") and probe.suffix == ".npz"):
        return "numpy"
    return "metaimage" if metaimage.is_metaimage(head) else ""


def _opened(path: Path, options: MaskOptions) -> Volume:
    kind = _kind(Probe.of(path))
    if kind == "tiff":
        found = tiff.read_tiff(path)
        return Volume(whole(found.images), (found.pixel_um,) * 3 if found.pixel_um is not None else None)
    if kind == "nrrd":
        return nrrd.read_nrrd(path)
    if kind == "metaimage":
        return metaimage.read_metaimage(path)
    if kind == "hdf5":
        known = {n: d.shape for n, d in hdf5.datasets(path).items()}
        return Volume(np.squeeze(whole(hdf5.blocks(path, _named(path, known, options.dataset)))), None)
    if kind == "numpy":
        if path.suffix.lower() == ".npz":
            known = {n: shape for n, (shape, _) in npy.names(path).items()}
            return Volume(whole(npy.read_npz(path, _named(path, known, options.dataset))), None)
        return Volume(whole(npy.read_npy(path)), None)
    raise ReadError(f"{path.name} is no mask of a known format.", hint="Save it as TIFF, NRRD, MHA, HDF5 or .npy.")


def _named(path: Path, known: dict[str, tuple[int, ...]], wanted: str) -> str:
    volumes = [n for n, shape in known.items() if sum(k > 1 for k in shape) == 3]
    if wanted:
        return wanted.strip("/")
    if len(volumes) != 1:
        raise ReadError(
            f"{path.name} holds {len(volumes)} volumes.",
            hint="Name one with dataset=…: " + (", ".join(volumes[:8]) or "none is there") + ".",
        )
    return volumes[0]


def _numbers(values: np.ndarray, name: str) -> np.ndarray:
    sample = values[tuple(slice(None, None, max(1, n // 64)) for n in values.shape)]
    if values.dtype.kind == "f" and np.any(sample % 1):
        raise DataError(
            f"{name} holds grey values, not the whole numbers of a mask.", hint="Read it as a tomogram and find its cracks here."
        )
    found = np.unique(sample)
    if found.size > MOST_LABELS:
        raise DataError(f"{name} holds more than {MOST_LABELS} different numbers: no mask.", hint="Read it as a tomogram.")
    return found


def _cracks(values: np.ndarray, found: np.ndarray, options: MaskOptions) -> np.ndarray | None:
    """Voxels that the mask itself says to be crack; None where it does not."""
    number = options.crack if options.crack is not None else (2 if 2 in found and options.solid != 2 and options.outside != 2 else None)
    return None if number is None else np.asarray(values == number)


def _sniff(probe: Probe) -> float:
    return {"nrrd": 0.7, "metaimage": 0.7, "tiff": 0.15, "hdf5": 0.05, "numpy": 0.1, "": 0.0}[_kind(probe)]


def _beside(path: Path) -> tuple[Path, ...]:
    """The file that holds the values of a header that stands alone."""
    pattern = {".mhd": rb"ElementDataFile\s*=\s*([^\r\n]+)", ".nhdr": rb"data ?file:\s*([^\r\n]+)"}.get(path.suffix.lower())
    if pattern is None:
        return ()
    import re

    named = re.search(pattern, Probe.of(path).head)
    beside = path.parent / Path(named.group(1).decode("utf-8", errors="replace").strip()).name if named else path
    return (beside,) if beside.is_file() and beside != path else ()


SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd", ".tif", ".tiff", ".h5", ".npy", ".npz")
READERS = (Reader("cracks.mask", "Segmentation of another program", SEGMENTATION, SUFFIXES, _sniff, read_mask, MaskOptions, _beside),)
