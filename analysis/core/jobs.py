"""Run work without blocking: queue, progress, cancel; a page may leave and come back.

A job is ``(kind, payload)`` under a key. Its note (state, fraction, message) lies in the workspace's cache, so that every
process and every page sees the same. Executors share one protocol: ``Inline`` runs at once (tests, command line), ``Pool``
uses Pebble's process pool (spawned workers; cancelling ends that job's process only).
"""

import logging
import multiprocessing
import os
import threading
import traceback
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

from diskcache import Cache, JSONDisk
from filelock import FileLock, Timeout

from analysis.core import settings
from analysis.core.errors import ParamError, UserError
from analysis.core.run import reporting
from analysis.core.store import Store

log = logging.getLogger(__name__)

State = Literal["unknown", "queued", "running", "done", "failed", "cancelled"]
ACTIVE = ("queued", "running")
KEEP_NOTES_S = 14 * 24 * 3600


@dataclass(frozen=True)
class Status:
    """What is known of a job."""

    key: str
    state: State = "unknown"
    title: str = ""
    fraction: float = 0.0
    message: str = ""
    hint: str = ""
    incident: str = ""
    result: str = ""
    since: str = ""

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class Executor(Protocol):
    """Something that calls ``fn(*args)`` now or later and can stop it."""

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]: ...
    def cancel(self, future: Future[Any]) -> None: ...
    def close(self) -> None: ...


class Inline:
    """At once, in this process."""

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future

    def cancel(self, future: Future[Any]) -> None:
        future.cancel()

    def close(self) -> None:
        return


class Pool:
    """Spawned worker processes; each has its share of the cores and of the memory."""

    def __init__(self, workers: int | None = None) -> None:
        from pebble import ProcessPool

        count = workers or settings.workers()
        _limit_threads(settings.threads_per_worker())
        self._pool = ProcessPool(
            max_workers=count,
            context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(settings.memory_bytes() // count,),
        )

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]:
        return self._pool.schedule(fn, args=args)  # type: ignore[no-any-return]

    def cancel(self, future: Future[Any]) -> None:
        future.cancel()  # Pebble ends the process that runs it

    def close(self) -> None:
        self._pool.stop()
        self._pool.join()


def _limit_threads(count: int) -> None:
    # Read by BLAS and numba when the spawned workers import them; more threads than cores made a fit ten times slower.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("NUMBA_NUM_THREADS", str(count))


def start_worker(memory_bytes: int) -> None:
    """Make a fresh worker ready: its memory limit, and the modalities (with their compiled kernels) imported."""
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    import_module("analysis.modalities").registry()


# -- notes -----------------------------------------------------------------------------------------------------------------


@cache
def _notes(root: Path) -> Cache:
    # JSON, never pickle: a workspace may come from somebody else.
    return Cache(str(root / "cache" / "jobs"), disk=JSONDisk)


def note(root: Path, status: Status) -> None:
    _notes(root).set(status.key, asdict(status), expire=KEEP_NOTES_S)


def _noted(root: Path, key: str) -> Status:
    found = _notes(root).get(key)
    return Status(**found) if isinstance(found, dict) else Status(key)


# -- the worker's side -------------------------------------------------------------------------------------------------------


def execute(root: str, key: str, task: str, payload: Mapping[str, Any], title: str) -> None:
    """Run ``task`` ("module:function") as ``function(store, payload)``; note its progress and its end."""
    home = Path(root)
    status = Status(key, "running", title, since=settings.now())
    note(home, status)

    def progress(fraction: float, message: str) -> None:
        note(home, Status(key, "running", title, fraction, message, since=status.since))

    module, _, function = task.partition(":")
    try:
        with reporting(progress):
            result = getattr(import_module(module), function)(Store(home), payload)
        note(home, Status(key, "done", title, 1.0, result=str(result or ""), since=status.since))
    except UserError as err:
        note(home, Status(key, "failed", title, message=err.message, hint=err.hint, since=status.since))
    except MemoryError:
        hint = "Close other work, or set INTERPLAY_WORKERS=1 so that one job has all the memory."
        note(home, Status(key, "failed", title, message="This job needs more memory than its worker has.", hint=hint, since=status.since))
    except Exception:
        incident = uuid.uuid4().hex[:8]
        log.exception("job %s failed, incident %s\n%s", key, incident, traceback.format_exc())
        message = "This is a fault in the program, not in your data."
        note(
            home,
            Status(
                key, "failed", title, message=message, hint=f"Please report incident {incident}.", incident=incident, since=status.since
            ),
        )


