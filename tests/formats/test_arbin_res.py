"""Arbin .res: a real file, whole and damaged."""

import struct
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats import jet
from analysis.formats.arbin_res import read_res
from tests.damage import damaged_copies, outcome

RES = "cycling/arbin/20160805_test001_45_cc_01.res"


def test_known_numbers(shared_data: Path) -> None:
    found = read_res(shared_data / RES)
    assert found.n_rows == 10_261
    assert found.columns["cycle"].max() == 18
    assert found.columns["discharge_capacity"].max() == pytest.approx(0.001755, abs=5e-7)
    assert found.units["discharge_capacity"] == "A h"
    assert found.metadata["start_time"] == "2016-08-05T16:16:23"
    assert found.metadata["active_mass_mg"] == pytest.approx(0.85283798)
    assert found.metadata["test_name"] == "20160805_sic006_45_cc_01-01-003"
    # The first record comes 300 s after the start by both clocks.
    assert found.columns["clock"][0] - 1_470_413_783 == pytest.approx(found.columns["time"][0], abs=1)


def test_rows_are_put_in_the_order_of_their_numbers(shared_data: Path, tmp_path: Path) -> None:
    raw = bytearray((shared_data / RES).read_bytes())
    page = next(p for p in range(len(raw) // 4096) if raw[p * 4096 : p * 4096 + 2] == b"\x01\x01" and raw[p * 4096 + 4] == 30)
    first, second = struct.unpack_from("<2H", raw, page * 4096 + 14)
    size = 4096 - first
    a, b = page * 4096 + first, page * 4096 + second
    raw[a : a + size], raw[b : b + size] = raw[b : b + size], raw[a : a + size]
    swapped = tmp_path / "swapped.res"
    swapped.write_bytes(raw)
    assert list(jet.Database(bytes(raw)).rows("Channel_Normal_Table").numbers("Data_Point")[:2]) == [2, 1]
    np.testing.assert_array_equal(read_res(swapped).columns["time"], read_res(shared_data / RES).columns["time"])


def test_a_test_that_is_not_there(shared_data: Path) -> None:
    with pytest.raises(ReadError, match="has no test 7") as err:
        read_res(shared_data / RES, test=7)
    assert "It holds 1" in err.value.hint


@pytest.mark.parametrize("content", [b"", b"no database at all", b"\x00\x01\x00\x00Standard Jet DB\x00" + b"\0" * 9000])
def test_one_sentence_for_what_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.res"
    file.write_bytes(content)
    with pytest.raises(ReadError, match=r"bad\.res cannot be read as an Arbin database"):
        read_res(file)


def test_damage_gives_a_table_or_a_sentence(tmp_path: Path, shared_data: Path) -> None:
    file = tmp_path / "damaged.res"
    for content in damaged_copies((shared_data / RES).read_bytes(), 20, seed=2, head=150_000):
        file.write_bytes(content)
        found, sentence = outcome(lambda: read_res(file))
        assert sentence.startswith("damaged.res") if found is None else found.n_rows > 0
