"""The synthetic particles written: stacks, tomograms and raw frames, a manifest, and the truth. ``particle_plans`` says which there are."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from analysis.demo.cells import COATING
from analysis.demo.particle_files import TOMOGRAM_EV, write_stack, write_tomogram
from analysis.demo.particle_frames import write_frames
from analysis.demo.particle_model import FINER
from analysis.demo.particle_plans import (
    PRISTINE,
    STACK,
    TOMOGRAM,
    VOXEL_UM,
    ParticlePlan,
    ParticleSize,
    framed_plan,
    made,
    plan_particles,
    taken,
)
from analysis.demo.particle_truth import FramesTruth, ParticlesTruth, ParticleTruth, frames_truth, particle_truth
from analysis.demo.spectra_study import TITLES, write_manifest

Report = Callable[[float], None]
CYCLE = 6
AT_ONCE = 2  # particles
NOT_COATED = ("none", None)


def write_particles(
    folder: Path,
    *,
    seed: int = 2025,
    cells_per_group: int = 4,
    voxels: int = 48,
    large_voxels: int = 96,
    pristine: int = 3,
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
    pristine
        How many particles of the powder there are, with raw frames of the first.
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
    size = ParticleSize.check({**wanted, "pristine": pristine, "noise": noise})
    folder.mkdir(parents=True, exist_ok=True)
    plans = plan_particles(size)
    work = np.cumsum([plan.voxels**3 for plan in plans])
    known = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done, truth_of_one in zip(work, pool.map(lambda plan: _write(folder, plan, size), plans), strict=True):
            known.append(truth_of_one)
            if report:
                report(float(done / work[-1]))
    plan = framed_plan(plans)
    framed = _write_frames(folder, plan) if plan else None
    lines = [manifest_line(plan, kind) for plan in plans for kind in plan.kinds]
    lines += [frames_line(plan, file) for file in framed.files] if plan and framed else []
    write_manifest(folder / "particles_manifest.csv", lines)
    truth = ParticlesTruth(seed=size.seed, noise=size.noise, cycle=CYCLE, particles=tuple(known), frames=framed)
    truth.save(folder / "particles_truth.json")
    return truth


def manifest_line(plan: ParticlePlan, kind: str) -> dict[str, object]:
    """A line of the manifest, in the catalog's columns."""
    voxel = VOXEL_UM if kind == STACK else VOXEL_UM / FINER
    what = "Stack over the Ni K edge" if kind == STACK else f"Tomogram at {TOMOGRAM_EV:g} eV"
    return {
        "file": plan.file(kind),
        **_sample(plan),
        "dimensionality": "3D",
        "reader": "xanes.hdf5" if kind == STACK else "xanes.volume",
        "reader_options": f'{{"unit": "1/um", "voxel_um": {voxel:g}}}',
        "notes": f"Synthetic. {what}, {_whence(plan)}.",
    }


def frames_line(plan: ParticlePlan, file: str) -> dict[str, object]:
    """A line of the manifest for a file of raw frames."""
    notes = f"Synthetic. Raw frames over the Ni K edge, {_whence(plan)}."
    return {"file": file, **_sample(plan), "part_of": "frames", "dimensionality": "2D", "reader": "xanes.xrm", "notes": notes}


def _sample(plan: ParticlePlan) -> dict[str, object]:
    """What the lines of one particle have in common."""
    is_cycled = plan.state != PRISTINE
    coating, thickness = COATING.get(plan.group, NOT_COATED)
    in_cell = {"electrolyte": "Li6PS5Cl", "anode": "Li-In"} if is_cycled else {}
    return {
        "cell": plan.cell,
        "group": plan.group,
        "group_title": TITLES[plan.group],
        "state": plan.state,
        "cycle": CYCLE if is_cycled else 0,
        "harvest": "yes" if is_cycled else "no",
        "particle": plan.name,
        "particle_location": "from a twin pellet" if is_cycled else "powder as received",
        "origin": "synthetic",
        "cell_origin": "synthetic",
        "active_material": "NMC811",
        "coating": coating,
        "coating_thickness_nm": thickness,
        **in_cell,
        "instrument": "forward model",
        "calibration": "energies are exact",
        "date": "2025-04-14",
    }


def _whence(plan: ParticlePlan) -> str:
    return "particle that never was in a cell" if plan.state == PRISTINE else f"particle of a twin pellet of this cell after cycle {CYCLE}"


def _write_frames(folder: Path, plan: ParticlePlan) -> FramesTruth:
    frames = taken(plan)
    return frames_truth(plan, frames, write_frames(folder, f"{plan.stem}_Ni-K", frames))


def _write(folder: Path, plan: ParticlePlan, size: ParticleSize) -> ParticleTruth:
    particle = made(plan)
    if STACK in plan.kinds:
        write_stack(folder / plan.file(STACK), particle.material, noise=size.noise, rng=particle.rng)
    write_tomogram(folder / plan.file(TOMOGRAM), particle.shape, particle.rng)
    return particle_truth(plan, particle, size.noise)
