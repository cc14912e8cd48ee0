"""The distributions page: the study's differences, a range that is marked, particles switched off, and work that is left and cancelled."""

import csv
import re
from typing import Any

import pytest
from conftest import Server, box_of
from playwright.sync_api import expect

WAIT_MS = 60_000
GRAPH = """[...document.querySelectorAll('.graph')].find(g => g.id.includes('"distributions.%s"'))?.querySelector('.js-plotly-plot')"""


def until(page: Any, script: str, wanted: Any = True) -> Any:
    """Wait until a script's value is the wanted one (or true)."""
    for _ in range(WAIT_MS // 100):
        found = page.evaluate(script)
        if found == wanted or (wanted is True and found):
            return found
        page.wait_for_timeout(100)
    pytest.fail(f"{script} is still {page.evaluate(script)!r}")


def outlines(figure: str) -> str:
    return f"(({GRAPH % figure})?.data || []).filter(t => t.fill === 'toself').length"


def query(page: Any) -> dict[str, str]:
    return dict(page.evaluate("Object.fromEntries(new URLSearchParams(location.search))"))


def test_differences_a_marked_range_and_a_particle_switched_off(demo_server: Server, open_page: Any) -> None:
    page = open_page(demo_server.url + "/distributions")
    expect(page.locator("h1")).to_have_text("Distributions", timeout=WAIT_MS)
    until(page, outlines("violins"), 4)  # two groups in two states
    first = page.locator(".stat").first
    expect(first).to_contain_text("coated, particle medians, charged − discharged")
    expect(first.locator("strong")).to_have_text(re.compile(r"^\+\d\.\d\d eV$"))
    expect(first).to_contain_text("n = 2 + 2")
    expect(page.get_by_text("All particles alike: half of the edge step, E0 83")).to_be_visible()
    assert "Synthetic data." in page.evaluate(f"({GRAPH % 'violins'}).layout.xaxis.title.text")

    # A range dragged over the histogram stands in the address, and its links lead to the voxels.
    plot = box_of(page.locator('[id*="distributions.histogram"] .nsewdrag').first)
    page.mouse.move(plot["x"] + 0.4 * plot["width"], plot["y"] + 20)
    page.mouse.down()
    page.mouse.move(plot["x"] + 0.6 * plot["width"], plot["y"] + 24, steps=5)
    page.mouse.up()
    expect(page.get_by_text("Show these voxels:")).to_be_visible(timeout=WAIT_MS)
    low, high = map(float, query(page)["brush"].split(","))
    shape = until(page, f"({GRAPH % 'histogram'})?.layout.shapes?.[0] ?? null")
    assert (shape["x0"], shape["x1"]) == (low, high)
    links = page.locator(".brush-row a")
    expect(links).to_have_count(8)
    assert f"brush={low:.8g}%2C{high:.8g}" in links.first.get_attribute("href")

    # A particle that is switched off leaves violins, means and counts.
    page.locator(".chip").first.click()
    expect(page.locator(".stat", has_text="uncoated, particle medians")).to_contain_text("n = 2 + 1", timeout=WAIT_MS)
    off = query(page)["off"]
    until(page, f"({GRAPH % 'violins'}).data.every(t => t.meta?.id !== '{off}')")
    page.reload()
    expect(page.locator(".stat", has_text="uncoated, particle medians")).to_contain_text("n = 2 + 1", timeout=WAIT_MS)
    assert query(page) == {"brush": f"{low:.8g},{high:.8g}", "off": off}

    # Single particles as a table, which downloads with what is switched off.
    page.get_by_text("Table", exact=True).click()
    table = page.locator("table.scalars")
    expect(table.locator("tbody tr")).to_have_count(7, timeout=WAIT_MS)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").click()
    with open(waiting.value.path(), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 7
    assert {r["definition"] for r in rows} == {"e_half"}
    assert all(8300 < float(r["median / eV"]) < 8400 and float(r["noise_floor / eV"]) > 0 for r in rows)


@pytest.mark.long
def test_work_survives_that_the_page_is_left_and_can_be_cancelled_and_tried_again(demo_server: Server, open_page: Any) -> None:
    jobs = demo_server.context.jobs
    for k in range(8):  # more than there are workers: what the page asks for waits behind
        jobs.submit(f"before-{k}", "slow_tasks:wait", {"seconds": 60}, title="Before")
    page = open_page(demo_server.url + "/distributions?e0=8341&cmp=none&states=charged")
    card = page.get_by_role("region", name="Heterogeneity beyond noise")
    job = card.locator(".job", has_text="Edge energy of uncoated-1")
    expect(job).to_be_visible(timeout=WAIT_MS)
    page.reload()
    expect(job).to_be_visible(timeout=WAIT_MS)
    job.get_by_role("button", name="Cancel").click()
    expect(card.get_by_text("cancelled", exact=False).first).to_be_visible(timeout=WAIT_MS)
    for k in range(8):
        jobs.cancel(f"before-{k}")
    drawn = f"(({GRAPH % 'heterogeneity'})?.data || []).filter(t => t.meta).length"
    until(page, drawn, 2)  # one particle is left: its heterogeneity and its noise
    card.get_by_role("button", name="Try again").click()
    until(page, drawn, 4)
    assert "uncoated-1" in page.evaluate(f"JSON.stringify(({GRAPH % 'heterogeneity'}).data)")


def test_an_empty_workspace_says_what_to_import(empty_server: Server, open_page: Any) -> None:
    page = open_page(empty_server.url + "/distributions", theme="dark")
    expect(page.get_by_role("heading", name="No particle yet")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_role("link", name="Import data")).to_be_visible()
