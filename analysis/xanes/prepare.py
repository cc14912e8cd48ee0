"""From raw frames to a stack of optical depth: references, exposures, magnification, drift.

The shifts that were found stand in the result. To change them, store an edit of the schema ``xanes.shifts`` with the energies and
shifts that are to be used, and give it as the input ``shifts``: everything is then interpolated again from the raw frames, once.
Energies that the edit leaves out, or has as NaN, keep the shift that is found.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, Schema, Var, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.core.registry import Input, Recipe
from analysis.schemas import STACK
from analysis.xanes.alignment import drifts, magnification, transformed
from analysis.xanes.frames import SAME_EV, Averaged, Scan, scan_of
from analysis.xanes.optical_depth import optical_depth, optical_depth_std

PIXEL = "px"
SHIFTS = Schema(
    "xanes.shifts",
    {
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "shift_y": Var(("energy",), "1", title="Shift down, pixels"),
        "shift_x": Var(("energy",), "1", title="Shift to the right, pixels"),
    },
)


class OpticalDepthParams(Params):
    """How raw frames become a stack."""

    dark: float = Field(0.0, ge=0, title="Counts without beam", description="Used where there is no dark image")
    reference_energy: float | None = Field(
        None, gt=0, title="Energy whose frame the others follow", description="Empty: the middle one", json_schema_extra={"unit": "eV"}
    )
    magnify: bool = Field(True, title="Pixel size follows the energy", description="Zone plate: size of a pixel proportional to energy")
    align: Literal["reference", "previous", "none"] = Field("reference", title="Drift is found against")
    coarse_px: float = Field(20.0, gt=2, title="Largest structures used for the drift", json_schema_extra={"unit": "px"})
    interpolation: Literal["linear", "cubic"] = Field("linear", title="Interpolation")
    pool: int = Field(9, ge=1, le=99, title="Pixels over which noise is averaged, a side", json_schema_extra={"unit": "px"})


def prepare(*, frames: tuple[xr.Dataset, ...], params: OpticalDepthParams, shifts: xr.Dataset | None = None) -> xr.Dataset:
    """The stack of optical depth with its standard deviation, all energies on the grid of the reference energy.

    One frame is in memory at a time besides the result.
    """
    scan = scan_of(frames)
    if scan.energy.size < 2:
        raise DataError(f"There are frames at one energy only ({scan.energy[0]:g} eV).", hint="An edge needs frames at several energies.")
    corrected = all(ds.attrs.get("corrected") for ds in frames)
    sources, borrowed = _references(scan) if not corrected else (scan.energy, [])
    at = _reference_index(scan.energy, params.reference_energy)
    scale = magnification(scan.energy, scan.energy[at]) if params.magnify else np.ones(scan.energy.size)
    shift = _shifts(scan, sources, scale, at, corrected, params, shifts)
    mu, std, remarks = _aligned(scan, sources, scale, shift, corrected, params)
    dims = ("y", "x", "energy")
    ds = xr.Dataset(
        {
            "mu": (dims, np.moveaxis(mu, 0, -1), {"units": "1"}),
            "mu_std": (dims, np.moveaxis(std, 0, -1), {"units": "1"}),
            "shift_y": ("energy", shift[:, 0], {"units": "1"}),
            "shift_x": ("energy", shift[:, 1], {"units": "1"}),
            "scale": ("energy", scale, {"units": "1"}),
        },
        {"energy": ("energy", scan.energy, {"units": "eV"})},
        {"reference_energy": float(scan.energy[at]), **_kept_attrs(frames[0])},
    )
    ds = ds if np.isfinite(std).any() else ds.drop_vars("mu_std")
    return warn(ds, *(w for f in frames for w in warnings_of(f)), *borrowed, *remarks, *_far(shift, scan))


def _kept_attrs(ds: xr.Dataset) -> dict[str, object]:
    return {n: ds.attrs[n] for n in ("voxel_um", "instrument", "start_time", "metadata", "element", "edge") if n in ds.attrs}


def _references(scan: Scan) -> tuple[np.ndarray, list[str]]:
    """For each energy, the energy whose reference is used; the nearest where there is none of its own."""
    have = scan.energies_of("reference")
    if not have.size:
        raise DataError("There are no reference frames.", hint="Add the frames without sample, or read the images as transmission.")
    nearest = have[np.abs(have[None, :] - scan.energy[:, None]).argmin(axis=1)]
    away = np.abs(nearest - scan.energy) > SAME_EV
    if not away.any():
        return nearest, []
    said = ", ".join(f"{e:g}" for e in scan.energy[away][:5]) + (" …" if away.sum() > 5 else "")
    return nearest, [f"There is no reference at {said} eV: the nearest was used, up to {np.abs(nearest - scan.energy).max():g} eV away."]


def _reference_index(energy: np.ndarray, wanted: float | None) -> int:
    if wanted is None:
        return (energy.size - 1) // 2
    if not energy[0] - SAME_EV <= wanted <= energy[-1] + SAME_EV:
        raise ParamError(
            f"The reference energy {wanted:g} eV is outside the scan.", hint=f"The frames are at {energy[0]:g}–{energy[-1]:g} eV."
        )
    return int(np.abs(energy - wanted).argmin())


def _depth(scan: Scan, i: int, sources: np.ndarray, corrected: bool, params: OpticalDepthParams) -> tuple[np.ndarray, np.ndarray]:
    """Optical depth and its standard deviation at one energy, on the grid of the camera."""
    energy = float(scan.energy[i])
    sample = scan.at("sample", energy)
    if not np.isfinite(sample.mean).any() or np.nanmin(sample.mean) == np.nanmax(sample.mean):
        raise DataError(f"The frame at {energy:g} eV holds nothing (all values are equal or not numbers).", hint="Take it out.")
    if corrected:
        one = np.ones_like(sample.mean)
        return optical_depth(sample.mean, one), optical_depth_std(sample.mean, one, sample.std, 0 * one, pool=params.pool)
    reference = scan.at("reference", float(sources[i]))
    dark = scan.dark if scan.dark is not None else params.dark
    times = _exposures(sample, reference)
    depth = optical_depth(sample.mean, reference.mean, dark=dark, exposure=times[0], reference_exposure=times[1])
    return depth, optical_depth_std(sample.mean, reference.mean, sample.std, reference.std, dark=dark, pool=params.pool)


def _exposures(sample: Averaged, reference: Averaged) -> tuple[float, float]:
    """Both exposures, or equal ones where either is not known."""
    known = np.isfinite([sample.exposure, reference.exposure]).all() and min(sample.exposure, reference.exposure) > 0
    return (sample.exposure, reference.exposure) if known else (1.0, 1.0)


def _shifts(
    scan: Scan,
    sources: np.ndarray,
    scale: np.ndarray,
    at: int,
    corrected: bool,
    params: OpticalDepthParams,
    edited: xr.Dataset | None,
) -> np.ndarray:
    """Shifts (n, 2): those of the edit, and those that are found where it has none."""
    given = np.full((scan.energy.size, 2), np.nan)
    if edited is not None:
        for i, e in enumerate(scan.energy):
            place = np.flatnonzero(np.abs(edited["energy"].values - e) < SAME_EV)
            if place.size:
                given[i] = edited["shift_y"].values[place[0]], edited["shift_x"].values[place[0]]
        if np.isnan(given).all():
            raise DataError("The edited shifts are of other energies than the frames.", hint="Edit the shifts of this scan.")
    open_ones = np.isnan(given).any(axis=1)
    if not open_ones.any() or params.align == "none":
        return np.nan_to_num(given)
    found = drifts(
        lambda i: _depth(scan, i, sources, corrected, params)[0],
        scale,
        reference=at,
        against=params.align,
        coarse_px=params.coarse_px,
        said=lambda fraction: report(0.6 * fraction, "finding the drift"),
    )
    return np.where(open_ones[:, None], found, given)


def _aligned(
    scan: Scan, sources: np.ndarray, scale: np.ndarray, shift: np.ndarray, corrected: bool, params: OpticalDepthParams
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Optical depth and its standard deviation (n, y, x), interpolated once, and remarks.

    The standard deviation is interpolated like an image: an upper bound, since interpolation averages neighbours.
    """
    n = scan.energy.size
    mu, std = (np.empty((n, *scan.shape), np.float32) for _ in range(2))
    order = 1 if params.interpolation == "linear" else 3
    negative = dark = known = 0
    for i in range(n):
        depth, noise = _depth(scan, i, sources, corrected, params)
        finite = np.isfinite(depth)
        negative, dark, known = negative + int((depth[finite] < 0).sum()), dark + int((~finite).sum()), known + depth.size
        by = (float(shift[i, 0]), float(shift[i, 1]))
        mu[i] = transformed(depth, scale=float(scale[i]), shift=by, order=order)
        std[i] = transformed(noise, scale=float(scale[i]), shift=by)
        report(0.6 + 0.4 * (i + 1) / n, f"{scan.energy[i]:g} eV")
    remarks = [f"{negative / known:.2%} of the optical depths are negative; they are kept."] if negative else []
    remarks += [f"{dark / known:.2%} of the pixels have no light in the sample or the reference; they have no value."] if dark else []
    remarks += [] if np.isfinite(std).any() else ["There are no repeated frames, so the noise is not known."]
    return mu, std, remarks


