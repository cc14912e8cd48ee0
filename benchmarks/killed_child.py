"""What the part ``crash`` kills: a program that imports, or one that runs jobs, until it dies.

``python -m benchmarks.killed_child imports|jobs WORKSPACE READY SEED FILE…``
"""

import itertools
import random
import sys
import time
from pathlib import Path
from typing import Any

from analysis.catalog import CellFields, MeasurementRecord
from analysis.core.jobs import Jobs
from analysis.core.run import plan
from analysis.pool import Pool
from analysis.tasks import IMPORT, RUN
from analysis.workspace import Workspace


def import_for_ever(workspace: Workspace, ready: Path, seed: int, files: list[Path]) -> None:
    """Every file again and again, each time for another cell, with a reader option that makes it new where there is one."""
    chance = random.Random(seed)
    for k in itertools.count():
        ready.touch()
        workspace.import_files([_changed(chance.choice(files), ready, chance)], cell=CellFields(name=f"cell {seed} {k}", group="coated"))


def run_jobs_for_ever(workspace: Workspace, ready: Path, seed: int, files: list[Path]) -> None:
    """Imports and requests with ever new parameters through the process pool."""
    chance = random.Random(seed)
    made = workspace.import_files([files[seed % len(files)]], cell=CellFields(name=f"cell {seed}"), again=True)
    jobs = Jobs(workspace.store, Pool())
    jobs.submit("warm", RUN, _request(workspace, made, 0.5))
    _wait(jobs, ["warm"])
    ready.touch()
    while True:
        keys = []
        for _ in range(4):
            request = _request(workspace, made, chance.uniform(1.0, 100.0))
            keys.append(jobs.submit(request["key"], RUN, request).key)
        file = _changed(chance.choice(files), ready, chance)
        cell = {"name": f"cell {seed} {chance.random()}"}
        keys.append(jobs.submit(f"j-import{chance.randrange(10**9)}", IMPORT, {"paths": [str(file)], "cell": cell}).key)
        _wait(jobs, keys)


def _changed(file: Path, ready: Path, chance: random.Random) -> Path:
    """A copy under another name: the name is part of a dataset's key, so that all of it is written anew."""
    copy = ready.parent / f"{chance.randrange(10**9)}-{file.name}"
    copy.write_bytes(file.read_bytes())
    return copy


def _request(workspace: Workspace, made: MeasurementRecord, mass_mg: float) -> dict[str, Any]:
    request = workspace.request("cycling.summary", made, {"active_mass_mg": mass_mg})
    return {"request": request.model_dump(mode="json"), "key": plan(request, workspace.registry).key}


def _wait(jobs: Jobs, keys: list[str]) -> None:
    while any(jobs.status(k).active for k in keys):
        time.sleep(0.01)


if __name__ == "__main__":
    kind, root, mark, number, *names = sys.argv[1:]
    act = {"imports": import_for_ever, "jobs": run_jobs_for_ever}[kind]
    act(Workspace(Path(root)), Path(mark), int(number), [Path(n) for n in names])
