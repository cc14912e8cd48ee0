"""Lists of cells as people keep them: spreadsheets and CSV, their own words and units, what the catalog has no field for."""

import datetime as dt
import shutil
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.catalog import CellFields
from analysis.catalog.columns import columns_of
from analysis.catalog.manifest import ManifestRow, read_manifest, remarks
from analysis.catalog.manifest_text import lists_cells
from analysis.cli import main
from analysis.core.errors import UserError
from analysis.inspection import inspect
from analysis.modalities import registry
from analysis.workspace import Workspace
from tests.tables import write_xlsx


def listed(path: Path, text: str) -> tuple[ManifestRow, ...]:
    path.write_text(text, encoding="utf-8")
    return read_manifest(path)


def cell(row: ManifestRow) -> CellFields:
    assert row.cell is not None
    return row.cell


def test_a_real_list(small_data: Path) -> None:
    rows = read_manifest(small_data / "neware/Experiment_Record.xlsx")
    assert [cell(r).given() for r in rows] == [
        {"name": name, "active_material": what, "date": dt.date(2024, 3, 20), "notes": f"Nominal Capacity [Ah]: {capacity}"}
        for name, what, capacity in (("Cell1", "NMC622", "5.0"), ("Cell2", "NMC811", "3.0"), ("Cell3", "LFP", "2.5"))
    ]
    assert remarks(rows) == (
        "Experiment_Record.xlsx: the catalog has no field for 'Nominal Capacity [Ah]': kept in the notes of each cell.",
    )


