"""Tables with one row a cycle: what is recognised, units, labels, kinds, and the same numbers as the record they come from."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from cycling_records import read_file
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cli_output import write
from analysis.core.data import scalars, warnings_of, with_scalars
from analysis.core.errors import ReadError, UserError
from analysis.core.run import read as conforming
from analysis.cycling.aging import SummaryParams, summarise
from analysis.cycling.compute import TableSummaryParams, summary, summary_of_table
from analysis.cycling.read_cycles import READERS, is_running_total
from analysis.cycling.tabled import joined
from analysis.modalities import registry
from tests.damage import damaged_copies
from tests.tables import cycled, write_xlsx

(READER,) = READERS


def read(path: Path, **options: object) -> xr.Dataset:
    return conforming((path,), READER, READER.options.check(options))


def recognised(path: Path) -> xr.Dataset:
    assert registry().recognise(path).id == "cycling.cycle_table"
    return read(path)


def summarised(*tables: xr.Dataset, **params: object) -> xr.Dataset:
    checked = TableSummaryParams.check(params)
    made = summary_of_table(cycles=tables, params=checked)
    return with_scalars(made, summarise(made, checked))


@pytest.fixture(scope="module")
def ageing(shared_data: Path) -> xr.Dataset:
    return recognised(shared_data / "cycling/csv/p492-13-summary.csv")


# A real table ------------------------------------------------------------------------------------------------------------


def test_kinds_of_a_whole_ageing_test(ageing: xr.Dataset) -> None:
    """NREL p492-13: 267 cycles, 233 ageing, 5 capacity checks, 5 HPPC, 4 EIS, 20 without a label."""
    assert ageing.sizes["cycle"] == 267
    found = Counter(zip(ageing["label"].values.tolist(), ageing["kind"].values.tolist(), strict=True))
    assert {k: n for k, n in found.items() if k[0]} == {
        ("Aging cycle", "cycle"): 233,
        ("Capacity check", "check"): 5,
        ("HPPC", "pulse"): 5,
        ("EIS", "impedance"): 4,
    }
    assert {k[1]: n for k, n in found.items() if not k[0]} == {"partial": 15, "cycle": 5}  # the five run at twice the ageing rate


def test_numbers_of_a_whole_ageing_test(ageing: xr.Dataset) -> None:
    table = summarised(ageing)
    steady = (ageing["label"].values == "Aging cycle") & np.isfinite(ageing["coulombic_efficiency"].values)
    assert float(np.median(table["discharge_capacity"].values[steady])) == pytest.approx(18.998, rel=2e-4)
    low, high = np.percentile(table["coulombic_efficiency"].values[steady], [5, 95])
    assert 0.9997 < low < high < 1.0004
    found = scalars(table)
    # The first whole ageing cycle, not the capacity check, the rate test or the discharge before it.
    assert (found["reference_cycle"].value, found["n_cycles"].value) == (9, 267)
    assert found["initial_discharge_capacity"].value == pytest.approx(19.01047)
    assert found["retention"].value == pytest.approx(18.94737 / 19.01047)


def test_the_record_of_the_same_test_agrees(ageing: xr.Dataset, shared_data: Path) -> None:
    """Cycles 1 to 9 from the samples of the instrument against what its origin says of them."""
    record = read_file(shared_data / "cycling/csv/p492-13-raw.csv")
    params = SummaryParams(cycles_from="instrument", capacity_source="counter")
    mine, theirs = summary(records=(record,), params=params), summarised(ageing).isel(cycle=slice(0, 9))
    assert mine["cycle"].values.tolist() == theirs["cycle"].values.tolist()
    assert mine["kind"].values.tolist() == theirs["kind"].values.tolist()
    assert mine["label"].values.tolist() == theirs["label"].values.tolist()
    plain = ~np.isin(mine["cycle"].values, (5, 6))  # samples are too rare for pulses, and cycle 6 follows their counters
    for name, rtol in (("charge_capacity", 2e-3), ("discharge_capacity", 5e-4)):
        np.testing.assert_allclose(mine[name].values[plain], theirs[name].values[plain], rtol=rtol, err_msg=name)
    np.testing.assert_allclose(mine["mean_discharge_voltage"].values[plain], theirs["mean_discharge_voltage"].values[plain], rtol=2e-3)
    assert mine.attrs["reference_cycle"] == theirs.attrs["reference_cycle"] == 9


# Tables as people write them ----------------------------------------------------------------------------------------------

CAPACITIES = [(2.0, 1.8), (1.9, 1.88), (1.89, 1.87), (1.88, 1.87)]


def plain_csv(path: Path, header: str, rows: list[tuple[object, ...]], mark: str = ",") -> Path:
    path.write_text("\n".join([header, *(mark.join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("header", "scale", "unit"),
    [
        ("Cycle,Charge capacity (mAh),Discharge capacity (mAh)", 1.0, "mA h"),
        ("cycle number,Charge_Capacity(Ah),Discharge_Capacity(Ah)", 1e-3, "mA h"),
        ("Cycle Index,Chg. Cap.(mAh),DChg. Cap.(mAh)", 1.0, "mA h"),
        ("Cycle,Charge capacity / mAh,Discharge capacity / mAh", 1.0, "mA h"),
        ("Cycle,Specific charge capacity (mAh/g),Specific discharge capacity (mAh/g)", 1.0, "mA h/g"),
        ("Cycle,Charge capacity / mA h g-1,Discharge capacity / mA h g-1", 1.0, "mA h/g"),
        ("Cycle,Charge capacity [mAh g⁻¹],Discharge capacity [mAh g⁻¹]", 1.0, "mA h/g"),
        ("Cycle,Charge capacity,Discharge capacity (mAh/g)", 1.0, "mA h/g"),
        ("n,Q_charge_uAh,Q_discharge_uAh", 1e3, "mA h"),
        ("循环号,充电容量(mAh),放电容量(mAh)", 1.0, "mA h"),
    ],
)
def test_spellings_and_units(tmp_path: Path, header: str, scale: float, unit: str) -> None:
    rows = [(n, c * scale, d * scale) for n, (c, d) in enumerate(CAPACITIES, start=1)]
    ds = recognised(plain_csv(tmp_path / "t.csv", header, rows))
    charge, discharge = np.array(CAPACITIES).T
    assert ds["charge_capacity"].attrs["units"] == ds["discharge_capacity"].attrs["units"] == unit
    np.testing.assert_allclose(ds["charge_capacity"], charge, rtol=1e-9)
    np.testing.assert_allclose(ds["discharge_capacity"], discharge, rtol=1e-9)
    np.testing.assert_allclose(ds["coulombic_efficiency"], discharge / charge, rtol=1e-9)
    assert set(ds["kind"].values) == {"cycle"}
    assert np.isnan(ds["mean_charge_voltage"]).all()


def test_plain_capacities_go_before_those_per_gram(tmp_path: Path) -> None:
    """The catalog's active mass applies to them."""
    path = plain_csv(tmp_path / "t.csv", "Cycle,Capacity (mAh/g),Capacity (mAh)", [(1, 180, 0.54), (2, 178, 0.534)])
    ds = recognised(path)
    np.testing.assert_allclose(ds["discharge_capacity"], [0.54, 0.534])
    table = summarised(ds, active_mass_mg=3.0)
    np.testing.assert_allclose(table["discharge_capacity"], [180, 178])
    assert table["discharge_capacity"].attrs["units"] == "mA h/g"
    assert "Capacity (mAh)" in ds.attrs["convention"]


