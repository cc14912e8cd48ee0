"""What the catalog page asks by HTTP: edits that are stored or refused in a sentence, manifests that can be read again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from analysis.catalog import Catalog, CellFields, FileFields, MeasurementFields, manifest
from app import create_app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    app = create_app(tmp_path_factory.mktemp("catalog") / "study", pool=False)
    yield app.server
    app.server.config["INTERPLAY"].jobs.close()


@pytest.fixture
def client(server: Any) -> FlaskClient:
    return server.test_client()


@pytest.fixture
def catalog(server: Any) -> Catalog:
    """With two cells, as they were before any test wrote."""
    known = server.config["INTERPLAY"].workspace.catalog
    for cell in known.cells():
        known.delete_cell(cell.id)
    known.upsert_cell("C1", group="coated", active_mass_mg=3.0, electrode_area_cm2=0.5)
    known.upsert_cell("C2", group="uncoated")
    return known


def _edit(client: FlaskClient, table: str, row: object, field: object, value: object) -> Any:
    return client.post("/catalog/edit", json={"table": table, "row": row, "field": field, "value": value})


def _words(component: Any) -> str:
    """All text of a component as JSON."""
    if isinstance(component, str):
        return component
    if isinstance(component, list):
        return " ".join(_words(c) for c in component)
    return _words(component["props"].get("title", "")) + " " + _words(component["props"].get("children", "")) if component else ""


def test_an_edit_is_stored_and_answers_with_the_row(client: FlaskClient, catalog: Catalog) -> None:
    cell = catalog.cell("C1")
    answer = _edit(client, "cells", cell.id, "active_mass_mg", 4).get_json()
    assert answer["notice"] is None
    assert answer["row"]["active_mass_mg"] == 4
    assert answer["row"]["effective_loading_mg_cm2"] == pytest.approx(8.0)
    assert catalog.cell("C1").active_mass_mg == 4


def test_a_refused_edit_answers_with_the_stored_row_and_a_sentence(client: FlaskClient, catalog: Catalog) -> None:
    answer = _edit(client, "cells", catalog.cell("C1").id, "active_mass_mg", 0).get_json()
    assert answer["row"]["active_mass_mg"] == 3.0
    words = _words(answer["notice"])
    assert "Active mass of cell 'C1' must be greater than 0 mg" in words
    assert "[active_mass_mg]" not in words


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "C2", "already a cell 'C2'"),
        ("name", "x" * 201, "at most 200 characters"),
        ("name", None, "is missing"),
        ("formation_cycles", 2.5, "must be a whole number"),
        ("group", "nobody", "There is no group 'nobody'"),
        ("n_measurements", 3, "cannot be edited"),
    ],
)
def test_other_refusals_change_nothing(client: FlaskClient, catalog: Catalog, field: str, value: object, sentence: str) -> None:
    before = catalog.cells()
    answer = _edit(client, "cells", catalog.cell("C1").id, field, value).get_json()
    assert sentence in _words(answer["notice"])
    assert catalog.cells() == before


def test_an_edit_of_a_row_that_is_gone_says_so(client: FlaskClient, catalog: Catalog) -> None:
    answer = _edit(client, "cells", 10**6, "notes", "x").get_json()
    assert answer["row"] is None
    assert "There is no cell with the number 1000000" in _words(answer["notice"])


def test_a_name_with_markup_stays_text(client: FlaskClient, catalog: Catalog) -> None:
    name = "<script>alert(1)</script> Zelle ü 電池"
    assert _edit(client, "cells", catalog.cell("C1").id, "name", name).get_json()["row"]["name"] == name


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"table": "users", "row": 1, "field": "name", "value": "x"},
        {"table": "cells", "row": "1", "field": "name"},
        {"table": "cells", "row": 10**30, "field": "name"},
    ],
)
def test_a_malformed_edit_is_refused(client: FlaskClient, body: object) -> None:
    assert client.post("/catalog/edit", json=body).status_code == 400


@pytest.mark.parametrize("value", [True, [1], {"a": 1}])
def test_an_edit_takes_single_values_only(client: FlaskClient, catalog: Catalog, value: object) -> None:
    assert _edit(client, "cells", catalog.cell("C1").id, "active_mass_mg", value).status_code == 400
    assert catalog.cell("C1").active_mass_mg == 3.0


def test_another_site_cannot_edit(client: FlaskClient, catalog: Catalog) -> None:
    body = {"table": "cells", "row": catalog.cell("C1").id, "field": "notes", "value": "x"}
    assert client.post("/catalog/edit", json=body, headers={"Origin": "http://elsewhere.example"}).status_code == 403


@pytest.mark.parametrize(("address", "suffix"), [("/catalog/cells.csv", ".csv"), ("/catalog/manifest.toml", ".toml")])
def test_an_exported_table_describes_the_same_cells(
    client: FlaskClient, catalog: Catalog, tmp_path: Path, address: str, suffix: str
) -> None:
    answer = client.get(address)
    assert "attachment" in answer.headers["Content-Disposition"]
    path = tmp_path / f"study{suffix}"
    path.write_bytes(answer.data)
    (tmp_path / "other").mkdir()
    with Catalog(tmp_path / "other") as other:
        for entry in manifest.entries(manifest.read_manifest(path)):
            manifest.take(other, entry)
        fields = set(CellFields.model_fields)
        assert [c.model_dump(include=fields) for c in other.cells()] == [c.model_dump(include=fields) for c in catalog.cells()]


def test_paths_of_the_exported_manifest_start_from_the_workspace(client: FlaskClient, catalog: Catalog) -> None:
    file = FileFields(original_name="a.csv", sha256="0" * 64, size_bytes=1, stored_path="raw/00/a.csv")
    catalog.add_measurement(MeasurementFields(modality="cycling"), cell="C1", files=[file])
    text = client.get("/catalog/manifest.csv").data.decode("utf-8-sig")
    assert "\r\nraw/00/a.csv,C1," in text
    assert "raw/00" not in client.get("/catalog/cells.csv").data.decode("utf-8-sig")
    assert not list(catalog.root.glob("export-*"))
