"""Groups that are plain to see."""

import numpy as np
import pytest

from analysis.core.numerics.clustering import kmeans


def test_far_groups_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    centers = np.array([[0.0, 0], [10, 0], [0, 10]])
    truth = rng.integers(0, 3, 3000)
    found = kmeans(centers[truth] + rng.standard_normal((3000, 2)), 3, seed=1)
    for i in range(3):
        members = found.label[truth == i]
        assert (members == members[0]).all()
        assert found.centers[members[0]] == pytest.approx(centers[i], abs=0.15)
    assert found.inertia == pytest.approx(2 * 3000, rel=0.05)  # two unit variances each


def test_seeds_repeat_and_equal_vectors_do_no_harm() -> None:
    vectors = np.random.default_rng(1).standard_normal((200, 4))
    assert np.array_equal(kmeans(vectors, 5, seed=3).label, kmeans(vectors, 5, seed=3).label)
    assert kmeans(np.ones((20, 2)), 3, seed=0).inertia == 0
