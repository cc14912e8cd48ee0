"""Readers of raw images: frames of a scan over energies (Zeiss/Xradia), and projections of a tomogram (Zeiss/Xradia, Data Exchange).

**Frames.** Many ``.xrm`` files of one scan, or a ``.txrm`` with several energies. Frames whose name has ``ref`` as a word of its own
(``rep01_000051_ref_scan_08324.0_eV_001of010.xrm``) are references, the others are of the sample. Frames of one energy and kind are repeats:
they are averaged, and their scatter gives the standard deviation of the mean. A reference that a file carries inside counts as
the reference of its energy. ``voxel_um`` is the file's pixel size, which is nominal: at SSRL 6-2c the field of view is
36.393 µm·E/9000 eV. Files that were cut off are refused together, by name.

**Projections.** One energy, several angles. White images are averaged to one reference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn
from analysis.core.errors import DataError, ReadError
from analysis.core.params import Options
from analysis.core.registry import Probe, Reader
from analysis.formats import hdf5, xrm
from analysis.formats.blocks import Blocks, size_text, whole
from analysis.formats.file_names import series_name
from analysis.xanes.frames import FRAMES, PROJECTIONS, SAME_EV, averaged
from analysis.xanes.stacks import IN_MEMORY, voxel_attrs

FRAME_BYTES = 512 << 20  # raw frames above this stay in their files
SAME_DEGREE = 0.01
REPETITION = re.compile(r"(?:^|_)(rep\d+)(?=_)")


class FrameOptions(Options):
    """How raw frames of a scan are sorted."""

    reference_word: str = Field("ref", min_length=1, title="Word that marks references", description="A word of the file's name")
    voxel_um: float | None = Field(None, gt=0, title="Pixel size", json_schema_extra={"unit": "um"})


class ProjectionOptions(Options):
    """How projections are read."""

    voxel_um: float | None = Field(None, gt=0, title="Pixel size", json_schema_extra={"unit": "um"})


@dataclass(frozen=True)
class Frame:
    """One image of a file, or the reference that the file carries (``index`` -1)."""

    file: xrm.Xrm
    index: int
    energy: float
    exposure: float

    def pixels(self) -> np.ndarray:
        if self.index < 0 and self.file.reference is not None:
            return self.file.reference
        return self.file.images[slice(self.index, self.index + 1), slice(None), slice(None)][0]


# -- frames ----------------------------------------------------------------------------------------------------------------


def read_frames(paths: tuple[Path, ...], options: FrameOptions) -> xr.Dataset:
    """The frames of a scan, sample and reference, averaged over the repeats of each energy."""
    files = _files(paths)
    sample = [f for x in files if not _is_reference(x.path.name, options.reference_word) for f in _frames(x)]
    reference = [f for x in files if _is_reference(x.path.name, options.reference_word) for f in _frames(x)]
    reference += [_carried(x) for x in files if x.reference is not None and not x.corrected]
    energy = _grid([*sample, *reference])
    data: dict[str, Any] = {}
    for kind, frames in (("sample", sample), ("reference", reference)):
        if frames:
            data |= _averages(kind, frames, energy)
    first = files[0]
    pixel = options.voxel_um if options.voxel_um is not None else first.pixel_um
    attrs = {"instrument": "Zeiss/Xradia", "start_time": first.date, "metadata": _said(files), **voxel_attrs(pixel)}
    if all(x.corrected for x in files):
        attrs["corrected"] = True
    return warn(xr.Dataset(data, {"energy": ("energy", energy, {"units": "eV"})}, attrs), *_remarks(files))


def _files(paths: Sequence[Path]) -> list[xrm.Xrm]:
    """All files opened; ``ReadError`` names every one that cannot be, and one that does not belong to the others."""
    files, broken = [], []
    for path in paths:
        try:
            files.append(xrm.read_xrm(path))
        except ReadError as err:
            broken.append((path.name, err))
    if len(broken) == 1:
        raise broken[0][1]
    if broken:
        raise ReadError(
            f"{len(broken)} files are cut off or unreadable: {', '.join(n for n, _ in broken)}.",
            hint="Take them out, or transfer them again.",
        )
    first = files[0]
    for x in files:
        if x.images.shape[1:] != first.images.shape[1:]:
            raise ReadError(
                f"{x.path.name} is an image of {size_text(x.images.shape[1:])} pixels, {first.path.name} of "
                f"{size_text(first.images.shape[1:])}.",
                hint="Give the frames of one scan.",
            )
        if np.isnan(x.energy).any():
            raise ReadError(f"{x.path.name} says its energy neither inside nor in its name.", hint="Put it as 8350.0_eV into the name.")
        if _is_tomogram(x):
            raise ReadError(f"{x.path.name} holds projections at several angles.", hint="Read it with reader=xanes.projections_xrm.")
    return files


def _is_tomogram(x: xrm.Xrm) -> bool:
    """Whether the angle changes and the energy does not."""
    return bool(np.isfinite(x.angle).all() and np.ptp(x.angle) > SAME_DEGREE and (np.isnan(x.energy).any() or np.ptp(x.energy) < SAME_EV))


def _is_reference(name: str, word: str) -> bool:
    return re.search(rf"(?:^|[_\-. ]){re.escape(word.strip('_'))}(?=[_\-. ])", name, re.IGNORECASE) is not None


def _frames(x: xrm.Xrm) -> list[Frame]:
    return [Frame(x, i, float(x.energy[i]), float(x.exposure[i])) for i in range(x.images.shape[0])]


def _carried(x: xrm.Xrm) -> Frame:
    exposure = x.reference_exposure if x.reference_exposure is not None else float(x.exposure[0])
    return Frame(x, -1, float(x.energy[0]), exposure)


def _grid(frames: Sequence[Frame]) -> np.ndarray:
    values = np.sort([f.energy for f in frames])
    return values[np.diff(values, prepend=-np.inf) > SAME_EV]


def _averages(kind: str, frames: Sequence[Frame], energy: np.ndarray) -> dict[str, Any]:
    groups = [[f for f in frames if abs(f.energy - e) < SAME_EV] for e in energy]
    exposures = [_exposure(kind, group) for group in groups]
    name = "exposure" if kind == "sample" else "reference_exposure"
    shape = frames[0].file.images.shape[1:]
    nbytes = len(frames) * int(np.prod(shape)) * frames[0].file.images.dtype.itemsize
    means = _lazy_means(groups, shape) if nbytes > FRAME_BYTES else np.stack([_mean_and_std(g, shape) for g in groups])
    units = {"units": "counts"}
    made = {
        kind: (("energy", "y", "x"), means[:, 0], units),
        name: ("energy", exposures, {"units": "s"}),
        f"n_{kind}": ("energy", [len(g) for g in groups], {"units": "1"}),
    }
    repeated = any(len(g) > 1 for g in groups)
    return made | ({f"{kind}_std": (("energy", "y", "x"), means[:, 1], units)} if repeated else {})


def _exposure(kind: str, group: Sequence[Frame]) -> float:
    found = sorted({f.exposure for f in group})
    if len(found) > 1:
        said = " and ".join(f"{e:g} s" for e in found)
        hint = "Frames of one energy and kind need one exposure; take the others out."
        raise DataError(f"The {kind} frames at {group[0].energy:g} eV were exposed for {said}.", hint=hint)
    return found[0] if found else float("nan")


def _mean_and_std(group: Sequence[Frame], shape: tuple[int, ...]) -> np.ndarray:
    if not group:
        return np.full((2, *shape), np.nan, np.float32)
    found = averaged(np.stack([f.pixels() for f in group]), group[0].exposure)
    return np.stack([found.mean, found.std])


def _lazy_means(groups: Sequence[Sequence[Frame]], shape: tuple[int, ...]) -> Any:
    import dask
    import dask.array as da

    make = dask.delayed(partial(_mean_and_std, shape=shape))
    return da.stack([da.from_delayed(make(g), (2, *shape), np.float32) for g in groups])


def _said(files: Sequence[xrm.Xrm]) -> dict[str, Any]:
    first = files[0]
    said = {"binning": first.binning, "energies_from": {"name": "file names", "file": "file"}.get(first.energy_from, ""), **first.metadata}
    angle = float(first.angle[0])
    return said | ({"angle_degree": angle} if np.isfinite(angle) else {}) | {"files": len(files)}


def _remarks(files: Sequence[xrm.Xrm]) -> list[str]:
    remarks = []
    scans = sorted({m[1] for x in files if (m := REPETITION.search(x.path.name))})
    if len(scans) > 1:
        remarks.append(f"Frames of {len(scans)} repetitions of the scan ({', '.join(scans)}) were averaged without aligning them.")
    if len({x.pixel_um for x in files}) > 1:
        remarks.append("The pixel size differs between the files; that of the first was taken.")
    if len({x.corrected for x in files}) > 1:
        remarks.append("Some images were divided by a reference already, others were not.")
    return remarks


# -- projections -----------------------------------------------------------------------------------------------------------


def read_xrm_projections(paths: tuple[Path, ...], options: ProjectionOptions) -> xr.Dataset:
    """The projections of a ``.txrm`` file."""
    if len(paths) > 1:
        raise ReadError(f"{len(paths)} files were given where a tomogram is one file.", hint="Give one .txrm file.")
    x = xrm.read_xrm(paths[0])
    if np.isnan(x.angle).any():
        raise ReadError(f"{x.path.name} does not say its angles.", hint="Read it as frames with reader=xanes.xrm.")
    data: dict[str, Any] = {"sample": (("angle", "y", "x"), _images(x.images), {"units": "counts"})}
    if x.reference is not None:
        data["reference"] = (("y", "x"), x.reference.astype(np.float32), {"units": "counts"})
    if not np.isnan(x.exposure).any():
        data["exposure"] = ("angle", x.exposure, {"units": "s"})
    pixel = options.voxel_um if options.voxel_um is not None else x.pixel_um
    energy = {} if np.isnan(x.energy[0]) else {"energy_ev": float(x.energy[0])}
    attrs = {"instrument": "Zeiss/Xradia", "start_time": x.date, "metadata": {**_said([x]), **energy}, **voxel_attrs(pixel)}
    return xr.Dataset(data, {"angle": ("angle", x.angle, {"units": "degree"})}, attrs)


def read_exchange(paths: tuple[Path, ...], options: ProjectionOptions) -> xr.Dataset:
    """The projections of a Data Exchange file, its white and dark images averaged."""
    path = paths[0]
    known = hdf5.datasets(path)
    missing = [n for n in ("exchange/data", "exchange/theta") if n not in known]
    if missing:
        raise ReadError(f"{path.name} has no /{missing[0]}, which projections in Data Exchange have.", hint=hdf5.listed(known))
    images = hdf5.blocks(path, "exchange/data")
    theta = hdf5.values(path, "exchange/theta").astype(float)
    if images.ndim != 3 or theta.shape != images.shape[:1]:
        raise ReadError(f"{path.name} has {theta.size} angles for projections of {size_text(images.shape)}.", hint="Export it again.")
    units = "radian" if known["exchange/theta"].units.lower().startswith("rad") else "degree"
    data: dict[str, Any] = {"sample": (("angle", "y", "x"), _images(images), {"units": "counts"})}
    for name, ours in (("data_white", "reference"), ("data_dark", "dark")):
        if f"exchange/{name}" in known:
            mean = hdf5.values(path, f"exchange/{name}").mean(axis=0, dtype=np.float64).astype(np.float32)
            data[ours] = (("y", "x"), mean, {"units": "counts"})
    said = {f"n_{n}": known[f"exchange/data_{n}"].shape[0] for n in ("white", "dark") if f"exchange/data_{n}" in known}
    attrs = {"metadata": {"layout": "Data Exchange", **said}, **voxel_attrs(options.voxel_um)}
    return xr.Dataset(data, {"angle": ("angle", theta, {"units": units})}, attrs)


def _images(images: Blocks) -> Any:
    """Images (n, y, x) in memory if small, else lazy, one image a piece."""
    n, *page = images.shape
    if n * int(np.prod(page)) * images.dtype.itemsize <= IN_MEMORY:
        return whole(images)
    import dask.array as da

    made = da.from_array(images, chunks=(1, *page), name=False, asarray=True)
    return made.astype(images.dtype.newbyteorder("="))


# -- recognising -----------------------------------------------------------------------------------------------------------


def _kind(probe: Probe) -> str:
    """``frames`` or ``projections``; empty where the file is not of this format."""
    if not probe.head.startswith(xrm.MAGIC) or not xrm.is_xrm(probe.path):
        return ""
    try:
        return "projections" if _is_tomogram(xrm.read_xrm(probe.path)) else "frames"
    except ReadError:  # cut off: reading it says so
        return "frames"


def _sniff_frames(probe: Probe) -> float:
    return {"frames": 1.0, "projections": 0.4}.get(_kind(probe), 0.0)


def frame_series(path: Path) -> str:
    """Of which scan a file holds a frame; references belong to the scan of the samples."""
    found = xrm.read_xrm(path)
    return "" if _is_tomogram(found) else series_name(path.name, words=(FrameOptions().reference_word,))


def _sniff_projections(probe: Probe) -> float:
    return {"frames": 0.3, "projections": 1.0}.get(_kind(probe), 0.0)


def _sniff_exchange(probe: Probe) -> float:
    if not hdf5.is_hdf5(probe.head):
        return 0.0
    try:
        known = hdf5.datasets(probe.path)
    except ReadError:
        return 0.0
    return 1.0 if {"exchange/data", "exchange/theta"} <= set(known) else 0.0


READERS: tuple[Reader, ...] = (
    Reader(
        "xanes.xrm",
        "Zeiss/Xradia frames (.xrm, .txrm)",
        FRAMES,
        (".xrm", ".txrm"),
        _sniff_frames,
        read_frames,
        FrameOptions,
        series=frame_series,
    ),
    Reader(
        "xanes.projections_xrm",
        "Zeiss/Xradia projections (.txrm)",
        PROJECTIONS,
        (".txrm",),
        _sniff_projections,
        read_xrm_projections,
        ProjectionOptions,
    ),
    Reader(
        "xanes.projections_hdf5",
        "Projections in Data Exchange (HDF5)",
        PROJECTIONS,
        (".h5", ".hdf5"),
        _sniff_exchange,
        read_exchange,
        ProjectionOptions,
    ),
)
