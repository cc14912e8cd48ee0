"""The distributions page's views: which particles, and which results of theirs, stand behind each figure.

Names in the address: ``ref``, ``cmp``, ``excluded``, ``off`` as on every page of groups; ``states``, ``cycle``, ``dims`` choose
measurements; the recipe of edge maps as in ``components.edge_maps``; ``depth``, the depths whose voxels count; ``show``, ``calibrants``,
``energies``, ``values`` of the calibration; ``bins``, ``range``, ``per``, ``curves``, ``inside``, ``brush`` of the pictures.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from analysis.catalog import MeasurementRecord
from analysis.core.errors import ParamError
from analysis.core.jobs import Status
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.xanes.activity import CHARGED, DISCHARGED
from analysis.xanes.figures_base import QUANTITIES, STATES, state_of
from components import calibrants, edge_maps
from components.context import workspace
from components.edge_maps import dimensionality_of, each, measured_particles, particle_name
from components.results import merged, obtain
from components.views import Items, Query, View, listed, register

Make = Callable[[MeasurementRecord, str], tuple[str | None, Status | None]]

CHOICE = ("ref", "cmp", "excluded", "states", "cycle", "dims")
CALIBRATION = ("show", *calibrants.NAMES)
MAPS = (*CHOICE, *edge_maps.RECIPE, "depth", *CALIBRATION)
COUNTED = (*MAPS, "bins", "off")
PICTURE = ("range",)


def groups(query: Query) -> tuple[str, ...]:
    """The groups that the address compares: reference first, the other unless it is 'none' or the same."""
    ref, cmp = workspace().default_pair()
    chosen = (query.get("ref", ref), query.get("cmp", cmp))
    return tuple(dict.fromkeys(g for g in chosen if g and g != "none"))


def dimensionalities(query: Query) -> list[str]:
    """2D, 3D: what the chosen groups have, the commonest first. Only one of them is shown at a time."""
    wanted = groups(query)
    found = [dimensionality_of(m) for m in measured_particles() if m.group in wanted]
    return sorted(dict.fromkeys(found), key=lambda d: (-found.count(d), d))


def cycles(query: Query) -> list[int]:
    wanted = groups(query)
    return sorted({m.cycle_number for m in measured_particles() if m.group in wanted and m.cycle_number is not None})


def measurements(query: Query, *, off: bool = False) -> list[MeasurementRecord]:
    """The chosen particles, group by group, in each as the edge energy rises with the state; ``off``: without those switched off."""
    wanted, states = groups(query), listed(query, "states")
    gone = set(listed(query, "off")) if off else set()
    dims = query.get("dims") or next(iter(dimensionalities(query)), "")
    found = []
    for m in measured_particles():
        chosen = m.group in wanted and (not states or (m.state or "") in states) and str(m.id) not in gone
        fits = query.get("cycle", "") in ("", str(m.cycle_number)) and dimensionality_of(m) == dims
        if chosen and fits and (not m.excluded or query.get("excluded") == "shown"):
            found.append(m)
    order = {s: k for k, s in enumerate(STATES)}
    return sorted(found, key=lambda m: (wanted.index(m.group or ""), order.get(m.state or "", len(order)), particle_name(m), m.id))


def maps(query: Query, *, off: bool = False) -> Items:
    """The edge map of each particle, or its map of state of charge or valence where the address shows that; of some depths only."""
    chosen = measurements(query, off=off)
    edges = edge_maps.edge_maps(query, chosen)
    if (ends := depth(query)) is not None:
        deep = {"low": ends[0], "high": ends[1]}
        edges = _further(edges, chosen, lambda m, key: _step("xanes.within_depth", "edges", key, deep, f"Depths of {particle_name(m)}"))
    if not calibrated(query):
        return edges
    params, known = calibration(query), calibrants.maps(query)
    if len(known.shown) < len(calibrants.chosen(query)):
        return merged(replace(edges, shown=()), replace(known, shown=()))
    more = {"calibrants": tuple(i.key for i in known.shown)} if known.shown else {}

    def state(m: MeasurementRecord, key: str) -> tuple[str | None, Status | None]:
        request = Request(recipe="xanes.calibrate", inputs={"edges": key, **more}, params=params)
        return obtain(request, title=f"State of {particle_name(m)}")

    return _further(edges, chosen, state)


def calibrated(query: Query) -> str:
    """``soc`` or ``valence`` where the address shows that; empty for edge energies."""
    return query["show"] if query.get("show") in QUANTITIES else ""


def calibration(query: Query) -> dict[str, Any]:
    """What the calibrants stand for; ParamError where they are missing or do not pair."""
    known, energies, values = calibrants.chosen(query), numbers(query, "energies"), numbers(query, "values")
    given = len(known) or len(energies)
    if given < 2 or given != len(values):
        what = f"{given} {('particle' if given == 1 else 'particles') if known else 'edge energies'}"
        raise ParamError(
            f"{QUANTITIES[calibrated(query)]} needs calibrants: {what} and {len(values)} values are given.",
            hint="Choose two or more particles of known state, or write edge energies of the same definition; and the value of each.",
        )
    return {"quantity": calibrated(query), "values": values, **({} if known else {"energies": energies})}


def numbers(query: Query, name: str) -> list[float]:
    """Numbers of the address, separated by commas; ParamError names what is none."""
    found = []
    for part in listed(query, name):
        try:
            found.append(float(part.strip().replace("\u2212", "-")))
        except ValueError as err:
            raise ParamError(
                f"'{part}' in '{query[name]}' is not a number.", hint="Write numbers with a decimal point, and commas between."
            ) from err
    return found


def pair(query: Query, name: str) -> tuple[float, float] | None:
    """A range of the address, such as ``brush=8342.1,8343``; None where it is blank."""
    found = numbers(query, name)
    if not found:
        return None
    if len(found) != 2 or not found[0] < found[1]:
        raise ParamError(f"'{query[name]}' is not a range.", hint="Write its two ends with a comma between, the lower one first.")
    return found[0], found[1]


def depth(query: Query) -> tuple[float, float] | None:
    """From which depth below the surface to which voxels count, in um; None for all of them."""
    return pair(query, "depth")


def distributions(query: Query, *, off: bool = False) -> Items:
    """The distribution of each particle."""
    chosen = measurements(query, off=off)
    params: dict[str, Any] = {}
    if (width := edge_maps.number(query, "bins")) is not None:
        params["bin_width"] = width
    recipe, source = ("xanes.state_distribution", "state") if calibrated(query) else ("xanes.distribution", "edges")
    return _further(maps(query, off=off), chosen, lambda m, key: _step(recipe, source, key, params, f"Distribution of {particle_name(m)}"))


def _step(recipe: str, source: str, key: str, params: dict[str, Any], title: str) -> tuple[str | None, Status | None]:
    return obtain(Request(recipe=recipe, inputs={source: key}, params=params), title=title)


def _further(before: Items, chosen: Sequence[MeasurementRecord], make: Make) -> Items:
    """The next step for every particle that is so far; jobs and problems of the steps before stay."""
    keys = {i.id: i.key for i in before.shown}
    made = each([m for m in chosen if str(m.id) in keys], lambda m: make(m, keys[str(m.id)]))
    return merged(replace(before, shown=()), made)


def pooled(query: Query) -> Items:
    """The particles that are switched on, and each group in each state put together once all are there."""
    particles = distributions(query, off=True)
    if not particles.shown or particles.waiting:
        return particles
    params = {"groups": [i.group for i in particles.shown], "states": [state_of(i) for i in particles.shown]}
    request = Request(recipe="xanes.pooled", inputs={"particles": tuple(i.key for i in particles.shown)}, params=params)
    return merged(particles, _joint(request, particles.shown, "particles put together"))


def compared(query: Query) -> Items:
    """Differences over particles, the compared group first, once all maps are there; nothing where a state is missing."""
    found = maps(query, off=True)
    order = {g: k for k, g in enumerate(reversed(groups(query)))}
    used = sorted((i for i in found.shown if state_of(i) in (CHARGED, DISCHARGED)), key=lambda i: order[i.group])
    states = {state_of(i) for i in used}
    if found.waiting or len(states) < 2:
        return replace(found, shown=())
    recipe = "xanes.compare_states" if calibrated(query) else "xanes.compare"
    params = {"groups": [i.group for i in used], "states": [state_of(i) for i in used]}
    request = Request(recipe=recipe, inputs={"maps": tuple(i.key for i in used)}, params=params)
    return merged(replace(found, shown=()), _joint(request, used, "charged against discharged"))


def _joint(request: Request, of: Sequence[Labelled], label: str) -> Items:
    """A result of several particles, synthetic where one of them is."""
    key, status = obtain(request, title=label.capitalize())
    if key is None:
        return _of_status(status)
    origin = "synthetic" if any(i.origin == "synthetic" for i in of) else "measured"
    return Items(shown=(Labelled(workspace().store.open(key), label=label, origin=origin, key=key),))


def _of_status(status: Status | None) -> Items:
    if status is None:
        return Items()
    if status.active:
        return Items(waiting=(status,))
    return Items(problems=((status.title, f"{status.message} {status.hint}".strip()),), failed=(status.key,))


def _histogram_items(query: Query) -> Items:
    return distributions(query) if per(query) == "particles" else pooled(query)


def per(query: Query) -> str:
    return "particles" if query.get("per") == "particles" else "pooled"


def _violin_items(query: Query) -> Items:
    return merged(pooled(query), compared(query))


def _quality_items(query: Query) -> Items:
    return edge_maps.edge_maps(query, measurements(query, off=True))


def _distributions_on(query: Query) -> Items:
    return distributions(query, off=True)


def _shown_range(query: Query) -> dict[str, Any]:
    found = pair(query, "range")
    return {"low": found[0], "high": found[1]} if found else {}


def _histogram_params(query: Query) -> dict[str, Any]:
    return {"per": per(query), "curves": query.get("curves", "both"), "brush": pair(query, "brush"), **_shown_range(query)}


register(
    View(
        "xanes.violins",
        "Charge against discharge",
        (*COUNTED, *PICTURE, "inside"),
        _violin_items,
        lambda q: {"inside": q.get("inside", "points"), **_shown_range(q)},
        hint="One violin for each group in each state; every particle weighs the same.",
        name="distributions.violins",
    ),
    View(
        "xanes.histogram",
        "Distribution",
        (*COUNTED, *PICTURE, "per", "curves", "brush"),
        _histogram_items,
        _histogram_params,
        hint="Drag over a range to mark it, and see its voxels in the particles.",
        name="distributions.histogram",
    ),
    View("xanes.effects", "Differences over particles", (*MAPS, "off"), compared, name="distributions.effects"),
    View("xanes.heterogeneity", "Heterogeneity beyond noise", COUNTED, _distributions_on, name="distributions.heterogeneity"),
    View("xanes.quality", "Voxels that count", (*MAPS, "off"), _quality_items, name="distributions.quality"),
)
