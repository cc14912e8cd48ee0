"""How soon a particle stands in 3D and how it turns, with 200 k and 1 M triangles: a real Chromium in front of a server in its own process.

``python -m benchmarks.browser_volume [--quick]`` prints the section; ``run`` returns it.
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks import measure, places, served
from benchmarks.report import Section, Table

MODULE = "benchmarks.browser_volume"
CLOCK = (Path(__file__).parent / "browser_volume.js").read_text(encoding="utf-8")
SIZE = (1040, 1100)
FACES = {"few": 200_000, "many": 1_000_000}
SIDE = 400  # voxels: the surface has more than a million triangles before it is simplified
SHELL_FACES = 40_000
TIMES, QUICK_TIMES = 5, 2
TURNS, QUICK_TURNS = 40, 8


def run(*, quick: bool) -> Section:
    times, turns = (QUICK_TIMES, QUICK_TURNS) if quick else (TIMES, TURNS)
    with places.folder() as folder, served.own(MODULE, folder / "study") as address, served.chromium() as (browser, version):
        found = [_turned(browser, f"{address}/?show={name}", times, turns) for name in FACES]
    rows = tuple((what, *(column[what] for column in found)) for what in found[0])
    intro = (
        f"Chromium {version} with software WebGL (no graphics card), {SIZE[0]} × {SIZE[1]} pixels: a rough particle coloured by a map, in "
        f"a transparent shell of {SHELL_FACES:,} triangles, as the Cracks page shows it. First picture: from the start of the navigation "
        "to the frame after the drawing, scripts and triangles included; surfaces are stored, as they are after their job. Each frame is "
        "waited for until the drawing is finished."
    )
    columns = ("what", *(f"{n:,} triangles asked for" for n in FACES.values()))
    return Section("volume", "Particles in 3D in the browser", intro, (Table("3D", columns, rows),))


def _turned(browser: Any, address: str, times: int, turns: int) -> dict[str, str]:
    """Waits for the first picture of a surface, and frames a second while it turns."""
    first: list[float] = []
    again: list[float] = []
    frames: dict[str, list[float]] = {"hand": [], "full": []}
    faces = 0
    for _ in range(times):
        context = served.fresh(browser, SIZE)
        for waits in (first, again):
            with served.page(browser, CLOCK, SIZE, address, context) as page:
                waits.append(page.evaluate("solid.first('view')"))
                if waits is again:
                    faces = page.evaluate("window.volumeViews.get('view').meta.faces")
                    for kind, found in page.evaluate(f"solid.turn('view', {turns})").items():
                        frames[kind] += found
        context.close()
    rates = {kind: [1000 / f for f in found] for kind, found in frames.items()}
    said = {kind: f"{measure.median(r):.1f} ({np.percentile(r, 5):.1f})" for kind, r in rates.items()}
    return {
        "triangles": f"{faces:,}",
        "open the page → first picture, nothing cached": f"{measure.median(first):.0f} ms",
        "open the page again → first picture, files cached": f"{measure.median(again):.0f} ms",
        "frames a second, turned (half resolution where a drawing takes over 60 ms): median (slowest 5 %)": said["hand"],
        "frames a second, full resolution: median (slowest 5 %)": said["full"],
    }


def rough() -> np.ndarray:
    """A ball with a rough surface, a value in each of its voxels, NaN outside; shape (SIDE,) * 3."""
    z, y, x = np.ogrid[tuple(slice(-1, 1, complex(0, SIDE)) for _ in range(3))]
    radius = np.sqrt(z**2 + y**2 + x**2) + 0.02 * np.sin(40 * z) * np.sin(44 * y) * np.sin(38 * x)
    return np.where(radius < 0.85, 8345 + z + 0.5 * x, np.nan).astype(np.float32)


def fill(store: Any) -> dict[str, Any]:
    """The surfaces of each size, with their shell."""
    from analysis import surface
    from analysis.viewform import make_view
    from components.volume_view import solid, volume_view

    surface.MOST_VOXELS = SIDE**3  # what is measured is the browser: the surface is taken at full resolution
    values = xr.Dataset({"shown": (("z", "y", "x"), rough(), {"units": "1", "title": "Shown"})}, attrs={"voxel_um": 0.03})
    store.put("d-rough", values, {"kind": "dataset"})
    form = make_view(store, {"source": "d-rough", "variable": "shown"})
    shell = surface.make_surface(store, surface.plan_surface(store, form, faces=SHELL_FACES, smooth=2.0).payload)
    made = {n: surface.make_surface(store, surface.plan_surface(store, form, form, faces=f).payload) for n, f in FACES.items()}
    return {name: volume_view("view", solid(key, shell=shell)) for name, key in made.items()}


if __name__ == "__main__":
    served.main(MODULE, __doc__, run, partial(served.serve_views, fill=fill))
