"""LANHE .ccs: the one real file, a file made byte by byte, damaged ones."""

import struct
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats.lanhe_ccs import BLOCK, FIRST_BLOCK, looks_like_ccs, read_ccs
from tests.damage import damaged_copies, outcome

CCS = "cycling/landt/LANHE_GPCL.ccs"
START_MS = 1_700_000_000_000


def boundary(steps: int, elapsed_ms: int) -> bytes:
    block = bytearray(BLOCK)
    block[0] = 2
    struct.pack_into("<I", block, 8 + 8, steps)
    struct.pack_into("<I", block, 8 + 16, elapsed_ms)
    struct.pack_into("<Q", block, 8 + 48, START_MS + elapsed_ms)
    return bytes(block)


def data(records: list[tuple[int, float, float, float, float]]) -> bytes:
    left_over = b"\x5a" * BLOCK  # what a block does not use holds old bytes
    used = bytes([3, len(records)]) + b"\0" * 6 + b"".join(struct.pack("<I4f", *record) for record in records)
    return used + left_over[len(used) :]


def made() -> bytes:
    """10 s rest, 12 s charge at 1 A and 3 V, one record a second."""
    header = bytearray(FIRST_BLOCK)
    header[0x494:0x49E] = b"WuHan LAND"
    rest = [(1000, 3.0, 0.0, 0.0, 0.0)] * 10
    charge = [(1000, 3.0, 1.0, 1 / 3600, 3 / 3600)] * 12
    blocks = [boundary(0, 0)]
    blocks += [data(rest[k : k + 6]) for k in range(0, 10, 6)] + [boundary(1, 10_000)]
    blocks += [data(charge[k : k + 6]) for k in range(0, 12, 6)] + [boundary(2, 22_000)]
    return bytes(header) + b"".join(blocks)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "made.ccs"


def test_known_numbers(shared_data: Path) -> None:
    found = read_ccs(shared_data / CCS)
    assert found.n_rows == 170_577
    assert found.warnings == ()
    time, voltage, current = (found.columns[name] for name in ("time", "voltage", "current"))
    assert time[-1] / 3600 == pytest.approx(11.4365, abs=2e-4)
    assert time[found.columns["step"] == 1][-1] == 7200.0
    assert (voltage.min(), voltage.max()) == (pytest.approx(0.89999, abs=5e-6), pytest.approx(1.43470, abs=5e-6))
    assert found.columns["charge"].sum() * 1e3 == pytest.approx(0.288115, abs=1e-6)
    assert -np.trapezoid(current, time) / 3.6 == pytest.approx(0.288115, abs=1e-6)
    assert found.metadata["mass_in_test_name_mg"] == 5.9
    assert found.metadata["maker"] == "WuHan LAND"


def test_each_interval_is_current_times_time(shared_data: Path) -> None:
    columns = read_ccs(shared_data / CCS).columns
    charge = columns["current"] * np.diff(columns["time"], prepend=0.0) / 3600
    # The instrument integrates between the records: its sums differ by up to 4e-4 from record to record.
    np.testing.assert_allclose(columns["charge"], np.abs(charge), rtol=5e-4, atol=1e-14)
    np.testing.assert_allclose(columns["energy"], charge * columns["voltage"], rtol=2e-3, atol=1e-14)
    assert columns["charge"].sum() == pytest.approx(np.abs(charge).sum(), rel=2e-6)


def test_the_wall_clock_follows_the_step_boundaries(shared_data: Path) -> None:
    columns = read_ccs(shared_data / CCS).columns
    assert columns["clock"][-1] == pytest.approx(1_680_123_311.770, abs=1e-3)
    np.testing.assert_allclose(np.diff(columns["clock"]), np.diff(columns["time"]), atol=1e-6)


def test_a_made_file(file: Path) -> None:
    file.write_bytes(made())
    found = read_ccs(file)
    np.testing.assert_array_equal(found.columns["time"], np.arange(1.0, 23.0))
    np.testing.assert_array_equal(found.columns["step"], [1] * 10 + [2] * 12)
    np.testing.assert_array_equal(found.columns["clock"], START_MS / 1e3 + np.arange(1.0, 23.0))
    assert found.columns["charge"].sum() == pytest.approx(12 / 3600)
    assert looks_like_ccs(made()) == 1.0


def test_lost_records_are_noticed(file: Path) -> None:
    whole = made()
    file.write_bytes(whole[: FIRST_BLOCK + BLOCK] + whole[FIRST_BLOCK + 2 * BLOCK :])
    found = read_ccs(file)
    assert found.n_rows == 16
    assert found.warnings == (
        "made.ccs: before row 5 the records last 4.000 s, but the step boundary there says 10.000 s: records are missing or damaged.",
    )


def test_a_cut_file_and_a_damaged_block_are_noticed(file: Path) -> None:
    content = bytearray(made()[: -BLOCK - 3])
    content[FIRST_BLOCK + BLOCK] = 77
    file.write_bytes(content)
    warnings = read_ccs(file).warnings
    assert "1 of 5 blocks are damaged and left out, the first is block 2" in warnings[0]
    assert "its last 125 bytes are part of a block" in warnings[1]


@pytest.mark.parametrize("content", [b"", b"x" * 5000, bytes(FIRST_BLOCK) + boundary(0, 0)])
def test_one_sentence_for_what_cannot_be_read(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(ReadError, match=r"made\.ccs holds no records of a LANHE cycler"):
        read_ccs(file)
    assert looks_like_ccs(content) < 1


def test_damage_gives_a_table_or_a_sentence(file: Path) -> None:
    for content in damaged_copies(made() + made()[FIRST_BLOCK:] * 20, 20, seed=3):
        file.write_bytes(content)
        found, sentence = outcome(lambda: read_ccs(file))
        assert sentence.startswith("made.ccs") if found is None else found.n_rows > 0
