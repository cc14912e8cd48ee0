"""Peak areas of groups and states compared over cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.core.numerics.statistics import Effect, Interval, compare, mean_interval
from analysis.core.registry import Labelled


@dataclass(frozen=True)
class AreaRow:
    """The area (eV) of a peak of one spectrum with the interval of its fit."""

    label: str
    cell: str
    area: float
    low: float
    high: float
    flags: str


def area_rows(item: Labelled, peak: str = "") -> list[AreaRow]:
    """The area of a peak (the reported one if empty) for every spectrum of an item."""
    ds = item.data
    wanted = peak or str(ds.attrs.get("feature", ""))
    places = np.flatnonzero(ds["peak_name"].values.astype(str) == wanted)
    found = []
    for j in places:
        label = item.label if places.size == 1 else f"{item.label} · {ds['spectrum_name'].values[j]}"
        area, low, high = (float(ds[n].values[j]) for n in ("area", "area_low", "area_high"))
        found.append(AreaRow(str(label), item.id or item.label, area, low, high, str(ds["flags"].values[j])))
    return found


def by_cell(rows: Sequence[AreaRow]) -> np.ndarray:
    """The mean area of each cell (eV), shape (cells,): spectra of one cell are no replicates."""
    cells = dict.fromkeys(r.cell for r in rows)
    return np.array([np.mean([r.area for r in rows if r.cell == c]) for c in cells])


@dataclass(frozen=True)
class AreaEffect:
    """Means of two groups in one state, and how much larger the second is than the first (eV)."""

    state: str
    first: Interval
    second: Interval
    effect: Effect


def area_effects(
    first: Sequence[Labelled], second: Sequence[Labelled], states: dict[str, str], *, peak: str = "", level: float = 0.9
) -> tuple[AreaEffect, ...]:
    """Second group against first, state by state, over cells.

    Parameters
    ----------
    states
        State of each item by its label; states in the order in which they are to be listed.
    """
    made = []
    for state in dict.fromkeys(states.values()):
        sides = [by_cell([r for i in side if states.get(i.label) == state for r in area_rows(i, peak)]) for side in (first, second)]
        if all(s.size for s in sides):
            found = compare(sides[1], sides[0], method="welch", level=level)
            made.append(AreaEffect(state, mean_interval(sides[0], level=level), mean_interval(sides[1], level=level), found))
    return tuple(made)
