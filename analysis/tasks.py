"""What runs as a job: each takes the store of its workspace and a JSON payload, reports progress, returns a short text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analysis.catalog import CellFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.core.run import Request, report, run, stage
from analysis.core.store import Store
from analysis.demo.study import write_study
from analysis.inspection import inspect
from analysis.modalities import registry
from analysis.staging import Staging
from analysis.workspace import TITLE, Workspace

RUN = "analysis.tasks:run_request"
IMPORT = "analysis.tasks:import_files"
DEMO = "analysis.tasks:make_demo"
INSPECT = "analysis.tasks:inspect_staged"
MANIFEST = "analysis.tasks:import_manifest"

STUDY_SEED = 2025


def run_request(store: Store, payload: Mapping[str, Any]) -> str:
    """Compute a request; the key that the server promised must come out."""
    request = Request.model_validate(payload["request"])
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
    """Write the synthetic study's cycler files, import them like any others, and have the first results ready."""
    workspace = Workspace(store.root)
    with store.scratch() as folder:
        report(0.0, "making synthetic cycler files")
        write_study(
            folder, seed=int(payload.get("seed", STUDY_SEED)), report=lambda done: report(0.5 * done, "making synthetic cycler files")
        )
        with stage(0.5, 0.9):
            made = workspace.import_manifest(folder / "manifest.csv")
    report(0.9, "first results")
    for measurement in made:
        workspace.ready(workspace.request("cycling.summary", measurement))
    workspace.catalog.set_setting(TITLE, "Synthetic study")
    return f"{len(made)} measurements"


def inspect_staged(store: Store, payload: Mapping[str, Any]) -> str:
    """Say what a waiting file is; the answer, with what was asked, lies beside it."""
    workspace, staging = Workspace(store.root), Staging(store.root)
    staged, asked = staging.entry(payload["sid"]), dict(payload["asked"])
    memory = workspace.catalog.mapping_for
    found = inspect(staged.path, registry(), reader_id=asked["reader"], options=asked["options"], remembered=memory)
    staging.tell(staged.sid, {**found.model_dump(mode="json"), "asked": asked})
    return found.kind


def import_manifest(store: Store, payload: Mapping[str, Any]) -> str:
    """Import everything that a waiting manifest names; return how many measurements came of it."""
    path = Staging(store.root).lay_out(payload["sid"], {spelled: Path(p) for spelled, p in payload["files"].items()})
    return str(len(Workspace(store.root).import_manifest(path, again=bool(payload.get("again")))))
