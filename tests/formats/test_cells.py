import numpy as np
import pyarrow as pa
import pytest

from analysis.formats.cells import dates, durations, numbers
from analysis.formats.headers import CLOCK, OTHER, UNITS, is_unit_row, parse_unit, split_header, split_suffix


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("00:00:10", 10.0),
        ("1:02:03.25", 3723.25),
        ("100:00:00", 360000.0),
        ("  0d 00:45:54.84", 2754.84),
        ("1d 14:37:27.5", 139047.5),
        ("2 days, 01:00:00", 176400.0),
        ("1.02:00:00", 93600.0),
        ("-0:00:05", -5.0),
        ("00:10", 600.0),
        ("", np.nan),
        ("rest", np.nan),
    ],
)
def test_durations(cell: str, seconds: float) -> None:
    np.testing.assert_allclose(durations(pa.array([cell, "0:00:01"])), [seconds, 1.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("cell", "iso", "ambiguous"),
    [
        ("2020-10-19 11:31:46.582", "2020-10-19T11:31:46.582", False),
        ("2020/10/19 11:31", "2020-10-19T11:31", False),
        ("07/13/2019 03:54:59", "2019-07-13T03:54:59", False),
        ("13/07/2019 03:54:59", "2019-07-13T03:54:59", False),
        ("12/11/2020 13:08:07", "2020-12-11T13:08:07", True),
        ("05.06.2023 17:56:53", "2023-06-05T17:56:53", False),
        ("11 December 2020, 12:22:12 PM", "2020-12-11T12:22:12", False),
        ("26-Jul-21 12:20:30 AM", "2021-07-26T00:20:30", False),
        ("2024-03-01T10:00:00+01:00", "2024-03-01T09:00:00", False),
        ("02/30/2020 10:00:00", "NaT", False),
    ],
)
def test_dates(cell: str, iso: str, ambiguous: bool) -> None:
    found = dates(pa.array([cell]))
    wanted = np.datetime64(iso, "ms").astype("int64") / 1e3 if iso != "NaT" else np.nan
    np.testing.assert_allclose(found.seconds, [wanted], atol=1e-3)
    assert found.ambiguous == ambiguous


def test_day_first_is_obeyed() -> None:
    found = dates(pa.array(["12/11/2020 00:00:00"]), day_first=True)
    assert found.seconds[0] == np.datetime64("2020-11-12", "s").astype("int64")


def test_one_late_day_decides_for_the_whole_column() -> None:
    found = dates(pa.array(["01/02/2020 00:00:00", "13/02/2020 00:00:00"]))
    np.testing.assert_array_equal(np.diff(found.seconds), [12 * 86400])


def test_numbers_of_typed_columns() -> None:
    np.testing.assert_array_equal(numbers(pa.array([1, None, 3])), [1, np.nan, 3])
    np.testing.assert_array_equal(numbers(pa.array([b"1e-3", b"x", b"\xb5"], pa.binary())), [1e-3, np.nan, np.nan])


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("Voltage(V)", "Voltage", UNITS["V"]),
        ("Ecell/V", "Ecell", UNITS["V"]),
        ("(Q-Qo)/mA.h", "(Q-Qo)", UNITS["mAh"]),
        ("Q charge/discharge/mA.h", "Q charge/discharge", UNITS["mAh"]),
        ("Test Time / s", "Test Time", UNITS["s"]),
        ("Current(µA)", "Current", UNITS["uA"]),
        ("Temperature/\ufffdC", "Temperature", UNITS["degC"]),
        ("Total Time (Hours in hh:mm:ss.xxx)", "Total Time", CLOCK),
        ("Time(h:min:s.ms)", "Time", CLOCK),
        ("Capacity Density(mAh/g)", "Capacity Density", OTHER),
        ("Capacity(mAs)", "Capacity", UNITS["mAs"]),
        ("Cycle", "Cycle", None),
    ],
)
def test_headers_split_into_name_and_unit(header: str, name: str, unit: object) -> None:
    assert split_header(header) == (name, unit)


def test_units_as_last_words() -> None:
    assert split_suffix("test_time_second") == ("test_time", UNITS["s"])
    assert split_suffix("current_A") == ("current", UNITS["A"])
    assert split_suffix("step_index") == ("step_index", None)


def test_unit_rows() -> None:
    assert is_unit_row(("s", "V", "mA", ""))
    assert not is_unit_row(("1", "1", "1"))
    assert not is_unit_row(("time", "V"))
    assert parse_unit("nonsense") is None
