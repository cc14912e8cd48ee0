"""Which particles and results stand behind the distributions page, what its words say, and where its links lead."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask

from analysis.catalog import CellFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.core.data import scalars
from analysis.core.errors import ParamError
from analysis.core.jobs import Inline, Jobs
from analysis.workspace import Workspace
from components import distributions_page, distributions_tables, edge_maps
from components import distributions_view as view
from components.context import CONFIG, Context
from components.views import VIEWS, draw
from tests.xanes.xanes_truth import GRID, edge

SHIFT = {
    ("uncoated", "discharged"): 8343.2,
    ("uncoated", "charged"): 8344.3,
    ("coated", "discharged"): 8342.6,
    ("coated", "charged"): 8344.6,
}
PAIR = {"ref": "uncoated", "cmp": "coated"}
FEW = {"ref": "uncoated", "cmp": "none", "states": "charged"}  # two stacks and the finished map
SIDE = 8  # too few blocks for a bootstrap within the particle, which these tests are not about


def stack(folder: Path, name: str, shift: float, seed: int, *, shape: tuple[int, ...] = (SIDE, SIDE)) -> Path:
    rng = np.random.default_rng(seed)
    moved = shift + 0.2 * rng.standard_normal(shape)
    mu = 0.4 * edge(GRID, moved[..., None]) + 0.004 * rng.standard_normal((*shape, GRID.size))
    np.savez(folder / f"{name}.npz", mu=np.moveaxis(mu, -1, 0).astype(np.float32), energy=GRID)
    return folder / f"{name}.npz"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """Two cells in each group, one particle of each in each state, and one finished map of another definition."""
    folder = tmp_path_factory.mktemp("study")
    workspace = Workspace(folder / "workspace")
    for k, (group, state) in enumerate(s for s in SHIFT for _ in range(2)):
        cell = CellFields(name=f"{group}-{k % 2 + 1}", group=group)
        made = stack(folder, f"{group}-{k % 2 + 1}-{state}", SHIFT[group, state] + 0.1 * (k % 2), k)
        take(workspace, made, cell, state, f"P{k}", particle_cycle=6)
    np.save(folder / "finished.npy", 8350.0 + np.linspace(-0.5, 0.5, 36).reshape(6, 6))
    named = MeasurementFields(reader_id="xanes.finished_map")
    workspace.import_files(
        [folder / "finished.npy"],
        cell=CellFields(name="uncoated-1", group="uncoated"),
        measurement=named,
        harvest=HarvestFields(cycle_number=6, state="charged"),
        particle=ParticleFields(name="F"),
        reader_id="xanes.finished_map",
        options={"definition": "white_line"},
    )
    yield workspace
    workspace.catalog.close()


def take(workspace: Workspace, path: Path, cell: CellFields, state: Any, particle: str, *, particle_cycle: int) -> None:
    harvest = HarvestFields(cycle_number=particle_cycle, state=state)
    workspace.import_files([path], cell=cell, harvest=harvest, particle=ParticleFields(name=particle), options={"voxel_um": 0.5})


@pytest.fixture
def page(study: Workspace) -> Iterator[Workspace]:
    """The study as a server has it, with jobs that run at once."""
    jobs = Jobs(study.store, Inline())
    app = Flask("test")
    app.config[CONFIG] = Context(study, jobs, ())
    with app.test_request_context("/"):
        yield study
    jobs.close()


def text_of(component: Any) -> str:
    """All words of a component and of what it holds."""
    if component is None or isinstance(component, str | int | float):
        return str(component or "")
    if isinstance(component, list | tuple):
        return " ".join(map(text_of, component))
    return text_of(getattr(component, "children", None))


def test_particles_stand_by_group_and_state(page: Workspace) -> None:
    found = [(m.group, m.state, m.particle) for m in view.measurements(PAIR)]
    assert [f[:2] for f in found] == [
        ("uncoated", "discharged"),
        ("uncoated", "discharged"),
        ("uncoated", "charged"),
        ("uncoated", "charged"),
        ("uncoated", "charged"),
        ("coated", "discharged"),
        ("coated", "discharged"),
        ("coated", "charged"),
        ("coated", "charged"),
    ]
    assert {m.state for m in view.measurements({**PAIR, "states": "charged"})} == {"charged"}
    assert {m.group for m in view.measurements({"ref": "coated", "cmp": "none"})} == {"coated"}
    assert view.measurements({**PAIR, "cycle": "7"}) == []
    first = view.measurements(PAIR)[0]
    assert first.id not in [m.id for m in view.measurements({**PAIR, "off": str(first.id)}, off=True)]
    assert edge_maps.particle_name(first) == f"{first.cell} {first.particle}"


def test_one_e0_for_all_particles(page: Workspace) -> None:
    e0, items = edge_maps.common_e0()
    assert items.problems == ()
    assert e0 is not None
    assert e0 == round(e0)
    assert abs(e0 - np.median(list(SHIFT.values()))) <= 1.5  # the grid is 1 eV, the steepest point lies beside the step's middle
    found = view.maps(PAIR)
    assert {i.data.attrs["e0"] for i in found.shown} == {e0}
    assert len(found.shown) == 8
    fixed = view.maps({**FEW, "e0": "8342", "pre1": "-100"})
    assert {(i.data.attrs["e0"], i.data.attrs["pre1"]) for i in fixed.shown} == {(8342.0, -100.0)}
    with pytest.raises(ParamError, match=r"'83x' is not a number"):
        view.maps({**PAIR, "e0": "83x"})
    with pytest.raises(ParamError, match="must be in order"):
        view.maps({**PAIR, "pre2": "400"})


def test_a_finished_map_of_another_definition_is_named_and_does_not_hide_the_rest(page: Workspace) -> None:
    found = view.maps(PAIR)
    assert len(found.shown) == 8
    assert [p[0] for p in found.problems] == ["uncoated-1 F"]
    assert "definition 'white_line', which is not put together with 'e_half'" in found.problems[0][1]
    other = view.maps({**FEW, "definition": "white_line"})
    assert len(other.shown) == 3
    assert other.problems == ()


def test_differences_are_compared_minus_reference_over_particles(page: Workspace) -> None:
    (result,) = view.compared(PAIR).shown
    assert result.data["name"].values.tolist() == ["coated", "uncoated"]
    found = scalars(result.data)
    for k, group in enumerate(("coated", "uncoated"), start=1):
        true = SHIFT[group, "charged"] - SHIFT[group, "discharged"]
        assert found[f"activity_{k}"].value == pytest.approx(true, abs=0.12)
        assert found[f"activity_{k}"].n == 4
    assert found["activity_difference"].value == pytest.approx(2.0 - 1.1, abs=0.15)
    assert view.compared({**PAIR, "states": "charged"}).shown == ()
    said = text_of(distributions_tables.differences(PAIR).children)
    assert "coated, particle medians, charged − discharged" in said
    assert "n = 2 + 2" in said
    assert "range" in said  # two particles a side have no interval
    why = text_of(distributions_tables.differences({**PAIR, "states": "charged"}).children)
    assert why == "Differences need charged and discharged particles; shown here: charged."


def test_state_of_charge_needs_calibrants_and_follows_them(page: Workspace) -> None:
    with pytest.raises(ParamError, match="State of charge needs calibrants: 0 edge energies and 0 values"):
        view.maps({**PAIR, "show": "soc"})
    figure, items = draw(VIEWS["distributions.violins"], {**PAIR, "show": "soc", "energies": "8340", "values": "0,1"})
    assert "1 edge energies and 2 values are given" in items.problems[0][1]
    soc = {**FEW, "show": "soc", "energies": "8336,8350", "values": "0,1"}
    found, plain = view.distributions(soc), view.distributions(FEW)
    for a, b in zip(found.shown, plain.shown, strict=True):
        median = scalars(b.data)["median"].value
        assert isinstance(median, float)
        assert scalars(a.data)["median"].value == pytest.approx((median - 8336) / 14, abs=2e-3)
    assert found.shown[0].data.attrs["quantity"] == "soc"
    figure, _ = draw(VIEWS["distributions.violins"], soc)
    assert figure["layout"]["yaxis"]["title"]["text"].startswith("State of charge / 1")


def test_particles_of_known_state_calibrate_as_their_medians_do(page: Workspace) -> None:
    plain = {i.id: scalars(i.data)["median"].value for i in view.maps(PAIR).shown}
    low, high = min(plain, key=plain.__getitem__), max(plain, key=plain.__getitem__)
    chosen = view.maps({**PAIR, "show": "soc", "calibrants": f"{low},{high}", "values": "0,1"})
    written = view.maps({**PAIR, "show": "soc", "energies": f"{plain[low]},{plain[high]}", "values": "0,1"})
    assert len(chosen.shown) == len(written.shown) == 8
    for a, b in zip(chosen.shown, written.shown, strict=True):
        np.testing.assert_allclose(a.data["state"], b.data["state"], atol=1e-6)
    with pytest.raises(ParamError, match="2 particles and 1 values are given"):
        view.maps({**PAIR, "show": "soc", "calibrants": f"{low},{high}", "values": "0"})


def test_depths_are_asked_of_every_particle(page: Workspace) -> None:
    assert "only 0 to 1 µm below the surface" in text_of(distributions_tables.recipe({**FEW, "depth": "0,1"}).children)
    found = view.distributions({**FEW, "depth": "0,1"})
    assert not found.shown and all("fills the whole map" in said for _, said in found.problems if "definition" not in said)
    assert len(found.problems) == 3
    with pytest.raises(ParamError, match="not a range"):
        view.distributions({**FEW, "depth": "1,0"})


def test_a_marked_range_says_its_share_and_leads_to_the_voxels(page: Workspace) -> None:
    query = {**PAIR, "brush": "8300,8400", "definition": "e_half", "e0": "8344"}
    drawn = distributions_tables.marked(query)
    said = text_of(drawn.children)
    assert "Marked 8300 … 8400 eV" in said
    assert "coated charged 100.0 %" in said
    item = view.distributions(query).shown[0]
    link = distributions_tables.particle_href(item, query, "8300,8400")
    assert link == f"/particle?particle={item.id}&definition=e_half&e0=8344&brush=8300%2C8400"
    assert distributions_tables.marked(PAIR).children == []
    with pytest.raises(ParamError, match="'8400,8300' is not a range"):
        view.pair({"brush": "8400,8300"}, "brush")


def test_the_table_has_a_row_for_each_particle_and_the_recipe_is_in_sight(page: Workspace) -> None:
    said = text_of(distributions_tables.particle_table(PAIR).children)
    for m in view.measurements(PAIR):
        assert (edge_maps.particle_name(m) in said) == (m.particle != "F")
    recipe = text_of(distributions_tables.recipe(PAIR).children)
    assert "All particles alike: half of the edge step, E0 834" in recipe
    assert "pre-edge line −120 … −25 eV, post-edge line 45 … 350 eV from E0, order 1" in recipe
    assert "Particles of one cell are not independent of each other" in recipe


def test_every_view_draws_and_the_page_holds_them(page: Workspace) -> None:
    for name in ("violins", "histogram", "effects", "heterogeneity", "quality"):
        figure, items = draw(VIEWS[f"distributions.{name}"], PAIR)
        assert figure["data"], name
        assert not items.waiting
    for query in (PAIR, {**PAIR, "tab": "table"}, {**FEW, "show": "soc"}):
        made = str(distributions_page.layout(**query).to_plotly_json())
        assert "uncoated-1" in made
    pooled, items = draw(VIEWS["distributions.histogram"], PAIR)
    assert [i.data.attrs["schema"] for i in items.shown].count("xanes.pooled") == 1
    single, _ = draw(VIEWS["distributions.histogram"], {**PAIR, "per": "particles"})
    assert len(single["data"]) > len(pooled["data"]) / 2


def test_a_workspace_without_particles_says_what_to_import(served: Any) -> None:
    said = text_of(distributions_page.layout())
    assert "No particle yet" in said
    assert "one particle each, with its cell and group, and its state" in said
