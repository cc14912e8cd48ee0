"""Values of metrics, read from results whose numbers are known."""

import numpy as np
import pytest
import xarray as xr
from made_values import cycle_table, distribution, unit

from analysis.compare.compute import values
from analysis.compare.values import VALUES, ValuesParams
from analysis.core.data import Scalar, table, warnings_of, with_scalars
from analysis.core.errors import DataError, ParamError


def of(ds: xr.Dataset, metric: str, column: str = "value") -> list[object]:
    return ds[column].values[ds["metric"].values == metric].tolist()


def test_numbers_come_in_the_units_that_people_print() -> None:
    made = values(
        params=ValuesParams.check({"cycles": [unit("C1", "a")], "at_cycle": 2}), cycles=(cycle_table([120.0, 90.0], retention=0.75),)
    )
    VALUES.conform(made)
    assert of(made, "cycling.retention") == [pytest.approx(75.0)] and of(made, "cycling.retention", "unit") == ["%"]
    assert of(made, "cycling.capacity_at") == [90.0] and of(made, "cycling.capacity_at", "title") == ["Capacity at cycle 2"]
    assert of(made, "cycling.hysteresis_growth") == [pytest.approx(0.2)] and of(made, "cycling.hysteresis_growth", "unit") == ["mV/cycle"]
    assert of(made, "cycling.mean_ce") == [pytest.approx(99.0)]


def test_a_cycle_that_a_cell_did_not_reach_is_no_value() -> None:
    made = values(
        params=ValuesParams.check({"cycles": [unit("C1", "a")], "at_cycle": 100}), cycles=(cycle_table([120.0, 90.0], retention=0.75),)
    )
    assert of(made, "cycling.capacity_at") == []


def test_states_are_kept_apart() -> None:
    units = [unit("C1", "a", particle="P1", state="charged", cycle=6), unit("C1", "a", particle="P2", state="discharged", cycle=6)]
    made = values(params=ValuesParams.check({"edges": units}), edges=(distribution(8343.0, 0.1), distribution(8342.0, 0.2)))
    assert of(made, "xanes.edge_charged") == [8343.0] and of(made, "xanes.edge_discharged") == [8342.0]
    assert of(made, "xanes.spread_charged") == [0.1] and of(made, "xanes.edge_charged", "cycle") == [6.0]
    assert of(made, "xanes.edge_charged", "source") == ["edges 1"] and of(made, "xanes.edge_discharged", "source") == ["edges 2"]


def test_the_largest_crack_is_a_share_of_the_envelope() -> None:
    facts = {
        "crack_volume_ratio": Scalar(0.05),
        "largest_crack_fraction": Scalar(0.4),
        "crack_volume": Scalar(2.0, "um**3"),
        "envelope_volume": Scalar(40.0, "um**3"),
    }
    made = values(params=ValuesParams.check({"cracks": [unit("C1", "a", particle="P1")]}), cracks=(with_scalars(xr.Dataset(), facts),))
    assert of(made, "cracks.ratio") == [pytest.approx(5.0)]
    assert of(made, "cracks.largest") == [pytest.approx(100 * 0.4 * 2.0 / 40.0)]


def test_the_peak_nearest_2472_is_taken_of_each_sample() -> None:
    fit = table(
        {
            "spectrum_name": (np.array(["s1", "s1", "s2", "s2"]), ""),
            "peak_name": (np.array(["PS4", "P–Sx–P"] * 2), ""),
            "center": ([2470.8, 2472.1, 2470.8, 2471.9], "eV"),
            "area": ([9.0, 1.5, 9.0, 0.5], "eV"),
            "area_low": ([8.0, 1.2, 8.0, 0.3], "eV"),
            "area_high": ([10.0, 1.8, 10.0, 0.7], "eV"),
        },
        dim="peak",
        attrs={"level": 0.9},
    )
    units = [unit("C1", "a", state="charged", spectra=["s1"]), unit("C2", "a", state="charged", spectra=["s2"])]
    made = values(params=ValuesParams.check({"peaks": units}), peaks=(fit,))
    assert of(made, "spectra.bridging_charged") == [1.5, 0.5]
    assert of(made, "spectra.bridging_charged", "low") == [1.2, 0.3]
    assert of(made, "spectra.bridging_discharged") == []


def test_own_scalars_find_their_cells_by_name() -> None:
    columns = {
        "cell": (np.array(["C1", "C9"]), ""),
        "particle": (np.array(["", ""]), ""),
        "state": (np.array(["", ""]), ""),
        "name": (np.array(["fracture strength", "fracture strength"]), ""),
        "unit": (np.array(["MPa", "MPa"]), ""),
        "better": (np.array(["more", "more"]), ""),
        "value": ([180.0, 90.0], ""),
        "std": ([5.0, np.nan], ""),
        "n": ([3.0, np.nan], ""),
        "cycle": ([6.0, np.nan], ""),
    }
    made = values(params=ValuesParams.check({"cells": [unit("C1", "a")]}), tables=(table(columns, dim="row"),))
    assert of(made, "own.fracture strength") == [180.0] and of(made, "own.fracture strength", "better") == ["more"]
    assert of(made, "own.fracture strength", "std") == [5.0] and of(made, "own.fracture strength", "cycle") == [6.0]
    assert any("C9" in said for said in warnings_of(made))


def test_numbers_of_two_units_are_not_put_together() -> None:
    units = [unit("C1", "a"), unit("C2", "a"), unit("C3", "b")]
    cycles = (cycle_table([100.0], retention=1.0), cycle_table([0.3], retention=1.0, unit="mA h"), cycle_table([110.0], retention=1.0))
    made = values(params=ValuesParams.check({"cycles": units}), cycles=cycles)
    assert of(made, "cycling.initial_capacity", "cell") == ["C1", "C3"]
    assert any("C2 (mA h)" in said for said in warnings_of(made))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ParamError, match="1 results of 'cycles' are said to be of 0 units"):
        values(params=ValuesParams(), cycles=(cycle_table([1.0], retention=1.0),))
    with pytest.raises(DataError, match="No result was given"):
        values(params=ValuesParams())
