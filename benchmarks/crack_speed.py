"""The crack pipeline against the same steps with scipy.ndimage and scikit-image: wall time, peak memory; a slab while settings change."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import places
from benchmarks.measure import median
from benchmarks.report import Section, Table, mebibytes, seconds

SIDES, QUICK_SIDES = (256, 512), (128,)
LARGE = (512, 1024, 1024)
ROUNDS = 3
SLABS = 12


def run(*, quick: bool) -> Section:
    """Each pipeline in a process of its own, in turn; the large volume with ours alone."""
    with places.folder() as folder:
        rows = [_compared(folder, side, 1 if quick else ROUNDS) for side in (QUICK_SIDES if quick else SIDES)]
        if not quick:
            rows.append(_large(folder))
        slabs = _slabs(QUICK_SIDES[0] if quick else SIDES[0])
    columns = (
        "voxels",
        "this program",
        "of it particles, cracks, measures",
        "peak memory",
        "scipy + scikit-image",
        "peak memory",
        "× faster",
        "× memory",
    )
    notes = ("Peak memory is the resident size of the process, libraries and the volume included.",)
    tables = (Table("Segment, label, distances, measures", columns, tuple(rows), notes), slabs)
    intro = (
        "A ball with plane cracks, signal to noise 5, float32. Compiled code is loaded before the clock starts; medians of rounds in turn."
    )
    return Section("cracks_speed", "Cracks: time and memory", intro, tables)


def _volume(folder: Path, shape: tuple[int, ...]) -> Path:
    """A ball with six plane cracks and noise, made slab by slab."""
    path = folder / ("x".join(map(str, shape)) + ".npy")
    if path.is_file():
        return path
    rng = np.random.default_rng(1)
    out = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    radius = 0.4 * min(shape)
    normals = rng.standard_normal((6, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    offsets = rng.uniform(-0.4, 0.4, 6) * radius
    y, x = np.ogrid[: shape[1], : shape[2]]
    y, x = y - shape[1] / 2, x - shape[2] / 2
    for k in range(shape[0]):
        z = k - shape[0] / 2
        away = np.sqrt(z**2 + y**2 + x**2)
        solid = away < radius
        for (a, b, c), offset in zip(normals, offsets, strict=True):
            solid &= ~((np.abs(a * z + b * y + c * x - offset) < 2) & (away < 0.8 * radius))
        out[k] = solid + 0.2 * rng.standard_normal(solid.shape, dtype=np.float32)
    out.flush()
    return path


def _asked(which: str, path: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-m", "benchmarks.crack_child", which, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise places.Missing(f"{which} failed on {path.stem}: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _compared(folder: Path, side: int, rounds: int) -> tuple[str, ...]:
    path = _volume(folder, (side,) * 3)
    answers: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
    for _ in range(rounds):
        for which, found in answers.items():
            found.append(_asked(which, path))
    times = {k: median([a["seconds"] for a in v]) for k, v in answers.items()}
    peaks = {k: median([a["peak"] for a in v]) for k, v in answers.items()}
    return (
        f"{side}³",
        seconds(times["ours"]),
        _steps(answers["ours"][0]),
        mebibytes(peaks["ours"]),
        seconds(times["peer"]),
        mebibytes(peaks["peer"]),
        f"{times['peer'] / times['ours']:.1f}",
        f"{peaks['ours'] / peaks['peer']:.2f}",
    )


def _steps(answer: dict[str, float]) -> str:
    return ", ".join(seconds(answer[f"s_{n}"]) for n in ("particles", "cracks", "measures"))


def _large(folder: Path) -> tuple[str, ...]:
    answer = _asked("ours", _volume(folder, LARGE))
    return ("512 × 1024 × 1024", seconds(answer["seconds"]), _steps(answer), mebibytes(answer["peak"]), "–", "–", "–", "–")


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
