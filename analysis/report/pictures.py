"""Figures as pictures, and HTML as PDF, through the Chromium that draws figures on the command line.

One browser is started for a list of pictures. Nothing is loaded from outside: plotly.js is the installed one, MathJax is off.
"""

import asyncio
import base64
import tempfile
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from analysis.core.errors import StoreError
from analysis.core.progress import report

if TYPE_CHECKING:
    import plotly.graph_objects as go

T = TypeVar("T")
TIMEOUT_S = 120.0
A4_INCH = (8.27, 11.69)
MISSING = "No Chromium was found, which draws pictures, PDF and slides."


@dataclass(frozen=True)
class Picture:
    """One figure to be drawn: ``width`` and ``height`` in px at 96 an inch, ``scale`` multiplies the pixels of a PNG."""

    figure: "go.Figure"
    format: str
    width: int
    height: int
    scale: float = 1.0


def rendered(pictures: Sequence[Picture], *, what: str = "drawing") -> list[bytes]:
    """The bytes of each picture, in order."""
    return _run(_rendered(pictures, _Steps(what, len(pictures)))) if pictures else []


def printed(page: str) -> bytes:
    """An HTML page as PDF, A4 across; a page of its own for whatever the page's style sets apart."""
    return _run(_printed(page))


class _Steps:
    """Progress, reported between two pictures: from the thread that was asked, where a cancelled job ends."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0

    def tell(self) -> None:
        report(self.done / max(1, self.total), f"{self.what}, {self.done} of {self.total}")


def _run(work: Coroutine[Any, Any, T]) -> T:
    from choreographer.errors import ChromeNotFoundError

    try:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(work)
        with ThreadPoolExecutor(1) as pool:  # a loop of somebody else runs in this thread
            return pool.submit(asyncio.run, work).result()
    except ChromeNotFoundError as err:
        raise StoreError(MISSING, hint="Install Chromium or Chrome, or set BROWSER_PATH to it; HTML and tables do without.") from err


async def _rendered(pictures: Sequence[Picture], steps: _Steps) -> list[bytes]:
    from kaleido import Kaleido

    made = []
    async with Kaleido(n=1, timeout=TIMEOUT_S, mathjax=False) as browser:
        for picture in pictures:
            steps.tell()
            options: Any = {"format": picture.format, "width": picture.width, "height": picture.height, "scale": picture.scale}
            made.append(await browser.calc_fig(picture.figure, opts=options))
            steps.done += 1
    return made


async def _printed(page: str) -> bytes:
    from choreographer import Browser

    with tempfile.TemporaryDirectory(prefix="interplay-") as folder:
        path = Path(folder) / "page.html"
        path.write_text(page, encoding="utf-8")
        async with Browser(headless=True) as browser:
            tab = await browser.create_tab("about:blank")
            await tab.send_command("Page.enable")
            loaded = tab.subscribe_once("Page.loadEventFired")
            await tab.send_command("Page.navigate", {"url": path.as_uri()})
            await asyncio.wait_for(loaded, TIMEOUT_S)
            answer = await tab.send_command("Page.printToPDF", _paper())
    return base64.b64decode(answer["result"]["data"])


def _paper() -> dict[str, Any]:
    return {
        "landscape": True,
        "printBackground": True,
        "paperWidth": A4_INCH[0],
        "paperHeight": A4_INCH[1],
        "marginTop": 0,
        "marginBottom": 0,
        "marginLeft": 0,
        "marginRight": 0,
        "preferCSSPageSize": True,
    }


def data_urls(svgs: Iterable[bytes]) -> Iterator[str]:
    """SVG pictures as addresses that carry their own content."""
    return ("data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii") for svg in svgs)
