"""Groups of particles in numbers: mean of every quantity over particles with its interval, and the difference of two groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from analysis.core.numerics.statistics import Effect, Interval, compare, mean_interval
from analysis.cracks.sets import Together

if TYPE_CHECKING:
    import pandas as pd

Step = Literal["measures", "domains", "profiles"]


@dataclass(frozen=True)
class Quantity:
    """A scalar of particles: the step that has it, its name there, how it is told."""

    step: Step
    name: str
    title: str
    unit: str
    factor: float = 1.0


QUANTITIES = (
    Quantity("measures", "crack_volume_ratio", "Crack volume ratio", "%", 100.0),
    Quantity("measures", "n_cracks", "Cracks", ""),
    Quantity("measures", "largest_crack_fraction", "Largest crack over all cracks", "%", 100.0),
    Quantity("measures", "surface_connected_fraction", "Crack volume open to the surface", "%", 100.0),
    Quantity("measures", "mean_width", "Mean width", "µm"),
    Quantity("measures", "radial_position", "Mean radial position (0 core, 1 surface)", ""),
    Quantity("measures", "area_per_volume", "Crack surface over envelope volume", "1/µm"),
    Quantity("domains", "n_domains", "Isolated domains", ""),
    Quantity("domains", "isolated_fraction", "Isolated part of the solid", "%", 100.0),
    Quantity("domains", "mean_difference", "Edge energy of domains less main body", "eV"),
    Quantity("profiles", "slope", "Slope against distance from a crack", "eV/µm"),
    Quantity("profiles", "adjusted_slope", "The same at equal depth", "eV/µm"),
    Quantity("profiles", "depth_slope", "Slope against depth", "eV/µm"),
)


@dataclass(frozen=True)
class Line:
    """One quantity: of every group its mean with interval and number of cells; the difference, second less first, where there are two."""

    quantity: Quantity
    groups: tuple[tuple[str, Interval, int], ...]
    effect: Effect | None


def summary(sets: Mapping[str, Sequence[Together]], groups: Sequence[str]) -> list[Line]:
    """A line for each quantity that some particle has; ``sets`` holds the particles of each step by group."""
    lines = []
    for quantity in QUANTITIES:
        by_group = {s.group: s for s in sets.get(quantity.step, ())}
        values = {g: quantity.factor * by_group[g].values(quantity.name) if g in by_group else np.array([]) for g in groups}
        if not any(np.isfinite(v).any() for v in values.values()):
            continue
        told = tuple((g, mean_interval(v), by_group[g].cells if g in by_group else 0) for g, v in values.items())
        both = len(groups) == 2 and all(np.isfinite(v).any() for v in values.values())
        lines.append(Line(quantity, told, compare(values[groups[1]], values[groups[0]]) if both else None))
    return lines


def frame(lines: Sequence[Line]) -> "pd.DataFrame":
    """The lines as a table, a row for each quantity and group, and one for each difference."""
    import pandas as pd

    rows: list[dict[str, object]] = []
    for line in lines:
        about = {"quantity": line.quantity.title, "unit": line.quantity.unit}
        for group, found, cells in line.groups:
            interval = {
                "value": found.value,
                "low": found.low,
                "high": found.high,
                "level": found.level if np.isfinite(found.low) else None,
            }
            rows.append(
                {**about, "of": group, **interval, "std": found.std, "particles": found.n, "cells": cells, "method": "mean, Student"}
            )
        if line.effect is not None:
            e, (first, second) = line.effect, (g for g, _, _ in line.groups)
            cells = sum(c for _, _, c in line.groups)
            own = {
                "value": e.value,
                "low": e.low,
                "high": e.high,
                "level": e.level,
                "particles": e.n_a + e.n_b,
                "cells": cells,
                "method": e.method,
                "p": e.p,
            }
            rows.append({**about, "of": f"{second} - {first}", **own})
    return pd.DataFrame(rows)
