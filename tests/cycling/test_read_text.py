"""Readers of text, workbooks and tables over real files, bad files and damaged copies."""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import xarray as xr

from analysis.core.errors import ReadError, UserError
from analysis.core.registry import Modality, Probe, Reader, Registry
from analysis.cycling import MODALITY, gather, read_binary, read_tables, read_text
from analysis.cycling.assemble import CyclerOptions
from analysis.cycling.export import write_bdf
from analysis.cycling.halfcycles import COLUMNS, HalfCycles
from analysis.cycling.labels import labels_of
from analysis.cycling.pairing import Pairs
from analysis.cycling.schemas import RECORD
from analysis.formats import delimited, delimited_body, excel
from tests.damage import damaged_copies
from tests.tables import cycled, write_xlsx

READERS = (*read_binary.READERS, *read_text.READERS, *read_tables.READERS)
REGISTRY = Registry({"cycling": Modality("cycling", "Cycling", READERS)})


def read(path: Path, wanted: str = "") -> xr.Dataset:
    reader = REGISTRY.recognise(path)
    if wanted:
        assert reader.id == wanted
    ds = reader.read((path,), reader.options())
    RECORD.conform(ds)
    assert (np.diff(ds["time"]) >= 0).all()
    return ds


# file, reader, rows, extremes that the file itself shows (min and max of voltage, min and max of current, last time)
REAL = [
    ("biologic/gcpl.issue_211.mpt", "cycling.biologic_text", 2767, (-0.60011, 0.50014, -6.8035e-5, 6.8036e-5, 116986.2635)),
    ("biologic/Sample_data_biologic_01_MB_CA1.txt", "cycling.biologic_text", 1397, (3.48545, 3.51805, -0.90006, 0.0, 139.5240)),
    ("biologic/Sample_data_biologic_no_header.mpt", "cycling.biologic_text", 13, (2.93440, 2.98140, 0.0, 0.0, 281792.5021)),
    ("neware/nw_regular_export_ife_example.csv", "cycling.neware_text", 9295, (3.8999, 4.7001, -0.5, 0.5, 100543.0)),
    (
        "arbin/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx",
        "cycling.arbin_excel",
        4526,
        (0.04999, 2.64091, -5e-5, 5e-5, 1204815.811),
    ),
    ("arbin/7_3_13_1C_Cycle.csv", "cycling.arbin_csv", 4284, (1.99638, 4.10039, -2.60027, 2.60029, 126521.396)),
    ("arbin/10_3_13_1C_Cycle.csv", "cycling.arbin_csv", 17510, (1.99654, 4.10039, -2.60027, 2.60029, 515116.156)),
    ("arbin/3_4_14_1C_Cycle.csv", "cycling.arbin_csv", 15260, (1.99914, 4.10039, -2.60027, 2.60029, 448395.598)),
    ("maccor/maccor_001.txt", "cycling.maccor", 6704, (2.50004, 4.20012, -10.01831, 1.50233, 183171.57)),
    ("maccor/xTESLADIAG_000019_CH70.070", "cycling.maccor", 11669, (2.99985, 4.10086, -9.40719, 9.40742, 136344.95)),
    ("landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv", "cycling.landt_csv", 25162, (0.01, 2.9215, -0.0002, 0.0002, 262657.764)),
    ("bdf/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv", "cycling.bdf", 25162, (0.01, 2.9215, -0.0002, 0.0002, 262657.764)),
    ("bdf/batmo_bdf.csv", "cycling.bdf", 21206, (2.36335, 3.5966, -0.1211, 0.1211, 1411480.0)),
    ("bdf/legacy.bdf.parquet", "cycling.bdf", 5000, (0.24026, 4.20016, -1.5e-4, 1.6e-4, 148781.953)),
    ("csv/p492-13-raw.csv", "cycling.generic", 2021, (-3.7865, 4.10216, -0.09501, 0.07126, 305712.498)),
    ("novonix/sample_data_novonix.csv", "cycling.novonix", 207, (3.84318, 4.12865, 0.0, 0.49999, 12287.48)),
    ("basytec/sample_data_basytec.txt", "cycling.basytec", 74, (3.52556, 3.53285, 0.0, 0.45351, 70.2358)),
]


