"""Cracks of particles, the same on every page: found, measured, cut-off domains, edge energy against distance.

A particle's tomogram is taken where it has one, else the edge jump of its map, else an imported segmentation. Chemistry needs an edge map
of the same particle in the same state: where the voxels of the two go into one another by whole factors they lie over each other as they
were imported; otherwise, or where the address says ``lay=registered``, the tomogram is laid over the map first and its cracks are found
on the map's grid. Every result is known by the number of the measurement in which cracks were looked for.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps

from analysis.catalog import MeasurementRecord
from analysis.core.data import scalars
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.cracks.grids import grids_fit
from analysis.cracks.schemas import SEGMENTATION
from analysis.schemas import EDGE_MAP, STACK, VOLUME
from components import crack_settings, edge_maps
from components.context import jobs, workspace
from components.edge_maps import dimensionality_of, each, particle_name, schema_of
from components.results import is_looking, merged, obtain
from components.views import Items, Query

MODALITIES = (edge_maps.MODALITY, "cracks")
SOURCES = (VOLUME.name, STACK.name, EDGE_MAP.name, SEGMENTATION.name)  # where cracks are looked for, the best first
MAPPED = (STACK.name, EDGE_MAP.name)
LAY = ("lay",)
ADDRESS = (*crack_settings.ADDRESS, *edge_maps.RECIPE, *LAY)
KEPT = 512  # answers: keys, and datasets of which nothing is read yet
FRESH_S = 0.6  # about as long as a page waits before it asks again
Inputs = Callable[[MeasurementRecord], Mapping[str, str | tuple[str, ...]]]
Answer = tuple[str | None, Status | None]
_KNOWN: "OrderedDict[Hashable, tuple[float, Found]]" = OrderedDict()
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Specimen:
    """One particle in one state: the measurement in which cracks are looked for, and the one that has its chemistry."""

    source: MeasurementRecord
    mapped: MeasurementRecord | None

    @property
    def id(self) -> str:
        return str(self.source.id)


@dataclass(frozen=True)
class Found:
    """Results by step, each known by the specimen's id; ``items`` of earlier steps hold what is still waited for."""

    shown: tuple[Labelled, ...]
    pending: Items

    @property
    def keys(self) -> dict[str, str]:
        return {i.id: i.key for i in self.shown}

    @property
    def items(self) -> Items:
        return merged(Items(shown=self.shown), self.pending)


Step = Callable[[Query, Sequence[Specimen]], Found]


def specimens(groups: Iterable[str]) -> list[Specimen]:
    """Every particle of some groups whose cracks can be found, excluded ones too, in the order of their import."""
    if "cracks" not in workspace().registry.modalities:
        return []
    wanted = set(groups)
    mine: dict[tuple[object, ...], list[MeasurementRecord]] = {}
    for m in workspace().snapshot().measurements:
        if m.modality in MODALITIES and m.group in wanted and m.dataset_keys and schema_of(m) in SOURCES and dimensionality_of(m) == "3D":
            mine.setdefault((m.cell_id, m.particle_id, m.state, m.cycle_number), []).append(m)
    made = (_specimen(found) for found in _joined(mine).values())
    return sorted((s for s in made if s is not None), key=lambda s: s.source.id)


def _joined(mine: dict[tuple[object, ...], list[MeasurementRecord]]) -> dict[tuple[object, ...], list[MeasurementRecord]]:
    """What says no state, such as a mask alone, joins the one state in which its particle was measured."""
    joined = {key: list(found) for key, found in mine.items()}
    for key in mine:
        cell, particle, state, cycle = key
        if particle is None or (state, cycle) != (None, None):
            continue
        stated = [k for k in joined if k[:2] == (cell, particle) and k != key]
        if len(stated) == 1:
            joined[stated[0]] += joined.pop(key)
    return joined


def _specimen(found: Sequence[MeasurementRecord]) -> Specimen | None:
    """A particle's measurements; None where none of them shows cracks."""
    ranked = sorted((m for m in found if _shows_cracks(m)), key=lambda m: (m.excluded, SOURCES.index(schema_of(m))))
    if not ranked:
        return None
    source = ranked[0]
    mapped = sorted((m for m in found if schema_of(m) in MAPPED and (source.excluded or not m.excluded)), key=lambda m: m.excluded)
    return Specimen(source, mapped[0] if mapped else None)


def _shows_cracks(m: MeasurementRecord) -> bool:
    """Whether cracks can be looked for in a measurement: finished edge maps may come without the edge jump."""
    return schema_of(m) != EDGE_MAP.name or "edge_jump" in workspace().store.open(m.dataset_keys[0])


