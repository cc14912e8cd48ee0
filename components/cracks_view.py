"""The Cracks page's views: which particles, and which results of theirs, stand behind each figure.

Names in the address: ``ref``, ``cmp``, ``excluded``, ``off`` as on every page of groups; ``states`` and ``cycle`` choose particles; the
settings of ``components.cracks_results``; ``axis`` (of the ratio), ``against``, ``value``, ``per``, ``widths``, ``trial`` of the pictures.
"""

from collections.abc import Callable
from typing import Any

from analysis.catalog import MeasurementRecord
from components import cracks_results
from components.context import workspace
from components.cracks_results import Specimen
from components.edge_maps import particle_name
from components.views import Items, Query, View, listed, register

CHOICE = ("ref", "cmp", "excluded", "states", "cycle")
READS = (*CHOICE, *cracks_results.ADDRESS, "off")
ORDER = ("charged", "discharged", "pristine")


def groups(query: Query) -> tuple[str, ...]:
    """The groups that the address compares: reference first, the other unless it is 'none' or the same."""
    ref, cmp = workspace().default_pair()
    chosen = (query.get("ref", ref), query.get("cmp", cmp))
    return tuple(dict.fromkeys(g for g in chosen if g and g != "none"))


def specimens(query: Query, *, off: bool = True) -> list[Specimen]:
    """The chosen particles, group by group, in each state by state; ``off``: without those that are switched off."""
    wanted, states = groups(query), listed(query, "states")
    gone = set(listed(query, "off")) if off else set()
    found = []
    for s in cracks_results.specimens(wanted):
        m = s.source
        chosen = (not states or (m.state or "") in states) and query.get("cycle", "") in ("", str(m.cycle_number)) and s.id not in gone
        if chosen and (not m.excluded or query.get("excluded") == "shown"):
            found.append(s)
    return sorted(found, key=lambda s: (wanted.index(s.source.group or ""), _rank(s.source), particle_name(s.source), s.source.id))


def _rank(m: MeasurementRecord) -> int:
    return ORDER.index(m.state) if m.state in ORDER else len(ORDER)


def measures(query: Query) -> Items:
    return cracks_results.measures(query, specimens(query)).items


def domains(query: Query) -> Items:
    return cracks_results.domains(query, specimens(query)).items


def profiles(query: Query) -> Items:
    return cracks_results.profiles(query, specimens(query)).items


def trial(query: Query) -> list[Specimen]:
    """The particles on which every setting is tried: none until some are chosen."""
    wanted, every = query.get("trial", ""), specimens(query)
    if wanted == "first":
        return list({s.source.group: s for s in reversed(every)}.values())[::-1]
    return [s for s in every if s.id == wanted]


def trials(query: Query) -> Items:
    """The ratio under changed settings, of the particles that were chosen for it."""
    return cracks_results.sensitivity(query, trial(query)).items


# -- parameters ----------------------------------------------------------------------------------------------------------------


def owners(items: Items, query: Query) -> list[MeasurementRecord]:
    """The measurement that each result is of."""
    by_id = {s.id: s.source for s in specimens(query)}
    return [by_id[i.id] for i in items.shown]


def _sets(make: Callable[[Query], Items], query: Query) -> dict[str, Any]:
    found = owners(make(query), query)
    return {"states": [m.state or "" for m in found], "cells": [m.cell for m in found]}


def _logarithmic(query: Query) -> bool:
    return query.get("axis", "log") == "log"


def _bar_params(query: Query) -> dict[str, Any]:
    return {"log": _logarithmic(query), "cells": [m.cell for m in owners(measures(query), query)]}


def _cycle_params(query: Query) -> dict[str, Any]:
    return {"log": _logarithmic(query), "cycles": [m.cycle_number for m in owners(measures(query), query)]}


def per(query: Query) -> str:
    return "particles" if query.get("per") == "particles" else "groups"


def relative(query: Query) -> bool:
    return query.get("value", "relative") == "relative"


def _profile_params(query: Query, against: str) -> dict[str, Any]:
    return {**_sets(profiles, query), "per": per(query), "relative": relative(query), "against": against}


def _joint_params(query: Query) -> dict[str, Any]:
    return {**_sets(profiles, query), "per": "groups"}


def _width_params(query: Query) -> dict[str, Any]:
    return {**_sets(measures, query), "per": per(query), "cumulative": query.get("widths") == "cumulative"}


def _radial_params(query: Query) -> dict[str, Any]:
    return {**_sets(measures, query), "per": per(query)}


def against(query: Query) -> str:
    return "crack" if query.get("against") == "crack" else "normalised"


register(
    View(
        "cracks.volume",
        "Crack volume",
        (*READS, "axis"),
        measures,
        _bar_params,
        hint="Volume of the cracks over that of the particle's envelope; every particle weighs the same.",
    ),
    View(
        "cracks.profile",
        "Edge energy by distance from cracks",
        (*READS, "against", "value", "per"),
        profiles,
        lambda q: _profile_params(q, against(q)),
        hint="Voxels next to walls and surface are left out: they hold a part of the crack.",
        name="cracks.near",
    ),
    View(
        "cracks.profile",
        "Edge energy by depth below the surface",
        (*READS, "value", "per"),
        profiles,
        lambda q: _profile_params(q, "surface"),
        hint="Cracks lead to the surface, so that either distance may stand for the other: see the map of both.",
        name="cracks.depth",
    ),
    View(
        "cracks.joint",
        "Distance from cracks × depth",
        READS,
        profiles,
        _joint_params,
        hint="Along a row the depth is the same: what changes there is not the surface's doing.",
    ),
    View(
        "cracks.isolated", "Isolated domains", READS, domains, lambda q: _sets(domains, q), hint="Pieces of the solid that cracks cut off."
    ),
    View("cracks.widths", "Widths of cracks", (*READS, "per", "widths"), measures, _width_params),
    View("cracks.radial", "Cracks from core to surface", (*READS, "per"), measures, _radial_params),
    View("cracks.evolution", "Crack volume over cycles", (*READS, "axis"), measures, _cycle_params),
    View(
        "cracks.sensitivity",
        "Crack volume against the settings",
        (*READS, "trial"),
        trials,
        hint="Each setting a fifth lower and a quarter higher, particles and levels found anew each time.",
    ),
)
