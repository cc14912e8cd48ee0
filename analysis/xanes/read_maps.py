"""Readers of what other programs finished: edge-energy maps (with their definition declared) and volumes (tomograms).

**Maps.** A map of energies as TIFF, HDF5, MATLAB, Zarr or NumPy array of two or three dimensions. TXM-Sandbox keeps its maps under
``/processed_XANES2D/proc_spectrum`` or ``…3D`` (``whiteline_pos_fit``, ``edge50_pos_fit`` and others), TXM-Wizard saves variables of
``.mat`` files, or TIFF. No file says how the energy was defined, and maps of two definitions cannot be compared: ``definition`` has
to be stated. Zeros, values that are no number, and values outside ``lowest … highest`` (eV) have no edge energy and are flagged.

**Volumes.** A reconstruction as TIFF (pages are slices), HDF5, Zarr, NumPy array or bare numbers.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn
from analysis.core.errors import DataError, ParamError, ReadError
from analysis.core.registry import Inside, Probe, Reader
from analysis.formats import hdf5, matlab
from analysis.formats.blocks import size_text, stacked, whole
from analysis.formats.energies import KEV_BELOW, Unit
from analysis.schemas import DEFINITIONS, EDGE_MAP, VOLUME
from analysis.xanes import sources
from analysis.xanes.read_stack import RAW_SUFFIXES, is_numpy, is_tiff, is_zarr, open_raw, tiff_series
from analysis.xanes.sources import Opened
from analysis.xanes.stack_choices import choices_of, hdf5_choices, hdf5_signature
from analysis.xanes.stack_options import AbsorptionUnit, RawFields
from analysis.xanes.stacks import IN_MEMORY, lazy, spatial, voxel_attrs

Definition = Literal["e_half", "white_line", "template_shift", "half_white_line", "max_slope"]
NO_NUMBER, RIM = 1, 8  # of schemas.FLAGS


class MapOptions(RawFields):
    """What a finished map does not say of itself."""

    definition: Definition | None = Field(None, title="Definition of the edge energy")
    dataset: str = Field("", title="Dataset", description="Such as /processed_XANES2D/proc_spectrum/whiteline_pos_fit")
    energy_unit: Unit = Field("auto", title="Unit of the energies", description="auto: keV where they are below 100, else eV")
    lowest: float | None = Field(None, gt=0, title="Lowest energy that counts", json_schema_extra={"unit": "eV"})
    highest: float | None = Field(None, gt=0, title="Highest energy that counts", json_schema_extra={"unit": "eV"})


class VolumeOptions(RawFields):
    """How a volume is read."""

    slice_um: float | None = Field(None, gt=0, title="Distance of its slices, where it differs", json_schema_extra={"unit": "um"})
    unit: AbsorptionUnit = Field("1", title="Unit of the absorption", description="1: no unit, or optical depth")
    dataset: str = Field("", title="Dataset", description="Such as /exchange/data; empty: the only one that can be meant")


def _opened(paths: tuple[Path, ...], options: Any) -> Opened:
    """Any of the formats, by what the file begins with."""
    path, probe = paths[0], Probe.of(paths[0])
    if is_tiff(probe):
        return _tiff(paths)
    if matlab.is_mat(probe.head):
        return sources.open_matlab(path, options.dataset)
    if hdf5.is_hdf5(probe.head):
        known = hdf5.datasets(path)
        images = [n for n, d in known.items() if len(d.squeezed) in (2, 3)]
        if not options.dataset and len(images) != 1:
            raise ReadError(
                f"{path.name} holds several datasets that could be meant.", hint=f"{hdf5.listed(known)} Name one with dataset=/…."
            )
        return sources.open_hdf5(path, options.dataset or images[0])
    if is_zarr(probe):
        return sources.open_zarr(path, options.dataset)
    if is_numpy(probe):
        return sources.open_numpy(path, options.dataset)
    return open_raw(path, options)


def _tiff(paths: tuple[Path, ...]) -> Opened:
    """One file, or slices that are a file each, in the order of their names."""
    if len(paths) == 1:
        return sources.open_tiff(paths)
    ordered = sorted(paths, key=lambda p: p.name)
    single = [sources.open_tiff((p,)) for p in ordered]
    images = stacked([o.images for o in single], [p.name for p in ordered])
    return Opened(f"{ordered[0].name} and {len(paths) - 1} more", images, voxel_um=single[0].voxel_um)


# -- maps ------------------------------------------------------------------------------------------------------------------


def read_map(paths: tuple[Path, ...], options: MapOptions) -> xr.Dataset:
    """An edge map as another program left it, voxels without an energy flagged."""
    if options.definition is None:
        said = ", ".join(f"{n} ({t})" for n, t in DEFINITIONS.items())
        raise ParamError(f"{paths[0].name} does not say how its edge energies are defined.", hint=f"State definition=… as one of {said}.")
    opened = _opened(paths, options)
    dims = spatial(opened.images.ndim, opened.name)
    values = whole(opened.images).astype(np.float32)
    factor, remarks = _scale(values, opened.name, options.energy_unit)
    energy = values * np.float32(factor)
    missing = ~np.isfinite(energy) | (energy <= 0)
    low, high = (b if b is not None else end for b, end in ((options.lowest, -np.inf), (options.highest, np.inf)))
    outside = ~missing & ((energy < low) | (energy > high))
    if (missing | outside).all():
        raise DataError(f"{opened.name} has no edge energy within the limits.", hint="Check the dataset, the unit and the limits.")
    flags = missing.astype(np.uint8) * NO_NUMBER + outside.astype(np.uint8) * RIM
    ds = xr.Dataset(
        {
            "edge_energy": (dims, np.where(flags == 0, energy, np.nan), {"units": "eV"}),
            "flags": (dims, flags, {"units": "1"}),
        },
        attrs={
            "definition": options.definition,
            "metadata": {**opened.metadata, "imported_from": opened.name},
            **voxel_attrs(options.voxel_um if options.voxel_um is not None else opened.voxel_um),
        },
    )
    return warn(ds, *opened.warnings, *remarks)


def _scale(values: np.ndarray, name: str, unit: str) -> tuple[float, list[str]]:
    known = values[np.isfinite(values) & (values > 0)]
    if not known.size:
        raise DataError(f"{name} holds no energies: no value is positive.", hint="Choose another dataset.")
    if known.size > 1 and known.min() == known.max() and known.size == values.size:
        raise DataError(f"All values of {name} are {known[0]:g}.", hint="Choose another dataset.")
    if unit == "keV" or (unit == "auto" and np.percentile(known, 95) < KEV_BELOW):
        return 1000.0, [f"The energies of {name} were taken as keV and converted to eV."]
    return 1.0, []


# -- volumes ---------------------------------------------------------------------------------------------------------------


def read_volume(paths: tuple[Path, ...], options: VolumeOptions) -> xr.Dataset:
    """A reconstructed volume, or an image, of absorption."""
    opened = _opened(paths, options)
    dims = spatial(opened.images.ndim, opened.name)
    small = int(np.prod(opened.images.shape, dtype=np.int64)) * opened.images.dtype.itemsize <= IN_MEMORY
    density = whole(opened.images) if small else lazy(opened.images, None)
    if small:
        finite = density[np.isfinite(density)]
        if not finite.size or finite.min() == finite.max():
            said = f"All values of {opened.name} ({size_text(density.shape)}) are "
            raise DataError(f"{said}{finite[0]:g}." if finite.size else f"{opened.name} holds no numbers.", hint="Export it again.")
    voxel = _voxel(opened, options, dims)
    ds = xr.Dataset({"density": (dims, density, {"units": options.unit})}, attrs={"metadata": opened.metadata, **voxel_attrs(voxel)})
    return warn(ds, *opened.warnings)


def _voxel(opened: Opened, options: VolumeOptions, dims: tuple[str, ...]) -> float | tuple[float, ...] | None:
    """The size of a voxel in µm, one for all directions or that along z first."""
    voxel = options.voxel_um if options.voxel_um is not None else opened.voxel_um
    if options.slice_um is None or len(dims) < 3:
        return voxel
    if voxel is None:
        raise ReadError(f"The slices of {opened.name} have a distance but its pixels no size.", hint="State voxel_um=… too.")
    y, x = (voxel, voxel) if isinstance(voxel, int | float) else voxel[-2:]
    return options.slice_um, y, x


# -- recognising -----------------------------------------------------------------------------------------------------------


def _known(probe: Probe) -> bool:
    return is_tiff(probe) or hdf5.is_hdf5(probe.head) or is_zarr(probe) or is_numpy(probe)


def _sniff_map(probe: Probe) -> float:
    if matlab.is_mat(probe.head):
        return 0.8
    if not _known(probe):
        return 0.0
    if hdf5.is_hdf5(probe.head) and not _has_images(probe.path):
        return 0.0
    return 0.3


def _sniff_volume(probe: Probe) -> float:
    if matlab.is_mat(probe.head) or not _known(probe) or (hdf5.is_hdf5(probe.head) and not _has_images(probe.path)):
        return 0.05 if probe.suffix in RAW_SUFFIXES and b"\0" in probe.head else 0.0
    return 0.35


def _has_images(path: Path) -> bool:
    try:
        return any(len(d.squeezed) in (2, 3) for d in hdf5.datasets(path).values())
    except ReadError:
        return False


def _inside(path: Path) -> dict[str, Any]:
    """The datasets of an HDF5 or MATLAB file; other formats hold one array, or are told by their own readers."""
    probe = Probe.of(path)
    if matlab.is_mat(probe.head):
        return {"dataset": choices_of(matlab.variables(path), root="")["dataset"]}
    return {"dataset": hdf5_choices(path)["dataset"]} if hdf5.is_hdf5(probe.head) else {}


def _signature(path: Path) -> str:
    probe = Probe.of(path)
    return hdf5_signature(path) if hdf5.is_hdf5(probe.head) and not matlab.is_mat(probe.head) else ""


INSIDE = Inside(_inside, _signature, ("dataset", "definition", "unit", "energy_unit"))
SUFFIXES = (".tif", ".tiff", ".h5", ".hdf5", ".mat", ".npy", ".npz")
READERS: tuple[Reader, ...] = (
    Reader("xanes.finished_map", "Edge map of another program", EDGE_MAP, SUFFIXES, _sniff_map, read_map, MapOptions, inside=INSIDE),
    Reader(
        "xanes.volume",
        "Tomogram (TIFF, HDF5, Zarr, NumPy, raw)",
        VOLUME,
        SUFFIXES,
        _sniff_volume,
        read_volume,
        VolumeOptions,
        series=tiff_series,
        inside=INSIDE,
    ),
)
