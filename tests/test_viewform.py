"""The view form: the numbers that can be read from it, its levels, its key."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

from analysis import viewform
from analysis.core.errors import DataError, ParamError
from analysis.core.store import Store
from tests import volumes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "study")


def values(store: Store, key: str, level: int = 0) -> np.ndarray:
    said = viewform.described(store, key)
    codes = zarr.open_group(store.path(key), mode="r")[f"level{level}"][:]
    return np.where(codes == 0, np.nan, said["offset"] + said["scale"] * codes.astype(float))


def test_a_volume_comes_back_to_half_a_step(store: Store) -> None:
    source = volumes.put(store)
    key = viewform.make_view(store, {"source": source, "variable": "edge_energy"})
    said, want = viewform.described(store, key), store.open(source)["edge_energy"].to_numpy()
    found = values(store, key)[0]
    assert (np.isnan(found) == np.isnan(want)).all()
    assert np.nanmax(np.abs(found - want)) <= 0.51 * said["scale"]
    assert (said["units"], said["definition"], said["labels"], said["layers"]) == ("eV", "half of the edge step", False, None)
    assert said["voxel_um"] == [0.05, 0.05, 0.05] and said["has_voxel_size"]
    inside = want[~np.isnan(want)]
    assert said["percentiles"][said["percents"].index(50)] == pytest.approx(
        np.median(inside), abs=10 / volumes.SHAPE[2]
    )  # columns are that far apart
    assert store.check(key) == []


def test_levels_halve_until_they_are_small_and_keep_the_mean(store: Store) -> None:
    volumes.put(store, shape=(70, 130, 66))
    key = viewform.make_view(store, {"source": "d-volume", "variable": "address"})
    levels = viewform.described(store, key)["levels"]
    assert levels == [[70, 130, 66], [35, 65, 33], [18, 33, 17]]
    fine = values(store, key)[0]
    coarse = values(store, key, 1)[0]
    want = fine[:70, :130].reshape(35, 2, 65, 2, 33, 2).mean(axis=(1, 3, 5))
    assert np.abs(coarse - want).max() <= 1.1 * viewform.described(store, key)["scale"]


def test_a_stack_has_layers_in_its_unit_and_its_files_are_few(store: Store) -> None:
    source = volumes.put(store)
    key = viewform.make_view(store, {"source": source, "variable": "mu"})
    said = viewform.described(store, key)
    assert said["layers"] == {"name": "energy", "units": "eV", "values": list(volumes.ENERGIES), "names": []}
    want = store.open(source)["mu"].transpose("energy", "z", "y", "x").to_numpy()
    assert np.abs(values(store, key) - want).max() <= 0.51 * said["scale"]
    array = zarr.open_group(store.path(key), mode="r")["level0"]
    assert array.chunks == (1, 64, 64, 64)
    assert len(list((store.path(key) / "level0" / "c").rglob("*"))) < 8
    middle = [p[said["percents"].index(50.0)] for p in said["layer_percentiles"]]
    assert np.diff(middle) == pytest.approx([1, 1, 1], abs=0.01)


def test_labels_stay_labels_and_pictures_are_one_slice(store: Store) -> None:
    source = volumes.put(store)
    key = viewform.make_view(store, {"source": source, "variable": "labels"})
    said = viewform.described(store, key)
    assert said["labels"] and said["scale"] == 1.0
    assert set(np.unique(values(store, key))) == {0.0, 1.0, 2.0}
    flat = viewform.described(store, viewform.make_view(store, {"source": source, "variable": "picture"}))
    assert flat["flat"] and flat["levels"] == [[1, *volumes.SHAPE[1:]]]


def test_the_key_names_source_variable_and_kind(store: Store) -> None:
    source = volumes.put(store)
    plans = [viewform.plan_view(store, source, v, kind=k) for v, k in (("labels", "auto"), ("labels", "quantity"), ("address", "auto"))]  # type: ignore[arg-type]
    assert len({p.key for p in plans}) == 3
    assert viewform.plan_view(store, source, "labels") == plans[0]
    key = viewform.make_view(store, plans[1].payload)
    assert key == plans[1].key and not viewform.described(store, key)["labels"]
    assert store.provenance(key)["inputs"] == {"source": source}


@pytest.mark.parametrize(
    ("variable", "array", "said"),
    [
        ("gone", xr.DataArray([1.0], dims="a"), "no variable 'gone'"),
        ("a", xr.DataArray(np.zeros((2, 2)), dims=("y", "energy")), "no picture"),
        ("a", xr.DataArray(np.zeros((2, 2, 2, 2)), dims=("y", "x", "energy", "angle")), "no picture"),
        ("a", xr.DataArray(np.array([["a", "b"]]), dims=("y", "x")), "does not hold numbers"),
    ],
)
def test_what_cannot_be_shown_says_why(store: Store, variable: str, array: xr.DataArray, said: str) -> None:
    kept: Any = xr.Dataset({"a": array.assign_attrs(units="1")})
    store.put("d-other", kept, {"kind": "dataset"})
    with pytest.raises((DataError, ParamError), match=said):
        viewform.plan_view(store, "d-other", variable)
    with pytest.raises(DataError, match="not a view form"):
        viewform.described(store, "d-other")


def test_a_volume_without_one_number_is_shown_as_nothing(store: Store) -> None:
    nothing = xr.Dataset({"a": (("y", "x"), np.full((3, 4), np.nan), {"units": "1"})})
    store.put("d-nothing", nothing, {"kind": "dataset"})
    said = viewform.described(store, key := viewform.make_view(store, {"source": "d-nothing", "variable": "a"}))
    assert set(said["percentiles"]) == {None} and said["low"] is None
    assert np.isnan(values(store, key)).all()
