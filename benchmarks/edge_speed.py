"""How long a spectrum takes: the kernel, a pass that only reads, vectorised NumPy, and the field's ways, on the same spectra."""

import json
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit

from analysis.xanes import kernel
from analysis.xanes.definitions import DefinitionParams, edge_window, template_of
from analysis.xanes.normalise import fit_lines, normalise
from benchmarks import edge_contenders, places
from benchmarks.edge_contenders import E0, Way
from benchmarks.measure import median
from benchmarks.report import Section, Table
from benchmarks.truth import truth

BLOCK = 32**3  # spectra, as in a block of a stored stack
THREADS = 2
DEFINITIONS = ("e_half", "white_line", "template_shift", "half_white_line", "max_slope")
SIZES, QUICK_SIZES = ((1001, 1001), (128, 128, 128)), ((1001, 401),)
LARCH_SPECTRA = 40
NS = 1e9


@dataclass(frozen=True)
class Timing:
    """Nanoseconds a spectrum: medians of several runs; ``threads`` shared the work."""

    name: str
    wall: float
    cpu: float
    note: str = ""


def run(*, quick: bool) -> Section:
    tables = [_kernel_table(size, quick=quick) for size in (QUICK_SIZES if quick else SIZES)]
    intro = (
        "80 energies over 8100–8800 eV, float32, 3 % noise. Every map in one pass: edge energy, its uncertainty, jump, white line, height, "
        "noise, reason of refusal. The array is larger than four times the last-level cache. Medians of interleaved runs; all on two "
        "threads where they use threads. Ways of other programs that pip does not offer are the procedures that they publish, "
        "written anew; each must first find what it says it finds on spectra without noise."
    )
    return Section("xanes", "Edge energies, time a spectrum", intro, (*tables, _ways_table(quick=quick)))


