"""Boards over HTTP: pin, change, staleness, refresh, conflicts, exports as jobs, studies in and out."""

from pathlib import Path
from typing import Any

import pytest
from conftest import Served

from analysis.catalog import CellFields
from components import board_state, cycling_view
from components.board_routes import boards
from components.board_view import body, markdown
from components.views import register as _register

KEPT = (cycling_view, _register)  # the views of the cycling page are registered by its import


@pytest.fixture
def board(served: Served, tmp_path: Path) -> Served:
    """A served study of two cells whose figures can be pinned."""
    from flask import current_app

    current_app.register_blueprint(boards)
    for cell, group, fade in (("bare", "uncoated", 0.05), ("shell", "coated", 0.02)):
        served.workspace.import_files(
            [cycles(tmp_path / f"{cell}.csv", fade)], cell=CellFields.check({"name": cell, "group": group, "active_mass_mg": 2.0})
        )
    return served


def cycles(path: Path, fade: float) -> Path:
    lines, t = ["Test Time / s,Voltage / V,Current / A,Cycle Count / 1"], 0.0
    for cycle in range(1, 4):
        for current, seconds in ((1e-3, 3600), (-1e-3, 3600 * (1 - fade * cycle))):
            for k in range(11):
                lines.append(f"{t + seconds * k / 10:.3f},{3.0 + 0.05 * k if current > 0 else 3.5 - 0.05 * k:.3f},{current},{cycle}")
            t += seconds + 60
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pinned(served: Served, **more: Any) -> dict[str, Any]:
    asked = {
        "name": "Review",
        "view": "cycling.capacity",
        "search": "?ref=uncoated&cmp=coated&tab=x",
        "page": "/cycling",
        "title": "",
        "note": "",
        **more,
    }
    answer = served.client.post("/board/pin", json=asked)
    assert "problem" not in answer.get_json(), answer.text
    return dict(answer.get_json())


def problem(served: Served, url: str, asked: dict[str, Any]) -> str:
    return str(served.client.post(url, json=asked).get_json()["problem"])


def the_pin(board: Served, number: int):
    return board.workspace.catalog.boards.get(number).content.pins[-1]


def test_a_pin_keeps_the_part_of_the_address_that_the_figure_reads(board: Served) -> None:
    made = pinned(board, layout={"xaxis.range": [1, 2]}, note="n")
    pin = the_pin(board, made["id"])
    assert (pin.view, pin.query, pin.title, pin.note) == (
        "cycling.capacity",
        {"ref": "uncoated", "cmp": "coated"},
        "Discharge capacity and coulombic efficiency",
        "n",
    )
    assert [i.label for i in pin.items] == ["bare", "shell"]
    assert pin.layout == {"xaxis.range": [1, 2]}
    assert board_state.state(pin) == board_state.State(False)
    assert pinned(board, board=made["id"])["version"] == made["version"] + 1
    assert "No page of this program draws 'none'" in problem(board, "/board/pin", {"view": "none"})


def test_reprocessed_data_make_it_stale_and_only_a_refresh_changes_it(board: Served) -> None:
    made = pinned(board)
    before = the_pin(board, made["id"])
    results = set(board.workspace.store.keys("r"))
    board.workspace.catalog.update_cell("bare", active_mass_mg=4.0)
    state = board_state.state(before)
    assert state.stale
    assert any("computed anew" in s and "bare" in s for s in state.sentences)
    assert set(board.workspace.store.keys("r")) == results  # looking has computed nothing
    assert the_pin(board, made["id"]) == before
    answer = board.client.post(f"/board/{made['id']}/refresh", json={"version": made["version"], "pin": before.id})
    assert answer.get_json()["version"] == made["version"] + 1
    after = the_pin(board, made["id"])
    assert after.items[0].key != before.items[0].key
    assert after.items[1].key == before.items[1].key
    assert not board_state.state(after).stale
    assert any("Other results now: bare (changed: parameters)" in s for s in board_state.state(before).sentences)


def test_a_deleted_cell_is_said_and_the_figure_is_still_drawn(board: Served) -> None:
    made = pinned(board)
    board.workspace.catalog.delete_cell("bare")
    board.workspace.prune()
    pin = the_pin(board, made["id"])
    state = board_state.state(pin)
    assert state.stale
    assert state.sentences[0] == "Not in the catalog any more (deleted, or read anew): bare. Drawn from the pinned results."
    shown = body(board.workspace.catalog.boards.get(made["id"]), editable=True).to_plotly_json()
    assert "bare" in str(shown)
    assert "cannot be drawn" not in str(shown)


def test_two_people_at_one_board(board: Served) -> None:
    made = pinned(board)
    url = f"/board/{made['id']}/change"
    asked = {"version": made["version"], "do": "texts", "title": "Theirs", "notes": "a"}
    assert board.client.post(url, json=asked).get_json()["name"] == "Theirs"
    assert "saved meanwhile by somebody else" in problem(board, url, {**asked, "title": "Mine"})
    assert board.workspace.catalog.boards.get(made["id"]).name == "Theirs"
    assert "names the version" in problem(board, url, {"do": "texts", "title": "x"})
    back = board.client.post(f"/board/{made['id']}/restore", json={"version": made["version"] + 1, "to": made["version"]})
    assert back.get_json()["name"] == "Review"


def test_notes_are_markdown_without_markup(board: Served) -> None:
    shown = markdown("**a** <script>alert(1)</script> ![x](http://elsewhere.org/x.png)").to_plotly_json()["props"]
    assert "dangerously_allow_html" not in shown
    assert "![" not in shown["children"]


def test_exports_are_jobs_whose_file_is_an_attachment(board: Served) -> None:
    made = pinned(board)
    told = board.client.post(f"/board/{made['id']}/export", json={"version": made["version"], "kind": "html"}).get_json()
    assert told["state"] == "done", told
    answer = board.client.get(told["file"])
    assert answer.headers["Content-Disposition"] == "attachment; filename=review.html"
    assert b"plotly" in answer.data
    answer.close()
    same = board.client.post(f"/board/{made['id']}/export", json={"version": made["version"], "kind": "html"}).get_json()
    assert same["key"] == told["key"]
    assert "'docx' is not a way to export" in problem(board, f"/board/{made['id']}/export", {"kind": "docx"})
    assert board.client.get("/board/jobs/..%2fsecret/file").status_code in (404, 409)
    assert board.client.get("/board/jobs/x-00000000000000000000000000000000/file").status_code == 409


def test_a_study_leaves_and_comes_back_beside(board: Served) -> None:
    made = pinned(board)
    told = board.client.post("/board/study/export").get_json()
    with board.client.get(told["file"]) as answer:
        packed = answer.data
    told = board.client.post("/board/study/import?name=copy", data=packed).get_json()
    assert told["state"] == "done", told
    assert "python app.py --workspace" in told["message"]
    from analysis.workspace import Workspace

    copy = Workspace(board.workspace.root.parent / "copy")
    assert copy.catalog.boards.get(made["id"]) == board.workspace.catalog.boards.get(made["id"])
    copy.catalog.close()
    for name, sentence in (("copy", "already a folder 'copy'"), ("..%2Fx", "folder name of letters")):
        assert sentence in board.client.post(f"/board/study/import?name={name}", data=packed).get_json()["problem"]
    broken = board.client.post("/board/study/import?name=other", data=packed[: len(packed) // 2]).get_json()
    assert (broken["state"], (board.workspace.root.parent / "other").exists()) == ("failed", False)
    assert "damaged or not a study archive" in broken["message"]
    assert list((board.workspace.root / "cache" / "imports").iterdir()) == []
