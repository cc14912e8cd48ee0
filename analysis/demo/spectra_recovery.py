"""How often intervals hold the truth: the synthetic spectra through the same recipes as measured ones."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.demo.spectra_model import AREAS, PEAKS, POST_EV, PRE_EV, edge_step, energies, niobium, scan, standard, sulfur, true_areas
from analysis.demo.spectra_study import NB_STEP, drawn_areas
from analysis.spectra.curves import Curve, assemble
from analysis.spectra.lcf import LcfParams, lcf
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.peaks import PeaksParams, peaks

REFERENCE_COUNTS = 1e8
FRACTIONS = (0.5, 0.3, 0.2)


def spectrum(
    mu: np.ndarray, rng: np.random.Generator, *, name: str = "synthetic", offset_ev: float = 0.0, counts: float = 40_000.0
) -> xr.Dataset:
    """A scan of absorption ``mu`` (on the model's energies) as a reader gives it."""
    counted = scan(mu, offset_ev=offset_ev, rng=rng, counts=counts)
    return assemble([Curve(name, counted.energy, np.sum(counted.channels, axis=0) / counted.i0)])


def composite(areas: Mapping[str, float], rng: np.random.Generator, *, niobium_step: float = 0.0, offset_ev: float = 0.0) -> xr.Dataset:
    """A scan of a composite with these peak areas and a Nb L2 step in units of the S K step."""
    mu = sulfur(energies(), areas) + niobium(energies(), niobium_step * edge_step(areas))
    return spectrum(mu, rng, offset_ev=offset_ev)


def area_coverage(seeds: int, *, first: int = 0, level: float = 0.9) -> dict[str, float]:
    """Share of intervals that hold the true area, by peak, over all groups and states of ``seeds`` sets."""
    held: dict[str, list[bool]] = {name: [] for name in PEAKS}
    for seed in range(first, first + seeds):
        rng = np.random.default_rng(seed)
        for group, states in AREAS.items():
            for state in states:
                areas = drawn_areas(group, state, rng)
                ds = normalised(composite(areas, rng, niobium_step=NB_STEP[group]), NormaliseParams(preset="S K"))
                found = peaks([ds], PeaksParams(level=level))
                low, high = found["area_low"].values, found["area_high"].values
                for k, (name, true) in enumerate(true_areas(areas).items()):
                    held[name].append(bool(low[k] <= true <= high[k]))
    return {name: float(np.mean(values)) for name, values in held.items()}


def pure_substances() -> tuple[np.ndarray, ...]:
    """Absorption of three references on an edge step of one: a fresh and an oxidised electrolyte, and the standard."""
    fresh, oxidised = AREAS["uncoated"]["pristine"], AREAS["uncoated"]["charged"]
    energy = energies()
    before = (energy >= PRE_EV[0]) & (energy < PRE_EV[1])
    after = (energy >= POST_EV[0]) & (energy < POST_EV[1])
    mu = standard(energy)
    line = np.polynomial.Polynomial.fit(energy[before], mu[before], 1)
    unit = float(np.mean(mu[after] - line(energy[after])))
    return sulfur(energy, fresh) / edge_step(fresh), sulfur(energy, oxidised) / edge_step(oxidised), mu / unit


def fraction_coverage(seeds: int, *, first: int = 0, offset_ev: float = 0.0, level: float = 0.9) -> float:
    """Share of intervals that hold the true fraction of a mixture of three references, over ``seeds`` mixtures.

    ``offset_ev`` shifts the mixture's energies; the fit may shift the references in common by up to 0.3 eV.
    """
    pure = pure_substances()
    recipe = NormaliseParams(preset="S K")
    rng = np.random.default_rng(first)
    references = [normalised(spectrum(mu, rng, name=f"reference {k}", counts=REFERENCE_COUNTS), recipe) for k, mu in enumerate(pure)]
    mixture = sum(f * mu for f, mu in zip(FRACTIONS, pure, strict=True))
    held = []
    for seed in range(first, first + seeds):
        unknown = normalised(spectrum(np.asarray(mixture), np.random.default_rng(seed), offset_ev=offset_ev), recipe)
        found = lcf(unknown, references, LcfParams(low=-5.0, high=25.0, max_shift=0.3, level=level))
        held.append((found["weight_low"].values <= FRACTIONS) & (found["weight_high"].values >= FRACTIONS))
    return float(np.mean(held))
