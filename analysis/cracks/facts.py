"""What is measured once in a volume before cracks are looked for: resolution, noise and the exact levels, from an even sample.

Everything that is decided voxel by voxel depends on these numbers and on the voxel's surroundings only. That is why a slab is segmented
as the whole volume is.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from analysis.core.errors import DataError
from analysis.core.numerics.blur import blurred, reach
from analysis.core.numerics.morphology import narrowed, widened
from analysis.core.numerics.parallel import in_parts
from analysis.cracks.allot import UNSHARP
from analysis.cracks.grey import Grey
from analysis.cracks.params import ParticleParams
from analysis.cracks.particles import Box, Particles

BLOCKS_A_SIDE = 3
BLOCK = 28  # voxels a side that are looked at in each
HALO = 18
SURE = 0.995  # the envelope alone, smoothed, is at least this far inside
FEWEST = 500  # voxels
SPREAD = 1.4826  # standard deviation of a Gaussian over its median absolute deviation
CUT = 2.5  # standard deviations beyond which a value is no noise
SHARPEST, WIDEST = 0.45, 8.0  # of the resolution, standard deviation in voxels
FAR, AROUND = 4.0, 3  # standard deviations below the solid that are crack, and voxels about it that are not looked at
SHARP_NOISE = 0.15  # of the contrast: what sharpening may make of the noise
BEYOND = 1.3  # second-order part of the blur, found on phantoms
BLUNT = 2.0  # first guess of the resolution, in voxels


@dataclass(frozen=True)
class Facts:
    """Levels and noise in units of the contrast between the first guesses of solid and void.

    ``edge`` is the standard deviation, in voxels, of the microscope's resolution and the smoothing together; ``noise`` that of the noise
    in the smoothed volume, ``raw_noise`` before smoothing, ``alike`` the correlation of raw noise between neighbours.
    """

    solid: float
    outside: float
    void: float
    edge: float
    smooth: float
    noise: float
    raw_noise: float
    alike: float

    @property
    def contrast(self) -> float:
        return self.solid - self.void

    @property
    def resolution(self) -> float:
        """Standard deviation of the microscope's resolution alone, in voxels."""
        return float(np.sqrt(max(self.edge**2 - self.smooth**2, 0.0)))

    @property
    def sharpening(self) -> float:
        """Strength with which the blur is taken back, as far as the noise allows.

        Taking ``a`` times the difference to a Gaussian u away undoes a blur of variance a u**2 to first order; ``BEYOND`` makes up for
        what is left. Noise under a Gaussian s grows by sqrt(1 + 2 a (1 - q) + a**2 (1 - 2 q + r)) by it, with q and r the correlation
        of the smoothed noise with itself smoothed once more, and the variance of the latter.
        """
        whole = BEYOND * self.edge**2 / UNSHARP**2
        noise = self.noise / self.contrast
        if noise <= 0:
            return float(whole)
        square = 2 * max(self.smooth, 0.5) ** 2
        q, r = ((square / (square + k * UNSHARP**2)) ** 1.5 for k in (1, 2))
        room = max((SHARP_NOISE / noise) ** 2 - 1, 0.0)
        a, b = 1 - 2 * q + r, 1 - q
        return float(min(whole, (np.sqrt(b * b + a * room) - b) / a))

    @property
    def snr(self) -> float:
        return self.contrast / self.raw_noise if self.raw_noise > 0 else float("inf")


def facts_of(grey: Grey, particles: Particles, params: ParticleParams) -> Facts:
    """Resolution from the rise of absorption at the surface; levels and noise from places far from it."""
    boxes, slabs = list(_blocks(particles)), list(_blocks(particles, surface=True))
    both = _each(lambda i: _raw_and_smooth(grey, boxes[i], params.smooth), len(boxes))
    blocks = [_Block(box, raw, smooth) for box, (raw, smooth) in zip(boxes, both, strict=True)]
    first = _levels(blocks, particles.label, float(np.hypot(BLUNT, params.smooth)), params)
    slopes = _each(lambda i: _steepness(grey, particles.label, slabs[i], first), len(slabs))
    return _levels(blocks, particles.label, _edge(np.concatenate(slopes), params.smooth), params)


