"""How the parts of modalities are found."""

import logging
import sys
import zipfile
from pathlib import Path

import pytest
import xarray as xr

from analysis.core.data import Schema
from analysis.core.errors import ParamError, ReadError
from analysis.core.registry import HEAD_BYTES, Figure, Modality, Probe, Reader, Recipe, Registry, load

ANY = Schema("test.any", {})


def reader(name: str, sure: float, *suffixes: str) -> Reader:
    return Reader(name, name, ANY, suffixes, lambda _probe: sure, lambda _paths, _options: xr.Dataset())


def recipe(name: str) -> Recipe:
    return Recipe(name, name, {}, ANY, lambda **_: xr.Dataset())


def registry(*readers: Reader) -> Registry:
    return Registry(
        {"m": Modality("m", "M", readers=readers, recipes=(recipe("m.sum"),), figures=(Figure("m.plot", "Plot", "test.any", print),))}
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Cell 1.TXT"
    path.write_text("Time/s\tVoltage/V\n", encoding="ascii")
    return path


def test_the_surest_reader_comes_first_and_the_suffix_breaks_ties(file: Path) -> None:
    r = registry(reader("no", 0.0, ".txt"), reader("shape", 0.5, ".txt"), reader("mark_csv", 1.0, ".csv"), reader("mark_txt", 1.0, ".txt"))
    assert [x.id for x, _ in r.candidates(file)] == ["mark_txt", "mark_csv", "shape"]
    assert r.recognise(file).id == "mark_txt"


def test_a_file_that_nobody_knows(file: Path) -> None:
    with pytest.raises(ReadError, match=r"No reader recognises the content of Cell 1\.TXT") as caught:
        registry(reader("a", 0.0, ".mpr", ".mpt"), reader("b", 0.0, ".ndax")).recognise(file)
    assert ".mpr, .mpt, .ndax" in caught.value.hint


def test_empty_missing_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "empty.mpr").touch()
    with pytest.raises(ReadError, match=r"empty\.mpr is empty \(0 bytes\)"):
        registry(reader("a", 1.0)).recognise(tmp_path / "empty.mpr")
    with pytest.raises(ReadError, match=r"gone\.mpr cannot be opened: No such file"):
        registry(reader("a", 1.0)).recognise(tmp_path / "gone.mpr")
    with pytest.raises(ReadError, match="cannot be opened"):
        registry(reader("a", 1.0)).recognise(tmp_path)


def test_a_reader_that_fails_to_look_does_not_keep_the_others_from_the_file(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    faulty = Reader("faulty", "", ANY, (), lambda probe: probe.head[10**6], lambda _paths, _options: xr.Dataset())
    with caplog.at_level(logging.ERROR):
        assert registry(faulty, reader("good", 0.5)).recognise(file).id == "good"
    assert "reader faulty cannot tell" in caplog.text


@pytest.mark.parametrize("method", ["recipe", "reader", "figure"])
def test_an_unknown_name_lists_the_known_ones(method: str) -> None:
    with pytest.raises(ParamError, match=f"There is no {method} 'm.x'") as caught:
        getattr(registry(reader("m.txt", 1.0)), method)("m.x")
    assert caught.value.hint.startswith("Known: m.")


def test_parts_are_found_by_id_and_figures_by_schema() -> None:
    r = registry(reader("m.txt", 1.0))
    assert (r.recipe("m.sum").id, r.reader("m.txt").id, r.figure("m.plot").id) == ("m.sum", "m.txt", "m.plot")
    assert [f.id for f in r.figures("test.any")] == ["m.plot"]
    assert r.figures("other") == ()


# -- the probe ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("latin-1", b"")]
)
def test_the_head_as_text_in_the_encodings_of_instruments(tmp_path: Path, encoding: str, mark: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(mark + "Zeit/µs".encode(encoding))
    assert Probe.of(tmp_path / "a.txt").text == "Zeit/µs"


def test_a_probe_looks_at_the_head_only_and_cuts_characters_safely(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_bytes(b"\xff\xfe" + "µ".encode("utf-16-le") * HEAD_BYTES + b"\x01")
    probe = Probe.of(tmp_path / "big.txt")
    assert len(probe.head) == HEAD_BYTES
    assert probe.size == 2 * HEAD_BYTES + 3
    assert set(probe.text) == {"µ"}


def test_members_of_archives_and_of_what_only_looks_like_one(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.ndax", "w") as z:
        z.writestr("data.ndc", b"x")
    (tmp_path / "cut.ndax").write_bytes((tmp_path / "a.ndax").read_bytes()[:40])
    assert Probe.of(tmp_path / "a.ndax").members == ("data.ndc",)
    assert Probe.of(tmp_path / "cut.ndax").members == ()


# -- loading -----------------------------------------------------------------------------------------------------------------

GOOD = "from analysis.core.registry import Modality\nMODALITY = Modality({id!r}, 'Good')\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    texts = {
        "mod_good": GOOD.format(id="good"),
        "mod_typo": "def broken(:\n",
        "mod_lacks": "import a_library_that_is_not_installed\n",
        "mod_raises": "1 / 0\n",
        "mod_empty": "",
        "mod_twin": GOOD.format(id="good"),
        "mod_last": GOOD.format(id="last"),
    }
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tuple(texts)
    for name in texts:
        sys.modules.pop(name, None)


def test_a_broken_modality_is_listed_with_its_reason_and_the_rest_runs(packages: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    found = load((*packages, "no_such_package"))
    assert list(found.modalities) == ["good", "last"]
    assert set(found.broken) == {"mod_typo", "mod_lacks", "mod_raises", "mod_empty", "mod_twin", "no_such_package"}
    assert found.broken["mod_typo"].startswith("SyntaxError")
    assert "a_library_that_is_not_installed" in found.broken["mod_lacks"]
    assert found.broken["mod_raises"].startswith("ZeroDivisionError")
    assert "another modality has modality good" in found.broken["mod_twin"]
    assert "modality mod_raises does not load" in caplog.text
