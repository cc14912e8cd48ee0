"""MATLAB files (``.mat``), as TXM-Wizard and other MATLAB programs save maps.

Versions 4 to 7 are read with SciPy; version 7.3 is HDF5 behind a block of 512 bytes, with the axes in reversed order (MATLAB stores
columns first), which is undone here. Only numeric arrays count: structures, cells, objects and function handles are passed over, and
nothing of them is run. Fields of structures are not looked into (TXM-Wizard's maps are plain variables). A file that was cut off
fails while its variables are listed or read.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.io.matlab import MatReadError

from analysis.core.errors import ReadError
from analysis.formats import hdf5
from analysis.formats.deflate import DAMAGED
from analysis.formats.hdf5 import Dataset

MAGIC = b"MATLAB "
_CLASSES = {"double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "logical"}
_DAMAGED = (
    ValueError,
    TypeError,
    OSError,
    EOFError,
    LookupError,
    ArithmeticError,
    NotImplementedError,
    MatReadError,
    *DAMAGED,
    struct.error,
)


def is_mat(head: bytes) -> bool:
    return head.startswith(MAGIC)


def variables(path: Path) -> Mapping[str, Dataset]:
    """The numeric arrays of a file by name."""
    if _is_hdf5(path):
        return {n: Dataset(n, d.shape[::-1], d.dtype) for n, d in hdf5.datasets(path).items() if not n.startswith("#")}
    from scipy.io import whosmat

    try:
        return {n: Dataset(n, tuple(shape), kind) for n, shape, kind in whosmat(path) if kind in _CLASSES}
    except _DAMAGED as err:
        raise ReadError(f"{path.name} is no readable MATLAB file: {_brief(err)}.", hint="Save or copy it again.") from err


def read_variable(path: Path, name: str) -> np.ndarray:
    """One array."""
    if _is_hdf5(path):
        return hdf5.values(path, name).T
    from scipy.io import loadmat

    try:
        found = loadmat(path, variable_names=[name])
    except _DAMAGED as err:
        raise ReadError(f"{path.name} is damaged or cut off: {_brief(err)}.", hint="Save or copy it again.") from err
    if name not in found:
        raise ReadError(f"{path.name} has no variable '{name}'.", hint=hdf5.listed(variables(path)))
    return np.asarray(found[name])


def _is_hdf5(path: Path) -> bool:
    with open(path, "rb") as f:
        return hdf5.is_hdf5(f.read(8192))


def _brief(err: BaseException) -> str:
    return str(err).splitlines()[0][:120].rstrip(".") if str(err) else type(err).__name__
