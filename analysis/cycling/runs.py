"""The compiled pass over a record: sums of every run of one current direction.

Rows come in blocks; everything that one row leaves for the next is in ``RunState``. Each sum is therefore made of the same
additions in the same order wherever blocks end.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

COLUMNS = (
    "sign",  # +1 charging, -1 discharging, 0 an instrument cycle without direct current
    "first_row",
    "last_row",
    "t0",  # s
    "t1",  # s
    "charge",  # A s, with sign
    "charge_carry",  # what Kahan's summation still owes
    "energy",  # W s, with sign
    "energy_carry",
    "bridged",  # A s of the charge that comes from the counter, across switches
    "active",  # s under current
    "v_first",
    "v_last",
    "v_min",
    "v_max",
    "counted",  # A s by the instrument's counter, with sign
    "pieces",  # stretches without rest between
    "max_gap",  # s, largest step of time under current
    "backsteps",  # rows whose time is before their predecessor's
    "resets",  # counter restarts while the current flows on
    "rows",  # under current
    "impedance",  # rows in impedance mode
    "drawdown",  # V, largest return of the voltage while the current flows on
    "peak",  # A
    "current",  # A, the current at which half of the charge had flowed
    "cycle",  # the instrument's
    "blips",  # opposite blips folded into it
)
SIGN, FIRST_ROW, LAST_ROW, T0, T1, CHARGE, CHARGE_CARRY, ENERGY, ENERGY_CARRY, BRIDGED, ACTIVE = range(11)
V_FIRST, V_LAST, V_MIN, V_MAX, COUNTED, PIECES, MAX_GAP, BACKSTEPS, RESETS, ROWS = range(11, 21)
IMPEDANCE, DRAWDOWN, PEAK, CURRENT, CYCLE, BLIPS = range(21, len(COLUMNS))

# What one row leaves for the next.
STARTED, P_TIME, P_CURRENT, P_VOLTAGE, P_SIGN, P_CYCLE, P_COUNT_C, P_COUNT_D, P_FURTHEST, ROW, LOW_BIN, HIGH_BIN = range(12)

IMPEDANCE_MODE = 4  # code in schemas.MODES
COULOMB = 3600.0  # A s in an A h
LIMIT = 1.05  # a counter may say a little more than current times time

# Bins of |current|: 64 to a factor of two, from 2**-40 A to 2**24 A. The number of a bin is the top bits of the float.
BITS_SHIFT = 46
FIRST_BIN = (1023 - 40) * 64
BINS = 64 * 64
STEADY = 0.99  # a current that falls by less in one row counts as held
CHUNK = 1 << 14  # runs that the pass writes before it hands over


class Columns(NamedTuple):
    """Rows of a record; columns that it lacks have length 0.

    ``stepped``: the current of a row is the mean since the row before, not the value at its time.
    """

    time: np.ndarray
    current: np.ndarray
    voltage: np.ndarray
    cycle: np.ndarray
    charge_counter: np.ndarray
    discharge_counter: np.ndarray
    mode: np.ndarray
    stepped: bool


@dataclass(frozen=True)
class RunState:
    """The open run, the previous row, and the histogram of the open run's current; written in place by ``scan``."""

    run: np.ndarray
    previous: np.ndarray
    histogram: np.ndarray

    @classmethod
    def fresh(cls) -> "RunState":
        state = cls(np.zeros(len(COLUMNS)), np.zeros(12), np.zeros((BINS, 2)))
        _open(state.run, -1.0)
        state.previous[LOW_BIN] = BINS
        return state

    def finish(self) -> np.ndarray:
        """The run that was open at the record's end; shape (0 or 1, len(COLUMNS))."""
        out = np.empty((1, len(COLUMNS)))
        return out[: _close(self.run, self.previous, self.histogram, out, 0, -1.0)].copy()


def scan(rows: Columns, state: RunState, threshold: float) -> np.ndarray:
    """Runs that end within these rows, shape (R, len(COLUMNS)); the open one stays in ``state``."""
    out = np.empty((CHUNK, len(COLUMNS)))
    bits = rows.current.view(np.int64)
    parts, at = [], 0
    while at < len(rows.time):
        at, made = _scan(rows, bits, at, state.run, state.previous, state.histogram, threshold, out)
        parts.append(out[:made].copy())
    return np.concatenate(parts) if parts else out[:0]


