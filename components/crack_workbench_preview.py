"""What the workbench draws over slices before anything is stored: cracks of the whole of a small volume, or of a slab about the slice.

Envelopes, resolution and noise depend on the parameters of particles alone. They are kept between requests, and so is what of a slab
does not depend on the limits of cracks: while these are tried, only limits are tried. Of volumes above ``INLINE_VOXELS`` the particles are
found by a job, once.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from flask import copy_current_request_context

from analysis.catalog import MeasurementRecord
from analysis.core import settings
from analysis.core.data import warnings_of
from analysis.core.errors import DataError, UserError
from analysis.core.run import Request
from analysis.cracks.adopt import checked_size
from analysis.cracks.facts import Facts
from analysis.cracks.finding import Limits, Slab, find_cracks, find_in, limits_of, slab_of, slices_about
from analysis.cracks.grey import Grey
from analysis.cracks.masks import checked_shape, masks_of, remarks_of
from analysis.cracks.params import CrackParams, ParticleParams
from analysis.cracks.particles import Particles
from analysis.cracks.segment import prepared, volume_of
from analysis.cracks.strokes import painted
from analysis.schemas import EDGE_MAP, STACK, VOLUME, VOXEL
from components import crack_settings, particle_view
from components.context import workspace
from components.crack_workbench_levels import Counts, counts_of
from components.edge_maps import dimensionality_of, particle_name, schema_of
from components.kept import Kept
from components.particle_view import NotYet
from components.views import Query

INLINE_VOXELS = 1 << 21  # above it, particles are found by a job and cracks in slabs
PARTICLES = "cracks.particles"
ENVELOPE, CRACK, ADDED, TAKEN, CUT = 1, 2, 4, 8, 16  # what a voxel is, added up
AXES = ("z", "y", "x")
ROOM = min(max(settings.memory_bytes() // 16, 128 << 20), 1 << 30)
HELD = (VOLUME.name, STACK.name, EDGE_MAP.name)
Source = Literal["result", "whole", "slab", "mask"]


@dataclass(frozen=True)
class Ground:
    """A volume with its particles, levels and noise; or why it has none."""

    source: xr.Dataset
    grey: Grey
    particles: Particles
    facts: Facts

    @property
    def nbytes(self) -> int:
        small = self.source["density"].size <= INLINE_VOXELS
        return int(self.particles.label.nbytes + (self.source["density"].nbytes if small else 0))


@dataclass(frozen=True)
class Shown:
    """One slice of the preview: ``codes`` (rows, columns) uint8; ``ratio`` where the whole volume was looked at."""

    codes: np.ndarray
    source: Source
    ratio: float | None = None


@dataclass(frozen=True)
class Block:
    """Consecutive slices across an axis, from ``start`` on."""

    start: int
    codes: np.ndarray


_GROUNDS: Kept[Ground | UserError] = Kept(ROOM, lambda g: g.nbytes if isinstance(g, Ground) else 0)
_SLABS: Kept[Slab] = Kept(ROOM, lambda s: s.nbytes)
_FOUND: Kept[np.ndarray] = Kept(ROOM // 4, lambda a: a.nbytes)
_BLOCKS: Kept[Block] = Kept(ROOM // 4, lambda b: b.codes.nbytes)
_LIMITS: Kept[Limits] = Kept(1000)
_COUNTS: Kept[Counts] = Kept(200)
_BESIDE = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cracks")


# -- what is segmented -------------------------------------------------------------------------------------------------------


def volumes() -> list[MeasurementRecord]:
    """Measurements in which cracks can be looked for: tomograms, stacks and maps of volumes."""
    every = [m for m in workspace().snapshot().measurements if m.dataset_keys and schema_of(m) in HELD]
    return [m for m in every if dimensionality_of(m) == "3D"]


def chosen(query: Query) -> MeasurementRecord | None:
    """The measurement that the address names, else the first tomogram, else the first of all."""
    every = volumes()
    wanted = next((m for m in every if str(m.id) == query.get("particle", "")), None)
    first = next((m for m in every if schema_of(m) == VOLUME.name), every[0] if every else None)
    return wanted or first


def inputs_of(m: MeasurementRecord, query: Query) -> dict[str, str]:
    """The volume of a measurement as recipes take it; NotYet where the edge jump of a stack is still being made."""
    if schema_of(m) == VOLUME.name:
        return {"volume": m.dataset_keys[0]}
    return {"edges": particle_view.edges_of(m, query)}


def picture_of(inputs: Mapping[str, str]) -> tuple[str, str]:
    """Key and variable of the slices that masks are drawn over."""
    return (inputs["volume"], "density") if "volume" in inputs else (inputs["edges"], "edge_jump")


def opened(inputs: Mapping[str, str]) -> xr.Dataset:
    """The volume in which cracks are looked for."""
    return volume_of(**{name: workspace().store.open(key) for name, key in inputs.items()})


# -- what is decided once ----------------------------------------------------------------------------------------------------


def particle_params(params: CrackParams) -> ParticleParams:
    """The part of the parameters that particles depend on."""
    return ParticleParams.check({n: getattr(params, n) for n in ParticleParams.model_fields})


def ground_of(m: MeasurementRecord, inputs: Mapping[str, str], params: CrackParams) -> Ground:
    """Particles, levels and noise of a volume, kept from request to request.

    Raises
    ------
    NotYet
        A job finds the particles.
    UserError
        There are none, or the volume has no contrast.
    """
    own = particle_params(params)
    found = _GROUNDS.get(_place(inputs, own), lambda: _ground(m, inputs, own))
    if isinstance(found, UserError):
        raise found
    return found


def warm(m: MeasurementRecord, inputs: Mapping[str, str], params: CrackParams) -> None:
    """Have ``ground_of`` ready for the first change, while something stored is shown."""
    place = _place(inputs, particle_params(params))
    if place in _GROUNDS:
        return

    @copy_current_request_context
    def look() -> None:
        with suppress(NotYet, UserError):
            ground_of(m, inputs, params)

    _BESIDE.submit(look)


def known_ground(inputs: Mapping[str, str], params: CrackParams) -> Ground | UserError | None:
    """What ``ground_of`` found before; None while it is looked for."""
    return _GROUNDS.peek(_place(inputs, particle_params(params)))


def _ground(m: MeasurementRecord, inputs: Mapping[str, str], own: ParticleParams) -> Ground | UserError:
    params = CrackParams.check(own.model_dump())
    try:
        source = opened(inputs)
        if source["density"].size > INLINE_VOXELS:
            request = Request(recipe=PARTICLES, inputs=dict(inputs), params=own.model_dump(mode="json"))
            known = workspace().store.open(particle_view.obtained(request, f"Particles of {particle_name(m)}"))
            made = prepared(source, params, known)
        else:
            source = source.load()
            made = prepared(source, params)
    except UserError as err:
        return err
    return Ground(source, made.grey, made.particles, made.facts)


def _place(inputs: Mapping[str, str], params: ParticleParams) -> tuple[str, ...]:
    return (str(workspace().root), json.dumps(dict(inputs), sort_keys=True), params.model_dump_json())


def limits_in(ground: Ground, inputs: Mapping[str, str], params: CrackParams) -> Limits:
    """Where a crack begins and down to which answer it goes on."""
    return _LIMITS.get(_place(inputs, params), lambda: limits_of(ground.grey, ground.particles, ground.facts, params))


def counts_in(ground: Ground, inputs: Mapping[str, str], params: CrackParams) -> Counts:
    """The histogram of a volume's grey values."""
    return _COUNTS.get(_place(inputs, particle_params(params)), lambda: counts_of(ground.grey, ground.particles.label, params))


