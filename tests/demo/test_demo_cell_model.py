"""The cell model against exact limits, a numerical solution of diffusion, and conservation of lithium."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from analysis.demo.cell_model import (
    SLOWEST_MODE,
    SURFACE_LAG,
    Build,
    Condition,
    State,
    Step,
    cell_voltage,
    diffusion_time,
    hold_voltage,
    rest,
    run_to_limit,
)
from analysis.demo.ocv import LI_IN_V, THEORETICAL_MAH_PER_G, delithiation, open_circuit_voltage

BUILD = Build(active_mass_mg=3.0, area_cm2=0.2827)
CONDITION = Condition(accessible=0.7, resistance_ohm_cm2=60, exchange_mA_cm2=0.3, diffusion_time_s=4000, lithiated_slowing=7.0)
C10_MA = 0.06


def charged(condition: Condition = CONDITION, *, current_mA: float = C10_MA) -> Step:
    return run_to_limit(BUILD, condition, State(0.05), current_mA=current_mA, limit_V=3.7)


def test_at_rest_the_voltage_is_the_open_circuit_voltage() -> None:
    x = np.linspace(0.05, 0.8, 40)
    zero = np.zeros(())
    assert cell_voltage(BUILD, CONDITION, x, zero, zero) == pytest.approx(open_circuit_voltage(x) - LI_IN_V, abs=1e-12)


def test_resistance_adds_current_times_resistance() -> None:
    x, current = np.array([0.4]), np.asarray(0.06)
    more = replace(CONDITION, resistance_ohm_cm2=160)
    added = cell_voltage(BUILD, more, x, current, current) - cell_voltage(BUILD, CONDITION, x, current, current)
    assert added == pytest.approx(0.06e-3 * 100 / 0.2827, rel=1e-9)


def test_kinetics_reach_the_tafel_slope_and_the_linear_limit() -> None:
    bare = replace(CONDITION, resistance_ohm_cm2=0.0)
    x, zero = np.array([0.5]), np.zeros(())
    at_rest = cell_voltage(BUILD, bare, x, zero, zero)

    def eta(current: float) -> float:
        return float((cell_voltage(BUILD, bare, x, np.asarray(current), np.asarray(current)) - at_rest)[0])

    thermal = 8.314463 * 295.15 / 96485.33
    assert eta(1000.0) - eta(100.0) == pytest.approx(2 * thermal * np.log(10), rel=1e-4)  # both transfer coefficients one half
    local = 1e-5 / 0.2827 / 0.7
    assert eta(1e-5) == pytest.approx(thermal * local / 0.3, rel=1e-4)  # i0 at half delithiation is its reference value
    assert eta(-3.0) == pytest.approx(-eta(3.0), rel=1e-12)


def test_sphere_lags_as_a_numerical_solution_of_diffusion_does() -> None:
    """Finite volumes in a unit sphere with D = 1 and a constant flux: dx/dt = 1 on average."""
    shells = 120
    edge = np.linspace(0, 1, shells + 1)
    volume = np.diff(edge**3) / 3
    middle = (edge[1:] + edge[:-1]) / 2

    def change(_: float, c: np.ndarray) -> np.ndarray:
        flux = np.concatenate([[0.0], edge[1:-1] ** 2 * np.diff(c) / np.diff(middle), [1 / 3]])
        return np.diff(flux) / volume

    solved = solve_ivp(change, (0, 0.6), np.zeros(shells), method="BDF", t_eval=[0.10, 0.14, 0.6], rtol=1e-8, atol=1e-10)
    surface = solved.y[-1] + (1 / 3) * (1 - middle[-1])
    lag = surface - (volume @ solved.y) * 3
    assert lag[2] == pytest.approx(SURFACE_LAG, rel=2e-3)
    approach = np.log((lag[2] - lag[0]) / (lag[2] - lag[1])) / 0.04
    assert approach == pytest.approx(SLOWEST_MODE, rel=0.01)


def test_relaxation_integral_agrees_with_quadrature() -> None:
    step = charged()
    numeric, _ = quad(lambda t: SLOWEST_MODE / float(diffusion_time(CONDITION, step.composition(np.asarray(t)))), 0, 9000)
    far = replace(step, start=State(0.05, gradient=0.01)).gradient(np.array([9000.0])) - step.gradient(np.array([9000.0]))
    assert far[0] == pytest.approx(0.01 * np.exp(-numeric), rel=1e-6)


@pytest.mark.parametrize("current_mA", [0.03, 0.06, 0.6])
def test_step_ends_exactly_at_its_limit_and_not_before(current_mA: float) -> None:
    up = charged(current_mA=current_mA)
    down = run_to_limit(BUILD, CONDITION, up.end, current_mA=-current_mA, limit_V=2.0)
    for step, limit in ((up, 3.7), (down, 2.0)):
        inner = step.voltage(np.linspace(0, 0.9999, 4001) * step.duration_s)
        assert np.all((inner - limit) * np.sign(step.current_mA) < 0)
        root = brentq(lambda t, s=step, v=limit: float(s.voltage(np.array([t]))[0]) - v, 0.9 * step.duration_s, 1.01 * step.duration_s)
        assert step.duration_s == pytest.approx(root, rel=1e-6)


def test_vanishing_current_delivers_what_the_open_circuit_voltage_allows() -> None:
    slow = charged(current_mA=1e-5)
    window = float(delithiation(np.asarray(3.7 + LI_IN_V))) - 0.05
    assert slow.charge_mAh == pytest.approx(window * 0.7 * 3e-3 * THEORETICAL_MAH_PER_G, rel=2e-3)


@pytest.mark.parametrize(
    "worse",
    [{"resistance_ohm_cm2": 300}, {"exchange_mA_cm2": 0.03}, {"diffusion_time_s": 12000}, {"accessible": 0.5}],
)
def test_each_kind_of_ageing_costs_capacity(worse: dict[str, float]) -> None:
    def discharge(condition: Condition) -> float:
        return run_to_limit(BUILD, condition, charged(condition).end, current_mA=-C10_MA, limit_V=2.0).charge_mAh

    assert discharge(replace(CONDITION, **worse)) < 0.99 * discharge(CONDITION)


def test_lithium_is_conserved_with_side_reaction_and_leak() -> None:
    odd = replace(CONDITION, side_fraction=0.02, leak_mA=0.005)
    step = charged(odd)
    moved = (step.end.x - step.start.x) * 0.7 * BUILD.full_capacity_mAh
    assert moved == pytest.approx(step.charge_mAh - (0.02 * C10_MA + 0.005) * step.duration_s / 3600, rel=1e-9)


def test_rest_relaxes_to_the_open_circuit_voltage_of_the_mean() -> None:
    top = rest(BUILD, CONDITION, charged().end, duration_s=40_000)
    assert top.voltage(np.array([40_000.0]))[0] == pytest.approx(float(open_circuit_voltage(np.asarray(top.start.x))) - LI_IN_V, abs=1e-5)
    assert top.end.x == top.start.x


def test_hold_keeps_the_voltage_and_counts_the_lithium_that_moves() -> None:
    step = charged(current_mA=0.6)
    hold = hold_voltage(step, limit_V=3.7, until_mA=0.03)
    assert hold.current_mA[0] == pytest.approx(0.6)
    assert hold.current_mA[-1] == pytest.approx(0.03)
    assert np.all(np.diff(hold.time_s) > 0)
    assert hold.charge_mAh[-1] == pytest.approx((hold.end.x - step.end.x) * 0.7 * BUILD.full_capacity_mAh, rel=2e-4)
    surface = np.array([hold.end.x + hold.end.gradient])
    assert cell_voltage(BUILD, CONDITION, surface, np.asarray(0.03), np.asarray(0.03))[0] == pytest.approx(3.7, abs=1e-6)
