"""What can be done to a board: each change touches what it names and nothing else."""

import pytest

from analysis.catalog.boards import BoardContent, Pin, PinnedItem
from analysis.core.errors import ParamError, StoreError
from analysis.report.edits import add_pin, edit, refreshed


def pin(title: str, key: str = "r-1") -> Pin:
    return Pin.check({"view": "v", "figure": "f", "title": title, "items": [PinnedItem(key=key).model_dump()]})


@pytest.fixture
def content() -> BoardContent:
    return BoardContent(title="B", pins=(pin("one"), pin("two"), pin("three")))


def titles(content: BoardContent) -> list[str]:
    return [p.title for p in content.pins]


@pytest.mark.parametrize(
    ("which", "to", "order"),
    [(0, 1, ["two", "one", "three"]), (2, 0, ["three", "one", "two"]), (0, 99, ["two", "three", "one"]), (1, -5, ["two", "one", "three"])],
)
def test_a_figure_moves_to_its_new_place(content: BoardContent, which: int, to: int, order: list[str]) -> None:
    change, _ = edit({"do": "move", "id": content.pins[which].id, "to": to})
    assert titles(change(content)) == order
    assert titles(content) == ["one", "two", "three"]


def test_words_change_and_the_rest_stays(content: BoardContent) -> None:
    second = content.pins[1]
    change, what = edit({"do": "pin", "id": second.id, "note": "<script>x</script>"})
    made = change(content)
    assert what == "note of a figure"
    assert made.pins[1] == second.model_copy(update={"note": "<script>x</script>"})
    assert (made.pins[0], made.pins[2]) == (content.pins[0], content.pins[2])
    change, _ = edit({"do": "texts", "title": "New", "notes": "n"})
    assert (change(content).title, change(content).notes, change(content).pins) == ("New", "n", content.pins)


def test_a_refresh_keeps_words_zoom_and_place(content: BoardContent) -> None:
    old = content.pins[0].model_copy(update={"note": "mine", "layout": {"xaxis.range": [0, 1]}})
    content = content.model_copy(update={"pins": (old, *content.pins[1:])})
    made = refreshed(old.id, pin("fresh title", "r-9"))(content).pins[0]
    assert (made.id, made.title, made.note, made.layout, made.items[0].key) == (old.id, "one", "mine", {"xaxis.range": [0, 1]}, "r-9")


def test_decisions_and_actions_are_added_done_changed_and_dropped(content: BoardContent) -> None:
    change, _ = edit({"do": "action", "what": "action", "text": "Measure", "owner": "Ada", "date": "2026-03-01"})
    content = change(content)
    (action,) = content.actions
    done = edit({"do": "done", "id": action.id, "done": True})[0](content)
    assert done.actions == (action.model_copy(update={"done": True}),)
    changed = edit({"do": "action", "id": action.id, "text": "Measure again", "date": ""})[0](done)
    assert (changed.actions[0].text, changed.actions[0].date, changed.actions[0].done, changed.actions[0].owner) == (
        "Measure again",
        None,
        True,
        "Ada",
    )
    assert edit({"do": "drop", "id": action.id})[0](changed).actions == ()


def test_what_is_not_there_or_not_right_is_a_sentence(content: BoardContent) -> None:
    with pytest.raises(StoreError, match="not on the board any more"):
        edit({"do": "remove", "id": "00000000"})[0](content)
    with pytest.raises(StoreError, match="decision or action is not on the board"):
        edit({"do": "drop", "id": "00000000"})[0](content)
    with pytest.raises(ParamError, match="cannot be done to a board"):
        edit({"do": "format"})
    with pytest.raises(ParamError, match="Text"):
        edit({"do": "action", "text": " "})
    with pytest.raises(ParamError, match="Date"):
        edit({"do": "action", "text": "x", "date": "soon"})
    assert titles(add_pin(pin("four"))(content))[-1] == "four"
