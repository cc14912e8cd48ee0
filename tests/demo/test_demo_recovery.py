"""The analysis of the written files, through the ordinary readers and recipes, finds the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from analysis.core.data import Scalar
from analysis.cycling.aging import SummaryParams, summarise
from analysis.cycling.compute import dqdv, rates, summary
from analysis.cycling.derivative import DerivativeParams
from analysis.cycling.rates import RateParams
from analysis.demo.study import write_study
from analysis.demo.truth import CellTruth, RateTruth, Truth
from analysis.modalities import registry


@dataclass(frozen=True)
class Analysed:
    cycles: xr.Dataset
    scalars: Mapping[str, Scalar]


@dataclass(frozen=True)
class Study:
    folder: Path
    truth: Truth

    def records(self, files: tuple[str, ...]) -> tuple[xr.Dataset, ...]:
        found = []
        for name in files:
            reader = registry().recognise(self.folder / name)
            found.append(reader.schema.conform(reader.read((self.folder / name,), reader.options())))
        return tuple(found)

    def analyse(self, known: CellTruth | RateTruth) -> Analysed:
        params = SummaryParams(active_mass_mg=known.active_mass_mg, formation_cycles=self.truth.formation)
        cycles = summary(records=self.records(known.files), params=params)
        return Analysed(cycles, summarise(cycles, params))


@pytest.fixture(scope="module", params=[pytest.param((3, 40), id="small"), pytest.param((4, 200), id="whole", marks=pytest.mark.slow)])
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Study:
    cells, cycles = request.param
    folder = tmp_path_factory.mktemp("recovery")
    return Study(folder, write_study(folder, cells_per_group=cells, cycles=cycles))


@pytest.fixture(scope="module")
def analysed(study: Study) -> list[tuple[CellTruth, Analysed]]:
    return [(cell, study.analyse(cell)) for cell in study.truth.cells]


def column(values: tuple[float | None, ...]) -> np.ndarray:
    return np.array(values, dtype=float)


def test_every_cycle_is_found_once(analysed: list[tuple[CellTruth, Analysed]]) -> None:
    for cell, got in analysed:
        assert got.cycles["cycle"].values.tolist() == list(cell.cycles.cycle), cell.cell


def test_capacities_are_recovered(analysed: list[tuple[CellTruth, Analysed]]) -> None:
    """Noise of 0.03 % of the current averages out over a half cycle; a few rows beside each end are uncertain by 1e-4."""
    for cell, got in analysed:
        grams = cell.active_mass_mg * 1e-3
        assert got.cycles["charge_capacity"].values == pytest.approx(column(cell.cycles.charge_capacity_mAh) / grams, rel=5e-4), cell.cell
        assert got.cycles["discharge_capacity"].values == pytest.approx(column(cell.cycles.discharge_capacity_mAh) / grams, rel=5e-4)


def test_efficiencies_and_voltages_are_recovered(analysed: list[tuple[CellTruth, Analysed]]) -> None:
    for cell, got in analysed:
        whole = np.array(cell.cycles.complete)
        # The dips of a soft short are noise to the truth, but lower the measured charge voltage.
        calm = whole & ~np.isin(cell.cycles.cycle, cell.short_cycles)
        efficiency = got.cycles["coulombic_efficiency"].values
        assert efficiency[whole] == pytest.approx(column(cell.cycles.coulombic_efficiency)[whole], abs=5e-4), cell.cell
        for name, known, tolerance in (
            ("energy_efficiency", cell.cycles.energy_efficiency, 1e-3),
            ("mean_charge_voltage", cell.cycles.mean_charge_voltage_V, 5e-4),
            ("mean_discharge_voltage", cell.cycles.mean_discharge_voltage_V, 5e-4),
        ):
            assert got.cycles[name].values[calm] == pytest.approx(column(known)[calm], abs=tolerance), (cell.cell, name)


def test_retention_and_fade_are_recovered(analysed: list[tuple[CellTruth, Analysed]]) -> None:
    for cell, got in analysed:
        kept = got.cycles["retention"].values[got.cycles["cycle"].values == cell.last_cycle]
        assert kept == pytest.approx(cell.retention, rel=1e-3), cell.cell
        if cell.stopped_early:
            continue  # its last half cycle is no capacity
        assert got.scalars["retention"].value == pytest.approx(cell.retention, rel=1e-3), cell.cell
        assert got.scalars["initial_discharge_capacity"].value == pytest.approx(cell.initial_discharge_capacity_mAh_g, rel=5e-4)
        fade = got.scalars["fade_rate"]
        assert fade.value == pytest.approx(cell.fade_rate_mAh_g, rel=0.01), cell.cell
        assert fade.low is not None
        assert fade.high is not None
        assert fade.low <= cell.fade_rate_mAh_g <= fade.high


def test_groups_differ_as_they_were_made_to(analysed: list[tuple[CellTruth, Analysed]]) -> None:
    slope = {cell.cell: float(got.scalars["fade_rate"].value or 0.0) for cell, got in analysed}
    assert max(v for k, v in slope.items() if k.startswith("uncoated")) < min(v for k, v in slope.items() if k.startswith("coated"))


def test_what_went_wrong_is_flagged_where_it_did_and_nowhere_else(analysed: list[tuple[CellTruth, Analysed]]) -> None:
    for cell, got in analysed:
        words = dict(zip(got.cycles["cycle"].values.tolist(), map(str, got.cycles["flags"].values), strict=True))
        suspected = {n for n, w in words.items() if "short_suspected" in w}
        assert suspected <= set(cell.short_cycles), cell.cell
        assert bool(suspected) == bool(cell.short_cycles), cell.cell
        assert [n for n, w in words.items() if "cut_off" in w] == ([cell.cycles.cycle[-1]] if cell.stopped_early else []), cell.cell
        assert not any("counter_mismatch" in w or "counter_reset" in w for w in words.values()), cell.cell


def test_rate_tests_are_recovered(study: Study) -> None:
    for test in study.truth.rate_tests:
        measured = study.analyse(test).cycles["discharge_capacity"].values * test.active_mass_mg * 1e-3
        blocks = [measured[a - 1 : b].mean() for a, b in zip(test.first_cycle, test.last_cycle, strict=True)]
        assert blocks == pytest.approx(test.discharge_capacity_mAh, rel=5e-4), test.cell


def test_readers_recognise_each_format_by_content(study: Study) -> None:
    expected = {".bdf.csv": "cycling.bdf", ".parquet": "cycling.bdf", "_arbin.csv": "cycling.arbin_csv"}
    for cell in study.truth.cells:
        wanted = next(reader for end, reader in expected.items() if cell.files[0].endswith(end))
        assert registry().recognise(study.folder / cell.files[0]).id == wanted


def test_peaks_of_dqdv_are_recovered(study: Study) -> None:
    """Every true peak is met, and no other found.

    Rows are up to 12 mV apart and carry 0.3 mV of noise, so a slope over neighbours is uncertain by 4 %: the default window of
    20 mV splits peaks. With 60 mV they scatter by about 3 mV, the broad ones (0.1 V wide) by up to 5; tolerances are three of these.
    """
    errors = []
    for cell in study.truth.cells:
        calm = [p for p in cell.peaks if p.cycle not in cell.short_cycles]
        params = DerivativeParams(active_mass_mg=cell.active_mass_mg, cycles=tuple(p.cycle for p in calm), window_mV=60)
        found = dqdv(records=study.records(cell.files), params=params).attrs["peaks"]
        for peaks in calm:
            for direction, known in ((1, peaks.charge_V), (-1, peaks.discharge_V)):
                seen = [p["voltage"] for p in found if p["cycle"] == peaks.cycle and p["direction"] == direction]
                where = (cell.cell, peaks.cycle, direction, known, seen)
                for name, voltage in known.items():
                    nearest = min((abs(v - voltage) for v in seen), default=np.inf)
                    assert nearest < (0.010 if name == "H2-H3" else 0.015), (name, *where)
                    errors.append(nearest)
                assert len(seen) <= 3, where
    assert np.sqrt(np.mean(np.square(errors))) < 0.005


def test_rate_groups_are_found(study: Study) -> None:
    for test in study.truth.rate_tests:
        params = RateParams(active_mass_mg=test.active_mass_mg, one_c_mA_per_g=study.truth.one_c_mA_per_g, formation_cycles=3)
        got = rates(records=study.records(test.files), params=params)
        assert got["c_rate"].values == pytest.approx(test.c_rate, rel=2e-3)
        assert tuple(got["first_cycle"].values) == test.first_cycle
        assert tuple(got["last_cycle"].values) == test.last_cycle
        capacity = got["discharge_capacity"].values * test.active_mass_mg * 1e-3
        assert capacity == pytest.approx(test.discharge_capacity_mAh, rel=5e-4)
