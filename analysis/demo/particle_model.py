"""Forward model of one cycled particle: grains, cracks along their boundaries, domains that cracks cut off, pores, chemistry.

Everything is made on a fine grid, twice as fine as the grid of the chemistry, and averaged onto that: a voxel of the chemistry that a
crack runs through holds less material, and the spectrum of what is left. Grains are the cells of random seeds; a crack runs along the
boundary of two grains. First the boundaries around isolated domains crack, then others in the order of a drawn weakness that
is larger in the core, until cracks fill the drawn part of the envelope. All counts are exact: voxels of the fine grid.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.interpolate import BSpline
from scipy.spatial import cKDTree

from analysis.demo.particle_laws import Build, Chemistry

FINER = 2  # fine voxels along an edge of a voxel of the chemistry
RADIUS = 0.42  # of the cube's edge
CORE = 0.45  # of the radius: cracks become rare beyond it
DOMAIN_PLACES = (0.2, 0.5)  # of the radius
SKIN = 3.0  # fine voxels below the surface that belong to no isolated domain
_FAR = 1e3  # µm, where there is no crack


@dataclass(frozen=True)
class Shape:
    """What a particle is made of, on the fine grid; shape (2n, 2n, 2n).

    grain
        Number of the grain, -1 outside the envelope.
    domain
        Of each grain: 0 the body, 1 … the domains that cracks cut off; shape (grains,).
    crack, pore
        Empty voxels of the envelope.
    """

    voxel_um: float  # of the fine grid
    grain: np.ndarray
    domain: np.ndarray
    crack: np.ndarray
    pore: np.ndarray
    depth_um: np.ndarray  # below the outer surface, along the radius

    @property
    def envelope(self) -> np.ndarray:
        return self.grain >= 0

    @property
    def solid(self) -> np.ndarray:
        return self.envelope & ~self.crack & ~self.pore

    @property
    def isolated(self) -> np.ndarray:
        """Number of the isolated domain that a solid voxel belongs to; 0 elsewhere."""
        return np.where(self.solid, np.append(self.domain, 0)[self.grain], 0).astype(np.int16)

    @property
    def crack_volume_ratio(self) -> float:
        return float(self.crack.sum() / self.envelope.sum())

    @property
    def pore_volume_ratio(self) -> float:
        return float(self.pore.sum() / self.envelope.sum())


@dataclass(frozen=True)
class Material:
    """On the grid of the chemistry, shape (n, n, n): filled fraction of each voxel, and its fraction of the delithiated end.

    ``delithiated`` is NaN where there is no material; ``isolated`` is the domain of most of the material.
    """

    voxel_um: float
    amount: np.ndarray
    delithiated: np.ndarray
    isolated: np.ndarray


def build_shape(build: Build, voxels: int, voxel_um: float, rng: np.random.Generator) -> Shape:
    """A particle of a cube of ``voxels``³ voxels of the chemistry, each ``voxel_um`` long."""
    n, fine_um = voxels * FINER, voxel_um / FINER
    radius = RADIUS * n
    place, distance = _places(n)
    outer = radius * (1 + build.roughness * smooth_field((n,) * 3, 5, rng))
    inside = distance < outer
    seeds = _seeds(radius, build.grain / fine_um, rng)
    grain = np.full(inside.shape, -1, np.int32)
    grain[inside] = cKDTree(seeds).query(place[inside], workers=-1)[1]
    shallow = _shallow(grain, outer - distance, len(seeds))
    domain = _domains(np.where(shallow[:, None], np.inf, seeds), radius, build, rng)
    ratio = build.crack_ratio * float(np.exp(rng.normal(0, build.crack_spread)))
    crack = _cracks(grain, domain, distance / radius, ratio, build.crack_width / fine_um, rng)
    pore = _pores(inside & ~crack, distance / radius, build.pore_ratio, rng)
    return Shape(fine_um, grain, domain, crack, pore, ((outer - distance) * fine_um).astype(np.float32))


def fill(shape: Shape, chemistry: Chemistry, rng: np.random.Generator) -> Material:
    """The chemistry of a particle, averaged over the material of each voxel."""
    n = shape.grain.shape[0]
    fraction = _fraction(shape, chemistry, rng)
    solid = shape.solid
    amount = block_mean(solid)
    held = block_mean(np.where(solid, fraction, 0.0))
    delithiated = np.divide(held, amount, out=np.full(amount.shape, np.nan, np.float32), where=amount > 0)
    cut_off = shape.isolated
    parts = [block_mean(cut_off == k) for k in range(1, int(shape.domain.max(initial=0)) + 1)]
    of = np.zeros((n // FINER,) * 3, np.int16)
    for number, part in enumerate(parts, start=1):
        of[part > amount / 2] = number
    return Material(shape.voxel_um * FINER, amount, delithiated, of)


def block_mean(values: np.ndarray) -> np.ndarray:
    """Means over blocks of 2³ fine voxels, float32."""
    n = values.shape[0] // FINER
    return np.asarray(values.reshape(n, FINER, n, FINER, n, FINER).mean(axis=(1, 3, 5), dtype=np.float32))


def smooth_field(shape: tuple[int, ...], knots: int, rng: np.random.Generator) -> np.ndarray:
    """A random field that varies over about a ``knots``-th of the volume: mean 0, standard deviation 1, float32."""
    field = rng.standard_normal((knots + 3,) * len(shape)).astype(np.float32)
    for axis, n in enumerate(shape):
        between = BSpline(np.arange(-3, knots + 4) / knots, np.eye(knots + 3), 3)((np.arange(n) + 0.5) / n).astype(np.float32)
        field = np.moveaxis(np.tensordot(between, field, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray((field - field.mean()) / field.std())


# -- shape -----------------------------------------------------------------------------------------------------------------


def _places(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Places of voxels from the centre, (n, n, n, 3), and their distance from it; in voxels."""
    axis = np.arange(n, dtype=np.float32) - (n - 1) / 2
    place = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return place, np.sqrt((place**2).sum(axis=-1))


