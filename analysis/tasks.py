"""What runs as a job: each takes the store of its workspace and a JSON payload, reports progress, returns a short text."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from analysis import cluster
from analysis.catalog import CellFields, HarvestFields, MeasurementFields, MeasurementRecord, ParticleFields
from analysis.core import settings
from analysis.core.registry import Reader
from analysis.core.run import Request, report, run, stage
from analysis.core.store import Store
from analysis.demo.particle_study import write_particles
from analysis.demo.spectra_study import write_spectra
from analysis.demo.study import write_study
from analysis.inspection import columns_signature, inspect, inspect_together
from analysis.modalities import registry
from analysis.staging import Staging
from analysis.workspace import TITLE, Workspace
from analysis.xanes.position import common_position

RUN = "analysis.tasks:run_request"
IMPORT = "analysis.tasks:import_files"
DEMO = "analysis.tasks:make_demo"
INSPECT = "analysis.tasks:inspect_staged"
MANIFEST = "analysis.tasks:import_manifest"

STUDY_SEED = 2025
DEMO_PARTS = ("cycling", "spectra", "particles")


def run_request(store: Store, payload: Mapping[str, Any]) -> str:
    """Compute a request; the key that the server promised must come out."""
    request = Request.model_validate(payload["request"])
    recipe = registry().recipe(request.recipe)
    with cluster.computing(settings.scheduler(), store) if recipe.chunked else nullcontext():
        key = run(request, registry(), store)
    if key != payload["key"]:
        raise RuntimeError(f"this worker made {key}, the server expected {payload['key']}: their code or libraries differ")
    return key


def import_files(store: Store, payload: Mapping[str, Any]) -> str:
    """Import one measurement as the import page described it; return its number."""
    workspace = Workspace(store.root)
    made = workspace.import_files(
        [Path(p) for p in payload["paths"]],
        cell=CellFields.check(payload["cell"]),
        measurement=MeasurementFields.check(payload.get("measurement", {})),
        harvest=HarvestFields.check(payload["harvest"]) if payload.get("harvest") else None,
        particle=ParticleFields.check(payload["particle"]) if payload.get("particle") else None,
        reader_id=payload.get("reader", ""),
        options=payload.get("options"),
        again=bool(payload.get("again")),
    )
    return str(made.id)


def make_demo(store: Store, payload: Mapping[str, Any]) -> str:
    """Write the synthetic study's files, import them like any others, and have the first results ready.

    ``payload`` may give the ``seed``, and for ``cycling``, ``spectra`` and ``particles`` how many and how large.
    """
    workspace = Workspace(store.root)
    seed = int(payload.get("seed", STUDY_SEED))
    size = {part: {"seed": seed, **payload.get(part, {})} for part in DEMO_PARTS}
    with stage(0.0, 0.15):
        made = _demo_part(workspace, "cycler files", "manifest.csv", partial(write_study, **size["cycling"]))
    for measurement in made:
        workspace.ready(workspace.request("cycling.summary", measurement))
    with stage(0.15, 0.2):
        spectra = _demo_part(workspace, "spectra", "spectra_manifest.csv", partial(write_spectra, **size["spectra"]))
    _made(workspace, "spectra.normalise", {"spectra": tuple(k for m in spectra for k in m.dataset_keys)}, {"preset": "S K"})
    with stage(0.2, 0.75):
        particles = _demo_part(workspace, "particles", "particles_manifest.csv", partial(write_particles, **size["particles"]))
    with stage(0.75, 1.0):
        _first_maps(workspace, particles)
    workspace.catalog.set_setting(TITLE, "Synthetic study")
    return f"{len(made) + len(spectra) + len(particles)} measurements"


def _demo_part(workspace: Workspace, what: str, manifest: str, write: Callable[..., object]) -> list[MeasurementRecord]:
    """Files of one kind, written into a folder that goes away, and imported."""
    doing = f"making synthetic {what}"
    report(0.0, doing)
    with workspace.store.scratch() as folder:
        write(folder, report=lambda done: report(0.5 * done, doing))
        with stage(0.5, 1.0):
            return workspace.import_manifest(folder / manifest)


def _first_maps(workspace: Workspace, particles: Sequence[MeasurementRecord]) -> None:
    """Edge maps under one E0, as the pages ask for them, with their distributions; the stack that raw frames make."""
    stacks, scans = (
        [m for m in particles if workspace.recipe_for(recipe, m) == recipe] for recipe in ("xanes.edge_map", "xanes.optical_depth")
    )
    report(0.0, "first results")
    places = [_made(workspace, "xanes.position", {"stack": m.dataset_keys}) for m in stacks]
    e0 = common_position(np.array([workspace.store.open(key).attrs["e0"] for key in places]))
    asked = {"xanes.optical_depth": {}, "xanes.edge_map": {"e0": e0}}
    todo = [("xanes.optical_depth", "frames", m) for m in scans] + [("xanes.edge_map", "stack", m) for m in stacks]
    for done, (recipe, source, measurement) in enumerate(todo):
        with stage(done / len(todo), (done + 1) / len(todo)):
            report(0.0, f"first results of {measurement.cell}, {measurement.particle}")
            key = _made(workspace, recipe, {source: measurement.dataset_keys}, asked[recipe])
            if recipe == "xanes.edge_map":
                _made(workspace, "xanes.distribution", {"edges": key})


def _made(workspace: Workspace, recipe: str, inputs: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> str:
    return run(Request(recipe=recipe, inputs=dict(inputs), params=dict(params or {})), workspace.registry, workspace.store)


def inspect_staged(store: Store, payload: Mapping[str, Any]) -> str:
    """Say what a waiting file is, or the files that are one dataset (``paths``); the answer, with what was asked, lies beside it."""
    workspace, staging = Workspace(store.root), Staging(store.root)
    staged, asked = staging.entry(payload["sid"]), dict(payload["asked"])

    def recall(reader: Reader, path: Path) -> Mapping[str, Any]:
        signature = columns_signature(reader, path)
        return (workspace.catalog.mapping_for(signature) or {}) if signature else workspace.recalled(reader, path)

    def draw(picture: bytes) -> None:
        staging.draw(staged.sid, picture)

    paths = [Path(p) for p in payload.get("paths", ())]
    how: dict[str, Any] = {"reader_id": asked["reader"], "options": asked["options"], "recall": recall, "draw": draw}
    if payload.get("together"):
        found = inspect_together(paths, registry(), **how)
        staging.tell(staged.sid, {**found.model_dump(mode="json"), "asked": asked}, whole=True)
    else:
        found = inspect(paths[0] if paths else staged.path, registry(), **how)
        staging.tell(staged.sid, {**found.model_dump(mode="json"), "asked": asked})
    return found.kind


def import_manifest(store: Store, payload: Mapping[str, Any]) -> str:
    """Import everything that a waiting manifest names; return how many measurements came of it."""
    path = Staging(store.root).lay_out(payload["sid"], {spelled: Path(p) for spelled, p in payload["files"].items()})
    return str(len(Workspace(store.root).import_manifest(path, again=bool(payload.get("again")))))
