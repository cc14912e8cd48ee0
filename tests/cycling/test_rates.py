"""Rate groups, pooled groups and traces."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from cycling_records import cycling, fading, read_file, record

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.cycling.aging import SummaryParams
from analysis.cycling.compute import pooled, rates, summary, trace
from analysis.cycling.pooling import POOLED, PoolParams
from analysis.cycling.rates import RateParams, group_starts
from analysis.cycling.schemas import RATES
from analysis.cycling.trace import TRACE, TraceParams, thin_record


def test_rates_of_a_rate_test() -> None:
    current = np.repeat([1e-4, 2e-4, 1e-3, 1e-4], 3)
    capacity = np.array([1.0, 0.98, 0.99, 0.9, 0.9, 0.9, 0.5, 0.51, 0.52, 0.95, 0.95, 0.95])
    ds = cycling(capacity / 0.99, capacity, current=current)
    made = RATES.conform(rates(records=(ds,), params=RateParams(active_mass_mg=5.0, one_c_mA_per_g=200.0)))
    np.testing.assert_allclose(made["c_rate"], [0.1, 0.2, 1.0, 0.1], rtol=1e-9)
    assert made["first_cycle"].values.tolist() == [1, 4, 7, 10]
    assert made["last_cycle"].values.tolist() == [3, 6, 9, 12]
    assert made["n_cycles"].values.tolist() == [3] * 4
    np.testing.assert_allclose(made["discharge_capacity"], np.array([0.99, 0.9, 0.51, 0.95]) * 200, rtol=1e-9)
    np.testing.assert_allclose(made["discharge_capacity_std"], np.array([0.01, 0, 0.01, 0]) * 200, rtol=1e-6, atol=1e-9)
    assert not warnings_of(made)


def test_without_a_definition_of_1c_the_largest_capacity_stands_in() -> None:
    made = rates(records=(cycling([1.0, 0.5], [1.0, 0.5], current=[1e-3, 2e-3]),), params=RateParams())
    np.testing.assert_allclose(made["c_rate"], [1, 2], rtol=1e-9)
    assert "C-rates are relative to the largest discharge capacity" in warnings_of(made)[-1]
    assert np.isnan(made["discharge_capacity_std"].values).all()


def test_a_creeping_current_does_not_stay_in_its_group() -> None:
    assert group_starts(np.array([1.0, 1.05, 1.09, 1.12, 1.2]), 0.1).tolist() == [0, 3]


def test_no_whole_cycle_is_a_sentence() -> None:
    ds = cycling([1.0], [1.0]).isel(row=slice(0, 50))
    with pytest.raises(DataError, match="no whole cycle to group"):
        rates(records=(ds,), params=RateParams())


def test_a_real_rate_test(shared_data: Path) -> None:
    ds = read_file(shared_data / "cycling/neware/BTS85-36-6-5-110-20240424.ndax")
    made = rates(records=(ds,), params=RateParams())
    assert made["n_cycles"].values.tolist() == [3] * 7
    np.testing.assert_allclose(made["c_rate"] / made["c_rate"][0], [1, 2, 4, 20 / 3, 10, 20, 40], rtol=2e-3)


# Groups ----------------------------------------------------------------------------------------------------------------


def cell(cycles: int, **kwargs: float) -> xr.Dataset:
    return summary(records=(cycling(*fading(cycles, **kwargs)),), params=SummaryParams())


def test_pooling_is_mean_sd_and_number_of_each_cycle() -> None:
    cells = (cell(5, first=1.0), cell(5, first=1.2), cell(3, first=0.8), cell(4, first=2.0))
    made = POOLED.conform(pooled(cells=cells, params=PoolParams(groups=("a", "a", "a", "b"))))
    assert made["n_cells"].values.tolist() == [[3, 3, 3, 2, 2], [1, 1, 1, 1, 0]]
    np.testing.assert_allclose(made["discharge_capacity"].values[0, :2], [1.0, 0.998], rtol=1e-9)
    np.testing.assert_allclose(made["discharge_capacity_std"].values[0, 0], np.std([1.0, 1.2, 0.8], ddof=1), rtol=1e-9)
    assert np.isnan(made["discharge_capacity_std"].values[1]).all()
    assert np.isnan(made["discharge_capacity"].values[1, 4])
    own = [1 - 0.002 / first for first in (1.0, 1.2, 0.8)]
    assert made["retention"].values[0, 1] == pytest.approx(np.mean(own), rel=1e-9)
    np.testing.assert_allclose(made["coulombic_efficiency"].values[0], 0.995)


def test_no_outlier_is_dropped() -> None:
    cells = (*[cell(3)] * 9, cell(3, first=100.0))
    made = pooled(cells=cells, params=PoolParams())
    assert made["n_cells"].values.tolist() == [[10, 10, 10]]
    assert made["discharge_capacity"].values[0, 0] == pytest.approx((9 + 100) / 10)


def test_a_cell_that_starts_partially_keeps_its_cycle_numbers() -> None:
    whole = cycling(*fading(3))
    late = summary(records=(whole.isel(row=slice(80, None)),), params=SummaryParams())
    made = pooled(cells=(cell(3), late), params=PoolParams())
    assert made["cycle"].values.tolist() == [0, 1, 2, 3]
    assert made["n_cells"].values.tolist() == [[0, 2, 2, 1]]


def test_groups_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParamError, match="2 groups are named for 1 cells"):
        pooled(cells=(cell(2),), params=PoolParams(groups=("a", "b")))
    heavy = summary(records=(cycling(*fading(2)),), params=SummaryParams(active_mass_mg=5))
    with pytest.raises(ParamError, match="mA h and mA h/g"):
        pooled(cells=(cell(2), heavy), params=PoolParams())
    with pytest.raises(DataError, match="No cell is given"):
        pooled(cells=(), params=PoolParams())


def test_unlike_evaluations_are_named() -> None:
    other = summary(records=(cycling(*fading(3)),), params=SummaryParams(pairing="discharge_first"))
    assert "different pairing rules: charge_first, discharge_first" in warnings_of(pooled(cells=(cell(3), other), params=PoolParams()))[0]


# Traces ----------------------------------------------------------------------------------------------------------------


def long_record(rows: int = 50_000) -> xr.Dataset:
    rng = np.random.default_rng(4)
    t = np.arange(rows, dtype=float)
    voltage = 3 + 0.5 * np.sin(t / 3000) + 1e-3 * rng.normal(size=rows)
    current = 1e-3 * np.sign(np.cos(t / 3000))
    voltage[12_345], current[23_456] = 9.0, -7.0
    return record(time=t, voltage=voltage, current=current)


def test_a_trace_is_small_and_keeps_extremes_and_ends() -> None:
    ds = long_record()
    made = TRACE.conform(trace(records=(ds,), params=TraceParams(points=600)))
    assert made.sizes["row"] <= 600
    assert {0.0, 12_345.0, 23_456.0, 49_999.0} <= set(made["time"].values)
    assert made.attrs["rows"] == 50_000
    assert np.all(np.diff(made["time"].values) > 0)


@pytest.mark.parametrize("block_rows", [997, 50_000])
def test_a_trace_does_not_depend_on_blocks(block_rows: int) -> None:
    ds, params = long_record(), TraceParams(points=600, start=1000, end=40_000)
    xr.testing.assert_identical(thin_record(ds.chunk(row=3000), params, block_rows=block_rows), thin_record(ds, params))


def test_zooming_in_shows_every_row() -> None:
    made = trace(records=(long_record(),), params=TraceParams(start=12_000, end=12_500))
    np.testing.assert_array_equal(made["time"], np.arange(12_000.0, 12_501))
    empty = trace(records=(long_record(),), params=TraceParams(start=1e9))
    assert empty.sizes["row"] == 0
    assert "no rows in this stretch" in warnings_of(empty)[0]
    with pytest.raises(ParamError, match=r"ends .* before it begins"):
        trace(records=(long_record(),), params=TraceParams(start=5, end=1))
