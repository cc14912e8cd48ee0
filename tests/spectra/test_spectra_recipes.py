"""Every recipe through the store: what comes out conforms, keeps its units, and is explained by its inputs."""

from typing import Any

import numpy as np
import pytest
from spectra_makers import REGISTRY, edge, made

from analysis.core.data import scalars, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.run import Request, ingest, run
from analysis.core.store import Store
from analysis.schemas import SPECTRA
from analysis.spectra.combine import glitches
from analysis.spectra.schemas import GLITCHES

E = np.arange(2400.0, 2501.0, 0.25)
OUTPUTS = {r.id: r.output for r in REGISTRY.recipes}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[str], list[str]]:
    """A store with four scans as read and as normalised."""
    folder = tmp_path_factory.mktemp("recipes")
    store = Store(folder / "store")
    rng = np.random.default_rng(0)
    raw = []
    for k in range(4):
        mu = edge(E, 2475.0) + (0.3 + 0.2 * k) * np.exp(-((E - 2472.0) ** 2)) + rng.normal(0, 0.003, E.size)
        path = folder / f"scan{k}.dat"
        path.write_text("# energy mu\n" + "\n".join(f"{e:.3f} {m:.6f}" for e, m in zip(E, mu, strict=True)) + "\n")
        raw.append(ingest([path], REGISTRY, store))
    recipe = {"preset": "S K", "interference": "ignore"}
    normal = [run(Request(recipe="spectra.normalise", inputs={"spectra": k}, params=recipe), REGISTRY, store) for k in raw]
    return store, raw, normal


