"""A newcomer's way: first start, import, catalog, cycling, download; and jobs that are cancelled or left alone."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SMALL_DEMO, Server
from playwright.sync_api import expect

LONG_MS = 60_000
TINY_DEMO = {**SMALL_DEMO, "cycling": {"cells_per_group": 2, "cycles": 12}}


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "study")
    yield server
    server.close()


def cycler_file(folder: Path, name: str, fade: float) -> Path:
    """Six cycles at 1 mA; the discharge loses ``fade`` of its hour each cycle."""
    lines, t = ["Test Time / s,Voltage / V,Current / A,Cycle Count / 1"], 0.0
    for cycle in range(1, 7):
        for current, seconds in ((1e-3, 3600), (-1e-3, 3600 * (0.95 - fade * cycle))):
            for k in range(61):
                voltage = 3.0 + 0.01 * k if current > 0 else 3.6 - 0.01 * k
                lines.append(f"{t + seconds * k / 60:.2f},{voltage:.3f},{current},{cycle}")
            t += seconds + 60
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_import_catalog_cycling_download(own_server: Server, open_page: Any, tmp_path: Path) -> None:
    page = open_page(own_server.url + "/")
    page.get_by_role("link", name="Import data").click()
    expect(page.locator("h1")).to_have_text("Import", timeout=LONG_MS)
    files = [cycler_file(tmp_path, "bare-1.bdf.csv", 0.05), cycler_file(tmp_path, "bare-2.bdf.csv", 0.04)]
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([str(f) for f in files])
    ready = page.get_by_role("button", name=re.compile("Import .*2 ready|Import 2"))
    expect(ready).to_be_visible(timeout=LONG_MS)
    page.get_by_label("Group").first.fill("uncoated")
    page.get_by_label("Active mass / mg").first.fill("2.0")
    page.get_by_role("button", name="Apply").click()
    page.wait_for_timeout(1500)
    ready.click()
    expect(page.get_by_role("link", name=re.compile("Cycling page")).first).to_be_visible(timeout=LONG_MS)

    page.get_by_role("link", name="Catalog").click()
    expect(page.get_by_text("bare-1", exact=False).first).to_be_visible(timeout=LONG_MS)
    assert {(c.group, c.effective_active_mass_mg) for c in own_server.context.workspace.snapshot().cells} == {("uncoated", 2.0)}

    page.get_by_role("link", name="Cycling", exact=True).click()
    expect(page.locator(".chip", has_text="bare-1")).to_be_visible(timeout=LONG_MS)
    page.wait_for_timeout(2500)
    page.get_by_role("button", name="Discharge capacity and coulombic efficiency: download and more").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name="Download data (CSV)").click()
    with open(waiting.value.path(), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    first = next(r for r in rows if r["cycle / 1"] == "1" and "1" in r["cell"])
    # An hour at 1 mA less 10 % of it, from 2 mg.
    assert float(first["discharge_capacity / mA h/g"]) == pytest.approx(450.0, rel=1e-6)
    assert {r["origin"] for r in rows} == {"measured"}


@pytest.mark.long
def test_a_first_start_shows_the_study_being_made_and_then_the_study(own_server: Server, open_page: Any) -> None:
    from analysis import tasks

    own_server.context.jobs.submit("demo-study", tasks.DEMO, TINY_DEMO, title="Synthetic study")
    page = open_page(own_server.url + "/")
    expect(page.locator("#jobs-here").get_by_text("Synthetic study")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("heading", name="Scorecard")).to_be_visible(timeout=3 * LONG_MS)
    expect(page.locator("#synthetic-banner")).to_be_visible()


def test_a_job_is_cancelled_and_only_that_one(own_server: Server, open_page: Any) -> None:
    jobs = own_server.context.jobs
    jobs.submit("long", "slow_tasks:wait", {"seconds": 300}, title="A long one")
    jobs.submit("short", "slow_tasks:wait", {"seconds": 6}, title="A short one")
    page = open_page(own_server.url + "/")
    page.get_by_role("button", name="Jobs").click()
    drawer = page.get_by_role("dialog", name="Jobs")
    row = drawer.locator(".job", has_text="A long one")
    expect(row.get_by_text(re.compile("step"))).to_be_visible(timeout=LONG_MS)
    row.get_by_role("button", name="Cancel").click()
    expect(row.get_by_text("cancelled", exact=True)).to_be_visible(timeout=LONG_MS)
    expect(drawer.locator(".job", has_text="A short one").get_by_text("done", exact=True)).to_be_visible(timeout=LONG_MS)


def test_a_job_goes_on_while_the_page_is_left_and_its_end_is_found(own_server: Server, open_page: Any) -> None:
    own_server.context.jobs.submit("away", "slow_tasks:wait", {"seconds": 5}, title="While away")
    page = open_page(own_server.url + "/")
    expect(page.locator("#jobs-count").get_by_text("1")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("link", name="Catalog").click()
    expect(page.locator("h1")).to_have_text("Catalog", timeout=LONG_MS)
    page.reload()
    page.get_by_role("button", name="Jobs").click()
    row = page.get_by_role("dialog", name="Jobs").locator(".job", has_text="While away")
    expect(row.get_by_text("done", exact=True)).to_be_visible(timeout=LONG_MS)
