"""Grey values of a volume, slab by slab: 1 is solid, 0 is void."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numba import njit

from analysis.core.errors import DataError
from analysis.core.numerics.blur import blurred, reach
from analysis.core.numerics.parallel import in_parts
from analysis.cracks.params import ParticleParams
from analysis.schemas import VOXEL, spatial_dims

SAMPLE = 1 << 21  # voxels that levels are found from
BINS = 512
LEAST_CONTRAST = 2.5  # distance of the two levels in standard deviations within them
SLAB = 32  # slices that are worked on at once


@dataclass(frozen=True)
class Grey:
    """A volume with the levels by which it is normalised."""

    density: xr.DataArray
    solid: float
    void: float

    @property
    def shape(self) -> tuple[int, int, int]:
        z, y, x = self.density.shape
        return z, y, x

    def slab(self, start: int, stop: int) -> np.ndarray:
        """Normalised slices, shape (stop - start, y, x), float32; what is no number counts as void."""
        return self.box((slice(start, stop), slice(None), slice(None)))

    def box(self, box: tuple[slice, slice, slice]) -> np.ndarray:
        """A normalised part, float32, as ``slab``."""
        values = self.density[box].to_numpy()
        out = np.empty(values.shape, np.float32)
        void, scale = np.float32(self.void), np.float32(1 / (self.solid - self.void))
        in_parts(lambda a, b: _normalise(values[a:b], void, scale, out[a:b]), len(values))
        return out

    def smooth(self, start: int, stop: int, sigma: float) -> np.ndarray:
        """Smoothed slices; the same bits whichever slices are asked for."""
        halo = reach(sigma)
        low, high = max(start - halo, 0), min(stop + halo, self.shape[0])
        return blurred(self.slab(low, high), sigma, inner=slice(start - low, stop - low))


@njit(nogil=True, cache=True)
def _normalise(values, void, scale, out):  # type: ignore[no-untyped-def]
    for z in range(values.shape[0]):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                value = (np.float32(values[z, y, x]) - void) * scale
                out[z, y, x] = value if abs(value) < np.inf else np.float32(0)


def slabs(start: int, stop: int, thick: int = SLAB) -> list[tuple[int, int]]:
    """Consecutive ranges of at most ``thick`` slices."""
    return [(a, min(a + thick, stop)) for a in range(start, stop, thick)]


def grey_of(volume: xr.Dataset, params: ParticleParams) -> Grey:
    """The volume with the levels of solid and void, as given or as its histogram tells them.

    Notes
    -----
    Otsu's threshold parts the histogram of an even sample in two; the levels are the medians of the parts [1]_.

    References
    ----------
    .. [1] N. Otsu, IEEE Trans. Syst. Man Cybern. 9, 62 (1979), doi 10.1109/TSMC.1979.4310076.
    """
    if spatial_dims(volume) != VOXEL:
        raise DataError("Cracks are measured in volumes, and this is a picture.", hint="Choose a reconstructed tomogram.")
    density = volume["density"]
    if params.solid is not None and params.void is not None:
        return Grey(density, params.solid, params.void)
    values = _sample(density)
    if values.size < 1000 or values.min() == values.max():
        raise DataError("The volume holds no contrast: all its values are equal or not numbers.", hint="Choose another dataset.")
    low, high = _two_levels(values)
    solid = params.solid if params.solid is not None else high
    void = params.void if params.void is not None else low
    if not solid > void:
        raise DataError(
            f"The solid ({solid:.4g}) is not denser than the void ({void:.4g}).", hint="Check both levels; particles must be bright."
        )
    return Grey(density, solid, void)


def _sample(density: xr.DataArray) -> np.ndarray:
    step = max(1, round((density.size / SAMPLE) ** (1 / 3)))
    planes = [np.asarray(density[z, ::step, ::step].to_numpy()) for z in range(step // 2, density.shape[0], step)]
    values = np.stack(planes).ravel()
    return np.asarray(values[np.isfinite(values)], np.float64)


def _two_levels(values: np.ndarray) -> tuple[float, float]:
    ends = np.quantile(values, [0.0005, 0.9995])
    counts, edges = np.histogram(values, BINS, (ends[0], ends[1] if ends[1] > ends[0] else ends[0] + 1.0))
    middles = (edges[1:] + edges[:-1]) / 2
    below, above = np.cumsum(counts), counts.sum() - np.cumsum(counts)
    mass = np.cumsum(counts * middles)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    best = np.nanmax(between)
    cut = float(edges[1:][between >= best * (1 - 1e-12)].mean())  # the middle of an empty stretch
    dark, bright = values[values <= cut], values[values > cut]
    low, high = float(np.median(dark)), float(np.median(bright))
    within = np.sqrt((dark.var() * dark.size + bright.var() * bright.size) / values.size)
    if high - low < LEAST_CONTRAST * within:
        raise DataError(
            "Particles do not stand out from what is around them: the grey values have no two levels.",
            hint="Give the absorption of the solid and of the void, or choose a region with particle and surroundings.",
        )
    return low, high
