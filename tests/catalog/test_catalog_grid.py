"""Rows for the editable table, and edits that come back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.catalog import Catalog, CellFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.catalog.grid import apply_edit, columns, grid_rows
from analysis.core.errors import ParamError, UserError

TABLES = ("groups", "cells", "harvests", "particles", "measurements")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog(tmp_path) as opened:
        opened.add_measurement(
            MeasurementFields(modality="xanes", date="2026-05-31", reader_options={"a": 1}),
            cell=CellFields(name="C1", group="coated", composite_mass_mg=5, active_fraction=0.6, electrode_area_cm2=0.5),
            harvest=HarvestFields(cycle_number=6, state="charged"),
            particle=ParticleFields(name="P1"),
        )
        opened.upsert_cell("C2")
        yield opened


def test_cells_come_flat_with_what_follows_from_them(catalog: Catalog) -> None:
    first, second = grid_rows(catalog)
    assert {k: first[k] for k in ("name", "group", "n_measurements", "excluded")} == {
        "name": "C1",
        "group": "coated",
        "n_measurements": 1,
        "excluded": False,
    }
    assert first["effective_active_mass_mg"] == pytest.approx(3.0)
    assert first["effective_loading_mg_cm2"] == pytest.approx(6.0)
    assert (second["name"], second["group"], second["effective_active_mass_mg"], second["n_measurements"]) == ("C2", None, None, 0)


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_in_every_row_and_rows_are_json(catalog: Catalog, table: str) -> None:
    rows = grid_rows(catalog, table)
    assert rows
    for row in rows:
        assert {c.field for c in columns(table)} <= set(row)
        assert json.loads(json.dumps(row)) == row
        assert isinstance(row["id"], int)


def test_columns_know_unit_kind_and_choices() -> None:
    by_field = {c.field: c for c in columns("cells")}
    assert (by_field["stack_pressure_MPa"].unit, by_field["stack_pressure_MPa"].kind) == ("MPa", "number")
    assert (by_field["voltage_reference"].kind, by_field["voltage_reference"].choices) == ("choice", ("Li-In", "Li"))
    assert by_field["formation_cycles"].kind == "number"
    assert by_field["date"].kind == "date"
    assert by_field["name"].kind == "text"
    assert by_field["name"].editable
    assert not by_field["effective_active_mass_mg"].editable
    assert not {c.field: c for c in columns("measurements")}["modality"].editable


@pytest.mark.parametrize(
    ("table", "field", "value", "stored"),
    [
        ("cells", "active_mass_mg", "2.9", 2.9),
        ("cells", "group", "uncoated", "uncoated"),
        ("cells", "group", "", None),
        ("cells", "date", "2026-01-02", "2026-01-02"),
        ("cells", "excluded_reason", "soft short", "soft short"),
        ("groups", "title", "Bare", "Bare"),
        ("harvests", "cycle_number", 7, 7),
        ("particles", "location", "edge", "edge"),
        ("measurements", "operator", "A. B.", "A. B."),
    ],
)
def test_an_edit_returns_the_row_as_it_is_stored(catalog: Catalog, table: str, field: str, value: object, stored: object) -> None:
    row = apply_edit(catalog, table, 1, field, value)
    assert row[field] == stored
    assert next(r for r in grid_rows(catalog, table) if r["id"] == 1) == row


def test_what_follows_from_an_edit_comes_back_too(catalog: Catalog) -> None:
    assert apply_edit(catalog, "cells", 1, "composite_mass_mg", 4)["effective_active_mass_mg"] == pytest.approx(2.4)
    assert apply_edit(catalog, "cells", 1, "excluded_reason", "short")["excluded"] is True


@pytest.mark.parametrize(
    ("table", "row_id", "field", "value", "sentence"),
    [
        ("cells", 1, "composite_mass_mg", 0, r"Composite mass of cell 'C1' .* greater than 0 mg"),
        ("cells", 1, "composite_mass_mg", "5,0", "must be a number in mg .* decimal point"),
        ("cells", 1, "name", "C2", "already a cell 'C2'"),
        ("cells", 1, "name", None, "is missing"),
        ("cells", 1, "effective_active_mass_mg", 3, "cannot be edited"),
        ("cells", 1, "excluded", True, "cannot be edited"),
        ("cells", 1, "id", 3, "cannot be edited"),
        ("cells", 99, "notes", "x", "There is no cell with the number 99"),
        ("measurements", 1, "dataset_keys", "x", "cannot be edited"),
        ("measurements", 1, "cycle_number", 7, "its harvest 6"),
        ("users", 1, "name", "x", "There is no table 'users'"),
    ],
)
def test_a_bad_edit_is_refused_and_changes_nothing(
    catalog: Catalog, table: str, row_id: int, field: str, value: object, sentence: str
) -> None:
    before = {t: grid_rows(catalog, t) for t in TABLES}
    with pytest.raises(UserError, match=sentence):
        apply_edit(catalog, table, row_id, field, value)
    assert {t: grid_rows(catalog, t) for t in TABLES} == before


def test_an_unknown_table_is_refused(catalog: Catalog) -> None:
    with pytest.raises(ParamError, match="Known tables: groups, cells"):
        grid_rows(catalog, "users")
