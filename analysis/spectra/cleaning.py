"""Points in order: sorted, each energy once, without ends that went wrong. What was changed is said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.core.errors import ReadError
from analysis.spectra.channels import MIN_POINTS, Measured
from analysis.spectra.curves import Curve

LOW_I0 = 0.25  # of its median: counting statistics and harmonics make what is measured there unreliable
END_POINTS = 5  # at most so many points at either end are taken for accidents of starting or stopping a scan
JUMP = 0.5  # of the spectrum's range, from one point to the next


@dataclass(frozen=True)
class Limits:
    """Energies to be kept (eV), and whether wild end points are left out."""

    low: float | None = None
    high: float | None = None
    trim: bool = True


def cleaned(name: str, found: Measured, limits: Limits) -> tuple[Curve, tuple[str, ...]]:
    """The spectrum ready for analysis and what a user should know.

    Raises
    ------
    ReadError
        Fewer than ten points are left.
    """
    said = list(found.warnings)
    good = np.isfinite(found.energy) & np.isfinite(found.mu)
    if not good.all():
        said.append(f"{(~good).sum()} points of '{name}' are no numbers and were left out.")
    kept = good & (found.energy >= (limits.low or -np.inf)) & (found.energy <= (limits.high or np.inf))
    curve = Curve(name, found.energy[kept], found.mu[kept], None if found.reference is None else found.reference[kept])
    i0 = None if found.i0 is None else found.i0[kept]
    order = np.argsort(curve.energy, kind="stable")
    if np.any(np.diff(curve.energy) < 0) and not np.all(np.diff(curve.energy) <= 0):
        said.append(f"The energies of '{name}' were not in order and have been sorted.")
    curve, i0 = curve.where(order), None if i0 is None else i0[order]
    curve, i0, repeated = _once(curve, i0)
    if repeated:
        said.append(f"{repeated} repeated energies of '{name}' were averaged.")
    if limits.trim and curve.energy.size >= 3 * END_POINTS:
        first, last = _wild(curve.mu), _wild(curve.mu[::-1])
        if first or last:
            said.append(f"{first + last} wild points at the ends of '{name}' were left out (option ends=keep keeps them).")
            inside = slice(first, curve.energy.size - last)
            curve, i0 = curve.where(np.arange(curve.energy.size)[inside]), None if i0 is None else i0[inside]
    if curve.energy.size < MIN_POINTS:
        raise ReadError(f"'{name}' has {curve.energy.size} usable points; a spectrum needs {MIN_POINTS}.", hint="Choose a complete scan.")
    return curve, (*said, *_weak(name, curve.energy, i0))


def _once(curve: Curve, i0: np.ndarray | None) -> tuple[Curve, np.ndarray | None, int]:
    """Points of equal energy averaged."""
    energy, place, count = np.unique(curve.energy, return_inverse=True, return_counts=True)
    repeated = curve.energy.size - energy.size
    if not repeated:
        return curve, i0, 0

    def mean(a: np.ndarray | None) -> np.ndarray | None:
        return None if a is None else np.bincount(place, weights=a) / count

    merged = np.asarray(mean(curve.mu))
    return replace(curve, energy=energy, mu=merged, reference=mean(curve.reference)), mean(i0), int(repeated)


def _wild(mu: np.ndarray) -> int:
    """How many of the first points stand apart from the rest by a jump of half of the spectrum's range."""
    inside = mu[END_POINTS:-END_POINTS]
    low, high = np.percentile(inside, [1, 99])
    jumps = np.abs(np.diff(mu[: END_POINTS + 1]))
    far = jumps > max(JUMP * (high - low), 20 * float(np.median(np.abs(np.diff(inside)))))
    return int(np.flatnonzero(far).max() + 1) if far.any() else 0


def _weak(name: str, energy: np.ndarray, i0: np.ndarray | None) -> Sequence[str]:
    """A sentence where the incident beam fades at the end of the scan."""
    if i0 is None:
        return ()
    low = np.abs(i0) < LOW_I0 * np.median(np.abs(i0))
    if not low[-1]:
        return ()
    start = energy.size - int(np.argmin(low[::-1])) if not low.all() else 0
    share = abs(i0[-1]) / np.median(np.abs(i0))
    return (f"From {energy[start]:.0f} eV on, I0 of '{name}' falls to {share:.0%} of its median: the signal is unreliable there.",)
