import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.errors import DataError
from analysis.cycling.assemble import CyclerOptions
from analysis.cycling.read_text import READERS
from analysis.cycling.schemas import RECORD
from analysis.cycling.stitch import stitch
from tests.tables import cycled


def split(ds: xr.Dataset, cuts: list[int]) -> list[xr.Dataset]:
    edges = [0, *sorted(set(cuts)), ds.sizes["row"]]
    return [ds.isel(row=slice(a, b)) for a, b in pairwise(edges) if b > a]


def assert_same(found: xr.Dataset, wanted: xr.Dataset) -> None:
    assert set(found.data_vars) == set(wanted.data_vars)
    for name in wanted.data_vars:
        np.testing.assert_array_equal(found[name].values, wanted[name].values, err_msg=str(name))
        assert found[name].attrs["units"] == wanted[name].attrs["units"]


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.integers(1, 125), max_size=6), counter=st.sampled_from(["cycle", "cumulative"]))
def test_any_split_stitches_back(cuts: list[int], counter: str) -> None:
    ds = cycled(counter=counter)
    assert_same(stitch(split(ds, cuts)), ds)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(1, 125), min_size=1, max_size=4), order=st.randoms(use_true_random=False))
def test_parts_in_any_order_with_dates_stitch_back(cuts: list[int], order: random.Random) -> None:
    ds = cycled()
    parts = split(ds, cuts)
    order.shuffle(parts)
    assert_same(stitch(parts), ds)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(3, 125), max_size=4))
def test_parts_whose_clock_and_counters_start_anew_continue(cuts: list[int]) -> None:
    ds = cycled(counter="cumulative").drop_vars("timestamp")
    parts = []
    for i, part in enumerate(split(ds, cuts)):
        first = {name: part[name][0] for name in ("charge_capacity", "discharge_capacity")} if i else {}
        step = 0.0 if i == 0 else 10.0 - float(part["time"][0])
        parts.append(
            part.assign(
                time=(part["time"] + step).assign_attrs(units="s"), **{n: (part[n] - v).assign_attrs(units="A h") for n, v in first.items()}
            )
        )
    found = stitch(parts)
    np.testing.assert_allclose(found["time"], ds["time"], atol=1e-9)
    assert (np.diff(found["charge_capacity"]) >= -1e-12).all()


def test_cycles_that_start_anew_are_numbered_on() -> None:
    first = cycled(cycles=2).drop_vars("timestamp")
    second = first.assign(voltage=(first["voltage"] - 0.01).assign_attrs(units="V"))
    found = stitch([first, second])
    assert found["cycle"].values[-1] == 4
    assert (np.diff(found["cycle"]) >= 0).all()
    assert any("numbered on from 2" in w for w in found.attrs["warnings"])


def test_rows_that_two_files_share_are_taken_once() -> None:
    ds = cycled()
    found = stitch([ds.isel(row=slice(0, 80)), ds.isel(row=slice(60, None))])
    assert_same(found, ds)
    assert "part 2: its first 20 rows are the last of the file before and were taken once." in found.attrs["warnings"]


def test_variables_that_not_all_have_are_named() -> None:
    ds = cycled()
    found = stitch([ds.isel(row=slice(0, 50)), ds.isel(row=slice(50, None)).drop_vars("mode")])
    assert "mode" not in found
    assert "Only some of the files hold mode: left out." in found.attrs["warnings"]


def test_lazy_parts_stay_lazy() -> None:
    ds = cycled()
    lazy = [part.chunk(row=20) for part in split(ds, [50])]
    found = stitch(lazy)
    assert found["voltage"].chunks is not None
    assert_same(found, ds)


def test_no_parts() -> None:
    with pytest.raises(DataError, match="no file"):
        stitch([])


def test_calce_files_in_order_of_time(shared_data: Path) -> None:
    reader = next(r for r in READERS if r.id == "cycling.arbin_csv")
    names = ("3_4_14", "7_3_13", "10_3_13")
    found = reader.read(tuple(shared_data / f"cycling/arbin/{name}_1C_Cycle.csv" for name in names), CyclerOptions())
    RECORD.conform(found)
    assert found.sizes["row"] == 4284 + 17510 + 15260
    assert found.attrs["start_time"] == "2013-07-01T12:19:22"
    assert (np.diff(found["time"]) >= 0).all()
    assert (np.diff(found["timestamp"]) >= 0).all()
    assert (np.diff(found["cycle"]) >= 0).all()
    assert (np.diff(found["discharge_capacity"]) >= 0).all()
    assert sum("after the end of the file before" in w for w in found.attrs["warnings"]) == 2
    # Cycles 2 to 20 are of July 2013, 202 to 220 of March 2014; means of all files' cycles: 2.046 and 1.424 A h.
    per_cycle = found["discharge_capacity"].groupby(found["cycle"]).max() - found["discharge_capacity"].groupby(found["cycle"]).min()
    assert float(per_cycle.sel(cycle=slice(2, 20)).mean()) == pytest.approx(2.046, abs=0.01)
    assert float(per_cycle.sel(cycle=slice(124, 221)).mean()) == pytest.approx(1.424, abs=0.01)
