"""Synthetic particles with cracks and isolated domains of known volume, as a tomogram shows them: blurred, noisy.

Shapes are drawn on the voxels of the volume, so that the truth is a mask: a voxel is crack where its middle is. The grey value is 1 in
the solid and 0 elsewhere, smoothed by the resolution of the microscope, with noise of one standard deviation; the signal-to-noise
ratio is (solid - void) / standard deviation.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

DENSITY_UM = 0.12  # absorption of the solid, 1/um: about that of NMC811 above the Ni K edge


@dataclass(frozen=True)
class Phantom:
    """Masks of shape (z, y, x), bool; ``domain`` numbers the isolated domains from 1, 0 is the main body, cracks and outside."""

    envelope: np.ndarray
    crack: np.ndarray
    domain: np.ndarray
    voxel_um: float

    @property
    def ratio(self) -> float:
        """Volume of the cracks over that of the envelope."""
        return float(self.crack.sum() / self.envelope.sum())

    def density(self, *, blur: float, snr: float, seed: int) -> np.ndarray:
        """The tomogram, shape (z, y, x), float32, in 1/um; ``blur`` is the standard deviation of the resolution in voxels."""
        solid = (self.envelope & ~self.crack).astype(np.float32)
        clear = gaussian_filter(solid, blur) if blur > 0 else solid
        noise = np.random.default_rng(seed).standard_normal(clear.shape, dtype=np.float32) / snr if np.isfinite(snr) else 0.0
        return np.asarray(DENSITY_UM * (clear + noise), np.float32)

    def tomogram(self, *, blur: float = 1.0, snr: float = 5.0, seed: int = 0) -> xr.Dataset:
        """The tomogram as a dataset of the schema ``txm.volume``."""
        density = (("z", "y", "x"), self.density(blur=blur, snr=snr, seed=seed), {"units": "1/um"})
        return xr.Dataset({"density": density}, attrs={"schema": "txm.volume", "voxel_um": self.voxel_um, "origin": "synthetic"})


def grid(size: int) -> np.ndarray:
    """Coordinates of the voxels' middles from the middle of a cube, shape (size, size, size, 3), float32, z, y, x in voxels."""
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def dense(size: int = 96, *, radius: float = 0.0, voxel_um: float = 0.05, seed: int = 0) -> Phantom:
    """A particle without any crack, its middle at random within a voxel."""
    at = grid(size) - np.random.default_rng(seed).uniform(-0.5, 0.5, 3).astype(np.float32)
    inside = np.linalg.norm(at, axis=-1) <= (radius or 0.4 * size)
    return Phantom(inside, np.zeros_like(inside), np.zeros(inside.shape, np.uint16), voxel_um)


def sheets(
    size: int = 96, *, width: float, count: int = 4, radius: float = 0.0, extent: float = 0.6, voxel_um: float = 0.05, seed: int = 0
) -> Phantom:
    """A ball with plane cracks of one width.

    Parameters
    ----------
    width
        Of the cracks, in voxels.
    extent
        Radius of each round crack over the radius of the ball.
    """
    rng, whole = np.random.default_rng(seed), dense(size, radius=radius, voxel_um=voxel_um, seed=seed)
    at, big = grid(size), radius or 0.4 * size
    crack = np.zeros_like(whole.envelope)
    for _ in range(count):
        normal = _direction(rng)
        middle = _direction(rng) * big * 0.45 * rng.uniform(0, 1)
        away = at - middle.astype(np.float32)
        height = away @ normal
        flat = np.linalg.norm(away - height[..., None] * normal, axis=-1)
        crack |= (np.abs(height) < width / 2) & (flat < extent * big)
    return Phantom(whole.envelope, crack & whole.envelope, np.zeros(crack.shape, np.uint16), voxel_um)


def polycrystal(
    size: int = 96, *, width: float, grains: int = 60, opened: float = 0.25, radius: float = 0.0, voxel_um: float = 0.05, seed: int = 0
) -> Phantom:
    """A ball of grains of which some boundaries have opened.

    ``opened`` is the fraction of the boundaries between two grains that are cracks; grains cut off on all sides are not counted as
    domains.
    """
    rng, whole = np.random.default_rng(seed), dense(size, radius=radius, voxel_um=voxel_um, seed=seed)
    at, big = grid(size), radius or 0.4 * size
    seeds = (rng.uniform(-1, 1, (grains, 3)) * big).astype(np.float32)
    where = at[whole.envelope]
    _, near = cKDTree(seeds).query(where, k=2)
    between = seeds[near[:, 1]] - seeds[near[:, 0]]
    middle = (seeds[near[:, 1]] + seeds[near[:, 0]]) / 2
    height = np.abs(np.einsum("ij,ij->i", where - middle, between)) / np.linalg.norm(between, axis=1)
    pair = np.sort(near, axis=1) @ np.array([grains, 1])
    is_open = rng.random(grains * grains + grains) < opened
    crack = np.zeros_like(whole.envelope)
    crack[whole.envelope] = (height < width / 2) & is_open[pair]
    return Phantom(whole.envelope, crack, np.zeros(crack.shape, np.uint16), voxel_um)


def islands(
    size: int = 96, *, width: float = 4.0, enclosed: int = 2, radius: float = 0.0, voxel_um: float = 0.05, seed: int = 0
) -> Phantom:
    """A ball with round domains enclosed by cracks and one fragment cut off at its surface.

    The enclosed domains have different radii and stand apart; each is surrounded by a crack of the given width.
    """
    rng, whole = np.random.default_rng(seed), dense(size, radius=radius, voxel_um=voxel_um, seed=seed)
    at, big = grid(size), radius or 0.4 * size
    crack, domain = np.zeros_like(whole.envelope), np.zeros(whole.envelope.shape, np.uint16)
    cut = _direction(rng)
    height = at @ cut
    crack |= np.abs(height - 0.55 * big) < width / 2
    domain[whole.envelope & (height >= 0.55 * big + width / 2)] = 1
    turn = rng.uniform(0, 2 * np.pi)
    side = _perpendicular(cut)
    other = np.cross(cut, side)
    for k in range(enclosed):
        angle = turn + 2 * np.pi * k / max(enclosed, 1)
        middle = big * (0.45 * (np.cos(angle) * side + np.sin(angle) * other) - 0.2 * cut)
        inner = big * rng.uniform(0.18, 0.26)
        away = np.linalg.norm(at - middle.astype(np.float32), axis=-1)
        crack |= (away > inner) & (away <= inner + width)
        domain[away <= inner] = 2 + k
    return Phantom(whole.envelope, crack & whole.envelope, np.where(crack, 0, domain).astype(np.uint16), voxel_um)


def _direction(rng: np.random.Generator) -> np.ndarray:
    v = rng.standard_normal(3)
    return np.asarray(v / np.linalg.norm(v), np.float32)


def _perpendicular(v: np.ndarray) -> np.ndarray:
    other = np.cross(v, np.eye(3)[int(np.argmin(np.abs(v)))])
    return np.asarray(other / np.linalg.norm(other))
