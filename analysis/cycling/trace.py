"""A record as it is drawn: few rows that show what all rows would."""

import numpy as np
import xarray as xr
from numba import njit
from pydantic import Field

from analysis.core.data import Schema, Var, warn
from analysis.core.errors import ParamError
from analysis.core.params import Params
from analysis.cycling.halfcycles import BLOCK_ROWS
from analysis.cycling.schemas import ROW

KEPT = 6  # rows of a bucket: first, last, lowest and highest voltage and current

TRACE = Schema(
    "cycling.trace",
    {
        "time": Var(ROW, "s", title="Test time"),
        "voltage": Var(ROW, "V", title="Voltage"),
        "current": Var(ROW, "A", title="Current"),
    },
)


class TraceParams(Params):
    """A stretch of the record, thinned for drawing."""

    start: float | None = Field(None, title="From", json_schema_extra={"unit": "s"})
    end: float | None = Field(None, title="To", json_schema_extra={"unit": "s"})
    points: int = Field(2000, ge=12, le=200_000, title="Rows kept, about")


def thin_record(record: xr.Dataset, params: TraceParams, *, block_rows: int = BLOCK_ROWS) -> xr.Dataset:
    """Rows of the record between two times: all, or of each bucket of time the first, the last and the extremes of voltage and current.

    The record is read in blocks; blocks outside the stretch are skipped.
    """
    if params.start is not None and params.end is not None and params.end <= params.start:
        raise ParamError(f"The stretch ends ({params.end:g} s) before it begins ({params.start:g} s).")
    low = -np.inf if params.start is None else params.start
    high = np.inf if params.end is None else params.end
    blocks, count, first, last = _survey(record, low, high, block_rows)
    every = count <= params.points
    buckets = max(params.points // KEPT, 1)
    width = max((last - first) / buckets, np.finfo(float).tiny) if count else 1.0
    rows = np.full((buckets, KEPT), -1, dtype=np.int64)
    extremes = np.tile([np.inf, -np.inf, np.inf, -np.inf], (buckets, 1))
    chosen: list[np.ndarray] = []
    for a, b in blocks:
        time, voltage, current = (_block(record, name, a, b) for name in ("time", "voltage", "current"))
        if every:
            chosen.append(a + np.flatnonzero((time >= low) & (time <= high)))
        else:
            _mark(time, voltage, current, a, low, high, first, width, rows, extremes)
    kept = np.concatenate(chosen) if chosen else np.unique(rows[rows >= 0])
    return _rows(record, kept, count)


def _block(record: xr.Dataset, name: str, a: int, b: int) -> np.ndarray:
    values = np.ascontiguousarray(record[name][a:b].values, dtype=float).view()
    values.flags.writeable = False
    return values


def _survey(record: xr.Dataset, low: float, high: float, block_rows: int) -> tuple[list[tuple[int, int]], int, float, float]:
    """Blocks that reach into the stretch, how many of their rows do, and the first and last time there."""
    blocks, count, first, last = [], 0, np.inf, -np.inf
    for a in range(0, record.sizes["row"], block_rows):
        b = min(a + block_rows, record.sizes["row"])
        time = record["time"][a:b].values
        inside = time if time[0] >= low and time[-1] <= high else time[(time >= low) & (time <= high)]
        if inside.size:
            blocks.append((a, b))
            count += inside.size
            first, last = min(first, float(np.nanmin(inside))), max(last, float(np.nanmax(inside)))
    return blocks, count, first, last


def _rows(record: xr.Dataset, kept: np.ndarray, count: int) -> xr.Dataset:
    made = {}
    for name in ("time", "voltage", "current"):
        # Where the record is lazy, whole chunks are read and rows taken from them.
        made[name] = ("row", record[name].isel(row=kept).values.astype(float), {"units": record[name].attrs["units"]})
    out = xr.Dataset(made, attrs={"rows": count})
    return out if count else warn(out, "The record has no rows in this stretch of time.")


@njit(cache=True, nogil=True)
def _mark(time, voltage, current, offset, low, high, first, width, rows, extremes):  # type: ignore[no-untyped-def]
    """Note in each bucket the rows of lowest and highest voltage and current, the first and the last.

    One loop without calls: passing arrays on would cost more than the work.
    """
    buckets = rows.shape[0]
    for k in range(time.size):
        if low <= time[k] <= high:
            b = min(int((time[k] - first) / width), buckets - 1)
            v, i, row = voltage[k], current[k], offset + k
            if v < extremes[b, 0]:
                extremes[b, 0], rows[b, 0] = v, row
            if v > extremes[b, 1]:
                extremes[b, 1], rows[b, 1] = v, row
            if i < extremes[b, 2]:
                extremes[b, 2], rows[b, 2] = i, row
            if i > extremes[b, 3]:
                extremes[b, 3], rows[b, 3] = i, row
            if rows[b, 4] < 0:
                rows[b, 4] = row
            rows[b, 5] = row
