"""All steps as one recipe: the same as one after the other; sessions, samples, refusals; means over cells."""

import numpy as np
import pytest
import xarray as xr
from spectra_makers import edge, made

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.demo.spectra_model import AREAS, ASSIGNED_EV, standard
from analysis.demo.spectra_recovery import composite, spectrum
from analysis.spectra.averages import MeanParams, means
from analysis.spectra.combine import MergeParams, deglitched, glitches, merged
from analysis.spectra.curves import picked
from analysis.spectra.differences import DifferenceParams, difference
from analysis.spectra.energy_axis import CalibrateParams, calibrated
from analysis.spectra.lcf import LcfParams, lcf
from analysis.spectra.normalising import NormaliseParams, normalised, recipe_mismatch
from analysis.spectra.pca import PcaParams, pca
from analysis.spectra.peaks import PeaksParams, peaks
from analysis.spectra.processing import BatchParams, processed_all
from analysis.spectra.schemas import NORMALISED, PEAKS
from analysis.spectra.self_absorption import SelfAbsorptionParams, corrected

E = np.arange(2400.0, 2501.0, 0.25)
MU = edge(E, 2475.0) + 0.6 * np.exp(-((E - 2472.0) ** 2))
ON_STANDARD = {"preset": "S K", "calibrate": "standard", "standard": "Na2S2O3", "assigned": ASSIGNED_EV}


def scan(seed: int, offset: float = 0.0, state: str = "charged") -> xr.Dataset:
    return composite(AREAS["uncoated"][state], np.random.default_rng(seed), offset_ev=offset)


def of_session(seed: int, offset: float) -> xr.Dataset:
    return spectrum(standard(np.asarray(scan(0)["energy"].values)), np.random.default_rng(seed), offset_ev=offset)


def test_one_recipe_is_all_steps_one_after_the_other() -> None:
    scans, session = [scan(1, 0.2), scan(2, 0.2)], of_session(3, 0.2)
    edit = glitches([(2440.2, "")])
    params = BatchParams(**ON_STANDARD, merge="noise", formula="Li6PS5Cl(Al2O3)30", samples=("a", "a"))
    found = processed_all(scans, params, standards=[session], glitches=[edit])
    asked = CalibrateParams(standard="Na2S2O3", feature="white_line", assigned=ASSIGNED_EV, search=5.0)
    both = [calibrated(deglitched(s, edit), session, asked) for s in scans]
    one = normalised(merged(both, MergeParams(weighting="noise")), NormaliseParams(preset="S K"))
    want = corrected(one, SelfAbsorptionParams(formula="Li6PS5Cl(Al2O3)30"))
    assert found["norm"].values == pytest.approx(want["norm"].values, rel=1e-9, nan_ok=True)
    assert found["energy"].values == pytest.approx(want["energy"].values)
    assert found["name"].values.tolist() == ["a"]
    assert NORMALISED.conform(found).attrs["calibration"]["assigned"] == ASSIGNED_EV


def test_each_session_has_its_own_standard() -> None:
    offsets = (0.25, -0.15)
    params = BatchParams(**ON_STANDARD, samples=("a", "b"), standard_of=(1, 2))
    sessions = [of_session(5 + k, o) for k, o in enumerate(offsets)]
    found = processed_all([scan(1, offsets[0]), scan(2, offsets[1])], params, standards=sessions)
    assert found["energy_shift"].values == pytest.approx([-0.25, 0.15], abs=0.05)
    # What the sessions share stands there; their shifts differ, and the recipe is one although the data end at 2500.2 and 2499.8 eV.
    assert found.attrs["calibration"] == {"standard": "Na2S2O3", "feature": "white_line", "assigned": ASSIGNED_EV}
    assert found.attrs["recipe"]["norm2"] == 28.0
    assert recipe_mismatch([picked(found, [0]), picked(found, [1])]) == ""


def test_a_sample_that_is_refused_does_not_hide_the_others() -> None:
    nickel = made(("Ni", E + 5861.0, MU))
    params = BatchParams(preset="S K", interference="ignore", samples=("good", "nickel"))
    found = processed_all([made(("s", E, MU)), nickel], params)
    assert found["name"].values.tolist() == ["good"]
    ((name, sentence),) = found.attrs["left_out"]
    assert name == "nickel"
    assert "it is of another edge. It covers Ni K." in sentence
    with pytest.raises(DataError, match="it is of another edge"):
        processed_all([nickel], params.model_copy(update={"samples": ("nickel",)}))


def test_heights_that_cannot_be_corrected_are_refused() -> None:
    tall = made(("tall", E, edge(E, 2472.0) + 3.0 * np.exp(-((E - 2473.0) ** 2))))
    params = BatchParams(preset="S K", interference="ignore", formula="Li6PS5Cl", samples=("low", "tall"))
    low = made(("low", E, edge(E, 2472.0)))
    found = processed_all([low, tall], params)
    assert found.attrs["self_absorption"]["formula"] == "Li6PS5Cl"
    assert found.attrs["left_out"][0][0] == "tall"
    assert "its self-absorption cannot be corrected" in found.attrs["left_out"][0][1]


