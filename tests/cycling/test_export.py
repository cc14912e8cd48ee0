import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from analysis.core.data import table
from analysis.core.errors import ParamError
from analysis.core.registry import Probe
from analysis.cycling.assemble import CyclerOptions
from analysis.cycling.export import to_bdf, write_bdf
from analysis.cycling.read_tables import READERS, side_files
from analysis.cycling.schemas import RECORD
from tests.tables import cycled

BDF = next(r for r in READERS if r.id == "cycling.bdf")


def assert_lossless(ds: xr.Dataset, path: Path) -> None:
    write_bdf(ds, path)
    assert BDF.sniff(Probe.of(path)) == 1.0
    back = BDF.read((path,), CyclerOptions())
    assert set(back.data_vars) == set(ds.data_vars)
    for name in ds.data_vars:
        np.testing.assert_array_equal(back[name].values, ds[name].values, err_msg=str(name))
    for name in ("instrument", "channel", "start_time", "counter", "convention", "warnings", "metadata"):
        assert back.attrs.get(name) == ds.attrs.get(name), name


@pytest.mark.parametrize("suffix", [".bdf.csv", ".bdf.parquet"])
@pytest.mark.parametrize("counter", ["cycle", "cumulative"])
def test_export_and_import_give_the_same_record(tmp_path: Path, suffix: str, counter: str) -> None:
    ds = cycled(counter=counter).assign_attrs(metadata={"active_mass_mg": 3.0, "comment": "Zelle 7 µ"}, warnings=["a word"])
    assert_lossless(ds, tmp_path / f"cell{suffix}")


def test_labels_are_the_preferred_ones() -> None:
    names = to_bdf(cycled(counter="cycle")).column_names
    assert names[:4] == ["Test Time / s", "Voltage / V", "Current / A", "Cycle Count / 1"]
    assert "Cycle Charging Capacity / Ah" in names
    assert "Charging Capacity / Ah" in to_bdf(cycled(counter="cumulative")).column_names
    assert "Step Charging Capacity / Ah" in to_bdf(cycled().assign_attrs(counter="step")).column_names


def test_csv_has_a_side_file(tmp_path: Path) -> None:
    path = write_bdf(cycled(), tmp_path / "cell.1.bdf.csv")
    (side,) = side_files(path)
    assert side.name == "cell.1.metadata.json"
    assert json.loads(side.read_text())["channel"] == "7"
    assert side_files(write_bdf(cycled(), tmp_path / "other.parquet")) == ()


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match="names no format"):
        write_bdf(cycled(), tmp_path / "cell.xlsx")


finite = st.floats(min_value=-90.0, max_value=90.0, allow_nan=False)


@st.composite
def records(draw: st.DrawFn) -> xr.Dataset:
    n = draw(st.integers(2, 25))
    steps = draw(hnp.arrays(np.float64, n, elements=st.floats(0, 1e5)))
    columns = {
        "time": (np.cumsum(steps), "s"),
        "voltage": (draw(hnp.arrays(np.float64, n, elements=finite)), "V"),
        "current": (draw(hnp.arrays(np.float64, n, elements=finite)), "A"),
    }
    if draw(st.booleans()):
        columns["cycle"] = (np.cumsum(draw(hnp.arrays(np.int64, n, elements=st.integers(0, 1)))), "1")
        columns["mode"] = (draw(hnp.arrays(np.int64, n, elements=st.integers(0, 5))), "1")
    if draw(st.booleans()):
        columns["temperature"] = (draw(hnp.arrays(np.float64, n, elements=st.one_of(finite, st.just(np.nan)))), "degC")
        columns["timestamp"] = (1.6e9 + np.cumsum(steps), "s")
    attrs = {"instrument": "maker", "channel": "", "start_time": "", "warnings": [], "metadata": {}, "convention": "none"}
    return RECORD.conform(table(columns, dim="row", attrs=attrs))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ds=records(), suffix=st.sampled_from([".csv", ".parquet"]))
def test_any_record_survives_export_and_import(tmp_path: Path, ds: xr.Dataset, suffix: str) -> None:
    assert_lossless(ds, tmp_path / f"cell.bdf{suffix}")
