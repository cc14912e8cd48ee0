"""Columns of text: beamlines' layouts, separators, headers, damage."""

from pathlib import Path

import pytest

from analysis.core.errors import ReadError
from analysis.formats.ascii_columns import columns_in, read_columns

ROWS = "2470 0.5\n2471 0.6\n2472 0.9\n2473 1.0\n"


def test_ssrl_data_collector(small_data: Path) -> None:
    file = read_columns(small_data / "xas" / "SSRLmicro_2008.dat")
    assert (file.origin, file.values.shape) == ("SSRL", (296, 69))
    assert file.names[:6] == ("Real Time Clock", "Requested Energy", "I0", "I1", "I2", "SCA1.1")
    assert file.names[-1] == "ICR.32"
    assert file.values[0, :3].tolist() == [1.0, 10900.0, 3229.0]


def test_ifeffit_xmu(small_data: Path) -> None:
    file = read_columns(small_data / "xas" / "cu_rt01.xmu")
    assert file.names == ("energy", "mu", "i0")
    assert file.values[0].tolist() == [8779.0, -1.3070486, 149013.7]


def test_beamline_files(shared_data: Path) -> None:
    columns = shared_data / "xas" / "columns"
    phoenix = read_columns(columns / "SLS_PHOENIX_2023.dat")
    assert (phoenix.values.shape, phoenix.names[12]) == ((301, 55), "D1_AlKa_corr_c13")
    bare = read_columns(columns / "generic_columns_no_header.dat")
    assert (bare.values.shape, bare.names[0]) == ((198, 7), "c1")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (ROWS, ("c1", "c2")),
        ("# energy xmu\n" + ROWS, ("energy", "xmu")),
        ("Energy (eV),mu E\n" + ROWS.replace(" ", ","), ("Energy (eV)", "mu E")),
        ("E;mu\n" + ROWS.replace(".", ",").replace(" ", ";"), ("E", "mu")),
        ("E\tmu\n" + ROWS.replace(".", ",").replace(" ", "\t"), ("E", "mu")),
        ("42 points of sample 7\n#---\n# e mu\n" + ROWS, ("e", "mu")),
        ("mu mu\n" + ROWS, ("mu", "mu.2")),
    ],
)
def test_headers_and_separators(tmp_path: Path, text: str, names: tuple[str, ...]) -> None:
    path = tmp_path / "a.dat"
    path.write_text(text, encoding="utf-8")
    file = read_columns(path)
    assert file.names == names
    assert file.values.tolist() == [[2470.0, 0.5], [2471.0, 0.6], [2472.0, 0.9], [2473.0, 1.0]]
    head = columns_in(text)
    assert head is not None
    assert head.names == names


def test_rows_that_are_left_out_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.dat"
    path.write_text(ROWS * 5 + "beam lost\n" + ROWS * 5 + "2474", encoding="utf-8")
    file = read_columns(path)
    assert file.values.shape == (40, 2)
    assert file.warnings == (
        "Line 21 is not 2 numbers and was left out.",
        "Line 42, the last one, is cut off and was left out.",
    )


def test_a_stopped_scan_is_said(tmp_path: Path, small_data: Path) -> None:
    whole = (small_data / "xas" / "SSRLmicro_2008.dat").read_bytes()
    path = tmp_path / "stopped.dat"
    path.write_bytes(whole[: len(whole) // 2])
    file = read_columns(path)
    assert file.values.shape[1] == 69
    assert file.warnings == (f"The scan has {file.values.shape[0]} of the 296 points that its header announces.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("nothing to see\n", "holds no table of numbers"),
        ("1\n2\n3\n4\n", "holds no table of numbers"),
        ("SSRL   MicroEXAFS Data Collector 1.0\nPTS: 3 COLS: 2\n", "ends before its data"),
        ("2470 1\n2471 1\n2472 1\nlost\nlost\n2473 1\n", "line 4: not 2 numbers"),
    ],
)
def test_what_a_user_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "bad.dat"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError, match=sentence):
        read_columns(path)
