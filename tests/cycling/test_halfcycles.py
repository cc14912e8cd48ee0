"""Half cycles: exact charge, and laws that hold for every record."""

import numpy as np
import pytest
import xarray as xr
from cycling_records import Stretch, cycling, fading, record, stretches
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.errors import DataError
from analysis.cycling.halfcycles import Detection, HalfCycles, find
from analysis.cycling.runs import COLUMNS

MA_H = 3.6  # A s


def capacities(halves: HalfCycles) -> np.ndarray:
    return halves["charge"] / MA_H


def noisy(seed: int = 3) -> xr.Dataset:
    """Three cycles with noise in everything, uneven time, NaNs, an instrument's columns."""
    rng = np.random.default_rng(seed)
    ds = cycling(*fading(3), columns=("cycle", "step", "mode"))
    n = ds.sizes["row"]
    current = ds["current"].values * (1 + 0.01 * rng.normal(size=n)) + 1e-8 * rng.normal(size=n)
    current[rng.integers(0, n, 5)] = np.nan
    voltage = ds["voltage"].values + 1e-3 * rng.normal(size=n)
    voltage[rng.integers(0, n, 5)] = np.nan
    charge = np.cumsum(np.clip(np.nan_to_num(current), 0, None)) * 1e-2
    discharge = np.cumsum(np.clip(-np.nan_to_num(current), 0, None)) * 1e-2
    columns = {n: ds[n].values for n in ("time", "cycle", "step", "mode")}
    return record(**columns, current=current, voltage=voltage, charge_capacity=charge, discharge_capacity=discharge)


def test_constant_current_gives_current_times_time() -> None:
    halves = find(cycling([1.0, 0.98, 0.97], [0.9, 0.95, 0.96]))
    np.testing.assert_allclose(capacities(halves), [1.0, -0.9, 0.98, -0.95, 0.97, -0.96], rtol=1e-9)
    np.testing.assert_allclose(halves["current"], [1e-3, -1e-3] * 3, rtol=1e-12)
    np.testing.assert_allclose(halves["energy"] / halves["charge"], [2.8, 2.7] * 3, rtol=1e-9)  # linear voltage: its middle


def test_a_ramp_is_its_triangle() -> None:
    t = np.linspace(0, 7200, 1000)
    halves = find(record(time=t, voltage=2 + t / 7200, current=1e-6 + 1e-3 * t / 7200))
    assert capacities(halves)[0] == pytest.approx((1e-6 + 5e-4) * 7200 / MA_H, rel=1e-12)


def test_ten_million_summands_do_not_lose_digits() -> None:
    n = 200_000
    t = 1e7 + 0.1 * np.arange(n)
    halves = find(record(time=t, voltage=np.full(n, 3.0), current=np.full(n, 1 / 3)))
    assert halves["charge"][0] == pytest.approx((t[-1] - t[0]) / 3, rel=1e-13)


@pytest.mark.parametrize("block_rows", [1, 2, 7, 50, 333, 100_000])
def test_blocks_of_any_size_give_the_same_bits(block_rows: int) -> None:
    ds = noisy()
    want, found = find(ds), find(ds, block_rows=block_rows)
    assert found.table.tobytes() == want.table.tobytes()


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
@settings(max_examples=25, deadline=None)
def test_time_offset_and_scale_of_the_current(offset: float, factor: float) -> None:
    ds = cycling(*fading(2))
    moved = ds.assign(time=ds["time"] + offset, current=ds["current"] * factor)
    want, found = find(ds), find(moved)
    np.testing.assert_allclose(found["charge"], factor * want["charge"], rtol=1e-7)
    np.testing.assert_allclose(found["t0"], want["t0"] + offset, rtol=1e-12, atol=1e-9)


def test_turning_the_sign_turns_the_half_cycles() -> None:
    ds = noisy()
    turned = ds.assign(current=-ds["current"], charge_capacity=ds["discharge_capacity"], discharge_capacity=ds["charge_capacity"])
    want, found = find(ds), find(turned)
    for column in ("sign", "charge", "energy", "current", "counted", "bridged"):
        np.testing.assert_array_equal(found[column], -want[column])


