"""What a cycler makes of the model's rows: noise, late clocks, finite resolution."""

from dataclasses import dataclass, replace

import numpy as np

from analysis.demo.ageing import SoftShort
from analysis.demo.protocol import FIRST_ROW_S, Rows


@dataclass(frozen=True)
class Instrument:
    """A small-current cycler: standard deviations of its noise while current flows, and the steps of the numbers it stores."""

    voltage_noise_V: float = 3e-4
    current_noise: float = 2e-4  # of the range in use
    ranges_mA: tuple[float, ...] = (0.1, 1.0, 10.0)
    clock_jitter_s: float = 0.02  # largest deviation of a row's time stamp
    time_step_s: float = 1e-3
    voltage_step_V: float = 1e-5
    current_step_mA: float = 1e-6
    counter_step_mAh: float = 1e-6


def measure(rows: Rows, instrument: Instrument, rng: np.random.Generator, *, short: SoftShort | None = None) -> Rows:
    """The rows as the instrument stores them.

    Parameters
    ----------
    rows
        Noise-free.
    short
        Adds the voltage dips of a soft short, in proportion to what leaks in each cycle.

    Notes
    -----
    At rest the cell is disconnected from the source and the current is stored as exactly zero, as most cyclers do.
    The charge counters add up the true current far more often than rows are stored, so they carry no noise, only their
    resolution. Time never decreases: the jitter is smaller than the shortest distance of two rows.
    """
    n = rows.n_rows
    voltage = rows.voltage_V + rng.normal(0, instrument.voltage_noise_V, n) - _dips(rows, short, rng)
    noise_mA = instrument.current_noise * _range_of(rows.current_mA, instrument.ranges_mA) * (rows.current_mA != 0)
    current = rows.current_mA + rng.normal(0, 1, n) * noise_mA
    jitter = min(instrument.clock_jitter_s, FIRST_ROW_S / 2.5)
    time = rows.time_s + rng.uniform(-jitter, jitter, n)
    return replace(
        rows,
        time_s=np.maximum.accumulate(_to_step(time, instrument.time_step_s)),
        voltage_V=_to_step(voltage, instrument.voltage_step_V),
        current_mA=_to_step(current, instrument.current_step_mA),
        charge_mAh=_to_step(rows.charge_mAh, instrument.counter_step_mAh),
        discharge_mAh=_to_step(rows.discharge_mAh, instrument.counter_step_mAh),
    )


def _range_of(current_mA: np.ndarray, ranges_mA: tuple[float, ...]) -> np.ndarray:
    edges = np.asarray(ranges_mA)
    return edges[np.minimum(np.searchsorted(edges, np.abs(current_mA)), edges.size - 1)]


def _dips(rows: Rows, short: SoftShort | None, rng: np.random.Generator) -> np.ndarray:
    """Depth of the voltage dips at each row, V: a dendrite touches now and then while the cell charges."""
    if short is None or not short.leak_mA.any():
        return np.zeros(rows.n_rows)
    strength = short.leak_mA[rows.cycle - 1] / short.leak_mA.max() * (rows.current_mA > 0)
    touches = rng.random(rows.n_rows) < 0.35
    return short.noise_V * strength * touches * rng.exponential(1.0, rows.n_rows)


def _to_step(values: np.ndarray, step: float) -> np.ndarray:
    # Rounding to decimals, not to multiples, so that text shows what was stored.
    return np.round(values, round(-np.log10(step))) + 0.0  # no minus zero