# -- slices ------------------------------------------------------------------------------------------------------------------


def slice_of(m: MeasurementRecord, query: Query, axis: int, index: int) -> Shown:
    """The codes of one slice under the settings of the address, with the strokes of the measurement, or of its imported mask."""
    inputs, strokes = inputs_of(m, query), _strokes(m)
    mask = crack_settings.mask(m)
    if mask is not None:
        return _of_mask(mask, inputs, strokes, axis, index)
    params = crack_settings.params(query, m.group)
    ground = ground_of(m, inputs, params)
    _checked_index(ground.grey.shape, axis, index)
    if ground.source["density"].size <= INLINE_VOXELS:
        return _of_whole(ground, inputs, params, strokes, axis, index)
    return _of_slab(ground, inputs, params, strokes, axis, index)


def _strokes(m: MeasurementRecord) -> xr.Dataset | None:
    key = crack_settings.strokes(m)
    return workspace().store.open(key) if key else None


def _checked_index(shape: tuple[int, ...], axis: int, index: int) -> None:
    if not 0 <= index < shape[axis]:
        raise DataError(f"There are {shape[axis]} slices along {AXES[axis]}.", hint="Choose one of them.")


def _of_mask(mask: MeasurementRecord, inputs: Mapping[str, str], strokes: xr.Dataset | None, axis: int, index: int) -> Shown:
    held, like = workspace().store.open(mask.dataset_keys[0]), opened(inputs)
    checked_shape(held, like, "mask")
    checked_size(held, like)
    _checked_index(tuple(like["density"].shape), axis, index)
    part = {AXES[axis]: slice(index, index + 1)}
    label, crack = (np.moveaxis(held[n].isel(part).to_numpy(), axis, 0) for n in ("particle", "crack"))
    return Shown(codes_of(label, crack != 0, strokes, axis, index, ())[0], "mask")


