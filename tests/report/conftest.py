"""A study of two cells with known capacities, and a board that stands on it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.catalog import CellFields, MeasurementFields
from analysis.catalog.boards import Action, BoardRecord
from analysis.core.run import run
from analysis.report.pins import Shown, freeze
from analysis.workspace import Workspace

HOUR_S = 3600


def cycler_file(path: Path, fade: float) -> Path:
    """Six cycles at 1 mA; the discharge loses ``fade`` of its hour each cycle."""
    lines, t = ["Test Time / s,Voltage / V,Current / A,Cycle Count / 1"], 0.0
    for cycle in range(1, 7):
        for current, seconds in ((1e-3, HOUR_S), (-1e-3, HOUR_S * (1 - fade * cycle))):
            for k in range(31):
                voltage = 3.0 + 0.02 * k if current > 0 else 3.6 - 0.02 * k
                lines.append(f"{t + seconds * k / 30:.3f},{voltage:.3f},{current},{cycle}")
            t += seconds + 60
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def take(workspace: Workspace, folder: Path, cell: str, group: str, fade: float, origin: str):
    folder.mkdir(exist_ok=True)
    return workspace.import_files(
        [cycler_file(folder / f"{cell}.bdf.csv", fade)],
        cell=CellFields.check({"name": cell, "group": group, "active_mass_mg": 2.0, "origin": origin}),
        measurement=MeasurementFields.check({"origin": origin}),
    )


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


def shown(workspace: Workspace) -> Shown:
    """What the cycling page shows of all cells."""
    items = []
    for m in workspace.catalog.measurements():
        key = run(workspace.request("cycling.summary", m), workspace.registry, workspace.store)
        items.append(workspace.labelled(key, m))
    return Shown(
        view="cycling.capacity",
        figure="cycling.capacity",
        title="Discharge capacity <b>and</b> efficiency",
        page="/cycling",
        query={"ref": "uncoated"},
        params={"x": "absolute"},
        items=tuple(items),
        groups=("uncoated", "coated"),
        layout={"xaxis.range": [0.5, 4.5], "paper_bgcolor": "red", "xaxis.title.text": "mine"},
    )


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
