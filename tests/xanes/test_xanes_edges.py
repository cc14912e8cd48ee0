"""Edge maps of whole stacks: flags, uncertainty, blocks, what a map says of itself, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from xanes_truth import DEFINITIONS, E0, GRID, Ball, Reference, ball, edge, stack

from analysis.core.data import warnings_of
from analysis.core.errors import DataError
from analysis.core.registry import Modality, Registry
from analysis.core.run import Request, run
from analysis.core.store import Store
from analysis.schemas import EDGE_MAP, MASK, SPECTRA, dimensionality, voxel_um
from analysis.xanes import edges
from analysis.xanes.compute import RECIPES, EdgeParams, edge_map
from analysis.xanes.normalise import fit_lines, normalise

PARAMS = EdgeParams(e0=E0)


@pytest.fixture(scope="module")
def particle() -> Ball:
    return ball(40, noise=0.03, seed=3)


@pytest.fixture(scope="module")
def mapped(particle: Ball) -> xr.Dataset:
    return EDGE_MAP.conform(edge_map(stack=particle.stack, params=PARAMS))


def test_air_is_refused_and_the_particle_is_not(particle: Ball, mapped: xr.Dataset) -> None:
    refused = mapped["flags"].values != 0
    assert refused[~particle.inside].mean() >= 0.95
    assert refused[particle.inside].mean() <= 0.02
    assert np.array_equal(refused, np.isnan(mapped["edge_energy"].values))


def test_values_are_right_within_their_uncertainty(particle: Ball, mapped: xr.Dataset) -> None:
    """The noise is estimated here from 8 points before the edge, pooled over neighbours."""
    inside = particle.inside
    true = edge_map(stack=stack(edge(GRID - particle.shift[inside][None, :, None])), params=PARAMS)["edge_energy"].values[0]
    off = (mapped["edge_energy"].values[inside] - true) / mapped["edge_energy_std"].values[inside]
    assert 0.87 < np.mean(np.abs(off) < 1.6449) < 0.93
    assert abs(np.mean(off)) < 0.05
    jump = 0.4 * normalise(edge(GRID), fit_lines(GRID, E0, PARAMS)).jump
    assert np.nanmean(mapped["edge_jump"].values[inside]) == pytest.approx(jump, rel=0.002)
    assert np.nanmedian(mapped["noise"].values[inside]) == pytest.approx(0.03 * 0.4, rel=0.02)


@pytest.mark.parametrize("name", ["NiO", "LiNiO2"])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_good_spectra_of_real_shapes_are_kept_with_intervals_that_hold(definition: str, name: str, shared_data: Path) -> None:
    """3 % noise, edges moved over 1 eV; noise, its growth and steepness are all estimated from the image itself."""
    reference, rng = Reference(shared_data / f"xas/refs_ni/ref_{name}.txt"), np.random.default_rng(1)
    clean = 0.4 * reference(GRID - rng.uniform(-0.5, 0.5, (110, 110, 1)))
    params = EdgeParams(e0=8340.0, definition=definition)
    found = edge_map(stack=stack((clean + 0.012 * rng.standard_normal(clean.shape)).astype(np.float32)), params=params)
    true = edge_map(stack=stack(clean.astype(np.float32)), params=params)
    assert (found["flags"].values != 0).mean() <= 0.02
    off = (found["edge_energy"] - true["edge_energy"]).values
    off = off - np.nanmedian(off) if definition == "template_shift" else off  # the two templates lie 0.001 eV apart
    within = np.abs(off) < 1.6449 * found["edge_energy_std"].values
    assert 0.87 < within[np.isfinite(off)].mean() < 0.93


def test_rim_is_marked_but_keeps_its_values(particle: Ball, mapped: xr.Dataset) -> None:
    from scipy.ndimage import binary_erosion

    inner = binary_erosion(particle.inside, np.ones((3, 3, 3)))
    assert np.array_equal(mapped["rim"].values != 0, particle.inside & ~inner)
    assert np.isfinite(mapped["edge_energy"].values[particle.inside & ~inner]).all()


def test_scalars_are_those_of_the_voxels_that_count(particle: Ball, mapped: xr.Dataset) -> None:
    found = edges.summarise(mapped, PARAMS)
    counted = (mapped["flags"] == 0).values & (mapped["rim"] == 0).values
    values = mapped["edge_energy"].values[counted].astype(float)
    assert found["n_valid"].value == counted.sum()
    assert found["median"].value == pytest.approx(np.median(values))
    assert found["iqr"].value == pytest.approx(np.subtract(*np.quantile(values, [0.75, 0.25])))
    assert found["std"].value == pytest.approx(np.std(values, ddof=1))
    assert found["heterogeneity"].value == pytest.approx(1 / np.sqrt(12), rel=0.02)  # edges are moved evenly over 1 eV
    assert found["noise_floor"].value == pytest.approx(0.09, rel=0.05)
    assert found["fraction_refused"].value == pytest.approx(1 - particle.inside.mean(), abs=0.001)
    assert found["fraction_refused_in_particle"].value < 0.02
    assert (found["median"].unit, found["median"].of) == ("eV", "voxels")


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_blocks_give_the_same_bits_and_stay_lazy(particle: Ball, definition: str) -> None:
    params = EdgeParams(e0=E0, definition=definition)
    whole = edge_map(stack=particle.stack, params=params)
    for cut in ({"z": 16, "y": 16, "x": 16, "energy": 30}, {"z": 40, "y": 7, "x": 40}):
        lazy = edge_map(stack=particle.stack.chunk(cut), params=params)
        assert all(lazy[v].chunks is not None for v in lazy.data_vars)
        assert lazy.attrs == whole.attrs
        lazy = lazy.compute()
        for name in whole.data_vars:
            assert np.array_equal(whole[name].values, lazy[name].values, equal_nan=whole[name].dtype.kind == "f"), name


def test_images_behind_one_another_in_memory_give_the_same_bits(particle: Ball) -> None:
    mu = particle.stack["mu"]
    by_image = np.moveaxis(np.ascontiguousarray(np.moveaxis(mu.values, -1, 0)), 0, -1)
    other = particle.stack.assign(mu=(mu.dims, by_image, mu.attrs))
    assert np.array_equal(
        edge_map(stack=other, params=PARAMS)["edge_energy"].values,
        edge_map(stack=particle.stack, params=PARAMS)["edge_energy"].values,
        equal_nan=True,
    )


def test_through_the_store_with_a_mask_and_in_two_dimensions(particle: Ball, tmp_path: object) -> None:
    registry, store = Registry({"xanes": Modality("xanes", "XANES", recipes=RECIPES)}), Store(tmp_path)  # type: ignore[arg-type]
    flat = particle.stack.isel(z=20)
    left = MASK.conform(xr.Dataset({"mask": (("y", "x"), np.arange(40) < np.full((40, 1), 20), {"units": "1"})}))
    keys = {"stack": store.put_edit(flat), "mask": store.put_edit(left)}
    result = store.open(run(Request(recipe="xanes.edge_map", inputs=keys, params={"e0": E0}), registry, store))
    assert result["edge_energy"].dims == ("y", "x")
    assert (result["flags"].values[:, 20:] == 32).all()
    assert np.array_equal(result["flags"].values[:, :20] == 0, particle.inside[20, :, :20])
    scalars = result.attrs["scalars"]
    assert scalars["fraction_refused"]["n"] == 800
    assert scalars["n_valid"]["value"] > 300
    assert (dimensionality(result), result.attrs["definition"], result.attrs["e0"]) == ("2D", "e_half", E0)
    assert voxel_um(result) == (0.1, 0.1)


def test_growth_of_the_noise_is_measured() -> None:
    for photons in (0.0, 1.0):
        made = ball(32, noise=0.03, seed=5, jump=1.0, photons=photons)
        assert edge_map(stack=made.stack, params=PARAMS).attrs["noise_growth"] == pytest.approx(photons, abs=0.08)


def test_edge_position_is_found_and_said(particle: Ball) -> None:
    found = edge_map(stack=particle.stack, params=EdgeParams())
    assert found.attrs["e0"] == pytest.approx(E0, abs=1.5)
    assert "give one e0 for all particles" in warnings_of(found)[0]


def test_energies_are_moved_by_the_correction(particle: Ball, mapped: xr.Dataset) -> None:
    moved = edge_map(stack=particle.stack, params=EdgeParams(e0=E0 + 1.7, energy_offset=1.7))
    assert np.nanmedian(moved["edge_energy"].values - mapped["edge_energy"].values) == pytest.approx(1.7, abs=0.002)


def test_a_reference_as_template_sets_the_scale(particle: Ball) -> None:
    reference = SPECTRA.conform(
        xr.Dataset(
            {
                "mu": (("spectrum", "energy"), edge(np.arange(8000.0, 9000.0))[None], {"units": "1"}),
                "name": ("spectrum", np.array(["edge"]), {"units": ""}),
            },
            {"energy": ("energy", np.arange(8000.0, 9000.0), {"units": "eV"})},
        )
    )
    found = edge_map(stack=particle.stack, params=EdgeParams(e0=E0, definition="template_shift"), template=reference)
    off = found["edge_energy"].values[particle.inside] - found.attrs["template_energy"] - particle.shift[particle.inside]
    assert abs(np.nanmean(off)) < 0.005
    assert np.nanstd(off) == pytest.approx(0.055, rel=0.1)


def test_missing_values_are_flagged_where_they_are(particle: Ball) -> None:
    mu = particle.stack["mu"].values.copy()
    mu[20, 20, 20, 50] = np.nan
    found = edge_map(stack=stack(mu), params=PARAMS)
    assert int(found["flags"][20, 20, 20]) == 1
    assert (found["flags"].values == 1).sum() == 1


def test_a_stack_that_is_no_stack_is_refused(particle: Ball) -> None:
    mu = particle.stack["mu"].values[:4]
    for made, params, message in (
        (stack(np.ones_like(mu)), PARAMS, "All values of the stack are equal"),
        (stack(np.exp(-particle.stack["mu"].values)), PARAMS, "absorption falls instead of rising"),
        (stack(np.full_like(mu, np.nan)), PARAMS, "No spectrum of the stack is free of missing values"),
        (stack(mu[..., :1], GRID[:1]), PARAMS, "1 energy is too few"),
        (stack(mu, GRID / 1000), PARAMS, "check whether the energies are in eV or keV"),
        (stack(mu[..., :66], GRID[:66]), PARAMS, "post-edge range"),
        (stack(mu, GRID[::-1]), PARAMS, "comes after"),
    ):
        with pytest.raises(DataError) as caught:
            edge_map(stack=made, params=params)
        assert message in str(caught.value)


def test_a_mask_of_another_shape_is_refused(particle: Ball) -> None:
    mask = MASK.conform(xr.Dataset({"mask": (("z", "y", "x"), np.ones((3, 4, 5)), {"units": "1"})}))
    with pytest.raises(DataError, match="mask has 3 × 4 × 5 voxels, the stack 40 × 40 × 40"):
        edge_map(stack=particle.stack, params=PARAMS, mask=mask)