def _seeds(radius: float, grain: float, rng: np.random.Generator) -> np.ndarray:
    """Seeds of the grains in a ball that is a little larger than the particle, evenly scattered; shape (K, 3)."""
    reach = 1.05 * radius
    count = max(30, round(4 / 3 * np.pi * (reach / grain) ** 3))
    drawn = rng.uniform(-reach, reach, (4 * count, 3))
    kept = drawn[(drawn**2).sum(axis=1) < reach**2][:count]
    near = cKDTree(kept).query(kept, k=2)[0][:, 1]
    return np.asarray(kept[near > 0.35 * np.median(near)])


def _shallow(grain: np.ndarray, depth: np.ndarray, grains: int) -> np.ndarray:
    """Which grains come near the surface or lie outside; shape (grains,)."""
    deep = np.ones(grains, bool)
    deep[np.unique(grain[(grain >= 0) & (depth < SKIN)])] = False
    inside = np.bincount(grain[grain >= 0], minlength=grains) > 0
    return ~(deep & inside)


def _domains(seeds: np.ndarray, radius: float, build: Build, rng: np.random.Generator) -> np.ndarray:
    """Which grains form isolated domains: those about centres that lie apart from one another; seeds at infinity take no part."""
    domain = np.zeros(len(seeds), np.int16)
    centers: list[np.ndarray] = []
    for _ in range(200):
        if len(centers) == build.domains:
            break
        way = rng.standard_normal(3)
        center = way / np.linalg.norm(way) * radius * rng.uniform(*DOMAIN_PLACES)
        if all(np.linalg.norm(center - c) > 2.2 * build.domain_radius * radius for c in centers):
            centers.append(center)
    for number, center in enumerate(centers, start=1):
        away = np.linalg.norm(seeds - center, axis=1)
        domain[(away < build.domain_radius * radius) | ((away == away.min()) & np.isfinite(away))] = number
    return domain


@dataclass(frozen=True)
class _Boundaries:
    """Faces between voxels of different grains: the flat index of one side, the axis, and the number of the pair of grains."""

    index: np.ndarray
    axis: np.ndarray
    pair: np.ndarray
    grains: np.ndarray  # of each pair, (P, 2)
    area: np.ndarray  # faces of each pair
    height: np.ndarray  # mean distance from the centre of each pair, over the radius


