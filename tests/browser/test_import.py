"""Import as a newcomer does it: choose files, see them, fill in, import, follow the link; errors stand beside their files."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from analysis.staging import Staging

WAIT_MS = 60_000
HEADER = "Test Time (s),Voltage (V),Current (mA)\n"


def record(seed: int = 0, *, header: str = HEADER) -> str:
    """Two cycles at 0.5 mA between 2 and 4 V; the seed makes contents differ."""
    rows = []
    for i in range(400):
        half, step = divmod(i, 100)
        up = half % 2 == 0
        rows.append(f"{10 * i},{2 + 0.02 * step if up else 4 - 0.02 * step:.4f},{(0.5 if up else -0.5) + 1e-4 * seed:.4f}")
    return header + "\n".join(rows) + "\n"


def choose(page: Any, *files: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.click("#import-choose")
    chooser.value.set_files([str(f) for f in files])


def row(page: Any, name: str) -> Any:
    return page.locator(".lot").filter(has=page.get_by_role("button", name=f"Show {name}", exact=True))


def state(page: Any, name: str) -> Any:
    return row(page, name).locator(".lot-state")


def leave_nothing(page: Any) -> None:
    for _ in range(page.locator(".lot").count()):
        before = page.locator(".lot").count()
        page.locator(".lot [aria-label^='Take ']").first.click()
        expect(page.locator(".lot")).to_have_count(before - 1, timeout=WAIT_MS)


@pytest.fixture(scope="module")
def importing(empty_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A server of these tests alone: others look at a workspace that stays empty."""
    server = type(empty_server)(tmp_path_factory.mktemp("import") / "study", roots=(Path(__file__).parents[1] / "data",))
    yield server
    server.close()


@pytest.fixture
def page(importing: Any, open_page: Any) -> Any:
    opened = open_page(f"{importing.url}/import")
    opened.wait_for_selector("#import-choose")
    leave_nothing(opened)
    return opened


def test_files_are_seen_filled_in_and_imported(page: Any, tmp_path: Path) -> None:
    good, empty, garbage = tmp_path / "LNO_01.csv", tmp_path / "empty.csv", tmp_path / "noise.mpr"
    good.write_text(record())
    empty.write_text("")
    garbage.write_bytes(bytes(range(256)) * 40)
    choose(page, good, empty, garbage)
    expect(state(page, "LNO_01.csv")).to_contain_text("ready", timeout=WAIT_MS)
    expect(row(page, "empty.csv").locator(".lot-words")).to_contain_text("empty.csv is empty (0 bytes).", timeout=WAIT_MS)
    expect(row(page, "noise.mpr").locator(".lot-words")).to_contain_text("No reader recognises", timeout=WAIT_MS)
    expect(row(page, "LNO_01.csv").get_by_label("Cell")).to_have_value("LNO 01")
    row(page, "LNO_01.csv").get_by_label("Active mass / mg").fill("0")
    expect(row(page, "LNO_01.csv").locator(".lot-words")).to_contain_text("must be greater than 0 mg", timeout=WAIT_MS)
    row(page, "LNO_01.csv").get_by_label("Active mass / mg").fill("3,0")
    row(page, "LNO_01.csv").get_by_label("Group").fill("coated")
    expect(row(page, "LNO_01.csv").locator(".lot-words")).to_have_text("Not said: area", timeout=WAIT_MS)
    page.get_by_role("button", name="Import 1 of 3 ready").click()
    link = row(page, "LNO_01.csv").get_by_role("link", name="See it on the Cycling page")
    expect(link).to_be_visible(timeout=WAIT_MS)
    expect(link).to_have_attribute("href", "/cycling?ref=coated")
    link.click()
    expect(page.locator("h1")).to_have_text("Cycling", timeout=WAIT_MS)
    expect(page.get_by_role("button", name="LNO 01")).to_be_visible(timeout=WAIT_MS)


