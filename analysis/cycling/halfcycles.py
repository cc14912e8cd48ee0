"""Half cycles of a record: where the current flows one way, how much charge and energy passed.

One compiled pass reads the record in blocks and keeps only one row of sums for each *run*: rows of one
current direction, rests between them included. Memory is that of one block, time is linear in rows, and
the sums do not depend on where blocks end. Runs are then folded into half cycles: runs of one direction
belong together, short opposite blips and pulses belong to the half cycle around them.

Charge is the trapezoid of current over the record's time stamps, between neighbouring rows that both flow the same way.
Between the last row of one direction and the first row of the next the current is not known. Where the instrument counts charge,
its counter says what flowed there (an Arbin at 30 s a row writes the first row of a step 30 s late: 1.5 % of a 1C half cycle);
where it does not, nothing is added. A record whose currents are means since the row before (``attrs["current_is"]``, some BioLogic files)
is summed row by row instead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import xarray as xr

from analysis.core.errors import DataError
from analysis.cycling.runs import COLUMNS, CYCLE, Columns, RunState, scan

CURRENT_IS, INTERVAL_MEAN = "current_is", "interval mean"  # a record's attribute where its current is charge over time since the row before
BLOCK_ROWS = 1 << 20
MAX_RUNS = 2_000_000  # about 0.5 GB of sums; a test has fewer than 10⁵ even with many pulses
REST_FLOOR = 1e-9  # A, below what cyclers of microampere cells resolve
NOISE_FRACTION = 1e-3  # of the largest run's charge
WEAK_CURRENT = 0.05
PULSE_BLIPS = 3  # opposite blips that make a half cycle a pulse train

SUMS = (
    *("charge", "charge_carry", "energy", "energy_carry", "bridged", "counted", "active"),
    *("pieces", "backsteps", "resets", "rows", "impedance", "blips"),
)
MINIMA = ("v_min",)
MAXIMA = ("v_max", "max_gap", "peak", "drawdown")
FIRSTS = ("sign", "first_row", "t0", "v_first", "cycle")
LASTS = ("last_row", "t1", "v_last")


class Detection(NamedTuple):
    """How half cycles are found; see the fields of the same names of ``CycleParams``."""

    rest_current: float | None = None
    rest_fraction: float = 5e-4
    blip_s: float = 60.0
    blip_fraction: float = 0.2
    by_instrument: bool = False


@dataclass(frozen=True)
class HalfCycles:
    """Half cycles in order of time.

    ``table`` has shape (H, len(COLUMNS)): charge in A s and energy in W s, both positive when charging, times in s, voltages in V.
    ``segment``, shape (H,), separates what must not be paired: pulse and impedance cycles that the instrument counts apart.
    """

    table: np.ndarray
    segment: np.ndarray
    threshold: float
    rows: int
    has_counter: bool

    def __getitem__(self, column: str) -> np.ndarray:
        return self.table[:, COLUMNS.index(column)]

    def __len__(self) -> int:
        return len(self.table)


def find(record: xr.Dataset, how: Detection = Detection(), *, block_rows: int = BLOCK_ROWS) -> HalfCycles:
    """Half cycles of one record in time order.

    Raises
    ------
    DataError
        Fewer than two rows, no usable current, or a current that never leaves rest.
    """
    rows = record.sizes.get("row", 0)
    if rows < 2:
        raise DataError(
            f"The record has {rows} row{'' if rows == 1 else 's'}; cycles need at least two.",
            hint="Check that the file is complete.",
        )
    threshold = rest_threshold(record, how, block_rows=block_rows)
    runs = _without_noise(_scan_record(record, threshold, block_rows), how)
    table, segment = _fold_runs(runs, how, has_cycle="cycle" in record)
    if record.attrs.get("counter") == "step":  # such counters restart with every step
        table[:, _column("resets")] = 0
    counter = "charge_capacity" in record and "discharge_capacity" in record
    return HalfCycles(table, segment, threshold, rows, counter)


def rest_threshold(record: xr.Dataset, how: Detection, *, block_rows: int = BLOCK_ROWS) -> float:
    """Current in A up to which a row counts as rest.

    The given one, else ``rest_fraction`` of the largest current, at least 1 nA. The default fraction of 1/2000 lies below
    C/24 beside 50C and above a cycler's noise at rest (some 1e-4 of the range: seen 1.4e-4 on an Arbin). Noise that exceeds it does little
    harm: such runs are short, and short runs are folded away.
    """
    largest = 0.0
    for a, b in _blocks(record.sizes["row"], block_rows):
        block = np.abs(record["current"][a:b].values)
        largest = max(largest, float(np.max(block, initial=0.0, where=np.isfinite(block))))
    if largest == 0.0:
        raise DataError(
            "The record holds no current: every value is zero or missing.",
            hint="Check which column is the current, and that the test was started.",
        )
    threshold = how.rest_current if how.rest_current is not None else max(REST_FLOOR, how.rest_fraction * largest)
    if threshold >= largest:
        raise DataError(
            f"The current never exceeds the rest threshold of {threshold:.3g} A (largest: {largest:.3g} A).",
            hint="Choose a smaller rest current.",
        )
    return threshold


def _blocks(rows: int, block_rows: int) -> Iterator[tuple[int, int]]:
    for a in range(0, rows, block_rows):
        yield a, min(a + block_rows, rows)


def columns_of(record: xr.Dataset, a: int, b: int) -> Columns:
    """Rows a … b of what the scan needs, as contiguous arrays; empty where the record lacks a column."""

    def take(name: str) -> np.ndarray:
        rows = np.ascontiguousarray(record.variables[name][a:b].values, dtype=float) if name in record.variables else np.empty(0)
        rows = rows.view()
        rows.flags.writeable = False  # readers hand over both kinds, and compiled code is made for one
        return rows

    counted = "charge_capacity" in record and "discharge_capacity" in record
    return Columns(
        take("time"),
        take("current"),
        take("voltage"),
        take("cycle"),
        take("charge_capacity" if counted else ""),
        take("discharge_capacity" if counted else ""),
        take("mode"),
        record.attrs.get(CURRENT_IS) == INTERVAL_MEAN,
    )


def _scan_record(record: xr.Dataset, threshold: float, block_rows: int) -> np.ndarray:
    state = RunState.fresh()
    found: list[np.ndarray] = []
    count = 0
    for a, b in _blocks(record.sizes["row"], block_rows):
        runs = scan(columns_of(record, a, b), state, threshold)
        count += len(runs)
        if count > MAX_RUNS:
            raise DataError(
                f"The current changes direction more than {MAX_RUNS:,} times: noise is taken for charge and discharge.",
                hint="Give a larger rest current.",
            )
        found.append(runs)
    found.append(state.finish())
    return np.concatenate(found)


def _turns(table: np.ndarray) -> np.ndarray:
    """Rows that move the voltage by more than a third of the record's window from where the row before left it; shape (R,), bool.

    This tells the short half cycles of a dead cell, which runs from limit to limit in seconds, from pulses and noise.
    """
    flowing = table[:, _column("sign")] != 0
    last = table[:, _column("v_last")]
    if not flowing.any():
        return flowing
    window = table[flowing, _column("v_max")].max() - table[flowing, _column("v_min")].min()
    return np.abs(np.diff(last, prepend=last[:1])) > window / 3


def _without_noise(runs: np.ndarray, how: Detection) -> np.ndarray:
    """Without runs of negligible charge that turn nothing and are short or weak: noise around rest, settling of a range.

    Weak is below 5 % of the mean current that charge flowed with.
    """
    charge, current = np.abs(runs[:, _column("charge")]), np.abs(runs[:, _column("current")])
    if charge.sum() == 0:
        return runs
    weak = current < WEAK_CURRENT * np.average(current, weights=charge)
    short = runs[:, _column("active")] <= how.blip_s
    noise = (charge < NOISE_FRACTION * charge.max()) & (weak | short) & ~_turns(runs)
    return runs[~noise | (runs[:, _column("sign")] == 0)]


def _column(name: str) -> int:
    return COLUMNS.index(name)


def _fold(table: np.ndarray, segment: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row for each group of neighbouring rows; groups begin at ``starts``."""
    if len(starts) == len(table):
        return table, segment
    ends = np.append(starts[1:], len(table)) - 1
    out = np.empty((len(starts), table.shape[1]))
    reductions: tuple[tuple[tuple[str, ...], Callable[[np.ndarray], np.ndarray]], ...] = (
        (SUMS, lambda x: np.add.reduceat(x, starts)),
        (MINIMA, lambda x: np.minimum.reduceat(x, starts)),
        (MAXIMA, lambda x: np.maximum.reduceat(x, starts)),
        (FIRSTS, lambda x: x[starts]),
        (LASTS, lambda x: x[ends]),
    )
    for names, reduce in reductions:
        for name in names:
            out[:, _column(name)] = reduce(table[:, _column(name)])
    out[:, _column("current")] = _dominant(table, starts)
    return out, segment[starts]


