"""How metrics go together from cell to cell: rank correlations within groups, for any pairs of metrics."""

from itertools import combinations
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.compare.rank import stratified_spearman
from analysis.compare.replicates import Rows, paired
from analysis.core.data import Scalar, Schema, Var, table
from analysis.core.errors import ParamError
from analysis.core.params import Params

PAIR = ("pair",)
CORRELATION = Schema(
    "compare.correlation",
    {
        "x": Var(PAIR, "", title="First metric"),
        "y": Var(PAIR, "", title="Second metric"),
        "rho": Var(PAIR, "1", title="Rank correlation within groups"),
        "p": Var(PAIR, "1", title="Share of permutations within groups that are as far from 0"),
        "n": Var(PAIR, "1", title="Replicates"),
        "counts": Var(PAIR, "", title="Replicates of each group"),
        "pairing": Var(PAIR, "", title="Pairing"),
        "method": Var(PAIR, "", title="Method"),
    },
)
MOST_PAIRS = 400


class CorrelateParams(Params):
    """Which metrics, of which groups."""

    pairs: tuple[tuple[str, str], ...] = Field((), title="Pairs of metrics (all if empty)")
    groups: tuple[str, ...] = Field((), title="Groups (all if empty)")
    by: Literal["cells", "particles"] = Field("cells", title="Replicates")
    with_excluded: bool = Field(False, title="With what was excluded")
    seed: int = Field(0, ge=0, title="Seed of random permutations")


def correlate(values: xr.Dataset, params: CorrelateParams) -> xr.Dataset:
    """Spearman's correlation of ranks within groups for every pair; NaN and "not enough data" below five replicates."""
    rows = Rows.of(values)
    groups = params.groups or tuple(g for g in dict.fromkeys(rows.text["group"].tolist()) if g)
    known = rows.metrics
    wanted = params.pairs or tuple(combinations([m for m in known if m in rows.text["metric"]], 2))
    unknown = sorted({m for pair in wanted for m in pair} - set(known))
    if unknown:
        raise ParamError(f"There is no metric '{unknown[0]}'.", hint=f"Known: {', '.join(known)}.")
    if len(wanted) > MOST_PAIRS:
        raise ParamError(f"{len(wanted)} pairs are more than {MOST_PAIRS}.", hint="Name the pairs that matter.")
    found = []
    for x, y in wanted:
        pairs = paired(rows, x, y, groups, by=params.by, with_excluded=params.with_excluded)
        found.append((pairs, stratified_spearman(pairs.x, pairs.y, pairs.groups, seed=params.seed)))
    columns = {
        "x": (np.array([x for x, _ in wanted], dtype=str), ""),
        "y": (np.array([y for _, y in wanted], dtype=str), ""),
        "rho": (np.array([r.rho for _, r in found]), "1"),
        "p": (np.array([r.p for _, r in found]), "1"),
        "n": (np.array([r.n for _, r in found]), "1"),
        "counts": (np.array([" + ".join(map(str, r.counts)) for _, r in found], dtype=str), ""),
        "pairing": (np.array([p.pairing for p, _ in found], dtype=str), ""),
        "method": (np.array([r.method for _, r in found], dtype=str), ""),
    }
    return table(columns, dim="pair", attrs={"groups": list(groups), "replicates": params.by})


def summarise(stored: xr.Dataset, params: CorrelateParams) -> dict[str, Scalar]:
    """The correlation of every pair; one that was not to be had is unknown."""
    found: dict[str, Scalar] = {}
    for k, (x, y) in enumerate(zip(stored["x"].values.astype(str), stored["y"].values.astype(str), strict=True)):
        rho = float(stored["rho"].values[k])
        value = rho if np.isfinite(rho) else None
        found[f"{x}~{y}"] = Scalar(value, "1", n=int(stored["n"].values[k]), of=params.by, title=f"Rank correlation of {x} and {y}")
    return found
