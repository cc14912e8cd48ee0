"""The server: workspace, jobs, Dash app, routes, protection; and how it is run."""

import logging
import os
import socket
import threading
import webbrowser
from pathlib import Path
from typing import Any

import dash_ag_grid
import dash_mantine_components
from dash import Dash, _callback, _dash_renderer, dash_table, dcc
from flask import Flask
from werkzeug.serving import make_server

from analysis import cluster, tasks
from analysis.core import settings
from analysis.core.errors import UserError
from analysis.core.jobs import Executor, Inline, Jobs
from analysis.pool import Pool
from analysis.workspace import Workspace
from components.context import CONFIG, Context
from components.security import LOOPBACK, TOKEN_COOKIE, protect

log = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent
AT_ONCE = "async-graph.js"
POLYFILL = "deps/polyfill@7.12.1.min.js"
STATIC_AGE_S = 31536000
DEMO_JOB = "demo-study"
_CALLBACKS: list[tuple[dict[str, Any], Any]] = []  # what the browser is told of each, and what the server runs
# Modules and deferred scripts run in this order: what callbacks call is there before the page is asked for, and what draws figures
# is read while the server answers.
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{%title%}</title>
{%favicon%}
{%css%}
</head>
<body>
{%app_entry%}
<footer>
{%config%}
<script src="/assets/vendor/regenerator-runtime-0.14.1.js"></script>
{%scripts%}
<script id="_dash-renderer" type="module">START</script>
<script src="/assets/vendor/plotly-4.1.1.min.js" defer></script>
</footer>
</body>
</html>"""


def choose_workspace(given: Path | None) -> tuple[Path, bool]:
    """The workspace folder, and whether it is new (then the synthetic study is put in)."""
    root = given or settings.workspace() or Path("workspace")
    return root, given is None and settings.workspace() is None and not (root / "format").exists()


def use_scheduler(address: str, root: Path) -> None:
    """Have jobs over large arrays computed by a Dask cluster, after a look whether it can; nothing where none is named."""
    if address:
        os.environ[f"{settings.PREFIX}SCHEDULER"] = address  # the processes of the pool inherit it
    if settings.scheduler():
        workers = cluster.check(settings.scheduler(), Workspace(root).root)
        log.info("%s of the Dask scheduler at %s compute large arrays", f"{workers} workers", settings.scheduler())


def build(root: Path, *, roots: tuple[Path, ...], hosts: frozenset[str], token: str, pool: bool) -> Dash:
    """The app, ready to serve: every page imported, every callback defined, then protected."""
    os.environ["DASH_DISABLE_VERSION_CHECK"] = "true"  # Dash would ask an outside host
    workspace = Workspace(root)
    workspace.store.sweep()
    executor: Executor = Pool() if pool else Inline()
    app = Dash(
        "interplay",
        server=Flask("interplay", root_path=str(ROOT)),
        use_pages=True,
        pages_folder=str(ROOT / "pages"),
        assets_folder=str(ROOT / "assets"),
        assets_path_ignore=["vendor"],  # served, but loaded only by what needs it
        title="Interplay",
        update_title="",
        eager_loading=True,  # what draws figures is parsed while the page is asked for, not after it has come
        suppress_callback_exceptions=True,
        compress=bool(hosts - LOOPBACK),  # on this machine itself, packing costs more time than it saves
    )
    app.index_string = INDEX.replace("START", app.renderer)
    _load_less()  # plotly.js is among them once there is an app
    _share_callbacks()
    _configure(app, Context(workspace, Jobs(workspace.store, executor), tuple(r.resolve() for r in roots)))
    protect(app, hosts=LOOPBACK | {h.lower() for h in hosts}, token=token)
    # Dash registers its bundles and routes at the first page; under threads, early requests would fail.
    app.server.test_client().get("/", headers={"Cookie": f"{TOKEN_COOKIE}={token}"})
    return app


def _load_less() -> None:
    """Grids, editors, formulas and charts of the libraries come when they are shown; two bundles are replaced (``scripts/bundles``).

    plotly.js comes with the traces that figures have here, after the page was asked for; what the polyfills do, browsers do.
    """
    for library in (dash_ag_grid, dash_mantine_components, dash_table, dcc):
        for script in library._js_dist:
            if script.get("async") in (True, "eager") and not str(script["relative_package_path"]).endswith(AT_ONCE):
                script["async"] = "lazy"
    for needed in _dash_renderer._js_dist_dependencies:
        paths = needed["relative_package_path"]["prod"]
        paths[:] = [path for path in paths if path != POLYFILL]


def _share_callbacks() -> None:
    """Give this app every callback of the modules: Dash hands them to the first app of a process only."""
    waiting_list, waiting_map = _callback.GLOBAL_CALLBACK_LIST, _callback.GLOBAL_CALLBACK_MAP
    _CALLBACKS.extend((spec, waiting_map.get(spec["output"])) for spec in waiting_list)
    waiting_list[:] = [spec for spec, _ in _CALLBACKS]
    waiting_map.update({spec["output"]: entry for spec, entry in _CALLBACKS if entry is not None})


def _configure(app: Dash, context: Context) -> None:
    from components import (
        board_routes,
        catalog_routes,
        crack_routes,
        cracks_routes,
        exports,
        image_routes,
        import_uploads,
        particle_routes,
        shell,
    )  # Dash's pages must not be imported before the app exists

    app.server.config[CONFIG] = context
    app.server.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_AGE_S
    app.server.register_blueprint(exports.exports)
    app.server.register_blueprint(catalog_routes.catalog)
    app.server.register_blueprint(import_uploads.uploads)
    app.server.register_blueprint(image_routes.images)
    app.server.register_blueprint(particle_routes.particle)
    app.server.register_blueprint(crack_routes.cracks)
    app.server.register_blueprint(cracks_routes.crack_files)
    app.server.register_blueprint(board_routes.boards)
    app.layout = shell.shell


def serve(app: Dash, host: str, port: int, *, demo: bool = False, browser: bool = False) -> None:
    """Serve until interrupted; ``demo`` puts the synthetic study into an empty workspace first, as a job that the page shows."""
    context: Context = app.server.config[CONFIG]
    if demo and not context.workspace.snapshot().measurements:
        context.jobs.submit(DEMO_JOB, tasks.DEMO, {}, title="Synthetic study")
    from components.prepare import prepare  # not before the app exists

    try:
        server = make_server(host, port, app.server, threaded=True)
    except (OSError, SystemExit) as err:
        raise UserError(f"Port {port} on {host} is taken.", hint="Choose another with --port.") from err
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    threading.Thread(target=prepare, args=(app.server,), kwargs={"after": DEMO_JOB}, daemon=True).start()
    address = f"http://{host}:{port}/"
    print(f"Interplay serves {context.workspace.root} at {address}   (stop with Ctrl+C)", flush=True)
    if browser:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        context.jobs.close()
