"""How edge energies are distributed inside one particle: histogram, Gaussians, shape, with intervals by blocks of space.

The same for state of charge or valence, where a map was calibrated: the numbers then have the unit 1.
"""

from dataclasses import asdict, dataclass

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, Schema, Var, table, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.mixture import Mixture, mixture_of
from analysis.core.numerics.neighbours import near
from analysis.core.numerics.shape import Shape, fine_bins, shape_of
from analysis.core.numerics.spatial import BlockIntervals, Correlation, block_bootstrap, block_labels, block_side, correlation
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.schemas import dimensionality
from analysis.xanes.blocks import checked_mask
from analysis.xanes.calibration import ABOVE, BELOW
from analysis.xanes.edges import RECIPE
from analysis.xanes.kept import noise_and_spread
from analysis.xanes.normalise import EV

BIN, FINE_BIN = ("bin",), ("fine",)
FINE = 20  # fine bins in a bin of the histogram
FEWEST = 10  # voxels
MOST_BLOCKS = 2000  # of the bootstrap: more would take memory and time, and tell nothing more
VALUE, PER_VALUE = ("eV", "1"), ("1/eV", "1")  # edge energy; state of charge or valence

DISTRIBUTION = Schema(
    "xanes.distribution",
    {
        "energy": Var(BIN, VALUE, title="Edge energy, state of charge or valence"),  # middle of the bin
        "count": Var(BIN, "1", title="Voxels"),
        "fraction": Var(BIN, "1", title="Fraction of the volume"),
        "density": Var(BIN, PER_VALUE, title="Density"),
        "gaussian": Var(BIN, PER_VALUE, title="Gaussian of the same mean and width"),
        "mixture": Var(BIN, PER_VALUE, title="Gaussian mixture"),
        "fine_energy": Var(FINE_BIN, VALUE, title="Middle of a fine bin"),
        "fine_count": Var(FINE_BIN, "1", title="Voxels of a fine bin"),
    },
)

REFUSED = (4, 8, 16)  # of analysis.schemas.FLAGS: there is an edge, but its energy is not known well enough
KEPT = ("e0", *RECIPE, "quantity", "calibrant_energies", "calibrant_values", "element", "edge")
OF_VALUES = ("mean", "std", "median", "iqr", "p5", "p95")  # the other numbers of a shape have no unit
SHAPE_TITLES = {
    "mean": "Mean",
    "std": "Standard deviation",
    "median": "Median",
    "iqr": "Quartile distance",
    "p5": "5 % of the volume lie below",
    "p95": "95 % of the volume lie below",
    "skewness": "Skewness",
    "kurtosis": "Excess kurtosis",
    "bimodality": "Bimodality coefficient",
    "dip": "Hartigan's dip",
}
WITHIN = "voxels; interval within this particle, not for inference"


class DistributionParams(Params):
    """How edge energies are counted."""

    bin_width: float = Field(0.05, gt=0, le=10, title="Width of the bins", json_schema_extra=EV)
    erode: int = Field(0, ge=0, le=8, title="More rim left out, in voxels")
    most_parts: int = Field(4, ge=1, le=8, title="Gaussians in the mixture at most")
    resamples: int = Field(400, ge=0, le=5000, title="Resamples of the block bootstrap (0: none)")
    seed: int = Field(0, ge=0, title="Seed")


class StateDistributionParams(DistributionParams):
    """How states of charge or valences are counted."""

    bin_width: float = Field(0.02, gt=0, le=10, title="Width of the bins")


@dataclass(frozen=True)
class Found:
    """What the voxels of one map say."""

    shape: Shape
    mixture: Mixture
    correlation: Correlation
    intervals: BlockIntervals | None
    noise: dict[str, float]


