"""Several files of one test → one record."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.data import warnings_of
from analysis.core.errors import DataError
from analysis.cycling.schemas import RECORD

COUNTERS = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")
_DAY = 86400.0  # s; a wall clock that is off by less may have been set, or changed to summer time
_GAP = 3600.0  # s without data that are worth a word
_FEW_STEPS = 10.0  # a test time that starts within so many of its steps has just begun


def stitch(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """One record from the files of one test.

    Files are put in order of their start where all of them know it, else they stay as given. Test time, instrument
    cycles and counters that run over the whole test continue; rows that two files share are kept once.

    Parameters
    ----------
    parts
        Records that conform to ``cycling.record``.

    Returns
    -------
    xr.Dataset
        A record with the variables that all parts have; warnings name gaps, overlaps and dropped variables.
    """
    if not parts:
        raise DataError("There is no file to read.")
    if len(parts) == 1:
        return parts[0]
    ordered = _in_order(parts)
    names = [name for name in RECORD.variables if all(name in part for part in ordered)]
    notes: list[str] = []
    joined = [ordered[0][names]]
    for i, part in enumerate(ordered[1:], start=2):
        joined.append(_continued(joined, part[names], f"part {i}", notes))
    whole = xr.concat(joined, dim="row", data_vars="all", coords="minimal", compat="override", join="override", combine_attrs="override")
    lost = sorted({str(name) for part in ordered for name in part.data_vars} - set(names))
    if lost:
        notes.append(f"Only some of the files hold {', '.join(lost)}: left out.")
    return whole.assign_attrs(_attrs(ordered, notes, _labels(ordered, joined)))


def _labels(parts: Sequence[xr.Dataset], joined: Sequence[xr.Dataset]) -> dict[str, str]:
    """What the files call their cycles, by the numbers that these have now; what a file says first holds."""
    found: dict[str, str] = {}
    for part, made in zip(parts, joined, strict=True):
        shift = _edge(made, "cycle", -1) - _edge(part, "cycle", -1)
        for number, label in part.attrs.get("metadata", {}).get("cycle_labels", {}).items():
            if np.isfinite(shift):
                found.setdefault(str(int(number) + int(shift)), label)
    return found


def _in_order(parts: Sequence[xr.Dataset]) -> list[xr.Dataset]:
    """Parts by their first date where all have one, else as given; a test time that runs on in the given order decides first."""
    starts = [_start(part) for part in parts]
    if any(np.isnan(start) for start in starts) or all(_runs_on(a, b) for a, b in pairwise(parts)):
        return list(parts)
    return [parts[i] for i in sorted(range(len(parts)), key=lambda i: starts[i])]


def _runs_on(before: xr.Dataset, after: xr.Dataset) -> bool:
    """Whether the test time of one part goes on in the next, and their dates do not speak against it."""
    step = _edge(after, "time", 0) - _edge(before, "time", -1)
    pause = _edge(after, "timestamp", 0) - _edge(before, "timestamp", -1)
    return bool(step >= 0 and not abs(pause - step) > _DAY)


def _start(part: xr.Dataset) -> float:
    if "timestamp" in part and part.sizes["row"]:
        return _edge(part, "timestamp", 0)
    stated = str(part.attrs.get("start_time", ""))
    try:
        return float(np.datetime64(stated[:19], "s").astype("int64")) if stated else np.nan
    except ValueError:
        return np.nan


def _edge(part: xr.Dataset, name: str, row: int) -> float:
    return float(part[name][row].values) if name in part and part.sizes["row"] else np.nan


def _continued(before: list[xr.Dataset], part: xr.Dataset, label: str, notes: list[str]) -> xr.Dataset:
    """``part`` with what counts through continued after ``before``."""
    last = before[-1]
    part = _without_overlap(before, part, label, notes)
    if not part.sizes["row"]:
        return part
    out = dict[str, xr.DataArray]()
    shift = _time_shift(last, part, label, notes)
    if shift:
        out["time"] = (part["time"] + shift).assign_attrs(part["time"].attrs)
    fallen = [name for name in COUNTERS if name in part and _edge(part, name, 0) < _edge(last, name, -1)]
    if part.attrs.get("counter") == "cumulative":
        for name in fallen:
            out[name] = (part[name] + _edge(last, name, -1)).assign_attrs(part[name].attrs)
    if (shift or out) and "cycle" in part and _edge(part, "cycle", 0) < _edge(last, "cycle", -1):
        step = _edge(last, "cycle", -1) - _edge(part, "cycle", 0) + 1
        out["cycle"] = (part["cycle"] + np.int64(step)).assign_attrs(part["cycle"].attrs)
        notes.append(f"{label}: its cycles were numbered on from {int(_edge(last, 'cycle', -1))}.")
    return part.assign(out)


def _without_overlap(before: list[xr.Dataset], part: xr.Dataset, label: str, notes: list[str]) -> xr.Dataset:
    """Rows of ``part`` that the file before does not hold yet."""
    last = before[-1]
    if _edge(part, "time", 0) >= _edge(last, "time", -1):
        return part
    for clock in ("time", "timestamp"):
        if clock not in part or not _edge(part, clock, 0) <= _edge(last, clock, -1):
            continue
        rows = int((part[clock] <= _edge(last, clock, -1)).sum())
        tail, head = last.isel(row=slice(last.sizes["row"] - rows, None)), part.isel(row=slice(0, rows))
        if rows <= last.sizes["row"] and all(_equal(tail, head, name) for name in (clock, "voltage", "current")):
            notes.append(f"{label}: its first {rows} rows are the last of the file before and were taken once.")
            return part.isel(row=slice(rows, None))
    return part


def _equal(first: xr.Dataset, second: xr.Dataset, name: str) -> bool:
    return bool(np.array_equal(first[name].values, second[name].values, equal_nan=True))


def _time_shift(last: xr.Dataset, part: xr.Dataset, label: str, notes: list[str]) -> float:
    """What to add to the time of ``part`` so that it goes on after ``last``."""
    end, start = _edge(last, "time", -1), _edge(part, "time", 0)
    pause = _edge(part, "timestamp", 0) - _edge(last, "timestamp", -1)
    if np.isfinite(pause) and pause > _GAP:
        notes.append(f"{label} starts {pause / 3600:.1f} h after the end of the file before.")
    if start >= end:
        return 0.0
    if np.isfinite(pause) and pause < 0:
        notes.append(f"{label} starts {-pause:g} s before the file before it ends: other rows than these share that time.")
    few = int(_FEW_STEPS)
    steps = np.concatenate([np.diff(part["time"][:few].values), np.diff(last["time"][-few:].values)])
    usual = float(np.median(steps)) if steps.size else 0.0
    return end - start + (max(start, 0.0) if start <= max(_FEW_STEPS * usual, 1.0) else usual)


def _attrs(parts: Sequence[xr.Dataset], notes: Sequence[str], labels: dict[str, str]) -> dict[str, Any]:
    first = dict(parts[0].attrs)
    if labels:
        first["metadata"] = {**first.get("metadata", {}), "cycle_labels": labels}
    warnings = list(dict.fromkeys([sentence for part in parts for sentence in warnings_of(part)] + list(notes)))
    words = [str(part.attrs.get("convention", "")) for part in parts]
    counters = {part.attrs.get("counter") for part in parts} - {None}
    if len(counters) > 1:
        first["counter"] = "step"
    return first | {"warnings": warnings, "convention": " ".join(dict.fromkeys(w for w in words if w)), "parts": len(parts)}
