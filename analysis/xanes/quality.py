"""From the kernel's raw maps to a map with uncertainties: noise from neighbours, what is refused and why, the rim."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from analysis.core.numerics.neighbours import near, pooled_mean
from analysis.xanes import kernel
from analysis.xanes.definitions import DefinitionParams
from analysis.xanes.finishing import find_edges, finish_voxels
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
    space = raw.shape[1:]
    flat = raw.reshape(len(raw), -1)  # copies a part of a larger array, which goes faster from one end to the other
    variance, flags = flat[kernel.VARIANCE], flat[kernel.REFUSED].astype(np.uint8)
    unseen = kernel.NOT_FINITE | kernel.UNWANTED
    measured = np.isfinite(variance) & (flags & unseen == 0)

    def pooled(values: np.ndarray, used: np.ndarray) -> np.ndarray:
        return pooled_mean(values.reshape(space), used.reshape(space), quality.pool).reshape(-1)

    around = pooled(variance, measured)
    has_edge, steep = np.empty(flags.size, dtype=bool), np.empty(flags.size)
    factor = quality.min_jump_to_noise if quality.freedom else 0.0
    find_edges(flat[kernel.JUMP], flat[kernel.GAIN], flags, around, unseen | kernel.NO_EDGE, factor, has_edge, steep)
    beside = pooled(variance, measured & has_edge)
    steep = pooled(steep, np.isfinite(steep))
    inner = has_edge if not quality.erode else has_edge & ~near(~has_edge.reshape(space), quality.erode).reshape(-1)
    out = np.empty((len(MAPS), flags.size), dtype=np.float32)
    rows = tuple(flat[row] for row in (kernel.ENERGY, kernel.GAIN, kernel.JUMP, kernel.WHITE_LINE, kernel.HEIGHT))
    codes = (unseen, kernel.NO_EDGE, kernel.AT_RIM, UNCERTAIN)
    finish_voxels(rows, (flags, measured, has_edge, inner), around, beside, steep, codes, quality.e_rims, quality.max_std, out)
    return out.reshape(len(MAPS), *space)
