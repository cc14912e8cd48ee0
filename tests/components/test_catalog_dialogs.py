"""What dialogs of the catalog page say and do."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from plotly.io.json import to_json_plotly

from analysis.catalog import Catalog, MeasurementFields, ParticleFields
from analysis.core.errors import ParamError, ReadError, UserError
from app import create_app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    app = create_app(tmp_path_factory.mktemp("dialogs") / "study", pool=False)
    with app.server.test_request_context():
        yield app.server
    app.server.config["INTERPLAY"].jobs.close()


@pytest.fixture
def catalog(server: Any) -> Catalog:
    """With C1 (measured, one particle) and C2, as they were before any test wrote."""
    known = server.config["INTERPLAY"].workspace.catalog
    for cell in known.cells():
        known.delete_cell(cell.id)
    known.upsert_cell("C2", group="uncoated")
    known.upsert_cell("C1", group="coated")
    known.add_measurement(MeasurementFields(modality="cycling"), cell="C1")
    known.add_measurement(MeasurementFields(modality="xanes"), cell="C1", particle=ParticleFields(name="P1"))
    return known


def _perform(action: str, table: str, ids: list[int], **fields: Any) -> None:
    from components.catalog_actions import perform

    perform(action, table, ids, fields)


def _shown(component: Any) -> str:
    """Everything a component says, as the browser gets it."""
    return json.dumps(json.loads(to_json_plotly(component)), ensure_ascii=False)


def _text(action: str, table: str, ids: list[int]) -> str:
    from components.catalog_dialogs import dialog

    return _shown(dialog(action, table, ids))


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_an_exclusion_needs_a_reason(catalog: Catalog, reason: str | None) -> None:
    with pytest.raises(ParamError, match="Say why"):
        _perform("exclude", "cells", [catalog.cell("C1").id], reason=reason)
    assert not catalog.cell("C1").excluded


def test_excluding_and_including_again(catalog: Catalog) -> None:
    ids = [c.id for c in catalog.cells()]
    _perform("exclude", "cells", ids, reason="soft short")
    assert {c.excluded_reason for c in catalog.cells()} == {"soft short"}
    _perform("include", "cells", ids)
    assert not any(c.excluded for c in catalog.cells())


def test_a_measurement_that_stays_left_out_through_its_cell_is_named(catalog: Catalog) -> None:
    catalog.exclude("cell", catalog.cell("C1").id, "short")
    assert "C1 stays left out through its cell or particle (cell: short)" in _text(
        "include", "measurements", [catalog.measurements()[0].id]
    )


def test_deleting_a_cell_says_what_goes_with_it(catalog: Catalog) -> None:
    cell = catalog.cell("C1")
    words = _text("delete", "cells", [cell.id])
    assert "C1 will be deleted" in words
    assert "1 cycling measurement, 1 xanes measurement, 1 particle" in words
    assert "files stay" in words
    _perform("delete", "cells", [cell.id])
    assert [c.name for c in catalog.cells()] == ["C2"]


def test_deleting_a_particle_says_what_goes_with_it(catalog: Catalog) -> None:
    particle = catalog.particles()[0]
    assert "This includes 1 xanes measurement." in _text("delete", "particles", [particle.id])
    _perform("delete", "particles", [particle.id])
    assert catalog.particles() == () and [m.modality for m in catalog.measurements()].count("xanes") == 0


def test_a_group_with_cells_is_not_deleted(catalog: Catalog) -> None:
    with pytest.raises(ParamError, match="still holds cells"):
        _perform("delete", "groups", [catalog.group("coated").id])


def test_moving_to_a_new_group_makes_it_and_moving_to_none_is_possible(catalog: Catalog) -> None:
    ids = [c.id for c in catalog.cells()]
    _perform("move", "cells", ids, group="<b>third</b>")
    assert {c.group for c in catalog.cells()} == {"<b>third</b>"}
    _perform("move", "cells", ids, group="COATED")
    assert {c.group for c in catalog.cells()} == {"coated"}
    _perform("move", "cells", ids, group="")
    assert {c.group for c in catalog.cells()} == {None}


def test_a_cell_added_by_hand(catalog: Catalog) -> None:
    _perform("cell", "cells", [], name=" Zelle ü ", group="coated", active_mass_mg="2.5", coating="")
    made = catalog.cell("Zelle ü")
    assert (made.group, made.active_mass_mg, made.coating) == ("coated", 2.5, None)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "C1"}, "already a cell 'C1'"),
        ({"name": ""}, "Cell .* is missing"),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"name": "new", "active_mass_mg": "0"}, "greater than 0 mg"),
        ({"name": "new", "active_mass_mg": "2,5"}, "decimal point"),
    ],
)
def test_a_cell_that_is_refused_is_not_made(catalog: Catalog, fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        _perform("cell", "cells", [], **fields)
    assert len(catalog.cells()) == 2


def test_a_new_group_takes_the_cells_that_asked_for_it(catalog: Catalog) -> None:
    _perform("group", "cells", [catalog.cell("C1").id], name="annealed", title="", colour_slot="5", position="")
    made = catalog.group("annealed")
    assert (made.title, made.colour_slot, catalog.cell("C1").group) == ("annealed", 5, "annealed")


def _uploaded(text: str) -> str:
    return "data:text/csv;base64," + base64.b64encode(text.encode()).decode()


def test_a_manifest_changes_what_it_names_and_nothing_else(catalog: Catalog) -> None:
    from components.catalog_manifest import take

    catalog.update_cell("C1", notes="kept")
    said = take(catalog, "cells.csv", _uploaded("cell,group,active_mass_mg\nC1,,3.25\nC3,coated,2\n"))
    assert said == "1 group, 2 cells described."
    assert (catalog.cell("C1").active_mass_mg, catalog.cell("C1").notes, catalog.cell("C1").group) == (3.25, "kept", "coated")
    assert catalog.cell("C3").group == "coated"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.csv", "cell,active_mass_mg\nC1,3\nC2,0\n", r"a\.csv, row 3, column active_mass_mg: .*greater than 0 mg"),
        ("a.csv", "cell,activ_mass_mg\nC1,3\n", r"no column 'activ_mass_mg'.*active_mass_mg"),
        ("a.csv", "file,cell\nx.mpr,C1\n", r"row 2 lists a data file \('x\.mpr'\).*import page"),
        ("a.toml", "[[cell]]\nname = 3\n", r"\[\[cell\]\] 1"),
        ("a.toml", "name = ", "not valid TOML"),
        ("a.csv", "", "has no rows"),
        ("../../evil.exe", "x", r"evil\.exe is not a manifest"),
    ],
)
def test_a_bad_manifest_is_refused_as_a_whole(catalog: Catalog, name: str, text: str, sentence: str) -> None:
    from components.catalog_manifest import take

    before = catalog.cells()
    with pytest.raises(UserError, match=sentence):
        take(catalog, name, _uploaded(text))
    assert catalog.cells() == before


def test_a_manifest_that_did_not_arrive_whole(catalog: Catalog) -> None:
    from components.catalog_manifest import take

    with pytest.raises(ReadError, match="did not arrive whole"):
        take(catalog, "a.csv", "data:text/csv;base64,abc")


def test_the_guard_names_what_differs_and_forgets_excluded_cells(catalog: Catalog) -> None:
    from components.catalog_guard import panel

    catalog.update_cell("C1", temperature_degC=60)
    catalog.update_cell("C2", temperature_degC=25)
    words = _shown(panel({"ref": "uncoated", "cmp": "coated"}))
    assert "temperature differs" in words
    assert "25 °C for uncoated C2; 60 °C for coated C1" in words
    catalog.exclude("cell", catalog.cell("C1").id, "short")
    assert "temperature" not in _shown(panel({"ref": "uncoated", "cmp": "coated"}))


def test_details_of_a_measurement_name_files_and_missing_datasets(catalog: Catalog) -> None:
    from analysis.catalog import FileFields
    from components.catalog_details import described

    file = FileFields(original_name="a<b>.csv", sha256="1" * 64, size_bytes=12345, stored_path="raw/11/a.csv")
    fields = MeasurementFields(modality="cycling", reader_id="cycling.csv", reader_options={"sheet": 2}, dataset_keys=("d-0",))
    words = _shown(described(catalog.add_measurement(fields, cell="C2", files=[file])))
    for part in ("a<b>.csv", "12,345 bytes", "1" * 64, "cycling.csv", "option sheet", "d-0 (missing from the store)"):
        assert part in words
