"""Cycle tables: exact on synthetic records, known-correct numbers on real files."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from cycling_records import Stretch, cycling, fading, read_file, record, stretches
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.cycling.aging import SummaryParams, summarise
from analysis.cycling.compute import RECIPES, ProfileParams, profile, summary
from analysis.cycling.schemas import CYCLES, FLAGS, KINDS, PROFILE


def cycles_of(*records: xr.Dataset, **params: object) -> xr.Dataset:
    return CYCLES.conform(summary(records=records, params=SummaryParams.check(params)))


def flags_of(table: xr.Dataset) -> dict[int, list[str]]:
    pairs = zip(table["cycle"].values, table["flags"].values, strict=True)
    return {int(n): str(w).split() for n, w in pairs if w}


def test_the_table_of_an_even_cell_is_exact() -> None:
    charge, discharge = fading(10)
    table = cycles_of(cycling(charge, discharge))
    assert table["cycle"].values.tolist() == list(range(1, 11))
    np.testing.assert_allclose(table["charge_capacity"], charge, rtol=1e-9)
    np.testing.assert_allclose(table["discharge_capacity"], discharge, rtol=1e-9)
    np.testing.assert_allclose(table["coulombic_efficiency"], 0.995, rtol=1e-9)
    np.testing.assert_allclose(table["mean_charge_voltage"], 2.8, rtol=1e-9)
    np.testing.assert_allclose(table["mean_discharge_voltage"], 2.7, rtol=1e-9)
    np.testing.assert_allclose(table["hysteresis"], 0.1, rtol=1e-7)
    np.testing.assert_allclose(table["energy_efficiency"], 0.995 * 2.7 / 2.8, rtol=1e-9)
    np.testing.assert_allclose(table["charge_energy"], charge * 2.8, rtol=1e-9)
    np.testing.assert_allclose(table["duration"], 3600 * (charge + discharge) + 600, rtol=1e-9)
    assert set(table["kind"].values) == {"cycle"}
    assert flags_of(table) == {}
    assert table.attrs["efficiency"] == "discharge / charge of the same cycle"


def test_mass_makes_it_specific() -> None:
    ds = cycling(*fading(3))
    table = cycles_of(ds, active_mass_mg=5.0)
    assert table["discharge_capacity"].attrs["units"] == "mA h/g"
    assert table["charge_energy"].attrs["units"] == "mW h/g"
    np.testing.assert_allclose(table["discharge_capacity"], cycles_of(ds)["discharge_capacity"] * 200)
    np.testing.assert_allclose(table["coulombic_efficiency"], cycles_of(ds)["coulombic_efficiency"])


@pytest.mark.parametrize("mass", [0, -1])
def test_a_mass_of_zero_is_refused_in_a_sentence(mass: float) -> None:
    with pytest.raises(ParamError, match=rf"Active mass \[active_mass_mg\]: input should be greater than 0 \(given: {mass}\)"):
        SummaryParams.check({"active_mass_mg": mass})


def test_the_pairing_rule_pairs_and_turns_the_efficiency() -> None:
    parts = [Stretch(-1e-3, 3600, 3, 2), *[Stretch(1e-3, 4500, 2, 3.6), Stretch(-1e-3, 3600, 3.6, 2)] * 2]
    ds = stretches(parts)
    charge_first = cycles_of(ds)
    assert charge_first["cycle"].values.tolist() == [0, 1, 2]
    assert charge_first["kind"].values.tolist() == ["partial", "cycle", "cycle"]
    np.testing.assert_allclose(charge_first["coulombic_efficiency"], [np.nan, 0.8, 0.8])
    discharge_first = cycles_of(ds, pairing="discharge_first")
    assert discharge_first["cycle"].values.tolist() == [1, 2, 3]
    np.testing.assert_allclose(discharge_first["coulombic_efficiency"], [1.25, 1.25, np.nan])
    assert discharge_first.attrs["efficiency"] == "charge / discharge of the same cycle"


def test_turning_sign_and_rule_together_changes_only_the_names() -> None:
    ds = cycling(*fading(5, noise=1e-3))
    table = cycles_of(ds)
    turned = cycles_of(ds.assign(current=-ds["current"]), pairing="discharge_first")
    np.testing.assert_array_equal(turned["coulombic_efficiency"], table["coulombic_efficiency"])
    np.testing.assert_array_equal(turned["charge_capacity"], table["discharge_capacity"])


@given(st.floats(1e-3, 1e3))
@settings(max_examples=15, deadline=None)
def test_units_of_the_current_only_scale(factor: float) -> None:
    ds = cycling(*fading(3))
    found = cycles_of(ds.assign(current=ds["current"] * factor))
    np.testing.assert_allclose(found["discharge_capacity"], factor * cycles_of(ds)["discharge_capacity"], rtol=1e-9)


def test_files_of_one_test_give_the_table_of_the_whole() -> None:
    ds = cycling(*fading(6), columns=("cycle", "step"))
    parts = tuple(ds.isel(row=rows) for rows in (slice(0, 130), slice(130, 200), slice(200, None)))
    xr.testing.assert_allclose(cycles_of(*parts).drop_attrs(), cycles_of(ds).drop_attrs(), rtol=1e-12)


def test_formation_is_found_at_its_slower_rate() -> None:
    charge, discharge = fading(30)
    table = cycles_of(cycling(charge, discharge, current=[1e-4] * 3 + [1e-3] * 27))
    assert table["kind"].values.tolist() == ["formation"] * 3 + ["cycle"] * 27
    assert table.attrs["reference_cycle"] == 4
    assert cycles_of(cycling(charge, discharge), formation_cycles=2)["kind"].values.tolist()[:3] == ["formation", "formation", "cycle"]
    assert "formation" not in cycles_of(cycling(charge, discharge, current=[1e-4] * 3 + [1e-3] * 27), formation_cycles=0)["kind"].values


def test_a_rate_test_has_no_formation() -> None:
    table = cycles_of(cycling(*fading(15), current=np.repeat([1e-4, 2e-4, 5e-4, 1e-3, 1e-4], 3)))
    assert "formation" not in table["kind"].values


def test_checks_between_cycles_are_labelled() -> None:
    current = np.full(40, 1e-3)
    current[[10, 11, 25]] = 1e-4
    kind = cycles_of(cycling(*fading(40), current=current))["kind"].values
    assert np.flatnonzero(kind == "check").tolist() == [10, 11, 25]
    assert set(kind) == {"cycle", "check"}


def test_pulses_are_labelled_with_and_without_an_instrument() -> None:
    pulses = [Stretch(-1e-3, 900, 3.4, 3.1, cycle=2), Stretch(2e-3, 10, 3.15, 3.2, rows=5, cycle=2)] * 4
    plain = [Stretch(1e-3, 4000, 2, 3.6), Stretch(-1e-3, 3900, 3.6, 2)]
    parts = [*plain, Stretch(1e-3, 4000, 2, 3.6, cycle=2), *pulses, Stretch(-1e-3, 300, 3.1, 2, cycle=2), *plain]
    assert cycles_of(stretches(parts))["kind"].values.tolist() == ["cycle", "pulse", "cycle"]
    told = stretches([*parts[:-2], *[Stretch(p.current, p.seconds, p.v0, p.v1, cycle=3) for p in plain]], columns=("cycle",))
    assert cycles_of(told)["kind"].values.tolist() == ["cycle", "pulse", "cycle"]


def test_the_instruments_cycles_on_request() -> None:
    ds = cycling(*fading(4), columns=("cycle",))
    ds["cycle"] = ds["cycle"] + 6
    assert cycles_of(ds, cycles_from="instrument")["cycle"].values.tolist() == [7, 8, 9, 10]
    assert cycles_of(ds)["cycle"].values.tolist() == [1, 2, 3, 4]


def test_what_is_odd_is_flagged() -> None:
    charge, discharge = fading(12)
    discharge[4] = 1.02 * charge[4]
    ds = cycling(charge, discharge)
    long = stretches([Stretch(1e-3, 36_000, 2, 3.6, rows=500), Stretch(-1e-3, 36_000, 3.6, 2, rows=500)])
    holed = long.isel(row=np.flatnonzero((long["time"].values < 40_000) | (long["time"].values > 45_000)))
    assert flags_of(cycles_of(ds)) == {5: ["ce_above_one"]}
    assert "Cycle 5: more charge comes back than went in" in warnings_of(cycles_of(ds))[0]
    assert flags_of(cycles_of(long)) == {}
    assert flags_of(cycles_of(holed)) == {1: ["time_jump"]}
    late = ds.isel(row=slice(0, -40))
    assert flags_of(cycles_of(late))[12] == ["cut_off"]
    assert cycles_of(late)["kind"].values[-1] == "partial"


def test_a_soft_short_is_suspected_where_the_charging_voltage_collapses() -> None:
    charge, discharge = fading(10)
    charge[6] = 1.6
    ds = cycling(charge, discharge)
    halves = np.flatnonzero(ds["current"].values > 0)
    row = halves[6 * 50 + 25]
    voltage = ds["voltage"].values.copy()
    assert flags_of(cycles_of(ds)) == {}  # charge alone does not tell
    voltage[row : row + 3] -= 0.3
    assert flags_of(cycles_of(ds.assign(voltage=("row", voltage, {"units": "V"})))) == {7: ["short_suspected"]}


def test_counter_and_integral() -> None:
    ds = cycling([1.0, 1.0, 1.0], [0.9, 0.9, 0.9], columns=("cycle",))
    i, t = ds["current"].values, ds["time"].values
    moved = np.append(0.0, np.diff(t) * np.where(i[1:] == i[:-1], i[1:], 0.0)) / 3600
    columns = {"time": t, "voltage": ds["voltage"].values, "current": i}
    counted = record(
        **columns, charge_capacity=1.05 * np.cumsum(np.clip(moved, 0, None)), discharge_capacity=np.cumsum(np.clip(-moved, 0, None))
    )
    assert flags_of(cycles_of(counted)) == {n: ["counter_mismatch"] for n in (1, 2, 3)}
    np.testing.assert_allclose(cycles_of(counted)["charge_capacity"], 1.0, rtol=1e-9)
    np.testing.assert_allclose(cycles_of(counted, capacity_source="counter")["charge_capacity"], 1.05, rtol=1e-9)
    with pytest.raises(DataError, match="no capacity counters"):
        cycles_of(ds, capacity_source="counter")


def test_a_current_that_never_flows_is_a_sentence() -> None:
    with pytest.raises(DataError, match="holds no current"):
        cycles_of(record(time=np.arange(9.0), voltage=np.ones(9), current=np.zeros(9)))
    with pytest.raises(DataError, match="No record is given"):
        summary(records=(), params=SummaryParams())


def test_profiles_end_at_the_capacity_and_start_at_zero() -> None:
    charge, discharge = fading(5)
    made = PROFILE.conform(profile(records=(cycling(charge, discharge),), params=ProfileParams(cycles=(2, 5, 100), max_points=None)))
    for cycle in (2, 5):
        for direction, capacity in ((1, charge), (-1, discharge)):
            part = made.isel(point=np.flatnonzero((made["cycle"].values == cycle) & (made["direction"].values == direction)))
            assert part["capacity"].values[0] == 0
            assert part["capacity"].values[-1] == pytest.approx(capacity[cycle - 1], rel=1e-9)
            assert part.sizes["point"] == 50
    assert warnings_of(made) == ("Cycle 100 is not there: cycles run from 1 to 5.",)
    assert set(made["cycle"].values) == {2, 5}


def test_profiles_are_thinned_without_losing_extremes() -> None:
    parts = [Stretch(1e-3, 3600, 2, 3.6, rows=20_000), Stretch(-1e-3, 3600, 3.6, 2, rows=20_000)]
    ds = stretches(parts)
    voltage = ds["voltage"].values.copy()
    voltage[7777] += 0.5
    made = profile(records=(ds.assign(voltage=("row", voltage, {"units": "V"})),), params=ProfileParams(cycles=(1,), max_points=200))
    assert made.sizes["point"] <= 400
    assert made["voltage"].values.max() == voltage.max()


def test_recipes_declare_themselves() -> None:
    assert [r.id for r in RECIPES] == [
        f"cycling.{n}" for n in ("summary", "summary_of_table", "profile", "dqdv", "rates", "trace", "pooled")
    ]
    for recipe in RECIPES:
        assert recipe.params()  # every default is valid
        for name, field in recipe.params.model_fields.items():
            assert field.title, f"{recipe.id}: {name}"


# Real files ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cycling_data(shared_data: Path) -> Path:
    return shared_data / "cycling"


@pytest.mark.parametrize(
    ("file", "charge", "discharge", "first"),
    [
        (
            "biologic/jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr",
            [np.nan, 0.9868, 0.9371, 0.9419],
            [0.2065, 0.8529, 0.8763, 0.8747],
            0,
        ),
        ("biologic/jdb11-1_e1_s3_squidTest_data_C15.mpr", [np.nan, 0.1004], [0.0055, 0.0619], 0),
        ("biologic/gcpl.issue_211.mpr", [0.0575, 0.0538], [0.0534, 0.0539], 1),
        ("biologic/gcpl.issue_211.mpt", [0.0575, 0.0538], [0.0534, 0.0539], 1),
        ("biologic/250116_kigr_gen6_01_02_GCPL_CD8.mpr", [2.3501, 1.8816], [1.7896, 1.8496], 1),
        ("neware/BTS85-36-6-5-110-20240424.ndax", [1.057, 1.049], [1.026, 1.031], 1),
    ],
)
def test_known_half_cycles(cycling_data: Path, file: str, charge: list[float], discharge: list[float], first: int) -> None:
    """Numbers of the data's own integration; the first file begins with a partial discharge, which is cycle 0."""
    table = cycles_of(read_file(cycling_data / file))
    assert table["cycle"].values[0] == first
    for column, want in (("charge_capacity", charge), ("discharge_capacity", discharge)):
        digits = 5e-5 if "ndax" not in file else 5e-4
        np.testing.assert_allclose(table[column].values[: len(want)], want, atol=digits)


