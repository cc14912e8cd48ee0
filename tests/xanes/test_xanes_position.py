"""One E0 for many stacks: where single edges are found, and what they have in common."""

import numpy as np
import pytest

from analysis.core.errors import DataError
from analysis.xanes.position import POSITION, PositionParams, common_position, position, summarise
from tests.xanes.xanes_truth import GRID, edge, stack


@pytest.mark.parametrize("center", [8341.0, 8343.0, 8346.0])
def test_the_steepest_rise_is_found_between_air_and_noise(center: float) -> None:
    """Half of the voxels are air; the arctangent's step and the white line's flank are steepest about its centre."""
    rng = np.random.default_rng(3)
    mu = np.where(np.arange(30)[:, None, None] < 15, 0.0, 0.4 * edge(GRID, center)) + 0.01 * rng.standard_normal((30, 20, GRID.size))
    found = POSITION.conform(position(stack=stack(mu), params=PositionParams()))
    assert abs(float(found.attrs["e0"]) - center) <= 1.0
    assert found["mu"].values == pytest.approx(0.4 * edge(GRID, center), abs=0.005)  # air does not count
    scalar = summarise(found, PositionParams())["e0"]
    assert (scalar.value, scalar.unit) == (found.attrs["e0"], "eV")


def test_a_stack_without_an_edge_is_refused() -> None:
    with pytest.raises(DataError, match="No edge is seen"):
        position(stack=stack(np.tile(2.0 - edge(GRID), (5, 6, 1))), params=PositionParams())


def test_the_common_position_is_the_median_in_whole_electronvolts() -> None:
    assert common_position(np.array([8343.0, 8344.0, 8347.0])) == 8344.0
    assert common_position(np.array([8343.0, 8344.2])) == 8344.0
    # Three stacks at the nickel edge, two at cobalt's: nickel's.
    assert common_position(np.array([7711.0, 8343.0, 8344.0, 7712.0, 8345.0])) == 8344.0
