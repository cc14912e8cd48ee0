"""Polygons as masks."""

import numpy as np
import pytest

from analysis.core.errors import DataError
from analysis.core.numerics.regions import inside


def test_a_rectangle_holds_its_pixels() -> None:
    found = inside(np.array([[2.0, 3.0], [2.0, 7.0], [5.0, 7.0], [5.0, 3.0]]), (8, 10))
    want = np.zeros((8, 10), bool)
    want[2:5, 3:7] = True
    assert (found == want).all()


def test_a_circle_has_its_area_and_may_leave_the_picture() -> None:
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([50 + 40 * np.sin(angle), 50 + 40 * np.cos(angle)], axis=1)
    assert inside(circle, (100, 100)).sum() == pytest.approx(np.pi * 40**2, rel=0.005)
    assert inside(circle - 50, (100, 100)).sum() == pytest.approx(np.pi * 40**2 / 4, rel=0.02)


@pytest.mark.parametrize("polygon", [np.zeros((2, 2)), np.zeros((3, 3)), np.array([[0, 0], [1, np.nan], [2, 2]]), np.zeros((20_000, 2))])
def test_what_is_no_region_is_refused(polygon: np.ndarray) -> None:
    with pytest.raises(DataError, match="three corners"):
        inside(polygon, (5, 5))
