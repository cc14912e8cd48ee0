"""Spectra one by one, and put together on one energy axis without interpolation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.errors import DataError

MIN_POINTS = 10


@dataclass(frozen=True)
class Curve:
    """One spectrum. Arrays have shape (N,), energies are in eV and increase; ``reference`` is a foil's absorption."""

    name: str
    energy: np.ndarray
    mu: np.ndarray
    reference: np.ndarray | None = None
    shift: float = 0.0  # eV, already in ``energy``
    partner: int = -1
    std: np.ndarray | None = None

    def shifted(self, by: float) -> "Curve":
        """The same spectrum with ``by`` (eV) added to its energies."""
        return replace(self, energy=self.energy + by, shift=self.shift + by)

    def between(self, low: float, high: float) -> "Curve":
        """The points from ``low`` to ``high``."""
        return self.where((self.energy >= low) & (self.energy <= high))

    def where(self, kept: np.ndarray) -> "Curve":
        """The points where ``kept`` is true."""
        reference = None if self.reference is None else self.reference[kept]
        std = None if self.std is None else self.std[kept]
        return replace(self, energy=self.energy[kept], mu=self.mu[kept], reference=reference, std=std)


def curves(ds: xr.Dataset, *, values: str = "mu") -> tuple[Curve, ...]:
    """Every spectrum of a dataset with the points of its own.

    Raises
    ------
    DataError
        A spectrum has fewer than ten points.
    """
    energy = np.asarray(ds["energy"].values, dtype=float)
    made = []
    for k, name in enumerate(np.asarray(ds["name"].values).astype(str).tolist()):
        mu = np.asarray(ds[values].values[k], dtype=float)
        own = np.isfinite(mu)
        if own.sum() < MIN_POINTS:
            raise DataError(f"'{name}' has {own.sum()} points; an analysis needs {MIN_POINTS}.", hint="Choose a complete scan.")
        extra = {key: _row(ds, var, k, own) for key, var in (("reference", "reference"), ("std", f"{values}_std"))}
        made.append(
            Curve(name, energy[own], mu[own], shift=_number(ds, "energy_shift", k), partner=int(_number(ds, "partner", k)), **extra)
        )
    return tuple(made)


def _row(ds: xr.Dataset, name: str, k: int, own: np.ndarray) -> np.ndarray | None:
    if name not in ds:
        return None
    row = np.asarray(ds[name].values[k], dtype=float)[own]
    return row if np.isfinite(row).any() else None


def _number(ds: xr.Dataset, name: str, k: int) -> float:
    if name in ds:
        return float(ds[name].values[k])
    return -1.0 if name == "partner" else 0.0


def union(energies: Sequence[np.ndarray]) -> np.ndarray:
    """Every energy that occurs, increasing, once."""
    return np.unique(np.concatenate(energies))


def spread(energy: np.ndarray, own: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values at their ``own`` energies on the axis ``energy``, NaN elsewhere; shape (len(energy),)."""
    row = np.full(energy.size, np.nan)
    row[np.searchsorted(energy, own)] = values
    return row


def assemble(found: Sequence[Curve], *, units: str = "1", attrs: dict[str, Any] | None = None) -> xr.Dataset:
    """A dataset of spectra (schema ``xas.spectra``) on the union of their energies."""
    energy = union([c.energy for c in found])

    def rows(arrays: Sequence[np.ndarray | None]) -> np.ndarray:
        blank = np.full(energy.size, np.nan)
        return np.stack([blank if a is None else spread(energy, c.energy, a) for c, a in zip(found, arrays, strict=True)])

    curve = ("spectrum", "energy")
    made: dict[str, Any] = {
        "energy": ("energy", energy, {"units": "eV"}),
        "mu": (curve, rows([c.mu for c in found]), {"units": units}),
        "name": ("spectrum", np.array([c.name for c in found], dtype=str), {"units": ""}),
        "energy_shift": ("spectrum", np.array([c.shift for c in found]), {"units": "eV"}),
    }
    if any(c.reference is not None for c in found):
        made["reference"] = (curve, rows([c.reference for c in found]), {"units": "1"})
    if any(c.std is not None for c in found):
        made["mu_std"] = (curve, rows([c.std for c in found]), {"units": units})
    if any(c.partner >= 0 for c in found):
        made["partner"] = ("spectrum", np.array([c.partner for c in found]), {"units": "1"})
    return xr.Dataset(made, attrs=attrs or {})


def picked(ds: xr.Dataset, places: Sequence[int]) -> xr.Dataset:
    """Some spectra of a dataset of curves, on the energies that they have, with their peaks where there are any."""
    part = ds.isel(spectrum=list(places))
    curve = next(v for v in part.data_vars.values() if v.dims == ("spectrum", "energy"))
    own = np.isfinite(np.asarray(curve.values, dtype=float)).any(axis=0)
    part = part.isel(energy=np.flatnonzero(own))
    if "peak" not in part.dims:
        return part
    kept = np.isin(part["spectrum_name"].values.astype(str), part["name"].values.astype(str))
    return part.isel(peak=np.flatnonzero(kept))


def gathered(datasets: Sequence[xr.Dataset], *, values: str = "mu") -> tuple[Curve, ...]:
    """All spectra of several datasets, in order; partners keep pointing to their own."""
    made: list[Curve] = []
    for ds in datasets:
        offset = len(made)
        made += [replace(c, partner=c.partner + offset if c.partner >= 0 else -1) for c in curves(ds, values=values)]
    if not made:
        raise DataError("No spectrum is given.", hint="Choose at least one.")
    return tuple(made)


def overlap(found: Sequence[Curve]) -> tuple[float, float]:
    """The energies that all spectra cover.

    Raises
    ------
    DataError
        There are none: the spectra are of different edges.
    """
    low, high = max(c.energy[0] for c in found), min(c.energy[-1] for c in found)
    if low >= high:
        first, last = min(found, key=lambda c: c.energy[-1]), max(found, key=lambda c: c.energy[0])
        raise DataError(
            f"'{first.name}' ({first.energy[0]:.0f}–{first.energy[-1]:.0f} eV) and '{last.name}' "
            f"({last.energy[0]:.0f}–{last.energy[-1]:.0f} eV) share no energies.",
            hint="Choose spectra of the same edge.",
        )
    return float(low), float(high)


def common_attrs(datasets: Sequence[xr.Dataset]) -> dict[str, Any]:
    """Element, edge and mode where all datasets agree; their calibration as far as they share it."""
    kept = {
        key: datasets[0].attrs[key]
        for key in ("element", "edge", "mode")
        if key in datasets[0].attrs and all(ds.attrs.get(key) == datasets[0].attrs[key] for ds in datasets)
    }
    shared = _shared_calibration([ds.attrs.get("calibration") for ds in datasets])
    return kept | ({"calibration": shared} if shared else {})


def _shared_calibration(notes: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """One calibration of all: sessions have shifts of their own, standard and assigned energy are what they must share."""
    first = notes[0]
    if not first or any(not n for n in notes) or all(n == first for n in notes):
        return first if first and all(n == first for n in notes) else None
    shared = {k: first.get(k) for k in ("standard", "feature", "assigned")}
    return shared if all(n is not None and {k: n.get(k) for k in shared} == shared for n in notes) else None


def calibrated_on(note: dict[str, Any]) -> str:
    """The standard and its assigned energy, as printed."""
    assigned = note.get("assigned")
    return f"{note['standard']} at {assigned:g} eV" if assigned is not None else f"{note['standard']} (aligned)"
