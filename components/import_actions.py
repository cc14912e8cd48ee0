"""What the buttons of the import page do to the list."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from analysis.core.errors import ParamError, StoreError
from analysis.core.hashing import json_digest
from components import import_options, import_work
from components.import_form import ALL_FIELDS, said, typed
from components.import_uploads import staging
from components.import_work import Lot

Ticked = Sequence[str]


def act(action: str, sid: str, ticked: Ticked, bulk: Mapping[str, Any]) -> None:
    """Do what a button says.

    Parameters
    ----------
    sid
        The waiting file that the button belongs to, "" for buttons of the whole list.
    ticked
        Files that are ticked; buttons of the list mean all of them where none is.
    bulk
        Fields for several files.
    """
    found = import_work.lots()
    if action in LIST_ACTIONS:
        LIST_ACTIONS[action](found, ticked, bulk)
    elif action in LOT_ACTIONS:
        lot = next((lot for lot in found if any(p.sid == sid for p in lot.parts)), None)
        if lot is not None:
            LOT_ACTIONS[action](lot, sid)


def chosen(found: Sequence[Lot], ticked: Ticked) -> list[Lot]:
    """The ticked ones; all where none is ticked."""
    return [lot for lot in found if lot.sid in ticked] or list(found)


def ready(found: Sequence[Lot], ticked: Ticked) -> list[Lot]:
    return [lot for lot in chosen(found, ticked) if lot.state == "ready"]


def keep(sid: str, fields: Mapping[str, Any]) -> bool:
    """Keep what was typed or chosen for a file; True where it is something new."""
    changed = _read_as(sid, {k: v for k, v in fields.items() if k == "reader" or k.startswith(import_options.PREFIX)})
    given = {k: typed(k, v) for k, v in fields.items() if k in ALL_FIELDS}
    return (import_work.fill_in(sid, given) if given else False) or changed


def _read_as(sid: str, fields: Mapping[str, Any]) -> bool:
    """Take over which reader reads the parts of a lot, and how."""
    lot = next((lot for lot in import_work.lots() if lot.sid == sid), None) if fields else None
    first, reader = (lot.found[0], import_options.reader_of(lot)) if lot is not None else (None, None)
    if lot is None or first is None or reader is None:
        return False
    chosen = fields.get("reader") or reader.id
    options, lists = dict(first.options), dict(lot.parts[0].form.get("lists", {}))
    for field in fields:
        if field != "reader":
            options = import_options.with_option(options, reader.options, field, fields[field])
            lists[field.removeprefix(import_options.PREFIX)] = import_options.list_name(field, fields[field], reader.options)
    if chosen == reader.id and options == first.options:
        return False
    kept = {"options": options, "lists": {n: v for n, v in lists.items() if v}} if chosen == reader.id else {"options": None, "lists": None}
    for part in lot.parts[:1] if lot.is_series and chosen == reader.id else lot.parts:
        staging().say(part.sid, reader=chosen, **kept)
    return True


def label(ready_now: Sequence[Lot], asked: Sequence[Lot], *, is_part: bool) -> str:
    """What the import button says it will do."""
    waiting = [lot for lot in asked if lot.state not in ("done", "importing", "claimed", "list")]
    if not waiting:
        return "Import"
    of_all = "" if len(ready_now) == len(waiting) else f" of {len(waiting)}"
    return f"Import {len(ready_now)}{of_all} {'ticked' if is_part else 'ready'}"


def _import(found: Sequence[Lot], ticked: Ticked, _bulk: Mapping[str, Any]) -> None:
    for lot in ready(found, ticked):
        import_work.start(lot)


def _apply(found: Sequence[Lot], ticked: Ticked, bulk: Mapping[str, Any]) -> None:
    given = {field: typed(field, value) for field, value in bulk.items() if value not in (None, "")}
    if not given:
        raise ParamError("Nothing is filled in above the list.", hint="Give a group or a mass, then apply it.")
    for lot in chosen(found, ticked):
        if lot.takes_words:
            import_work.fill_in(lot.sid, given, stamp=json_digest([given, said(lot.parts[0])])[:8])


def _join(found: Sequence[Lot], ticked: Ticked, _bulk: Mapping[str, Any]) -> None:
    parts = [p.sid for lot in found if lot.sid in ticked and lot.takes_words for p in lot.parts]
    if len(parts) < 2:
        raise ParamError("Tick at least two files that are parts of one measurement.", hint="They are read one after the other.")
    import_work.join(parts)


def _clear(found: Sequence[Lot], _ticked: Ticked, _bulk: Mapping[str, Any]) -> None:
    for lot in found:
        if lot.state == "done":
            _remove(lot, lot.sid)


def _remove(lot: Lot, _sid: str) -> None:
    if lot.state == "importing":
        raise ParamError(f"{lot.parts[0].name} is being imported.", hint="Cancel that first.")
    for part in lot.parts:
        with suppress(StoreError):  # another page was faster
            staging().discard(part.sid)


def _leave(lot: Lot, sid: str) -> None:
    """Take one file out of a series or test."""
    if lot.state == "importing":
        raise ParamError(f"{lot.parts[0].name} is being imported.", hint="Cancel that first.")
    with suppress(StoreError):
        staging().discard(sid)


def _again(lot: Lot, _sid: str) -> None:
    staging().say(lot.sid, again=True)


def _look(lot: Lot, _sid: str) -> None:
    for part in lot.parts:
        import_work.look_again(part.sid)


def _stated(lot: Lot, _sid: str) -> None:
    found = lot.found[0]
    mass = found.stated.get("active_mass_mg") if found is not None else None
    if mass is not None:
        import_work.fill_in(lot.sid, {"cell.active_mass_mg": mass}, stamp=f"mass {mass}")


def _sort(lot: Lot, _sid: str) -> None:
    form = lot.parts[0].form
    import_work.join(p.sid for p in lot.parts)
    first = next(x for x in import_work.lots() if x.parts[0].sid in {p.sid for p in lot.parts})
    if first.sid != lot.sid:
        staging().say(first.sid, fields=form.get("fields"), again=form.get("again"))


LIST_ACTIONS: dict[str, Callable[[Sequence[Lot], Ticked, Mapping[str, Any]], None]] = {
    "import": _import,
    "apply": _apply,
    "join": _join,
    "clear": _clear,
}
LOT_ACTIONS: dict[str, Callable[[Lot, str], None]] = {
    "remove": _remove,
    "leave": _leave,
    "again": _again,
    "look": _look,
    "stated": _stated,
    "sort": _sort,
    "split": lambda lot, _sid: import_work.split(lot),
    "up": lambda lot, sid: import_work.move(lot, sid, -1),
    "down": lambda lot, sid: import_work.move(lot, sid, 1),
}
