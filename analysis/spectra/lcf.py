"""Linear combination fits: a spectrum as a mixture of references."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field
from scipy import stats
from scipy.interpolate import make_interp_spline
from scipy.optimize import minimize_scalar

from analysis.core.data import Scalar, warn
from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.spectra.curves import common_attrs
from analysis.spectra.edges import nearest_edge
from analysis.spectra.normcurves import NormCurve, common_grid, norm_curves, numbered, remarks
from analysis.spectra.simplex import Mixtures, mixtures

EV: dict[str, Any] = {"unit": "eV"}
SHIFT_STEPS = 13
SMALL_SHIFT = 0.01  # eV, for the derivative with respect to the shift
NOTEWORTHY_SHIFT = 0.1  # eV: 0.2 eV turns 15 % S8 into 7 %
MAX_ROWS = 200  # combinations that are kept


class MixtureRules(Params):
    """What holds for every fit. The range is relative to the unknown's E0."""

    low: float = Field(-20.0, title="From", json_schema_extra=EV)
    high: float = Field(30.0, title="To", json_schema_extra=EV)
    flattened: bool = Field(False, title="Flattened spectra")
    sum_to_one: bool = Field(True, title="Fractions add to one")
    bounded: bool = Field(True, title="No negative fractions")
    largest: int = Field(4, ge=1, le=14, title="References in a fit at most")
    max_shift: float = Field(0.3, ge=0, le=2, title="Common energy shift within (0: none)", json_schema_extra=EV)
    core_hole: float | None = Field(None, gt=0, title="Core-hole width (by the edge if empty)", json_schema_extra=EV)
    selection: Literal["f_test", "best"] = Field("f_test", title="Fit that is reported: as small as the F-test allows, or the best")
    significance: float = Field(0.05, gt=0, lt=0.5, title="Significance of the F-test")
    level: float = Field(0.9, gt=0.5, lt=1, title="Level of the intervals")
    chosen: tuple[int, ...] = Field((), title="Numbers of the references, from 1 (all if empty)")


class LcfParams(MixtureRules):
    """The rules, and which spectrum is taken apart."""

    spectrum: int = Field(1, ge=1, title="Number of the unknown in its dataset, from 1")


@dataclass(frozen=True)
class _Problem:
    """Unknown on the grid and the references' splines; shapes (N,)."""

    grid: np.ndarray
    y: np.ndarray
    splines: tuple[Any, ...]
    ranges: tuple[tuple[float, float], ...]

    def references(self, shift: float) -> np.ndarray:
        """References at the grid's energies plus ``shift``, shape (N, R)."""
        return np.stack([s(np.clip(self.grid + shift, *r)) for s, r in zip(self.splines, self.ranges, strict=True)], axis=1)


def lcf(unknown: xr.Dataset, references: Sequence[xr.Dataset], params: LcfParams) -> xr.Dataset:
    """The fit that no larger one betters significantly, its intervals, and the table of combinations.

    Notes
    -----
    Independent points: range / core-hole width, not points of the grid. Starting from the best single reference, a larger
    combination is taken when the F-test at ``significance`` prefers it; ``combination_p`` compares every one with the overall best
    (small: that combination is not good enough). Standard deviations hold the scatter of the residuals (heteroscedastic, HC2), the
    error of the level below the unknown's edge, and that of a fitted shift. The noise of its post-edge is in the residuals already.
    """
    kind = "flat" if params.flattened else "norm"
    target = numbered(norm_curves([unknown], values=kind), [params.spectrum])[0]
    offered = norm_curves(references, values=kind)
    given = numbered(offered, params.chosen) if params.chosen else offered
    if len(given) < 2:
        raise DataError("One reference makes no mixture.", hint="Choose at least two.")
    problem = _problem(target, given, params)
    shift = _shift(problem, params)
    table = problem.references(shift)
    found = mixtures(problem.y, table, largest=params.largest, sum_to_one=params.sum_to_one, bounded=params.bounded)
    independent = _independent(problem.grid, target.e0, params)
    chosen = _chosen(found, independent, params)
    std = _std(problem, found.weights[chosen], shift, target, params)
    out = _dataset(problem, table, given, found, chosen, std, params, independent)
    said = []
    if abs(shift) > NOTEWORTHY_SHIFT:
        said.append(f"The references were shifted by {-shift:+.2f} eV: calibrate the energies, fractions depend on it strongly.")
    if params.max_shift and abs(shift) > 0.95 * params.max_shift:
        said.append("The energy shift is at its bound.")
    made = out.assign_attrs(shift=-shift, unknown=target.name, **common_attrs([unknown]))
    return warn(made, *remarks([unknown, *references]), *said)


