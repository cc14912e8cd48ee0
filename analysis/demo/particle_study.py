"""The synthetic particles: coated and uncoated, charged and discharged after six cycles; stacks, tomograms, manifest, truth.

Cells bear the names of the cycling study; the particles are taken from twin pellets of them. Each cell gives one small particle in each
state, and the first uncoated cell a larger one besides, to look at. Particles of one cell share their build's scatter, not their shape.
One particle is there as raw frames too, of the sample and of the empty beam, with drift and changing magnification.
A particle can be made again from the study's size alone (``plan_particles``, ``made``), with the truth of every voxel: only
numbers are kept in the truth's file.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from analysis.core.params import Params
from analysis.demo.cells import COATING
from analysis.demo.particle_files import TOMOGRAM_EV, noise_of, write_stack, write_tomogram
from analysis.demo.particle_frames import EXPOSURE_S, REFERENCE_EXPOSURE_S, Frames, take_frames, write_frames
from analysis.demo.particle_laws import BUILDS, CHEMISTRY, STATES
from analysis.demo.particle_model import FINER, Material, Shape, build_shape, fill
from analysis.demo.spectra_study import write_manifest
from analysis.demo.study import GROUP_TITLES

Report = Callable[[float], None]
CYCLE = 6
VOXEL_UM = 0.1
AT_ONCE = 2  # particles
STACK, TOMOGRAM = "stack", "tomogram"
FRAMED = ("uncoated-1", "discharged")  # cell and state of the particle that raw frames are taken of


class ParticleSize(Params):
    """How large the set is."""

    cells_per_group: int = Field(4, ge=1, le=50, title="Cells in each group")
    voxels: int = Field(48, ge=16, le=128, title="Voxels along an edge")
    large_voxels: int = Field(96, ge=0, le=192, title="Voxels along an edge of the large particle (0: none)")
    frames: bool = Field(True, title="Raw frames of one particle")
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

    def file(self, kind: str) -> str:
        return f"synthetic_{self.cell}_{self.name}_{self.state}_{'Ni-K_xanes' if kind == STACK else 'tomogram'}.h5"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ParticleTruth(_Frozen):
    """One particle. Ratios are of the envelope's volume, fractions of the material; all are counted from the voxels."""

    particle: str
    cell: str
    group: str
    state: str
    stack: str
    tomogram: str
    voxels: int
    voxel_um: float
    tomogram_voxel_um: float
    crack_volume_ratio: float
    pore_volume_ratio: float
    isolated_fraction: float
    n_isolated: int
    delithiated_mean: float  # fraction of the delithiated end over all material; the rest is the lithiated end
    delithiated_std: float
    delithiated_median: float  # over voxels that are at least half full
    delithiated_isolated: float | None
    delithiated_body: float
    noise_per_um: float  # of a voxel before the edge


class FramesTruth(_Frozen):
    """Raw frames of a particle: pixels that bring each image back to the grid of the reference energy, and its size there."""

    particle: str
    cell: str
    files: tuple[str, str]
    pixel_um: float
    exposure_s: float
    reference_exposure_s: float
    reference_energy_eV: float
    energy_eV: tuple[float, ...]
    shift_y: tuple[float, ...]
    shift_x: tuple[float, ...]
    scale: tuple[float, ...]


