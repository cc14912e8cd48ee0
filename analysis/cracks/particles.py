"""Particles with their envelopes: touching ones split, cracks and pores inside filled.

Where particles touch they are split on a coarse grid: watershed on the distance to the surface, then basins joined again whose neck is
nearly as wide as the smaller of the two. Envelopes are made at full resolution, particle by particle, so that closing never bridges two
particles.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from analysis.core.errors import DataError
from analysis.core.numerics.boxes import boxes_of
from analysis.core.numerics.components import components, filled
from analysis.core.numerics.edt import distances
from analysis.core.numerics.morphology import closed
from analysis.core.progress import report
from analysis.cracks.grey import Grey, slabs
from analysis.cracks.params import ParticleParams

COARSE = 1 << 18  # voxels of the grid on which particles are told apart
HALF = 0.5
MOST_PARTICLES = 65_000

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Particles:
    """``label`` has the number of the particle in every voxel of its envelope, uint16; ``cut`` lists those at the border."""

    label: np.ndarray
    count: int
    cut: tuple[int, ...]
    boxes: tuple[Box, ...]


def find_particles(grey: Grey, params: ParticleParams) -> Particles:
    """The particles of a volume.

    Raises
    ------
    DataError
        None is large enough.
    """
    solid = np.empty(grey.shape, bool)
    for a, b in slabs(0, grey.shape[0]):
        np.greater(grey.smooth(a, b, params.smooth), HALF, out=solid[a:b])
        report(0.5 * b / grey.shape[0], "particles")
    return envelopes(solid, params)


def envelopes(solid: np.ndarray, params: ParticleParams) -> Particles:
    """Particles and envelopes of a mask of solid."""
    step = max(1, int(np.ceil((solid.size / COARSE) ** (1 / 3))))
    coarse = _told_apart(_coarse(solid, step), step, params)
    label = np.zeros(solid.shape, np.uint16)
    count = 0
    for number, box in enumerate(ndimage.find_objects(coarse), start=1):
        if box is None:
            continue
        part = _refined(solid, coarse, number, step, _fine_box(box, step, solid.shape, params.closing))
        found = _envelope(solid[part.box] & part.inside, params)
        free = label[part.box] == 0
        if int((found & free).sum()) < params.min_particle:
            continue
        count += 1
        label[part.box][found & free] = count
    if count == 0:
        raise DataError(
            f"No particle of at least {params.min_particle} voxels was found.", hint="Check the levels and the smallest particle size."
        )
    return particles_of(label)


def particles_of(label: np.ndarray) -> Particles:
    """Particles from their labels."""
    boxes = boxes_of(label)
    return Particles(label, len(boxes), cut_of(label), boxes)


@dataclass(frozen=True)
class _Part:
    """Where one particle is looked for: a box of the volume and the voxels of it that may belong to the particle."""

    box: Box
    inside: np.ndarray


def _coarse(solid: np.ndarray, step: int) -> np.ndarray:
    """Fraction of solid in blocks of ``step`` voxels a side is at least one half; axes are rounded up."""
    if step == 1:
        return solid
    total: np.ndarray = solid.view(np.uint8)
    for axis in range(3):
        total = np.add.reduceat(total, np.arange(0, total.shape[axis], step), axis=axis, dtype=np.uint16 if step < 40 else np.uint32)
    return total >= HALF * step**3


def _told_apart(coarse: np.ndarray, step: int, params: ParticleParams) -> np.ndarray:
    body = closed(coarse, params.closing / step)
    body = filled(body) if params.fill else body
    parts = components(body, connectivity=6)
    sizes = parts.sizes()
    wanted = np.flatnonzero(sizes >= max(1.0, params.min_particle / step**3))
    wanted = wanted[wanted > 0][np.argsort(-sizes[wanted[wanted > 0]], kind="stable")]
    if wanted.size > MOST_PARTICLES:
        raise DataError(f"There are {wanted.size} particles.", hint="Raise the smallest particle size or the smoothing.")
    names = np.zeros(parts.count + 1, np.int32)
    names[wanted] = np.arange(1, wanted.size + 1)
    label = parts.painted(names)
    return _split(label, params.neck) if params.split else label


def _split(label: np.ndarray, neck: float) -> np.ndarray:
    """Basins of the distance to the surface, joined where the neck between them is wide."""
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    depth = distances(np.pad(label > 0, 1))[1:-1, 1:-1, 1:-1]
    smooth = ndimage.gaussian_filter(depth, 1.0)
    peaks = peak_local_max(smooth, min_distance=2, labels=label, exclude_border=False)
    if len(peaks) <= label.max():
        return label
    markers = np.zeros(label.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    basins = watershed(-smooth, markers, mask=label > 0)
    heights = np.concatenate([[0.0], depth[tuple(peaks.T)]])
    return _joined(basins, depth, heights, neck)


def _joined(basins: np.ndarray, depth: np.ndarray, heights: np.ndarray, neck: float) -> np.ndarray:
    """Join basins from the widest neck on, as long as the neck is wider than ``neck`` times the smaller peak."""
    saddles = _saddles(basins, depth)
    parent = np.arange(heights.size)
    height = heights.copy()

    def root(i: int) -> int:
        while parent[i] != i:
            i = int(parent[i])
        return i

    for (i, j), saddle in sorted(saddles.items(), key=lambda kv: (-kv[1], kv[0])):
        a, b = root(i), root(j)
        if a != b and saddle > neck * min(height[a], height[b]):
            keep, lose = (a, b) if height[a] >= height[b] else (b, a)
            parent[lose] = keep
    roots = np.array([root(i) for i in range(heights.size)])
    names = np.unique(roots[1:], return_inverse=True)[1] + 1
    return np.concatenate([[0], names]).astype(np.int32)[basins]


def _saddles(basins: np.ndarray, depth: np.ndarray) -> dict[tuple[int, int], float]:
    """The deepest place on the border of each two basins that touch."""
    found: dict[tuple[int, int], float] = {}
    for axis in range(3):
        first = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        second = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        a, b = basins[first], basins[second]
        at = (a != b) & (a > 0) & (b > 0)
        low = np.minimum(depth[first][at], depth[second][at])
        for i, j, d in zip(a[at].tolist(), b[at].tolist(), low.tolist(), strict=True):
            pair = (min(i, j), max(i, j))
            found[pair] = max(found.get(pair, 0.0), d)
    return found


def _fine_box(box: Box, step: int, shape: tuple[int, ...], closing: float) -> Box:
    rim = int(np.ceil(closing)) + 2 * step
    z, y, x = (slice(max(0, s.start * step - rim), min(n, s.stop * step + rim)) for s, n in zip(box, shape, strict=True))
    return z, y, x


def _refined(solid: np.ndarray, coarse: np.ndarray, number: int, step: int, box: Box) -> _Part:
    """The voxels nearer to this particle than to any other, from the coarse labels, with smooth borders between particles."""
    shape = tuple(s.stop - s.start for s in box)
    if coarse.max() == 1:
        return _Part(box, np.ones(shape, bool))
    low = [max(0, s.start // step - 1) for s in box]
    high = [min(n, -(-s.stop // step) + 1) for s, n in zip(box, coarse.shape, strict=True)]
    near = coarse[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    own, other = near == number, (near > 0) & (near != number)
    if not other.any():
        return _Part(box, np.ones(shape, bool))
    nearer = _signed(other) - _signed(own)
    points = [(np.arange(s.start, s.stop, dtype=np.float64) + 0.5) / step - 0.5 - a for s, a in zip(box, low, strict=True)]
    return _Part(box, _interpolated(nearer, points) > 0)


def _signed(mask: np.ndarray) -> np.ndarray:
    """Distance to a mask: positive outside, negative inside."""
    return distances(~mask) - distances(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]


def _interpolated(values: np.ndarray, points: list[np.ndarray]) -> np.ndarray:
    """Linear interpolation along each axis in turn; beyond the ends the end's value."""
    out = values.astype(np.float32)
    for axis, at in enumerate(points):
        last = out.shape[axis] - 1
        low = np.clip(np.floor(at), 0, max(last - 1, 0)).astype(int)
        part = np.clip(at - low, 0.0, 1.0).astype(np.float32)
        shape = [1, 1, 1]
        shape[axis] = at.size
        part = part.reshape(shape)
        out = out.take(low, axis=axis) * (1 - part) + out.take(np.minimum(low + 1, last), axis=axis) * part
    return out


def _envelope(mask: np.ndarray, params: ParticleParams) -> np.ndarray:
    """Closed and filled; of what is left only the parts that are not dust."""
    body = closed(mask, params.closing)
    body = filled(np.pad(body, 1))[1:-1, 1:-1, 1:-1] if params.fill else body
    parts = components(body, connectivity=6)
    sizes = parts.sizes()
    return parts.painted(sizes == sizes.max()) if parts.count else body


def cut_of(label: np.ndarray) -> tuple[int, ...]:
    """Numbers of the particles that reach the border of the volume."""
    faces = [f for axis in range(3) if label.shape[axis] > 1 for f in (label.take(0, axis), label.take(-1, axis))]
    found = np.unique(np.concatenate([f.ravel() for f in faces])) if faces else np.array([], int)
    return tuple(int(n) for n in found if n > 0)
