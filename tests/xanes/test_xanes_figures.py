"""Figures of distributions: common bins, equal weight, the same numbers as the results, units, the word synthetic, what is refused."""

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from analysis.core.data import scalars, with_scalars
from analysis.core.errors import DataError
from analysis.core.registry import Labelled, Style
from analysis.modalities import registry
from analysis.schemas import EDGE_MAP
from analysis.xanes import activity, calibration, distribution, edges, pooling
from analysis.xanes.compute import compared, compared_states, histogram, state, state_histogram

STYLE = Style(groups=("coated", "uncoated"))
QUICK = distribution.DistributionParams(resamples=0)
SETS = (("uncoated", "discharged"), ("uncoated", "charged"), ("coated", "discharged"), ("coated", "charged"))
CENTER = {"uncoated discharged": 8341.2, "uncoated charged": 8342.6, "coated discharged": 8340.4, "coated charged": 8342.5}
WIDTH = {"uncoated": 0.4, "coated": 0.15}


def edge_map(center: float, width: float, *, seed: int, side: int = 40, std: float = 0.1, **attrs: object) -> xr.Dataset:
    energy = center + width * np.random.default_rng(seed).standard_normal((side, side))
    variables = {"edge_energy": energy, "edge_energy_std": np.full((side, side), std), "flags": np.zeros((side, side), dtype=np.uint8)}
    units = {"flags": "1"}
    made = {n: (("y", "x"), v, {"units": units.get(n, "eV")}) for n, v in variables.items()}
    return EDGE_MAP.conform(xr.Dataset(made, attrs={"definition": "e_half", "e0": 8343.0, **attrs}))


def particles(*, each: int = 3, origin: str = "synthetic", **attrs: object) -> tuple[list[xr.Dataset], tuple[Labelled, ...]]:
    """Maps of every group in every state, of different sizes, and their distributions as the page names them."""
    maps, items = [], []
    for k, (group, named) in enumerate(s for s in SETS for _ in range(each)):
        own = edge_map(CENTER[f"{group} {named}"] + 0.05 * (k % each), WIDTH[group], seed=k, side=20 + 10 * (k % each), **attrs)
        maps.append(own)
        items.append(Labelled(counted(own), f"{group}-{k % each + 1} · {named}", group, origin, f"k{k}", str(k)))
    return maps, tuple(items)


def counted(edge: xr.Dataset, params: distribution.DistributionParams = QUICK) -> xr.Dataset:
    made = distribution.DISTRIBUTION.conform(histogram(edges=edge, params=params))
    return with_scalars(made, distribution.summarise(made, params))


def together(items: tuple[Labelled, ...]) -> Labelled:
    params = pooling.PooledParams(groups=tuple(i.group for i in items), states=tuple(i.label.split(" · ")[1] for i in items))
    made = pooling.POOLED.conform(pooling.pooled(particles=tuple(i.data for i in items), params=params))
    return Labelled(with_scalars(made, pooling.summarise(made, params)), "all", origin="synthetic", key="p")


def differences(maps: list[xr.Dataset], items: tuple[Labelled, ...]) -> Labelled:
    order = sorted(range(len(items)), key=lambda k: items[k].group)
    groups, states = zip(*((items[k].group, items[k].label.split(" · ")[1]) for k in order), strict=True)
    params = activity.CompareParams(groups=groups, states=states)
    made = activity.ACTIVITY.conform(compared(maps=tuple(maps[k] for k in order), params=params))
    return Labelled(with_scalars(made, activity.summarise(made, params)), "differences", origin="synthetic", key="a")


MAPS, ITEMS = particles()
POOLED, DIFFERENCES = together(ITEMS), differences(MAPS, ITEMS)


def draw(figure_id: str, items: tuple[Labelled, ...], style: Style = STYLE, **params: Any) -> Any:
    figure = registry().figure(figure_id)
    return _plain(figure.build(items, style, figure.params.check(params)).to_dict())


def _plain(value: Any) -> Any:
    """Plotly packs arrays; here they are arrays again."""
    if isinstance(value, dict) and "bdata" in value:
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def steps(figure: Any) -> list[Any]:
    return [t for t in figure["data"] if t["line"].get("shape") == "hvh"]


# -- particles put together --------------------------------------------------------------------------------------------------