@njit(cache=True, nogil=True)
def _open(run, cycle):  # type: ignore[no-untyped-def]
    run[:] = 0.0
    run[V_MIN] = np.inf
    run[V_MAX] = -np.inf
    run[CYCLE] = cycle


@njit(cache=True, nogil=True)
def _median_current(previous, histogram):  # type: ignore[no-untyped-def]
    """|Current| at which half of the charge had flowed; the histogram is emptied."""
    low, high = int(previous[LOW_BIN]), int(previous[HIGH_BIN]) + 1
    total = histogram[low:high, 0].sum()
    passed, value, found = 0.0, np.nan, False
    for b in range(low, high):
        passed += histogram[b, 0]
        if not found and passed >= 0.5 * total and histogram[b, 0] > 0.0:
            value, found = histogram[b, 1] / histogram[b, 0], True
    histogram[low:high] = 0.0
    previous[LOW_BIN] = BINS
    previous[HIGH_BIN] = 0
    return value


@njit(cache=True, nogil=True)
def _close(run, previous, histogram, out, made, cycle):  # type: ignore[no-untyped-def]
    """Write the open run, if there is something in it, and open an empty one."""
    if run[SIGN] != 0.0:
        median = _median_current(previous, histogram)
        run[CURRENT] = run[SIGN] * (run[PEAK] if np.isnan(median) else median)
    if run[SIGN] != 0.0 or run[V_MAX] >= run[V_MIN]:
        out[made] = run
        made += 1
    _open(run, cycle)
    return made


@njit(cache=True, nogil=True)
def _kahan(total, carry, value):  # type: ignore[no-untyped-def]
    """Compensated summation: new total and what it still owes."""
    y = value - carry
    t = total + y
    return t, (t - total) - y


@njit(cache=True, nogil=True)
def _increment(before, now):  # type: ignore[no-untyped-def]
    """A s by which a counter rose; a counter that fell to less than half restarted at zero, a smaller fall is a net counter's."""
    if now >= before:
        return COULOMB * (now - before)
    if now < 0.5 * before:
        return COULOMB * now
    return 0.0


@njit(cache=True, nogil=True)
def _bridge(run, moved, limit, voltage):  # type: ignore[no-untyped-def]
    """Add what the counter says flowed across a switch, at most what the current allows."""
    charge = run[SIGN] * min(moved, limit)
    run[CHARGE], run[CHARGE_CARRY] = _kahan(run[CHARGE], run[CHARGE_CARRY], charge)
    run[ENERGY], run[ENERGY_CARRY] = _kahan(run[ENERGY], run[ENERGY_CARRY], charge * voltage)
    run[BRIDGED] += charge
    run[COUNTED] += run[SIGN] * moved


@njit(cache=True, nogil=True)
def _begin(run, sign, row, time, voltage):  # type: ignore[no-untyped-def]
    run[SIGN] = sign
    run[FIRST_ROW] = row
    run[T0] = time
    run[V_FIRST] = voltage
    run[V_MIN] = np.inf
    run[V_MAX] = -np.inf


@njit(cache=True, nogil=True)
def _begin_piece(run, previous, time, current, voltage, moved):  # type: ignore[no-untyped-def]
    """First row after rest or after the other direction."""
    if previous[STARTED] and moved > 0.0:
        dt = max(0.0, time - previous[P_TIME])
        _bridge(run, moved, LIMIT * dt * abs(current), voltage)
        if run[PIECES] == 0.0:
            run[T0] = previous[P_TIME]
    run[PIECES] += 1.0
    previous[P_FURTHEST] = run[SIGN] * voltage


@njit(cache=True, nogil=True)
def _note_row(run, row, time, current, voltage):  # type: ignore[no-untyped-def]
    run[LAST_ROW] = row
    run[T1] = time
    run[V_LAST] = voltage
    run[ROWS] += 1.0
    run[PEAK] = max(run[PEAK], abs(current))


@njit(cache=True, nogil=True)
def _count(charge_before, discharge_before, charge, discharge):  # type: ignore[no-untyped-def]
    """Rises of both counters between two rows in A s, and whether one restarted."""
    reset = charge < 0.5 * charge_before or discharge < 0.5 * discharge_before
    return _increment(charge_before, charge), _increment(discharge_before, discharge), reset


