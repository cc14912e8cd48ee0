"""How soon masks follow a parameter in the workbench: a real Chromium in front of a server in its own process.

``python -m benchmarks.browser_masks [--quick]`` prints the section; ``run`` returns it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import places, served
from benchmarks.crack_speed import phantom
from benchmarks.report import Section, Table

MODULE = "benchmarks.browser_masks"
CLOCK = (Path(__file__).parent / "browser_masks.js").read_text(encoding="utf-8")
SIZE = (1440, 900)
SIDE = 512
TIMES, QUICK_TIMES = 15, 3
AIM_MS = 300
FOUND_MS = 600_000  # until the particles of the volume are found
# What is changed: its name in the address, and values that take turns.
CHANGES = {
    "seed": ("a crack begins at", (5, 7)),
    "grow": ("and goes on down to", (2.5, 3.5)),
    "depth": ("least darkness of a beginning", (0.12, 0.2)),
    "margin": ("cracks begin below the surface at", (3, 5)),
    "min_crack": ("smallest crack", (50, 100)),
}


def run(*, quick: bool) -> Section:
    times = QUICK_TIMES if quick else TIMES
    with places.folder() as folder, served.own(MODULE, folder / "study") as address, served.chromium() as (browser, version):
        found = _changed(browser, address, times)
    rows = tuple(_row(words, found[name]) for name, (words, _) in CHANGES.items())
    intro = (
        f"Chromium {version}, {SIZE[0]} × {SIZE[1]}: the workbench over a synthetic tomogram of {SIDE}³ voxels, three slices through its "
        "middle, nothing stored. Clock: `performance.now()` in the page, from the change of the parameter to the mask drawn over the first "
        f"slice, and over all three; {times} changes each, to and fro between two values."
    )
    columns = ("parameter", "first slice, median", "all three, median", "all three, 95 %", "times", "aim for a slice", "reached")
    return Section("masks", "Masks while a parameter changes", intro, (Table("Preview", columns, rows),))


def _changed(browser: Any, address: str, times: int) -> Mapping[str, list[list[float]]]:
    with served.page(browser, CLOCK, SIZE, f"{address}/cracks?tab=workbench") as page:
        page.set_default_timeout(FOUND_MS)
        page.evaluate(f"masks.ready({FOUND_MS})")
        return {
            name: page.evaluate("([name, values, times]) => masks.change(name, values, times)", [name, [str(v) for v in values], times])
            for name, (_, values) in CHANGES.items()
        }


def _row(words: str, found: list[list[float]]) -> tuple[str, ...]:
    first, whole = np.array(found).T
    middle = float(np.median(first))
    verdict = "yes" if middle < AIM_MS else "**no**"
    late = np.percentile(whole, 95)
    return (words, f"{middle:.0f} ms", f"{np.median(whole):.0f} ms", f"{late:.0f} ms", str(len(whole)), f"{AIM_MS} ms", verdict)


def serve(study: Path, port: int) -> None:
    """A study of one tomogram."""
    from analysis.catalog import CellFields, HarvestFields, MeasurementFields, ParticleFields
    from analysis.workspace import Workspace
    from app import create_app

    study.mkdir(parents=True)
    path, _ = phantom(study.parent, (SIDE, SIDE, SIDE))
    charged: dict[str, Any] = {"state": "charged", "cycle_number": 6}
    workspace = Workspace(study)
    workspace.import_files(
        [path],
        cell=CellFields(name="C1", group="uncoated"),
        measurement=MeasurementFields(**charged, origin="synthetic"),
        harvest=HarvestFields(**charged),
        particle=ParticleFields(name="P1"),
        reader_id="xanes.volume",
        options={"voxel_um": 0.03},
    )
    workspace.catalog.close()
    served.forever(create_app(study, pool=True), port)


if __name__ == "__main__":
    served.main(MODULE, __doc__, run, serve)
