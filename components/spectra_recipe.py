"""How spectra are processed, as the address says it: a recipe by name, fields that differ from it, and the standard."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.errors import ParamError
from analysis.core.run import Request
from analysis.spectra.edges import MARKERS, STANDARDS, Standard
from analysis.spectra.normalising import PRESETS
from analysis.spectra.processing import BatchParams, ProcessParams
from components.context import workspace
from components.spectra_samples import by_id, edge, nearest, references, samples, standards
from components.views import Query, listed

RECIPES = "spectra.recipes"  # saved with the workspace: name → {"edge": …, "fields": {…}}
LIBRARY = "spectra.markers"  # saved with the workspace: [{"name", "energy", "edge", "note"}]
CALIBRATION = ("cal", "calfeature", "calenergy")
NORMALISING = (
    "e0",
    "pre1",
    "pre2",
    "norm1",
    "norm2",
    "order",
    "scale",
    "area1",
    "area2",
    "interference",
    "interference_energy",
    "victoreen",
)
STEPS = ("align", "merge", "rebin", "step_before", "step_edge", "step_k", "formula", "angle_in", "angle_out")
FIELDS = (*NORMALISING, *STEPS)
READS = ("recipe", *FIELDS, *CALIBRATION, "taken")


def saved() -> dict[str, dict[str, Any]]:
    """Recipes that were saved with the workspace, by name."""
    return dict(workspace().catalog.setting(RECIPES) or {})


def chosen(query: Query) -> str:
    """The name of the recipe: the chosen one where it is of this edge, else the preset of the edge."""
    known = {**dict.fromkeys(PRESETS, ""), **{n: str(r.get("edge", "")) for n, r in saved().items()}}
    name = query.get("recipe", "")
    if name in known:
        return name
    return edge(query) if edge(query) in PRESETS else "automatic"


def named(query: Query, name: str) -> str:
    """The address's value for a recipe: blank for the one that is taken anyway."""
    return "" if name == chosen({**query, "recipe": ""}) else name


def base(query: Query) -> dict[str, Any]:
    """What the recipe of that name says, without what the address changes."""
    name = chosen(query)
    return {"preset": name} if name in PRESETS else dict(saved()[name]["fields"])


def calibrators(query: Query) -> list[tuple[str, str]]:
    """What energies can be calibrated on, by value of the address and as printed."""
    known = standards(query)
    best = next((name for cell_id, name, standard in known if standard is not None and _same_days(query, cell_id)), "nothing")
    cells = [(f"c{cell_id}", f"standard: {name}") for cell_id, name, _ in known]
    templates = [(f"t{m.id}", f"align to {m.cell} {m.state or ''}".strip()) for m in (*samples(query), *references(query))]
    return [("auto", f"automatic ({best})"), ("none", "nothing"), ("foil", "foil behind the sample"), *cells, *templates]


def stands_for(query: Query, name: str) -> str:
    """What the recipe has for a field, as it stands in grey behind it; "auto" where the data decide."""
    params = BatchParams.check(base(query))
    value = params.value(name) if name in NORMALISING else getattr(params, name)
    return "auto" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def save(query: Query, name: str) -> None:
    """Keep what the address says as a recipe of this edge.

    Raises
    ------
    ParamError
        The name is blank or taken, or a value is out of bounds.
    """
    wanted = name.strip()
    if not wanted or wanted in PRESETS or wanted in saved():
        what = f"There is a recipe '{wanted}' already." if wanted else "The recipe has no name."
        raise ParamError(what, hint="Choose a name of its own: figures that were shared by address keep theirs.")
    said = calibration(query)
    kept = {
        n: v for n, v in (*fields(query).items(), ("feature", said.get("feature")), ("assigned", said.get("assigned"))) if v is not None
    }
    checked = BatchParams.check(kept).model_dump(mode="json", exclude_unset=True)
    workspace().catalog.set_setting(RECIPES, {**saved(), wanted: {"edge": edge(query), "fields": checked}})


def forget(name: str) -> None:
    """Remove a saved recipe."""
    if name not in saved():
        raise ParamError(f"'{name}' is not a saved recipe.", hint="Presets cannot be removed.")
    workspace().catalog.set_setting(RECIPES, {n: r for n, r in saved().items() if n != name})


def fields(query: Query) -> dict[str, Any]:
    """The recipe with what the address changes, calibration left out."""
    return {**base(query), **{n: query[n] for n in FIELDS if query.get(n)}}


