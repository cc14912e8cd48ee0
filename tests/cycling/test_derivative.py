"""dQ/dV against functions whose derivative is known."""

from pathlib import Path

import numpy as np
import pytest
from cycling_records import read_file, record

from analysis.core.data import warnings_of
from analysis.cycling.compute import dqdv
from analysis.cycling.curves import HalfCurve, to_li_scale
from analysis.cycling.derivative import DerivativeParams, derivative, ordered, peaks
from analysis.cycling.schemas import DQDV

CENTRE, WIDTH = 3.0, 0.05  # V


def half_cycle(direction: int = 1, *, points: int = 4000, noise: float = 0.0) -> HalfCurve:
    """A logistic step of 1 mA h at 3 V on a slope of 0.2 mA h/V: dQ/dV = 0.2 + 1 / (4 w cosh²((V - 3) / 2w))."""
    voltage = np.linspace(2.5, 3.5, 200_001)
    capacity = 0.2 * (voltage - 2.5) + 1 / (1 + np.exp(-(voltage - CENTRE) / WIDTH)) - 1 / (1 + np.exp(0.5 / WIDTH))
    even = np.linspace(0, capacity[-1], points)  # constant current: even in charge
    curve = np.interp(even, capacity, voltage)
    if direction < 0:
        even, curve = even[-1] - even[::-1], curve[::-1]
    curve = curve + np.random.default_rng(2).normal(0, noise, points)
    return HalfCurve(4, direction, even, curve, np.full(points, 1e-3))


def truth(voltage: np.ndarray) -> np.ndarray:
    return 0.2 + 1 / (4 * WIDTH * np.cosh((voltage - CENTRE) / (2 * WIDTH)) ** 2)


@pytest.mark.parametrize("direction", [1, -1])
def test_the_derivative_is_the_known_one(direction: int) -> None:
    found = derivative(half_cycle(direction), DerivativeParams(window_mV=10))
    assert found is not None
    inner = slice(20, -20)
    np.testing.assert_allclose(found.dqdv[inner] * direction, truth(found.voltage[inner]), rtol=5e-3)
    np.testing.assert_allclose(found.dvdq[inner] * found.dqdv[inner], 1)
    assert np.all(np.diff(found.voltage) * direction > 0)
    assert np.trapezoid(found.dqdv, found.voltage) == pytest.approx(found.capacity[-1] - found.capacity[0], rel=1e-3)


@pytest.mark.parametrize("direction", [1, -1])
def test_peaks_have_place_and_height(direction: int) -> None:
    found = derivative(half_cycle(direction), DerivativeParams())
    assert found is not None
    (peak,) = peaks(found, 0.05)
    assert (peak["cycle"], peak["direction"]) == (4, direction)
    assert peak["voltage"] == pytest.approx(CENTRE, abs=1e-3)
    assert peak["height"] * direction == pytest.approx(0.2 + 1 / (4 * WIDTH), rel=0.01)


def test_noise_of_the_voltage_neither_shifts_nor_loses_charge() -> None:
    found = derivative(half_cycle(noise=1e-3), DerivativeParams(window_mV=20))
    assert found is not None
    inner = slice(30, -30)
    error = found.dqdv[inner] - truth(found.voltage[inner])
    assert np.sqrt(np.mean(error**2)) < 0.1  # of 5.2 at the peak
    assert abs(np.mean(error)) < 5e-3
    level, capacity = ordered(half_cycle(noise=1e-3))
    assert np.all(np.diff(level) > 0)
    assert np.all(np.diff(capacity) > 0)
    clean = np.interp(CENTRE, *ordered(half_cycle()))
    assert np.interp(CENTRE, level, capacity) == pytest.approx(clean, abs=2e-3)


def test_equal_voltages_are_one_level() -> None:
    curve = half_cycle()
    stepped = HalfCurve(4, 1, curve.capacity, np.round(curve.voltage, 3), curve.current)
    found = derivative(stepped, DerivativeParams(window_mV=20))
    assert found is not None
    np.testing.assert_allclose(found.dqdv[30:-30], truth(found.voltage[30:-30]), atol=0.03)


def test_a_held_voltage_is_left_out() -> None:
    curve = half_cycle()
    tail = 500
    held = HalfCurve(
        4,
        1,
        np.append(curve.capacity, curve.capacity[-1] + 2e-4 * np.arange(1, tail + 1)),
        np.append(curve.voltage, np.full(tail, curve.voltage[-1])),
        np.append(curve.current, 1e-3 * np.exp(-np.arange(tail) / 100)),
    )
    with_tail, without = derivative(held, DerivativeParams()), derivative(curve, DerivativeParams())
    assert with_tail is not None
    assert without is not None
    assert np.max(with_tail.dqdv[-20:]) < 0.5
    assert len(peaks(with_tail, 0.05)) == len(peaks(without, 0.05)) == 1


def test_a_curve_narrower_than_the_window_has_none() -> None:
    flat = HalfCurve(1, 1, np.linspace(0, 1, 100), np.linspace(3, 3.005, 100), np.full(100, 1e-3))
    assert derivative(flat, DerivativeParams(window_mV=20)) is None


def test_the_recipe_labels_its_points_and_states_its_window() -> None:
    up, down = half_cycle(points=800), half_cycle(-1, points=800)
    seconds = 3.6 * up.capacity / 1e-3
    ds = record(
        time=np.concatenate([seconds, seconds[-1] + seconds]),
        voltage=np.concatenate([up.voltage, down.voltage]),
        current=np.repeat([1e-3, -1e-3], 800),
    )
    made = DQDV.conform(dqdv(records=(ds,), params=DerivativeParams(cycles=(1, 7), window_mV=15, active_mass_mg=2.0)))
    assert made["dqdv"].attrs["units"] == "mA h/g/V"
    assert made["dvdq"].attrs["units"] == "V/(mA h/g)"
    assert made.attrs["window_mV"] == 15
    assert [p["direction"] for p in made.attrs["peaks"]] == [1, -1]
    assert made.attrs["peaks"][0]["height"] == pytest.approx(500 * (0.2 + 5), rel=0.02)
    assert set(made["direction"].values) == {1, -1}
    assert warnings_of(made) == ("Cycle 7 is not there: cycles run from 1 to 1.",)


def test_the_li_scale() -> None:
    assert to_li_scale(np.array([3.68])) == pytest.approx(4.30)


def test_a_real_cell_keeps_its_charge(shared_data: Path) -> None:
    ds = read_file(shared_data / "cycling/biologic/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr")
    made = dqdv(records=(ds,), params=DerivativeParams(cycles=(3,)))
    for direction, capacity in ((1, 0.9419), (-1, 0.8747)):
        part = made.isel(point=np.flatnonzero(made["direction"].values == direction))
        assert np.trapezoid(part["dqdv"], part["voltage"]) == pytest.approx(capacity, rel=0.02)
    assert len(made.attrs["peaks"]) >= 2
