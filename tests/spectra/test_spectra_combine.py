"""Merging, rebinning, taking points out, differences, repeats, components."""

import numpy as np
import pytest
import xarray as xr
from spectra_makers import edge, made

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.spectra.combine import MergeParams, RebinParams, deglitched, glitches, merged, rebinned
from analysis.spectra.differences import DifferenceParams, difference
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.pca import PcaParams, malinowski, pca
from analysis.spectra.pca import summarise as count_components
from analysis.spectra.repeats import RepeatsParams, repeats
from analysis.spectra.repeats import summarise as drift_of
from analysis.spectra.schemas import GLITCHES

E = np.arange(2400.0, 2501.0, 0.25)
MU = edge(E, 2472.0)
RECIPE = NormaliseParams(preset="S K", interference="ignore")


def norm(name: str, mu: np.ndarray, energy: np.ndarray = E) -> xr.Dataset:
    return normalised(made((name, energy, mu)), RECIPE)


def test_merging_averages_with_weights() -> None:
    spectra = [made((n, E, MU + d)) for n, d in (("a", 0.0), ("b", 0.1), ("c", 0.5))]
    assert merged(spectra, MergeParams())["mu"].values[0] == pytest.approx(MU + 0.2)
    given = merged(spectra, MergeParams(weighting="given", weights=(3, 1, 0)))
    assert given["mu"].values[0] == pytest.approx(MU + 0.025)
    assert given.attrs["merged"] == {"spectra": ["a", "b", "c"], "weights": [0.75, 0.25, 0.0]}
    with pytest.raises(ParamError, match="2 weights do not fit 3 spectra"):
        merged(spectra, MergeParams(weighting="given", weights=(1, 2)))


def test_the_standard_error_of_a_merge() -> None:
    rng = np.random.default_rng(1)
    scans = [made((f"{k}", E, MU + rng.normal(0, 0.02, E.size))) for k in range(16)]
    found = merged(scans, MergeParams())
    assert float(found["mu_std"].mean()) == pytest.approx(0.02 / 4, rel=0.05)
    assert np.std(found["mu"].values[0] - MU) == pytest.approx(0.005, rel=0.1)


def test_noisier_scans_count_less() -> None:
    rng = np.random.default_rng(1)
    scans = [made((f"{s}", E, MU + rng.normal(0, s, E.size))) for s in (0.01, 0.04)]
    weights = merged(scans, MergeParams(weighting="noise")).attrs["merged"]["weights"]
    assert weights[0] / weights[1] == pytest.approx(16.0, rel=0.5)


def test_only_energies_in_common_are_merged() -> None:
    early, late = E < 2480, E > 2450
    found = merged([made(("a", E[early], MU[early])), made(("b", E[late], MU[late]))], MergeParams())
    assert (float(found["energy"][0]), float(found["energy"][-1])) == (2450.25, 2479.75)
    with pytest.raises(DataError, match="share no energies"):
        merged([made(("a", E, MU)), made(("b", E + 6000, MU))], MergeParams())


def test_bins_hold_means_of_their_points() -> None:
    ds = made(("a", E, 2.0 * E))  # a mean over any bin lies on the line
    found = rebinned(ds, RebinParams(e0=2472.0, pre_step=3.0, edge_step=1.0))
    assert found["mu"].values[0] == pytest.approx(2.0 * found["energy"].values, rel=1e-12)
    steps = np.diff(found["energy"].values)
    inside = (found["energy"].values[:-1] > 2444) & (found["energy"].values[1:] < 2498)
    assert steps[inside] == pytest.approx(1.0, abs=1e-9)
    assert steps[:10].mean() == pytest.approx(3.0, abs=0.2)
    with pytest.raises(DataError, match="bins of 'a' hold points"):
        rebinned(ds, RebinParams(e0=2472.0, pre_step=50, edge_step=40, k_step=2))


def test_points_are_taken_out_of_one_spectrum_or_of_all() -> None:
    ds = made(("a", E, MU), ("b", E, MU))
    found = deglitched(ds, GLITCHES.conform(glitches([(2460.05, "a"), (2490.0, "")])))
    own = np.isfinite(found["mu"].values)
    assert own.sum(axis=1).tolist() == [E.size - 2, E.size - 1]
    assert warnings_of(found) == ("3 points were taken out by hand.",)
    assert ds["mu"].values[0] == pytest.approx(MU)  # the original is as it was
    with pytest.raises(DataError, match=r"'a' has no point at 2460\.00 eV"):
        deglitched(found, glitches([(2460.0, "a")]))
    with pytest.raises(DataError, match="There is no spectrum 'c'"):
        deglitched(ds, glitches([(2460.0, "c")]))


