"""Noise-free rows against the truth, and the noise against its stated size."""

import numpy as np
import pytest

from analysis.demo.ageing import after_isolation, condition_at, soft_short
from analysis.demo.cell_model import Build
from analysis.demo.cells import LAWS, StudySize, plan_study, run_cycling, run_rate_test
from analysis.demo.instrument import Instrument, measure
from analysis.demo.protocol import Block, Protocol, Run, Stop, simulate
from analysis.demo.truth import cell_truth, curve_peaks, ocv_peaks_vs_li_in

BUILD = Build(active_mass_mg=3.0, area_cm2=0.2827)
SIZE = StudySize(cells_per_group=2, cycles=20, formation=2, seed=7)


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    plans = plan_study(SIZE)
    return [run_cycling(p, SIZE) for p in plans] + [run_rate_test(p) for p in plans[:1]]


def integrals(run: Run, cycle: int) -> tuple[float, float]:
    """Charge of the charging and of the discharging rows of a cycle by the trapezoid, mA h."""
    rows = run.rows
    here = rows.cycle == cycle
    out = []
    for sign in (1, -1):
        moving = here & (np.sign(rows.current_mA) == sign)
        out.append(abs(np.trapezoid(rows.current_mA[moving], rows.time_s[moving])) / 3600)
    return out[0], out[1]


def test_true_capacities_are_the_integrals_of_the_rows(runs: list[Run]) -> None:
    for run in runs:
        for cycle in run.cycles:
            assert integrals(run, cycle.number) == pytest.approx((cycle.charge_mAh, cycle.discharge_mAh), rel=1e-4)


def test_counters_end_each_cycle_at_the_true_capacity(runs: list[Run]) -> None:
    for run in runs:
        for cycle in run.cycles:
            here = run.rows.cycle == cycle.number
            assert run.rows.charge_mAh[here][-1] == pytest.approx(cycle.charge_mAh, rel=1e-9)
            assert run.rows.discharge_mAh[here][-1] == pytest.approx(cycle.discharge_mAh, rel=1e-9)


def test_true_mean_voltage_is_energy_over_charge_of_the_rows(runs: list[Run]) -> None:
    run = runs[0]
    known = cell_truth(run, cell="a", group="b", files=(), rows=(), formation=2).cycles
    for k in (0, 5, 20):
        here = (run.rows.cycle == known.cycle[k]) & (run.rows.current_mA < 0)
        energy = np.trapezoid((run.rows.current_mA * run.rows.voltage_V)[here], run.rows.time_s[here])
        mean = energy / np.trapezoid(run.rows.current_mA[here], run.rows.time_s[here])
        assert known.mean_discharge_voltage_V[k] == pytest.approx(mean, abs=1e-3)  # the trapezoid between stored rows
        assert known.coulombic_efficiency[k] == pytest.approx(known.discharge_capacity_mAh[k] / known.charge_capacity_mAh[k])


def test_time_and_cycles_run_forward_and_limits_hold(runs: list[Run]) -> None:
    for run in runs:
        assert np.all(np.diff(run.rows.time_s) > 0)
        assert np.all(np.diff(run.rows.cycle) >= 0)
        assert run.rows.voltage_V.max() <= 3.7 + 1e-6
        assert run.rows.voltage_V.min() >= 2.0 - 1e-6


def test_half_cycles_have_about_a_hundred_rows(runs: list[Run]) -> None:
    run = runs[0]
    counts = np.unique(run.rows.step_count[run.rows.current_mA != 0], return_counts=True)[1]
    assert 60 < np.mean(counts) < 130
    assert counts.max() < 200  # formation, twice as long


def test_long_life_is_as_drawn_up() -> None:
    """Coated cells start higher and fade slowly; uncoated ones pass a knee and keep a small part."""
    final = {}
    for group, law in LAWS.items():
        run = simulate(BUILD, law, Protocol((Block(1 / 20, 3), Block(1 / 10, 200))))
        q = np.array([c.discharge_mAh for c in run.cycles[3:]]) / 3e-3
        final[group] = (q[0], q[-1])
        if group == "uncoated":
            slopes = np.convolve(np.diff(q), np.ones(20) / 20, "valid")
            assert 40 < int(np.argmin(slopes)) + 10 < 120
    assert 130 < final["coated"][0] < 150
    assert 0.75 < final["coated"][1] / final["coated"][0] < 0.95
    assert 105 < final["uncoated"][0] < 130
    assert final["uncoated"][1] < 0.4 * final["uncoated"][0]


