"""The synthetic S K-edge set: files, manifest and truth agree, and the analysis finds the truth in the files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.catalog.manifest import read_manifest
from analysis.core.errors import ParamError
from analysis.core.registry import load
from analysis.demo.spectra_model import AREAS, ASSIGNED_EV, BRIDGING, edge_step, energies, niobium, standard, step, sulfur, true_areas
from analysis.demo.spectra_study import SpectraTruth, write_spectra
from analysis.spectra.energy_axis import CalibrateParams, calibrated
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.peaks import PeaksParams, peaks

REGISTRY = load(("analysis.spectra",))
CELLS = 4


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SpectraTruth]:
    folder = tmp_path_factory.mktemp("spectra") / "new"
    return folder, write_spectra(folder, seed=11)


def read(path: Path):
    reader = REGISTRY.recognise(path)
    return reader.schema.conform(reader.read((path,), reader.options()))


def test_manifest_lists_every_file_once(study: tuple[Path, SpectraTruth]) -> None:
    folder, truth = study
    manifest = pd.read_csv(folder / "spectra_manifest.csv")
    written = {p.name for p in folder.iterdir()} - {"spectra_manifest.csv", "spectra_truth.json"}
    assert sorted(manifest["file"]) == sorted(written) == sorted([*(s.file for s in truth.spectra), *truth.standards.values()])
    assert set(manifest["origin"]) == {"synthetic"}
    samples = manifest[manifest["group"] != "standards"]
    assert samples.groupby(["group", "state"])["cell"].nunique().to_dict() == {(g, s): CELLS for g in AREAS for s in AREAS[g]}
    assert set(samples[samples["state"] != "pristine"]["cycle"]) == {100}
    rows = read_manifest(folder / "spectra_manifest.csv")
    assert len(rows) == len(written)
    assert {p.suffix for p in folder.iterdir()} == {".xdi", ".dat", ".csv", ".json"}


def test_equal_seeds_give_equal_files(study: tuple[Path, SpectraTruth], tmp_path: Path) -> None:
    folder, truth = study
    assert write_spectra(tmp_path, seed=11) == truth == SpectraTruth.load(folder / "spectra_truth.json")
    for name in (s.file for s in truth.spectra):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
    assert write_spectra(tmp_path, seed=12).spectra[0].areas_eV != truth.spectra[0].areas_eV


def test_files_are_recognised_and_whole(study: tuple[Path, SpectraTruth]) -> None:
    folder, truth = study
    for one in truth.spectra[:2] + truth.spectra[6:8]:
        ds = read(folder / one.file)
        assert ds.attrs["mode"] == "fluorescence"
        assert ds["energy"].values == pytest.approx(energies() + one.energy_offset_eV, abs=1e-9)
    assert all(0.1 <= abs(s.energy_offset_eV) <= 0.3 for s in truth.spectra)


def test_calibrated_files_give_the_true_areas(study: tuple[Path, SpectraTruth]) -> None:
    folder, truth = study
    held, places = [], []
    for one in truth.spectra:
        reference = read(folder / truth.standards[one.session])
        ds = calibrated(read(folder / one.file), reference, CalibrateParams(standard="Na2S2O3", feature="white_line", assigned=ASSIGNED_EV))
        assert ds.attrs["calibration"]["shift"] == pytest.approx(-one.energy_offset_eV, abs=0.05)
        found = peaks([normalised(ds, NormaliseParams(preset="S K"))], PeaksParams())
        k = found["peak_name"].values.astype(str).tolist().index(BRIDGING)
        held.append(float(found["area_low"][k]) <= one.areas_eV[BRIDGING] <= float(found["area_high"][k]))
        places.append(float(found["center"][k]))
    assert np.mean(held) >= 0.75  # 24 intervals of 90 %
    assert np.median(places) == pytest.approx(2472.0, abs=0.05)


def test_the_coating_keeps_the_electrolyte(study: tuple[Path, SpectraTruth]) -> None:
    _, truth = study
    bridging = {
        (g, s): np.mean([t.areas_eV[BRIDGING] for t in truth.spectra if (t.group, t.state) == (g, s)]) for g in AREAS for s in AREAS[g]
    }
    assert bridging["uncoated", "charged"] > bridging["uncoated", "discharged"] > 2 * bridging["coated", "charged"] * 0.8
    assert bridging["coated", "pristine"] == pytest.approx(bridging["uncoated", "pristine"], rel=0.2)


def test_the_model_is_what_it_says() -> None:
    energy = np.arange(2300.0, 2700.0, 0.02)
    areas = AREAS["coated"]["charged"]
    peaks_only = sulfur(energy, areas) - step(energy, 2475.0, 1.5)
    assert np.trapezoid(peaks_only, energy) == pytest.approx(sum(areas.values()), rel=5e-3)  # Lorentzian tails leave the range
    assert niobium(np.array([2465.0, 3000.0]), 0.2) == pytest.approx([0.1, 0.2], rel=0.01)
    first = energy < 2476
    assert energy[first][np.argmax(standard(energy)[first])] == pytest.approx(ASSIGNED_EV, abs=0.03)
    assert true_areas(areas)[BRIDGING] == pytest.approx(areas[BRIDGING] / edge_step(areas))


def test_bounds(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match="Cells in each group"):
        write_spectra(tmp_path, cells_per_group=0)