def spectra_of(count: int) -> np.ndarray:
    known = truth()
    rng = np.random.default_rng(0)
    few = known.edge(known.GRID - rng.uniform(-1, 1, (4096, 1))) + 0.03 * rng.standard_normal((4096, known.GRID.size))
    return np.tile(few.astype(np.float32), (-(-count // 4096), 1))[:count]


def plan_of(definition: str) -> kernel.Plan:
    known = truth()
    params = DefinitionParams(e0=E0)
    lines, window = fit_lines(known.GRID, E0, params), edge_window(known.GRID, E0, params)
    template = template_of(normalise(known.edge(known.GRID), lines).norm, lines, window)
    return kernel.plan_of(definition, lines, window, template=template)


def _kernel_table(size: Sequence[int], *, quick: bool) -> Table:
    count = int(np.prod(size))
    spectra, sums, everything = spectra_of(count), np.empty(count, np.float32), np.ones(BLOCK, dtype=bool)
    works: dict[str, Callable[[int, int], object]] = {"one pass that only reads": lambda a, b: _read(spectra[a:b], sums[a:b])}
    for definition in DEFINITIONS:
        works[definition] = _edges_work(spectra, everything, plan_of(definition))
    grid = truth().GRID
    works["NumPy"] = lambda a, b: edge_contenders.vectorised(spectra[a:b], grid)
    found = _interleaved(works, count, runs=3 if quick else 9)
    read, plain = found[0], found[-1]
    rows = tuple(
        (t.name, f"{t.wall:.0f}", f"{t.cpu:.0f}", f"{t.wall / read.wall:.1f}", f"{plain.wall / t.wall:.1f}" if t is not read else "")
        for t in found
    )
    title = f"{' × '.join(map(str, size))} spectra ({spectra.nbytes / 2**20:.0f} MiB)"
    return Table(
        title,
        ("", "wall ns", "CPU ns", "× the reading pass (aim ≤ 4)", "NumPy takes × (aim ≥ 15)"),
        rows,
        ("wall and CPU a spectrum; CPU counts both threads.",),
    )


def _edges_work(spectra: np.ndarray, wanted: np.ndarray, plan: kernel.Plan) -> Callable[[int, int], object]:
    return lambda a, b: kernel.edge_maps(spectra[a:b], wanted[: b - a], plan)


def _interleaved(works: dict[str, Callable[[int, int], object]], count: int, *, runs: int) -> list[Timing]:
    """Every way once, then every way again: what else the machine does falls on all of them alike."""
    blocks = [(a, min(a + BLOCK, count)) for a in range(0, count, BLOCK)]
    walls: dict[str, list[float]] = {n: [] for n in works}
    cpus: dict[str, list[float]] = {n: [] for n in works}
    with ThreadPoolExecutor(THREADS) as pool:
        for work in works.values():
            work(*blocks[0])
        for turn in range(runs):
            for name, work in works.items():
                if name == "NumPy" and turn >= max(1, runs // 3):
                    continue
                wall, cpu = time.perf_counter(), time.process_time()
                for done in [pool.submit(work, *b) for b in blocks]:
                    done.result()
                walls[name].append(time.perf_counter() - wall)
                cpus[name].append(time.process_time() - cpu)
    return [Timing(n, median(walls[n]) / count * NS, median(cpus[n]) / count * NS) for n in works]


@njit(nogil=True)
def _read(spectra: np.ndarray, out: np.ndarray) -> None:
    """Sums of 16 lanes: as fast as memory gives the values."""
    lanes = np.zeros(16, dtype=np.float32)
    for i in range(spectra.shape[0]):
        lanes[:] = 0
        for e in range(0, spectra.shape[1], 16):
            for k in range(16):
                lanes[k] += spectra[i, e + k]
        out[i] = lanes[0] + lanes[7]


# -- the field -------------------------------------------------------------------------------------------------------------


def _ways_table(*, quick: bool) -> Table:
    grid, count = truth().GRID, 8 * BLOCK
    ours = _interleaved({"e_half": _edges_work(spectra_of(count), np.ones(BLOCK, dtype=bool), plan_of("e_half"))}, count, runs=3)[0]
    noisy = spectra_of(max(w.count for w in edge_contenders.WAYS))
    rows: list[tuple[str, ...]] = []
    for way in edge_contenders.WAYS:
        off = off_definition(way)
        if off > way.within_ev:
            rows.append((way.name, way.of, f"{off:.3f}", "not timed: it misses its own definition", ""))
            continue
        taken = way.count // (4 if quick else 1)
        started = time.perf_counter()
        way.act(noisy[:taken], grid)
        per = (time.perf_counter() - started) / taken * NS
        rows.append((way.name, way.of, f"{off:.3f}", f"{per / 1e3:.4g}", f"{per / ours.wall:,.0f}"))
    rows.append(_larch_row(ours.wall))
    notes = ("Theirs use one thread, as they do; ours two. Aims: 100 × against the fastest of them, 1,000 × against fits voxel by voxel.",)
    return Table("Ways of the field", ("way", "after", "off its definition, eV", "µs a spectrum", "× ours (`e_half`)"), tuple(rows), notes)


def off_definition(way: Way) -> float:
    """Largest distance, over shifts, between what a way finds without noise and its definition on the curve itself."""
    known = truth()
    shifts = np.linspace(-1, 1, 41)
    found = way.act(known.edge(known.GRID - shifts[:, None]).astype(np.float32), known.GRID)
    fine = np.arange(E0 - 15, E0 + 30, 0.001)
    curve = edge_contenders._normalised(known.edge(np.concatenate([known.GRID, fine])), np.concatenate([known.GRID, fine]))
    curve = curve[known.GRID.size :]
    top = int(np.argmax(curve))
    true = fine[top] if way.yields == "white" else fine[np.flatnonzero(curve[:top] < 0.5)[-1]]
    return float(np.abs(found - true - shifts).max())


def _larch_row(ours: float) -> tuple[str, ...]:
    """Larch's ``pre_edge``, spectrum by spectrum, in an environment of its own."""
    python = places.ENVIRONMENTS / ".venv-bench-larch" / "bin" / "python"
    if not (python.parent.parent / ".installed").is_file():
        return ("Larch `pre_edge`", "installed from pip", "", "not installed here", "")
    with places.folder() as folder:
        np.save(folder / "spectra.npy", spectra_of(LARCH_SPECTRA))
        np.save(folder / "energy.npy", truth().GRID)
        script = str(places.ROOT / "benchmarks" / "peers" / "time_larch.py")
        answer = subprocess.run([str(python), script, str(folder)], capture_output=True, text=True, check=False, timeout=300)
    if answer.returncode:
        return ("Larch `pre_edge`", "installed from pip", "", f"does not run: {answer.stderr.strip().splitlines()[-1][:80]}", "")
    told = json.loads(answer.stdout.strip().splitlines()[-1])
    per = told["seconds"] * NS
    return ("Larch `pre_edge`", f"version {told['version']}, normalises only", "", f"{per / 1e3:.4g}", f"{per / ours:,.0f}")
