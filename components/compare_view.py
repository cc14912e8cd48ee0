"""What stands behind the figures of a comparison: scorecard and correlations of the address, and the five figures in small.

Names in the address: ``ref``, ``cmp``, ``excluded``, ``test`` as on every page of groups; ``at``, the cycle whose capacity is compared;
``by``, what counts as a replicate (cells, else particles); ``metrics`` of the matrix.
"""

import re
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

from analysis.core.errors import UserError
from analysis.core.registry import Labelled
from analysis.core.run import Request
from components import compare_sources, distributions_view, spectra_figures  # noqa: F401 - they register the views that are shown here
from components.compare_sources import CHOICE, groups
from components.context import jobs, workspace
from components.kept import Kept
from components.results import is_looking, merged, obtain, prefer
from components.views import VIEWS, Items, Query, View, register

KEPT = 64  # tables of values
SMALL_PX = 10
SHORT = {"charged": "Chg.", "discharged": "Dis.", "pristine": "Prist."}


def by(query: Query) -> str:
    return "particles" if query.get("by") == "particles" else "cells"


def with_excluded(query: Query) -> bool:
    return query.get("excluded") == "shown"


def values(query: Query) -> Items:
    """The table of values; remembered until somebody writes into the catalog, because asking every modality takes its time."""
    place = (str(workspace().root), workspace().stamp(), *sorted(compare_sources.every(query).items()), compare_sources.at_cycle(query))
    if is_looking():
        return compare_sources.values(query)
    return _READY.get(place, lambda: _awaited(place, query))


def _awaited(place: Hashable, query: Query) -> Items:
    """The table as far as it goes; the modalities are asked again only after one of the jobs that it waits for has ended."""
    known = _PENDING.pop(place, None)
    still = [jobs().status(s.key) for s in known.waiting] if known else []
    if known is not None and still and all(s.active for s in still):
        found = replace(known, waiting=tuple(still))
    else:
        found = compare_sources.values(query)
    for status in reversed(found.waiting):  # the first of them runs next
        prefer(status)
    if found.waiting:
        _PENDING.clear()
        _PENDING[place] = found
    return found


def _is_complete(found: Items) -> bool:
    return bool(found.shown) and not (found.waiting or found.problems)


_READY = Kept(KEPT, whole=_is_complete)
_PENDING: dict[Hashable, Items] = {}  # the one that was asked for last


def scorecard(query: Query) -> Items:
    """The scorecard of the two groups; a problem where they are one."""
    pair = groups(query)
    if len(pair) < 2:
        return Items(problems=(("Scorecard", "One group alone is no comparison. Choose two different groups above."),))
    params = {"reference": pair[0], "compared": pair[1], "with_excluded": with_excluded(query), "by": by(query)}
    return _of_values(query, "compare.scorecard", params, "scorecard")


def correlations(query: Query, pairs: Sequence[tuple[str, str]]) -> Items:
    """Rank correlations of these pairs of metrics within the chosen groups."""
    params = {"pairs": list(pairs), "groups": list(groups(query)), "with_excluded": with_excluded(query), "by": by(query)}
    return _of_values(query, "compare.correlate", params, "correlations")


def _of_values(query: Query, recipe: str, params: dict[str, Any], label: str) -> Items:
    found = values(query)
    if not found.shown:
        return found
    pending = replace(found, shown=())
    try:
        key, status = obtain(Request(recipe=recipe, inputs={"values": found.shown[0].key}, params=params), title=label.capitalize())
    except UserError as err:
        return merged(pending, Items(problems=((label.capitalize(), str(err)),)))
    if key is None:
        return merged(pending, Items(waiting=(status,) if status else ()))
    return replace(found, shown=(compare_sources.labelled(key, label),))


def small(figure: dict[str, Any]) -> dict[str, Any]:
    """A figure for a small tile: no legend (the groups' colours stand above), no notes, short labels, narrow margins."""
    if not figure.get("data"):
        return figure
    layout = dict(figure.get("layout", {}))
    axes = [n for n in layout if n.startswith(("xaxis", "yaxis"))]
    for name in axes:
        layout[name] = _small_axis(layout[name])
    if "xaxis2" not in axes:  # room that was kept for words
        layout["xaxis"] = {**layout.get("xaxis", {}), "domain": [0, 1]}
    right = 40 if layout.get("yaxis2", {}).get("side") == "right" else 8
    margin = {"l": 46, "r": right, "t": 10, "b": 36}
    kept = [_shrunk(a) for a in layout.get("annotations", ()) if str(a.get("text", "")).startswith("<b>") or a.get("textangle")]
    font = {**layout.get("font", {}), "size": SMALL_PX}
    return {**figure, "layout": {**layout, "showlegend": False, "margin": margin, "font": font, "annotations": kept}}


def _small_axis(axis: dict[str, Any]) -> dict[str, Any]:
    """Few and small ticks, the first line of the title unless it is a note; a second axis above is left out."""
    title = axis.get("title") or {}
    first = str(title.get("text", "") if isinstance(title, dict) else title).partition("<br>")[0]
    text = "" if first.startswith("<span") else re.sub(r" \([^()]*\)(?= / )", "", first)
    slim: dict[str, Any] = {"title": {"text": text, "font": {"size": SMALL_PX}, "standoff": 3}, "tickfont": {"size": SMALL_PX}}
    if axis.get("side") == "top":
        slim["visible"] = False
    if axis.get("ticktext"):
        return {**axis, **slim, "ticktext": [_short(str(t)) for t in axis["ticktext"]]}
    return {**axis, **slim, "nticks": 5}


def _short(tick: str) -> str:
    """The state alone of a tick that names group, state and counts: the group is its colour."""
    if not tick.startswith("<b>"):
        return tick
    state = tick.partition("</b>")[2].removeprefix("<br>").partition("<br>")[0].strip()
    return SHORT.get(state, state)


def _shrunk(annotation: dict[str, Any]) -> dict[str, Any]:
    return {**annotation, "font": {**annotation.get("font", {}), "size": SMALL_PX}}


def _crack_params(query: Query) -> dict[str, Any]:
    return {"metric": "cracks.ratio", "groups": list(groups(query)), "with_excluded": with_excluded(query), "by": by(query)}


def _like(figure: str, name: str, title: str, **chosen: str) -> View:
    """A view of another page, drawn small; ``chosen`` parts of the address are fixed."""
    view = VIEWS[figure]
    return replace(
        view,
        name=name,
        title=title,
        finish=small,
        items=lambda query: view.items({**query, **chosen}),
        params=lambda query: view.params({**query, **chosen}),
    )


register(
    _like("cycling.capacity", "compare.capacity", "Capacity and CE"),
    _like("distributions.histogram", "compare.histogram", "Edge energies"),
    _like("distributions.violins", "compare.violins", "Edge energy by state"),
    View("compare.metric", "Crack volume ratio", CHOICE, values, _crack_params, name="compare.cracks", finish=small),
    _like("spectra.overlay", "compare.spectra", "S K-edge spectra", edge="S K", inset="off", markers="P–Sx–P"),
    View(
        "compare.effects",
        "All effects",
        CHOICE,
        scorecard,
        hint="Effects over the standard deviation within groups, so that all metrics share an axis.",
    ),
)


def items_of(found: Items) -> Labelled | None:
    """The one result of a view."""
    return found.shown[0] if found.shown else None
