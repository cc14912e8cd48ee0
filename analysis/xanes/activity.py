"""Charge against discharge, group by group: by how much the edge energy of particles moves."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from analysis.core.data import Scalar, Schema, Var, table, warn
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.contrast import contrast
from analysis.core.numerics.statistics import Effect, compare
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.schemas import dimensionality
from analysis.xanes.kept import kept_voxels

CHARGED, DISCHARGED = "charged", "discharged"
GROUP = ("group",)
STATE = ("state",)
SAME = ("e0", "pre1", "pre2", "norm1", "norm2", "energy_offset", "calibrant", "quantity", "calibrant_energies", "calibrant_values")
VALUE = ("eV", "1")  # edge energy; state of charge or valence

ACTIVITY = Schema(
    "xanes.activity",
    {
        "name": Var(GROUP, "", title="Group"),
        "activity": Var(GROUP, VALUE, title="Charged − discharged"),
        "low": Var(GROUP, VALUE, title="Lower limit"),
        "high": Var(GROUP, VALUE, title="Upper limit"),
        "level": Var(GROUP, "1", title="Level of the interval"),  # NaN: the range of all single differences
        "n_charged": Var(GROUP, "1", title="Charged particles"),
        "n_discharged": Var(GROUP, "1", title="Discharged particles"),
        "particle_median": Var(("particle",), VALUE, title="Median edge energy of the particle"),
        "particle_iqr": Var(("particle",), VALUE, title="Quartile distance in the particle"),
        "particle_std": Var(("particle",), VALUE, title="Standard deviation in the particle"),
        "particle_noise": Var(("particle",), VALUE, title="Noise floor in the particle"),
        "particle_heterogeneity": Var(("particle",), VALUE, title="Heterogeneity beyond noise in the particle"),
        "particle_voxels": Var(("particle",), "1", title="Voxels of the particle"),
        "particle_group": Var(("particle",), "", title="Group"),
        "particle_state": Var(("particle",), "", title="State"),
        "width_state": Var(STATE, "", optional=True, title="State"),  # where two groups are compared
        "width_difference": Var(STATE, VALUE, optional=True, title="Heterogeneity, first − second group"),
        "width_low": Var(STATE, VALUE, optional=True, title="Lower limit"),
        "width_high": Var(STATE, VALUE, optional=True, title="Upper limit"),
        "width_level": Var(STATE, "1", optional=True, title="Level of the interval"),
        "width_n": Var(STATE, "1", optional=True, title="Particles of both groups"),
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
    unit = str(maps[0]["edge_energy"].attrs.get("units", "eV"))
    particles = []
    for i, (m, g, s) in enumerate(zip(maps, params.groups, params.states, strict=True)):
        report(i / len(maps), f"particle {i + 1} of {len(maps)}")
        particles.append(_particle(m, g, s))
    names = tuple(dict.fromkeys(params.groups))
    found = [_effect(particles, name, params) for name in names]
    columns = {
        "name": (np.array(names), ""),
        "activity": ([f.value for f in found], unit),
        "low": ([f.low for f in found], unit),
        "high": ([f.high for f in found], unit),
        "level": ([np.nan if f.level is None else f.level for f in found], "1"),
        "n_charged": ([f.n_a for f in found], "1"),
        "n_discharged": ([f.n_b for f in found], "1"),
    }
    ds = table(columns, dim="group")
    ds = ds.merge(_particles(particles, unit))
    attrs = {k: maps[0].attrs[k] for k in ("quantity",) if k in maps[0].attrs}
    attrs |= {"definition": maps[0].attrs.get("definition", ""), "dimensionality": dimensionality(maps[0])}
    if len(names) == 2:
        ds = ds.merge(_widths(particles, names, params, unit))
        attrs["width_of"] = _width_of(particles)
        contrast = _contrast(particles, names, params)
        attrs |= {"contrast": contrast} if contrast is not None else {}
    return warn(ds.assign_attrs(attrs), "Charged and discharged particles are different ones, measured ex situ.", *_differences(maps))


_COLUMNS = {"median": "median", "iqr": "iqr", "std": "std", "noise": "noise_floor", "heterogeneity": "heterogeneity"}


def _particles(particles: list[Particle], unit: str) -> xr.Dataset:
    each = {
        **{f"particle_{n}": ([p.numbers[k] for p in particles], unit) for n, k in _COLUMNS.items()},
        "particle_voxels": ([p.voxels for p in particles], "1"),
        "particle_group": (np.array([p.group for p in particles]), ""),
        "particle_state": (np.array([p.state for p in particles]), ""),
    }
    return table(each, dim="particle")


def _width_of(particles: list[Particle]) -> str:
    """What stands for the width of a particle: its heterogeneity beyond noise, where all particles have it."""
    return "heterogeneity" if all(np.isfinite(p.numbers["heterogeneity"]) for p in particles) else "std"


def _widths(particles: list[Particle], names: tuple[str, ...], params: CompareParams, unit: str) -> xr.Dataset:
    """By how much the particles of the first group are more heterogeneous than those of the second, state by state."""
    which, states = _width_of(particles), [s for s in (CHARGED, DISCHARGED) if s in params.states]
    found = []
    for state in states:
        sides = [np.array([p.numbers[which] for p in particles if p.group == g and p.state == state]) for g in names]
        found.append(compare(sides[0], sides[1], method=params.method, level=params.level))
    columns = {
        "width_state": (np.array(states), ""),
        "width_difference": ([f.value for f in found], unit),
        "width_low": ([f.low for f in found], unit),
        "width_high": ([f.high for f in found], unit),
        "width_level": ([np.nan if f.level is None else f.level for f in found], "1"),
        "width_n": ([f.n_a + f.n_b for f in found], "1"),
    }
    return table(columns, dim="state")


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
    return Particle(group, state, kept.n, dict(kept.spread))


def _medians(particles: list[Particle], group: str, state: str) -> np.ndarray:
    values = np.array([p.numbers["median"] for p in particles if p.group == group and p.state == state])
    return values[np.isfinite(values)]


def _effect(particles: list[Particle], group: str, params: CompareParams) -> Effect:
    charged, discharged = (_medians(particles, group, s) for s in (CHARGED, DISCHARGED))
    return compare(charged, discharged, method=params.method, level=params.level)


def _contrast(particles: list[Particle], names: tuple[str, ...], params: CompareParams) -> dict[str, float | int | str | None] | None:
    """By how much the activity of the first group exceeds the second's; Welch–Satterthwaite over the four sets of particles.

    Fewer than three particles in a set: the range of all that single particles allow, without a level.
    """
    sets = [_medians(particles, n, s) for n in names for s in (CHARGED, DISCHARGED)]
    if min(s.size for s in sets) == 0:
        return None
    found = contrast(sets[:2], sets[2:], level=params.level)
    about: dict[str, float | int | str | None] = {"n": int(sum(s.size for s in sets)), "of": f"{names[0]} − {names[1]}"}
    return {"value": found.value, "low": found.low, "high": found.high, "level": found.level, **about}


def summarise(stored: xr.Dataset, params: CompareParams) -> dict[str, Scalar]:
    """Activity of every group, the difference of two groups, and of their widths in each state."""
    found, unit = {}, str(stored["activity"].attrs["units"])
    for i, name in enumerate(stored["name"].to_numpy().astype(str).tolist()):
        value, low, high, level = (float(stored[v][i]) for v in ("activity", "low", "high", "level"))
        n = int(stored["n_charged"][i] + stored["n_discharged"][i])
        found[f"activity_{i + 1}"] = _effect_scalar((value, low, high, level), n, unit, f"Charged − discharged, {name}")
    contrast = stored.attrs.get("contrast")
    if contrast:
        level = np.nan if contrast["level"] is None else contrast["level"]
        numbers = (contrast["value"], contrast["low"], contrast["high"], level)
        found["activity_difference"] = _effect_scalar(numbers, contrast["n"], unit, f"Difference of the activities, {contrast['of']}")
    if "width_state" in stored:
        first, second = stored["name"].to_numpy().astype(str).tolist()
        width = "heterogeneity" if stored.attrs["width_of"] == "heterogeneity" else "standard deviation"
        for i, state in enumerate(stored["width_state"].to_numpy().astype(str).tolist()):
            widths = tuple(float(stored[f"width_{v}"][i]) for v in ("difference", "low", "high", "level"))
            title = f"Difference of the {width}, {state}, {first} − {second}"
            found[f"width_{state}"] = _effect_scalar(widths, int(stored["width_n"][i]), unit, title)
    return found


def _effect_scalar(numbers: tuple[float, ...], n: int, unit: str, title: str) -> Scalar:
    value, low, high, level = numbers
    known = level if np.isfinite(level) else None
    of = "particles" if known else "particles; range of all single differences"
    return Scalar(value, unit, low=low, high=high, n=n, level=known, of=of, title=title)
