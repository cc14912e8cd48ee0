"""Headers of tables about cells, as people write them → columns of a manifest and the factor of their unit.

``Active mass (mg)``, ``Area [cm²]``, ``Pressure / bar``, ``Chemistry``, ``Start date``: names by the table below and by the titles of the
catalog's fields, units by brackets or behind a slash.
"""

import datetime as dt
import difflib
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.catalog.records import CellFields, Fields, GroupFields, HarvestFields, MeasurementFields, ParticleFields, title_of, unit_of
from analysis.core.data import conversion
from analysis.core.errors import ParamError
from analysis.formats.headers import slug

OWN = ("notes", "operator", "date", "origin", "excluded_reason")  # of cell and measurement alike
# For each kind of record: field → column.
COLUMNS: dict[str, dict[str, str]] = {
    "group": {f: "group" if f == "name" else f"group_{f}" for f in GroupFields.model_fields},
    "cell": {f: "cell" if f == "name" else f"cell_{f}" if f in OWN else f for f in CellFields.model_fields},
    "harvest": {f: {"cycle_number": "cycle", "state": "state"}.get(f, f"harvest_{f}") for f in HarvestFields.model_fields},
    "particle": {f: "particle" if f == "name" else f"particle_{f}" for f in ParticleFields.model_fields},
    "measurement": {
        f: {"cycle_number": "cycle", "reader_id": "reader"}.get(f, f) for f in MeasurementFields.model_fields if f != "dataset_keys"
    },
}
# In the order in which they are written.
KNOWN = tuple(
    dict.fromkeys(["file", "cell", "group", *(c for kind in COLUMNS.values() for c in kind.values()), "harvest", "original_name"])
)
_FIELD_OF = {column: field for field, column in COLUMNS["cell"].items()}
NUMBERS = {column for column, field in _FIELD_OF.items() if float in typing.get_args(CellFields.model_fields[field].annotation)}
_RECORDS: tuple[type[Fields], ...] = (CellFields, HarvestFields, ParticleFields, MeasurementFields, GroupFields)
DATES = {c for cls in _RECORDS for f, c in COLUMNS[cls.kind].items() if dt.date in typing.get_args(cls.model_fields[f].annotation)}

# The catalog's column → what else people call it, as slugs.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "file": ("file name", "filename", "data file", "path"),
    "cell": ("cell id", "cell name", "cell no", "cell number", "sample", "sample id", "sample name", "name", "id"),
    "group": ("group name", "series"),
    "active_material": ("chemistry", "cathode", "cathode material", "cathode active material", "positive electrode", "cam", "material"),
    "coating": ("coating material", "cathode coating"),
    "coating_thickness_nm": ("thickness of the coating",),
    "electrolyte": ("solid electrolyte", "se"),
    "anode": ("anode material", "negative electrode", "counter electrode"),
    "active_mass_mg": ("mass of active material", "active material mass", "cam mass", "am mass"),
    "composite_mass_mg": ("mass of composite", "cathode mass", "cathode composite mass", "electrode mass", "mass", "weight"),
    "active_fraction": ("active material fraction", "active material content", "cam fraction", "am fraction", "active content"),
    "areal_loading_mg_cm2": ("loading", "mass loading", "active material loading", "cam loading"),
    "electrode_area_cm2": ("area", "cell area"),
    "stack_pressure_MPa": ("pressure", "cell pressure"),
    "temperature_degC": ("temp", "test temperature"),
    "one_c_mA_per_g": ("1c", "one c", "1c current", "1c means"),
    "rate": ("c rate", "crate"),
    "voltage_lower_V": ("lower voltage", "lower cutoff", "lower cut off", "lower cutoff voltage", "v min", "vmin", "minimum voltage"),
    "voltage_upper_V": ("upper voltage", "upper cutoff", "upper cut off", "upper cutoff voltage", "v max", "vmax", "maximum voltage"),
    "notes": ("note", "comment", "comments", "remark", "remarks"),
    "operator": ("user", "made by"),
    "date": ("start date", "started", "assembly date", "date of assembly", "build date", "built"),
    "excluded_reason": ("excluded", "exclusion", "reason for exclusion"),
    "part_of": ("test name",),
}
SLIP = 0.9  # likeness of a misspelt name
_AMBIGUOUS = {"mass": "composite mass", "weight": "composite mass"}
_BRACKETS = re.compile(r"^\s*(?P<name>.*?)\s*[(\[{](?P<unit>[^()\[\]{}]*)[)\]}]\s*$")
_SLASH = re.compile(r"^\s*(?P<name>.*?\S)\s*/\s*(?P<unit>[^/].*?)\s*$")
_UNIT_WORDS = {"c": "°C", "ºc": "°C", "deg c": "°C", "wt%": "%", "wt.%": "%", "wt-%": "%", "m%": "%"}


@dataclass(frozen=True)
class Column:
    """One column of a table: what it is in a manifest ("" where the catalog has no field for it), and how its numbers convert."""

    header: str
    name: str
    factor: float = 1.0
    offset: float = 0.0
    remark: str = ""

    def value(self, text: str) -> str:
        """A cell of this column as a manifest writes it; what is no number or date stays as it is."""
        if self.name in DATES:
            return _date(text)
        if self.factor == 1.0 and self.offset == 0.0:
            return text
        try:
            return f"{float(text) * self.factor + self.offset:.12g}"
        except ValueError:
            return text