@njit(cache=True, nogil=True)
def _leave(run, previous, sign, time, up):  # type: ignore[no-untyped-def]
    """The interval after the last row of a stretch: what the counter still says of its direction."""
    if previous[P_SIGN] != 0.0 and sign != previous[P_SIGN] and up > 0.0:
        limit = LIMIT * abs(previous[P_CURRENT]) * max(0.0, time - previous[P_TIME])
        _bridge(run, up, limit, previous[P_VOLTAGE])


@njit(cache=True, nogil=True)
def _counters(rows, k, previous):  # type: ignore[no-untyped-def]
    """Rises of both counters since the previous row in A s, and whether one restarted."""
    if rows.charge_counter.size == 0:
        return 0.0, 0.0, False
    charge, discharge = rows.charge_counter[k], rows.discharge_counter[k]
    if not np.isfinite(charge + discharge):
        return 0.0, 0.0, False
    up_c, up_d, reset = _count(previous[P_COUNT_C], previous[P_COUNT_D], charge, discharge)
    previous[P_COUNT_C] = charge
    previous[P_COUNT_D] = discharge
    return (up_c, up_d, reset) if previous[STARTED] else (0.0, 0.0, False)


@njit(cache=True, nogil=True)
def _join_run(rows, bits, k, sign, up, reset, run, previous, histogram):  # type: ignore[no-untyped-def]
    """Row ``k`` under current joins the open run as the first of its stretch."""
    goes_on = previous[P_SIGN] == sign
    time, current = rows.time[k], rows.current[k]
    voltage = rows.voltage[k] if np.isfinite(rows.voltage[k]) else previous[P_VOLTAGE]
    if run[SIGN] == 0.0:  # where the instrument counts on under current, the run begins at the previous row
        _begin(run, sign, previous[ROW], previous[P_TIME] if goes_on else time, voltage)
        previous[P_FURTHEST] = sign * voltage
    if goes_on:
        _sum_flow(rows, bits, k, k + 1, run, previous, histogram)
        run[COUNTED] += sign * up
        run[RESETS] += reset
    else:
        _begin_piece(run, previous, time, current, voltage, up)
        _note_row(run, previous[ROW], time, current, voltage)


@njit(cache=True, nogil=True)
def _step(rows, bits, k, run, previous, histogram, out, made, threshold):  # type: ignore[no-untyped-def]
    """The first row of a stretch; returns the number of runs written."""
    time, current = rows.time[k], rows.current[k]
    impedance = rows.mode.size > 0 and rows.mode[k] == IMPEDANCE_MODE
    sign = 0.0 if impedance or abs(current) <= threshold else np.sign(current)
    cycle = rows.cycle[k] if rows.cycle.size > 0 else 0.0
    cycle = previous[P_CYCLE] if np.isnan(cycle) else cycle
    up_c, up_d, reset = _counters(rows, k, previous)
    _leave(run, previous, sign, time, up_c if previous[P_SIGN] > 0.0 else up_d)
    if cycle != run[CYCLE] or sign * run[SIGN] < 0.0:
        made = _close(run, previous, histogram, out, made, cycle)
    if sign != 0.0:
        _join_run(rows, bits, k, sign, up_c if sign > 0.0 else up_d, reset, run, previous, histogram)
    if sign != 0.0 or run[SIGN] == 0.0:
        _sum_voltage(rows.voltage, rows.current, k, k + 1, run, previous)
    run[IMPEDANCE] += impedance
    previous[STARTED], previous[P_SIGN], previous[P_CYCLE] = 1.0, sign, cycle
    previous[P_TIME], previous[P_CURRENT] = time, current
    previous[P_VOLTAGE] = rows.voltage[k] if np.isfinite(rows.voltage[k]) else previous[P_VOLTAGE]
    return made


@njit(cache=True, nogil=True)
def _stretch_end(time, current, cycle, mode, k, threshold):  # type: ignore[no-untyped-def]
    """First row after ``k`` that is not of its direction and cycle, or is not finite."""
    is_rest = abs(current[k]) <= threshold or (mode.size > 0 and mode[k] == IMPEDANCE_MODE)
    for j in range(k + 1, time.size):
        idle = abs(current[j]) <= threshold or (mode.size > 0 and mode[j] == IMPEDANCE_MODE)
        if idle != is_rest or not (np.isfinite(time[j]) and np.isfinite(current[j])):
            return j
        if (not idle and current[j] * current[k] < 0.0) or (cycle.size > 0 and cycle[j] != cycle[k]):
            return j
    return time.size


