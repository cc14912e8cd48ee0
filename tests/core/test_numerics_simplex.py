"""Bounded least squares against SciPy's solvers and against the conditions of an optimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from analysis.core.errors import DataError
from analysis.core.numerics.simplex import solve, supports


def problem(count: int, n: int, seed: int, spread: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    parts = rng.random((60, n)) + 0.3
    return (rng.standard_normal((count, n)) * spread + 0.3) @ parts.T + 0.1 * rng.standard_normal((count, 60)), parts


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_weights_equal_nnls(n: int) -> None:
    values, parts = problem(300, n, seed=n)
    found = solve(values, parts, supports(parts, sum_to_one=False))
    for y, w, left in zip(values, found.weights, found.residual, strict=True):
        expected, norm = nnls(parts, y)
        assert w == pytest.approx(expected, abs=1e-9)
        assert left == pytest.approx(norm**2, rel=1e-8)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6))
def test_weights_on_the_simplex_are_optimal(seed: int, n: int) -> None:
    """Karush, Kuhn and Tucker: the slope is equal for all parts in use and not smaller for the others."""
    values, parts = problem(5, n, seed)
    for y, w in zip(values, solve(values, parts, supports(parts, sum_to_one=True)).weights, strict=True):
        assert w.sum() == pytest.approx(1, abs=1e-10)
        assert w.min() >= 0
        slope = parts.T @ (parts @ w - y)
        inside = slope[w > 0]
        assert np.ptp(inside) < 1e-7
        assert slope.min() >= inside.mean() - 1e-7


def test_weights_on_the_simplex_equal_a_general_solver() -> None:
    values, parts = problem(10, 4, seed=3)
    found = solve(values, parts, supports(parts, sum_to_one=True)).weights
    for y, w in zip(values, found, strict=True):
        best = minimize(
            lambda v, y=y: np.sum((y - parts @ v) ** 2),
            np.full(4, 0.25),
            jac=lambda v, y=y: 2 * parts.T @ (parts @ v - y),
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda v: v.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert w == pytest.approx(best.x, abs=1e-5)


def test_gain_is_the_spread_of_weights_under_unit_noise() -> None:
    rng = np.random.default_rng(0)
    parts = rng.random((80, 3))
    values = parts @ [0.3, 0.3, 0.4] + 0.01 * rng.standard_normal((20_000, 80))
    for to_one in (False, True):
        found = solve(values, parts, supports(parts, sum_to_one=to_one))
        assert found.weights.std(axis=0) == pytest.approx(0.01 * found.gain[0], rel=0.03)
        assert (found.used == 3).all()


def test_a_row_without_numbers_has_no_weights_and_spoils_no_other() -> None:
    values, parts = problem(3, 2, seed=0)
    values[1, 5] = np.nan
    found = solve(values, parts, supports(parts, sum_to_one=True))
    assert np.isnan(found.weights[1]).all()
    assert np.isfinite(found.weights[[0, 2]]).all()


def test_parts_that_are_alike_or_too_many_are_refused() -> None:
    parts = np.random.default_rng(0).random((40, 2))
    with pytest.raises(DataError, match="too much alike"):
        supports(np.column_stack([parts, parts.sum(axis=1)]), sum_to_one=False)
    with pytest.raises(DataError, match="11 references are too many"):
        supports(np.random.default_rng(0).random((40, 11)), sum_to_one=False)