def requests(raw: list[str], normal: list[str], edit: str, fitted: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    return {
        "spectra.normalise": ({"spectra": tuple(raw)}, {"preset": "S K"}),
        "spectra.process": (
            {"spectra": tuple(raw), "glitches": (edit,)},
            {"preset": "S K", "merge": "equal", "samples": ["a", "a", "b", "b"]},
        ),
        "spectra.mean": ({"spectra": tuple(normal)}, {"sets": ["x", "x", "y", ""]}),
        "spectra.calibrate": ({"spectra": raw[0], "standard": raw[1]}, {"assigned": 2472.0, "feature": "white_line", "standard": "mine"}),
        "spectra.align": ({"spectra": tuple(raw)}, {}),
        "spectra.merge": ({"spectra": tuple(raw)}, {"weighting": "noise"}),
        "spectra.rebin": ({"spectra": raw[0]}, {"e0": 2472.0}),
        "spectra.deglitch": ({"spectra": raw[0], "glitches": edit}, {}),
        "spectra.self_absorption": ({"spectra": normal[0]}, {"formula": "Li2S(C2H4O)20"}),
        "spectra.difference": ({"spectra": tuple(normal[1:]), "reference": normal[0]}, {}),
        "spectra.peaks": ({"spectra": tuple(normal)}, {}),
        "spectra.edge_table": ({"spectra": tuple(normal)}, {}),
        "spectra.peak_table": ({"peaks": (fitted,)}, {}),
        "spectra.lcf": ({"unknown": normal[1], "references": (normal[0], normal[3])}, {"low": -5, "high": 25}),
        "spectra.lcf_table": ({"unknown": normal[1], "references": (normal[0], normal[3])}, {"low": -5, "high": 25}),
        "spectra.pca": ({"spectra": tuple(normal)}, {}),
        "spectra.repeats": ({"spectra": tuple(normal)}, {}),
    }


def test_every_recipe_is_tried() -> None:
    assert set(requests(["a"] * 4, ["b"] * 4, "e", "f")) == set(OUTPUTS)


@pytest.mark.parametrize("recipe", sorted(OUTPUTS))
def test_recipe(recipe: str, keys: tuple[Store, list[str], list[str]]) -> None:
    store, raw, normal = keys
    edit = store.put_edit(GLITCHES.conform(glitches([(2450.0, "")])), note="a spike")
    fitted = run(Request(recipe="spectra.peaks", inputs={"spectra": tuple(normal)}), REGISTRY, store)
    inputs, params = requests(raw, normal, edit, fitted)[recipe]
    key = run(Request(recipe=recipe, inputs=inputs, params=params), REGISTRY, store)
    stored = store.open(key)
    assert OUTPUTS[recipe].conform(stored).attrs["schema"] == OUTPUTS[recipe].name
    assert all("units" in stored[v].attrs for v in stored.variables)
    for name, scalar in scalars(stored).items():
        assert scalar.value is not None, name
        assert scalar.title, name
    assert store.open(key).equals(stored)


def test_tables_are_one_row_each(keys: tuple[Store, list[str], list[str]]) -> None:
    store, _, normal = keys
    fitted = run(Request(recipe="spectra.peaks", inputs={"spectra": tuple(normal)}), REGISTRY, store)
    edges = store.open(run(Request(recipe="spectra.edge_table", inputs={"spectra": tuple(normal)}), REGISTRY, store))
    peaks = store.open(run(Request(recipe="spectra.peak_table", inputs={"peaks": (fitted, fitted)}), REGISTRY, store))
    assert dict(edges.sizes) == {"spectrum": 4}
    assert dict(peaks.sizes) == {"peak": 32}
    assert np.all(np.diff(peaks["area"].values[1:16:4]) > 0)  # bridging sulfur grows from scan to scan


def test_recipes_chain(keys: tuple[Store, list[str], list[str]]) -> None:
    """Calibrated, merged, normalised, corrected, fitted: each from the last one's key."""
    store, raw, _ = keys

    def step(recipe: str, inputs: dict[str, Any], **params: Any) -> str:
        return run(Request(recipe=recipe, inputs=inputs, params=params), REGISTRY, store)

    calibrated = [
        step("spectra.calibrate", {"spectra": k}, assigned=2472.1, feature="white_line", standard="mine", search=3.0) for k in raw[2:]
    ]
    merged = step("spectra.merge", {"spectra": tuple(calibrated)})
    normal = step("spectra.normalise", {"spectra": merged}, preset="S K", interference="mask")
    corrected = step("spectra.self_absorption", {"spectra": normal}, formula="Li2S(C2H4O)20")
    found = store.open(step("spectra.peaks", {"spectra": (corrected,)}))
    assert any("2460–2469 eV (Nb L2)" in w for w in warnings_of(found))
    assert scalars(found)["area"].unit == "eV"


def test_calibrations_that_differ_are_flagged(keys: tuple[Store, list[str], list[str]]) -> None:
    store, raw, _ = keys
    made_up = {"assigned": 2472.3, "feature": "white_line", "standard": "mine", "search": 3.0}
    moved = run(Request(recipe="spectra.calibrate", inputs={"spectra": raw[3]}, params=made_up), REGISTRY, store)
    normal = [
        run(Request(recipe="spectra.normalise", inputs={"spectra": k}, params={"preset": "S K"}), REGISTRY, store) for k in (moved, raw[0])
    ]
    found = store.open(run(Request(recipe="spectra.difference", inputs={"spectra": (normal[0],), "reference": normal[1]}), REGISTRY, store))
    assert "The energies are calibrated differently (mine at 2472.3 eV, none)." in warnings_of(found)


def test_what_a_user_is_told(keys: tuple[Store, list[str], list[str]]) -> None:
    store, raw, normal = keys
    with pytest.raises(ParamError, match=r"spectra\.peaks needs spectra\.normalised"):
        run(Request(recipe="spectra.peaks", inputs={"spectra": (raw[0],)}), REGISTRY, store)
    with pytest.raises(ParamError, match="Assigned energy"):
        run(Request(recipe="spectra.calibrate", inputs={"spectra": raw[0]}), REGISTRY, store)
    few = SPECTRA.conform(made(("few", E[:9], E[:9])))
    key = store.put_edit(few)
    with pytest.raises(DataError, match="'few' has 9 points; an analysis needs 10"):
        run(Request(recipe="spectra.normalise", inputs={"spectra": key}), REGISTRY, store)
    assert normal
