"""Clusters, distributions, mean spectra, states and activities of particles whose truth is known."""

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter
from xanes_truth import E0, GRID, edge, stack

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.statistics import hodges_lehmann
from analysis.schemas import EDGE_MAP, MASK
from analysis.xanes import activity, calibration, cluster, distribution, spectrum
from analysis.xanes.compute import EdgeParams, clusters, compared, edge_map, histogram, mean_spectrum, state


def made_map(energy: np.ndarray, *, std: float = 0.05, **attrs: object) -> xr.Dataset:
    """A finished edge map; NaN is refused."""
    dims = ("z", "y", "x")[3 - energy.ndim :]
    flags = np.where(np.isfinite(energy), 0, 2).astype(np.uint8)
    units = {"units": "eV"}
    return EDGE_MAP.conform(
        xr.Dataset(
            {
                "edge_energy": (dims, energy.astype(np.float32), units),
                "edge_energy_std": (dims, np.full(energy.shape, std, np.float32), units),
                "flags": (dims, flags, {"units": "1"}),
            },
            attrs={"definition": "e_half", "e0": 8340.0} | attrs,
        )
    )


def correlated(shape: tuple[int, ...], sigma: float, seed: int) -> np.ndarray:
    smooth = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), sigma, mode="wrap")
    return smooth * (2 * np.sqrt(np.pi) * sigma) ** (len(shape) / 2)


# -- distribution ------------------------------------------------------------------------------------------------------------


def test_histogram_bins_lie_at_multiples_of_their_width() -> None:
    energy = 8341 + 0.3 * correlated((120, 120), 1.5, 0)
    params = distribution.DistributionParams(bin_width=0.1)
    found = distribution.DISTRIBUTION.conform(histogram(edges=made_map(energy), params=params))
    assert found["count"].sum() == energy.size
    assert float((found["density"] * 0.1).sum()) == pytest.approx(1)
    edges = found["energy"].values - 0.05
    assert edges / 0.1 == pytest.approx(np.round(edges / 0.1), abs=1e-6)
    expected, _ = np.histogram(energy.astype(np.float32).astype(float), np.append(edges, edges[-1] + 0.1) - 1e-7)
    assert found["count"].values.tolist() == expected.tolist()
    assert float((found["gaussian"] * 0.1).sum()) == pytest.approx(1, abs=0.01)
    assert float((found["mixture"] * 0.1).sum()) == pytest.approx(1, abs=0.01)


def test_numbers_of_a_correlated_gaussian_map() -> None:
    energy = 8341 + 0.3 * correlated((150, 150), 2.0, 1)
    found = distribution.summarise(histogram(edges=made_map(energy, std=0.0), params=distribution.DistributionParams()), None)  # type: ignore[arg-type]
    assert found["mean"].value == pytest.approx(energy.mean(), abs=0.005)
    assert found["std"].value == pytest.approx(energy.std(), rel=0.01)
    assert found["correlation_length"].value == pytest.approx(4.0, rel=0.15)
    assert found["n_parts"].value == 1
    assert found["mean"].low < 8341 < found["mean"].high
    assert found["mean"].level == 0.95
    assert "not for inference" in found["mean"].of
    assert found["skewness"].low < 0 < found["skewness"].high
    assert found["bimodality"].value == pytest.approx(1 / 3, abs=0.05)


def test_two_phases_show_as_two_parts_and_noise_is_told_from_spread() -> None:
    rng = np.random.default_rng(2)
    phase = correlated((160, 160), 2.0, 3) > 0.3
    energy = 8340.5 + 1.2 * phase + 0.1 * rng.standard_normal(phase.shape)
    found = distribution.summarise(histogram(edges=made_map(energy, std=0.1), params=distribution.DistributionParams()), None)  # type: ignore[arg-type]
    assert found["n_parts"].value == 2
    assert found["part_1"].value == pytest.approx(8340.5, abs=0.02)
    assert found["part_2"].value == pytest.approx(8341.7, abs=0.02)
    assert found["dip"].value > 0.05
    assert found["heterogeneity"].value == pytest.approx(1.2 * np.sqrt(phase.mean() * (1 - phase.mean())), rel=0.01)
    assert found["noise_floor"].value == pytest.approx(0.1, rel=1e-5)


