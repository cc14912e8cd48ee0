"""The cells of the synthetic study: how each group ages, how cells scatter around it, and which tests they go through."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from pydantic import Field

from analysis.core.params import Params
from analysis.demo.ageing import Ageing, SoftShort, soft_short
from analysis.demo.cell_model import Build
from analysis.demo.cycler_files import WRITERS
from analysis.demo.protocol import CYCLING_C_RATE, Protocol, Run, Stop, long_cycling, rate_test, simulate

COMPOSITE_MG, ACTIVE_FRACTION = 5.0, 0.60
DISC_DIAMETER_CM = 0.6  # PEEK die
STACK_PRESSURE_MPA = 10.0
RATE_TESTS = 2  # cells of each group

LAWS: Mapping[str, Ageing] = {
    "coated": Ageing(
        accessible=0.695,
        resistance_ohm_cm2=55.0,
        exchange_mA_cm2=0.35,
        diffusion_time_s=4000.0,
        lithiated_slowing=7.0,
        isolation=0.0005,
        knee_cycle=150.0,
        knee_width=60.0,
        knee_gain=0.8,
        resistance_growth=0.25,
        exchange_slowing=0.2,
        diffusion_slowing=0.1,
        side_fraction=0.0008,
        side_formation=0.10,
    ),
    "uncoated": Ageing(
        accessible=0.63,
        resistance_ohm_cm2=95.0,
        exchange_mA_cm2=0.12,
        diffusion_time_s=6500.0,
        lithiated_slowing=8.0,
        isolation=0.0022,
        knee_cycle=85.0,
        knee_width=30.0,
        knee_gain=4.0,
        resistance_growth=1.0,
        exchange_slowing=1.0,
        diffusion_slowing=0.4,
        side_fraction=0.0025,
        side_formation=0.15,
        isolation_floor=0.13,
    ),
}
# Relative spread from cell to cell, one standard deviation of the logarithm.
SPREAD: Mapping[str, float] = {
    "accessible": 0.015,
    "resistance_ohm_cm2": 0.08,
    "exchange_mA_cm2": 0.08,
    "diffusion_time_s": 0.06,
    "isolation": 0.12,
    "knee_cycle": 0.06,
    "resistance_growth": 0.12,
    "side_fraction": 0.10,
    "side_formation": 0.06,
}
COATING: Mapping[str, tuple[str, float | None]] = {"coated": ("LiNbO3", 10.0), "uncoated": ("none", None)}


class StudySize(Params):
    """How large a study is made."""

    cells_per_group: int = Field(4, ge=1, le=50, title="Cells in each group")
    cycles: int = Field(200, ge=5, le=1000, title="Cycles after formation")
    formation: int = Field(3, ge=1, le=50, title="Formation cycles")
    seed: int = Field(2025, ge=0, title="Seed")


@dataclass(frozen=True)
class CellPlan:
    """Everything about one cell that the model needs, drawn before anything runs."""

    name: str
    group: str
    build: Build
    composite_mass_mg: float
    law: Ageing
    extension: str  # of its files, a key of WRITERS
    start_delay_s: float  # after the first cell of the study
    noise_seeds: Mapping[str, np.random.SeedSequence]  # by test: cycling, rate
    short: SoftShort | None = None
    stop: Stop | None = None
    restart_after_cycle: int | None = None
    has_rate_test: bool = False


def plan_study(size: StudySize) -> tuple[CellPlan, ...]:
    """The cells of a study. Equal sizes and seeds give equal plans."""
    names = [(group, number) for group in LAWS for number in range(size.cells_per_group)]
    seeds = np.random.SeedSequence(size.seed).spawn(len(names))
    return tuple(_plan_cell(size, group, number, place, seeds[place]) for place, (group, number) in enumerate(names))


def run_cycling(plan: CellPlan, size: StudySize) -> Run:
    """The noise-free long cycling test of a planned cell."""
    return simulate(plan.build, plan.law, cycling_protocol(size), short=plan.short, stop=plan.stop)


def run_rate_test(plan: CellPlan) -> Run:
    """The noise-free rate test of a planned cell's twin."""
    return simulate(plan.build, plan.law, rate_test())


def cycling_protocol(size: StudySize) -> Protocol:
    return long_cycling(formation=size.formation, cycles=size.cycles)


def _plan_cell(size: StudySize, group: str, number: int, place: int, seed: np.random.SeedSequence) -> CellPlan:
    rng = np.random.default_rng(seed)
    law = _scattered(LAWS[group], rng)
    composite = round(float(rng.normal(COMPOSITE_MG, 0.06)), 2)
    build = Build(active_mass_mg=round(composite * ACTIVE_FRACTION, 3), area_cm2=round(np.pi * DISC_DIAMETER_CM**2 / 4, 4))
    plan = CellPlan(
        name=f"{group}-{number + 1}",
        group=group,
        build=build,
        composite_mass_mg=composite,
        law=law,
        extension=tuple(WRITERS)[number % len(WRITERS)],
        start_delay_s=float(60 * place + rng.integers(0, 50)),
        noise_seeds=dict(zip(("cycling", "rate"), seed.spawn(2), strict=True)),
        has_rate_test=number < RATE_TESTS,
    )
    return _with_events(plan, size, number, rng)


def _scattered(law: Ageing, rng: np.random.Generator) -> Ageing:
    return replace(law, **{name: getattr(law, name) * float(np.exp(rng.normal(0, spread))) for name, spread in SPREAD.items()})


def _with_events(plan: CellPlan, size: StudySize, number: int, rng: np.random.Generator) -> CellPlan:
    """What goes wrong: the last uncoated cell shorts, the last coated one stops, the second coated one is restarted."""
    is_last = number == size.cells_per_group - 1
    if plan.group == "uncoated" and is_last:
        current = cycling_protocol(size).current_mA(plan.build, CYCLING_C_RATE)
        first = size.formation + max(1, round(0.30 * size.cycles))
        return replace(plan, short=soft_short(rng, first_cycle=first, cycles=size.formation + size.cycles, current_mA=current))
    if plan.group == "coated" and is_last:
        return replace(plan, stop=Stop(cycle=size.formation + max(2, round(0.60 * size.cycles))))
    if plan.group == "coated" and number == 1:
        return replace(plan, restart_after_cycle=size.formation + max(1, round(0.45 * size.cycles)))
    return plan
