"""Particles of a group in one state put together: every particle weighs the same, however many voxels it has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from pydantic import Field, model_validator
from scipy.ndimage import gaussian_filter1d

from analysis.core.data import Scalar, Schema, Var, table, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.mixture import Mixture, mixture_of
from analysis.core.numerics.shape import Shape, quantiles, shape_of
from analysis.core.numerics.statistics import mean_interval
from analysis.core.params import Params
from analysis.xanes.distribution import FINE, KEPT, PER_VALUE, VALUE, gaussian

SET, PARTICLE = ("set",), ("particle",)
POINTS = 200  # of a violin's outline
OUTSIDE = 0.001  # of the volume, at either end: beyond it no outline is drawn
ALIKE = ("bin_width", "definition", "dimensionality", "quantity")
NUMBERS = {
    "median": "Median",
    "q25": "A quarter of the volume lies below",
    "q75": "A quarter of the volume lies above",
    "p5": "5 % of the volume lie below",
    "p95": "95 % of the volume lie below",
    "mean": "Mean",
    "std": "Standard deviation",
    "noise_floor": "Noise floor",
    "bandwidth": "Width of the outline's kernel",
}
SHAPES = {"skewness": "Skewness", "dip": "Hartigan's dip", "bimodality": "Bimodality coefficient"}

POOLED = Schema(
    "xanes.pooled",
    {
        "set_group": Var(SET, "", title="Group"),
        "set_state": Var(SET, "", title="State"),
        "n_particles": Var(SET, "1", title="Particles"),
        "n_voxels": Var(SET, "1", title="Voxels"),
        **{name: Var(SET, VALUE, title=title) for name, title in NUMBERS.items()},
        **{name: Var(SET, "1", title=title) for name, title in SHAPES.items()},
        "mean_of_medians": Var(SET, VALUE, title="Mean of the particles' medians"),
        "low": Var(SET, VALUE, title="Lower limit of that mean, 95 % over particles"),
        "high": Var(SET, VALUE, title="Upper limit of that mean, 95 % over particles"),
        "energy": Var(("bin",), VALUE, title="Middle of the bin"),
        "fraction": Var(("set", "bin"), "1", title="Fraction of the volume"),
        "density": Var(("set", "bin"), PER_VALUE, title="Density"),
        "gaussian": Var(("set", "bin"), PER_VALUE, title="Gaussian of the same mean and width"),
        "mixture": Var(("set", "bin"), PER_VALUE, title="Gaussian mixture"),
        "at": Var(("point",), VALUE, title="Edge energy, state of charge or valence"),
        "outline": Var(("set", "point"), PER_VALUE, title="Smoothed density"),
        "particle_set": Var(PARTICLE, "1", title="Set of the particle, from 0"),
        "particle_median": Var(PARTICLE, VALUE, title="Median of the particle"),
        "particle_outline": Var(("particle", "point"), PER_VALUE, title="Smoothed density of the particle"),
    },
)


class PooledParams(Params):
    """What each distribution is, in their order, and how it is smoothed."""

    groups: tuple[str, ...] = Field((), title="Group of each particle")
    states: tuple[str, ...] = Field((), title="State of each particle")
    most_parts: int = Field(4, ge=1, le=8, title="Gaussians in the mixture at most")
    bandwidth: float | None = Field(None, gt=0, title="Width of the outline's kernel (by the spread and the independent voxels if empty)")

    @model_validator(mode="after")
    def _as_many(self) -> "PooledParams":
        if len(self.groups) != len(self.states):
            raise ValueError("as many states as groups are needed, one of each for every particle")
        return self


@dataclass(frozen=True)
class Counted:
    """Relative counts in fine bins ``step`` wide, and how many independent voxels stand behind them."""

    step: float
    centers: np.ndarray
    share: np.ndarray
    independent: float
    voxels: int
    noise: float

    @property
    def shape(self) -> Shape:
        return shape_of(self.centers, self.share * self.voxels)


def pooled(*, particles: tuple[xr.Dataset, ...], params: PooledParams) -> xr.Dataset:
    """Each group in each state as the mean of its particles' distributions, with its shape, a mixture and an outline to draw."""
    if len(particles) != len(params.groups):
        raise ParamError(
            f"{len(particles)} particles have {len(params.groups)} groups.",
            hint="Give a group and a state for every particle, in their order.",
        )
    _alike(particles)
    width = float(particles[0].attrs["bin_width"])
    counted = _on_one_axis([_counted(p) for p in particles])
    sets = list(dict.fromkeys(zip(params.groups, params.states, strict=True)))
    place = np.array([sets.index(s) for s in zip(params.groups, params.states, strict=True)])
    together = [_together([c for c, k in zip(counted, place, strict=True) if k == i]) for i in range(len(sets))]
    medians = np.array([c.shape.median for c in counted])
    unit = str(particles[0]["energy"].attrs["units"])
    bins = _histograms(together, width, unit, params)
    single = table({"particle_set": (place, "1"), "particle_median": (medians, unit)}, dim="particle")
    made = xr.merge([_of_sets(sets, together, medians, place, unit), bins, _outlines(together, counted, place, unit, params), single])
    made = made.assign_attrs(parts=bins.attrs["parts"])
    attrs = {k: particles[0].attrs[k] for k in (*KEPT, "dimensionality", "bin_width") if k in particles[0].attrs}
    said = [w for p in particles for w in warnings_of(p) if "beyond the calibrants" in w]
    return warn(made.assign_attrs(attrs), "Every particle weighs the same.", *said)


