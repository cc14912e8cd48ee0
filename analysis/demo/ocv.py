"""Open-circuit voltage of the model electrode, with differential capacity peaks that are known exactly.

The electrode is a sum of independent insertion reactions, each a logistic step of lithium content in voltage (the
multi-species multi-reaction form of Verbrugge et al., J. Electrochem. Soc. 164, E3243 (2017), doi 10.1149/2.0341708jes).
Lithium content is then an explicit function of voltage, and its derivative, the differential capacity, is a sum of
``sech**2`` bumps whose maxima follow from the second derivative.

The centres stand where the phase changes of LiNi0.8Co0.1Mn0.1O2 are reported (H1-M near 3.7 V, M-H2 near 4.0 V, H2-H3 near
4.2 V against Li/Li+; Ryu et al., Chem. Mater. 30, 1155 (2018), doi 10.1021/acs.chemmater.7b05269). Weights and widths are
chosen for a believable curve: they are not a fit to anyone's data.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq

THEORETICAL_MAH_PER_G = 275.5  # one lithium per LiNi0.8Co0.1Mn0.1O2, F / (3.6 * 97.28 g/mol)
LI_IN_V = 0.62  # V against Li/Li+, two-phase region of Li-In

U_LOW, U_HIGH = 1.0, 5.2  # V against Li/Li+; outside the delithiation is 0 or 1 to within 1e-3
_TABLE_POINTS = 8401  # 0.5 mV apart


@dataclass(frozen=True)
class Reaction:
    """One insertion reaction: ``weight`` of all lithium leaves around ``centre_V`` within a few ``width_V``."""

    centre_V: float  # against Li/Li+
    width_V: float
    weight: float
    name: str = ""


NMC811 = (
    Reaction(3.300, 0.110, 0.010, "low-voltage tail"),
    Reaction(3.695, 0.032, 0.240, "H1-M"),
    Reaction(3.850, 0.095, 0.280, "solid solution"),
    Reaction(4.005, 0.026, 0.100, "M-H2"),
    Reaction(4.195, 0.017, 0.150, "H2-H3"),
    Reaction(4.450, 0.080, 0.220, "above H3"),
)
PHASE_CHANGES = tuple(r.name for r in NMC811 if r.name.startswith(("H", "M")))


def delithiation(voltage: np.ndarray) -> np.ndarray:
    """Fraction of the lithium that has left the host at equilibrium.

    Parameters
    ----------
    voltage
        Any shape, in V against Li/Li+.

    Returns
    -------
    np.ndarray
        The same shape, dimensionless, between 0 (fully lithiated) and 1, strictly increasing with voltage.
    """
    return sum((r.weight * _step(voltage, r) for r in NMC811), start=np.zeros(np.shape(voltage)))


def differential_capacity(voltage: np.ndarray) -> np.ndarray:
    """Derivative of ``delithiation`` with voltage, in 1/V, exact."""
    bumps = ((r, _step(voltage, r)) for r in NMC811)
    return sum((r.weight / r.width_V * s * (1 - s) for r, s in bumps), start=np.zeros(np.shape(voltage)))


def curvature(voltage: np.ndarray) -> np.ndarray:
    """Derivative of ``differential_capacity`` with voltage, in 1/V**2, exact. Zero at its peaks."""
    bumps = ((r, _step(voltage, r)) for r in NMC811)
    return sum((r.weight / r.width_V**2 * s * (1 - s) * (1 - 2 * s) for r, s in bumps), start=np.zeros(np.shape(voltage)))


def open_circuit_voltage(x: np.ndarray) -> np.ndarray:
    """Equilibrium voltage at a delithiation, in V against Li/Li+.

    Parameters
    ----------
    x
        Any shape. Values outside 0..1 give the ends of the table (1.0 and 5.2 V): an electrode surface that is full or empty.

    Notes
    -----
    Linear between points 0.5 mV apart of the exact inverse: the error in voltage is at most 2 uV between 3.3 and 4.5 V.
    """
    levels, table = _inverse()
    return np.interp(x, levels, table)


@cache
def peak_voltages() -> dict[str, float]:
    """Voltages of the maxima of the differential capacity, in V against Li/Li+, by the name of the phase change.

    Neighbouring reactions move a maximum away from its reaction's centre, so each is found as the root of ``curvature``.
    """
    found = {}
    for r in NMC811:
        if r.name in PHASE_CHANGES:
            low, high = r.centre_V - r.width_V, r.centre_V + r.width_V
            found[r.name] = float(brentq(lambda u: float(curvature(np.asarray(u))), low, high, xtol=1e-12))
    return found


def _step(voltage: np.ndarray, r: Reaction) -> np.ndarray:
    # The hyperbolic tangent does not overflow, where the exponential would.
    return 0.5 * (1 + np.tanh((np.asarray(voltage) - r.centre_V) / (2 * r.width_V)))


@cache
def _inverse() -> tuple[np.ndarray, np.ndarray]:
    table = np.linspace(U_LOW, U_HIGH, _TABLE_POINTS)
    levels = delithiation(table)
    rising = np.concatenate([[True], np.diff(levels) > 0])
    return levels[rising], table[rising]
