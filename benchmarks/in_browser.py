"""How long a person waits: a real Chromium in front of a real server with the synthetic study."""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import places, served
from benchmarks.measure import median
from benchmarks.report import Section, Table

TIMES, QUICK_TIMES = 9, 2
SETTLED_MS = 1500
SIZE = (1440, 900)
COMPUTED_MS = 900_000  # until all results of the synthetic study are there
FILLED = "Object.values(bench.state()).length === 5 && Object.values(bench.state()).every((graph) => graph.traces > 0)"
CLOCK = (Path(__file__).parent / "in_browser.js").read_text(encoding="utf-8")


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
    with places.folder() as folder, served.server(_study(folder / "study")) as address, served.chromium() as (browser, version):
        _prepared(browser, address)
        expected = _settled(browser, address)
        waits = [
            *_twice(browser, f"{address}/cycling", expected, times, "the cycling page", "", 1000),
            _changed_page(browser, address, expected, times),
            *_toggled(browser, address, times),
            *_changed_group(browser, address, times),
            *_compared(browser, address, times),
        ]
    counts = ", ".join(f"{figure.partition('.')[2]} {n['traces']}" for figure, n in expected.items())
    intro = (
        f"Chromium {version}, 1440 × 900, and `app.py` in a process of its own with the synthetic study of 8 cells, its results stored. "
        "Clock: `performance.now()` inside the page, from the click or the start of the navigation to the frame in which every graph holds "
        "what it must; “the server”: how long of it at least one request was open. Drawn means these numbers of traces, and the same "
        f"number of points as after settling: {counts}."
    )
    columns = ("wait", "median", "of it the server", "range", "times", "aim", "reached")
    return Section("browser", "In the browser", intro, (Table("Waiting", columns, tuple(w.row() for w in waits)),))


# -- server and browser ----------------------------------------------------------------------------------------------------


def _study(folder: Path) -> list[str]:
    """The command that serves the synthetic study, made in ``folder``."""
    subprocess.run([sys.executable, "-m", "analysis", "demo", str(folder)], cwd=places.ROOT, check=True, capture_output=True)
    return ["app.py", "--workspace", str(folder)]


def _page(browser: Any, address: str, context: Any = None) -> Any:
    return served.page(browser, CLOCK, SIZE, address, context)


def _prepared(browser: Any, address: str) -> None:
    """Wait until the jobs that the server starts with have stored their results: nothing else is to run meanwhile."""
    with _page(browser, address) as page:
        page.locator(".scorecard-awaited").wait_for(state="detached", timeout=COMPUTED_MS)
        page.locator("tr.row-empty", has_text="being computed").first.wait_for(state="detached", timeout=COMPUTED_MS)
        until = time.monotonic() + COMPUTED_MS / 1e3
        while not page.evaluate(FILLED) and time.monotonic() < until:
            page.wait_for_timeout(500)


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


def _twice(browser: Any, address: str, expected: Mapping[str, Any], times: int, page: str, until: str, aim_ms: float) -> list[Waits]:
    """Waits for a page of a new context, and of the same one with everything in the browser's cache."""
    cold, warm = Waits(f"open {page}, nothing cached{until}", aim_ms), Waits(f"open {page} again, files cached", aim_ms)
    for _ in range(times):
        context = served.fresh(browser, SIZE)
        for waits in (cold, warm):
            with _page(browser, address, context) as tab:
                waits.add(tab.evaluate("expected => bench.opened(expected)", expected))
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
    with _page(browser, f"{address}/cycling") as page:
        return _without_and_back(page, _rest(page), times, "compared group", 300)


def _compared(browser: Any, address: str, times: int) -> list[Waits]:
    """The first page with its results stored: all rows of the scorecard and the five figures; then the compared group changed."""
    with _page(browser, address) as page:
        full = _rest(page)
        if len(full) != 5 or page.evaluate("bench.rows()") < 18:
            raise RuntimeError(f"the first page does not show the study: graphs {full}, {page.evaluate('bench.rows()')} rows")
        changed = _without_and_back(page, full, times, "Compare, compared group", 500, scorecard=True)
    holding = {"graphs": full, "rows": True}
    return [*_twice(browser, address, holding, times, "Compare", ": all rows, five figures", 1500), *changed]


def _without_and_back(page: Any, full: Mapping[str, Any], times: int, what: str, aim_ms: float, *, scorecard: bool = False) -> list[Waits]:
    """Waits for a page that shows ``full`` when the compared group is taken away and when it is put back."""
    single, pair = Waits(f"{what}: nothing", aim_ms), Waits(f"{what}: back", aim_ms)
    label = page.locator("[aria-label='Compared group']").first.input_value()
    _choose(page, "nothing", None)
    alone = page.evaluate("([before, ms]) => bench.changed(before, ms)", [full, SETTLED_MS])
    _choose(page, label, None)
    page.evaluate("([before, ms]) => bench.changed(before, ms)", [alone, SETTLED_MS])
    for _ in range(times):
        for waits, option, state in ((single, "nothing", alone), (pair, label, full)):
            waits.add(_choose(page, option, {"graphs": state, "rows": option != "nothing"} if scorecard else state))
            _rest(page)
    return [single, pair]


def _choose(page: Any, option: str, expected: Mapping[str, Any] | None) -> dict[str, float]:
    page.locator("[aria-label='Compared group']").first.click()
    page.get_by_role("option", name=option, exact=True).wait_for()
    choose = "([option, expected]) => bench.chosen(option, expected)"
    return page.evaluate(choose, [option, expected]) or {}
