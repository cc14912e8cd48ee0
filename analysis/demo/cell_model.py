"""Forward model of one NMC811 | Li6PS5Cl | Li-In cell: voltage against time in one step, and where the step ends.

State: the mean delithiation ``x`` of the particles that still conduct, and ``gradient``, the difference between their
surface and their mean. In a constant-current step ``x`` is linear in time, so everything else is an explicit function of
time and a step ends where its voltage crosses the limit: capacity is a consequence of polarisation and of the accessible
material, never an input.

    x(t)        = x0 + rate t                                  rate = (I (1 - side) - leak) / (accessible mass * q)
    gradient(t) = g(x) (1 - exp(-L)) + gradient0 exp(-L)       g = rate tau(x) / 15,  L = 20.19 * integral of dt / tau(x)
    V(t)        = U(x + gradient) - U(Li-In) + i R + (2 R T / F) asinh(i_active / (accessible * 2 i0(x_surface)))

The terms: quasi-steady difference between surface and mean of a sphere of diffusion time tau = radius**2 / D, reached
through its slowest mode (4.4934**2 = 20.19; Crank, The Mathematics of Diffusion, 2nd ed., ch. 6); ohmic drop; Butler-Volmer
kinetics with both transfer coefficients one half, solved for the overpotential. The diffusion time grows towards full
lithiation, which leaves some lithium outside at the end of a discharge and makes the first-cycle loss of this material.
"""

from dataclasses import dataclass

import numpy as np
from scipy.constants import R as GAS_CONSTANT
from scipy.constants import physical_constants

from analysis.demo.ocv import LI_IN_V, THEORETICAL_MAH_PER_G, open_circuit_voltage

FARADAY = physical_constants["Faraday constant"][0]  # C/mol
SURFACE_LAG = 1 / 15  # sphere at constant flux: surface minus mean, in units of rate * tau
SLOWEST_MODE = 20.19  # first root of tan(z) = z, squared
EMPTYING_DEPTH = 0.10  # delithiation over which diffusion recovers from its slow, fully lithiated value
_SURFACE_FLOOR = 1e-4  # keeps the exchange current above zero at a full or empty surface
_COARSE, _FINE = 385, 65


@dataclass(frozen=True)
class Build:
    """What a cell is made of; it does not change while it cycles."""

    active_mass_mg: float
    area_cm2: float
    temperature_degC: float = 22.0

    @property
    def full_capacity_mAh(self) -> float:
        """Charge that one unit of ``x`` stands for if all material is accessible."""
        return self.active_mass_mg * 1e-3 * THEORETICAL_MAH_PER_G

    @property
    def kinetic_V(self) -> float:
        return 2 * GAS_CONSTANT * (self.temperature_degC + 273.15) / FARADAY


@dataclass(frozen=True)
class Condition:
    """How a cell is at one cycle.

    ``accessible`` is the fraction of the active material with ion and electron contact, ``side_fraction`` the part of the
    charge current that oxidises electrolyte instead, ``leak_mA`` what a soft short lets through.
    """

    accessible: float
    resistance_ohm_cm2: float
    exchange_mA_cm2: float
    diffusion_time_s: float
    lithiated_slowing: float
    side_fraction: float = 0.0
    leak_mA: float = 0.0


@dataclass(frozen=True)
class State:
    """Where a step starts: mean delithiation, and surface minus mean."""

    x: float
    gradient: float = 0.0


@dataclass(frozen=True)
class Step:
    """A constant-current step or a rest (current 0) as functions of the time since it began.

    Positive current charges. ``duration_s`` is how long it runs.
    """

    build: Build
    condition: Condition
    start: State
    current_mA: float
    duration_s: float

    @property
    def active_mA(self) -> float:
        """Current that moves lithium in and out of the accessible material."""
        return active_current(self.condition, np.asarray(self.current_mA)).item()

    @property
    def rate_per_s(self) -> float:
        return self.active_mA / (self.condition.accessible * self.build.full_capacity_mAh * 3600)

    @property
    def charge_mAh(self) -> float:
        """Magnitude of the charge through the terminals over the whole step, exact."""
        return abs(self.current_mA) * self.duration_s / 3600

    @property
    def end(self) -> State:
        t = np.array([self.duration_s])
        return State(float(self.composition(t)[0]), float(self.gradient(t)[0]))

    def composition(self, t: np.ndarray) -> np.ndarray:
        """Mean delithiation, shape of ``t`` (s)."""
        return self.start.x + self.rate_per_s * t

    def gradient(self, t: np.ndarray) -> np.ndarray:
        """Delithiation of the surface minus that of the mean, shape of ``t`` (s)."""
        x = self.composition(t)
        decay = np.exp(-self._relaxation(t, x))
        target = self.rate_per_s * SURFACE_LAG * diffusion_time(self.condition, x)
        return target * (1 - decay) + self.start.gradient * decay

    def voltage(self, t: np.ndarray) -> np.ndarray:
        """Cell voltage in V (against Li-In), shape of ``t`` (s)."""
        surface = self.composition(t) + self.gradient(t)
        return cell_voltage(self.build, self.condition, surface, np.asarray(self.current_mA), np.asarray(self.active_mA))

    def _relaxation(self, t: np.ndarray, x: np.ndarray) -> np.ndarray:
        if self.rate_per_s == 0:
            return SLOWEST_MODE * t / diffusion_time(self.condition, x)
        # The integral of dx / tau(x) in closed form.
        slow, depth = self.condition.lithiated_slowing, EMPTYING_DEPTH
        inverse = depth * (np.logaddexp(x / depth, np.log(slow)) - np.logaddexp(self.start.x / depth, np.log(slow)))
        return SLOWEST_MODE * inverse / (self.rate_per_s * self.condition.diffusion_time_s)


