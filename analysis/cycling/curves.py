"""Voltage against capacity of single half cycles, from the rows of the record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import xarray as xr
from numba import njit

from analysis.core.numerics.decimate import min_max
from analysis.cycling.cycles import MA_H, CycleParams, charge_of, pairs_of, unit_of
from analysis.cycling.halfcycles import columns_of, find
from analysis.cycling.runs import COULOMB, IMPEDANCE_MODE, LIMIT

LI_IN_V = 0.62  # V against Li+/Li of the In/InLi two-phase plateau (Santhosha et al., Batteries & Supercaps 2, 524 (2019))


def to_li_scale(voltage_vs_li_in: np.ndarray) -> np.ndarray:
    """Voltage against Li⁺/Li from voltage against a Li–In electrode, both in V.

    Right only while the electrode is in its two-phase region (In + InLi), where its potential is flat at 0.62 V [1]_: not for
    bare indium before its first lithiation, nor for a lithium-depleted electrode. Energies keep the measured voltage.

    References
    ----------
    .. [1] A. L. Santhosha et al., Batteries & Supercaps 2, 524 (2019), doi 10.1002/batt.201800149.
    """
    return voltage_vs_li_in + LI_IN_V


@dataclass(frozen=True)
class HalfCurve:
    """One half cycle, point by point, rests left out; shape (N,) each.

    Capacity is in mA h, or mA h/g where a mass is given, from 0 where the half cycle starts; ``current`` is its magnitude in A.
    """

    cycle: int
    direction: int  # +1 charge, -1 discharge
    capacity: np.ndarray
    voltage: np.ndarray
    current: np.ndarray


@dataclass(frozen=True)
class Curves:
    """The half cycles that were asked for, and a sentence about cycles that the record lacks."""

    halves: tuple[HalfCurve, ...]
    missing: tuple[str, ...]


def half_curves(record: xr.Dataset, cycles: tuple[int, ...], params: CycleParams) -> Curves:
    """Charge and discharge of each chosen cycle, in the order in which they ran."""
    halves = find(record, params.detection)
    pairs = pairs_of(halves, params)
    factor = unit_of(params)[0] * MA_H
    integral = np.abs(halves["charge"])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(integral > 0, charge_of(halves, params) / integral, 1.0)
    made: list[HalfCurve] = []
    for place in _places(pairs.number, cycles):
        for k in sorted(int(r) for r in (pairs.charge[place], pairs.discharge[place]) if r >= 0):
            sign = halves["sign"][k]
            charge, voltage, current = _walk(record, int(halves["first_row"][k]), int(halves["last_row"][k]), sign, halves.threshold)
            made.append(HalfCurve(int(pairs.number[place]), int(sign), charge * factor * scale[k], voltage, current))
    return Curves(tuple(made), _missing(pairs.number, cycles))


def _places(number: np.ndarray, cycles: tuple[int, ...]) -> Iterator[int]:
    for cycle in dict.fromkeys(cycles):
        yield from np.flatnonzero(number == cycle).tolist()


def _missing(number: np.ndarray, cycles: tuple[int, ...]) -> tuple[str, ...]:
    lacking = [str(c) for c in dict.fromkeys(cycles) if c not in number]
    if not lacking:
        return ()
    these = f"Cycles {', '.join(lacking)} are" if len(lacking) > 1 else f"Cycle {lacking[0]} is"
    return (f"{these} not there: cycles run from {number[0]} to {number[-1]}.",)


def _walk(record: xr.Dataset, first: int, last: int, sign: float, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Charge in A s, voltage in V and |current| in A at the rows of a half cycle that carry current."""
    before = 1 if first > 0 else 0  # the row before tells what flowed across the switch
    rows = columns_of(record, first - before, last + 1)
    charge, kept = _accumulate(rows, before, sign, threshold)
    return charge[kept], rows.voltage[kept], np.abs(rows.current[kept])


@njit(cache=True, nogil=True)
def _across(rows, k, p, sign):  # type: ignore[no-untyped-def]
    """Charge that the counter of this direction says flowed between rows ``p`` and ``k``, at most what the current allows."""
    counter = rows.charge_counter if sign > 0 else rows.discharge_counter
    if counter.size == 0 or p < 0 or not (np.isfinite(counter[p]) and np.isfinite(counter[k])):
        return 0.0
    moved = counter[k] - counter[p]
    if moved < 0.0:
        moved = counter[k] if counter[k] < 0.5 * counter[p] else 0.0
    return min(COULOMB * moved, LIMIT * abs(rows.current[k]) * max(0.0, rows.time[k] - rows.time[p]))


@njit(cache=True, nogil=True)
def _accumulate(rows, begin, sign, threshold):  # type: ignore[no-untyped-def]
    """Charge in direction ``sign`` up to each row, by the rules of ``runs.scan``, and which rows carry current."""
    n = rows.time.size
    charge = np.zeros(n)
    kept = np.zeros(n, dtype=np.bool_)
    total, previous, previous_sign = 0.0, begin - 1, 0.0
    for k in range(begin, n):
        if not (np.isfinite(rows.time[k]) and np.isfinite(rows.current[k])):
            continue
        idle = abs(rows.current[k]) <= threshold or (rows.mode.size > 0 and rows.mode[k] == IMPEDANCE_MODE)
        here = 0.0 if idle else np.sign(rows.current[k])
        if here != 0.0:
            if here == previous_sign:
                dt = max(0.0, rows.time[k] - rows.time[previous])
                before = rows.current[k] if rows.stepped else rows.current[previous]
                total += sign * 0.5 * (rows.current[k] + before) * dt
            else:
                total += sign * here * _across(rows, k, previous, here)
            kept[k] = np.isfinite(rows.voltage[k])
        charge[k] = total
        previous, previous_sign = k, here
    return charge, kept


def thinned(curve: HalfCurve, points: int | None) -> HalfCurve:
    """At most about ``points`` points, extremes of voltage kept; None keeps all."""
    if points is None or curve.capacity.size <= points:
        return curve
    kept = min_max(np.maximum.accumulate(curve.capacity), curve.voltage, points)
    return HalfCurve(curve.cycle, curve.direction, curve.capacity[kept], curve.voltage[kept], curve.current[kept])


class Half(Protocol):
    """What one half cycle brings to a table: columns of one length."""

    @property
    def capacity(self) -> np.ndarray: ...


def joined(halves: Sequence[Half], name: str) -> np.ndarray:
    """One column of all half cycles, one after the other."""
    return np.concatenate([getattr(h, name) for h in halves]) if halves else np.empty(0)


def labels(halves: Sequence[Half], name: str) -> np.ndarray:
    """Cycle or direction of each point of all half cycles; shape (P,), integer."""
    sizes = [h.capacity.size for h in halves]
    return np.repeat(np.array([getattr(h, name) for h in halves], dtype=np.int64), sizes)
