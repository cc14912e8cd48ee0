"""How fast slices follow the hand, and how fast a particle turns: a real Chromium in front of a server in its own process.

``python -m benchmarks.browser_slices [--quick]`` prints the section; ``run`` returns it.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks import in_browser, measure, places
from benchmarks.report import Section, Table

SIDES = (512, 1024)
DEPTH = 160  # slices: more than two chunks, so that unpacking is among what is measured
ENERGIES, STACK_DEPTH = 6, 64
FACES = 200_000
STEPS, QUICK_STEPS = 120, 24
PACE_MS = 40  # between the slices of a hand that scrubs: 25 a second
TURNS, QUICK_TURNS = 40, 8
START_S = 400.0  # making the volumes and their view forms
AIM_MS = {512: 50, 1024: 100}
CLOCK = (Path(__file__).parent / "browser_slices.js").read_text(encoding="utf-8")
ARGUMENTS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")


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
    steps, turns = (QUICK_STEPS, QUICK_TURNS) if quick else (STEPS, TURNS)
    with places.folder() as folder, server(folder / "study") as address, chromium() as (browser, version):
        walks = [w for side in SIDES for w in _walked(browser, address, side, steps)]
        solid = turned(browser, address, turns)
    intro = (
        f"Chromium {version} with software WebGL, one pane of 1024 × 1024 pixels (512² fills 512 × 512 of it), {DEPTH} slices of camera "
        "counts: a smooth body with noise. Clock: `performance.now()` from the change of the index to the frame after the drawing. "
        f"Scrubbing: one slice every {PACE_MS} ms along z, 8 bits; jumps: to random slices, nothing prefetched; at rest: from the "
        "end of the wait for rest (130 ms) to the 16-bit slice on the screen. Bytes a pixel: bodies of the answers over their pixels."
    )
    columns = ("slice change", "median", "95 %", "times", "bytes a pixel", "aim for the median", "reached")
    return Section(
        "slices",
        "Slices and 3D in the browser",
        intro,
        (Table("Slices", columns, tuple(w.row() for w in walks)), Table("3D", ("what", "value"), solid)),
    )


def _walked(browser: Any, address: str, side: int, steps: int) -> list[Walk]:
    walks = []
    with _page(browser, f"{address}/?show=plane-{side}") as page:
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
        with _page(browser, f"{address}/?show=stack") as page:
            page.evaluate("slices.ready('view')")
            page.evaluate("side => slices.fill('view', side)", side)
            found = page.evaluate(f"slices.layers('view', {steps // 2}, {PACE_MS})")
            walks.append(Walk(f"{side}², next energy while scrubbing", found["ms"], AIM_MS[side], found["bytes"] / max(1, found["pixels"])))
    return walks


def turned(browser: Any, address: str, turns: int, show: str = "solid") -> tuple[tuple[str, str], ...]:
    """Waits for the first picture of a surface, and frames a second while it turns."""
    first: list[float] = []
    again: list[float] = []
    frames: dict[str, list[float]] = {"hand": [], "full": []}
    faces = 0
    for _ in range(2 if turns == QUICK_TURNS else 5):
        context = browser.new_context(viewport={"width": 1040, "height": 1100})
        for waits in (first, again):
            with _page(browser, f"{address}/?show={show}", context) as page:
                waits.append(page.evaluate("slices.solid('view')"))
                if waits is again:
                    faces = page.evaluate("window.volumeViews.get('view').meta.faces")
                    for kind, found in page.evaluate(f"slices.turn('view', {turns})").items():
                        frames[kind] += found
        context.close()
    rates = {kind: [1000 / f for f in found] for kind, found in frames.items()}
    return (
        ("triangles", f"{faces:,}"),
        ("open the page → first picture, nothing cached", f"{measure.median(first):.0f} ms"),
        ("open the page again → first picture, files cached", f"{measure.median(again):.0f} ms"),
        *(
            (f"frames a second, {words}: median (slowest 5 %)", f"{measure.median(rates[kind]):.1f} ({np.percentile(rates[kind], 5):.1f})")
            for kind, words in (("hand", "turned (half resolution where a drawing takes over 60 ms)"), ("full", "full resolution"))
        ),
    )


# -- browser and server ------------------------------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator[tuple[Any, str]]:
    from playwright.sync_api import sync_playwright

    names = (os.environ.get("CHROMIUM", ""), *in_browser.NAMES)
    path = next((found for n in names if n and (found := shutil.which(n))), None)
    if path is None:
        raise places.Missing("no Chromium; install it, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*in_browser.ARGUMENTS, *ARGUMENTS])
        yield browser, browser.version
        browser.close()


@contextmanager
def _page(browser: Any, address: str, context: Any = None) -> Iterator[Any]:
    own = context or browser.new_context(viewport={"width": 1040, "height": 1100})
    page = own.new_page()
    page.set_default_timeout(in_browser.LIMIT_MS)
    page.add_init_script(CLOCK)
    page.goto(address)
    yield page
    page.close()
    if context is None:
        own.close()


@contextmanager
def server(study: Path, module: str = "benchmarks.browser_slices") -> Iterator[str]:
    """A server of a benchmark in its own process: ``module`` makes what it serves in ``study``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, "--serve", str(study), "--port", str(port)]
    program = subprocess.Popen(command, cwd=places.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address, program)
        yield address
    finally:
        program.terminate()
        program.wait()


