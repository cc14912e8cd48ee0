"""Fractions of reference spectra in every voxel: least squares with the exact optimum under its bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr
from pydantic import Field
from scipy.optimize import minimize_scalar

from analysis.core.data import Scalar, Var, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.simplex import Supports, solve, supports
from analysis.core.numerics.streamed import moments_of, quantiles_of
from analysis.schemas import VOXEL, Spatial, spatial_dims
from analysis.xanes.blocks import in_blocks, is_lazy, like, per_voxel
from analysis.xanes.kept import slabs
from analysis.xanes.normalise import EV, LineParams, Lines, check_energies, normalise
from analysis.xanes.sampling import sample_of
from analysis.xanes.voxels import chosen_voxels, normalised_block, prepare_lines, references_on

OUTSIDE, NO_NUMBER = 32, 1  # of analysis.schemas.FLAGS
SHIFT_REMARK = 0.05  # eV of a fitted shift from which a word is said

FRACTIONS = Spatial(
    "xanes.fractions",
    {
        "weight": Var(("component", *VOXEL), "1", title="Fraction"),
        "r_factor": Var(VOXEL, "1", title="R-factor"),  # sum of squared residuals over sum of squares
        "flags": Var(VOXEL, "1", title="Flags"),
        "name": Var(("component",), "", title="Reference"),
    },
)


class LcfParams(LineParams):
    """How reference spectra are combined."""

    normalise: bool = Field(True, title="Normalise spectra and references alike first")
    sum_to_one: bool = Field(True, title="Fractions add up to one")
    fit1: float | None = Field(None, title="Fit from (all energies if empty; relative to E0 where normalised)", json_schema_extra=EV)
    fit2: float | None = Field(None, title="Fit to", json_schema_extra=EV)
    max_shift: float = Field(0.0, ge=0, le=2, title="Largest common energy shift of the references that is tried", json_schema_extra=EV)


@dataclass(frozen=True)
class Problem:
    """The fit as the same numbers for every voxel."""

    names: tuple[str, ...]
    parts: np.ndarray  # (E', n)
    points: slice
    known: Supports
    lines: Lines | None
    shift: float
    remarks: tuple[str, ...]


def fractions(
    stack: xr.Dataset,
    references: tuple[xr.Dataset, ...],
    params: LcfParams,
    *,
    mask: xr.Dataset | None = None,
    edges: xr.Dataset | None = None,
) -> xr.Dataset:
    """Fraction of every reference in every voxel, with standard deviations; lazy where the stack is."""
    where = chosen_voxels(stack, mask, edges)
    problem = _problem(stack, references, params, where, edges)
    spectra = in_blocks(stack["mu"])
    wanted = [like(where, spectra)] if where is not None else []
    n = len(problem.names)
    made = per_voxel(_on_block, spectra, *wanted, rows=2 * n + 2, kind=np.float64, problem=problem)
    if not is_lazy(stack):
        made = made.compute()
    dims = spatial_dims(stack)
    units = {"units": "1"}
    ds = xr.Dataset(
        {
            "weight": (("component", *dims), made[:n], units),
            "weight_std": (("component", *dims), made[n : 2 * n], units),
            "r_factor": (dims, made[2 * n], units),
            "flags": (dims, made[2 * n + 1].astype(np.uint8), units),
            "name": (("component",), np.array(problem.names), {"units": ""}),
        },
        attrs={k: stack.attrs[k] for k in ("voxel_um", "element", "edge") if k in stack.attrs},
    )
    ds.attrs |= {"sum_to_one": params.sum_to_one, "energy_shift": problem.shift, "normalised_first": params.normalise}
    return warn(ds, *warnings_of(stack), *problem.remarks)


def _problem(
    stack: xr.Dataset, references: tuple[xr.Dataset, ...], params: LcfParams, where: xr.DataArray | None, edges: xr.Dataset | None
) -> Problem:
    lines: Lines | None = None
    remarks: tuple[str, ...] = ()
    if params.normalise:
        prepared = prepare_lines(stack, params, where=where, edges=edges)
        lines, mean, remarks = prepared.lines, prepared.sample.mu.mean(axis=0), prepared.remarks
        energy, origin = lines.energy, lines.e0
    else:
        energy, origin = check_energies(stack["energy"].to_numpy()) + params.energy_offset, 0.0
        mean = sample_of(stack, where).mu.mean(axis=0) if params.max_shift else np.zeros(energy.size)
    shift = _shift(energy, origin, mean, references, lines, params) if params.max_shift else 0.0
    if abs(shift) > SHIFT_REMARK:
        remarks = (*remarks, f"The references fit best when moved by {shift:+.2f} eV; a wrong energy scale changes fractions.")
    if params.max_shift and abs(shift) > 0.98 * params.max_shift:
        remarks = (*remarks, "The energy shift is at its limit: check the calibration of stack and references.")
    points, parts, names = _parts(energy, origin, references, lines, params, shift)
    known = supports(parts, sum_to_one=params.sum_to_one)
    return Problem(names, parts, points, known, lines, shift, remarks)


def _parts(
    energy: np.ndarray, origin: float, references: tuple[xr.Dataset, ...], lines: Lines | None, params: LcfParams, shift: float
) -> tuple[slice, np.ndarray, tuple[str, ...]]:
    """Points of the fit and the references there."""
    found = references_on(energy, references, shift=shift)
    # References that are as long as the stack must not lose an end when they are moved.
    low = energy[0] + params.max_shift if params.fit1 is None else origin + params.fit1
    high = energy[-1] - params.max_shift if params.fit2 is None else origin + params.fit2
    rows = [normalise(r, lines).norm for r in found.mu] if lines is not None else list(found.mu)
    parts = np.stack(rows, axis=1)
    inside = (energy >= low - 1e-9) & (energy <= high + 1e-9)
    for name, row in zip(found.names, rows, strict=True):
        missing = inside & ~np.isfinite(row)
        if missing.any():
            lost = energy[missing]
            raise DataError(
                f"The reference '{name}' does not cover the fit: it has no value at {lost[0]:g} eV.",
                hint="Set fit1 and fit2 within its energies; where spectra are normalised, it must reach over the lines' ranges too.",
            )
    where = np.flatnonzero(inside)
    if where.size < len(rows) + 1:
        raise DataError(f"{where.size} energies are too few to fit {len(rows)} references.", hint="Widen fit1 and fit2.")
    points = slice(int(where[0]), int(where[-1]) + 1)
    return points, parts[points], found.names


def _shift(
    energy: np.ndarray, origin: float, mean: np.ndarray, references: tuple[xr.Dataset, ...], lines: Lines | None, params: LcfParams
) -> float:
    """Common shift of the references that lets them fit the mean spectrum best."""
    target = normalise(mean, lines).norm if lines is not None else mean

    def misfit(shift: float) -> float:
        points, parts, _ = _parts(energy, origin, references, lines, params, shift)
        found = solve(target[None, points], parts, supports(parts, sum_to_one=params.sum_to_one))
        return float(found.residual[0])

    return float(minimize_scalar(misfit, bounds=(-params.max_shift, params.max_shift), method="bounded", options={"xatol": 1e-3}).x)


def _on_block(spectra: np.ndarray, *wanted: np.ndarray, problem: Problem) -> np.ndarray:
    n = len(problem.names)
    out = np.full((2 * n + 2, len(spectra)), np.nan)
    inside = wanted[0] != 0 if wanted else np.ones(len(spectra), dtype=bool)
    out[-1] = np.where(inside, 0, OUTSIDE)
    rows = np.ascontiguousarray(spectra[inside])
    y = normalised_block(rows, problem.lines, problem.points) if problem.lines is not None else rows[:, problem.points].astype(np.float64)
    found = solve(y, problem.parts, problem.known)
    freedom = y.shape[1] - np.maximum(found.used - problem.known.to_one, 0)
    noise = np.sqrt(found.residual / np.maximum(freedom, 1))
    out[:n, inside] = found.weights.T
    out[n : 2 * n, inside] = (found.gain * noise[:, None]).T
    out[2 * n, inside] = found.residual / np.where(found.squares > 0, found.squares, np.nan)
    out[-1, inside] = np.where(np.isfinite(found.squares), 0, NO_NUMBER)
    return out


def summarise(stored: xr.Dataset, params: LcfParams) -> dict[str, Scalar]:
    """Mean fraction of every reference over the voxels, and how well they fit."""

    def fitted(name: str, component: int | None = None) -> Iterator[np.ndarray]:
        for slab in slabs(stored):
            values = slab[name] if component is None else slab[name][component]
            yield values.to_numpy()[(slab["flags"] == 0).to_numpy()]

    residuals = partial(fitted, "r_factor")

    of_residuals = moments_of(residuals)
    n = of_residuals.n
    found = {"n_valid": Scalar(n, "1", n=n, of="voxels", title="Voxels fitted")}
    for i, name in enumerate(stored["name"].to_numpy().astype(str).tolist()):
        part = moments_of(partial(fitted, "weight", i))
        mean, std = (part.mean, (part.squares / n) ** 0.5) if n else (None, None)
        found[f"fraction_{i + 1}"] = Scalar(mean, "1", std=std, n=n, of="voxels", title=f"Mean fraction of {name}")
    median = float(quantiles_of(residuals, (0.5,), of_residuals)[0]) if n else None
    found["r_factor"] = Scalar(median, "1", n=n, of="voxels", title="Median R-factor")
    found["energy_shift"] = Scalar(float(stored.attrs.get("energy_shift", 0.0)), "eV", title="Energy shift of the references")
    return found
