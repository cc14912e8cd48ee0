"""Cells with known capacities, and what the cycling page shows of them."""

from pathlib import Path

from analysis.catalog import CellFields, MeasurementFields
from analysis.core.run import run
from analysis.report.pins import Shown
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
