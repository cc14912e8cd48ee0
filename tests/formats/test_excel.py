import datetime as dt
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats import excel
from tests.tables import write_xlsx

ROWS = [["Test report", "", ""], ["Time(s)", "Voltage(V)", "Note"], [0, 3.5, "a"], [10, 3.6, "b"], [20, "", "c"]]


def test_columns_of_a_sheet(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", {"About": [["only words"]], "Data & more": ROWS})
    assert excel.sheet_names(path) == ("About", "Data & more")
    (sheet,) = excel.read_sheets(path)
    assert (sheet.name, sheet.layout.columns) == ("Data & more", ("Time(s)", "Voltage(V)", "Note"))
    found = excel.columns_of(sheet, ("Voltage(V)", "Note"))
    np.testing.assert_array_equal(found.column("Voltage(V)").to_numpy(), [3.5, 3.6, np.nan])
    assert found.column("Note").to_pylist() == ["a", "b", "c"]


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "t.xlsx", {"Data": ROWS})
    with pytest.raises(ReadError, match=r"t.xlsx has no sheet 'Other'\. It has: Data\."):
        excel.read_sheets(path, ["Other"])


def test_real_workbook(shared_data: Path) -> None:
    path = shared_data / "cycling/arbin/bs542_004_gr_li_50ua_50mv_1v_191020_Channel_11.xlsx"
    assert excel.sheet_names(path) == ("Global_Info", "Channel_11_1")
    (sheet,) = excel.read_sheets(path, ["Channel_11_1"])
    found = excel.columns_of(sheet, ("Date_Time", "Voltage(V)"))
    assert found.num_rows == 4526
    assert found.column("Date_Time")[0].as_py() == dt.datetime(2020, 10, 19, 11, 31, 46, 582000)


def test_an_archive_that_unpacks_to_far_too_much_is_not_opened(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "bomb.xlsx", {"Data": ROWS})
    with ZipFile(path, "a", ZIP_DEFLATED) as z:
        z.writestr("xl/worksheets/sheet9.xml", b"0" * (64 << 20))
    with pytest.raises(ReadError, match=r"bomb.xlsx would unpack to 64 MiB, \d+ times its size, and was not opened"):
        excel.read_sheets(path)


def test_an_archive_that_lies_about_its_size_is_not_opened(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "liar.xlsx", {"Data": ROWS})
    with ZipFile(path, "a", ZIP_DEFLATED) as z:
        z.writestr("xl/worksheets/sheet9.xml", np.random.default_rng(0).integers(0, 4, 12 << 20, dtype=np.uint8).tobytes())
    true_size = (12 << 20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(true_size, (1000).to_bytes(4, "little")))
    with pytest.raises(ReadError, match="was not opened"):
        excel.read_sheets(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"x" * 200, excel.OLE_MARK + b"x" * 600, b"no spreadsheet at all"])
def test_damaged_workbooks(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"t.xlsx is no (readable )?spreadsheet"):
        excel.read_sheets(path)


def test_names_inside_that_are_no_text(tmp_path: Path) -> None:
    """Damage in the list of names: what Python raises there is no error of the archive."""
    path = write_xlsx(tmp_path / "b.xlsx", {"A": [["x", "y"], [1, 2]]})
    with ZipFile(path, "a") as z:
        z.writestr("xl/é.xml", b"")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))
    assert excel.sheet_names(path) == ()
    with pytest.raises(ReadError, match="no readable spreadsheet"):
        excel.read_sheets(path)