def test_a_difference_is_what_was_added() -> None:
    bump = 0.2 * np.exp(-((E - 2475.0) ** 2))
    base = norm("a", MU)
    found = difference([norm("b", MU + bump)], base, DifferenceParams())
    bump = bump / float(base["edge_step"][0])
    grid = found["energy"].values
    assert found["difference"].values[0] == pytest.approx(bump[np.isin(E, grid)], abs=2e-3)
    assert float(found["area"][0]) == pytest.approx(np.trapezoid(bump, E), rel=1e-3)
    assert found.attrs["reference"] == "a"


def test_a_shift_is_not_taken_for_chemistry() -> None:
    moved = norm("b", edge(E, 2472.2))
    plain = difference([moved], norm("a", MU), DifferenceParams())
    free = difference([moved], norm("a", MU), DifferenceParams(max_shift=0.3))
    assert float(free["shift"][0]) == pytest.approx(-0.2, abs=0.01)
    assert float(free["area"][0]) < 0.05 * float(plain["area"][0])


def test_differences_of_two_recipes_are_flagged() -> None:
    other = normalised(made(("a", E, MU)), NormaliseParams(preset="S K", norm1=15.0, interference="ignore"))
    assert any("normalised differently (norm1)" in w for w in warnings_of(difference([norm("b", MU)], other, DifferenceParams())))


def test_a_growing_peak_is_beam_damage() -> None:
    bump = np.exp(-((E - 2472.0) ** 2))
    rng = np.random.default_rng(3)
    scans = [norm(f"{k}", MU + 0.02 * k * bump + rng.normal(0, 0.003, E.size)) for k in range(6)]
    found = repeats(scans, RepeatsParams())
    drift = drift_of(found, RepeatsParams())["drift"]
    assert drift.value == pytest.approx(0.02 * np.exp(-(np.arange(-0.5, 0.6, 0.25) ** 2)).mean(), rel=0.1)
    assert drift.low is not None
    assert drift.low > 0
    assert any("beam damage or drift" in w for w in warnings_of(found))
    still = repeats([norm(f"{k}", MU + rng.normal(0, 0.003, E.size)) for k in range(6)], RepeatsParams())
    assert not any("beam damage" in w for w in warnings_of(still))
    with pytest.raises(DataError, match="2 scans cannot show a trend"):
        repeats(scans[:2], RepeatsParams())


@pytest.mark.parametrize("count", [2, 3])
def test_the_number_of_components_of_mixtures(count: int) -> None:
    rng = np.random.default_rng(7)
    pure = np.stack([edge(E, c) + a * np.exp(-((E - c - 1) ** 2)) for c, a in ((2471.0, 1.0), (2474.0, 0.5), (2478.0, 2.0))][:count])
    fractions = rng.dirichlet(np.ones(count), size=12)
    mixed = [norm(f"{k}", f @ pure + rng.normal(0, 0.004, E.size)) for k, f in enumerate(fractions)]
    found = pca(mixed, PcaParams())
    assert count_components(found, PcaParams())["n_components"].value == count
    assert count_components(found, PcaParams())["n_components_f"].value == count
    rebuilt = found["score"].values[:count].T @ found["loading"].values[:count]
    grid = np.isin(E, found["energy"].values)
    assert rebuilt[0] == pytest.approx(mixed[0]["norm"].values[0][grid], abs=0.02)
    with pytest.raises(DataError, match="2 spectra have no principal components"):
        pca(mixed[:2], PcaParams())


def test_malinowskis_functions_on_a_known_case() -> None:
    # Eigenvalues 9, 1, 1 of a 5 x 3 matrix: RE(1) = sqrt(2 / (5 * 2)), RE(2) = sqrt(1 / 5), IND = RE / (c - n)^2.
    error, indicator = malinowski(np.array([9.0, 1.0, 1.0]), rows=5)
    assert error[:2] == pytest.approx([np.sqrt(0.2), np.sqrt(0.2)])
    assert indicator[:2] == pytest.approx([np.sqrt(0.2) / 4, np.sqrt(0.2)])
    assert np.isnan(indicator[2])
