"""How the model cell changes from cycle to cycle.

Three things age: contact is lost to some of the active material (isolated domains; it happens at the top of charge, where
the lattice shrinks most, so the lithium that is outside at that moment stays outside and is missing from the discharge);
the cell's resistance rises while its charge transfer and diffusion slow down; and part of the charge current oxidises
electrolyte, most in the first cycles. Coulombic efficiency and fade are consequences. The laws are plain functions of the
cycle number, chosen to look like uncoated and coated cells; they are not fitted to any measurement.
"""

from dataclasses import dataclass

import numpy as np

from analysis.demo.cell_model import Condition

FORMATION_CYCLES = 0.8  # the extra side reaction of formation falls to 1/e in this many cycles


@dataclass(frozen=True)
class Ageing:
    """Parameters of one cell's life. Rates are per cycle or, where named so, per 100 cycles, relative to the start."""

    accessible: float
    resistance_ohm_cm2: float
    exchange_mA_cm2: float
    diffusion_time_s: float
    lithiated_slowing: float
    isolation: float  # fraction of the accessible material lost per cycle
    knee_cycle: float  # isolation is faster around it ...
    knee_width: float
    knee_gain: float  # ... by this factor more
    resistance_growth: float  # per 100 cycles
    exchange_slowing: float  # per 100 cycles
    diffusion_slowing: float  # per 100 cycles
    side_fraction: float
    side_formation: float  # on top in the first cycle, gone after a few
    isolation_floor: float = 0.0  # accessible fraction that no crack reaches


@dataclass(frozen=True)
class SoftShort:
    """A dendrite that leaks from ``first_cycle`` on, strongly for some cycles, then less as it burns back.

    ``leak_mA`` has one value a cycle, counted from the first cycle of the test.
    """

    first_cycle: int
    leak_mA: np.ndarray
    noise_V: float = 0.035  # mean depth of a voltage dip in the cycle that leaks most


def isolation_per_cycle(law: Ageing, cycle: int) -> float:
    """Fraction of the accessible material that loses contact at the top of charge of this cycle."""
    knee = np.exp(-0.5 * ((cycle - law.knee_cycle) / law.knee_width) ** 2)
    return float(law.isolation * (1 + law.knee_gain * knee))


def after_isolation(law: Ageing, accessible: float, cycle: int) -> float:
    """Accessible fraction for the discharge of this cycle, given the one of its charge."""
    floor = law.isolation_floor
    return floor + (accessible - floor) * (1 - isolation_per_cycle(law, cycle))


def condition_at(law: Ageing, cycle: int, *, accessible: float, leak_mA: float = 0.0) -> Condition:
    """Condition of the cell in a cycle (counted from 1) with the accessible fraction that is left."""
    aged = (cycle - 1) / 100
    return Condition(
        accessible=accessible,
        resistance_ohm_cm2=law.resistance_ohm_cm2 * (1 + law.resistance_growth * aged),
        exchange_mA_cm2=law.exchange_mA_cm2 / (1 + law.exchange_slowing * aged),
        diffusion_time_s=law.diffusion_time_s * (1 + law.diffusion_slowing * aged),
        lithiated_slowing=law.lithiated_slowing,
        side_fraction=law.side_fraction + law.side_formation * float(np.exp(-(cycle - 1) / FORMATION_CYCLES)),
        leak_mA=leak_mA,
    )


def soft_short(rng: np.random.Generator, *, first_cycle: int, cycles: int, current_mA: float) -> SoftShort:
    """A short that takes about 40 % of ``current_mA`` at first and dies out over some ten cycles, unsteadily.

    ``cycles`` is how many values are made; cycles before ``first_cycle`` leak nothing.
    """
    since = np.arange(1, cycles + 1) - first_cycle
    unsteady = np.exp(rng.normal(0, 0.25, cycles))
    leak = np.where(since >= 0, 0.4 * current_mA * np.exp(-np.maximum(since, 0) / 9) * unsteady, 0.0)
    return SoftShort(first_cycle, np.minimum(leak, 0.6 * current_mA))
