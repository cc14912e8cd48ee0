"""The open-circuit voltage against what is exact about it."""

import numpy as np
import pytest
from scipy.signal import find_peaks

from analysis.demo import ocv

VOLTAGE = np.linspace(3.0, 4.6, 160_001)


def test_lithium_content_rises_with_voltage_from_none_to_all() -> None:
    x = ocv.delithiation(np.linspace(ocv.U_LOW, ocv.U_HIGH, 2001))
    assert np.all(np.diff(ocv.delithiation(VOLTAGE)) > 0)
    assert x[0] < 1e-3
    assert x[-1] > 1 - 1e-3


def test_weights_share_all_lithium() -> None:
    assert sum(r.weight for r in ocv.NMC811) == pytest.approx(1.0, abs=1e-12)


def test_voltage_inverts_delithiation() -> None:
    voltage = np.linspace(3.3, 4.5, 777)
    assert ocv.open_circuit_voltage(ocv.delithiation(voltage)) == pytest.approx(voltage, abs=2e-6)


def test_voltage_is_monotone_in_delithiation() -> None:
    assert np.all(np.diff(ocv.open_circuit_voltage(np.linspace(1e-4, 0.999, 20_001))) > 0)


def test_derivatives_agree_with_differences() -> None:
    h = 1e-5
    inner = VOLTAGE[100:-100:200]
    slope = (ocv.delithiation(inner + h) - ocv.delithiation(inner - h)) / (2 * h)
    bend = (ocv.differential_capacity(inner + h) - ocv.differential_capacity(inner - h)) / (2 * h)
    assert ocv.differential_capacity(inner) == pytest.approx(slope, abs=1e-7)
    assert ocv.curvature(inner) == pytest.approx(bend, abs=1e-5)


def test_peaks_stand_where_a_search_finds_them_and_where_the_phase_changes_are() -> None:
    searched = VOLTAGE[find_peaks(np.gradient(ocv.delithiation(VOLTAGE), VOLTAGE))[0]]
    stated = ocv.peak_voltages()
    assert list(stated) == ["H1-M", "M-H2", "H2-H3"]
    assert list(stated.values()) == pytest.approx(searched[:3], abs=2e-5)
    assert list(stated.values()) == pytest.approx([3.70, 4.00, 4.19], abs=0.01)


def test_theoretical_capacity_is_one_lithium_a_formula() -> None:
    molar_mass = 6.94 + 0.8 * 58.693 + 0.1 * 58.933 + 0.1 * 54.938 + 2 * 15.999
    assert pytest.approx(96485.33 / 3.6 / molar_mass, rel=1e-3) == ocv.THEORETICAL_MAH_PER_G
