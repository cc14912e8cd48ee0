"""Energy scales: the offset from a foil, and state of charge or valence from calibrants."""

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field
from scipy.interpolate import PchipInterpolator

from analysis.core.data import Scalar, Var, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.smoothing import savitzky_golay
from analysis.core.numerics.streamed import moments_of, quantiles_of
from analysis.core.params import Params
from analysis.schemas import VOXEL, Spatial, dimensionality
from analysis.xanes.kept import counting, kept_voxels, slabs
from analysis.xanes.normalise import EV, check_energies

BELOW, ABOVE = 64, 128  # flags of a calibrated map, beside those of its edge map

STATE = Spatial(
    "xanes.state",
    {
        "state": Var(VOXEL, "1", title="State of charge or valence"),
        "flags": Var(VOXEL, "1", title="Flags"),
        "rim": Var(VOXEL, "1", optional=True, title="Rim of the particle"),
    },
)
STATE_FLAGS = {BELOW: "below the calibrants", ABOVE: "above the calibrants"}


class CalibrateParams(Params):
    """What the calibrants stand for. Energies are taken from calibrant maps where those are given."""

    quantity: Literal["soc", "valence"] = Field("soc", title="Quantity (state of charge: 0 lithiated, 1 delithiated)")
    values: tuple[float, ...] = Field((), title="Values of the calibrants")
    energies: tuple[float, ...] = Field((), title="Edge energies of the calibrants", json_schema_extra=EV)
    definition: str = Field("", title="Definition of these edge energies (that of the map if empty)")
    between: Literal["line", "curve"] = Field("line", title="Between calibrants: straight lines, or a smooth monotone curve")


def calibrate(edges: xr.Dataset, params: CalibrateParams, *, calibrants: tuple[xr.Dataset, ...] = ()) -> xr.Dataset:
    """State of charge or valence of every voxel; lazy where the map is.

    Beyond the calibrants nothing is said: such voxels are flagged. The standard deviation is that of the edge energy times the
    slope of the calibration there; the calibrants' own uncertainty is not in it.
    """
    energies = _energies(edges, params, calibrants)
    energy, value = _monotone(energies, np.asarray(params.values, dtype=float))
    curve = PchipInterpolator(energy, value) if params.between == "curve" and energy.size > 2 else None
    low, high = energy[0], energy[-1]
    measured, flags = edges["edge_energy"], edges["flags"]
    within = (measured >= low) & (measured <= high)

    def at(e: np.ndarray) -> np.ndarray:
        return np.asarray(curve(e) if curve else np.interp(e, energy, value), dtype=np.float32)

    def slope(e: np.ndarray) -> np.ndarray:
        if curve:
            return np.asarray(np.abs(curve(e, 1)), dtype=np.float32)
        steps = np.abs(np.diff(value) / np.diff(energy))
        return np.asarray(steps[np.clip(np.searchsorted(energy, e) - 1, 0, steps.size - 1)], dtype=np.float32)

    def mapped(function: Callable[[np.ndarray], np.ndarray]) -> xr.DataArray:
        return xr.apply_ufunc(function, measured, dask="parallelized", output_dtypes=[np.float32])

    state = mapped(at).where(within)
    out = flags + (measured < low) * BELOW + (measured > high) * ABOVE
    ds = xr.Dataset({"state": state, "flags": out.astype(np.uint8)})
    if "edge_energy_std" in edges:
        ds["state_std"] = (mapped(slope) * edges["edge_energy_std"]).where(within)
    if "rim" in edges:
        ds["rim"] = edges["rim"]
    for name in ds.data_vars:
        ds[name].attrs = {"units": "1"}
    attrs = {k: edges.attrs[k] for k in ("voxel_um", "definition", "e0", "energy_offset", "calibrant", "element") if k in edges.attrs}
    attrs |= {"quantity": params.quantity, "calibrant_energies": energy.tolist(), "calibrant_values": value.tolist()}
    return warn(ds.assign_attrs(attrs), *warnings_of(edges))