def test_capacities_per_gram_are_not_divided_twice(tmp_path: Path) -> None:
    ds = recognised(plain_csv(tmp_path / "t.csv", "Cycle,Discharge capacity (mAh/g)", [(1, 180), (2, 178)]))
    table = summarised(ds, active_mass_mg=3.0)
    np.testing.assert_allclose(table["discharge_capacity"], [180, 178])
    assert any("per gram already" in w for w in warnings_of(table))
    assert set(table["kind"].values) == {"cycle"}  # no row lacks what the table gives nowhere
    assert scalars(table)["retention"].value == pytest.approx(178 / 180)


def test_an_efficiency_in_percent_or_of_the_other_convention(tmp_path: Path) -> None:
    rows = [(n, c, d, f"{100 * c / d:.3f}") for n, (c, d) in enumerate(CAPACITIES, start=1)]
    ds = recognised(plain_csv(tmp_path / "t.csv", "Cycle,Charge capacity (mAh),Discharge capacity (mAh),CE", rows))
    charge, discharge = np.array(CAPACITIES).T
    np.testing.assert_allclose(ds["coulombic_efficiency"], charge / discharge, rtol=1e-4)
    assert ds.attrs["efficiency"] == "charge / discharge of the same cycle"
    assert warnings_of(ds) == ()
    np.testing.assert_allclose(summarised(ds)["coulombic_efficiency"], discharge / charge, rtol=1e-4)
    np.testing.assert_allclose(summarised(ds, pairing="discharge_first")["coulombic_efficiency"], charge / discharge, rtol=1e-4)


