"""Particles as an instrument's computer leaves them: stacks over energies and tomograms, with noise, as HDF5.

Stacks have the layout of TXM-Sandbox (``analysis.formats.hdf5``): reconstructed absorption in 1/µm, (energy, z, y, x), one chunk an
energy, zero outside the circle that all projections see (the sample turns about z). Values are rounded to ``STEP``, about a third of
the usual noise, so that they compress to less than 16 bits each; that adds 1 % to the variance of the noise. Every file says in its
attributes and in ``/note`` that it is synthetic.
"""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy import ndimage

from analysis.demo.particle_model import Material, Shape
from analysis.demo.particle_spectra import JUMP_PER_UM, end_members, energies

NOTE = "synthetic: a forward model with known truth, not a measurement"
STACK_PATH = "registration_results/reg_results/registered_xanes3D"
ENERGY_PATH = "registration_results/reg_results/eng_list"
TOMOGRAM_PATH = "reconstruction/absorption"
TOMOGRAM_EV = 8460.0  # one of the scan's energies, above the edge
STEP = 2.0**-12  # 1/µm
BLUR = 0.6  # fine voxels, standard deviation: resolution of the tomogram
TOMOGRAM_NOISE = 0.06  # of the material's absorption
_STORED: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}


def path_length_um(material: Material) -> float:
    """Mean way (µm) through the particle, where there is some."""
    through = material.amount.sum(axis=0) * material.voxel_um
    return float(through[through > 0].mean())


def noise_of(material: Material, noise: float) -> np.ndarray:
    """Standard deviation of a voxel (1/µm) at every energy, shape (E,): ``noise`` of the jump before the edge, more above it.

    Projections count fewer photons where the particle absorbs more, so the variance grows as the transmission falls.
    """
    mean = end_members().mean(axis=0)
    through = path_length_um(material) * mean
    return noise * JUMP_PER_UM * np.exp(0.5 * (through - through[0]))


def absorption(material: Material, index: int) -> np.ndarray:
    """Noise-free absorption (1/µm) at one of ``energies()``, shape (n, n, n), float32."""
    low, high = (np.float32(member[index]) for member in end_members())
    return np.asarray(material.amount * (low + np.nan_to_num(material.delithiated) * (high - low)), np.float32)


def write_stack(path: Path, material: Material, *, noise: float, rng: np.random.Generator) -> None:
    """A stack over all energies with Gaussian noise; ``noise`` is that of a voxel before the edge, relative to the jump."""
    sigma = noise_of(material, noise).astype(np.float32)
    size = material.amount.shape
    with h5py.File(path, "w", libver="v110") as file:
        _mark(file)
        shape = (sigma.size, *size)
        stack = file.create_dataset(STACK_PATH, shape, np.float32, chunks=(1, min(size[0], 48), *size[1:]), **_STORED)
        stack.attrs["units"] = "1/um"
        seen = in_view(size[-1])
        for i, deviation in enumerate(sigma):
            stack[i] = rounded(absorption(material, i) + deviation * seen * rng.standard_normal(size, dtype=np.float32))
        listed = file.create_dataset(ENERGY_PATH, data=energies())
        listed.attrs["units"] = "eV"


def write_tomogram(path: Path, shape: Shape, rng: np.random.Generator) -> None:
    """A tomogram at ``TOMOGRAM_EV`` on the fine grid, blurred by the resolution, with noise."""
    at = int(np.abs(energies() - TOMOGRAM_EV).argmin())
    dense = np.float32(end_members()[:, at].mean())
    clean = ndimage.gaussian_filter(shape.solid.astype(np.float32) * dense, BLUR)
    noisy = clean + TOMOGRAM_NOISE * dense * rng.standard_normal(clean.shape, dtype=np.float32)
    with h5py.File(path, "w", libver="v110") as file:
        _mark(file)
        chunk = tuple(min(n, 64) for n in noisy.shape)
        volume = file.create_dataset(TOMOGRAM_PATH, data=rounded(noisy), chunks=chunk, **_STORED)
        volume.attrs["units"] = "1/um"
        volume.attrs["energy_eV"] = float(energies()[at])
        volume.attrs["voxel_um"] = shape.voxel_um


def in_view(n: int) -> np.ndarray:
    """The circle of a slice that all projections see, shape (n, n), boolean."""
    axis = np.arange(n) - (n - 1) / 2
    return np.asarray(np.hypot(axis[:, None], axis) <= n / 2)


def rounded(values: np.ndarray) -> np.ndarray:
    """Values as multiples of ``STEP``, float32."""
    return np.asarray(np.rint(values / np.float32(STEP)) * np.float32(STEP), np.float32)


def _mark(file: h5py.File) -> None:
    file.attrs["origin"] = "synthetic"
    file["note"] = NOTE