@pytest.mark.parametrize(("name", "reader", "rows", "shown"), REAL, ids=[case[0].rpartition("/")[2] for case in REAL])
def test_real_files(shared_data: Path, name: str, reader: str, rows: int, shown: tuple[float, ...]) -> None:
    ds = read(shared_data / "cycling" / name, reader)
    assert ds.sizes["row"] == rows
    v, i = ds["voltage"].values, ds["current"].values
    found = (v.min(), v.max(), i.min(), i.max(), ds["time"].values[-1])
    np.testing.assert_allclose(found, shown, rtol=1e-5, atol=1.5e-5 if abs(shown[2]) > 1e-3 else 6e-6)
    assert ds.attrs["warnings"] == []


def half_cycles(ds: xr.Dataset) -> np.ndarray:
    """Charge of each run of one current direction, in mA h, by the counters' rises."""
    net = (ds["charge_capacity"] - ds["discharge_capacity"]).values * 1e3
    sign = np.sign(np.diff(net, prepend=0))
    sign[sign == 0] = np.nan
    filled = sign[np.maximum.accumulate(np.where(np.isfinite(sign), np.arange(sign.size), 0))]
    turns = np.flatnonzero(np.diff(filled) != 0)
    passed = np.diff(np.concatenate([[0.0], net[turns], net[-1:]]))
    return passed[passed != 0]


def test_biologic_half_cycles(shared_data: Path) -> None:
    found = half_cycles(read(shared_data / "cycling/biologic/gcpl.issue_211.mpt"))
    assert found.size == 10
    np.testing.assert_allclose(found[:4], [0.0575, -0.0534, 0.0538, -0.0539], atol=6e-5)


def test_biologic_text_and_binary_agree(shared_data: Path) -> None:
    text, binary = (read(shared_data / f"cycling/biologic/gcpl.issue_211.{s}") for s in ("mpt", "mpr"))
    for name in ("time", "voltage", "current", "step", "charge_capacity", "discharge_capacity", "charge_energy", "timestamp", "mode"):
        scale = float(np.abs(binary[name]).max())
        np.testing.assert_allclose(text[name], binary[name], rtol=0, atol=1e-7 * scale, err_msg=name)  # seven digits are written
    assert text.attrs["counter"] == binary.attrs["counter"]


def test_landt_and_battery_data_format_agree(shared_data: Path) -> None:
    name = "SINTEF__LiGrR2032__2024-04-30__25degC__Landt"
    first, second = read(shared_data / f"cycling/landt/{name}.csv"), read(shared_data / f"cycling/bdf/{name}.bdf.csv")
    for variable in second.data_vars:
        np.testing.assert_array_equal(first[variable], second[variable], err_msg=str(variable))


@pytest.mark.parametrize("name", ["nw4-120-1-6-53", "TESTCELL0001-Test_Data_Collection_Ndc17"])
def test_neware_tables_of_others_agree_with_the_binary_files(shared_data: Path, name: str) -> None:
    table, binary = read(shared_data / f"cycling/neware/{name}.parquet"), read(shared_data / f"cycling/neware/{name}.ndax")
    assert table.sizes["row"] == binary.sizes["row"]
    for variable in ("time", "voltage", "current", "charge_capacity", "discharge_capacity"):
        # The tables are rounded to 0.1 mV and 1 uA and kept in single precision.
        rounded = {"voltage": 6e-5, "current": 6e-7}.get(variable, 0.0)
        atol = max(rounded, 2e-6 * float(np.abs(binary[variable]).max()))
        np.testing.assert_allclose(table[variable], binary[variable], rtol=0, atol=atol, err_msg=variable)


def test_counters_say_what_they_count(shared_data: Path) -> None:
    kinds = {name: read(shared_data / "cycling" / name).attrs["counter"] for name, *_ in REAL if "legacy" not in name}
    assert {n.rpartition("/")[2][:9]: k for n, k in kinds.items()} == {
        "gcpl.issu": "cumulative",
        "Sample_da": "cumulative",
        "nw_regula": "step",
        "bs542_004": "cycle",
        "7_3_13_1C": "cumulative",
        "10_3_13_1": "cumulative",
        "3_4_14_1C": "cumulative",
        "maccor_00": "step",
        "xTESLADIA": "step",
        "SINTEF__L": "step",
        "batmo_bdf": "step",
        "p492-13-r": "step",
        "sample_da": "cumulative",
    }


