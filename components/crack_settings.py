"""How cracks are found, the same on every page: presets of the workspace, which of them a group has, what the address changes, and what
hands did to single measurements (brush strokes, a mask made elsewhere, pristine references).

Names in the address: ``preset`` (empty: the one that is applied to the group of a measurement), one name for each parameter
(``named("seed")``) that differs from the preset.
"""

from collections.abc import Mapping
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.errors import ParamError
from analysis.core.run import Request
from analysis.cracks.params import CrackParams
from analysis.cracks.schemas import SEGMENTATION
from components.context import workspace
from components.edge_maps import schema_of
from components.views import Query

PREFIX = "c_"
FIELDS = tuple(CrackParams.model_fields)
ADDRESS = ("preset", *(f"{PREFIX}{name}" for name in FIELDS))
STANDARD = "standard"  # the recipe's own defaults, under this name in the address
PRESETS = "cracks.presets"  # kept with the workspace: name → fields that differ from the standard
APPLIED = "cracks.applied"  # group → name of its preset
PRISTINE = "cracks.pristine"  # numbers of the measurements that stand for particles without cracks
SEGMENT, ADOPT = "cracks.segment", "cracks.adopt"
INPUTS = ("volume", "edges", "stack")


def named(field: str) -> str:
    """Name of a parameter in the address."""
    return PREFIX + field


# -- presets -----------------------------------------------------------------------------------------------------------------


def presets() -> dict[str, dict[str, Any]]:
    """Fields of the saved presets, by name."""
    return dict(workspace().catalog.setting(PRESETS) or {})


def applied() -> dict[str, str]:
    """Name of the preset of each group that was given one."""
    known = presets()
    return {g: n for g, n in dict(workspace().catalog.setting(APPLIED) or {}).items() if n in known}


def preset(query: Query, group: str | None) -> str:
    """Name of the preset that holds: that of the address, else that of the group, else the standard."""
    wanted = query.get("preset", "")
    return wanted if wanted == STANDARD or wanted in presets() else applied().get(group or "", STANDARD)


def changed(query: Query) -> dict[str, Any]:
    """What the address changes in the preset."""
    given = [f"{n}={query[named(n)].strip().replace(',', '.')}" for n in FIELDS if query.get(named(n), "").strip()]
    return CrackParams.parse(given) if given else {}


def base(query: Query, group: str | None) -> dict[str, Any]:
    """Fields of the preset that holds, without what the address changes."""
    return dict(presets().get(preset(query, group), {}))


def params(query: Query, group: str | None) -> CrackParams:
    """All parameters for a measurement of a group.

    Raises
    ------
    ParamError
        A value is out of bounds; the sentence names it.
    """
    return CrackParams.check({**base(query, group), **changed(query)})


def save(query: Query, group: str | None, name: str) -> str:
    """Keep what holds now as a preset; return its name.

    Raises
    ------
    ParamError
        The name is blank or taken, or a value is out of bounds.
    """
    wanted = " ".join(name.split())[:60]
    if not wanted:
        raise ParamError("The preset has no name.", hint="Write a name for it first.")
    if wanted == STANDARD or wanted in presets():
        raise ParamError(f"There is a preset '{wanted}' already.", hint="Choose another name, or delete that one first.")
    found, standard = params(query, group).model_dump(mode="json"), CrackParams().model_dump(mode="json")
    kept = {n: v for n, v in found.items() if v != standard[n]}
    workspace().catalog.set_setting(PRESETS, {**presets(), wanted: kept})
    return wanted


def forget(name: str) -> None:
    """Delete a preset; groups that had it have the standard again."""
    if name not in presets():
        raise ParamError(f"'{name}' is not a saved preset.", hint="The standard cannot be deleted.")
    workspace().catalog.set_setting(PRESETS, {n: f for n, f in presets().items() if n != name})
    workspace().catalog.set_setting(APPLIED, applied())


def apply(name: str, groups: list[str]) -> None:
    """Make a preset that of some groups, on every page."""
    if name != STANDARD and name not in presets():
        raise ParamError(f"'{name}' is not a saved preset.", hint="Save the settings under a name first.")
    others = {g: n for g, n in applied().items() if g not in groups}
    workspace().catalog.set_setting(APPLIED, others | ({} if name == STANDARD else dict.fromkeys(groups, name)))


# -- what hands did to one measurement -------------------------------------------------------------------------------------------


def _note(measurement: MeasurementRecord) -> tuple[str, dict[str, Any]]:
    """Name of the setting of a measurement, and what it holds; nothing where the number belonged to other data."""
    name = f"cracks.measurement.{measurement.id}"
    held = dict(workspace().catalog.setting(name) or {})
    return name, held if held.get("of") == list(measurement.dataset_keys) else {}


def noted(measurement: MeasurementRecord) -> dict[str, Any]:
    """``strokes`` (key of the edit), ``ahead`` (edits that were undone, the next first), ``mask`` (number of a measurement)."""
    return _note(measurement)[1]


def note(measurement: MeasurementRecord, **changes: Any) -> None:
    """Keep something about a measurement."""
    name, held = _note(measurement)
    workspace().catalog.set_setting(name, {**held, **changes, "of": list(measurement.dataset_keys)})


def strokes(measurement: MeasurementRecord) -> str:
    """Key of the brush strokes of a measurement, "" where there are none."""
    key = str(noted(measurement).get("strokes", ""))
    return key if key and workspace().store.has(key) else ""


def masks(measurement: MeasurementRecord) -> list[MeasurementRecord]:
    """Segmentations that were imported for the particle of a measurement; what one does not say counts as the same."""
    every = [m for m in workspace().snapshot().measurements if m.cell_id == measurement.cell_id and m.id != measurement.id]
    same = [m for m in every if all(getattr(m, n) in (None, getattr(measurement, n)) for n in ("particle", "state", "cycle_number"))]
    return [m for m in same if m.dataset_keys and schema_of(m) == SEGMENTATION.name]


def mask(measurement: MeasurementRecord) -> MeasurementRecord | None:
    """The imported segmentation that is chosen instead of a computed one."""
    wanted = noted(measurement).get("mask")
    return next((m for m in masks(measurement) if m.id == wanted), None)


def pristine() -> list[MeasurementRecord]:
    """Measurements of particles that are known to have no cracks: their ratio under the same settings is the blank."""
    wanted = set(workspace().catalog.setting(PRISTINE) or ())
    return [m for m in workspace().snapshot().measurements if m.id in wanted and m.dataset_keys]


# -- the request -------------------------------------------------------------------------------------------------------------


def segment_request(query: Query, measurement: MeasurementRecord, inputs: Mapping[str, str]) -> Request:
    """What makes the segmentation of a measurement: under its preset, with its strokes, or from its chosen mask.

    Parameters
    ----------
    inputs
        The volume in which cracks are looked for, by the recipe's name for it: ``volume``, ``edges`` or ``stack``.

    Raises
    ------
    ParamError
        A value of the address is out of bounds.
    """
    painted = strokes(measurement)
    given = {**inputs, **({"strokes": painted} if painted else {})}
    chosen = mask(measurement)
    if chosen is not None:
        return Request(recipe=ADOPT, inputs={**given, "mask": chosen.dataset_keys[0]})
    found = params(query, measurement.group)
    return Request(recipe=SEGMENT, inputs=given, params=found.model_dump(mode="json", exclude_unset=True))
