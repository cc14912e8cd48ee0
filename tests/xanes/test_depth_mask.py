"""Masks by depth: a sphere's shells have their known volumes, a crack is no surface, and distributions take them."""

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import cKDTree

from analysis.core.errors import DataError, ParamError
from analysis.schemas import EDGE_MAP, MASK
from analysis.xanes.depth import DepthParams, depth_mask, summarise, within_depth

UM = 0.5
RADIUS = 12.0  # voxels
SIDE = 31


def ball(*, crack: bool = False) -> np.ndarray:
    z, y, x = np.indices((SIDE, SIDE, SIDE)) - SIDE // 2
    inside = z**2 + y**2 + x**2 <= RADIUS**2
    return inside & ~((abs(x) <= 1) & (y >= 0)) if crack else inside  # a cut from the middle out through the surface


def edge_map(solid: np.ndarray, **attrs: object) -> xr.Dataset:
    dims = ("z", "y", "x")[-solid.ndim :]
    flags = np.where(solid, 0, 2).astype(np.uint8)
    energy = np.where(solid, 8343.0, np.nan).astype(np.float32)
    made = xr.Dataset({"edge_energy": (dims, energy, {"units": "eV"}), "flags": (dims, flags, {"units": "1"})})
    return made.assign_attrs({"voxel_um": [UM] * solid.ndim, "schema": "txm.edge_map", **attrs})


def test_shells_of_a_sphere_have_their_volumes_and_together_make_it() -> None:
    edges = edge_map(ball())
    core = MASK.conform(depth_mask(edges=edges, params=DepthParams(low=3.0)))
    shell = depth_mask(edges=edges, params=DepthParams(high=3.0))
    assert int(core["mask"].sum()) + int(shell["mask"].sum()) == int(ball().sum())
    outside = np.argwhere(~ball())
    far = cKDTree(outside).query(np.argwhere(ball()))[0] * UM  # another way to the same distances
    expected = np.zeros(ball().shape, bool)
    expected[ball()] = far >= 3.0
    np.testing.assert_array_equal(core["mask"] != 0, expected)
    assert summarise(core, DepthParams())["deepest"].value == pytest.approx(far.max(), rel=1e-6)


def test_a_crack_is_no_surface() -> None:
    cracked = ball(crack=True)
    mask = depth_mask(edges=edge_map(cracked), params=DepthParams(low=3.0))["mask"].to_numpy() != 0
    whole = depth_mask(edges=edge_map(ball()), params=DepthParams(low=3.0))["mask"].to_numpy() != 0
    assert not (mask & ~cracked).any(), "what has no edge is in no mask"
    far = np.indices(cracked.shape)[1] < SIDE // 2 + 4
    missing = np.count_nonzero(mask[far] != (whole & cracked)[far])
    assert missing < 0.01 * np.count_nonzero(whole[far]), "but for the lips of its mouth"
    open_to_it = depth_mask(edges=edge_map(cracked), params=DepthParams(low=3.0, close=0))
    assert int(open_to_it["mask"].sum()) < int(mask.sum())


def test_a_picture_has_its_distance_from_the_outline() -> None:
    flat = np.zeros((20, 20), bool)
    flat[4:16, 4:16] = True
    mask = depth_mask(edges=edge_map(flat), params=DepthParams(low=2 * UM, close=0))["mask"].to_numpy()
    assert mask.sum() == 10 * 10


def test_what_cannot_be_is_refused() -> None:
    edges = edge_map(ball())
    with pytest.raises(ParamError, match="No depth lies from 2 to 1 um"):
        depth_mask(edges=edges, params=DepthParams(low=2.0, high=1.0))
    with pytest.raises(DataError, match=r"the deepest one is 6\.02 um below"):
        depth_mask(edges=edges, params=DepthParams(low=20.0))
    with pytest.raises(DataError, match="No voxel of this map has an edge"):
        depth_mask(edges=edge_map(np.zeros((4, 4, 4), bool)), params=DepthParams())
    nameless = edges.copy()
    del nameless.attrs["voxel_um"]
    with pytest.raises(DataError, match="no voxel size"):
        depth_mask(edges=nameless, params=DepthParams())


def test_a_particle_without_a_surface_is_refused() -> None:
    with pytest.raises(DataError, match="fills the whole map"):
        depth_mask(edges=edge_map(np.ones((5, 5, 5), bool)), params=DepthParams(high=1.0))


def test_a_map_of_some_depths_keeps_their_voxels_alone() -> None:
    edges, params = edge_map(ball()), DepthParams(low=1.0, high=3.0)
    inside = depth_mask(edges=edges, params=params)["mask"].to_numpy() != 0
    shell = EDGE_MAP.conform(within_depth(edges=edges, params=params))
    np.testing.assert_array_equal(shell["flags"].to_numpy() == 0, inside)
    np.testing.assert_array_equal(np.isfinite(shell["edge_energy"].to_numpy()), inside)
    assert set(np.unique(shell["flags"])) == {0, 32} and list(shell.attrs["depth_um"]) == [1.0, 3.0]
    assert int((edges["flags"] == 0).sum()) == int(ball().sum()), "the map itself stays"


def test_shells_of_a_gradient_differ_as_the_gradient_says() -> None:
    solid = ball()
    far = cKDTree(np.argwhere(~solid)).query(np.argwhere(solid))[0] * UM
    edges = edge_map(solid)
    edges["edge_energy"].values[solid] = 8343.0 + 0.1 * far
    outer, inner = (within_depth(edges=edges, params=DepthParams(low=a, high=b))["edge_energy"] for a, b in ((0, 2), (4, 7)))
    expected = [8343.0 + 0.1 * np.median(far[(far >= a) & (far < b)]) for a, b in ((0, 2), (4, 7))]
    assert [float(outer.median()), float(inner.median())] == pytest.approx(expected, abs=2e-3)
