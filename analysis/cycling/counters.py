"""Capacity counters: what they count, and one counter for both directions made two."""

from dataclasses import dataclass

import numpy as np

_FALL = 0.5  # a counter that falls below this share of its last value has started again


@dataclass
class CounterWatch:
    """Finds out whether counters run through, start again with every cycle, or with every step."""

    resets: int = 0
    with_cycle: int = 0
    cycles: int = 0
    _last: tuple[float, float, float] = (0.0, 0.0, np.nan)

    def add(self, charge: np.ndarray, discharge: np.ndarray, cycle: np.ndarray | None) -> None:
        """Look at the next rows: both counters in A h and the instrument's cycle, shape (n,)."""
        if not charge.size:
            return
        number = cycle if cycle is not None else np.full(charge.size, np.nan)
        falls = _falls(charge, self._last[0]) | _falls(discharge, self._last[1])
        changes = np.diff(number, prepend=self._last[2]) > 0
        self.resets += int(falls.sum())
        self.with_cycle += int((falls & changes).sum())
        self.cycles += int(changes.sum())
        self._last = (float(charge[-1]), float(discharge[-1]), float(number[-1]))

    def kind(self, default: str) -> str:
        """``step``, ``cycle`` or ``cumulative``; ``default`` where the numbers leave it open."""
        if not self.resets:
            return "cumulative" if self.cycles else default or "cumulative"
        return "cycle" if self.with_cycle * 2 > self.resets and self.with_cycle else "step"


def _falls(counter: np.ndarray, last: float) -> np.ndarray:
    before = np.concatenate([[last], counter[:-1]])
    return (counter < _FALL * before) & (before > 0)


@dataclass
class NetCounter:
    """Charge minus discharge in one counter → what each direction has counted since the start."""

    charge: float = 0.0
    discharge: float = 0.0
    _last: float = np.nan

    def add(self, net: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both counters of the next rows, shape (n,), in the unit of ``net``; a fall to zero is a restart."""
        if not net.size:
            return net, net
        first = net[0] if np.isnan(self._last) else self._last
        step = np.nan_to_num(np.diff(net, prepend=first))
        before = np.concatenate([[first], net[:-1]])
        step = np.where((net == 0) & (np.abs(before) > 0), 0.0, step)
        charge = self.charge + np.cumsum(np.maximum(step, 0.0))
        discharge = self.discharge + np.cumsum(np.maximum(-step, 0.0))
        self.charge, self.discharge, self._last = float(charge[-1]), float(discharge[-1]), float(net[-1])
        return charge, discharge

    def add_steps(self, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both counters of the next rows, shape (n,), from the charge that passed since the row before."""
        given = np.nan_to_num(steps)
        charge = self.charge + np.cumsum(np.maximum(given, 0.0))
        discharge = self.discharge + np.cumsum(np.maximum(-given, 0.0))
        if given.size:
            self.charge, self.discharge = float(charge[-1]), float(discharge[-1])
        return charge, discharge


@dataclass
class Unrolled:
    """A counter that starts again now and then, as one that runs through."""

    total: float = 0.0
    _last: float = 0.0

    def add(self, counter: np.ndarray) -> np.ndarray:
        """The next rows, shape (n,)."""
        if not counter.size:
            return counter
        given = np.nan_to_num(counter)
        step = np.diff(given, prepend=self._last)
        out = self.total + np.cumsum(np.where(step < 0, given, step))
        self.total, self._last = float(out[-1]), float(given[-1])
        return out


def by_direction(counter: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charge and discharge counter from one of both directions: its size where it counts, 0 elsewhere."""
    size = np.abs(np.nan_to_num(counter))
    return np.where(direction > 0, size, 0.0), np.where(direction < 0, size, 0.0)