def _energies(edges: xr.Dataset, params: CalibrateParams, calibrants: tuple[xr.Dataset, ...]) -> np.ndarray:
    """Edge energies of the calibrants, of the map's own definition and calibration."""
    definition = edges.attrs.get("definition")
    if not calibrants:
        if params.definition and params.definition != definition:
            raise DataError(
                f"The calibrants' edge energies are of the definition {params.definition}, the map's of {definition}.",
                hint="Make a map of the calibrants' definition.",
            )
        found = np.asarray(params.energies, dtype=float)
    else:
        for other in calibrants:
            for name in ("definition", "e0", "energy_offset"):
                if other.attrs.get(name) != edges.attrs.get(name):
                    raise DataError(
                        f"A calibrant's map has {name} {other.attrs.get(name)}, this map {edges.attrs.get(name)}.",
                        hint="Analyse calibrants and particles with the same parameters.",
                    )
            if dimensionality(other) != dimensionality(edges):
                raise DataError("A calibrant is of another dimensionality: 2D and 3D maps are not put together.")
        found = np.array([kept_voxels(c).spread["median"] for c in calibrants])
    if found.size != len(params.values):
        raise ParamError(f"{found.size} calibrants have {len(params.values)} values.", hint="Give one value for each calibrant.")
    return found


def _monotone(energy: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calibrants in order of energy; refused where the value does not follow it one way."""
    if energy.size < 2:
        raise ParamError("A calibration needs two calibrants at least.", hint="Such as a pristine and a fully charged powder.")
    if not (np.isfinite(energy).all() and np.isfinite(value).all()):
        raise DataError("A calibrant has no edge energy.", hint="Look at its map.")
    order = np.argsort(energy, kind="stable")
    energy, value = energy[order], value[order]
    steps = np.diff(value)
    if (np.diff(energy) <= 0).any() or not ((steps > 0).all() or (steps < 0).all()):
        listed = ", ".join(f"{v:g} at {e:.2f} eV" for e, v in zip(energy, value, strict=True))
        raise DataError(
            f"The calibrants do not follow the edge energy one way: {listed}.",
            hint="The definition may not tell these states apart (half white line does not, at high voltage); use another.",
        )
    return energy, value


def foil_offset(energy: np.ndarray, mu: np.ndarray, *, assigned: float, points: int = 5) -> float:
    """What to add to the energies so that the first maximum of a foil's derivative lies at its assigned energy, in eV.

    Parameters
    ----------
    energy, mu
        Shape (E,), of a metal foil measured with the sample's settings.
    assigned
        Such as 8333.0 eV for Ni K.
    points
        Of the smoothing window; the derivative is taken on an even grid of the smallest spacing in the edge.

    Notes
    -----
    The first maximum counts that reaches half of the largest: later ones belong to the fine structure.
    """
    e = check_energies(energy)
    near = (e > assigned - 60) & (e < assigned + 60)
    if near.sum() < 2 * points:
        raise DataError(f"The foil has too few energies about {assigned:g} eV.", hint="Check its element and the unit of its energies.")
    spacing = float(np.median(np.diff(e[near])))
    grid = np.arange(e[near][0], e[near][-1], spacing)
    slope = savitzky_golay(np.interp(grid, e, mu), spacing=spacing, points=points, order=2, derivative=1)
    peaks = np.flatnonzero((slope[1:-1] >= slope[:-2]) & (slope[1:-1] > slope[2:]) & (slope[1:-1] >= 0.5 * slope.max())) + 1
    if not peaks.size:
        raise DataError(f"The foil's derivative has no maximum within 60 eV of {assigned:g} eV.", hint="Check its element.")
    k = int(peaks[0])
    left, middle, right = slope[k - 1], slope[k], slope[k + 1]
    step = 0.5 * (left - right) / (left - 2 * middle + right) * spacing
    return float(assigned - grid[k] - step)


def summarise(stored: xr.Dataset, params: CalibrateParams) -> dict[str, Scalar]:
    """Median state of the voxels that count, and how many lie beyond the calibrants."""
    beyond = sum(int(((slab["flags"].to_numpy() & (BELOW | ABOVE)) != 0).sum()) for slab in slabs(stored))

    def counted() -> Iterator[np.ndarray]:
        for slab in slabs(stored):
            yield slab["state"].to_numpy()[counting(slab)]

    moments = moments_of(counted)
    low, median, high = quantiles_of(counted, (0.25, 0.5, 0.75), moments)
    n = moments.n
    return {
        "n_valid": Scalar(n, "1", n=n, of="voxels", title="Voxels that count"),
        "median": Scalar(float(median), "1", n=n, of="voxels", title=f"Median {params.quantity}"),
        "iqr": Scalar(float(high - low), "1", n=n, of="voxels", title="Quartile distance"),
        "n_beyond": Scalar(beyond, "1", n=beyond, of="voxels", title="Voxels beyond the calibrants"),
    }
