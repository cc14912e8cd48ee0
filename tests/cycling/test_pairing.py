"""Kinds of cycles from the currents they run at."""

import csv
from pathlib import Path

import numpy as np
import pytest

from analysis.cycling.pairing import check_cycles, formation_cycles, main_rate


def test_main_rate_is_the_most_common() -> None:
    assert main_rate(np.array([1.0, 1, 5, 5, 5.02, np.nan])) == pytest.approx(5, rel=0.01)
    assert np.isnan(main_rate(np.array([np.nan])))


@pytest.mark.parametrize(
    ("rate", "want"),
    [
        ([0.1] * 3 + [1.0] * 20, 3),
        ([0.05, 0.1, 0.1] + [1.0] * 20, 3),
        ([0.1] * 3 + [1.0] * 6, 0),  # too short to tell formation from a rate test
        ([1.0] * 20, 0),
        ([2.0] * 2 + [1.0] * 20, 0),
        ([0.1] * 12 + [1.0] * 60, 0),
        ([], 0),
    ],
)
def test_formation(rate: list[float], want: int) -> None:
    assert formation_cycles(np.array(rate)) == want


def test_checks_of_a_whole_ageing_test(shared_data: Path) -> None:
    """NREL p492-13: of its 267 cycles, 5 are capacity checks at C/20, by the origin's own labels."""
    with open(shared_data / "cycling/csv/p492-13-summary.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    number = np.array([int(r["Cycle_Index"]) for r in rows])
    label = np.array([r["Cycle_Label"] for r in rows])
    rate = np.array([-float(r["I_min"]) for r in rows])
    whole = np.array([r["CE"] != "NaN" and 0.5 < float(r["CE"]) < 2 for r in rows])
    found = number[whole][check_cycles(rate[whole])]
    assert found.tolist() == number[label == "Capacity check"].tolist()[1:]  # the first stands before any usual cycle
    assert np.sum(whole & (label == "Aging cycle")) == 225  # of 233: four only rest, four only discharge
