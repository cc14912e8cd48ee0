"""How soon a particle stands in 3D and how it turns, with 200 k and 1 M triangles: a real Chromium in front of a server in its own process.

``python -m benchmarks.browser_volume [--quick]`` prints the section; ``run`` returns it.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from benchmarks import places
from benchmarks.browser_slices import QUICK_TURNS, TURNS, chromium, server, turned
from benchmarks.report import Section, Table

MODULE = "benchmarks.browser_volume"
FACES = {"few": 200_000, "many": 1_000_000}
SIDE = 400  # voxels: the surface has more than a million triangles before it is simplified
SHELL_FACES = 40_000


def run(*, quick: bool) -> Section:
    turns = QUICK_TURNS if quick else TURNS
    with places.folder() as folder, server(folder / "study", MODULE) as address, chromium() as (browser, version):
        found = [turned(browser, address, turns, show) for show in FACES]
    rows = tuple((what, *(dict(column)[what] for column in found)) for what, _ in found[0])
    intro = (
        f"Chromium {version} with software WebGL (no graphics card), 1040 × 1100 pixels: a rough particle coloured by a map, in a "
        f"transparent shell of {SHELL_FACES:,} triangles, as the Cracks page shows it. First picture: from the start of the navigation to "
        "the frame after the drawing, scripts and triangles included; surfaces are stored, as they are after their job. Each frame is "
        "waited for until the drawing is finished."
    )
    columns = ("what", *(f"{n:,} triangles asked for" for n in FACES.values()))
    return Section("volume", "Particles in 3D in the browser", intro, (Table("3D", columns, rows),))


# -- what is served ----------------------------------------------------------------------------------------------------------


def _rough() -> np.ndarray:
    """A ball with a rough surface, a value in each of its voxels, NaN outside; shape (SIDE,) * 3."""
    z, y, x = np.ogrid[tuple(slice(-1, 1, complex(0, SIDE)) for _ in range(3))]
    radius = np.sqrt(z**2 + y**2 + x**2) + 0.02 * np.sin(40 * z) * np.sin(44 * y) * np.sin(38 * x)
    return np.where(radius < 0.85, 8345 + z + 0.5 * x, np.nan).astype(np.float32)


def _filled(store: Any) -> dict[str, dict[str, Any]]:
    """The surfaces of each size, with their shell."""
    from analysis import surface
    from analysis.viewform import make_view
    from components.volume_view import solid

    surface.MOST_VOXELS = SIDE**3  # what is measured is the browser: the surface is taken at full resolution
    values = xr.Dataset({"shown": (("z", "y", "x"), _rough(), {"units": "1", "title": "Shown"})}, attrs={"voxel_um": 0.03})
    store.put("d-rough", values, {"kind": "dataset"})
    form = make_view(store, {"source": "d-rough", "variable": "shown"})
    shell = surface.make_surface(store, surface.plan_surface(store, form, faces=SHELL_FACES, smooth=2.0).payload)
    made = {n: surface.make_surface(store, surface.plan_surface(store, form, form, faces=f).payload) for n, f in FACES.items()}
    return {name: solid(key, shell=shell) for name, key in made.items()}


def _serve(study: Path, port: int) -> None:
    import dash_mantine_components as dmc
    from dash import html
    from flask import request
    from werkzeug.serving import make_server

    from app import create_app
    from components.context import CONFIG
    from components.volume_view import volume_view

    app = create_app(study, pool=False)
    made = _filled(app.server.config[CONFIG].workspace.store)

    def layout() -> Any:
        name = (request.referrer or "").rpartition("show=")[2]
        if name not in made:
            return html.Div()
        return dmc.MantineProvider(html.Div(volume_view("view", made[name]), style={"height": 1090}))

    app.layout = layout
    make_server("127.0.0.1", port, app.server, threaded=True).serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
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