def _problem(target: NormCurve, given: Sequence[NormCurve], params: LcfParams) -> _Problem:
    grid = common_grid([target, *given], target.e0 + params.low, target.e0 + params.high)
    splines = tuple(make_interp_spline(c.energy, c.norm, k=3) for c in given)
    return _Problem(grid, target.norm[np.isin(target.energy, grid)], splines, tuple((c.energy[0], c.energy[-1]) for c in given))


def _shift(problem: _Problem, params: LcfParams) -> float:
    """The common shift (eV) at which all references together fit best."""
    if not params.max_shift:
        return 0.0

    def misfit(shift: float) -> float:
        found = mixtures(problem.y, problem.references(shift), largest=params.largest, sum_to_one=params.sum_to_one, bounded=params.bounded)
        return float(found.rss.min())

    tries = np.linspace(-params.max_shift, params.max_shift, SHIFT_STEPS)
    best = float(tries[int(np.argmin([misfit(s) for s in tries]))])
    step = float(tries[1] - tries[0])
    bounds = (max(best - step, -params.max_shift), min(best + step, params.max_shift))
    return float(minimize_scalar(misfit, bounds=bounds, method="bounded", options={"xatol": 1e-4}).x)


def _independent(grid: np.ndarray, e0: float, params: LcfParams) -> float:
    """Independent points in the fitted range, at most those of the grid."""
    width = params.core_hole or nearest_edge(e0).width
    return min(float(grid[-1] - grid[0]) / width, float(grid.size))


def _parameters(weights: np.ndarray, sum_to_one: bool) -> np.ndarray:
    return np.maximum((weights != 0).sum(axis=1) - int(sum_to_one), 0)


def f_test(rss_few: float, n_few: int, rss_many: float, n_many: int, independent: float) -> float:
    """Probability that the smaller model is as good as the larger: small where the larger one is really better.

    References
    ----------
    .. [1] W. C. Hamilton, Acta Cryst. 18, 502 (1965), doi 10.1107/S0365110X65001081.
    """
    added, left = n_many - n_few, independent - n_many
    if added <= 0 or left <= 0 or rss_few <= rss_many:
        return 1.0
    if rss_many <= 0:
        return 0.0
    return float(stats.f.sf((rss_few - rss_many) / added / (rss_many / left), added, left))


def _chosen(found: Mixtures, independent: float, params: LcfParams) -> int:
    """The best combination of its size, grown as long as the F-test says so."""
    if params.selection == "best":
        return int(np.argmin(found.rss))
    size = _parameters(found.weights, params.sum_to_one)
    best = {int(n): int(np.flatnonzero(size == n)[np.argmin(found.rss[size == n])]) for n in np.unique(size)}
    order = sorted(best)
    chosen = best[order[0]]
    for n in order[1:]:
        p = f_test(found.rss[chosen], int(size[chosen]), found.rss[best[n]], n, independent)
        if p < params.significance:
            chosen = best[n]
    return chosen


def _std(problem: _Problem, weights: np.ndarray, shift: float, target: NormCurve, params: LcfParams) -> np.ndarray:
    """Standard deviations of the weights that are not zero, NaN for the others; shape (R,).

    A shift that was fitted is one more parameter: its uncertainty is in those of the fractions.
    """
    active = np.flatnonzero(weights)
    std = np.full(weights.size, np.nan)
    table = problem.references(shift)
    whole = np.eye(active.size)
    if params.sum_to_one:
        whole = np.concatenate([np.eye(active.size - 1), -np.ones((1, active.size - 1))])
    design = table[:, active] @ whole
    if params.max_shift:
        slope = (problem.references(shift + SMALL_SHIFT) - problem.references(shift - SMALL_SHIFT)) @ weights / (2 * SMALL_SHIFT)
        design = np.column_stack([design, slope])
        whole = np.column_stack([whole, np.zeros(active.size)])
    if design.shape[1] == 0:
        std[active] = 0.0
        return std
    inverse = np.linalg.pinv(design)
    leverage = np.clip(np.einsum("ij,ji->i", design, inverse), 0.0, 0.95)
    scatter = inverse * ((problem.y - table @ weights) / np.sqrt(1.0 - leverage))
    # An error of the level below the edge lowers spectrum and step alike: what is at one stays there.
    level = inverse @ (problem.y - 1.0) * target.baseline_std
    covariance = scatter @ scatter.T + np.outer(level, level)
    std[active] = np.sqrt(np.diag(whole @ covariance @ whole.T))
    return std


