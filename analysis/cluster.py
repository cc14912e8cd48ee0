"""Recipes over chunked arrays, chunk by chunk: by the threads of this process, or spread over a Dask cluster.

A job runs where it always does (in-process, or in a process of the pool). Where a scheduler is named, the arrays of recipes that take
chunks are computed by its workers, which read the inputs from the workspace and write their chunks into it: they must see its folder at
the same path, with the same code and the same libraries, since both stand in a result's key. The graph and its chunks are the same as
without a cluster, and so are the bits. A job that is cancelled leaves the scheduler with its client, and its tasks with it.
"""

import json
import math
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any

from dask.callbacks import Callback

from analysis.core.errors import ParamError, UserError
from analysis.core.progress import report
from analysis.core.store import Store
from analysis.core.versions import library_versions

CONNECT_S = 10
LOOK_S = 0.5  # between two looks at how many chunks are stored
STORING = "chunks stored"


class ClusterError(UserError):
    """The cluster cannot be used."""


@contextmanager
def computing(address: str, store: Store) -> Iterator[None]:
    """Inside, dask arrays are computed by the cluster at ``address``, or by this process's threads where it is ""; both report.

    Raises
    ------
    ClusterError
        The scheduler cannot be reached, has no workers, or its workers are not fit for this workspace.
    """
    if not address:
        with _Reporting():
            yield
        return
    with _connected(address) as client:
        _check_workers(client, store.root)
        import dask

        # Only here: a client that is everybody's default would be asked by later work too, after its cluster has gone.
        with dask.config.set(scheduler=client), _Watch(store.root, client):
            yield


def check(address: str, root: Path) -> int:
    """How many workers stand ready; ``ClusterError`` says why the cluster cannot be used."""
    with _connected(address) as client:
        return _check_workers(client, root)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as err:
        raise ClusterError("The package dask.distributed is not installed.", hint="Install it with: pip install distributed") from err
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except ValueError as err:
        raise ParamError(f"'{address}' is not the address of a scheduler: {err}.", hint="Write it as tcp://host:8786.") from err
    except (OSError, TimeoutError) as err:
        raise ClusterError(
            f"The Dask scheduler at {address} cannot be reached.", hint="Start it with 'dask scheduler', or leave --scheduler out."
        ) from err
    try:
        yield client
    finally:
        client.close()


def _check_workers(client: Any, root: Path) -> int:
    """Refuse workers that would make something else than this process, or could not put it where it belongs."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        raise ClusterError("The Dask scheduler has no workers.", hint="Start some with: dask worker ADDRESS")
    mark = str((root / "format").absolute())
    blind = [w for w, sees in client.run(os.path.isfile, mark).items() if not sees]
    if blind:
        raise ClusterError(f"The worker {blind[0]} does not see the workspace {root}.", hint="Put it on a disk that all workers share.")
    try:
        found: Mapping[str, Mapping[str, str]] = client.run(library_versions)
    except ModuleNotFoundError as err:
        raise ClusterError(f"The workers lack a module of this program: {err.name}.", hint="Start them in its folder.") from err
    own = library_versions()
    for worker, theirs in found.items():
        other = next((n for n in own if theirs.get(n) != own[n]), None)
        if other is not None:
            said = f"The worker {worker} has {other} {theirs.get(other)}, this process {own[other]}."
            raise ClusterError(said, hint="Install the same versions everywhere.")
    return len(workers)


class _Reporting(Callback):
    """Reports how many tasks of the running graph are done."""

    def __init__(self) -> None:
        super().__init__(posttask=self._one_done)

    def _one_done(self, _key: Any, _result: Any, _dsk: Any, state: Mapping[str, Any], _worker: Any) -> None:
        done = len(state["finished"])
        total = done + sum(len(state[k]) for k in ("ready", "waiting", "running"))
        report(done / total if total else 1.0, "computing")


class _Watch:
    """Reports how many chunks lie in the workspace already; where the job was ended meanwhile, its tasks are taken back."""

    def __init__(self, root: Path, client: Any) -> None:
        self._temp, self._client = root / "temp", client
        self._before = set(self._temp.iterdir())
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> None:
        report(0.0, STORING)  # a job that was ended by now sends nothing to the cluster
        context = copy_context()  # what is reported must reach whoever listens to this thread
        self._looking = self._pool.submit(context.run, self._look)
        self._looking.add_done_callback(self._take_back)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._pool.shutdown()
        self._looking.result()  # raises what ended the job

    def _take_back(self, looking: Future[None]) -> None:
        if looking.exception() is not None:
            self._client.close()

    def _look(self) -> None:
        most = 0.0
        while not self._stop.wait(LOOK_S):
            most = max(most, self._fraction())  # what is complete has left the folder that is looked at
            report(most, STORING)

    def _fraction(self) -> float:
        with suppress(FileNotFoundError):  # what is complete is moved away while it is counted
            return self._counted()
        return 0.0

    def _counted(self) -> float:
        made = [p for p in self._temp.iterdir() if p.is_dir() and p not in self._before]
        arrays = [a for p in made for a in p.rglob("zarr.json")]
        wanted = sum(_chunks_of(a) for a in arrays)
        stored = sum(1 for p in made for f in p.rglob("c/**/*") if f.is_file())
        return min(stored / wanted, 1.0) if wanted else 0.0


def _chunks_of(metadata: Path) -> int:
    """How many chunks an array has; 0 for a group, and while its metadata are being written."""
    try:
        told = json.loads(metadata.read_text(encoding="utf-8"))
        shape, chunk = told["shape"], told["chunk_grid"]["configuration"]["chunk_shape"]
    except (OSError, ValueError, KeyError):
        return 0
    return math.prod(-(-n // c) for n, c in zip(shape, chunk, strict=True))
