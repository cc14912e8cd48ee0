"""Small particles with known edges, imported into a workspace like any stack."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.catalog import CellFields, HarvestFields, MeasurementFields, ParticleFields
from analysis.workspace import Workspace

# As the paper's grid, with fewer points outside the edge.
ENERGY = np.concatenate([np.arange(8210, 8320, 15.0), np.arange(8325, 8366, 1.0), np.linspace(8390, 8700, 8)])
JUMP, BELOW, NOISE = 0.4, 0.2, 0.006
SIDE, VOXEL_UM = 22, 0.1
CENTER = 8343.0


def rise(energy: np.ndarray) -> np.ndarray:
    """A step with a white line."""
    return 0.5 + np.arctan((energy - CENTER) / 1.2) / np.pi + 0.75 * np.exp(-0.5 * ((energy - CENTER - 5) / 3.0) ** 2)


@dataclass(frozen=True)
class Particle:
    """Optical depth, shape (energy, z, y, x); where the particle is; how far its edges are moved, in eV."""

    mu: np.ndarray
    inside: np.ndarray
    shift: np.ndarray


def particle(seed: int, *, slope: float, side: int = SIDE) -> Particle:
    """A ball cut by an empty sheet at z = side / 2; its edge rises by ``slope`` eV from x = 0 to the last voxel."""
    rng = np.random.default_rng(seed)
    z, y, x = np.mgrid[:side, :side, :side]
    middle = (side - 1) / 2
    inside = np.sqrt((z - middle) ** 2 + (y - middle) ** 2 + (x - middle) ** 2) < 0.42 * side
    inside &= ~((z == side // 2) & (x < side // 2))
    shift = slope * x / (side - 1)
    clean = np.stack([inside * (JUMP * rise(e - shift) + BELOW) for e in ENERGY])
    return Particle((clean + NOISE * rng.standard_normal(clean.shape)).astype(np.float32), inside, shift)


def put(root: Path, *, slopes: dict[str, float] | None = None) -> tuple[Workspace, dict[str, Particle]]:
    """A workspace with one particle a group (uncoated: wide, coated: narrow), all synthetic."""
    workspace, made = Workspace(root), {}
    for seed, (group, slope) in enumerate((slopes or {"uncoated": 2.0, "coated": 0.5}).items()):
        made[group] = particle(seed, slope=slope)
        path = root / f"{group}.npy"
        np.save(path, made[group].mu)
        workspace.import_files(
            [path],
            cell=CellFields(name=f"{group}-1", group=group),
            measurement=MeasurementFields(state="discharged", cycle_number=6, dimensionality="3D", origin="synthetic"),
            harvest=HarvestFields(cycle_number=6, state="discharged"),
            particle=ParticleFields(name="P1"),
            reader_id="xanes.numpy",
            options={"energies": ",".join(f"{e:.3f}" for e in ENERGY), "voxel_um": VOXEL_UM},
        )
        path.unlink()
    return workspace, made


def put_flat(workspace: Workspace, known: Particle) -> None:
    """One slice of a particle as images, and a map of it that another program finished: measurements of a cell of their own."""
    folder = workspace.root
    image, finished = folder / "flat.npy", folder / "finished.npy"
    np.save(image, known.mu[:, 7])
    np.save(finished, np.where(known.inside[7], CENTER + known.shift[7], 0).astype(np.float32))
    energies = {"energies": ",".join(f"{e:.3f}" for e in ENERGY), "voxel_um": VOXEL_UM}
    for path, reader, options in ((image, "xanes.numpy", energies), (finished, "xanes.finished_map", {"definition": "e_half"})):
        about = MeasurementFields(state="charged", dimensionality="2D", origin="synthetic")
        workspace.import_files([path], cell=CellFields(name="flat"), measurement=about, reader_id=reader, options=options)
        path.unlink()
