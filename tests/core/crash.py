"""Kill a program at a chosen moment, then look whether its workspace is whole. Also used by the benchmarks."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import xarray as xr

from analysis.core.data import Scalar
from analysis.core.store import FOLDERS, Store

ROOT = Path(__file__).parents[2]
ENTRY_FILES = ("zarr.json", "interplay.json", "manifest.json")
START_S = 120.0


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start Python with ``command`` in a process group of its own, so that its workers die with it."""
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    return subprocess.Popen([sys.executable, *command], env={**os.environ, "PYTHONPATH": path}, start_new_session=True)


def kill_after(program: subprocess.Popen[bytes] | BaseProcess, *, ready: Path, delay_s: float) -> bool:
    """Wait until the program made the file ``ready``, let it work ``delay_s`` more, and kill it; False if it had ended before."""
    is_alive = program.is_alive if isinstance(program, BaseProcess) else lambda: program.poll() is None
    until = time.monotonic() + START_S
    while not ready.exists() and is_alive() and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(delay_s)
    if not is_alive():
        return False
    if isinstance(program, BaseProcess):
        program.kill()
        program.join()
    else:
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
    return True


def damage(root: Path) -> list[str]:
    """What is not whole in a workspace after a crash, in sentences; killed writers' leftovers are swept first."""
    store = Store(root)
    store.sweep()
    found = [f"temp/{p.name} is left over." for p in (root / "temp").iterdir()]
    for folder in FOLDERS.values():
        found += [f"{folder}/{p.name} is no entry." for p in (root / folder).iterdir() if p.suffix != ".zarr"]
    for key in store.keys():  # noqa: SIM118 - not a mapping
        found += [f"{key} lacks {name}." for name in ENTRY_FILES if not (store.path(key) / name).is_file()]
        found += store.check(key)
        store.open(key).load()
        store.provenance(key)
    for sha256 in (root / "raw").glob("*/*"):
        found += [] if len(list(sha256.iterdir())) == 1 else [f"raw/{sha256.name} is not one file."]
    return found


def write_for_ever(root: Path, ready: Path, seed: int) -> None:
    """Put datasets, results, edits and originals of changing size, as fast as the disk takes them."""
    store, rng = Store(root), np.random.default_rng(seed)
    source = ready.with_suffix(".raw")
    for i in range(10**6):
        ds = xr.Dataset(
            {"x": ("row", rng.random(int(rng.integers(1, 200_000))), {"units": "V"}), "kind": ("group", ["a", "µ"], {"units": ""})},
            attrs={"schema": "test.x"},
        )
        store.put(f"d-{seed}n{i}", ds, {"kind": "dataset"})
        lazy = ds.chunk({"row": 50_000})
        store.put(f"r-{seed}n{i}", lazy, {"kind": "result"}, summarise=lambda stored: {"top": Scalar(float(stored["x"].max()), "V")})
        store.put_edit(ds[["kind"]].assign_attrs(n=i, seed=seed))
        source.write_bytes(rng.bytes(300_000))
        store.keep_original(source)
        if i % 3 == 2:
            store.remove(f"r-{seed}n{i - 1}")
        ready.touch()
