"""report, archive and unarchive on the command line: files, exit codes, sentences."""

import json
from pathlib import Path

import pytest

from analysis.catalog.boards import BoardRecord
from analysis.cli import main
from analysis.workspace import Workspace


def test_a_board_and_a_study_from_the_command_line(
    board: BoardRecord, study: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(study.root), "--board", board.name, "--out", str(tmp_path / "b.txt")]) == 0
    assert "cycling.summary" in (tmp_path / "b.txt").read_text(encoding="utf-8")
    assert "version 2, 1 figure\n" in capsys.readouterr().out
    assert main(["archive", str(study.root), str(tmp_path / "s.zip"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["origins"] == ["measured", "synthetic"]
    assert main(["unarchive", str(tmp_path / "s.zip"), str(tmp_path / "copy"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["report", "STUDY", "--board", "None", "--out", "b.html"], "There is no board 'None'."),
        (["report", "STUDY", "--board", "Review March", "--out", "b.docx"], "'.docx' is not a format for boards."),
        (["report", "STUDY", "--board", "Review March", "--version", "9", "--out", "b.html"], "has no version 9"),
        (["report", "none", "--board", "x", "--out", "b.html"], "is not a workspace"),
        (["unarchive", "none.zip", "copy"], "There is no file none.zip."),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: list[str], sentence: str, board: BoardRecord, study: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([w.replace("STUDY", str(study.root)) for w in words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not Path("b.html").exists()
