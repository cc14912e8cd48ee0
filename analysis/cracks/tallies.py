"""Sums over the voxels of cracks and particles in one pass.

What is known of every voxel of a crack (radial position, width) stands in one row, run after run as in the cracks' ``Components``: cracks
are a small part of a volume.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from analysis.core.numerics.components import Components
from analysis.core.numerics.edt import distances
from analysis.core.numerics.morphology import wider
from analysis.cracks.masks import Masks


@dataclass(frozen=True)
class CrackSums:
    """Of each crack, shape (n + 1,) each, label 0 unused.

    ``particle`` is the particle of most of its voxels' runs; ``middle`` has shape (n + 1, 3), mean coordinates in voxels, z, y, x.
    """

    size: np.ndarray
    particle: np.ndarray
    widest: np.ndarray
    radial: np.ndarray
    middle: np.ndarray


def crack_sums(cracks: Components, label: np.ndarray, radial: np.ndarray, width: np.ndarray) -> CrackSums:
    """Sums over each crack of the radial position (0 core … 1 surface), the width and the coordinates of its voxels.

    ``label`` has shape (z, y, x), the particle of each voxel; ``radial`` and ``width`` have shape (voxels of cracks,).
    """
    n = cracks.count + 1
    sums = np.zeros((n, 4))
    widest = np.zeros(n, np.float32)
    _sum_cracks(cracks.row, cracks.start, cracks.stop, cracks.label, cracks.first(), cracks.shape[1], radial, width, sums, widest)
    size = cracks.sizes()
    with np.errstate(invalid="ignore"):
        means = sums / size[:, None]
    return CrackSums(size, _owners(cracks, label.reshape(-1, label.shape[-1])), widest, means[:, 0], means[:, 1:])


def _owners(cracks: Components, label: np.ndarray) -> np.ndarray:
    """The particle in which a crack has most of its length along x, from the first voxel of each run."""
    own = label[cracks.row, cracks.start].astype(np.int64)
    pairs, inverse = np.unique(cracks.label.astype(np.int64) * 65536 + own, return_inverse=True)
    voxels = np.bincount(inverse.ravel(), cracks.stop - cracks.start)
    found = np.zeros(cracks.count + 1, np.int64)
    order = np.argsort(voxels, kind="stable")
    found[pairs[order] // 65536] = pairs[order] % 65536
    return found


@njit(nogil=True, cache=True)
def _sum_cracks(row, start, stop, label, first, height, radial, width, sums, widest):  # type: ignore[no-untyped-def]
    for i in range(row.size):
        n, r = label[i], row[i]
        z, y = r // height, r % height
        for x in range(start[i], stop[i]):
            k = first[i] + x - start[i]
            sums[n, 0] += radial[k]
            sums[n, 1] += z
            sums[n, 2] += y
            sums[n, 3] += x
            widest[n] = max(widest[n], width[k])


@dataclass(frozen=True)
class Positions:
    """Radial positions, 1 at the surface of a particle, 0 at the place farthest from it.

    ``radial`` is that of every voxel of a crack, (voxels,), float32; ``envelope`` has the voxels of each particle, (particles + 1,);
    ``shells`` those of each particle in shells of equal steps of the radial position, (particles + 1, shells).
    """

    radial: np.ndarray
    envelope: np.ndarray
    shells: np.ndarray


def positions(masks: Masks, cracks: Components, shells: int) -> Positions:
    """Radial positions, particle by particle in its own box: another particle that touches it is outside."""
    first = cracks.first()
    count = masks.particles.count + 1
    found = Positions(np.zeros(int(first[-1]), np.float32), np.zeros(count, np.int64), np.zeros((count, shells), np.int64))
    for number, box in enumerate(masks.particles.boxes, start=1):
        part = wider(box, 1, masks.label.shape)
        own = masks.label[part] == number
        depth = distances(own, masks.voxel)
        deepest = float(depth.max(initial=0.0))
        if 0 < deepest < np.inf:
            _relative(depth, own, np.float32(deepest), found.shells[number])
        else:  # it fills the volume: no surface is seen
            depth[:] = 0.0
            found.shells[number, 0] = np.count_nonzero(own)
        found.envelope[number] = found.shells[number].sum()
        runs, origin = cracks.between(part[0].start, part[0].stop), np.array([s.start for s in part])
        _gather(cracks.row[runs], cracks.start[runs], cracks.stop[runs], first[runs], cracks.shape[1], origin, own, depth, found.radial)
    return found


@njit(nogil=True, cache=True)
def _relative(depth, own, deepest, shells):  # type: ignore[no-untyped-def]
    """Depths turned into radial positions, in place, and counted in shells."""
    n = shells.size
    for z in range(depth.shape[0]):
        for y in range(depth.shape[1]):
            for x in range(depth.shape[2]):
                if own[z, y, x]:
                    depth[z, y, x] = 1 - depth[z, y, x] / deepest
                    shells[min(int(depth[z, y, x] * n), n - 1)] += 1


@njit(nogil=True, cache=True)
def _gather(row, start, stop, first, height, origin, own, values, out):  # type: ignore[no-untyped-def]
    """Values of a box in the voxels of runs that are ``own``."""
    _, rows, width = own.shape
    for i in range(row.size):
        z, y = row[i] // height - origin[0], row[i] % height - origin[1]
        if y < 0 or y >= rows:
            continue
        for x in range(max(start[i], origin[2]), min(stop[i], origin[2] + width)):
            if own[z, y, x - origin[2]]:
                out[first[i] + x - start[i]] = values[z, y, x - origin[2]]


@dataclass(frozen=True)
class Shells:
    """Voxels in shells of equal steps of the radial position and in classes of width, of the particles that count."""

    envelope: np.ndarray
    crack: np.ndarray
    width: np.ndarray


def shells(
    cracks: Components, label: np.ndarray, found: Positions, width: np.ndarray, counted: np.ndarray, classes: tuple[int, float]
) -> Shells:
    """Counts over the particles for which ``counted`` (count + 1,) says so; ``classes``: of width, and the width of one."""
    many, step = classes
    made = Shells(found.shells[counted].sum(axis=0), np.zeros(found.shells.shape[1], np.int64), np.zeros(many, np.int64))
    flat = label.reshape(-1, label.shape[-1])
    _count(cracks.row, cracks.start, cracks.stop, cracks.first(), flat, counted, found.radial, width, step, made.crack, made.width)
    return made


@njit(nogil=True, cache=True)
def _count(row, start, stop, first, label, counted, radial, width, step, cracked, widths):  # type: ignore[no-untyped-def]
    n, m = cracked.size, widths.size
    for i in range(row.size):
        for x in range(start[i], stop[i]):
            if not counted[label[row[i], x]]:
                continue
            k = first[i] + x - start[i]
            cracked[min(int(radial[k] * n), n - 1)] += 1
            widths[min(int(width[k] / step), m - 1)] += 1