@njit(cache=True, nogil=True)
def _sum_flow(rows, bits, k, end, run, previous, histogram):  # type: ignore[no-untyped-def]
    """Rows k … end of one stretch under current: charge, energy, duration."""
    time, current, voltage, stepped = rows.time, rows.current, rows.voltage, rows.stepped
    charge, owed, energy, owed_e = run[CHARGE], run[CHARGE_CARRY], run[ENERGY], run[ENERGY_CARRY]
    active, gap, peak, back = run[ACTIVE], run[MAX_GAP], run[PEAK], 0
    low, high = int(previous[LOW_BIN]), int(previous[HIGH_BIN])
    t0, i0, v0 = previous[P_TIME], previous[P_CURRENT], previous[P_VOLTAGE]
    for j in range(k, end):
        i1 = current[j]
        v1 = voltage[j] if np.isfinite(voltage[j]) else v0
        dt = time[j] - t0
        if dt < 0.0:
            back += 1
            dt = 0.0
        i0 = i1 if stepped else i0
        dq = 0.5 * (i1 + i0) * dt
        charge, owed = _kahan(charge, owed, dq)
        energy, owed_e = _kahan(energy, owed_e, 0.5 * (i1 * v1 + i0 * v0) * dt)
        active += dt
        gap = max(gap, dt)
        peak = max(peak, abs(i1))
        b = min(max(((bits[j] & 0x7FFFFFFFFFFFFFFF) >> BITS_SHIFT) - FIRST_BIN, 0), BINS - 1)
        histogram[b, 0] += abs(dq)
        histogram[b, 1] += abs(dq * i1)
        low, high = min(low, b), max(high, b)
        t0, i0, v0 = time[j], i1, v1
    run[CHARGE], run[CHARGE_CARRY], run[ENERGY], run[ENERGY_CARRY] = charge, owed, energy, owed_e
    run[ACTIVE], run[MAX_GAP], run[PEAK] = active, gap, peak
    run[BACKSTEPS] += back
    run[ROWS] += end - k
    run[LAST_ROW] = previous[ROW] + (end - 1 - k)
    run[T1], run[V_LAST] = t0, v0
    previous[LOW_BIN], previous[HIGH_BIN] = low, high


@njit(cache=True, nogil=True)
def _sum_voltage(voltage, current, k, end, run, previous):  # type: ignore[no-untyped-def]
    """Rows k … end: voltage range, and how far the voltage came back against the run's direction. Returns the last voltage.

    Where the current itself becomes weaker the voltage may fall back: the search starts anew there.
    """
    low, high, drawdown, furthest, sign = run[V_MIN], run[V_MAX], run[DRAWDOWN], previous[P_FURTHEST], run[SIGN]
    v = previous[P_VOLTAGE]
    for j in range(k, end):
        v = voltage[j] if np.isfinite(voltage[j]) else v
        low = min(low, v)
        high = max(high, v)
        if j > k and abs(current[j]) < STEADY * abs(current[j - 1]):
            furthest = sign * v
        drawdown = max(drawdown, furthest - sign * v)
        furthest = max(furthest, sign * v)
    run[V_MIN], run[V_MAX] = low, high
    if sign != 0.0:
        run[DRAWDOWN], previous[P_FURTHEST] = drawdown, furthest
    return v


@njit(cache=True, nogil=True)
def _sum_counters(charge, discharge, k, end, sign, run, previous):  # type: ignore[no-untyped-def]
    """Rows k … end of one stretch: what the counters rose by, if under current, and how often they restarted."""
    for j in range(k, end):
        if np.isfinite(charge[j] + discharge[j]):
            up_c, up_d, reset = _count(previous[P_COUNT_C], previous[P_COUNT_D], charge[j], discharge[j])
            previous[P_COUNT_C] = charge[j]
            previous[P_COUNT_D] = discharge[j]
            if sign != 0.0:
                run[COUNTED] += sign * (up_c if sign > 0.0 else up_d)
                run[RESETS] += reset


@njit(cache=True, nogil=True)
def _sum_stretch(rows, bits, k, end, run, previous, histogram):  # type: ignore[no-untyped-def]
    """Rows k … end, which go on as the row before them."""
    sign, voltage = previous[P_SIGN], previous[P_VOLTAGE]
    if sign != 0.0:
        _sum_flow(rows, bits, k, end, run, previous, histogram)
    if sign != 0.0 or run[SIGN] == 0.0:
        voltage = _sum_voltage(rows.voltage, rows.current, k, end, run, previous)
    if rows.charge_counter.size > 0:
        _sum_counters(rows.charge_counter, rows.discharge_counter, k, end, sign, run, previous)
    if rows.mode.size > 0 and sign == 0.0:
        run[IMPEDANCE] += (rows.mode[k:end] == IMPEDANCE_MODE).sum()
    previous[P_TIME], previous[P_CURRENT], previous[P_VOLTAGE] = rows.time[end - 1], rows.current[end - 1], voltage
    previous[ROW] += end - k


