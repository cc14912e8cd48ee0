"""Jobs in worker processes: Pebble's pool, spawned; cancelling ends that job's process only. What was asked for last runs next."""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from analysis.core import settings

if TYPE_CHECKING:
    from pebble import ProcessPool

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Task:
    """Work that a pool was given: what its giver holds, and the process pool's own future once a worker has it."""

    fn: Callable[..., object]
    args: tuple[object, ...]
    promise: Future[Any]
    future: Future[Any] | None = None


class Pool:
    """Spawned worker processes; each has its share of the cores and of the memory. What was asked for last runs next.

    They import the main module again: a script that makes a pool needs ``if __name__ == "__main__"``.
    """

    def __init__(self, workers: int | None = None) -> None:
        self._count = workers or settings.workers()
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            # Read when the spawned workers import numpy; more threads than cores made a fit ten times slower.
            os.environ.setdefault(name, "1")
        self._lock = threading.RLock()  # what has ended already calls back from the thread that asks
        self._waiting: list[_Task] = []  # the next one last
        self._running: list[_Task] = []
        self._closed = False
        self._pool = self._start()

    def _start(self) -> "ProcessPool":
        from pebble import ProcessPool

        return ProcessPool(
            max_workers=self._count,
            context=multiprocessing.get_context("spawn"),
            initializer=start_worker,
            initargs=(settings.memory_bytes() // self._count, settings.threads_per_worker(self._count)),
        )

    def submit(self, fn: Callable[..., object], *args: object) -> Future[Any]:
        task = _Task(fn, args, Future())
        with self._lock:
            self._waiting.append(task)
            self._fill()
        return task.promise

    def _fill(self) -> None:
        """Give idle workers what was asked for last. The lock is held."""
        while self._waiting and len(self._running) < self._count:
            if not self._pool.active:  # Pebble gives up when a worker that has nothing to do is killed
                log.warning("the worker processes are started again")
                # Elsewhere: what the old pool still holds calls back, and must not find the lock held.
                threading.Thread(target=_stop, args=(self._pool,), daemon=True).start()
                self._pool = self._start()
            task = self._waiting.pop()
            self._running.append(task)
            task.future = self._pool.schedule(task.fn, args=task.args)
            task.future.add_done_callback(partial(self._ended, task))

    def _ended(self, task: _Task, _future: Future[Any]) -> None:
        with self._lock:
            if task in self._running:
                self._running.remove(task)
            if not self._closed:
                self._fill()
        _pass_on(task)

    def cancel(self, future: Future[Any]) -> None:
        with self._lock:
            task = next((t for t in (*self._waiting, *self._running) if t.promise is future), None)
            if task is not None and task in self._waiting:
                self._waiting.remove(task)
        if task is None or task.future is None:
            future.cancel()
        else:
            task.future.cancel()  # Pebble ends the process that runs it

    def prefer(self, future: Future[Any]) -> None:
        """Run this next, if it waits."""
        with self._lock:
            task = next((t for t in self._waiting if t.promise is future), None)
            if task is not None:
                self._waiting.remove(task)
                self._waiting.append(task)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        _stop(self._pool)


def _stop(pool: "ProcessPool") -> None:
    pool.stop()
    pool.join()


def _pass_on(task: _Task) -> None:
    """How a task ended, told to whoever holds its promise."""
    if task.future is None or task.promise.done():
        return
    if task.future.cancelled():
        task.promise.cancel()
    elif (problem := task.future.exception()) is not None:
        task.promise.set_exception(problem)
    else:
        task.promise.set_result(task.future.result())


def start_worker(memory_bytes: int, threads: int) -> None:
    """Make a fresh worker ready: its limits, its end with the server's, and the modalities (with their kernels) imported."""
    # Before numba is imported; not in the server, whose own numba may run already with another number.
    os.environ.setdefault("NUMBA_NUM_THREADS", str(threads))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a cancelled job ends inside a compiled kernel too; nothing needs tidying
    if (server := multiprocessing.parent_process()) is not None:
        threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    if sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory_bytes if most == resource.RLIM_INFINITY else min(memory_bytes, most)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    import_module("analysis.modalities").registry()


def _end_with(server: BaseProcess) -> None:
    server.join()
    os._exit(1)
