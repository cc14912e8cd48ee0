"""The Cracks page: volumes of two groups, a particle switched off, tables that lead to slices, a particle in 3D with its files."""

import csv
import json
import re
from typing import Any

from conftest import Server
from playwright.sync_api import expect

WAIT_MS = 240_000  # the cracks of eight particles are found first
GRAPH = """[...document.querySelectorAll('.graph')].find(g => g.id.includes('"cracks.%s"'))?.querySelector('.js-plotly-plot')"""


def query(page: Any) -> dict[str, str]:
    return dict(page.evaluate("Object.fromEntries(new URLSearchParams(location.search))"))


def test_from_volumes_to_tables_and_into_a_particle(demo_server: Server, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cracks")
    expect(page.locator("h1")).to_have_text("Cracks", timeout=WAIT_MS)
    first = page.locator(".stat").first
    expect(first).to_contain_text("n = 4 particles of 2 cells", timeout=WAIT_MS)
    expect(first.locator("strong")).to_have_text(re.compile(r"^[\d.]+ %$"))
    expect(page.locator(".stat", has_text="coated − uncoated, crack volume ratio")).to_contain_text("n = 4 + 4 particles (2 + 2 cells)")
    bars = page.get_by_role("region", name="Crack volume", exact=True)
    expect(bars).to_contain_text("Synthetic data.", timeout=WAIT_MS)
    near = page.get_by_role("region", name="Edge energy by distance from cracks")
    expect(near).to_contain_text("Slopes / eV/µm", timeout=WAIT_MS)

    # A particle that is switched off leaves means and counts.
    page.locator(".chip").first.click()
    expect(first).to_contain_text("n = 3 particles of 2 cells", timeout=WAIT_MS)
    off = query(page)["off"]
    page.reload()
    expect(first).to_contain_text("n = 3 particles of 2 cells", timeout=WAIT_MS)
    assert query(page) == {"off": off}

    # Tables: what is shown downloads, domains lead to the slices.
    page.get_by_text("Table", exact=True).click()
    groups = page.locator("table.scalars", has_text="Mean over particles")
    expect(groups.locator("tbody tr").first).to_contain_text("Crack volume ratio", timeout=WAIT_MS)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download CSV").first.click()
    with open(waiting.value.path(), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    assert len(rows) == 7
    assert all(0 <= float(r["ratio / 1"]) < 0.2 for r in rows)


def test_a_particle_in_three_dimensions(demo_server: Server, open_page: Any) -> None:
    page = open_page(demo_server.url + "/cracks?tab=view", theme="dark")
    view = page.locator(".volume-view")
    expect(view).to_contain_text(re.compile(r"\d+ triangles.*shell: \d+ triangles"), timeout=WAIT_MS)
    expect(view).to_contain_text("(synthetic)")
    facts = page.locator(".cracks-facts")
    expect(facts.locator("tbody tr")).to_have_count(2, timeout=WAIT_MS)
    with page.expect_download() as waiting:
        facts.get_by_role("link", name="PLY").first.click()
    with open(waiting.value.path(), "rb") as f:
        assert f.read(3) == b"ply"

    # Two particles share one camera.
    page.goto(page.url + "&beside=" + _other(demo_server))
    expect(page.locator(".volume-view")).to_have_count(2, timeout=WAIT_MS)
    expect(page.locator(".volume-view").last).to_contain_text("triangles", timeout=WAIT_MS)
    page.locator(".volume-view").first.get_by_role("button", name="xz", exact=True).click()
    poses = "JSON.stringify([...window.volumeViews.values()].map(v => Object.values(v.scene.pose()).flat().map(p => p.toFixed(4))))"
    for _ in range(50):
        first, second = json.loads(page.evaluate(poses))
        if first == second:
            break
        page.wait_for_timeout(100)
    assert first == second


def _other(server: Server) -> str:
    """The number of a coated particle's tomogram."""
    found = [m for m in server.context.workspace.snapshot().measurements if m.group == "coated" and "tomogram" in m.files[0].original_name]
    return str(found[0].id)


def test_an_empty_workspace_says_what_to_import(empty_server: Server, open_page: Any) -> None:
    page = open_page(empty_server.url + "/cracks")
    expect(page.get_by_role("heading", name="No volume yet")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_role("link", name="Import data")).to_be_visible()
