"""Peak fits against areas that are known."""

import numpy as np
import pytest
from scipy.special import voigt_profile
from spectra_makers import edge, made

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.demo.spectra_model import AREAS, BRIDGING, true_areas
from analysis.demo.spectra_recovery import area_coverage, composite
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.peakfit import PeakModel, fit_peaks
from analysis.spectra.peaks import PeaksParams, peaks, summarise
from analysis.spectra.schemas import PEAKS

E = np.arange(2469.0, 2480.0, 0.1)
TWO = PeakModel(("a", "b"), (2471.0, 2474.0), (False, False), 0.7, 0.295, True, 2475.0, 0.0, 1.5, 0)


def two_peaks(shift: float = 0.0) -> np.ndarray:
    a = 1.2 * voigt_profile(E - 2471.2 - shift, 0.4, 0.295)
    b = 0.7 * voigt_profile(E - 2473.8 - shift, 0.6, 0.295)
    return a + b + 0.9 * edge(E, 2475.0, 1.5) + 0.05


def test_noise_free_peaks_are_found_exactly() -> None:
    found = fit_peaks(E, two_peaks(), TWO)
    assert found.area == pytest.approx([1.2, 0.7], rel=1e-3)
    assert found.center == pytest.approx([2471.2, 2473.8], abs=1e-3)
    assert found.sigma == pytest.approx([0.4, 0.6], abs=2e-3)
    assert found.step_height == pytest.approx(0.9, rel=2e-3)
    assert found.r_factor < 1e-6
    assert found.height == pytest.approx(found.area * [voigt_profile(0, s, 0.295) for s in found.sigma])


def test_stated_deviations_are_those_of_repetition() -> None:
    rng = np.random.default_rng(5)
    fits = [fit_peaks(E, two_peaks() + rng.normal(0, 0.01, E.size), TWO) for _ in range(60)]
    for name in ("area", "center", "height"):
        values = np.array([getattr(f, name) for f in fits])
        stated = np.array([getattr(f, f"{name}_std") for f in fits]).mean(axis=0)
        assert values.std(axis=0) == pytest.approx(stated, rel=0.35), name


def test_a_centre_that_wants_to_leave_is_flagged() -> None:
    found = fit_peaks(E, two_peaks(shift=1.0), TWO)
    assert "centre at its bound" in found.flags[0]
    assert np.isnan(found.center_std[0])


def test_a_peak_that_is_not_there_has_no_area() -> None:
    model = PeakModel(("a", "none"), (2471.0, 2477.5), (False, False), 0.3, 0.295, True, 2475.0, 0.0, 1.5, 0)
    mu = 1.2 * voigt_profile(E - 2471.0, 0.4, 0.295) + edge(E, 2475.0, 1.5) - 0.2 * np.exp(-((E - 2477.5) ** 2))
    found = fit_peaks(E, mu, model)
    assert (found.area[1], found.flags[1]) == (0.0, "no area")


def test_areas_of_the_synthetic_set_lie_in_their_intervals() -> None:
    held = area_coverage(10)
    assert set(held) == {"PS4", BRIDGING, "sulfide", "resonance"}
    # 60 intervals a peak, 240 in all: 85 to 95 % within three standard errors of their number.
    assert 0.85 <= np.mean(list(held.values())) <= 0.95
    assert all(0.78 <= share <= 1.0 for share in held.values())


@pytest.mark.long
@pytest.mark.slow
def test_areas_over_many_sets() -> None:
    assert all(0.85 <= share <= 0.95 for share in area_coverage(200, first=1000).values())


def area_of(ds: object) -> tuple[float, float, float]:
    found = peaks([ds], PeaksParams())  # type: ignore[list-item]
    scalar = summarise(found, PeaksParams())["area"]
    assert scalar.value is not None
    assert scalar.low is not None
    assert scalar.high is not None
    return float(scalar.value), scalar.low, scalar.high


def test_niobium_moves_the_area_only_without_the_preset() -> None:
    areas = AREAS["coated"]["charged"]
    for seed in range(3):
        coated, bare = (composite(areas, np.random.default_rng(seed), niobium_step=h) for h in (0.2, 0.0))
        with_preset, plain = (normalised(ds, NormaliseParams(preset="S K")) for ds in (coated, bare))
        value, low, high = area_of(plain)
        assert low <= area_of(with_preset)[0] <= high
        assert area_of(with_preset)[0] == pytest.approx(value, rel=0.1)
        ignored = normalised(coated, NormaliseParams(preset="S K", interference="ignore"))
        reference = normalised(bare, NormaliseParams(preset="S K", interference="ignore"))
        value, low, high = area_of(reference)
        assert area_of(ignored)[0] < low


def test_an_offset_of_a_fifth_of_an_ev_leaves_the_area() -> None:
    areas = AREAS["uncoated"]["charged"]
    true = true_areas(areas)[BRIDGING]
    for offset in (-0.2, 0.2):
        ds = normalised(composite(areas, np.random.default_rng(8), offset_ev=offset), NormaliseParams(preset="S K"))
        found = peaks([ds], PeaksParams())
        k = found["peak_name"].values.astype(str).tolist().index(BRIDGING)
        assert float(found["center"][k]) == pytest.approx(2472.0 + offset, abs=0.05)
        assert float(found["area"][k]) == pytest.approx(true, abs=4 * float(found["area_std"][k]))


def test_one_recipe_over_many_spectra_is_one_table() -> None:
    rng = np.random.default_rng(0)
    spectra = [normalised(composite(AREAS["coated"][s], rng), NormaliseParams(preset="S K")) for s in AREAS["coated"]]
    found = PEAKS.conform(peaks(spectra, PeaksParams()))
    assert (found.sizes["peak"], found.sizes["spectrum"]) == (12, 3)
    assert {found[n].attrs["units"] for n in ("area", "area_low", "center", "sigma")} == {"eV"}
    scalar = summarise(found, PeaksParams())["area"]
    assert (scalar.n, scalar.of, scalar.unit) == (3, "spectra", "eV")


def test_what_a_user_is_told() -> None:
    energy = np.arange(2400.0, 2501.0, 0.25)
    ds = normalised(made(("a", energy, edge(energy, 2472.0))), NormaliseParams(preset="S K", interference="ignore"))
    with pytest.raises(ParamError, match=r"'bridging' is not a peak"):
        peaks([ds], PeaksParams(peaks=("bridging",)))
    with pytest.raises(ParamError, match="The peak 'sulfate' at 2482 eV lies outside the fitted range"):
        peaks([ds], PeaksParams(peaks=("sulfate@2482",)))
    with pytest.raises(DataError, match="does not cover the fitted range 2600–2700 eV"):
        peaks([ds], PeaksParams(peaks=("x@2650",), low=2600, high=2700))
    coarse = np.arange(2400.0, 2501.0, 0.5)
    sparse = normalised(made(("a", coarse, edge(coarse, 2472.0))), NormaliseParams(preset="S K", interference="ignore"))
    with pytest.raises(DataError, match="23 points cannot carry a fit of 12 peaks"):
        peaks([sparse], PeaksParams(peaks=tuple(f"p{k}@{2469.5 + 0.8 * k}" for k in range(12)), baseline="linear", step="fit", high=2480))
    flat = peaks([ds], PeaksParams())
    assert any("no area" in w or "at its bound" in w for w in warnings_of(flat))