def test_the_list_survives_a_reload_and_typed_text_a_new_file(page: Any, importing: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text(record(1))
    second.write_text(record(2))
    choose(page, first)
    expect(state(page, "first.csv")).to_contain_text("ready", timeout=WAIT_MS)
    choose(page, second)
    cell = row(page, "first.csv").get_by_label("Cell")
    cell.fill("")
    for letter in "My cell with a name of many letters":  # rows are made anew while these are typed, wherever focus then is
        page.keyboard.type(letter, delay=30)
    expect(state(page, "second.csv")).to_contain_text("ready", timeout=WAIT_MS)
    expect(cell).to_have_value("My cell with a name of many letters")
    expect(cell).to_be_focused()
    kept = Staging(importing.context.workspace.store.root)
    until = time.monotonic() + WAIT_MS / 1000
    while time.monotonic() < until and "My cell with a name of many letters" not in str([s.form for s in kept.entries()]):
        page.wait_for_timeout(50)
    page.reload()
    expect(row(page, "first.csv").get_by_label("Cell")).to_have_value("My cell with a name of many letters", timeout=WAIT_MS)
    expect(state(page, "second.csv")).to_contain_text("ready")


def test_dropped_files_arrive(page: Any) -> None:
    transfer = page.evaluate_handle(
        "text => { const t = new DataTransfer(); t.items.add(new File([text], 'dropped.csv')); return t; }", record(3)
    )
    page.dispatch_event("#import-drop", "dragenter", {"dataTransfer": transfer})
    expect(page.locator("#import-drop")).to_have_class("drop over")
    page.dispatch_event("#import-drop", "drop", {"dataTransfer": transfer})
    expect(state(page, "dropped.csv")).to_contain_text("ready", timeout=WAIT_MS)
    expect(page.locator("#import-drop")).to_have_class("drop")


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(page: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    with open(large, "wb") as f:
        f.truncate(600 << 20)
    choose(page, large)
    expect(page.get_by_role("progressbar", name="Upload of large.csv")).to_be_visible()
    page.get_by_role("button", name="Cancel the upload of large.csv").click()
    expect(page.locator(".upload")).to_have_count(0)
    page.wait_for_timeout(500)
    expect(page.locator(".lot")).to_have_count(0)


def test_columns_are_named_once_and_remembered(page: Any, tmp_path: Path) -> None:
    header = "Laufzeit,Klemme,Strom\n"
    for i in (1, 2):
        (tmp_path / f"odd{i}.csv").write_text(record(10 + i, header=header))
    choose(page, tmp_path / "odd1.csv", tmp_path / "odd2.csv")
    expect(state(page, "odd1.csv")).to_contain_text("columns?", timeout=WAIT_MS)
    expect(state(page, "odd2.csv")).to_contain_text("columns?", timeout=WAIT_MS)
    row(page, "odd1.csv").get_by_role("button", name="Say which column is what…").click()
    dialog = page.get_by_role("dialog", name="Which column is what?")
    for quantity, column in (("Test time", "Laufzeit"), ("Voltage", "Klemme"), ("Current", "Strom")):
        dialog.get_by_role("textbox", name=quantity, exact=True).click()
        page.get_by_role("option", name=column, exact=True).locator("visible=true").click()
    keep = dialog.get_by_role("button", name="Read it like this, and remember")
    expect(keep).to_be_enabled(timeout=WAIT_MS)
    keep.click()
    for i in (1, 2):
        expect(state(page, f"odd{i}.csv")).to_contain_text("ready", timeout=WAIT_MS)


def test_files_of_the_server_are_chosen_from_its_roots(page: Any) -> None:
    page.get_by_role("button", name="Browse the server…").click()
    dialog = page.get_by_role("dialog", name="Files on the server")
    dialog.get_by_role("button", name="biologic").click()
    dialog.get_by_label("250116_kigr_gen6_01_02_GCPL_CD8.mpr").check()
    dialog.get_by_role("button", name="Add the ticked files").click()
    expect(state(page, "250116_kigr_gen6_01_02_GCPL_CD8.mpr")).to_contain_text("ready", timeout=WAIT_MS)
    expect(page.locator("#import-detail")).to_contain_text("3\u00a0791")


def test_the_keyboard_reaches_everything(page: Any, tmp_path: Path) -> None:
    place = tmp_path / "keys.csv"
    place.write_text(record(20))
    choose(page, place)
    expect(state(page, "keys.csv")).to_contain_text("ready", timeout=WAIT_MS)
    page.get_by_label("Tick keys.csv").focus()
    named = []
    for _ in range(6):
        named.append(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"))
        page.keyboard.press("Tab")
    assert named == ["Tick keys.csv", "Show keys.csv", "Cell", "Group", "Active mass / mg", "Take keys.csv off the list"]


def test_a_narrow_window_needs_no_horizontal_scrolling(importing: Any, open_page: Any, tmp_path: Path) -> None:
    place = tmp_path / f"{'a very long name ' * 6}.csv"
    place.write_text(record(30))
    page = open_page(f"{importing.url}/import", width=420)
    page.wait_for_selector("#import-choose")
    leave_nothing(page)
    choose(page, place)
    expect(page.locator(".lot-state").first).to_contain_text("ready", timeout=WAIT_MS)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    leave_nothing(page)
