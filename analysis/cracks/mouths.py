"""Envelopes over the mouths of cracks that are open to the surface.

Blur rounds the lips of a crack, and a ball of the closing radius sinks in between them: the envelope would have a dent as deep as a few
voxels, and the crack in it would be counted as outside. About such mouths, and only there, the envelope is closed once more by a ball so
large that it hardly sinks in. Elsewhere the roughness of the particle stays as it is.

What remains is a chord over each mouth, below the curved surface of the particle: of a ball of 38 voxels radius with cracks 1, 3 and 6
voxels wide it cuts off about 1, 1.5 and 3 % of the crack volume even where the mask of the solid is perfect, and the less the larger the
particle is. A larger ball gains little there and fills the roughness beside thin cracks.
"""

import numpy as np
from scipy.stats import norm

from analysis.core.numerics.morphology import closed, widened
from analysis.cracks.allot import HALO, sharpened
from analysis.cracks.facts import Facts, expected, facts_of, missing_of
from analysis.cracks.grey import Grey, slabs
from analysis.cracks.params import ParticleParams
from analysis.cracks.particles import Particles, find_particles, particles_of

BALL = 32.0  # voxels: radius of the ball that closes mouths
ABOUT = 7  # voxels about a crack near the surface in which they are closed
DARK, TIMES_NOISE = 0.12, 6.0  # what is missing in a voxel that is crack without doubt
BELOW = 2.0  # voxels below the surface from which on a dark voxel is no roughness


def particles_in(grey: Grey, params: ParticleParams) -> Particles:
    """The particles of a volume, their envelopes closed over the mouths of cracks."""
    found = find_particles(grey, params)
    return found if params.closing == 0 else _closed_over(grey, found, facts_of(grey, found, params))


def particles_and_facts(grey: Grey, params: ParticleParams) -> tuple[Particles, Facts]:
    """The particles, and what is measured in them before cracks are looked for."""
    first = find_particles(grey, params)
    facts = facts_of(grey, first, params)
    found = first if params.closing == 0 else _closed_over(grey, first, facts)
    return found, facts if found is first else facts_of(grey, found, params)


def _closed_over(grey: Grey, found: Particles, facts: Facts) -> Particles:
    label = found.label
    near = widened(_dark(grey, found, facts), ABOUT)
    near &= label == 0
    if not near.any():  # cracks, if any, are far below the surface
        return found
    lips = _sharp(grey, near, facts)
    changed = False
    for number, box in enumerate(found.boxes, start=1):
        if not near[box].any():
            continue
        free = near[box] & (label[box] == 0)
        more = closed((label[box] == number) | (lips[box] & free), BALL) & free
        if more.any():
            label[box][more] = number
            changed = True
    return particles_of(label) if changed else found


def _dark(grey: Grey, particles: Particles, facts: Facts) -> np.ndarray:
    """Voxels below the surface that are crack without doubt, bool."""
    out = np.empty(grey.shape, bool)
    limit = max(DARK, TIMES_NOISE * facts.noise / facts.contrast)
    for a, b in slabs(0, grey.shape[0]):
        at = expected(particles.label, facts, a, b)
        np.greater(missing_of(grey.smooth(a, b, facts.smooth), at, facts), limit, out=out[a:b])
        out[a:b] &= at >= norm.cdf(BELOW / facts.edge)
        out[a:b] &= particles.label[a:b] > 0
    return out


def _sharp(grey: Grey, near: np.ndarray, facts: Facts) -> np.ndarray:
    """Solid near mouths when as much of the blur is taken back as the noise allows, bool: the lips as they are."""
    out = np.zeros(grey.shape, bool)
    level = (facts.solid + facts.outside) / 2
    for a, b in slabs(0, grey.shape[0]):
        if near[a:b].any():
            low, high = max(0, a - HALO), min(grey.shape[0], b + HALO)
            sharp = sharpened(grey.smooth(low, high, facts.smooth), facts.sharpening, slice(a - low, b - low))
            out[a:b] = near[a:b] & (sharp > level)
    return out
