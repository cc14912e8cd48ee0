"""What the cycler does with the model cell, and the noise-free rows that it would store.

A cycle is: constant-current charge to the upper limit, where wanted a constant-voltage hold, rest, constant-current
discharge to the lower limit, rest. A row is stored when the voltage has moved by ``every_V`` or ``every_s`` has passed,
whichever comes first, and at both ends of each step, as cyclers do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from analysis.demo.ageing import Ageing, SoftShort, after_isolation, condition_at
from analysis.demo.cell_model import Build, Condition, Hold, State, Step, hold_voltage, rest, run_to_limit

FORMATION_C_RATE, CYCLING_C_RATE = 1 / 20, 1 / 10
FIRST_ROW_S = 0.1  # a step's first row follows its start by the time the range relay takes
PRISTINE = State(x=2e-3)  # as-made NMC: a trace of lithium is missing from the surface
# Unit time, denser towards both ends, where voltage bends.
_UNIT = np.unique(np.concatenate([np.linspace(0, 1, 321), np.geomspace(1e-6, 1e-2, 60), 1 - np.geomspace(1e-7, 1e-2, 60)]))


@dataclass(frozen=True)
class Block:
    """Some cycles at one rate. ``hold_to_c_rate`` > 0 adds a hold until the current has fallen to it."""

    c_rate: float
    cycles: int
    hold_to_c_rate: float = 0.0


@dataclass(frozen=True)
class Protocol:
    """A test: limits against Li-In, the current that 1C stands for, and the blocks in order."""

    blocks: tuple[Block, ...]
    lower_V: float = 2.0
    upper_V: float = 3.7
    one_c_mA_per_g: float = 200.0
    rest_s: float = 600.0
    every_s: float = 600.0
    every_V: float = 0.012

    @property
    def cycles(self) -> int:
        return sum(b.cycles for b in self.blocks)

    def current_mA(self, build: Build, c_rate: float) -> float:
        return c_rate * self.one_c_mA_per_g * build.active_mass_mg * 1e-3

    def program(self) -> Iterator[tuple[int, int, Block]]:
        """Cycle number from 1, number of its block from 0, block."""
        cycle = 0
        for number, block in enumerate(self.blocks):
            for _ in range(block.cycles):
                cycle += 1
                yield cycle, number, block


@dataclass(frozen=True)
class Rows:
    """What is stored, one entry a row, in the order of the test. Counters start at 0 in each cycle."""

    time_s: np.ndarray
    voltage_V: np.ndarray
    current_mA: np.ndarray
    charge_mAh: np.ndarray
    discharge_mAh: np.ndarray
    cycle: np.ndarray
    step_count: np.ndarray
    step_index: np.ndarray

    @property
    def n_rows(self) -> int:
        return self.time_s.size

    def where(self, keep: np.ndarray) -> "Rows":
        return Rows(*(getattr(self, f.name)[keep] for f in fields(self)))


@dataclass(frozen=True)
class Cycle:
    """One cycle as the model ran it; ``cut_off`` when the test was stopped within its discharge."""

    number: int
    block: Block
    condition: Condition
    charge: Step
    hold: Hold | None
    discharge: Step
    cut_off: bool = False

    @property
    def charge_mAh(self) -> float:
        return self.charge.charge_mAh + (float(self.hold.charge_mAh[-1]) if self.hold else 0.0)

    @property
    def discharge_mAh(self) -> float:
        return self.discharge.charge_mAh

    @property
    def charge_mWh(self) -> float:
        return step_energy_mWh(self.charge) + (float(self.hold.charge_mAh[-1]) * self.hold.voltage_V if self.hold else 0.0)

    @property
    def discharge_mWh(self) -> float:
        return step_energy_mWh(self.discharge)


@dataclass(frozen=True)
class Run:
    """A finished test: what happened in each cycle, and the noise-free rows."""

    build: Build
    protocol: Protocol
    cycles: tuple[Cycle, ...]
    rows: Rows


@dataclass(frozen=True)
class Stop:
    """The test ends within the discharge of ``cycle``, after ``share`` of its duration."""

    cycle: int
    share: float = 0.45


def long_cycling(*, formation: int, cycles: int) -> Protocol:
    """Formation at C/20, then C/10."""
    return Protocol((Block(FORMATION_C_RATE, formation), Block(CYCLING_C_RATE, cycles)))


def rate_test(*, cycles_per_rate: int = 3) -> Protocol:
    """C/20, C/10, C/5, C/2, 1C and back to C/10; charges end with a hold down to C/20, so that every discharge starts full."""
    rates = (1 / 20, 1 / 10, 1 / 5, 1 / 2, 1.0, 1 / 10)
    return Protocol(tuple(Block(r, cycles_per_rate, hold_to_c_rate=1 / 20) for r in rates))


def simulate(build: Build, law: Ageing, protocol: Protocol, *, short: SoftShort | None = None, stop: Stop | None = None) -> Run:
    """Run a new cell through a protocol; no noise, nothing random."""
    recorder = _Recorder(protocol)
    state, accessible = PRISTINE, law.accessible
    done: list[Cycle] = []
    for number, block_number, block in protocol.program():
        leak = float(short.leak_mA[number - 1]) if short else 0.0
        at_charge = condition_at(law, number, accessible=accessible, leak_mA=leak)
        accessible = after_isolation(law, accessible, number)
        at_discharge = condition_at(law, number, accessible=accessible, leak_mA=leak)
        if not done:
            recorder.begin(rest(build, at_charge, state, duration_s=protocol.rest_s))
        recorder.next_cycle(number, block_number)
        charge, hold = _charge(build, at_charge, state, protocol, block)
        top = rest(build, at_discharge, hold.end if hold else charge.end, duration_s=protocol.rest_s)
        discharge = _discharge(build, at_discharge, top.end, protocol, block)
        if stop is not None and stop.cycle == number:
            discharge = replace(discharge, duration_s=discharge.duration_s * stop.share)
            recorder.cycle(charge, hold, top, discharge, None)
            done.append(Cycle(number, block, at_charge, charge, hold, discharge, cut_off=True))
            break
        bottom = rest(build, at_discharge, discharge.end, duration_s=protocol.rest_s)
        recorder.cycle(charge, hold, top, discharge, bottom)
        done.append(Cycle(number, block, at_charge, charge, hold, discharge))
        state = bottom.end
    return Run(build, protocol, tuple(done), recorder.rows())


def _charge(build: Build, condition: Condition, start: State, protocol: Protocol, block: Block) -> tuple[Step, Hold | None]:
    current, until = (protocol.current_mA(build, rate) for rate in (block.c_rate, block.hold_to_c_rate))
    charge = run_to_limit(build, condition, start, current_mA=current, limit_V=protocol.upper_V)
    if not 0 < until < current * (1 - 1e-9):
        return charge, None
    return charge, hold_voltage(charge, limit_V=protocol.upper_V, until_mA=until)


def _discharge(build: Build, condition: Condition, start: State, protocol: Protocol, block: Block) -> Step:
    current = protocol.current_mA(build, block.c_rate)
    return run_to_limit(build, condition, start, current_mA=-current, limit_V=protocol.lower_V)


def trace(step: Step) -> tuple[np.ndarray, np.ndarray]:
    """Time (s) and noise-free voltage (V) of a step on a fine grid."""
    t = _UNIT * step.duration_s
    return t, step.voltage(t)


def step_energy_mWh(step: Step) -> float:
    """Magnitude of the energy through the terminals, the integral of V I dt."""
    t, v = trace(step)
    return float(abs(step.current_mA) * np.trapezoid(v, t) / 3600)


def sample_times(step: Step, *, every_s: float, every_V: float) -> np.ndarray:
    """Times (s) of the rows that a cycler stores of a step: shortly after its start, at its triggers, at its end."""
    t, v = trace(step)
    if step.duration_s <= 2 * FIRST_ROW_S:
        return np.array([step.duration_s / 2, step.duration_s])
    triggers = np.concatenate([[0.0], np.cumsum(np.maximum(np.diff(t) / every_s, np.abs(np.diff(v)) / every_V))])
    inner = np.interp(np.arange(1, np.ceil(triggers[-1])), triggers, t)
    inside = (inner > 2 * FIRST_ROW_S) & (inner < step.duration_s - FIRST_ROW_S)
    return np.concatenate([[FIRST_ROW_S], inner[inside], [step.duration_s]])


class _Recorder:
    """Collects the rows of one run, and counts as a cycler counts."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self._parts: list[Rows] = []
        self._clock = 0.0
        self._step_count = 0
        self._cycle = 1
        self._block = 0
        self._counters = [0.0, 0.0]

    def begin(self, waiting: Step) -> None:
        """The rest before the first cycle."""
        self._rest(waiting, 1)

    def next_cycle(self, number: int, block_number: int) -> None:
        """Start a cycle: its counters are zero."""
        self._cycle, self._block, self._counters = number, block_number, [0.0, 0.0]

    def cycle(self, charge: Step, hold: Hold | None, top: Step, discharge: Step, bottom: Step | None) -> None:
        """The steps of the cycle in order; each has its place in the program of its block."""
        first = 2 + 5 * self._block
        self._constant_current(charge, first)
        if hold is not None:
            self._constant_voltage(hold, first + 1)
        self._rest(top, first + 2)
        self._constant_current(discharge, first + 3)
        if bottom is not None:
            self._rest(bottom, first + 4)

    def rows(self) -> Rows:
        return Rows(*(np.concatenate([getattr(p, f.name) for p in self._parts]) for f in fields(Rows)))

    def _constant_current(self, step: Step, index: int) -> None:
        t = sample_times(step, every_s=self._protocol.every_s, every_V=self._protocol.every_V)
        current = np.full(t.size, step.current_mA)
        self._add(t, step.voltage(t), current, np.abs(current) * t / 3600, index)

    def _constant_voltage(self, hold: Hold, index: int) -> None:
        keep = slice(4, None, 4)  # the instants are evenly spaced in the logarithm of the current: every fourth is enough
        t, current, charge = hold.time_s[keep], hold.current_mA[keep], hold.charge_mAh[keep]
        self._add(t, np.full(t.size, hold.voltage_V), current, charge, index)

    def _rest(self, step: Step, index: int) -> None:
        t = np.concatenate([[FIRST_ROW_S, 1.0, 10.0], np.linspace(0, step.duration_s, 11)[1:]])
        self._add(t, step.voltage(t), np.zeros(t.size), np.zeros(t.size), index)

    def _add(self, t: np.ndarray, voltage: np.ndarray, current: np.ndarray, charge: np.ndarray, index: int) -> None:
        self._step_count += 1
        counters = [np.full(t.size, value) for value in self._counters]
        counting = 0 if current[0] >= 0 else 1  # charge, discharge
        counters[counting] = counters[counting] + charge
        self._counters[counting] += float(charge[-1])
        labels = [np.full(t.size, value, dtype=np.int64) for value in (self._cycle, self._step_count, index)]
        self._parts.append(Rows(self._clock + t, voltage, current, counters[0], counters[1], *labels))
        self._clock += float(t[-1])
