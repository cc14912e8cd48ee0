"""Test time that never decreases, from clocks that jump back, restart, or count each step anew."""

from dataclasses import dataclass, field

import numpy as np

_SPIKE = 5.0  # a single reading is wrong if it is off by more than this many local steps of time
_RESTART_SHARE = 0.01  # a clock that falls below this share of its last value has restarted


@dataclass
class Clock:
    """Repairs the test time of one record, batch by batch; see ``warnings`` and ``restarts`` afterwards.

    A restart continues the time where it stopped: the pause itself is no test time. A clock that was set back continues
    with the step of time that the instrument's step time states, else with the usual one.
    """

    name: str
    warnings: list[str] = field(default_factory=list)
    restarts: int = 0
    _rows: int = 0
    _offset: float = 0.0
    _raw: float = np.nan
    _step_time: float = np.nan
    _said: int = 0

    def add(self, time: np.ndarray, step_time: np.ndarray | None) -> np.ndarray:
        """Time of the next rows, shape (n,) in s, continued; ``step_time`` is the time since the step began."""
        if not time.size:
            return time
        raw = np.concatenate([[self._raw], time]) if self._rows else time
        steps = np.concatenate([[self._step_time], step_time]) if step_time is not None and self._rows else step_time
        mended = self._without_spikes(raw)
        out = self._continued(mended, steps) + self._offset
        self._offset = out[-1] - mended[-1]
        first = 1 if self._rows else 0
        self._rows += time.size
        self._raw = mended[-1]
        self._step_time = step_time[-1] if step_time is not None else np.nan
        return out[first:]

    def _without_spikes(self, time: np.ndarray) -> np.ndarray:
        """Single readings that do not fit between their neighbours, replaced by the mean of these."""
        if time.size < 3 or not (np.diff(time) < 0).any():
            return time
        before, here, after = time[:-2], time[1:-1], time[2:]
        dip = (here < before) & (after >= before)
        peak = (here > after) & (after >= before) & (here - after > _SPIKE * (after - before)) & (here - before > _SPIKE * (after - before))
        rows = np.flatnonzero(dip | peak) + 1
        out = time.copy()
        out[rows] = (time[rows - 1] + time[rows + 1]) / 2
        for row in rows:
            self._say(f"row {row + self._first}: the time {time[row]:g} s does not fit between its neighbours and was interpolated")
        return out

    def _continued(self, time: np.ndarray, step_time: np.ndarray | None) -> np.ndarray:
        change = np.diff(time)
        back = np.flatnonzero(change < 0) + 1
        if not back.size:
            return time
        usual = float(np.median(change[change > 0])) if (change > 0).any() else 0.0
        restart = time[back] <= np.maximum(np.maximum(_SPIKE * usual, 1.0), _RESTART_SHARE * time[back - 1])
        gap = np.where(restart, np.maximum(time[back], 0.0), usual)
        if step_time is not None:
            passed = step_time[back] - step_time[back - 1]
            gap = np.where(~restart & (passed >= 0), passed, gap)
        offset = np.zeros(time.size)
        offset[back] = time[back - 1] - time[back] + gap
        self._tell(time, back, restart)
        out = time + np.cumsum(offset)
        return np.where(np.isnan(out), out, np.fmax.accumulate(out))  # sums of large and small numbers may fall by a rounding

    def _tell(self, time: np.ndarray, back: np.ndarray, restart: np.ndarray) -> None:
        self.restarts += int(restart.sum())
        for row, again in zip(back, restart, strict=True):
            if again:
                self._say(f"row {row + self._first}: the clock restarts at {time[row]:g} s after {time[row - 1]:g} s; the time continues")
            else:
                self._say(f"row {row + self._first}: the clock jumps back by {time[row - 1] - time[row]:g} s; the time continues")

    @property
    def _first(self) -> int:
        """Number of the first row of the batch, counted from 1."""
        return self._rows if self._rows else 1

    def _say(self, what: str) -> None:
        self._said += 1
        if self._said <= 3:
            self.warnings.append(f"{self.name}: {what}.")
        elif self._said == 4:
            self.warnings.append(f"{self.name}: the clock has more such places.")


def from_steps(step_time: np.ndarray, begins: np.ndarray, last: float, total: float) -> np.ndarray:
    """Test time, shape (n,), as the sum of step times that restart.

    ``begins`` marks rows where another step begins; ``last`` and ``total`` are the step and test time of the row before.
    """
    previous = np.concatenate([[last], step_time[:-1]])
    passed = np.where(begins | (step_time < previous), np.maximum(step_time, 0.0), step_time - previous)
    return total + np.cumsum(passed)
