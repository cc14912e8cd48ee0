"""The one table of header spellings: what instruments call the variables of a record.

Sources: exports of the instruments named, and the labels and notations of the Battery Data Format 1.2
(https://w3id.org/battery-data-alliance/ontology/battery-data-format) with its earlier ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.formats.headers import CLOCK, Unit, slug, split_header, split_suffix

# What a column can be: variables of the record, and what helps to make them.
BASES: Mapping[str, str] = {
    "time": "s",
    "step_time": "s",
    "timestamp": "s",
    "voltage": "V",
    "current": "A",
    "cycle": "1",
    "step": "1",
    "charge_capacity": "A h",
    "discharge_capacity": "A h",
    "charge_energy": "W h",
    "discharge_energy": "W h",
    "temperature": "degC",
    "capacity": "A h",  # one counter for both directions
    "energy": "W h",
    "mode": "",  # step types in words, or instrument codes
    "state": "",  # charging, discharging, resting in a word or letter
    "label": "",  # what kind of cycle it is
    "frequency": "Hz",  # of an impedance measurement
    "charge_step": "A h",  # charge passed since the row before
}

# Names in order of preference, as slugs (lower case words). "*": only with a unit; "=": only without one.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "time": (
        "test time",  # BDF, Arbin, Maccor, Landt
        "testtime",
        "total time",  # Neware, PEC
        "totaltime",
        "run time",  # Novonix
        "program duration",  # Digatron
        "prog time",
        "elapsed time",
        "test*",  # Maccor, Landt: Test (Sec)
        "测试时间",
        "总时间",
        "time",  # BioLogic, Basytec; the step time where one of the above is there too
        "time elapsed",
        "t*",
    ),
    "step_time": (
        "step time",
        "steptime",
        "step*",
        "step duration",
        "t step",
        "relative time",
        "state time",
        "step time elapsed",
        "时间",
        "time",
    ),
    "timestamp": (
        "unix time",
        "date time",
        "datetime",
        "dpt time",
        "dpttime",
        "realtime",
        "real time",
        "absolute time",
        "date and time",
        "system time",
        "timestamp",
        "date time iso string",
        "datenum",
        "日期",
        "绝对时间",
        "date",
        "time stamp",
    ),
    "voltage": (
        "voltage",
        "ecell",
        "ewe",
        "volts",
        "volt",
        "potential",
        "cell voltage",
        "u*",
        "u battery",
        "c vol",
        "v*",
        "ewe ece",
        "电压",
        "v",
        "e*",
        "u",
    ),
    "current": ("current", "i*", "amps", "amp", "cur", "cell current", "i battery", "c cur", "电流", "i"),
    "cycle": (
        "cycle count",
        "cycle index",
        "cycle number",
        "cyc",
        "cycle id",
        "cycle",
        "cycle c",
        "cyclenumber",
        "cyc count",
        "z cycle",
        "循环号",
        "循环序号",
    ),
    "step": (
        "step id",
        "step index",
        "step number",
        "ns",
        "line",
        "step count",
        "step=",
        "steps",
        "step no",
        "tool step",
        "工步号",
        "工步序号",
    ),
    "charge_capacity": (
        "charging capacity",
        "charge capacity",
        "cycle charging capacity",
        "step charging capacity",
        "chg cap",
        "chg capacity",
        "capacity chg",
        "capacitance chg",
        "q charge",
        "ah cyc charge",
        "ah charge",
        "ah ch",
        "ahcha",
        "cap chg",
        "充电容量",
    ),
    "discharge_capacity": (
        "discharging capacity",
        "discharge capacity",
        "cycle discharging capacity",
        "step discharging capacity",
        "dchg cap",
        "dchg capacity",
        "capacity dchg",
        "capacitance dchg",
        "q discharge",
        "ah cyc discharge",
        "ah discharge",
        "ah dch",
        "ahdch",
        "cap dchg",
        "放电容量",
    ),
    "charge_energy": (
        "charging energy",
        "charge energy",
        "cycle charging energy",
        "step charging energy",
        "chg energy",
        "energy chg",
        "engy chg",
        "energy charge",
        "energy we charge",
        "wh cyc charge",
        "wh charge",
        "whcha",
        "charge capacity*",  # PEC: Charge Capacity (mWh)
        "充电能量",
    ),
    "discharge_energy": (
        "discharging energy",
        "discharge energy",
        "cycle discharging energy",
        "step discharging energy",
        "dchg energy",
        "energy dchg",
        "engy dchg",
        "energy discharge",
        "energy we discharge",
        "wh cyc discharge",
        "wh discharge",
        "whdch",
        "discharge capacity*",
        "放电能量",
    ),
    "temperature": (
        "surface temperature",
        "surface temperature t1",
        "temperature t1",
        "cell temperature",
        "cell surface temperature",
        "aux temperature 1",
        "temperature cell",
        "temperature 1",
        "temperature",
        "temp",
        "temp 1",
        "t1",
        "ambient temperature",
        "温度",
    ),
    "capacity": (
        "q charge discharge",
        "capacity",
        "amp hr",
        "amphr",
        "ah step",
        "step cumulative capacity",
        "step capacity",
        "net capacity",
        "q qo",
        "ah*",
        "容量",
    ),
    "energy": ("watt hr", "watthr", "energy", "wh step", "step cumulative energy", "step energy", "net energy", "wh*"),
    "mode": ("step type", "step name", "mode", "command", "工步类型"),
    "state": ("state", "status", "md", "ox red"),
    "label": ("cycle label",),
    "charge_step": ("dq",),
    "frequency": ("freq", "frequency"),
}

# What a column of a table of cycles can be, one row a cycle.
CYCLE_BASES: Mapping[str, str] = {
    "cycle": "1",
    "charge_capacity": "A h",
    "discharge_capacity": "A h",
    "charge_energy": "W h",
    "discharge_energy": "W h",
    "coulombic_efficiency": "1",
    "energy_efficiency": "1",
    "mean_charge_voltage": "V",
    "mean_discharge_voltage": "V",
    "hysteresis": "V",
    "polarisation": "V",
    "charge_current": "A",
    "discharge_current": "A",
    "peak_charge_current": "A",
    "peak_discharge_current": "A",
    "start_time": "s",
    "duration": "s",
    "label": "",
}


def _sides(*patterns: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of a quantity of the charge and of the discharge; ``{}`` is the word for the side."""
    words = (("charge", "charging", "chg", "ch"), ("discharge", "discharging", "dchg", "dis", "dch"))
    charge, discharge = (tuple(dict.fromkeys(p.format(w) for p in patterns for w in side)) for side in words)
    return charge, discharge


