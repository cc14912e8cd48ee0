"""Every page opens, answers to clicks, keeps its state in the address, and asks no other host for anything."""

import csv
import io
import re
from typing import Any

import pytest
from playwright.sync_api import expect

CARDS = 6
DRAWN_MS = 30_000


def drawn(page: Any, n: int) -> None:
    """Wait until ``n`` graphs hold data."""
    script = "[...document.querySelectorAll('.js-plotly-plot')].filter(g => (g.data || []).length > 0).length"
    for _ in range(DRAWN_MS // 100):
        if page.evaluate(script) >= n:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"only {page.evaluate(script)} of {n} graphs were drawn")


def traces(page: Any, figure: str, *, shown: bool = True) -> list[dict[str, Any]]:
    """Name and cell of a graph's traces."""
    script = f"""(() => {{ const card = [...document.querySelectorAll('.graph')].find(g => g.id.includes('"{figure}"'));
      return card.querySelector('.js-plotly-plot').data.map(t => ({{name: t.name, cell: t.meta?.id, shown: t.visible !== false}})); }})()"""
    return [t for t in page.evaluate(script) if t["shown"] or not shown]


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("path", "title"),
    [("/", "Compare"), ("/interplay", "Interplay"), ("/cycling", "Cycling"), ("/import", "Import"), ("/catalog", "Catalog")],
)
def test_every_page_opens(demo_server: Any, open_page: Any, path: str, title: str, theme: str) -> None:
    page = open_page(demo_server.url + path, theme=theme)
    expect(page.locator("h1")).to_have_text(title, timeout=DRAWN_MS)
    expect(page).to_have_title(f"{title} · Interplay")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "no horizontal scrolling"