def test_every_particle_weighs_the_same_however_many_voxels_it_has() -> None:
    small, large = counted(edge_map(8340.0, 0.1, seed=0, side=20)), counted(edge_map(8344.0, 0.1, seed=1, side=100))
    made = pooling.pooled(particles=(small, large), params=pooling.PooledParams(groups=("a", "a"), states=("charged", "charged")))
    made = pooling.POOLED.conform(made)
    assert made["n_voxels"].values.tolist() == [400 + 10_000]
    below = made["energy"].values < 8342
    assert float(made["fraction"].values[0][below].sum()) == pytest.approx(0.5, abs=1e-12)
    assert float(made["mean"][0]) == pytest.approx(8342.0, abs=0.02)
    assert float(made["std"][0]) == pytest.approx(np.hypot(2.0, 0.1), rel=0.01)
    assert float(made["noise_floor"][0]) == pytest.approx(0.1, rel=1e-5)
    assert len(made.attrs["parts"][0]) == 2
    assert [p["weight"] for p in made.attrs["parts"][0]] == pytest.approx([0.5, 0.5], abs=0.01)


def test_pooled_numbers_are_those_of_the_voxels() -> None:
    """One particle a set: quantiles, mean and width as NumPy finds them in the voxels; histogram and outline hold everything."""
    own = edge_map(8341.3, 0.37, seed=3, side=120)
    made = pooling.pooled(particles=(counted(own),), params=pooling.PooledParams(groups=("a",), states=("charged",)))
    values = own["edge_energy"].values.ravel()
    fine = QUICK.bin_width / distribution.FINE
    for name, true in zip(("p5", "q25", "median", "q75", "p95"), np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]), strict=True):
        assert float(made[name][0]) == pytest.approx(true, abs=fine)
    assert float(made["mean"][0]) == pytest.approx(values.mean(), abs=fine / 2)
    assert float(made["std"][0]) == pytest.approx(values.std(), rel=1e-3)
    assert float(made["fraction"].values.sum()) == pytest.approx(1.0, abs=1e-12)
    assert np.trapezoid(made["outline"].values[0], made["at"].values) == pytest.approx(0.998, abs=0.003)


def test_the_outline_is_the_density_widened_by_its_kernel() -> None:
    own = counted(edge_map(8341.0, 0.3, seed=5, side=150))
    params = pooling.PooledParams(groups=("a",), states=("charged",), bandwidth=0.4)
    made = pooling.pooled(particles=(own,), params=params)
    at = made["at"].values
    expected = np.exp(-0.5 * ((at - 8341.0) / 0.5) ** 2) / (0.5 * np.sqrt(2 * np.pi))  # 0.3² + 0.4² = 0.5²
    assert made["outline"].values[0] == pytest.approx(expected, abs=0.02)
    assert made["bandwidth"].values.tolist() == [0.4]


def test_particles_that_were_not_analysed_alike_are_not_put_together() -> None:
    one = counted(edge_map(8341.0, 0.2, seed=0))
    params = pooling.PooledParams(groups=("a", "a"), states=("charged", "charged"))
    for other, message in (
        (counted(edge_map(8341.0, 0.2, seed=0, definition="white_line")), "differ in definition: e_half, white_line"),
        (counted(edge_map(8341.0, 0.2, seed=0), QUICK.model_copy(update={"bin_width": 0.2})), "differ in bin width: 0.05, 0.2"),
    ):
        with pytest.raises(DataError, match=message):
            pooling.pooled(particles=(one, other), params=params)


def test_mean_of_medians_has_an_interval_over_particles() -> None:
    found = scalars(POOLED.data)
    medians = [float(np.median(m["edge_energy"].values)) for m in MAPS[:3]]
    first = found["mean_of_medians_1"]
    assert (first.n, first.of, first.level, first.unit) == (3, "particles", 0.95, "eV")
    assert first.value == pytest.approx(np.mean(medians), abs=0.006)
    assert first.low < first.value < first.high


# -- what the recipes learnt for this page -------------------------------------------------------------------------------------


def test_heterogeneity_of_two_groups_is_compared_in_each_state() -> None:
    found = scalars(DIFFERENCES.data)
    for named in ("charged", "discharged"):
        scalar = found[f"width_{named}"]
        # Coated first: sqrt(0.15² − 0.1²) − sqrt(0.4² − 0.1²).
        assert scalar.value == pytest.approx(np.sqrt(0.15**2 - 0.01) - np.sqrt(0.4**2 - 0.01), abs=0.02)
        assert scalar.high < 0
        assert "heterogeneity" in scalar.title
        assert (scalar.n, scalar.level) == (6, pytest.approx(0.9))
    unknown = [m.drop_vars("edge_energy_std") for m in MAPS]
    assert "standard deviation" in scalars(differences(unknown, ITEMS).data)["width_charged"].title


