"""dQ/dV and dV/dQ of half cycles.

Voltage rises and falls with noise, so capacity is no function of it. Each half cycle is first put in order: the charge that passed while
the voltage was below V, for every V (for noise-free data, the curve itself). That keeps all charge and prefers neither side.
It is interpolated monotonically on an even grid, and differentiated there by a Savitzky–Golay filter whose window is stated.

dV/dQ is the reciprocal: both come from one smoothing, and steep parts, where dV/dQ has its peaks, hold most points of the voltage grid.
A constant-voltage tail has no derivative and is left out.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy.interpolate import PchipInterpolator
from scipy.signal import find_peaks

from analysis.core.errors import ParamError
from analysis.core.numerics.smoothing import savitzky_golay, window_points
from analysis.cycling.curves import HalfCurve
from analysis.cycling.cycles import CycleParams

MV = 1e-3  # V
HELD_V = 2e-3  # a voltage within this of its limit, with a falling current, is held
HELD_CURRENT = 0.95
MIN_POINTS = 8


class DerivativeParams(CycleParams):
    """dQ/dV of chosen cycles."""

    cycles: tuple[int, ...] = Field((1, 100), title="Cycles")
    window_mV: float = Field(40.0, gt=0, le=500, title="Smoothing window", json_schema_extra={"unit": "mV"})
    grid_mV: float = Field(1.0, gt=0, le=50, title="Voltage grid", json_schema_extra={"unit": "mV"})
    order: int = Field(3, ge=1, le=5, title="Order of the smoothing polynomial")
    prominence: float = Field(0.05, gt=0, lt=1, title="Smallest peak, as part of the highest")


@dataclass(frozen=True)
class Derivative:
    """One half cycle on an even voltage grid, in the order in which it ran; shape (G,) each.

    dQ/dV is positive on charge and negative on discharge, as is dV/dQ, its reciprocal (NaN where dQ/dV vanishes).
    """

    cycle: int
    direction: int
    voltage: np.ndarray
    capacity: np.ndarray
    dqdv: np.ndarray
    dvdq: np.ndarray


def derivative(curve: HalfCurve, params: DerivativeParams) -> Derivative | None:
    """dQ/dV of a half cycle; None where its voltage spans less than the smoothing window.

    References
    ----------
    .. [1] X. Feng et al., eTransportation 3, 100051 (2020), doi 10.1016/j.etran.2020.100051 (charge counted by voltage level).
    .. [2] F. N. Fritsch, R. E. Carlson, SIAM J. Numer. Anal. 17, 238 (1980), doi 10.1137/0717021 (monotone interpolation).
    .. [3] I. Bloom et al., J. Power Sources 139, 295 (2005), doi 10.1016/j.jpowsour.2004.07.021 (dV/dQ).
    """
    spacing = params.grid_mV * MV
    points = window_points(params.window_mV * MV, spacing, order=params.order)
    level, charge = ordered(_without_tail(curve))
    if level.size < MIN_POINTS or level[-1] - level[0] < points * spacing:
        return None
    grid = level[0] + spacing * np.arange(int((level[-1] - level[0]) / spacing) + 1)
    capacity = PchipInterpolator(level, charge)(grid)
    slope = savitzky_golay(capacity, spacing=spacing, points=points, order=params.order, derivative=1)
    with np.errstate(divide="ignore"):
        inverse = np.where(slope > 0, 1.0 / slope, np.nan)
    d = curve.direction
    return Derivative(curve.cycle, d, d * grid, capacity, d * slope, d * inverse)


def ordered(curve: HalfCurve) -> tuple[np.ndarray, np.ndarray]:
    """Capacity as a function of voltage times direction: distinct levels, rising, and what had passed below them; shape (L,) each."""
    level = curve.direction * curve.voltage
    share = np.zeros(level.size)
    half = 0.5 * np.diff(curve.capacity)
    share[:-1] += half
    share[1:] += half
    order = np.argsort(level, kind="stable")
    level, share = level[order], share[order]
    starts = np.flatnonzero(np.append(True, np.diff(level) > 0)) if level.size else np.empty(0, dtype=np.int64)
    if not starts.size:
        return level, share
    share = np.add.reduceat(share, starts)
    return level[starts], np.cumsum(share) - 0.5 * share + curve.capacity[0]


def _without_tail(curve: HalfCurve) -> HalfCurve:
    """The half cycle up to where its voltage is held and the current falls."""
    level = curve.direction * curve.voltage
    if level.size < 2:
        return curve
    at = int(np.argmax(level >= np.max(level) - HELD_V))
    if curve.current[-1] >= HELD_CURRENT * curve.current[at]:
        return curve
    end = at + 1
    return HalfCurve(curve.cycle, curve.direction, curve.capacity[:end], curve.voltage[:end], curve.current[:end])


def peaks(found: Derivative, prominence: float) -> list[dict[str, float]]:
    """Maxima of |dQ/dV| that stand out by ``prominence`` of the highest: cycle, direction, voltage in V, height in the unit of dQ/dV."""
    height = np.abs(found.dqdv)
    if not height.size or not 0 < prominence < 1:
        raise ParamError("Peaks need a curve and a prominence between 0 and 1.")
    places = find_peaks(height, prominence=prominence * np.max(height))[0]
    return [
        {"cycle": found.cycle, "direction": found.direction, "voltage": float(found.voltage[p]), "height": float(found.dqdv[p])}
        for p in places
    ]
