"""Moments and quantiles part by part against NumPy's of all values at once."""

import itertools

import numpy as np
import pytest

from analysis.core.numerics.streamed import moments_of, quantiles_of

RNG = np.random.default_rng(0)
WANTED = (0.0, 0.05, 0.25, 0.5, 0.75, 1.0)
CASES = {
    "normal": RNG.normal(8345, 0.7, 100_003).astype(np.float32),
    "outlier": np.append(RNG.normal(0, 1e-3, 5000), 1e9),
    "ties": RNG.integers(0, 3, 1000).astype(float),
    "constant": np.full(10, 8345.0),
    "two": np.array([1.0, 2.0]),
    "one": np.array([3.0]),
}


@pytest.mark.parametrize("name", CASES)
def test_equal_numpys(name: str) -> None:
    values = CASES[name]
    cuts = [0, values.size // 7, values.size // 7, values.size // 2, values.size]

    def parts() -> list[np.ndarray]:
        return [values[a:b] for a, b in itertools.pairwise(cuts)]

    found = moments_of(parts)
    exact = values.astype(np.float64)
    assert (found.n, found.low, found.high) == (values.size, exact.min(), exact.max())
    assert found.mean == pytest.approx(exact.mean(), rel=1e-12)
    expected = np.var(exact, ddof=1) if values.size > 1 else np.nan
    assert found.variance == pytest.approx(expected, rel=1e-9, nan_ok=True)
    assert quantiles_of(parts, WANTED, found) == pytest.approx(np.quantile(exact, WANTED), rel=1e-14, abs=1e-300)


def test_nothing_has_no_quantile() -> None:
    found = moments_of(list)
    assert found.n == 0
    assert np.isnan(found.variance)
    assert np.isnan(quantiles_of(list, WANTED, found)).all()
