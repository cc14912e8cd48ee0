"""The particle page without a browser: which results stand behind an address, and what the page makes of them."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dash import html
from flask import Flask

from analysis import viewform
from analysis.catalog import CellFields
from analysis.core.errors import DataError
from analysis.core.jobs import Inline, Jobs
from analysis.workspace import Workspace
from components import particle_figures, particle_frames, particle_marks, particle_numbers, particle_stage, particle_view
from components.context import CONFIG, Context
from components.particle_routes import particle
from components.results import looking
from components.views import draw
from tests import particles

TRUE_MEDIAN = {"uncoated": 2.0 / 2, "coated": 0.5 / 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Workspace, dict[str, particles.Particle]]]:
    workspace, known = particles.put(tmp_path_factory.mktemp("particles") / "study")
    particles.put_flat(workspace, known["uncoated"])
    jobs = Jobs(workspace.store, Inline())
    app = Flask("test")
    app.config[CONFIG] = Context(workspace, jobs, ())
    app.register_blueprint(particle)
    yield app, workspace, known
    jobs.close()
    workspace.catalog.close()


@pytest.fixture
def study(made: tuple[Flask, Workspace, dict[str, particles.Particle]]) -> Iterator[dict[str, particles.Particle]]:
    with made[0].test_request_context("/"):
        yield made[2]


BOTH = {"particle": "1", "beside": "2"}


def test_slices_share_one_colour_scale_and_name_their_particle(study: dict[str, particles.Particle]) -> None:
    source, items = particle_stage.sliced(BOTH, "particle")
    assert items.problems == () and source is not None
    assert source["caption"] == "uncoated-1 P1 · discharged · cycle 6 (synthetic)"
    assert source["axes"] == ["z"], "one slice each, where two stand beside each other"
    ranges = [particle_stage.slice_order(BOTH, side, fresh=True)["base"] for side in ("particle", "beside")]
    assert ranges[0] == ranges[1]
    assert ranges[0]["high"] - ranges[0]["low"] == pytest.approx(2.0, rel=0.25), "that of the wider particle"
    over, _ = particle_stage.sliced({**BOTH, "over": "edge_jump"}, "particle")
    assert over is not None
    assert (over["base"]["variable"], over["overlay"]["variable"]) == ("edge_jump", "edge_energy")


def test_a_clicked_voxel_gives_its_own_spectrum_and_a_region_the_mean_of_those_that_count(study: dict[str, particles.Particle]) -> None:
    store = particle_view.workspace().store
    ds = store.open(particle_view.chosen(BOTH).dataset_keys[0])  # type: ignore[union-attr]
    event = {"type": "lasso", "axis": "z", "index": 8, "rows": "y", "columns": "x", "polygon": [[6, 6], [6, 12], [14, 12], [14, 6]]}
    region = particle_marks.keep_region(store, event, ds)
    query = {**BOTH, "points": f"1.8.10.11~0~core,1.{region}~1~patch,2.8.10.11~2~other", "mean": "hidden"}
    shown = {i.label: i for i in particle_figures.spectra(query).shown}
    assert set(shown) == {"core, uncoated-1 P1 · discharged", "patch, uncoated-1 P1 · discharged", "other, coated-1 P1 · discharged"}
    core = shown["core, uncoated-1 P1 · discharged"].data
    assert core["mu"].to_numpy() == pytest.approx(study["uncoated"].mu[:, 8, 10, 11], abs=1e-6)
    patch = shown["patch, uncoated-1 P1 · discharged"].data
    assert patch.attrs["n_voxels"] == 48
    assert patch["mu"].to_numpy() == pytest.approx(
        study["uncoated"].mu[:, 8, 6:14, 6:12].reshape(len(particles.ENERGY), -1).mean(axis=1), abs=1e-5
    )
    figure, _ = draw(particle_figures.SPECTRA, query)
    assert [t["name"].split(":")[0] for t in figure["data"] if t.get("showlegend", True)] == [k.replace("·", "·") for k in shown]
    counted = particle_figures.values(query)
    assert [i.data.attrs["n"] for i in counted.shown if i.id.endswith(region)] == [48]


def test_a_region_over_several_slices_is_the_mean_of_all_of_them(study: dict[str, particles.Particle]) -> None:
    store = particle_view.workspace().store
    ds = store.open(particle_view.chosen(BOTH).dataset_keys[0])  # type: ignore[union-attr]
    event = {"type": "lasso", "axis": "z", "index": 8, "rows": "y", "columns": "x", "polygon": [[6, 6], [6, 12], [14, 12], [14, 6]]}
    prism = particle_marks.extended(store, particle_marks.keep_region(store, event, ds), "7-9")
    query = {"particle": "1", "points": f"1.{prism}~1~prism", "mean": "hidden"}
    (shown,) = particle_figures.spectra(query).shown
    inside = study["uncoated"].mu[:, 7:10, 6:14, 6:12].reshape(len(particles.ENERGY), -1)
    assert shown.data.attrs["n_voxels"] == inside.shape[1] == 144
    assert shown.data["mu"].to_numpy() == pytest.approx(inside.mean(axis=1), abs=1e-5)
    listed = str(particle_numbers.marks_list(query))
    assert "eV (SD), n = 144" in listed and "value='7–9'" in listed


def test_nothing_is_computed_while_a_pin_is_only_looked_at(study: dict[str, particles.Particle]) -> None:
    query = {"particle": "1", "points": "1.9.9.9~0~unseen", "mean": "hidden"}
    with looking():
        assert particle_figures.spectra(query).shown == ()
    assert len(particle_figures.spectra(query).shown) == 1


def test_slices_can_be_pinned_as_they_are_looked_at(study: dict[str, particles.Particle]) -> None:
    one = {"particle": "1", "at": "8.10.11", "range": "8339_8347"}
    figure, items = draw(particle_figures.SLICES, one)
    assert items.problems == () and len(figure["data"]) == 3
    assert figure["layout"]["yaxis2"]["title"]["text"] == "xz, y 10"
    assert (figure["layout"]["coloraxis"]["cmin"], figure["layout"]["coloraxis"]["cmax"]) == (8339.0, 8347.0)
    both, _ = draw(particle_figures.SLICES, {**BOTH, "map": "edge_jump"})
    assert len(both["data"]) == 2, "one slice of each"


def test_numbers_have_their_count_and_what_the_brush_holds(study: dict[str, particles.Particle]) -> None:
    items = particle_numbers.edge_items(BOTH)
    assert len(items.shown) == 2
    text = str(particle_numbers.table({**BOTH, "brush": "8340,8350"}, items))
    assert "100.0 %" in text and "Noise floor" in text and "half of the edge step" in text
    m = particle_view.chosen(BOTH)
    assert m is not None
    inside, n = particle_figures.within(m, BOTH, (0.0, 9000.0))
    assert inside == n > 0
    listed = str(particle_numbers.marks_list({**BOTH, "points": "1.8.10.11~0~core,1.0.0.0~1~air"}))
    assert " ± 0.0" in listed and "no edge above the noise" in listed and "particle-a" not in listed


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"map": "weight"}, "no reference spectra are chosen"),
        ({"map": "state"}, "no calibrants are given"),
        ({"map": "state", "energies": "8342,8344", "values": "0"}, "2 calibrants have 1 values"),
        ({"e0": "abc"}, "'abc' is not a number"),
        ({"pre1": "-10", "pre2": "-50"}, "the ranges must be in order"),
    ],
)
def test_what_a_map_lacks_is_said_where_it_would_be(study: dict[str, particles.Particle], query: dict[str, str], message: str) -> None:
    source, items = particle_stage.sliced({**BOTH, **query}, "particle")
    said = " ".join(sentence for _, sentence in items.problems)
    assert source is None and message in said


def test_every_map_of_a_stack_can_be_shown_counted_and_followed(study: dict[str, particles.Particle]) -> None:
    more = {"energies": "8340,8346", "values": "0,1", "line": "1_8.5_10.5_4_8.5_10.5_18"}
    for name in particle_view.MAPS:
        if name in ("weight", "r_factor"):
            continue
        query = {"particle": "1", "map": name, **more}
        source, items = particle_stage.sliced(query, "particle")
        assert source is not None, (name, items.problems)
        for view in (particle_figures.VALUES, particle_figures.PROFILE):
            figure, made = draw(view, query)
            assert made.problems == () and figure["data"], (name, view.title, made.problems)
    solid, items = particle_stage.solid_of({"particle": "1", "map": "label"}, "particle")
    assert solid is not None and solid["shell"], items.problems


def test_the_map_along_a_line_follows_the_truth(study: dict[str, particles.Particle]) -> None:
    (item,) = particle_figures.profile({"particle": "1", "line": "1_8.5_10.5_5_8.5_10.5_17"}).shown
    x = item.data["distance"].to_numpy() / particles.VOXEL_UM + 5 - 0.5
    energy, std = item.data["value"].to_numpy(), item.data["value_std"].to_numpy()
    slope = np.polyfit(x, energy, 1)[0]
    assert slope == pytest.approx(2.0 / (particles.SIDE - 1), abs=3 * float(std.mean()) / np.ptp(x))


def test_images_and_finished_maps_are_shown_like_volumes(study: dict[str, particles.Particle]) -> None:
    store = particle_view.workspace().store
    flat, finished = {"particle": "3"}, {"particle": "4"}
    ds = store.open(particle_view.chosen(flat).dataset_keys[0])  # type: ignore[union-attr]
    event = {"type": "lasso", "axis": "z", "index": 0, "rows": "y", "columns": "x", "polygon": [[6, 6], [6, 12], [14, 12], [14, 6]]}
    region = particle_marks.keep_region(store, event, ds)
    query = {**flat, "points": f"3.0.10.11~0~core,3.{region}~1~patch", "line": "3_0.5_10.5_4_0.5_10.5_18"}
    shown = {i.label: i.data for i in particle_figures.spectra(query).shown}
    assert shown["core"]["mu"].to_numpy() == pytest.approx(study["uncoated"].mu[:, 7, 10, 11], abs=1e-6)
    assert shown["patch"].attrs["n_voxels"] == 48
    assert np.isfinite(particle_figures.profile(query).shown[0].data["value"].to_numpy()).all()
    _, items = particle_stage.solid_of(flat, "particle")
    assert "it has no surface" in items.problems[0][1]
    source, items = particle_stage.sliced(finished, "particle")
    assert source is not None and items.problems == ()
    inside = study["uncoated"].inside[7]
    assert f"{int(inside.sum())}" in str(particle_numbers.table(finished, particle_numbers.edge_items(finished)))
    assert "it has no spectra" in particle_figures.spectra(finished).problems[0][1]


def test_fractions_of_the_two_ends_of_a_particle(study: dict[str, particles.Particle]) -> None:
    workspace = particle_view.workspace()
    for name, shift in (("low", 0.0), ("high", 2.0)):
        path = workspace.root / f"{name}.xdi"
        rows = "\n".join(f"{e:.3f} {particles.rise(e - shift):.6f}" for e in particles.ENERGY)
        path.write_text(f"# XDI/1.0\n# Column.1: energy eV\n# Column.2: mutrans\n# Element.symbol: Ni\n# Element.edge: K\n#---\n{rows}\n")
        workspace.import_files([path], cell=CellFields(name=name))
    m = particle_view.chosen({"particle": "1"})
    assert m is not None
    found = [str(r.id) for r in particle_view.references(m)]
    assert len(found) == 2
    source, items = particle_stage.sliced({"particle": "1", "map": "weight", "references": ",".join(found)}, "particle")
    assert source is not None and items.problems == ()
    said = viewform.described(workspace.store, source["base"]["key"])
    assert said["layers"]["name"] == "component" and len(said["layers"]["names"]) == 2
    high = items.shown[0].data["weight"].isel(component=1).to_numpy()
    x = np.broadcast_to(np.arange(particles.SIDE), high.shape)
    known = np.isfinite(high)
    assert np.polyfit(x[known], high[known], 1)[0] == pytest.approx(1 / (particles.SIDE - 1), rel=0.1)


def test_downloads_hold_the_slices_and_the_commands(
    made: tuple[Flask, Workspace, dict[str, particles.Particle]], study: dict[str, particles.Particle]
) -> None:
    client = made[0].test_client()
    answer = client.get("/particle/particle-a/slices.csv", query_string={"particle": "1", "map": "mu", "layer": "3", "at": "8.9.10"})
    table = pd.read_csv(io.BytesIO(answer.data))
    assert len(table) == 3 * particles.SIDE**2
    row = table[(table["slice across"] == "z") & (table["y"] == 4) & (table["x"] == 7)].iloc[0]
    assert row["z"] == 8 and row["mu / 1"] == pytest.approx(study["uncoated"].mu[3, 8, 4, 7], abs=1e-6)
    said = client.get("/particle/particle-a/command.txt", query_string={"particle": "1"}).text
    assert said.startswith("python -m analysis run xanes.edge_map d-")
    assert client.get("/particle/nothing/slices.csv").status_code == 404


def test_typed_shifts_become_an_edit_with_the_one_before(study: dict[str, particles.Particle]) -> None:
    store = particle_view.workspace().store
    first = particle_frames.keep_shifts(store, [{"energy": 8324.0, "shift_y": "−1,5", "shift_x": 2}], "")
    second = particle_frames.keep_shifts(store, [{"energy": 8324.0, "shift_y": 0, "shift_x": 0}], first)
    assert store.open(first)["shift_y"].to_numpy().tolist() == [-1.5]
    assert store.provenance(second)["previous"] == first
    with pytest.raises(DataError, match=r"The shift at 8324\.0 eV is not a number"):
        particle_frames.keep_shifts(store, [{"energy": 8324.0, "shift_y": "far", "shift_x": 0}], "")


def test_an_empty_workspace_says_what_to_import(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "study")
    app = Flask("test")
    app.config[CONFIG] = Context(workspace, Jobs(workspace.store, Inline()), ())
    with app.test_request_context("/"):
        assert particle_view.particles() == []
        assert particle_stage.sliced({}, "particle")[0] is None
        assert isinstance(html.Div(particle_numbers.marks_list({})), html.Div)
    workspace.catalog.close()