def test_an_efficiency_that_is_not_that_of_its_capacities_is_said(tmp_path: Path) -> None:
    rows = [(1, 2.0, 1.8, 90.0), (2, 1.9, 1.88, 98.9), (3, 1.9, 1.88, 88.0), (4, 1.9, 1.88, 98.9)]
    ds = recognised(plain_csv(tmp_path / "t.csv", "Cycle,Charge capacity (mAh),Discharge capacity (mAh),CE (%)", rows))
    assert warnings_of(ds) == ("t.csv: in 1 rows, first row 3, the efficiency is not that of its capacities; it was kept.",)
    assert float(ds["coulombic_efficiency"][2]) == 0.88


def test_semicolons_decimal_commas_titles_and_mean_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "Zelle 7;;\nCycle;Charge capacity (mAh);Discharge capacity (mAh)\n1;2,00;1,80\n2;1,90;1,88\nmean;1,95;1,84\n",
        "cp1252",
    )
    ds = recognised(path)
    np.testing.assert_allclose(ds["discharge_capacity"], [1.8, 1.88])
    assert warnings_of(ds) == ("t.csv: 1 rows without a cycle number were left out.",)


def test_a_unit_that_is_not_stated_is_said_and_can_be_given(tmp_path: Path) -> None:
    path = plain_csv(tmp_path / "t.csv", "Cycle,Charge capacity,Discharge capacity", [(1, 182.0, 180.0), (2, 180.0, 178.0)])
    ds = recognised(path)
    assert float(ds["discharge_capacity"][0]) == 180_000.0
    assert warnings_of(ds)[0].startswith("t.csv: no unit is stated for capacity, which was taken in A h")
    ds = read(path, capacity_unit="mA h/g")
    assert (float(ds["discharge_capacity"][0]), ds["discharge_capacity"].attrs["units"]) == (180.0, "mA h/g")


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = plain_csv(tmp_path / "t.csv", "Nummer,Kapazität hin (mAh),Kapazität her (mAh)", [(1, 2.0, 1.8), (2, 1.9, 1.88)])
    with pytest.raises(ReadError, match="no column for the cycle number"):
        read(path)
    headers = {"cycle": "nummer", "charge_capacity": "Kapazität hin (mAh)", "discharge_capacity": "Kapazität her (mAh)"}
    np.testing.assert_allclose(read(path, headers=headers)["discharge_capacity"], [1.8, 1.88])
    with pytest.raises(ReadError, match="'speed' is no variable of a table of cycles"):
        read(path, headers={"speed": "Nummer"})
    with pytest.raises(ReadError, match="has no column 'x'"):
        read(path, headers={"cycle": "x"})


