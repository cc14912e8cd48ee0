"""What the catalog takes and hands out: checked fields, and frozen records with an id.

The field classes are parameter sets: their titles, units and bounds feed the import form, the editable table, the
command line and the manifest. A field that is None is not recorded; ``coating="none"`` says that there is none.
"""

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from analysis.core.errors import ParamError
from analysis.core.params import Params

State = Literal["pristine", "charged", "discharged"]
Origin = Literal["measured", "synthetic"]
Dimensionality = Literal["1D", "2D", "3D"]
Kind = Literal["cell", "particle", "measurement"]  # what can be excluded

# SQLite's integers are 64 bits wide, and a larger one would only fail when it is written.
MAX_INT = 2**63 - 1
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("must be one line without tabs")
    return text


def _plain_dash(value: object) -> object:
    return re.sub("[\u2010-\u2015\u2212]", "-", value.strip()) if isinstance(value, str) else value


def _none_is_none(text: str) -> str:
    return "none" if text.casefold() == "none" else text


Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_clean)]
Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_clean), AfterValidator(_one_line)]
Name = Annotated[Line, StringConstraints(min_length=1)]
Coating = Annotated[Line, AfterValidator(_none_is_none)]
Reference = Annotated[Literal["Li-In", "Li"], BeforeValidator(_plain_dash)]


