"""Tables that give one row a cycle and no curves: what each row is, several tables of one test as one, capacities per gram.

Pure, for the reader of such tables and for the recipe that treats them like the cycles of a record.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from analysis.core.data import warn, warnings_of
from analysis.core.errors import DataError
from analysis.cycling.cycles import GRAM_MG, above_one
from analysis.cycling.labels import kinds_of
from analysis.cycling.pairing import CHARGE_FIRST, CONVENTION, HALF, check_cycles, formation_cycles

OF_TABLE = "table"  # where such a result says how its cycles and capacities came about
PER_CYCLE = ("charge_capacity", "discharge_capacity", "charge_energy", "discharge_energy")
RATIOS = ("coulombic_efficiency", "energy_efficiency")
# Columns that tell the rate of a row, the best first; peaks are extra variables of the reader.
RATES = ("discharge_current", "peak_discharge_current", "charge_current", "peak_charge_current")


def row_kinds(cycles: xr.Dataset, rule: str, *, formation: int | None = None) -> np.ndarray:
    """What each row is, in words of ``schemas.KINDS``; shape (C,).

    A label decides. Rows without one: partial where a capacity is missing, where more than twice as much comes out as went in, or
    where less than half of the usual charge went in and less than half of that came out; else by the rules for records
    (``pairing``), as far as the table gives currents. ``formation``: cycles up to this number are formation.
    """
    stated = kinds_of(_labels(cycles))
    kind = np.where(stated != "", stated, "cycle").astype("<U10")
    kind[(stated == "") & _partial(cycles, rule)] = "partial"
    whole = np.flatnonzero(kind == "cycle")
    rate = _rate(cycles)[whole]
    check = check_cycles(rate)
    begin = formation_cycles(rate[~check]) if formation is None else 0
    free = stated[whole] == ""
    kind[whole[check & free]] = "check"
    kind[whole[~check][:begin][free[~check][:begin]]] = "formation"
    if formation is not None:
        kind[kind == "formation"] = "cycle"
        kind[(kind == "cycle") & (cycles["cycle"].values <= formation)] = "formation"
    return kind


def _labels(cycles: xr.Dataset) -> np.ndarray:
    """Labels of the table; of a result without labels, the kinds that capacities alone do not tell."""
    if "label" in cycles:
        return cycles["label"].values.astype(np.str_)
    kind = cycles["kind"].values.astype(np.str_) if "kind" in cycles else np.full(cycles.sizes["cycle"], "")
    return np.where(np.isin(kind, ("check", "pulse", "impedance")), kind, "")


def _partial(cycles: xr.Dataset, rule: str) -> np.ndarray:
    charge, discharge = cycles["charge_capacity"].values, cycles["discharge_capacity"].values
    given = [values for values in (charge, discharge) if np.isfinite(values).any()]
    missing = np.any([np.isnan(values) for values in given], axis=0) if given else np.ones(charge.shape, dtype=bool)
    if len(given) < 2 or missing.all():
        return missing
    leading, trailing = (charge, discharge) if rule == CHARGE_FIRST else (discharge, charge)
    usual = np.median(leading[~missing])
    with np.errstate(invalid="ignore"):
        wrong_way = leading < HALF * trailing
        small = (trailing < HALF * leading) & (leading < HALF * usual)
    return missing | wrong_way | small


def _rate(cycles: xr.Dataset) -> np.ndarray:
    """|Current| in A of each row, NaN where the table does not tell; shape (C,)."""
    rate = np.full(cycles.sizes["cycle"], np.nan)
    for name in RATES:
        if name in cycles:
            rate = np.where(np.isfinite(rate), rate, np.abs(cycles[name].values))
    return np.where(rate > 0, rate, np.nan)


def specific(cycles: xr.Dataset, active_mass_mg: float | None) -> xr.Dataset:
    """Capacities and energies per gram, where a mass is given and the table has not divided by it already."""
    if active_mass_mg is None:
        return cycles
    scaled = {}
    for name in PER_CYCLE:
        units = str(cycles[name].attrs["units"])
        if not units.endswith("/g"):
            scaled[name] = (cycles[name] / (active_mass_mg * GRAM_MG)).assign_attrs(cycles[name].attrs, units=f"{units}/g")
    return cycles.assign(scaled)


def joined(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Tables of one test, in their order, as one: cycle numbers go on, rows that two tables share are taken once.

    Raises
    ------
    DataError
        No table, or capacities in units that do not go together.
    """
    if not parts:
        raise DataError("No table of cycles is given.", hint="Give one table, or the tables of one test in time order.")
    units = list(dict.fromkeys(str(part["discharge_capacity"].attrs["units"]) for part in parts))
    if len(units) > 1:
        raise DataError(
            f"The tables of this test give capacities in {' and in '.join(units)}.", hint="Give the active mass, or import them apart."
        )
    whole = parts[0]
    for part in parts[1:]:
        whole = _with_part(whole, part)
    return whole


