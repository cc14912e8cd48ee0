"""Run work without blocking: queue, progress, cancel; a page may leave and come back.

A job is ``(kind, payload)`` under a key. Its note (state, fraction, message) lies in the workspace's cache, so that every
process and every page sees the same. Executors share one protocol: ``Inline`` runs at once (tests, command line), ``analysis.pool``
has worker processes.
"""

import logging
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

import psutil
from diskcache import Cache, JSONDisk
from filelock import FileLock, Timeout

from analysis.core import settings
from analysis.core.errors import ParamError, UserError
from analysis.core.progress import reporting
from analysis.core.store import Store

log = logging.getLogger(__name__)

State = Literal["unknown", "queued", "running", "done", "failed", "cancelled"]
ACTIVE = ("queued", "running")
KEEP_NOTES_S = 14 * 24 * 3600
PROGRESS_S = 0.1
SWEEP_AFTER_S = 5.0
DIED: dict[str, Any] = {"message": "The worker process died, perhaps for lack of memory.", "hint": "Try again."}
STOPPED: dict[str, Any] = {"message": "The program was stopped while this job ran.", "hint": "Start it again."}


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
    run: str = ""  # one submission; notes of an earlier one under the same key are refused
    pid: int = 0  # process that runs it

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class Executor(Protocol):
    """Something that calls ``fn(*args)`` now or later, can stop it, and can be asked to do it next."""

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]: ...
    def cancel(self, future: Future[Any]) -> None: ...
    def prefer(self, future: Future[Any]) -> None: ...
    def close(self) -> None: ...


class Inline:
    """At once, in this process."""

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future

    def cancel(self, future: Future[Any]) -> None:
        future.cancel()

    def prefer(self, future: Future[Any]) -> None:
        return

    def close(self) -> None:
        return


# -- notes -----------------------------------------------------------------------------------------------------------------


@cache
def _notes(root: Path) -> Cache:
    # JSON, never pickle: a workspace may come from somebody else.
    return Cache(str(root / "cache" / "jobs"), disk=JSONDisk)


def note(root: Path, status: Status) -> None:
    _notes(root).set(status.key, asdict(status), expire=KEEP_NOTES_S)


def advance(root: Path, status: Status) -> bool:
    """Write the next note of a run, unless that run was ended or another one has taken its key."""
    with _notes(root).transact(retry=True):
        known = noted(root, status.key)
        if known.run != status.run or not known.active:
            return False
        note(root, status)
        return True


def noted(root: Path, key: str) -> Status:
    """What was last noted of a job; see ``Jobs.status`` for what that means."""
    found = _notes(root).get(key, retry=True)
    names = {f.name for f in fields(Status)}
    return Status(**{n: v for n, v in found.items() if n in names}) if isinstance(found, dict) else Status(key)


# -- the worker's side -------------------------------------------------------------------------------------------------------


class _Ended(Exception):
    """The job that runs was cancelled, or given up by its server."""


def execute(root: str, task: str, payload: Mapping[str, Any], queued: Status) -> None:
    """Run ``task`` ("module:function") as ``function(store, payload)``; note its progress and its end."""
    home = Path(root)
    status = replace(queued, state="running", since=settings.now(), pid=os.getpid())
    if not advance(home, status):
        return  # cancelled while it waited
    try:
        module, _, function = task.partition(":")
        with reporting(_Progress(home, status)):
            result = getattr(import_module(module), function)(Store(home), payload)
        end = replace(status, state="done", fraction=1.0, result=str(result or ""))
    except _Ended:
        return
    except UserError as err:
        end = replace(status, state="failed", message=err.message, hint=err.hint)
    except MemoryError:
        hint = "Close other work, or set INTERPLAY_WORKERS=1 so that one job has all the memory."
        end = replace(status, state="failed", message="This job needs more memory than its worker has.", hint=hint)
    except Exception:
        incident = uuid.uuid4().hex[:8]
        log.exception("job %s failed, incident %s", status.key, incident)
        message, hint = "This is a fault in the program, not in your data.", f"Please report incident {incident}."
        end = replace(status, state="failed", message=message, hint=hint, incident=incident)
    advance(home, end)


class _Progress:
    """Notes what a job reports, at most every ``PROGRESS_S``; ends the job when it was cancelled."""

    def __init__(self, home: Path, status: Status) -> None:
        self._home, self._status, self._last = home, status, -math.inf

    def __call__(self, fraction: float, message: str) -> None:
        now = time.monotonic()
        if now - self._last < PROGRESS_S:
            return
        self._last = now
        if not advance(self._home, replace(self._status, fraction=fraction, message=message)):
            raise _Ended


# -- the server's side -------------------------------------------------------------------------------------------------------


@dataclass
class _Running:
    """A job of this process: its submission, its claim, and its future once the executor has taken it."""

    run: str
    claim: FileLock
    future: Future[Any] | None = None