def _dataset(
    problem: _Problem,
    table: np.ndarray,
    given: Sequence[NormCurve],
    found: Mixtures,
    chosen: int,
    std: np.ndarray,
    params: LcfParams,
    independent: float,
) -> xr.Dataset:
    weights = found.weights[chosen]
    fit = table @ weights
    total = float(np.sum(problem.y**2))
    size = _parameters(found.weights, params.sum_to_one)
    order = _ranked(found, size)
    best = order[0]
    p = [_p_against(found, size, int(k), int(best), independent) for k in order]
    names = [c.name for c in given]
    labels = [" + ".join(names[r] for r in np.flatnonzero(found.members[k])) for k in order]
    reference, energy, combination = ("reference",), ("energy",), ("combination",)
    quantile = float(stats.t.ppf(0.5 + params.level / 2, max(problem.grid.size - int(size[chosen]), 1)))
    return xr.Dataset(
        {
            "reference": (reference, np.array(names, dtype=str), {"units": ""}),
            "weight": (reference, weights, {"units": "1"}),
            "weight_std": (reference, std, {"units": "1"}),
            "weight_low": (reference, weights - quantile * std, {"units": "1"}),
            "weight_high": (reference, weights + quantile * std, {"units": "1"}),
            "energy": (energy, problem.grid, {"units": "eV"}),
            "unknown": (energy, problem.y, {"units": "1"}),
            "fit": (energy, fit, {"units": "1"}),
            "residual": (energy, problem.y - fit, {"units": "1"}),
            "component": (("reference", "energy"), (table * weights).T, {"units": "1"}),
            "combination": (combination, np.array(labels, dtype=str), {"units": ""}),
            "n_references": (combination, (found.weights[order] != 0).sum(axis=1), {"units": "1"}),
            "combination_r_factor": (combination, found.rss[order] / total, {"units": "1"}),
            "combination_p": (combination, np.array(p), {"units": "1"}),
            "combination_weight": (("combination", "reference"), found.weights[order], {"units": "1"}),
        },
        attrs={"independent_points": independent, "r_factor": float(found.rss[chosen]) / total, "level": params.level},
    )


def _p_against(found: Mixtures, size: np.ndarray, k: int, best: int, independent: float) -> float:
    """p of the F-test of combination ``k`` against the best one; NaN where it has no fewer parameters, so that F says nothing."""
    if k != best and size[k] >= size[best]:
        return float("nan")
    return f_test(found.rss[k], int(size[k]), found.rss[best], int(size[best]), independent)


def _ranked(found: Mixtures, size: np.ndarray) -> np.ndarray:
    """Combinations whose references all have a weight, the best first; the same mixture is not said twice."""
    whole = (found.weights != 0).sum(axis=1) == found.members.sum(axis=1)
    places = np.flatnonzero(whole & np.isfinite(found.rss))
    return places[np.lexsort((size[places], found.rss[places]))][:MAX_ROWS]


def summarise(stored: xr.Dataset, params: LcfParams) -> Mapping[str, Scalar]:
    """R factor, shift, and every fraction with its interval."""
    made = {
        "r_factor": Scalar(float(stored.attrs["r_factor"]), "1", title="R factor"),
        "shift": Scalar(float(stored.attrs["shift"]), "eV", title="Energy shift of the references"),
        "independent_points": Scalar(float(stored.attrs["independent_points"]), "1", title="Independent points"),
    }
    for k, name in enumerate(stored["reference"].values.astype(str).tolist()):
        value, std = float(stored["weight"].values[k]), float(stored["weight_std"].values[k])
        low, high = float(stored["weight_low"].values[k]), float(stored["weight_high"].values[k])
        made[f"fraction {name}"] = Scalar(value, "1", std=std, low=low, high=high, level=params.level, title=f"Fraction of {name}")
    return made