def _of_whole(ground: Ground, inputs: Mapping[str, str], params: CrackParams, strokes: xr.Dataset | None, axis: int, index: int) -> Shown:
    place = _place(inputs, params)
    limits = limits_in(ground, inputs, params)
    found = _FOUND.get(place, lambda: find_cracks(ground.grey, ground.particles, ground.facts, limits, params))
    label, cut = ground.particles.label, ground.particles.cut
    after = painted(found, strokes) if strokes is not None else found
    counted = (label > 0) & ~np.isin(label, cut) if cut else label > 0
    whole = int(counted.sum())
    part: tuple[slice, ...] = tuple(slice(index, index + 1) if a == axis else slice(None) for a in range(3))
    codes = codes_of(np.moveaxis(label[part], axis, 0), np.moveaxis(found[part], axis, 0), strokes, axis, index, cut)[0]
    return Shown(codes, "whole", float((after & counted).sum() / whole) if whole else None)


def _of_slab(ground: Ground, inputs: Mapping[str, str], params: CrackParams, strokes: xr.Dataset | None, axis: int, index: int) -> Shown:
    depth = ground.grey.shape[axis]
    low, high = slices_about(index, index + 1, depth)
    at = (*_place(inputs, particle_params(params)), axis, low, high, params.detector, params.sheet_scale, params.tophat)

    def slab() -> Slab:
        turned = Grey(ground.grey.density.transpose(*turned_axes(axis)), ground.grey.solid, ground.grey.void)
        return slab_of(turned, np.moveaxis(ground.particles.label, axis, 0), ground.facts, params, low, high)

    def block() -> Block:
        own = _SLABS.get(at, slab)
        found = find_in(own, ground.facts, limits_in(ground, inputs, params), params)
        return Block(low, found)

    place = (*_place(inputs, params), axis, low, high)
    held = _BLOCKS.get(place, block)
    label = np.moveaxis(ground.particles.label, axis, 0)[index : index + 1]
    codes = codes_of(label, held.codes[index - low : index - low + 1], strokes, axis, index, ground.particles.cut)
    return Shown(codes[0], "slab")


def turned_axes(axis: int) -> tuple[str, ...]:
    """The dimensions with one of them first, the others in their order."""
    return (AXES[axis], *(a for a in AXES if a != AXES[axis]))


def codes_of(label: np.ndarray, crack: np.ndarray, strokes: xr.Dataset | None, axis: int, first: int, cut: tuple[int, ...]) -> np.ndarray:
    """What each voxel of some slices is, the sum of ENVELOPE, CRACK, ADDED, TAKEN and CUT; shape as given, uint8.

    Parameters
    ----------
    label, crack
        Shape (slices, rows, columns): slices across ``axis``, the first of which has the number ``first``.
    """
    inside = label > 0
    after = crack
    if strokes is not None:
        turned = strokes.rename({name: VOXEL[k] for k, name in enumerate(turned_axes(axis)) if name != VOXEL[k]})
        after = painted(np.ascontiguousarray(crack), turned, first=first)
    codes = inside.astype(np.uint8)
    codes[inside & after] |= CRACK
    codes[inside & after & ~crack] |= ADDED
    codes[inside & crack & ~after] |= TAKEN
    if cut:
        codes[np.isin(label, cut)] |= CUT
    return codes


def stored_slice(key: str, axis: int, index: int) -> np.ndarray:
    """The codes of one slice of a stored segmentation, shape (rows, columns)."""
    held = workspace().store.open(key)
    _checked_index(tuple(held["crack"].shape), axis, index)
    part = {AXES[axis]: slice(index, index + 1)}
    label, crack = (np.moveaxis(held[n].isel(part).to_numpy(), axis, 0) for n in ("particle", "crack"))
    return codes_of(label, crack != 0, None, axis, index, ())[0]


# -- what is said of it --------------------------------------------------------------------------------------------------------


def remarks(ground: Ground) -> list[str]:
    """What must be said of a volume and its particles before its cracks are measured."""
    count = ground.particles.count
    several = [f"{count} particles were found in this volume."] if count > 1 else []
    return [*several, *warnings_of(ground.source), *remarks_of(ground.particles.label, ground.source)]


def remarks_of_mask(mask: MeasurementRecord, inputs: Mapping[str, str]) -> list[str]:
    """What must be said of an imported mask; raises where it does not fit its volume or is empty."""
    held, like = workspace().store.open(mask.dataset_keys[0]), opened(inputs)
    checked_shape(held, like, "mask")
    checked_size(held, like)
    return [*remarks_of(masks_of(held).label, like), *warnings_of(held)]
