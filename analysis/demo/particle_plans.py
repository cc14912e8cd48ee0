"""The synthetic particles as plans: which there are, and how each is made again with the truth of every voxel.

Cells bear the names of the cycling study; the particles are taken from twin pellets of them. Each cell gives one particle in each state,
and the first uncoated cell a larger one besides, to look at. The powder that never was in a cell gives pristine, dense ones: of those there
are tomograms only, and raw frames of the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from analysis.core.params import Params
from analysis.demo.particle_frames import Frames, take_frames
from analysis.demo.particle_laws import BUILDS, CHEMISTRY, POWDER_BUILD, POWDER_CHEMISTRY, STATES
from analysis.demo.particle_model import Material, Shape, build_shape, fill

VOXEL_UM = 0.1
STACK, TOMOGRAM = "stack", "tomogram"
POWDER, POWDER_GROUP, PRISTINE = "NMC811 powder", "standards", "pristine"


class ParticleSize(Params):
    """How large the set is."""

    cells_per_group: int = Field(4, ge=1, le=50, title="Cells in each group")
    voxels: int = Field(48, ge=16, le=128, title="Voxels along an edge")
    large_voxels: int = Field(96, ge=0, le=192, title="Voxels along an edge of the large particle (0: none)")
    pristine: int = Field(3, ge=0, le=20, title="Pristine particles, with raw frames of the first")
    noise: float = Field(0.01, gt=0, le=0.5, title="Noise of a voxel before the edge, relative to the jump")
    seed: int = Field(2025, ge=0, title="Seed")


@dataclass(frozen=True)
class ParticlePlan:
    """Everything about one particle that the model needs, drawn before anything runs."""

    name: str
    cell: str
    group: str
    state: str
    voxels: int
    seed: np.random.SeedSequence

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is measured of it."""
        return (TOMOGRAM,) if self.state == PRISTINE else (STACK, TOMOGRAM)

    @property
    def stem(self) -> str:
        return f"synthetic_{self.cell.replace(' ', '-')}_{self.name}_{self.state}"

    def file(self, kind: str) -> str:
        return f"{self.stem}_{'Ni-K_xanes' if kind == STACK else 'tomogram'}.h5"


@dataclass(frozen=True)
class Particle:
    """A particle with the truth of every voxel, and the generator that its noise is drawn from."""

    shape: Shape
    material: Material
    rng: np.random.Generator


def plan_particles(size: ParticleSize) -> tuple[ParticlePlan, ...]:
    """The particles of a study. Equal sizes and seeds give equal plans, and more cells leave those before as they are."""
    plans = []
    for place, group in enumerate(BUILDS):
        for number in range(1, size.cells_per_group + 1):
            for at, state in enumerate(STATES):
                plans.append(ParticlePlan(f"P{at + 1}", f"{group}-{number}", group, state, size.voxels, _seed(size, place, number, at)))
    if size.large_voxels:
        seed = _seed(size, 1, 1, len(STATES))
        plans.append(ParticlePlan(f"P{len(STATES) + 1}", "uncoated-1", "uncoated", "discharged", size.large_voxels, seed))
    for number in range(size.pristine):
        plans.append(ParticlePlan(f"P{number + 1}", POWDER, POWDER_GROUP, PRISTINE, size.voxels, _seed(size, len(BUILDS), number)))
    return tuple(plans)


def made(plan: ParticlePlan) -> Particle:
    """The particle of a plan."""
    rng = np.random.default_rng(plan.seed)
    build = POWDER_BUILD if plan.state == PRISTINE else BUILDS[plan.group]
    chemistry = POWDER_CHEMISTRY if plan.state == PRISTINE else CHEMISTRY[plan.group, plan.state]
    shape = build_shape(build, plan.voxels, VOXEL_UM, rng)
    return Particle(shape, fill(shape, chemistry, rng), rng)


def framed_plan(plans: Sequence[ParticlePlan]) -> ParticlePlan | None:
    """The plan of the particle that raw frames are taken of: the first pristine one."""
    return next((p for p in plans if p.state == PRISTINE), None)


def taken(plan: ParticlePlan) -> Frames:
    """The raw frames of a planned particle."""
    own = np.random.SeedSequence(plan.seed.entropy, spawn_key=(*plan.seed.spawn_key, 0))
    return take_frames(made(plan).material, np.random.default_rng(own))


def _seed(size: ParticleSize, *path: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(size.seed, spawn_key=(7, *path))