def test_the_sign_follows_the_steps_of_the_file(shared_data: Path) -> None:
    """batmo_bdf.csv calls its steps of positive current 'discharge' and counts discharge capacity there."""
    ds = read(shared_data / "cycling/bdf/batmo_bdf.csv")
    rising = np.diff(ds["discharge_capacity"]) > 0
    assert (ds["current"].values[1:][rising] <= 0).mean() > 0.99
    assert "the sign was turned" in ds.attrs["convention"]


def test_maccor_states_give_the_sign(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/maccor/maccor_001.txt")
    assert (ds["current"].values[np.diff(ds["discharge_capacity"], prepend=0) > 0] < 0).all()
    assert ((ds["mode"] == 3) == (ds["current"] == 0)).mean() > 0.99
    assert ds.attrs["start_time"] == "2020-12-11T12:22:12"
    assert ds.attrs["channel"] == "1"


def test_labels_of_cycles_are_kept(shared_data: Path) -> None:
    ds = read(shared_data / "cycling/csv/p492-13-raw.csv")
    labels = ds.attrs["metadata"]["cycle_labels"]
    assert (labels["2"], labels["5"], labels["7"], labels["9"]) == ("Capacity check", "HPPC", "EIS", "Aging cycle")
    assert set(np.unique(ds["mode"].values[ds["cycle"] == 7])) == {4}


def test_header_blocks(small_data: Path) -> None:
    novonix = read(small_data / "novonix/sample_data_novonix.csv")
    assert novonix.attrs["start_time"] == "2025-07-19T15:26:20"
    assert novonix.attrs["channel"] == "01"
    assert float(novonix["charge_capacity"][-1]) == pytest.approx(1.70652976)
    basytec = read(small_data / "basytec/sample_data_basytec.txt")
    assert basytec.attrs["start_time"] == "2023-06-19T17:56:53"
    assert float(basytec["timestamp"][-1] - basytec["timestamp"][0]) == pytest.approx(70.2358, abs=1e-4)


# Made files ---------------------------------------------------------------------------------------------------------


def test_neware_flat_csv(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text(
        "DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(mA),Voltage(V),Capacity(mAh),Date\n"
        "1,1,1,CC Chg,00:00:00,00:00:00,100,3.5,0,2024-01-01 10:00:00\n"
        "2,1,1,CC Chg,00:00:36,00:00:36,100,3.6,1,2024-01-01 10:00:36\n"
        "3,1,2,CC DChg,00:00:00,00:00:36,-100,3.5,0,2024-01-01 10:00:36\n"
        "4,1,2,CC DChg,00:00:36,00:01:12,-100,3.4,1,2024-01-01 10:01:12\n"
    )
    ds = read(path, "cycling.neware_text")
    np.testing.assert_allclose(ds["time"], [0, 36, 36, 72])
    np.testing.assert_allclose(ds["current"], [0.1, 0.1, -0.1, -0.1])
    np.testing.assert_allclose(ds["charge_capacity"], [0, 1e-3, 0, 0])
    np.testing.assert_allclose(ds["discharge_capacity"], [0, 0, 0, 1e-3])
    np.testing.assert_array_equal(ds["mode"], [1, 1, 1, 1])
    assert ds.attrs["counter"] == "step"


def test_neware_old_csv_has_step_times_only(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_text(
        "Record ID,Cycle ID,Step ID,Time(h:min:s.ms),Voltage(V),Current(mA),Capacitance_Chg(mAh),Capacitance_DChg(mAh)\n"
        "1,1,1,0:00:10.000,3.5,100,0.1,0\n2,1,1,0:00:20.500,3.6,100,0.2,0\n3,1,2,0:00:10.000,3.5,-100,0.2,0.1\n4,1,2,0:00:30.000,3.4,-100,0.2,0.2\n"
    )
    ds = read(path, "cycling.neware_text")
    np.testing.assert_allclose(ds["time"], [10, 20.5, 30.5, 50.5])
    assert "sum of the step times" in ds.attrs["convention"]


def test_neware_workbooks(tmp_path: Path) -> None:
    header = [
        "Record Index",
        "Cycle",
        "Step",
        "Status",
        "Cur(mA)",
        "Voltage(V)",
        "CapaCity(mAh)",
        "Relative Time(h:min:s.ms)",
        "Absolute Time",
    ]
    rows = [[i + 1, 1, 1, "CC_Chg", 10, 3.5 + i / 10, i, f"0:00:{10 * i:02d}.000", f"2024-01-01 10:00:{10 * i:02d}"] for i in range(6)]
    path = write_xlsx(tmp_path / "n.xlsx", {"Info": [["x"]], "Detail_1_1": [header, *rows[:3]], "Detail_1_1_1": [header, *rows[3:]]})
    ds = read(path, "cycling.neware_excel")
    np.testing.assert_allclose(ds["time"], np.arange(6) * 10.0)
    np.testing.assert_allclose(ds["charge_capacity"], np.arange(6) * 1e-3)


def test_arbin_continues_over_sheets(tmp_path: Path) -> None:
    header = ["Test_Time(s)", "Step_Index", "Cycle_Index", "Voltage(V)", "Current(A)"]
    rows = [[i * 10, 1, 1, 3.5, 0.1] for i in range(6)]
    path = write_xlsx(tmp_path / "a.xlsx", {"Global_Info": [["a"]], "Channel_1_1": [header, *rows[:4]], "Channel_1_2": [header, *rows[4:]]})
    assert read(path, "cycling.arbin_excel").sizes["row"] == 6


def test_pec(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(
        "TestRegime Name:,regime 1\nProduct ID:,pouch\nStart Time:,02/22/2019 16:21:35\nEnd Time:,1/1/0001 0:00\n"
        "#RESULTS CHECK\nReqYear,Test,CellNr,Type,Value,Reason,\n2019,187,1,1,3272,3,\n#END RESULTS CHECK\n"
        "Test,Cell,Rack,Shelf,Position,Cell ID,Step,Cycle,Total Time (Seconds),Step Time (Seconds),Real Time,Voltage (mV),Current (mA),"
        "Charge Capacity (mAh),Discharge Capacity (mAh),Charge Capacity (mWh),Discharge Capacity (mWh)\n"
        + "".join(f"187,1,1,2,3,7,1,0,{10 * i},{10 * i},02/22/2019 16:21:{35 + i},{3500 + i},{50},{i},0,{3.5 * i},0\n" for i in range(5))
    )
    ds = read(path, "cycling.pec")
    np.testing.assert_allclose(ds["voltage"], 3.5 + np.arange(5) / 1e3)
    np.testing.assert_allclose(ds["current"], [0.05] * 5)
    np.testing.assert_allclose(ds["charge_energy"], 3.5e-3 * np.arange(5))
    assert ds.attrs["start_time"] == "2019-02-22T16:21:35"


def test_biologic_with_decimal_commas_and_dates_as_time(tmp_path: Path, shared_data: Path) -> None:
    lines = (shared_data / "cycling/biologic/Sample_data_biologic_01_MB_CA1.txt").read_bytes().split(b"\n")
    made = []
    for number, line in enumerate(lines):
        if number < 103 or not line.strip():
            made.append(line)
            continue
        cells = line.replace(b".", b",").split(b"\t")
        seconds = float(cells[2].replace(b",", b"."))
        cells[2] = b"05/13/2024 11:%02d:%07.4f" % (19 + int(seconds // 60), seconds % 60)
        made.append(b"\t".join(cells))
    path = tmp_path / "b.mpt"
    path.write_bytes(b"\r\n".join(made))
    ds = read(path, "cycling.biologic_text")
    wanted = read(shared_data / "cycling/biologic/Sample_data_biologic_01_MB_CA1.txt")
    np.testing.assert_allclose(ds["time"], wanted["time"], atol=1e-4)
    np.testing.assert_array_equal(ds["voltage"], wanted["voltage"])
    assert float(ds["timestamp"][0]) == np.datetime64("2024-05-13T11:19:00", "s").astype("int64")


def test_time_zone_and_order_of_dates_are_options(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time(s),Voltage(V),Current(A),Date\n0,3.5,1,03/04/2024 12:00:00\n10,3.6,1,03/04/2024 12:00:10\n")
    reader = REGISTRY.reader("cycling.generic")
    found = reader.read((path,), reader.options.check({"timezone": "Europe/Berlin", "day_first": True}))
    assert float(found["timestamp"][0]) == np.datetime64("2024-04-03T10:00:00", "s").astype("int64")
    with pytest.raises(ReadError, match="'Nowhere/Town' is not a known time zone"):
        reader.read((path,), reader.options.check({"timezone": "Nowhere/Town"}))


def test_biologic_without_increments_reads_the_signed_counter(tmp_path: Path) -> None:
    path = tmp_path / "b.mpt"
    rows = [(0, 3.5, 1, 0.0), (10, 3.6, 1, 2.5), (20, 3.6, -1, 0.0), (30, 3.5, -1, -2.5)]
    path.write_text("time/s\tEwe/V\t<I>/mA\tQ charge/discharge/mA.h\n" + "".join("\t".join(map(str, row)) + "\n" for row in rows))
    ds = read(path, "cycling.biologic_text")
    np.testing.assert_allclose(ds["charge_capacity"], [0, 2.5e-3, 0, 0])
    np.testing.assert_allclose(ds["discharge_capacity"], [0, 0, 0, 2.5e-3])
    assert ds.attrs["counter"] == "step"


def test_a_cycle_without_a_number_has_no_label() -> None:
    table = np.zeros((4, len(COLUMNS)))
    table[:, COLUMNS.index("cycle")] = (1, 1, np.inf, np.inf)
    halves = HalfCycles(table, np.zeros(4), 0.0, 4, False)
    pairs = Pairs(np.array([1, 2]), np.array([0, 2]), np.array([1, 3]), np.array([-1, -1]))
    assert labels_of(halves, pairs, {"1": "Ageing"}).tolist() == ["Ageing", ""]


def test_a_layered_table_that_is_cut_off_before_its_first_cycle(tmp_path: Path) -> None:
    heads = ("Cycle Index,Chg. Cap.(Ah)", ",Step Index,Step Type", ",,DataPoint,Time,Current(A),Voltage(V)")
    path = tmp_path / "cut.csv"
    path.write_text("\n".join([*heads, ",,1,00:00:10,0.1,3.5", ",,2,00:00:20,0.1"]))
    assert "has records before its first cycle" in said_of(path)


def test_labels_of_the_battery_data_format_say_what_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.bdf.csv"
    for scope, kind in (("Step ", "step"), ("Cycle ", "cycle"), ("", "cumulative")):
        head = f"Test Time / s,Voltage / V,Current / A,{scope}Charging Capacity / Ah,{scope}Discharging Capacity / Ah\n"
        path.write_text(head + "0,3.5,1,0,0\n10,3.6,1,0.1,0\n20,3.6,1,0.2,0\n")
        assert read(path, "cycling.bdf").attrs["counter"] == kind


def test_step_times_with_gaps_are_summed_once(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Step Time(s),Step Index,Voltage(V),Current(A)\n0,1,3.5,1\n10,1,3.5,1\n,1,3.5,1\n30,1,3.5,1\n5,2,3.5,1\n")
    np.testing.assert_array_equal(read(path)["time"], [0, 10, 10, 30, 35])


def test_the_order_of_dates_is_kept_over_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days up to 12 come first, in batches of their own: the first decides for all."""
    path = tmp_path / "t.csv"
    days = [f"{day:02d}.03.2024 00:00:{s:02d}" for day in (5, 14) for s in range(60)] * 20
    path.write_text("Time(s);Voltage(V);Current(A);Date\n" + "".join(f"{i};3,5;1,5;{d}\n" for i, d in enumerate(sorted(days))))
    monkeypatch.setattr(delimited_body, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(delimited_body, "BLOCK_BYTES", 4000)
    stamps = read(path)["timestamp"].values
    assert (stamps[0], stamps[-1]) == tuple(np.datetime64(t, "s").astype("int64") for t in ("2024-03-05T00:00:00", "2024-03-14T00:00:59"))


def test_a_label_that_comes_late_in_its_cycle_counts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time(s),Voltage(V),Current(A),Cycle_Index,Cycle_Label\n0,3.5,0,1,\n1,3.5,1,1,HPPC\n2,3.5,1,2,\n")
    ds = read(path)
    assert ds.attrs["metadata"]["cycle_labels"] == {"1": "HPPC"}
    np.testing.assert_array_equal(ds["mode"], [0, 5, 0])


# Wrong names, bad content --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "reader"), [(case[0], case[1]) for case in REAL], ids=[case[0].rpartition("/")[2] for case in REAL])
def test_a_wrong_suffix_changes_nothing(tmp_path: Path, shared_data: Path, name: str, reader: str) -> None:
    path = tmp_path / "file.dat"
    path.symlink_to((shared_data / "cycling" / name).resolve())
    assert REGISTRY.recognise(path).id == reader


HEADER = "Time(s),Voltage(V),Current(A)\n"
BAD: list[tuple[str, bytes, str]] = [
    ("empty", b"", "is empty"),
    ("header only", HEADER.encode(), "has column names but no rows of data"),
    ("no voltage", (HEADER + "0,,1\n1,nan,1\n2,,1\n").encode(), r"the column 'Voltage\(V\)' for the voltage holds no numbers"),
    ("garbage", random.Random(1).randbytes(5000), "No reader recognises"),
    ("garbage behind a header", HEADER.encode() + random.Random(2).randbytes(5000), r"No reader|is not a text file|no numbers|no rows"),
    ("swapped columns", b"Time(s),Voltage(V),Current(A)\n" + b"rest,x,y\n" * 5, "has column names but no rows of data"),
    ("a letter", b"Dear colleague,\nthe data are attached.\n", "No reader recognises"),
]


def said_of(path: Path) -> str:
    with pytest.raises(ReadError) as err:
        read(path)
    assert err.value.message.count(". ") == 0
    return str(err.value)


@pytest.mark.parametrize(("content", "said"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_content_gets_one_clear_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    assert re.search(said, said_of(path))


def test_a_bomb_is_refused_by_every_reader(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "bomb.xlsx", {"Channel_1_1": [["Test_Time(s)", "Voltage(V)", "Current(A)"], [0, 3.5, 1]]})
    with ZipFile(path, "a", ZIP_DEFLATED) as z:
        z.writestr("xl/worksheets/sheet9.xml", b"0" * (48 << 20))
    assert "was not opened" in said_of(path)


def test_a_summary_is_no_record(shared_data: Path) -> None:
    assert "has no column for voltage or current" in said_of(shared_data / "cycling/csv/p492-13-summary.csv")


def test_a_workbook_without_a_record(small_data: Path) -> None:
    assert "has no column for time or voltage or current" in said_of(small_data / "neware/Experiment_Record.xlsx")


def test_a_file_cut_off_in_the_middle_of_a_row(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "cycling/bdf/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.bdf.csv").read_bytes()
    path = tmp_path / "cut.csv"
    path.write_bytes(whole[: whole.index(b"\n", 200_000) - 14])
    ds = read(path)
    (warning,) = ds.attrs["warnings"]
    assert warning == f"cut.csv: row {ds.sizes['row'] + 1}, the last, is cut off in the middle and was left out."


def test_rows_that_cannot_be_true_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "0,3.5,1\n10,3.5e99,1\n20,3.6,1\n,3.6,1\n40,3.7,1\n")
    ds = read(path)
    np.testing.assert_array_equal(ds["time"], [0, 20, 40])
    assert ds.attrs["warnings"] == ["t.csv: 2 rows (2, 4) without a time or a possible value were left out."]


# Large files ---------------------------------------------------------------------------------------------------------


def test_a_large_file_is_lazy_and_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ds = cycled(rows_per_half=400, cycles=3)
    path = write_bdf(ds, tmp_path / "big.bdf.csv")
    whole = read(path)
    monkeypatch.setattr(delimited_body, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(delimited_body, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(gather, "SPILL_ROWS", 500)
    lazy = read(path)
    assert lazy["voltage"].chunks is not None
    for name in whole.data_vars:
        np.testing.assert_array_equal(lazy[name].values, whole[name].values)
        assert lazy[name].dtype == whole[name].dtype
    assert lazy.attrs == whole.attrs


def test_a_column_that_turns_to_text_in_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{i},3.5,1\n" for i in range(5000)]
    rows[4000] = "4000,bad,1\n"
    path.write_text(HEADER + "".join(rows))
    monkeypatch.setattr(delimited_body, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(delimited_body, "BLOCK_BYTES", 8000)
    ds = read(path)
    assert ds.sizes["row"] == 5000
    assert np.flatnonzero(np.isnan(ds["voltage"])).tolist() == [4000]


# Damaged copies ------------------------------------------------------------------------------------------------------

FUZZED = [
    "biologic/Sample_data_biologic_01_MB_CA1.txt",
    "neware/nw_regular_export_ife_example.csv",
    "arbin/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx",
    "arbin/7_3_13_1C_Cycle.csv",
    "maccor/maccor_001.txt",
    "landt/SINTEF__LiGrR2032__2024-04-30__25degC__Landt.csv",
    "bdf/batmo_bdf.csv",
    "bdf/legacy.bdf.parquet",
    "csv/p492-13-raw.csv",
    "novonix/sample_data_novonix.csv",
    "basytec/sample_data_basytec.txt",
]


def shortened(whole: bytes, path: Path) -> bytes:
    """The first rows of a long text, so that the run stays short."""
    return whole if path.suffix in (".xlsx", ".parquet") else whole[: whole.rindex(b"\n", 0, 60_000) + 1]


def survives(path: Path, reader: Reader) -> None:
    """Only a clear error or a sound record, whichever reader is asked."""
    choices: tuple[Callable[[], Reader], ...] = (lambda: REGISTRY.recognise(path), lambda: reader)
    for choose in choices:
        try:
            chosen = choose()
            ds = chosen.read((path,), chosen.options())
        except UserError:
            continue
        RECORD.conform(ds)
        assert ds.sizes["row"] > 0
        assert (np.diff(ds["time"]) >= 0).all()
        assert np.isfinite(ds["time"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", FUZZED)
def test_damaged_copies(tmp_path: Path, shared_data: Path, name: str) -> None:
    original = shared_data / "cycling" / name
    reader = REGISTRY.recognise(original)
    path = tmp_path / f"damaged{original.suffix}"
    for copy in damaged_copies(shortened(original.read_bytes(), original), 20, seed=7):
        path.write_bytes(copy)
        Probe.of(path)
        survives(path, reader)


@pytest.mark.slow
@pytest.mark.parametrize("name", FUZZED[:5])
def test_swapped_columns(tmp_path: Path, shared_data: Path, name: str) -> None:
    original = shared_data / "cycling" / name
    if original.suffix == ".xlsx":
        pytest.skip("cells of a workbook have no delimiter")
    reader = REGISTRY.recognise(original)
    rng = random.Random(3)
    lines = shortened(original.read_bytes(), original).split(b"\n")
    mark = b"\t" if lines[-5].count(b"\t") > 3 else b","
    for _ in range(5):
        width = lines[-5].count(mark) + 1
        a, b = rng.randrange(width), rng.randrange(width)
        made = []
        for line in lines:
            cells = line.split(mark)
            if len(cells) == width and line is not lines[0]:
                cells[a], cells[b] = cells[b], cells[a]
            made.append(mark.join(cells))
        path = tmp_path / "swapped.csv"
        path.write_bytes(b"\n".join(made))
        survives(path, reader)


def test_options_are_checked() -> None:
    assert CyclerOptions().timezone == "UTC"
    with pytest.raises(UserError):
        CyclerOptions.check({"unknown": 1})


@pytest.mark.parametrize("rows", [30, 6000])
def test_the_layout_is_found_once_to_recognise_and_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    found: list[str] = []
    real = delimited.layout_of

    def counted(lines: Sequence[str], name: str, **known: Any) -> delimited.Layout:
        found.append(name)
        return real(lines, name, **known)

    monkeypatch.setattr(delimited, "layout_of", counted)
    path = tmp_path / f"once{rows}.csv"
    head = "Data_Point,Test_Time(s),Step_Time(s),Step_Index,Cycle_Index,Current(A),Voltage(V)\n"
    path.write_text(head + "".join(f"{i},{i * 10},{i * 10},1,1,0.5,{3 + i / 7000:.4f}\n" for i in range(rows)))
    assert read(path, "cycling.arbin_csv").sizes["row"] == rows
    assert found == [path.name]
    # A changed file of the same name and size is another file.
    path.write_text(
        path.read_text().replace("Current(A)", "Current(B)").replace("Voltage(V)", "Current(A)").replace("Current(B)", "Voltage(V)")
    )
    assert float(read(path, "cycling.arbin_csv")["voltage"][0]) == 0.5


def test_a_workbook_with_the_sheets_of_an_instrument_is_recognised_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = [["Test_Time(s)", "Step_Index", "Cycle_Index", "Current(A)", "Voltage(V)"]]
    record += [[float(i), 1, 1, 0.5, 3.0 + i / 100] for i in range(50)]
    info = [["TEST REPORT", "", ""], ["Channel", "Schedule", "Comments"], [11, "slow.sdu", 7]]
    path = write_xlsx(tmp_path / "a.xlsx", {"Global_Info": info, "Channel_11_1": record, "Channel_11_2": record})
    with monkeypatch.context() as closed:
        closed.delattr(excel, "raw_sheets")
        reader = Registry({"cycling": MODALITY}).recognise(path)
    ds = reader.read((path,), reader.options())
    assert (reader.id, ds.sizes["row"], ds.attrs["channel"]) == ("cycling.arbin_excel", 100, "11")
