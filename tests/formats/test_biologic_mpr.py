"""BioLogic .mpr: real files, files made byte by byte, damaged ones."""

import struct
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats.biologic_mpr import read_mpr
from tests.damage import damaged_copies, outcome

ROWS = {
    "jdb11-1_c3_gcpl_5cycles_2V-3p8V_C-24_data_C09.mpr": 46_102,
    "jdb11-1_e1_s3_squidTest_data_C15.mpr": 32_917,
    "gcpl.issue_211.mpr": 2_767,
    "biol.mpr": 23_561,
    "250116_kigr_gen6_01_02_GCPL_CD8.mpr": 3_791,
}
# time/s, Ewe/V, I/mA, mode flags
IDS = (1, 4, 6, 8)
POINT = np.dtype([("flags", "u1"), ("time", "<f8"), ("ewe", "<f4"), ("i", "<f4")])


def module(name: bytes, content: bytes, version: int = 0, *, new: bool = False, date: bytes = b"05/28/25") -> bytes:
    head = name.ljust(10) + name.ljust(25)
    if new:
        return b"MODULE" + head + struct.pack("<IIII", 0xFFFFFFFF, len(content), version, 10) + date + content
    return b"MODULE" + head + struct.pack("<II", len(content), version) + date + content


def mpr(
    points: np.ndarray, ids: tuple[int, ...] = IDS, *, technique: int = 4, version: int = 3, new: bool = False, log: bytes = b""
) -> bytes:
    """A file with these points, as EC-Lab writes it."""
    start = {0: 1007, 2: 405, 3: 406}[version]
    before = struct.pack("<IB", points.size, len(ids)) + (b"\0" if version == 0 else b"") + struct.pack(f"<{len(ids)}H", *ids)
    data = before.ljust(start, b"\0") + points.tobytes()
    magic = b"BIO-LOGIC MODULAR FILE\x1a".ljust(48) + b"\0" * 4
    settings = bytes([technique]).ljust(0x300, b"\0")
    parts = [module(b"VMP Set", settings, new=new), module(b"VMP data", data, version, new=new)]
    return magic + b"".join(parts) + (module(b"VMP LOG", log, new=new) if log else b"")


def four_points() -> np.ndarray:
    points = np.zeros(4, POINT)
    points["time"], points["ewe"], points["i"] = [0, 1, 2.5, 4], [3.0, 3.1, 3.2, 3.3], [0, 1, -1, 0.5]
    points["flags"] = [3, 1 + 4, 2, 1]
    return points


@pytest.mark.parametrize("name", ROWS)
def test_number_of_points(shared_data: Path, name: str) -> None:
    found = read_mpr(shared_data / "cycling/biologic" / name)
    assert found.n_rows == ROWS[name]
    assert found.warnings == ()


def test_header_says_what_the_text_export_of_the_same_file_says(shared_data: Path) -> None:
    said = read_mpr(shared_data / "cycling/biologic/gcpl.issue_211.mpr").metadata
    text = (shared_data / "cycling/biologic/gcpl.issue_211.mpt").read_text("latin-1")
    assert f"Run on channel : {said['channel']} " in text
    assert f"Mass of active material : {said['active_mass_mg']:.3f} mg" in text
    assert f"Battery capacity : {said['battery_capacity_mah']:.3f} mA.h" in text
    assert f"EC-LAB for windows v{said['software']} " in text
    assert f"Electrolyte : {said['electrolyte']}" in text
    assert "Acquisition started on : 05/28/2025 14:23:16.145" in text
    assert said["start_time"] == "2025-05-28T14:23:16.145000"


@pytest.mark.parametrize("version", [0, 2, 3])
@pytest.mark.parametrize("new", [False, True])
def test_all_layouts_of_the_data(tmp_path: Path, version: int, new: bool) -> None:
    points = four_points()
    file = tmp_path / "made.mpr"
    file.write_bytes(mpr(points, version=version, new=new))
    found = read_mpr(file)
    np.testing.assert_array_equal(found.columns["time/s"], points["time"])
    np.testing.assert_array_equal(found.columns["Ewe/V"], points["ewe"])
    np.testing.assert_array_equal(found.columns["mode"], [3, 1, 2, 1])
    assert found.units == {"time/s": "s", "Ewe/V": "V", "I/mA": "mA", "mode": "1"}
    assert found.metadata["technique"] == "GCPL"


def test_a_file_that_started_the_day_before_its_settings_is_read(tmp_path: Path) -> None:
    log = bytearray(1200)
    struct.pack_into("<d", log, 585, 45_000.75)
    file = tmp_path / "midnight.mpr"
    file.write_bytes(mpr(four_points(), log=bytes(log)))
    assert read_mpr(file).metadata["start_time"] == "2023-03-15T18:00:00"


def test_what_is_left_of_a_cut_file(tmp_path: Path, small_data: Path) -> None:
    whole = small_data / "biologic/250116_kigr_gen6_01_02_GCPL_CD8.mpr"
    cut = tmp_path / "cut.mpr"
    cut.write_bytes(whole.read_bytes()[:100_000])
    all_points, left = read_mpr(whole), read_mpr(cut)
    assert left.warnings == (f"cut.mpr is cut off: {left.n_rows} of 3791 points are there.",)
    assert 1000 < left.n_rows < 3791
    for name, values in left.columns.items():
        np.testing.assert_array_equal(values, all_points.columns[name][: left.n_rows])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"BIO-LOGIC MODULAR FILE\x1a", "has no settings"),
        (mpr(four_points())[:900], "has no data"),
        (b"garbage" * 100, "does not begin like a BioLogic file"),
        (mpr(np.zeros(0, POINT)), "holds no points"),
        (mpr(four_points(), ids=(1, 4, *range(9000, 9006))), "damaged or of an unknown kind"),
    ],
)
def test_one_sentence_for_what_cannot_be_read(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "bad.mpr"
    file.write_bytes(content)
    with pytest.raises(ReadError, match=says):
        read_mpr(file)


def test_a_column_of_unknown_meaning_is_guessed_and_said(tmp_path: Path) -> None:
    file = tmp_path / "new.mpr"
    file.write_bytes(mpr(four_points(), ids=(1, 4, 6, 9999)))
    found = read_mpr(file)
    np.testing.assert_array_equal(found.columns["time/s"], four_points()["time"])
    assert "columns of unknown meaning" in found.warnings[0]


def test_damage_gives_a_table_or_a_sentence(tmp_path: Path, small_data: Path) -> None:
    file = tmp_path / "damaged.mpr"
    for content in damaged_copies((small_data / "biologic/250116_kigr_gen6_01_02_GCPL_CD8.mpr").read_bytes(), 20, seed=1, head=9000):
        file.write_bytes(content)
        found, sentence = outcome(lambda: read_mpr(file))
        assert sentence.startswith("damaged.mpr") if found is None else found.n_rows > 0
