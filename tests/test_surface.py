"""Surfaces of stored volumes: what they hold, what they say of themselves, what cannot be."""

import numpy as np
import pytest

from analysis.core.errors import DataError
from analysis.core.store import Store
from analysis.surface import make_surface, plan_surface, surface_of
from analysis.viewform import make_view
from tests import volumes


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("surfaces") / "study")
    volumes.put(made)
    return made


def form(store: Store, variable: str) -> str:
    return make_view(store, {"source": "d-volume", "variable": variable})


def test_a_ball_in_um_with_its_values(store: Store) -> None:
    key = make_surface(store, plan_surface(store, form(store, "labels"), form(store, "edge_energy")).payload)
    said, ds = surface_of(store, key), store.open(key)
    radius = 17 * 0.05
    middle = np.array(volumes.SHAPE[::-1]) * 0.05 / 2
    assert np.abs(np.linalg.norm(ds["point"] - middle, axis=1) - radius).max() < 0.04
    assert said["volume_um3"] == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.03)
    assert said["area_um2"] == pytest.approx(4 * np.pi * radius**2, rel=0.05)
    x = ds["point"].to_numpy()[:, 0] / 0.05 - 0.5
    assert np.abs(ds["value"].to_numpy() - (8340 + 10 * x / volumes.SHAPE[2])).max() < 0.4
    assert (said["faces"], said["vertices"]) == (ds.sizes["triangle"], ds.sizes["vertex"])
    assert said["colour"]["units"] == "eV" and said["size_um"] == pytest.approx([2.0, 2.4, 2.8])
    assert store.provenance(key)["inputs"].keys() == {"shape", "colour"}


def test_fewer_triangles_with_the_deviation_said(store: Store) -> None:
    key = make_surface(store, plan_surface(store, form(store, "labels"), faces=800).payload)
    said = surface_of(store, key)
    assert said["faces"] <= 840 < said["faces_before"]
    assert 0 < said["deviation_mean_um"] < said["deviation_max_um"] < 0.05  # a voxel
    assert np.isnan(store.open(key)["value"]).all()


def test_a_threshold_of_a_quantity(store: Store) -> None:
    key = make_surface(store, plan_surface(store, form(store, "address"), threshold=195_000.0, smooth=0.0).payload)
    low = store.open(key)["point"].to_numpy()[:, 2].min()
    assert low == pytest.approx(20 * 0.05, abs=1e-3)  # the voxel z = 20 is the first, and begins there


@pytest.mark.parametrize(
    ("shape", "colour", "said"),
    [("picture", "", "is a picture"), ("labels", "picture", "cannot be coloured"), ("labels", "", "belongs to the particle")],
)
def test_what_has_no_surface_says_why(store: Store, shape: str, colour: str, said: str) -> None:
    threshold = 99.0 if "particle" in said else None
    with pytest.raises(DataError, match=said):
        make_surface(store, plan_surface(store, form(store, shape), colour and form(store, colour), threshold=threshold).payload)
    with pytest.raises(DataError, match="not a view form"):
        plan_surface(store, "d-volume")
    with pytest.raises(DataError, match="not a surface"):
        surface_of(store, form(store, "labels"))
