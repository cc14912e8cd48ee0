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


def resolve(columns: Sequence[str], units: Sequence[str] = ()) -> dict[str, Source]:
    """Which column holds which variable, by the alias table; ``units`` are the cells of a row of units.

    Parameters
    ----------
    columns
        Headers as the file has them.

    Returns
    -------
    dict
        Variable (a key of ``BASES``) → column with its unit. No column is used twice.
    """
    names = [reading for i, column in enumerate(columns) for reading in _readings(column, units[i] if i < len(units) else "")]
    found: dict[str, Source] = {}
    taken: set[str] = set()
    for target, aliases in ALIASES.items():
        source = _first(target, aliases, [n for n in names if n.column not in taken])
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


def _first(target: str, aliases: Sequence[str], names: Sequence[_Name]) -> Source | None:
    for alias in aliases:
        wanted = alias.rstrip("*=")
        for name in names:
            if name.slug == wanted and _fits(target, alias, name.unit):
                return Source(name.column, name.unit)
    return None


def _fits(target: str, alias: str, unit: Unit | None) -> bool:
    if alias.endswith("*") and unit is None:
        return False
    if alias.endswith("="):
        return unit is None
    if unit is None:
        return True
    if target == "timestamp":
        return unit.base in ("s", "?", "clock")
    if unit is CLOCK:
        return BASES[target] == "s"
    return unit.base == BASES[target] or (BASES[target] == "" and unit.base in ("1", "?"))


def unit_named(text: str, target: str) -> Unit | None:
    """The unit ``text`` for ``target``; None where it is none, or one of another quantity."""
    unit = split_header(f"x ({text})")[1]
    return unit if unit is not None and (unit is CLOCK or unit.base == BASES[target]) else None


def counter_named(column: str) -> str:
    """What a counter's name says that it counts, ``step`` or ``cycle``; "" where it does not say."""
    return next((scope for scope in ("step", "cycle") if slug(column).startswith(f"{scope} ")), "")
