"""The Cracks page: which particles it shows, what its words and tables say of masks whose cracks are counted voxel by voxel."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from analysis.catalog import CellFields, HarvestFields, ParticleFields
from analysis.core.data import scalars
from analysis.core.jobs import Inline, Jobs
from analysis.workspace import Workspace
from components import compare_cracks, cracks_page, cracks_results, cracks_routes, cracks_solid, cracks_summary, cracks_tables, exports
from components import cracks_view as view
from components.context import CONFIG, Context
from components.views import VIEWS, draw

SIDE, VOXEL_UM = 32, 0.1
PAIR = {"ref": "uncoated", "cmp": "coated"}
Z, Y, X = np.mgrid[:SIDE, :SIDE, :SIDE] - (SIDE - 1) / 2
BALL = np.sqrt(Z**2 + Y**2 + X**2) < 12
PLANE = BALL & (np.abs(Z) < 2)  # four voxels thick, through the whole ball: it cuts the ball in two
HALF_PLANE = PLANE & (X < 0)
BLIND = BALL & (np.abs(Z) < 1) & (np.abs(Y) < 5) & (np.abs(X) < 5)
CRACKS = {
    "uncoated-1": PLANE,
    "uncoated-2": HALF_PLANE,
    "coated-1": BLIND,
    "coated-2": np.zeros_like(BALL),
}


def ratio(crack: np.ndarray) -> float:
    return float(crack.sum() / BALL.sum())


def take(workspace: Workspace, folder: Path, cell: str, values: np.ndarray, reader: str, *, particle: str = "P1", **options: Any) -> None:
    path = folder / f"{cell}-{particle}-{reader}.npy"
    np.save(path, values)
    workspace.import_files(
        [path],
        cell=CellFields(name=cell, group=cell.rpartition("-")[0]),
        harvest=HarvestFields(cycle_number=6, state="discharged"),
        particle=ParticleFields(name=particle),
        reader_id=reader,
        options={"voxel_um": VOXEL_UM, **options},
    )


def mask_of(crack: np.ndarray, body: np.ndarray = BALL) -> np.ndarray:
    return (body.astype(np.uint8) + crack).astype(np.uint8)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Masks of four particles, an edge map of the first, and a volume in which one of two particles is cut by the border."""
    folder = tmp_path_factory.mktemp("cracks")
    workspace = Workspace(folder / "study")
    for cell, crack in CRACKS.items():
        take(workspace, folder, cell, mask_of(crack), "cracks.mask", crack=2)
    energy = np.where(BALL, 8340 + 0.1 * np.abs(Z) * VOXEL_UM + 0.01 * np.sin(37 * Z + 11 * Y + 5 * X), np.nan)
    take(workspace, folder, "uncoated-1", energy.astype(np.float32), "xanes.finished_map", definition="e_half")
    wide = np.concatenate([mask_of(PLANE), mask_of(HALF_PLANE)], axis=2)[:, :, : SIDE + 20]
    take(workspace, folder, "uncoated-2", wide, "cracks.mask", particle="P2", crack=2)
    yield workspace
    workspace.catalog.close()


@pytest.fixture
def page(study: Workspace) -> Iterator[Any]:
    """The study as a server has it, with jobs that run at once; a client for its files."""
    jobs = Jobs(study.store, Inline())
    app = Flask("test")
    app.config[CONFIG] = Context(study, jobs, ())
    app.register_blueprint(exports.exports)
    app.register_blueprint(cracks_routes.crack_files)
    with app.test_request_context("/"):
        yield app.test_client()
    jobs.close()


def words(component: Any) -> str:
    """All text of a component, in order."""
    if component is None:
        return ""
    if isinstance(component, list | tuple):
        return "".join(words(c) for c in component)
    if not hasattr(component, "to_plotly_json"):
        return str(component)
    return words(getattr(component, "children", None)) + " "


def drawn(name: str, query: dict[str, str]) -> dict[str, Any]:
    return draw(VIEWS[name], query)[0]


def test_every_particle_once_with_its_chemistry_where_it_has_one(page: Any) -> None:
    found = view.specimens(PAIR)
    assert [(s.source.cell, s.source.particle) for s in found] == [
        ("uncoated-1", "P1"),
        ("uncoated-2", "P1"),
        ("uncoated-2", "P2"),
        ("coated-1", "P1"),
        ("coated-2", "P1"),
    ]
    assert [s.mapped is not None for s in found] == [True, False, False, False, False]
    without = {**PAIR, "off": found[0].id}
    assert [s.id for s in view.specimens(without)] == [s.id for s in found[1:]]
    assert view.specimens({**PAIR, "states": "charged"}) == []
    assert view.specimens({**PAIR, "cycle": "7"}) == []