def test_noise_at_rest_makes_no_half_cycles() -> None:
    ds = cycling(*fading(4))
    rng = np.random.default_rng(1)
    for level in (1e-4, 5e-3):  # of the current: below and above the threshold
        noise = ds["current"] + level * 1e-3 * rng.normal(size=ds.sizes["row"])
        halves = find(ds.assign(current=noise))
        assert len(halves) == 8
        np.testing.assert_allclose(np.abs(capacities(halves)), np.stack(fading(4), axis=1).ravel(), rtol=2e-3)


def test_slow_cycles_beside_a_fast_pulse_are_no_rest() -> None:
    """C/24 beside 20C."""
    parts = [Stretch(1 / 24, 7200, 2, 3.6), Stretch(20.0, 10, 3.6, 3.7, rows=20), Stretch(-1 / 24, 7200, 3.6, 2.0)]
    halves = find(stretches(parts))
    assert halves["sign"].tolist() == [1, -1]


def test_rests_and_pulses_stay_inside_their_half_cycle() -> None:
    pulse = [Stretch(0, 30, 3, 3, rows=4), Stretch(2e-3, 10, 3.05, 3.1, rows=5), Stretch(0, 30, 3, 3, rows=4), Stretch(-1e-3, 900, 3, 2.9)]
    parts = [Stretch(1e-3, 7200, 2, 3.6), Stretch(-1e-3, 900, 3.6, 3.0), *pulse * 4]
    halves = find(stretches(parts))
    assert halves["sign"].tolist() == [1, -1]
    assert halves["blips"].tolist() == [0, 4]
    assert capacities(halves)[1] == pytest.approx((-1e-3 * 900 * 5 + 4 * 2e-3 * 10) / MA_H, rel=1e-9)  # signed: pulses give back


def test_short_half_cycles_of_a_dead_cell_are_counted() -> None:
    """A cell that runs from limit to limit in seconds is not pulsing."""
    parts = [Stretch(1e-3, 7200, 2, 3.6), Stretch(-1e-3, 7000, 3.6, 2.0)]
    parts += [Stretch(1e-3, 20, 2.0, 3.6, rows=4), Stretch(-1e-3, 2, 3.6, 2.0, rows=4)] * 3
    assert len(find(stretches(parts))) == 8


def test_an_impedance_sweep_is_no_half_cycle() -> None:
    ds = stretches(
        [
            Stretch(1e-3, 3600, 2, 3.6, cycle=1),
            Stretch(5e-3, 60, 3.6, 3.6, cycle=1, mode=4),
            Stretch(-5e-3, 60, 3.6, 3.6, cycle=1, mode=4),
            Stretch(-1e-3, 3600, 3.6, 2, cycle=1),
            Stretch(3e-3, 60, 2, 2, cycle=2, mode=4),
            Stretch(1e-3, 3600, 2, 3.6, cycle=3),
        ],
        columns=("cycle", "mode"),
    )
    halves = find(ds)
    assert halves["sign"].tolist() == [1, -1, 0, 1]
    np.testing.assert_allclose(capacities(halves), [1, -1, 0, 1], rtol=1e-9)
    assert len(set(halves.segment)) == 3  # nothing is paired across it


def test_the_counter_tells_what_flowed_before_a_late_first_row() -> None:
    """Arbin at 30 s a row: the first row of a step comes 30 s after its start; counters know."""
    t = np.arange(1, 121) * 30.0
    current = np.repeat([1.0, -1.0], 60)
    charge = np.minimum(t, 1800) / 3600
    discharge = np.clip(t - 1800, 0, None) / 3600
    plain = record(time=t, voltage=np.full(120, 3.0), current=current)
    counted = record(time=t, voltage=np.full(120, 3.0), current=current, charge_capacity=charge, discharge_capacity=discharge)
    assert find(plain)["charge"].tolist() == pytest.approx([1770, -1770])
    assert find(counted)["charge"].tolist() == pytest.approx([1770, -1800])  # before the very first row nobody knows
    assert find(counted)["bridged"].tolist() == pytest.approx([0, -30])


