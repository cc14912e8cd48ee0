"""The energy axis: calibrated on a standard, aligned from scan to scan.

Energies are only ever shifted, never stretched: over one edge a monochromator's error is an offset. What was added stands in
``energy_shift``; name and assigned energy of the standard in the attribute ``calibration``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize_scalar
from scipy.signal import find_peaks

from analysis.core.data import warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.spectra.curves import Curve, assemble, common_attrs, curves, gathered
from analysis.spectra.edge_energy import find_e0, parabola_top

EV: dict[str, Any] = {"unit": "eV"}
COARSE = 0.25  # eV, step of the first search for a shift
EDGE_STEPS = 2  # a shift so many coarse steps from its bound is taken to be at it
PROMINENCE = 0.2  # of the range, that makes a maximum a feature


class CalibrateParams(Params):
    """What the standard's feature is said to be at."""

    standard: str = Field("", title="Name of the standard")
    feature: Literal["max_slope", "white_line"] = Field("max_slope", title="Feature")
    assigned: float = Field(gt=0, title="Assigned energy", json_schema_extra=EV)
    search: float = Field(15.0, gt=0, title="Distance within which the feature is looked for", json_schema_extra=EV)


def feature_energy(curve: Curve, feature: str, near: float, search: float) -> float:
    """Measured energy (eV) of the steepest rise or of the nearest large maximum, to a fraction of the grid's step.

    Raises
    ------
    DataError
        The spectrum does not reach that energy, or has no such feature there.
    """
    window = curve.between(near - search, near + search)
    if window.energy.size < 10:
        raise DataError(
            f"'{curve.name}' ({curve.energy[0]:.0f}–{curve.energy[-1]:.0f} eV) has {window.energy.size} points within {search:g} eV "
            f"of {near:.1f} eV.",
            hint="Check the assigned energy and the standard.",
        )
    found = _white_line(window, near) if feature == "white_line" else _max_slope(window)
    if not np.isfinite(found):
        raise DataError(
            f"'{curve.name}' has no {feature.replace('_', ' ')} near {near:.1f} eV.", hint="Search farther, or check the standard."
        )
    return found


def _white_line(window: Curve, near: float) -> float:
    """The maximum nearest to ``near`` that stands out by a fifth of the window's range."""
    tops, _ = find_peaks(window.mu, prominence=PROMINENCE * float(np.ptp(window.mu)))
    if tops.size == 0:
        return np.nan
    return parabola_top(window.energy, window.mu, int(tops[np.abs(window.energy[tops] - near).argmin()]))[0]


def _max_slope(window: Curve) -> float:
    """The maximum of the spline's derivative next to the steepest rise of the points."""
    fine = np.arange(window.energy[0], window.energy[-1], 0.01)
    slope = make_interp_spline(window.energy, window.mu, k=3).derivative()(fine)
    best = int(np.abs(fine - find_e0(window.energy, window.mu)).argmin())
    while 0 < best < fine.size - 1 and max(slope[best - 1], slope[best + 1]) > slope[best]:
        best += 1 if slope[best + 1] > slope[best - 1] else -1
    return float(fine[best]) if 0 < best < fine.size - 1 else np.nan


def calibrated(spectra: xr.Dataset, standard: xr.Dataset | None, params: CalibrateParams) -> xr.Dataset:
    """All spectra shifted by what brings the standard's feature to its assigned energy.

    Without a standard of its own it is taken from the foil behind the sample, else from the first spectrum itself.
    """
    measured_on = _standard(spectra if standard is None else standard, own=standard is None)
    found = feature_energy(measured_on, params.feature, params.assigned, params.search)
    shift = params.assigned - found
    made = assemble([c.shifted(shift) for c in curves(spectra)], units=str(spectra["mu"].attrs.get("units", "1")))
    note = {
        "standard": params.standard or measured_on.name,
        "feature": params.feature,
        "assigned": params.assigned,
        "measured": found,
        "shift": shift,
    }
    kept = {k: v for k, v in spectra.attrs.items() if k not in ("schema", "schema_version")}
    return made.assign_attrs(kept | {"calibration": note})


def _standard(ds: xr.Dataset, *, own: bool) -> Curve:
    curve = curves(ds)[0]
    if own and curve.reference is not None:
        return replace(curve, mu=curve.reference, name=f"foil behind {curve.name}")
    return curve


