"""The spectra page without a browser: which spectra, which recipe, what stands behind every figure, what hands change."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from analysis.core.errors import ParamError
from analysis.core.jobs import Inline, Jobs
from analysis.demo.spectra_study import SpectraTruth, write_spectra
from analysis.workspace import Workspace
from components.context import CONFIG, Context
from components.exports import exports


@dataclass(frozen=True)
class Study:
    """The synthetic set with two cells a group, as a page finds it."""

    workspace: Workspace
    truth: SpectraTruth
    app: Flask


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    folder = tmp_path_factory.mktemp("spectra")
    truth = write_spectra(folder / "files", cells_per_group=2)
    workspace = Workspace(folder / "study")
    workspace.import_manifest(folder / "files" / "spectra_manifest.csv")
    jobs = Jobs(workspace.store, Inline())
    app = Flask("test")
    app.config[CONFIG] = Context(workspace, jobs, ())
    app.register_blueprint(exports)
    from components import spectra_figures  # noqa: F401 - registers the views

    with app.test_request_context("/spectra"):
        yield Study(workspace, truth, app)
    jobs.close()
    workspace.catalog.close()


def test_samples_stand_in_order_and_standards_beside(study: Study) -> None:
    from components import spectra_samples as s

    found = s.samples({})
    assert [s.label(m, found) for m in found[:3]] == ["uncoated-1 · pristine", "uncoated-2 · pristine", "uncoated-1 · charged"]
    assert len(found) == 12
    assert s.edges({}) == ["S K"]
    assert {m.cell for m in s.references({})} == {"sodium thiosulfate"}
    assert [m.cell for m in s.samples({"cmp": "none", "off": "1"}, off=False)].count("coated-1") == 0


def test_each_sample_is_calibrated_on_the_standard_of_its_day(study: Study) -> None:
    from components import spectra_recipe, spectra_samples, spectra_view

    found = spectra_samples.samples({})
    request = spectra_recipe.request({}, found, spectra_view.labels(found))
    days = [spectra_samples.nearest(m, spectra_samples.references({})) for m in found]
    assert all(d is not None and d.date == m.date for d, m in zip(days, found, strict=True))
    assert len(request.inputs["standards"]) == 2
    assert request.params["assigned"] == 2472.02
    offsets = {t.cell + t.state: t.energy_offset_eV for t in study.truth.spectra}
    for item, m in zip(spectra_view.everyone({}).shown, found, strict=True):
        assert float(item.data["energy_shift"][0]) == pytest.approx(-offsets[m.cell + str(m.state)], abs=0.05)
    assert "standards" not in spectra_recipe.request({"cal": "none"}, found, spectra_view.labels(found)).inputs


def test_every_figure_is_drawn_and_says_synthetic(study: Study) -> None:
    from components.views import VIEWS, draw

    for name, view in VIEWS.items():
        if not name.startswith("spectra.") or name == "spectra.scans":
            continue
        figure, items = draw(view, {"formula": "Li6PS5Cl(Al2O3)30"} if name == "spectra.corrected" else {})
        assert items.problems == (), name
        assert figure["data"], name
        said = str(figure["layout"].get("annotations", "")) + str([t.get("name") for t in figure["data"]])
        assert "ynthetic" in said, name


def test_areas_and_their_comparison_find_the_truth(study: Study) -> None:
    from components import spectra_view
    from components.spectra_tables import effects

    truth = {f"{t.cell} · {t.state}": t.areas_eV["P–Sx–P"] for t in study.truth.spectra}
    for item in spectra_view.areas({}).shown:
        k = item.data["peak_name"].values.tolist().index("P–Sx–P")
        assert float(item.data["area"][k]) == pytest.approx(truth[item.label], abs=4 * float(item.data["area_std"][k]))
    children, items = effects({})
    assert items.problems == ()
    text = str(children)
    assert "n = 2 + 2" in text
    assert "range" in text  # two cells a side: effect and range only


def test_a_difference_is_between_means_of_equal_state(study: Study) -> None:
    from components import spectra_view

    found = spectra_view.differences({}).shown
    assert [i.label for i in found] == ["coated · pristine", "coated · charged", "coated · discharged"]
    assert [i.data.attrs["reference"] for i in found] == ["uncoated · pristine", "uncoated · charged", "uncoated · discharged"]
    before = spectra_view.differences({"diff": "state:pristine", "curves": "samples"}).shown
    assert len(before) == 8
    assert {i.data.attrs["reference"] for i in before} == {"uncoated · pristine", "coated · pristine"}


def test_points_are_taken_out_undone_and_put_back(study: Study) -> None:
    from components import spectra_single as one

    energy = float(one.measured({}).shown[0].data["energy"][50])
    name = str(one.measured({}).shown[0].data["name"].values[0])
    click = {"points": [{"x": energy, "customdata": [name]}]}
    first = one.toggled({}, click)
    assert first is not None
    assert one.taken({"taken": first}) == [f"{name}@{energy}"]
    second = one.toggled({"taken": first}, {"points": [{"x": energy + 1.0, "customdata": [name]}]})
    assert second is not None
    assert len(one.taken({"taken": second})) == 2
    assert one.undone({"taken": second}) == first
    assert one.undone({"taken": first}) == ""
    assert one.restored({"taken": second}) == ""
    assert one.toggled({"taken": first}, click) == ""
    done = one.one_processed({"taken": first}).shown[0]
    assert done.data.sizes["energy"] == one.one_processed({}).shown[0].data.sizes["energy"] - 1


def test_a_recipe_is_kept_with_the_workspace_and_taken_by_name(study: Study) -> None:
    from components import spectra_recipe as r

    r.save({"norm1": "15", "calenergy": "2472.1"}, "ours")
    assert r.chosen({"recipe": "ours"}) == "ours"
    assert r.fields({"recipe": "ours"})["norm1"] == 15.0
    assert r.calibration({"recipe": "ours"})["assigned"] == 2472.1
    assert r.stands_for({"recipe": "ours"}, "norm1") == "15"
    with pytest.raises(ParamError, match="There is a recipe 'ours' already"):
        r.save({}, "ours")
    with pytest.raises(ParamError, match="pre1 must lie below pre2"):
        r.save({"pre1": "-10", "pre2": "-20"}, "wrong")
    r.forget("ours")
    assert r.chosen({"recipe": "ours"}) == "S K"


def test_marker_lines_are_kept_and_checked(study: Study) -> None:
    from components import spectra_library as lib
    from components import spectra_recipe as r

    assert "P–Sx–P@2472.0" in r.markers({})
    mine = [{"shown": True, "name": "x", "energy": "2473,5", "note": ""}, {"shown": False, "name": "y", "energy": "2480", "note": "n"}]
    value = lib.kept({}, mine)
    assert value.partition("~")[0] == "x"
    assert value != lib.kept({}, [{**mine[0], "energy": "2473.6"}, mine[1]])  # another edition is another address
    lib.kept({}, mine)
    assert r.markers({"markers": value}) == ["x@2473.5"]
    assert r.markers({"markers": "x"}) == ["x@2473.5"]
    assert r.markers({}) == ["x@2473.5", "y@2480.0"]
    for wrong, message in (({"energy": "much"}, "is no energy"), ({"name": "a,b"}, "cannot be a marker")):
        with pytest.raises(ParamError, match=message):
            lib.kept({}, [{**mine[0], **wrong}])
    study.workspace.catalog.set_setting(r.LIBRARY, None)


@pytest.mark.parametrize("tab", ["", "peaks", "mixtures", "processing", "table"])
def test_every_tab_has_its_layout(study: Study, tab: str) -> None:
    from components import spectra_page

    text = str(spectra_page.layout(tab=tab))
    assert "uncoated-1" in text
    assert "No spectra" not in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"e0": "abc"}, "Edge energy E0"),
        ({"e0": "9000"}, "it is of another edge"),
        ({"norm1": "40"}, "post-edge range"),
        ({"cal": "foil", "calenergy": "2472"}, "has no foil measured behind it"),
    ],
)
def test_what_cannot_be_processed_is_said_beside_the_figure(study: Study, query: dict[str, str], words: str) -> None:
    from components.views import VIEWS, draw

    for name in ("spectra.overlay", "spectra.areas"):
        _, items = draw(VIEWS[name], query)
        assert any(words in sentence for _, sentence in items.problems), name


def test_wild_addresses_are_answered(study: Study) -> None:
    from components import spectra_page
    from components.views import VIEWS, draw

    wild = {
        "from": "x",
        "offset": "<b>",
        "diff": "m9",
        "pkpeaks": "nonsense",
        "calenergy": "much",
        "taken": "1_e-zz,q",
        "recipe": "?",
        "refs": "7,x",
    }
    assert "Spectra" in str(spectra_page.layout(**wild))
    for name in ("spectra.overlay", "spectra.difference", "spectra.areas", "spectra.lcf"):
        draw(VIEWS[name], wild)


def test_all_numbers_of_fifty_spectra_are_one_table(study: Study) -> None:
    client = study.app.test_client()
    lines = client.get("/export/spectra.edges.csv").get_data(as_text=True).splitlines()
    assert len(lines) == 13
    assert {"e0 / eV", "half_step / eV", "white_line / eV", "edge_step / 1", "noise / 1"} <= set(lines[0].split(","))
    peaks = client.get("/export/spectra.areas.csv").get_data(as_text=True).splitlines()
    assert len(peaks) == 1 + 12 * 4
    commands = client.get("/export/spectra.areas.txt").get_data(as_text=True).splitlines()
    assert len(commands) == 1
    assert commands[0].startswith("python -m analysis run spectra.peaks r-")


def test_an_empty_workspace_says_what_to_import(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "empty")
    jobs = Jobs(workspace.store, Inline())
    app = Flask("empty")
    app.config[CONFIG] = Context(workspace, jobs, ())
    from components import spectra_page

    with app.test_request_context("/spectra"):
        assert "No spectra yet" in str(spectra_page.layout())
    jobs.close()
    workspace.catalog.close()