def distribution(edges: xr.Dataset, params: DistributionParams, *, mask: xr.Dataset | None = None) -> xr.Dataset:
    """Histogram in bins at multiples of their width, so that particles share their bins, with Gaussian and mixture.

    Everything else about the distribution is in ``attrs["distribution"]``, which ``summarise`` turns into scalars.
    """
    inside = _inside(edges, params, mask)
    values = edges["edge_energy"].to_numpy()
    energy = values[inside].astype(np.float64)
    if energy.size < FEWEST:
        raise DataError(
            f"{energy.size} voxels with an edge energy are too few for a distribution.",
            hint="Take less of the rim off (erode), widen the mask, or look at the flags of the map.",
        )
    std = edges["edge_energy_std"].to_numpy()[inside].astype(np.float64) if "edge_energy_std" in edges else np.full(energy.size, np.nan)
    centers, place = fine_bins(energy, params.bin_width)
    counts = np.bincount(place, minlength=centers.size).astype(np.float64)
    fine, fine_place = fine_bins(energy, params.bin_width / FINE)
    fine_counts = np.bincount(fine_place, minlength=fine.size).astype(np.float64)
    noise = noise_and_spread(float(np.var(energy, ddof=1)), float(np.mean(std**2)))
    found = _found(values, inside, (fine, fine_place), noise, params)
    shape, unit = found.shape, str(edges["edge_energy"].attrs.get("units", "eV"))
    per = "1/eV" if unit == "eV" else "1"
    columns = {
        "energy": (centers, unit),
        "count": (counts, "1"),
        "fraction": (counts / energy.size, "1"),
        "density": (counts / energy.size / params.bin_width, per),
        "gaussian": (gaussian(centers, shape.mean, shape.std), per),
        "mixture": (found.mixture.density(centers), per),
    }
    attrs = {k: edges.attrs[k] for k in KEPT if k in edges.attrs}
    attrs |= {"dimensionality": dimensionality(edges), "bin_width": params.bin_width}
    attrs |= {"distribution": {**_record(found, energy.size), **_refused(edges["flags"].to_numpy())}}
    made = table(columns, dim="bin", attrs=attrs).merge(table({"fine_energy": (fine, unit), "fine_count": (fine_counts, "1")}, dim="fine"))
    return warn(made, *warnings_of(edges), *_remarks(found))


def of_state(state: xr.Dataset, params: StateDistributionParams, *, mask: xr.Dataset | None = None) -> xr.Dataset:
    """The same for a calibrated map; it says how many voxels lie beyond the calibrants and are not in it."""
    made = distribution(state_as_map(state), params, mask=mask)
    flags = state["flags"].to_numpy()
    beyond = int(np.sum((flags & (BELOW | ABOVE)) != 0))
    n = int(made.attrs["distribution"]["n"])
    if not beyond:
        return made
    share = beyond / (beyond + n)
    return warn(made, f"{share:.1%} of the voxels lie beyond the calibrants and are left out: medians and widths are of the rest.")


def state_as_map(state: xr.Dataset) -> xr.Dataset:
    """A calibrated map under the names of an edge map, so that both are counted and compared alike; its unit is 1."""
    names = {"state": "edge_energy", "state_std": "edge_energy_std"}
    return state.rename({old: new for old, new in names.items() if old in state})


def _inside(edges: xr.Dataset, params: DistributionParams, mask: xr.Dataset | None) -> np.ndarray:
    has_value = (edges["flags"] == 0).to_numpy()
    inside = has_value.copy()
    if "rim" in edges:
        inside &= edges["rim"].to_numpy() == 0
    if params.erode:
        inside &= ~near(~has_value, params.erode)
    chosen = checked_mask(mask, edges)
    return inside if chosen is None else inside & (chosen.to_numpy() != 0)


def _refused(flags: np.ndarray) -> dict[str, int]:
    """Voxels that have an edge, and those of them that have no value for a reason of quality."""
    has_edge = np.isin(flags & ~np.uint8(BELOW | ABOVE), (0, *REFUSED))
    return {"n_edge": int(has_edge.sum()), "n_refused": int(np.isin(flags, REFUSED).sum())}


def share_between(stored: xr.Dataset, low: float, high: float) -> float:
    """Fraction of a particle's counted volume whose value lies in a range, linear within its fine bins."""
    centers, counts = stored["fine_energy"].values, stored["fine_count"].values
    half = 0.5 * float(stored.attrs["bin_width"]) / FINE
    limits = np.append(centers - half, centers[-1] + half)
    reached = np.concatenate([[0.0], np.cumsum(counts)]) / counts.sum()
    return float(np.diff(np.interp([low, high], limits, reached))[0])


