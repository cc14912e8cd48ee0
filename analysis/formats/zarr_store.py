"""Zarr arrays and groups, formats 2 and 3, as a folder or a zip archive.

A store is a folder; what names it here is its metadata file (``zarr.json``, ``.zgroup`` or ``.zarray``), a file as every other input.
A zip archive (``.zarr.zip``) is read as it is. OME-Zarr keeps an image at several resolutions as arrays ``0``, ``1`` …: the first, the
finest, is the one to take. Xarray names the axes in the attribute ``_ARRAY_DIMENSIONS`` or in ``dimension_names``. Arrays whose codecs
are not installed are refused when they are opened. Links do not exist in the format; chunks that are missing are zero by definition,
so a store that lost files cannot be told from a sparse one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.blocks import Key, Typed
from analysis.formats.hdf5 import Dataset

NAMES = ("zarr.json", ".zgroup", ".zarray")
_DAMAGED = (OSError, ValueError, KeyError, TypeError, RuntimeError, BadZipFile, json.JSONDecodeError)


@dataclass(frozen=True)
class ZarrBlocks(Typed):
    """An array that stays in its store."""

    store: Path
    name: str
    shape: tuple[int, ...]
    typestr: str
    paged: bool = False

    def __getitem__(self, key: Key) -> np.ndarray:
        try:
            return np.asarray(_node(self.store, self.name)[key])
        except _DAMAGED as err:
            raise ReadError(
                f"'{self.name}' of {self.store.name} cannot be read: {_brief(err)}.", hint="Copy the whole store again."
            ) from err


def root_of(path: Path) -> Path:
    """The store that a metadata file or a zip archive stands for: the outermost folder that is one."""
    if path.name not in NAMES:
        return path
    folder = path.parent
    while any((folder.parent / n).is_file() for n in NAMES):
        folder = folder.parent
    return folder


def files_of(path: Path) -> tuple[Path, ...]:
    """All other files of a store, in order: they belong to what is read."""
    if path.name not in NAMES:
        return ()
    return tuple(sorted(p for p in root_of(path).rglob("*") if p.is_file() and p != path))


def arrays(path: Path) -> Mapping[str, Dataset]:
    """The numeric arrays of a store by name; of an image at several resolutions the finest only."""
    root = root_of(path)
    try:
        top = _node(root, "")
        members = {"": top} if hasattr(top, "shape") else {n: a for n, a in top.members(max_depth=None) if hasattr(a, "shape")}
    except _DAMAGED as err:
        raise ReadError(f"{root.name} is no readable Zarr store: {_brief(err)}.", hint="Copy the whole store again.") from err
    numeric = {n: a for n, a in members.items() if np.dtype(a.dtype).kind in "biuf"}
    finest = {n: a for n, a in numeric.items() if not _coarser(n, numeric)}
    return {n: Dataset(n, tuple(a.shape), np.dtype(a.dtype).str, str(a.attrs.get("units", ""))) for n, a in finest.items()}


def _coarser(name: str, known: Mapping[str, Any]) -> bool:
    """Whether this is a reduced copy: a number above zero beside an array of the same dimensions named 0."""
    folder, _, last = name.rpartition("/")
    first = known.get(f"{folder}/0".strip("/"))
    return last.isdigit() and last != "0" and first is not None and first.ndim == known[name].ndim


def blocks(path: Path, name: str, known: Mapping[str, Dataset]) -> ZarrBlocks:
    found = known[name]
    return ZarrBlocks(root_of(path), name, found.shape, found.dtype)


def dimension_names(path: Path, name: str) -> tuple[str, ...]:
    """The names that the store gives to the axes of an array, empty where it gives none."""
    node = _node(root_of(path), name)
    given = node.attrs.get("_ARRAY_DIMENSIONS") or getattr(node.metadata, "dimension_names", None) or ()
    return tuple(str(n) for n in given)


def _node(root: Path, name: str) -> Any:
    import zarr

    if root.is_dir():
        return zarr.open(root, mode="r", path=name)
    return zarr.open(zarr.storage.ZipStore(root, mode="r"), mode="r", path=name)


def _brief(err: BaseException) -> str:
    return str(err).splitlines()[0][:120].rstrip(".") if str(err) else type(err).__name__