@pytest.mark.parametrize(
    ("file", "cycles", "params"),
    [
        ("neware/BTS85-36-6-5-110-20240424.ndax", 22, {}),
        ("neware/nw4-120-1-6-53.ndax", 160, {}),  # dies: its last half cycles take a second
        ("bdf/batmo_bdf.csv", 109, {}),
        ("arbin/20160805_test001_45_cc_01.res", 18, {"pairing": "discharge_first"}),
    ],
)
def test_known_numbers_of_cycles(cycling_data: Path, file: str, cycles: int, params: dict[str, str]) -> None:
    table = cycles_of(read_file(cycling_data / file), **params)
    assert summarise(table, SummaryParams.check(params))["n_cycles"].value == cycles


def test_graphite_counted_as_its_origin_does(cycling_data: Path) -> None:
    """Its origin pairs discharge first, takes the cycler's counter, and averages over both cycles, the unfinished one included."""
    ds = read_file(cycling_data / "arbin/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx")
    params = {"pairing": "discharge_first", "capacity_source": "counter"}
    table = cycles_of(ds, **params)
    assert float(table["discharge_capacity"].mean()) == pytest.approx(5.52742, rel=1e-5)
    assert float(table["charge_capacity"].mean()) == pytest.approx(2.85135, rel=1e-5)
    assert float(table["coulombic_efficiency"].mean()) == pytest.approx(0.491820, abs=2e-6)
    assert flags_of(table)[2][0] == "cut_off"


