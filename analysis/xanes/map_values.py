"""What one map says: how often each value occurs, and how it runs along a line. Edge maps, fractions, clusters, states, stacks alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field
from scipy import ndimage

from analysis.core.data import Scalar, Schema, Var, table
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.core.registry import Input, Recipe
from analysis.schemas import EDGE_MAP, MASK, STACK, VOLUME, has_voxel_size, spatial_dims, voxel_um
from analysis.xanes.calibration import STATE
from analysis.xanes.cluster import CLUSTERS
from analysis.xanes.lcf import FRACTIONS

UNITS = ("eV", "1", "1/um")
FINE = 20  # fine bins in a bin: quantiles are known to a twentieth of it
MOST_BINS = 100_000
FEWEST = 2
STEPS_A_VOXEL = 2.0
LABELS = ("flags", "label", "rim")
KNOWN_HALF = 0.5  # part of the interpolation's weight that must lie on voxels with a value

HISTOGRAM = Schema(
    "xanes.map_histogram",
    {
        "value": Var(("bin",), UNITS, title="Middle of the bin"),
        "count": Var(("bin",), "1", title="Voxels"),
        "fraction": Var(("bin",), "1", title="Fraction of the voxels"),
    },
)
PROFILE = Schema(
    "xanes.map_profile",
    {"distance": Var(("point",), ("um", "1"), title="Distance"), "value": Var(("point",), UNITS, title="Value")},
)
MAPS = {
    "edges": Input(EDGE_MAP.name, optional=True),
    "stack": Input(STACK.name, optional=True),
    "fractions": Input(FRACTIONS.name, optional=True),
    "clusters": Input(CLUSTERS.name, optional=True),
    "state": Input(STATE.name, optional=True),
    "volume": Input(VOLUME.name, optional=True),
}


class MapParams(Params):
    """Which map is meant."""

    variable: str = Field("edge_energy", max_length=60, title="Map")
    layer: int = Field(0, ge=0, title="Layer (energy or component), from 0")


class HistogramParams(MapParams):
    """How the values of a map are counted."""

    bin_width: float = Field(0.1, gt=0, title="Width of the bins, in the unit of the map")


class ProfileParams(MapParams):
    """A line through a map, in voxels; voxel i covers i to i + 1."""

    start: tuple[float, ...] = Field((), title="From (z, y, x)")
    end: tuple[float, ...] = Field((), title="To (z, y, x)")


@dataclass(frozen=True)
class Chosen:
    """One map of a dataset, and the voxels of it that count."""

    ds: xr.Dataset
    values: xr.DataArray
    std: xr.DataArray | None

    @property
    def units(self) -> str:
        return str(self.values.attrs.get("units", "1"))

    @property
    def is_label(self) -> bool:
        return self.values.name in LABELS

    def attrs(self) -> dict[str, Any]:
        kept = {n: self.ds.attrs[n] for n in ("definition", "quantity", "e0", "energy_offset", "calibrant") if n in self.ds.attrs}
        return {**kept, "variable": str(self.values.name), "title": str(self.values.attrs.get("title") or self.values.name)}


def chosen(params: MapParams, **maps: xr.Dataset | None) -> Chosen:
    """The map that is meant, of the one dataset that is given."""
    given = [ds for ds in maps.values() if ds is not None]
    if len(given) != 1:
        raise DataError(f"One map is looked at; {len(given)} were given.", hint=f"Give one of {', '.join(maps)}.")
    (ds,) = given
    if params.variable not in ds.data_vars:
        raise ParamError(f"There is no map '{params.variable}'.", hint=f"Known: {', '.join(map(str, ds.data_vars))}.")
    values = ds[params.variable]
    extra = [d for d in values.dims if d not in spatial_dims(ds)]
    if len(extra) > 1 or not set(spatial_dims(ds)) <= set(values.dims):
        raise ParamError(f"'{params.variable}' is no map.", hint="Choose a variable with dimensions in space.")
    std = ds.get(f"{params.variable}_std")
    if extra:
        if params.layer >= values.sizes[extra[0]]:
            raise ParamError(f"'{params.variable}' has {values.sizes[extra[0]]} layers.", hint="The first one is 0.")
        values = values.isel({extra[0]: params.layer})
        std = None if std is None else std.isel({extra[0]: params.layer})
    return Chosen(ds, values, std)


def _counted(part: xr.Dataset, variable: str) -> np.ndarray | bool:
    """Voxels that count: those without a flag, off the rim, inside a cluster; all, where the flags themselves are counted."""
    if variable in ("flags", "rim"):
        return True
    found: np.ndarray | bool = True
    if "flags" in part:
        found = found & (part["flags"].to_numpy() == 0)
    if "rim" in part:
        found = found & (part["rim"].to_numpy() == 0)
    return found & (part["label"].to_numpy() > 0) if "label" in part else found


def _slabs(of: Chosen, mask: xr.Dataset | None) -> Iterator[np.ndarray]:
    """Values that count, slab by slab, so that memory is bounded."""
    first = spatial_dims(of.ds)[0]
    step = max(1, (1 << 22) // max(1, of.values.size // of.values.sizes[first]))
    maps = of.ds[[n for n in ("flags", "rim", "label") if n in of.ds]]
    for start in range(0, of.values.sizes[first], step):
        part = {first: slice(start, start + step)}
        values = of.values.isel(part).to_numpy()
        inside = np.isfinite(values) & _counted(maps.isel(part), str(of.values.name))
        if mask is not None:
            inside &= mask["mask"].isel(part).to_numpy() != 0
        report(start / of.values.sizes[first], "counting voxels")
        yield values[inside].astype(np.float64)


def histogram(*, params: HistogramParams, mask: xr.Dataset | None = None, **maps: xr.Dataset | None) -> xr.Dataset:
    """Voxels by value, in bins at multiples of their width, so that regions and particles share their bins."""
    of = chosen(params, **maps)
    if mask is not None and dict(mask["mask"].sizes) != dict(of.values.sizes):
        raise DataError("The region was drawn on a map of another size.", hint="Draw it again on this one.")
    width = 1.0 if of.is_label else params.bin_width
    shift = 0.5 if of.is_label else 0.0  # a label is the middle of its bin
    counts, total, squares, origin = _fine_counts(_slabs(of, mask), width, shift)
    n = int(sum(counts.values()))
    if n < FEWEST:
        raise DataError(f"{n} voxels that count are too few.", hint="Draw a larger region, or look at the flags of the map.")
    place = np.array(sorted(counts))
    number = np.array([counts[p] for p in place], dtype=float)
    coarse = np.floor_divide(place, FINE)
    span = np.arange(coarse.min(), coarse.max() + 1)
    count = np.bincount(coarse - coarse.min(), weights=number, minlength=span.size)
    middle = (span + 0.5) * width - shift
    mean = origin + total / n
    attrs = {
        **of.attrs(),
        "n": n,
        "bin_width": width,
        "mean": mean,
        "std": float(np.sqrt(max(0.0, (squares - total**2 / n) / max(1, n - 1)))),
        "quartiles": _quantiles((place + 0.5) * width / FINE - shift, number),
    }
    return table({"value": (middle, of.units), "count": (count, "1"), "fraction": (count / n, "1")}, dim="bin", attrs=attrs)


def within(of: Chosen, low: float, high: float) -> tuple[int, int]:
    """How many voxels that count have values from ``low`` to ``high``, and how many there are."""
    inside = n = 0
    for values in _slabs(of, None):
        inside, n = inside + int(np.count_nonzero((values >= low) & (values <= high))), n + values.size
    return inside, n


def _fine_counts(slabs: Iterator[np.ndarray], width: float, shift: float) -> tuple[dict[int, int], float, float, float]:
    """Counts by number of the fine bin; sum and sum of squares about an origin."""
    counts: dict[int, int] = {}
    total = squares = 0.0
    origin: float | None = None
    for values in slabs:
        if values.size == 0:
            continue
        origin = float(values.mean()) if origin is None else origin
        places, numbers = np.unique(np.floor((values + shift) / (width / FINE)).astype(np.int64), return_counts=True)
        for place, number in zip(places.tolist(), numbers.tolist(), strict=True):
            counts[place] = counts.get(place, 0) + number
        total, squares = total + float(np.sum(values - origin)), squares + float(np.sum((values - origin) ** 2))
        if (max(counts) - min(counts)) / FINE > MOST_BINS:
            raise ParamError(f"The values need more than {MOST_BINS:,} bins of {width:g}.", hint="Choose wider bins.")
    return counts, total, squares, origin or 0.0


def _quantiles(at: np.ndarray, number: np.ndarray) -> list[float]:
    """First quartile, median, third quartile."""
    below = (np.cumsum(number) - 0.5 * number) / number.sum()
    return [float(np.interp(q, below, at)) for q in (0.25, 0.5, 0.75)]


def summarise_histogram(stored: xr.Dataset, params: HistogramParams) -> dict[str, Scalar]:
    """Number, median, quartile distance, mean and standard deviation of the voxels that count."""
    unit, n = str(stored["value"].attrs["units"]), int(stored.attrs["n"])
    low, median, high = stored.attrs["quartiles"]
    found = {"n_valid": Scalar(n, "1", n=n, of="voxels", title="Voxels that count")}
    for name, value, title in (
        ("median", median, "Median"),
        ("iqr", high - low, "Quartile distance"),
        ("mean", stored.attrs["mean"], "Mean"),
    ):
        found[name] = Scalar(float(value), unit, n=n, of="voxels", title=title)
    return found | {"std": Scalar(float(stored.attrs["std"]), unit, n=n, of="voxels", title="Standard deviation between voxels")}


def profile(*, params: ProfileParams, **maps: xr.Dataset | None) -> xr.Dataset:
    """The map along a straight line, linearly between voxels; no value where more than half of the weight has none."""
    of = chosen(params, **maps)
    dims = spatial_dims(of.ds)
    ends = [np.asarray(p, dtype=float) for p in (params.start, params.end)]
    if any(e.size != len(dims) or not np.isfinite(e).all() for e in ends):
        raise ParamError(f"A line through this map has {len(dims)} coordinates at each end.", hint="Draw it again.")
    size = np.array([of.values.sizes[d] for d in dims])
    start, end = (np.clip(e, 0, size) for e in ends)
    steps = int(np.ceil(np.linalg.norm(end - start) * STEPS_A_VOXEL))
    if steps < 1:
        raise ParamError("The line has no length.", hint="Draw it again, longer.")
    at = start + np.linspace(0, 1, steps + 1)[:, None] * (end - start) - 0.5  # in indices of voxel middles
    low = np.clip(np.floor(at.min(axis=0)).astype(int) - 1, 0, size - 1)
    high = np.clip(np.ceil(at.max(axis=0)).astype(int) + 2, low + 1, size)
    box = {d: slice(int(a), int(b)) for d, a, b in zip(dims, low, high, strict=True)}
    um = np.array(voxel_um(of.ds))
    distance = np.linalg.norm((at - at[0]) * um, axis=1)
    columns = {"distance": (distance, "um" if has_voxel_size(of.ds) else "1")}
    for name, values in (("value", of.values), ("value_std", of.std)):
        if values is not None:
            columns[name] = (_along(values.isel(box).to_numpy().astype(float), (at - low).T, nearest=of.is_label), of.units)
    attrs = {**of.attrs(), "start": start.tolist(), "end": end.tolist()}
    return table(columns, dim="point", attrs=attrs)


def _along(values: np.ndarray, at: np.ndarray, *, nearest: bool) -> np.ndarray:
    order = 0 if nearest else 1
    known = np.isfinite(values)
    weight = ndimage.map_coordinates(known.astype(float), at, order=order, mode="nearest")
    total = ndimage.map_coordinates(np.where(known, values, 0.0), at, order=order, mode="nearest")
    return np.divide(total, weight, out=np.full(weight.shape, np.nan), where=weight >= KNOWN_HALF)


def summarise_profile(stored: xr.Dataset, params: ProfileParams) -> dict[str, Scalar]:
    """Length of the line and how many of its points have a value."""
    known = int(np.isfinite(stored["value"].to_numpy()).sum())
    length = float(stored["distance"].to_numpy()[-1])
    return {
        "length": Scalar(length, str(stored["distance"].attrs["units"]), title="Length"),
        "n_known": Scalar(known, "1", n=stored.sizes["point"], of="points", title="Points with a value"),
    }


RECIPES_MAP_VALUES: tuple[Recipe, ...] = (
    Recipe(
        "xanes.map_histogram",
        "Values of a map",
        {**MAPS, "mask": Input(MASK.name, optional=True)},
        HISTOGRAM,
        histogram,
        HistogramParams,
        summarise_histogram,
        light=True,
    ),
    Recipe("xanes.map_profile", "A map along a line", MAPS, PROFILE, profile, ProfileParams, summarise_profile, light=True),
)
