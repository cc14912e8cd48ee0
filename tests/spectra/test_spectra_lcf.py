"""Mixtures: the published gold example, the optimum against another solver, known fractions."""

from pathlib import Path

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize, nnls
from spectra_makers import edge, made, read

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.demo.spectra_recovery import fraction_coverage
from analysis.spectra.lcf import LcfParams, f_test, lcf, summarise
from analysis.spectra.lcf_table import LcfTableParams, lcf_table
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.schemas import LCF, LCF_TABLE
from analysis.spectra.simplex import mixtures

E = np.arange(2400.0, 2501.0, 0.25)
RECIPE = NormaliseParams(preset="S K", interference="ignore")


def gold(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """The unknown and six standards from 11870 to 12030 eV."""
    folder = shared_data / "xas" / "lcf_au"
    unknown = read(folder / "unknown.dat")
    inside = (unknown["energy"].values >= 11870) & (unknown["energy"].values <= 12030)
    grid = unknown["energy"].values[inside]
    standards = [read(folder / f"s{k}.dat") for k in range(1, 7)]
    table = [make_interp_spline(s["energy"].values, s["mu"].values[0], k=3)(grid) for s in standards]
    return unknown["mu"].values[0][inside], np.stack(table, axis=1)


def test_the_gold_example(shared_data: Path) -> None:
    y, table = gold(shared_data)
    bounded, free = mixtures(y, table), mixtures(y, table, bounded=False)
    assert bounded.rss[-1] / np.sum(y**2) <= 2.25e-5
    assert bounded.weights[-1] == pytest.approx([0.3231, 0.4644, 0.0611, 0.0, 0.0296, 0.1220], abs=2e-4)
    assert free.weights[-1] == pytest.approx([0.3205, 0.5014, 0.0817, -0.0917, -0.0778, 0.2660], abs=3e-4)
    assert bounded.members.shape == (63, 6)


def test_the_gold_example_through_the_recipe(shared_data: Path) -> None:
    folder = shared_data / "xas" / "lcf_au"
    recipe = NormaliseParams(e0=11919.0, pre1=-150, pre2=-30, norm1=150, norm2=800, order=2)
    spectra = [normalised(read(folder / f"{n}.dat"), recipe) for n in ("unknown", *(f"s{k}" for k in range(1, 7)))]
    found = LCF.conform(lcf(spectra[0], spectra[1:], LcfParams(low=-49, high=111, largest=6, selection="best")))
    assert found.attrs["r_factor"] <= 2.25e-5
    assert found["weight"].values.sum() == pytest.approx(1.0)
    assert found.attrs["independent_points"] == pytest.approx(160 / 5.54, abs=2.0)
    rows = dict(zip(found["combination"].values.astype(str), found["combination_p"].values, strict=True))
    assert float(found["combination_r_factor"][0]) == found["combination_r_factor"].values.min()
    assert rows["s1 + s2"] < 0.01  # two references are not enough


@pytest.mark.parametrize("seed", range(4))
def test_every_combination_is_at_its_bounded_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, y = rng.normal(size=(40, 4)), rng.normal(size=40)
    found = mixtures(y, table)
    for members, weights, rss in zip(found.members, found.weights, found.rss, strict=True):
        part = table[:, members]
        start = np.full(part.shape[1], 1 / part.shape[1])
        other = minimize(
            lambda w, a=part: np.sum((y - a @ w) ** 2),
            start,
            jac=lambda w, a=part: -2 * a.T @ (y - a @ w),
            bounds=[(0, None)] * part.shape[1],
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones_like(w)},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        assert rss <= other.fun + 1e-9
        assert rss == pytest.approx(other.fun, rel=1e-6)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1.0)
        assert not weights[~members].any()


def test_without_the_sum_it_is_non_negative_least_squares() -> None:
    rng = np.random.default_rng(9)
    table, y = rng.normal(size=(30, 5)) + 0.5, rng.normal(size=30)
    weights, misfit = nnls(table, y)
    found = mixtures(y, table, sum_to_one=False)
    assert found.weights[-1] == pytest.approx(weights, abs=1e-9)
    assert found.rss[-1] == pytest.approx(misfit**2, rel=1e-9)


def test_references_that_coincide_do_no_harm() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 30))
    found = mixtures(0.4 * a + 0.6 * b, np.stack([a, b, a], axis=1))
    assert found.rss[-1] == pytest.approx(0.0, abs=1e-20)
    assert found.weights[-1][[0, 2]].sum() == pytest.approx(0.4)


def test_the_f_test_by_hand() -> None:
    # (2 - 1) / 1 over 1 / (20 - 2): F(1, 18) = 18, p = 0.000488
    assert f_test(2.0, 1, 1.0, 2, 20.0) == pytest.approx(0.000488, rel=0.01)
    assert f_test(1.0, 1, 1.0, 2, 20.0) == 1.0
    assert f_test(2.0, 1, 1.0, 25, 20.0) == 1.0