def test_ratios_are_those_of_the_masks_and_compare_shows_the_same(page: Any) -> None:
    by_cell = {(s.source.cell, s.source.particle): s.id for s in view.specimens(PAIR)}
    measured = {i.id: scalars(i.data)["crack_volume_ratio"].value for i in view.measures(PAIR).shown}
    for cell, crack in CRACKS.items():
        assert measured[by_cell[cell, "P1"]] == pytest.approx(ratio(crack), rel=1e-12)
    assert measured[by_cell["uncoated-2", "P2"]] == pytest.approx(ratio(PLANE), rel=1e-12)  # the one at the border is left out
    part = compare_cracks.results(PAIR, ("uncoated", "coated")).parts[0]
    assert {i.id: scalars(i.data)["crack_volume_ratio"].value for i in part.shown} == measured


def test_what_stands_above_the_figures(page: Any) -> None:
    said = words(cracks_summary.ratios(PAIR).children)
    uncoated = [100 * ratio(c) for c in (PLANE, HALF_PLANE, PLANE)]
    coated = [100 * ratio(BLIND), 0.0]
    assert "n = 3 particles of 2 cells" in said and "n = 2 particles of 2 cells" in said
    told = re.search(r"coated − uncoated, crack volume ratio −([\d.]+) %", said)
    assert told is not None and float(told[1]) == pytest.approx(np.mean(uncoated) - np.mean(coated), abs=0.6)
    assert "range of all single differences" in said
    assert "n = 3 + 2 particles (2 + 2 cells)" in said
    remarks = words(cracks_summary.settings(PAIR).children)
    assert "Cut by the border of the volume and left out of the ratio: particle 2." in remarks
    assert "There are no cracks at all in this segmentation." in remarks
    assert "The volume holds several particles" in remarks
    assert "There is no edge map: no edge energies by distance." in remarks
    assert "preset 'standard'" in remarks


def test_tables_name_what_must_be_known(page: Any) -> None:
    said = words(cracks_tables.particles(PAIR).children)
    assert "1 cut by the border, left out; 2 particles, all together" in said
    assert "no cracks" in said and "cut by the border" in said
    groups = words(cracks_tables.groups(PAIR).children)
    assert "Crack volume ratio" in groups and "(2 cells)" in groups and "Isolated part of the solid" in groups
    rows = list(csv.DictReader(io.StringIO(page.get("/cracks-export/groups.csv?ref=uncoated&cmp=coated").text)))
    mean = next(r for r in rows if r["quantity"] == "Crack volume ratio" and r["of"] == "uncoated")
    assert float(mean["value"]) == pytest.approx(100 * np.mean([ratio(PLANE), ratio(HALF_PLANE), ratio(PLANE)]), rel=1e-12)
    assert (mean["unit"], mean["particles"], mean["cells"]) == ("%", "3", "2")
    assert any(r["of"] == "coated - uncoated" for r in rows)


def test_domains_lead_to_their_voxels(page: Any) -> None:
    items = view.domains(PAIR)
    specimens = {s.id: s for s in view.specimens(PAIR)}
    first = next(i for i in items.shown if specimens[i.id].source.cell == "uncoated-1")
    assert first.data.sizes["domain_row"] == 1  # the plane cuts the ball in two
    half = (BALL & (Z < -2)).sum() * VOXEL_UM**3
    assert float(first.data["volume"][0]) == pytest.approx(half, rel=1e-6)
    at = [int(first.data[f"at_{a}"][0]) for a in "zyx"]
    owner = specimens[first.id]
    assert owner.mapped is not None
    link = cracks_tables.place(owner, first, at, PAIR)
    assert link == f"/particle?particle={owner.mapped.id}&at={at[0]}.{at[1]}.{at[2]}"
    other = next(i for i in items.shown if specimens[i.id].source.cell == "uncoated-2" and i.data.sizes["domain_row"])
    assert cracks_tables.place(specimens[other.id], other, (1, 2, 3), PAIR).startswith("/cracks?")
    said = words(cracks_tables.domains(PAIR).children)
    assert "detached" in said and "uncoated-1 P1, domain 2" in said
    rows = list(csv.DictReader(io.StringIO(page.get("/export/cracks.isolated.csv?ref=uncoated&cmp=coated").text)))
    assert len(rows) == sum(i.data.sizes["domain_row"] for i in items.shown)


def test_profiles_follow_the_map_and_wait_for_nothing_where_there_is_none(page: Any) -> None:
    items = view.profiles(PAIR)
    assert [i.group for i in items.shown] == ["uncoated"]
    assert scalars(items.shown[0].data)["slope"].value == pytest.approx(0.1, abs=0.02)  # eV/µm, as the map was made
    assert not items.problems
    figure = drawn("cracks.near", PAIR)
    assert "n = 1 (1 cell)" in figure["layout"]["xaxis"]["title"]["text"]
    assert "E − particle mean / eV" in figure["layout"]["yaxis"]["title"]["text"]
    assert drawn("cracks.near", {**PAIR, "value": "energy"})["layout"]["yaxis"]["title"]["text"] == "Edge energy / eV"
    assert drawn("cracks.joint", PAIR)["data"][0]["type"] == "heatmap"


