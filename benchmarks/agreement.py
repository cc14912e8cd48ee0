"""Whether two programs found the same capacities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SAME = 0.005  # relative difference of capacities that count as equal
TOTALS = 0.02
NOTHING = 1e-3  # capacities below this part of the largest are no half cycle


@dataclass(frozen=True)
class Agreement:
    """Of their half cycles, how many are among ours, and their total charge over ours."""

    same: int
    of: int
    charge: float
    discharge: float

    @property
    def whole(self) -> bool:
        return all(abs(ratio - 1) <= TOTALS for ratio in (self.charge, self.discharge) if np.isfinite(ratio))

    def words(self) -> str:
        if self.whole and self.same == self.of:
            return f"the same: {self.of} of {self.of} half cycles"
        if self.whole:
            return f"the same charge, cycles cut elsewhere: {self.same} of {self.of} half cycles"
        return f"other numbers: charge × {self.charge:.3g}, discharge × {self.discharge:.3g}, {self.same} of {self.of} half cycles"


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Agreement:
    """Capacities of both, matched by size: programs count cycles from different beginnings."""
    same = of = 0
    for name in ("charge", "discharge"):
        mine, other = _half_cycles(ours[name]), _half_cycles(theirs[name])
        of += other.size
        same += sum(bool(mine.size) and bool(np.min(np.abs(mine - value)) <= SAME * value) for value in other)
    return Agreement(same, of, _ratio(theirs["charge"], ours["charge"]), _ratio(theirs["discharge"], ours["discharge"]))


def _half_cycles(values: Sequence[float]) -> np.ndarray:
    found = np.abs(np.nan_to_num(np.array(values, dtype=float)))
    return found[found > NOTHING * found.max()] if found.size and found.max() > 0 else np.empty(0)


def _ratio(theirs: Sequence[float], ours: Sequence[float]) -> float:
    mine, other = float(np.nansum(np.abs(ours))), float(np.nansum(np.abs(theirs)))
    return other / mine if mine > 0 else (float("nan") if other == 0 else float("inf"))
