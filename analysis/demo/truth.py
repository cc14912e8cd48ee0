"""What is known about the synthetic study: the numbers that an analysis of its files must find.

Each measured quantity has the definition that the analysis uses, applied to the noise-free model: charge is the exact
integral of the current, a mean voltage is energy over charge, a peak is a maximum of the derivative of charge with voltage.
"""

from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.demo.cell_model import Step
from analysis.demo.ocv import LI_IN_V, delithiation, peak_voltages
from analysis.demo.protocol import Cycle, Run

LEAK_THRESHOLD = 0.01  # of the current: a cycle that leaks more counts as shorted
PEAK_SEARCH_V = 0.04
PEAK_MARGIN_V = 0.03  # a maximum nearer to an end of the step cannot be told from that end
_FINE_POINTS = 6001


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CycleTruth(_Frozen):
    """One entry a cycle, in the order of the test. None where a test was stopped before the value existed."""

    cycle: tuple[int, ...]
    charge_capacity_mAh: tuple[float, ...]
    discharge_capacity_mAh: tuple[float, ...]
    coulombic_efficiency: tuple[float | None, ...]
    energy_efficiency: tuple[float | None, ...]
    mean_charge_voltage_V: tuple[float, ...]
    mean_discharge_voltage_V: tuple[float, ...]
    accessible_fraction: tuple[float, ...]
    resistance_ohm_cm2: tuple[float, ...]
    leak_mA: tuple[float, ...]
    complete: tuple[bool, ...]


class PeakTruth(_Frozen):
    """Maxima of dQ/dV of one cycle in V against Li-In, by the name of the phase change; missing where it is not reached."""

    cycle: int
    charge_V: dict[str, float]
    discharge_V: dict[str, float]


class CellTruth(_Frozen):
    """One long cycling test. Specific capacities are per gram of active material."""

    cell: str
    group: str
    files: tuple[str, ...]
    rows: tuple[int, ...]  # of each file
    active_mass_mg: float
    area_cm2: float
    cycles: CycleTruth
    reference_cycle: int  # first after formation
    last_cycle: int  # last complete one
    initial_discharge_capacity_mAh_g: float
    last_discharge_capacity_mAh_g: float
    retention: float
    fade_rate_mAh_g: float  # per cycle, median of all pairwise slopes from the reference to the last cycle
    fade_rate_least_squares_mAh_g: float
    fade_curvature: float  # largest distance from the straight line over the capacity of the reference cycle
    short_cycles: tuple[int, ...]
    stopped_early: bool
    peaks: tuple[PeakTruth, ...]


class RateTruth(_Frozen):
    """One rate test: one entry a block of cycles."""

    cell: str
    group: str
    files: tuple[str, ...]
    rows: tuple[int, ...]
    active_mass_mg: float
    c_rate: tuple[float, ...]
    first_cycle: tuple[int, ...]
    last_cycle: tuple[int, ...]
    discharge_capacity_mAh: tuple[float, ...]  # mean over the block