def test_few_particles_give_the_range_of_the_difference_of_differences() -> None:
    maps, items = particles(each=2)
    found = scalars(differences(maps, items).data)["activity_difference"]
    medians = [np.median(m["edge_energy"].values) for m in maps]
    u_dis, u_ch, c_dis, c_ch = (np.array(medians[k : k + 2]) for k in (0, 2, 4, 6))
    every = [(a - b) - (c - d) for a in c_ch for b in c_dis for c in u_ch for d in u_dis]
    assert (found.low, found.high) == (pytest.approx(min(every), abs=1e-6), pytest.approx(max(every), abs=1e-6))
    assert found.level is None
    assert "range" in found.of


def test_states_of_charge_are_counted_and_compared_like_energies() -> None:
    """With one line from energy to state, medians and differences follow by the same line."""
    params = calibration.CalibrateParams(energies=(8338.0, 8346.0), values=(0.0, 1.0))
    states = [calibration.STATE.conform(state(edges=m, params=params)) for m in MAPS]
    made = state_histogram(state=states[0], params=distribution.StateDistributionParams(resamples=0))
    found = distribution.summarise(distribution.DISTRIBUTION.conform(made), QUICK)
    plain = scalars(ITEMS[0].data)
    assert (found["median"].unit, made["energy"].attrs["units"], made.attrs["quantity"]) == ("1", "1", "soc")
    assert found["median"].value == pytest.approx((plain["median"].value - 8338) / 8, abs=1e-3)
    assert found["heterogeneity"].value == pytest.approx(plain["heterogeneity"].value / 8, rel=1e-3)
    chosen = activity.CompareParams(groups=("a", "a"), states=("discharged", "charged"))
    both = activity.ACTIVITY.conform(compared_states(maps=(states[0], states[3]), params=chosen))
    medians = [np.median(MAPS[k]["edge_energy"].values) for k in (0, 3)]
    assert (both["activity"].attrs["units"], float(both["activity"][0])) == ("1", pytest.approx((medians[1] - medians[0]) / 8, abs=1e-5))
    narrow = calibration.CalibrateParams(energies=(8341.2, 8346.0), values=(0.0, 1.0))
    beyond = state_histogram(state=state(edges=MAPS[0], params=narrow), params=distribution.StateDistributionParams(resamples=0))
    assert "% of the voxels lie beyond the calibrants and are left out" in beyond.attrs["warnings"][-1]


def test_the_share_of_a_range_is_that_of_the_voxels() -> None:
    own = edge_map(8341.3, 0.3, seed=8, side=100)
    values = own["edge_energy"].values
    inside = np.mean((values >= 8341.0) & (values < 8341.5))
    assert distribution.share_between(counted(own), 8341.0, 8341.5) == pytest.approx(inside, abs=0.003)
    assert distribution.share_between(counted(own), 8300.0, 8400.0) == pytest.approx(1.0)


def test_refused_voxels_are_counted_among_those_with_an_edge() -> None:
    own = edge_map(8341.0, 0.2, seed=1, side=20)
    flags = own["flags"].values.copy()
    flags[0], flags[1, :10], flags[2, :5] = 2, 16, 8  # air; too uncertain; at the rim of the window
    found = scalars(counted(own.assign(flags=own["flags"].copy(data=flags))))["fraction_refused"]
    assert (found.value, found.n) == (pytest.approx(15 / 380), 380)


# -- figures -------------------------------------------------------------------------------------------------------------------


def test_histograms_of_particles_stand_on_common_bins_in_panels_of_states() -> None:
    figure = draw("xanes.histogram", ITEMS, per="particles")
    drawn = steps(figure)
    assert [t["meta"]["id"] for t in drawn] == [str(k) for k in (3, 4, 5, 9, 10, 11, 0, 1, 2, 6, 7, 8)]  # charged first
    assert {t["yaxis"] for t in drawn} == {"y", "y2"}
    bins = np.concatenate([t["x"] for t in drawn]) / 0.05 - 0.5
    assert bins == pytest.approx(np.round(bins), abs=1e-6)
    for trace in drawn:
        assert float(np.sum(trace["y"]) * 0.05) == pytest.approx(1.0)
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("Edge energy (half of the edge step) / eV")
    assert figure["layout"]["annotations"][0]["text"] == "Density / eV⁻¹"
    assert "Synthetic data." in figure["layout"]["xaxis"]["title"]["text"]
    named = [t["name"] for t in drawn if t["showlegend"]]
    assert named == ["uncoated, 6 particles (synthetic)", "coated, 6 particles (synthetic)"]


