"""Columns of a file with known meaning → a record: units, sign of the current, counters, continuous time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xarray as xr
from pydantic import Field

from analysis.core.errors import ReadError
from analysis.core.params import Options
from analysis.cycling.aliases import BASES, Source, counter_named
from analysis.cycling.clock import Clock, from_steps
from analysis.cycling.counters import CounterWatch, NetCounter, Unrolled, by_direction
from analysis.cycling.schemas import RECORD
from analysis.cycling.soundness import LIMITS
from analysis.cycling.states import coded, direction_of, mode_of
from analysis.cycling.wallclock import from_serial, to_utc
from analysis.formats.cells import Dates, dates, durations, flat, is_text, numbers, text
from analysis.formats.headers import CLOCK, Unit

WHOLE_NUMBERS = ("cycle", "step", "mode")


class CyclerOptions(Options):
    """What an export of a cycler does not say itself."""

    timezone: str = Field(
        "UTC", title="Time zone of the clock", description="Name such as Europe/Berlin; used where dates carry no offset."
    )
    day_first: bool | None = Field(None, title="Day before month in dates", description="Empty: decided by the dates themselves.")


@dataclass(frozen=True)
class Dialect:
    """How one kind of instrument writes what all of them measure."""

    instrument: str
    # "signed" (positive charges, unless steps and counters say otherwise), "stated" (without that doubt), "reversed", or
    # "unsigned" (the state tells).
    current: str = "signed"
    # One capacity for both directions: its "size" by direction, "signed" each half cycle, "net" charge; or "increments" of charge.
    single: str = "size"
    counter: str = ""  # what the counters count where the numbers leave it open
    modes: Mapping[str, int] | None = None  # instrument codes of the mode column
    states: Mapping[str, int] | None = None  # instrument codes of the state column: +1, -1, 0
    state_modes: Mapping[str, int] | None = None  # modes that the state tells
    day_first: bool | None = None
    convention: tuple[str, ...] = ()


@dataclass
class Assembler:
    """Makes the rows of one record, batch by batch, then the record."""

    name: str
    sources: Mapping[str, Source]
    dialect: Dialect
    options: CyclerOptions = field(default_factory=CyclerOptions)
    decimal: str = "."
    warnings: list[str] = field(default_factory=list)
    convention: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    start_time: str = ""  # ISO 8601, as the header states it
    rows: int = 0

    def __post_init__(self) -> None:
        self._clock = Clock(self.name)
        self._watch = CounterWatch()
        self._nets = {"capacity": NetCounter(), "energy": NetCounter()}
        self._energies = {"charge_energy": Unrolled(), "discharge_energy": Unrolled()}
        self._dropped: list[int] = []  # the first few of them
        self._n_dropped = 0
        self._signed_seen = False
        self._flipped: bool | None = None
        self._first_date = np.nan
        self._day_first: bool | None = None
        self._begun = self._epoch_of_start()
        self._step_total = (0.0, 0.0)
        self._place: np.ndarray | None = None
        self._whole = set(WHOLE_NUMBERS)
        self.convention.extend(self.dialect.convention)
        missing = [
            need
            for need in ("voltage", "current")
            if need not in self.sources and not (need == "current" and "charge_step" in self.sources)
        ]
        if not {"time", "step_time", "timestamp"} & set(self.sources):
            missing.insert(0, "time")
        if missing:
            raise ReadError(
                f"{self.name} has no column for {' or '.join(missing)}.",
                hint="Name the columns in the column mapping, or check that it is the detailed record and not a summary.",
            )

    def _epoch_of_start(self) -> float | None:
        """Seconds since 1970 of the start that the header states, where rows carry no date of their own."""
        if not self.start_time or "timestamp" in self.sources:
            return None
        self._say(f"Clock times were taken as {self.options.timezone}.")
        local = np.datetime64(self.start_time, "us").astype("int64") / 1e6
        return float(to_utc(np.array([local]), self.options.timezone)[0])

    def columns_needed(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source.column for source in self.sources.values()))

    def add(self, batch: pa.Table) -> dict[str, np.ndarray]:
        """Variables of the next rows in the units of the record, each shape (n,) float64."""
        found = {name: self._values(name, batch) for name in self.sources if BASES[name] and name in ("time", "step_time", "timestamp")}
        found |= {name: self._values(name, batch) for name in self.sources if BASES[name] and name not in found}
        direction = self._direction(batch)
        made = {name: found[name] for name in RECORD.variables if name in found}
        made["time"] = self._time(found, batch.num_rows)
        made["current"] = self._current(found, direction, made["time"])
        self._counters(made, found, direction)
        if (mode := self._mode(batch)) is not None:
            made["mode"] = mode
        self._note_labels(batch, made)
        return self._kept(made, found.get("step_time"))

    def _values(self, name: str, batch: pa.Table) -> np.ndarray:
        source = self.sources[name]
        column = batch.column(source.column)
        if name == "timestamp":
            return self._timestamps(column, source)
        if BASES[name] == "s":
            return self._seconds(name, column, source)
        unit = source.unit or Unit(BASES[name], 1.0)
        return _in_unit(numbers(column, decimal=self.decimal), unit)

    def _seconds(self, name: str, column: pa.ChunkedArray, source: Source) -> np.ndarray:
        array = flat(column)
        if pa.types.is_timestamp(array.type) or pa.types.is_date(array.type):
            return self._since_first(dates(array).seconds)
        cells = text(array) if is_text(array) else array
        clock = source.unit is CLOCK or (is_text(array) and bool(pc.any(pc.match_substring(cells, ":"), min_count=0).as_py()))
        if not clock and not pa.types.is_duration(array.type) and not pa.types.is_time(array.type):
            return _in_unit(numbers(cells, decimal=self.decimal), source.unit or Unit("s", 1.0))
        seconds = durations(cells, decimal=self.decimal)
        if name == "time" and np.isnan(seconds).all():
            return self._since_first(self._dates(cells).seconds)
        return seconds

    def _dates(self, cells: pa.Array) -> Dates:
        """Dates in the order of day and month that the first batch had."""
        order = self.options.day_first if self.options.day_first is not None else self.dialect.day_first
        read = dates(cells, day_first=order if order is not None else self._day_first)
        if read.ambiguous:
            self._say("Dates were read as month/day/year; the option 'day_first' reads them the other way.")
        if self._day_first is None:
            self._day_first = read.day_first
        return read

    def _since_first(self, seconds: np.ndarray) -> np.ndarray:
        if np.isnan(self._first_date) and np.isfinite(seconds).any():
            self._first_date = float(seconds[np.isfinite(seconds)][0])
        return seconds - self._first_date

    def _timestamps(self, column: pa.ChunkedArray, source: Source) -> np.ndarray:
        array = flat(column)
        if not is_text(array) and not pa.types.is_timestamp(array.type) and not pa.types.is_date(array.type):
            return from_serial(numbers(array), source.unit)
        cells = text(array) if is_text(array) else array
        # Where every cell shows a clock none is a serial number.
        clocked = is_text(array) and bool(pc.all(pc.match_substring(cells, ":"), min_count=0).as_py())
        if is_text(array) and not clocked and np.isfinite(serial := numbers(cells, decimal=self.decimal)).any():
            return from_serial(serial, source.unit)
        read = self._dates(cells)
        if self.start_time.endswith("T00:00:00") or not self.start_time:
            first = read.seconds[np.isfinite(read.seconds)][:1]
            stated = "".join(str(np.datetime64(int(second), "s")) + ("+00:00" if read.zoned else "") for second in first)
            self.start_time = stated or self.start_time
        if read.zoned:
            return read.seconds
        self._say(f"Clock times were taken as {self.options.timezone}.")
        return to_utc(read.seconds, self.options.timezone)

    def _direction(self, batch: pa.Table) -> np.ndarray | None:
        """+1, -1 or 0 a row, where the file has a column that tells; None otherwise."""
        if "state" in self.sources and self.dialect.states is not None:
            return coded(batch.column(self.sources["state"].column), self.dialect.states)
        for name in ("mode", "state"):
            if name in self.sources and self.dialect.modes is None:
                told = coded(batch.column(self.sources[name].column), None, direction_of)
                if told.any():
                    return told
        return None

    def _time(self, found: Mapping[str, np.ndarray], count: int) -> np.ndarray:
        if "time" in found and np.isfinite(found["time"]).any():
            return found["time"]
        if "step_time" in found:
            self._say("The file has no test time: it is the sum of the step times.")
            return self._from_steps(found)
        if "timestamp" in found:
            self._say("The file has no test time: it is the time since the first date.")
            return self._since_first(found["timestamp"])
        return np.full(count, np.nan)

    def _from_steps(self, found: Mapping[str, np.ndarray]) -> np.ndarray:
        """Test time as the sum of step times."""
        given = found["step_time"]
        if not given.size:
            return given
        known = np.maximum.accumulate(np.where(np.isfinite(given), np.arange(given.size), -1))
        given = np.where(known >= 0, given[known], self._step_total[0])
        place = np.stack([found.get(name, np.zeros(given.size)) for name in ("cycle", "step")])
        before = place[:, :1] if self._place is None else self._place
        made = from_steps(given, (np.diff(place, prepend=before) != 0).any(axis=0), *self._step_total)
        self._step_total, self._place = (float(given[-1]), float(made[-1])), place[:, -1:]
        return made

    def _current(self, found: Mapping[str, np.ndarray], direction: np.ndarray | None, time: np.ndarray) -> np.ndarray:
        if "current" not in found:
            self._say("The file has no current: it is the charge passed since the row before over the time.")
            step = np.diff(time, prepend=time[:1])
            return np.where(step > 0, found["charge_step"] * 3600.0 / np.where(step > 0, step, 1.0), 0.0)
        current = found["current"]
        if self.dialect.current == "reversed":
            return -current + 0.0
        if self.dialect.current == "unsigned":
            if direction is None:
                raise ReadError(
                    f"{self.name} gives the current without a sign and no state to tell charge from discharge.",
                    hint="Export the state column too.",
                )
            self._signed_seen = self._signed_seen or bool((current[direction < 0] < 0).any())
            if not self._signed_seen:
                self._say("The current carries no sign: discharging states were made negative.")
                return np.where(direction < 0, -current, current)
            return current
        if self.dialect.current == "stated":
            return current
        return -current + 0.0 if self._is_flipped(current, found, direction) else current

    def _is_flipped(self, current: np.ndarray, found: Mapping[str, np.ndarray], direction: np.ndarray | None) -> bool:
        """Whether the file's own states or counters say that its positive current discharges."""
        if self._flipped is None:
            if direction is None and {"charge_capacity", "discharge_capacity"} <= found.keys():
                rise = {
                    name: np.maximum(np.diff(np.nan_to_num(found[name]), prepend=np.inf), 0.0)
                    for name in ("charge_capacity", "discharge_capacity")
                }
                direction = np.sign(rise["charge_capacity"] - rise["discharge_capacity"])
            if direction is None or not (votes := np.nan_to_num(np.sign(current)) * direction).any():
                return False
            self._flipped = bool(votes.sum() < -0.5 * np.abs(votes).sum())
            if self._flipped:
                self._say("The steps and counters of the file say that its positive current discharges: the sign was turned.")
        return self._flipped

    def _counters(self, made: dict[str, np.ndarray], found: Mapping[str, np.ndarray], direction: np.ndarray | None) -> None:
        if self.dialect.single == "increments" and "charge_step" in found:
            self._say("The counters are the file's charge increments, summed by sign over the file.")
            made["charge_capacity"], made["discharge_capacity"] = self._nets["capacity"].add_steps(found["charge_step"])
            made.update({name: counter.add(found[name]) for name, counter in self._energies.items() if name in found})
        told = direction if direction is not None else np.sign(np.nan_to_num(made["current"]))
        for single, kind in (("capacity", "capacity"), ("energy", "energy")):
            names = (f"charge_{kind}", f"discharge_{kind}")
            if single not in found or any(name in made for name in names):
                continue
            if self.dialect.single == "net":
                pair = self._nets[single].add(found[single])
            elif self.dialect.single == "signed":
                pair = np.maximum(found[single], 0.0), np.maximum(-found[single], 0.0)
            else:
                pair = by_direction(found[single], told)
            made.update(zip(names, pair, strict=True))
        for names in (("charge_capacity", "discharge_capacity"), ("charge_energy", "discharge_energy")):
            if all(name in made for name in names):
                continue
            for name in names:
                made.pop(name, None)
        if "charge_capacity" in made:
            self._watch.add(made["charge_capacity"], made["discharge_capacity"], made.get("cycle"))

    def _mode(self, batch: pa.Table) -> np.ndarray | None:
        made = None
        if "mode" in self.sources:
            made = coded(batch.column(self.sources["mode"].column), self.dialect.modes, mode_of)
        elif "state" in self.sources and self.dialect.state_modes is not None:
            made = coded(batch.column(self.sources["state"].column), self.dialect.state_modes)
        if "label" in self.sources:
            label = coded(batch.column(self.sources["label"].column), None, mode_of)
            made = label if made is None else np.where(np.isin(label, (4, 5)), label, made)
        if "frequency" in self.sources:
            sweeps = np.nan_to_num(self._values("frequency", batch)) > 0
            made = np.where(sweeps, 4.0, 0.0 if made is None else made) if made is not None or sweeps.any() else np.zeros(sweeps.size)
        return made

    def _note_labels(self, batch: pa.Table, made: Mapping[str, np.ndarray]) -> None:
        """Remember what the file calls its cycles."""
        if "label" not in self.sources or "cycle" not in made:
            return
        cycle = made["cycle"]
        cells = pc.fill_null(text(batch.column(self.sources["label"].column)), "").dictionary_encode()
        codes = cells.indices.to_numpy(zero_copy_only=False)
        for row in np.flatnonzero((np.diff(cycle, prepend=np.nan) != 0) | (np.diff(codes, prepend=-1) != 0)):
            label = cells[int(row)].as_py()
            if label and np.isfinite(cycle[row]):
                self.labels.setdefault(str(int(cycle[row])), label)

    def _kept(self, made: dict[str, np.ndarray], step_time: np.ndarray | None) -> dict[str, np.ndarray]:
        """Rows with a time and a measured value; the time made continuous."""
        good = np.isfinite(made["time"]) & (np.isfinite(made["voltage"]) | np.isfinite(made["current"]))
        for name in made.keys() & LIMITS.keys():
            good &= ~(np.abs(made[name]) > LIMITS[name])
        if not good.all():
            self._n_dropped += int((~good).sum())
            self._dropped.extend((np.flatnonzero(~good)[:5] + self.rows + 1).tolist())
            made = {name: values[good] for name, values in made.items()}
            step_time = step_time[good] if step_time is not None else None
        self.rows += good.size
        made["time"] = self._clock.add(made["time"], step_time)
        if self._begun is not None and "timestamp" not in made:
            made["timestamp"] = self._begun + made["time"]
        for name in tuple(self._whole & made.keys()):
            if not (np.isfinite(made[name]).all() and (made[name] == np.floor(made[name])).all()):
                self._whole.discard(name)
        return made

    def _say(self, what: str) -> None:
        if what not in self.convention:
            self.convention.append(what)

    def finish(self, columns: Mapping[str, Any], *, channel: str = "", metadata: Mapping[str, Any] | None = None) -> xr.Dataset:
        """The record of all rows; ``columns`` are those of ``add``, joined (arrays of NumPy or dask)."""
        if not columns or not columns["time"].size:
            raise ReadError(
                f"{self.name} has column names but no rows of data.", hint="Export it again, or choose the file that holds the record."
            )
        for need in ("voltage", "current"):
            if not bool((np.isfinite(columns[need])).any()):
                raise ReadError(
                    f"{self.name}: the column '{self._column(need)}' for the {need} holds no numbers.", hint="Check the column mapping."
                )
        made: dict[str, Any] = {}
        for name in RECORD.variables:
            if name not in columns:
                continue
            values = columns[name].astype(np.int64) if name in self._whole else columns[name]
            units = "degC" if name == "temperature" else BASES[name] or "1"
            made[name] = ("row", values, {"units": units})
        return RECORD.conform(xr.Dataset(made, attrs=self._attrs(channel, dict(metadata or {}), "charge_capacity" in made)))

    def _column(self, name: str) -> str:
        return self.sources[name].column if name in self.sources else name

    def _attrs(self, channel: str, metadata: dict[str, Any], has_counter: bool) -> dict[str, Any]:
        dropped = self._n_dropped
        warnings = list(self.warnings)
        if dropped:
            shown = ", ".join(map(str, self._dropped[:5])) + (", …" if dropped > 5 else "")
            warnings.append(f"{self.name}: {dropped} rows ({shown}) without a time or a possible value were left out.")
        if self.labels:
            metadata["cycle_labels"] = self.labels
        attrs: dict[str, Any] = {
            "instrument": self.dialect.instrument,
            "channel": channel,
            "start_time": self.start_time,
            "warnings": [*warnings, *self._clock.warnings],
            "metadata": metadata,
            "convention": " ".join(self.convention),
        }
        if has_counter:
            attrs["counter"] = self._watch.kind(self.dialect.counter or counter_named(self._column("charge_capacity")))
        return attrs


def _in_unit(values: np.ndarray, unit: Unit) -> np.ndarray:
    if unit.factor == 1.0 and not unit.offset:
        return values
    return values * unit.factor + unit.offset
