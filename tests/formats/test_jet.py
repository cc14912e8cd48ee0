"""Access databases: against two other programs, and damaged."""

import io
import os
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from analysis.formats.jet import Database, JetError

RES = "cycling/arbin/20160805_test001_45_cc_01.res"
PAGE = 4096


@pytest.fixture(scope="module")
def raw(shared_data: Path) -> bytes:
    return (shared_data / RES).read_bytes()


def test_numbers_and_text_equal_those_of_access_parser(shared_data: Path, raw: bytes) -> None:
    parser = pytest.importorskip("access_parser").AccessParser(str(shared_data / RES))
    database = Database(raw)
    for table in ("Global_Table", "Event_Table", "Resume_Table", "Version_Table", "Channel_Statistic_Table"):
        theirs, ours = parser.parse_table(table), database.rows(table)
        for name, column in ours.columns.items():
            if column.type == 10:
                assert ours.text(name) == theirs[name], (table, name)
            else:
                np.testing.assert_array_equal(ours.numbers(name), np.array(theirs[name]).astype(ours.numbers(name).dtype), (table + name))


@pytest.mark.skipif(shutil.which("mdb-export") is None, reason="mdb-export is not installed")
def test_records_equal_those_of_mdbtools(shared_data: Path, raw: bytes) -> None:
    said = subprocess.run(
        ["mdb-export", str(shared_data / RES), "Channel_Normal_Table"], capture_output=True, check=True, timeout=60, env=dict(os.environ)
    )
    theirs = np.genfromtxt(io.BytesIO(said.stdout), delimiter=",", names=True, deletechars="")
    rows = Database(raw).rows("Channel_Normal_Table")
    for name in theirs.dtype.names or ():
        # mdb-export writes eight digits of single precision.
        np.testing.assert_allclose(rows.numbers(name), theirs[name], rtol=6e-8, atol=0, err_msg=name)


def test_a_definition_that_points_at_itself_is_refused(raw: bytes) -> None:
    looped = bytearray(raw)
    page = Database(raw).tables["Channel_Normal_Table"]
    struct.pack_into("<I", looped, page * PAGE + 4, page)
    with pytest.raises(JetError, match="definition at page 30 is damaged"):
        Database(bytes(looped)).rows("Channel_Normal_Table")


def test_deleted_rows_are_left_out(raw: bytes) -> None:
    table = Database(raw).tables["Channel_Normal_Table"]
    changed = bytearray(raw)
    page = next(p for p in range(len(raw) // PAGE) if raw[p * PAGE : p * PAGE + 2] == b"\x01\x01" and raw[p * PAGE + 4] == table)
    at = page * PAGE + 14
    struct.pack_into("<H", changed, at, struct.unpack_from("<H", raw, at)[0] | 0x8000)
    before, after = Database(raw).rows("Channel_Normal_Table"), Database(bytes(changed)).rows("Channel_Normal_Table")
    assert len(after) == len(before) - 1
    assert set(before.numbers("Data_Point")) - set(after.numbers("Data_Point")) == {1}


@pytest.mark.parametrize("content", [b"", b"\0" * 9000, b"\x00\x01\x00\x00Standard Jet DB\x00" + b"\x01" * 100])
def test_what_is_no_database(content: bytes) -> None:
    with pytest.raises(JetError):
        Database(content)


def test_unknown_names(raw: bytes) -> None:
    database = Database(raw)
    with pytest.raises(JetError, match="no table Nothing"):
        database.rows("Nothing")
    with pytest.raises(JetError, match="no column Nothing"):
        database.rows("Global_Table").numbers("Nothing")
    with pytest.raises(JetError, match="holds no numbers"):
        database.rows("Global_Table").numbers("Test_Name")


@pytest.mark.parametrize("size", [20, 21, 2047, 2048, 4096, 8192])
def test_a_file_that_ends_early_is_refused(raw: bytes, size: int) -> None:
    with pytest.raises(JetError, match="it ends"):
        Database(raw[:size])
