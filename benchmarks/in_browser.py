"""How long a person waits: a real Chromium in front of a real server with the synthetic study."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import places
from benchmarks.measure import median
from benchmarks.report import Section, Table

TIMES, QUICK_TIMES = 9, 2
START_S = 120.0
SETTLED_MS, LIMIT_MS = 1500, 30_000
COMPUTED_MS = 900_000  # until all results of the synthetic study are there
CLOCK = (Path(__file__).parent / "in_browser.js").read_text(encoding="utf-8")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Waits:
    """Milliseconds of one kind of waiting (and how long of each a request to the server was open), and how long it may be."""

    what: str
    aim_ms: float
    found: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)

    def add(self, waited: Mapping[str, float]) -> None:
        self.found.append(waited["ms"])
        self.server.append(waited["server"])

    def row(self) -> tuple[str, ...]:
        middle = median(self.found)
        verdict = "yes" if middle < self.aim_ms else "**no**"
        spread = f"{min(self.found):.0f} to {max(self.found):.0f} ms"
        return (
            self.what,
            f"{middle:.0f} ms",
            f"{median(self.server):.0f} ms",
            spread,
            str(len(self.found)),
            f"{self.aim_ms:.0f} ms",
            verdict,
        )


def run(*, quick: bool) -> Section:
    times = QUICK_TIMES if quick else TIMES
    with places.folder() as folder, _server(folder / "study") as address, _chromium() as (browser, version):
        expected = _settled(browser, address)
        waits = [
            *_opened(browser, address, expected, times),
            _changed_page(browser, address, expected, times),
            *_toggled(browser, address, times),
            *_changed_group(browser, address, times),
            *_compared(browser, address, times),
        ]
    counts = ", ".join(f"{figure.partition('.')[2]} {n['traces']}" for figure, n in expected.items())
    intro = (
        f"Chromium {version}, 1440 × 900, and `app.py` in a process of its own with the synthetic study of 8 cells, asked once before. "
        "Clock: `performance.now()` inside the page, from the click or the start of the navigation to the frame in which every graph holds "
        "what it must; “the server”: how long of it at least one request was open. Drawn means these numbers of traces, and the same "
        f"number of points as after settling: {counts}."
    )
    columns = ("wait", "median", "of it the server", "range", "times", "aim", "reached")
    return Section("browser", "In the browser", intro, (Table("Waiting", columns, tuple(w.row() for w in waits)),))


# -- server and browser ----------------------------------------------------------------------------------------------------


@contextmanager
def _server(study: Path) -> Iterator[str]:
    subprocess.run([sys.executable, "-m", "analysis", "demo", str(study)], cwd=places.ROOT, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "app.py", "--workspace", str(study), "--port", str(port)]
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
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


@contextmanager
def _chromium() -> Iterator[tuple[Any, str]]:
    from playwright.sync_api import sync_playwright

    path = next((found for n in (os.environ.get("CHROMIUM", ""), *NAMES) if n and (found := shutil.which(n))), None)
    if path is None:
        raise places.Missing("no Chromium; install it, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser, browser.version
        browser.close()


@contextmanager
def _page(browser: Any, address: str = "", context: Any = None) -> Iterator[Any]:
    """A tab with the clock in it; in a new context (nothing cached) unless one is given."""
    own = context or browser.new_context(viewport={"width": 1440, "height": 900})
    page = own.new_page()
    page.set_default_timeout(LIMIT_MS)
    page.add_init_script(CLOCK)
    if address:
        page.goto(address)
    yield page
    page.close()
    if context is None:
        own.close()


def _settled(browser: Any, address: str) -> Mapping[str, Any]:
    """What each graph of the cycling page holds when nothing changes any more; every cell must be among it."""
    with _page(browser, f"{address}/cycling") as page:
        state = _rest(page)
        cells = page.evaluate("bench.cells('cycling.capacity')")
    if len(state) < 6 or len(cells) != 8 or not all(n["traces"] for n in state.values()):
        raise RuntimeError(f"the cycling page does not show the study: {len(cells)} cells, graphs {state}")
    return dict(state)


def _rest(page: Any) -> dict[str, Any]:
    return dict(page.evaluate(f"bench.settled({SETTLED_MS})"))


# -- what is waited for ----------------------------------------------------------------------------------------------------


def _opened(browser: Any, address: str, expected: Mapping[str, Any], times: int) -> list[Waits]:
    cold, warm = Waits("open the cycling page, nothing cached", 1000), Waits("open the cycling page again, files cached", 1000)
    for _ in range(times):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        for waits in (cold, warm):
            with _page(browser, f"{address}/cycling", context) as page:
                waits.add(page.evaluate("expected => bench.opened(expected)", expected))
        context.close()
    return [cold, warm]


def _changed_page(browser: Any, address: str, expected: Mapping[str, Any], times: int) -> Waits:
    waits = Waits("Compare → Cycling", 300)
    with _page(browser, address) as page:
        for _ in range(times):
            _rest(page)
            waits.add(page.evaluate("e => bench.after('nav a[href^=\"/cycling\"]', () => bench.holding(e))", expected))
            page.click('nav a[href="/"], nav a[href^="/?"]')
            page.locator("h1", has_text="Compare").wait_for()
    return waits


def _toggled(browser: Any, address: str, times: int) -> list[Waits]:
    off = Waits("cell switched off for the first time: its traces, the group mean", 200)
    on = Waits("cell switched on again", 200)
    with _page(browser, f"{address}/cycling") as page:
        _rest(page)
        cells = page.evaluate("bench.chips()")
        for cell in (cells * (times // len(cells) + 1))[:times]:
            for waits in (off, on):
                waits.add(page.evaluate("cell => bench.toggled(cell)", cell))
                _rest(page)
    return [off, on]


def _changed_group(browser: Any, address: str, times: int) -> list[Waits]:
    """The compared group taken away and put back, through the page's own list."""
    single, pair = Waits("compared group: nothing", 300), Waits("compared group: back", 300)
    with _page(browser, f"{address}/cycling") as page:
        full = _rest(page)
        label = page.locator("[aria-label='Compared group']").first.input_value()
        _choose(page, "nothing", None)
        alone = page.evaluate("([before, ms]) => bench.changed(before, ms)", [full, SETTLED_MS])
        _choose(page, label, None)
        page.evaluate("([before, ms]) => bench.changed(before, ms)", [alone, SETTLED_MS])
        for _ in range(times):
            for waits, option, state in ((single, "nothing", alone), (pair, label, full)):
                waits.add(_choose(page, option, state))
                _rest(page)
    return [single, pair]