def test_figures_say_what_they_count(page: Any) -> None:
    bars = drawn("cracks.volume", PAIR)
    assert next(t["text"] for t in bars["data"] if t["type"] == "bar")[0].endswith("n = 3")
    assert drawn("cracks.volume", {**PAIR, "axis": "linear"})["layout"]["yaxis"].get("type") != "log"
    widths = drawn("cracks.widths", PAIR)
    assert any(t.get("name") == "coated, n = 2 particles of 2 cells, 1 with cracks" for t in widths["data"])
    evolution = drawn("cracks.evolution", PAIR)
    assert "All particles are of one cycle" in evolution["layout"]["xaxis"]["title"]["text"]
    assert "Choose particles above" in drawn("cracks.sensitivity", PAIR)["layout"]["annotations"][0]["text"]


def test_surfaces_show_cracks_inside_the_particle_and_go_out_as_ply(page: Any) -> None:
    first = view.specimens(PAIR)[0]
    source = cracks_solid.shown({**PAIR, "particle": first.id}, "cracks-a").source
    assert source is not None
    about = cracks_solid.facts(source)
    assert about["surface"]["colour"]["variable"] == "depth"
    assert about["shell"]["volume_um3"] == pytest.approx(BALL.sum() * VOXEL_UM**3, rel=0.05)
    assert about["surface"]["volume_um3"] == pytest.approx(PLANE.sum() * VOXEL_UM**3, rel=0.1)
    energy = cracks_solid.shown({**PAIR, "particle": first.id, "colour": "edge_energy", "shape": "particle"}, "cracks-a").source
    assert energy is not None and not energy["shell"]
    assert cracks_solid.facts(energy)["surface"]["colour"]["variable"] == "edge_energy"
    domains = cracks_solid.shown({**PAIR, "particle": first.id, "colour": "domain", "shape": "domains"}, "cracks-a").source
    assert domains is not None
    assert cracks_solid.facts(domains)["surface"]["volume_um3"] == pytest.approx((BALL & (Z < -2)).sum() * VOXEL_UM**3, rel=0.1)
    answer = page.get(f"/cracks-export/cracks-a/surface.ply?ref=uncoated&cmp=coated&particle={first.id}")
    head, _, body = answer.data.partition(b"end_header\n")
    assert head.startswith(b"ply\nformat binary_little_endian 1.0\n")
    faces, vertices = about["surface"]["faces"], about["surface"]["vertices"]
    assert f"element face {faces}".encode() in head
    assert len(body) == 28 * vertices + 13 * faces
    assert page.get("/cracks-export/cracks-b/surface.ply?ref=uncoated&cmp=coated").status_code == 404


def test_a_particle_without_cracks_is_shown_as_it_is(page: Any) -> None:
    dense = view.specimens(PAIR)[-1]
    source = cracks_solid.shown({**PAIR, "particle": dense.id}, "cracks-a").source
    assert source is not None
    assert source["caption"].endswith("no cracks")
    assert cracks_solid.facts(source)["surface"]["volume_um3"] == pytest.approx(BALL.sum() * VOXEL_UM**3, rel=0.05)


def test_maps_of_another_grid_are_refused_with_a_sentence(page: Any, study: Workspace, tmp_path: Path) -> None:
    take(study, tmp_path, "other-1", mask_of(PLANE & (Y < 0)), "cracks.mask", crack=2)
    take(
        study,
        tmp_path,
        "other-1",
        8340 + np.linspace(0, 1, 20**3, dtype=np.float32).reshape(20, 20, 20),
        "xanes.finished_map",
        definition="e_half",
    )
    items = cracks_results.profiles({}, cracks_results.specimens(["other"])).items
    assert not items.shown
    assert any("their grids do not fit" in sentence for _, sentence in items.problems)


def test_the_page_says_what_to_import(served: Any) -> None:
    assert "No volume yet" in words(cracks_page.layout())


def test_a_mask_without_a_state_belongs_to_the_one_state_of_its_particle() -> None:
    stated, mask, elsewhere = object(), object(), object()
    one = {(1, 7, "charged", 6): [stated], (1, 7, None, None): [mask], (1, 8, None, None): [elsewhere]}
    assert cracks_results._joined(one) == {(1, 7, "charged", 6): [stated, mask], (1, 8, None, None): [elsewhere]}  # type: ignore[arg-type]
    two = {**one, (1, 7, "discharged", 6): [stated]}
    assert cracks_results._joined(two) == two, "which of two states it shows is not known"  # type: ignore[arg-type]
    nameless = {(1, None, "charged", 6): [stated], (1, None, None, None): [mask]}
    assert cracks_results._joined(nameless) == nameless  # type: ignore[arg-type]
