"""What turns the columns of a file into a sound record: damage left out, clocks checked, counters summed.

For all readers of records. None of these functions opens a file.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.data import table
from analysis.core.errors import ReadError
from analysis.formats.table import Table

# Beyond these a number is damage, whatever cell was measured: 100 years, 10 kV, 100 kA, 100 kA h.
LIMITS = {
    **dict.fromkeys(("time", "time/s"), 3.2e9),
    **dict.fromkeys(("voltage", "Ewe/V", "<Ewe>/V", "Ece/V", "<Ece>/V", "Ewe-Ece/V"), 1e4),
    **dict.fromkeys(
        ("current", "I/mA", "<I>/mA", "dq/mA.h", "dQ/mA.h", "(Q-Qo)/mA.h", "dQ/C", "(Q-Qo)/C", "charge", "energy", "capacity"), 1e8
    ),
    **dict.fromkeys(("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy"), 1e5),
    **dict.fromkeys(("Energy charge/W.h", "Energy discharge/W.h"), 1e5),
}
_TIMES = ("time", "time/s")

# Values and unit of each column.
Columns = dict[str, tuple[np.ndarray, str]]


def sound(name: str, found: Table) -> Table:
    """The table without rows whose numbers cannot be true."""
    damaged = np.zeros(found.n_rows, bool)
    for column, values in found.columns.items():
        if column in LIMITS:
            damaged |= np.abs(values) > LIMITS[column]
        if column in _TIMES:
            damaged |= np.isnan(values)
    if not damaged.any():
        return found
    n, first = int(damaged.sum()), int(np.argmax(damaged)) + 1
    if n == damaged.size:
        raise ReadError(
            f"{name} is damaged: no row has a time, voltage and current that can be true.", hint="Copy it from the instrument again."
        )
    columns = {column: values[~damaged] for column, values in found.columns.items()}
    sentence = f"{name}: {n} of {damaged.size} rows are damaged and left out, the first is row {first}."
    return replace(found, columns=columns, warnings=(*found.warnings, sentence))


def record(name: str, columns: Columns, attrs: Mapping[str, Any], warnings: tuple[str, ...] = ()) -> xr.Dataset:
    """The columns as a record: time made to run forward, what is odd about the clocks said."""
    time, said = _forward(name, columns["time"][0])
    said = [*warnings, *said, *(_clock_jumps(name, columns["timestamp"][0]) if "timestamp" in columns else [])]
    return table({**columns, "time": (time, "s")}, dim="row", attrs={**attrs, "warnings": said})


def _forward(name: str, time: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Test time that does not decrease: where it jumps back, what follows is moved to go on from there."""
    change = np.diff(time)
    back = np.flatnonzero(change < 0)
    if not back.size:
        return time, []
    moved = time.copy()
    moved[1:] += np.cumsum(np.where(change < 0, -change, 0.0))
    first = f"first in row {back[0] + 2} by {-change[back[0]]:.6g} s"
    return np.maximum.accumulate(moved), [f"{name}: the test time jumps back {_times(back.size)}, {first}; what follows was moved on."]


def _clock_jumps(name: str, clock: np.ndarray) -> list[str]:
    change = np.diff(clock)
    back = np.flatnonzero(change < 0)
    if not back.size:
        return []
    worst = back[np.argmin(change[back])]
    return [
        f"{name}: the wall clock jumps back {_times(back.size)}, first in row {back[0] + 2} by {-change[back[0]]:.3g} s,"
        f" farthest in row {worst + 2} by {-change[worst]:.3g} s; the test time is used."
    ]


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def by_sign(increments: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the positive and of the negative increments up to each row, both positive."""
    given = np.nan_to_num(increments.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0) * factor
    return np.cumsum(np.maximum(given, 0.0)), np.cumsum(np.maximum(-given, 0.0))


def unrolled(counter: np.ndarray) -> np.ndarray:
    """A counter that goes back to zero, as one that does not."""
    change = np.diff(counter, prepend=0.0)
    return np.cumsum(np.where(change < 0, counter, change))


def counter_kind(columns: Columns) -> str:
    """Where the counters go back to zero: never, only with a new cycle, or else."""
    resets = np.zeros(columns["time"][0].size - 1, bool)
    for name in ("charge_capacity", "discharge_capacity"):
        if name in columns:
            resets |= np.diff(columns[name][0]) < 0
    if not resets.any():
        return "cumulative"
    new_cycle = np.diff(columns["cycle"][0]) != 0 if "cycle" in columns else np.zeros_like(resets)
    return "cycle" if not (resets & ~new_cycle).any() else "step"
