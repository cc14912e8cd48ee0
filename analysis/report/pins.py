"""Figures on a board: frozen with everything that they stand on, and drawn from that alone.

Nothing here computes a result. A figure is pinned by the keys of what it shows; where a page drew only a part of a result,
that part is stored as it was drawn, beside the key of the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from analysis.catalog.boards import Pin, PinnedItem
from analysis.core import settings
from analysis.core.errors import StoreError
from analysis.core.registry import Labelled, Registry
from analysis.core.store import Store
from analysis.core.style import Style, origin_note
from analysis.workspace import Workspace

if TYPE_CHECKING:
    import plotly.graph_objects as go

COMPARED_BYTES = 64 << 20  # what is larger is compared by its shape and names only
LAYOUT_PARTS = ("range", "autorange", "type")
MOST_LAYOUT = 200


@dataclass(frozen=True)
class Shown:
    """What a page shows at the moment of pinning."""

    view: str
    figure: str
    title: str
    page: str
    query: Mapping[str, str]
    params: Mapping[str, Any]
    items: tuple[Labelled, ...]
    groups: tuple[str, ...] = ()
    layout: Mapping[str, Any] | None = None


def freeze(shown: Shown, store: Store, registry: Registry, *, note: str | None = None) -> Pin:
    """The pin of what is shown; parts of results are stored as they were drawn."""
    if not shown.items:
        raise StoreError(f"'{shown.title}' shows no data yet.", hint="Wait until it is drawn, then pin it.")
    checked = registry.figure(shown.figure).params.check(dict(shown.params))
    return Pin.check(
        {
            "view": shown.view,
            "figure": shown.figure,
            "title": shown.title,
            "note": note,
            "page": shown.page,
            "query": dict(shown.query),
            "params": checked.model_dump(mode="json"),
            "items": [_frozen(i, store).model_dump() for i in shown.items],
            "groups": shown.groups,
            "layout": zoom(shown.layout or {}),
            "pinned_at": settings.now(),
        }
    )


def frozen_items(items: Sequence[Labelled], store: Store) -> tuple[PinnedItem, ...]:
    return tuple(_frozen(i, store) for i in items)


def _frozen(item: Labelled, store: Store) -> PinnedItem:
    about = {"label": item.label, "group": item.group, "origin": item.origin, "id": item.id}
    if item.key and store.has(item.key) and same_data(item.data, store.open(item.key)):
        return PinnedItem(key=item.key, **about)
    source = item.key if item.key and store.has(item.key) else ""
    key = store.put_edit(item.data.drop_encoding(), note=f"part of {source}" if source else "numbers of a figure as they were drawn")
    return PinnedItem(key=key, source=source or None, **about)


def same_data(drawn: xr.Dataset, stored: xr.Dataset) -> bool:
    if drawn is stored:
        return True
    if dict(drawn.sizes) != dict(stored.sizes) or set(drawn.variables) != set(stored.variables):
        return False
    return stored.nbytes > COMPARED_BYTES or drawn.identical(stored)


def zoom(layout: Mapping[str, Any]) -> dict[str, Any]:
    """Ranges of axes that a viewer has set; all else of a layout is the figure's business."""
    kept: dict[str, Any] = {}
    for name, value in list(layout.items())[:MOST_LAYOUT]:
        axis, _, part = name.partition(".")
        if not axis.rstrip("0123456789").endswith("axis") or part not in LAYOUT_PARTS or not axis.isalnum():
            continue
        if part == "range" and _is_range(value):
            kept[name] = [value[0], value[1]]
    return kept


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float | str) and not isinstance(v, bool) for v in value)


# -- drawing -----------------------------------------------------------------------------------------------------------------


def labelled(pin: Pin, store: Store) -> tuple[Labelled, ...]:
    """The pinned datasets, as figures take them."""
    gone = [i.key for i in pin.items if not store.has(i.key)]
    if gone:
        raise StoreError(
            f"What '{pin.title}' was drawn from is not in the workspace any more ({gone[0]}).",
            hint="Refresh the figure, or restore the workspace from a copy.",
        )
    return tuple(
        Labelled(store.open(i.key), label=i.label, group=i.group, origin=i.origin, key=i.source or i.key, id=i.id) for i in pin.items
    )


def draw(pin: Pin, store: Store, registry: Registry, style: Style) -> "go.Figure":
    """The figure as it was pinned: its results, parameters, group colours, zoom, and without what was switched off."""
    kind = registry.figure(pin.figure)
    look = Style(theme=style.theme, size=style.size, groups=pin.groups or style.groups, font_px=style.font_px)
    figure = kind.build(labelled(pin, store), look, kind.params.check(dict(pin.params)))
    off = set(filter(None, pin.query.get("off", "").split(",")))
    for trace in figure.data:
        if isinstance(trace.meta, dict) and str(trace.meta.get("id", "")) in off:
            trace.visible = False
    known = {name for name in figure.layout if figure.layout[name] is not None}
    for name, value in pin.layout.items():
        axis = name.partition(".")[0]
        if axis in known or axis in ("xaxis", "yaxis"):
            figure.layout[axis].update({"range": value, "autorange": False})
    return figure


def said_origin(pin: Pin) -> str:
    """What must stand beside the figure: that its data are synthetic, where they are."""
    return origin_note(pin.origins)


def missing_data(pin: Pin, workspace: Workspace) -> tuple[str, ...]:
    """Labels of pinned data whose measurements are not in the catalog any more: deleted, or read anew from their files."""
    owned = {k for m in workspace.snapshot().measurements for k in m.dataset_keys}
    gone = [i.label for i in pin.items if any(k[0] == "d" and k not in owned for k in workspace.ancestry([i.source or i.key]))]
    return tuple(dict.fromkeys(gone))


def changed_code(pin: Pin, store: Store, registry: Registry) -> tuple[str, ...]:
    """Titles of the recipes that would not give the pinned results any more: their code or its libraries have changed."""
    from analysis.core.run import Request, plan

    found = []
    for key in pin.keys:
        if not key.startswith("r-") or not store.has(key):
            continue
        record = store.provenance(key)
        known = {r.id: r for r in registry.recipes}.get(record["recipe"])
        request = Request(recipe=record["recipe"], inputs=record["inputs"], params=record["params"])
        if known is None:
            found.append(str(record["recipe"]))
        elif plan(request, registry).key != key:
            found.append(known.title)
    return tuple(dict.fromkeys(found))
