import json
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.cycling.mapping import propose, remembered, signature, unit_choices
from analysis.cycling.read_tables import READERS, TableOptions
from tests.tables import write_xlsx

GENERIC = next(r for r in READERS if r.id == "cycling.generic")


def unusual(path: Path) -> Path:
    path.write_text("Messzeit;Spannung;Strom\n0:00:00;3,5;-100\n0:00:10;3,4;-100\n0:00:20;3,3;-100\n")
    return path


def test_a_known_table_needs_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time (h),Voltage (mV),Current (mA)\n0,3500,1\n0.5,3600,1\n")
    found = propose(path)
    assert found.columns == {"time": "Time (h)", "voltage": "Voltage (mV)", "current": "Current (mA)"}
    assert found.units == {"time": "h", "voltage": "mV", "current": "mA"}
    assert found.missing == ()
    ds = GENERIC.read((path,), TableOptions())
    np.testing.assert_allclose(ds["time"], [0, 1800])
    np.testing.assert_allclose(ds["voltage"], [3.5, 3.6])
    np.testing.assert_allclose(ds["current"], [1e-3, 1e-3])


def test_an_unknown_table_names_what_is_missing_and_reads_with_a_mapping(tmp_path: Path) -> None:
    path = unusual(tmp_path / "t.csv")
    found = propose(path)
    assert found.missing == ("time", "voltage", "current")
    assert found.rows[1] == ("0:00:10", "3,4", "-100")
    assert found.options == {"delimiter": ";", "decimal": ","}
    with pytest.raises(ReadError, match="has no column for time or voltage or current"):
        GENERIC.read((path,), TableOptions())
    options = TableOptions.check({"columns": {"time": "Messzeit", "voltage": "Spannung", "current": "Strom"}, "units": {"current": "mA"}})
    ds = GENERIC.read((path,), options)
    np.testing.assert_allclose(ds["time"], [0, 10, 20])
    np.testing.assert_allclose(ds["voltage"], [3.5, 3.4, 3.3])
    np.testing.assert_allclose(ds["current"], [-0.1] * 3)


def test_the_sign_can_be_turned(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Time(s),Voltage(V),Current(A)\n0,3.5,1\n10,3.4,1\n")
    ds = GENERIC.read((path,), TableOptions(current_sign="positive discharges"))
    np.testing.assert_array_equal(ds["current"], [-1, -1])


def test_wrong_mappings_are_explained(tmp_path: Path) -> None:
    path = unusual(tmp_path / "t.csv")
    with pytest.raises(ReadError, match=r"t\.csv has no column 'Volt'"):
        GENERIC.read((path,), TableOptions(columns={"voltage": "Volt"}))
    with pytest.raises(ReadError, match="'power' is no variable"):
        GENERIC.read((path,), TableOptions(columns={"power": "Strom"}))
    columns = {"time": "Messzeit", "voltage": "Spannung", "current": "Strom"}
    with pytest.raises(ReadError, match="'kg' is no unit of the current"):
        GENERIC.read((path,), TableOptions(columns=columns, units={"current": "kg"}))


def test_mappings_are_remembered_by_their_headers(tmp_path: Path) -> None:
    found = propose(unusual(tmp_path / "t.csv"))
    options = {"columns": {"time": "Messzeit", "voltage": "Spannung", "current": "Strom"}, "units": {"current": "mA"}}
    known = json.loads(json.dumps({found.signature: options}))
    again = propose(unusual(tmp_path / "other.csv"))
    assert remembered(again, known) == options
    assert GENERIC.read((tmp_path / "other.csv",), TableOptions.check(remembered(again, known))).sizes["row"] == 3


def test_signature() -> None:
    assert signature(["Time (s)", "Voltage(V)"]) == signature(["voltage (v)", "time(s)"])
    assert signature(["a", "b"]) != signature(["a", "c"])


def test_sheets(tmp_path: Path) -> None:
    path = write_xlsx(
        tmp_path / "t.xlsx",
        {"Info": [["a", "b"], [1, 2], [3, 4]], "Data": [["Time(s)", "Voltage(V)", "Current(A)"], [0, 3.5, 1], [10, 3.6, 1]]},
    )
    found = propose(path)
    assert (found.sheets, found.sheet, found.missing) == (("Info", "Data"), "Data", ())
    assert propose(path, "Info").missing == ("time", "voltage", "current")
    assert GENERIC.read((path,), TableOptions()).sizes["row"] == 2
    assert GENERIC.read((path,), TableOptions(sheet="Data")).sizes["row"] == 2
    assert GENERIC.read((path,), TableOptions(columns={"voltage": "Voltage(V)"})).sizes["row"] == 2
    json.dumps(found.to_json())


def test_a_workbook_without_a_record(small_data: Path) -> None:
    found = propose(small_data / "neware/Experiment_Record.xlsx")
    assert found.headers == ("Name", "Chemistry", "Nominal Capacity [Ah]", "Start date")
    assert found.missing == ("time", "voltage", "current")


def test_unit_choices() -> None:
    assert {"s", "h", "ms", "h:m:s"} <= set(unit_choices("time"))
    assert "mA" in unit_choices("current")
    assert "mA" not in unit_choices("voltage")
