"""What the part ``rows`` runs in a process of its own: import one file, summarise it, draw its trace; seconds of each as JSON.

``python -m benchmarks.rows_child FOLDER SMALL FILE``; the small file goes the same way before the clock starts.
"""

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

from analysis.catalog import CellFields
from analysis.core.run import Request, run
from analysis.workspace import Workspace


def main(folder: Path, small: Path, file: Path) -> None:
    _timed(folder / "before", small)
    print(json.dumps(_timed(folder / "workspace", file)))


def _timed(root: Path, file: Path) -> dict[str, float]:
    workspace = Workspace(root)
    marks = [time.perf_counter()]
    made = workspace.import_files([file], cell=CellFields(name="cell"))
    marks.append(time.perf_counter())
    keys = {}
    for recipe in ("cycling.summary", "cycling.trace"):
        keys[recipe] = run(Request(recipe=recipe, inputs={"records": made.dataset_keys}), workspace.registry, workspace.store)
        marks.append(time.perf_counter())
    found = workspace.store.open(keys["cycling.summary"])
    spent = dict(zip(("import", "summary", "trace"), (b - a for a, b in pairwise(marks)), strict=True))
    return {**spent, "rows": int(found.attrs["rows"]), "cycles": int(found.sizes["cycle"])}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
