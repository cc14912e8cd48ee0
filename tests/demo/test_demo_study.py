"""The written study: files, manifest and truth agree with one another."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.catalog.manifest import entries, read_manifest
from analysis.core.errors import ParamError
from analysis.demo.study import write_study
from analysis.demo.truth import Truth

CELLS, CYCLES, FORMATION = 3, 20, 2


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    folder = tmp_path_factory.mktemp("study") / "new"
    return folder, write_study(folder, cells_per_group=CELLS, cycles=CYCLES, formation=FORMATION, seed=11)


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / name) if name.endswith(".parquet") else pd.read_csv(folder / name)


def test_manifest_lists_every_file_once_and_nothing_else(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    manifest = pd.read_csv(folder / "manifest.csv")
    written = {p.name for p in folder.iterdir()} - {"manifest.csv", "truth.json"}
    known = [f for t in (*truth.cells, *truth.rate_tests) for f in t.files]
    assert sorted(manifest["file"]) == sorted(written) == sorted(known)
    assert set(manifest["origin"]) == {"synthetic"}
    assert set(manifest["modality"]) == {"cycling"}
    assert all(name.startswith("synthetic_") for name in written)
    assert manifest.groupby("group")["cell"].nunique().to_dict() == {"coated": CELLS, "uncoated": CELLS}
    mass = manifest["composite_mass_mg"] * manifest["active_fraction"]
    assert manifest["active_mass_mg"].to_numpy() == pytest.approx(mass.to_numpy(), abs=1e-3)


def test_manifest_reads_as_the_catalog_reads_any(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    taken = entries(read_manifest(folder / "manifest.csv"))
    assert [tuple(p.name for p in e.files) for e in taken] == [
        t.files for c in truth.cells for t in (c, *(r for r in truth.rate_tests if r.cell == c.cell))
    ]
    assert {e.measurement.origin for e in taken} == {"synthetic"}
    assert {e.measurement.part_of for e in taken} == {"cycling", "rate"}
    cells = {e.cell.name: e.cell for e in taken if e.cell}
    assert cells["coated-1"].voltage_reference == "Li-In"
    assert cells["coated-1"].effective_active_mass_mg == truth.cell("coated-1").active_mass_mg
    assert cells["uncoated-1"].coating == "none"


def test_files_parse_plainly_have_the_stated_rows_and_say_synthetic(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    for test in (*truth.cells, *truth.rate_tests):
        for name, rows in zip(test.files, test.rows, strict=True):
            frame = table(folder, name)
            assert len(frame) == rows
            assert not frame.isna().any().any()
            mark = "Is_Synthetic" if name.endswith("_arbin.csv") else "Synthetic / 1"
            assert (frame[mark] == 1).all()
    parquet = next(n for t in truth.cells for n in t.files if n.endswith(".parquet"))
    assert pq.read_schema(folder / parquet).metadata[b"origin"] == b"synthetic"


def test_three_formats_are_used(study: tuple[Path, Truth]) -> None:
    names = [n for t in study[1].cells for n in t.files]
    assert all(any(n.endswith(e) for n in names) for e in (".bdf.csv", ".bdf.parquet", "_arbin.csv"))


def test_counters_of_the_files_hold_the_true_capacities(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    for cell in (truth.cells[0], truth.cells[2]):
        frame = table(folder, cell.files[0])
        arbin = cell.files[0].endswith("_arbin.csv")
        names = ("Cycle_Index", "Discharge_Capacity(Ah)") if arbin else ("Cycle Count / 1", "Discharging Capacity / Ah")
        last = frame.groupby(names[0])[names[1]].last().to_numpy() * 1e3
        per_cycle = last if arbin else np.diff(last, prepend=0.0)
        assert per_cycle == pytest.approx(np.array(cell.cycles.discharge_capacity_mAh), abs=3e-6)


def test_a_restart_begins_a_second_file_at_zero_and_later(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    first, second = (table(folder, name) for name in truth.cell("coated-2").files)
    assert second["Test Time / s"].iloc[0] < 1
    assert second["Cycle Count / 1"].iloc[0] == 1
    assert second["Charging Capacity / Ah"].iloc[0] < 1e-6
    assert second["Unix Time / s"].iloc[0] - first["Unix Time / s"].iloc[-1] == pytest.approx(2520, abs=1)
    assert first["Cycle Count / 1"].max() + second["Cycle Count / 1"].max() == CYCLES + FORMATION


def test_soft_short_and_early_stop_are_in_the_files(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    shorted, stopped = truth.cell(f"uncoated-{CELLS}"), truth.cell(f"coated-{CELLS}")
    assert shorted.short_cycles[0] == FORMATION + 6
    efficiency = dict(zip(shorted.cycles.cycle, shorted.cycles.coulombic_efficiency, strict=True))
    assert efficiency[shorted.short_cycles[0]] < 0.85 < efficiency[shorted.short_cycles[0] - 1]
    assert [t.cell for t in truth.cells if t.short_cycles] == [shorted.cell]
    assert [t.cell for t in truth.cells if t.stopped_early] == [stopped.cell]
    assert stopped.last_cycle == FORMATION + 12 - 1
    assert stopped.cycles.coulombic_efficiency[-1] is None
    frame = table(folder, stopped.files[-1])
    current = next(c for c in frame.columns if c.startswith("Current"))
    assert frame[current].iloc[-1] < 0


def test_equal_seeds_write_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write_study(tmp_path / name, cells_per_group=1, cycles=5, formation=1, seed=seed)
    files = [p.name for p in (tmp_path / "a").iterdir()]
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    assert any((tmp_path / "a" / f).read_bytes() != (tmp_path / "c" / f).read_bytes() for f in files)


def test_truth_survives_its_file(study: tuple[Path, Truth]) -> None:
    folder, truth = study
    assert Truth.load(folder / "truth.json") == truth


def test_retention_and_fade_follow_from_the_cycles(study: tuple[Path, Truth]) -> None:
    cell = study[1].cell("coated-1")
    q = np.array(cell.cycles.discharge_capacity_mAh[FORMATION:]) / cell.active_mass_mg * 1e3
    assert cell.retention == pytest.approx(q[-1] / q[0])
    assert cell.fade_rate_least_squares_mAh_g == pytest.approx(np.polyfit(np.arange(q.size), q, 1)[0])
    assert cell.fade_rate_mAh_g == pytest.approx(cell.fade_rate_least_squares_mAh_g, rel=0.2)


def test_progress_reaches_one(tmp_path: Path) -> None:
    seen: list[float] = []
    write_study(tmp_path, cells_per_group=1, cycles=5, formation=1, report=seen.append)
    assert seen == [0.5, 1.0]


def test_bad_sizes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match="Cells in each group"):
        write_study(tmp_path, cells_per_group=0)
