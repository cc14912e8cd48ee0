"""How a contender is driven: one request a line on standard input, one JSON answer a line on standard output.

Imports happen before the first request and are not timed. A request is ``{"task": NAME, "file": PATH}``; the answer holds the
seconds of one call and what came out of it, or the error. Runs inside each contender's own environment: nothing but the
standard library is imported here.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Task = Callable[[str], Mapping[str, Any]]


def serve(version: str, tasks: Mapping[str, Task]) -> None:
    """Answer requests until standard input ends; what libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps({"version": version, "tasks": sorted(tasks)}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_answer(tasks[request["task"]], request["file"])), file=answers, flush=True)


def _answer(task: Task, path: str) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        found = task(path)
    except BaseException as err:  # noqa: BLE001 - whatever a foreign program raises is its result
        return {"error": f"{type(err).__name__}: {err}"[:300].replace("\n", " ")}
    return {"seconds": time.perf_counter() - started, **found}


def cycles(charge: Iterable[float], discharge: Iterable[float], rows: int) -> dict[str, Any]:
    """The numbers that are compared: charge and discharge capacities of the cycles, in mA h."""
    return {"rows": int(rows), "charge": [float(v) for v in charge], "discharge": [float(v) for v in discharge]}
