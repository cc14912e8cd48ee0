"""Bulk spectra: 1,000 normalised, all combinations of 8 references, beside Larch and beside its procedure in SciPy.

Agreement is checked before times are given: edge steps, and the residual of the best combination, which must not be worse.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from analysis.demo.spectra_model import AREAS, sulfur
from analysis.spectra.curves import Curve, assemble
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.prepost import Ranges, normalise
from analysis.spectra.simplex import mixtures
from benchmarks import measure, places
from benchmarks.peer_environments import Peer, python_of
from benchmarks.report import Section, Table, seconds

LARCH = Peer("larch", "xraylarch", ())
E0 = 2472.0
RANGES = {"pre1": -62.0, "pre2": -14.0, "norm1": 12.0, "norm2": 27.0, "nnorm": 1}
REFERENCES = 8
REPEATS = 3


@dataclass(frozen=True)
class Work:
    """What every contender gets. Spectra (N, E) on ``energy`` (E,); unknown (G,) and references (R, G) on ``grid`` (G,), all eV."""

    energy: np.ndarray
    spectra: np.ndarray
    grid: np.ndarray
    unknown: np.ndarray
    references: np.ndarray


def work(count: int) -> Work:
    """Noisy synthetic S K spectra, and a mixture of three of eight references."""
    rng = np.random.default_rng(4)
    energy = np.concatenate([np.arange(2400, 2460, 1.0), np.arange(2460, 2500.01, 0.1)])
    pure = sulfur(energy, AREAS["uncoated"]["charged"])
    spectra = 0.2 + 0.001 * (energy - 2400) + rng.uniform(0.5, 2.0, (count, 1)) * (pure + rng.normal(0, 0.004, (count, energy.size)))
    grid = np.arange(2462.0, 2490.0, 0.1)
    names = list(AREAS["uncoated"]["charged"])
    references = np.stack([sulfur(grid, {n: float(rng.uniform(0.1, 2.5)) for n in names}) for _ in range(REFERENCES)])
    unknown = np.array([0.5, 0.3, 0.2]) @ references[[0, 3, 6]] + rng.normal(0, 0.004, grid.size)
    return Work(energy, spectra, grid, unknown, references)


def run(*, quick: bool) -> Section:
    given = work(100 if quick else 1000)
    ours = _ours(given)
    rivals = [("the procedure in NumPy and SciPy", _procedure(given))]
    notes = []
    try:
        rivals.insert(0, _larch(given))
    except places.Missing as err:
        notes.append(f"Larch is not here ({err}): its procedure alone is compared.")
    rows = [_row("Interplay", ours, ours), *(_row(name, found, ours) for name, found in rivals)]
    agree = max(float(np.max(np.abs(np.asarray(f["steps"]) / np.asarray(ours["steps"]) - 1))) for _, f in rivals)
    worst = min(float(f["best"]) / float(ours["best"]) for _, f in rivals)
    notes += [
        f"Edge steps agree to {agree:.1e}. The best R factor of the others is {worst:.4f} times ours or more (below 1 would be better).",
        "Fitted lines, normalised and flattened curves, edge step; then every combination of 1 to 8 references with fractions between "
        "0 and 1 that add to 1.",
        "The bare procedure does without errors of step and level, noise, and checks of the ranges.",
        f"One dataset through the recipe, with edge energies by all definitions, noise and uncertainties: {seconds(float(ours['recipe']))} "
        f"for all.",
    ]
    columns = ("program", f"{len(given.spectra)} spectra normalised", "ratio", f"all {2**REFERENCES - 1} combinations", "ratio")
    table = Table("Normalisation and linear combinations", columns, tuple(rows), tuple(notes))
    intro = "Synthetic S K spectra of 461 points; one process, one core; the same ranges and E0 for all."
    return Section("spectra", "Bulk spectra", intro, (table,))


def _row(name: str, found: Mapping[str, Any], ours: Mapping[str, Any]) -> tuple[str, ...]:
    cells = [f"{name} {found.get('version', '')}".strip()]
    for part in ("normalise", "combine"):
        cells += [seconds(float(found[part])), f"{float(found[part]) / float(ours[part]):.3g}×"]
    return tuple(cells)


def _ours(given: Work) -> dict[str, Any]:
    ranges = Ranges(RANGES["pre1"], RANGES["pre2"], RANGES["norm1"], RANGES["norm2"], int(RANGES["nnorm"]))
    found = [normalise(given.energy, mu, e0=E0, ranges=ranges) for mu in given.spectra[:20]]
    whole = mixtures(given.unknown, given.references.T)
    params = NormaliseParams(e0=E0, pre1=ranges.pre1, pre2=ranges.pre2, norm1=ranges.norm1, norm2=ranges.norm2, order=ranges.order)
    ds = assemble([Curve(str(k), given.energy, mu) for k, mu in enumerate(given.spectra)])
    return {
        "normalise": measure.median(
            [measure.timed(lambda: [normalise(given.energy, mu, e0=E0, ranges=ranges) for mu in given.spectra]) for _ in range(REPEATS)]
        ),
        "combine": measure.median([measure.timed(lambda: mixtures(given.unknown, given.references.T)) for _ in range(REPEATS)]),
        "recipe": measure.timed(lambda: normalised(ds, params)),
        "steps": [f.edge_step for f in found],
        "best": float(whole.rss.min() / np.sum(given.unknown**2)),
    }


def _larch(given: Work) -> tuple[str, dict[str, Any]]:
    """Larch in its own environment and process."""
    python = python_of(LARCH)
    with places.folder() as folder:
        for name in ("energy", "spectra", "grid", "unknown", "references"):
            np.save(folder / f"{name}.npy", getattr(given, name))
        (folder / "asked.json").write_text(json.dumps({"e0": E0, "ranges": RANGES}), encoding="utf-8")
        script = Path(__file__).parent / "peers" / "time_larch_bulk.py"
        done = subprocess.run([str(python), str(script), str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise places.Missing(f"Larch does not run here: {done.stderr.strip().splitlines()[-1][:200]}")
    return "Larch", json.loads(done.stdout.strip().splitlines()[-1])


def _procedure(given: Work) -> dict[str, Any]:
    """What Larch documents, written plainly: polynomials by ``polyfit``, each combination by a bounded minimiser."""

    def steps() -> list[float]:
        return [_pre_edge(given.energy, mu) for mu in given.spectra]

    found: dict[str, float] = {}

    def all_combinations() -> None:
        found["best"] = min(
            _bounded(given.unknown, given.references[list(c)].T)
            for size in range(1, REFERENCES + 1)
            for c in combinations(range(REFERENCES), size)
        )

    first = steps()
    times = {"normalise": measure.timed(steps), "combine": measure.timed(all_combinations)}
    return {**times, "steps": first[:20], "best": found["best"] / float(np.sum(given.unknown**2))}


def _pre_edge(energy: np.ndarray, mu: np.ndarray) -> float:
    """The edge step, by the way of normalised and flattened curves; one spectrum."""
    at = int(np.abs(energy - E0).argmin())
    places_of = []
    for low, high in (("pre1", "pre2"), ("norm1", "norm2")):
        first = int(np.searchsorted(energy, E0 + RANGES[low], side="right")) - 1
        places_of.append(slice(max(first, 0), int(np.abs(energy - E0 - RANGES[high]).argmin())))
    pre = np.polyval(np.polyfit(energy[places_of[0]] - E0, mu[places_of[0]], 1), energy - E0)
    rise = np.polyval(np.polyfit(energy[places_of[1]] - E0, (mu - pre)[places_of[1]], int(RANGES["nnorm"])), energy - E0)
    step = float(rise[at])
    norm = (mu - pre) / step
    ratio = rise / step
    np.where(np.arange(energy.size) >= at, norm - ratio + ratio[at], norm)
    return step


def _bounded(y: np.ndarray, table: np.ndarray) -> float:
    count = table.shape[1]
    if count == 1:
        return float(np.sum((y - table[:, 0]) ** 2))
    found = minimize(
        lambda w: float(np.sum((y - table @ w) ** 2)),
        np.full(count, 1 / count),
        jac=lambda w: -2 * table.T @ (y - table @ w),
        bounds=[(0, 1)] * count,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 300},
    )
    return float(found.fun)