def test_workbooks(tmp_path: Path) -> None:
    rows = [["Cycle", "Charge capacity (mAh)", "Discharge capacity (mAh)", "Label"]]
    rows += [[n, c, d, "Formation" if n == 1 else "Cycling"] for n, (c, d) in enumerate(CAPACITIES, start=1)]
    ds = recognised(write_xlsx(tmp_path / "t.xlsx", {"Notes": [["made by hand"]], "Cycles": rows}))
    assert ds["kind"].values.tolist() == ["formation", "cycle", "cycle", "cycle"]
    assert scalars(summarised(ds))["reference_cycle"].value == 2


def test_rows_without_labels_get_their_kind_by_the_rules(tmp_path: Path) -> None:
    """Two slow cycles first, a slow one in between, a charge alone, more out than in, and a small one with little in return."""
    rows: list[tuple[object, ...]] = [(n, 1.0, 0.99, 0.5) for n in range(1, 21)]
    rows[0], rows[1], rows[10] = (1, 1.1, 1.0, 0.1), (2, 1.05, 1.04, 0.1), (11, 1.05, 1.04, 0.1)
    rows[12], rows[14], rows[16] = (13, 0.7, "", 0.5), (15, 0.3, 0.99, 0.5), (17, 0.4, 0.1, 0.5)
    ds = recognised(plain_csv(tmp_path / "t.csv", "Cycle,Charge capacity (mAh),Discharge capacity (mAh),Discharge current (mA)", rows))
    kind = ds["kind"].values
    assert kind[[0, 1, 10, 12, 14, 16]].tolist() == ["formation", "formation", "check", "partial", "partial", "partial"]
    assert Counter(kind.tolist())["cycle"] == 14
    assert summarised(ds, formation_cycles=3)["kind"].values[:4].tolist() == ["formation", "formation", "formation", "cycle"]
    assert summarised(ds, formation_cycles=0)["kind"].values[:2].tolist() == ["cycle", "cycle"]


def test_a_shorted_cell_has_whole_cycles(tmp_path: Path) -> None:
    """It takes ever more charge and gives little back: that is no missing half cycle."""
    rows = [(n, 1.0 + 0.5 * n, 0.6 - 0.05 * n) for n in range(1, 8)]
    assert set(recognised(plain_csv(tmp_path / "t.csv", "Cycle,Chg Cap (mAh),DChg Cap (mAh)", rows))["kind"].values) == {"cycle"}


def test_totals_over_the_test_are_taken_apart(tmp_path: Path) -> None:
    charge, discharge = np.array(CAPACITIES).T
    rows = [(n, c, d) for n, (c, d) in enumerate(zip(np.cumsum(charge), np.cumsum(discharge), strict=True), start=1)]
    ds = recognised(plain_csv(tmp_path / "t.csv", "Cycle_Index,Charge_Capacity(mAh),Discharge_Capacity(mAh)", rows))
    np.testing.assert_allclose(ds["charge_capacity"], charge, rtol=1e-9)
    np.testing.assert_allclose(ds["discharge_capacity"], discharge, rtol=1e-9)
    assert "is a total over the test" in warnings_of(ds)[0]
    assert not is_running_total(np.array([1.0, 1.1, 1.15, 1.17, 1.18]))  # a cell that warms up


# Round trip and several tables ----------------------------------------------------------------------------------------------


