"""A small, even sample of a stack: enough for its mean spectrum, its edge and its noise, without reading all of it.

The sample is chosen by place alone, so that a stack gives the same one however it is cut into blocks. Whole cubes are taken
because stacks are stored in cubes with all energies.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core.errors import DataError
from analysis.schemas import spatial_dims

CUBE = 32  # voxels, as stacks are stored
CUBES = 64
SPECTRA = 40_000
FEWEST = 200  # spectra from which the growth of the noise can be told


@dataclass(frozen=True)
class Sample:
    """Spectra of shape (N, E), float64, all values finite; ``lost`` of ``taken`` had values that are not."""

    energy: np.ndarray
    mu: np.ndarray
    taken: int
    lost: int


def sample_of(stack: xr.Dataset, mask: xr.DataArray | None) -> Sample:
    """An even sample of the spectra inside the mask."""
    dims = spatial_dims(stack)
    shape = tuple(stack.sizes[d] for d in dims)
    side = CUBE if len(dims) == 3 else 4 * CUBE
    places = _places(shape, side)
    step = max(1, int(np.ceil((len(places) * side ** len(dims) / SPECTRA) ** (1 / len(dims)))))
    step = min(step, max(1, min(shape) // 4))
    parts = []
    for place in places:
        window = {d: slice(p, p + side, step) for d, p in zip(dims, place, strict=True)}
        part = stack["mu"].isel(window).to_numpy().reshape(-1, stack.sizes["energy"])
        if mask is not None:
            part = part[mask.isel(window).to_numpy().reshape(-1) != 0]
        parts.append(part.astype(np.float64))
    spectra = np.concatenate(parts)
    good = np.isfinite(spectra).all(axis=1)
    if not good.any():
        raise DataError("No spectrum of the stack is free of missing values.", hint="Leave out the frames or voxels that hold none.")
    return Sample(stack["energy"].to_numpy().astype(np.float64), spectra[good], good.size, int(good.size - good.sum()))


def _places(shape: tuple[int, ...], side: int) -> np.ndarray:
    """First corners of at most ``CUBES`` cubes, evenly chosen, shape (n, dimensions)."""
    counts = [-(-n // side) for n in shape]
    total = int(np.prod(counts))
    chosen = np.unique(np.linspace(0, total - 1, min(total, CUBES)).round().astype(int))
    return np.stack(np.unravel_index(chosen, counts), axis=1) * side


def edge_position(sample: Sample) -> float:
    """Energy of the grid at which the sample's mean spectrum rises most steeply."""
    slope = np.gradient(rising_mean(sample), sample.energy)
    smooth = np.convolve(np.pad(slope, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    inner = slice(2, -2)
    return float(sample.energy[inner][int(np.argmax(smooth[inner]))])


def rising_mean(sample: Sample) -> np.ndarray:
    """Mean of the spectra that rise most from the lowest to the highest energies, shape (E,): air does not count."""
    tail = max(2, sample.energy.size // 10)
    rise = sample.mu[:, -tail:].mean(axis=1) - sample.mu[:, :tail].mean(axis=1)
    highest = np.quantile(rise, 0.98)
    if not highest > 0:
        raise DataError("No edge is seen: absorption does not rise over these energies.", hint="Give e0, or check the stack.")
    return np.asarray(sample.mu[rise > 0.5 * highest].mean(axis=0))
