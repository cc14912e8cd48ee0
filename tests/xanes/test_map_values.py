"""Values of maps counted and followed along lines, against NumPy and exact lines."""

import numpy as np
import pytest
import xarray as xr

from analysis.core.data import scalars
from analysis.core.errors import DataError, ParamError
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.schemas import EDGE_MAP, MASK
from analysis.xanes.figures_map_values import MapHistogramParams, ProfileFigureParams, map_histogram, map_profile
from analysis.xanes.figures_spectra import MARK_COLOURS
from analysis.xanes.map_values import (
    HISTOGRAM,
    PROFILE,
    HistogramParams,
    MapParams,
    ProfileParams,
    chosen,
    histogram,
    profile,
    summarise_histogram,
    within,
)

SHAPE = (6, 10, 12)
STYLE = Style(groups=("uncoated", "coated"))


def edge_map(*, holes: bool = False) -> xr.Dataset:
    """Edge energy 8340 + 0.1 x + 0.01 y eV; the first slice is refused, the last one rim."""
    z, y, x = np.mgrid[tuple(slice(n) for n in SHAPE)]
    energy = 8340 + 0.1 * x + 0.01 * y
    flags = np.where(z == 0, 2, 0)
    if holes:
        flags = np.where((x > 3) & (x < 8), 2, flags)
    energy = np.where(flags == 0, energy, np.nan)
    dims, eV = ("z", "y", "x"), {"units": "eV"}
    ds = xr.Dataset(
        {
            "edge_energy": (dims, energy.astype(np.float32), eV),
            "edge_energy_std": (dims, np.full(SHAPE, 0.05, np.float32), eV),
            "flags": (dims, flags.astype(np.uint8), {"units": "1"}),
            "rim": (dims, (z == SHAPE[0] - 1).astype(np.uint8), {"units": "1"}),
        },
        attrs={"definition": "e_half", "e0": 8340.0, "voxel_um": [0.2, 0.1, 0.1]},
    )
    return EDGE_MAP.conform(ds)


def test_values_are_counted_as_numpy_does_and_bins_are_shared() -> None:
    ds = edge_map()
    found = HISTOGRAM.conform(histogram(params=HistogramParams(bin_width=0.25), edges=ds))
    values = ds["edge_energy"].to_numpy()[1:-1].astype(float).ravel()
    ends = np.append(found["value"].to_numpy() - 0.125, found["value"].to_numpy()[-1] + 0.125)
    assert ends / 0.25 == pytest.approx(np.round(ends / 0.25), abs=1e-6), "multiples of the width, whatever is counted"
    assert found["count"].to_numpy().tolist() == np.histogram(values, ends)[0].tolist()
    numbers = summarise_histogram(found, HistogramParams())
    assert (numbers["n_valid"].value, numbers["median"].unit, numbers["median"].of) == (values.size, "eV", "voxels")
    assert numbers["mean"].value == pytest.approx(values.mean(), abs=1e-6)
    assert numbers["std"].value == pytest.approx(values.std(ddof=1), rel=1e-6)
    assert numbers["median"].value == pytest.approx(np.median(values), abs=0.25 / 20)
    assert within(chosen(MapParams(), edges=ds), 8340.2, 8340.6) == (int(((values >= 8340.2) & (values <= 8340.6)).sum()), values.size)