@dataclass(frozen=True)
class _Block:
    """A part of the volume, raw and smoothed."""

    box: Box
    raw: np.ndarray
    smooth: np.ndarray


def _each(work: Callable[[int], np.ndarray], count: int) -> list[np.ndarray]:
    """``work(0)``, ``work(1)`` …, in threads."""
    found: dict[int, np.ndarray] = {}

    def part(start: int, stop: int) -> None:
        for i in range(start, stop):
            found[i] = work(i)

    in_parts(part, count)
    return [found[i] for i in range(count)]


def _levels(blocks: list[_Block], label: np.ndarray, edge: float, params: ParticleParams) -> Facts:
    """Levels and noise of places that are far from the surface, for a given resolution, and far from cracks."""
    at = _each(lambda i: _at(label, blocks[i].box, edge), len(blocks))
    deep = [a >= SURE for a in at]
    inside = _of(blocks, deep)
    if inside.size < FEWEST:
        raise DataError(
            "The particles are too small for their inside to be told from their surface.",
            hint="Smooth less, or use a tomogram with smaller voxels.",
        )
    solid, noise = clipped(inside)
    clean = _each(lambda i: deep[i] & ~widened((blocks[i].smooth < solid - FAR * noise) & deep[i], AROUND), len(blocks))
    if sum(int(c.sum()) for c in clean) >= FEWEST:
        deep = clean
        solid, noise = clipped(_of(blocks, deep))
    around = _of(blocks, [a <= 1 - SURE for a in at])
    outside = clipped(around)[0] if around.size >= FEWEST else 0.0
    void = 0.0 if params.void is not None else outside
    _, raw_noise = clipped(np.concatenate([block.raw[d] for block, d in zip(blocks, deep, strict=True)]))
    alike = sum(_each(lambda i: _neighbours(blocks[i].raw, deep[i]), len(blocks)), np.zeros(2))
    return Facts(solid, outside, void, edge, params.smooth, noise, raw_noise, float(alike[0] / alike[1]) if alike[1] > 0 else 0.0)


def _of(blocks: list[_Block], where: list[np.ndarray]) -> np.ndarray:
    """Smoothed values of marked places, shape (n,)."""
    return np.concatenate([block.smooth[w] for block, w in zip(blocks, where, strict=True)])


def expected(label: np.ndarray, facts: Facts, start: int, stop: int) -> np.ndarray:
    """How far inside the envelopes voxels of some slices are, as the smoothed volume would show them: 1 deep inside, 1/2 at the surface."""
    halo = reach(facts.edge)
    low, high = max(0, start - halo), min(label.shape[0], stop + halo)
    return blurred(np.asarray(label[low:high]) > 0, facts.edge, inner=slice(start - low, stop - low))


def missing_of(smooth: np.ndarray, at: np.ndarray, facts: Facts) -> np.ndarray:
    """How much of the contrast is missing where the envelope alone would show ``at``, float32: 0 in the solid, 1 in the void."""
    missing = at * np.float32(facts.solid - facts.outside)
    missing += np.float32(facts.outside)
    missing -= smooth
    missing *= np.float32(1 / facts.contrast)
    return missing


