"""Every real cycler file reads, or says in one sentence why not."""

from pathlib import Path

import numpy as np
import pytest

from analysis.catalog.manifest import read_manifest
from analysis.core.errors import ReadError
from analysis.core.run import read
from analysis.modalities import registry
from tests.conftest import SHARED_DATA

# Files that hold no test, with what is said of them.
EXCEPTIONS = {
    "neware/empty.ndax": "empty.ndax holds no records: the test stored no points.",
    "neware/Experiment_Record.xlsx": "Experiment_Record.xlsx has no column for time or voltage or current.",
}
# Damaged files of which the measurement itself can be read, with the beginning of what is said.
DAMAGED = {"neware/Unit27_Example_Corrupt.ndax": "Unit27_Example_Corrupt.ndax: its TestInfo.xml cannot be read"}
ROOT = SHARED_DATA / "cycling"
FILES = sorted(p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*") if p.is_file())


def test_the_list_is_whole(shared_data: Path) -> None:
    assert len(FILES) >= 30
    assert {*EXCEPTIONS, *DAMAGED} <= set(FILES)


@pytest.mark.parametrize("name", [f for f in FILES if f not in EXCEPTIONS])
def test_it_reads(shared_data: Path, name: str) -> None:
    path = shared_data / "cycling" / name
    reader = registry().recognise(path)
    ds = read((path,), reader, reader.options())
    if ds.attrs["schema"] == "cycling.cycles":
        assert name == "csv/p492-13-summary.csv"
        return
    assert ds.sizes["row"] > 0
    assert (np.diff(ds["time"].values) >= 0).all()
    assert np.isfinite(ds["voltage"].values).any()
    if name in DAMAGED:
        assert ds.attrs["warnings"][0].startswith(DAMAGED[name])


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_it_says_why_not(shared_data: Path, name: str) -> None:
    path = shared_data / "cycling" / name
    reader = registry().recognise(path)
    with pytest.raises(ReadError) as said:
        read((path,), reader, reader.options())
    assert said.value.message == EXCEPTIONS[name]
    assert said.value.message.count(". ") == 0
    assert said.value.hint


def test_a_list_of_cells_is_a_manifest(shared_data: Path) -> None:
    rows = read_manifest(shared_data / "cycling/neware/Experiment_Record.xlsx")
    assert [row.cell and row.cell.name for row in rows] == ["Cell1", "Cell2", "Cell3"]
