"""The scorecard: every metric of two groups, the effect with its interval, and which way is better."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.compare.metrics import KNOWN
from analysis.compare.replicates import Replicate, Rows, replicates
from analysis.core.data import Scalar, Schema, Var, table, warn, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.numerics.contrast import contrast
from analysis.core.numerics.statistics import Effect, compare
from analysis.core.params import Params

METRIC = ("metric",)
TEXT = {
    "id": "Metric",
    "title": "Title",
    "unit": "Unit",
    "modality": "Modality",
    "level": "What is measured",
    "better": "Better",
    "method": "Method",
    "verdict": "Compared against reference",
    "significant": "95 % interval excludes 0",
    "remark": "Remark",
}
SIDE = {"mean": "Mean", "std": "Standard deviation over replicates", "n": "Replicates", "parts": "Measurements"}
EFFECT = {
    "effect": "Compared − reference",
    "low": "Lower limit",
    "high": "Upper limit",
    "confidence": "Level of the interval (unknown: range of single differences)",
    "p": "Exact Mann–Whitney p",
}
SCORECARD = Schema(
    "compare.scorecard",
    {
        **{n: Var(METRIC, "", title=t) for n, t in TEXT.items()},
        **{f"{s}_{n}": Var(METRIC, "", title=f"{t}, {s}") for s in ("reference", "compared") for n, t in SIDE.items()},
        **{n: Var(METRIC, "", title=t) for n, t in EFFECT.items()},
    },
)
AVERAGED = "several measurements of a cell are averaged"
DEPENDENT = "particles of one cell are not independent"
OTHER_CYCLES = "cycles differ"
GROUP_LEVEL = "states of different cells"
METHODS = {
    "range": "range of all single differences (fewer than three a side)",
    "welch": "difference of means, Welch's t interval",
    "hodges_lehmann": "Hodges–Lehmann shift, exact interval",
    "none": "",
}


class ScorecardParams(Params):
    """Which groups are compared, and what counts as a replicate."""

    reference: str = Field(title="Reference group")
    compared: str = Field(title="Compared group")
    with_excluded: bool = Field(False, title="With what was excluded")
    by: Literal["cells", "particles"] = Field("cells", title="Replicates")
    method: Literal["welch", "hodges_lehmann"] = Field("welch", title="Interval for fewer than six a side")
    level: float = Field(0.95, gt=0.5, lt=1, title="Level of the intervals")


@dataclass(frozen=True)
class Line:
    """A row of the scorecard before it is a table."""

    text: Mapping[str, str]
    sides: tuple[tuple[float, float, int, int], ...]
    effect: Effect


def scorecard(values: xr.Dataset, params: ScorecardParams) -> xr.Dataset:
    """One row a metric; those without data have n = 0 and no numbers. Exchanging the groups changes every sign.

    Raises
    ------
    ParamError
        A group is compared with itself.
    DataError
        A cell stands in both groups, or neither group has a value.
    """
    if params.reference == params.compared:
        raise ParamError("A group is compared with itself.", hint="Choose two different groups.")
    rows = Rows.of(values)
    _separate(rows, params)
    lines = [_line(rows, m, params) for m in rows.metrics]
    n_compared = sum(bool(line.effect.n_a and line.effect.n_b) for line in lines)
    if not any(side[2] for line in lines for side in line.sides):
        raise DataError(
            f"Neither '{params.reference}' nor '{params.compared}' has a value to compare.",
            hint="Choose other groups, or import data for them.",
        )
    attrs = {"reference": params.reference, "compared": params.compared, "n_compared": n_compared, "replicates": params.by}
    return warn(_table(lines).assign_attrs(attrs), *warnings_of(values))


def _separate(rows: Rows, params: ScorecardParams) -> None:
    """Groups of a comparison have no cell in common."""
    sides = [set(rows.text["cell"][rows.text["group"] == g].tolist()) for g in (params.reference, params.compared)]
    both = sorted(sides[0] & sides[1])
    if both:
        raise DataError(
            f"The groups '{params.reference}' and '{params.compared}' overlap in {', '.join(both)}.",
            hint="Give each cell one group in the catalog.",
        )


def _line(rows: Rows, metric: str, params: ScorecardParams) -> Line:
    sides = [replicates(rows, metric, g, by=params.by, with_excluded=params.with_excluded) for g in (params.reference, params.compared)]
    reference, compared = (np.array([r.value for r in side]) for side in sides)
    effect = compare(compared, reference, method=params.method, level=params.level)
    remarks = _remarks(sides, params)
    known = KNOWN.get(metric)
    if known is not None and known.difference is not None and not (reference.size and compared.size):
        effect = _by_states(rows, known.difference, params)
        remarks = [f"{GROUP_LEVEL}: group level"] if np.isfinite(effect.value) else remarks
    text = {
        "id": metric,
        "title": rows.first(metric, "title")
        if known is None or (known.id == "cycling.capacity_at" and rows.first(metric, "title"))
        else known.title,
        "unit": rows.first(metric, "unit"),
        "modality": known.modality if known is not None else rows.first(metric, "modality"),
        "level": known.level if known is not None else rows.first(metric, "level"),
        "better": known.better if known is not None else rows.first(metric, "better"),
        "method": METHODS[effect.method if effect.n_a and effect.n_b else "none"],
        "remark": "; ".join(remarks),
    }
    return Line({**text, **_said(effect, text["better"])}, tuple(_moments(s) for s in sides), effect)


def _by_states(rows: Rows, difference: tuple[str, str], params: ScorecardParams) -> Effect:
    """Difference of group means of two metrics, where no cell has both."""
    sets = {
        g: [np.array([r.value for r in replicates(rows, m, g, by=params.by, with_excluded=params.with_excluded)]) for m in difference]
        for g in (params.compared, params.reference)
    }
    return contrast(sets[params.compared], sets[params.reference], level=params.level)


def _moments(side: list[Replicate]) -> tuple[float, float, int, int]:
    values = np.array([r.value for r in side])
    mean = float(values.mean()) if values.size else np.nan
    std = float(values.std(ddof=1)) if values.size > 1 else np.nan
    return mean, std, len(side), sum(r.parts for r in side)


def _remarks(sides: list[list[Replicate]], params: ScorecardParams) -> list[str]:
    """How measurements became replicates, and whether both groups were measured at the same cycles."""
    said = []
    if params.by == "cells" and any(r.parts > 1 for side in sides for r in side):
        said.append(AVERAGED)
    if params.by == "particles" and any(len({r.cell for r in side}) < len(side) for side in sides):
        said.append(DEPENDENT)
    cycles = [frozenset(c for r in side for c in r.cycles) for side in sides]
    if all(sides) and all(cycles) and cycles[0] != cycles[1]:
        said.append(f"{OTHER_CYCLES}: {_numbers(cycles[0])} and {_numbers(cycles[1])}")
    return said


def _numbers(cycles: frozenset[int]) -> str:
    low, high = min(cycles), max(cycles)
    return str(low) if low == high else f"{low}–{high}"


def _said(effect: Effect, better: str) -> dict[str, str]:
    """Better or worse in a word, and whether that may be called significant."""
    significant = {None: "not said", True: "yes", False: "no"}[effect.significant] if effect.n_a and effect.n_b else ""
    if not np.isfinite(effect.value):
        return {"verdict": "", "significant": significant}
    if effect.low <= 0 <= effect.high:
        return {"verdict": "not told apart", "significant": significant}
    if better == "neither":
        return {"verdict": "higher" if effect.value > 0 else "lower", "significant": significant}
    return {"verdict": "better" if (effect.value > 0) == (better == "more") else "worse", "significant": significant}


def _table(lines: list[Line]) -> xr.Dataset:
    columns: dict[str, tuple[np.ndarray, str]] = {n: (np.array([line.text[n] for line in lines], dtype=str), "") for n in TEXT}
    for k, side in enumerate(("reference", "compared")):
        for j, name in enumerate(SIDE):
            columns[f"{side}_{name}"] = (np.array([float(line.sides[k][j]) for line in lines]), "")
    effects = [line.effect for line in lines]
    columns["effect"] = (np.array([e.value for e in effects]), "")
    columns["low"] = (np.array([e.low for e in effects]), "")
    columns["high"] = (np.array([e.high for e in effects]), "")
    columns["confidence"] = (np.array([np.nan if e.level is None else e.level for e in effects]), "")
    columns["p"] = (np.array([np.nan if e.p is None else e.p for e in effects]), "")
    return table(columns, dim="metric")


def summarise(stored: xr.Dataset, params: ScorecardParams) -> dict[str, Scalar]:
    """The effect of each metric that was compared."""
    found = {"n_compared": Scalar(int(stored.attrs["n_compared"]), title="Metrics compared")}
    for k, name in enumerate(stored["id"].values.astype(str).tolist()):
        value, low, high, level = (float(stored[n].values[k]) for n in ("effect", "low", "high", "confidence"))
        if np.isfinite(value):
            n = int(stored["reference_n"].values[k] + stored["compared_n"].values[k])
            unit = str(stored["unit"].values[k]) or "1"
            known = level if np.isfinite(level) else None
            title = f"{stored['title'].values[k]}, {params.compared} − {params.reference}"
            found[name] = Scalar(value, unit, low=low, high=high, n=n, level=known, of=params.by, title=title)
    return found