def test_an_18650_fades_over_three_files(cycling_data: Path) -> None:
    """CALCE: mean discharge 2.046 Ah in July 2013, 1.424 Ah in March 2014; the integral and the counter agree."""
    for file, want in (("7_3_13_1C_Cycle.csv", 2046), ("3_4_14_1C_Cycle.csv", 1424)):
        ds = read_file(cycling_data / "arbin" / file)
        integral, counter = (cycles_of(ds, capacity_source=s)["discharge_capacity"].mean() for s in ("integral", "counter"))
        assert float(integral) == pytest.approx(want, rel=1e-3)
        assert float(integral) == pytest.approx(float(counter), rel=1e-5)


def test_kinds_of_a_test_with_checks_pulses_and_impedance(cycling_data: Path) -> None:
    """NREL p492-13: its origin labels the instrument's cycles 2, 5, 7 and 8-9 as check, HPPC, EIS and ageing."""
    ds = read_file(cycling_data / "csv/p492-13-raw.csv")
    told = cycles_of(ds, cycles_from="instrument")
    kind = dict(zip(told["cycle"].values.tolist(), told["kind"].values.tolist(), strict=True))
    assert (kind[2], kind[5], kind[7], kind[9]) == ("check", "pulse", "impedance", "cycle")
    assert kind[8] == "cycle"  # labelled ageing by its origin; only a discharge, so that nothing is compared with it
    assert told.attrs["reference_cycle"] == 9
    assert told["discharge_capacity"].values[told["cycle"].values == 9][0] == pytest.approx(18.998, rel=1e-3)
    by_current = cycles_of(ds)
    assert {k: int(np.sum(by_current["kind"].values == k)) for k in ("check", "pulse", "impedance")} == {
        "check": 1,
        "pulse": 1,
        "impedance": 1,
    }


def test_words_of_all_real_files_are_the_schemas(cycling_data: Path) -> None:
    for file in ("neware/nw4-120-1-6-53.ndax", "csv/p492-13-raw.csv", "maccor/maccor_001.txt"):
        table = cycles_of(read_file(cycling_data / file))
        assert set(table["kind"].values) <= set(KINDS)
        assert {w for words in flags_of(table).values() for w in words} <= set(FLAGS)
