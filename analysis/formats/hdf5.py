"""HDF5 files, NeXus among them: which datasets they hold, and which layouts are known.

An HDF5 file is a tree of groups with datasets; nothing but convention says what a dataset means. Known conventions:

================== ===============================================================================================================
layout             where things are
================== ===============================================================================================================
TXM-Sandbox        ``/registration_results/reg_results/registered_xanes2D`` or ``…3D``, optical depth, (energy, [z,] y, x);
                   energies in eV or keV in ``eng_list`` beside it, under ``trial_registration/trial_reg_parameters`` or under
                   ``processed_XANES…/proc_parameters``
FXI (NSLS-II 18-ID) ``/img_xanes``, transmission (already divided by the background, dark subtracted), (energy, y, x);
                   ``/X_eng`` in keV; ``/Pixel Size`` text such as ``20.6nm``. PyXAS reads and writes the same
Data Exchange      ``/exchange/data`` (theta, y, x) with ``data_white``, ``data_dark`` and ``theta`` in degrees: projections
NXstxm             a group of class NXdata with ``data`` or its ``signal`` and ``energy``, ``sample_x``, ``sample_y``: counts
NeXus              a group with the attribute ``signal`` (or NX_class NXdata) and the axis ``energy`` or ``Energy``
================== ===============================================================================================================

Elsewhere the only dataset of three or four dimensions is taken, and the one-dimensional dataset of a matching length whose name
speaks of energy. Where several could be meant, the choice is the user's. Links into other files and datasets that are put together
from other files (virtual, external storage) are refused: what they show can change without this file changing. Text and compound
datasets are passed over. Seen: HDF5 1.8 to 2.0 formats; MATLAB 7.3 files are HDF5 too (``analysis.formats.matlab``).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.blocks import Key, Typed, size_text

MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_DATASETS = 20_000
MAX_LISTED = 8
_DAMAGED = (OSError, RuntimeError, KeyError, ValueError)
_SANDBOX = "registration_results/reg_results/registered_xanes"
_ENERGY_NAME = re.compile(r"(^|[/_ ])(energ(y|ies)|eng|x_eng|eng_list|photon_energy|mono_energy|incident_energy)([/_ ]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset without reading it."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    units: str = ""
    paged: bool = False

    @property
    def squeezed(self) -> tuple[int, ...]:
        return tuple(n for n in self.shape if n != 1)


@dataclass(frozen=True)
class H5Blocks(Typed):
    """A dataset that stays in its file."""

    path: Path
    name: str
    shape: tuple[int, ...]
    typestr: str
    paged: bool = False

    def __getitem__(self, key: Key) -> np.ndarray:
        with opened(self.path) as f:
            return np.asarray(f[self.name][key])


@dataclass(frozen=True)
class Layout:
    """Where a known convention keeps its stack; ``values`` are absorption, transmission, counts or projections."""

    title: str
    stack: str
    energies: str = ""
    values: str = "absorption"
    energy_unit: str = ""
    pixel_um: float | None = None


def is_hdf5(head: bytes) -> bool:
    """Whether a file begins as HDF5 does, after a block of the user's own of 512 bytes, 1024 … too."""
    return any(head[at : at + 8] == MAGIC for at in (0, 512, 1024, 2048, 4096))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The open file; whatever is wrong with it becomes one sentence."""
    try:
        f = h5py.File(path, "r", locking=False)
    except _DAMAGED as err:
        raise ReadError(_sentence(path, err), hint="Copy or transfer it again.") from err
    with f:
        try:
            yield f
        except _DAMAGED as err:
            raise ReadError(_sentence(path, err), hint="Copy or transfer it again.") from err


def _sentence(path: Path, err: BaseException) -> str:
    said = re.sub(r"\s+", " ", str(err))
    if found := re.search(r"truncated file: eof = (\d+), .*stored_eof = (\d+)", said):
        return f"{path.name} is cut off: it has {int(found[1]):,} of {int(found[2]):,} bytes."
    return f"{path.name} is damaged, cut off or no HDF5 file: {said[:120].rstrip('.')}."


def datasets(path: Path) -> Mapping[str, Dataset]:
    """The numeric datasets of a file by name, in the order of the file."""
    found: dict[str, Dataset] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf" and len(found) < MAX_DATASETS:
            found[name] = _described(name, item)

    with opened(path) as f:
        f.visititems(note)
        for name, target in _soft_links(f).items():
            found.setdefault(name, _described(name, target))
    return found


def _soft_links(f: Any) -> dict[str, Any]:
    """Datasets at the end of soft links of the first two levels, which a visit passes over."""
    made = {}
    for group in [f, *(item for item in f.values() if isinstance(item, h5py.Group))]:
        for name in group:
            if isinstance(group.get(name, getlink=True), h5py.SoftLink):
                target = group.get(name)
                if isinstance(target, h5py.Dataset) and target.dtype.kind in "biuf" and target.file.filename == f.filename:
                    made[f"{group.name}/{name}".strip("/")] = target
    return made


def _described(name: str, item: Any) -> Dataset:
    chunks = item.chunks
    paged = (
        bool(chunks) and item.compression is not None and len(chunks) > 1 and chunks[-1] * chunks[-2] * 2 > item.shape[-1] * item.shape[-2]
    )
    units = item.attrs.get("units", "")
    units = units.decode("utf-8", "replace") if isinstance(units, bytes) else str(units)
    return Dataset(name, tuple(item.shape), item.dtype.str, units, paged)


def blocks(path: Path, name: str) -> H5Blocks:
    """One dataset, unread. ``ReadError`` lists what the file holds where there is none of this name."""
    wanted = name.strip("/")
    with opened(path) as f:
        _own(f, wanted, path)
        item = f.get(wanted)
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf" and item.size:
            if item.is_virtual or item.external:
                raise ReadError(f"{wanted} in {path.name} is put together from other files.", hint="Copy it into one file first.")
            found = _described(wanted, item)
            _ = item[(slice(0, 1),) * item.ndim]  # a missing filter shows here
            return H5Blocks(path, wanted, found.shape, found.dtype, found.paged)
    raise ReadError(f"{path.name} has no dataset '{name}' with numbers.", hint=listed(datasets(path)))


def _own(f: Any, name: str, path: Path) -> None:
    """Refuse a way that leads into another file."""
    at = f
    for part in name.split("/"):
        if not isinstance(at, h5py.Group):
            return
        if isinstance(at.get(part, getlink=True), h5py.ExternalLink):
            raise ReadError(f"{name} in {path.name} lies in another file.", hint="Give that file instead.")
        at = at.get(part)


def values(path: Path, name: str) -> np.ndarray:
    """A small dataset, read."""
    found = blocks(path, name)
    return found[(slice(None),) * found.ndim]


def listed(found: Mapping[str, Dataset]) -> str:
    """The largest datasets with their shapes, as a hint."""
    several = sorted((d for d in found.values() if len(d.squeezed) > 1), key=lambda d: -int(np.prod(d.shape, dtype=np.int64)))
    text = ", ".join(f"/{d.name} ({size_text(d.shape)})" for d in several[:MAX_LISTED])
    more = f" and {len(several) - MAX_LISTED} more" if len(several) > MAX_LISTED else ""
    return f"It holds {text}{more}." if text else "It holds no images."


def layout(path: Path, known: Mapping[str, Dataset]) -> Layout | None:
    """The convention that a file follows, if it is one of the known."""
    for dims in ("2D", "3D"):
        if f"{_SANDBOX}{dims}" in known:
            return Layout("TXM-Sandbox", f"{_SANDBOX}{dims}", _sandbox_energies(known))
    if "img_xanes" in known:
        energies = next((n for n in ("X_eng", "xray_energy", "eng_list") if n in known), "")
        return Layout("FXI", "img_xanes", energies, "transmission", pixel_um=_pixel_um(path))
    if "exchange/data" in known and "exchange/theta" in known:
        return Layout("Data Exchange", "exchange/data", values="projections")
    return _nexus(path, known)


def _sandbox_energies(known: Mapping[str, Dataset]) -> str:
    places = ["registration_results/reg_results/", "trial_registration/trial_reg_parameters/"]
    places += [f"processed_XANES{d}/proc_parameters/" for d in ("2D", "3D", "")]
    return next((f"{p}eng_list" for p in places if f"{p}eng_list" in known), "")


def _pixel_um(path: Path) -> float | None:
    with opened(path) as f:
        item = f.get("Pixel Size")
        said = item[()] if isinstance(item, h5py.Dataset) and item.shape == () else b""
    text = said.decode("latin-1") if isinstance(said, bytes) else str(said)
    number = re.match(r"\s*([\d.]+)\s*(nm|um)?", text)
    if not number or not number[1].strip("."):
        return None
    return float(f"{float(number[1]) * (1.0 if number[2] == 'um' else 1e-3):.6g}")


def _nexus(path: Path, known: Mapping[str, Dataset]) -> Layout | None:
    """The stack of the first NXdata group whose signal has an energy axis."""
    folders = dict.fromkeys(n.rpartition("/")[0] for n in known)
    with opened(path) as f:
        for folder in folders:
            group = f.get(folder) if folder else f
            kind = _as_text(group.attrs.get("NX_class", ""))
            signal = _as_text(group.attrs.get("signal", "")) or ("data" if kind == "NXdata" else "")
            at = f"{folder}/{signal}".strip("/")
            energies = next((n for n in known if n.rpartition("/")[0] == folder and n.rpartition("/")[2].lower() == "energy"), "")
            if at in known and energies and len(known[at].squeezed) >= 3:
                parent = _as_text(group.parent.get("definition", np.bytes_(b""))[()]) if "definition" in group.parent else ""
                stxm = parent == "NXstxm"
                return Layout("NXstxm" if stxm else "NeXus", at, energies, "counts" if stxm else "absorption")
    return None


def _as_text(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.flat[0] if value.size else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def energy_candidates(known: Mapping[str, Dataset], lengths: tuple[int, ...]) -> list[str]:
    """One-dimensional datasets whose name speaks of energy and whose length is one of ``lengths``."""
    return [n for n, d in known.items() if len(d.squeezed) == 1 and d.squeezed[0] in lengths and _ENERGY_NAME.search(n)]
