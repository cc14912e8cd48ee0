"""This project: recognise, read, summarise; with and without storing."""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import xarray as xr
from protocol import cycles, serve

from analysis.core.registry import Recipe
from analysis.core.run import Request, ingest, read, run
from analysis.core.store import Store
from analysis.cycling.curves import HalfCurve
from analysis.cycling.derivative import DerivativeParams, derivative
from analysis.modalities import registry

REGISTRY = registry()
SCRATCH = Path(__file__).parents[1] / ".work"


def _never_seen(path: str, folder: str) -> Path:
    """The file under a name that is new to the program: what it remembers of a file's head must not help a second time."""
    link = Path(folder) / f"{time.monotonic_ns()}-{Path(path).name}"
    link.symlink_to(path)
    return link


def _computed(recipe: Recipe, record: xr.Dataset, params: dict[str, object]) -> xr.Dataset:
    checked = recipe.params.check(params)
    return recipe.output.conform(recipe.compute(records=(record,), params=checked))


def summary(path: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        file = _never_seen(path, folder)
        started = time.perf_counter()
        reader = REGISTRY.recognise(file)
        recognised = time.perf_counter() - started
        record = read((file,), reader, reader.options.check({}))
    found = _computed(REGISTRY.recipe("cycling.summary"), record, {})
    return {"recognised": recognised, **_numbers(found, record.sizes["row"])}


def stored(path: str) -> dict[str, object]:
    """The same through the store of a new workspace: hashed, written, synced to disk, opened again."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        store = Store(Path(folder) / "workspace")
        key = ingest([_never_seen(path, folder)], REGISTRY, store)
        made = store.open(run(Request(recipe="cycling.summary", inputs={"records": (key,)}), REGISTRY, store))
        return _numbers(made, int(made.attrs["rows"]))


def dqdv(path: str) -> dict[str, object]:
    half = np.loadtxt(path, delimiter=",", skiprows=1)
    sign = 1 if half[-1, 1] > half[0, 1] else -1
    started = time.perf_counter()
    found = derivative(HalfCurve(1, sign, half[:, 0], half[:, 1], half[:, 2]), DerivativeParams())
    took = time.perf_counter() - started
    return {"seconds": took, "points": len(half), "values": 0 if found is None else int(np.isfinite(found.dqdv).sum())}


def _numbers(found: xr.Dataset, rows: int) -> dict[str, object]:
    return cycles(np.nan_to_num(found["charge_capacity"].values), np.nan_to_num(found["discharge_capacity"].values), rows)


if __name__ == "__main__":
    serve("this", {"summary": summary, "stored": stored, "dqdv": dqdv})
