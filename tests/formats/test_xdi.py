"""XDI files, real and damaged."""

from pathlib import Path

import pytest

from analysis.core.errors import ReadError
from analysis.formats.xdi import is_xdi, read_xdi

HEAD = "# XDI/1.0 test\n# Column.1: energy eV\n# Column.2: itrans\n# Element.Symbol: S\n#////\n# a comment\n#----\n# energy itrans\n"


def test_sulfur_at_gsecars(small_data: Path) -> None:
    file = read_xdi(small_data / "xas" / "S_elemental_rt_01.xdi")
    assert (file.version, file.names, file.units) == ("1.1", ("energy", "ifluor", "i0"), ("eV", "", ""))
    assert file.values.shape == (268, 3)
    assert file.values[0].tolist() == [2450.0, 6865.4573, 230463.0]
    assert file.fields["element.symbol"] == "S"
    assert file.fields["mono.d_spacing"] == "3.13477"
    assert file.warnings == ()


def test_every_library_file_is_read(shared_data: Path) -> None:
    points = {p.name: read_xdi(p).values.shape[0] for folder in ("xdi_s", "xdi_ni") for p in (shared_data / "xas" / folder).iterdir()}
    assert len(points) == 16
    assert (points["Ni_metal_rt_01.xdi"], points["NiS_rt_01.xdi"], points["iron_sulfide_rt_01.xxdi"]) == (418, 507, 232)


def test_names_units_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.xdi"
    path.write_text(HEAD + "2470 1.5\n2471,1.25\n", encoding="utf-8")
    file = read_xdi(path)
    assert file.names == ("energy", "itrans")
    assert file.fields == {"element.symbol": "S"}
    assert "a comment" in file.comments
    assert file.values.tolist() == [[2470.0, 1.5], [2471.0, 1.25]]


def test_a_cut_off_last_row_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "cut.xdi"
    path.write_text(HEAD + "2470 1.5\n2471 1.25\n2472", encoding="utf-8")
    file = read_xdi(path)
    assert file.values.shape == (2, 2)
    assert file.warnings == ("Line 11, the last one, is cut off and was left out.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("energy mu\n1 2\n", "does not begin with '# XDI/"),
        (HEAD, "holds no row of numbers"),
        (HEAD + "2470 1\nbroken\n2471 2\n", "line 10: not 2 numbers"),
        ("", "is empty"),
    ],
)
def test_what_a_user_is_told(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "bad.xdi"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError, match=sentence):
        read_xdi(path)


def test_recognition() -> None:
    assert is_xdi("#XDI/1.1  GSE/1.0\n")
    assert is_xdi("# XDI/1.0\n")
    assert not is_xdi("# energy mu\n")
