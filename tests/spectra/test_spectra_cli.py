"""Bad spectra on the command line: exit code 2, one sentence, no traceback."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from spectra_makers import columns, edge

from analysis.cli import main

E = np.arange(2440.0, 2500.1, 0.5)
MU = 0.2 + edge(E, 2472.0)


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["run", "spectra.normalise", *argv]) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err


def test_a_file_of_another_edge(small_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, str(small_data / "xas" / "Ni_metal_rt_01.xdi"), "-p", "preset=S K")
    assert "does not reach E0 = 2472.0 eV: it is of another edge. It covers Ni K" in said


def test_fewer_than_ten_points(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = columns(tmp_path / "few.dat", energy=E[:18:2], mu=MU[:18:2])
    assert "few.dat has 9 usable points; a spectrum needs 10" in refused(capsys, str(few))


def test_absorption_that_is_negative_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = columns(tmp_path / "negative.dat", energy=E, i0=np.full(E.size, 1e5), fluo=-1e3 * MU)
    assert "is negative everywhere" in refused(capsys, str(counts))
    swapped = columns(tmp_path / "swapped.dat", energy=E, mu=-0.5 - MU)
    said = refused(capsys, str(swapped), "-p", "e0=2472", "-p", "norm1=15", "-p", "pre2=-15")
    assert "The absorption does not rise at 2472.0 eV" in said
    assert "signal and I0 were taken for one another" in said


def test_a_wrong_column_mapping(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = columns(tmp_path / "a.dat", energy=E, i0=np.full(E.size, 1e5), i1=1e5 * np.exp(-MU))
    assert "has no column 'fluo'" in refused(capsys, str(path), "-r", "signal=fluo")
    assert "is not a photon energy" in refused(capsys, str(path), "-r", "energy=i0")
    assert "no column is known to hold yield" in refused(capsys, str(path), "-r", "mode=yield")


def test_damaged_empty_and_foreign_files(tmp_path: Path, small_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = (small_data / "xas" / "S_CAMD.prj").read_bytes()
    (tmp_path / "cut.prj").write_bytes(whole[: len(whole) // 2])
    assert "damaged or cut off" in refused(capsys, str(tmp_path / "cut.prj"))
    (tmp_path / "empty.xdi").write_bytes(b"")
    assert "is empty" in refused(capsys, str(tmp_path / "empty.xdi"))
    (tmp_path / "picture.dat").write_bytes(b"\x89PNG\r\n" + bytes(range(256)))
    assert "No reader recognises" in refused(capsys, str(tmp_path / "picture.dat"))


def test_the_one_recipe_runs_over_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [str(columns(tmp_path / f"{n}.dat", energy=E, mu=MU * (k + 1))) for k, n in enumerate("abc")]
    out = tmp_path / "spectra.nc"
    steps = ["-p", "preset=S K", "-p", "interference=ignore", "-p", "pre1=-32", "-p", "norm1=15"]
    assert main(["run", "spectra.process", *paths, *steps, "--out", str(out)]) == 0
    capsys.readouterr()
    with xr.open_dataset(out) as made:
        assert made["norm"].sizes == {"spectrum": 3, "energy": E.size}
        assert made["edge_step"].values == pytest.approx(float(made["edge_step"][0]) * np.array([1, 2, 3]), rel=1e-4)