def test_pooled_histograms_have_their_curves_and_numbers() -> None:
    figure = draw("xanes.histogram", (*ITEMS, POOLED), per="pooled", brush=(8341.0, 8341.5), low=8339.0, high=8344.0)
    assert len(steps(figure)) == 4
    assert sum(t["line"].get("dash") == "dot" for t in figure["data"]) == 4
    texts = " ".join(a["text"] for a in figure["layout"]["annotations"])
    assert f"median {float(POOLED.data['median'][1]):.2f} eV<br>skew" in texts
    assert "dip 0." in texts
    assert figure["layout"]["shapes"][0]["x0"] == 8341.0
    assert figure["layout"]["shapes"][0]["x1"] == 8341.5
    assert figure["layout"]["xaxis"]["range"] == [8339.0, 8344.0]
    assert "Every particle weighs the same." in figure["layout"]["xaxis"]["title"]["text"]
    assert (figure["layout"]["dragmode"], figure["layout"]["selectdirection"]) == ("select", "h")
    heights = draw("xanes.histogram", (*ITEMS, POOLED), per="pooled", height="fraction")
    assert float(np.sum(steps(heights)[0]["y"])) == pytest.approx(1.0)


def test_two_definitions_never_share_an_axis() -> None:
    other = replace(ITEMS[1], data=ITEMS[1].data.assign_attrs(definition="white_line"))
    for figure in ("xanes.histogram", "xanes.heterogeneity"):
        with pytest.raises(DataError, match="share no axis: definition e_half and white_line"):
            draw(figure, (ITEMS[0], other))
    with pytest.raises(DataError, match="share no axis: dimensionality 2D and 3D"):
        draw("xanes.histogram", (ITEMS[0], replace(other, data=ITEMS[1].data.assign_attrs(dimensionality="3D"))))


def test_violins_show_quartiles_medians_particles_noise_and_differences() -> None:
    figure = draw("xanes.violins", (*ITEMS, POOLED, DIFFERENCES))
    ticks = figure["layout"]["xaxis"]["ticktext"]
    assert ticks[0] == "<b>uncoated</b><br>discharged<br>3 particles<br>2\u202f900 voxels"
    assert [t.split("<br>")[:2] for t in ticks[2:]] == [["<b>coated</b>", "discharged"], ["<b>coated</b>", "charged"]]
    outlines = [t for t in figure["data"] if t.get("fill") == "toself"]
    areas = [_area(t["x"], t["y"]) for t in outlines]
    assert areas == pytest.approx([areas[0]] * 4, rel=0.01)
    points = [t for t in figure["data"] if t.get("mode") == "markers" and "meta" in t]
    medians = [float(np.median(m["edge_energy"].values)) for m in MAPS]
    assert {t["meta"]["id"]: t["y"][0] for t in points} == pytest.approx({str(k): m for k, m in enumerate(medians)}, abs=0.006)
    noise = [t["error_y"]["array"][0] for t in figure["data"] if "error_y" in t]
    assert noise == pytest.approx([0.1] * 4, rel=1e-4)
    activity_1 = scalars(DIFFERENCES.data)["activity_1"]
    texts = [a["text"] for a in figure["layout"]["annotations"]]
    assert len(texts) == 2
    assert f"Δ = +{activity_1.value:.2f} eV [{activity_1.low:.2f} … {activity_1.high:.2f}] 90 %" in texts
    assert figure["layout"]["yaxis"]["title"]["text"] == "Edge energy / eV<br>(half of the edge step)"
    inside = draw("xanes.violins", (*ITEMS, POOLED), inside="violins")
    assert sum("meta" in t and t["mode"] == "lines" for t in inside["data"]) == 12


def _area(x: Any, y: Any) -> float:
    return abs(float(np.sum(np.asarray(x) * np.roll(y, -1) - np.roll(x, -1) * np.asarray(y)))) / 2


