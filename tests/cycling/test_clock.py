import numpy as np
import pytest

from analysis.cycling.clock import Clock, from_steps


def added(time: list[float], step_time: list[float] | None = None, *, cut: int | None = None) -> tuple[np.ndarray, Clock]:
    clock = Clock("t")
    values, steps = np.array(time, float), None if step_time is None else np.array(step_time, float)
    pieces = [slice(None)] if cut is None else [slice(0, cut), slice(cut, None)]
    return np.concatenate([clock.add(values[p], None if steps is None else steps[p]) for p in pieces]), clock


def test_a_good_clock_is_left_alone() -> None:
    out, clock = added([0, 10, 10, 35.5])
    np.testing.assert_array_equal(out, [0, 10, 10, 35.5])
    assert clock.warnings == []


@pytest.mark.parametrize("cut", [None, 1, 2, 3, 4, 5])
def test_a_restart_continues(cut: int | None) -> None:
    out, clock = added([0, 100, 200, 0, 100, 200], cut=cut)
    np.testing.assert_array_equal(out, [0, 100, 200, 200, 300, 400])
    assert clock.warnings == ["t: row 4: the clock restarts at 0 s after 200 s; the time continues."]


def test_a_clock_set_back_continues_with_the_step_time() -> None:
    out, clock = added([1000, 1010, 1020, 960, 970], [0, 10, 20, 32, 42])
    np.testing.assert_array_equal(out, [1000, 1010, 1020, 1032, 1042])
    assert clock.warnings == ["t: row 4: the clock jumps back by 60 s; the time continues."]


def test_a_clock_set_back_without_step_time_takes_the_usual_step() -> None:
    out, _ = added([1000, 1010, 1020, 960, 970])
    np.testing.assert_array_equal(out, [1000, 1010, 1020, 1030, 1040])


def test_one_wrong_reading_is_interpolated() -> None:
    for wrong in (0.0, 99999.0):
        out, clock = added([1000, 1010, wrong, 1030, 1040])
        np.testing.assert_array_equal(out, [1000, 1010, 1020, 1030, 1040])
        assert len(clock.warnings) == 1


def test_time_from_steps() -> None:
    begins = np.array([True, False, False, True, False])
    np.testing.assert_array_equal(from_steps(np.array([0.0, 5, 10, 10, 15]), begins, 0.0, 0.0), [0, 5, 10, 20, 25])


def test_a_clock_that_jumps_often_never_runs_backwards_by_a_rounding() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        time = np.cumsum(rng.choice([0.0, 0.0, 1e-5, 3e-5, 0.1], 40)) + rng.uniform(0, 9e4)
        time[rng.choice(40, 3)] -= rng.uniform(0, 1e5, 3)
        assert (np.diff(Clock("t").add(time, None)) >= 0).all()
