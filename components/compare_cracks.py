"""Cracks of the particles of a comparison, with the recipes' own settings: segmented, measured, domains, distance profile.

A particle's tomogram is taken where it has one, else its edge map. Slopes against distance need an edge map, in which cracks are then
found too, because both must lie on one grid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from analysis.catalog import MeasurementRecord
from analysis.core.registry import Labelled
from analysis.core.run import Request
from analysis.schemas import VOLUME
from components import edge_maps
from components.context import workspace
from components.edge_maps import READABLE, dimensionality_of, each, particle_name, schema_of
from components.results import merged, obtain
from components.views import Items, Query

Inputs = Callable[[MeasurementRecord], Mapping[str, str]]


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
    if "cracks" not in workspace().registry.modalities:
        return Found()
    mine = [m for m in workspace().snapshot().measurements if m.modality == edge_maps.MODALITY and m.group in groups and m.dataset_keys]
    volumes = [m for m in mine if schema_of(m) == VOLUME.name]
    mapped = [m for m in mine if schema_of(m) in READABLE and dimensionality_of(m) == "3D"]
    edges = edge_maps.edge_maps(query, mapped)
    maps = {i.id: i.key for i in edges.shown}
    mapped = [m for m in mapped if str(m.id) in maps]
    in_volumes = _step("cracks.segment", volumes, lambda m: {"volume": m.dataset_keys[0]})
    in_maps = _step("cracks.segment", mapped, lambda m: {"edges": maps[str(m.id)]})
    best = {**_by_particle(in_maps, mapped), **_by_particle(in_volumes, volumes)}
    masks = {i.id: i.key for i in (*in_volumes.shown, *in_maps.shown)}
    chosen = sorted(best.values(), key=lambda m: m.id)
    sides = [m for m in mapped if str(m.id) in masks]
    measured = _step("cracks.measure", chosen, lambda m: {"segmentation": masks[str(m.id)]})
    domains = _step("cracks.domains", chosen, lambda m: {"segmentation": masks[str(m.id)]})
    profiles = _step("cracks.distance_profile", sides, lambda m: {"segmentation": masks[str(m.id)], "edges": maps[str(m.id)]})
    every = merged(*(replace(i, shown=()) for i in (edges, in_volumes, in_maps, measured, domains, profiles)))
    parts = (_part("cracks", measured, chosen), _part("domains", domains, chosen), _part("profiles", profiles, sides))
    return Found(parts, every)


def _step(recipe: str, measurements: Sequence[MeasurementRecord], inputs: Inputs) -> Items:
    title = workspace().registry.recipe(recipe).title
    return each(
        measurements,
        lambda m: obtain(Request(recipe=recipe, inputs=dict(inputs(m))), title=f"{title}: {particle_name(m)}, {m.state or ''}"),
    )


def _by_particle(items: Items, measurements: Sequence[MeasurementRecord]) -> dict[tuple[int, int | None, str | None], MeasurementRecord]:
    """The measurement that was segmented, by particle and state."""
    done = {i.id for i in items.shown}
    return {(m.cell_id, m.particle_id, m.state): m for m in measurements if str(m.id) in done}


def _part(name: str, items: Items, measurements: Sequence[MeasurementRecord]) -> Part:
    by_id = {str(m.id): m for m in measurements}
    return Part(name, items.shown, [by_id[i.id] for i in items.shown])
