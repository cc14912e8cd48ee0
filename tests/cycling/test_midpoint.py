"""Polarisation at half capacity: exact on records with straight curves, the same wherever blocks end, and as read off the profile."""

from pathlib import Path

import numpy as np
import pytest
from cycling_records import Stretch, cycling, fading, read_file, stretches
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cycling.aging import SummaryParams
from analysis.cycling.compute import ProfileParams, profile, summary
from analysis.cycling.halfcycles import find
from analysis.cycling.midpoint import half_voltage


def test_straight_curves_give_the_middle_of_their_voltages() -> None:
    """At constant current the voltage at half of the charge is the mean of both ends."""
    ds = stretches([Stretch(1e-3, 3600, 2.0, 3.6, rows=37), Stretch(-1e-3, 3500, 3.4, 1.9, rows=23)])
    np.testing.assert_allclose(half_voltage(ds, find(ds)), [2.8, 2.65], rtol=1e-12)
    table = summary(records=(ds,), params=SummaryParams())
    np.testing.assert_allclose(table["polarisation"], [0.15], rtol=1e-9)
    assert table["polarisation"].attrs["units"] == "V"


def test_a_rest_in_the_middle_and_a_change_of_current_count_by_charge() -> None:
    """A third of the charge at 1 mA, two thirds at 2 mA: half of it lies a quarter into the second part."""
    parts = [Stretch(1e-3, 3600, 3.0, 3.2), Stretch(0.0, 1000, 3.1, 3.1), Stretch(2e-3, 3600, 3.3, 3.7), Stretch(-1e-3, 3600, 3.5, 3.0)]
    ds = stretches(parts)
    np.testing.assert_allclose(half_voltage(ds, find(ds)), [3.4, 3.25], rtol=1e-12)


def test_a_missing_half_has_no_polarisation() -> None:
    parts = [Stretch(-1e-3, 3600, 3, 2), Stretch(1e-3, 4000, 2, 3.6), Stretch(-1e-3, 3600, 3.6, 2)]
    found = summary(records=(stretches(parts),), params=SummaryParams())["polarisation"].values
    np.testing.assert_allclose(found, [np.nan, 0.0], atol=1e-12)


@given(st.integers(1, 400))
@settings(max_examples=25, deadline=None)
def test_the_end_of_a_block_changes_nothing(block_rows: int) -> None:
    ds = cycling(*fading(3, noise=1e-3), columns=("cycle",))
    halves = find(ds)
    np.testing.assert_array_equal(half_voltage(ds, halves, block_rows=block_rows), half_voltage(ds, halves))


@pytest.mark.parametrize(
    "file", ["neware/TESTCELL0001-Test_Data_Collection_Ndc17.ndax", "biologic/gcpl.issue_211.mpr", "arbin/7_3_13_1C_Cycle.csv"]
)
def test_it_is_what_the_profile_shows(shared_data: Path, file: str) -> None:
    """Against interpolation in the whole voltage profile; they differ only by charge across switches of the current."""
    ds = read_file(shared_data / "cycling" / file)
    table = summary(records=(ds,), params=SummaryParams())
    number = table["cycle"].values[np.isfinite(table["polarisation"].values)][:4]
    curves = profile(records=(ds,), params=ProfileParams(cycles=tuple(number.tolist()), max_points=None))
    for n in number:
        middle = {}
        for direction in (1, -1):
            part = (curves["cycle"].values == n) & (curves["direction"].values == direction)
            q, v = np.maximum.accumulate(curves["capacity"].values[part]), curves["voltage"].values[part]
            middle[direction] = np.interp(0.5 * q[-1], q, v)
        want = middle[1] - middle[-1]
        assert float(table["polarisation"].values[table["cycle"].values == n][0]) == pytest.approx(want, abs=1e-3)