def _alike(particles: Sequence[xr.Dataset]) -> None:
    for name in ALIKE:
        found = list(dict.fromkeys(str(p.attrs.get(name, "")) for p in particles))
        if len(found) > 1:
            raise DataError(
                f"The particles differ in {name.replace('_', ' ')}: {', '.join(found)}.", hint="Put together what was analysed alike."
            )


def _counted(particle: xr.Dataset) -> Counted:
    record, counts = particle.attrs["distribution"], particle["fine_count"].values
    noise = record["noise_floor"]
    total = float(counts.sum())
    floor = float("nan") if noise is None else float(noise)
    step = float(particle.attrs["bin_width"]) / FINE
    return Counted(step, particle["fine_energy"].values, counts / total, float(record["n_effective"]), int(total), floor)


def _on_one_axis(counted: Sequence[Counted]) -> list[Counted]:
    """The same fine bins for all; they are at multiples of one width already."""
    step = counted[0].step
    low, high = min(c.centers[0] for c in counted), max(c.centers[-1] for c in counted)
    centers = low + step * np.arange(round((high - low) / step) + 1)
    made = []
    for c in counted:
        share = np.zeros(centers.size)
        start = round((c.centers[0] - low) / step)
        share[start : start + c.share.size] = c.share
        made.append(replace(c, centers=centers, share=share))
    return made


def _together(members: Sequence[Counted]) -> Counted:
    """The mean of some distributions; what its mean is worth in independent voxels follows from equal weights."""
    n = len(members)
    independent = n**2 / sum(1 / max(m.independent, 1.0) for m in members)
    noise = float(np.sqrt(np.mean([m.noise**2 for m in members])))
    share = np.mean([m.share for m in members], axis=0)
    return Counted(members[0].step, members[0].centers, share, independent, sum(m.voxels for m in members), noise)


def _of_sets(sets: Sequence[tuple[str, str]], together: Sequence[Counted], medians: np.ndarray, place: np.ndarray, unit: str) -> xr.Dataset:
    shapes = [c.shape for c in together]
    quarters = [quantiles(c.centers, c.share, np.array([0.25, 0.75])) for c in together]
    means = [mean_interval(medians[place == i]) for i in range(len(sets))]
    columns = {
        "set_group": (np.array([g for g, _ in sets], dtype=object).astype(str), ""),
        "set_state": (np.array([s for _, s in sets], dtype=object).astype(str), ""),
        "n_particles": ([int((place == i).sum()) for i in range(len(sets))], "1"),
        "n_voxels": ([c.voxels for c in together], "1"),
        **{n: ([getattr(s, n) for s in shapes], unit) for n in ("median", "p5", "p95", "mean", "std")},
        "q25": ([q[0] for q in quarters], unit),
        "q75": ([q[1] for q in quarters], unit),
        "noise_floor": ([c.noise for c in together], unit),
        **{n: ([getattr(s, n) for s in shapes], "1") for n in SHAPES},
        "mean_of_medians": ([m.value for m in means], unit),
        "low": ([m.low for m in means], unit),
        "high": ([m.high for m in means], unit),
    }
    return table(columns, dim="set")


def _histograms(together: Sequence[Counted], width: float, unit: str, params: PooledParams) -> xr.Dataset:
    """The fine bins gathered into those of the particles' histograms, with Gaussian and mixture."""
    fine = together[0].centers
    place = np.floor(fine / width + 1e-6).astype(np.int64)
    centers = (np.arange(place[0], place[-1] + 1) + 0.5) * width
    fractions = np.stack([np.bincount(place - place[0], weights=c.share, minlength=centers.size) for c in together])
    mixtures = [_mixture(c, params) for c in together]
    shapes = [c.shape for c in together]
    per = "1/eV" if unit == "eV" else "1"
    variables = {
        "fraction": (("set", "bin"), fractions, {"units": "1"}),
        "density": (("set", "bin"), fractions / width, {"units": per}),
        "gaussian": (("set", "bin"), np.stack([gaussian(centers, s.mean, s.std) for s in shapes]), {"units": per}),
        "mixture": (("set", "bin"), np.stack([m.density(centers) for m in mixtures]), {"units": per}),
        "energy": (("bin",), centers, {"units": unit}),
    }
    return xr.Dataset(variables, attrs={"parts": [_parts(m) for m in mixtures]})