_Q, _E, _V, _I = (
    _sides("{} capacity", "capacity {}", "{} cap", "cap {}", "q {}", "q{}", "{} q"),
    _sides("{} energy", "energy {}", "e {}", "{} e"),
    _sides("mean {} voltage", "average {} voltage", "avg {} voltage", "{} mean voltage", "{} average voltage", "mean voltage {}"),
    _sides("{} current", "mean {} current", "average {} current", "median {} current", "current {}", "i {}"),
)
ONE_CAPACITY = ("capacity", "cap")  # a table that gives one capacity gives that of the discharge
CYCLE_ALIASES: Mapping[str, tuple[str, ...]] = {
    "cycle": (*ALIASES["cycle"], "cycle no", "cycle nr", "cycles", "cycle num", "n cycle", "cycling number", "n"),
    "charge_capacity": (*dict.fromkeys([*_Q[0], *ALIASES["charge_capacity"]]),),
    "discharge_capacity": (*dict.fromkeys([*_Q[1], *ALIASES["discharge_capacity"]]), *ONE_CAPACITY),
    "charge_energy": (*dict.fromkeys([*_E[0], *ALIASES["charge_energy"]]),),
    "discharge_energy": (*dict.fromkeys([*_E[1], *ALIASES["discharge_energy"]]),),
    "coulombic_efficiency": (
        *("coulombic efficiency", "coulomb efficiency", "coulombic eff", "ce", "charge efficiency", "current efficiency"),
        *("chg dchg eff", "efficiency", "eff", "充放电效率", "库伦效率"),
    ),
    "energy_efficiency": ("energy efficiency", "energy eff", "ee"),
    "mean_charge_voltage": _V[0],
    "mean_discharge_voltage": _V[1],
    "hysteresis": ("hysteresis", "voltage hysteresis", "voltage gap"),
    "polarisation": ("polarisation", "polarization", "polarisation at half capacity"),
    "charge_current": _I[0],
    "discharge_current": _I[1],
    "peak_charge_current": ("peak charge current", "max charge current", "i max", "max current"),
    "peak_discharge_current": ("peak discharge current", "max discharge current", "i min", "min current"),
    "start_time": ("start time", "cycle start time", "cycle start", "tsecs start", "start", "begin time", "test time", "time"),
    "duration": ("duration", "cycle duration", "cycle time", "tsecs cycle"),
    "label": ("cycle label", "cycle kind", "cycle type", "label", "kind"),
}


