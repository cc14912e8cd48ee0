"""The mean spectrum of a region, with its lines and its edge energy by every definition."""

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, Schema, Var, table, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.schemas import ABSORPTION, DEFINITIONS, spatial_dims
from analysis.xanes import kernel
from analysis.xanes.definitions import DefinitionParams, edge_window, template_of
from analysis.xanes.normalise import Lines, check_energies, fit_lines, normalise
from analysis.xanes.sampling import Sample, edge_position
from analysis.xanes.voxels import chosen_voxels

POINT = ("point",)
SLAB = 1 << 24  # values at a time

SPECTRUM = Schema(
    "xanes.spectrum",
    {
        "energy": Var(POINT, "eV", title="Photon energy"),
        "mu": Var(POINT, ABSORPTION, title="Mean absorption"),
        "spread": Var(POINT, ABSORPTION, title="Standard deviation between voxels"),
        "pre": Var(POINT, ABSORPTION, title="Pre-edge line"),
        "post": Var(POINT, ABSORPTION, title="Post-edge line"),
        "norm": Var(POINT, "1", title="Normalised absorption"),
    },
)


class SpectrumParams(DefinitionParams):
    """Which voxels are averaged: a box of indices, ends not included; all dimensions that are not given are whole."""

    x: tuple[int, ...] = Field((), title="Columns (one, or from and to)")
    y: tuple[int, ...] = Field((), title="Rows (one, or from and to)")
    z: tuple[int, ...] = Field((), title="Slices (one, or from and to)")


def spectrum(stack: xr.Dataset, params: SpectrumParams, *, mask: xr.Dataset | None = None, edges: xr.Dataset | None = None) -> xr.Dataset:
    """Mean spectrum of a box, a mask, or both."""
    where = chosen_voxels(stack, mask, edges)
    box = {d: _range(d, getattr(params, d), stack.sizes[d]) for d in spatial_dims(stack)}
    for d in ("x", "y", "z"):
        if getattr(params, d) and d not in box:
            raise ParamError(f"The stack has no dimension '{d}'.", hint="It holds images, not a volume.")
    mean, spread, n = _mean(stack["mu"].isel(box), None if where is None else where.isel(box))
    energy = check_energies(stack["energy"].to_numpy()) + params.energy_offset
    e0, remarks = params.e0, []
    if e0 is None:
        e0 = edges.attrs.get("e0") if edges is not None else None
    if e0 is None:
        e0 = edge_position(Sample(energy, mean[None], 1, 0))
        remarks.append(f"E0 = {e0:g} eV was found in this spectrum.")
    lines = fit_lines(energy, float(e0), params)
    found = normalise(mean, lines)
    unit = stack["mu"].attrs.get("units", "1")
    columns = {
        "energy": (energy, "eV"),
        "mu": (mean, unit),
        "spread": (spread, unit),
        "pre": (found.pre, unit),
        "post": (found.post, unit),
        "norm": (found.norm, "1"),
    }
    attrs = {
        "n_voxels": n,
        "e0": lines.e0,
        "edge_jump": found.jump,
        "jump_unit": unit,
        "energies": _energies(mean, found.norm, lines, params),
    }
    attrs |= {"ranges": [lines.energy[r][[0, -1]].tolist() for r in (lines.pre, lines.post)]}
    return warn(table(columns, dim="point", attrs=attrs), *warnings_of(stack), *remarks, *lines.clipped)


def _range(dim: str, given: tuple[int, ...], size: int) -> slice:
    if not given:
        return slice(0, size)
    start, stop = (given[0], given[0] + 1) if len(given) == 1 else given[:2]
    if len(given) > 2 or not 0 <= start < stop <= size:
        raise ParamError(
            f"{dim} = {', '.join(map(str, given))} is no range within 0 to {size}.", hint="Give one index, or two: from and to."
        )
    return slice(start, stop)


def _mean(mu: xr.DataArray, where: xr.DataArray | None) -> tuple[np.ndarray, np.ndarray, int]:
    """Mean and standard deviation over voxels without missing values; slab by slab, about the first slab's mean."""
    first = mu.dims[0]
    step = max(1, SLAB // max(1, mu.size // mu.sizes[first]))
    length = mu.sizes["energy"]
    origin, total, squares, n = np.zeros(length), np.zeros(length), np.zeros(length), 0
    for start in range(0, mu.sizes[first], step):
        part = {first: slice(start, start + step)}
        values = mu.isel(part).to_numpy().reshape(-1, length).astype(np.float64)
        if where is not None:
            values = values[where.isel(part).to_numpy().reshape(-1) != 0]
        values = values[np.isfinite(values).all(axis=1)]
        if n == 0 and len(values):
            origin = values.mean(axis=0)
        total += (values - origin).sum(axis=0)
        squares += ((values - origin) ** 2).sum(axis=0)
        n += len(values)
    if n == 0:
        raise DataError("No voxel of the region has a whole spectrum.", hint="Choose another region or mask.")
    off = total / n
    return origin + off, np.sqrt(np.maximum(squares / n - off**2, 0.0)), n


def _energies(mean: np.ndarray, norm: np.ndarray, lines: Lines, params: DefinitionParams) -> dict[str, float | None]:
    """Edge energy of one spectrum by every definition; None where it has no such point."""
    window = edge_window(lines.energy, lines.e0, params)
    template = template_of(norm, lines, window)
    found: dict[str, float | None] = {}
    for definition in DEFINITIONS:
        plan = kernel.plan_of(definition, lines, window, template=template)
        maps = kernel.edge_maps(mean[None].astype(np.float32), np.ones(1, dtype=bool), plan)[:, 0]
        value = float(maps[kernel.ENERGY])
        found[definition] = value if maps[kernel.REFUSED] == 0 and np.isfinite(value) else None
    return found


def summarise(stored: xr.Dataset, params: SpectrumParams) -> dict[str, Scalar]:
    """Jump and edge energies of the mean spectrum."""
    n = int(stored.attrs["n_voxels"])
    found = {
        "n_voxels": Scalar(n, "1", n=n, of="voxels", title="Voxels averaged"),
        "e0": Scalar(stored.attrs["e0"], "eV", title="E0"),
        "edge_jump": Scalar(stored.attrs["edge_jump"], stored.attrs["jump_unit"], n=n, of="voxels", title="Edge jump"),
    }
    titles = {name: f"Edge energy, {text}" for name, text in DEFINITIONS.items()}
    return found | {name: Scalar(value, "eV", n=n, of="voxels", title=titles[name]) for name, value in stored.attrs["energies"].items()}
