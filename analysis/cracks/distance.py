"""Edge energy against the distance from the nearest crack and from the surface.

Distances are in µm, from the middle of a voxel to the middle of the nearest voxel of crack (or outside). Cracks lead to the surface and
the surface has its own chemistry, so that either distance alone may stand for the other: the map of both and a slope that takes the
other into account are given beside the plain one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.block_fit import BlockFit, block_fit, block_growth
from analysis.core.numerics.edt import distances
from analysis.core.numerics.spatial import FEWEST_BLOCKS, block_labels, block_side, correlation
from analysis.core.numerics.statistics import mean_interval
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.cracks.grids import Chemistry, chemistry_of, coarsened
from analysis.cracks.masks import Masks, masks_of

FEWEST = 50  # voxels of a particle
BLOCKS = 60
ROUNDING = 1e-5  # of a bin: distances of four bytes at the limit of two bins belong to the upper one
CORRELATED = 96  # voxels a side of the part in which the correlation is measured
WITHIN = "voxels; interval by blocks within this particle"
QUARTILES = (0.25, 0.5, 0.75)


class DistanceParams(Params):
    """How voxels are gathered by distance."""

    bin_um: float | None = Field(
        None, gt=0, title="Width of the bins", description="Empty: two voxels of the map", json_schema_extra={"unit": "um"}
    )
    parts: int = Field(20, ge=2, le=200, title="Bins of the distance over its maximum")
    erode: float = Field(
        1.0,
        ge=0,
        le=10,
        title="Voxels left out at walls and surface",
        description="They hold a part of the crack",
        json_schema_extra={"unit": "voxels"},
    )
    fewest: int = Field(20, ge=1, title="Fewest voxels of a bin that is shown")
    level: float = Field(0.95, gt=0.5, lt=1, title="Level of the intervals")


@dataclass(frozen=True)
class Gathered:
    """The voxels of one particle that count, in the order of the array: energy / eV, distances / µm, and the block of each."""

    energy: np.ndarray
    distance: np.ndarray
    depth: np.ndarray
    block: np.ndarray
    growth: float  # of the variance between blocks
    furthest: float


def distance_profile(segmentation: xr.Dataset, edges: xr.Dataset, params: DistanceParams) -> xr.Dataset:
    """Profiles by distance from cracks and from the surface, their map, and slopes of each particle.

    Raises
    ------
    DataError
        No particle has both cracks and edge energies.
    """
    masks, chemistry = masks_of(segmentation), chemistry_of(edges, segmentation)
    found: dict[int, Gathered] = {}
    for number, _ in enumerate(masks.particles.boxes, start=1):
        gathered = _gathered(masks, chemistry, number, params)
        if gathered is not None:
            found[number] = gathered
        report(number / masks.particles.count, "distances")
    if not found:
        cracked = (
            "No particle has enough voxels with an edge energy."
            if masks.crack.any()
            else "There are no cracks at all: no voxel has a distance from one."
        )
        raise DataError(cracked, hint="Check the segmentation and the flags of the edge map.")
    side = float(np.mean([u * f for u, f in zip(masks.voxel, chemistry.factor, strict=True)]))
    made = _tables(list(found.values()), params, params.bin_um or 2 * side)
    made = made.assign(_slopes(found, params))
    attrs = {k: edges.attrs[k] for k in ("definition", "e0", "calibrant") if k in edges.attrs}
    attrs |= {"bin_um": params.bin_um or 2 * side, "erode": params.erode, "voxels": int(sum(g.energy.size for g in found.values()))}
    left = masks.particles.count - len(found)
    remarks = [f"{left} of {masks.particles.count} particles have no cracks or too few voxels, and are left out."] if left else []
    return warn(made.assign_attrs(attrs), *warnings_of(segmentation), *warnings_of(edges), *remarks)


def _gathered(masks: Masks, chemistry: Chemistry, number: int, params: DistanceParams) -> Gathered | None:
    """The voxels of one particle; None where it has no crack or too few voxels."""
    box = _aligned(masks.particles.boxes[number - 1], chemistry.factor)
    own = masks.label[box] == number
    crack = masks.crack[box] & own
    if not crack.any():
        return None
    (z, y, x), factor = masks.voxel, chemistry.factor
    solid = coarsened(own & ~crack, factor, whole=True)
    away = coarsened(distances(~crack, (z, y, x)), factor)
    below = coarsened(distances(np.pad(own, 1), (z, y, x))[1:-1, 1:-1, 1:-1], factor)
    map_box = tuple(slice(s.start // f, s.stop // f) for s, f in zip(box, factor, strict=True))
    energy = chemistry.energy[map_box]
    rim = params.erode * max(u * f for u, f in zip(masks.voxel, factor, strict=True)) * (1 + 1e-6)
    counts = solid & np.isfinite(energy) & (away > rim) & (below > rim)
    if int(counts.sum()) < FEWEST:
        return None
    values = energy[counts].astype(np.float64)
    far, deep = away[counts].astype(np.float64), below[counts].astype(np.float64)
    block, growth = _blocks(energy, counts, far, deep, chemistry.noise_variance)
    return Gathered(values, far, deep, block, growth, float(far.max()))


def _aligned(box: tuple[slice, ...], factor: tuple[int, int, int]) -> tuple[slice, ...]:
    """The box widened to whole voxels of the map."""
    return tuple(slice(s.start // f * f, -(-s.stop // f) * f) for s, f in zip(box, factor, strict=True))


def _blocks(energy: np.ndarray, counts: np.ndarray, far: np.ndarray, deep: np.ndarray, noise: float) -> tuple[np.ndarray, float]:
    """Number of the block of each voxel, and what blocks understate a variance by.

    Blocks are three to six correlation lengths wide of what the distances leave unexplained, so that there are about ``BLOCKS``.
    """
    design = np.column_stack([np.ones(far.size), far, deep])
    rest = np.zeros(counts.shape, np.float64)
    rest[counts] = energy[counts] - design @ np.linalg.lstsq(design, energy[counts].astype(np.float64), rcond=None)[0]
    middle = tuple(slice(max(0, (n - CORRELATED) // 2), max(0, (n - CORRELATED) // 2) + CORRELATED) for n in counts.shape)
    part = middle if int(counts[middle].sum()) >= FEWEST else (slice(None),) * 3
    alike = correlation(rest[part], counts[part], noise_variance=noise)
    plain = correlation(rest[part], counts[part]) if noise > 0 else alike
    least = block_side(alike.length)
    side = int(np.clip(round((far.size / BLOCKS) ** (1 / 3)), least, 2 * least))
    return block_labels(counts, side)[0], block_growth(plain.curve, side)


# -- tables ----------------------------------------------------------------------------------------------------------------


def _tables(found: list[Gathered], params: DistanceParams, width: float) -> xr.Dataset:
    energy, far, deep = (np.concatenate([getattr(g, k) for g in found]) for k in ("energy", "distance", "depth"))
    share = np.concatenate([g.distance / g.furthest for g in found])
    by_far, by_deep = (np.floor(v / width + ROUNDING).astype(np.int64) for v in (far, deep))
    by_share = np.minimum((share * params.parts + ROUNDING).astype(np.int64), params.parts - 1)
    bins, layers = int(by_far.max()) + 1, int(by_deep.max()) + 1
    made: dict[str, Any] = {"distance": (("bin",), (np.arange(bins) + 0.5) * width, {"units": "um"})}
    made |= _statistics(energy, by_far, bins, "bin", "", params.fewest)
    made["fraction"] = (("part",), (np.arange(params.parts) + 0.5) / params.parts, {"units": "1"})
    made |= _statistics(energy, by_share, params.parts, "part", "part_", params.fewest)
    made["depth"] = (("layer",), (np.arange(layers) + 0.5) * width, {"units": "um"})
    made |= _statistics(energy, by_deep, layers, "layer", "depth_", params.fewest)
    cell = by_deep * bins + by_far
    count = np.bincount(cell, minlength=layers * bins)
    with np.errstate(invalid="ignore"):
        mean = np.where(count >= params.fewest, np.bincount(cell, energy, minlength=layers * bins) / count, np.nan)
    made["joint_mean"] = (("layer", "bin"), mean.reshape(layers, bins), {"units": "eV"})
    made["joint_count"] = (("layer", "bin"), count.reshape(layers, bins), {"units": "1"})
    return xr.Dataset(made)


def _statistics(energy: np.ndarray, place: np.ndarray, bins: int, dim: str, prefix: str, fewest: int) -> dict[str, Any]:
    """Mean, quartiles and count of each bin; NaN where a bin has too few voxels."""
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(bins + 1))
    count = np.diff(ends)
    mean, quartiles = np.full(bins, np.nan), np.full((3, bins), np.nan)
    ordered = energy[order]
    for i in np.flatnonzero(count >= fewest):
        part = ordered[ends[i] : ends[i + 1]]
        mean[i], quartiles[:, i] = part.mean(), np.quantile(part, QUARTILES)
    named = {"mean": mean, "lower": quartiles[0], "median": quartiles[1], "upper": quartiles[2]}
    made: dict[str, Any] = {f"{prefix}{k}": ((dim,), v, {"units": "eV"}) for k, v in named.items()}
    made[f"{prefix}count"] = ((dim,), count, {"units": "1"})
    return made


def _slopes(found: dict[int, Gathered], params: DistanceParams) -> dict[str, Any]:
    """Slopes of each particle with their intervals, eV/µm: against distance, against depth, and both at once."""
    rows = []
    for number, g in found.items():
        one = np.ones(g.energy.size)
        plain, deep, both = (
            block_fit(np.column_stack([one, *columns]), g.energy, g.block, growth=g.growth, level=params.level)
            for columns in ((g.distance,), (g.depth,), (g.distance, g.depth))
        )
        rows.append(
            {"slope_particle": number, "slope_n": g.energy.size, "slope_blocks": plain.blocks, "furthest": g.furthest}
            | _named("slope", plain, 1)
            | _named("depth_slope", deep, 1)
            | _named("adjusted_slope", both, 1)
            | _named("adjusted_depth_slope", both, 2)
        )
    units = {"slope_particle": "1", "slope_n": "1", "slope_blocks": "1", "furthest": "um"}
    return {k: (("slope_row",), np.array([r[k] for r in rows]), {"units": units.get(k, "eV/um")}) for k in rows[0]}


def _named(name: str, fit: BlockFit, i: int) -> dict[str, float]:
    return {name: float(fit.value[i]), f"{name}_low": float(fit.low[i]), f"{name}_high": float(fit.high[i])}


def summarise(stored: xr.Dataset, params: DistanceParams) -> Mapping[str, Scalar]:
    """Slopes: of one particle with its interval by blocks, of several with the interval over particles."""
    titles = {
        "slope": "Edge energy against distance from a crack",
        "adjusted_slope": "The same at equal depth below the surface",
        "depth_slope": "Edge energy against depth below the surface",
        "adjusted_depth_slope": "The same at equal distance from a crack",
    }
    found = {name: _slope(stored, name, title, params.level) for name, title in titles.items()}
    voxels = int(stored.attrs["voxels"])
    furthest = float(stored["furthest"].values.max())
    found["furthest"] = Scalar(furthest, "um", n=voxels, of="voxels", title="Largest distance from a crack")
    found["n_voxels"] = Scalar(voxels, "1", n=voxels, of="voxels", title="Voxels that count")
    found["n_blocks"] = Scalar(
        int(stored["slope_blocks"].values.min()), "1", title=f"Blocks of space ({FEWEST_BLOCKS} are needed for an interval)"
    )
    return found


def _slope(stored: xr.Dataset, name: str, title: str, level: float) -> Scalar:
    values = stored[name].values
    if values.size > 1:
        over = mean_interval(values, level=level)
        return Scalar(_known(over.value), "eV/um", _known(over.std), _known(over.low), _known(over.high), over.n, level, "particles", title)
    low, high = _known(stored[f"{name}_low"].values[0]), _known(stored[f"{name}_high"].values[0])
    n = int(stored["slope_n"].values[0])
    return Scalar(_known(values[0]), "eV/um", low=low, high=high, n=n, level=level if low is not None else None, of=WITHIN, title=title)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