@njit(cache=True, nogil=True)
def _scan(rows, bits, begin, run, previous, histogram, threshold, out):  # type: ignore[no-untyped-def]
    """Rows from ``begin`` on; returns the first row that was not read and the number of runs written.

    The first row of every stretch of one direction and cycle decides what happens; the rest are summed in tight loops.
    """
    made, k = 0, begin
    while k < rows.time.size and made < len(out):
        if np.isfinite(rows.time[k]) and np.isfinite(rows.current[k]):
            made = _step(rows, bits, k, run, previous, histogram, out, made, threshold)
            end = _stretch_end(rows.time, rows.current, rows.cycle, rows.mode, k, threshold)
            previous[ROW] += 1.0
            if end > k + 1:
                _sum_stretch(rows, bits, k + 1, end, run, previous, histogram)
            k = end
        else:
            previous[ROW] += 1.0
            k += 1
    return k, made


# Compiled code that calls compiled code lives in one file: numba's copy on disk knows the date of the caller's file only.
# What one row leaves for the next: whether there was one, its time, current, voltage, direction and both counters,
# and the charge in A s that has flowed in the half cycle's direction.
HALF_STATE, HALF_TOTAL = 8, 7


@njit(cache=True, nogil=True)
def walk_to_half(rows, offset, at, first, last, sign, target, threshold, state, found):  # type: ignore[no-untyped-def]
    """Half cycles from number ``at`` on, as far as these rows reach; returns the number of the one that goes on behind them."""
    end = offset + rows.time.size
    while at < first.size and first[at] < end:
        begin = max(first[at], offset)
        if first[at] >= offset:  # otherwise it began in an earlier block
            state[:] = 0.0
            begin = max(first[at] - 1, offset)
        stop = min(last[at] + 1, end)
        if sign[at] != 0.0 and target[at] > 0.0:
            found[at] = _crossing(rows, begin - offset, stop - offset, first[at] - offset, sign[at], target[at], threshold, state)
            if state[HALF_TOTAL] < target[at] and last[at] + 1 > end:
                return at
        at += 1
    return at


@njit(cache=True, nogil=True)
def _crossing(rows, begin, end, first, sign, target, threshold, state):  # type: ignore[no-untyped-def]
    """Voltage where the charge since row ``first`` reaches ``target``; NaN where it does not before row ``end``.

    Plain numbers in one loop: handing the rows to a function for each of them would cost ten times as much.
    """
    time, current, voltage, mode = rows.time, rows.current, rows.voltage, rows.mode
    charged, discharged, stepped = rows.charge_counter, rows.discharge_counter, rows.stepped
    started, t0, i0, v0, flow0, c0, d0, total = state
    for k in range(begin, end):
        t1, i1 = time[k], current[k]
        if not (np.isfinite(t1) and np.isfinite(i1)):
            continue
        v1 = voltage[k] if np.isfinite(voltage[k]) or started == 0.0 else v0
        idle = abs(i1) <= threshold or (mode.size > 0 and mode[k] == IMPEDANCE_MODE)
        flow = 0.0 if idle else (1.0 if i1 > 0.0 else -1.0)
        before = total
        if flow != 0.0 and started != 0.0 and k >= first:
            dt = max(0.0, t1 - t0)
            if flow == flow0:
                total += 0.5 * sign * (i1 + (i1 if stepped else i0)) * dt
            elif charged.size > 0:
                rise = _increment(c0, charged[k]) if flow > 0.0 else _increment(d0, discharged[k])
                total += sign * flow * min(rise, LIMIT * abs(i1) * dt)
        if flow == sign and total >= target and total > before:
            state[HALF_TOTAL] = total
            return v0 + (target - before) / (total - before) * (v1 - v0) if flow == flow0 else v1
        started, t0, i0, v0, flow0 = 1.0, t1, i1, v1, flow
        if charged.size > 0:
            c0, d0 = charged[k], discharged[k]
    state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7] = started, t0, i0, v0, flow0, c0, d0, total
    return np.nan