def _mixture(counted: Counted, params: PooledParams) -> Mixture:
    return mixture_of(counted.centers, counted.share, n_effective=counted.independent, most=params.most_parts)


def _parts(mixture: Mixture) -> list[dict[str, float]]:
    rows = zip(mixture.weight, mixture.mean, mixture.std, strict=True)
    return [dict(zip(("weight", "mean", "std"), map(float, row), strict=True)) for row in rows]


def _outlines(together: Sequence[Counted], counted: Sequence[Counted], place: np.ndarray, unit: str, params: PooledParams) -> xr.Dataset:
    """Densities smoothed by a Gaussian kernel on one axis, for sets and particles; a particle has the kernel of its set."""
    widths = np.array([params.bandwidth or kernel_width(c) for c in together])
    ends = [quantiles(c.centers, c.share, np.array([OUTSIDE, 1 - OUTSIDE])) for c in together]
    low = min(e[0] - 2 * w for e, w in zip(ends, widths, strict=True))
    high = max(e[1] + 2 * w for e, w in zip(ends, widths, strict=True))
    at = np.linspace(low, high, POINTS)
    per = "1/eV" if unit == "eV" else "1"
    sets = np.stack([smoothed(c, w, at) for c, w in zip(together, widths, strict=True)])
    single = np.stack([smoothed(c, widths[k], at) for c, k in zip(counted, place, strict=True)])
    variables = {
        "at": (("point",), at, {"units": unit}),
        "outline": (("set", "point"), sets, {"units": per}),
        "particle_outline": (("particle", "point"), single, {"units": per}),
        "bandwidth": (SET, widths, {"units": unit}),
    }
    return xr.Dataset(variables)


def kernel_width(counted: Counted) -> float:
    """Width of a Gaussian kernel by Silverman's rule [1]_, with the number of independent voxels; one fine bin at least.

    References
    ----------
    .. [1] B. W. Silverman, Density Estimation for Statistics and Data Analysis, Chapman & Hall (1986), eq. 3.31.
    """
    low, high = quantiles(counted.centers, counted.share, np.array([0.25, 0.75]))
    spread = min(s for s in (counted.shape.std, (high - low) / 1.349, np.inf) if s > 0)
    return max(counted.step, 0.9 * spread * counted.independent**-0.2) if np.isfinite(spread) else counted.step


def smoothed(counted: Counted, width: float, at: np.ndarray) -> np.ndarray:
    """Density at some values, shape as ``at``; its integral over all values is 1."""
    step = counted.step
    room = int(np.ceil(5 * width / step))
    padded = np.pad(counted.share, room)
    values = counted.centers[0] + step * (np.arange(padded.size) - room)
    return np.asarray(np.interp(at, values, gaussian_filter1d(padded, width / step, mode="constant") / step, left=0.0, right=0.0))


def summarise(stored: xr.Dataset, params: PooledParams) -> dict[str, Scalar]:
    """Mean of the particles' medians and median of the volume, for each group in each state."""
    found = {}
    unit = str(stored["energy"].attrs["units"])
    for i, (group, state) in enumerate(zip(stored["set_group"].values.astype(str), stored["set_state"].values.astype(str), strict=True)):
        n, name = int(stored["n_particles"][i]), " ".join(w for w in (group, state) if w)
        value, low, high = (float(stored[v][i]) for v in ("mean_of_medians", "low", "high"))
        level = 0.95 if np.isfinite(low) else None
        found[f"mean_of_medians_{i + 1}"] = Scalar(
            value, unit, low=low, high=high, n=n, level=level, of="particles", title=f"Mean of particle medians, {name}"
        )
        for which, title in (("median", "Median of the volume"), ("std", "Standard deviation"), ("noise_floor", "Noise floor")):
            found[f"{which}_{i + 1}"] = Scalar(float(stored[which][i]), unit, n=n, of="particles", title=f"{title}, {name}")
        for which, title in SHAPES.items():
            found[f"{which}_{i + 1}"] = Scalar(float(stored[which][i]), "1", n=n, of="particles", title=f"{title}, {name}")
    return found