def _dominant(table: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Median current of each group: that of its members, weighted by charge, without opposite blips."""
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(table))))
    sign = table[:, _column("sign")]
    weight = np.where(sign == sign[starts][group], np.abs(table[:, _column("charge")]), 0.0)
    total = np.add.reduceat(weight, starts)
    current = table[:, _column("current")]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, np.add.reduceat(weight * current, starts) / total, current[starts])


def _join(table: np.ndarray, segment: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours of one direction and segment become one."""
    sign = table[:, _column("sign")]
    new = np.ones(len(table), dtype=bool)
    new[1:] = (sign[1:] != sign[:-1]) | (segment[1:] != segment[:-1])
    return _fold(table, segment, np.flatnonzero(new))


def _blips(table: np.ndarray, segment: np.ndarray, how: Detection) -> np.ndarray:
    """Rows that are short opposite blips between two rows of one direction; shape (R,), bool."""
    blip = np.zeros(len(table), dtype=bool)
    if len(table) < 3:
        return blip
    sign, active = table[:, _column("sign")], table[:, _column("active")]
    charge = np.abs(table[:, _column("charge")])
    inside = (segment[:-2] == segment[1:-1]) & (segment[1:-1] == segment[2:]) & (sign[:-2] == sign[2:]) & (sign[1:-1] == -sign[:-2])
    small = charge[1:-1] < how.blip_fraction * np.minimum(charge[:-2], charge[2:])
    short = (active[1:-1] <= how.blip_s) & (active[1:-1] < how.blip_fraction * np.minimum(active[:-2], active[2:]))
    blip[1:-1] = inside & small & short & (sign[1:-1] != 0)
    blip &= ~_turns(table)
    return blip


def _merge(table: np.ndarray, segment: np.ndarray, how: Detection) -> tuple[np.ndarray, np.ndarray]:
    """Join and fold blips until nothing changes."""
    table, segment = _join(table, segment)
    while True:
        blip = _blips(table, segment, how)
        if not blip.any():
            return table, segment
        table = table.copy()
        table[blip, _column("blips")] += 1
        into_previous = blip.copy()
        into_previous[1:] |= blip[:-1]
        table, segment = _join(*_fold(table, segment, np.flatnonzero(~into_previous)))


def _fold_runs(runs: np.ndarray, how: Detection, *, has_cycle: bool) -> tuple[np.ndarray, np.ndarray]:
    if not has_cycle:
        return _merge(runs, np.zeros(len(runs), dtype=np.int64), how)
    counted = np.cumsum(np.append(True, np.diff(runs[:, CYCLE]) != 0)) - 1
    table, segment = _merge(runs, counted, how)
    if how.by_instrument:
        return _drop_idle(table, segment)
    special = np.zeros(counted[-1] + 1, dtype=bool)
    special[segment[(table[:, _column("blips")] >= PULSE_BLIPS) | is_impedance(table)]] = True
    if special.any():
        runs, counted = _drop_idle(runs, counted, keep=special)
        own = np.append(True, (np.diff(counted) != 0) & (special[counted[1:]] | special[counted[:-1]]))
        return _merge(runs, np.cumsum(own) - 1, how)
    runs = runs[runs[:, _column("sign")] != 0]
    return _merge(runs, np.zeros(len(runs), dtype=np.int64), how)


def is_impedance(table: np.ndarray) -> np.ndarray:
    """Rows without direct current in which impedance was measured; shape (R,), bool.

    Either the record's mode says so, or the voltmeter was disconnected: an instrument cycle whose voltage stays outside everything
    that was seen under current by more than half of that range (a Maccor writes -3.79 V beside a 3 … 4.1 V cell).
    """
    idle = table[:, _column("sign")] == 0
    if idle.all() or not idle.any():
        return idle & (table[:, _column("impedance")] > 0)
    low, high = table[~idle, _column("v_min")].min(), table[~idle, _column("v_max")].max()
    margin = 0.5 * (high - low)
    away = (table[:, _column("v_max")] < low - margin) | (table[:, _column("v_min")] > high + margin)
    return idle & ((table[:, _column("impedance")] > 0) | away)


def _drop_idle(table: np.ndarray, segment: np.ndarray, *, keep: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Without instrument cycles that only rest."""
    wanted = (table[:, _column("sign")] != 0) | is_impedance(table)
    if keep is not None:
        wanted &= (table[:, _column("sign")] != 0) | keep[segment]
    return table[wanted], segment[wanted]
