"""The table of values behind Compare: remembered when whole, asked for again only when something has changed."""

from types import SimpleNamespace

import pytest
import xarray as xr
from conftest import Served

from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from components import compare_sources, compare_view, prepare
from components.results import looking
from components.views import Items

WHOLE = Items(shown=(Labelled(xr.Dataset(), label="values", key="r-1"),))


@pytest.fixture
def asked(served: Served, monkeypatch: pytest.MonkeyPatch) -> list[Items]:
    """What the modalities answer, the next one last; every question takes one."""
    answers: list[Items] = []
    monkeypatch.setattr(compare_sources, "values", lambda _query: answers.pop())
    compare_view._READY.clear()
    compare_view._PENDING.clear()
    return answers


def test_what_is_only_looked_at_is_not_remembered(asked: list[Items]) -> None:
    """On a board nothing is computed: a table without the modality that is missing must not become that of the page."""
    asked += [WHOLE, Items()]
    with looking():
        assert compare_view.values({}) == Items()
    assert compare_view.values({}) == WHOLE
    assert compare_view.values({}) == WHOLE
    assert asked == []


def test_while_jobs_run_the_modalities_are_left_alone(asked: list[Items], monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"j-1": "running", "j-2": "queued"}
    preferred: list[str] = []
    known = SimpleNamespace(status=lambda key: Status(key, states[key]), prefer=preferred.append)
    monkeypatch.setattr(compare_view, "jobs", lambda: known)
    monkeypatch.setattr("components.results.jobs", lambda: known)
    waiting = Items(shown=WHOLE.shown, waiting=(Status("j-1", "queued"), Status("j-2", "queued")))
    asked += [WHOLE, waiting]
    assert compare_view.values({}) == waiting
    assert [s.state for s in compare_view.values({}).waiting] == ["running", "queued"]
    assert preferred[-1] == "j-2", "what somebody looks at runs next"
    assert len(asked) == 1, "the second answer came without asking"
    states["j-1"] = "done"
    assert compare_view.values({}) == WHOLE


def test_nothing_is_prepared_in_an_empty_workspace(served: Served) -> None:
    assert prepare.waiting()
    assert served.jobs.recent() == []


def test_a_tile_names_states_and_leaves_notes_out() -> None:
    note = '<span style="font-size:10.5px">Every particle weighs the same.</span>'
    ticks = ["<b>uncoated</b><br>charged<br>4 particles<br>90 voxels", "<b>coated</b><br>discharged<br>1 particle<br>9 voxels"]
    across, upright = {"title": {"text": note}, "ticktext": ticks, "tickvals": [0, 1]}, {"title": {"text": f"Edge energy<br>{note}"}}
    figure = {"data": [{"type": "scatter", "x": [0, 1], "y": [1, 2]}], "layout": {"xaxis": across, "yaxis": upright}}
    layout = compare_view.small(figure)["layout"]
    assert layout["xaxis"]["ticktext"] == ["Chg.", "Dis."]
    assert layout["xaxis"]["title"]["text"] == "" and layout["yaxis"]["title"]["text"] == "Edge energy"
