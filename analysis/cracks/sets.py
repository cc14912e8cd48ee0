"""Particles put together: those of one group in one state, each with the same weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from analysis.core.data import scalars
from analysis.core.params import Params
from analysis.core.registry import Labelled

STEP_LIKE = 1e-3  # relative: steps that differ by less are one


class SetParams(Params):
    """What is known of the particles besides their results, in the order of the items."""

    states: tuple[str, ...] = Field((), title="State of each particle")
    cells: tuple[str, ...] = Field((), title="Cell of each particle")


@dataclass(frozen=True)
class Together:
    """The particles of one group in one state."""

    group: str
    state: str
    items: tuple[Labelled, ...]
    cells: int  # how many different ones; 0 where it is not known

    @property
    def name(self) -> str:
        return ", ".join(p for p in (self.group or "no group", self.state) if p)

    @property
    def count(self) -> str:
        """``n = 4 particles of 3 cells``."""
        n = len(self.items)
        particles = f"n = {n} particle" + ("s" if n != 1 else "")
        return f"{particles} of {self.cells} cell" + ("s" if self.cells != 1 else "") if self.cells else particles

    @property
    def short_count(self) -> str:
        """``n = 4 (3 cells)``."""
        return f"n = {len(self.items)}" + (f" ({self.cells} cell{'s' if self.cells != 1 else ''})" if self.cells else "")

    def values(self, name: str) -> np.ndarray:
        """A scalar of each particle, shape (n,), NaN where it has none."""
        found = [scalars(i.data).get(name) for i in self.items]
        return np.array([s.value if s is not None and isinstance(s.value, int | float) else np.nan for s in found], float)

    @property
    def below(self) -> int:
        """How many particles have a crack volume ratio below their detection limit."""
        with np.errstate(invalid="ignore"):
            return int(np.sum(self.values("crack_volume_ratio") < self.values("detection_limit")))


def together(items: Sequence[Labelled], params: SetParams, *, by_state: bool = True) -> list[Together]:
    """The items by group and, where asked for, state; in the order in which they come first."""
    found: dict[tuple[str, str], list[int]] = {}
    for k, item in enumerate(items):
        found.setdefault((item.group, _at(params.states, k) if by_state else ""), []).append(k)
    return [
        Together(group, state, tuple(items[k] for k in places), len({_at(params.cells, k) for k in places} - {""}))
        for (group, state), places in found.items()
    ]


def _at(values: tuple[str, ...], k: int) -> str:
    return values[k] if k < len(values) else ""


@dataclass(frozen=True)
class Rows:
    """Curves of several particles on one grid: ``x`` shape (m,), ``y`` shape (n, m), NaN where a particle has nothing."""

    x: np.ndarray
    y: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """How many particles have a value, shape (m,)."""
        return np.isfinite(self.y).sum(axis=0)

    def mean(self) -> np.ndarray:
        """Over particles, shape (m,); NaN where fewer than half of them have a value."""
        known = self.known
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(2 * known >= len(self.y), np.nansum(self.y, axis=0) / known, np.nan)


def rows(items: Sequence[Labelled], place: str, name: str) -> Rows:
    """A variable of several results along the same dimension, on the grid of the one with the widest steps.

    Grids begin at half a step. Others are interpolated linearly between their own values, never beyond them.
    """
    pairs = [(np.asarray(i.data[place].values, float), np.asarray(i.data[name].values, float)) for i in items]
    step = max(2 * float(x[0]) for x, _ in pairs)
    size = max(round(float(x[-1]) / step + 0.5) for x, _ in pairs)
    grid = (np.arange(size) + 0.5) * step
    return Rows(grid, np.array([_on(grid, x, y, step) for x, y in pairs]))


def shares(items: Sequence[Labelled], place: str, name: str) -> Rows:
    """Histograms as parts of their sums, on the grid of the one with the widest bins, whose edges are half a bin about each place.

    Parts of narrower bins are added up, those that lie across an edge by their lengths on each side.
    """
    pairs = [(np.asarray(i.data[place].values, float), np.asarray(i.data[name].values, float)) for i in items]
    steps = [float(x[1] - x[0]) if x.size > 1 else float(x[0]) for x, _ in pairs]
    step, first = max((s, float(x[0])) for s, (x, _) in zip(steps, pairs, strict=True))
    size = max(int(np.ceil((x[-1] + s / 2 - first) / step + 0.5 - STEP_LIKE)) for s, (x, _) in zip(steps, pairs, strict=True))
    edges = first + (np.arange(size + 1) - 0.5) * step
    middles, edges[0] = edges[:-1] + step / 2, 0.0  # what is narrower than the first bin belongs to it
    made = []
    for (x, y), own in zip(pairs, steps, strict=True):
        ends = np.concatenate([[x[0] - own / 2], x + own / 2])
        added = np.concatenate([[0.0], np.cumsum(y)]) / y.sum()
        made.append(np.diff(np.interp(edges, ends, added)))
    return Rows(middles, np.array(made))


def _on(grid: np.ndarray, x: np.ndarray, y: np.ndarray, step: float) -> np.ndarray:
    out = np.full(grid.size, np.nan)
    if abs(2 * x[0] / step - 1) < STEP_LIKE:
        n = min(x.size, grid.size)
        out[:n] = y[:n]
        return out
    known = np.isfinite(y)
    if known.any():
        out = np.interp(grid, x[known], y[known], left=np.nan, right=np.nan)
    return out
