"""Neware .nda and .ndax: real files against their origin's own reading, archives, damaged ones."""

import io
import shutil
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import polars as pl
import pytest

from analysis.core.errors import ReadError
from analysis.formats import neware_binary
from analysis.formats.neware_binary import is_ndax, read_neware
from tests.damage import damaged_copies, outcome

TESTCELL = "neware/TESTCELL0001-Test_Data_Collection_Ndc17"
# Ours, theirs, how many of their units one of ours is, by how much the instrument's software rounds.
PAIRS = (
    ("time", "Total Time", 1.0, 1e-6),
    ("voltage", "Voltage(mV)", 1e3, 0.06),
    ("current", "Current(uA)", 1e3, 0.6),
    ("step", "Step Count", 1.0, 0.0),
    ("cycle", "Cycle Index", 1.0, 0.0),
)


def repacked(whole: bytes, changes: dict[str, bytes | None]) -> bytes:
    """An archive with some members replaced, or left out where None."""
    out = io.BytesIO()
    with ZipFile(io.BytesIO(whole)) as source, ZipFile(out, "w", ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = changes.get(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return out.getvalue()


def compare(file: Path, rule: str) -> None:
    found, reference = read_neware(file, cycle_rule=rule), pl.read_parquet(file.with_suffix(".parquet"))  # type: ignore[arg-type]
    assert found.n_rows == len(reference)
    for ours, theirs, factor, rounding in PAIRS:
        np.testing.assert_allclose(
            found.columns[ours] * np.float64(factor), reference[theirs].to_numpy(), atol=rounding, rtol=1e-7, err_msg=ours
        )
    for ours, theirs in (("capacity", "Capacity(mAs)"), ("energy", "Energy(mWs)")):
        # The origin's reading drops the sign. Steps are counted to about 1e-5 of their charge.
        np.testing.assert_allclose(np.abs(found.columns[ours]) * np.float64(3600), reference[theirs].to_numpy(), rtol=1e-4, atol=1.0)


def test_a_test_with_temperature_equals_the_reading_of_its_origin(small_data: Path) -> None:
    file = small_data / f"{TESTCELL}.ndax"
    compare(file, "chg")
    reference = pl.read_parquet(file.with_suffix(".parquet"))["T1(?)"].to_numpy()
    np.testing.assert_allclose(read_neware(file).columns["temperature"], reference, atol=0.051)


def test_160_cycles_equal_the_reading_of_their_origin(shared_data: Path) -> None:
    file = shared_data / "cycling/neware/nw4-120-1-6-53.ndax"
    compare(file, "raw")
    assert read_neware(file).columns["cycle"].max() == 160


def test_the_large_file(shared_data: Path) -> None:
    found = read_neware(shared_data / "cycling/neware/BTS85-36-6-5-110-20240424.ndax")
    assert found.n_rows == 699_677
    assert found.columns["cycle"].max() == 22
    assert found.columns["time"][-1] / 3600 == pytest.approx(192.4, abs=0.06)
    assert found.columns["voltage"].min() == pytest.approx(1.399, abs=1e-3)
    assert found.columns["voltage"].max() == pytest.approx(3.400, abs=1e-3)
    assert found.metadata["channel"] == "36-6-5"
    assert found.warnings == ()


def test_nda_inside_zip_equals_nda(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "cycling/neware/nda8.nda.zip"
    with ZipFile(packed) as archive:
        archive.extract("nda8.nda", tmp_path)
    inside, plain = read_neware(packed), read_neware(tmp_path / "nda8.nda")
    assert inside.n_rows == plain.n_rows == 46_805
    assert inside.metadata == plain.metadata
    for name in plain.columns:
        np.testing.assert_array_equal(inside.columns[name], plain.columns[name])


def test_content_counts_not_the_suffix(small_data: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed.nda"
    shutil.copyfile(small_data / f"{TESTCELL}.ndax", renamed)
    assert read_neware(renamed).n_rows == 80
    with ZipFile(tmp_path / "inside.zip", "w") as archive:
        archive.write(renamed, "folder/cell.ndax")
    assert read_neware(tmp_path / "inside.zip").n_rows == 80


def test_an_empty_test_is_said(small_data: Path) -> None:
    with pytest.raises(ReadError, match=r"empty\.ndax holds no records"):
        read_neware(small_data / "neware/empty.ndax")


def test_a_damaged_description_costs_the_temperatures_only(small_data: Path) -> None:
    found = read_neware(small_data / "neware/Unit27_Example_Corrupt.ndax")
    assert found.n_rows == 301
    assert "temperature" not in found.columns
    assert any("its temperatures and further voltages are left out" in said for said in found.warnings)


@pytest.mark.parametrize("xml", [b"", b"<root/>", b"<root>", b'<!DOCTYPE a [<!ENTITY b "c">]><root><config>&b;</config></root>'])
def test_a_damaged_header_costs_the_metadata_only(small_data: Path, tmp_path: Path, xml: bytes) -> None:
    file = tmp_path / "x.ndax"
    file.write_bytes(repacked((small_data / f"{TESTCELL}.ndax").read_bytes(), {"Step.xml": xml}))
    found = read_neware(file)
    assert found.n_rows == 80
    assert found.metadata == {}
    assert "what it says of the test cannot be read" in found.warnings[-1]


@pytest.mark.parametrize("member", ["data.ndc", "data_runInfo.ndc", "data_step.ndc"])
def test_a_missing_part_is_one_sentence(small_data: Path, tmp_path: Path, member: str) -> None:
    file = tmp_path / "x.ndax"
    file.write_bytes(repacked((small_data / f"{TESTCELL}.ndax").read_bytes(), {member: None}))
    with pytest.raises(ReadError, match=r"x\.ndax is damaged"):
        read_neware(file)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neware_binary, "_SMALL", 100_000)
    bomb = tmp_path / "bomb.zip"
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive:
        archive.writestr("cell.nda", bytes(2_000_000))
    with pytest.raises(ReadError, match="was not unpacked"):
        read_neware(bomb)
    with ZipFile(bomb) as archive:
        assert archive.infolist()[0].file_size > neware_binary.MAX_RATIO * archive.infolist()[0].compress_size


def test_an_archive_larger_than_the_limit_is_not_unpacked(tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neware_binary, "MAX_UNPACKED", 10_000)
    with pytest.raises(ReadError, match="was not unpacked"):
        read_neware(small_data / f"{TESTCELL}.ndax")


def test_several_recordings_in_one_archive_are_not_mixed(tmp_path: Path, small_data: Path) -> None:
    both = tmp_path / "both.zip"
    with ZipFile(both, "w") as archive:
        archive.write(small_data / f"{TESTCELL}.ndax", "a.ndax")
        archive.write(small_data / f"{TESTCELL}.ndax", "b.ndax")
    with pytest.raises(ReadError, match=r"both\.zip holds 2 recordings: a\.ndax, b\.ndax"):
        read_neware(both)


@pytest.mark.parametrize("content", [b"", b"NEWARE", b"NEWARE" + bytes(5000), b"PK\x03\x04" + bytes(100), b"garbage"])
def test_one_sentence_for_what_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "bad.ndax"
    file.write_bytes(content)
    with pytest.raises(ReadError, match=r"bad\.ndax"):
        read_neware(file)


def test_the_mark_of_an_archive_survives_a_cut(small_data: Path) -> None:
    whole = (small_data / f"{TESTCELL}.ndax").read_bytes()
    assert is_ndax((), whole[:5000])
    assert not is_ndax((), b"PK\x03\x04" + bytes(100))
    assert not is_ndax(("xl/workbook.xml", "[Content_Types].xml"), whole[:4])


@pytest.mark.parametrize("member", ["", "data.ndc", "data_runInfo.ndc", "data_step.ndc", "TestInfo.xml"])
def test_damage_gives_a_table_or_a_sentence(tmp_path: Path, small_data: Path, member: str) -> None:
    whole = (small_data / f"{TESTCELL}.ndax").read_bytes()
    file = tmp_path / "damaged.ndax"
    with ZipFile(io.BytesIO(whole)) as archive:
        part = archive.read(member) if member else whole
    for content in damaged_copies(part, 20, seed=4):
        file.write_bytes(repacked(whole, {member: content}) if member else content)
        found, sentence = outcome(lambda: read_neware(file))
        assert sentence.startswith("damaged.ndax") if found is None else found.n_rows > 0
