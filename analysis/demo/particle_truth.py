"""What is known about the synthetic particles, in numbers; the truth of a voxel is made again from its plan (``particle_plans.made``)."""

from pathlib import Path
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from analysis.demo.particle_files import noise_of
from analysis.demo.particle_frames import EXPOSURE_S, REFERENCE_EXPOSURE_S, Frames
from analysis.demo.particle_plans import STACK, TOMOGRAM, Particle, ParticlePlan


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ParticleTruth(_Frozen):
    """One particle. Ratios are of the envelope's volume, fractions of the material; all are counted from the voxels."""

    particle: str
    cell: str
    group: str
    state: str
    stack: str | None
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
    particles: tuple[ParticleTruth, ...]  # pristine ones last
    frames: FramesTruth | None

    def particle(self, cell: str, name: str) -> ParticleTruth:
        """A particle by its cell and name; ``KeyError`` if there is none."""
        return {(p.cell, p.particle): p for p in self.particles}[cell, name]

    def save(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls.model_validate_json(path.read_text(encoding="utf-8"))


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
        stack=plan.file(STACK) if STACK in plan.kinds else None,
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


def frames_truth(plan: ParticlePlan, frames: Frames, files: tuple[str, str]) -> FramesTruth:
    """What is known of raw frames."""
    return FramesTruth(
        particle=plan.name,
        cell=plan.cell,
        files=files,
        pixel_um=frames.pixel_um,
        exposure_s=EXPOSURE_S,
        reference_exposure_s=REFERENCE_EXPOSURE_S,
        reference_energy_eV=frames.reference_energy,
        energy_eV=tuple(frames.energy.tolist()),
        shift_y=tuple(frames.shift[:, 0].tolist()),
        shift_x=tuple(frames.shift[:, 1].tolist()),
        scale=tuple(frames.scale.tolist()),
    )
