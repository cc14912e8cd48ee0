"""Ageing of synthetic cells with known slopes."""

import numpy as np
import pytest
import xarray as xr
from cycling_records import cycling, fading

from analysis.core.data import Scalar
from analysis.core.errors import ParamError
from analysis.cycling.aging import SummaryParams, end_of_life, summarise
from analysis.cycling.compute import summary


def scalars_of(ds: xr.Dataset, **params: object) -> dict[str, Scalar]:
    checked = SummaryParams.check(params)
    return dict(summarise(summary(records=(ds,), params=checked), checked))


def test_an_even_fade_is_recovered_exactly() -> None:
    found = scalars_of(cycling(*fading(50, slope=-2e-3)), active_mass_mg=5.0)
    assert (found["n_cycles"].value, found["reference_cycle"].value) == (50, 1)
    assert found["initial_discharge_capacity"].value == pytest.approx(200, rel=1e-9)
    assert found["last_discharge_capacity"].value == pytest.approx(200 - 49 * 0.4, rel=1e-9)
    assert found["retention"].value == pytest.approx(1 - 49 * 2e-3, rel=1e-9)
    assert found["max_discharge_capacity"].value == pytest.approx(200, rel=1e-9)
    assert found["fade_rate"].value == pytest.approx(-0.4, rel=1e-6)
    assert found["fade_rate"].unit == "mA h/g/cycle"
    assert found["mean_coulombic_efficiency"].value == pytest.approx(0.995, rel=1e-9)
    assert found["cumulative_ce_loss"].value == pytest.approx(50 * 0.005, rel=1e-6)
    assert found["hysteresis_growth"].value == pytest.approx(0, abs=1e-9)
    assert "knee_cycle" not in found
    assert found["cycles_to_80"].value is None


def test_the_interval_of_the_fade_holds_the_truth() -> None:
    hit = [
        (s.low or 0) <= -2e-3 <= (s.high or 0)
        for seed in range(60)
        for s in [scalars_of(cycling(*fading(40, noise=5e-3, seed=seed)))["fade_rate"]]
    ]
    assert np.mean(hit) > 0.85
    one = scalars_of(cycling(*fading(40, noise=5e-3)))["fade_rate"]
    assert (one.level, one.n, one.of) == (0.95, 40, "cycles")


def test_one_bad_cycle_moves_robust_fade_little() -> None:
    charge, discharge = fading(30)
    discharge[-2:] = 0.2
    robust = scalars_of(cycling(charge, discharge))["fade_rate"].value
    plain = scalars_of(cycling(charge, discharge), fade_method="least_squares")["fade_rate"].value
    assert robust == pytest.approx(-2e-3, rel=0.1)
    assert abs(plain) > 3 * abs(robust)  # type: ignore[arg-type, operator]


def test_the_range_of_the_fade_is_chosen() -> None:
    capacity = np.concatenate([1 - 1e-3 * np.arange(20), 0.981 - 1e-2 * np.arange(1, 21)])
    ds = cycling(capacity / 0.99, capacity)
    assert scalars_of(ds, fade_to=20)["fade_rate"].value == pytest.approx(-1e-3, rel=1e-6)
    assert scalars_of(ds, fade_from=21)["fade_rate"].value == pytest.approx(-1e-2, rel=1e-6)
    knee = scalars_of(ds)["knee_cycle"].value
    assert knee == pytest.approx(20, abs=1.5)


def test_cycles_to_80_percent() -> None:
    charge, discharge = fading(150)
    assert scalars_of(cycling(charge, discharge))["cycles_to_80"].value == 102  # 1 - 0.002 (n - 1) < 0.8
    number = np.arange(1, 11)
    dip = np.array([1, 1, 0.7, 1, 1, 0.79, 0.78, 0.9, 0.7, 0.7])
    assert end_of_life(number, dip) == 9
    assert end_of_life(number, np.ones(10)) is None


def test_retention_is_relative_to_the_first_cycle_after_formation_or_the_chosen_one() -> None:
    charge, discharge = fading(30)
    ds = cycling(charge, discharge, current=[1e-4] * 3 + [1e-3] * 27)
    found = scalars_of(ds)
    assert (found["formation_cycles"].value, found["reference_cycle"].value) == (3, 4)
    assert found["retention"].value == pytest.approx(discharge[-1] / discharge[3], rel=1e-9)
    assert scalars_of(ds, reference_cycle=10)["retention"].value == pytest.approx(discharge[-1] / discharge[9], rel=1e-9)
    table = summary(records=(ds,), params=SummaryParams(reference_cycle=1))
    np.testing.assert_allclose(table["retention"], discharge / discharge[0], rtol=1e-9)
    with pytest.raises(ParamError, match=r"There is no cycle 99\. Cycles run from 1 to 30"):
        scalars_of(ds, reference_cycle=99)


def test_a_single_cycle_has_what_it_can_have() -> None:
    found = scalars_of(cycling([1.0], [0.9]))
    assert found["retention"].value == 1
    assert found["fade_rate"].value is None
    assert found["mean_coulombic_efficiency"].value == pytest.approx(0.9)
    assert found["mean_coulombic_efficiency"].std is None


def test_a_lone_half_cycle_has_no_efficiency() -> None:
    ds = cycling([1.0], [0.9])
    found = scalars_of(ds.isel(row=slice(0, 50)))
    assert found["n_cycles"].value == 1
    assert found["n_whole_cycles"].value == 0
    assert found["retention"].value is None
    assert found["mean_coulombic_efficiency"].value is None
