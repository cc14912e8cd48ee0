"""Two groups against each other: effects with their signs, words and counts."""

import numpy as np
import pytest
from made_values import cycle_table, distribution, line, table_of, unit
from scipy import stats

from analysis.compare.compute import scorecard, values
from analysis.compare.scorecard import SCORECARD, ScorecardParams
from analysis.compare.values import ValuesParams
from analysis.core.errors import DataError, ParamError

FOUR = {"uncoated": [0.30, 0.28, 0.33, 0.25], "coated": [0.86, 0.88, 0.84, 0.87]}
AB = ScorecardParams(reference="uncoated", compared="coated")


def test_the_effect_is_welch_of_scipy() -> None:
    found = line(scorecard(values=table_of(FOUR), params=AB), "cycling.retention")
    known = stats.ttest_ind(FOUR["coated"], FOUR["uncoated"], equal_var=False)
    interval = known.confidence_interval(0.95)
    assert found["effect"] == pytest.approx(100 * (np.mean(FOUR["coated"]) - np.mean(FOUR["uncoated"])))
    assert (found["low"], found["high"]) == (pytest.approx(100 * interval.low), pytest.approx(100 * interval.high))
    assert (found["reference_n"], found["compared_n"], found["confidence"]) == (4, 4, 0.95)
    assert (found["verdict"], found["significant"]) == ("better", "not said")  # fewer than five a side


def test_groups_exchanged_change_every_sign_and_word() -> None:
    table = table_of(FOUR)
    there = scorecard(values=table, params=AB)
    back = scorecard(values=table, params=ScorecardParams(reference="coated", compared="uncoated"))
    SCORECARD.conform(there)
    np.testing.assert_allclose(back["effect"].values, -there["effect"].values)
    np.testing.assert_allclose(back["low"].values, -there["high"].values)
    assert line(back, "cycling.retention")["verdict"] == "worse"
    assert there.attrs["n_compared"] == back.attrs["n_compared"] == 6


def test_five_a_side_may_be_called_significant_and_two_give_a_range() -> None:
    five = {g: [v + 0.001 * k for k, v in enumerate([*side, side[0]])] for g, side in FOUR.items()}
    assert line(scorecard(values=table_of(five), params=AB), "cycling.retention")["significant"] == "yes"
    two = line(scorecard(values=table_of({g: side[:2] for g, side in FOUR.items()}), params=AB), "cycling.retention")
    assert np.isnan(two["confidence"]) and (two["low"], two["high"]) == (pytest.approx(56.0), pytest.approx(60.0))
    assert str(two["method"]).startswith("range")


def test_a_group_of_one_and_missing_data() -> None:
    found = scorecard(values=table_of({"uncoated": [0.3], "coated": [0.8, 0.9]}), params=AB)
    one = line(found, "cycling.retention")
    assert (one["reference_n"], one["effect"]) == (1, pytest.approx(55.0)) and np.isnan(one["reference_std"])
    nothing = line(found, "cracks.ratio")
    assert nothing["reference_n"] == 0 and np.isnan(nothing["effect"]) and nothing["verdict"] == ""


def test_particles_nest_in_cells() -> None:
    """Cell 1 has three particles: they count once, as their mean."""
    medians = {("C1", "a"): (1.0, 2.0, 3.0), ("C2", "a"): (4.0,), ("D1", "b"): (7.0,), ("D2", "b"): (9.0,)}
    units = [unit(c, g, particle=f"P{k}", state="charged", cycle=6) for (c, g), side in medians.items() for k in range(len(side))]
    edges = tuple(distribution(8340 + v, 0.1) for side in medians.values() for v in side)
    table = values(params=ValuesParams.check({"edges": units}), edges=edges)
    found = line(scorecard(values=table, params=ScorecardParams(reference="a", compared="b")), "xanes.edge_charged")
    assert (found["reference_n"], found["reference_parts"], found["reference_mean"]) == (2, 4, pytest.approx(8343.0))
    assert "averaged" in str(found["remark"]) and found["verdict"] == "higher"
    apart = line(scorecard(values=table, params=ScorecardParams(reference="a", compared="b", by="particles")), "xanes.edge_charged")
    assert apart["reference_n"] == 4 and "not independent" in str(apart["remark"])


def test_activity_is_taken_within_cells_or_between_states_of_different_cells() -> None:
    def table(cells: dict[str, tuple[str, str, float]]) -> object:
        units = [unit(name.split("/")[0], group, particle=name, state=state, cycle=6) for name, (group, state, _) in cells.items()]
        return values(params=ValuesParams.check({"edges": units}), edges=tuple(distribution(v, 0.1) for *_, v in cells.values()))

    same = {"A/1": ("a", "charged", 3.0), "A/2": ("a", "discharged", 2.5), "B/1": ("b", "charged", 4.0), "B/2": ("b", "discharged", 2.0)}
    found = line(scorecard(values=table(same), params=ScorecardParams(reference="a", compared="b")), "xanes.activity")
    assert (found["reference_mean"], found["compared_mean"], found["effect"]) == (0.5, 2.0, 1.5)
    other = {f"{n[0]}{n[2]}/x": v for n, v in same.items()}  # every particle of a cell of its own
    found = line(scorecard(values=table(other), params=ScorecardParams(reference="a", compared="b")), "xanes.activity")
    assert found["effect"] == 1.5 and "group level" in str(found["remark"])


def test_what_is_excluded_counts_only_when_asked_for() -> None:
    units = [unit("C1", "a"), unit("C2", "a", excluded="short"), unit("D1", "b")]
    table = values(
        params=ValuesParams.check({"cycles": units}), cycles=tuple(cycle_table([c], retention=1.0) for c in (100.0, 20.0, 110.0))
    )
    without = scorecard(values=table, params=ScorecardParams(reference="a", compared="b"))
    with_it = scorecard(values=table, params=ScorecardParams(reference="a", compared="b", with_excluded=True))
    assert line(without, "cycling.initial_capacity")["reference_mean"] == 100.0
    assert line(with_it, "cycling.initial_capacity")["reference_mean"] == 60.0


def test_bad_groups_are_refused() -> None:
    table = table_of(FOUR)
    with pytest.raises(ParamError, match="compared with itself"):
        scorecard(values=table, params=ScorecardParams(reference="coated", compared="coated"))
    with pytest.raises(DataError, match="has a value to compare"):
        scorecard(values=table, params=ScorecardParams(reference="x", compared="y"))
    both = [unit("C1", "a"), unit("C1", "b"), unit("C2", "b")]
    shared = values(params=ValuesParams.check({"cycles": both}), cycles=tuple(cycle_table([1.0], retention=1.0) for _ in both))
    with pytest.raises(DataError, match="overlap in C1"):
        scorecard(values=shared, params=ScorecardParams(reference="a", compared="b"))


def test_intervals_of_groups_without_a_difference_miss_zero_rarely() -> None:
    """Ten seeds, five a side: with 5 % each, six or more of ten are missed once in 400,000 times."""
    missed = 0
    for seed in range(10):
        a, b = np.random.default_rng(seed).normal(0.8, 0.05, (2, 5))
        found = line(scorecard(values=table_of({"uncoated": a.tolist(), "coated": b.tolist()}), params=AB), "cycling.retention")
        missed += found["significant"] == "yes"
    assert missed <= 5