class Fields(Params):
    """Base of what can be written into the catalog. Text that is blank counts as not recorded."""

    model_config = ConfigDict(allow_inf_nan=False, str_strip_whitespace=True)
    kind: ClassVar[str] = "row"

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unknown(cls, values: object) -> object:
        if not isinstance(values, Mapping):
            return values
        return {k: None if isinstance(v, str) and not v.strip() else v for k, v in values.items()}

    @classmethod
    def check(cls, values: Mapping[str, Any], *, subject: str = "") -> Self:
        """Return the checked fields, or raise ``ParamError`` with a sentence that names field and unit.

        ``subject`` says whose field it is, such as ``"cell 'C1'"``.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as err:
            raise ParamError(" ".join(sentence for _, sentence in problems(cls, err, subject)), hint=_hint(cls, err)) from err

    def given(self) -> dict[str, Any]:
        """Only the fields that were named and not left blank, for changing some and leaving the rest."""
        return {name: getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None}


def unit_of(cls: type[Params], field: str) -> str:
    """Unit of a field as printed, "" where it has none."""
    extra = cls.model_fields[field].json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""


def title_of(cls: type[Params], field: str) -> str:
    return cls.model_fields[field].title or field


_WORDS = {
    "greater_than": "must be greater than {gt:g}{unit}",
    "greater_than_equal": "must be at least {ge:g}{unit}",
    "less_than": "must be less than {lt:g}{unit}",
    "less_than_equal": "must be at most {le:g}{unit}",
    "finite_number": "must be a finite number{in_unit}",
    "float_parsing": "must be a number{in_unit}",
    "float_type": "must be a number{in_unit}",
    "int_parsing": "must be a whole number{in_unit}",
    "int_parsing_size": "must be a whole number of usual size",
    "int_type": "must be a whole number{in_unit}",
    "int_from_float": "must be a whole number{in_unit}",
    "literal_error": "must be {expected}",
    "string_type": "must be text",
    "string_too_short": "must not be blank",
    "string_too_long": "must have at most {max_length} characters",
}


def problems(cls: type[Fields], err: ValidationError, subject: str = "") -> list[tuple[str, str]]:
    """Field ("" where it is about several) and sentence of everything that is wrong."""
    errors = err.errors(include_url=False)
    return [(str(e["loc"][0]) if e["loc"] else "", _problem(cls, e, subject)) for e in errors]


def _problem(cls: type[Fields], error: Mapping[str, Any], subject: str) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    whose = f" of {subject}" if subject else ""
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return f"A {cls.kind} has no field '{name}'."
    if not name:
        text = str(context.get("error", error["msg"]))
        return f"{subject[:1].upper()}{subject[1:]}: {text[:1].lower()}{text[1:]}." if subject else f"{text}."
    label = f"{title_of(cls, name)}{whose} [{name}]"
    if error["type"] == "missing" or (error["input"] is None and cls.model_fields[name].is_required()):
        return f"{label} is missing."
    unit = unit_of(cls, name)
    words = _WORDS.get(error["type"])
    if words is not None:
        text = words.format(**context, unit=f" {unit}" if unit else "", in_unit=f" in {unit}" if unit else "")
    elif error["type"].startswith("date"):
        text = "must be a date such as 2026-05-31"
    else:
        text = str(context.get("error", error["msg"][:1].lower() + error["msg"][1:]))
    return f"{label} {text} (given: {_shown(error['input'])})."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(cls: type[Fields], err: ValidationError) -> str:
    kinds = {e["type"] for e in err.errors(include_url=False)}
    if "extra_forbidden" in kinds:
        return f"Known fields: {', '.join(cls.model_fields)}."
    if "float_parsing" in kinds:
        return "Write numbers without their unit and with a decimal point."
    return ""


def quantity(
    title: str, unit: str, *, gt: float | None = None, ge: float | None = None, le: float | None = None, description: str | None = None
) -> Any:
    """A number that may be unknown."""
    return Field(None, title=title, gt=gt, ge=ge, le=le, description=description, json_schema_extra={"unit": unit})


class GroupFields(Fields):
    kind = "group"

    name: Name = Field(title="Group")
    title: Line | None = Field(None, title="Title", description="As figures print it; the name where none is given.")
    colour_slot: int | None = Field(
        None, ge=0, le=1000, title="Colour slot", description="Position in the palette; the next free one if not given."
    )
    position: int | None = Field(None, ge=0, le=MAX_INT, title="Order", description="Place among the groups; last if not given.")
    description: Text | None = Field(None, title="Description")


class CellFields(Fields):
    """How a cell was built and cycled."""

    kind = "cell"

    name: Name = Field(title="Cell")
    group: Name | None = Field(None, title="Group")
    active_material: Line | None = Field(None, title="Active material")
    coating: Coating | None = Field(None, title="Coating", description="'none' where there is none.")
    coating_thickness_nm: float | None = quantity("Coating thickness", "nm", ge=0)
    electrolyte: Line | None = Field(None, title="Electrolyte")
    anode: Line | None = Field(None, title="Anode")
    composite_mass_mg: float | None = quantity("Composite mass", "mg", gt=0)
    active_fraction: float | None = quantity(
        "Active fraction", "", gt=0, le=1, description="Mass of active material per mass of composite."
    )
    active_mass_mg: float | None = quantity("Active mass", "mg", gt=0, description="Used instead of composite mass × active fraction.")
    areal_loading_mg_cm2: float | None = quantity("Areal loading", "mg/cm²", gt=0, description="Active material per electrode area.")
    electrode_area_cm2: float | None = quantity("Electrode area", "cm²", gt=0)
    stack_pressure_MPa: float | None = quantity("Stack pressure", "MPa", ge=0)
    temperature_degC: float | None = quantity("Temperature", "°C", gt=-273.15)
    one_c_mA_per_g: float | None = quantity("Current of 1C", "mA/g", gt=0)
    formation_cycles: int | None = Field(None, ge=0, le=MAX_INT, title="Formation cycles")
    rate: Line | None = Field(None, title="Rate", description="As C/10, 0.5C or 1C.")
    voltage_lower_V: float | None = quantity("Lower voltage limit", "V")
    voltage_upper_V: float | None = quantity("Upper voltage limit", "V")
    voltage_reference: Reference | None = Field(None, title="Voltage scale", description="What the limits are measured against.")
    notes: Text | None = Field(None, title="Notes")
    operator: Line | None = Field(None, title="Operator")
    date: dt.date | None = Field(None, title="Date")
    origin: Origin = Field("measured", title="Origin")
    excluded_reason: Line | None = Field(None, title="Excluded because")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        low, high = self.voltage_lower_V, self.voltage_upper_V
        if low is not None and high is not None and low >= high:
            raise ValueError(f"The lower voltage limit ({low:g} V) is not below the upper one ({high:g} V)")
        active, composite = self.active_mass_mg, self.composite_mass_mg
        if active is not None and composite is not None and active > composite:
            raise ValueError(f"The active mass ({active:g} mg) is more than the composite mass ({composite:g} mg)")
        return self

    @property
    def effective_active_mass_mg(self) -> float | None:
        """Mass that capacities are divided by: as given, else composite mass × active fraction."""
        if self.active_mass_mg is not None:
            return self.active_mass_mg
        if self.composite_mass_mg is None or self.active_fraction is None:
            return None
        return self.composite_mass_mg * self.active_fraction

    @property
    def effective_loading_mg_cm2(self) -> float | None:
        """Active material per area: as given, else effective active mass over electrode area."""
        if self.areal_loading_mg_cm2 is not None:
            return self.areal_loading_mg_cm2
        mass = self.effective_active_mass_mg
        return None if mass is None or self.electrode_area_cm2 is None else mass / self.electrode_area_cm2


class HarvestFields(Fields):
    """At cycle n, in a state, particles or pellets were taken."""

    kind = "harvest"

    cycle_number: int | None = Field(None, ge=0, le=MAX_INT, title="Cycle")
    state: State | None = Field(None, title="State")
    date: dt.date | None = Field(None, title="Harvest date")
    notes: Text | None = Field(None, title="Harvest notes")


class ParticleFields(Fields):
    kind = "particle"

    name: Name = Field(title="Particle")
    location: Line | None = Field(None, title="Location")
    notes: Text | None = Field(None, title="Particle notes")
    excluded_reason: Line | None = Field(None, title="Excluded because")


class MeasurementFields(Fields):
    kind = "measurement"

    modality: Line | None = Field(None, title="Modality")
    part_of: Line | None = Field(
        None, title="Test", description="Files of one cell and modality with the same test are its parts, in order."
    )
    instrument: Line | None = Field(None, title="Instrument")
    state: State | None = Field(None, title="State")
    cycle_number: int | None = Field(None, ge=0, le=MAX_INT, title="Cycle")
    dimensionality: Dimensionality | None = Field(None, title="Dimensionality")
    definition: Line | None = Field(None, title="Definition", description="What a finished map's values mean, such as e_half.")
    calibration: Line | None = Field(None, title="Calibration", description="Reference and its assigned value.")
    date: dt.date | None = Field(None, title="Date")
    operator: Line | None = Field(None, title="Operator")
    notes: Text | None = Field(None, title="Notes")
    origin: Origin = Field("measured", title="Origin")
    reader_id: Line | None = Field(None, title="Reader")
    reader_options: dict[str, Any] = Field(default_factory=dict, title="Reader options")
    dataset_keys: tuple[str, ...] = Field((), title="Datasets")
    excluded_reason: Line | None = Field(None, title="Excluded because")


class FileFields(Fields):
    """An original file. ``role="side"`` marks one that only helps to read another."""

    kind = "file"

    original_name: Name = Field(title="File")
    sha256: str = Field(pattern="^[0-9a-f]{64}$", title="Content hash")
    size_bytes: int = Field(ge=0, le=MAX_INT, title="Size")
    mtime_ns: int = Field(0, ge=-MAX_INT, le=MAX_INT, title="Modified")
    stored_path: str = Field(
        min_length=1, max_length=4000, title="Stored at", description="Below the workspace, or absolute where referenced."
    )
    referenced: bool = Field(False, title="Referenced in place")
    role: Literal["data", "side"] = Field("data", title="Role")

    @model_validator(mode="after")
    def _stays_inside(self) -> Self:
        path = PurePosixPath(self.stored_path)
        absolute = path.is_absolute() or PureWindowsPath(self.stored_path).is_absolute()
        if self.referenced != absolute:
            raise ValueError("A file that is referenced in place has an absolute path, a stored one a path below the workspace")
        if not self.referenced and ".." in path.parts:
            raise ValueError("The path of a stored file leaves the workspace")
        return self


class GroupRecord(GroupFields):
    title: str
    colour_slot: int
    position: int
    id: int
    n_cells: int


class CellRecord(CellFields):
    id: int
    group_id: int | None
    created_at: dt.datetime

    @property
    def excluded(self) -> bool:
        return self.excluded_reason is not None


class HarvestRecord(HarvestFields):
    id: int
    cell_id: int
    cell: str


class ParticleRecord(ParticleFields):
    id: int
    cell_id: int
    cell: str
    harvest_id: int | None


class FileRecord(FileFields):
    id: int
    measurement_id: int


class MeasurementRecord(MeasurementFields):
    """``excluded_because`` also speaks for a cell or particle that is excluded as a whole."""

    id: int
    modality: str
    cell_id: int
    cell: str
    group: str | None
    harvest_id: int | None
    particle_id: int | None
    particle: str | None
    excluded_because: str | None
    files: tuple[FileRecord, ...]
    created_at: dt.datetime

    @property
    def excluded(self) -> bool:
        return self.excluded_because is not None


class Place(Params):
    """Where the content of a file is already in the catalog."""

    measurement_id: int
    cell_id: int
    cell: str
    modality: str
    original_name: str
    stored_path: str


class MappingRecord(Params):
    """A remembered column mapping."""

    signature: str
    name: str
    mapping: dict[str, Any]
