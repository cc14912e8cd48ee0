"""Whether a pinned figure is still what its address gives: told without computing anything."""

from dataclasses import dataclass

from analysis.catalog.boards import Pin, PinnedItem
from analysis.core.errors import UserError
from analysis.core.registry import Labelled
from analysis.core.store import Store
from analysis.report import pins
from analysis.report.pins import Shown
from components.context import by_slot, workspace
from components.results import looking
from components.views import VIEWS, Items, Query, View, project

MOST_NAMED = 6
ALWAYS = ("off",)  # cells that are switched off are hidden in every figure, also where no number depends on it
PARTS = (("params", "parameters"), ("inputs", "data"), ("code", "the code of the analysis"), ("libraries", "versions of libraries"))


@dataclass(frozen=True)
class State:
    """What is said under a pinned figure; ``stale`` where its address would give something else now."""

    stale: bool
    sentences: tuple[str, ...] = ()
    can_refresh: bool = True


def view_named(name: str) -> View:
    """The view that drew a figure; a sentence where no page draws it any more."""
    if name not in VIEWS:
        raise UserError(f"No page of this program draws '{name}'.", hint="The figure stays as it was pinned.")
    return VIEWS[name]


def shown(view: View, query: Query, *, page: str, title: str, items: Items, layout: object = None) -> Shown:
    """What a page shows at this address, ready to be pinned."""
    known = layout if isinstance(layout, dict) else {}
    groups = by_slot(workspace().snapshot().groups)
    part = {**project(view, query), **{n: query[n] for n in ALWAYS if query.get(n)}}
    return Shown(view.id, view.figure, title or view.title, page, part, view.params(query), items.shown, groups, known)


def state(pin: Pin) -> State:
    """Compare what is pinned with what is there now."""
    gone = pins.missing_data(pin, workspace())
    said = [f"Not in the catalog any more (deleted, or read anew): {_named(gone)}. Drawn from the pinned results."] if gone else []
    try:
        view = view_named(pin.view)
        with looking() as missing:
            items = view.items(pin.query)
        params = workspace().registry.figure(pin.figure).params.check(view.params(pin.query)).model_dump(mode="json")
    except UserError as err:
        return State(True, (*said, f"The address of this figure gives nothing now: {err}"), can_refresh=pin.view in VIEWS)
    changes = differences(pin, items, missing, workspace().store, gone=gone)
    if missing and (code := pins.changed_code(pin, workspace().store, workspace().registry)):
        changes.append(f"The program's code or libraries for {_named(code)} have changed since.")
    changes += ["Settings of the figure that the address does not hold have changed."] if params != pin.params else []
    return State(bool(changes), (*said, *changes))


def differences(pin: Pin, items: Items, missing: list[str], store: Store, *, gone: tuple[str, ...] = ()) -> list[str]:
    """A sentence for each kind of difference between pinned and present data."""
    old, new = _by_name(pin.items), _by_name(items.shown)
    changed = [n for n in old if n in new and not all(_same(o, i, store) for o, i in zip(old[n], new[n], strict=False))]
    changed += [n for n in old if n in new and len(old[n]) != len(new[n]) and n not in changed]
    away = [n for n in old if n not in new and n not in gone]
    said = [f"Would be computed anew: {_named(tuple(dict.fromkeys(missing)))}."] if missing else []
    if changed:
        said.append(f"Other results now: {_named(tuple(changed))}{_why(old[changed[0]], new[changed[0]], store)}.")
    if away and not missing:
        said.append(f"Not shown any more at this address: {_named(tuple(away))}.")
    if more := [n for n in new if n not in old]:
        said.append(f"New at this address: {_named(tuple(more))}.")
    said += [f"{what}: {sentence}" for what, sentence in items.problems] if not missing else []
    return said or ([f"Nothing is shown at this address any more for {_named(gone)}."] if gone and set(old) - set(new) else [])


def _by_name(items: tuple[PinnedItem, ...] | tuple[Labelled, ...]) -> dict[str, list[PinnedItem | Labelled]]:
    found: dict[str, list[PinnedItem | Labelled]] = {}
    for item in items:
        found.setdefault(item.label, []).append(item)
    return found


def _same(old: PinnedItem | Labelled, new: PinnedItem | Labelled, store: Store) -> bool:
    if not isinstance(old, PinnedItem) or not isinstance(new, Labelled):
        return False
    if old.group != new.group or (old.source or old.key) != new.key:
        return False
    return old.source is None or (store.has(old.key) and pins.same_data(new.data, store.open(old.key)))


def _why(old: list[PinnedItem | Labelled], new: list[PinnedItem | Labelled], store: Store) -> str:
    """What differs in the provenance of the first pair, in brackets."""
    first, second = old[0], new[0]
    before = (first.source if isinstance(first, PinnedItem) else None) or first.key
    if first.group != second.group:
        return f" (now in group {second.group or 'none'})"
    if not (store.has(before) and second.key and store.has(second.key)):
        return ""
    was, now = store.provenance(before), store.provenance(second.key)
    words = [title for part, title in PARTS if was.get(part) != now.get(part)]
    return f" (changed: {', '.join(words)})" if words else ""


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