@dataclass(frozen=True)
class Hold:
    """A constant-voltage charge: time, current and delithiation at instants spaced evenly in the logarithm of the current."""

    time_s: np.ndarray
    current_mA: np.ndarray
    charge_mAh: np.ndarray
    voltage_V: float
    end: State


def diffusion_time(condition: Condition, x: np.ndarray) -> np.ndarray:
    """Diffusion time of the particles in s, longer where they are nearly full of lithium."""
    return condition.diffusion_time_s * (1 + condition.lithiated_slowing * np.exp(-x / EMPTYING_DEPTH))


def active_current(condition: Condition, current_mA: np.ndarray) -> np.ndarray:
    """Terminal current less side reaction (while charging) and less what leaks through the separator, in mA."""
    return current_mA * np.where(current_mA > 0, 1 - condition.side_fraction, 1.0) - condition.leak_mA


def cell_voltage(build: Build, condition: Condition, surface: np.ndarray, current_mA: np.ndarray, active_mA: np.ndarray) -> np.ndarray:
    """Voltage in V against Li-In of a cell whose particles have the surface delithiation ``surface``."""
    inside = np.clip(surface, _SURFACE_FLOOR, 1 - _SURFACE_FLOOR)
    exchange = condition.exchange_mA_cm2 * 2 * np.sqrt(inside * (1 - inside))
    kinetic = build.kinetic_V * np.arcsinh(active_mA / build.area_cm2 / condition.accessible / (2 * exchange))
    ohmic = current_mA * 1e-3 / build.area_cm2 * condition.resistance_ohm_cm2
    return open_circuit_voltage(surface) - LI_IN_V + ohmic + kinetic


def run_to_limit(build: Build, condition: Condition, start: State, *, current_mA: float, limit_V: float) -> Step:
    """Constant-current step that ends where the voltage first reaches ``limit_V``.

    The crossing is bracketed on a grid over all lithium that could move and refined twice: its time is exact to about 1e-6
    of the step.
    """
    endless = Step(build, condition, start, current_mA, np.inf)
    rate = endless.rate_per_s
    low, high = 0.0, (1 - start.x) / rate if rate > 0 else start.x / -rate
    for points in (_COARSE, _FINE, _FINE):
        t = np.linspace(low, high, points)
        beyond = (endless.voltage(t) - limit_V) * np.sign(current_mA) >= 0
        k = int(np.argmax(beyond)) if beyond.any() else points - 1
        low, high = t[max(k - 1, 0)], t[k]
    v_low, v_high = endless.voltage(np.array([low, high]))
    share = (limit_V - v_low) / (v_high - v_low) if v_high != v_low else 0.0
    return Step(build, condition, start, current_mA, float(low + np.clip(share, 0, 1) * (high - low)))


def rest(build: Build, condition: Condition, start: State, *, duration_s: float) -> Step:
    """Open circuit: the gradient relaxes, and a soft short discharges the cell a little."""
    return Step(build, condition, start, 0.0, duration_s)


def hold_voltage(charged: Step, *, limit_V: float, until_mA: float, points: int = 241) -> Hold:
    """Constant-voltage charge after ``charged`` until the current has fallen to ``until_mA``.

    For each current the delithiation follows from the voltage by bisection; the surface keeps the quasi-steady share that it
    had reached at the end of the constant-current step.
    """
    build, condition, start = charged.build, charged.condition, charged.end
    current = np.geomspace(charged.current_mA, until_mA, points)
    active = active_current(condition, current)
    full_s = condition.accessible * build.full_capacity_mAh * 3600  # mA s a unit of x
    settled = start.gradient / (charged.rate_per_s * SURFACE_LAG * float(diffusion_time(condition, np.asarray(start.x))))

    def surface(x: np.ndarray) -> np.ndarray:
        return x + settled * active / full_s * SURFACE_LAG * diffusion_time(condition, x)

    low, high = np.full(points, start.x), np.ones(points)
    for _ in range(44):
        middle = (low + high) / 2
        below = cell_voltage(build, condition, surface(middle), current, active) < limit_V
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    x = np.concatenate([[start.x], low[1:]])
    moved = np.diff(x) * full_s
    seconds = np.concatenate([[0.0], np.cumsum(moved * (1 / active[1:] + 1 / active[:-1]) / 2)])
    charge = np.concatenate([[0.0], np.cumsum(np.diff(seconds) * (current[1:] + current[:-1]) / 2)]) / 3600
    return Hold(seconds, current, charge, limit_V, State(float(x[-1]), float(surface(x)[-1] - x[-1])))
