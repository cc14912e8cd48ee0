"""Intervals over particles, from stacks to differences of medians (a benchmark runs the same over 200 seeds)."""

import numpy as np
import pytest

from tests.xanes.particle_truth import BETWEEN, SIDE, TRUE, Plan, coverage, found, particles


def test_intervals_over_particles_hold_the_truth_as_often_as_they_say() -> None:
    """Ten studies, two groups and their difference, two methods: 60 intervals of 90 %; ten misses of 60 would come once in 30 times."""
    made = coverage([Plan(3, "hodges_lehmann"), Plan(3, "welch")], range(10))
    assert [c.level for c in made.values()] == pytest.approx([0.9] * 6, abs=1e-9)
    assert 10 * sum(c.share for c in made.values()) >= 50


def test_differences_of_many_particles_are_the_true_ones() -> None:
    values = {n: s.value for n, s in found(Plan(25, "welch"), 7).items() if n in TRUE}
    assert values == pytest.approx(TRUE, abs=4 * BETWEEN * np.sqrt(4 / 25))
    assert all(int((m["flags"] == 0).sum()) == SIDE**2 for m in particles(25, 7))
