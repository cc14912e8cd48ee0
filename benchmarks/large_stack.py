"""A stack larger than memory would like: peak memory in-process and on a Dask cluster, and whether both make the same maps."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import places
from benchmarks.measure import watched
from benchmarks.report import Section, Table, count, seconds
from benchmarks.truth import truth

SIZE, QUICK_SIZE = (256, 512, 512), (32, 128, 128)  # z, y, x
COUNTS = 20_000.0  # of the unit of absorption, as integers
AIM_BYTES = 3 << 30
LIMIT_S = 3600.0
SPARE = 2.5  # times the file: the stored form and the maps lie beside it
STEPS = ("ingest", "in-process", "cluster")


def run(*, quick: bool) -> Section:
    size = QUICK_SIZE if quick else SIZE
    known = truth()
    nbytes = 2 * known.GRID.size * int(np.prod(size))
    intro = (
        f"{' × '.join(map(str, size[::-1]))} voxels × {known.GRID.size} energies, uint16, {nbytes / 1e9:.1f} GB on disk, energies first as "
        "microscopes write them. One process after the other: the stack is read into the workspace; `xanes.edge_map` in-process on two "
        "threads; the same on a LocalCluster of two workers with one thread each. Memory: the largest proportional set size of the process "
        "tree (workers and scheduler included), sampled every 50 ms, and the part of it that lies in no file."
    )
    with places.folder() as folder:
        free = shutil.disk_usage(folder).free
        if free < SPARE * nbytes:
            raise places.Missing(f"the disk has {free / 1e9:.0f} GB free, {SPARE * nbytes / 1e9:.0f} GB are needed")
        write_stack(folder / "stack.npy", size)
        np.savetxt(folder / "stack_energies.txt", known.GRID)
        found = {step: _taken(folder, step) for step in STEPS}
    same = found["in-process"]["chunks"] == found["cluster"]["chunks"]
    rows = tuple(_row(step, found[step], int(np.prod(size))) for step in STEPS)
    notes = (
        f"Aim: below {AIM_BYTES / 2**30:.0f} GiB. Chunks of the maps on the cluster and in-process: "
        f"{'equal, byte by byte' if same else 'DIFFERENT'} ({len(found['cluster']['chunks'])} files).",
    )
    columns = ("step", "wall", "µs a spectrum", "peak memory", "of it in no file", "below the aim")
    return Section("stack", "A stack larger than memory", intro, (Table("Memory", columns, rows, notes),))


def write_stack(path: Path, size: tuple[int, int, int]) -> None:
    """Shifted edges with noise, one small pattern laid side by side: energies first, slice after slice."""
    known = truth()
    rng = np.random.default_rng(0)
    side = 64
    shift = rng.uniform(-1, 1, (side, side, 1))
    few = 0.2 + 0.4 * known.edge(known.GRID - shift) + 0.4 * 0.02 * rng.standard_normal((side, side, known.GRID.size))
    pattern = np.moveaxis(np.round(few * COUNTS), -1, 0).astype(np.uint16)
    image = (known.GRID.size, *size)
    whole = np.lib.format.open_memmap(path, "w+", np.uint16, image)
    for e in range(known.GRID.size):
        plane = np.tile(pattern[e], (-(-size[1] // side), -(-size[2] // side)))[: size[1], : size[2]]
        for z in range(size[0]):
            whole[e, z] = np.roll(plane, z, axis=0)
    whole.flush()


def _taken(folder: Path, step: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.large_child", str(folder), step]
    child = subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.PIPE, text=True)
    with watched(child.pid) as peak:
        text, _ = child.communicate(timeout=LIMIT_S)
    if child.returncode:
        raise RuntimeError(f"{step}: the process ended with {child.returncode}")
    told: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return {**told, "peak": peak.bytes, "anonymous": peak.anonymous}


def _row(step: str, found: dict[str, Any], voxels: int) -> tuple[str, ...]:
    per = f"{found['seconds'] / voxels * 1e6:.2f}"
    below = "yes" if found["peak"] < AIM_BYTES else "no"
    name = f"{step} ({count(voxels)} spectra)" if step == "ingest" else step
    return (name, seconds(found["seconds"]), per, f"{found['peak'] / 2**30:.2f} GiB", f"{found['anonymous'] / 2**30:.2f} GiB", below)
