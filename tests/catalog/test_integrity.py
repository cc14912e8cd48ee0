"""What the check of a catalog finds."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.catalog import Catalog, CellFields, FileFields, MeasurementFields
from analysis.catalog.integrity import check


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    file = FileFields(original_name="a.mpr", sha256="0" * 64, size_bytes=1, stored_path="raw/a.mpr")
    with Catalog(tmp_path) as opened:
        opened.add_measurement(
            MeasurementFields(modality="cycling", dataset_keys=("d-1", "d-2")), cell=CellFields(name="C1", active_mass_mg=3), files=[file]
        )
        yield opened


def test_a_whole_catalog_has_no_problems(catalog: Catalog) -> None:
    assert check(catalog, has_dataset=lambda _: True, file_problem=lambda _: None) == []
    assert check(catalog) == []


def test_missing_datasets_and_files_are_named(catalog: Catalog) -> None:
    assert check(catalog, has_dataset="d-1".__eq__, file_problem=lambda f: f"is missing ({f.stored_path})") == [
        "Measurement 1 (cycling of cell 'C1'): dataset d-2 is missing.",
        "Measurement 1 (cycling of cell 'C1'): a.mpr is missing (raw/a.mpr).",
    ]


def test_a_measurement_without_data_is_named(catalog: Catalog) -> None:
    catalog.update_measurement(1, dataset_keys=())
    assert check(catalog) == ["Measurement 1 (cycling of cell 'C1') has no dataset."]


def test_two_active_masses_that_disagree_are_named(catalog: Catalog) -> None:
    catalog.update_cell("C1", composite_mass_mg=5, active_fraction=0.6)
    assert check(catalog) == []
    catalog.update_cell("C1", active_fraction=0.7)
    assert check(catalog) == ["Cell 'C1': the active mass is given as 3 mg, but 5 mg composite × 0.7 is 3.5 mg."]


def test_what_others_wrote_into_the_file_is_checked(catalog: Catalog, tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / "catalog.sqlite", isolation_level=None)
    raw.execute("UPDATE cells SET active_mass_mg = -1")
    raw.execute("UPDATE measurements SET state = 'full'")
    raw.execute("INSERT INTO particles (cell_id, name) VALUES (77, 'P1')")
    raw.execute("DELETE FROM particles")
    raw.execute("INSERT INTO harvests (cell_id) VALUES (77)")
    raw.close()
    assert catalog.damage() == ["catalog.sqlite: row 1 of harvests refers to a row of cells that is not there."]
    found = check(catalog)
    assert "Active mass of cell 'C1' [active_mass_mg] must be greater than 0 mg (given: -1.0)." in found
    assert "State of measurement 1 [state] must be 'pristine', 'charged' or 'discharged' (given: 'full')." in found
