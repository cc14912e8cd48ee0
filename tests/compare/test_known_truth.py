"""The synthetic study through files, catalog and recipes: effects have the sign and, inside their intervals, the size of the truth."""

from pathlib import Path

import numpy as np
import pytest
from made_values import line, unit

from analysis.compare.compute import scorecard, values
from analysis.compare.scorecard import ScorecardParams
from analysis.compare.values import ValuesParams
from analysis.core.run import Request, run
from analysis.demo.spectra_model import true_areas
from analysis.demo.spectra_recovery import composite
from analysis.demo.spectra_study import NB_STEP, drawn_areas
from analysis.demo.study import write_study
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.peaks import PeaksParams, peaks
from analysis.workspace import Workspace

GROUPS = ("uncoated", "coated")


def test_cycling_effects_are_those_of_the_truth(tmp_path: Path) -> None:
    truth = write_study(tmp_path / "files", cells_per_group=3, cycles=12, formation=2)
    workspace = Workspace(tmp_path / "study")
    tests = [m for m in workspace.import_manifest(tmp_path / "files" / "manifest.csv") if m.part_of == "cycling"]
    keys = tuple(str(workspace.ready(workspace.request("cycling.summary", m))) for m in tests)
    units = [unit(m.cell, str(m.group), origin="synthetic") for m in tests]
    made = run(Request(recipe="compare.values", inputs={"cycles": keys}, params={"cycles": units}), workspace.registry, workspace.store)
    for reference, compared in (GROUPS, GROUPS[::-1]):
        params = {"reference": reference, "compared": compared}
        key = run(Request(recipe="compare.scorecard", inputs={"values": made}, params=params), workspace.registry, workspace.store)
        card = workspace.store.open(key)
        known = {g: [c for c in truth.cells if c.group == g] for g in GROUPS}
        for metric, name, factor in (
            ("cycling.initial_capacity", "initial_discharge_capacity_mAh_g", 1.0),
            ("cycling.retention", "retention", 100.0),
            ("cycling.fade_rate", "fade_rate_mAh_g", 1.0),
        ):
            means = [np.mean([getattr(c, name) for c in known[g]]) for g in (compared, reference)]
            expected = factor * float(means[0] - means[1])
            found = line(card, metric)
            assert np.sign(found["effect"]) == np.sign(expected), metric
            assert found["low"] <= expected <= found["high"], metric
    workspace.catalog.close()


def test_peak_areas_are_those_of_the_truth() -> None:
    rng = np.random.default_rng(7)
    spectra, units = [], []
    known: dict[str, list[float]] = {g: [] for g in GROUPS}
    for group in GROUPS:
        for k in range(4):
            areas = drawn_areas(group, "charged", rng)
            name = f"{group}-{k}"
            ds = composite(areas, rng, niobium_step=NB_STEP[group])
            spectra.append(normalised(ds.assign(name=("spectrum", np.array([name]), {"units": ""})), NormaliseParams(preset="S K")))
            units.append(unit(name, group, state="charged", spectra=[name]))
            known[group].append(true_areas(areas)["P–Sx–P"])
    table = values(params=ValuesParams.check({"peaks": units}), peaks=(peaks(spectra, PeaksParams()),))
    found = line(scorecard(values=table, params=ScorecardParams(reference="uncoated", compared="coated")), "spectra.bridging_charged")
    expected = float(np.mean(known["coated"]) - np.mean(known["uncoated"]))
    assert found["reference_n"] == found["compared_n"] == 4 and found["verdict"] == "better"
    assert found["low"] <= expected <= found["high"] and found["effect"] == pytest.approx(expected, rel=0.1)
