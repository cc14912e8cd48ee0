"""Boards keep every version, refuse what would overwrite somebody else's save, and hold what they pin."""

from pathlib import Path

import pytest

from analysis.catalog import Catalog
from analysis.catalog.boards import Action, BoardContent, Pin, PinnedItem
from analysis.core.errors import ParamError, StoreError


def a_pin(key: str = "r-aa", **more: object) -> Pin:
    return Pin.check({"view": "v", "figure": "f", "title": "T", "items": [PinnedItem(key=key).model_dump()], **more})


def with_pin(pin: Pin):
    return lambda content: content.model_copy(update={"pins": (*content.pins, pin)})


def titled(title: str):
    return lambda content: content.model_copy(update={"title": title})


def test_every_save_is_a_version_and_old_ones_stay_as_they_were(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog:
        board = catalog.boards.add("Review", notes="first")
        assert (board.version, board.latest, board.content.pins) == (1, 1, ())
        saved = catalog.boards.save(board.id, with_pin(a_pin()), "a figure pinned", expected=1)
        assert (saved.version, [p.title for p in saved.content.pins]) == (2, ["T"])
        catalog.boards.save(board.id, titled("Renamed"), "title", expected=2)
        assert catalog.boards.get("Renamed").content.pins == saved.content.pins
        old = catalog.boards.get(board.id, 1)
        assert (old.version, old.latest, old.content) == (1, 3, board.content)
        assert [(v.version, v.change) for v in catalog.boards.versions(board.id)] == [(3, "title"), (2, "a figure pinned"), (1, "made")]
        restored = catalog.boards.restore(board.id, 2)
        assert (restored.version, restored.name, restored.content) == (4, "Review", saved.content)


def test_a_save_from_an_older_version_writes_nothing_and_names_the_other_change(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog:
        board = catalog.boards.add("Review")
        catalog.boards.save(board.id, titled("Theirs"), "title changed", expected=1)
        with pytest.raises(StoreError, match=r"saved meanwhile by somebody else \(version 2: title changed\).*not written over it"):
            catalog.boards.save(board.id, titled("Mine"), "title changed", expected=1)
        assert catalog.boards.get(board.id).content.title == "Theirs"
        # One more figure fits any version: both stay.
        catalog.boards.save(board.id, with_pin(a_pin("r-1")), "pin")
        assert len(catalog.boards.save(board.id, with_pin(a_pin("r-2")), "pin").content.pins) == 2


def test_what_any_version_pins_is_known(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog:
        board = catalog.boards.add("Review")
        catalog.boards.save(board.id, with_pin(a_pin("r-1")), "pin")
        catalog.boards.save(board.id, lambda c: c.model_copy(update={"pins": ()}), "removed")
        source = PinnedItem(key="e-2", source="r-2").model_dump()
        catalog.boards.save(board.id, with_pin(Pin.check({"view": "v", "figure": "f", "title": "T", "items": [source]})), "pin")
        assert catalog.boards.pinned() == {"r-1", "e-2", "r-2"}
        catalog.boards.delete(board.id)
        assert catalog.boards.pinned() == set()
        assert catalog.boards.all() == ()


def test_refusals_are_sentences(tmp_path: Path) -> None:
    with Catalog(tmp_path) as catalog:
        catalog.boards.add("Review")
        with pytest.raises(ParamError, match="already a board 'Review'"):
            catalog.boards.add("Review")
        with pytest.raises(StoreError, match=r"no board 'Other'.*Review"):
            catalog.boards.get("Other")
        with pytest.raises(StoreError, match="has no version 7"):
            catalog.boards.get("Review", 7)
        with pytest.raises(ParamError, match="Title"):
            catalog.boards.add(" ")
        with pytest.raises(ParamError):
            Pin.check({"view": "v", "figure": "f", "title": "T", "page": "//elsewhere.org"})


def test_content_comes_back_as_it_was(tmp_path: Path) -> None:
    action = Action.check({"what": "action", "text": "Repeat at 60 °C", "owner": "Ada", "date": "2026-03-01", "done": False})
    note = "<script>alert(1)</script> **bold**"
    pin = a_pin(note=note, query={"ref": "a"}, params={"x": 1.5}, layout={"xaxis.range": [0.1, 0.30000000000000004]})
    with Catalog(tmp_path) as catalog:
        board = catalog.boards.add("Review")
        catalog.boards.save(board.id, lambda c: BoardContent(title=c.title, pins=(pin,), actions=(action,)), "all")
    with Catalog(tmp_path) as catalog:
        content = catalog.boards.get("Review").content
    assert content.pins == (pin,)
    assert content.actions == (action,)
