"""From the kernel's raw maps to a map with uncertainties: noise from neighbours, what is refused and why, the rim."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from analysis.core.numerics.neighbours import box_sums, near
from analysis.xanes import kernel
from analysis.xanes.definitions import DefinitionParams
from analysis.xanes.normalise import EV

UNCERTAIN, OUTSIDE = 16, 32  # of analysis.schemas.FLAGS

# Rows of the finished maps.
MAPS = ("edge_energy", "edge_energy_std", "edge_jump", "white_line", "white_line_height", "noise", "flags", "rim")


class QualityParams(DefinitionParams):
    """Which voxels count."""

    min_jump_to_noise: float = Field(5.0, ge=0, title="Smallest edge jump, in units of the noise before the edge")
    max_std: float = Field(0.3, gt=0, title="Largest uncertainty of the edge energy", json_schema_extra=EV)
    pool: int = Field(2, ge=0, le=8, title="Neighbours that noise is pooled over, in voxels to each side")
    erode: int = Field(1, ge=0, le=8, title="Rim left out of statistics, in voxels")
    photon_noise: float | None = Field(
        None, ge=0, le=2, title="Growth of the noise with absorption (1 photons, 0 none; measured in this stack if empty)"
    )


@dataclass(frozen=True)
class Quality:
    """What finishing needs to know; ``halo`` voxels to each side of a block are looked at."""

    min_jump_to_noise: float
    max_std: float
    pool: int
    erode: int
    freedom: int
    e_rims: tuple[float, float]

    @property
    def halo(self) -> int:
        return self.pool + max(self.pool, self.erode)


def finish(raw: np.ndarray, quality: Quality) -> np.ndarray:
    """Finished maps of a block.

    Parameters
    ----------
    raw
        Shape (kernel.ROWS, …), the kernel's maps.

    Returns
    -------
    np.ndarray
        Shape (len(MAPS), …), float32. ``edge_energy`` is NaN where ``flags`` is not 0.

    Notes
    -----
    The few points before the edge (4 to 9) tell the noise of one voxel badly. A voxel has an edge where its jump exceeds
    ``min_jump_to_noise`` times the noise pooled over all voxels about it; the noise of its edge energy is then pooled over
    those neighbours only that have an edge too, because the sample takes photons away. How steep a spectrum is where its energy
    is taken is uncertain by 10 to 20 % in one noisy voxel, and is averaged over the same neighbours.
    """
    jump, variance = raw[kernel.JUMP], raw[kernel.VARIANCE]
    flags = raw[kernel.REFUSED].astype(np.int64)
    measured = np.isfinite(variance) & (flags & (kernel.NOT_FINITE | kernel.UNWANTED) == 0)
    around = _pooled(variance, measured, quality.pool)
    threshold = quality.min_jump_to_noise * np.sqrt(around) if quality.freedom else np.zeros_like(around)
    has_edge = (flags & (kernel.NOT_FINITE | kernel.UNWANTED | kernel.NO_EDGE) == 0) & (jump > threshold)
    noise = np.sqrt(_pooled(variance, measured & has_edge, quality.pool))
    steep = _pooled(*_steepness(raw, has_edge), quality.pool)
    std = noise / np.where(has_edge & np.isfinite(raw[kernel.GAIN]), jump * steep, np.nan)
    flags = np.where(has_edge | (flags & (kernel.NOT_FINITE | kernel.UNWANTED) != 0), flags, kernel.NO_EDGE)
    energy = raw[kernel.ENERGY]
    low, high = quality.e_rims
    flags = np.where((flags == 0) & ~((energy > low) & (energy < high)), kernel.AT_RIM, flags)
    flags = np.where((flags == 0) & (std > quality.max_std), UNCERTAIN, flags)
    rim = has_edge & near(~has_edge, quality.erode) if quality.erode else np.zeros_like(has_edge)
    kept = flags == 0
    return np.stack(
        [
            np.where(kept, energy, np.nan),
            np.where(kept, std, np.nan),
            jump,
            np.where(has_edge, raw[kernel.WHITE_LINE], np.nan),
            np.where(has_edge, raw[kernel.HEIGHT], np.nan),
            np.where(measured, np.where(has_edge, noise, np.sqrt(around)), np.nan),
            flags,
            rim,
        ]
    ).astype(np.float32)


def _steepness(raw: np.ndarray, has_edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What noise is divided by to give the uncertainty of the edge energy, for unit jump; and where it is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        steepness = 1 / (raw[kernel.GAIN].astype(np.float64) * raw[kernel.JUMP])
    return steepness, has_edge & np.isfinite(steepness) & (steepness > 0)


def _pooled(values: np.ndarray, used: np.ndarray, reach: int) -> np.ndarray:
    """Mean of the used voxels in each box; NaN where there is none."""
    total = box_sums(np.where(used, values, 0.0), reach)
    count = box_sums(used, reach)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
