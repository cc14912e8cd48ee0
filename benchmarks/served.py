"""Servers in processes of their own and a real Chromium in front of them, for the parts that measure what a person waits for."""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import places
from benchmarks.report import Section

START_S = 400.0  # some make volumes and their view forms first
LIMIT_MS = 30_000
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
SHOWN = 1090  # pixels: the height of what fills a page of ``serve_views``

Serve = Callable[[Path, int], None]  # a folder for the study, the port


@contextmanager
def server(command: Sequence[str]) -> Iterator[str]:
    """The address of ``command … --port N``, once it answers; it is ended afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)], cwd=places.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
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
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


@contextmanager
def chromium() -> Iterator[tuple[Any, str]]:
    """A browser and its version."""
    from playwright.sync_api import sync_playwright

    path = next((found for n in (os.environ.get("CHROMIUM", ""), *NAMES) if n and (found := shutil.which(n))), None)
    if path is None:
        raise places.Missing("no Chromium; install it, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser, browser.version
        browser.close()


def fresh(browser: Any, size: tuple[int, int]) -> Any:
    """A context with nothing cached, its windows ``size`` pixels wide and high."""
    return browser.new_context(viewport=dict(zip(("width", "height"), size, strict=True)))


@contextmanager
def page(browser: Any, clock: str, size: tuple[int, int], address: str, context: Any = None) -> Iterator[Any]:
    """A tab with the clock in it; in a new context (nothing cached) unless one is given."""
    own = context or fresh(browser, size)
    tab = own.new_page()
    tab.set_default_timeout(LIMIT_MS)
    tab.add_init_script(clock)
    tab.goto(address)
    yield tab
    tab.close()
    if context is None:
        own.close()


# -- benchmarks with a server of their own ---------------------------------------------------------------------------------


def own(module: str, study: Path) -> Any:
    """The server of ``module``, a benchmark that ends with ``main``."""
    return server(["-m", module, "--serve", str(study)])


def main(module: str, doc: str, run: Callable[..., Section], serve: Serve) -> None:
    """``python -m MODULE [--quick]`` prints the section; with ``--serve``, the server that it starts."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=doc)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.port)
    else:
        print(run(quick=args.quick).markdown())


def forever(app: Any, port: int) -> None:
    from werkzeug.serving import make_server

    make_server("127.0.0.1", port, app.server, threaded=True).serve_forever()


def serve_views(study: Path, port: int, fill: Callable[[Any], Mapping[str, Any]]) -> None:
    """Serve ``/?show=NAME``: one view alone on its page. ``fill`` puts things into a store and says what to show for each name."""
    import dash_mantine_components as dmc
    from dash import html
    from flask import request

    from app import create_app
    from components.context import CONFIG

    app = create_app(study, pool=False)
    made = fill(app.server.config[CONFIG].workspace.store)

    def layout() -> Any:
        name = (request.referrer or "").rpartition("show=")[2]
        return dmc.MantineProvider(html.Div(made[name], style={"height": SHOWN})) if name in made else html.Div()

    app.layout = layout
    forever(app, port)