class ParticlesTruth(_Frozen):
    """The whole set."""

    seed: int
    noise: float
    cycle: int
    particles: tuple[ParticleTruth, ...]
    frames: FramesTruth | None

    def particle(self, cell: str, name: str) -> ParticleTruth:
        """A particle by its cell and name; ``KeyError`` if there is none."""
        return {(p.cell, p.particle): p for p in self.particles}[cell, name]

    def save(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


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
    return tuple(plans)


def made(plan: ParticlePlan) -> Particle:
    """The particle of a plan."""
    rng = np.random.default_rng(plan.seed)
    shape = build_shape(BUILDS[plan.group], plan.voxels, VOXEL_UM, rng)
    return Particle(shape, fill(shape, CHEMISTRY[plan.group, plan.state], rng), rng)


def write_particles(
    folder: Path,
    *,
    seed: int = 2025,
    cells_per_group: int = 4,
    voxels: int = 48,
    large_voxels: int = 96,
    frames: bool = True,
    noise: float = 0.01,
    report: Report | None = None,
) -> ParticlesTruth:
    """Write stacks, tomograms, ``particles_manifest.csv`` and ``particles_truth.json`` into ``folder``; the truth is returned too.

    Parameters
    ----------
    folder
        Made if it is missing. Files of the same names are replaced.
    voxels
        Along an edge of a small particle's cube, each ``VOXEL_UM`` long; tomograms have twice as many.
    large_voxels
        The same for the large particle; 0 leaves it out.
    frames
        Whether there are raw frames of one particle.
    noise
        Of a voxel before the edge, relative to the jump.
    report
        Called with the fraction that is done.

    Raises
    ------
    ParamError
        If a number is out of bounds.
    """
    wanted = {"seed": seed, "cells_per_group": cells_per_group, "voxels": voxels, "large_voxels": large_voxels}
    size = ParticleSize.check({**wanted, "frames": frames, "noise": noise})
    folder.mkdir(parents=True, exist_ok=True)
    plans = plan_particles(size)
    work = np.cumsum([plan.voxels**3 for plan in plans])
    known = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, truth_of_one in zip(work, pool.map(lambda plan: _write(folder, plan, size), plans), strict=True):
            known.append(truth_of_one)
            if report:
                report(float(done / work[-1]))
    lines = [manifest_line(plan, kind) for plan in plans for kind in (STACK, TOMOGRAM)]
    framed = _write_frames(folder, plans) if size.frames else None
    lines += [frames_line(framed_plan(plans), file) for file in framed.files] if framed else []
    write_manifest(folder / "particles_manifest.csv", lines)
    truth = ParticlesTruth(seed=size.seed, noise=size.noise, cycle=CYCLE, particles=tuple(known), frames=framed)
    truth.save(folder / "particles_truth.json")
    return truth


def particle_truth(plan: ParticlePlan, particle: Particle, noise: float) -> ParticleTruth:
    """What is known of a particle, in numbers."""
    shape, material = particle.shape, particle.material
    amount, fraction = material.amount, material.delithiated
    filled = amount > 0
    weight, values = amount[filled], fraction[filled]
    mean = float(np.average(values, weights=weight))
    cut_off = material.isolated[filled] > 0
    isolated = shape.isolated
    return ParticleTruth(
        particle=plan.name,
        cell=plan.cell,
        group=plan.group,
        state=plan.state,
        stack=plan.file(STACK),
        tomogram=plan.file(TOMOGRAM),
        voxels=plan.voxels,
        voxel_um=material.voxel_um,
        tomogram_voxel_um=shape.voxel_um,
        crack_volume_ratio=shape.crack_volume_ratio,
        pore_volume_ratio=shape.pore_volume_ratio,
        isolated_fraction=float((isolated > 0).sum() / shape.solid.sum()),
        n_isolated=int(np.unique(isolated[isolated > 0]).size),
        delithiated_mean=mean,
        delithiated_std=float(np.sqrt(np.average((values - mean) ** 2, weights=weight))),
        delithiated_median=float(np.median(values[weight >= 0.5])),
        delithiated_isolated=float(np.average(values[cut_off], weights=weight[cut_off])) if cut_off.any() else None,
        delithiated_body=float(np.average(values[~cut_off], weights=weight[~cut_off])),
        noise_per_um=float(noise_of(material, noise)[0]),
    )


def manifest_line(plan: ParticlePlan, kind: str) -> dict[str, object]:
    """A line of the manifest, in the catalog's columns."""
    coating, thickness = COATING[plan.group]
    is_stack = kind == STACK
    voxel = VOXEL_UM if is_stack else VOXEL_UM / FINER
    what = "Stack over the Ni K edge" if is_stack else f"Tomogram at {TOMOGRAM_EV:g} eV"
    return {
        "file": plan.file(kind),
        "cell": plan.cell,
        "group": plan.group,
        "group_title": GROUP_TITLES[plan.group],
        "state": plan.state,
        "cycle": CYCLE,
        "harvest": "yes",
        "particle": plan.name,
        "particle_location": "from a twin pellet",
        "dimensionality": "3D",
        "reader": "xanes.hdf5" if is_stack else "xanes.volume",
        "reader_options": f'{{"unit": "1/um", "voxel_um": {voxel:g}}}',
        "origin": "synthetic",
        "cell_origin": "synthetic",
        "active_material": "NMC811",
        "coating": coating,
        "coating_thickness_nm": thickness,
        "electrolyte": "Li6PS5Cl",
        "anode": "Li-In",
        "instrument": "forward model",
        "calibration": "energies are exact" if is_stack else None,
        "date": "2025-04-14",
        "notes": f"Synthetic. {what}, particle of a twin pellet of this cell after cycle {CYCLE}.",
    }


def frames_line(plan: ParticlePlan, file: str) -> dict[str, object]:
    """A line of the manifest for a file of raw frames."""
    line = manifest_line(plan, STACK)
    told = f"Synthetic. Raw frames over the Ni K edge, particle of a twin pellet of this cell after cycle {CYCLE}."
    return {**line, "file": file, "part_of": "frames", "dimensionality": "2D", "reader": "xanes.xrm", "reader_options": None, "notes": told}


def framed_plan(plans: Sequence[ParticlePlan]) -> ParticlePlan:
    """The plan of the particle that raw frames are taken of."""
    return next(p for p in plans if (p.cell, p.state) == FRAMED)


def taken(plan: ParticlePlan) -> Frames:
    """The raw frames of a planned particle."""
    own = np.random.SeedSequence(plan.seed.entropy, spawn_key=(*plan.seed.spawn_key, 0))
    return take_frames(made(plan).material, np.random.default_rng(own))


def _write_frames(folder: Path, plans: Sequence[ParticlePlan]) -> FramesTruth:
    plan = framed_plan(plans)
    frames = taken(plan)
    return FramesTruth(
        particle=plan.name,
        cell=plan.cell,
        files=write_frames(folder, f"synthetic_{plan.cell}_{plan.name}_{plan.state}_Ni-K", frames),
        pixel_um=frames.pixel_um,
        exposure_s=EXPOSURE_S,
        reference_exposure_s=REFERENCE_EXPOSURE_S,
        reference_energy_eV=frames.reference_energy,
        energy_eV=tuple(frames.energy.tolist()),
        shift_y=tuple(frames.shift[:, 0].tolist()),
        shift_x=tuple(frames.shift[:, 1].tolist()),
        scale=tuple(frames.scale.tolist()),
    )


def _seed(size: ParticleSize, *path: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(size.seed, spawn_key=(7, *path))


def _write(folder: Path, plan: ParticlePlan, size: ParticleSize) -> ParticleTruth:
    particle = made(plan)
    write_stack(folder / plan.file(STACK), particle.material, noise=size.noise, rng=particle.rng)
    write_tomogram(folder / plan.file(TOMOGRAM), particle.shape, particle.material, particle.rng)
    return particle_truth(plan, particle, size.noise)