# -- what is asked for again and again -----------------------------------------------------------------------------------------


def _remembered(step: Step) -> Step:
    """The step, asked again only when the catalog or a failed job has changed, or, while jobs run, after ``FRESH_S``.

    Nine figures stand on the same steps, and each asks while it waits.
    """

    @wraps(step)
    def asked(query: Query, chosen: Sequence[Specimen]) -> Found:
        if is_looking():
            return step(query, chosen)
        part = tuple(sorted((n, query[n]) for n in ADDRESS if query.get(n)))
        place = (str(workspace().root), workspace().stamp(), step.__name__, part, tuple(s.id for s in chosen))
        known = _KNOWN.get(place)
        if known is not None and _holds(*known):
            return known[1]
        made = step(query, chosen)
        with _LOCK:
            _KNOWN[place] = (time.monotonic(), made)
            while len(_KNOWN) > KEPT:
                _KNOWN.popitem(last=False)
        return made

    return asked


def _holds(at: float, found: Found) -> bool:
    """Whether asking again would give the same."""
    if found.pending.waiting:
        return time.monotonic() - at < FRESH_S
    return all(jobs().status(k).state in ("failed", "cancelled") for k in found.pending.failed)


# -- steps -------------------------------------------------------------------------------------------------------------------


@_remembered
def maps(query: Query, chosen: Sequence[Specimen]) -> Found:
    """The edge map of every particle that has one, known by the specimen."""
    owners = {str(s.mapped.id): s for s in chosen if s.mapped is not None}
    found = edge_maps.edge_maps(query, [s.mapped for s in chosen if s.mapped is not None])
    shown = tuple(replace(i, id=owners[i.id].id) for i in found.shown)
    return Found(shown, replace(found, shown=()))


@_remembered
def segmentations(query: Query, chosen: Sequence[Specimen]) -> Found:
    """Where the particles and their cracks are."""
    needed = maps(query, [s for s in chosen if schema_of(s.source) in MAPPED])
    own = needed.keys

    def make(m: MeasurementRecord) -> Answer:
        schema = schema_of(m)
        if schema == SEGMENTATION.name:
            return m.dataset_keys[0], None
        inputs = {"volume": m.dataset_keys[0]} if schema == VOLUME.name else {"edges": own[str(m.id)]}
        return obtain(crack_settings.segment_request(query, m, inputs), title=_title("Cracks of", m))

    ready = [s.source for s in chosen if schema_of(s.source) not in MAPPED or s.id in own]
    return _found(each(ready, make), needed.pending)


@_remembered
def measures(query: Query, chosen: Sequence[Specimen]) -> Found:
    """Crack volume, widths and positions."""
    masks = segmentations(query, chosen)
    blanks, pending = _blanks(query, chosen)
    if pending.waiting:
        return Found((), merged(masks.pending, pending))

    def inputs(m: MeasurementRecord) -> Mapping[str, str | tuple[str, ...]]:
        own = blanks.get(m.group or "", ())
        return {"segmentation": masks.keys[str(m.id)], **({"pristine": own} if own else {})}

    return _step("cracks.measure", masks, chosen, inputs, pending)


@_remembered
def domains(query: Query, chosen: Sequence[Specimen]) -> Found:
    """What cracks cut off, with edge energies where the particle has a map."""
    masks = segmentations(query, chosen)
    beside, energies = laid(query, chosen)
    alone = Found(tuple(i for i in masks.shown if _without_map(i.id, chosen)), Items())
    both = Found((*beside.shown, *alone.shown), merged(masks.pending, beside.pending))

    def inputs(m: MeasurementRecord) -> Mapping[str, str]:
        key = energies.get(str(m.id))
        return {"segmentation": both.keys[str(m.id)], **({"edges": key} if key else {})}

    return _step("cracks.domains", both, chosen, inputs)


@_remembered
def profiles(query: Query, chosen: Sequence[Specimen]) -> Found:
    """Edge energy against distance, of particles that have cracks and a map."""
    cracked = measures(query, [s for s in chosen if s.mapped is not None])
    some = {i.id for i in cracked.shown if _has_cracks(i)}
    beside, energies = laid(query, [s for s in chosen if s.id in some])
    found = Found(beside.shown, merged(cracked.pending, beside.pending))
    return _step("cracks.distance_profile", found, chosen, lambda m: {"segmentation": found.keys[str(m.id)], "edges": energies[str(m.id)]})


