"""Columns of the catalog's grids follow from the fields: editors, filters, units."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.catalog.grid import columns
from app import create_app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    app = create_app(tmp_path_factory.mktemp("grid") / "study", pool=False)
    with app.server.test_request_context():
        yield app.server
    app.server.config["INTERPLAY"].jobs.close()


def _by_field(table: str) -> dict[str, dict[str, Any]]:
    from components.catalog_grid import definitions

    return {d["field"]: d for d in definitions(table)}


@pytest.mark.parametrize("table", ["cells", "measurements", "harvests", "particles", "groups"])
@pytest.mark.usefixtures("server")
def test_every_column_is_there_once_and_the_important_ones_are_shown(table: str) -> None:
    from components.catalog_grid import SHOWN, definitions

    made = definitions(table)
    assert sorted(d["field"] for d in made) == sorted(c.field for c in columns(table))
    assert [d["field"] for d in made if not d["initialHide"]] == list(SHOWN[table])
    assert [d["field"] for d in made if d["initialPinned"]] == [SHOWN[table][0]]


@pytest.mark.usefixtures("server")
def test_headings_name_the_unit_and_editors_fit_the_kind() -> None:
    made = _by_field("cells")
    assert made["active_mass_mg"]["headerName"] == "Active mass / mg"
    assert made["active_mass_mg"]["cellEditor"] == "agNumberCellEditor"
    assert made["active_mass_mg"]["type"] == "rightAligned"
    assert made["date"]["cellEditor"] == "agDateStringCellEditor"
    assert made["voltage_reference"]["cellEditorParams"]["values"] == ["", "Li-In", "Li"]
    assert made["origin"]["cellEditorParams"]["values"] == ["measured", "synthetic"]  # cannot be blank
    assert made["group"]["cellEditorParams"]["values"] == ["", "uncoated", "coated", "New group…"]
    assert not made["effective_active_mass_mg"]["editable"]


@pytest.mark.usefixtures("server")
def test_no_column_holds_code_that_the_browser_would_have_to_evaluate() -> None:
    """AG Grid turns plain strings in these places into functions, which the content policy forbids."""
    for table in ("cells", "measurements", "harvests", "particles", "groups"):
        for made in _by_field(table).values():
            for place in ("valueGetter", "valueFormatter", "valueParser", "valueSetter", "filterValueGetter"):
                assert not isinstance(made.get(place), str)


def test_a_groups_colour_is_that_of_its_slot(tmp_path: Path) -> None:
    from analysis.catalog import Catalog
    from analysis.core.style import PALETTE, Style
    from components.context import by_slot

    with Catalog(tmp_path) as catalog:
        catalog.add_group("third", colour_slot=4)
        catalog.add_group("fourth", colour_slot=0)  # shares the first one's
        look = Style(groups=by_slot(catalog.groups()))
    shown = {g: PALETTE["light"].index(look.color(g)) for g in ("uncoated", "coated", "third", "fourth")}
    assert shown == {"uncoated": 0, "coated": 1, "third": 4, "fourth": 0}
