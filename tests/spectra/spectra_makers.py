"""Small spectra with known truth, and files read as the registry reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.registry import Registry, load
from analysis.schemas import SPECTRA
from analysis.spectra.curves import Curve, assemble

REGISTRY: Registry = load(("analysis.spectra",))


def read(path: Path, **options: Any) -> xr.Dataset:
    """The dataset of a file by the reader that recognises it."""
    reader = REGISTRY.recognise(path)
    return reader.schema.conform(reader.read((path,), reader.options.check(options)))


def edge(energy: np.ndarray, center: float, width: float = 2.0) -> np.ndarray:
    return 0.5 + np.arctan(2 * (energy - center) / width) / np.pi


def made(*curves: tuple[str, np.ndarray, np.ndarray]) -> xr.Dataset:
    """A dataset of named (energy, mu) curves."""
    return SPECTRA.conform(assemble([Curve(name, energy, mu) for name, energy, mu in curves]))


def columns(path: Path, **values: np.ndarray) -> Path:
    """A text file of columns with a title line."""
    rows = np.stack(list(values.values()), axis=1)
    lines = ["# " + " ".join(values), *(" ".join(f"{v:.6f}" for v in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
