"""The meeting's board: pin figures, write notes, present, export every format, and open what came out."""

import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, box_of
from playwright.sync_api import expect

LONG_MS = 120_000
CAPACITY = "Discharge capacity and coulombic efficiency"
NOTE = "Coated cells **keep** more.\n\n<script>window.ran = 1</script> ![x](http://elsewhere.invalid/x.png)"


@pytest.fixture
def board_server(demo_workspace: Path, tmp_path: Path) -> Iterator[Server]:
    """A copy of the study: other tests only look at theirs."""
    server = Server(Path(shutil.copytree(demo_workspace, tmp_path / "study")))
    yield server
    server.close()


def pin(page: Any, figure: str, note: str = "") -> None:
    page.get_by_role("button", name=f"{figure}: download and more").click()
    page.get_by_role("menuitem", name="Pin to a board").click()
    dialog = page.get_by_role("dialog", name="Pin to a board")
    dialog.get_by_label("Note (Markdown)").fill(note)
    dialog.get_by_role("button", name="Pin").click()
    expect(page.get_by_text(re.compile("Pinned to 'Review'")).last).to_be_visible(timeout=LONG_MS)
    expect(dialog).to_have_count(0)


def exported(page: Any, entry: str) -> Any:
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download(timeout=LONG_MS) as waiting:
        page.get_by_role("menuitem", name=entry, exact=True).click()
    return waiting.value


def test_a_meeting_from_the_cycling_page_to_slides_and_files(board_server: Server, open_page: Any, chromium: Any, tmp_path: Path) -> None:
    page = open_page(board_server.url + "/cycling")
    expect(page.locator(".js-plotly-plot .scatterlayer").first).to_be_visible(timeout=LONG_MS)
    pin(page, CAPACITY, NOTE)
    pin(page, "Capacity retention")
    page.goto(board_server.url + "/boards")
    page.get_by_role("link", name="Review").click()
    first = page.locator(".board-figure").first
    expect(first.get_by_text("up to date")).to_be_visible(timeout=LONG_MS)
    expect(first.get_by_text("<script>window.ran = 1</script>", exact=False)).to_be_visible()
    expect(first.locator("strong")).to_have_text("keep")
    assert page.evaluate("window.ran") is None

    page.get_by_role("button", name="Add a decision or an action").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What").fill("Repeat at 60 °C")
    dialog.get_by_label("Owner").fill("Ada")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row").filter(has_text="Repeat at 60 °C")).to_contain_text("Ada")
    expect(page.get_by_role("button", name="Version 4")).to_be_visible()

    # Somebody else saves: what is typed here stays, with a sentence.
    boards = board_server.context.workspace.catalog.boards
    page.get_by_role("button", name="Edit title and notes").click()
    dialog.get_by_label("Notes (Markdown)").fill("mine")
    boards.save(1, lambda c: c.model_copy(update={"notes": "theirs"}), "notes")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("saved meanwhile by somebody else")
    expect(dialog.get_by_label("Notes (Markdown)")).to_have_value("mine")
    dialog.get_by_role("button", name="Cancel").click()
    page.reload()
    expect(page.locator(".board-words")).to_contain_text("theirs", timeout=LONG_MS)
    expect(first.locator(".scatterlayer").first).to_be_visible(timeout=LONG_MS)

    present(page)
    files = {kind: exported(page, entry) for kind, entry in FILES.items()}
    look_at_files({kind: Path(d.path()).read_bytes() for kind, d in files.items()})
    offline(chromium, Path(files["html"].path()), tmp_path)


FILES = {
    "html": "Interactive HTML",
    "pdf": "PDF",
    "pptx": "PowerPoint",
    "csv": "All numbers, CSV",
    "xlsx": "All numbers, Excel",
    "txt": "Methods paragraph",
    "zip": "SVG, single column",
}


def present(page: Any) -> None:
    """Slides by keyboard, one at a time, with living figures; Escape leads back."""
    page.get_by_role("button", name="Present").click()
    shown = page.locator(".slide:visible")
    expect(shown).to_have_count(1)
    expect(page.locator("#board-slide")).to_have_text("1 / 3")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#board-slide")).to_have_text("2 / 3")
    expect(shown).to_have_attribute("aria-label", CAPACITY)
    graph = shown.locator(".js-plotly-plot .main-svg").first
    page.wait_for_timeout(1000)
    box = box_of(graph)
    assert box["height"] > 350
    assert box["width"] > 1000
    page.keyboard.press("End")
    expect(page.locator("#board-slide")).to_have_text("3 / 3")
    page.keyboard.press("Home")
    expect(page.locator("#board-slide")).to_have_text("1 / 3")
    assert "slide=1" in page.url
    page.keyboard.press("Escape")
    expect(shown).to_have_count(3)
    assert "slide" not in page.url


def look_at_files(files: dict[str, bytes]) -> None:
    from pptx import Presentation

    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", files["pdf"])) == 4  # words, two figures, methods
    slides = list(Presentation(io.BytesIO(files["pptx"])).slides)
    assert [s.shapes.title.text for s in slides] == [
        "Review",
        f"{CAPACITY} (synthetic data)",
        "Capacity retention (synthetic data)",
        "Methods",
    ]
    assert all(any(x.shape_type == 13 for x in s.shapes) for s in slides[1:3])
    assert "<script>" in slides[1].notes_slide.notes_text_frame.text
    head = files["csv"].decode().partition("\n")[0].split(",")
    assert {"value", "unit", "std", "n", "key", "origin"} <= set(head)
    assert b"cycling.summary" in files["txt"]
    assert zipfile.ZipFile(io.BytesIO(files["xlsx"])).testzip() is None
    with zipfile.ZipFile(io.BytesIO(files["zip"])) as z:
        svg = z.read(z.namelist()[0]).decode()
        assert 'width="336"' in svg
        assert "synthetic" in svg


def offline(chromium: Any, path: Path, folder: Path) -> None:
    """The exported page in a browser without network: figures are drawn, tags of notes are text, nothing is asked for."""
    place = folder / "board.html"
    shutil.copyfile(path, place)
    context = chromium.new_context(offline=True)
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda r: asked.append(r.url))
    page.goto(place.as_uri())
    expect(page.locator(".js-plotly-plot .scatterlayer")).not_to_have_count(0)
    expect(page.get_by_text("<script>window.ran = 1</script>", exact=False)).to_be_visible()
    assert page.evaluate("window.ran") is None
    assert [u for u in asked if not u.startswith(("file:", "data:", "blob:"))] == []
    context.close()
