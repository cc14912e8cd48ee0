"""Stacks with known values, written in the formats that are read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.registry import Modality, Registry
from analysis.core.run import read
from analysis.xanes.read import READERS

REGISTRY = Registry({"xanes": Modality("xanes", "X-ray microscopy", readers=READERS)})
ENERGY = np.array([8300.0, 8340.0, 8345.0, 8350.0, 8400.0])
MU = np.random.default_rng(7).uniform(0.1, 1.4, (5, 12, 17)).astype(np.float32)  # (energy, y, x)
MU_3D = np.random.default_rng(8).uniform(0.1, 1.4, (5, 4, 12, 17)).astype(np.float32)  # (energy, z, y, x)


def taken(*paths: Path, reader: str = "", **options: Any) -> xr.Dataset:
    """What the program makes of files and options that are given as on the command line."""
    found = REGISTRY.reader(reader) if reader else REGISTRY.recognise(paths[0])
    words = [f"{name}={value if isinstance(value, str | Path) else json.dumps(value)}" for name, value in options.items()]
    return read(tuple(paths), found, found.options.check(found.options.parse(words)))


def listed(path: Path, energy: np.ndarray = ENERGY) -> Path:
    path.write_text("# energies of the scan\n" + "\n".join(f"{e:.3f}" for e in energy) + "\n")
    return path
