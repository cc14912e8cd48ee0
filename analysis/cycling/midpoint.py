"""Voltage at half of each half cycle's charge: what polarisation at half capacity is made of.

How much charge a half cycle has is known only at its end, so this is a second pass over the record. It begins at the first row of each
half cycle and leaves it where half of the charge has flowed: about half of the rows are read, in blocks, and a block's end changes nothing.
"""

import numpy as np
import xarray as xr

from analysis.cycling.halfcycles import BLOCK_ROWS, HalfCycles, columns_of
from analysis.cycling.runs import HALF_STATE, walk_to_half

HALF = 0.5


def half_voltage(record: xr.Dataset, halves: HalfCycles, *, block_rows: int = BLOCK_ROWS) -> np.ndarray:
    """Voltage in V where half of each half cycle's charge has flowed; shape (H,), NaN where there is none.

    Charge is counted as in ``runs.scan``; between the two rows around the half it is interpolated linearly.
    """
    found = np.full(len(halves), np.nan)
    first, last = halves["first_row"].astype(np.int64), halves["last_row"].astype(np.int64)
    target = HALF * np.abs(halves["charge"])
    state, at, begin = np.zeros(HALF_STATE), 0, 0
    while at < len(halves):
        begin = max(begin, int(first[at]) - 1, 0)  # the row before tells what flowed across the switch
        end = min(begin + block_rows, halves.rows)
        if begin >= end:
            break
        rows = columns_of(record, begin, end)
        at = walk_to_half(rows, begin, at, first, last, halves["sign"], target, halves.threshold, state, found)
        begin = end
    return found
