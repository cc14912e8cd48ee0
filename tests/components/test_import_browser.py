"""The folder browser: what lies below the roots, and nothing else."""

import os
from pathlib import Path
from typing import Any

import pytest
from flask import current_app

from analysis.core.errors import ParamError
from components import import_browser, import_work
from components.context import CONFIG, Context
from components.import_browser import inside, listing


@pytest.fixture
def tree(served: Any, tmp_path: Path) -> Path:
    """Files below and beside the offered folder, with links in both directions."""
    offered: Path = served.offered
    (offered / "run 1").mkdir()
    (offered / "run 1" / "b.csv").write_text("b")
    (offered / "A.csv").write_text("aa")
    (offered / ".secret").write_text("x")
    (offered / ".git").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "private.csv").write_text("p")
    os.symlink(tmp_path / "outside", offered / "out")
    os.symlink(tmp_path / "outside" / "private.csv", offered / "private.csv")
    os.symlink(offered / "run 1", offered / "in")
    os.symlink(offered / "nowhere", offered / "broken")
    return offered


def test_a_folder_lists_what_may_be_seen(served: Any, tree: Path) -> None:
    found = listing(0, "")
    assert found.folders == ("in", "run 1")
    assert found.files == (("A.csv", 2),)
    assert listing(0, "run 1").files == (("b.csv", 1),)
    assert listing(0, "in").files == (("b.csv", 1),), "links inside are followed"


@pytest.mark.parametrize(
    "path", ["out", "out/private.csv", "private.csv", "..", "../outside", "run 1/../..", "/etc", ".git", ".secret", "a\\b"]
)
def test_nothing_leads_out_of_the_roots(served: Any, tree: Path, path: str) -> None:
    with pytest.raises(ParamError):
        inside(0, path)


@pytest.mark.parametrize("root", [-1, 1, 99])
def test_only_given_roots_exist(served: Any, root: int) -> None:
    with pytest.raises(ParamError):
        inside(root, "")


def test_a_folder_that_is_gone_says_so(served: Any, tree: Path) -> None:
    with pytest.raises(ParamError, match="gone cannot be listed"):
        listing(0, "gone")


def test_without_roots_it_says_how_to_give_them(served: Any) -> None:
    context: Context = current_app.config[CONFIG]
    current_app.config[CONFIG] = Context(context.workspace, context.jobs, ())
    assert "--roots DIR" in str(import_browser.body({"root": 0, "path": ""}))


def test_a_long_folder_is_shown_in_part(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_browser, "MOST", 3)
    for i in range(5):
        (served.offered / f"{i}.csv").write_text("")
    found = listing(0, "")
    assert [n for n, _ in found.files] == ["0.csv", "1.csv", "2.csv"]
    assert found.more


def test_chosen_files_wait_where_they_lie(served: Any, tree: Path) -> None:
    nudge = import_browser.add(1, [True, False], [{"name": "A.csv"}, {"name": "B.csv"}], {"root": 0, "path": ""})
    assert nudge == 1
    (entry,) = served.staging.entries()
    assert (entry.path, entry.referenced) == (tree.resolve() / "A.csv", True)
    assert import_work.is_allowed(entry.path)
    assert not import_work.is_allowed(tree / "private.csv")


def test_a_file_that_became_a_link_outside_is_not_imported(served: Any, tmp_path: Path) -> None:
    lines = "".join(f"{i},3.{i:02d},0.5\n" for i in range(50))
    place = served.offered / "a.csv"
    place.write_text("Test Time (s),Voltage (V),Current (mA)\n" + lines)
    sid = served.staging.refer(place.resolve())
    import_work.look([sid])
    (lot,) = import_work.lots()
    assert lot.state == "ready"
    place.rename(tmp_path / "moved.csv")
    os.symlink(tmp_path / "moved.csv", place)
    with pytest.raises(ParamError, match="not below the folders"):
        import_work.start(lot)
