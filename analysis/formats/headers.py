"""Column headers as instruments write them, split into a name and a unit.

Seen: ``Voltage(V)``, ``Voltage [V]``, ``Ecell/V``, ``Test Time / s``, ``Voltage#V``, ``test_time_second``, ``current_A``,
``Capacity. Chg(mAh)``, ``Energy charge/W.h``, ``Temperature/°C`` (also with the degree sign lost to a wrong encoding).
"""

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Unit:
    """A unit as a multiple of the unit its quantity is kept in: ``value * factor + offset``."""

    base: str
    factor: float
    offset: float = 0.0


_TIME = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_WORDS = {
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "millisecond": "ms",
    "milliseconds": "ms",
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "decimal hours": "h",
    "day": "d",
    "days": "d",
    "volt": "V",
    "volts": "V",
    "millivolt": "mV",
    "ampere": "A",
    "amp": "A",
    "amps": "A",
    "milliampere": "mA",
    "watt": "W",
    "ohms": "Ohm",
    "ampere hour": "Ah",
    "watt hour": "Wh",
    "celsius": "degC",
    "kelvin": "K",
    "dimensionless": "1",
    "pascal": "Pa",
}
_PREFIX = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3}


def _table() -> dict[str, Unit]:
    units = {name: Unit("s", factor) for name, factor in _TIME.items()}
    for prefix, factor in _PREFIX.items():
        for base, spelling in (("V", "V"), ("A", "A"), ("W", "W"), ("A h", "Ah"), ("W h", "Wh"), ("Ohm", "Ohm"), ("Pa", "Pa")):
            units[prefix + spelling] = Unit(base, factor)
        units[prefix + "As"] = Unit("A h", factor / 3600.0)
        units[prefix + "Ws"] = Unit("W h", factor / 3600.0)
    units |= {"degC": Unit("degC", 1.0), "K": Unit("degC", 1.0, -273.15), "1": Unit("1", 1.0), "%": Unit("%", 1.0)}
    units |= {"C": units["degC"], "Hz": Unit("Hz", 1.0), "mOhm": Unit("Ohm", 1e-3)}
    return units


UNITS = _table()
_BY_LOWER = {name.lower(): name for name in UNITS if name not in ("K", "k", "C")}
# The hours, minutes and seconds of a clock: the cells are text.
CLOCK = Unit("clock", 1.0)
_BRACKETS = re.compile(r"^\s*(?P<name>.*?)\s*[(\[{](?P<unit>[^()\[\]{}]*)[)\]}]\s*$")
_SLASH = re.compile(r"^\s*(?P<name>.*\S)\s*[/#]\s*(?P<unit>[^/#]+?)\s*$")
_SUFFIX = re.compile(r"^(?P<name>.+?)[_ ]+(?P<unit>[A-Za-z%µ°]+)$")
_CLOCK_TEXT = re.compile(r"^(?:hours in )?h+:m+(?:in)?(?::s+)?(?:\.[msx0]+)?$", re.IGNORECASE)
# Brackets hold something that is no unit known here, so that the column is not the plain quantity (mAh/g for instance).
OTHER = Unit("?", 1.0)
_DEGREE = re.compile(r"^[^\x00-\x7f]+C$|^[dD]eg\.? ?C$|^[癈℃]$|^\?C?$")


def parse_unit(text: str) -> Unit | None:
    """The unit that ``text`` spells, or None where it spells none that is known here."""
    spelled = text.strip().replace("µ", "u").replace("μ", "u")
    if _CLOCK_TEXT.match(spelled):
        return CLOCK
    if _DEGREE.match(spelled):
        return UNITS["degC"]
    spelled = re.sub(r"(?<=[AW])[.\-* ]?[hH]r?$", "h", _WORDS.get(spelled.lower().replace("_", " "), spelled))
    return UNITS.get(spelled) or UNITS.get(_recased(spelled))


def _recased(spelled: str) -> str:
    """The usual spelling of a unit that was written in another case, such as ``MAH``."""
    return _BY_LOWER.get(spelled.lower(), "")


@lru_cache(maxsize=1024)
def slug(text: str) -> str:
    """Lower case words of a name, without punctuation: what spellings of one name have in common."""
    return " ".join(re.findall(r"[a-z0-9]+|[^\x00-\x7f\W]+", text.lower()))


@lru_cache(maxsize=1024)
def split_header(header: str) -> tuple[str, Unit | None]:
    """Name and unit of a header; None where no unit is marked by brackets, slash or number sign, ``OTHER`` if it is unknown."""
    for pattern in (_BRACKETS, _SLASH):
        found = pattern.match(header)
        if found:
            unit = parse_unit(found["unit"])
            if unit is not None or pattern is _BRACKETS:
                return found["name"], unit or (OTHER if found["unit"].strip() else None)
    return header.strip(), None


@lru_cache(maxsize=1024)
def split_suffix(header: str) -> tuple[str, Unit | None]:
    """Name and unit of a header whose last word may be its unit, such as ``current_A`` or ``test_time_second``."""
    found = _SUFFIX.match(header.strip())
    if not found:
        return header.strip(), None
    unit = parse_unit(found["unit"])
    return (found["name"], unit) if unit is not None else (header.strip(), None)


def is_unit_row(cells: tuple[str, ...]) -> bool:
    """Whether a line under the header holds nothing but units."""
    filled = [c.strip().strip("()[]") for c in cells if c.strip()]
    return (
        len(filled) >= 2 and all(parse_unit(c) is not None or c in ("-", "#") for c in filled) and not all(c in ("1", "-") for c in filled)
    )
