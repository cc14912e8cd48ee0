"""The segmentation workbench in a real browser: masks follow settings, the brush paints, the whole volume is computed and stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from conftest import EXPECT_MS, box_of
from playwright.sync_api import expect

from analysis.catalog import CellFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.core.jobs import Inline
from analysis.demo import crack_phantoms
from analysis.workspace import Workspace

SIDE = 44


@pytest.fixture
def bench_server(tmp_path: Path, empty_server: Any) -> Iterator[Any]:
    """A server over one synthetic tomogram, whose jobs run at once."""
    folder = tmp_path
    density = crack_phantoms.sheets(SIDE, width=3, count=2, seed=5).tomogram(blur=0.8, snr=10, seed=5)["density"].values
    np.save(folder / "tomogram.npy", density.astype(np.float32))
    workspace = Workspace(folder / "study")
    charged: dict[str, Any] = {"state": "charged", "cycle_number": 6}
    workspace.import_files(
        [folder / "tomogram.npy"],
        cell=CellFields(name="C1", group="bare"),
        measurement=MeasurementFields(**charged, origin="synthetic"),
        harvest=HarvestFields(**charged),
        particle=ParticleFields(name="P1"),
        reader_id="xanes.volume",
        options={"voxel_um": 0.05},
    )
    workspace.catalog.close()
    server = type(empty_server)(folder / "study")
    server.context.jobs._executor.close()
    server.context.jobs._executor = Inline()
    yield server
    server.close()


def until(page: Any, script: str) -> Any:
    """Wait until a script of the page answers with something."""
    for _ in range(EXPECT_MS // 100):
        if found := page.evaluate(script):
            return found
        page.wait_for_timeout(100)
    return pytest.fail(f"never came: {script}")


def red(page: Any, axis: int = 0) -> int:
    """Pixels of a pane that are drawn as crack."""
    script = """axis => { const c = document.querySelectorAll('.crack-mask')[axis]; const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i + 3] > 100 && d[i] > 200 && d[i + 1] < 90) n++; return n; }"""
    return int(page.evaluate(script, axis))


def test_masks_follow_settings_and_hands_and_stay(bench_server: Any, open_page: Any) -> None:
    page = open_page(f"{bench_server.url}/cracks?tab=workbench")
    said = page.locator("#crack-said")
    expect(said).to_contain_text("Preview of the whole volume, not stored. Crack volume ratio")
    until(page, "document.querySelectorAll('.crack-mask').length === 3")
    page.evaluate("window.drawn = []; document.addEventListener('crack-drawn', (e) => window.drawn.push(e.detail), true)")
    first = red(page)
    assert first > 0

    # A slider: the mask follows while it is dragged, the address when it is let go.
    slider = box_of(page.locator("[data-field=depth] .image-slider"))
    middle = slider["y"] + slider["height"] / 2
    page.mouse.move(slider["x"] + slider["width"] * 0.2, middle)
    page.mouse.down()
    page.mouse.move(slider["x"] + slider["width"] - 1, middle, steps=4)
    until(page, "window.drawn.length >= 3")
    assert "c_depth" not in page.url
    page.mouse.up()
    until(page, "new URLSearchParams(location.search).get('c_depth') === '0.6'")
    # What is typed is tried at once: nothing is as dark as that.
    page.locator("[data-field=depth] .mantine-Input-input").fill("0.98")
    expect(said).to_contain_text("Crack volume ratio 0.00 %")
    until(page, "window.drawn.filter(d => d.epoch === window.crackParts.state.epoch).length >= 3")
    assert red(page) == 0
    page.locator("[data-field=depth] .mantine-Input-input").fill("")
    until(page, "!new URLSearchParams(location.search).has('c_depth')")
    expect(page.locator(".crack-levels .js-plotly-plot")).to_be_visible()

    # The brush: painted in one slice, drawn in all three.
    page.get_by_text("Add crack", exact=True).click()
    until(page, "window.crackParts.state.tool === 'add'")
    pane = box_of(page.locator(".image-view[data-view=cracks] .image-pane").first)
    x, y = pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y, steps=5)
    page.mouse.up()
    expect(page.locator("#crack-brush-words")).to_contain_text("painted")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#crack-brush-words")).to_have_text("nothing painted")
    page.get_by_role("button", name="Redo").click()
    expect(page.locator("#crack-brush-words")).to_contain_text("ball")

    # The whole volume: a job, then its numbers, still there after a reload.
    page.get_by_role("button", name="Compute whole volume").click()
    numbers = page.get_by_label("Whole volume")
    expect(numbers).to_contain_text("Detection limit", timeout=2 * EXPECT_MS)
    expect(said).to_contain_text("Stored segmentation of the whole volume")
    page.reload()
    expect(numbers).to_contain_text("Crack volume ratio")
    expect(page.locator("#crack-brush-words")).to_contain_text("ball")
    assert "at" in parse_qs(urlsplit(page.url).query)

    # A preset: saved by name, chosen, and that of the group.
    page.get_by_label("Name of the preset").fill("mine")
    page.get_by_role("button", name="Save as").click()
    until(page, "new URLSearchParams(location.search).get('preset') === 'mine'")
    expect(page.get_by_label("Preset", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Apply to groups").click()
    expect(page.get_by_label("Groups").locator("tbody")).to_contain_text("mine")
