"""How fast slices follow the hand: a real Chromium in front of a server in its own process.

``python -m benchmarks.browser_slices [--quick]`` prints the section; ``run`` returns it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks import places, served
from benchmarks.report import Section, Table

MODULE = "benchmarks.browser_slices"
CLOCK = (Path(__file__).parent / "browser_slices.js").read_text(encoding="utf-8")
SIZE = (1040, 1100)
SIDES = (512, 1024)
DEPTH = 160  # slices: more than two chunks, so that unpacking is among what is measured
ENERGIES, STACK_DEPTH = 6, 64
STEPS, QUICK_STEPS = 120, 24
PACE_MS = 40  # between the slices of a hand that scrubs: 25 a second
AIM_MS = {512: 50, 1024: 100}


@dataclass(frozen=True)
class Walk:
    """Milliseconds from the change of index or layer to the frame that shows it, and the bytes a pixel that came for it."""

    what: str
    found: Sequence[float]
    aim_ms: float
    bytes_a_pixel: float

    def row(self) -> tuple[str, ...]:
        middle, late = np.percentile(self.found, [50, 95])
        verdict = "yes" if middle <= self.aim_ms else "**no**"
        size = f"{self.bytes_a_pixel:.2f}"
        return (self.what, f"{middle:.0f} ms", f"{late:.0f} ms", str(len(self.found)), size, f"{self.aim_ms:.0f} ms", verdict)


def run(*, quick: bool) -> Section:
    steps = QUICK_STEPS if quick else STEPS
    with places.folder() as folder, served.own(MODULE, folder / "study") as address, served.chromium() as (browser, version):
        walks = [w for side in SIDES for w in _walked(browser, address, side, steps)]
    intro = (
        f"Chromium {version} with software WebGL, one pane of 1024 × 1024 pixels (512² fills 512 × 512 of it), {DEPTH} slices of camera "
        "counts: a smooth body with noise. Clock: `performance.now()` from the change of the index to the frame after the drawing. "
        f"Scrubbing: one slice every {PACE_MS} ms along z, 8 bits; jumps: to random slices, nothing prefetched; at rest: from the "
        "end of the wait for rest (130 ms) to the 16-bit slice on the screen. Bytes a pixel: bodies of the answers over their pixels."
    )
    columns = ("slice change", "median", "95 %", "times", "bytes a pixel", "aim for the median", "reached")
    return Section("slices", "Slices in the browser", intro, (Table("Slices", columns, tuple(w.row() for w in walks)),))


def _walked(browser: Any, address: str, side: int, steps: int) -> list[Walk]:
    walks = []
    with served.page(browser, CLOCK, SIZE, f"{address}/?show=plane-{side}") as page:
        page.evaluate("slices.ready('view')")
        page.evaluate("side => slices.fill('view', side)", side)
        for words, call in (
            ("scrubbing", f"slices.scrub('view', {steps}, {PACE_MS})"),
            ("jumps while scrubbing", f"slices.jump('view', {steps // 2})"),
            ("at rest", f"slices.rest('view', {steps // 4})"),
        ):
            found = page.evaluate(call)
            walks.append(Walk(f"{side}², {words}", found["ms"], AIM_MS[side], found["bytes"] / max(1, found["pixels"])))
    if side == SIDES[0]:
        with served.page(browser, CLOCK, SIZE, f"{address}/?show=stack") as page:
            page.evaluate("slices.ready('view')")
            page.evaluate("side => slices.fill('view', side)", side)
            found = page.evaluate(f"slices.layers('view', {steps // 2}, {PACE_MS})")
            walks.append(Walk(f"{side}², next energy while scrubbing", found["ms"], AIM_MS[side], found["bytes"] / max(1, found["pixels"])))
    return walks


# -- what is served ----------------------------------------------------------------------------------------------------------


def _body(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Counts of a camera: a smooth body with noise over it, which does not compress well; another noise on every slice."""
    rng = np.random.default_rng(seed)
    depth, rows, columns = shape[:3]
    y, x = np.ogrid[-1 : 1 : complex(0, rows), -1 : 1 : complex(0, columns)]
    smooth = 20_000 + 6_000 * np.sin(7 * y) * np.cos(9 * x)
    noise = rng.normal(0, 500, (rows, columns))
    made = np.empty(shape, np.uint16)
    for z in range(depth):
        plane = smooth + np.roll(noise, 37 * z, axis=z % 2) + 20 * z
        made[z] = plane if len(shape) == 3 else plane[..., None] + 1000 * np.arange(shape[3])
    return made


def fill(store: Any) -> dict[str, Any]:
    """One view of each measurement, over its view form."""
    from analysis.viewform import make_view
    from components.image_view import image_view, shown

    space = ("z", "y", "x")
    bodies: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {f"plane-{n}": (space, (DEPTH, n, n)) for n in SIDES}
    bodies["stack"] = ((*space, "energy"), (STACK_DEPTH, 512, 512, ENERGIES))
    made: dict[str, Any] = {}
    for number, (name, (dims, shape)) in enumerate(bodies.items()):
        key = f"d-{name.replace('-', '')}"
        body = xr.Dataset({"shown": (dims, _body(shape, number), {"units": "1", "title": "Shown"})}, attrs={"voxel_um": 0.03})
        store.put(key, body, {"kind": "dataset"})
        form = {"key": make_view(store, {"source": key, "variable": "shown"}), "variable": "shown"}
        made[name] = image_view("view", shown(form, axes=("z",)))
    return made


if __name__ == "__main__":
    served.main(MODULE, __doc__, run, partial(served.serve_views, fill=fill))
