"""Slices as a figure: the values of the map where they count, at their places, on one scale."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

from analysis.core.errors import DataError, ParamError
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.xanes.figures_slices import MOST_PIXELS, SliceParams, slices

SHAPE = (4, 5, 6)
UM = [0.5, 0.1, 0.2]


def edge_map(level: float = 8340.0, shape: tuple[int, ...] = SHAPE, **attrs: Any) -> xr.Dataset:
    dims = ("z", "y", "x")[-len(shape) :]
    energy = level + np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 100
    flags = np.zeros(shape, np.uint8)
    flags[tuple(0 for _ in shape)] = 2
    made = xr.Dataset({"edge_energy": (dims, energy, {"units": "eV"}), "flags": (dims, flags, {"units": "1"})})
    return made.assign_attrs({"voxel_um": UM[-len(shape) :], "definition": "e_half", "schema": "txm.edge_map", **attrs})


def drawn(*maps: xr.Dataset, **params: Any) -> dict[str, Any]:
    items = tuple(Labelled(ds, label=f"P{k} · charged", group="", origin="synthetic") for k, ds in enumerate(maps))
    made = slices(items, Style(), SliceParams(**params))
    return {"data": made.data, "layout": made.layout.to_plotly_json()}


def test_three_slices_through_a_voxel_stand_at_their_places_in_um() -> None:
    ds = edge_map()
    figure = drawn(ds, at=(0, 2, 3))
    across_z, across_y, across_x = figure["data"]
    expected = ds["edge_energy"].values[0].copy()
    expected[0, 0] = np.nan
    np.testing.assert_array_equal(across_z["z"], expected)
    np.testing.assert_array_equal(across_x["z"][1:], ds["edge_energy"].values[1:, :, 3])
    assert across_z["x"] == pytest.approx((np.arange(6) + 0.5) * 0.2)
    assert across_y["y"] == pytest.approx((np.arange(4) + 0.5) * 0.5)
    layout = figure["layout"]
    assert [layout[n]["title"]["text"] for n in ("yaxis", "yaxis2", "yaxis3")] == ["xy, z 0", "xz, y 2", "yz, x 3"]
    assert layout["xaxis2"]["title"]["text"].startswith("Length / µm")
    assert "Synthetic data." in layout["xaxis2"]["title"]["text"]
    assert layout["coloraxis"]["colorbar"]["title"]["text"].startswith("Edge energy / eV<br>")
    assert "half of the edge step" in layout["coloraxis"]["colorbar"]["title"]["text"]
    assert layout["yaxis"]["scaleanchor"] == "x" and layout["yaxis"]["autorange"] == "reversed"


def test_particles_share_one_scale_and_say_their_names() -> None:
    figure = drawn(edge_map(8340.0), edge_map(8345.0), axes=("z",))
    assert len(figure["data"]) == 2
    scale = figure["layout"]["coloraxis"]
    assert 8340 < scale["cmin"] < 8341 and 8345 < scale["cmax"] < 8347
    assert [a["text"] for a in figure["layout"]["annotations"]] == ["<b>P0 · charged (synthetic)</b>", "<b>P1 · charged (synthetic)</b>"]
    given = drawn(edge_map(), low=8330.0, high=8350.0)["layout"]["coloraxis"]
    assert (given["cmin"], given["cmax"]) == (8330.0, 8350.0)


def test_pictures_have_one_pane_and_large_ones_are_thinned_evenly() -> None:
    (pane,) = drawn(edge_map(shape=(7, 2 * MOST_PIXELS)))["data"]
    assert np.shape(pane["z"]) == (7, MOST_PIXELS)
    assert pane["x"][0] == pytest.approx(0.2) and pane["x"][1] - pane["x"][0] == pytest.approx(0.4)


def test_what_cannot_be_shown_is_said() -> None:
    assert "No map to show" in drawn(edge_map(), variable="edge_jump")["layout"]["annotations"][0]["text"]
    with pytest.raises(DataError, match="share no axis: definition"):
        drawn(edge_map(), edge_map(definition="white_line"))
    with pytest.raises(ParamError):
        SliceParams.check({"axes": ["q"]})
    outside = drawn(edge_map(), at=(99, 99, 99))
    assert outside["layout"]["yaxis"]["title"]["text"] == "xy, z 3", "a place outside means the last slice"
