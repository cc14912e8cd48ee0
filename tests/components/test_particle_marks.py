"""Marks of particles in the address: what is written is read again, whatever people type."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.core.errors import DataError
from analysis.core.store import Store
from components import particle_marks as pm

VOLUME = xr.Dataset({"a": (("z", "y", "x"), np.zeros((5, 8, 9)))})


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is slow at drawing text
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 999), st.integers(0, 999), st.text(max_size=40)), max_size=4))
def test_what_is_written_is_read_again(places: list[tuple[int, int, int, str]]) -> None:
    marks: list[pm.Mark] = []
    for z, y, x, name in places:
        marks = pm.added(marks, 3, (z, y, x))
        marks = pm.renamed(marks, marks[-1].id, name)
    assert pm.marks_of(pm.text_of(marks)) == marks
    assert all(m.name for m in marks)


def test_marks_get_free_names_and_colours_and_can_be_changed() -> None:
    marks = pm.added(pm.added([], 1, (1, 2, 3)), 1, (4, 5, 6))
    assert [m.name for m in marks] == ["P1", "P2"]
    assert pm.added(marks, 1, (1, 2, 3)) == marks, "a place is marked once"
    assert len({m.colour for m in marks}) == 2
    assert pm.recoloured(marks, "1.1.2.3")[0].colour == marks[0].colour + 1
    assert pm.renamed(marks, "1.1.2.3", "  ")[0].name == "P1"
    left = pm.removed(marks, "1.1.2.3")
    assert pm.added(left, 1, (7, 7, 7))[-1].name == "P1"


@pytest.mark.parametrize("text", ["", "x", "1.2.3~0~a", "1.2.3.4.5~0~a", "1.e-XYZ~0~a", "../etc.1.1.1"])
def test_what_is_no_mark_is_left_out(text: str) -> None:
    assert pm.marks_of(text) == []
    assert pm.line_of(text) is None


def test_a_line_is_written_and_read() -> None:
    line = pm.Line(7, (0.5, 1.25, -2.0), (0.5, 30.0, 12.125))
    assert pm.line_of(str(line)) == line


def test_a_lasso_becomes_an_edit_that_is_the_same_mask_each_time(tmp_path: Path) -> None:
    store = Store(tmp_path)
    polygon = [[1, 1], [1, 5], [4, 5], [4, 1]]
    event = {"type": "lasso", "axis": "y", "index": 3, "rows": "z", "columns": "x", "polygon": polygon}
    key = pm.keep_region(store, event, VOLUME)
    assert key == pm.keep_region(store, event, VOLUME)
    mask = store.open(key)["mask"].to_numpy()
    assert mask.sum() == 12 and mask[1:4, 3, 1:5].all()
    shown = pm.drawn(store, pm.Mark(1, key, 0, "rim"), "#123456")
    assert shown is not None
    assert (shown["axis"], shown["index"], shown["name"], shown["polygon"]) == ("y", 3, "rim", polygon)
    with pytest.raises(DataError, match="No voxel lies inside"):
        pm.keep_region(store, {**event, "polygon": [[1, 1], [1.1, 1], [1.1, 1.1]]}, VOLUME)
    with pytest.raises(DataError, match="not a lasso"):
        pm.keep_region(store, {**event, "index": 99}, VOLUME)


def test_a_region_reaches_over_several_slices_and_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    event = {"type": "lasso", "axis": "z", "index": 2, "rows": "y", "columns": "x", "polygon": [[1, 1], [1, 5], [4, 5], [4, 1]]}
    one = pm.keep_region(store, event, VOLUME)
    marks = pm.added([], 1, one)
    prism = pm.reaching(store, marks, marks[0].id, "1–3")
    mask = store.open(str(prism[0].place))["mask"].to_numpy()
    assert mask.sum() == 3 * 12 and mask[1:4, 1:4, 1:5].all()
    assert pm.slices_of(store.open(str(prism[0].place)).attrs["drawn"]) == (1, 3)
    assert prism[0].name == marks[0].name
    again = pm.reaching(store, prism, prism[0].id, " 2 ")[0].place
    np.testing.assert_array_equal(store.open(str(again))["mask"], store.open(one)["mask"])
    for wrong in ("3-1", "0-5", "all", ""):
        with pytest.raises(DataError, match="no range of the slices 0–4 along z"):
            pm.reaching(store, marks, marks[0].id, wrong)


def test_other_slices_do_not_move_the_rows_of_a_picture(tmp_path: Path) -> None:
    store = Store(tmp_path)
    picture = xr.Dataset({"a": (("y", "x"), np.zeros((8, 9)))})
    event = {"type": "lasso", "axis": "z", "index": 0, "rows": "y", "columns": "x", "polygon": [[1, 1], [1, 5], [4, 5], [4, 1]]}
    key = pm.keep_region(store, event, picture)
    assert pm.extended(store, key, "0") == key
