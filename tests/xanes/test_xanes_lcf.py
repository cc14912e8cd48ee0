"""Fractions of references in synthetic particles, and in a measured stack against plain NNLS."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.optimize import nnls
from xanes_truth import GRID, Reference, edge, stack

from analysis.core.data import warnings_of
from analysis.core.errors import DataError
from analysis.schemas import MASK, SPECTRA
from analysis.xanes.compute import fractions
from analysis.xanes.lcf import FRACTIONS, LcfParams, summarise


def references(energy: np.ndarray, **spectra: np.ndarray) -> xr.Dataset:
    return SPECTRA.conform(
        xr.Dataset(
            {
                "mu": (("spectrum", "energy"), np.stack(list(spectra.values())), {"units": "1"}),
                "name": ("spectrum", np.array(list(spectra)), {"units": ""}),
            },
            {"energy": ("energy", energy, {"units": "eV"})},
        )
    )


def mixed(share: np.ndarray, *, noise: float = 0.0, seed: int = 0, moved: float = 0.0) -> tuple[xr.Dataset, xr.Dataset]:
    """A stack of two edges 2 eV apart, with jumps and slopes of its own in every pixel; and the two as references."""
    rng = np.random.default_rng(seed)
    low, high = edge(GRID), edge(GRID, 8345.0)
    here = edge(GRID + moved) * (1 - share)[..., None] + edge(GRID + moved, 8345.0) * share[..., None]
    mu = rng.uniform(0.3, 0.6, share.shape)[..., None] * here + 0.1 - 1e-4 * (GRID - 8343)
    mu = mu + noise * 0.45 * rng.standard_normal(mu.shape)
    return stack(mu), references(GRID, low=low, high=high)


def test_shares_are_found_exactly_without_noise() -> None:
    share = np.random.default_rng(1).random((12, 15))
    made, known = mixed(share)
    found = FRACTIONS.conform(fractions(stack=made, references=(known,), params=LcfParams(e0=8343)))
    # Normalising sample and references alike does not commute with mixing where their jumps differ; here they do by 0.1 %.
    assert found["weight"].values[1] == pytest.approx(share, abs=2e-3)
    assert found["weight"].sum("component").values == pytest.approx(1)
    assert found["r_factor"].values.max() < 1e-6
    assert found["name"].values.tolist() == ["low", "high"]


def test_stated_uncertainty_is_the_scatter() -> None:
    share = np.full((40, 50), 0.4)
    made, known = mixed(share, noise=0.02)
    found = fractions(stack=made, references=(known,), params=LcfParams(e0=8343, fit1=-20, fit2=30))
    scatter = np.std(found["weight"].values[1])
    assert np.mean(found["weight_std"].values[1]) == pytest.approx(scatter, rel=0.25)  # the lines' noise is partly a misfit
    assert abs(np.mean(found["weight"].values[1]) - 0.4) < 0.005


def test_a_measured_stack_gives_the_weights_of_plain_nnls(shared_data: Path) -> None:
    """Fe L edge with its own target spectra inside its own mask; every spectrum alone with SciPy."""
    folder = shared_data / "txm/als_stxm_fe_71214078"
    counts = np.load(folder / "71214078_aligned_counts.npz")["counts"]
    energy = np.loadtxt(folder / "Energy.txt")
    i0 = np.loadtxt(folder / "i0.xsp")[:, 1]
    depth = np.moveaxis(-np.log(counts / i0[:, None, None]), 0, -1)
    rows = (folder / "mask_file.msk").read_text().splitlines()
    letters = np.array([list(row.ljust(125))[:125] for row in rows]) == "O"
    targets = {name: np.loadtxt(folder / f"{name}.t") for name in ("oxidized", "reduced")}
    known = references(targets["oxidized"][:, 0], **{n: t[:, 1] for n, t in targets.items()})
    made, mask = stack(depth, energy), MASK.conform(xr.Dataset({"mask": (("y", "x"), letters.astype(int), {"units": "1"})}))
    for to_one in (False, True):
        params = LcfParams(normalise=False, sum_to_one=to_one)
        found = fractions(stack=made, references=(known,), params=params, mask=mask)
        inside = found["flags"].values == 0
        assert np.array_equal(inside, letters)
        parts = np.stack([np.interp(energy, t[:, 0], t[:, 1]) for t in targets.values()], axis=1)
        heavy = 1e6 if to_one else 0.0  # a row of great weight makes NNLS keep the sum
        expected = np.array([nnls(np.vstack([parts, [heavy, heavy]]), np.append(y, heavy))[0] for y in depth[inside].astype(float)])
        assert pytest.approx(expected, rel=1e-6, abs=1e-6) == found["weight"].values[:, inside].T


def test_a_wrong_energy_scale_is_found_and_said() -> None:
    share = np.full((20, 20), 0.15)
    made, known = mixed(share, noise=0.01, moved=0.2)  # the sample's edges lie 0.2 eV lower
    blind = fractions(stack=made, references=(known,), params=LcfParams(e0=8343))
    found = fractions(stack=made, references=(known,), params=LcfParams(e0=8343, max_shift=0.5))
    assert blind["weight"].values[1].mean() < 0.1
    assert found["weight"].values[1].mean() == pytest.approx(0.15, abs=0.02)
    assert found.attrs["energy_shift"] == pytest.approx(-0.2, abs=0.02)
    assert "fit best when moved by -0.2" in warnings_of(found)[-1]


def test_blocks_give_the_same_bits_and_stay_lazy() -> None:
    made, known = mixed(np.random.default_rng(2).random((20, 30)), noise=0.05)
    whole = fractions(stack=made, references=(known,), params=LcfParams(e0=8343))
    lazy = fractions(stack=made.chunk(y=7, x=11), references=(known,), params=LcfParams(e0=8343))
    assert lazy["weight"].chunks is not None
    for name in ("weight", "weight_std", "r_factor", "flags"):
        assert np.array_equal(whole[name].values, lazy[name].values)


def test_scalars_are_means_over_voxels() -> None:
    share = np.random.default_rng(3).random((10, 10))
    made, known = mixed(share)
    found = summarise(fractions(stack=made, references=(known,), params=LcfParams(e0=8343)), LcfParams())
    assert found["fraction_2"].value == pytest.approx(share.mean(), abs=2e-3)
    assert found["fraction_2"].title == "Mean fraction of high"
    assert found["n_valid"].value == 100


def test_references_that_cannot_be_used_are_named(shared_data: Path) -> None:
    made, known = mixed(np.full((4, 4), 0.5))
    short = references(GRID[:40], low=edge(GRID[:40]))
    with pytest.raises(DataError, match="'low' does not cover the fit"):
        fractions(stack=made, references=(short,), params=LcfParams(e0=8343))
    with pytest.raises(DataError, match="too much alike"):
        fractions(stack=made, references=(known, known), params=LcfParams(e0=8343))
    nickel = Reference(shared_data / "xas/refs_ni/ref_NiO.txt")
    inside = references(nickel.energy, NiO=nickel.mu, edge=edge(nickel.energy))
    with pytest.raises(DataError, match="'NiO' does not cover the fit: it has no value at 8100 eV"):
        fractions(stack=made, references=(inside,), params=LcfParams(e0=8343, normalise=False))
