"""Sums over the voxels of cracks and particles in one pass."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from analysis.core.numerics.components import Components


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
    """Sums over each crack of the radial position (0 core … 1 surface), the width and the coordinates of its voxels."""
    n = cracks.count + 1
    sums = np.zeros((n, 4))
    widest = np.zeros(n, np.float32)
    flat = [a.reshape(-1, a.shape[-1]) for a in (label, radial, width)]
    _sum_cracks(cracks.row, cracks.start, cracks.stop, cracks.label, cracks.shape[1], flat[1], flat[2], sums, widest)
    size = cracks.sizes()
    with np.errstate(invalid="ignore"):
        means = sums / size[:, None]
    return CrackSums(size, _owners(cracks, flat[0]), widest, means[:, 0], means[:, 1:])


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
def _sum_cracks(row, start, stop, label, height, radial, width, sums, widest):  # type: ignore[no-untyped-def]
    for i in range(row.size):
        n, r = label[i], row[i]
        z, y = r // height, r % height
        for x in range(start[i], stop[i]):
            sums[n, 0] += radial[r, x]
            sums[n, 1] += z
            sums[n, 2] += y
            sums[n, 3] += x
            widest[n] = max(widest[n], width[r, x])


@dataclass(frozen=True)
class Shells:
    """Voxels in shells of equal steps of the radial position and in classes of width, of the particles that count."""

    envelope: np.ndarray
    crack: np.ndarray
    width: np.ndarray


def shells(
    label: np.ndarray, crack: np.ndarray, radial: np.ndarray, width: np.ndarray, counted: np.ndarray, bins: tuple[int, int, float]
) -> Shells:
    """Counts over the particles for which ``counted`` (count + 1,) says so; ``bins``: shells, classes of width, width of a class."""
    n_shells, n_widths, step = bins
    found = Shells(np.zeros(n_shells, np.int64), np.zeros(n_shells, np.int64), np.zeros(n_widths, np.int64))
    flat = [a.reshape(-1) for a in (label, crack, radial, width)]
    _shells(flat[0], flat[1], flat[2], flat[3], counted, step, found.envelope, found.crack, found.width)
    return found


@njit(nogil=True, cache=True)
def _shells(label, crack, radial, width, counted, step, envelope, cracked, widths):  # type: ignore[no-untyped-def]
    n, m = envelope.size, widths.size
    for i in range(label.size):
        if not counted[label[i]]:
            continue
        shell = min(int(radial[i] * n), n - 1)
        envelope[shell] += 1
        if crack[i]:
            cracked[shell] += 1
            widths[min(int(width[i] / step), m - 1)] += 1


def radial_position(depth: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """1 at the surface of a particle, 0 at the place farthest from it; computed in the memory of ``depth``, float32."""
    deepest = np.zeros(count + 1, np.float32)
    flat, names = depth.reshape(-1), label.reshape(-1)
    _deepest(flat, names, deepest)
    _relative(flat, names, deepest)
    return depth


@njit(nogil=True, cache=True)
def _deepest(depth, label, deepest):  # type: ignore[no-untyped-def]
    for i in range(depth.size):
        deepest[label[i]] = max(deepest[label[i]], depth[i])


@njit(nogil=True, cache=True)
def _relative(depth, label, deepest):  # type: ignore[no-untyped-def]
    for i in range(depth.size):
        depth[i] = 1 - depth[i] / deepest[label[i]] if label[i] > 0 and deepest[label[i]] > 0 else 0.0
