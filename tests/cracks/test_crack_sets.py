"""Particles put together: the same weight for each, histograms kept whole on other bins, differences with n."""

import re

import numpy as np
import pytest
import xarray as xr

from analysis.core.data import Scalar, with_scalars
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.cracks import MODALITY
from analysis.cracks.sets import SetParams, rows, shares, together
from analysis.cracks.summary import frame, summary

FIGURE = {f.id: f for f in MODALITY.figures}
STYLE = Style(groups=("uncoated", "coated"))
SLOPES = {"uncoated": (-0.1, -0.2, -0.3), "coated": (0.0, 0.01)}


def profile(slope: float, group: str, name: str, *, step: float = 0.2, base: float = 8340.0) -> Labelled:
    """A profile whose mean rises by ``slope`` eV/µm, with quartiles 0.1 eV apart from it and as many voxels in every bin."""
    bins, parts, layers = 10, 5, 4
    x, part, layer = ((np.arange(n) + 0.5) for n in (bins, parts, layers))
    made = {"distance": ("bin", x * step, {"units": "um"}), "fraction": ("part", part / parts, {"units": "1"})}
    made["depth"] = ("layer", layer * step, {"units": "um"})
    for dim, prefix, at in (("bin", "", x * step), ("part", "part_", part / parts), ("layer", "depth_", layer * step)):
        mean = base + slope * at
        for column, values in (("mean", mean), ("median", mean), ("lower", mean - 0.1), ("upper", mean + 0.1)):
            made[f"{prefix}{column}"] = (dim, values, {"units": "eV"})
        made[f"{prefix}count"] = (dim, np.full(at.size, 50), {"units": "1"})
    made["joint_mean"] = (("layer", "bin"), np.tile(base + slope * x * step, (layers, 1)), {"units": "eV"})
    made["joint_count"] = (("layer", "bin"), np.full((layers, bins), 50), {"units": "1"})
    ds = xr.Dataset({k: (d, np.asarray(v), a) for k, (d, v, a) in made.items()}, attrs={"definition": "e_half"})
    return Labelled(with_scalars(ds, {"slope": Scalar(slope, "eV/um", n=500)}), name, group, "synthetic", f"r-{name}")


def everyone() -> tuple[tuple[Labelled, ...], dict[str, list[str]]]:
    items = tuple(profile(s, g, f"{g}{k}", base=8340 + k) for g, slopes in SLOPES.items() for k, s in enumerate(slopes))
    return items, {"states": ["discharged"] * 5, "cells": ["U1", "U1", "U2", "C1", "C2"]}


def drawn(figure_id: str, **params):
    items, known = everyone()
    figure = FIGURE[figure_id]
    return figure.build(items, STYLE, figure.params.check({**known, **params}))


def test_groups_count_particles_and_cells() -> None:
    items, known = everyone()
    sets = together(items, SetParams.check(known))
    assert [(s.name, s.count, s.short_count) for s in sets] == [
        ("uncoated, discharged", "n = 3 particles of 2 cells", "n = 3 (2 cells)"),
        ("coated, discharged", "n = 2 particles of 2 cells", "n = 2 (2 cells)"),
    ]


@pytest.mark.parametrize("against", ["crack", "normalised", "surface"])
def test_the_mean_of_a_group_has_the_mean_slope(against: str) -> None:
    fig = drawn("cracks.profile", against=against, per="groups", relative=True)
    thick = {t.name: t for t in fig.data if t.name}
    line = thick["uncoated, discharged"]
    x, y = np.asarray(line.x, float), np.asarray(line.y, float)
    assert np.polyfit(x, y, 1)[0] == pytest.approx(-0.2, rel=1e-9)
    if against == "normalised":
        assert np.mean(y) == pytest.approx(0, abs=1e-9)  # relative to the mean of each particle
    assert len([t for t in fig.data if t.showlegend is False and t.fill is None]) == 5  # thin ones
    assert "E − particle mean / eV" in fig.layout.yaxis.title.text