class Jobs:
    """The jobs of one workspace, as one server process sees them."""

    def __init__(self, store: Store, executor: Executor) -> None:
        self.store = store
        self._executor = executor
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()
        self._claims = self.store.root / "cache" / "claims"
        self._claims.mkdir(parents=True, exist_ok=True)

    def warm(self) -> None:
        """Start the executor's workers now, so that the first job need not wait for them."""
        self._executor.submit(os.getpid)

    def submit(self, key: str, task: str, payload: Mapping[str, Any], *, title: str = "") -> Status:
        """Queue ``task`` under ``key`` unless somebody already has: two users who ask for one result share one job."""
        queued = Status(key, "queued", title, since=settings.now(), run=uuid.uuid4().hex)
        with self._lock:
            # Whoever only looks whether a job is alive holds its claim for a moment: wait for that long.
            claim = None if key in self._running else self._claim(key, wait_s=0.05)
            if claim is None:
                return noted(self.store.root, key)
            note(self.store.root, queued)
            self._running[key] = _Running(queued.run, claim)
        # Outside the lock: the inline executor runs the whole job here.
        try:
            future = self._executor.submit(execute, str(self.store.root), task, dict(payload), queued)
        except BaseException:
            self._release(queued)
            raise
        with self._lock:
            if (entry := self._running.get(key)) is not None and entry.run == queued.run:
                entry.future = future
        future.add_done_callback(lambda f: self._ended(queued, f))
        return noted(self.store.root, key)

    def status(self, key: str) -> Status:
        """What is known of a job; one whose server or worker died without saying so counts as failed."""
        status = noted(self.store.root, key)
        if not status.active:
            return status
        if key in self._running:
            if status.pid and not psutil.pid_exists(status.pid):  # Pebble loses a task if it ends the worker that just took it
                advance(self.store.root, replace(status, state="failed", **DIED))
                self._give_up(status)
        elif (claim := self._claim(key)) is not None:
            advance(self.store.root, replace(status, state="failed", **STOPPED))
            claim.release()
        return noted(self.store.root, key)

    def cancel(self, key: str) -> Status:
        """End a queued or running job, and only that one; a job of another server process ends at its next report."""
        with _notes(self.store.root).transact(retry=True):
            before = noted(self.store.root, key)
            if before.active:
                note(self.store.root, replace(before, state="cancelled", message="Cancelled."))
        with self._lock:
            entry = self._running.get(key)
        if before.state == "queued":
            self._release(before)  # the worker that comes to it sees the note
        elif before.state == "running" and entry is not None and entry.run == before.run and entry.future is not None:
            self._executor.cancel(entry.future)
        return self.status(key)

    def prefer(self, key: str) -> None:
        """Have a job that waits run next: somebody looks at what needs it."""
        with self._lock:
            entry = self._running.get(key)
        if entry is not None and entry.future is not None:
            self._executor.prefer(entry.future)

    def recent(self) -> list[Status]:
        """All noted jobs, the latest first."""
        found = [self.status(k) for k in _notes(self.store.root).iterkeys()]
        return sorted((s for s in found if s.state != "unknown"), key=lambda s: s.since, reverse=True)

    def forget(self, key: str) -> None:
        """Drop the note of a job that has ended, so that it can be tried again."""
        if not self.status(key).active and (claim := self._claim(key)) is not None:
            _notes(self.store.root).delete(key, retry=True)
            with suppress(PermissionError):  # Windows removes it on release
                Path(claim.lock_file).unlink(missing_ok=True)
            claim.release()

    def forget_finished(self) -> None:
        for status in self.recent():
            self.forget(status.key)

    def close(self) -> None:
        """Stop the executor; jobs that have not ended count as failed."""
        left = [noted(self.store.root, key) for key in list(self._running)]
        for status in left:
            advance(self.store.root, replace(status, state="failed", **STOPPED))
        self._executor.close()
        for status in left:
            self._release(status)

    def _claim(self, key: str, *, wait_s: float = 0.0) -> FileLock | None:
        """A lock that dies with its process, so that no stale claim survives a crash."""
        if not key.replace("-", "").replace(".", "").isalnum():
            raise ParamError(f"'{key}' is not the name of a job.")
        lock = FileLock(self._claims / f"{key}.lock", thread_local=False)
        try:
            lock.acquire(timeout=wait_s, poll_interval=0.01)
        except Timeout:
            return None
        return lock

    def _release(self, status: Status) -> None:
        with self._lock:
            entry = self._running.get(status.key)
            if entry is not None and entry.run == status.run:
                del self._running[status.key]
                entry.claim.release()

    def _give_up(self, status: Status) -> None:
        """Let go of a job whose process is gone, so that its worker's place is free again."""
        with self._lock:
            entry = self._running.get(status.key)
        self._release(status)
        if entry is not None and entry.run == status.run and entry.future is not None:
            self._executor.cancel(entry.future)

    def _ended(self, queued: Status, future: Future[Any]) -> None:
        try:
            advance(self.store.root, _how_it_ended(queued, future))
        finally:
            self._release(queued)
        if future.cancelled():  # its process is being ended just now
            sweeper = threading.Timer(SWEEP_AFTER_S, self.store.sweep)
            sweeper.daemon = True
            sweeper.start()
        else:
            self.store.sweep()


def _how_it_ended(queued: Status, future: Future[Any]) -> Status:
    """The end of a job whose worker could not note it itself."""
    try:
        future.result(timeout=0)
    except CancelledError:
        return replace(queued, state="cancelled", message="Cancelled.")
    except Exception as err:  # the worker process died: killed, out of memory, crashed in compiled code
        log.warning("worker of %s died: %r", queued.key, err)
    return replace(queued, state="failed", **DIED)