# -- the server's side -------------------------------------------------------------------------------------------------------


class Jobs:
    """The jobs of one workspace, as one server process sees them."""

    def __init__(self, store: Store, executor: Executor) -> None:
        self.store = store
        self._executor = executor
        self._running: dict[str, tuple[Future[Any], FileLock]] = {}
        self._lock = threading.Lock()
        (self.store.root / "cache" / "claims").mkdir(parents=True, exist_ok=True)

    def submit(self, key: str, task: str, payload: Mapping[str, Any], *, title: str = "") -> Status:
        """Queue ``task`` under ``key`` unless somebody already has: two users who ask for one result share one job."""
        with self._lock:
            if key in self._running:
                return _noted(self.store.root, key)
            claim = self._claim(key)
            if claim is None:
                return _noted(self.store.root, key)
            note(self.store.root, Status(key, "queued", title, since=settings.now()))
            future = self._executor.submit(execute, str(self.store.root), key, task, dict(payload), title)
            self._running[key] = (future, claim)
        future.add_done_callback(lambda f: self._ended(key, title, f))
        return _noted(self.store.root, key)

    def status(self, key: str) -> Status:
        """What is known of a job; one whose server died without saying so counts as failed."""
        status = _noted(self.store.root, key)
        if status.active and key not in self._running and (claim := self._claim(key)) is not None:
            claim.release()
            again = _noted(self.store.root, key)
            if again.active:
                return Status(key, "failed", status.title, message="The program was stopped while this job ran.", hint="Start it again.")
            return again
        return status

    def cancel(self, key: str) -> Status:
        """End a queued or running job, and only that one."""
        with self._lock:
            entry = self._running.get(key)
        if entry is not None:
            self._executor.cancel(entry[0])
        return self.status(key)

    def recent(self) -> list[Status]:
        """All noted jobs, the latest first."""
        found = [self.status(k) for k in _notes(self.store.root).iterkeys()]
        return sorted(found, key=lambda s: s.since, reverse=True)

    def forget_finished(self) -> None:
        for status in self.recent():
            if not status.active:
                _notes(self.store.root).delete(status.key)

    def close(self) -> None:
        self._executor.close()

    def _claim(self, key: str) -> FileLock | None:
        """A lock that dies with its process, so that no stale claim survives a crash."""
        if not key.replace("-", "").replace(".", "").isalnum():
            raise ParamError(f"'{key}' is not the name of a job.")
        lock = FileLock(self.store.root / "cache" / "claims" / f"{key}.lock", thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock

    def _ended(self, key: str, title: str, future: Future[Any]) -> None:
        status = _noted(self.store.root, key)
        if status.active:
            note(self.store.root, _how_it_ended(status, title, future))
        with self._lock:
            _, claim = self._running.pop(key)
        claim.release()
        self.store.sweep()


def _how_it_ended(status: Status, title: str, future: Future[Any]) -> Status:
    """The end of a job whose worker could not note it itself."""
    try:
        future.result(timeout=0)
    except CancelledError:
        return Status(status.key, "cancelled", title, message="Cancelled.", since=status.since)
    except Exception as err:  # the worker process died: killed, out of memory, crashed in compiled code
        log.warning("worker of %s died: %r", status.key, err)
    return Status(
        status.key, "failed", title, message="The worker process died, perhaps for lack of memory.", hint="Try again.", since=status.since
    )