class Truth(_Frozen):
    """The whole study."""

    seed: int
    formation: int
    lower_voltage_V: float
    upper_voltage_V: float
    li_in_V: float
    one_c_mA_per_g: float
    voltage_noise_V: float
    current_noise: float
    ocv_peaks_vs_Li_V: dict[str, float]
    ocv_peaks_vs_Li_In_V: dict[str, float]
    group_parameters: dict[str, dict[str, float]]  # around which the cells of a group scatter
    cells: tuple[CellTruth, ...]
    rate_tests: tuple[RateTruth, ...]

    def cell(self, name: str) -> CellTruth:
        """The long cycling test of a cell; ``KeyError`` if there is none."""
        return {c.cell: c for c in self.cells}[name]

    def save(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


def ocv_peaks_vs_li_in() -> dict[str, float]:
    return {name: u - LI_IN_V for name, u in peak_voltages().items()}


def cell_truth(run: Run, *, cell: str, group: str, files: tuple[str, ...], rows: tuple[int, ...], formation: int) -> CellTruth:
    """Truth of a long cycling run."""
    whole = [c for c in run.cycles if not c.cut_off]
    fading = [c for c in whole if c.number > formation]
    grams = run.build.active_mass_mg * 1e-3
    number = np.array([c.number for c in fading], dtype=float)
    capacity = np.array([c.discharge_mAh for c in fading]) / grams
    slope, offset = np.polyfit(number, capacity, 1) if number.size > 1 else (0.0, float(capacity[0]))
    return CellTruth(
        cell=cell,
        group=group,
        files=files,
        rows=rows,
        active_mass_mg=run.build.active_mass_mg,
        area_cm2=run.build.area_cm2,
        cycles=cycle_truth(run.cycles),
        reference_cycle=fading[0].number,
        last_cycle=fading[-1].number,
        initial_discharge_capacity_mAh_g=capacity[0],
        last_discharge_capacity_mAh_g=capacity[-1],
        retention=capacity[-1] / capacity[0],
        fade_rate_mAh_g=_median_slope(number, capacity),
        fade_rate_least_squares_mAh_g=slope,
        fade_curvature=float(np.abs(capacity - (offset + slope * number)).max() / capacity[0]),
        short_cycles=tuple(c.number for c in run.cycles if c.condition.leak_mA > LEAK_THRESHOLD * c.charge.current_mA),
        stopped_early=any(c.cut_off for c in run.cycles),
        peaks=tuple(_peaks_of(c) for c in _landmarks(whole, formation)),
    )


def cycle_truth(cycles: tuple[Cycle, ...]) -> CycleTruth:
    """The columns of ``CycleTruth`` from the cycles of a run."""
    return CycleTruth(
        cycle=tuple(c.number for c in cycles),
        charge_capacity_mAh=tuple(c.charge_mAh for c in cycles),
        discharge_capacity_mAh=tuple(c.discharge_mAh for c in cycles),
        coulombic_efficiency=tuple(None if c.cut_off else c.discharge_mAh / c.charge_mAh for c in cycles),
        energy_efficiency=tuple(None if c.cut_off else c.discharge_mWh / c.charge_mWh for c in cycles),
        mean_charge_voltage_V=tuple(c.charge_mWh / c.charge_mAh for c in cycles),
        mean_discharge_voltage_V=tuple(c.discharge_mWh / c.discharge_mAh for c in cycles),
        accessible_fraction=tuple(c.condition.accessible for c in cycles),
        resistance_ohm_cm2=tuple(c.condition.resistance_ohm_cm2 for c in cycles),
        leak_mA=tuple(c.condition.leak_mA for c in cycles),
        complete=tuple(not c.cut_off for c in cycles),
    )


def rate_truth(run: Run, *, cell: str, group: str, files: tuple[str, ...], rows: tuple[int, ...]) -> RateTruth:
    """Truth of a rate test: cycles of one block belong together."""
    blocks: list[list[Cycle]] = []
    for cycle in run.cycles:
        if not blocks or blocks[-1][0].block is not cycle.block:
            blocks.append([])
        blocks[-1].append(cycle)
    return RateTruth(
        cell=cell,
        group=group,
        files=files,
        rows=rows,
        active_mass_mg=run.build.active_mass_mg,
        c_rate=tuple(b[0].block.c_rate for b in blocks),
        first_cycle=tuple(b[0].number for b in blocks),
        last_cycle=tuple(b[-1].number for b in blocks),
        discharge_capacity_mAh=tuple(float(np.mean([c.discharge_mAh for c in b])) for b in blocks),
    )


def curve_peaks(step: Step) -> dict[str, float]:
    """Maxima of dQ/dV of a noise-free constant-current step, in V against Li-In, by the name of the phase change.

    Each is looked for within 40 mV of the voltage at which the particles' surface passes the equilibrium peak, and left out
    within 30 mV of either end of the step.
    """
    t = np.linspace(0, step.duration_s, _FINE_POINTS)
    voltage = step.voltage(t)
    surface = step.composition(t) + step.gradient(t)
    dqdv = np.abs(np.gradient(t) / np.gradient(voltage))
    found = {}
    for name, u in peak_voltages().items():
        passing = int(np.argmin(np.abs(surface - float(delithiation(np.asarray(u))))))
        near = np.flatnonzero(np.abs(voltage - voltage[passing]) < PEAK_SEARCH_V)
        top = int(near[np.argmax(dqdv[near])])
        inside = min(abs(voltage[top] - voltage[0]), abs(voltage[top] - voltage[-1])) > PEAK_MARGIN_V
        if near[0] < top < near[-1] and inside:
            found[name] = float(voltage[top])
    return found


def _median_slope(x: np.ndarray, y: np.ndarray) -> float:
    """Median of the slopes through all pairs of points (Theil-Sen); 0 for a single point."""
    i, j = np.triu_indices(x.size, 1)
    return float(np.median((y[j] - y[i]) / (x[j] - x[i]))) if i.size else 0.0


def _peaks_of(cycle: Cycle) -> PeakTruth:
    return PeakTruth(cycle=cycle.number, charge_V=curve_peaks(cycle.charge), discharge_V=curve_peaks(cycle.discharge))


def _landmarks(whole: list[Cycle], formation: int) -> list[Cycle]:
    """First cycle, first after formation, the 100th, the last."""
    wanted = {1, formation + 1, 100, whole[-1].number}
    return [c for c in whole if c.number in wanted]
