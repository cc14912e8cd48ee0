"""What can be done to a board, each as a function from its content to the next: what it says stays a checked record."""

from collections.abc import Callable, Mapping
from typing import Any

from analysis.catalog.boards import Action, BoardContent, Pin
from analysis.core.errors import ParamError, StoreError
from analysis.report.pins import zoom

Change = Callable[[BoardContent], BoardContent]


def add_pin(pin: Pin) -> Change:
    return lambda content: _put(content, pins=[*content.pins, pin])


def refreshed(pin_id: str, fresh: Pin) -> Change:
    """The figure with what its address gives now; title, note and place stay."""

    def change(content: BoardContent) -> BoardContent:
        old = content.pin(pin_id)
        made = fresh.model_copy(update={"id": old.id, "title": old.title, "note": old.note, "layout": old.layout})
        return _put(content, pins=[made if p.id == pin_id else p for p in content.pins])

    return change


def edit(asked: Mapping[str, Any]) -> tuple[Change, str]:
    """The change that a page asks for, and what it did in a few words.

    ``do`` names it: ``texts`` (title, notes), ``pin`` (id, title, note), ``zoom`` (id, layout), ``move`` (id, to), ``remove`` (id),
    ``action`` (id where it is there already, and its fields), ``done`` (id, done), ``drop`` (id).
    """
    made = _EDITS.get(str(asked.get("do")))
    if made is None:
        raise ParamError(f"'{asked.get('do')}' cannot be done to a board.", hint=f"Known: {', '.join(_EDITS)}.")
    return made(asked)


def _put(content: BoardContent, **parts: Any) -> BoardContent:
    return content.model_copy(update={n: tuple(v) if isinstance(v, list) else v for n, v in parts.items()})


def _checked(cls: type[Any], old: Any, changes: Mapping[str, Any]) -> Any:
    return cls.check({**old.model_dump(mode="json"), **changes})


def _texts(asked: Mapping[str, Any]) -> tuple[Change, str]:
    changes = {n: asked.get(n) for n in ("title", "notes") if n in asked}
    return lambda content: _checked(BoardContent, content, changes), "title and notes"


def _pin(asked: Mapping[str, Any]) -> tuple[Change, str]:
    changes = {n: asked.get(n) for n in ("title", "note") if n in asked}
    return _each(asked, lambda pin: _checked(Pin, pin, changes)), "note of a figure"


def _zoom(asked: Mapping[str, Any]) -> tuple[Change, str]:
    layout = asked.get("layout")
    kept = zoom(layout if isinstance(layout, Mapping) else {})
    return _each(asked, lambda pin: pin.model_copy(update={"layout": kept})), "zoom of a figure"


def _each(asked: Mapping[str, Any], change: Callable[[Pin], Pin]) -> Change:
    wanted = str(asked.get("id"))

    def changed(content: BoardContent) -> BoardContent:
        content.pin(wanted)
        return _put(content, pins=[change(p) if p.id == wanted else p for p in content.pins])

    return changed


def _move(asked: Mapping[str, Any]) -> tuple[Change, str]:
    wanted, to = str(asked.get("id")), asked.get("to")
    if not isinstance(to, int) or isinstance(to, bool):
        raise ParamError("A move needs the new place of the figure.")

    def changed(content: BoardContent) -> BoardContent:
        pin = content.pin(wanted)
        others = [p for p in content.pins if p.id != wanted]
        place = min(max(0, to), len(others))
        return _put(content, pins=[*others[:place], pin, *others[place:]])

    return changed, "order of figures"


def _remove(asked: Mapping[str, Any]) -> tuple[Change, str]:
    wanted = str(asked.get("id"))

    def changed(content: BoardContent) -> BoardContent:
        content.pin(wanted)
        return _put(content, pins=[p for p in content.pins if p.id != wanted])

    return changed, "a figure taken off"


def _action(asked: Mapping[str, Any]) -> tuple[Change, str]:
    fields = {n: asked.get(n) for n in ("what", "text", "owner", "date", "done") if n in asked}
    wanted = str(asked.get("id") or "")
    if not wanted:
        made = Action.check(fields)
        return lambda content: _put(content, actions=[*content.actions, made]), f"{made.what} added"
    return _listed(wanted, lambda a: _checked(Action, a, fields)), "decisions and actions"


def _done(asked: Mapping[str, Any]) -> tuple[Change, str]:
    done = bool(asked.get("done"))
    return _listed(str(asked.get("id")), lambda a: a.model_copy(update={"done": done})), "action done" if done else "action open again"


def _drop(asked: Mapping[str, Any]) -> tuple[Change, str]:
    wanted = str(asked.get("id"))

    def changed(content: BoardContent) -> BoardContent:
        _known(content, wanted)
        return _put(content, actions=[a for a in content.actions if a.id != wanted])

    return changed, "decision or action removed"


def _listed(wanted: str, change: Callable[[Action], Action]) -> Change:
    def changed(content: BoardContent) -> BoardContent:
        _known(content, wanted)
        return _put(content, actions=[change(a) if a.id == wanted else a for a in content.actions])

    return changed


def _known(content: BoardContent, wanted: str) -> None:
    if wanted not in {a.id for a in content.actions}:
        raise StoreError(
            "This decision or action is not on the board any more.", hint="Somebody may have removed it; load the board again."
        )


_EDITS: dict[str, Callable[[Mapping[str, Any]], tuple[Change, str]]] = {
    "texts": _texts,
    "pin": _pin,
    "zoom": _zoom,
    "move": _move,
    "remove": _remove,
    "action": _action,
    "done": _done,
    "drop": _drop,
}
