"""Athena projects: both flavours, compressed and not, real and damaged."""

import gzip
import json
from pathlib import Path

import pytest

from analysis.core.errors import ReadError
from analysis.formats.athena import is_athena, perl_list, read_athena

NIO_SHIFTS = (1.252, 1.252, 4.911, 5.426, 5.674, 5.876, 6.006, 6.422, 6.554, 6.629, 6.585, 0.0)
ENDS = "2.0');\n\n[record]"
PERL = """# Athena project file -- Demeter version 0.9.21

$old_group = 'abc';
@args = ('label','it\\'s','titles',['a, b','c'],'bkg_eshift','0.5','referencegroup','def');
@x = ('2470','2471','2472');
@y = ('0.0','1.0','2.0');

[record]
"""


def test_nested_lists_are_one_value() -> None:
    assert perl_list("'titles',['a, b','c',[]],'n',3,'x',\"q\"") == ["titles", ["a, b", "c", []], "n", "3", "x", "q"]


def test_sulfur_standards(small_data: Path) -> None:
    project = read_athena(small_data / "xas" / "S_CAMD.prj")
    assert [len(project.records), project.records[7].label, project.records[7].x.size] == [22, "Glutathione reduced (1+)", 344]
    assert project.records[7].args["titles"][0] == "Merge in e space of:"
    assert project.records[1].energy_shift == 0.329


def test_json_flavour(small_data: Path) -> None:
    project = read_athena(small_data / "xas" / "json_unzipped.prj")
    assert [r.label for r in project.records] == [*(f"FeXANES_DebbysSample.00{k}" for k in (1, 2, 3)), "merge"]
    assert [r.x.size for r in project.records] == [442, 442, 442, 441]


def test_nio_keeps_doubled_labels_and_shifts(shared_data: Path) -> None:
    project = read_athena(shared_data / "xas" / "athena" / "NiO.prj")
    assert len(project.records) == 24
    assert [r.label.strip() for r in project.records].count("Ref NiO.000") == 2
    assert tuple(r.energy_shift for r in project.records[1::2]) == NIO_SHIFTS
    partners = {r.id: r.reference for r in project.records}
    assert all(partners[partners[name]] == name for name in partners)


def test_perl_without_gzip_and_with(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.prj", tmp_path / "b.prj"
    plain.write_text(PERL, encoding="utf-8")
    packed.write_bytes(gzip.compress(PERL.encode()))
    for path in (plain, packed):
        (record,) = read_athena(path).records
        assert (record.label, record.energy_shift, record.reference) == ("it's", 0.5, "def")
        assert record.x.tolist() == [2470.0, 2471.0, 2472.0]
        assert is_athena(path.read_bytes())


def test_json_with_arguments_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "c.prj"
    spectrum = {"args": ["label", "one", "bkg_eshift", "-1"], "x": ["1", "2"], "y": [3, 4]}
    path.write_text(json.dumps({"_____header1": "# Athena project file", "_____order": ["b", "a"], "a": spectrum, "b": spectrum}))
    project = read_athena(path)
    assert [r.id for r in project.records] == ["b", "a"]
    assert project.records[0].energy_shift == -1.0


def test_a_damaged_record_is_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "cut.prj"
    path.write_text(PERL + PERL.split("\n\n", 1)[1].replace("'2.0');", "'2."), encoding="utf-8")
    project = read_athena(path)
    assert len(project.records) == 1
    assert project.warnings == ("1 record is damaged or cut off and was left out.",)


def test_what_a_user_is_told(tmp_path: Path, small_data: Path) -> None:
    packed = (small_data / "xas" / "S_CAMD.prj").read_bytes()
    cases = {
        "cut.prj": (packed[: len(packed) // 2], "cannot be uncompressed"),
        "no.prj": (b"energy mu\n1 2\n", "is not an Athena project"),
        "empty.prj": (b"# Athena project file -- Demeter\n", "holds no spectrum"),
        "half.prj": (b'{"_____header1": "# Athena project file", "a": {', "its JSON cannot be read"),
        "other.prj": (b'{"a": 1}', "is not an Athena project"),
    }
    for name, (content, sentence) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ReadError, match=sentence):
            read_athena(tmp_path / name)
