"""Half cycles paired to cycles, and what each cycle is.

The pairing rule is the user's: *charge first* for cells whose working electrode gives lithium first (NMC against Li-In: capacity
given back over capacity put in is discharge over charge), *discharge first* for electrodes that take lithium first (charge over discharge).
A half cycle whose partner is missing stands alone.
"""

from dataclasses import dataclass

import numpy as np

from analysis.cycling.halfcycles import PULSE_BLIPS, HalfCycles, is_impedance

CHARGE_FIRST, DISCHARGE_FIRST = "charge_first", "discharge_first"
CONVENTION = {CHARGE_FIRST: "discharge / charge of the same cycle", DISCHARGE_FIRST: "charge / discharge of the same cycle"}

SAME_RATE = 0.1  # relative: cyclers hold a current far better; C-rates of a protocol differ by more
MAX_FORMATION = 10  # cycles; longer slow beginnings are part of a rate test
FORMATION_SHARE = 3  # the main part has at least three times as many cycles
CHECK_SLOWER = 0.5  # a capacity check runs at no more than half of the usual current
CHECK_LENGTH = 3  # cycles in a row
HALF = 0.5
CUT_OFF = 0.05  # of the voltage window that the last half cycle ends away from where its kind ends
BEGUN_FULL = 0.8  # the first half cycle of a whole cycle has at least this part of its partner's charge


@dataclass(frozen=True)
class Pairs:
    """Cycles as rows of the half-cycle table; shape (C,) each, -1 where a half is missing."""

    number: np.ndarray
    charge: np.ndarray
    discharge: np.ndarray
    idle: np.ndarray  # the row of a cycle without direct current

    def pick(self, values: np.ndarray, side: str) -> np.ndarray:
        """Values of the half cycles on one side (``charge`` or ``discharge``); NaN where it is missing."""
        rows = getattr(self, side)
        return np.where(rows >= 0, values[rows], np.nan) if values.size else np.full(rows.shape, np.nan)

    @property
    def complete(self) -> np.ndarray:
        return (self.charge >= 0) & (self.discharge >= 0)

    def row(self) -> np.ndarray:
        """One half-cycle row of each cycle: the earlier of those it has."""
        rows = np.stack([self.charge, self.discharge, self.idle])
        return np.where(rows >= 0, rows, np.iinfo(np.int64).max).min(axis=0)

    def last_row(self) -> np.ndarray:
        return np.stack([self.charge, self.discharge, self.idle]).max(axis=0)


def pair(halves: HalfCycles, rule: str) -> Pairs:
    """Cycles counted from 1; a half cycle before the first whole one, which the rule leaves alone, is cycle 0."""
    first = 1.0 if rule == CHARGE_FIRST else -1.0
    rows: list[list[int]] = []
    open_segment: int | None = None
    for k, (sign, segment) in enumerate(zip(halves["sign"], halves.segment, strict=True)):
        if sign == 0:
            rows.append([-1, -1, k])
            open_segment = None
        elif sign == first or open_segment != segment:
            rows.append([k, -1, -1] if sign > 0 else [-1, k, -1])
            open_segment = segment if sign == first else None
        else:
            rows[-1][0 if sign > 0 else 1] = k
            open_segment = None
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    starts_alone = len(rows) > 1 and table[0, 0 if first > 0 else 1] < 0 and table[0, 2] < 0
    return Pairs(np.arange(len(rows)) + (0 if starts_alone else 1), table[:, 0], table[:, 1], table[:, 2])


def by_instrument(halves: HalfCycles) -> Pairs:
    """Cycles as the instrument counts them: the halves that found their way into each of its cycles, the larger of two alike."""
    charge = np.abs(halves["charge"])
    rows, numbers = [], []
    for segment in dict.fromkeys(halves.segment.tolist()):
        mine = np.flatnonzero(halves.segment == segment)
        found = [mine[halves["sign"][mine] == s] for s in (1, -1, 0)]
        rows.append([int(f[np.argmax(charge[f])]) if f.size else -1 for f in found])
        numbers.append(halves["cycle"][mine[0]])
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    return Pairs(np.array(numbers, dtype=np.int64), table[:, 0], table[:, 1], table[:, 2])


def rates(halves: HalfCycles, pairs: Pairs) -> np.ndarray:
    """|Current| in A that tells a cycle's rate: of its discharge, else of its charge; NaN where there is none."""
    current = np.abs(halves["current"])
    discharge = pairs.pick(current, "discharge")
    return np.where(np.isfinite(discharge), discharge, pairs.pick(current, "charge"))


def main_rate(rate: np.ndarray) -> float:
    """The current at which most cycles run, the earliest of equals; NaN without cycles."""
    good = rate[np.isfinite(rate)]
    if good.size == 0:
        return np.nan
    alike = [int(np.sum(np.abs(good / r - 1) < SAME_RATE)) for r in good]
    return float(good[int(np.argmax(alike))])


def formation_cycles(rate: np.ndarray) -> int:
    """How many cycles at the beginning run slower than the main part that follows; 0 where that is a rate test or too short to tell.

    Parameters
    ----------
    rate
        Shape (C,), |current| of whole cycles in order of time.
    """
    usual = main_rate(rate)
    main = np.flatnonzero(np.abs(rate / usual - 1) < SAME_RATE)
    if main.size == 0 or main[0] == 0 or main[0] > MAX_FORMATION:
        return 0
    slower = np.all(rate[: main[0]] < (1 - SAME_RATE) * usual)
    return int(main[0]) if slower and main.size >= max(5, FORMATION_SHARE * main[0]) else 0


