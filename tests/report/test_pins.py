"""A pinned figure is drawn from what was pinned, whatever becomes of the catalog and the store."""

import numpy as np
import pytest
from boards_study import shown

from analysis.catalog.boards import BoardRecord
from analysis.core.errors import StoreError
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.report import pins
from analysis.workspace import Workspace


def curves(workspace: Workspace, pin) -> list[list[float]]:
    figure = pins.draw(pin, workspace.store, workspace.registry, Style())
    return [np.asarray(trace.y, dtype=float).tolist() for trace in figure.data if trace.y is not None and len(trace.y)]


def test_a_pin_keeps_results_parameters_and_zoom_and_nothing_else_of_the_layout(board: BoardRecord, study: Workspace) -> None:
    (pin,) = board.content.pins
    assert [i.label for i in pin.items] == ["bare", "shell"]
    assert all(i.key.startswith("r-") and i.source is None for i in pin.items)
    assert pin.layout == {"xaxis.range": [0.5, 4.5]}
    figure = pins.draw(pin, study.store, study.registry, Style())
    assert tuple(figure.layout.xaxis.range) == (0.5, 4.5)
    assert figure.layout.xaxis.title.text != "mine"
    # An hour at 1 mA less 5 % a cycle, from 2 mg.
    assert any(np.allclose(y[0], 475.0) and np.allclose(y[-1], 350.0) for y in curves(study, pin) if len(y) == 6)


def test_prune_and_a_deleted_cell_leave_the_figure_and_what_explains_it(board: BoardRecord, study: Workspace) -> None:
    (pin,) = board.content.pins
    before = curves(study, pin)
    study.catalog.delete_cell("bare")
    study.prune()
    fresh = Workspace(study.root)
    assert curves(fresh, pin) == before
    inputs = [study.store.provenance(k)["inputs"] for k in pin.keys]
    assert all(study.store.has(k) for given in inputs for keys in given.values() for k in keys)
    assert pins.missing_data(pin, fresh) == ("bare",)
    fresh.catalog.boards.delete(board.id)
    removed, _ = fresh.prune()
    assert removed >= 2
    with pytest.raises(StoreError, match="is not in the workspace any more"):
        pins.labelled(pin, Workspace(study.root).store)


def test_a_part_of_a_result_is_stored_as_it_was_drawn(study: Workspace) -> None:
    page = shown(study)
    part = page.items[0].data.isel(cycle=slice(0, 3))
    items = (Labelled(part, label="bare", group="uncoated", key=page.items[0].key), page.items[1])
    first, second = pins.frozen_items(items, study.store)
    assert (first.key[:2], first.source, second.source) == ("e-", page.items[0].key, None)
    assert study.store.open(first.key)["discharge_capacity"].identical(part["discharge_capacity"])


def test_a_figure_without_data_is_not_pinned(study: Workspace) -> None:
    from dataclasses import replace

    with pytest.raises(StoreError, match="shows no data yet"):
        pins.freeze(replace(shown(study), items=()), study.store, study.registry)


def test_a_recipe_whose_code_changed_is_named(board: BoardRecord, study: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    (pin,) = board.content.pins
    assert pins.changed_code(pin, study.store, study.registry) == ()
    monkeypatch.setattr("analysis.core.run.code_version", lambda *_: "another")
    assert pins.changed_code(pin, study.store, study.registry) == (study.registry.recipe("cycling.summary").title,)


@pytest.mark.parametrize("value", [[1], "a", [1, {}], None, [True, 2]])
def test_a_zoom_that_is_none_is_left_out(value: object) -> None:
    assert pins.zoom({"xaxis.range": value, "yaxis2.range": [1, 2.5], "__proto__.range": [1, 2]}) == {"yaxis2.range": [1, 2.5]}


def test_what_was_switched_off_stays_hidden(board: BoardRecord, study: Workspace) -> None:
    (pin,) = board.content.pins
    cell = pin.items[0].id
    figure = pins.draw(pin.model_copy(update={"query": {"off": cell}}), study.store, study.registry, Style())
    shown = {str(t.meta["id"]): t.visible for t in figure.data if isinstance(t.meta, dict) and "id" in t.meta}
    assert shown[cell] is False
    assert shown[pin.items[1].id] is not False


def test_a_check_of_the_workspace_misses_what_a_board_stands_on(board: BoardRecord, study: Workspace) -> None:
    key = board.content.pins[0].items[0].key
    study.store.remove(key)
    assert f"A board stands on {key}, which is missing." in study.check()