def clipped(values: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of the bulk of some values; cracks among them hardly count."""
    middle = float(np.median(values))
    std = SPREAD * float(np.median(np.abs(values - middle)))
    if std == 0:
        return middle, 0.0
    for _ in range(4):
        bulk = values[np.abs(values - middle) <= CUT * std]
        middle = float(bulk.mean())
        std = float(bulk.std() / _NARROWED)
    return middle, std


_NARROWED = float(np.sqrt(1 - 2 * CUT * norm.pdf(CUT) / (2 * norm.cdf(CUT) - 1)))  # of a Gaussian that is cut at CUT


def sample(
    grey: Grey, particles: Particles, facts: Facts, response: Callable[[np.ndarray, np.ndarray], np.ndarray], halo: int
) -> np.ndarray:
    """Values of a filter of (smoothed volume, expected) deep inside the particles, from the same blocks; shape (n,)."""
    boxes = list(_blocks(particles))

    def one(i: int) -> np.ndarray:
        wide, core = _wider(boxes[i], grey.shape, halo)
        at = _at(particles.label, wide, facts.edge)
        return np.asarray(response(_raw_and_smooth(grey, wide, facts.smooth)[1], at)[core][at[core] >= SURE])

    return np.concatenate(_each(one, len(boxes)))


def _blocks(particles: Particles, *, surface: bool = False) -> Iterator[Box]:
    """Blocks evenly over the box around each of the largest particles; for the surface, slabs across it."""
    order = sorted(particles.boxes, key=lambda b: -int(np.prod([s.stop - s.start for s in b])))[:3]
    for box in order:
        if surface:
            for k in range(1, 4):
                z = box[0].start + (box[0].stop - box[0].start) * k // 4
                yield slice(z, z + 1), box[1], box[2]
            continue
        for place in np.ndindex(*(BLOCKS_A_SIDE,) * 3):
            middle = [s.start + (s.stop - s.start) * (2 * p + 1) // (2 * BLOCKS_A_SIDE) for s, p in zip(box, place, strict=True)]
            z, y, x = (slice(max(s.start, m - BLOCK // 2), min(s.stop, m + BLOCK // 2)) for s, m in zip(box, middle, strict=True))
            yield z, y, x


def _wider(box: Box, shape: tuple[int, ...], halo: int) -> tuple[Box, Box]:
    """The box with a halo, as far as the volume goes, and the box inside it."""
    z, y, x = (slice(max(0, s.start - halo), min(n, s.stop + halo)) for s, n in zip(box, shape, strict=True))
    cz, cy, cx = (slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, (z, y, x), strict=True))
    return (z, y, x), (cz, cy, cx)


def _raw_and_smooth(grey: Grey, box: Box, smooth: float) -> np.ndarray:
    """Shape (2, z, y, x)."""
    wide, core = _wider(box, grey.shape, reach(smooth))
    raw = grey.box(wide)
    return np.stack([raw[core], blurred(raw, smooth)[core]])


def _at(label: np.ndarray, box: Box, edge: float) -> np.ndarray:
    """How far inside the envelopes the voxels of a block are (``expected``)."""
    wide, core = _wider(box, label.shape, reach(edge))
    return blurred(label[wide] > 0, edge)[core]


def _steepness(grey: Grey, label: np.ndarray, box: Box, facts: Facts) -> np.ndarray:
    """Length of the gradient, by central differences, where the smoothed absorption is half at the surface of the envelope."""
    wide, core = _wider(box, grey.shape, reach(facts.smooth) + 3)
    smooth = (blurred(grey.box(wide), facts.smooth) - np.float32(facts.outside)) / np.float32(facts.solid - facts.outside)
    inside = label[wide] > 0
    near = widened(inside, 2) & ~narrowed(inside, 2) & (np.abs(smooth - 0.5) < 0.12)
    gradients = np.gradient(smooth) if min(smooth.shape) > 1 else [np.zeros_like(smooth), *np.gradient(smooth[0])]
    length = np.sqrt(sum(g**2 for g in gradients))
    return np.asarray(length[core][near[core]])


def _edge(slopes: np.ndarray, smooth: float) -> float:
    """Standard deviation of a Gaussian edge whose central difference at its middle is the median of the slopes."""
    sharpest = float(np.hypot(SHARPEST, smooth)) if smooth > 0 else SHARPEST
    if slopes.size < 50:
        return sharpest
    slope = float(np.median(slopes))
    found = 1.0 / norm.ppf(min(0.5 + slope, 1 - 1e-6)) if slope > 0 else WIDEST
    return float(np.clip(found, sharpest, WIDEST))


def _neighbours(values: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """Sum of products of neighbouring values about their mean, and of squares, over pairs that are both sure."""
    if sure.sum() < 2:
        return np.zeros(2)
    middle, std = clipped(values[sure])
    off = (values - middle).astype(np.float64)
    sure = sure & (np.abs(off) <= CUT * std)
    total = np.zeros(2)
    for axis in range(3):
        a = tuple(slice(None, -1) if k == axis else slice(None) for k in range(3))
        b = tuple(slice(1, None) if k == axis else slice(None) for k in range(3))
        both = sure[a] & sure[b]
        total += [float((off[a] * off[b])[both].sum()), float((off[a] ** 2)[both].sum())]
    return total