def _with_part(before: xr.Dataset, part: xr.Dataset) -> xr.Dataset:
    fresh = part.isel(cycle=slice(_shared_rows(before, part), None))
    if not fresh.sizes["cycle"]:
        return warn(before, *warnings_of(part))
    last, first = int(before["cycle"].values[-1]), int(fresh["cycle"].values[0])
    if first <= last:
        fresh = fresh.assign_coords(cycle=("cycle", fresh["cycle"].values + (last + 1 - first), part["cycle"].attrs))
    if fresh["start_time"].values[0] < before["start_time"].values[-1]:
        fresh = fresh.assign(start_time=(fresh["start_time"] + _end(before)).assign_attrs(fresh["start_time"].attrs))
    names = dict.fromkeys([*before.data_vars, *fresh.data_vars])
    columns = {n: np.concatenate([_column(p, str(n)) for p in (before, fresh)]) for n in names}
    attrs = {n: (before if n in before else fresh)[n].attrs for n in names}
    made = xr.Dataset({n: ("cycle", values, attrs[n]) for n, values in columns.items()})
    number = np.concatenate([before["cycle"].values, fresh["cycle"].values])
    return warn(made.assign_coords(cycle=("cycle", number, before["cycle"].attrs)).assign_attrs(before.attrs), *warnings_of(part))


def _column(part: xr.Dataset, name: str) -> np.ndarray:
    """Values of a variable; where the table lacks it, as many unknown ones."""
    if name in part:
        return part[name].values
    return np.full(part.sizes["cycle"], "" if name == "label" else np.nan)


def _shared_rows(before: xr.Dataset, part: xr.Dataset) -> int:
    """How many rows at the beginning of ``part`` are rows at the end of ``before``, number for number."""
    number, mine = before["cycle"].values, part["cycle"].values
    count = int(np.isin(mine, number).sum())
    if not 0 < count <= number.size or not np.array_equal(number[-count:], mine[:count]):
        return 0
    tail, head = before.isel(cycle=slice(-count, None)), part.isel(cycle=slice(0, count))
    alike = all(np.array_equal(tail[n].values, head[n].values, equal_nan=True) for n in ("charge_capacity", "discharge_capacity"))
    return count if alike else 0


def _end(cycles: xr.Dataset) -> float:
    """When the last cycle ends, in s; its start where its duration is not known."""
    return float(cycles["start_time"].values[-1] + np.nan_to_num(cycles["duration"].values[-1]))


def with_rule(cycles: xr.Dataset, rule: str, *, formation: int | None) -> xr.Dataset:
    """The table under a pairing rule: efficiencies, kinds and flags."""
    stated = CONVENTION[rule]
    turned = {}
    if cycles.attrs.get("efficiency", stated) != stated:
        with np.errstate(divide="ignore"):
            turned = {n: ("cycle", 1.0 / cycles[n].values, cycles[n].attrs) for n in RATIOS}
    made = cycles.assign(turned).assign_attrs(efficiency=stated, pairing=rule, cycles_from=OF_TABLE, capacity_source=OF_TABLE)
    kind = row_kinds(made, rule, formation=formation)
    above = above_one(made["coulombic_efficiency"].values, kind)
    words = [" ".join([*old, "ce_above_one"] if high else old) for old, high in zip(_flags(made), above, strict=True)]
    return made.assign(kind=("cycle", kind, {"units": ""}), flags=("cycle", np.array(words, dtype=np.str_), {"units": ""}))


def _flags(cycles: xr.Dataset) -> list[list[str]]:
    """The flags of each row that do not depend on the rule."""
    return [[word for word in str(words).split() if word != "ce_above_one"] for words in cycles["flags"].values]