def test_the_command_line_takes_it(small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small_data / "neware/Experiment_Record.xlsx"
    assert main(["import", str(tmp_path / "study"), "--manifest", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out == "3 cells described: Cell1, Cell2, Cell3\n"
    assert err.startswith("warning: Experiment_Record.xlsx: the catalog has no field for 'Nominal Capacity [Ah]'")
    workspace = Workspace(tmp_path / "study")
    assert [c.name for c in workspace.catalog.cells()] == ["Cell1", "Cell2", "Cell3"]
    assert workspace.catalog.measurements() == ()
    workspace.catalog.close()


@pytest.mark.parametrize("name", ["list.xlsx", "list.dat"])
def test_what_a_dropped_list_is_said_to_be(small_data: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(small_data / "neware/Experiment_Record.xlsx", tmp_path / name)
    found = inspect(tmp_path / name, registry())
    assert (found.kind, found.rows, found.files) == ("manifest", 3, ())
    assert found.note == "Names 0 files of 3 cells in 0 groups."
    assert len(found.warnings) == 1


WORDS = """Sample;Group;Chemistry;Mass [g];Active mass (mg);Area (mm²);Pressure / bar;Temperature [K];AM fraction (wt%);Notes;User;Built
U1;uncoated;NMC811;0,005;3,0;78,5;700;333,15;60;first;RH;20.03.2024
C1;coated;NMC811;0,005;2,9;78,5;700;333,15;58;;RH;2024-03-21 10:15
"""


def test_units_and_words_are_converted(tmp_path: Path) -> None:
    rows = listed(tmp_path / "m.csv", WORDS)
    first = cell(rows[0]).given()
    assert first == {
        "name": "U1",
        "group": "uncoated",
        "active_material": "NMC811",
        "composite_mass_mg": 5.0,
        "active_mass_mg": 3.0,
        "electrode_area_cm2": 0.785,
        "stack_pressure_MPa": 70.0,
        "temperature_degC": pytest.approx(60.0),
        "active_fraction": 0.6,
        "notes": "first",
        "operator": "RH",
        "date": dt.date(2024, 3, 20),
    }
    assert (cell(rows[1]).date, cell(rows[1]).notes) == (dt.date(2024, 3, 21), None)
    assert remarks(rows) == ("m.csv: 'Mass [g]' was taken as composite mass; call it 'active mass' if it is that.",)


@given(st.sampled_from([("g", 1e3), ("mg", 1.0), ("µg", 1e-3), ("kg", 1e6)]), st.floats(1e-6, 1e6, allow_subnormal=False))
@settings(max_examples=25, deadline=None)
def test_any_unit_of_mass_gives_the_same_mass(unit: tuple[str, float], milligrams: float) -> None:
    name, size = unit
    (_, mass) = columns_of("m.csv", ["Name", f"Active mass ({name})"])
    assert mass.name == "active_mass_mg"
    assert float(mass.value(repr(milligrams / size))) == pytest.approx(milligrams, rel=1e-9)


@pytest.mark.parametrize(
    ("header", "column", "factor"),
    [
        ("Electrode area [cm2]", "electrode_area_cm2", 1.0),
        ("Loading (mg/cm²)", "areal_loading_mg_cm2", 1.0),
        ("Loading [mg cm-2]", "areal_loading_mg_cm2", 1.0),
        ("Mass loading (g/m^2)", "areal_loading_mg_cm2", 0.1),
        ("1C (A/g)", "one_c_mA_per_g", 1e3),
        ("Coating thickness / Å", "coating_thickness_nm", 0.1),
        ("Upper cutoff (mV)", "voltage_upper_V", 1e-3),
        ("Temperature (C)", "temperature_degC", 1.0),
        ("Temperature [°C]", "temperature_degC", 1.0),
        ("active_mass_mg", "active_mass_mg", 1.0),
        ("Active material", "active_material", 1.0),
    ],
)
def test_headers_and_their_factors(header: str, column: str, factor: float) -> None:
    found = columns_of("m.csv", ["Cell ID", header])[1]
    assert (found.name, found.factor) == (column, pytest.approx(factor))


def test_a_quantity_without_a_unit_is_said(tmp_path: Path) -> None:
    rows = listed(tmp_path / "m.csv", "Cell,Area\nC1,0.785\n")
    assert cell(rows[0]).electrode_area_cm2 == 0.785
    assert remarks(rows) == ("m.csv: 'Area' has no unit and was taken in cm².",)


def test_titles_above_and_other_sheets(tmp_path: Path) -> None:
    cells = [["Study of coatings"], [], ["Cell ID", "Channel", "Notes"], [7, 3, "ok"], ["C2", 4]]
    sheets = {"Read me": [["made by", "RH"]], "Cells": cells}
    rows = read_manifest(write_xlsx(tmp_path / "m.xlsx", sheets))
    assert [(cell(r).name, cell(r).notes) for r in rows] == [("7", "ok\nChannel: 3"), ("C2", "Channel: 4")]
    assert [r.where for r in rows] == ["row 3", "row 4"] or [r.where for r in rows] == ["row 4", "row 5"]


def test_the_better_of_two_names_is_the_cell(tmp_path: Path) -> None:
    rows = listed(tmp_path / "m.csv", "Name,Cell\nmy best,C1\n")
    assert (cell(rows[0]).name, cell(rows[0]).notes) == ("C1", "Name: my best")


def test_a_manifest_with_files_takes_the_words_but_no_unknown_column(tmp_path: Path) -> None:
    (tmp_path / "a.mpr").write_text("x")
    rows = listed(tmp_path / "m.csv", "File name,Sample,Active mass (g),notes\na.mpr,C1,0.003,of the file\n")
    assert (cell(rows[0]).active_mass_mg, cell(rows[0]).notes, rows[0].measurement.notes) == (3.0, None, "of the file")
    with pytest.raises(UserError, match="there is no column 'Nominal Capacity'"):
        listed(tmp_path / "m.csv", "file,cell,Nominal Capacity\na.mpr,C1,5\n")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Name,Mass (V)\nC1,3\n", r"m\.csv, row 1: 'V' in 'Mass \(V\)' is no unit of the composite mass"),
        ("Name,Active mass (g)\nC1,three\n", r"row 2, column active_mass_mg: .* must be a number in mg \(given: 'three'\)"),
        ("Name,Channel\nC1,3\n,4\n", "row 3, column cell: the name of the cell is missing"),
        ("Name,Start date\nC1,03/04/2024\n", "row 2, column cell_date: .* must be a date such as"),
        ("Name,Anode\nC1,Li\nC1,In\n", "row 3, column anode: 'In' contradicts 'Li' in row 2"),
    ],
)
def test_bad_lists_name_row_and_column(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        listed(tmp_path / "m.csv", text)


def test_workbooks_that_are_no_list(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"m\.xlsx names no cells"):
        read_manifest(write_xlsx(tmp_path / "m.xlsx", {"A": [["x", "y"], [1, 2]]}))
    broken = tmp_path / "b.xlsx"
    broken.write_bytes(b"PK\x03\x04" + b"damaged" * 50)
    with pytest.raises(UserError, match="no readable spreadsheet"):
        read_manifest(broken)
    bomb = write_xlsx(tmp_path / "bomb.xlsx", {"A": [["Name", "Anode"], ["C1", "Li"]]})
    with ZipFile(bomb, "a", ZIP_DEFLATED) as z:
        z.writestr("xl/worksheets/sheet9.xml", b"0" * (48 << 20))
    with pytest.raises(UserError, match="was not opened"):
        read_manifest(bomb)


def test_tables_of_measurements_are_no_lists_of_cells(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("Sample,Zeit,Spannung\n1,0,3.5\n2,1,3.6\n")
    assert not lists_cells(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("Name,Chemistry\nC1,NMC\nC1,NMC\n")
    assert not lists_cells(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("Name,Chemistry\nC1,NMC\nC2,NMC\n")
    assert lists_cells(tmp_path / "t.csv")
    assert inspect(tmp_path / "t.csv", registry()).kind == "manifest"
