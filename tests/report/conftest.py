"""A study of two cells with known capacities, and a board that stands on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards_study import shown, take

from analysis.catalog.boards import Action, BoardRecord
from analysis.report.pins import freeze
from analysis.workspace import Workspace


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, made once; tests work on copies."""
    folder = tmp_path_factory.mktemp("report")
    workspace = Workspace(folder / "study")
    take(workspace, folder / "files", "bare", "uncoated", 0.05, "measured")
    take(workspace, folder / "files", "shell", "coated", 0.02, "synthetic")
    shown(workspace)
    workspace.catalog.close()
    return workspace.root


@pytest.fixture
def study(prepared: Path, tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(Path(shutil.copytree(prepared, tmp_path / "study")))
    yield workspace
    workspace.catalog.close()


@pytest.fixture
def board(study: Workspace) -> BoardRecord:
    """A board with one figure, a note with tags, a decision and an action."""
    pin = freeze(
        shown(study), study.store, study.registry, note="Fades **less**. <script>alert(1)</script> ![x](http://elsewhere.org/x.png)"
    )
    actions = (
        Action.check({"what": "decision", "text": "Coat all <i>cells</i>"}),
        Action.check({"what": "action", "text": "Repeat at 60 °C", "owner": "Ada", "date": "2026-03-01"}),
    )
    made = study.catalog.boards.add("Review March", notes="# Result\n\n- coated cells last")
    return study.catalog.boards.save(
        made.id, lambda c: c.model_copy(update={"pins": (pin,), "actions": actions}), "filled", expected=made.version
    )
