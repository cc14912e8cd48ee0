"""How often intervals over particles hold the truth: a study that a test runs small and a benchmark runs large.

A charged and a discharged population have known mean edge energies. Particles are drawn from them, each with its own mean and its
own spread of voxels; their spectra get noise, and go through the recipes from the stack to the difference of particle medians.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import xarray as xr

from analysis.core.data import Scalar
from analysis.schemas import EDGE_MAP
from analysis.xanes import activity
from analysis.xanes.compute import EdgeParams, compared, edge_map
from tests.xanes.xanes_truth import E0, GRID, edge, stack

SIDE = 8  # voxels along an edge of a particle, one thick
APART = 6  # slices from one particle to the next: more than neighbours are looked at
JUMP, NOISE = 0.4, 0.02
BETWEEN, WITHIN = 0.15, 0.3  # eV: standard deviations of particles' means, and of voxels in a particle
MEANS = {("coated", "charged"): 1.1, ("coated", "discharged"): -0.7, ("uncoated", "charged"): 0.8, ("uncoated", "discharged"): -0.2}
TRUE = {"activity_1": 1.8, "activity_2": 1.0, "activity_difference": 0.8}
WIDER = 1.25  # uncoated particles are more heterogeneous


@dataclass(frozen=True)
class Plan:
    """How many particles are measured of each group in each state, and how their differences get intervals."""

    each: int
    method: str
    level: float = 0.9


@lru_cache(maxsize=2)
def particles(each: int, seed: int) -> tuple[xr.Dataset, ...]:
    """Edge maps of newly drawn particles, ``each`` of every group in every state."""
    rng = np.random.default_rng(seed)
    sets = [s for s in MEANS for _ in range(each)]
    mu = np.zeros((APART * len(sets), SIDE, SIDE, GRID.size), np.float32)
    for k, (group, state) in enumerate(sets):
        width = WITHIN * (WIDER if group == "uncoated" else 1.0)
        shift = MEANS[group, state] + BETWEEN * rng.standard_normal() + width * rng.standard_normal((SIDE, SIDE))
        mu[APART * k] = JUMP * edge(GRID - shift[..., None])
    mu += NOISE * JUMP * rng.standard_normal(mu.shape, dtype=np.float32)
    maps = EDGE_MAP.conform(edge_map(stack=stack(mu), params=EdgeParams(e0=E0, erode=0)))
    return tuple(maps.isel(z=APART * k) for k in range(len(sets)))


def found(plan: Plan, seed: int) -> dict[str, Scalar]:
    """The differences of one study, as the page shows them."""
    groups, states = zip(*(s for s in MEANS for _ in range(plan.each)), strict=True)
    params = activity.CompareParams.check({"groups": groups, "states": states, "method": plan.method, "level": plan.level})
    return activity.summarise(activity.ACTIVITY.conform(compared(maps=particles(plan.each, seed), params=params)), params)


@dataclass(frozen=True)
class Coverage:
    """Share of studies whose interval of a difference holds the true one, and the level that the intervals state."""

    share: float
    level: float


def coverage(plans: Sequence[Plan], seeds: range) -> dict[tuple[Plan, str], Coverage]:
    """For each plan and difference, over the same studies."""
    hits = {(p, n): 0 for p in plans for n in TRUE}
    levels = dict.fromkeys(hits, np.nan)
    for seed in seeds:
        for plan in plans:
            for name, scalar in found(plan, seed).items():
                if name in TRUE and scalar.low is not None and scalar.high is not None:
                    hits[plan, name] += scalar.low <= TRUE[name] <= scalar.high
                    levels[plan, name] = float(scalar.level or np.nan)
    return {key: Coverage(n / len(seeds), levels[key]) for key, n in hits.items()}