def test_an_exported_summary_reads_back(tmp_path: Path) -> None:
    made = summary(records=(cycled(),), params=SummaryParams(active_mass_mg=3.0))
    write(made, tmp_path / "cycles.csv")
    back = summarised(recognised(tmp_path / "cycles.csv"))
    for name in ("cycle", "charge_capacity", "discharge_capacity", "coulombic_efficiency", "energy_efficiency", "charge_energy"):
        np.testing.assert_allclose(back[name], made[name], rtol=1e-12, err_msg=name)
        assert back[name].attrs["units"] == made[name].attrs["units"]
    for name in ("mean_charge_voltage", "hysteresis", "polarisation", "charge_current", "start_time", "duration", "retention"):
        np.testing.assert_allclose(back[name], made[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert back["kind"].values.tolist() == made["kind"].values.tolist()


def test_a_summary_is_an_input_too() -> None:
    made = summary(records=(cycled(cycles=5),), params=SummaryParams())
    again = summarised(made, active_mass_mg=2.0)
    np.testing.assert_allclose(again["discharge_capacity"], made["discharge_capacity"] * 500)
    assert again.attrs["reference_cycle"] == made.attrs["reference_cycle"]


@given(cut=st.integers(1, 266), shared=st.integers(0, 20), renumbered=st.booleans())
@settings(max_examples=20, deadline=None)
def test_parts_of_a_table_are_the_whole(ageing: xr.Dataset, cut: int, shared: int, renumbered: bool) -> None:
    """Whether the second begins again at 1 with both clocks, or repeats the last rows of the first."""
    first, second = ageing.isel(cycle=slice(0, cut)), ageing.isel(cycle=slice(cut, None))
    if renumbered:
        number = second["cycle"].values - second["cycle"].values[0] + 1
        second = second.assign_coords(cycle=("cycle", number, second["cycle"].attrs))
    else:
        second = ageing.isel(cycle=slice(max(0, cut - shared), None))
    whole = joined([first, second])
    assert whole["cycle"].values.tolist() == ageing["cycle"].values.tolist()
    for name in ("charge_capacity", "discharge_capacity", "start_time", "label"):
        np.testing.assert_array_equal(whole[name].values, ageing[name].values, err_msg=name)
    xr.testing.assert_identical(summarised(whole), summarised(ageing))


def test_tables_in_other_units_are_refused_in_a_sentence(tmp_path: Path) -> None:
    one = read(plain_csv(tmp_path / "a.csv", "Cycle,Discharge capacity (mAh)", [(1, 0.5), (2, 0.5)]))
    two = read(plain_csv(tmp_path / "b.csv", "Cycle,Discharge capacity (mAh/g)", [(1, 180), (2, 178)]))
    with pytest.raises(UserError, match="capacities in mA h and in mA h/g"):
        summarised(one, two)
    np.testing.assert_allclose(summarised(one, two, active_mass_mg=2.5)["discharge_capacity"], [200, 200, 180, 178])
    with pytest.raises(UserError, match="No table of cycles"):
        summarised()


# What it is not ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("Cycle,Note A,Note B", [(1, 2, 3)], "no column for charge or discharge capacity"),
        ("Cycle,Discharge capacity (mAh)", [(1, 1.0), (1, 1.1), (2, 0.9)], "several rows for one cycle"),
        ("Cycle,Discharge capacity (mAh)", [(1.5, 1.0), (2.5, 1.1)], "does not hold whole cycle numbers"),
        ("Cycle,Discharge capacity (mAh)", [("", 1.0), ("", 1.1)], "row with a cycle number|holds no table of numbers"),
    ],
)
def test_bad_tables_get_one_clear_sentence(tmp_path: Path, header: str, rows: list[tuple[object, ...]], said: str) -> None:
    with pytest.raises(ReadError, match=said) as err:
        read(plain_csv(tmp_path / "t.csv", header, rows))
    assert err.value.message.count(". ") == 0


def test_a_record_is_no_table_of_cycles(tmp_path: Path) -> None:
    header = "Cycle,Time (s),Voltage (V),Current (A),Charge capacity (Ah),Discharge capacity (Ah)"
    path = plain_csv(tmp_path / "t.csv", header, [(n, 10 * n, 3.5, 1, 0.1, 0.1) for n in range(1, 6)])
    assert registry().recognise(path).id == "cycling.generic"


@pytest.mark.slow
def test_damaged_copies(tmp_path: Path, shared_data: Path) -> None:
    """Only a clear error or a sound table."""
    original = (shared_data / "cycling/csv/p492-13-summary.csv").read_bytes()[:30_000]
    path = tmp_path / "damaged.csv"
    for copy in damaged_copies(original[: original.rindex(b"\n") + 1], 60, seed=11):
        path.write_bytes(copy)
        try:
            ds = read(path)
        except UserError:
            continue
        assert (np.diff(ds["cycle"].values) > 0).all()
        summarised(ds)