def test_efficiency_follows_from_side_reaction_and_isolation() -> None:
    """In the steady state, end points hardly move: CE is what is left after both losses."""
    run = simulate(BUILD, LAWS["coated"], Protocol((Block(1 / 10, 60),)))
    law = LAWS["coated"]
    kept = after_isolation(law, 0.6, 60) / 0.6
    side = condition_at(law, 60, accessible=0.6).side_fraction
    last = run.cycles[-1]
    assert last.discharge_mAh / last.charge_mAh == pytest.approx((1 - side) * kept, abs=5e-4)
    assert all(c.discharge_mAh < c.charge_mAh for c in run.cycles)


def test_peaks_of_a_slow_cell_are_those_of_the_open_circuit_voltage() -> None:
    run = simulate(BUILD, LAWS["coated"], Protocol((Block(1 / 2000, 1),), rest_s=1.0, every_s=60_000))
    assert curve_peaks(run.cycles[0].charge) == pytest.approx(ocv_peaks_vs_li_in(), abs=1.5e-3)


def test_faster_discharges_deliver_less(runs: list[Run]) -> None:
    blocks = np.array([c.discharge_mAh for c in runs[-1].cycles]).reshape(6, 3).mean(axis=1)
    assert np.all(np.diff(blocks[:5]) < 0)
    assert blocks[5] == pytest.approx(blocks[1], rel=0.03)
    assert [c.block.c_rate for c in runs[-1].cycles[::3]] == pytest.approx([1 / 20, 1 / 10, 1 / 5, 1 / 2, 1, 1 / 10])


def test_noise_has_its_stated_size(runs: list[Run]) -> None:
    rows = runs[0].rows
    seen = measure(rows, Instrument(), np.random.default_rng(1))
    assert np.std(seen.voltage_V - rows.voltage_V) == pytest.approx(3e-4, rel=0.05)
    flowing = rows.current_mA != 0
    assert np.std((seen.current_mA - rows.current_mA)[flowing]) == pytest.approx(2e-4 * 0.1, rel=0.05)  # range 0.1 mA at C/10
    assert not seen.current_mA[~flowing].any()
    assert np.abs(seen.time_s - rows.time_s).max() < 0.0211
    assert np.all(np.diff(seen.time_s) > 0)


def test_soft_short_inflates_charge_and_disturbs_voltage() -> None:
    short = soft_short(np.random.default_rng(3), first_cycle=8, cycles=12, current_mA=0.06)
    run = simulate(BUILD, LAWS["uncoated"], Protocol((Block(1 / 10, 12),)), short=short)
    efficiency = np.array([c.discharge_mAh / c.charge_mAh for c in run.cycles])
    assert np.all(efficiency[3:7] > 0.98)
    assert efficiency[7] < 0.8
    assert run.cycles[7].charge_mAh > 1.3 * run.cycles[6].charge_mAh
    seen = measure(run.rows, Instrument(), np.random.default_rng(4), short=short)
    error = seen.voltage_V - run.rows.voltage_V
    assert np.std(error[run.rows.cycle == 8]) > 3 * np.std(error[run.rows.cycle == 7])


def test_stop_ends_within_a_discharge() -> None:
    run = simulate(BUILD, LAWS["coated"], Protocol((Block(1 / 10, 6),)), stop=Stop(cycle=4, share=0.45))
    assert [c.cut_off for c in run.cycles] == [False, False, False, True]
    assert run.cycles[-1].discharge_mAh == pytest.approx(0.45 * run.cycles[-2].discharge_mAh, rel=0.02)
    assert run.rows.current_mA[-1] < 0


@pytest.mark.parametrize("seed", range(4))
def test_every_seed_gives_cells_that_work_and_differ(seed: int) -> None:
    size = StudySize(cells_per_group=2, cycles=10, formation=2, seed=seed)
    runs = [run_cycling(p, size) for p in plan_study(size)]
    first = [r.cycles[2].discharge_mAh / r.build.active_mass_mg * 1e3 for r in runs]
    assert len({round(q, 2) for q in first}) == 4
    assert min(first[:2]) > max(first[2:]) > 90  # coated above uncoated
    assert all(0 < c.discharge_mAh < c.charge_mAh for r in runs for c in r.cycles if not c.cut_off)
