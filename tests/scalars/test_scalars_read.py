"""Tables of own scalars as people write them."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from analysis.core.errors import ReadError
from analysis.core.params import Options
from analysis.modalities import registry
from analysis.scalars.read import TABLE, preview, read
from tests.tables import write_xlsx

LONG = """# compression tests, 10 um particles
Cell;Quantity;Value;Unit;Cycle;Uncertainty;n;Better
coated-1;fracture strength;185,5;MPa;6;12;5;more
coated-2;fracture strength;;MPa;6;;;
uncoated-1;R_ct;\u22122.5e1;ohm;100;;;less
"""
WIDE = "cell,cycle,state,fracture strength / MPa,R_ct (ohm),c [angstrom]\nC1,6,charged,185.5,40,14.21\nC2,6,discharged,90,-,14.19\n"


def made(path: Path, text: str) -> xr.Dataset:
    path.write_text(text, encoding="utf-8")
    found = registry().recognise(path)
    assert found.id == "scalars.table"
    return TABLE.conform(read((path,), Options()))


def test_a_number_a_row(tmp_path: Path) -> None:
    ds = made(tmp_path / "own.csv", LONG)
    assert ds["cell"].values.tolist() == ["coated-1", "uncoated-1"] and ds["value"].values.tolist() == [185.5, -25.0]
    assert ds["unit"].values.tolist() == ["MPa", "ohm"] and ds["better"].values.tolist() == ["more", "less"]
    np.testing.assert_array_equal(ds["std"].values, [12.0, np.nan])
    assert ds["cycle"].values.tolist() == [6.0, 100.0] and ds["n"].values[0] == 5


def test_a_sample_a_row(tmp_path: Path) -> None:
    ds = made(tmp_path / "own.csv", WIDE)
    rows = list(zip(*(ds[n].values.tolist() for n in ("cell", "state", "name", "unit", "value")), strict=True))
    assert rows == [
        ("C1", "charged", "fracture strength", "MPa", 185.5),
        ("C1", "charged", "R_ct", "ohm", 40.0),
        ("C1", "charged", "c", "angstrom", 14.21),
        ("C2", "discharged", "fracture strength", "MPa", 90.0),
        ("C2", "discharged", "c", "angstrom", 14.19),
    ]
    assert preview(ds).facts["Quantities"] == "fracture strength / MPa, R_ct / ohm, c / angstrom"


def test_a_spreadsheet(tmp_path: Path) -> None:
    rows = [["cell", "name", "value", "unit"], ["C1", "lattice c", 14.21, "angstrom"], ["C2", "lattice c", 14, "angstrom"]]
    write_xlsx(tmp_path / "own.xlsx", {"About": [["about this file"]], "numbers": rows})
    assert registry().recognise(tmp_path / "own.xlsx").id == "scalars.table"
    ds = read((tmp_path / "own.xlsx",), Options())
    assert ds["value"].values.tolist() == [14.21, 14.0] and ds["cell"].values.tolist() == ["C1", "C2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cell,name,value\nC1,strength,strong\n", "row 2: the value 'strong' is not a number"),
        ("cell,name,value,state\nC1,strength,1,tired\n", "the state 'tired' is not known"),
        ("cell,name,value\n,strength,1\n", "row 2: no cell is named"),
        ("cell,name,value\nC1,,1\n", "the value 1 has no name"),
        ("name,value\nstrength,1\n", "does not say which cell"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError, match=said):
        read((path,), Options())


@pytest.mark.parametrize(
    "text", ["Cycle,Discharge Capacity / mAh\n1,1.2\n2,1.1\n", "file,cell,group\na.csv,C1,coated\n", "cell,voltage / V,time / s\nC1,3,1\n"]
)
def test_tables_of_others_are_left_to_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text, encoding="utf-8")
    assert "scalars.table" not in [r.id for r, _ in registry().candidates(path)]
