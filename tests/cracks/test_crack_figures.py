"""The figures of cracks: traces, units in titles, what must be said."""

import re

import numpy as np
import pytest
import xarray as xr
from crack_makers import ball, edge_map, made, segmentation

from analysis.core.data import Scalar, table, with_scalars
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.cracks import MODALITY

FIGURE = {f.id: f for f in MODALITY.figures}
STYLE = Style(groups=("uncoated", "coated"))
ENVELOPE = ball(40, 18)
Z = np.arange(40)[:, None, None] * np.ones((1, 40, 40))
CRACK = ENVELOPE & (np.abs(Z - 19.5) < 2)


def particle(
    ratio: float, group: str, *, limit: float | None = 0.001, name: str = "P", origin: str = "synthetic", cycle: float | None = None
) -> Labelled:
    ds = table({"particle": (np.array([1]), "1")}, dim="particle_row", attrs={"cycle_number": cycle} if cycle is not None else {})
    told = {"crack_volume_ratio": Scalar(ratio, "1", low=ratio, high=ratio, n=1), "detection_limit": Scalar(limit, "1", n=3)}
    return Labelled(with_scalars(ds, told), name, group, origin, key=f"r-{name}")


def drawn(figure_id: str, *items: Labelled, **params):
    figure = FIGURE[figure_id]
    return figure.build(items, STYLE, figure.params.check(params))


def plain(text: str) -> str:
    """Text without its markup, lines joined."""
    return " ".join(re.sub("<[^>]*>", " ", text).split())


def measured() -> Labelled:
    return Labelled(made("cracks.measure", segmentation=segmentation(CRACK, ENVELOPE, voxel_um=0.1)), "P1", "uncoated", "synthetic", "r-1")


def profiled() -> Labelled:
    edges = edge_map(8340 + 0.1 * np.abs(Z - 19.5), ENVELOPE, 0.1)
    return Labelled(
        made("cracks.distance_profile", segmentation=segmentation(CRACK, ENVELOPE, voxel_um=0.1), edges=edges),
        "P1",
        "uncoated",
        "synthetic",
        "r-2",
    )


def test_bars_of_groups_with_particles_and_what_is_below_the_limit() -> None:
    items = [particle(r, "uncoated", name=f"U{k}") for k, r in enumerate((0.05, 0.06, 0.052))]
    items += [particle(r, "coated", name=f"C{k}") for k, r in enumerate((0.0004, 0.0))]
    fig = drawn("cracks.volume", *items)
    bars = [t for t in fig.data if t.type == "bar"]
    points = [t for t in fig.data if t.type == "scatter"]
    assert [b.y[0] for b in bars] == pytest.approx([5.4, 0.1])  # the second is drawn at its limit
    assert "< LOD" in bars[1].text[0] and "n = 2" in bars[1].text[0]
    assert "n = 3" in bars[0].text[0]
    assert bars[0].error_y.array[0] > 0 and bars[1].error_y.array is None
    assert list(points[1].marker.symbol) == ["circle-open"] * 2
    assert list(points[1].y) == pytest.approx([0.1, 0.1])
    assert list(points[0].y) == pytest.approx([5.0, 6.0, 5.2])
    assert fig.layout.yaxis.title.text == "Crack volume ratio / %"
    assert fig.layout.yaxis.type == "log"
    assert "Synthetic data" in fig.layout.xaxis.title.text
    assert list(fig.layout.xaxis.ticktext) == ["uncoated<br>5.4 %, n = 3", "coated<br>< LOD (0.1 %), n = 2"]
    plain = drawn("cracks.volume", *items, log=False, particles=False)
    assert plain.layout.yaxis.type != "log"
    assert all(t.type == "bar" for t in plain.data)


def test_bars_without_a_limit_or_without_anything() -> None:
    fig = drawn("cracks.volume", particle(0.02, "coated", limit=None))
    assert fig.data[0].y[0] == pytest.approx(2.0)
    assert "No particle" in drawn("cracks.volume").layout.annotations[0].text


