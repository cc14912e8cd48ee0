"""The catalog in a real browser: values are changed in place, refused in a sentence, kept; rows are excluded, moved, added."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from analysis.catalog import Catalog


@pytest.fixture
def served(tmp_path: Path, demo_workspace: Path, demo_server: Any) -> Iterator[Any]:
    """The synthetic study, to be changed."""
    root = tmp_path / "study"
    shutil.copytree(demo_workspace, root)
    server = type(demo_server)(root)
    yield server
    server.close()


@pytest.fixture
def fresh(tmp_path: Path, demo_server: Any) -> Iterator[Any]:
    """A workspace with nothing in it; the page is closed before its server is."""
    server = type(demo_server)(tmp_path / "empty")
    yield server
    server.close()


@pytest.fixture
def catalog(served: Any) -> Catalog:
    return served.context.workspace.catalog


def opened(open_page: Any, url: str, **options: Any) -> Any:
    page = open_page(f"{url}", **options)
    expect(page.locator(".ag-row").first).to_be_visible(timeout=30_000)
    return page


def cell(page: Any, row: int, field: str) -> Locator:
    return page.locator(f'.ag-row[row-id="{row}"] [col-id="{field}"]')


def change(page: Any, row: int, field: str, text: str) -> None:
    cell(page, row, field).dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def tick(page: Any, *rows: int) -> None:
    for row in rows:
        page.locator(f'.ag-row[row-id="{row}"] .ag-selection-checkbox input').click()


def confirm(page: Any, button: str, **fields: str) -> None:
    """Press a button, fill its dialog and confirm it; the dialog's button is named like the first word of the other."""
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    for label, text in fields.items():
        dialog.get_by_label(label).first.fill(text)
    dialog.get_by_role("button", name=button.split()[0].rstrip("…"), exact=False).last.click()


def test_an_edit_is_kept_and_a_bad_one_is_put_back(served: Any, catalog: Catalog, open_page: Any) -> None:
    page, c = opened(open_page, f"{served.url}/catalog"), catalog.cell("uncoated-1")
    change(page, c.id, "active_mass_mg", "0")
    expect(page.locator("#catalog-said")).to_contain_text("Active mass of cell 'uncoated-1' must be greater than 0 mg")
    expect(cell(page, c.id, "active_mass_mg")).to_have_text(f"{c.active_mass_mg:g}")
    change(page, c.id, "active_mass_mg", "3.25")
    expect(cell(page, c.id, "effective_active_mass_mg")).to_have_text("3.25")
    expect(page.locator("#catalog-said")).to_have_text("")
    page.get_by_role("link", name="Cycling").first.click()
    expect(page.locator("h1")).to_have_text("Cycling", timeout=30_000)
    page.go_back()
    expect(cell(page, c.id, "active_mass_mg")).to_have_text("3.25", timeout=30_000)
    assert catalog.cell(c.id).active_mass_mg == 3.25


def test_a_refusal_is_not_wiped_away_by_the_next_edit(served: Any, catalog: Catalog, open_page: Any) -> None:
    page, c = opened(open_page, f"{served.url}/catalog"), catalog.cell("uncoated-1")
    change(page, c.id, "one_c_mA_per_g", "0")
    change(page, c.id, "formation_cycles", "4")
    expect(page.locator("#catalog-said")).to_contain_text("Current of 1C")
    page.wait_for_timeout(500)
    expect(page.locator("#catalog-said")).to_contain_text("Current of 1C")
    assert (catalog.cell(c.id).formation_cycles, catalog.cell(c.id).one_c_mA_per_g) == (4, c.one_c_mA_per_g)


def test_the_last_of_two_writers_wins_and_the_row_shows_what_is_stored(served: Any, catalog: Catalog, open_page: Any) -> None:
    page, c = opened(open_page, f"{served.url}/catalog"), catalog.cell("coated-1")
    catalog.update_cell(c.id, coating="Al2O3", formation_cycles=9)
    change(page, c.id, "formation_cycles", "2")
    expect(cell(page, c.id, "coating")).to_have_text("Al2O3")
    assert catalog.cell(c.id).formation_cycles == 2


def test_a_new_group_from_the_cell_itself(served: Any, catalog: Catalog, open_page: Any) -> None:
    page, c = opened(open_page, f"{served.url}/catalog"), catalog.cell("coated-1")
    cell(page, c.id, "group").dblclick()
    page.locator(".ag-list-item", has_text="New group…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Group").first.fill("<b>third</b>")
    dialog.get_by_role("button", name="Add").click()
    expect(cell(page, c.id, "group")).to_have_text("<b>third</b>")
    assert catalog.cell(c.id).group == "<b>third</b>"
    fourth = "rgb(168, 81, 138)"  # the study has three groups
    expect(cell(page, c.id, "group").locator(".swatch")).to_have_css("background-color", fourth)


