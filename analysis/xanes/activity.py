"""Charge against discharge, group by group: by how much the edge energy of particles moves."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field, model_validator
from scipy import stats

from analysis.core.data import Scalar, Schema, Var, table, warn
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.statistics import FEW, Effect, compare
from analysis.core.params import Params
from analysis.schemas import dimensionality
from analysis.xanes.edges import kept_voxels, spread

CHARGED, DISCHARGED = "charged", "discharged"
GROUP = ("group",)
SAME = ("e0", "pre1", "pre2", "norm1", "norm2", "energy_offset", "calibrant")

ACTIVITY = Schema(
    "xanes.activity",
    {
        "name": Var(GROUP, "", title="Group"),
        "activity": Var(GROUP, "eV", title="Charged − discharged"),
        "low": Var(GROUP, "eV", title="Lower limit"),
        "high": Var(GROUP, "eV", title="Upper limit"),
        "level": Var(GROUP, "1", title="Level of the interval"),  # NaN: the range of all single differences
        "n_charged": Var(GROUP, "1", title="Charged particles"),
        "n_discharged": Var(GROUP, "1", title="Discharged particles"),
        "particle_median": Var(("particle",), "eV", title="Median edge energy of the particle"),
        "particle_iqr": Var(("particle",), "eV", title="Quartile distance in the particle"),
        "particle_std": Var(("particle",), "eV", title="Standard deviation in the particle"),
        "particle_noise": Var(("particle",), "eV", title="Noise floor in the particle"),
        "particle_voxels": Var(("particle",), "1", title="Voxels of the particle"),
        "particle_group": Var(("particle",), "", title="Group"),
        "particle_state": Var(("particle",), "", title="State"),
    },
)


class CompareParams(Params):
    """What each map is, in the order of the maps."""

    groups: tuple[str, ...] = Field((), title="Group of each map")
    states: tuple[Literal["charged", "discharged"], ...] = Field((), title="State of each map")
    method: Literal["hodges_lehmann", "welch"] = Field("hodges_lehmann", title="Interval for fewer than six particles a side")
    level: float = Field(0.95, gt=0.5, lt=1, title="Level of the interval")

    @model_validator(mode="after")
    def _as_many(self) -> "CompareParams":
        if len(self.groups) != len(self.states):
            raise ValueError("as many states as groups are needed, one of each for every map")
        return self


@dataclass(frozen=True)
class Particle:
    """One map as one number, and how broad it is."""

    group: str
    state: str
    voxels: int
    numbers: dict[str, float]


def activity(maps: tuple[xr.Dataset, ...], params: CompareParams) -> xr.Dataset:
    """Difference of particle medians, charged − discharged, in every group, with its interval over particles.

    Charged and discharged particles are different ones (each is measured ex situ), so the samples are independent.
    """
    if len(maps) != len(params.groups):
        raise ParamError(
            f"{len(maps)} maps have {len(params.groups)} groups.", hint="Give a group and a state for every map, in their order."
        )
    _comparable(maps)
    particles = [_particle(m, g, s) for m, g, s in zip(maps, params.groups, params.states, strict=True)]
    names = tuple(dict.fromkeys(params.groups))
    found = [_effect(particles, name, params) for name in names]
    columns = {
        "name": (np.array(names), ""),
        "activity": ([f.value for f in found], "eV"),
        "low": ([f.low for f in found], "eV"),
        "high": ([f.high for f in found], "eV"),
        "level": ([np.nan if f.level is None else f.level for f in found], "1"),
        "n_charged": ([f.n_a for f in found], "1"),
        "n_discharged": ([f.n_b for f in found], "1"),
    }
    ds = table(columns, dim="group")
    each = {
        **{f"particle_{n}": ([p.numbers[k] for p in particles], "eV") for n, k in _COLUMNS.items()},
        "particle_voxels": ([p.voxels for p in particles], "1"),
        "particle_group": (np.array([p.group for p in particles]), ""),
        "particle_state": (np.array([p.state for p in particles]), ""),
    }
    ds = ds.merge(table(each, dim="particle"))
    attrs = {"definition": maps[0].attrs.get("definition", ""), "dimensionality": dimensionality(maps[0])}
    contrast = _contrast(particles, names, params) if len(names) == 2 else None
    if contrast is not None:
        attrs["contrast"] = contrast
    return warn(ds.assign_attrs(attrs), "Charged and discharged particles are different ones, measured ex situ.", *_differences(maps))


_COLUMNS = {"median": "median", "iqr": "iqr", "std": "std", "noise": "noise_floor"}


def _comparable(maps: tuple[xr.Dataset, ...]) -> None:
    definitions = sorted({str(m.attrs.get("definition", "")) for m in maps})
    if len(definitions) > 1:
        raise DataError(
            f"The maps are of different definitions of the edge energy: {', '.join(definitions)}.",
            hint="Make all of them with one definition.",
        )
    if len({dimensionality(m) for m in maps}) > 1:
        raise DataError("Projections (2D) and volumes (3D) are not compared.", hint="Choose maps of one kind.")


def _differences(maps: tuple[xr.Dataset, ...]) -> list[str]:
    said = []
    for name in SAME:
        values = list(dict.fromkeys(str(m.attrs.get(name)) for m in maps))
        if len(values) > 1:
            said.append(f"The maps differ in {name}: {', '.join(values)}.")
    return said


def _particle(edges: xr.Dataset, group: str, state: str) -> Particle:
    kept = kept_voxels(edges)
    return Particle(group, state, int(kept.energy.size), spread(kept.energy, kept.std))


def _medians(particles: list[Particle], group: str, state: str) -> np.ndarray:
    values = np.array([p.numbers["median"] for p in particles if p.group == group and p.state == state])
    return values[np.isfinite(values)]


def _effect(particles: list[Particle], group: str, params: CompareParams) -> Effect:
    charged, discharged = (_medians(particles, group, s) for s in (CHARGED, DISCHARGED))
    return compare(charged, discharged, method=params.method, level=params.level)


def _contrast(particles: list[Particle], names: tuple[str, ...], params: CompareParams) -> dict[str, float | int | str] | None:
    """By how much the activity of the first group exceeds the second's; Welch–Satterthwaite over the four sets of particles."""
    sets = [_medians(particles, n, s) for n in names for s in (CHARGED, DISCHARGED)]
    if min(s.size for s in sets) < FEW:
        return None
    parts = [np.var(s, ddof=1) / s.size for s in sets]
    value = (sets[0].mean() - sets[1].mean()) - (sets[2].mean() - sets[3].mean())
    total = sum(parts)
    freedom = total**2 / sum(p**2 / (s.size - 1) for p, s in zip(parts, sets, strict=True)) if total > 0 else np.inf
    half = float(stats.t.ppf(0.5 + params.level / 2, freedom) * np.sqrt(total))
    n = int(sum(s.size for s in sets))
    return {"value": float(value), "low": float(value - half), "high": float(value + half), "n": n, "of": f"{names[0]} − {names[1]}"}


def summarise(stored: xr.Dataset, params: CompareParams) -> dict[str, Scalar]:
    """Activity of every group, and the difference of two groups."""
    found = {}
    for i, name in enumerate(stored["name"].to_numpy().astype(str).tolist()):
        value, low, high, level = (float(stored[v][i]) for v in ("activity", "low", "high", "level"))
        n = int(stored["n_charged"][i] + stored["n_discharged"][i])
        known = level if np.isfinite(level) else None
        of = "particles" if known else "particles; range of all single differences"
        found[f"activity_{i + 1}"] = Scalar(value, "eV", low=low, high=high, n=n, level=known, of=of, title=f"Charged − discharged, {name}")
    contrast = stored.attrs.get("contrast")
    if contrast:
        title = f"Difference of the activities, {contrast['of']}"
        bounds = {k: contrast[k] for k in ("low", "high", "n")}
        found["activity_difference"] = Scalar(contrast["value"], "eV", level=params.level, of="particles", title=title, **bounds)
    return found