@dataclass(frozen=True)
class Vocabulary:
    """What columns of one kind of table can be, and how they are called."""

    bases: Mapping[str, str]
    aliases: Mapping[str, tuple[str, ...]]


RECORD_WORDS = Vocabulary(BASES, ALIASES)
CYCLE_WORDS = Vocabulary(CYCLE_BASES, CYCLE_ALIASES)


@dataclass(frozen=True)
class Source:
    """The column that holds a variable, and its unit as the header states it (None: not stated)."""

    column: str
    unit: Unit | None = None

    @property
    def is_clock(self) -> bool:
        return self.unit is CLOCK


@dataclass(frozen=True)
class _Name:
    """One reading of a header."""

    column: str
    slug: str
    unit: Unit | None


def resolve(columns: Sequence[str], units: Sequence[str] = (), words: Vocabulary = RECORD_WORDS) -> dict[str, Source]:
    """Which column holds which variable, by the alias table; ``units`` are the cells of a row of units.

    Parameters
    ----------
    columns
        Headers as the file has them.

    Returns
    -------
    dict
        Variable (a key of ``words.bases``) → column with its unit. No column is used twice.
    """
    names = [reading for i, column in enumerate(columns) for reading in _readings(column, units[i] if i < len(units) else "")]
    by_slug: dict[str, list[_Name]] = {}
    for name in names:
        by_slug.setdefault(name.slug, []).append(name)
    found: dict[str, Source] = {}
    taken: set[str] = set()
    for target, aliases in words.aliases.items():
        source = _first(target, words.bases[target], aliases, by_slug, taken)
        if source is not None:
            found[target] = source
            taken.add(source.column)
    return found


def _readings(column: str, unit_cell: str) -> list[_Name]:
    name, unit = split_header(column.lstrip("~ "))
    if unit is None and unit_cell:
        unit = split_header(f"x ({unit_cell})")[1]
    readings = [_Name(column, slug(name), unit)]
    if unit is None:
        short, suffix = split_suffix(name)
        if suffix is not None:
            readings.append(_Name(column, slug(short), suffix))
    return readings


def _first(target: str, base: str, aliases: Sequence[str], names: Mapping[str, Sequence[_Name]], taken: set[str]) -> Source | None:
    for alias in aliases:
        for name in names.get(alias.rstrip("*="), ()):
            if name.column not in taken and _fits(target, base, alias, name.unit):
                return Source(name.column, name.unit)
    return None


def _fits(target: str, base: str, alias: str, unit: Unit | None) -> bool:
    if alias.endswith("*") and unit is None:
        return False
    if alias.endswith("="):
        return unit is None
    if unit is None:
        return True
    if target == "timestamp":
        return unit.base in ("s", "?", "clock")
    if unit is CLOCK:
        return base == "s"
    return unit.base == base or (base == "" and unit.base in ("1", "?")) or (base == "1" and unit.base == "%")


def unit_named(text: str, target: str) -> Unit | None:
    """The unit ``text`` for ``target``; None where it is none, or one of another quantity."""
    unit = split_header(f"x ({text})")[1]
    return unit if unit is not None and (unit is CLOCK or unit.base == BASES[target]) else None


def counter_named(column: str) -> str:
    """What a counter's name says that it counts, ``step`` or ``cycle``; "" where it does not say."""
    return next((scope for scope in ("step", "cycle") if slug(column).startswith(f"{scope} ")), "")