def mixture(noise: float, shift: float = 0.0, seed: int = 0) -> tuple[object, list[object]]:
    pure = {
        "sulfide": edge(E, 2471.0) + 1.0 * np.exp(-((E - 2472.0) ** 2)),
        "sulfite": edge(E, 2476.5) + 2.0 * np.exp(-((E - 2477.4) ** 2)),
        "sulfate": edge(E, 2480.8) + 3.5 * np.exp(-((E - 2481.8) ** 2)),
        "elemental": edge(E, 2470.5) + 1.4 * np.exp(-((E - 2471.6) ** 2) / 0.6),
    }
    references = [normalised(made((n, E, mu)), RECIPE) for n, mu in pure.items()]
    mu = 0.7 * references[0]["norm"].values[0] + 0.3 * references[2]["norm"].values[0]
    noisy = mu + np.random.default_rng(seed).normal(0, noise, E.size)
    return normalised(made(("unknown", E + shift, noisy)), RECIPE), references


def test_the_smallest_sufficient_mixture_is_reported() -> None:
    unknown, references = mixture(0.01)
    found = lcf(unknown, references, LcfParams(max_shift=0.0))  # type: ignore[arg-type]
    assert found["reference"].values[found["weight"].values > 0].astype(str).tolist() == ["sulfide", "sulfate"]
    scalars = summarise(found, LcfParams())
    assert scalars["fraction sulfide"].value == pytest.approx(0.7, abs=0.01)
    assert found["residual"].values == pytest.approx(found["unknown"].values - found["fit"].values)
    everything = lcf(unknown, references, LcfParams(max_shift=0.0, selection="best"))  # type: ignore[arg-type]
    assert everything.attrs["r_factor"] <= found.attrs["r_factor"]


def test_an_offset_is_fitted_in_common_and_said() -> None:
    unknown, references = mixture(0.005, shift=0.2)
    free = lcf(unknown, references, LcfParams())  # type: ignore[arg-type]
    assert free.attrs["shift"] == pytest.approx(0.2, abs=0.01)
    assert float(free["weight"][0]) == pytest.approx(0.7, abs=0.01)
    assert any("shifted by +0.20 eV" in w for w in warnings_of(free))
    fixed = lcf(unknown, references, LcfParams(max_shift=0.0))  # type: ignore[arg-type]
    assert fixed.attrs["r_factor"] > 10 * free.attrs["r_factor"]


def test_fractions_lie_in_their_intervals() -> None:
    # 30 intervals: 90 % of them within two standard errors of such a number.
    assert fraction_coverage(10, offset_ev=0.2) >= 0.79


@pytest.mark.slow
def test_fractions_over_many_mixtures() -> None:
    assert 0.85 <= fraction_coverage(200, first=500, offset_ev=0.2) <= 0.95


def test_what_a_user_is_told() -> None:
    unknown, references = mixture(0.01)
    with pytest.raises(DataError, match="One reference makes no mixture"):
        lcf(unknown, references[:1], LcfParams())  # type: ignore[arg-type]
    nickel = np.arange(8200.0, 8600.0, 1.0)
    other = normalised(made(("Ni", nickel, edge(nickel, 8340.0))), NormaliseParams())
    with pytest.raises(DataError, match="share 0 points"):
        lcf(unknown, [*references, other], LcfParams())  # type: ignore[list-item,arg-type]
    with pytest.raises(ParamError, match="15 references are more than 14"):
        mixtures(np.zeros(20), np.random.default_rng(0).normal(size=(20, 15)))


def test_one_table_for_many_spectra_holds_what_each_fit_says() -> None:
    sulfide, sulfate = edge(E, 2470.0), edge(E, 2476.0)
    references = [normalised(made((name, E, mu)), RECIPE) for name, mu in (("sulfide", sulfide), ("sulfate", sulfate))]
    mixed = (("a", E, 0.3 * sulfide + 0.7 * sulfate), ("b", E, 0.9 * sulfide + 0.1 * sulfate))
    several = normalised(made(*mixed), RECIPE)
    params = LcfTableParams(selection="best", max_shift=0.0)
    found = LCF_TABLE.conform(lcf_table(several, references, params))
    assert found["weight"].values == pytest.approx([0.3, 0.7, 0.9, 0.1], abs=2e-3)
    for k in range(2):
        single = lcf(several, references, LcfParams(selection="best", max_shift=0.0, spectrum=k + 1))
        own = found.isel(row=slice(2 * k, 2 * k + 2))
        for name in ("weight", "weight_std", "weight_low", "weight_high"):
            np.testing.assert_array_equal(own[name], single[name])
        assert set(own["r_factor"].values) == {single.attrs["r_factor"]}
    assert lcf_table(several, references, params.model_copy(update={"unknowns": (2,)})).sizes["row"] == 2


def test_a_spectrum_that_cannot_be_fitted_does_not_hide_the_others() -> None:
    references = [normalised(made((str(e), E, edge(E, e))), RECIPE) for e in (2470.0, 2476.0)]
    several = normalised(made(("a", E, edge(E, 2471.0)), ("b", E, edge(E, 2472.0))), RECIPE)
    found = lcf_table(several, references, LcfTableParams(unknowns=(1, 7)))
    assert set(found["name"].values) == {"a"}
    assert found.attrs["left_out"][0][0] == "spectrum 7"
    with pytest.raises(ParamError, match="There are 2 spectra, not 7"):
        lcf_table(several, references, LcfTableParams(unknowns=(7,)))
