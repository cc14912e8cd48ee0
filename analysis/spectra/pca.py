"""Principal components of a set of spectra, and how many of them are more than noise.

References
----------
.. [1] E. R. Malinowski, Anal. Chem. 49, 612 (1977), doi 10.1021/ac50012a027 (real error, indicator function).
.. [2] E. R. Malinowski, J. Chemometrics 3, 49 (1989), doi 10.1002/cem.1180030106 (F-test on reduced eigenvalues).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field
from scipy import stats

from analysis.core.data import Scalar, warn
from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.spectra.curves import common_attrs
from analysis.spectra.normcurves import common_grid, norm_curves, numbered, remarks

EV: dict[str, Any] = {"unit": "eV"}


class PcaParams(Params):
    """Range relative to the first spectrum's E0."""

    low: float = Field(-20.0, title="From", json_schema_extra=EV)
    high: float = Field(30.0, title="To", json_schema_extra=EV)
    flattened: bool = Field(False, title="Flattened spectra")
    significance: float = Field(0.05, gt=0, lt=0.5, title="Significance of the F-test")
    chosen: tuple[int, ...] = Field((), title="Numbers of the spectra, from 1 (all if empty)")


def pca(spectra: Sequence[xr.Dataset], params: PcaParams) -> xr.Dataset:
    """Singular value decomposition of all spectra on the first one's grid, not centred.

    Notes
    -----
    For r energies, c spectra and n components: RE = sqrt(sum of the other eigenvalues / (r (c - n))), IND = RE / (c - n)²; the number
    of components is where IND is least. F-test: reduced eigenvalue of a component against those of all after it.
    """
    offered = norm_curves(spectra, values="flat" if params.flattened else "norm")
    found = numbered(offered, params.chosen) if params.chosen else offered
    if len(found) < 3:
        raise DataError(f"{len(found)} spectra have no principal components to speak of.", hint="Choose at least three.")
    grid = common_grid(found, found[0].e0 + params.low, found[0].e0 + params.high)
    if grid.size < len(found):
        raise DataError(f"{grid.size} points are fewer than {len(found)} spectra.", hint="Widen the range.")
    matrix = np.stack([np.interp(grid, c.energy, c.norm) for c in found], axis=1)
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    # The sign of a component is free: let its largest part be positive.
    sign = np.sign(left[np.abs(left).argmax(axis=0), np.arange(singular.size)])
    loading, score = (left * sign).T, right * sign[:, None] * singular[:, None]
    eigenvalue = singular**2
    error, indicator = malinowski(eigenvalue, rows=grid.size)
    level = f_levels(eigenvalue, rows=grid.size)
    component = ("component",)
    out = xr.Dataset(
        {
            "energy": ("energy", grid, {"units": "eV"}),
            "name": ("spectrum", np.array([c.name for c in found], dtype=str), {"units": ""}),
            "component": (component, np.arange(1, singular.size + 1), {"units": "1"}),
            "eigenvalue": (component, eigenvalue, {"units": "1"}),
            "explained": (component, np.cumsum(eigenvalue) / eigenvalue.sum(), {"units": "1"}),
            "real_error": (component, error, {"units": "1"}),
            "indicator": (component, indicator, {"units": "1"}),
            "f_level": (component, level, {"units": "1"}),
            "loading": (("component", "energy"), loading, {"units": "1"}),
            "score": (("component", "spectrum"), score, {"units": "1"}),
        }
    )
    return warn(out.assign_attrs(common_attrs(spectra)), *remarks(spectra))


def malinowski(eigenvalue: np.ndarray, *, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Real error and indicator function for 1 … c components, shape (c,); NaN for the last, which leaves nothing."""
    c = eigenvalue.size
    left = c - np.arange(1, c + 1)
    rest = eigenvalue.sum() - np.cumsum(eigenvalue)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(left > 0, np.sqrt(np.maximum(rest, 0.0) / (rows * left)), np.nan)
        return error, np.where(left > 0, error / left.astype(float) ** 2, np.nan)


def f_levels(eigenvalue: np.ndarray, *, rows: int) -> np.ndarray:
    """Significance level of each component against the ones after it, shape (c,); NaN for the last."""
    c = eigenvalue.size
    weight = np.array([(rows - j) * (c - j) for j in range(c)], dtype=float)
    levels = np.full(c, np.nan)
    for n in range(c - 1):
        rest = eigenvalue[n + 1 :].sum()
        if rest > 0:
            ratio = eigenvalue[n] / rest * weight[n + 1 :].sum() / weight[n]
            levels[n] = stats.f.sf(ratio, 1, c - n - 1)
    return levels


def summarise(stored: xr.Dataset, params: PcaParams) -> Mapping[str, Scalar]:
    """Number of components by the indicator function and by the F-test."""
    indicator = np.asarray(stored["indicator"].values, dtype=float)
    level = np.asarray(stored["f_level"].values, dtype=float)
    by_f = int(np.argmax(~(level < params.significance))) if (~(level < params.significance)).any() else level.size
    return {
        "n_components": Scalar(int(np.nanargmin(indicator)) + 1, "1", n=int(indicator.size), of="spectra", title="Components by IND"),
        "n_components_f": Scalar(by_f, "1", n=int(indicator.size), of="spectra", title="Components by the F-test"),
    }
