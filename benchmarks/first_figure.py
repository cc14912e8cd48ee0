"""From an empty workspace to the first figure of a large file, stage by stage."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import places
from benchmarks.measure import median
from benchmarks.report import Section, Table, count, seconds

FILE = "neware/BTS85-36-6-5-110-20240424.ndax"
ROUNDS, QUICK_ROUNDS = 5, 2
AIM_S = 1.0

# What is timed inside a round: a function of the program, and the name of its stage.
PUT = "store arrays: write, digest, sync, rename"
WAIT = "of which waiting for the disk (sync)"
STAGES = (
    ("analysis.workspace.file_digest", "hash of the file"),
    ("analysis.core.run.file_digest", "hash of the file"),
    ("analysis.core.run.read", "read"),
    ("analysis.core.store.Store.put", PUT),
    ("analysis.core.store.Store.keep_original", "keep the original: copy, digest, sync, rename"),
    ("analysis.catalog.Catalog.add_measurement", "catalog row"),
    ("analysis.core.store._sync", WAIT),
)


def run(*, quick: bool) -> Section:
    rounds = QUICK_ROUNDS if quick else ROUNDS
    path = places.cycling(FILE)
    with places.folder() as folder:
        taken = [_round(path, folder / f"round{k}") for k in range(rounds + 1)][1:]  # the first loads modules and kernels
    total = [t["total"] for t in taken]
    intro = (
        f"`{FILE}` ({count(699_677)} rows, {path.stat().st_size / 1e6:.1f} MB) into a new workspace: hashed, copied, read, stored "
        f"and synced, entered into the catalog; `cycling.summary` computed and stored; the capacity figure as JSON. Modules loaded, file "
        f"in the page cache, {rounds} rounds. Aim: below {seconds(AIM_S)}."
    )
    names = list(dict.fromkeys(n for t in taken for n in t if n != "total"))
    rows = [(name, seconds(median([t.get(name, 0.0) for t in taken])), _share(name, taken)) for name in names]
    rows.append(("**all**", f"**{seconds(median(total))}**", f"{seconds(min(total))} to {seconds(max(total))}"))
    verdict = "Below the aim." if median(total) < AIM_S else "Above the aim."
    return Section(
        "figure",
        "From an empty workspace to the first figure",
        intro,
        (Table("Stages, medians", ("stage", "time", "part"), tuple(rows), (verdict,)),),
    )


def _share(name: str, taken: list[dict[str, float]]) -> str:
    return f"{100 * median([t.get(name, 0.0) / t['total'] for t in taken]):.0f} %"


def _round(path: Path, root: Path) -> dict[str, float]:
    """One import and its first figure; seconds of each stage, and in all."""
    from analysis.catalog import CellFields
    from analysis.core.run import run as compute
    from analysis.workspace import Workspace

    workspace = Workspace(root)
    spent: dict[str, float] = {}
    with _watched(spent):
        started = time.perf_counter()
        made = workspace.import_files([path], cell=CellFields(name="cell", group="coated"))
        imported, asked = dict(spent), time.perf_counter()
        key = compute(workspace.request("cycling.summary", made), workspace.registry, workspace.store)
        summarised = time.perf_counter()
        text = _figure(workspace, key, made)
        ended = time.perf_counter()
    stored = spent[PUT] - imported[PUT]
    if len(text) < 1000:
        raise RuntimeError("the figure is empty")
    stages = {name: took for name, took in imported.items() if name != WAIT}
    stages |= {"summary: compute": summarised - asked - stored, "summary: store": stored, "figure as JSON": ended - summarised}
    stages["everything else"] = ended - started - sum(stages.values())
    return {**stages, WAIT: spent[WAIT], "total": ended - started}


def _figure(workspace: Any, key: str, measurement: Any) -> str:
    from analysis.core.style import Style

    kind = workspace.registry.figure("cycling.capacity")
    figure = kind.build((workspace.labelled(key, measurement),), Style(groups=("coated",)), kind.params())
    return str(figure.to_json())


@contextmanager
def _watched(spent: dict[str, float]) -> Iterator[None]:
    with ExitStack() as stack:
        for target, name in STAGES:
            stack.enter_context(patch(target, _timing(_found(target), name, spent)))
        yield


def _timing(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    @wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - started

    return timed


def _found(target: str) -> Callable[..., Any]:
    from pkgutil import resolve_name

    return resolve_name(target)  # type: ignore[no-any-return]
