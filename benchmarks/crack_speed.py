"""The crack pipeline against the same steps with scipy.ndimage, scikit-image and PoreSpy: agreement, wall time, peak memory; slabs."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import crack_agreement, places
from benchmarks.measure import median, watched
from benchmarks.peer_environments import Peer, python_of
from benchmarks.report import Section, Table, mebibytes, seconds

SIDES, QUICK_SIDES = (256, 512), (128,)
LARGE = (512, 1024, 1024)
ROUNDS = 3
FEW_ROUNDS = 400  # voxels a side from which on PoreSpy is asked once: it takes minutes
AGREED = 192
PORESPY = Peer("porespy", "porespy", ())
TITLES = {"ours": "this program", "scipy": "SciPy, scikit-image", "porespy": "SciPy, scikit-image, PoreSpy"}
SLABS = 12


def run(*, quick: bool) -> Section:
    """First whether the answers agree, then each pipeline in a process of its own, in turn; the large volume with ours alone."""
    porespy = python_of(PORESPY)
    with places.folder() as folder:
        agreement = crack_agreement.table(QUICK_SIDES[0] if quick else AGREED, porespy, folder)
        rows = [row for side in (QUICK_SIDES if quick else SIDES) for row in _compared(folder, side, 1 if quick else ROUNDS, porespy)]
        if not quick:
            rows.append(_large(folder))
        slabs = _slabs(QUICK_SIDES[0] if quick else SIDES[0])
    columns = ("voxels", "program", "wall time", "× ours", "processor time", "peak memory (PSS)", "× ours", "load", "crack ratio")
    notes = (
        "Peak memory is that of the process and its children, libraries and the volume included; pages that are shared count in parts.",
        "The true ratio of the phantoms is beside the number of voxels. Width is a local thickness in ours and in PoreSpy's, the mean of "
        "distances in SciPy's.",
    )
    tables = (agreement, Table("Segment, label, distances, measures", columns, tuple(rows), notes), slabs)
    intro = (
        "A ball with plane cracks, signal to noise 5, float32. Compiled code is loaded before the clock starts; medians of rounds in turn."
    )
    return Section("cracks_speed", "Cracks: time and memory", intro, tables)


def phantom(folder: Path, shape: tuple[int, ...]) -> tuple[Path, float]:
    """A ball with six plane cracks and noise, made slab by slab, and its true ratio."""
    path = folder / ("x".join(map(str, shape)) + ".npy")
    rng = np.random.default_rng(1)
    out = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    radius = 0.4 * min(shape)
    normals = rng.standard_normal((6, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    offsets = rng.uniform(-0.4, 0.4, 6) * radius
    y, x = np.ogrid[: shape[1], : shape[2]]
    y, x = y - shape[1] / 2, x - shape[2] / 2
    envelope = full = 0
    for k in range(shape[0]):
        z = k - shape[0] / 2
        away = np.sqrt(z**2 + y**2 + x**2)
        solid = away < radius
        envelope += int(solid.sum())
        for (a, b, c), offset in zip(normals, offsets, strict=True):
            solid &= ~((np.abs(a * z + b * y + c * x - offset) < 2) & (away < 0.8 * radius))
        full += int(solid.sum())
        out[k] = solid + 0.2 * rng.standard_normal(solid.shape, dtype=np.float32)
    out.flush()
    return path, 1 - full / envelope


def _asked(which: str, path: Path, python: str = sys.executable) -> dict[str, float]:
    """The answer of one process, with its peak memory and the load when it began."""
    load = os.getloadavg()[0]
    command = [python, "-W", "ignore", "-m", "benchmarks.crack_child", which, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=places.ROOT)
    with watched(process.pid) as peak:
        text, errors = process.communicate()
    if process.returncode:
        raise places.Missing(f"{which} failed on {path.stem}: {errors.strip().splitlines()[-1] if errors else process.returncode}")
    return {**json.loads(text.splitlines()[-1]), "peak": float(peak.bytes), "load": load}


def _compared(folder: Path, side: int, rounds: int, porespy: Path) -> list[tuple[str, ...]]:
    path, truth = phantom(folder, (side,) * 3)
    pythons = {"ours": sys.executable, "scipy": sys.executable, "porespy": str(porespy)}
    answers: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    for k in range(rounds):
        for name, python in pythons.items():
            if k == 0 or side < FEW_ROUNDS or name != "porespy":
                answers[name].append(_asked(name, path, python))
    best = {k: _middle(v) for k, v in answers.items()}
    return [_row(f"{side}³ ({100 * truth:.2f} %)", name, best[name], best["ours"]) for name in pythons]


def _middle(answers: list[dict[str, float]]) -> dict[str, float]:
    return {k: median([a[k] for a in answers]) for k in answers[0]}


def _row(size: str, name: str, own: dict[str, float], ours: dict[str, float]) -> tuple[str, ...]:
    return (
        size,
        TITLES[name] + (f": {_steps(own)}" if name == "ours" else ""),
        seconds(own["seconds"]),
        f"{own['seconds'] / ours['seconds']:.1f}",
        seconds(own["cpu"]),
        mebibytes(own["peak"]),
        f"{own['peak'] / ours['peak']:.2f}",
        f"{own['load']:.1f}",
        f"{100 * own['ratio']:.2f} %",
    )


def _steps(answer: dict[str, float]) -> str:
    return ", ".join(f"{n} {seconds(answer[f's_{n}'])}" for n in ("particles", "cracks", "distances", "measures"))


def _large(folder: Path) -> tuple[str, ...]:
    path, truth = phantom(folder, LARGE)
    answer = _asked("ours", path)
    return _row(f"512 × 1024 × 1024 ({100 * truth:.2f} %)", "ours", answer, answer)


def _slabs(side: int) -> Table:
    """How long one slice takes when a setting changes, and when the smoothing changes."""
    from analysis.cracks.facts import facts_of
    from analysis.cracks.finding import limits_of
    from analysis.cracks.params import CrackParams
    from analysis.cracks.rehearsal import rehearse
    from analysis.cracks.segment import Prepared, in_slab, prepared
    from analysis.demo import crack_phantoms

    rehearse()
    ready = prepared(crack_phantoms.sheets(side, width=4, seed=1).tomogram(seed=1), CrackParams(blanks=0))
    plain, anew = [], []
    for k in range(SLABS):
        started = time.perf_counter()
        in_slab(ready, side * (k + 1) // (SLABS + 1), side * (k + 1) // (SLABS + 1) + 1)
        plain.append(time.perf_counter() - started)
        started = time.perf_counter()
        facts = facts_of(ready.grey, ready.particles, ready.params)
        limits = limits_of(ready.grey, ready.particles, facts, ready.params)
        in_slab(Prepared(ready.grey, ready.particles, facts, limits, ready.params), side // 2, side // 2 + 1)
        anew.append(time.perf_counter() - started)
    rows = (
        ("a limit changes", seconds(median(plain)), seconds(max(plain))),
        ("the smoothing changes", seconds(median(anew)), seconds(max(anew))),
    )
    return Table(f"One slice of {side} × {side} while settings change", ("what", "median", "slowest"), rows)
