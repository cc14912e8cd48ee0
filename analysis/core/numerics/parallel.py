"""Compiled loops over parts of an array in as many threads as the process was given."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from numba import get_num_threads


def in_parts(work: Callable[[int, int], object], length: int, *, part: int = 1) -> None:
    """Call ``work(start, stop)`` for consecutive parts of ``range(length)``, in threads; kernels must release the lock.

    Parts begin at multiples of ``part``. What is written must not overlap between parts, so that threads change no bit.
    """
    threads = get_num_threads()
    size = max(part, -(-length // (4 * threads * part)) * part)
    starts = range(0, length, size)
    if threads == 1 or len(starts) == 1:
        for start in starts:
            work(start, min(start + size, length))
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, start, min(start + size, length)) for start in starts]:
            done.result()
