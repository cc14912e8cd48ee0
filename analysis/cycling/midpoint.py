"""Voltage at half of each half cycle's charge: what polarisation at half capacity is made of.

How much charge a half cycle has is known only at its end, so this is a second pass over the record. It begins at the first row of each
half cycle and leaves it where half of the charge has flowed: about half of the rows are read, in blocks, and a block's end changes nothing.
"""

import numpy as np
import xarray as xr
from numba import njit

from analysis.cycling.halfcycles import BLOCK_ROWS, HalfCycles, columns_of
from analysis.cycling.runs import IMPEDANCE_MODE, LIMIT, increment

HALF = 0.5
# What one row leaves for the next: whether there was one, its time, current, voltage, direction and both counters,
# and the charge in A s that has flowed in the half cycle's direction.
STATE, TOTAL = 8, 7


def half_voltage(record: xr.Dataset, halves: HalfCycles, *, block_rows: int = BLOCK_ROWS) -> np.ndarray:
    """Voltage in V where half of each half cycle's charge has flowed; shape (H,), NaN where there is none.

    Charge is counted as in ``runs.scan``; between the two rows around the half it is interpolated linearly.
    """
    found = np.full(len(halves), np.nan)
    first, last = halves["first_row"].astype(np.int64), halves["last_row"].astype(np.int64)
    target = HALF * np.abs(halves["charge"])
    state, at, begin = np.zeros(STATE), 0, 0
    while at < len(halves):
        begin = max(begin, int(first[at]) - 1, 0)  # the row before tells what flowed across the switch
        end = min(begin + block_rows, halves.rows)
        if begin >= end:
            break
        rows = columns_of(record, begin, end)
        at = _walk(rows, begin, at, first, last, halves["sign"], target, halves.threshold, state, found)
        begin = end
    return found


@njit(cache=True, nogil=True)
def _walk(rows, offset, at, first, last, sign, target, threshold, state, found):  # type: ignore[no-untyped-def]
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
            if state[TOTAL] < target[at] and last[at] + 1 > end:
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
                rise = increment(c0, charged[k]) if flow > 0.0 else increment(d0, discharged[k])
                total += sign * flow * min(rise, LIMIT * abs(i1) * dt)
        if flow == sign and total >= target and total > before:
            state[TOTAL] = total
            return v0 + (target - before) / (total - before) * (v1 - v0) if flow == flow0 else v1
        started, t0, i0, v0, flow0 = 1.0, t1, i1, v1, flow
        if charged.size > 0:
            c0, d0 = charged[k], discharged[k]
    state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7] = started, t0, i0, v0, flow0, c0, d0, total
    return np.nan