def test_exclusion_demands_a_reason_and_can_be_taken_back(served: Any, catalog: Catalog, open_page: Any) -> None:
    page, c = opened(open_page, f"{served.url}/catalog"), catalog.cell("uncoated-2")
    tick(page, c.id)
    confirm(page, "Exclude…")
    expect(page.get_by_role("dialog")).to_contain_text("Say why this cell is left out")
    page.get_by_role("dialog").get_by_role("textbox").fill("<i>soft</i> short")
    page.get_by_role("dialog").get_by_role("button", name="Exclude").click()
    expect(cell(page, c.id, "excluded_reason")).to_have_text("<i>soft</i> short")
    tick(page, c.id)
    confirm(page, "Include again")
    expect(cell(page, c.id, "excluded_reason")).to_have_text("")
    assert not catalog.cell(c.id).excluded


def test_rows_are_moved_added_deleted_and_searched(served: Any, catalog: Catalog, open_page: Any) -> None:
    page = opened(open_page, f"{served.url}/catalog")
    gone, moved = catalog.cell("uncoated-3"), catalog.cell("uncoated-4")
    tick(page, moved.id)
    expect(page.locator("#catalog-cycling")).to_have_attribute("href", "/cycling?ref=uncoated&cmp=none")
    confirm(page, "Move to group…", Group="coated")
    expect(cell(page, moved.id, "group")).to_have_text("coated")
    tick(page, gone.id)
    confirm(page, "Delete…")
    expect(cell(page, gone.id, "name")).to_have_count(0)
    confirm(page, "Add a cell", Cell="<script>alert(1)</script> 電池")
    expect(page.locator('.ag-cell[col-id="name"]', has_text="<script>alert(1)</script> 電池")).to_be_visible()
    page.get_by_placeholder("Search").fill("電池")
    expect(page.locator(".ag-center-cols-container .ag-row")).to_have_count(1)


def test_tables_are_in_the_address_and_filters_offer_the_values(served: Any, open_page: Any) -> None:
    page = opened(open_page, f"{served.url}/catalog?table=measurements")
    expect(page.locator('.ag-header-cell[col-id="files"]')).to_be_visible()
    heading = page.locator('.ag-header-cell[col-id="group"]')
    heading.hover()
    heading.locator(".ag-header-cell-filter-button").click()
    uncoated = page.locator(".ag-center-cols-container .ag-row", has_text="uncoated")
    expect(uncoated).not_to_have_count(0)
    page.locator(".catalog-values label", has_text="uncoated").click()
    expect(uncoated).to_have_count(0)
    expect(page.locator(".ag-center-cols-container .ag-row")).not_to_have_count(0)
    page.locator(".toolbar").get_by_text("Groups", exact=True).click()
    expect(page.locator('.ag-cell[col-id="title"]').first).to_have_text("Uncoated")
    assert "table=groups" in page.url


def test_details_name_the_file_its_hash_and_its_reader(served: Any, catalog: Catalog, open_page: Any) -> None:
    page, m = opened(open_page, f"{served.url}/catalog?table=measurements"), catalog.measurements()[0]
    tick(page, m.id)
    page.get_by_role("button", name="Details").click()
    drawer = page.get_by_role("dialog")
    for part in (m.files[0].original_name, m.files[0].sha256, m.reader_id, m.dataset_keys[0]):
        expect(drawer).to_contain_text(str(part))


def test_a_table_of_cells_goes_out_and_comes_back(served: Any, catalog: Catalog, open_page: Any, tmp_path: Path) -> None:
    page = opened(open_page, f"{served.url}/catalog")
    page.get_by_role("button", name="Manifest").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Groups and cells only").click()
    path = tmp_path / "cells.csv"
    path.write_text(Path(download.value.path()).read_text(encoding="utf-8-sig").replace("LiNbO3,", "LiTaO3,"), encoding="utf-8")
    page.get_by_role("button", name="Manifest").click()
    page.get_by_role("menuitem", name="Import a manifest").click()
    page.locator("#catalog-manifest-upload input").set_input_files(path)
    expect(page.locator("#catalog-manifest-said")).to_contain_text("cells described")
    expect(cell(page, catalog.cell("coated-1").id, "coating")).to_have_text("LiTaO3")
    (tmp_path / "bad.csv").write_text("cell,active_mass_mg\ncoated-1,-1\n", encoding="utf-8")
    page.locator("#catalog-manifest-upload input").set_input_files(tmp_path / "bad.csv")
    expect(page.locator("#catalog-manifest-said")).to_contain_text("bad.csv, row 2, column active_mass_mg")


def test_an_empty_workspace_says_what_to_do_and_takes_a_first_cell(fresh: Any, open_page: Any) -> None:
    page = open_page(f"{fresh.url}/catalog")
    expect(page.get_by_text("No cells yet", exact=True)).to_be_visible(timeout=30_000)
    confirm(page, "Add a cell", Cell="C1")
    expect(page.locator('.ag-cell[col-id="name"]')).to_have_text("C1")
    expect(page.get_by_text("No cells yet", exact=True)).to_be_hidden()