def _found(
    values: np.ndarray, inside: np.ndarray, binned: tuple[np.ndarray, np.ndarray], noise: dict[str, float], params: DistributionParams
) -> Found:
    fine, place = binned
    counts = np.bincount(place, minlength=fine.size).astype(np.float64)
    report(0.1, "how far neighbours resemble each other")
    floor = noise["noise_floor"] ** 2 if np.isfinite(noise["noise_floor"]) else 0.0
    alike = correlation(values, inside, noise_variance=floor)
    report(0.3, "Gaussians")
    mixture = mixture_of(fine, counts, n_effective=alike.n_effective, most=params.most_parts)
    side = max(block_side(alike.length), int(np.ceil((inside.sum() / MOST_BLOCKS) ** (1 / inside.ndim))))
    label, blocks = block_labels(inside, side)
    intervals = None
    report(0.4, "intervals from blocks of space")
    if params.resamples and np.isfinite(alike.length):
        each = np.zeros((blocks, fine.size))
        np.add.at(each, (label, place), 1.0)
        intervals = block_bootstrap(each, lambda c: _numbers(fine, c), side=side, resamples=params.resamples, seed=params.seed)
    return Found(shape_of(fine, counts), mixture, alike, intervals, noise)


def _numbers(centers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.array(list(asdict(shape_of(centers, counts)).values()))


def gaussian(at: np.ndarray, mean: float, std: float) -> np.ndarray:
    """Density of a Gaussian, shape as ``at``; NaN where it has no width."""
    if not std > 0:
        return np.full(at.shape, np.nan)
    return np.asarray(np.exp(-0.5 * ((at - mean) / std) ** 2) / (np.sqrt(2 * np.pi) * std))


def _record(found: Found, n: int) -> dict[str, object]:
    """The numbers as plain values; unknown ones are None."""
    shape = asdict(found.shape)
    low = found.intervals.low if found.intervals else np.full(len(shape), np.nan)
    high = found.intervals.high if found.intervals else np.full(len(shape), np.nan)
    plain = {k: [_known(v), _known(lo), _known(hi)] for (k, v), lo, hi in zip(shape.items(), low, high, strict=True)}
    parts = [dict(zip(("weight", "mean", "std"), map(float, p), strict=True)) for p in zip(*_parts(found.mixture), strict=True)]
    return {
        "n": n,
        "shape": plain,
        "parts": parts,
        "bics": list(found.mixture.bics),
        "correlation_length": found.correlation.length,
        "n_effective": found.correlation.n_effective,
        "blocks": found.intervals.blocks if found.intervals else 0,
        "block_side": found.intervals.side if found.intervals else 0,
        "noise_floor": _known(found.noise["noise_floor"]),
        "heterogeneity": _known(found.noise["heterogeneity"]),
    }


def _parts(mixture: Mixture) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return mixture.weight, mixture.mean, mixture.std


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _remarks(found: Found) -> list[str]:
    if found.intervals is None:
        return ["The particle holds fewer than 20 blocks of three correlation lengths: no interval within it is given."]
    return []


def summarise(stored: xr.Dataset, params: DistributionParams) -> dict[str, Scalar]:
    """The shape of the distribution; intervals are by blocks of space inside the particle."""
    record = stored.attrs["distribution"]
    n, unit = int(record["n"]), str(stored["energy"].attrs["units"])
    found = {"n_valid": Scalar(n, "1", n=n, of="voxels", title="Voxels")}
    for name, (value, low, high) in record["shape"].items():
        level, of = (0.95, WITHIN) if low is not None else (None, "voxels")
        own = unit if name in OF_VALUES else "1"
        found[name] = Scalar(value, own, low=low, high=high, n=n, level=level, of=of, title=SHAPE_TITLES[name])
    found["noise_floor"] = Scalar(record["noise_floor"], unit, n=n, of="voxels", title="Noise floor")
    found["heterogeneity"] = Scalar(record["heterogeneity"], unit, n=n, of="voxels", title="Heterogeneity beyond noise")
    share = record["n_refused"] / record["n_edge"] if record["n_edge"] else None
    found["fraction_refused"] = Scalar(share, "1", n=record["n_edge"], of="voxels with an edge", title="Refused voxels that have an edge")
    found["n_effective"] = Scalar(record["n_effective"], "1", n=n, of="voxels", title="Independent voxels")
    found["correlation_length"] = Scalar(record["correlation_length"], "1", title="Correlation length, in voxels")
    found["n_parts"] = Scalar(len(record["parts"]), "1", title="Gaussians in the mixture")
    for i, part in enumerate(record["parts"], start=1):
        found[f"part_{i}"] = Scalar(part["mean"], unit, std=part["std"], title=f"Gaussian {i} ({part['weight']:.0%} of the volume)")
    return found