@pytest.mark.parametrize("kind", ["step", "cycle", "cumulative", "net"])
def test_counters_of_every_kind_add_up(kind: str) -> None:
    ds = cycling([1.0, 0.9], [0.8, 0.7])
    t, i = ds["time"].values, ds["current"].values
    moved = np.append(0.0, np.diff(t) * np.where(i[1:] == i[:-1], i[1:], 0.0)) / 3600
    total = np.cumsum(np.clip(moved, 0, None)), np.cumsum(np.clip(-moved, 0, None))
    if kind in ("step", "cycle"):
        edges = np.flatnonzero(np.diff(i) != 0) + 1
        edges = edges if kind == "step" else edges[3:4]
        for part in total:
            for e in edges:
                part[e:] -= part[e]
    elif kind == "net":
        total = total[0], total[1] - 0.3 * total[0]  # falls a little while charging: that is no restart
    found = find(record(time=t, voltage=ds["voltage"].values, current=i, charge_capacity=total[0], discharge_capacity=total[1]))
    np.testing.assert_allclose(found["counted"] / MA_H, [1.0, -0.8, 0.9, -0.7], rtol=1e-6)


def test_interval_means_are_summed_row_by_row() -> None:
    t = np.array([0.0, 10, 30, 60])
    charge = np.array([0.0, 1.0, 5.0, 6.0])
    mean = np.append(charge[1] / 10, np.diff(charge) / np.diff(t))
    ds = record(time=t, voltage=np.full(4, 3.0), current=mean, attrs={"current_is": "interval mean"})
    assert find(ds)["charge"][0] == pytest.approx(6.0)


def test_a_step_back_in_time_adds_nothing_and_is_counted() -> None:
    ds = record(time=[0.0, 10, 20, 15, 25], voltage=[3.0] * 5, current=[1.0] * 5)
    halves = find(ds)
    assert halves["charge"][0] == 30
    assert halves["backsteps"][0] == 1


def test_median_current_is_that_of_the_constant_part() -> None:
    t = np.arange(4000.0)
    current = np.where(t < 3000, 2e-3, 2e-3 * np.exp(-(t - 3000) / 200))
    assert find(record(time=t, voltage=3 + t / 1e5, current=current))["current"][0] == pytest.approx(2e-3, rel=1e-4)


def test_lazy_records_are_read_in_blocks() -> None:
    ds = noisy()
    assert find(ds.chunk(row=37)).table.tobytes() == find(ds).table.tobytes()


@pytest.mark.parametrize(
    ("ds", "words"),
    [
        (record(time=[0.0], voltage=[3.0], current=[1.0]), "1 row; cycles need at least two"),
        (record(time=np.empty(0), voltage=np.empty(0), current=np.empty(0)), "0 rows"),
        (record(time=np.arange(5.0), voltage=np.ones(5), current=np.zeros(5)), "no current: every value is zero or missing"),
        (record(time=np.arange(5.0), voltage=np.ones(5), current=np.full(5, np.nan)), "no current"),
    ],
)
def test_records_without_cycles_are_refused_in_one_sentence(ds: xr.Dataset, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        find(ds)
    assert caught.value.hint


def test_a_threshold_above_all_currents_is_refused() -> None:
    with pytest.raises(DataError, match=r"never exceeds the rest threshold of 1 A \(largest: 0.001 A\)"):
        find(cycling([1.0], [1.0]), Detection(rest_current=1.0))


def test_columns_have_one_place_each() -> None:
    from analysis.cycling import halfcycles, runs

    assert [COLUMNS[k] for k in (runs.SIGN, runs.CHARGE, runs.V_MAX, runs.RESETS, runs.CURRENT, runs.BLIPS)] == [
        "sign",
        "charge",
        "v_max",
        "resets",
        "current",
        "blips",
    ]
    reduced = (*halfcycles.SUMS, *halfcycles.MINIMA, *halfcycles.MAXIMA, *halfcycles.FIRSTS, *halfcycles.LASTS, "current")
    assert sorted(reduced) == sorted(COLUMNS)
