"""Reader of tables that give one row a cycle: what is left of a test when only its summary is kept.

Text (any delimiter, encoding and decimal sign) and spreadsheets. Recognised by content: a column of cycle numbers that increase row by row,
charge or discharge capacity, and no voltage and current of a record. Names by ``aliases.CYCLE_ALIASES``. Capacities and energies
may be per gram (``mAh/g``, ``mAh g-1``, or called *specific*); where a table gives both, the plain ones are taken, because the active
mass of the catalog applies to them. Seen: summaries of the Battery Data Toolkit (NREL: ``Q_chg``, ``Q_dis``, ``CE``, no units), this
program's own exports, tables that people write by hand.

Counters that run over the whole test (statistics by cycle of some cyclers) are taken apart. A zero capacity is a half cycle that did
not take place and is kept as unknown. Mean voltages follow from energy over capacity where the table has none; hysteresis is their
difference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import xarray as xr
from pydantic import Field

from analysis.core.data import table
from analysis.core.errors import ReadError
from analysis.core.params import Options
from analysis.core.registry import Probe, Reader
from analysis.cycling.aliases import CYCLE_BASES, CYCLE_WORDS, ONE_CAPACITY, Source, resolve
from analysis.cycling.gather import seen
from analysis.cycling.pairing import CHARGE_FIRST, CONVENTION, DISCHARGE_FIRST
from analysis.cycling.read_tables import is_excel, is_record_workbook
from analysis.cycling.schemas import CYCLES
from analysis.cycling.soundness import LIMITS
from analysis.cycling.tabled import PER_CYCLE, RATIOS, joined, row_kinds
from analysis.formats import excel
from analysis.formats.cells import dates, durations
from analysis.formats.delimited import Layout, detect, to_table
from analysis.formats.delimited_body import read_table
from analysis.formats.headers import CLOCK, Unit, slug, split_header, split_suffix
from analysis.formats.table import Table

SURE = 0.5  # by its shape, above any table and below every instrument's own mark
SMALL_BYTES = 4 << 20  # larger workbooks are records; looking into them takes long
SHORTEST_TOTAL, TOTAL_RISE, TOTAL_SHARE = 4, 0.2, 0.8  # rows; of the first value; of the rows
CE_MARGIN = 5e-3  # a table may round its efficiency to whole percents
EXTRA = {"peak_charge_current": "A", "peak_discharge_current": "A"}
_PER_GRAM = re.compile(r"(?<=[AWaw]) ?\.?([Hh])r?(?: ?/ ?g| g ?(?:\^?-1|⁻¹))(?![a-z])")
_SPECIFIC = re.compile(r"\b(?:specific|spec|gravimetric)\b\.?[ _]*", re.IGNORECASE)


class CycleTableOptions(Options):
    """How a table with one row a cycle is read."""

    headers: dict[str, str] = Field(default_factory=dict, title="Headers", description="Variable of the table of cycles → its column.")
    capacity_unit: Literal["", "A h", "mA h", "mA h/g"] = Field("", title="Unit of capacities", description="Where the headers do not say.")
    energy_unit: Literal["", "W h", "mW h", "mW h/g"] = Field("", title="Unit of energies", description="Where the headers do not say.")
    sheet: str = Field("", title="Sheet", description="Empty: the first that holds a table of cycles.")
    delimiter: str = Field("", title="Delimiter", max_length=1)
    decimal: Literal["", ".", ","] = Field("", title="Decimal sign")
    skip_rows: int | None = Field(None, ge=0, title="Lines above the header")


@dataclass(frozen=True)
class Columns:
    """Which column of a table holds which variable, and whether capacities and energies are per gram."""

    sources: dict[str, Source]
    per_gram: bool = False

    @property
    def is_cycles(self) -> bool:
        return "cycle" in self.sources and bool({"charge_capacity", "discharge_capacity"} & self.sources.keys())


def columns_of(headers: Sequence[str], units: Sequence[str] = ()) -> Columns:
    """Meaning of the columns of a table of cycles, by the alias table."""
    cells = [*units, *[""] * len(headers)]
    plain: dict[str, tuple[str, str]] = {}
    specific: dict[str, tuple[str, str]] = {}
    for header, unit in zip(headers, cells, strict=False):
        cleaned, is_specific = _without_gram(header, unit)
        (specific if is_specific else plain).setdefault(cleaned, (header, _PER_GRAM.sub(r"\1", unit)))
    found = {True: _resolved(specific), False: _resolved(plain)}
    plain_q, gram_q = ({n: s for n, s in found[side].items() if n.endswith("_capacity")} for side in (False, True))
    # A capacity without a unit beside one per gram is per gram too.
    loosely = bool(gram_q) and plain_q.keys() != gram_q.keys() and not _stated(plain_q)
    per_gram = len(gram_q) > len(plain_q) or loosely
    loose = {n: s for n, s in found[False].items() if per_gram and s.unit is None}
    kept = {n: s for n, s in {**loose, **found[per_gram]}.items() if n in PER_CYCLE}
    return Columns({**{n: s for n, s in found[False].items() if n not in PER_CYCLE}, **kept}, per_gram)


def _without_gram(header: str, unit: str) -> tuple[str, bool]:
    """The header as it would be of the whole cell, and whether it speaks of a gram."""
    cleaned = _SPECIFIC.sub("", _PER_GRAM.sub(r"\1", header))
    return cleaned, cleaned != header or bool(_PER_GRAM.search(unit))


def _resolved(columns: dict[str, tuple[str, str]]) -> dict[str, Source]:
    found = resolve(list(columns), [unit for _, unit in columns.values()], CYCLE_WORDS)
    return {name: Source(columns[source.column][0], source.unit) for name, source in found.items()}


def _stated(sources: dict[str, Source]) -> bool:
    """Whether any of these columns says its unit."""
    return any(source.unit is not None for source in sources.values())


def is_cycle_table(layout: Layout) -> bool:
    """Whether a table has the columns of one with a row a cycle, and its first rows are of one cycle each."""
    columns = columns_of(layout.columns, layout.units)
    if not columns.is_cycles or {"voltage", "current"} <= resolve(layout.columns, layout.units).keys():
        return False
    place = layout.columns.index(columns.sources["cycle"].column)
    numbers = [_number(row[place]) for row in layout.sample if place < len(row) and row[place]]
    known = [number for number in numbers if np.isfinite(number)]  # a row of means may follow
    return len(known) > 0 and all(a < b for a, b in pairwise(known))


def _number(cell: str) -> float:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return np.nan


def _sniff(probe: Probe) -> float:
    if is_excel(probe):
        small = probe.size <= SMALL_BYTES and not is_record_workbook(probe)
        return SURE if small and _holds_cycles(probe.path, probe.path.stat().st_mtime_ns, probe.size) else 0.0
    layout = _layout(probe)
    return SURE if layout is not None and is_cycle_table(layout) else 0.0


def _layout(probe: Probe) -> Layout | None:
    if probe.head.isascii():
        return seen(probe)
    try:
        return detect(probe.path)  # which tells encodings apart
    except ReadError:
        return None


@lru_cache(maxsize=8)
def _holds_cycles(path: Path, _modified: int, _size: int) -> bool:
    try:
        return any(is_cycle_table(sheet.layout) for sheet in excel.read_sheets(path))
    except ReadError:
        return False


def read(paths: tuple[Path, ...], options: CycleTableOptions) -> xr.Dataset:
    """The table of cycles of one test; several tables are put together in their order."""
    return joined([_read_one(path, options) for path in paths])


def _read_one(path: Path, options: CycleTableOptions) -> xr.Dataset:
    with open(path, "rb") as raw:
        mark = raw.read(8)
    if mark.startswith(b"PK") or mark == excel.OLE_MARK:
        layout, whole = _of_workbook(path, options)
    else:
        layout = detect(path, delimiter=options.delimiter, decimal=options.decimal, skip_rows=options.skip_rows)
        whole = read_table(path, layout)
    return _Maker(path.name, whole, _named(layout, options, path.name), options, list(whole.warnings)).made()


def _of_workbook(path: Path, options: CycleTableOptions) -> tuple[Layout, Table]:
    sheets = excel.read_sheets(path, [options.sheet] if options.sheet else None)
    if not sheets:
        raise ReadError(f"{path.name} holds no table of numbers.", hint="It needs a line of column names and rows below it.")
    sheet = next((s for s in sheets if is_cycle_table(s.layout)), sheets[0])
    return sheet.layout, to_table([excel.columns_of(sheet, sheet.layout.columns)], sheet.layout)


def _named(layout: Layout, options: CycleTableOptions, name: str) -> Columns:
    """Columns as the options name them, by the alias table where they leave them open."""
    columns = columns_of(layout.columns, layout.units)
    by_slug = {slug(column): column for column in layout.columns}
    for target, wanted in options.headers.items():
        column = wanted if wanted in layout.columns else by_slug.get(slug(wanted))
        if target not in CYCLE_BASES:
            raise ReadError(f"'{target}' is no variable of a table of cycles.", hint=f"Known: {', '.join(CYCLE_BASES)}.")
        if column is None:
            raise ReadError(f"{name} has no column '{wanted}'.", hint=f"It has: {', '.join(layout.columns[:20])}.")
        unit = split_header(_without_gram(column, "")[0])[1] or split_suffix(column)[1]
        columns.sources[target] = Source(column, unit if unit is not None and unit.base == CYCLE_BASES[target] else None)
    if not columns.is_cycles:
        raise ReadError(
            f"{name} is no table of cycles: it has no column for {_lacking(columns)}.",
            hint="Name the columns with the option 'headers', or choose the reader of records.",
        )
    return columns


def _lacking(columns: Columns) -> str:
    return "the cycle number" if "cycle" not in columns.sources else "charge or discharge capacity"


def is_running_total(values: np.ndarray) -> bool:
    """Whether a column never falls and rises by a good part of its first value nearly every time, as no capacity does."""
    if values.size < SHORTEST_TOTAL or not np.isfinite(values).all():
        return False
    rise = np.diff(values)
    return bool((rise >= 0).all() and np.mean(rise > TOTAL_RISE * values[0]) > TOTAL_SHARE)


@dataclass
class _Maker:
    """Columns of a table with known meaning → ``cycling.cycles``."""

    name: str
    whole: Table
    columns: Columns
    options: CycleTableOptions
    warnings: list[str]
    convention: list[str] = field(default_factory=list)
    per_gram: set[str] = field(default_factory=set)

    def made(self) -> xr.Dataset:
        sources = self.columns.sources
        number, kept = self._cycle_numbers()
        values = {n: self._values(n)[kept] for n in CYCLE_BASES if n in sources and n not in ("cycle", "label")}
        if "discharge_capacity" in sources and slug(split_header(self._header("discharge_capacity"))[0]) in ONE_CAPACITY:
            self.convention.append(f"The column '{self._header('discharge_capacity')}' was taken as that of the discharge.")
        blank = np.full(number.size, np.nan)
        filled = {n: values.get(n, blank) for n in CYCLES.variables if n not in ("cycle", "kind", "flags", "label", "polarisation")}
        self._take_apart(filled)
        stated = self._efficiencies(filled)
        self._voltages(filled)
        columns = {"cycle": (number, "1"), **{n: (v, self._unit(n)) for n, v in filled.items()}}
        columns |= {n: (values[n], "V" if n == "polarisation" else EXTRA[n]) for n in ("polarisation", *EXTRA) if n in values}
        if "label" in sources:
            columns["label"] = (self._labels()[kept], "")
        empty = np.full(number.size, "", dtype="<U10")
        made = table({**columns, "kind": (empty, ""), "flags": (empty, "")}, dim="cycle", attrs=self._attrs(stated, number.size))
        return made.assign(kind=("cycle", row_kinds(made, CHARGE_FIRST), {"units": ""}))

    def _attrs(self, stated: str, rows: int) -> dict[str, object]:
        known = {"instrument": "", "channel": "", "start_time": "", "metadata": {}, "rows": rows, "efficiency": stated}
        return {**known, "warnings": self.warnings, "convention": " ".join(self.convention)}

    def _numbers(self, name: str) -> np.ndarray:
        column = self.whole.columns[self.columns.sources[name].column]
        if column.dtype.kind != "f":
            if name not in ("start_time", "duration"):
                raise ReadError(
                    f"{self.name}: the column '{self._header(name)}' holds no numbers.", hint="Check decimal sign and delimiter."
                )
            return self._clock(name, column)
        return np.where(np.isfinite(column), column, np.nan)

    def _clock(self, name: str, column: np.ndarray) -> np.ndarray:
        """Seconds of cells such as 1:30:00, or since the first of dates."""
        cells = pa.array(["" if c is None else str(c) for c in column], pa.string())
        seconds = durations(cells)
        if np.isfinite(seconds).any() or name == "duration":
            return seconds
        read = dates(cells).seconds
        return read - read[np.isfinite(read)][0] if np.isfinite(read).any() else read

    def _header(self, name: str) -> str:
        return self.columns.sources[name].column

    def _cycle_numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Cycle numbers that increase, and which rows of the table have one."""
        given = self._numbers("cycle")
        kept = np.isfinite(given)
        number = given[kept]
        if not number.size:
            raise ReadError(f"{self.name} has no row with a cycle number.", hint=f"The column '{self._header('cycle')}' should hold them.")
        if not (number == np.floor(number)).all() or number.min() < 0 or number.max() > 1e9:
            raise ReadError(
                f"{self.name}: the column '{self._header('cycle')}' does not hold whole cycle numbers.", hint="Is it a table of cycles?"
            )
        if (~kept).any():
            self.warnings.append(f"{self.name}: {(~kept).sum()} rows without a cycle number were left out.")
        counted = number.astype(np.int64)
        back = np.diff(counted)
        if (back == 0).any():
            raise ReadError(f"{self.name} has several rows for one cycle.", hint="Is it the record? Choose its reader.")
        if (back < 0).any():
            row = int(np.argmax(back < 0))
            self.warnings.append(f"{self.name}: cycle numbers start again after cycle {counted[row]} and were counted on.")
            counted[1:] += np.cumsum(np.where(back < 0, 1 - back, 0))
        return counted, kept

    def _values(self, name: str) -> np.ndarray:
        values, unit = self._numbers(name), self.columns.sources[name].unit
        if name in PER_CYCLE:
            return self._capacity(name, values, unit)
        if name in RATIOS:
            return self._ratio(values, unit)
        return values if unit is None or unit is CLOCK else values * unit.factor

    def _capacity(self, name: str, values: np.ndarray, unit: Unit | None) -> np.ndarray:
        """Positive numbers in mA h or mW h, or per gram; zero is a half cycle that did not take place."""
        chosen = self.options.capacity_unit if name.endswith("capacity") else self.options.energy_unit
        per_gram = self.columns.per_gram
        factor = 1e3
        if unit is not None:
            factor *= unit.factor
        elif chosen:
            factor, per_gram = 1.0 if chosen.startswith("m") else 1e3, per_gram or chosen.endswith("/g")
        elif per_gram:
            factor = 1.0
            self._assumed(name, "mA h/g" if name.endswith("capacity") else "mW h/g")
        else:
            self._assumed(name, CYCLE_BASES[name])
        if per_gram:
            self.per_gram.add(name)
        with np.errstate(over="ignore"):
            size = np.abs(values) * factor
        damaged = size > 1e3 * LIMITS[name]
        if damaged.any():
            self.warnings.append(f"{self.name}: {damaged.sum()} values of '{self._header(name)}' cannot be true and are taken as unknown.")
        return np.where((size > 0) & ~damaged, size, np.nan)

    def _take_apart(self, columns: dict[str, np.ndarray]) -> None:
        """Counters that run over the whole test, as some cyclers' statistics give them, become what each cycle added."""
        running = [n for n in PER_CYCLE if is_running_total(columns[n])]
        for name in running:
            columns[name] = np.diff(columns[name], prepend=0.0)
            columns[name][columns[name] == 0.0] = np.nan
        if running:
            self.warnings.append(f"{self.name}: '{self._header(running[0])}' is a total over the test; its rise in each cycle was taken.")

    def _assumed(self, name: str, unit: str) -> None:
        """Say which unit was assumed, once for capacities and once for energies."""
        what = "capacity" if name.endswith("capacity") else "energy"
        start = f"{self.name}: no unit is stated for {what}"
        if not any(w.startswith(start) for w in self.warnings):
            self.warnings.append(f"{start}, which was taken in {unit}; the option '{what}_unit' reads it otherwise.")

    @staticmethod
    def _ratio(values: np.ndarray, unit: Unit | None) -> np.ndarray:
        known = values[np.isfinite(values)]
        percent = unit.base == "%" if unit is not None else bool(known.size and np.median(known) > 3)
        return values / 100.0 if percent else values

    def _efficiencies(self, columns: dict[str, np.ndarray]) -> str:
        """Fill in efficiencies that the table lacks; returns the convention that its own follow."""
        stated = CONVENTION[CHARGE_FIRST]
        for name, (charge, discharge) in zip(RATIOS, (PER_CYCLE[:2], PER_CYCLE[2:]), strict=True):
            with np.errstate(divide="ignore", invalid="ignore"):
                made = columns[discharge] / columns[charge]
            if name == RATIOS[0]:
                stated = self._convention_of(columns[name], made)
            if stated == CONVENTION[DISCHARGE_FIRST]:
                made = 1.0 / made
            if name == RATIOS[0]:
                self._check(columns[name], made)
            columns[name] = np.where(np.isfinite(columns[name]), columns[name], made)
        return stated

    @staticmethod
    def _convention_of(given: np.ndarray, made: np.ndarray) -> str:
        both = np.isfinite(given) & np.isfinite(made)
        with np.errstate(divide="ignore"):
            turned = np.abs(given - 1.0 / made)[both]
        if both.any() and np.median(turned) < 0.1 * np.median(np.abs(given - made)[both]):
            return CONVENTION[DISCHARGE_FIRST]
        return CONVENTION[CHARGE_FIRST]

    def _check(self, given: np.ndarray, made: np.ndarray) -> None:
        """Whether the table's efficiency is that of its capacities."""
        off = np.flatnonzero(np.abs(given - made) > CE_MARGIN * np.maximum(1.0, np.abs(made)))
        if off.size:
            self.warnings.append(
                f"{self.name}: in {off.size} rows, first row {off[0] + 1}, the efficiency is not that of its capacities; it was kept."
            )

    def _voltages(self, columns: dict[str, np.ndarray]) -> None:
        for side in ("charge", "discharge"):
            capacity, energy = f"{side}_capacity", f"{side}_energy"
            if (capacity in self.per_gram) == (energy in self.per_gram):
                known = columns[f"mean_{side}_voltage"]
                with np.errstate(divide="ignore", invalid="ignore"):
                    columns[f"mean_{side}_voltage"] = np.where(np.isfinite(known), known, columns[energy] / columns[capacity])
        gap = columns["mean_charge_voltage"] - columns["mean_discharge_voltage"]
        columns["hysteresis"] = np.where(np.isfinite(columns["hysteresis"]), columns["hysteresis"], gap)

    def _unit(self, name: str) -> str:
        if name in PER_CYCLE:
            both = {f"charge_{name.rpartition('_')[2]}", f"discharge_{name.rpartition('_')[2]}"}
            base = "mA h" if name.endswith("capacity") else "mW h"
            return f"{base}/g" if both & self.per_gram or (not both & self.columns.sources.keys() and self.columns.per_gram) else base
        if name in RATIOS:
            return "1"
        return str(CYCLES.variables[name].units)

    def _labels(self) -> np.ndarray:
        cells = self.whole.columns[self._header("label")]
        if cells.dtype.kind == "f":
            return np.full(cells.shape, "", dtype=np.str_)
        return np.array(["" if c is None else str(c).strip() for c in cells], dtype=np.str_)


READERS: tuple[Reader, ...] = (
    Reader(
        "cycling.cycle_table",
        "Table of cycles (CSV, Excel)",
        CYCLES,
        (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods"),
        _sniff,
        read,
        CycleTableOptions,
    ),
)