def _await(address: str, program: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and program.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not start")


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


def _filled(store: Any) -> dict[str, Any]:
    """The view forms and the surface of a workspace for these measurements."""
    from analysis.surface import make_surface, plan_surface
    from analysis.viewform import make_view

    space = ("z", "y", "x")
    bodies = {f"plane-{n}": (space, (DEPTH, n, n)) for n in SIDES}
    bodies |= {"stack": ((*space, "energy"), (STACK_DEPTH, 512, 512, ENERGIES)), "solid": (space, (256, 256, 256))}
    made: dict[str, Any] = {}
    for number, (name, (dims, shape)) in enumerate(bodies.items()):
        key = f"d-{name.replace('-', '')}"
        values = _body(shape, number) if name != "solid" else _rough(shape[0])
        store.put(
            key,
            xr.Dataset({"shown": (dims, values, {"units": "1", "title": "Shown"})}, attrs={"voxel_um": 0.03}),
            {"kind": "dataset"},
        )
        made[name] = {"key": make_view(store, {"source": key, "variable": "shown"}), "variable": "shown"}
    form = made["solid"]["key"]
    made["solid"] = make_surface(store, plan_surface(store, form, form, faces=FACES).payload)
    return made


def _rough(n: int) -> np.ndarray:
    """A ball with a rough surface, which takes many triangles."""
    z, y, x = np.ogrid[tuple(slice(-1, 1, complex(0, n)) for _ in range(3))]
    radius = np.sqrt(z**2 + y**2 + x**2) + 0.02 * np.sin(40 * z) * np.sin(44 * y) * np.sin(38 * x)
    return np.where(radius < 0.85, 8345 + z + 0.5 * x, np.nan).astype(np.float32)


def _serve(study: Path, port: int) -> None:
    import dash_mantine_components as dmc
    from dash import html
    from flask import request
    from werkzeug.serving import make_server

    from app import create_app
    from components.context import CONFIG
    from components.image_view import image_view, shown
    from components.volume_view import solid, volume_view

    app = create_app(study, pool=False)
    made = _filled(app.server.config[CONFIG].workspace.store)

    def layout() -> Any:
        name = (request.referrer or "").rpartition("show=")[2]
        if name not in made:
            return html.Div()
        what = volume_view("view", solid(made[name])) if name == "solid" else image_view("view", shown(made[name], axes=("z",)))
        return dmc.MantineProvider(html.Div(what, style={"height": 1090}))

    app.layout = layout
    make_server("127.0.0.1", port, app.server, threaded=True).serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.browser_slices", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    if args.serve:
        _serve(args.serve, args.port)
    else:
        print(run(quick=args.quick).markdown())


if __name__ == "__main__":
    main()