def test_slopes_stand_below_with_their_interval_over_particles() -> None:
    text = drawn("cracks.profile", against="crack", per="groups").layout.xaxis.title.text
    # Student: 0.1 / sqrt(3) * 4.3027 about -0.2
    assert "−0.2 [−0.45, 0.048], n = 3 (2 cells)" in text
    assert "Synthetic data." in text


def test_maps_of_groups_share_their_colours_about_zero() -> None:
    fig = drawn("cracks.joint", per="groups")
    maps = [t for t in fig.data if t.type == "heatmap"]
    assert len(maps) == 2
    assert np.asarray(maps[0].z, float)[0, 0] == pytest.approx(-0.2 * 0.1 - -0.2 * 0.5)  # eV, at 0.1 µm, less the mean of its parts
    assert fig.layout.coloraxis.cmin == -fig.layout.coloraxis.cmax


def test_curves_of_other_steps_meet_on_the_widest_grid() -> None:
    found = rows((profile(-0.1, "uncoated", "a"), profile(-0.1, "uncoated", "b", step=0.1)), "distance", "mean")
    assert found.x[1] - found.x[0] == pytest.approx(0.2)
    both = np.isfinite(found.y).all(axis=0)
    assert both.sum() >= 4
    assert found.y[0, both] == pytest.approx(found.y[1, both], abs=1e-9)
    assert found.mean()[both] == pytest.approx(8340 - 0.1 * found.x[both])


def test_histograms_keep_their_sum_on_wider_bins() -> None:
    def item(step: float, values: list[float]) -> Labelled:
        x = (np.arange(len(values)) + 1) * step
        ds = xr.Dataset({"width": ("width_bin", x, {"units": "um"}), "width_volume": ("width_bin", values, {"units": "um**3"})})
        return Labelled(ds, "P")

    found = shares((item(0.1, [1.0, 3.0]), item(0.05, [1.0, 1.0, 1.0, 1.0])), "width", "width_volume")
    assert found.x == pytest.approx([0.1, 0.2])
    assert found.y[0] == pytest.approx([0.25, 0.75])
    assert found.y[1] == pytest.approx([0.625, 0.375])  # the narrowest bin reaches below the first edge and counts there


def test_the_summary_has_means_and_their_difference() -> None:
    items, known = everyone()
    sets = together(items, SetParams.check(known), by_state=False)
    lines = summary({"profiles": sets}, ("uncoated", "coated"))
    assert [line.quantity.name for line in lines] == ["slope"]
    (_, uncoated, cells), (_, coated, _) = lines[0].groups
    assert (uncoated.value, uncoated.n, cells) == (pytest.approx(-0.2), 3, 2)
    assert coated.value == pytest.approx(0.005)
    assert lines[0].effect is not None and lines[0].effect.value == pytest.approx(0.205)
    table = frame(lines)
    assert list(table["of"]) == ["uncoated", "coated", "coated - uncoated"]
    assert list(table["particles"]) == [3, 2, 5]


def test_isolated_domains_as_points() -> None:
    columns = {
        "domain": ([2, 3], "1"),
        "volume": ([0.5, 0.1], "um**3"),
        "fraction": ([0.02, 0.004], "1"),
        "kind": (["enclosed", "detached"], ""),
        "difference": ([0.4, -0.1], "eV"),
    }
    ds = xr.Dataset({k: ("domain_row", np.asarray(v), {"units": u}) for k, (v, u) in columns.items()})
    item = Labelled(with_scalars(ds, {"isolated_fraction": Scalar(0.024, "1", n=2)}), "P1", "uncoated", "synthetic", "r-1")
    figure = FIGURE["cracks.isolated"]
    fig = figure.build((item,), STYLE, figure.params.check({"states": ["charged"], "cells": ["U1"]}))
    points = [t for t in fig.data if t.name]
    assert [(t.name, list(t.x), list(t.y)) for t in points] == [
        ("uncoated, charged, enclosed, n = 1", [0.5], [0.4]),
        ("uncoated, charged, detached, n = 1", [0.1], [-0.1]),
    ]
    said = " ".join(re.sub("<[^>]*>", " ", fig.layout.xaxis.title.text).split())
    assert "uncoated 2.4 % of the solid (n = 1 particle of 1 cell)" in said
    assert len(figure.table([item], figure.params.check({}))) == 2
