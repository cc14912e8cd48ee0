"""How long a spectrum takes: the kernel, a pass that only reads, and vectorised NumPy, on the same spectra with the same threads."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit
from xanes_truth import E0, GRID, edge, numpy_edge_maps

from analysis.xanes import kernel
from analysis.xanes.definitions import DefinitionParams, edge_window, template_of
from analysis.xanes.normalise import fit_lines, normalise

BLOCK = 32**3  # spectra


@dataclass(frozen=True)
class Timing:
    """Nanoseconds a spectrum, the best of several runs."""

    name: str
    wall: float
    cpu: float


def timings(count: int, *, threads: int = 2, runs: int = 5, definitions: tuple[str, ...] = ("e_half",), plain: bool = True) -> list[Timing]:
    """80 energies in float32. Choose ``count`` so that the spectra (320 bytes each) are four times the last-level cache or more."""
    rng = np.random.default_rng(0)
    few = edge(GRID - rng.uniform(-1, 1, (4096, 1))) + 0.03 * rng.standard_normal((4096, GRID.size))
    spectra = np.tile(few.astype(np.float32), (-(-count // 4096), 1))[:count]
    params = DefinitionParams(e0=E0)
    lines, window = fit_lines(GRID, E0, params), edge_window(GRID, E0, params)
    template = template_of(normalise(edge(GRID), lines).norm, lines, window)
    sums = np.empty(count, dtype=np.float32)
    found = [_time("read only", lambda a, b: _read(spectra[a:b], sums[a:b]), count, threads, runs)]
    for definition in definitions:
        plan = kernel.plan_of(definition, lines, window, template=template)
        everything = np.ones(BLOCK, dtype=bool)

        def work(a: int, b: int, plan: kernel.Plan = plan, wanted: np.ndarray = everything) -> None:
            kernel.edge_maps(spectra[a:b], wanted[: b - a], plan)

        found.append(_time(definition, work, count, threads, runs))
    if plain:
        found.append(_time("NumPy", lambda a, b: numpy_edge_maps(spectra[a:b], GRID, params), count, threads, max(1, runs // 3)))
    return found


def _time(name: str, work: Callable[[int, int], object], count: int, threads: int, runs: int) -> Timing:
    blocks = [(a, min(a + BLOCK, count)) for a in range(0, count, BLOCK)]
    walls, cpus = [], []
    with ThreadPoolExecutor(threads) as pool:
        work(*blocks[0])
        for _ in range(runs):
            wall, cpu = time.perf_counter(), time.process_time()
            for done in [pool.submit(work, *b) for b in blocks]:
                done.result()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    return Timing(name, min(walls) / count * 1e9, min(cpus) / count * 1e9)


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


if __name__ == "__main__":
    from xanes_truth import DEFINITIONS

    made = timings(1001 * 1001, definitions=DEFINITIONS)
    for t in made:
        ratios = f"{t.wall / made[0].wall:6.1f} × read only, NumPy is {made[-1].wall / t.wall:6.1f} × this"
        print(f"{t.name:16s} wall {t.wall:7.1f} ns, cpu {t.cpu:7.1f} ns, {ratios}")
