"""What files with several datasets hold: choices for the options of their readers, and what tells files that are laid out alike."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from analysis.core.registry import Inside
from analysis.formats import hdf5, npy, zarr_store
from analysis.formats.blocks import size_text

Choices = dict[str, Sequence[tuple[str, str]]]
KEPT = ("dataset", "energy_dataset", "energy_axis", "energy_unit", "values", "unit")
MOST_SIGNED = 4000  # characters


def choices_of(known: Mapping[str, hdf5.Dataset], *, root: str = "/") -> Choices:
    """Datasets that may be images, the largest first, and those that may be a list of energies; ``root`` goes before their names."""
    images = sorted((d for d in known.values() if len(d.squeezed) > 1), key=lambda d: -math.prod(d.shape))
    lists = [d for d in known.values() if len(d.squeezed) == 1]
    return {"dataset": [_choice(d, root) for d in images], "energy_dataset": [_choice(d, root) for d in lists]}


def _choice(found: hdf5.Dataset, root: str) -> tuple[str, str]:
    """The dataset's name, and the name with its size and type."""
    kind = "bool" if found.dtype == "logical" else np.dtype(found.dtype).name  # so MATLAB calls them
    return f"{root}{found.name}", f"{root}{found.name} ({size_text(found.shape)}, {kind})"


def _signature(known: Mapping[str, hdf5.Dataset]) -> str:
    """Names and numbers of dimensions: equal for the files that one program writes."""
    return " ".join(sorted(f"{d.name}:{len(d.squeezed)}" for d in known.values()))[:MOST_SIGNED]


def hdf5_choices(path: Path) -> Choices:
    return choices_of(hdf5.datasets(path))


def hdf5_signature(path: Path) -> str:
    return _signature(hdf5.datasets(path))


def _zarr_choices(path: Path) -> Choices:
    return choices_of(zarr_store.arrays(path))


def _zarr_signature(path: Path) -> str:
    return _signature(zarr_store.arrays(path))


def _npz_choices(path: Path) -> Choices:
    return {"dataset": choices_of(_archived(path), root="")["dataset"]}


def _npz_signature(path: Path) -> str:
    return _signature(_archived(path))


def _archived(path: Path) -> Mapping[str, hdf5.Dataset]:
    """The arrays of an archive; a file of one array is none."""
    with open(path, "rb") as f:
        if f.read(len(npy.MAGIC)) == npy.MAGIC:
            return {}
    return {n: hdf5.Dataset(n, shape, kind) for n, (shape, kind) in npy.names(path).items()}


IN_HDF5 = Inside(hdf5_choices, hdf5_signature, KEPT)
IN_ZARR = Inside(_zarr_choices, _zarr_signature, KEPT)
IN_NPZ = Inside(_npz_choices, _npz_signature, KEPT)
