"""Compiled loops over parts of an array in as many threads as the process was given."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from numba import get_num_threads

PARTS_A_THREAD = 4

_pools: dict[int, ThreadPoolExecutor] = {}  # by threads: starting threads takes longer than many a loop
_inside = threading.local()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # threads do not live on in a forked process


def in_parts(work: Callable[[int, int], object], length: int, *, part: int = 1, parts_a_thread: int = PARTS_A_THREAD) -> None:
    """Call ``work(start, stop)`` for consecutive parts of ``range(length)``, in threads; kernels must release the lock.

    Parts begin at multiples of ``part``. What is written must not overlap between parts, so that threads change no bit. Work that is
    given out from within a part runs in its thread.
    """
    threads = get_num_threads()
    size = max(part, -(-length // (parts_a_thread * threads * part)) * part)
    starts = range(0, length, size)
    if threads == 1 or len(starts) == 1 or getattr(_inside, "now", False):
        for start in starts:
            work(start, min(start + size, length))
        return
    pool = _pools.get(threads) or _pools.setdefault(threads, ThreadPoolExecutor(threads, "numerics"))
    given = [pool.submit(_marked, work, start, min(start + size, length)) for start in starts]
    wait(given)
    for done in given:
        done.result()


def _marked(work: Callable[[int, int], object], start: int, stop: int) -> None:
    _inside.now = True
    try:
        work(start, stop)
    finally:
        _inside.now = False