def calibration(query: Query) -> dict[str, Any]:
    """Standard, feature and assigned energy; ``cell`` is the standard's cell or None, ``template`` a measurement's id."""
    known, wanted = standards(query), query.get("cal", "auto")
    if wanted == "auto":
        wanted = next((f"c{cell_id}" for cell_id, _, standard in known if standard is not None and _same_days(query, cell_id)), "none")
    if wanted.startswith("t") and wanted[1:].isdigit():
        return {"calibrate": "template", "template": wanted[1:]}
    cell = next((k for k in known if wanted == f"c{k[0]}"), None)
    if wanted != "foil" and cell is None:
        return {"calibrate": "none"}
    standard = cell[2] if cell else _foil(query)
    energy = _number(query.get("calenergy", "")) or base(query).get("assigned") or (standard.energy if standard else None)
    feature = query.get("calfeature") or base(query).get("feature") or (standard.feature if standard else "white_line")
    name = standard.name if standard else cell[1] if cell else "foil"
    how = {"calibrate": "standard", "cell": cell[0]} if cell else {"calibrate": "foil"}
    return {**how, "standard": name, "feature": feature, "assigned": energy}


def _same_days(query: Query, cell_id: int) -> bool:
    """Whether a standard was measured on every day on which a sample was: only then is it taken without being asked for."""
    days = {m.date for m in references(query) if m.cell_id == cell_id}
    return all(m.date is not None and m.date in days for m in samples(query))


def _number(text: str) -> float | None:
    """The energy that a text is; None where it is none."""
    return float(text) if re.fullmatch(r"\d+(\.\d*)?", text.strip()) else None


def _foil(query: Query) -> Standard | None:
    """The library's standard of the shown edge whose feature is its steepest rise: the metal."""
    return next((s for s in STANDARDS if s.edge == edge(query) and s.feature == "max_slope"), None)


def request(query: Query, measurements: Sequence[MeasurementRecord], names: Sequence[str]) -> Request:
    """The request that makes of measurements the spectra that are compared, all in one result."""
    said, taken = calibration(query), edits(query)
    spectra: list[str] = []
    wired: dict[str, list[Any]] = {"samples": [], "standard_of": [], "glitches_of": []}
    standards: dict[str, int] = {}
    glitches: dict[str, int] = {}
    for m, name in zip(measurements, names, strict=True):
        guide, edit = _guide(query, said, m), taken.get(str(m.id))
        for key in m.dataset_keys:
            spectra.append(key)
            wired["samples"].append(name)
            wired["standard_of"].append(standards.setdefault(guide.dataset_keys[0], len(standards) + 1) if guide else 0)
            wired["glitches_of"].append(glitches.setdefault(edit, len(glitches) + 1) if edit else 0)
    inputs: dict[str, str | tuple[str, ...]] = {"spectra": tuple(spectra)}
    inputs |= {n: tuple(found) for n, found in (("standards", standards), ("glitches", glitches)) if found}
    own = {k: v for k, v in said.items() if k in ProcessParams.model_fields and v is not None}
    return Request(recipe="spectra.process", inputs=inputs, params={**fields(query), **own, **wired})


def _guide(query: Query, said: Mapping[str, Any], measurement: MeasurementRecord) -> MeasurementRecord | None:
    """The standard's measurement of the same session, or the template."""
    if "cell" in said:
        return nearest(measurement, (m for m in references(query) if m.cell_id == said["cell"]))
    if "template" in said:
        found = by_id(said["template"])
        if found is None:
            raise ParamError("The template of the alignment is not in the workspace.", hint="Choose another on the Processing tab.")
        return found
    return None


def edits(query: Query) -> dict[str, str]:
    """Edits that take points out, by measurement: ``taken=12_e-…``."""
    parts = (text.partition("_") for text in listed(query, "taken"))
    store = workspace().store
    return {m: key for m, _, key in parts if key.startswith("e-") and key[2:].isalnum() and store.has(key)}


def library() -> list[dict[str, Any]]:
    """Named energies of the workspace; those that come with the program where none were saved."""
    kept = workspace().catalog.setting(LIBRARY)
    if kept is None:
        return [{"name": m.name, "energy": m.energy, "edge": m.edge, "note": m.source} for m in MARKERS]
    return [dict(m) for m in kept]


def markers(query: Query) -> list[str]:
    """The lines to be drawn, as ``name@energy``: all of this edge's, those that the address names, or none."""
    return [f"{m['name']}@{m['energy']}" for m in library() if m["edge"] == edge(query) and is_drawn(query, m["name"])]


def is_drawn(query: Query, name: str) -> bool:
    """Whether the address asks for a marker line; what stands after ``~`` tells editions of the library apart."""
    wanted = query.get("markers", "all").partition("~")[0]
    return wanted == "all" or name in wanted.split(",")


def sentence(query: Query) -> str:
    """The recipe and the calibration in a line, for the head of the page."""
    said = calibration(query)
    changed = [n for n in FIELDS if query.get(n)]
    name = f"Recipe: {chosen(query)}" + (f", changed ({', '.join(changed)})" if changed else "")
    if said["calibrate"] == "none":
        return f"{name}. Energies not calibrated."
    if said["calibrate"] == "template":
        return f"{name}. Energies aligned with a template."
    assigned = f" at {float(said['assigned']):g} eV" if said.get("assigned") else ""
    return f"{name}. Energies on {said['standard']}{assigned}."