def _boundaries(grain: np.ndarray, height: np.ndarray) -> _Boundaries:
    indices, axes, codes = [], [], []
    flat = np.arange(grain.size).reshape(grain.shape)
    many = int(grain.max()) + 1
    for axis in range(3):
        low, high = (np.delete(grain, end, axis=axis) for end in (-1, 0))
        between = (low != high) & (low >= 0) & (high >= 0)
        indices.append(np.delete(flat, -1, axis=axis)[between])
        axes.append(np.full(indices[-1].size, axis, np.int8))
        one, two = low[between].astype(np.int64), high[between].astype(np.int64)
        codes.append(np.minimum(one, two) * many + np.maximum(one, two))
    known, pair = np.unique(np.concatenate(codes), return_inverse=True)
    index = np.concatenate(indices)
    area = np.bincount(pair)
    return _Boundaries(
        index,
        np.concatenate(axes),
        pair,
        np.stack([known // many, known % many], axis=1),
        area,
        np.bincount(pair, weights=height.ravel()[index]) / area,
    )


def _cracks(grain: np.ndarray, domain: np.ndarray, height: np.ndarray, ratio: float, width: float, rng: np.random.Generator) -> np.ndarray:
    """Voxels of cracks. ``ratio`` of the envelope is aimed at; ``width`` is the mean width in voxels, 2 at least."""
    found = _boundaries(grain, height)
    chosen = _cracked(found, domain, ratio * float((grain >= 0).sum()) / max(2.0, width), rng)
    faces = chosen[found.pair]
    touched = np.zeros(grain.size, bool)
    touched[found.index[faces]] = True
    touched[found.index[faces] + np.array([grain.shape[0] ** 2, grain.shape[0], 1])[found.axis[faces]]] = True
    if not touched.any():
        return touched.reshape(grain.shape)
    # A voxel beside the face is half a voxel away from it.
    half = np.maximum(1.0, 0.5 * width * (1 + 0.35 * smooth_field(grain.shape, 8, rng)))
    away = ndimage.distance_transform_edt(~touched.reshape(grain.shape))
    return np.asarray((away + 0.5 <= half) & (grain >= 0))


def _cracked(found: _Boundaries, domain: np.ndarray, area: float, rng: np.random.Generator) -> np.ndarray:
    """Which pairs of grains come apart: those around domains, then the weakest that lie below the surface, until ``area`` is reached."""
    around = domain[found.grains[:, 0]] != domain[found.grains[:, 1]]
    inside = domain[found.grains].max(axis=1) > 0
    weakness = rng.exponential(size=around.size) * np.exp(-((found.height / CORE) ** 2))
    weakness[inside & ~around] = -1.0  # a domain stays whole
    order = np.argsort(-weakness - 1e3 * around, kind="stable")
    # Faces of a slanted boundary are a staircase: on average 1.5 times its area.
    grown = np.cumsum(found.area[order]) / 1.5
    taken = np.zeros(around.size, bool)
    taken[order[grown <= area]] = True
    taken[np.argmax(weakness)] |= area > 0  # one boundary at least
    return taken | around


def _pores(free: np.ndarray, height: np.ndarray, ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Round closed pores, three fine voxels across, of about this part of the volume."""
    ball = ndimage.generate_binary_structure(3, 1)
    places = np.flatnonzero(free & (height < 0.85))
    count = round(ratio * int(free.sum()) / int(ball.sum()))
    pore = np.zeros(free.size, bool)
    pore[rng.choice(places, min(count, places.size), replace=False)] = True
    return np.asarray(ndimage.binary_dilation(pore.reshape(free.shape), ball) & free)


# -- chemistry -------------------------------------------------------------------------------------------------------------


def _fraction(shape: Shape, chemistry: Chemistry, rng: np.random.Generator) -> np.ndarray:
    """Fraction of the delithiated end in every voxel of the fine grid, float32."""
    of_grain = rng.normal(0, chemistry.grain, shape.domain.size) + chemistry.isolated * (shape.domain > 0)
    fraction = chemistry.base + rng.normal(0, chemistry.between_particles) + np.append(of_grain, 0).astype(np.float32)[shape.grain]
    fraction += chemistry.smooth * smooth_field(shape.grain.shape, 4, rng)
    fraction += chemistry.near_crack * np.exp(-crack_distance(shape) / chemistry.crack_reach)
    contact = np.clip(0.5 + smooth_field(shape.grain.shape, 6, rng), 0, 1.5)  # good and poor in patches
    fraction += chemistry.surface * contact * np.exp(-np.maximum(shape.depth_um, 0) / chemistry.surface_reach)
    return np.clip(fraction, 0, 1).astype(np.float32)


def crack_distance(shape: Shape) -> np.ndarray:
    """Distance (µm) of every fine voxel from the nearest crack; large where there is none."""
    if not shape.crack.any():
        return np.full(shape.crack.shape, _FAR, np.float32)
    return np.asarray(ndimage.distance_transform_edt(~shape.crack) * shape.voxel_um, np.float32)
