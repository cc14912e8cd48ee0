"""How right edge energies and their stated uncertainties are, by definition and noise, against known truth."""

from typing import Any

import numpy as np

from analysis.core.numerics.statistics import compare
from analysis.schemas import EDGE_MAP
from analysis.xanes.compute import EdgeParams, edge_map
from benchmarks.report import Section, Table
from benchmarks.truth import truth

NOISES = (0.01, 0.03, 0.05)
COUNT, QUICK_COUNT = 40_000, 10_000
SEEDS, QUICK_SEEDS = 200, 8
BALL = 24  # voxels on an edge of the particle-level study


def run(*, quick: bool) -> Section:
    intro = (
        "80 energies over 8100–8800 eV, edges at random places of the grid, Gaussian noise relative to the jump. Truth is the same "
        "definition on the spectrum without noise. The bound is the smallest standard deviation that any unbiased estimate of a shift of "
        "the known curve can have with jump and pre-edge line unknown (Cramér–Rao)."
    )
    tables = (_definitions(QUICK_COUNT if quick else COUNT), _flags(QUICK_SEEDS if quick else SEEDS // 10), _particles(quick=quick))
    return Section("accuracy", "Edge energies: bias, scatter, intervals, flags", intro, tables)


def _definitions(count: int) -> Table:
    known, rows = truth(), []
    for definition in known.DEFINITIONS:
        for noise in NOISES:
            a = known.accuracy(definition, noise, count=count)
            rows.append(
                (
                    definition,
                    f"{100 * noise:.0f} %",
                    f"{a.bias:+.4f}".replace("-", "−"),
                    f"{a.std:.3f}",
                    f"{a.stated:.3f}",
                    f"{a.bound:.3f}",
                    f"{100 * a.coverage:.1f} %",
                    f"{100 * a.refused:.2f} %",
                )
            )
    columns = ("definition", "noise", "bias, eV", "σ, eV", "stated σ, eV", "bound, eV", "90 % intervals hold (aim 87–93 %)", "refused")
    notes = (f"{count:,} spectra a row.",)
    return Table("By definition and noise", columns, tuple(rows), notes)


def _mapped(seed: int, noise: float) -> tuple[Any, Any]:
    known = truth()
    made = known.ball(BALL, noise=noise, seed=seed)
    params = EdgeParams(e0=known.E0)
    return made, EDGE_MAP.conform(edge_map(stack=made.stack, params=params))


def _flags(seeds: int) -> Table:
    """Of a ball in air: voxels without an edge that are refused, and good ones that are."""
    caught, lost, air, good = 0, 0, 0, 0
    for seed in range(seeds):
        made, found = _mapped(seed, 0.03)
        refused = found["flags"].values != 0
        caught, air = caught + int(refused[~made.inside].sum()), air + int((~made.inside).sum())
        lost, good = lost + int(refused[made.inside].sum()), good + int(made.inside.sum())
    rows = (
        ("without an edge", f"{air:,}", f"{100 * caught / air:.2f} %", "≥ 95 %"),
        ("with an edge", f"{good:,}", f"{100 * lost / good:.2f} %", "≤ 2 %"),
    )
    return Table("Flags at 3 % noise", ("voxels", "n", "refused", "aim"), rows, (f"{seeds} balls of {BALL}³ voxels, `e_half`.",))


def _particles(*, quick: bool) -> Table:
    """Whether intervals over particles hold the mean of a population that the particles are drawn from."""
    rows = []
    for n in (4, 6, 8):
        held = 0
        seeds = QUICK_SEEDS * 25 if quick else SEEDS * 10
        level = None
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            charged, discharged = 8342.0 + 0.25 * rng.standard_normal(n), 8340.6 + 0.25 * rng.standard_normal(n)
            effect = compare(charged, discharged)
            level = effect.level
            held += bool(effect.low <= 1.4 <= effect.high)
        rows.append((str(n), f"{100 * held / seeds:.1f} %", "–" if level is None else f"{100 * level:.0f} %", f"{seeds:,}"))
    notes = ("Medians of particles scatter by 0.25 eV around those of their state; the difference is 1.4 eV.",)
    return Table("Intervals over particles", ("particles a state", "hold the truth", "stated level", "draws"), tuple(rows), notes)
