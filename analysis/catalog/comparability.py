"""Warnings where two sets of cells differ in more than what is compared.

Set points (temperature, voltage limits …) are compared cell by cell: one cell that deviates is enough. Areal loading,
which scatters from cell to cell, is compared by the medians of both sides. Coating and its thickness are what groups
are made by, and are not compared. What is recorded for some cells only is said too; what nobody recorded is not.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from analysis.catalog.records import CellRecord, MeasurementRecord, title_of, unit_of

# Two-phase plateau of the Li-In electrode against Li/Li+.
LI_IN_V = 0.62
NAMES_SHOWN = 6


@dataclass(frozen=True)
class Difference:
    """One sentence about a condition that is not the same; ``title`` names it, ``cells`` are all that it is about."""

    field: str
    title: str
    kind: Literal["differs", "not recorded"]
    sentence: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Tolerance:
    """Numbers count as equal within ``absolute`` plus ``relative`` times the larger one."""

    absolute: float = 0.0
    relative: float = 0.0

    def equal(self, a: float, b: float) -> bool:
        return abs(a - b) <= (self.absolute + self.relative * max(abs(a), abs(b))) * (1 + 1e-9)

    def text(self, unit: str) -> str:
        parts = [f"{self.absolute:g} {unit}".rstrip()] if self.absolute else []
        parts += [f"{self.relative * 100:g} %"] if self.relative else []
        return " + ".join(parts)


LOADING = Tolerance(relative=0.05)  # weighing 0.1 mg of 5 mg, and a punched area, on both sides
SET_POINTS = {
    "stack_pressure_MPa": Tolerance(relative=0.05),
    "temperature_degC": Tolerance(absolute=1.0),
    "one_c_mA_per_g": Tolerance(relative=0.01),
    "formation_cycles": Tolerance(),
    "voltage_lower_V": Tolerance(absolute=0.005),
    "voltage_upper_V": Tolerance(absolute=0.005),
}
C_RATE = Tolerance(relative=0.01)
WORDS = ("active_material", "electrolyte", "anode", "voltage_reference", "origin")
# Of one modality, these hold for every measurement alike: 2D is never pooled with 3D, nor one definition with another.
ALIKE = ("dimensionality", "definition", "calibration")
# These may vary, but over the same values on both sides.
MATCHED = ("cycle_number", "state")


@dataclass(frozen=True)
class _Entry:
    """What one cell says: ``value`` to compare (None: not recorded) and ``shown`` as the user wrote it."""

    cell: str
    group: str
    value: Hashable
    shown: str = ""


def guard(
    cells_a: Sequence[CellRecord], cells_b: Sequence[CellRecord], measurements: Sequence[MeasurementRecord] = ()
) -> tuple[Difference, ...]:
    """Every condition in which the two sides are not alike, or not known to be.

    Parameters
    ----------
    cells_a, cells_b
        The cells of either side.
    measurements
        What is compared, of any modality: it is told apart by cell and modality. Others are ignored.

    Returns
    -------
    tuple[Difference, ...]
        Cell conditions first, then those of measurements; empty where nothing differs.
    """
    if not cells_a or not cells_b:
        return ()
    found = [_loading(cells_a, cells_b)]
    for field in WORDS:
        found.append(_compare(field, title_of(CellRecord, field), _entries(cells_a, field), _entries(cells_b, field), _same_words))
    found.append(_compare("rate", "C-rate", _rates(cells_a), _rates(cells_b), _same_rate))
    for field, tolerance in SET_POINTS.items():
        found.append(_set_point(field, tolerance, cells_a, cells_b))
    found += _of_measurements(cells_a, cells_b, measurements)
    return tuple(d for d in found if d is not None)


def c_rate(text: str) -> float | None:
    """Rate in units of 1C (C/10, 0.1C, 0.1 and 1/10 C alike); None where the text says something else."""
    compact = text.replace(" ", "").replace(",", ".").upper()
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)?(?:/(\d+\.?\d*))?C?(?:/(\d+\.?\d*))?", compact)
    if not found or not compact or (found[2] and found[3]) or ("C" not in compact and found[1] is None):
        return None
    divisor = float(found[2] or found[3] or 1.0)
    return float(found[1] or 1.0) / divisor if divisor else None


def _loading(cells_a: Sequence[CellRecord], cells_b: Sequence[CellRecord]) -> Difference | None:
    def entries(cells: Sequence[CellRecord]) -> list[_Entry]:
        found = ((c, c.effective_loading_mg_cm2) for c in cells)
        return [_Entry(c.name, _group(c), v, "" if v is None else f"{v:.4g} mg/cm²") for c, v in found]

    a, b = entries(cells_a), entries(cells_b)
    known_a, known_b = _numbers(a), _numbers(b)
    if not known_a or not known_b:
        return _unknown("areal_loading_mg_cm2", "Areal loading", a + b)
    if LOADING.equal(median(known_a), median(known_b)):
        return _unknown("areal_loading_mg_cm2", "Areal loading", a + b)
    medians = f"medians {median(known_a):.4g} and {median(known_b):.4g} mg/cm², more than {LOADING.text('mg/cm²')} apart"
    sentence = f"Areal loading differs ({medians}): {_listing(a + b)}."
    return Difference("areal_loading_mg_cm2", "Areal loading", "differs", sentence, tuple(e.cell for e in a + b))


def _set_point(field: str, tolerance: Tolerance, cells_a: Sequence[CellRecord], cells_b: Sequence[CellRecord]) -> Difference | None:
    unit = unit_of(CellRecord, field)
    title = "Number of formation cycles" if field == "formation_cycles" else title_of(CellRecord, field)
    a, b = _entries(cells_a, field), _entries(cells_b, field)
    scales = {c.voltage_reference for c in (*cells_a, *cells_b) if c.voltage_reference}
    if field.startswith("voltage_") and len(scales) > 1:
        a, b = _on_lithium_scale(cells_a, field), _on_lithium_scale(cells_b, field)
        title += f" (Li-In taken as {LI_IN_V} V vs Li)"

    def same(x: Hashable, y: Hashable) -> bool:
        return isinstance(x, int | float) and isinstance(y, int | float) and tolerance.equal(x, y)

    return _compare(field, title, a, b, same, beyond=tolerance.text(unit))


def _on_lithium_scale(cells: Sequence[CellRecord], field: str) -> list[_Entry]:
    made = []
    for entry, cell in zip(_entries(cells, field), cells, strict=True):
        offset = {"Li-In": LI_IN_V, "Li": 0.0}.get(cell.voltage_reference or "")
        if offset is None or not isinstance(entry.value, int | float):
            made.append(_Entry(entry.cell, entry.group, None))
        else:
            made.append(_Entry(entry.cell, entry.group, entry.value + offset, f"{entry.shown} vs {cell.voltage_reference}"))
    return made


def _entries(cells: Sequence[CellRecord], field: str) -> list[_Entry]:
    unit = unit_of(CellRecord, field)
    found = ((c, getattr(c, field)) for c in cells)
    return [_Entry(c.name, _group(c), v, _shown(v, unit)) for c, v in found]


def _rates(cells: Sequence[CellRecord]) -> list[_Entry]:
    return [_Entry(c.name, _group(c), c.rate, c.rate or "") for c in cells]


def _same_words(a: Hashable, b: Hashable) -> bool:
    return " ".join(str(a).casefold().split()) == " ".join(str(b).casefold().split())


def _same_rate(a: Hashable, b: Hashable) -> bool:
    rates = (c_rate(str(a)), c_rate(str(b)))
    if rates[0] is None or rates[1] is None:
        return _same_words(a, b)
    return C_RATE.equal(rates[0], rates[1])


def _compare(
    field: str, title: str, a: list[_Entry], b: list[_Entry], same: Callable[[Hashable, Hashable], bool], *, beyond: str = ""
) -> Difference | None:
    values_a, values_b = ({e.value for e in side if e.value is not None} for side in (a, b))
    if all(same(x, y) for x in values_a for y in values_b):
        return _unknown(field, title, a + b)
    margin = f" by more than {beyond}" if beyond else ""
    return Difference(field, title, "differs", f"{title} differs{margin}: {_listing(a + b)}.", tuple(e.cell for e in a + b))


def _unknown(field: str, title: str, entries: list[_Entry]) -> Difference | None:
    missing = [e for e in entries if e.value is None]
    if not missing or len(missing) == len(entries):
        return None
    return Difference(field, title, "not recorded", f"{title}: {_listing(entries)}.", tuple(e.cell for e in missing))


def _listing(entries: list[_Entry]) -> str:
    """Values with their cells, as in: 60 °C for uncoated U1, U2; 25 °C for coated C1; not recorded for coated C2."""
    by_value: defaultdict[str, list[_Entry]] = defaultdict(list)
    for e in entries:
        by_value["" if e.value is None else e.shown].append(e)
    unknown = by_value.pop("", [])
    parts = [f"{shown} for {_names(who)}" for shown, who in by_value.items()]
    return "; ".join([*parts, f"not recorded for {_names(unknown)}"] if unknown else parts)


def _names(entries: Iterable[_Entry]) -> str:
    by_group: defaultdict[str, list[str]] = defaultdict(list)
    for e in entries:
        by_group[e.group].append(e.cell)
    return " and ".join(f"{group} {_some(dict.fromkeys(names))}".strip() for group, names in by_group.items())


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - NAMES_SHOWN
    return ", ".join(every) if more <= 0 else f"{', '.join(every[:NAMES_SHOWN])} and {more} more"


def _of_measurements(
    cells_a: Sequence[CellRecord], cells_b: Sequence[CellRecord], measurements: Sequence[MeasurementRecord]
) -> list[Difference | None]:
    ids_a, ids_b = {c.id for c in cells_a}, {c.id for c in cells_b}
    found: list[Difference | None] = []
    for modality in dict.fromkeys(m.modality for m in measurements):
        mine = [m for m in measurements if m.modality == modality]
        a, b = ([m for m in mine if m.cell_id in ids] for ids in (ids_a, ids_b))
        if a and b:
            found += [_varied(field, modality or "", a, b) for field in (*MATCHED, *ALIKE)]
    return found


def _varied(field: str, modality: str, a: Sequence[MeasurementRecord], b: Sequence[MeasurementRecord]) -> Difference | None:
    title = f"{title_of(MeasurementRecord, field)} of {modality} measurements"
    sides = [[_Entry(m.cell, m.group or "", getattr(m, field), _shown(getattr(m, field), "")) for m in side] for side in (a, b)]
    values_a, values_b = ({e.value for e in side if e.value is not None} for side in sides)
    entries = sides[0] + sides[1]
    mixed = len(values_a | values_b) > 1 if field in ALIKE else bool(values_a and values_b) and values_a != values_b
    if not mixed:
        return _unknown(field, title, entries)
    return Difference(field, title, "differs", f"{title} differs: {_listing(entries)}.", tuple(dict.fromkeys(e.cell for e in entries)))


def _group(cell: CellRecord) -> str:
    return cell.group or ""


def _numbers(entries: Iterable[_Entry]) -> list[float]:
    return [e.value for e in entries if isinstance(e.value, int | float)]


def _shown(value: object, unit: str) -> str:
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{text} {unit}".rstrip()