def test_alignment_with_a_template_puts_scans_of_all_sessions_on_one_axis() -> None:
    params = BatchParams(preset="S K", interference="ignore", calibrate="template", samples=("a", "b"))
    found = processed_all([made(("a", E + 0.3, MU)), made(("b", E - 0.2, MU))], params, standards=[made(("t", E, MU))])
    assert found["energy_shift"].values == pytest.approx([-0.3, 0.2], abs=5e-3)
    assert found.attrs["calibration"] == {"standard": "t", "feature": "alignment", "assigned": None}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"calibrate": "standard"}, "Nothing is given to calibrate"),
        ({"calibrate": "foil", "assigned": 2472.0}, "has no foil measured behind it"),
        ({"samples": ("a", "b")}, "2 samples are named for 1 inputs"),
        ({"standard_of": (2,)}, "standard do not fit 1 inputs and 0 standards"),
    ],
)
def test_what_a_user_is_told(wrong: dict[str, object], message: str) -> None:
    with pytest.raises((ParamError, DataError), match=message):
        processed_all([made(("a", E, MU))], BatchParams(preset="S K", **wrong))


def test_negative_absorption_is_told() -> None:
    with pytest.raises(DataError, match="does not rise at 2472"):
        processed_all([made(("swapped", E, -0.5 - MU))], BatchParams(preset="S K", interference="ignore"))


def normal(name: str, mu: np.ndarray, energy: np.ndarray = E) -> xr.Dataset:
    return normalised(made((name, energy, mu)), NormaliseParams(preset="S K", interference="ignore"))


def test_means_are_over_cells() -> None:
    bumps = (0.0, 0.3, 0.6, 1.2)
    spectra = [normal(str(k), MU + b * np.exp(-((E - 2472.0) ** 2))) for k, b in enumerate(bumps)]
    found = means(spectra, MeanParams(sets=("x", "x", "x", "y"), cells=("1", "1", "2", "3")))
    own = [s["norm"].values[0] for s in spectra]
    assert found["name"].values.tolist() == ["x", "y"]
    assert found["n_samples"].values.tolist() == [2, 1]
    assert found["norm"].values[0] == pytest.approx(((own[0] + own[1]) / 2 + own[2]) / 2)
    assert found["norm_std"].values[0] == pytest.approx(np.abs((own[0] + own[1]) / 2 - own[2]) / np.sqrt(2))
    assert np.isnan(found["norm_std"].values[1]).all()
    with pytest.raises(ParamError, match="2 sets are named for 4 spectra"):
        means(spectra, MeanParams(sets=("x", "y")))


def test_the_band_of_a_difference_of_means_is_their_standard_error() -> None:
    rng = np.random.default_rng(1)
    bump = np.exp(-((E - 2472.0) ** 2))
    groups = [[normal(str(k), MU + (base + rng.normal(0, 0.1)) * bump) for k in range(5)] for base in (0.0, 0.5)]
    pair = means([s for g in groups for s in g], MeanParams(sets=("a",) * 5 + ("b",) * 5))
    found = difference([pair], pair, DifferenceParams(chosen=(2,), against=(1,), names=("b less a",)))
    heights = [np.array([float(s["norm"].values[0][E == 2472.0][0]) for s in g]) for g in groups]
    at = found["energy"].values == 2472.0
    assert found["difference"].values[0][at] == pytest.approx(heights[1].mean() - heights[0].mean())
    error = np.sqrt(sum(h.var(ddof=1) / 5 for h in heights))
    assert found["difference_std"].values[0][at] == pytest.approx(error)
    assert found["name"].values.tolist() == ["b less a"]
    assert found["reference_name"].values.tolist() == ["a"]
    with pytest.raises(ParamError, match="do not fit 2 spectra"):
        difference([pair], pair, DifferenceParams(chosen=(3,)))


def test_parts_of_a_batch_are_chosen_by_number() -> None:
    rng = np.random.default_rng(2)
    pure = [edge(E, c) + np.exp(-((E - c - 1) ** 2)) for c in (2471.0, 2475.0)]
    mixed = [f * pure[0] + (1 - f) * pure[1] + rng.normal(0, 0.002, E.size) for f in (1.0, 0.3, 0.0, 0.6)]
    batch = processed_all([made((str(k), E, m)) for k, m in enumerate(mixed)], BatchParams(preset="S K", interference="ignore"))
    found = lcf(batch, [batch], LcfParams(low=-5, high=25, spectrum=2, chosen=(1, 3)))
    assert found["reference"].values.tolist() == ["0", "2"]
    assert found["weight"].values == pytest.approx([0.3, 0.7], abs=0.02)
    assert pca([batch], PcaParams(chosen=(1, 2, 4))).sizes["spectrum"] == 3
    with pytest.raises(ParamError, match="There are 4 spectra, not 9"):
        lcf(batch, [batch], LcfParams(spectrum=9))
    two = picked(PEAKS.conform(peaks([batch], PeaksParams())), [1, 3])
    assert set(two["spectrum_name"].values.tolist()) == {"1", "3"}
    assert two.sizes["peak"] == 8


def test_a_spectrum_that_peaks_cannot_be_fitted_to_is_left_out_and_said() -> None:
    short = E < 2476.0
    whole, cut = normal("whole", MU), normal("whole", MU)
    cut = cut.isel(energy=short).assign(name=("spectrum", np.array(["cut"]), {"units": ""}))
    found = peaks([whole, cut], PeaksParams())
    assert found["name"].values.tolist() == ["whole"]
    assert any(w.startswith("Left out: 'cut' (2400–2476 eV) does not cover") for w in warnings_of(found))
