"""How spectra are processed, as the address says it: a recipe by name, fields that differ from it, and the standard."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.errors import ParamError
from analysis.core.run import Request
from analysis.spectra.edges import MARKERS, STANDARDS, Standard
from analysis.spectra.normalising import PRESETS
from analysis.spectra.processing import ProcessParams
from components.context import workspace
from components.spectra_samples import by_id, edge, nearest, references, standards
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


def base(query: Query) -> dict[str, Any]:
    """What the recipe of that name says, without what the address changes."""
    name = chosen(query)
    return {"preset": name} if name in PRESETS else dict(saved()[name]["fields"])


def fields(query: Query) -> dict[str, Any]:
    """The recipe with what the address changes, calibration left out."""
    return {**base(query), **{n: query[n] for n in FIELDS if query.get(n)}}


def calibration(query: Query) -> dict[str, Any]:
    """Standard, feature and assigned energy; ``cell`` is the standard's cell or None, ``template`` a measurement's id."""
    known, wanted = standards(query), query.get("cal", "auto")
    if wanted == "auto":
        wanted = next((f"c{cell_id}" for cell_id, _, standard in known if standard is not None), "none")
    if wanted.startswith("t") and wanted[1:].isdigit():
        return {"calibrate": "template", "template": wanted[1:]}
    cell = next((k for k in known if wanted == f"c{k[0]}"), None)
    if wanted != "foil" and cell is None:
        return {"calibrate": "none"}
    standard = cell[2] if cell else _foil(query)
    energy = query.get("calenergy") or base(query).get("assigned") or (standard.energy if standard else None)
    feature = query.get("calfeature") or (standard.feature if standard else "white_line")
    name = standard.name if standard else cell[1] if cell else "foil"
    how = {"calibrate": "standard", "cell": cell[0]} if cell else {"calibrate": "foil"}
    return {**how, "standard": name, "feature": feature, "assigned": energy}


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
    own = [m for m in library() if m["edge"] == edge(query)]
    wanted = query.get("markers", "all")
    named = set(listed(query, "markers"))
    return [f"{m['name']}@{m['energy']}" for m in own if wanted == "all" or m["name"] in named]


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
