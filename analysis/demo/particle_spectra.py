"""Ni K-edge spectra of the model particles: two end members, and what each edge-energy definition says of their mixtures.

The end members are built from measured NiO and LiNiO2 (``references/``). LiNi0.8Mn0.1Co0.1O2 holds Mn4+ and Co3+, so its nickel is
at +2.875: the lithiated end is 12.5 % NiO and 87.5 % LiNiO2. The delithiated end, with 0.8 of the lithium out, has +3.875: LiNiO2
moved up by 0.875 times the distance between the two measured edges, which extends their own trend. A voxel is a mixture of both; its
noise-free edge energy depends on the mixture alone, not on how much there is of it, since all of absorption scales alike.
"""

from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.interpolate import PchipInterpolator, UnivariateSpline

from analysis.schemas import STACK
from analysis.xanes.compute import EdgeParams, edge_map

REFERENCES = Path(__file__).parent / "references"
REFERENCE_NOISE = 0.0015  # of the jump, in the measured spectra
QUIET_EV = (8210.0, 8310.0)  # before the edge, where the measured spectra hold nothing but noise
NI_K_EV = 8333.0
NIO_SHARE = 0.125  # Ni2+ of NMC811's nickel
VALENCE_RISE = 0.875  # of the delithiated end above Ni3+

# Absorption at the Ni K edge from rounded tables of mass attenuation (Hubbell & Seltzer, NISTIR 5632, 1995), density 4.75 g/cm3,
# mass fractions Ni 0.483, O 0.329, Co 0.061, Mn 0.056: 284 cm2/g of nickel's K shell, 58 cm2/g of all that is not.
JUMP_PER_UM = 4.75 * 0.483 * 284 * 1e-4
BACKGROUND_PER_UM = 4.75 * 58 * 1e-4
VICTOREEN = 2.8  # absorption falls as energy to this power
MIXTURES = 41  # at which definitions are evaluated


@cache
def energies() -> np.ndarray:
    """The scan: 8100–8800 eV in 80 energies, 1 eV in the edge, 10 and 20 eV outside; shape (E,), eV."""
    steps = ((8100, 8310, 20), (8310, 8326, 10), (8326, 8366, 1), (8370, 8460, 10), (8460, 8801, 20))
    return np.concatenate([np.arange(*s, dtype=float) for s in steps])


def measured(name: str, energy: np.ndarray) -> np.ndarray:
    """A reference, ``NiO`` or ``LiNiO2``, smoothed by its own noise, zero before the edge and near one after it; as ``energy``."""
    kev, mu = np.loadtxt(REFERENCES / f"ref_{name}.txt").T
    own = kev * 1e3
    curve = UnivariateSpline(own, mu, s=own.size * REFERENCE_NOISE**2, k=4)
    quiet = float(np.mean(mu[(own > QUIET_EV[0]) & (own < QUIET_EV[1])]))
    found = curve(np.clip(energy, own[0], own[-1])) - quiet
    return np.where(energy < QUIET_EV[1], 0.0, found)


def half_height(name: str) -> float:
    """Energy (eV) at which a reference first reaches one half."""
    fine = np.arange(NI_K_EV - 13, NI_K_EV + 27, 0.01)
    return float(fine[np.argmax(measured(name, fine) >= 0.5)])


@cache
def end_members() -> np.ndarray:
    """Absorption (1/µm) of dense lithiated and delithiated material on ``energies()``; shape (2, E)."""
    energy = energies()
    rise = VALENCE_RISE * (half_height("LiNiO2") - half_height("NiO"))
    lithiated = NIO_SHARE * measured("NiO", energy) + (1 - NIO_SHARE) * measured("LiNiO2", energy)
    delithiated = measured("LiNiO2", energy - rise)
    falling = (NI_K_EV / energy) ** VICTOREEN
    return falling * (BACKGROUND_PER_UM + JUMP_PER_UM * np.stack([lithiated, delithiated]))


def spectra(delithiated: np.ndarray) -> np.ndarray:
    """Absorption (1/µm) of dense material with these fractions of the delithiated end; shape (…, E)."""
    low, high = end_members()
    return np.asarray(low + np.asarray(delithiated, float)[..., None] * (high - low))


def true_edge_energy(delithiated: np.ndarray, definition: str, *, e0: float, **params: float) -> np.ndarray:
    """Edge energies (eV) that a definition gives for noise-free mixtures; the shape of ``delithiated``, NaN where that is NaN.

    Evaluated by the recipe itself at ``MIXTURES`` mixtures, and between them by a monotone curve.

    Parameters
    ----------
    e0
        Edge position of the recipe, eV; ``params`` are its other parameters.
    """
    made = PchipInterpolator(np.linspace(0, 1, MIXTURES), _evaluated(definition, e0, tuple(sorted(params.items()))))
    return np.asarray(made(np.asarray(delithiated, float)))


@cache
def _evaluated(definition: str, e0: float, params: tuple[tuple[str, float], ...]) -> np.ndarray:
    mixtures = spectra(np.linspace(0, 1, MIXTURES))
    stack = xr.Dataset(
        {"mu": (("y", "x", "energy"), np.stack([mixtures] * 3), {"units": "1/um"})},
        {"energy": ("energy", energies(), {"units": "eV"})},
    )
    asked = EdgeParams.check({"definition": definition, "e0": e0, "erode": 0, "photon_noise": 0.0, **dict(params)})
    found = edge_map(stack=STACK.conform(stack), params=asked)
    return np.asarray(found["edge_energy"].isel(y=1).to_numpy(), float)