def _far(shift: np.ndarray, scan: Scan) -> list[str]:
    """A remark where a shift is a large part of the image: the correlation may have failed."""
    limit = np.array(scan.shape) / 4
    far = np.flatnonzero((np.abs(shift) > limit).any(axis=1))
    return [f"The shift at {scan.energy[far[0]]:g} eV is more than a quarter of the image: check it."] if far.size else []


def summarise(stored: xr.Dataset, params: OpticalDepthParams) -> Mapping[str, Scalar]:
    """What is told of a stack that was made: range of shifts, noise, how much is missing."""
    n = stored.sizes["energy"]
    shift = np.hypot(stored["shift_y"].values, stored["shift_x"].values)
    middle = stored.isel(energy=n // 2)
    mu = middle["mu"].values
    found = {
        "n_energies": Scalar(n, "1", title="Energies"),
        "largest_shift": Scalar(float(shift.max()), PIXEL, n=n, of="energies", title="Largest shift"),
        "smallest_scale": Scalar(float(stored["scale"].min()), "1", title="Smallest scale"),
        "fraction_missing": Scalar(float(np.mean(~np.isfinite(mu))), "1", n=mu.size, of="pixels", title="Pixels without a value"),
    }
    if "mu_std" in stored:
        found["noise"] = Scalar(
            float(np.nanmedian(middle["mu_std"].values)), "1", n=mu.size, of="pixels", title="Noise of the optical depth"
        )
    return found


RECIPES_PREPARE: tuple[Recipe, ...] = (
    Recipe(
        "xanes.optical_depth",
        "Optical depth from raw frames",
        {"frames": Input("txm.frames", many=True), "shifts": Input("xanes.shifts", optional=True)},
        STACK,
        prepare,
        OpticalDepthParams,
        summarise=summarise,
    ),
)
