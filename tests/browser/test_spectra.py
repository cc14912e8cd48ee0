"""The spectra page: the picture of the study, its tabs, a point taken out and put back, a recipe and marker lines kept."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from playwright.sync_api import expect

WAIT_MS = 60_000
GRAPH = """[...document.querySelectorAll('.graph')].find(g => g.id.includes('"%s"'))?.querySelector('.js-plotly-plot')"""


@pytest.fixture(scope="module")
def spectra_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two cells of each group in one state each, and their standards, as the synthetic set has them."""
    from analysis.demo.spectra_study import write_spectra
    from analysis.workspace import Workspace

    folder = tmp_path_factory.mktemp("spectra")
    write_spectra(folder / "files", cells_per_group=2)
    manifest = folder / "files" / "spectra_manifest.csv"
    rows = list(csv.DictReader(manifest.read_text(encoding="utf-8").splitlines()))
    kept = [r for r in rows if r["state"] in ("charged", "pristine", "")]
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    Workspace(folder / "study").import_manifest(manifest)
    server = Server(folder / "study")
    yield server
    server.close()


def until(page: Any, script: str, wanted: Any = True) -> Any:
    """Wait until a script's value is the wanted one (or true)."""
    for _ in range(WAIT_MS // 100):
        found = page.evaluate(script)
        if found == wanted or (wanted is True and found):
            return found
        page.wait_for_timeout(100)
    pytest.fail(f"{script} is still {page.evaluate(script)!r}")


def drawn(page: Any, figure: str, at_least: int = 1) -> None:
    graph = GRAPH % figure
    until(page, f"(() => {{ const g = {graph}; return !!g && (g.data || []).length >= {at_least}; }})()")


def test_the_picture_of_the_study(spectra_server: Server, open_page: Any) -> None:
    page = open_page(spectra_server.url + "/spectra")
    expect(page.locator("h1")).to_have_text("Spectra", timeout=WAIT_MS)
    drawn(page, "spectra.overlay", 8)  # four means with their bands, and the zoomed part
    drawn(page, "spectra.areas", 4)
    drawn(page, "spectra.difference", 2)
    said = page.evaluate(f"({GRAPH % 'spectra.overlay'}).layout.annotations.map(a => a.text).join(' ')").replace("<br>", " ")
    assert "Synthetic data. Energies calibrated on Na2S2O3 at 2472.02 eV." in said
    assert "heights unreliable" in said
    table = page.get_by_role("region", name="Group against group")
    expect(table.locator("tbody tr")).to_have_count(2, timeout=WAIT_MS)
    expect(table).to_contain_text("n = 2 + 2")
    assert page.evaluate("document.documentElement.scrollHeight <= window.innerHeight"), "one screen at 1440 × 900"
    # A cell that is switched off leaves the areas' count.
    page.locator(".chip", has_text="uncoated-1").click()
    expect(page).to_have_url(re.compile("off="))
    expect(table).to_contain_text("n = 1", timeout=WAIT_MS)


def test_peaks_mixtures_and_table(spectra_server: Server, open_page: Any) -> None:
    page = open_page(spectra_server.url + "/spectra?tab=peaks")
    drawn(page, "spectra.peak_fit", 5)
    expect(page.get_by_role("region", name="Areas by sample").locator("tbody tr")).to_have_count(8, timeout=WAIT_MS)
    page.get_by_role("radiogroup", name="View").get_by_text("Mixtures").click()
    drawn(page, "spectra.lcf", 3)
    expect(page.get_by_role("region", name="Fractions").locator("tbody tr")).to_have_count(2, timeout=WAIT_MS)
    expect(page.get_by_role("region", name="All combinations")).to_contain_text("best")
    page.get_by_role("radiogroup", name="View").get_by_text("Table").click()
    expect(page.get_by_role("region", name="Every sample by one recipe").locator("tbody tr")).to_have_count(8, timeout=WAIT_MS)


def test_a_point_is_taken_out_and_put_back(spectra_server: Server, open_page: Any) -> None:
    page = open_page(spectra_server.url + "/spectra?tab=processing")
    drawn(page, "spectra.measured")
    drawn(page, "spectra.lines", 3)
    graph = GRAPH % "spectra.measured"
    click = f"""(() => {{ const g = {graph}, t = g.data[0];
        const i = 40; g.emit('plotly_click', {{points: [{{curveNumber: 0, pointNumber: i, x: g._fullData[0].x[i], y: 0, customdata: t.customdata[i]}}]}}); }})()"""
    page.get_by_role("switch", name=re.compile("Click takes points out")).click()
    page.evaluate(click)
    expect(page).to_have_url(re.compile("taken="), timeout=WAIT_MS)
    until(page, f"({graph}).data.some(t => t.name === 'taken out')")
    edits = spectra_server.context.workspace.store.keys("e")
    assert len(edits) == 1
    page.get_by_role("button", name="Undo").click()
    expect(page).not_to_have_url(re.compile("taken="), timeout=WAIT_MS)
    until(page, f"({graph}).data.every(t => t.name !== 'taken out')")
    assert spectra_server.context.workspace.store.keys("e") == edits, "the edit is kept: the address before still works"


def test_a_recipe_is_changed_saved_and_chosen(spectra_server: Server, open_page: Any) -> None:
    page = open_page(spectra_server.url + "/spectra?tab=processing")
    drawn(page, "spectra.lines", 3)
    page.get_by_label("Post from / eV").fill("15")
    page.get_by_label("Post from / eV").press("Enter")
    expect(page).to_have_url(re.compile("norm1=15"), timeout=WAIT_MS)
    page.get_by_label("Save as").fill("mine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile("recipe=mine"), timeout=WAIT_MS)
    expect(page).not_to_have_url(re.compile("norm1="))
    expect(page.get_by_label("Post from / eV")).to_have_attribute("placeholder", "15", timeout=WAIT_MS)
    expect(page.get_by_text(re.compile("Recipe: mine"))).to_be_visible()


def test_marker_lines_are_kept_with_the_workspace(spectra_server: Server, open_page: Any, tmp_path: Path) -> None:
    page = open_page(spectra_server.url + "/spectra")
    drawn(page, "spectra.overlay", 8)
    page.get_by_role("button", name="Lines").click()
    dialog = page.get_by_role("dialog", name="Marker lines")
    expect(dialog.get_by_label("name of line 1", exact=True)).to_be_visible(timeout=WAIT_MS)
    count = dialog.get_by_role("checkbox").count()
    dialog.get_by_role("button", name="Add a line").click()
    fresh = dialog.get_by_label(f"name of line {count + 1}", exact=True)
    fresh.fill("thiosulfate")
    dialog.get_by_label(f"energy of line {count + 1}", exact=True).fill("much")
    dialog.get_by_role("button", name="Keep with the workspace").click()
    expect(dialog).to_contain_text("'much' is no energy for 'thiosulfate'", timeout=WAIT_MS)
    dialog.get_by_label(f"energy of line {count + 1}", exact=True).fill("2480.1")
    dialog.get_by_role("button", name="Keep with the workspace").click()
    expect(dialog).not_to_be_visible(timeout=WAIT_MS)
    until(page, f"({GRAPH % 'spectra.overlay'}).layout.annotations.some(a => a.text === 'thiosulfate')")
