"""Compare and Interplay: two groups over all modalities, from the first page to the page of each metric and back."""

import csv
import io
import re
from typing import Any

import pytest
from playwright.sync_api import expect

ROWS = ".scorecard tbody tr"
WAIT_MS = 60_000


def effect(page: Any, metric: str) -> str:
    """The effect of a metric as it is printed."""
    row = page.locator(ROWS).filter(has=page.get_by_role("rowheader", name=re.compile(f"^{metric}")))
    return str(row.locator("td").nth(2).text_content())


def changed_ids(request: Any) -> list[str]:
    """What made the page ask the server: the parts of it that have changed."""
    body = request.post_data_json if "_dash-update-component" in request.url else None
    return list(body["changedPropIds"]) if body else []


def test_a_comparison_from_the_first_page(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/")
    expect(page.get_by_role("rowheader", name=re.compile("^Retention"))).to_be_visible(timeout=WAIT_MS)
    assert page.locator(".tile").count() == 5
    assert effect(page, "Retention").startswith("+")
    row = page.locator(ROWS).filter(has=page.get_by_role("rowheader", name=re.compile("^Retention")))
    expect(row).to_contain_text("▲ better")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    found = {r["id"]: r for r in csv.DictReader(io.StringIO(waiting.value.path().read_text(encoding="utf-8")))}
    assert float(found["cycling.retention"]["effect"]) > 0 and found["cycling.retention"]["origin"] == "synthetic"
    page.goto(demo_server.url + "/?ref=coated&cmp=uncoated")
    expect(page.get_by_role("rowheader", name=re.compile("^Retention"))).to_be_visible(timeout=WAIT_MS)
    assert effect(page, "Retention").startswith("−")
    page.get_by_role("link", name="Retention").click()
    expect(page.locator("h1")).to_have_text("Cycling")
    for part in ("ref=coated", "cmp=uncoated", "tab=table"):
        expect(page).to_have_url(re.compile(part))
    expect(page.get_by_role("textbox", name="Quantity compared")).to_have_value("Capacity retention")


@pytest.mark.long
def test_each_figure_opens_its_page_with_both_groups(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/?ref=coated&cmp=uncoated")
    expect(page.get_by_role("rowheader", name=re.compile("^Retention"))).to_be_visible(timeout=WAIT_MS)
    drawn: list[str] = []
    page.on("request", lambda r: drawn.extend(i for i in changed_ids(r) if "view-query" in i))
    page.get_by_role("textbox", name="Compared group").click()
    page.get_by_role("option", name="nothing", exact=True).click()
    expect(page.get_by_role("alert").first).to_be_visible(timeout=WAIT_MS)
    assert drawn == [], "the page that is laid out anew brings its figures: none is asked for by itself"
    page.get_by_role("textbox", name="Compared group").click()
    page.get_by_role("option", name="Uncoated", exact=True).click()
    expect(page.get_by_role("rowheader", name=re.compile("^Retention"))).to_be_visible(timeout=WAIT_MS)
    links = page.locator(".tile .tile-link")
    found = [links.nth(k).get_attribute("href") for k in range(5)]
    assert [str(f).partition("?")[0] for f in found] == ["/cycling", "/distributions", "/distributions", "/cracks", "/spectra"]
    for k, title in enumerate(("Cycling", "Distributions", "Distributions", "Cracks", "Spectra")):
        page.locator(".tile .tile-link").nth(k).click()
        expect(page.locator("h1")).to_have_text(title, timeout=WAIT_MS)
        expect(page.get_by_role("textbox", name="Compared group")).to_have_value("Uncoated")
        page.go_back()
        expect(page.locator("h1")).to_have_text("Compare", timeout=WAIT_MS)


@pytest.mark.long
def test_one_group_is_no_comparison(demo_server: Any, open_page: Any) -> None:
    for query in ("?cmp=none", "?ref=coated&cmp=coated", "?ref=<b>x</b>&cmp=nowhere"):
        page = open_page(demo_server.url + "/" + query)
        expect(page.get_by_role("alert").first).to_be_visible(timeout=WAIT_MS)


def test_cells_are_brushed_in_every_panel(demo_server: Any, open_page: Any) -> None:
    page = open_page(demo_server.url + "/interplay?metrics=cycling.initial_capacity,cycling.retention,cycling.fade_rate")
    graph = """(() => [...document.querySelectorAll('.graph')].find(g => g.id.includes('"interplay.matrix"')).querySelector('.js-plotly-plot'))()"""
    expect(page.locator('.graph[id*="interplay.matrix"] .scatterlayer .point').first).to_be_attached(timeout=WAIT_MS)
    page.evaluate(f"""(() => {{ const g = {graph}; const t = g.data.find(t => (t.customdata || []).includes('coated-1'));
        g.emit('plotly_selected', {{points: [{{customdata: 'coated-1', curveNumber: g.data.indexOf(t), pointNumber: 0, data: t}}]}}); }})()""")
    marked = f"""(() => {graph}.data.filter(t => t.selectedpoints).flatMap(t => t.selectedpoints.map(i => t.customdata[i])))()"""
    for _ in range(100):
        if page.evaluate(marked):
            break
        page.wait_for_timeout(100)
    assert page.evaluate(marked) == ["coated-1"] * 6, "three panels and three lines"
    expect(page.get_by_text("Isolated domains").first).to_be_visible()
