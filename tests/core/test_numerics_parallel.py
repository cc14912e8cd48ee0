"""Loops in threads: every part once, in a thread that gives out no more; errors of a part are told."""

import multiprocessing
import threading

import numba
import numpy as np
import pytest

from analysis.core.numerics.parallel import in_parts


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one core")
    numba.set_num_threads(2)


def _counted(length: int) -> list[int]:
    seen = np.zeros(length, int)

    def work(start: int, stop: int) -> None:
        in_parts(lambda a, b: np.add(seen[start + a : start + b], 1, out=seen[start + a : start + b]), stop - start)

    in_parts(work, length)
    return sorted(set(seen.tolist()))


@pytest.mark.parametrize("length", [1, 7, 100])
def test_each_index_is_visited_once_even_from_within_a_part(length: int) -> None:
    assert _counted(length) == [1]


def test_parts_begin_at_multiples_and_all_threads_work() -> None:
    starts, names, both = [], set(), threading.Barrier(2, timeout=10)

    def work(start: int, stop: int) -> None:
        starts.append(start)
        names.add(threading.current_thread().name)
        if start in (0, 16):  # two parts at once: neither ends before the other has begun
            both.wait()

    in_parts(work, 100, part=16)
    assert sorted(starts) == list(range(0, 100, 16))
    assert len(names) == 2


def test_an_error_of_a_part_comes_out_after_all_parts_have_ended() -> None:
    ended = []

    def work(start: int, stop: int) -> None:
        if start == 0:
            raise ValueError("of the first part")
        ended.append(start)

    with pytest.raises(ValueError, match="of the first part"):
        in_parts(work, 8)
    assert sorted(ended) == list(range(1, 8))


def test_a_forked_process_starts_threads_of_its_own() -> None:
    assert _counted(50) == [1]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_counted, (50,)).get(timeout=20) == [1]
