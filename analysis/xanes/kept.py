"""The voxels of an edge map that count, and how their edge energies are spread: slab by slab, however large the map is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from analysis.core.numerics.streamed import Moments, quantiles_of
from analysis.schemas import FLAGS, spatial_dims
from analysis.xanes.quality import OUTSIDE

SLAB_VOXELS = 1 << 22
READ = ("edge_energy", "edge_energy_std", "flags", "rim")


@dataclass(frozen=True)
class Kept:
    """How many voxels count and why the others do not; ``spread`` of those that do, in eV, NaN where unknown.

    ``spread`` holds the median, quartile distance (``iqr``), standard deviation, noise floor and heterogeneity. The noise floor is the
    root of the mean square of the single uncertainties, the heterogeneity what the spread exceeds it by:
    sqrt(max(0, var(E) - mean(std^2))).
    """

    n: int
    spread: Mapping[str, float]
    refused: Mapping[int, int]
    total: int
    outside: int
    rim: int


def kept_voxels(edges: xr.Dataset) -> Kept:
    """Edge energies where ``flags`` is 0, off the rim."""
    refused, rim, squares, moments = dict.fromkeys(FLAGS, 0), 0, 0.0, Moments()
    for stored in slabs(edges):
        slab = stored[[name for name in READ if name in stored]].load()  # each chunk is read once
        flags, inside = slab["flags"].to_numpy(), counting(slab)
        rim += int(np.sum(flags == 0)) - int(inside.sum())
        counts = np.bincount(flags.reshape(-1), minlength=256)
        refused = {flag: n + int(counts[flag]) for flag, n in refused.items()}
        moments = moments.with_part(slab["edge_energy"].to_numpy()[inside])
        std = slab["edge_energy_std"].to_numpy()[inside].astype(np.float64) if "edge_energy_std" in slab else np.array([np.nan])
        squares += float(np.sum(std**2))
    total = int(np.prod([edges.sizes[d] for d in spatial_dims(edges)]))
    return Kept(moments.n, _spread(edges, moments, squares), refused, total, refused[OUTSIDE], rim)


def slabs(maps: xr.Dataset) -> Iterator[xr.Dataset]:
    """Parts along the first spatial dimension, in whole chunks of the stored maps, so that each chunk is read once."""
    first, *others = spatial_dims(maps)
    stored = max((v.encoding.get("preferred_chunks", {}).get(first, 1) for v in maps.data_vars.values()), default=1)
    image = int(np.prod([maps.sizes[d] for d in others]))
    thick = stored * max(1, SLAB_VOXELS // max(1, image * stored))
    for start in range(0, maps.sizes[first], thick):
        yield maps.isel({first: slice(start, start + thick)})


def counting(slab: xr.Dataset) -> np.ndarray:
    """Which voxels have a value that counts: flag 0, and off the rim."""
    inside = slab["flags"].to_numpy() == 0
    return inside & (slab["rim"].to_numpy() == 0) if "rim" in slab else inside


def _spread(edges: xr.Dataset, moments: Moments, squares: float) -> dict[str, float]:
    def parts() -> Iterator[np.ndarray]:
        for slab in slabs(edges):
            yield slab["edge_energy"].to_numpy()[counting(slab)]

    if moments.n == 0:
        return dict.fromkeys(("median", "iqr", "std", "noise_floor", "heterogeneity"), float("nan"))
    low, median, high = quantiles_of(parts, (0.25, 0.5, 0.75), moments)
    return {"median": float(median), "iqr": float(high - low), **noise_and_spread(moments.variance, squares / moments.n)}


def noise_and_spread(variance: float, noise: float) -> dict[str, float]:
    """Standard deviation, noise floor and heterogeneity, from the variance of energies and the mean square of their uncertainties."""
    own = float(np.sqrt(max(0.0, variance - noise))) if np.isfinite(variance - noise) else float("nan")
    return {"std": variance**0.5, "noise_floor": noise**0.5, "heterogeneity": own}
