"""Cross-sections, the correction on the published sulfate series, and its limits."""

from pathlib import Path

import numpy as np
import pytest
from spectra_makers import edge, made, read

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.spectra.cross_sections import attenuation, parse_formula, shell
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.self_absorption import SelfAbsorptionParams, corrected, damping

E = np.arange(2400.0, 2501.0, 0.25)
SERIES = ((1, 0.10), (2, 0.47), (3, 0.94))


def test_formulas() -> None:
    assert parse_formula("Li6PS5Cl") == {"Li": 6.0, "P": 1.0, "S": 5.0, "Cl": 1.0}
    found = parse_formula("((NH4)2SO4)0.1(H2O)54.8")
    assert found == pytest.approx({"N": 0.2, "H": 110.4, "S": 0.1, "O": 55.2})
    for wrong in ("", "li2s", "Xx2", "Li2(S", "Li2)S", "2-3"):
        with pytest.raises(ParamError):
            parse_formula(wrong)


def test_tabulated_values() -> None:
    # Elam tables: S below and above its K edge (cm2/g), and its jump.
    assert attenuation("S", np.array([2470.0, 2475.0])) / 32.06 == pytest.approx([217.4, 2065.0], rel=0.005)
    level = shell("S", "K")
    assert (level.energy, level.jump, level.line) == (2472.0, 9.613, 2309.5)
    with pytest.raises(ParamError, match="no Li K edge"):
        shell("Li", "K")


def test_the_sulfate_series_agrees_after_correction(shared_data: Path) -> None:
    path = shared_data / "xas" / "athena" / "sulfate.prj"
    raw, heights = [], []
    for number, molar in SERIES:
        ds = normalised(read(path, record=f"sulfate.00{number}"), NormaliseParams())
        found = corrected(ds, SelfAbsorptionParams(formula=f"((NH4)2SO4){molar}(H2O)54.8"))
        raw.append(float(np.nanmax(ds["norm"].values)))
        heights.append(float(np.nanmax(found["norm"].values)))
    mean = np.mean(heights)
    assert np.ptp(raw) / np.mean(raw) > 0.4
    assert np.abs(np.array(heights) / mean - 1).max() < 0.06
    # Athena's own correction of the same data.
    assert np.abs(np.array(heights) / [10.63, 10.37, 10.26] - 1).max() < 0.04


def test_what_a_thick_sample_damps_is_put_back() -> None:
    params = SelfAbsorptionParams(formula="Li2SO4(H2O)10")
    a = damping(E, params)
    true = np.where(E >= 2480.0, 1.0, 0.0) + 1.5 * np.exp(-((E - 2482.0) ** 2))
    ds = normalised(
        made(("a", E, true * (1 + a) / (true + a))), NormaliseParams(e0=2480.0, pre1=-60, pre2=-20, norm1=12, norm2=20, order=0)
    )
    found = corrected(ds, params)
    near = np.abs(E - 2482.0) < 1.0
    assert found["norm"].values[0][near] == pytest.approx(true[near], rel=0.01)
    assert float(found["white_line_height"][0]) > float(ds["white_line_height"][0])


def test_the_amplification_is_the_derivative() -> None:
    params = SelfAbsorptionParams(formula="Li2SO4(H2O)10")
    heights = [0.5, 1.0, 1.5]
    for height in heights:
        pair = []
        for small in (-1e-4, 1e-4):
            mu = np.where(E >= 2472.0, 1.0, 0.0)
            mu[300] = height + small
            ds = normalised(made(("a", E, mu)), NormaliseParams(preset="S K", interference="ignore"))
            pair.append(corrected(ds, params))
        slope = float(pair[1]["norm"][0, 300] - pair[0]["norm"][0, 300]) / 2e-4
        assert slope == pytest.approx(float(pair[0]["amplification"][0, 300]), rel=1e-3)


def test_geometry_and_electrolyte() -> None:
    flat, grazing = (damping(E, SelfAbsorptionParams(angle_in=i, angle_out=o))[0] for i, o in ((45, 45), (80, 10)))
    assert flat == pytest.approx(0.74, abs=0.02)
    assert grazing > 2 * flat  # light that leaves at a glancing angle is absorbed alike at all energies


def test_what_cannot_be_corrected_is_refused(shared_data: Path) -> None:
    ds = normalised(read(shared_data / "xas" / "athena" / "sulfate.prj", record="sulfate.001"), NormaliseParams())
    with pytest.raises(DataError, match=r"saturates at 1\.73: its self-absorption cannot be corrected"):
        corrected(ds, SelfAbsorptionParams())
    with pytest.raises(ParamError, match="H2O holds no S"):
        corrected(ds, SelfAbsorptionParams(formula="H2O"))


def test_a_large_amplification_is_said_and_the_badge_goes() -> None:
    mu = edge(E, 2472.0) + 0.42 * np.exp(-((E - 2475.0) ** 2) / 0.5)
    ds = made(("a", E, mu)).assign_attrs(mode="fluorescence")
    before = normalised(ds, NormaliseParams(preset="S K", interference="ignore"))
    found = corrected(before, SelfAbsorptionParams())
    assert any(w.startswith("Uncorrected") for w in warnings_of(before))
    assert not any(w.startswith("Uncorrected") for w in warnings_of(found))
    assert any("amplifies 'a' up to" in w for w in warnings_of(found))
