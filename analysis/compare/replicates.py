"""From rows of values to replicates: one number a cell (or a particle), groups beside each other, pairs of two metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from analysis.compare.metrics import KNOWN, Metric

By = Literal["cells", "particles"]
SAME_CYCLE = "equal cell and cycle"
OTHER_CYCLE = "same cell, other cycle: group level"
NO_CYCLE = "same cell, whole test"


@dataclass(frozen=True)
class Replicate:
    """A cell, or a particle where particles are counted; ``parts`` measurements were averaged."""

    name: str
    cell: str
    group: str
    value: float
    parts: int
    cycles: frozenset[int]
    excluded: str = ""
    synthetic: bool = False


@dataclass(frozen=True)
class Rows:
    """The columns of a table of values, as plain arrays, read once."""

    text: dict[str, np.ndarray]
    value: np.ndarray
    cycle: np.ndarray

    @classmethod
    def of(cls, values: xr.Dataset) -> "Rows":
        names = (
            "metric",
            "title",
            "unit",
            "modality",
            "level",
            "better",
            "cell",
            "group",
            "particle",
            "state",
            "excluded",
            "origin",
            "source",
        )
        return cls(
            {n: values[n].values.astype(str) for n in names}, values["value"].values.astype(float), values["cycle"].values.astype(float)
        )

    @property
    def metrics(self) -> list[str]:
        """Metrics in the order of the scorecard: those of the program, then own scalars in the order of their table."""
        present = list(dict.fromkeys(self.text["metric"].tolist()))
        return [*KNOWN, *(m for m in present if m not in KNOWN)]

    def first(self, metric: str, column: str) -> str:
        """What the first row of a metric, or of what it is the difference of, says in a column."""
        known = KNOWN.get(metric)
        wanted = known.difference if known is not None and known.difference else (metric,)
        at = np.flatnonzero(np.isin(self.text["metric"], wanted))
        return str(self.text[column][at[0]]) if at.size else ""


def replicates(rows: Rows, metric: str, group: str, *, by: By = "cells", with_excluded: bool = False) -> list[Replicate]:
    """One number of each cell of a group, in the order of the table.

    Several particles (or samples) of one cell are averaged, because they are not independent; ``by="particles"`` keeps them apart.
    A metric that is a difference is taken within each cell that has both sides.
    """
    known = KNOWN.get(metric)
    if known is not None and known.difference is not None:
        return _differences(rows, known, group, with_excluded=with_excluded)
    mine = (rows.text["metric"] == metric) & (rows.text["group"] == group) & np.isfinite(rows.value)
    if not with_excluded:
        mine &= rows.text["excluded"] == ""
    names: dict[str, list[int]] = {}
    for k in np.flatnonzero(mine).tolist():
        cell, particle = str(rows.text["cell"][k]), str(rows.text["particle"][k])
        names.setdefault(f"{cell} {particle}".strip() if by == "particles" else cell, []).append(k)
    return [_replicate(rows, name, group, places) for name, places in names.items()]


def _replicate(rows: Rows, name: str, group: str, places: Sequence[int]) -> Replicate:
    return Replicate(
        name,
        str(rows.text["cell"][places[0]]),
        group,
        float(np.mean(rows.value[places])),
        len(places),
        frozenset(int(c) for c in rows.cycle[places] if np.isfinite(c)),
        "; ".join(dict.fromkeys(str(e) for e in rows.text["excluded"][places] if e)),
        "synthetic" in rows.text["origin"][places],
    )


def _differences(rows: Rows, metric: Metric, group: str, *, with_excluded: bool) -> list[Replicate]:
    first, second = metric.difference or ("", "")
    above, below = ({r.cell: r for r in replicates(rows, m, group, with_excluded=with_excluded)} for m in (first, second))
    found = []
    for cell, a in above.items():
        b = below.get(cell)
        if b is not None:
            excluded = "; ".join(dict.fromkeys(e for e in (a.excluded, b.excluded) if e))
            found.append(
                Replicate(
                    cell, cell, group, a.value - b.value, a.parts + b.parts, a.cycles | b.cycles, excluded, a.synthetic or b.synthetic
                )
            )
    return found


@dataclass(frozen=True)
class Pairs:
    """Two metrics of the same replicates; ``pairing`` says at what they were taken together."""

    names: tuple[str, ...]
    groups: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    pairing: str
    excluded: tuple[str, ...] = ()


def paired(rows: Rows, x: str, y: str, groups: Sequence[str], *, by: By = "cells", with_excluded: bool = False) -> Pairs:
    """Replicates that have both metrics, group by group; of particles where both metrics are of particles and these are counted."""
    names: list[str] = []
    owners: list[str] = []
    excluded: list[str] = []
    points: list[tuple[float, float]] = []
    kinds: set[str] = set()
    own = "particles" if by == "particles" and {rows.first(m, "level") for m in (x, y)} == {"particle"} else "cells"
    for group in groups:
        sides = [
            {r.name: r for r in replicates(rows, m, group, by="particles" if own == "particles" else "cells", with_excluded=with_excluded)}
            for m in (x, y)
        ]
        for name in sides[0]:
            if name in sides[1]:
                a, b = sides[0][name], sides[1][name]
                names.append(name)
                owners.append(group)
                excluded.append(a.excluded or b.excluded)
                points.append((a.value, b.value))
                kinds.add(_pairing(a, b))
    xy = np.array(points).reshape(-1, 2)
    worst = next((k for k in (OTHER_CYCLE, NO_CYCLE, SAME_CYCLE) if k in kinds), "")
    return Pairs(tuple(names), tuple(owners), xy[:, 0], xy[:, 1], worst, tuple(excluded))


def _pairing(a: Replicate, b: Replicate) -> str:
    """A number of a whole test has no cycle of its own."""
    if not a.cycles or not b.cycles:
        return NO_CYCLE
    return SAME_CYCLE if a.cycles == b.cycles else OTHER_CYCLE