def test_cycling_shows_groups_in_their_colours_and_says_synthetic(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    expect(page.locator("#synthetic-banner")).to_be_visible()
    cells = {t["cell"] for t in traces(page, "cycling.capacity") if t["cell"]}
    assert len(cells) == 8
    for text in page.locator(".graph .legendtext").all_text_contents():
        assert "synthetic" in text
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight"), "one screen at 1440 × 900"


def test_a_cell_is_switched_off_in_pictures_means_and_address(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    chip = page.get_by_role("button", name="uncoated-1")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(re.compile("off="))
    page.wait_for_timeout(1500)
    assert len({t["cell"] for t in traces(page, "cycling.capacity") if t["cell"]}) == 7
    assert any("n = 3" in (t["name"] or "") for t in traces(page, "cycling.retention"))
    page.reload()
    drawn(page, CARDS)
    expect(page.get_by_role("button", name="uncoated-1")).to_have_attribute("aria-pressed", "false")
    assert len({t["cell"] for t in traces(page, "cycling.capacity") if t["cell"]}) == 7


def test_a_clicked_cycle_appears_in_profiles(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    before = len(traces(page, "cycling.profiles"))
    page.evaluate("""(() => { const g = [...document.querySelectorAll('.graph')].find(g => g.id.includes('"cycling.capacity"')).querySelector('.js-plotly-plot');
        const i = g.data[0].customdata.findIndex(c => c[1] === 50);
        g.emit('plotly_click', {points: [{curveNumber: 0, pointNumber: i, x: 50, y: g.data[0].y[i], data: g.data[0]}]}); })()""")
    expect(page.get_by_label("Cycles whose profiles are shown")).to_have_value("1,50,100")
    for _ in range(100):
        if len(traces(page, "cycling.profiles")) > before:
            break
        page.wait_for_timeout(100)
    assert len(traces(page, "cycling.profiles")) > before
    assert "cycles=1%2C50%2C100" in page.url


def test_groups_persist_across_pages_and_the_back_button_works(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling?ref=coated&cmp=uncoated")
    drawn(page, CARDS)
    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.locator("h1")).to_have_text("Compare")
    assert "ref=coated" in page.url and "cmp=uncoated" in page.url
    page.go_back()
    expect(page.locator("h1")).to_have_text("Cycling")
    drawn(page, CARDS)


def test_one_group_alone(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling?cmp=none")
    drawn(page, CARDS)
    assert len({t["cell"] for t in traces(page, "cycling.capacity") if t["cell"]}) == 4


def menu(page: Any, card: str, item: str) -> None:
    page.get_by_role("button", name=f"{card}: download and more").click()
    page.get_by_role("menuitem", name=item).click()


def test_a_menu_is_walked_with_keys(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    button = page.get_by_role("button", name="Capacity retention: download and more")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("menuitem", name="Download PNG")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Pin to a board")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem", name="Download PNG")).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_labels_have_room_before_a_figure_is_drawn(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    twice = page.evaluate("""[...document.querySelectorAll('.js-plotly-plot')].filter(g => g._fullLayout._redrawFromAutoMarginCount !== undefined)
        .map(g => ({figure: JSON.parse(g.closest('.graph').id).figure, given: g.layout.margin, got: g._fullLayout._size}))""")
    assert len(twice) <= 1, f"Plotly draws a figure twice where its margins are too narrow; fonts differ a little: {twice}"


def test_downloads(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    title = "Discharge capacity and coulombic efficiency"
    for item, suffix, head in (("Download PNG", ".png", b"\x89PNG"), ("Download SVG", ".svg", b"<svg")):
        with page.expect_download() as waiting:
            menu(page, title, item)
        assert waiting.value.suggested_filename.endswith(suffix)
        assert waiting.value.path().read_bytes().startswith(head)
    with page.expect_download() as waiting:
        menu(page, title, "Download data (CSV)")
    rows = list(csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8"))))
    assert len({r["cell"] for r in rows}) == 8 and {r["origin"] for r in rows} == {"synthetic"}
    assert any(re.search(r"discharge.capacity.*mA h/g", name) for name in rows[0])


def test_provenance_and_command(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    menu(page, "Capacity retention", "How was this made?")
    drawer = page.get_by_role("dialog", name="How was this made?")
    drawer.get_by_role("button", name="uncoated-1 (synthetic)").click()
    expect(drawer.get_by_text("cycling.summary").first).to_be_visible()
    expect(drawer.get_by_text(re.compile("python -m analysis run cycling.summary")).first).to_be_visible()
    page.keyboard.press("Escape")
    menu(page, "Capacity retention", "Copy the command")
    page.wait_for_timeout(1000)
    assert page.evaluate("navigator.clipboard.readText()").startswith("python -m analysis run")


def test_zoom_into_the_record_asks_for_that_stretch(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling?tab=record")
    drawn(page, 2)
    count = """(() => { const g = [...document.querySelectorAll('.graph')].find(g => g.id.includes('"cycling.trace"')).querySelector('.js-plotly-plot');
        const x = [...g._fullData[0].x].filter(Number.isFinite); return {n: x.length, first: x[0], last: x[x.length - 1]}; })()"""
    whole = page.evaluate(count)
    zoom = """(() => { const g = [...document.querySelectorAll('.graph')].find(g => g.id.includes('"cycling.trace"')).querySelector('.js-plotly-plot');
        window.Plotly.relayout(g, {'xaxis.range[0]': 100, 'xaxis.range[1]': 130}); })()"""
    for look in range(600):
        if look % 50 == 0:  # a graph that is just being drawn anew hears nothing
            page.evaluate(zoom)
        part = page.evaluate(count)
        if part["last"] < 200:
            break
        page.wait_for_timeout(100)
    assert part["first"] >= 99 and part["last"] <= 131 and whole["last"] > 1000
    assert part["n"] > whole["n"] * 30 / whole["last"], "the stretch has more detail than it had in the whole"


def test_keyboard_focus_is_visible(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling")
    drawn(page, CARDS)
    for _ in range(6):
        page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow")
    assert outline not in ("none", "nonenone")


def test_narrow_window(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling", width=420, height=900)
    drawn(page, CARDS)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_empty_pages_say_what_to_import(empty_server: Any, open_page: Any) -> None:
    for path, words in (("/", "This workspace is empty"), ("/cycling", "No cycling data yet")):
        page = open_page(empty_server.url + path)
        expect(page.get_by_role("heading", name=words)).to_be_visible(timeout=DRAWN_MS)
        expect(page.get_by_role("link", name="Import data")).to_be_visible()


def test_bad_addresses_are_answered(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/import")
    for query in ("?ref=<script>alert(1)</script>", "?cycles=abc,-5,99999", "?pairing=sideways", "?tab=nowhere", "?start=x&tab=record"):
        page.goto(demo_server.url + "/cycling" + query)
        expect(page.locator("h1")).to_have_text("Cycling", timeout=DRAWN_MS)


def test_a_link_to_other_groups_is_not_overruled_by_the_controls_before(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cycling?ref=uncoated&cmp=none")
    drawn(page, CARDS)
    page.get_by_role("textbox", name="Compared group").click()
    page.get_by_role("option", name="LiNbO3-coated").click()
    expect(page).not_to_have_url(re.compile("cmp=none"))
    drawn(page, CARDS)
    page.go_back()
    expect(page).to_have_url(re.compile("cmp=none"))
    page.wait_for_timeout(1500)
    assert "cmp=none" in page.url
    assert len({t["cell"] for t in traces(page, "cycling.capacity") if t["cell"]}) == 4