def test_evolution_over_cycles() -> None:
    items = [particle(r, "uncoated", name=f"U{c}", cycle=c) for c, r in ((1, 0.01), (6, 0.05), (100, 0.12))]
    fig = drawn("cracks.evolution", *items)
    assert list(fig.data[0].x) == [1, 6, 100]
    assert list(fig.data[0].y) == pytest.approx([1, 5, 12])
    assert fig.layout.xaxis.title.text.startswith("Cycle")
    given = drawn("cracks.evolution", particle(0.01, "coated"), particle(0.02, "coated", name="Q"), cycles=(6, 50), log=False)
    assert list(given.data[1].x) == [6, 50]
    assert "cycle number" in drawn("cracks.evolution", particle(0.01, "coated")).layout.annotations[0].text


def test_histograms_of_width_and_radius() -> None:
    widths = drawn("cracks.widths", measured())
    assert widths.layout.xaxis.title.text.startswith("Width of the crack / µm")
    assert np.sum(widths.data[0].y) == pytest.approx(100)
    assert widths.data[0].x[int(np.argmax(widths.data[0].y))] == pytest.approx(0.4)
    assert drawn("cracks.widths", measured(), cumulative=True).data[0].y[-1] == pytest.approx(100)
    radial = drawn("cracks.radial", measured())
    assert radial.layout.yaxis.title.text == "Crack volume of the shell / %"
    assert radial.data[0].name == "P1 (synthetic)"


def test_profiles_say_their_slope_with_interval_and_count() -> None:
    item = profiled()
    for against, title in (
        ("crack", "Distance from the nearest crack / µm"),
        ("normalised", "over its maximum"),
        ("surface", "Depth below the surface / µm"),
    ):
        fig = drawn("cracks.profile", item, against=against)
        assert title in fig.layout.xaxis.title.text
        assert fig.layout.yaxis.title.text == "Edge energy / eV"
        line = fig.data[-1]
        assert "eV/µm, n = " in line.name and "(synthetic)" in line.name
        assert fig.data[0].fill == "toself"
    assert "half of the edge step" in plain(fig.layout.xaxis.title.text)
    counts = drawn("cracks.profile", item, against="crack", counts=True, quartiles=False)
    assert [t.type for t in counts.data] == ["scatter", "bar"]


def test_the_map_of_distance_and_depth_and_the_table_of_domains() -> None:
    fig = drawn("cracks.joint", profiled())
    assert fig.data[0].type == "heatmap"
    assert fig.data[0].colorbar.title.text == "Edge energy / eV"
    cut = ENVELOPE & (np.abs(Z - 30) < 1)
    item = Labelled(made("cracks.domains", segmentation=segmentation(cut, ENVELOPE, voxel_um=0.1)), "P1", "uncoated", "synthetic", "r-3")
    listed = drawn("cracks.domains", item)
    cells = listed.data[0].cells.values
    assert cells[5] == ["detached"]
    assert cells[7] == ["–"]
    assert "Volume / µm³" in listed.data[0].header["values"]
    none = Labelled(made("cracks.domains", segmentation=segmentation(np.zeros_like(CRACK), ENVELOPE)), "P2", "", "measured", "r-4")
    assert "No domain is cut off" in drawn("cracks.domains", none).layout.annotations[0].text


def test_sensitivity_names_the_settings() -> None:
    columns = {
        "parameter": (["as chosen", "seed"], ""),
        "value": ([np.nan, 4.8], "1"),
        "factor": ([1.0, 0.8], "1"),
        "ratio": ([0.05, 0.051], "1"),
    }
    ds = xr.Dataset({k: ("setting", np.asarray(v), {"units": u}) for k, (v, u) in columns.items()})
    fig = drawn("cracks.sensitivity", Labelled(ds, "P1", "uncoated"))
    assert list(fig.data[0].x) == pytest.approx([5.0, 5.1])
    assert fig.layout.xaxis.title.text.startswith("Crack volume ratio / %")


@pytest.mark.parametrize("figure_id", ["cracks.volume", "cracks.widths", "cracks.radial", "cracks.profile", "cracks.joint"])
def test_every_figure_has_its_numbers(figure_id: str) -> None:
    figure = FIGURE[figure_id]
    item = profiled() if figure.schema == "cracks.distance_profile" else measured()
    frame = figure.table([item], figure.params.check({}))
    assert len(frame)
    assert {"group", "origin"} <= set(frame.columns)
    assert any(" / " in c for c in frame.columns)