def check_cycles(rate: np.ndarray) -> np.ndarray:
    """Cycles of a capacity check: one to three slow ones between cycles at the usual rate; shape (C,), bool."""
    usual = main_rate(rate)
    slow = rate <= CHECK_SLOWER * usual
    is_usual = np.abs(rate / usual - 1) < SAME_RATE
    check = np.zeros(rate.size, dtype=bool)
    if np.sum(is_usual) < 3:
        return check
    edges = np.flatnonzero(np.diff(np.concatenate([[False], slow, [False]]).astype(int)))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        if begin > 0 and end - begin <= CHECK_LENGTH and is_usual[:begin].any():
            check[begin:end] = True
    return check


def kinds(halves: HalfCycles, pairs: Pairs, rule: str, *, formation: int | None) -> np.ndarray:
    """What each cycle is, in words of ``schemas.KINDS``; shape (C,)."""
    kind = np.full(pairs.number.shape, "cycle", dtype="<U10")
    rate = rates(halves, pairs)
    special = _special(halves, pairs, kind)
    kind[(kind == "cycle") & _partial(halves, pairs, rule)] = "partial"
    whole = np.flatnonzero(kind == "cycle")
    check = check_cycles(rate[whole])
    begin = formation_cycles(rate[whole][~check]) if formation is None else 0
    if formation is None and begin == 0:
        check |= _before_tests(rate[whole], whole, special)
    if formation is None and _opens_a_check_block(whole, begin, special, check):
        check[:begin] = True
    kind[whole[check]] = "check"
    rest = whole[~check]
    first_numbers = pairs.number[rest[:begin]] if formation is None else pairs.number[whole][pairs.number[whole] <= formation]
    kind[np.isin(pairs.number, first_numbers) & (kind == "cycle")] = "formation"
    return kind


def _special(halves: HalfCycles, pairs: Pairs, kind: np.ndarray) -> np.ndarray:
    """Mark impedance and pulse cycles in ``kind``; returns where they are."""
    kind[is_impedance(halves.table)[pairs.row()]] = "impedance"
    blips = np.fmax(pairs.pick(halves["blips"], "charge"), pairs.pick(halves["blips"], "discharge"))
    kind[(blips >= PULSE_BLIPS) & (kind == "cycle")] = "pulse"
    return kind != "cycle"


def _partial(halves: HalfCycles, pairs: Pairs, rule: str) -> np.ndarray:
    """A half is missing or unfinished, the first cycle began with less than its partner gives, or unequal halves stand in wrong order."""
    charge, discharge = (pairs.pick(np.abs(halves["charge"]), side) for side in ("charge", "discharge"))
    leading, trailing = (charge, discharge) if rule == CHARGE_FIRST else (discharge, charge)
    against_rule = (pairs.charge > pairs.discharge) == (rule == CHARGE_FIRST)  # happens only where the instrument counts
    with np.errstate(invalid="ignore"):
        partial = ~pairs.complete | (against_rule & (np.minimum(leading, trailing) < HALF * np.maximum(leading, trailing)))
    if pairs.number.size:
        first = int(np.argmax(pairs.complete))
        partial[first] |= bool(leading[first] < BEGUN_FULL * trailing[first])
    return partial | cut_off(halves, pairs)


def voltage_window(halves: HalfCycles) -> float:
    """Highest minus lowest voltage under current, in V."""
    return float(np.nanmax(halves["v_max"]) - np.nanmin(halves["v_min"]))


def cut_off(halves: HalfCycles, pairs: Pairs) -> np.ndarray:
    """The last cycle, where the test stopped before its half cycle reached the voltage at which those before it end."""
    cut = np.zeros(pairs.number.size, dtype=bool)
    last = int(pairs.last_row()[-1])
    alike = np.flatnonzero(halves["sign"][:last] == halves["sign"][last])
    if halves["sign"][last] != 0 and alike.size:
        missing = halves["sign"][last] * (np.median(halves["v_last"][alike]) - halves["v_last"][last])
        cut[-1] = missing > CUT_OFF * voltage_window(halves)
    return cut


def _before_tests(rate: np.ndarray, whole: np.ndarray, special: np.ndarray) -> np.ndarray:
    """A slow cycle before the first pulse or impedance cycle, with a faster one between: the capacity check that opens such a block."""
    check = np.zeros(rate.size, dtype=bool)
    tests = np.flatnonzero(special)
    if tests.size == 0:
        return check
    before = np.flatnonzero(whole < tests[0])
    if 0 < before.size <= CHECK_LENGTH + 1 and rate.size > 1:
        check[before] = rate[before] <= CHECK_SLOWER * np.nanmax(rate)
    return check


def _opens_a_check_block(whole: np.ndarray, begin: int, special: np.ndarray, check: np.ndarray) -> bool:
    """Whether the slow beginning is the first of the checks that come back later, with pulses or impedance behind it."""
    if begin == 0 or not check.any():
        return False
    tests = np.flatnonzero(special)
    return bool(tests.size and begin <= CHECK_LENGTH and tests[0] <= whole[begin - 1] + CHECK_LENGTH + 2)
