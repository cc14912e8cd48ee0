"""Cracks inside known envelopes: of a whole volume, or of a slab of it with the same result.

1. What is missing in a voxel: the envelope alone as the microscope would show it, less what it does show. The particle's own blurred
   surface is no crack.
2. A detector answers to what is missing. A crack begins where the answer is far above the noise, and goes on while it is above less.
3. Its walls are drawn around: at half the contrast, or so that its volume is the absorption that is missing (``allot``).

Steps 1 and 3 and the answers of 2 look at a voxel's surroundings only (``halo`` slices). Whether a place that is above the lower limit
only belongs to a crack, and whether a crack is large enough, depends on all that is connected: in a slab it is decided by what lies within
the slab.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy.stats import norm

from analysis.core.numerics.blur import reach
from analysis.core.numerics.components import Components, kept
from analysis.core.numerics.morphology import box_closing, widened
from analysis.core.numerics.parallel import in_parts
from analysis.core.progress import report
from analysis.cracks.allot import CELL, HALO, allotted, sharpened
from analysis.cracks.facts import Facts, clipped, expected, missing_of, sample
from analysis.cracks.grey import Grey, slabs
from analysis.cracks.params import CrackParams
from analysis.cracks.particles import Particles
from analysis.cracks.sheets import sheetness

SPREAD_BEYOND = 2  # voxels by which the zone of a crack reaches beyond what is above the lower limit
NEIGHBOURS = 16  # slices beyond the slab in which connections are followed
BEGINS = 2  # of marks; 1: may go on
HALF = 0.5


@dataclass(frozen=True)
class Limits:
    """Answers of the detector at which a crack begins and down to which it goes on; ``level`` is what the plain solid answers."""

    begin: float
    on: float
    level: float = 0.0


def find_cracks(grey: Grey, particles: Particles, facts: Facts, limits: Limits, params: CrackParams) -> np.ndarray:
    """The cracks of the whole volume, shape (z, y, x), bool."""
    missing, marks = np.empty(grey.shape, np.float32), np.empty(grey.shape, np.uint8)
    for a, b in slabs(0, grey.shape[0]):
        slab = slab_of(grey, particles.label, facts, params, a, b)
        missing[a:b], marks[a:b] = slab.missing, _marks(slab, facts, limits, params)
        report(0.7 * b / grey.shape[0], "cracks")
    found = _connected(marks, params.min_crack)
    del marks
    zone = widened(found, SPREAD_BEYOND)
    del found
    return _walls(missing, zone, particles.label, facts, params)


@dataclass(frozen=True)
class Slab:
    """Some slices with all that is decided without the limits: what is missing, and what the detector answers to it."""

    start: int  # number of the first slice in the volume
    label: np.ndarray
    at: np.ndarray
    missing: np.ndarray
    answer: np.ndarray
    sharpening: float

    @cached_property
    def order(self) -> np.ndarray:
        """In which order voxels become crack: the highest first."""
        return sharpened(self.missing, self.sharpening, slice(0, len(self.missing)))

    @property
    def nbytes(self) -> int:
        own = () if self.answer is self.missing else (self.answer,)
        return sum(a.nbytes for a in (self.label, self.at, self.missing, self.missing, *own))


def find_in_slab(grey: Grey, label: np.ndarray, facts: Facts, limits: Limits, params: CrackParams, start: int, stop: int) -> np.ndarray:
    """The cracks in slices ``start`` … ``stop`` from a slab around them; as in the whole volume, but for distant connections.

    Parameters
    ----------
    label
        Particles of the whole volume, shape (z, y, x); only the slab of it is read.

    Returns
    -------
    np.ndarray
        Shape (stop - start, y, x), bool.
    """
    slab = slab_of(grey, label, facts, params, *slices_about(start, stop, grey.shape[0]))
    return find_in(slab, facts, limits, params)[start - slab.start : stop - slab.start]


def slices_about(start: int, stop: int, depth: int) -> tuple[int, int]:
    """The slices that those from ``start`` to ``stop`` are decided from."""
    rim = NEIGHBOURS + SPREAD_BEYOND
    return max(0, start - rim) // CELL * CELL, min(depth, -(-(stop + rim) // CELL) * CELL)


def find_in(slab: Slab, facts: Facts, limits: Limits, params: CrackParams) -> np.ndarray:
    """The cracks of a slab, bool; right but for its outermost slices."""
    zone = widened(_connected(_marks(slab, facts, limits, params), params.min_crack), SPREAD_BEYOND)
    inside = slab.label > 0
    if params.boundary == "half":
        return np.asarray(zone & inside & (slab.missing > HALF))
    return allotted(slab.missing, slab.order, zone, inside)


def limits_of(grey: Grey, particles: Particles, facts: Facts, params: CrackParams) -> Limits:
    """The limits of the chosen detector, from its answers deep inside the particles."""
    if params.detector == "intensity":
        return Limits(params.threshold, params.threshold)
    if params.detector == "hysteresis":
        noise = facts.noise / facts.contrast
        return Limits(max(params.seed * noise, params.depth), max(params.grow * noise, params.depth / 2))

    def response(smooth: np.ndarray, at: np.ndarray) -> np.ndarray:
        return _response(missing_of(smooth, at, facts), smooth, params)

    level, noise = clipped(sample(grey, particles, facts, response, detector_halo(params)))
    floor = params.depth / 4 if params.detector == "sheet" else params.depth
    return Limits(max(params.seed * noise, floor), max(params.grow * noise, floor / 2), level)


def detector_halo(params: CrackParams) -> int:
    """Voxels on each side that an answer depends on, beyond those of the smoothing."""
    return {"sheet": reach(params.sheet_scale) + 1, "tophat": 2 * params.tophat}.get(params.detector, 0)


def slab_of(grey: Grey, label: np.ndarray, facts: Facts, params: CrackParams, start: int, stop: int) -> Slab:
    """Slices ``start`` … ``stop`` as they are in the whole volume."""
    more = detector_halo(params)
    low, high = max(0, start - more), min(grey.shape[0], stop + more)
    at = expected(label, facts, low, high)
    smooth = grey.smooth(low, high, params.smooth)
    missing = missing_of(smooth, at, facts)
    answer = missing if more == 0 else _response(missing, smooth, params)
    core = slice(start - low, stop - low)
    own = np.ascontiguousarray(label[start:stop])
    if more == 0:
        return Slab(start, own, at, missing, missing, facts.sharpening)
    return Slab(start, own, at[core].copy(), missing[core].copy(), answer[core].copy(), facts.sharpening)


def _marks(slab: Slab, facts: Facts, limits: Limits, params: CrackParams) -> np.ndarray:
    """2 where a crack may begin, 1 where it may go on, uint8."""
    deep = np.float32(norm.cdf(params.margin / facts.edge))
    begin, on = (np.float32(limits.level + limit) for limit in (limits.begin, limits.on))
    marks = np.empty(slab.label.shape, np.uint8)
    in_parts(lambda a, b: _mark(slab.label[a:b], slab.answer[a:b], slab.at[a:b], begin, on, deep, marks[a:b]), len(marks))
    return marks


@njit(nogil=True, cache=True)
def _mark(label, answer, at, begin, on, deep, out):  # type: ignore[no-untyped-def]
    for z in range(label.shape[0]):
        for y in range(label.shape[1]):
            for x in range(label.shape[2]):
                goes = label[z, y, x] > 0 and answer[z, y, x] > on
                begins = label[z, y, x] > 0 and answer[z, y, x] > begin and at[z, y, x] >= deep
                out[z, y, x] = 2 if begins else goes


def _response(missing: np.ndarray, smooth: np.ndarray, params: CrackParams) -> np.ndarray:
    if params.detector == "sheet":
        return sheetness(missing, params.sheet_scale)
    return box_closing(smooth, params.tophat) - smooth


def _connected(marks: np.ndarray, smallest: int) -> np.ndarray:
    """Parts that hold a beginning and are large enough, bool."""

    def wanted(parts: Components) -> np.ndarray:
        sizes = parts.sizes()
        return np.asarray(parts.any_of(marks >= BEGINS) & (sizes >= smallest))

    return kept(marks, wanted)


def _walls(missing: np.ndarray, zone: np.ndarray, label: np.ndarray, facts: Facts, params: CrackParams) -> np.ndarray:
    """The cracks of a zone, drawn in its memory."""
    for a, b in slabs(0, zone.shape[0]):
        if not zone[a:b].any():
            continue
        inside = label[a:b] > 0
        if params.boundary == "half":
            zone[a:b] &= inside & (missing[a:b] > HALF)
            continue
        low, high = max(0, a - HALO), min(zone.shape[0], b + HALO)
        order = sharpened(missing[low:high], facts.sharpening, slice(a - low, b - low))
        zone[a:b] = allotted(missing[a:b], order, zone[a:b], inside)
    return zone
