"""A real server, a real browser, and a page that remembers everything that went wrong."""

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

ROOT = Path(__file__).parents[2]
SMALL_DEMO = {"particles": {"voxels": 20, "large_voxels": 0, "cells_per_group": 2, "pristine": 1}}  # cells as ever, few and small particles
EXPECT_MS = 30_000  # a machine that does other things at the same time is slow, not wrong
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests in a browser are marked, and tried once more where they fail: pytest names each that was ("R") in its summary."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


def box_of(locator: Any) -> dict[str, float]:
    """Where an element stands once it is seen: a figure that is being drawn anew has no place yet."""
    from playwright.sync_api import expect

    expect(locator).to_be_visible()
    for _ in range(EXPECT_MS // 100):
        if (box := locator.bounding_box()) and box["width"] > 0:
            return dict(box)
        locator.page.wait_for_timeout(100)
    pytest.fail(f"{locator} has no place")


class Server:
    """The app over one workspace, served from a thread of this process."""

    def __init__(self, workspace: Path, roots: tuple[Path, ...] = ()) -> None:
        from app import create_app
        from components.context import CONFIG

        self.app = create_app(workspace, roots=roots)
        self.context = self.app.server.config[CONFIG]
        self._server = make_server("127.0.0.1", 0, self.app.server, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.context.jobs.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=EXPECT_MS)
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for n in names if n and (found := shutil.which(n))), None)
    if path is None:
        pytest.fail("no Chromium: 'make test' installs it, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic study with few and small particles, made once for all tests that only look."""
    from analysis.core.store import Store
    from analysis.tasks import make_demo

    root = tmp_path_factory.mktemp("demo") / "study"
    make_demo(Store(root), SMALL_DEMO)
    return root


@pytest.fixture(scope="session")
def demo_server(demo_workspace: Path) -> Iterator[Server]:
    server = Server(demo_workspace)
    yield server
    server.close()


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over a workspace in which nothing was imported yet; tests share it and may import."""
    server = Server(tmp_path_factory.mktemp("empty") / "study", roots=(ROOT / "tests" / "data",))
    yield server
    server.close()


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Any]:
    """``open_page(url)`` opens a tab; afterwards, console errors, page errors and requests to other hosts fail the test."""
    contexts, problems = [], []

    def opened(url: str, *, width: int = 1440, height: int = 900, theme: str = "light") -> Any:
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        origin = "/".join(url.split("/")[:3])
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
        if theme == "dark":
            context.add_cookies([{"name": "interplay-theme", "value": "dark", "url": origin}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda e: problems.append(f"page error: {e}"))
        page.on("console", lambda m: problems.append(f"console: {m.text}") if m.type == "error" else None)
        page.on("request", lambda r: problems.append(f"other host: {r.url}") if not r.url.startswith((origin, "data:", "blob:")) else None)
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
