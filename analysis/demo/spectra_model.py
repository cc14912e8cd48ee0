"""S K-edge spectra of Li6PS5Cl at the cathode, with peaks whose areas are known.

An arctangent step of height one, and under it Voigt peaks: the PS4 tetrahedra, bridging sulfur (P–Sx–P) at 2472.0 eV, sulfide, and a
broad resonance above the edge. Oxidation turns PS4 into bridging sulfur: strongly in uncoated composites, less in coated ones. The
niobate coating adds the step of Nb L2 at 2465 eV. Areas are in units of the step as the S K preset measures it on the noise-free
spectrum without niobium: that is what an analysis has to find.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import voigt_profile

CORE_HOLE_EV = 0.59  # S 1s, full width: M. O. Krause, J. H. Oliver (1979)
STEP_EV, STEP_WIDTH_EV = 2475.0, 1.5
NB_L2_EV, NB_L2_WIDTH_EV = 2465.0, 1.87
PRE_EV, POST_EV = (2410.0, 2458.0), (2490.0, 2500.0)
ASSIGNED_EV = 2472.02  # first maximum of the standard, sodium thiosulfate
BRIDGING = "P–Sx–P"


@dataclass(frozen=True)
class Peak:
    """Centre and Gaussian width, both eV."""

    center: float
    sigma: float


PEAKS: Mapping[str, Peak] = {
    "PS4": Peak(2470.8, 0.45),
    BRIDGING: Peak(2472.0, 0.40),
    "sulfide": Peak(2473.5, 0.55),
    "resonance": Peak(2476.8, 1.60),
}

# Areas (eV) on a step of one: group, then state.
AREAS: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "uncoated": {
        "pristine": {"PS4": 1.50, BRIDGING: 0.25, "sulfide": 1.10, "resonance": 2.6},
        "charged": {"PS4": 0.40, BRIDGING: 1.25, "sulfide": 0.80, "resonance": 2.6},
        "discharged": {"PS4": 0.75, BRIDGING: 0.95, "sulfide": 0.95, "resonance": 2.6},
    },
    "coated": {
        "pristine": {"PS4": 1.50, BRIDGING: 0.25, "sulfide": 1.10, "resonance": 2.6},
        "charged": {"PS4": 1.25, BRIDGING: 0.48, "sulfide": 1.00, "resonance": 2.6},
        "discharged": {"PS4": 1.35, BRIDGING: 0.38, "sulfide": 1.05, "resonance": 2.6},
    },
}
SPREAD = 0.06  # from cell to cell, one standard deviation of the logarithm
STANDARD = {"first": (Peak(ASSIGNED_EV, 0.45), 1.9), "second": (Peak(2479.6, 0.60), 2.4)}


def energies() -> np.ndarray:
    """The scan's energies: 1 eV steps before, 0.1 eV in the edge, 0.5 eV after; shape (E,), eV."""
    parts = (np.arange(2400, 2458, 1.0), np.arange(2458, 2468, 0.25), np.arange(2468, 2481, 0.1), np.arange(2481, 2500.1, 0.5))
    return np.round(np.concatenate(parts), 3)


def step(energy: np.ndarray, center: float, width: float) -> np.ndarray:
    """An arctangent step of height one, same shape as ``energy``."""
    return 0.5 + np.arctan((energy - center) / (width / 2)) / np.pi


def sulfur(energy: np.ndarray, areas: Mapping[str, float]) -> np.ndarray:
    """The S K edge with its peaks; same shape as ``energy``."""
    return step(energy, STEP_EV, STEP_WIDTH_EV) + sum(
        area * voigt_profile(energy - PEAKS[name].center, PEAKS[name].sigma, CORE_HOLE_EV / 2) for name, area in areas.items()
    )


def niobium(energy: np.ndarray, height: float) -> np.ndarray:
    """The Nb L2 step; same shape as ``energy``."""
    return height * step(energy, NB_L2_EV, NB_L2_WIDTH_EV)


def standard(energy: np.ndarray) -> np.ndarray:
    """A thiosulfate whose first maximum is at the assigned energy; same shape as ``energy``."""
    peaks = sum(area * voigt_profile(energy - p.center, p.sigma, CORE_HOLE_EV / 2) for p, area in STANDARD.values())
    return step(energy, 2477.0, STEP_WIDTH_EV) + peaks


def edge_step(areas: Mapping[str, float]) -> float:
    """The noise-free edge step as the preset defines it: the mean after the edge above the line before it, at the edge."""
    energy = energies()
    mu = sulfur(energy, areas)
    before = (energy >= PRE_EV[0]) & (energy < PRE_EV[1])
    after = (energy >= POST_EV[0]) & (energy < POST_EV[1])
    line = np.polynomial.Polynomial.fit(energy[before], mu[before], 1)
    return float(np.mean(mu[after] - line(energy[after])))


def true_areas(areas: Mapping[str, float]) -> dict[str, float]:
    """Areas (eV) in units of the edge step."""
    size = edge_step(areas)
    return {name: area / size for name, area in areas.items()}


@dataclass(frozen=True)
class Counts:
    """One scan: energies as the monochromator says (eV), incident and fluorescence counts, each of shape (E,)."""

    energy: np.ndarray
    i0: np.ndarray
    channels: tuple[np.ndarray, ...]


def scan(
    mu: np.ndarray, *, offset_ev: float, rng: np.random.Generator, counts: float = 40_000.0, background: float = 0.35, channels: int = 4
) -> Counts:
    """Photons counted where absorption is ``mu`` (on ``energies()``): Poisson noise, a beam that decays, an energy offset.

    Parameters
    ----------
    offset_ev
        Added to the energies that the file will state.
    counts
        Fluorescence photons of all channels at absorption one.
    background
        Scattered light, in units of the edge step.
    """
    energy = energies()
    beam = 1.0 - 0.1 * np.linspace(0, 1, energy.size)
    i0 = rng.poisson(1e6 * beam)
    expected = counts * beam * (mu + background + 0.0006 * (energy - energy[0]))
    return Counts(np.round(energy + offset_ev, 3), i0, tuple(rng.poisson(expected / channels) for _ in range(channels)))
