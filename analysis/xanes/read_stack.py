"""Readers of stacks: TIFF, HDF5 and NeXus, Zarr, NumPy, raw numbers, STXM; images of the same region at several energies.

What a format is stands in ``analysis.formats``. Every stack needs its energies: from the file, from its page labels, from the names of
the files (one file an energy), from a list beside it (``energies.txt``, ``<name>_energies.txt`` …), or from the option ``energies``. They
are in eV unless all are below 100. Frames are put into increasing order of energy; doubled energies are refused. Values are optical
depth unless the format or the option ``values`` says otherwise; transmission and counts are turned into it. Nothing is clipped.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import xarray as xr

from analysis.core.errors import ParamError, ReadError
from analysis.core.registry import Probe, Reader
from analysis.formats import hdf5, npy, raw, stxm, tiff, zarr_store
from analysis.formats.energies import energy_of_name
from analysis.formats.file_names import series_name
from analysis.schemas import STACK
from analysis.xanes import sources
from analysis.xanes.sources import Opened
from analysis.xanes.stack_choices import IN_HDF5, IN_NPZ, IN_ZARR
from analysis.xanes.stack_options import DatasetOptions, Hdf5Options, RawOptions, StackOptions, StxmOptions
from analysis.xanes.stacks import stack_of

RAW_SUFFIXES = (".raw", ".bin", ".vol")


def _tiff(paths: tuple[Path, ...], _: StackOptions) -> Opened:
    return sources.open_tiff(paths)


def _hdf5(paths: tuple[Path, ...], options: Hdf5Options) -> Opened:
    return sources.open_hdf5(_one(paths), options.dataset, options.energy_dataset)


def _zarr(paths: tuple[Path, ...], options: Hdf5Options) -> Opened:
    return sources.open_zarr(_one(paths), options.dataset, options.energy_dataset)


def _numpy(paths: tuple[Path, ...], options: DatasetOptions) -> Opened:
    return sources.open_numpy(_one(paths), options.dataset)


def _stxm(paths: tuple[Path, ...], options: StxmOptions) -> Opened:
    return sources.open_stxm(_one(paths), options.channel)


def open_raw(path: Path, options: Any) -> Opened:
    """Bare numbers, of which the options say what they are."""
    if not options.shape or options.dtype is None:
        raise ParamError(
            f"{path.name} says nothing of what it holds ({path.stat().st_size:,} bytes).",
            hint="Give shape=…,…,… (slowest axis first) and dtype=uint16, float32 or another, byte_order=big if it is not little.",
        )
    found = raw.read_raw(path, options.shape, options.dtype, options.byte_order, options.header_bytes)
    energy, source = sources.energies_beside(path)
    return Opened(path.name, found, energy, source)


def _raw(paths: tuple[Path, ...], options: RawOptions) -> Opened:
    return open_raw(_one(paths), options)


def _one(paths: tuple[Path, ...]) -> Path:
    if len(paths) > 1:
        raise ReadError(f"{len(paths)} files were given where a stack is one file ({paths[0].name}, {paths[1].name} …).", hint="Give one.")
    return paths[0]


def _reads(opener: Callable[[tuple[Path, ...], Any], Opened]) -> Callable[[tuple[Path, ...], Any], xr.Dataset]:
    def read(paths: tuple[Path, ...], options: Any) -> xr.Dataset:
        return stack_of(opener(paths, options), options)

    return read


# -- recognising -----------------------------------------------------------------------------------------------------------


def is_tiff(probe: Probe) -> bool:
    return probe.head.startswith(tiff.MAGICS)


def is_numpy(probe: Probe) -> bool:
    return probe.head.startswith(npy.MAGIC) or any(m.endswith(".npy") for m in probe.members)


def is_zarr(probe: Probe) -> bool:
    return probe.path.name in zarr_store.NAMES or any(m.rpartition("/")[2] in zarr_store.NAMES for m in probe.members[:100])


def _sniff_tiff(probe: Probe) -> float:
    if not is_tiff(probe):
        return 0.0
    return 0.7 if energy_of_name(probe.path.name) is not None or sources.list_beside(probe.path) else 0.6


def _sniff_hdf5(probe: Probe) -> float:
    if not hdf5.is_hdf5(probe.head):
        return 0.0
    try:
        known = hdf5.datasets(probe.path)
        layout = hdf5.layout(probe.path, known)
    except ReadError:  # cut off: reading it says so
        return 0.4
    if layout is not None:
        return 0.3 if layout.values == "projections" else 1.0
    return 0.5 if any(len(d.squeezed) in (3, 4) for d in known.values()) else 0.2


def _sniff_numpy(probe: Probe) -> float:
    return 0.7 if is_numpy(probe) else 0.0


def _sniff_zarr(probe: Probe) -> float:
    return 0.8 if is_zarr(probe) else 0.0


def _sniff_raw(probe: Probe) -> float:
    """Nothing marks bare numbers: the last choice, where no text is in it."""
    return 0.1 if probe.suffix in RAW_SUFFIXES and b"\0" in probe.head else 0.0


def _sniff_stxm(probe: Probe) -> float:
    return float(stxm.is_header(probe.text))


def tiff_series(path: Path) -> str:
    """Of which series a TIFF file is one image: it holds one, or its name states its energy."""
    if not is_tiff(Probe.of(path)):
        return ""
    found = tiff.read_tiff(path)
    is_one = found.images.ndim < 3 or (found.energy is None and energy_of_name(path.name) is not None)
    return series_name(path.name) if is_one else ""


LISTS = sources.LIST_NAMES

READERS: tuple[Reader, ...] = (
    Reader(
        "xanes.tiff",
        "TIFF stack",
        STACK,
        (".tif", ".tiff"),
        _sniff_tiff,
        _reads(_tiff),
        StackOptions,
        sources.list_beside,
        tiff_series,
        LISTS,
    ),
    Reader(
        "xanes.hdf5",
        "HDF5 or NeXus stack",
        STACK,
        (".h5", ".hdf5", ".nxs", ".hdf"),
        _sniff_hdf5,
        _reads(_hdf5),
        Hdf5Options,
        inside=IN_HDF5,
    ),
    Reader(
        "xanes.zarr", "Zarr stack", STACK, (".zarr", ".zip"), _sniff_zarr, _reads(_zarr), Hdf5Options, zarr_store.files_of, inside=IN_ZARR
    ),
    Reader(
        "xanes.numpy",
        "NumPy stack",
        STACK,
        (".npy", ".npz"),
        _sniff_numpy,
        _reads(_numpy),
        DatasetOptions,
        sources.list_beside,
        companions=LISTS,
        inside=IN_NPZ,
    ),
    Reader(
        "xanes.raw",
        "Raw numbers",
        STACK,
        RAW_SUFFIXES,
        _sniff_raw,
        _reads(_raw),
        RawOptions,
        sources.list_beside,
        companions=LISTS,
    ),
    Reader(
        "xanes.stxm",
        "STXM stack (.hdr, .xim)",
        STACK,
        (".hdr",),
        _sniff_stxm,
        _reads(_stxm),
        StxmOptions,
        stxm.image_files,
        companions=("{stem}_?*.xim",),
    ),
)
