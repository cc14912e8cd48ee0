"""A cell of which only a table of cycles is known stands beside the others on the cycling page."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.catalog import CellFields, MeasurementFields
from analysis.core.data import scalars
from analysis.cycling.export import write_bdf
from components import cycling_view
from components.views import VIEWS, draw
from tests.tables import cycled

CAPACITIES = [(0.06, 0.05), (0.0556, 0.055), (0.0555, 0.0549), (0.0555, 0.0548)]
QUERY = {"ref": "uncoated", "cmp": "coated"}


def table(path: Path, first: int = 1) -> Path:
    rows = [f"{n},{c},{d}\n" for n, (c, d) in enumerate(CAPACITIES, start=first)]
    path.write_text("Cycle,Charge capacity (mAh),Discharge capacity (mAh)\n" + "".join(rows))
    return path


@pytest.fixture
def both(served: Any, tmp_path: Path) -> Any:
    """A coated cell with its record, an uncoated one with two tables of one test."""
    mass = {"active_mass_mg": 0.3}
    take = served.workspace.import_files
    take([write_bdf(cycled(cycles=4), tmp_path / "r.bdf.csv")], cell=CellFields.check({"name": "C1", "group": "coated", **mass}))
    parts = [table(tmp_path / "a.csv"), table(tmp_path / "b.csv", first=5)]
    cell = CellFields.check({"name": "U1", "group": "uncoated", **mass})
    take(parts, cell=cell, measurement=MeasurementFields(part_of="long test"))
    return served


def test_summaries_of_both_kinds_stand_in_one_figure(both: Any) -> None:
    items = cycling_view.summaries({**QUERY, "pairing": "charge_first", "capacity_source": "integral", "formation_cycles": "1"})
    assert items.problems == ()
    assert [(i.label, i.data.sizes["cycle"]) for i in items.shown] == [("U1", 8), ("C1", 4)]
    units = {i.data["discharge_capacity"].attrs["units"] for i in items.shown}
    assert units == {"mA h/g"}
    np.testing.assert_allclose(items.shown[0].data["discharge_capacity"][:2], [0.05 / 3e-4, 0.055 / 3e-4])
    assert scalars(items.shown[0].data).keys() == scalars(items.shown[1].data).keys()
    assert items.shown[0].data["kind"].values[0] == "formation"


@pytest.mark.parametrize("figure", ["cycling.capacity", "cycling.retention", "cycling.summary_bars", "cycling.quantity"])
def test_figures_of_cycles_draw_it(both: Any, figure: str) -> None:
    quantity = {"quantity": "energy_efficiency"} if figure == "cycling.quantity" else {}
    drawn, items = draw(VIEWS[figure], {**QUERY, **quantity})
    assert items.problems == ()
    assert drawn["data"]


@pytest.mark.parametrize("figure", ["cycling.profiles", "cycling.dqdv", "cycling.dvdq", "cycling.rate"])
def test_curves_are_absent_in_one_sentence(both: Any, figure: str) -> None:
    drawn, items = draw(VIEWS[figure], QUERY)
    assert items.problems == (("U1", "only a table of cycles, no curves."),)
    assert [i.label for i in items.shown] == ["C1"]
    assert drawn["data"]


def test_the_record_of_a_table_is_absent_too(both: Any) -> None:
    _, items = draw(VIEWS["cycling.trace"], QUERY)
    assert items.problems == (("U1", "only a table of cycles, no curves."),)
    assert items.shown == ()


def test_the_recipe_follows_what_a_measurement_holds(both: Any) -> None:
    w = both.workspace
    of = {m.cell: {r: w.recipe_for(f"cycling.{r}", m) for r in ("summary", "profile", "rates")} for m in w.snapshot().measurements}
    assert of == {
        "C1": {"summary": "cycling.summary", "profile": "cycling.profile", "rates": "cycling.rates"},
        "U1": {"summary": "cycling.summary_of_table", "profile": None, "rates": None},
    }
