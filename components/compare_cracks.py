"""Cracks of the particles of a comparison, as the Cracks page finds and measures them, each with the measurement that it is of."""

from collections.abc import Sequence
from typing import NamedTuple

from analysis.catalog import MeasurementRecord
from analysis.core.registry import Labelled
from components import cracks_results
from components.results import merged
from components.views import Items, Query


class Part(NamedTuple):
    """Results for one input of ``compare.values``, and the measurement of each."""

    input: str
    shown: tuple[Labelled, ...]
    measurements: list[MeasurementRecord]


class Found(NamedTuple):
    parts: tuple[Part, ...] = ()
    items: Items = Items()


def results(query: Query, groups: Sequence[str]) -> Found:
    """Crack measurements, domains and profiles of every particle of the groups, excluded ones too; nothing without the recipes."""
    chosen = cracks_results.specimens(groups)
    if not chosen:
        return Found()
    by_id = {s.id: s.source for s in chosen}
    steps = {
        "cracks": cracks_results.measures(query, chosen),
        "domains": cracks_results.domains(query, chosen),
        "profiles": cracks_results.profiles(query, chosen),
    }
    parts = tuple(Part(name, step.shown, [by_id[i.id] for i in step.shown]) for name, step in steps.items())
    return Found(parts, merged(*(step.pending for step in steps.values())))
