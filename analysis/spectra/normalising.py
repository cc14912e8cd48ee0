"""Normalisation as a recipe: one explicit set of ranges for every spectrum of a comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.spectra.curves import Curve, curves, spread
from analysis.spectra.edge_energy import find_e0, half_step, inflection, white_line
from analysis.spectra.edges import edge_of, edges_between
from analysis.spectra.interference import OtherEdge, fitted_step
from analysis.spectra.prepost import Normalised, Ranges, default_order, default_ranges, normalise
from analysis.spectra.schemas import NORMALISED

EV: dict[str, Any] = {"unit": "eV"}
CLIPPED = 1.0  # eV by which a range may reach beyond the data without a word
NB_L2 = (2460.0, 2469.0)  # where niobium's L2 edge disturbs the S K pre-edge

# What a preset says for everything that is left open. S K at 2400–2500 eV: constant post-edge clear of sulfate at 2482 eV.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "automatic": {"interference": "ignore"},
    "S K": {"e0": 2472.0, "pre1": -62.0, "pre2": -14.0, "norm1": 18.0, "norm2": 28.0, "order": 0, "interference": "fit"},
    "Ni K": {"e0": 8333.0, "pre1": -120.0, "pre2": -25.0, "norm1": 45.0, "norm2": 350.0, "order": 1, "interference": "ignore"},
}


class NormaliseParams(Params):
    """Ranges are relative to E0; what is left empty follows from the preset, or from the data where it says nothing."""

    preset: Literal["automatic", "S K", "Ni K"] = Field("automatic", title="Preset for what is left empty")
    e0: float | None = Field(None, gt=0, title="Edge energy E0", json_schema_extra=EV)
    pre1: float | None = Field(None, title="Pre-edge range from", json_schema_extra=EV)
    pre2: float | None = Field(None, title="Pre-edge range to", json_schema_extra=EV)
    norm1: float | None = Field(None, title="Post-edge range from", json_schema_extra=EV)
    norm2: float | None = Field(None, title="Post-edge range to", json_schema_extra=EV)
    order: int | None = Field(None, ge=0, le=3, title="Order of the post-edge polynomial")
    victoreen: int = Field(0, ge=0, le=4, title="Victoreen exponent of the pre-edge")
    scale: Literal["step", "area"] = Field("step", title="Normalise by edge step or by area")
    area1: float = Field(-5.0, title="Area from", json_schema_extra=EV)
    area2: float = Field(28.0, title="Area to", json_schema_extra=EV)
    interference: Literal["preset", "ignore", "mask", "fit"] = Field("preset", title="Step of Nb L2 under S K")
    interference_energy: float = Field(2465.0, gt=0, title="Energy of that step", json_schema_extra=EV)

    @model_validator(mode="after")
    def _in_order(self) -> "NormaliseParams":
        for low, high in (("pre1", "pre2"), ("norm1", "norm2"), ("area1", "area2")):
            a, b = getattr(self, low), getattr(self, high)
            if a is not None and b is not None and a >= b:
                raise ValueError(f"{low} must lie below {high}")
        return self

    def value(self, name: str) -> Any:
        """A field as given, or as the preset has it; None where the data decide."""
        given = getattr(self, name)
        return PRESETS[self.preset].get(name) if given in (None, "preset") else given

    @property
    def is_explicit(self) -> bool:
        """Whether E0 and all ranges are the same for every spectrum."""
        return all(self.value(n) is not None for n in ("e0", "pre1", "pre2", "norm1", "norm2", "order"))


@dataclass(frozen=True)
class _One:
    curve: Curve
    found: Normalised
    other: OtherEdge | None
    said: tuple[str, ...]


def normalised(spectra: xr.Dataset, params: NormaliseParams) -> xr.Dataset:
    """Every spectrum normalised, with its lines, edge energies, white line and noise."""
    made = [_one(c, params) for c in curves(spectra)]
    energy = np.asarray(spectra["energy"].values, dtype=float)
    units = str(spectra["mu"].attrs.get("units", "1"))
    out = _table(energy, made, units).assign_attrs(
        {k: v for k, v in spectra.attrs.items() if k not in ("schema", "schema_version", "warnings")}
    )
    out = out.assign_attrs(recipe=_recipe(made, params))
    for name in ("energy_shift", "reference", "partner"):
        if name in spectra:
            out[name] = spectra[name]
    return warn(out, *warnings_of(spectra), *(s for one in made for s in one.said), *_badges(spectra, params))


def _one(curve: Curve, params: NormaliseParams) -> _One:
    e0 = params.value("e0") or find_e0(curve.energy, curve.mu)
    _check_edge(curve, e0)
    ranges, said = _ranges(curve, e0, params)
    treatment = params.value("interference")
    other = None
    mu = curve.mu
    excluded: tuple[tuple[float, float], ...] = ()
    if treatment == "fit":
        nb = edge_of("Nb", "L2")
        width = nb.width if nb is not None else 1.87
        start = e0 + ranges.pre1
        other = fitted_step(curve.energy, mu, e0=e0, start=start, center=params.interference_energy, width=width)
        mu = mu - other.step
    elif treatment == "mask":
        excluded = (NB_L2,)
        said = (*said, "2460–2469 eV (Nb L2) take no part in the fits; a step there stays in the edge step.")
    found = normalise(curve.energy, mu, e0=e0, ranges=ranges, excluded=excluded)
    if other is not None:
        std, baseline_std = (float(np.hypot(s, other.std)) for s in (found.edge_step_std, found.baseline_std))
        found = replace(found, edge_step_std=std, baseline_std=baseline_std)
    if params.scale == "area":
        found = _by_area(curve, mu, found, params)
    return _One(curve, found, other, said)


def _check_edge(curve: Curve, e0: float) -> None:
    low, high = float(curve.energy[0]), float(curve.energy[-1])
    if low < e0 < high:
        return
    seen = edges_between(low, high)
    what = f" It covers {' and '.join(e.label for e in seen)}." if seen else ""
    raise DataError(
        f"'{curve.name}' ({low:.0f}–{high:.0f} eV) does not reach E0 = {e0:.1f} eV: it is of another edge.{what}",
        hint="Choose a spectrum of that edge, or another E0.",
    )


def _ranges(curve: Curve, e0: float, params: NormaliseParams) -> tuple[Ranges, tuple[str, ...]]:
    """The ranges to be used, clipped to the data, and what was clipped."""
    usual = default_ranges(curve.energy, e0)
    pre1, norm2 = params.value("pre1"), params.value("norm2")
    pre1, norm2 = usual.pre1 if pre1 is None else pre1, usual.norm2 if norm2 is None else norm2
    said = []
    low, high = float(curve.energy[0] - e0), float(curve.energy[-1] - e0)
    for name, value, limit, beyond in (("pre-edge", pre1, low, pre1 < low - CLIPPED), ("post-edge", norm2, high, norm2 > high + CLIPPED)):
        if beyond:
            said.append(f"The {name} range of '{curve.name}' ends with the data at {e0 + limit:.1f} eV, not at {e0 + value:.1f} eV.")
    pre1, norm2 = max(pre1, low), min(norm2, high)
    pre2, norm1 = params.value("pre2"), params.value("norm1")
    pre2 = 0.5 * pre1 if pre2 is None else pre2
    norm1 = min(25.0, 5.0 * round(norm2 / 15.0)) if norm1 is None else norm1
    order = params.value("order")
    return Ranges(pre1, pre2, norm1, norm2, default_order(norm1, norm2) if order is None else order, params.victoreen), tuple(said)


def _by_area(curve: Curve, mu: np.ndarray, found: Normalised, params: NormaliseParams) -> Normalised:
    """The spectrum divided by its mean above the pre-edge line over the area range, instead of by the edge step."""
    inside = (curve.energy >= found.e0 + params.area1) & (curve.energy <= found.e0 + params.area2)
    if inside.sum() < 3:
        raise DataError(f"The area range of '{curve.name}' holds {inside.sum()} points.", hint="Widen it.")
    x = curve.energy[inside]
    mean = float(np.trapezoid((mu - found.pre)[inside], x) / (x[-1] - x[0]))
    if not mean > 0:
        raise DataError(f"The area of '{curve.name}' above its pre-edge line is not positive.", hint="Check the ranges.")
    norm = (mu - found.pre) / mean
    ratio = found.edge_step / mean
    return _with(
        found, norm=norm, flat=norm, noise=found.noise * ratio, edge_step_std=found.noise * found.edge_step / np.sqrt(inside.sum())
    )


def _with(found: Normalised, **parts: Any) -> Normalised:
    return replace(found, **parts)


def _table(energy: np.ndarray, made: Sequence[_One], units: str) -> xr.Dataset:
    curve = ("spectrum", "energy")

    def rows(values: list[np.ndarray]) -> np.ndarray:
        return np.stack([spread(energy, one.curve.energy, v) for one, v in zip(made, values, strict=True)])

    found = [one.found for one in made]
    variables: dict[str, Any] = {
        "energy": ("energy", energy, {"units": "eV"}),
        "name": ("spectrum", np.array([one.curve.name for one in made], dtype=str), {"units": ""}),
        "mu": (curve, rows([one.curve.mu for one in made]), {"units": units}),
        "pre": (curve, rows([f.pre for f in found]), {"units": units}),
        "post": (curve, rows([f.post for f in found]), {"units": units}),
        "norm": (curve, rows([f.norm for f in found]), {"units": "1"}),
        "flat": (curve, rows([f.flat for f in found]), {"units": "1"}),
        "edge_step": ("spectrum", np.array([f.edge_step for f in found]), {"units": units}),
        "edge_step_std": ("spectrum", np.array([f.edge_step_std for f in found]), {"units": units}),
        "baseline_error": ("spectrum", np.array([f.baseline_std for f in found]), {"units": units}),
        "noise": ("spectrum", np.array([f.noise for f in found]), {"units": "1"}),
    }
    energies = np.array([_energies(one) for one in made])
    for k, name in enumerate(("e0", "white_line", "half_step", "max_slope", "inflection")):
        variables[name] = ("spectrum", energies[:, k], {"units": "eV"})
    variables["white_line_height"] = ("spectrum", energies[:, 5], {"units": "1"})
    others = [one.other for one in made]
    if any(o is not None for o in others):
        steps = [np.zeros_like(one.curve.mu) if one.other is None else one.other.step for one in made]
        variables["interference"] = (curve, rows(steps), {"units": units})
        variables["interference_step"] = ("spectrum", np.array([o.height if o else 0.0 for o in others]), {"units": units})
        variables["interference_step_std"] = ("spectrum", np.array([o.std if o else np.nan for o in others]), {"units": units})
    return xr.Dataset(variables)


def _energies(one: _One) -> tuple[float, ...]:
    """E0, white line, half step, steepest rise, inflection (all eV), height of the white line."""
    energy, flat, e0 = one.curve.energy, one.found.flat, one.found.e0
    slope = find_e0(energy, one.curve.mu)
    place, height = white_line(energy, flat, e0)
    return e0, place, half_step(energy, flat, e0), slope, inflection(energy, flat, slope), height


def _recipe(made: Sequence[_One], params: NormaliseParams) -> dict[str, Any]:
    """What was done, in words and numbers; a range that differs between the spectra is None."""
    same: dict[str, Any] = {}
    for name in ("pre1", "pre2", "norm1", "norm2", "order", "victoreen"):
        values = {_nominal(getattr(one.found.ranges, name), params.value(name)) for one in made}
        same[name] = values.pop() if len(values) == 1 else None
    e0 = {one.found.e0 for one in made}
    return {
        "e0": e0.pop() if len(e0) == 1 else None,
        **same,
        "scale": params.scale,
        "interference": params.value("interference"),
        "explicit": params.is_explicit,
    }


def _nominal(used: float, asked: float | None) -> float:
    """The end of a range as it was asked for, where the data end within 1 eV of it: scans are shifted by fractions of that."""
    return asked if asked is not None and abs(used - asked) <= CLIPPED else used


def _badges(spectra: xr.Dataset, params: NormaliseParams) -> list[str]:
    said = []
    if spectra.attrs.get("mode") == "fluorescence":
        said.append("Uncorrected: heights unreliable where the sample is thick and concentrated (self-absorption of fluorescence).")
    if spectra.sizes["spectrum"] > 1 and not params.is_explicit:
        said.append("E0 or ranges were chosen for each spectrum by itself: give them all to compare spectra.")
    return said


def summarise(stored: xr.Dataset, params: NormaliseParams) -> Mapping[str, Scalar]:
    """Edge energies, edge step and white line of one spectrum; the means of several."""
    n = stored.sizes["spectrum"]
    one_std = {"edge_step": "edge_step_std"}
    made = {}
    titles = {
        "e0": "eV",
        "edge_step": str(stored["edge_step"].attrs["units"]),
        "white_line": "eV",
        "white_line_height": "1",
        "half_step": "eV",
    }
    for name, unit in titles.items():
        values = np.asarray(stored[name].values, dtype=float)
        good = values[np.isfinite(values)]
        if good.size == 0:
            continue
        std = float(np.std(good, ddof=1)) if good.size > 1 else float(stored[one_std[name]].values[0]) if name in one_std else None
        title = NORMALISED.variables[name].title
        made[name] = Scalar(
            float(good.mean()), unit, std=std, n=int(good.size) if n > 1 else None, of="spectra" if n > 1 else "", title=title
        )
    return made


def recipe_mismatch(datasets: Sequence[xr.Dataset]) -> str:
    """A sentence where normalised datasets were not made by one explicit recipe; "" where they were."""
    recipes = [ds.attrs.get("recipe", {}) for ds in datasets]
    differing = [
        k for k in ("e0", "pre1", "pre2", "norm1", "norm2", "order", "scale", "interference") if len({repr(r.get(k)) for r in recipes}) > 1
    ]
    if differing:
        return f"The spectra are normalised differently ({', '.join(differing)}): heights are not comparable."
    return ""
