"""The segmentation workbench: masks against what the recipe stores, brush, presets, imported masks, what cannot be segmented."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient

from analysis.catalog import CellFields, HarvestFields, MeasurementFields, MeasurementRecord, ParticleFields
from analysis.core.data import scalars
from analysis.core.errors import DataError, ParamError
from analysis.core.jobs import Inline, Jobs
from analysis.core.run import run
from analysis.cracks.params import CrackParams
from analysis.demo import crack_phantoms
from analysis.workspace import Workspace
from components import crack_settings, import_actions, import_work
from components import crack_workbench as bench
from components import crack_workbench_actions as actions
from components import crack_workbench_form as form
from components import crack_workbench_preview as preview
from components import crack_workbench_results as results
from components.context import CONFIG, Context
from components.crack_routes import cracks

SIDE, SEED = 44, 5
VOXEL_UM = 0.05
PHANTOM = crack_phantoms.sheets(SIDE, width=3, count=2, seed=SEED)
DENSITY = PHANTOM.tomogram(blur=0.8, snr=10, seed=SEED)["density"].values.astype(np.float32)


def take(workspace: Workspace, folder: Path, values: np.ndarray, name: str, voxel_um: Any = VOXEL_UM, reader: str = "xanes.volume") -> int:
    """Import values as a measurement of a particle of that name; its number."""
    path = folder / f"{name}.npy"
    np.save(path, values)
    made = workspace.import_files(
        [path],
        cell=CellFields(name="C1", group="bare"),
        measurement=MeasurementFields(state="charged", cycle_number=6),
        harvest=HarvestFields(state="charged", cycle_number=6),
        particle=ParticleFields(name=name),
        reader_id=reader,
        options=voxel_um if isinstance(voxel_um, dict) else {"voxel_um": voxel_um},
    )
    return made.id


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """A server with one tomogram, P1 of cell C1 in the group bare."""
    folder = tmp_path_factory.mktemp("cracks")
    workspace = Workspace(folder / "study")
    take(workspace, folder, DENSITY, "P1")
    made = Flask("test")
    made.config[CONFIG] = Context(workspace, Jobs(workspace.store, Inline()), ())
    made.register_blueprint(cracks)
    yield made
    workspace.catalog.close()


@pytest.fixture
def client(app: Flask) -> Iterator[FlaskClient]:
    """A client inside a request; what a test kept about the tomogram and its presets is forgotten."""
    with app.test_request_context("/"):
        yield app.test_client()
        workspace = app.config[CONFIG].workspace
        for m in workspace.snapshot().measurements:
            workspace.catalog.set_setting(f"cracks.measurement.{m.id}", {})
        for name in (crack_settings.PRESETS, crack_settings.APPLIED):
            workspace.catalog.set_setting(name, {})


def tomogram() -> MeasurementRecord:
    return next(m for m in preview.volumes() if m.particle == "P1")


def mask(client: FlaskClient, axis: str, index: int, **query: str) -> tuple[np.ndarray, str]:
    answer = client.get(f"/cracks/mask/{tomogram().id}/{axis}/{index}", query_string={"preview": "yes", **query})
    assert answer.status_code == 200, answer.get_json()
    rows, cols = map(int, answer.headers["X-Slice-Shape"].split(","))
    return np.frombuffer(answer.data, np.uint8).reshape(rows, cols), answer.headers["X-Mask-Source"]


def refusal(client: FlaskClient, of: int, **query: str) -> str:
    answer = client.get(f"/cracks/mask/{of}/z/3", query_string=query)
    assert answer.status_code == 409
    return str(answer.get_json()["message"])


def stored(app: Flask, query: dict[str, str]) -> Any:
    workspace = app.config[CONFIG].workspace
    return workspace.store.open(run(results.request_of(tomogram(), query), workspace.registry, workspace.store))


FAST = {"c_blanks": "0"}


def test_the_preview_is_what_is_stored_then(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    held = stored(app, FAST)
    crack, inside = held["crack"].values != 0, held["envelope"].values != 0
    # Of the phantom's truth: sheets three voxels wide at a contrast of ten times the noise.
    assert crack.sum() / inside.sum() == pytest.approx(PHANTOM.ratio, rel=0.1)
    found = {}
    for axis, name in enumerate("zyx"):
        codes, source = mask(client, name, 20, **FAST)
        assert source == "whole"
        np.testing.assert_array_equal(codes & preview.CRACK != 0, crack.take(20, axis))
        np.testing.assert_array_equal(codes & preview.ENVELOPE != 0, inside.take(20, axis))
        found[name] = codes
    answer = client.get(f"/cracks/mask/{tomogram().id}/z/20", query_string={**FAST, "preview": "yes"})
    assert float(answer.headers["X-Mask-Ratio"]) == pytest.approx(crack.sum() / inside.sum(), rel=1e-12)
    shown = client.get(f"/cracks/mask/{tomogram().id}/x/20", query_string=FAST)
    assert shown.headers["X-Mask-Source"] == "result"
    assert shown.data == found["x"].tobytes()
    # A large volume: its particles are found by a job, its cracks in slabs along each axis.
    monkeypatch.setattr(preview, "INLINE_VOXELS", 0)
    for kept in ("_GROUNDS", "_FOUND"):
        monkeypatch.setattr(preview, kept, type(preview._GROUNDS)(1 << 28, lambda _: 1))
    for name, whole in found.items():
        codes, source = mask(client, name, 20, **FAST)
        assert source == "slab"
        assert np.mean(codes != whole) < 0.002, "but for distant connections and the order of sums"


def test_parameters_change_the_preview_and_wrong_ones_are_named(client: FlaskClient) -> None:
    more, _ = mask(client, "z", 20, c_detector="intensity", c_threshold="0,3")
    less, _ = mask(client, "z", 20, c_detector="intensity", c_threshold="0.9")
    assert (more & preview.CRACK).sum() > (less & preview.CRACK).sum()
    assert "A crack begins at [seed]" in refusal(client, tomogram().id, c_seed="-1")
    assert "A crack begins at [seed]" in refusal(client, tomogram().id, c_seed="many")
    assert client.get(f"/cracks/mask/{tomogram().id}/w/1").status_code == 404
    assert client.get("/cracks/mask/999/z/1").status_code == 404
    assert refusal(client, tomogram().id, c_min_particle="1000000").startswith("No particle of at least 1000000 voxels was found")


def stroke(points: list[list[int]], *, add: bool) -> dict[str, Any]:
    return {"measurement": tomogram().id, "points": points, "radius": 1, "add": add}


def test_strokes_are_kept_undone_redone_and_part_of_the_result(app: Flask, client: FlaskClient) -> None:
    m = tomogram()
    before, _ = mask(client, "y", 20, **FAST)
    solid = np.argwhere((before & preview.ENVELOPE > 0) & (before & preview.CRACK == 0))
    z, x = (int(v) for v in solid[len(solid) // 2])
    actions.paint(m, stroke([[z, 20, x]], add=True))
    first = crack_settings.strokes(m)
    after, _ = mask(client, "y", 20, **FAST)
    assert after[z, x] == preview.ENVELOPE | preview.CRACK | preview.ADDED
    assert mask(client, "z", z, **FAST)[0][20, x] == after[z, x] == mask(client, "x", x, **FAST)[0][z, 20]
    assert results.request_of(m, FAST).inputs["strokes"] == first
    assert stored(app, FAST)["crack"].values[z, 20, x] == 1
    actions.paint(m, stroke([[z, 20, x]], add=False))
    assert not mask(client, "y", 20, **FAST)[0][z, x] & preview.CRACK
    actions.undo(m)
    assert crack_settings.strokes(m) == first
    actions.redo(m)
    actions.clear(m)
    assert form.brush_state(m) == {"measurement": m.id, "key": "", "back": False, "ahead": True, "words": "nothing painted"}
    np.testing.assert_array_equal(mask(client, "y", 20, **FAST)[0], before)
    actions.redo(m)
    assert crack_settings.strokes(m) == first
    actions.paint(m, stroke([[1, 1, 1]], add=True))
    assert not form.brush_state(m)["ahead"], "what was undone is gone once something else is painted"
    with pytest.raises(DataError, match="This is not a stroke"):
        actions.paint(m, {"points": [["a"]]})


def test_presets_hold_for_groups_on_every_page(client: FlaskClient) -> None:
    m = tomogram()
    assert crack_settings.save({"c_seed": "9", **FAST}, m.group, "  strict  one ") == "strict one"
    assert crack_settings.presets() == {"strict one": {"seed": 9.0, "blanks": 0}}
    assert crack_settings.params({}, m.group) == CrackParams()
    with pytest.raises(ParamError, match="There is a preset 'strict one' already"):
        crack_settings.save({}, m.group, "strict one")
    with pytest.raises(ParamError, match="has no name"):
        crack_settings.save({}, m.group, " ")
    with pytest.raises(ParamError, match="were changed and are no preset yet"):
        results.apply({"preset": "strict one", "c_seed": "8"}, m.group, ["bare"])
    with pytest.raises(ParamError, match="No group is chosen"):
        results.apply({"preset": "strict one"}, m.group, [])
    results.apply({"preset": "strict one"}, m.group, ["bare"])
    assert [s.state for _, s in results.states(["bare"])] == ["done"], "every particle of the group was segmented"
    assert crack_settings.params({}, "bare").seed == 9.0
    assert crack_settings.params({}, "other").seed == CrackParams().seed
    assert crack_settings.params({"preset": "standard"}, "bare") == CrackParams()
    assert crack_settings.params({"c_seed": "7"}, "bare").model_dump()["blanks"] == 0
    assert "1 of 1" in str(results.draw_groups({}).children)
    crack_settings.forget("strict one")
    assert crack_settings.params({}, "bare") == CrackParams()
    with pytest.raises(ParamError, match="is not a saved preset"):
        crack_settings.forget("strict one")


def test_numbers_of_the_whole_volume_follow_its_job(app: Flask, client: FlaskClient) -> None:
    query = {"c_blanks": "3", "c_min_crack": "40"}
    before = results.draw_result(query)
    assert "Compute whole volume" in str(before.children)
    assert not before.waiting
    actions._done("compute", tomogram(), query)
    drawn = str(results.draw_result(query).children)
    for words in ("Crack volume ratio", "Detection limit", "Ratio of blanks", "Open to the surface", "Try other settings"):
        assert words in drawn
    workspace = app.config[CONFIG].workspace
    assert scalars(workspace.store.open(results.stored(tomogram(), query)))["ratio"].value == pytest.approx(PHANTOM.ratio, rel=0.1)


def test_the_form_holds_every_parameter_once(client: FlaskClient) -> None:
    for detector in form.DETECTORS:
        drawn = str(bench.layout({"c_detector": detector}))
        for name in CrackParams.model_fields:
            assert drawn.count(f"'name': 'c_{name}'") == 1, (detector, name)
    assert "No volume yet" not in drawn


# -- masks of other programs -----------------------------------------------------------------------------------------------------


def test_a_mask_goes_from_the_import_page_to_the_slices(served: Any, tmp_path: Path) -> None:
    workspace = served.workspace
    take(workspace, tmp_path, DENSITY, "P1")
    labels = PHANTOM.envelope.astype(np.uint8) + (PHANTOM.crack & PHANTOM.envelope)
    for name, values in (("mask.npy", labels), ("cut.npy", labels[:, :, 1:])):
        content = io.BytesIO()
        np.save(content, values)
        sid = served.waiting(name, content.getvalue())
        import_work.look([sid])
        import_actions.keep(sid, {"reader": "cracks.mask"})
        import_work.look([sid])
        said = {"cell.name": "C1", "particle.name": "P1", "measurement.state": "charged", "measurement.cycle_number": "6"}
        import_actions.keep(sid, said)
    assert [lot.state for lot in import_work.lots()] == ["ready", "ready"]
    import_actions.act("import", "", (), {})
    m = tomogram()
    right, wrong = crack_settings.masks(m)
    assert (right.modality, right.particle, right.files[0].original_name) == ("cracks", "P1", "mask.npy")
    app = Flask("test")
    app.config[CONFIG] = Context(workspace, served.jobs, ())
    app.register_blueprint(cracks)
    client = app.test_client()
    crack_settings.note(m, mask=right.id)
    codes, source = mask(client, "x", 20)
    assert source == "mask"
    np.testing.assert_array_equal(codes & preview.CRACK != 0, (PHANTOM.crack & PHANTOM.envelope)[:, :, 20])
    request = results.request_of(m, {})
    assert (request.recipe, request.inputs["mask"]) == ("cracks.adopt", right.dataset_keys[0])
    key = run(request, workspace.registry, workspace.store)
    assert scalars(workspace.store.open(key))["ratio"].value == pytest.approx(PHANTOM.ratio, rel=0.01)
    assert workspace.store.open(key).attrs["voxel_um"] == VOXEL_UM, "that of the volume: a .npy file has none"
    crack_settings.note(m, mask=wrong.id)
    sentence = f"The mask has {SIDE} × {SIDE} × {SIDE - 1} voxels, the volume {SIDE} × {SIDE} × {SIDE}."
    assert refusal(client, m.id) == sentence
    with pytest.raises(DataError, match="The mask has"):
        run(results.request_of(m, {}), workspace.registry, workspace.store)


# -- volumes that need words -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "voxel_um", "sentence"),
    [
        (lambda v: v, None, "The voxel size is not known: lengths are in voxels, not in µm."),
        (lambda v: v, {"voxel_um": 0.05, "slice_um": 0.1}, "Voxels are not cubes (0.1 × 0.05 × 0.05 µm)"),
        (lambda v: v[SIDE // 2 :], VOXEL_UM, "Cut by the border of the volume and left out of the ratio: particle 1."),
        (lambda v: np.concatenate([v, v], axis=2), VOXEL_UM, "2 particles were found in this volume."),
    ],
)
def test_what_must_be_said_of_a_volume_is_said(served: Any, tmp_path: Path, change: Any, voxel_um: Any, sentence: str) -> None:
    number = take(served.workspace, tmp_path, change(DENSITY), "P1", voxel_um)
    m = next(v for v in preview.volumes() if v.id == number)
    preview.slice_of(m, {}, 0, 3)
    drawn = str(bench.draw_notes({"particle": str(number)}).children)
    assert sentence in drawn
    assert drawn.count(sentence) == 1


def test_a_volume_without_contrast_or_cracks(served: Any, tmp_path: Path) -> None:
    flat = take(served.workspace, tmp_path, np.random.default_rng(1).normal(1, 0.1, (30, 30, 30)).astype(np.float32), "flat")
    dense = take(served.workspace, tmp_path, PHANTOM.envelope.astype(np.float32), "dense")
    by_id = {m.id: m for m in preview.volumes()}
    with pytest.raises(DataError, match="Particles do not stand out from what is around them"):
        preview.slice_of(by_id[flat], {}, 0, 3)
    assert "Particles do not stand out" in str(bench.draw_notes({"particle": str(flat)}).children)
    shown = preview.slice_of(by_id[dense], {}, 0, SIDE // 2)
    assert shown.ratio == 0.0
    actions._done("compute", by_id[dense], {"particle": str(dense), **FAST})
    assert "There are no cracks at all in this segmentation." in str(results.draw_result({"particle": str(dense), **FAST}).children)