def test_differences_stand_about_zero_with_their_intervals() -> None:
    figure = draw("xanes.effects", (DIFFERENCES,))
    found = scalars(DIFFERENCES.data)
    rows = [found[n] for n in ("activity_1", "activity_2", "activity_difference", "width_charged", "width_discharged")]
    assert [t["x"][0] for t in figure["data"]] == [s.value for s in rows]
    ends = [(t["x"][0] - t["error_x"]["arrayminus"][0], t["x"][0] + t["error_x"]["array"][0]) for t in figure["data"]]
    assert ends == [pytest.approx((s.low, s.high)) for s in rows]
    low, high = figure["layout"]["xaxis"]["range"]
    assert low < min(e[0] for e in ends) < 0 < max(e[1] for e in ends) < high
    assert figure["layout"]["xaxis"]["title"]["text"].startswith("Difference / eV")
    assert "90 %" in figure["layout"]["annotations"][0]["text"]


def test_heterogeneity_is_drawn_for_each_particle_with_its_noise() -> None:
    figure = draw("xanes.heterogeneity", ITEMS)
    own = [t for t in figure["data"] if "meta" in t]
    filled = {t["meta"]["id"]: t["y"][0] for t in own if t["marker"].get("symbol") is None}
    assert filled == {i.id: pytest.approx(scalars(i.data)["heterogeneity"].value) for i in ITEMS}
    assert [t["y"][0] for t in own if t["marker"].get("symbol")] == pytest.approx([0.1] * 12, rel=1e-4)
    assert figure["layout"]["yaxis"]["title"]["text"].endswith("/ eV")


def test_quality_bars_add_up_to_all_voxels_with_an_edge() -> None:
    own = edge_map(8341.0, 0.2, seed=1, side=20)
    flags = own["flags"].values.copy()
    flags[0], flags[1, :10] = 2, 16
    own = own.assign(flags=own["flags"].copy(data=flags))
    own = with_scalars(own, edges.summarise(own, None))  # type: ignore[arg-type]
    figure = draw("xanes.quality", (Labelled(own, "P1 · charged", "coated", "measured", "k", "1"),))
    parts = {t["name"]: (t["x"][0], t["customdata"][0]) for t in figure["data"]}
    assert parts == {"counted": (pytest.approx(100 * 370 / 380), 370), "too uncertain": (pytest.approx(100 * 10 / 380), 10)}
    assert figure["layout"]["yaxis"]["ticktext"] == ["P1 ch."]


@pytest.mark.parametrize("figure", ["xanes.histogram", "xanes.violins", "xanes.effects", "xanes.heterogeneity", "xanes.quality"])
def test_an_empty_figure_says_what_is_missing(figure: str) -> None:
    made = draw(figure, (), Style(theme="dark"))
    assert made["data"] == []
    assert made["layout"]["annotations"][0]["text"].startswith("No ")


def test_tables_hold_the_numbers_behind_the_figures() -> None:
    figures = {f: registry().figure(f) for f in ("xanes.histogram", "xanes.violins", "xanes.effects", "xanes.heterogeneity")}
    items = (*ITEMS, POOLED, DIFFERENCES)

    def table(name: str, **params: Any) -> Any:
        kind = figures[name]
        assert kind.table is not None
        return kind.table(items if name != "xanes.heterogeneity" else ITEMS, kind.params.check(params))

    bins = table("xanes.histogram", per="pooled")
    assert set(zip(bins["group"], bins["state"], strict=True)) == set(SETS)
    assert bins.groupby(["group", "state"])["fraction / 1"].sum().to_numpy() == pytest.approx(1.0)
    assert table("xanes.histogram", per="particles")["particle"].nunique() == 6
    assert len(table("xanes.violins")) == 4 * pooling.POINTS
    rows = table("xanes.heterogeneity")
    assert rows["median / eV"].tolist() == [scalars(i.data)["median"].value for i in ITEMS]
    assert rows["definition"].unique().tolist() == ["e_half"]
    effects = table("xanes.effects")
    assert "Charged − discharged, coated" in effects["difference"].tolist()


def test_names_of_people_are_text() -> None:
    odd = (replace(ITEMS[0], label="<b>x</b> %{y} · charged", group="<i>g</i>"),)
    figure = draw("xanes.histogram", odd, per="particles")
    assert "&lt;b&gt;x&lt;/b&gt; %&#123;y}" in steps(figure)[0]["hovertemplate"]
    assert "<b>x</b>" not in str(figure)