def columns_of(where: str, headers: Sequence[str]) -> list[Column]:
    """What each header means. A table without files that names cells is a list of cells: what the catalog has no field for stays, nameless.

    Raises
    ------
    ParamError
        A header of a manifest with files is not known, one thing is there twice, or a unit does not fit.
    """
    found = [_column(where, header) for header in headers]
    names = [column.name for column in found]
    if "file" in names or "cell" not in names:
        _refuse_unknown(where, found)
        return found
    _refuse_slips(where, found)
    named = [_renamed(column, f"cell_{column.name}") if column.name in OWN else column for column in found]
    winner: dict[str, Column] = {}
    for column in sorted(named, key=lambda c: _spelled(c.header) != c.name):  # the catalog's own spelling goes first
        winner.setdefault(column.name, column)
    return [column if winner[column.name] is column else _renamed(column, "") for column in named]


def has_cells(headers: Sequence[str]) -> bool:
    """Whether one of these headers names cells."""
    return any(_name_of(header)[0] == "cell" for header in headers)


def knows(headers: Sequence[str]) -> bool:
    """Whether one of these headers is of the catalog."""
    return any(_name_of(header)[0] for header in headers)


def _renamed(column: Column, name: str) -> Column:
    return Column(column.header, name, column.factor, column.offset, column.remark) if name else Column(column.header, "")


def _refuse_unknown(where: str, found: Sequence[Column]) -> None:
    for i, column in enumerate(found):
        if not column.name:
            raise ParamError(f"{where}: there is no column '{column.header}'.", hint=_suggestion(column.header))
        if column.name in [c.name for c in found[:i]]:
            raise ParamError(f"{where}: column '{column.name}' is there twice.", hint="Remove one of them.")


def _refuse_slips(where: str, found: Sequence[Column]) -> None:
    """A header in the catalog's own spelling but for a letter is no column of notes."""
    for column in found:
        if not column.name and "_" in column.header and difflib.get_close_matches(column.header, KNOWN, n=1, cutoff=SLIP):
            raise ParamError(f"{where}: there is no column '{column.header}'.", hint=_suggestion(column.header))


def _suggestion(given: str) -> str:
    close = difflib.get_close_matches(given.strip(), KNOWN, n=1)
    return f"Is '{close[0]}' meant?" if close else f"Known columns: {', '.join(KNOWN)}."


def _spelled(header: str) -> str:
    """A header as the catalog would spell it."""
    known = {column.casefold(): column for column in KNOWN}
    return known.get(re.sub(r"\s+", "_", header.strip()).casefold(), "")


def _words() -> dict[str, str]:
    titles = {slug(title_of(CellFields, field)): COLUMNS["cell"][field] for field in CellFields.model_fields}
    own = {slug(title_of(CellFields, field)): field for field in OWN}
    units = {slug(re.sub(r"_(?:mg_cm2|mA_per_g|degC|MPa|cm2|mg|nm|V)$", "", column)): column for column in NUMBERS}
    return {**units, **titles, **own, **{word: column for column, words in SPELLINGS.items() for word in words}}


_BY_WORDS = _words()


def _name_of(header: str) -> tuple[str, str]:
    """Column and unit of a header; "" where there is none."""
    if exact := _spelled(header):
        return exact, ""
    bracketed = _BRACKETS.match(header)
    if bracketed:
        return _BY_WORDS.get(slug(bracketed["name"]), ""), bracketed["unit"].strip()
    if whole := _BY_WORDS.get(slug(header)):
        return whole, ""
    slashed = _SLASH.match(header)
    return (_BY_WORDS.get(slug(slashed["name"]), ""), slashed["unit"]) if slashed else ("", "")


def _column(where: str, given: str) -> Column:
    header = given.strip()
    name, unit = _name_of(header)
    if name not in NUMBERS:
        return Column(header, name)
    wanted = unit_of(CellFields, _FIELD_OF[name])
    said = _AMBIGUOUS.get(slug(_BRACKETS.sub(r"\g<name>", header)))
    remark = f"'{header}' was taken as {said}; call it 'active mass' if it is that." if said else ""
    if not unit:
        assumed = f"'{header}' has no unit and was taken in {wanted}." if wanted and not _spelled(header) else ""
        return Column(header, name, remark=" ".join(r for r in (remark, assumed) if r))
    found = conversion(_unit(unit), wanted or "1")
    if found is None:
        raise ParamError(
            f"{where}: '{unit}' in '{header}' is no unit of the {title_of(CellFields, _FIELD_OF[name]).lower()}.",
            hint=f"Write a unit that converts to {wanted or 'a fraction'}.",
        )
    return Column(header, name, float(f"{found[0]:.12g}"), float(f"{found[1]:.12g}"), remark)


def _unit(text: str) -> str:
    """A unit as the converter reads it: powers marked, ``C`` a temperature."""
    plain = _UNIT_WORDS.get(text.casefold(), text.replace("µ", "u").replace("μ", "u").replace("⁻", "-").replace("²", "2"))
    return plain if plain in _UNIT_WORDS.values() else re.sub(r"(?<=[A-Za-z])\^?(-?\d)", r"^\1", plain)


def _date(text: str) -> str:
    """The day of a date with a time, of ``20.03.2024`` and of ``2024/03/20``; others stay as they are."""
    if found := re.match(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?$", text):
        year, month, day = found.groups()
    elif found := re.match(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})(?: +\d{1,2}:\d{2}.*)?$", text):
        day, month, year = found.groups()
    else:
        return text
    return f"{year}-{int(month):02d}-{int(day):02d}"