def test_a_region_is_counted_alone_and_labels_one_by_one() -> None:
    ds = edge_map()
    mask = np.zeros(SHAPE, np.uint8)
    mask[2, :, :3] = 1
    region = MASK.conform(xr.Dataset({"mask": (("z", "y", "x"), mask, {"units": "1"})}))
    found = histogram(params=HistogramParams(bin_width=0.1), edges=ds, mask=region)
    assert found.attrs["n"] == 30
    assert float(found["fraction"].sum()) == pytest.approx(1)
    flags = histogram(params=HistogramParams(variable="flags"), edges=ds)
    assert flags["value"].to_numpy().tolist() == [0, 1, 2]
    assert flags["count"].to_numpy().tolist() == [600, 0, 120], "all voxels are counted, refused ones too"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"variable": "soc"}, "There is no map 'soc'"),
        ({"bin_width": 1e-7}, "more than 100,000 bins"),
    ],
)
def test_what_cannot_be_counted_is_said(params: dict[str, object], message: str) -> None:
    with pytest.raises((DataError, ParamError), match=message):
        histogram(params=HistogramParams(**params), edges=edge_map())  # type: ignore[arg-type]
    with pytest.raises(DataError, match="One map is looked at; 0 were given"):
        histogram(params=HistogramParams())


def test_a_profile_of_a_linear_map_is_exact() -> None:
    params = ProfileParams(start=(2.5, 1.5, 1.5), end=(2.5, 8.5, 10.5))
    found = PROFILE.conform(profile(params=params, edges=edge_map()))
    part = np.linspace(0, 1, found.sizes["point"])
    assert found["value"].to_numpy() == pytest.approx(8340 + 0.1 * (1 + 9 * part) + 0.01 * (1 + 7 * part), abs=2e-3)  # float32 at 8340
    assert float(found["distance"][-1]) == pytest.approx(0.1 * np.hypot(7, 9))
    assert found["distance"].attrs["units"] == "um"
    assert found["value_std"].to_numpy() == pytest.approx(0.05)


def test_a_profile_has_gaps_where_the_map_has_none_and_keeps_to_the_map() -> None:
    found = profile(params=ProfileParams(start=(2.5, 5.5, 0.5), end=(2.5, 5.5, 40.0)), edges=edge_map(holes=True))
    x = found["distance"].to_numpy() / 0.1
    known = np.isfinite(found["value"].to_numpy())
    assert not known[(x > 3.6) & (x < 7.4)].any()
    assert known[(x < 3) | (x > 8)].all()
    assert x[-1] == pytest.approx(11.5), "the line ends where the map does"
    with pytest.raises(ParamError, match="3 coordinates at each end"):
        profile(params=ProfileParams(start=(1, 2), end=(3, 4)), edges=edge_map())


def labelled(ds: xr.Dataset, **more: str) -> Labelled:
    return Labelled(ds, label="U1 P1 · charged", group="uncoated", origin="synthetic", **more)


def test_the_figures_say_quantity_unit_and_origin() -> None:
    ds = edge_map()
    params = HistogramParams(bin_width=0.25)
    made = histogram(params=params, edges=ds)
    made = HISTOGRAM.conform(made).assign_attrs(scalars={k: v.to_json() for k, v in summarise_histogram(made, params).items()})
    assert scalars(made)["n_valid"].value == 480
    items = (labelled(made, id="whole.1"), labelled(made, id="1.e-1"))
    fig = map_histogram(items, STYLE, MapHistogramParams(brush=(8340.2, 8340.6), colours={"1.e-1": 2}))
    assert fig.layout.xaxis.title.text.startswith("Edge energy (half of the edge step) / eV")
    assert "Synthetic data" in fig.layout.xaxis.title.text
    assert (fig.layout.shapes[0].x0, fig.layout.shapes[0].x1) == (8340.2, 8340.6)
    assert fig.data[0].line.color == STYLE.color("uncoated")
    assert fig.data[1].line.color == MARK_COLOURS["light"][2]
    assert sum(fig.data[0].y) == pytest.approx(100)
    line = PROFILE.conform(profile(params=ProfileParams(start=(2.5, 5.5, 0.5), end=(2.5, 5.5, 11.5)), edges=edge_map(holes=True)))
    drawn = map_profile((labelled(line),), STYLE, ProfileFigureParams())
    assert drawn.layout.xaxis.title.text.startswith("Distance / µm")
    assert drawn.layout.yaxis.title.text == "Edge energy / eV"
    assert len(drawn.data) == 3, "a band on each side of the gap, and the line"