@_remembered
def sensitivity(query: Query, chosen: Sequence[Specimen]) -> Found:
    """The ratio under changed settings: minutes for each particle."""
    needed = maps(query, [s for s in chosen if schema_of(s.source) in MAPPED])

    def make(m: MeasurementRecord) -> Answer:
        inputs = {"volume": m.dataset_keys[0]} if schema_of(m) == VOLUME.name else {"edges": needed.keys[str(m.id)]}
        params = crack_settings.params(query, m.group).model_dump(mode="json")
        return obtain(Request(recipe="cracks.sensitivity", inputs=inputs, params=params), title=_title("Settings tried on", m))

    ready = [s.source for s in chosen if schema_of(s.source) == VOLUME.name or s.id in needed.keys]
    return _found(each(ready, make), needed.pending)


def laid(query: Query, chosen: Sequence[Specimen]) -> tuple[Found, dict[str, str]]:
    """Segmentations on the grid of the edge map, or on one finer by whole factors; and the keys of the maps."""
    masks, edges = segmentations(query, chosen), maps(query, chosen)
    both = [s for s in chosen if s.id in masks.keys and s.id in edges.keys]
    fitting = {s.id for s in both if _fits(query, s, masks.keys[s.id], edges.keys[s.id])}
    moved = [s.source for s in both if s.id not in fitting]

    def lay(m: MeasurementRecord) -> Answer:
        inputs = {"volume": m.dataset_keys[0], "edge_map": edges.keys[str(m.id)]}
        return obtain(Request(recipe="xanes.register", inputs=inputs), title=_title("Laid over its map:", m))

    over = each(moved, lay)
    volumes = {i.id: i.key for i in over.shown}

    def find(m: MeasurementRecord) -> Answer:
        params = crack_settings.params(query, m.group).model_dump(mode="json")
        request = Request(recipe=crack_settings.SEGMENT, inputs={"volume": volumes[str(m.id)]}, params=params)
        return obtain(request, title=_title("Cracks on the grid of the map,", m))

    again = each([m for m in moved if str(m.id) in volumes], find)
    kept = tuple(i for i in masks.shown if i.id in fitting)
    pending = merged(masks.pending, edges.pending, replace(over, shown=()), replace(again, shown=()))
    return Found((*kept, *again.shown), pending), edges.keys


def _fits(query: Query, specimen: Specimen, mask: str, edges: str) -> bool:
    """Whether a segmentation lies over the map as it is."""
    if schema_of(specimen.source) != VOLUME.name:
        return True
    return query.get("lay") != "registered" and grids_fit(workspace().store.open(edges), workspace().store.open(mask))


def _without_map(specimen_id: str, chosen: Sequence[Specimen]) -> bool:
    return any(s.id == specimen_id and s.mapped is None for s in chosen)


def _has_cracks(item: Labelled) -> bool:
    volume = scalars(item.data)["crack_volume"].value
    return isinstance(volume, int | float) and volume > 0


def _blanks(query: Query, chosen: Sequence[Specimen]) -> tuple[dict[str, tuple[str, ...]], Items]:
    """Segmentations of the pristine references under the settings of each group, by group."""
    keys: dict[str, tuple[str, ...]] = {}
    parts: list[Items] = []
    references = [m for m in crack_settings.pristine() if schema_of(m) == VOLUME.name]
    for group in dict.fromkeys(s.source.group or "" for s in chosen) if references else ():
        params = crack_settings.params(query, group).model_dump(mode="json")
        found = each(references, lambda m, p=params: _blank(m, p))  # type: ignore[misc]
        keys[group] = tuple(i.key for i in found.shown)
        parts.append(replace(found, shown=()))
    return keys, merged(*parts)


def _blank(m: MeasurementRecord, params: Mapping[str, object]) -> Answer:
    request = Request(recipe=crack_settings.SEGMENT, inputs={"volume": m.dataset_keys[0]}, params=dict(params))
    return obtain(request, title=_title("Pristine reference", m))


# -- how steps follow one another ----------------------------------------------------------------------------------------------


def _step(recipe: str, before: Found, chosen: Sequence[Specimen], inputs: Inputs, *more: Items) -> Found:
    """The next recipe for every specimen that has come so far."""
    keys, title = before.keys, workspace().registry.recipe(recipe).title
    ready = [s.source for s in chosen if s.id in keys]
    made = each(ready, lambda m: obtain(Request(recipe=recipe, inputs=dict(inputs(m))), title=_title(f"{title}:", m)))
    return _found(made, before.pending, *more)


def _found(made: Items, *before: Items) -> Found:
    return Found(made.shown, merged(*before, replace(made, shown=())))


def _title(what: str, m: MeasurementRecord) -> str:
    return f"{what} {particle_name(m)}" + (f", {m.state}" if m.state else "")