class AlignParams(Params):
    """Range and freedom of the alignment; energies relative to the template's edge."""

    template: str = Field("", title="Template: name or number from 1 (the first if empty)")
    using: Literal["spectrum", "foil"] = Field("spectrum", title="Aligned by")
    low: float = Field(-30.0, title="Compared from", json_schema_extra=EV)
    high: float = Field(60.0, title="Compared to", json_schema_extra=EV)
    max_shift: float = Field(10.0, gt=0, le=50, title="Largest shift", json_schema_extra=EV)


@dataclass(frozen=True)
class Alignment:
    """A shift (eV) to be added, the relative misfit that is left, and whether the shift ran into its bound."""

    shift: float
    misfit: float
    at_bound: bool


def align_to(template: Curve, other: Curve, *, low: float, high: float, max_shift: float) -> Alignment:
    """The shift that makes the derivative of ``other`` most like that of ``template``.

    Notes
    -----
    Cubic splines through both; the derivative of the shifted one is scaled freely, so that thickness does not matter. Searched on
    a grid of 0.25 eV, then refined within one step.
    """
    e0 = find_e0(template.energy, template.mu)
    grid = np.arange(max(e0 + low, template.energy[0]), min(e0 + high, template.energy[-1]), 0.1)
    if grid.size < 20:
        raise DataError(f"The template '{template.name}' has too little of its edge between {e0 + low:.0f} and {e0 + high:.0f} eV.")
    wanted = _slope(template)(grid)
    slope = _slope(other)

    def misfit(shift: float) -> float:
        at = grid - shift
        inside = (at >= other.energy[0]) & (at <= other.energy[-1])
        if inside.sum() < 0.5 * grid.size:
            return np.inf
        got, want = slope(at[inside]), wanted[inside]
        return float(1.0 - (got @ want) ** 2 / max(float((got @ got) * (want @ want)), 1e-300)) if got @ want > 0 else 1.0

    tries = np.arange(-max_shift, max_shift + COARSE / 2, COARSE)
    values = np.array([misfit(s) for s in tries])
    if not np.isfinite(values).any():
        raise DataError(
            f"'{other.name}' ({other.energy[0]:.0f}–{other.energy[-1]:.0f} eV) does not cover the edge at {e0:.0f} eV.",
            hint="Choose spectra of the same edge.",
        )
    best = float(tries[np.argmin(values)])
    refined = minimize_scalar(misfit, bounds=(best - COARSE, best + COARSE), method="bounded", options={"xatol": 1e-5})
    return Alignment(float(refined.x), float(refined.fun), abs(best) > max_shift - EDGE_STEPS * COARSE)


def _slope(curve: Curve) -> Any:
    return make_interp_spline(curve.energy, curve.mu, k=3).derivative()


def aligned(spectra: Sequence[xr.Dataset], params: AlignParams) -> xr.Dataset:
    """All spectra on the energy axis of the template; ``alignment_shift`` is what this added to each."""
    found = gathered(spectra)
    by = [_aligned_by(c, found, params.using) for c in found]
    template = by[_place(found, params.template)]
    said = [w for ds in spectra for w in warnings_of(ds)]
    shifts, misfits = [], []
    for curve, guide in zip(found, by, strict=True):
        if guide is template:
            shifts.append(0.0)
            misfits.append(0.0)
            continue
        one = align_to(template, guide, low=params.low, high=params.high, max_shift=params.max_shift)
        shifts.append(one.shift)
        misfits.append(one.misfit)
        if one.at_bound:
            said.append(f"The shift of '{curve.name}' is at its bound: the spectrum is too unlike the template, or farther off.")
    made = assemble(
        [c.shifted(s) for c, s in zip(found, shifts, strict=True)],
        units=str(spectra[0]["mu"].attrs.get("units", "1")),
        attrs=common_attrs(spectra),
    )
    made["alignment_shift"] = ("spectrum", np.array(shifts), {"units": "eV"})
    made["alignment_misfit"] = ("spectrum", np.array(misfits), {"units": "1"})
    return warn(made, *said)


def _aligned_by(curve: Curve, found: Sequence[Curve], using: str) -> Curve:
    if using == "spectrum":
        return curve
    if curve.partner >= 0:
        return found[curve.partner]
    if curve.reference is not None:
        return replace(curve, mu=curve.reference)
    if any(other.partner >= 0 and found[other.partner] is curve for other in found):
        return curve  # the foil itself
    raise DataError(f"'{curve.name}' has no foil measured with it.", hint="Align by the spectra themselves.")


def _place(found: Sequence[Curve], wanted: str) -> int:
    names = [c.name for c in found]
    if not wanted:
        return 0
    if wanted in names:
        return names.index(wanted)
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise ParamError(f"There is no spectrum '{wanted}'.", hint=f"There are {', '.join(names[:12])}; numbers count from 1.")