def test_a_small_particle_has_no_interval_and_an_empty_one_no_distribution() -> None:
    small = histogram(edges=made_map(8341 + correlated((20, 20), 3.0, 0)), params=distribution.DistributionParams())
    assert "fewer than 20 blocks" in warnings_of(small)[-1]
    assert distribution.summarise(small, None)["mean"].low is None  # type: ignore[arg-type]
    with pytest.raises(DataError, match="0 voxels with an edge energy are too few"):
        histogram(edges=made_map(np.full((9, 9), np.nan)), params=distribution.DistributionParams())


def test_masks_and_erosion_choose_voxels() -> None:
    energy = np.full((30, 30), np.nan)
    energy[5:25, 5:25] = 8341 + 0.1 * np.random.default_rng(0).standard_normal((20, 20))
    edges = made_map(energy)
    mask = MASK.conform(xr.Dataset({"mask": (("y", "x"), (np.arange(30) < 15) * np.ones((30, 1)), {"units": "1"})}))
    for params, kept in ((distribution.DistributionParams(), 200), (distribution.DistributionParams(erode=2), 16 * 8)):
        assert int(histogram(edges=edges, params=params, mask=mask)["count"].sum()) == kept


# -- clusters ------------------------------------------------------------------------------------------------------------------


def test_clusters_are_the_phases_in_the_order_of_their_edges() -> None:
    rng = np.random.default_rng(0)
    truth = (np.arange(48)[:, None] // 16 + np.zeros((1, 60))).astype(int)
    centers = np.array([8345.0, 8343.0, 8344.0])
    mu = 0.5 * np.stack([edge(GRID, c) for c in centers])[truth] + 0.02 * 0.5 * rng.standard_normal((48, 60, GRID.size))
    params = cluster.ClusterParams(e0=E0, clusters=3)
    found = cluster.CLUSTERS.conform(clusters(stack=stack(mu), params=params))
    wanted = np.array([3, 1, 2])[truth]
    assert (found["label"].values == wanted).mean() > 0.99
    assert found["explained"].values[0] > 0.5
    assert found["spectrum"].sizes == {"cluster": 3, "energy": found.sizes["energy"]}
    again = clusters(stack=stack(mu).chunk(y=10, x=13), params=params)
    assert again["label"].chunks is not None
    assert np.array_equal(again["label"].values, found["label"].values)
    assert np.array_equal(again["distance"].values, found["distance"].values)
    shares = cluster.summarise(found, params)
    assert sum(shares[f"share_{i}"].value for i in (1, 2, 3)) == pytest.approx(1)


def test_voxels_outside_the_mask_are_in_no_cluster() -> None:
    mu = 0.5 * edge(GRID) + 0.01 * np.random.default_rng(0).standard_normal((20, 20, GRID.size))
    mask = MASK.conform(xr.Dataset({"mask": (("y", "x"), np.tri(20), {"units": "1"})}))
    found = clusters(stack=stack(mu), params=cluster.ClusterParams(e0=E0), mask=mask)
    assert np.array_equal(found["label"].values > 0, np.tri(20) > 0)
    with pytest.raises(DataError, match="too few for 12 clusters"):
        clusters(stack=stack(mu[:4, :4]), params=cluster.ClusterParams(e0=E0, clusters=12))


# -- mean spectrum ---------------------------------------------------------------------------------------------------------------


def test_mean_spectrum_of_a_box() -> None:
    rng = np.random.default_rng(0)
    mu = 0.5 * edge(GRID) + 0.2 + 0.05 * rng.standard_normal((10, 30, 40, GRID.size))
    params = spectrum.SpectrumParams(e0=E0, x=(5, 35), y=(3,), z=(2, 6))
    found = spectrum.SPECTRUM.conform(mean_spectrum(stack=stack(mu), params=params))
    part = mu[2:6, 3:4, 5:35].reshape(-1, GRID.size)
    assert found["mu"].values == pytest.approx(part.mean(axis=0), abs=1e-12)
    assert found["spread"].values == pytest.approx(part.std(axis=0), rel=1e-9)
    assert found["norm"].values == pytest.approx(((found["mu"] - found["pre"]) / found.attrs["edge_jump"]).values)
    assert found.attrs["n_voxels"] == 120
    lazy = mean_spectrum(stack=stack(mu).chunk(z=3, x=9), params=params)
    assert lazy["mu"].values == pytest.approx(found["mu"].values, abs=1e-12)
    numbers = spectrum.summarise(found, params)
    whole = spectrum.summarise(mean_spectrum(stack=stack(mu), params=spectrum.SpectrumParams(e0=E0)), params)
    clean = spectrum.summarise(mean_spectrum(stack=stack(edge(GRID)[None, None]), params=spectrum.SpectrumParams(e0=E0)), params)
    for name in ("e_half", "white_line", "template_shift", "half_white_line", "max_slope"):
        assert whole[name].value == pytest.approx(clean[name].value, abs=0.03)
        assert numbers[name].value == pytest.approx(clean[name].value, abs=0.15)


def test_a_box_that_is_not_there_is_refused() -> None:
    made = stack(np.tile(edge(GRID), (5, 6, 1)))
    with pytest.raises(ParamError, match="x = 4, 9 is no range within 0 to 6"):
        mean_spectrum(stack=made, params=spectrum.SpectrumParams(e0=E0, x=(4, 9)))
    with pytest.raises(ParamError, match="no dimension 'z'"):
        mean_spectrum(stack=made, params=spectrum.SpectrumParams(e0=E0, z=(0, 2)))


# -- calibration -----------------------------------------------------------------------------------------------------------------


def test_state_follows_the_calibrants_and_stops_at_them() -> None:
    energy = np.array([[8339.5, 8340.0, 8340.5], [8341.0, 8342.5, np.nan]])
    params = calibration.CalibrateParams(energies=(8342.0, 8340.0, 8341.0), values=(1.0, 0.0, 0.8))
    for between, middle in (("line", 0.4), ("curve", None)):
        chosen = params.model_copy(update={"between": between})
        found = calibration.STATE.conform(state(edges=made_map(energy, std=0.1), params=chosen))
        assert found["state"].values[0, 1] == 0
        assert found["state"].values[1, 0] == pytest.approx(0.8)
        assert found["flags"].values.tolist() == [[64, 0, 0], [0, 128, 2]]
        assert np.isnan(found["state"].values[found["flags"].values != 0]).all()
        if middle is not None:
            assert found["state"].values[0, 2] == pytest.approx(middle)
            assert found["state_std"].values[0, 2] == pytest.approx(0.08)
        lazy = state(edges=made_map(energy, std=0.1).chunk(y=1), params=chosen)
        assert lazy["state"].chunks is not None
        assert np.array_equal(lazy["state"].values, found["state"].values, equal_nan=True)
    assert calibration.summarise(found, params)["n_beyond"].value == 2


def test_calibrants_may_be_maps_of_the_same_kind() -> None:
    low, high = made_map(np.full((5, 5), 8340.0)), made_map(np.full((5, 5), 8342.0))
    params = calibration.CalibrateParams(values=(3.0, 4.0), quantity="valence")
    found = state(edges=made_map(np.full((2, 2), 8340.5)), params=params, calibrants=(low, high))
    assert found["state"].values == pytest.approx(3.25, abs=1e-3)
    with pytest.raises(DataError, match="definition white_line, this map e_half"):
        state(edges=low, params=params, calibrants=(low, high.assign_attrs(definition="white_line")))


@pytest.mark.parametrize(
    ("energies", "values", "message"),
    [
        (
            (8340.0, 8341.0, 8342.0),
            (0.0, 1.0, 0.5),
            "do not follow the edge energy one way: 0 at 8340.00 eV, 1 at 8341.00 eV, 0.5 at 8342.00",
        ),
        ((8340.0, 8340.0), (0.0, 1.0), "do not follow the edge energy one way"),
        ((8340.0,), (0.0,), "two calibrants at least"),
        ((8340.0, 8341.0), (0.0,), "2 calibrants have 1 values"),
    ],
)
def test_calibrants_that_do_not_calibrate_are_refused(energies: tuple[float, ...], values: tuple[float, ...], message: str) -> None:
    with pytest.raises((DataError, ParamError), match=message):
        state(edges=made_map(np.full((2, 2), 8340.5)), params=calibration.CalibrateParams(energies=energies, values=values))


def test_foil_offset_is_found_within_a_hundredth() -> None:
    """A foil with a weak first rise and a steeper second one: the first that matters counts."""
    energy = np.arange(8280.0, 8400.0, 0.5)
    for true in (8331.3, 8333.0, 8335.12):
        mu = 0.4 * np.arctan((energy - true) / 1.0) + 0.6 * np.arctan((energy - true - 14) / 1.2)
        assert calibration.foil_offset(energy, mu, assigned=8333.0) == pytest.approx(8333.0 - true, abs=0.05)


# -- activity --------------------------------------------------------------------------------------------------------------------


def particles(medians: list[float], **attrs: object) -> tuple[xr.Dataset, ...]:
    return tuple(made_map(m + 0.2 * np.random.default_rng(int(1000 * m)).standard_normal((15, 15)), **attrs) for m in medians)


def test_activity_is_the_difference_of_particle_medians() -> None:
    high, low = [8342.0, 8342.3, 8342.1, 8342.2], [8340.6, 8340.4, 8340.7]
    other_high, other_low = [8341.5, 8341.2, 8341.3], [8340.9, 8340.8, 8341.0]
    maps = particles([*high, *low, *other_high, *other_low])
    groups = ("coated",) * 7 + ("uncoated",) * 6
    states = ("charged",) * 4 + ("discharged",) * 3 + ("charged",) * 3 + ("discharged",) * 3
    params = activity.CompareParams(groups=groups, states=states)
    found = activity.ACTIVITY.conform(compared(maps=maps, params=params))
    medians = found["particle_median"].values
    assert medians == pytest.approx([np.median(m["edge_energy"].values) for m in maps], abs=1e-3)
    expected = hodges_lehmann(medians[:4], medians[4:7])
    assert found["activity"].values[0] == pytest.approx(expected.value)
    assert (found["low"].values[0], found["level"].values[0]) == pytest.approx((expected.low, expected.level))
    assert found["n_charged"].values.tolist() == [4, 3]
    scalars = activity.summarise(found, params)
    assert scalars["activity_1"].value == pytest.approx(1.58, abs=0.06)
    assert scalars["activity_2"].level == pytest.approx(0.9)
    difference = scalars["activity_difference"]
    expected_difference = (medians[:4].mean() - medians[4:7].mean()) - (medians[7:10].mean() - medians[10:].mean())
    assert difference.value == pytest.approx(expected_difference)
    assert difference.low < expected_difference < difference.high
    assert "different ones" in warnings_of(found)[0]


def test_few_particles_have_a_range_and_no_level() -> None:
    params = activity.CompareParams(groups=("a",) * 3, states=("charged", "charged", "discharged"))
    scalars = activity.summarise(compared(maps=particles([8342.0, 8342.4, 8340.0]), params=params), params)
    assert scalars["activity_1"].level is None
    assert "range" in scalars["activity_1"].of
    assert "activity_difference" not in scalars


def test_maps_that_must_not_be_compared_are_refused_and_others_warned_of() -> None:
    params = activity.CompareParams(groups=("a", "a"), states=("charged", "discharged"))
    one, two = particles([8342.0, 8340.0])
    with pytest.raises(DataError, match="different definitions of the edge energy: e_half, white_line"):
        compared(maps=(one, two.assign_attrs(definition="white_line")), params=params)
    with pytest.raises(DataError, match="2D"):
        compared(maps=(one, made_map(np.full((3, 4, 5), 8340.0))), params=params)
    assert "differ in e0: 8340.0, 8333.0" in warnings_of(compared(maps=(one, two.assign_attrs(e0=8333.0)), params=params))[-1]
    with pytest.raises(ParamError, match="2 maps have 0 groups"):
        compared(maps=(one, two), params=activity.CompareParams())


def test_edges_feed_all_that_follows() -> None:
    """From a stack to its distribution with the recipes' own outputs."""
    mu = 0.4 * edge(GRID) + 0.1 + 0.01 * np.random.default_rng(0).standard_normal((40, 40, GRID.size))
    edges = EDGE_MAP.conform(edge_map(stack=stack(mu), params=EdgeParams(e0=E0)))
    found = histogram(edges=edges, params=distribution.DistributionParams())
    assert found.attrs["definition"] == "e_half"
    assert distribution.summarise(found, None)["heterogeneity"].value < 0.03  # type: ignore[arg-type]
    assert float(mean_spectrum(stack=stack(mu), params=spectrum.SpectrumParams(), edges=edges).attrs["e0"]) == E0