def _compared(browser: Any, address: str, times: int) -> list[Waits]:
    """The first page with its results stored: all rows of the scorecard and the five figures; then the compared group changed."""
    cold, warm = Waits("open Compare, nothing cached: all rows, five figures", 1500), Waits("open Compare again, files cached", 1500)
    single, pair = Waits("Compare, compared group: nothing", 500), Waits("Compare, compared group: back", 500)
    with _page(browser, address) as page:
        page.locator(".scorecard-awaited").wait_for(state="detached", timeout=COMPUTED_MS)
        page.locator("tr.row-empty", has_text="being computed").first.wait_for(state="detached", timeout=COMPUTED_MS)
        full = _rest(page)
        if len(full) != 5 or page.evaluate("bench.rows()") < 18:
            raise RuntimeError(f"the first page does not show the study: graphs {full}, {page.evaluate('bench.rows()')} rows")
        label = page.locator("[aria-label='Compared group']").first.input_value()
        _choose(page, "nothing", None)
        alone = page.evaluate("([before, ms]) => bench.changed(before, ms)", [full, SETTLED_MS])
        _choose(page, label, None)
        page.evaluate("([before, ms]) => bench.changed(before, ms)", [alone, SETTLED_MS])
        for _ in range(times):
            for waits, option, state in ((single, "nothing", alone), (pair, label, full)):
                waits.add(_choose(page, option, {"graphs": state, "rows": option != "nothing"}))
                _rest(page)
    for _ in range(times):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        for waits in (cold, warm):
            with _page(browser, address, context) as page:
                waits.add(page.evaluate("expected => bench.opened(expected)", {"graphs": full, "rows": True}))
        context.close()
    return [cold, warm, single, pair]


def _choose(page: Any, option: str, expected: Mapping[str, Any] | None) -> dict[str, float]:
    page.locator("[aria-label='Compared group']").first.click()
    page.get_by_role("option", name=option, exact=True).wait_for()
    choose = "([option, expected]) => bench.chosen(option, expected)"
    return page.evaluate(choose, [option, expected]) or {}
