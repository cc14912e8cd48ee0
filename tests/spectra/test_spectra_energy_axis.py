"""Calibration and alignment: stored shifts of a drifting beamline, exact shifts, standards."""

from pathlib import Path

import numpy as np
import pytest
from spectra_makers import edge, made, read

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.spectra.energy_axis import AlignParams, CalibrateParams, aligned, calibrated

E = np.arange(2440.0, 2521.0, 0.25)
PEAK = edge(E, 2473.0) + 1.2 * np.exp(-((E - 2474.0) ** 2) / 0.8)


def test_stored_shifts_are_found_again(shared_data: Path) -> None:
    path = shared_data / "xas" / "athena" / "NiO.prj"
    raw, stored = read(path, apply_shift=False), read(path)["energy_shift"].values
    found = aligned([raw], AlignParams(template="24", using="foil"))
    assert np.abs(found["alignment_shift"].values - stored).max() < 0.05
    assert found["alignment_shift"].attrs["units"] == "eV"
    assert found["energy_shift"].values == pytest.approx(found["alignment_shift"].values)


@pytest.mark.parametrize("shift", [-4.3, -0.2, 0.0, 0.05, 0.2, 7.77])
def test_an_exact_shift_is_found_exactly(shift: float) -> None:
    # Another thickness and background, so that nothing but the place is alike.
    other = made(("b", E + shift, 3.0 + 2.0 * PEAK))
    found = aligned([made(("a", E, PEAK)), other], AlignParams())
    assert found["alignment_shift"].values == pytest.approx([0.0, -shift], abs=2e-3)


def test_a_noisy_quarter_volt_is_repaired() -> None:
    rng = np.random.default_rng(2)
    noisy = made(("b", E + 0.2, PEAK + rng.normal(0, 0.005, E.size)))
    found = aligned([made(("a", E, PEAK)), noisy], AlignParams())
    assert float(found["alignment_shift"][1]) == pytest.approx(-0.2, abs=0.02)


def test_foils_behind_the_sample(shared_data: Path) -> None:
    folder = shared_data / "xas" / "xdi_ni"
    spectra = [read(folder / "Ni2O3_rt_01.xdi"), read(folder / "NiOH2_rt_01.xdi")]
    found = aligned(spectra, AlignParams(using="foil"))
    # Scans of one session: their foils agree, though the samples do not.
    assert abs(float(found["alignment_shift"][1])) < 0.2


def test_calibration_on_a_foil_is_stored(small_data: Path) -> None:
    ds = read(small_data / "xas" / "Ni_metal_rt_01.xdi")
    found = calibrated(ds, None, CalibrateParams(standard="Ni foil", assigned=8333.0))
    note = found.attrs["calibration"]
    assert (note["standard"], note["assigned"]) == ("Ni foil", 8333.0)
    assert note["measured"] == pytest.approx(8331.3, abs=0.2)
    assert float(found["energy"][0] - ds["energy"][0]) == pytest.approx(note["shift"])
    again = calibrated(found, None, CalibrateParams(standard="Ni foil", assigned=8333.0))
    assert again.attrs["calibration"]["shift"] == pytest.approx(0.0, abs=0.011)


def test_calibration_on_a_standard_of_its_own() -> None:
    standard = made(("s", E + 0.27, PEAK))
    found = calibrated(made(("a", E + 0.27, PEAK)), standard, CalibrateParams(feature="white_line", assigned=2474.04))
    true = E[PEAK.argmax()]
    assert found.attrs["calibration"]["measured"] == pytest.approx(true + 0.27, abs=0.1)
    assert float(found["energy_shift"][0]) == pytest.approx(2474.04 - found.attrs["calibration"]["measured"])


def test_what_a_user_is_told(small_data: Path) -> None:
    nickel, sulfur = (read(small_data / "xas" / n) for n in ("Ni_metal_rt_01.xdi", "S_elemental_rt_01.xdi"))
    with pytest.raises(DataError, match="does not cover the edge at 2470 eV"):
        aligned([sulfur, nickel], AlignParams())
    with pytest.raises(DataError, match=r"has 0 points within 15 eV of 8333\.0 eV"):
        calibrated(sulfur, None, CalibrateParams(assigned=8333.0))
    with pytest.raises(ParamError, match="There is no spectrum 'gold'"):
        aligned([sulfur], AlignParams(template="gold"))
    with pytest.raises(DataError, match="has no foil measured with it"):
        aligned([sulfur], AlignParams(using="foil"))
    far = aligned([made(("a", E, PEAK)), made(("b", E + 5.0, PEAK))], AlignParams(max_shift=1.0))
    assert any("at its bound" in w for w in warnings_of(far))
