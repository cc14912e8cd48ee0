"""The same mixture for many spectra: one recipe over all of them, one table."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import table, warn, warnings_of
from analysis.core.errors import DataError, UserError
from analysis.core.progress import report
from analysis.spectra.lcf import LcfParams, MixtureRules, lcf

UNITS = {"weight": "1", "weight_std": "1", "weight_low": "1", "weight_high": "1"}
WHOLE = {"r_factor": "1", "shift": "eV", "independent_points": "1"}


class LcfTableParams(MixtureRules):
    """The rules of all fits, and which spectra are taken apart."""

    unknowns: tuple[int, ...] = Field((), title="Numbers of the unknowns in their dataset, from 1 (all if empty)")


def lcf_table(unknown: xr.Dataset, references: Sequence[xr.Dataset], params: LcfTableParams) -> xr.Dataset:
    """One row for each spectrum and reference: fraction with its interval, misfit and energy shift of the fit.

    A spectrum that cannot be fitted is left out: attribute ``left_out`` lists its name and the sentence.

    Raises
    ------
    DataError
        No spectrum can be fitted, for the reason of the first one.
    """
    names = unknown["name"].values.astype(str).tolist()
    rules = params.model_dump(exclude={"unknowns"})
    wanted = params.unknowns or tuple(range(1, len(names) + 1))
    rows: list[dict[str, float | str]] = []
    left_out: list[tuple[str, UserError]] = []
    said: list[str] = []
    for place, number in enumerate(wanted):
        name = names[number - 1] if 1 <= number <= len(names) else f"spectrum {number}"
        report(place / len(wanted), name)
        try:
            fit = lcf(unknown, references, LcfParams(**rules, spectrum=number))
        except UserError as err:
            left_out.append((name, err))
            continue
        rows += _rows(name, fit)
        said += warnings_of(fit)
    if not rows:
        raise left_out[0][1] if left_out else DataError("No spectrum is given.", hint="Choose at least one.")
    made = _table(rows).assign_attrs(level=params.level, left_out=[[name, str(err)] for name, err in left_out])
    return warn(made, *said)


def _rows(name: str, fit: xr.Dataset) -> list[dict[str, float | str]]:
    whole: dict[str, float | str] = {n: float(fit.attrs[n]) for n in WHOLE}
    references = fit["reference"].values.astype(str).tolist()
    return [{"name": name, "reference": r, **{n: float(fit[n].values[k]) for n in UNITS}, **whole} for k, r in enumerate(references)]


def _table(rows: Sequence[dict[str, float | str]]) -> xr.Dataset:
    units = {"name": "", "reference": "", **UNITS, **WHOLE}
    return table({n: (np.array([r[n] for r in rows]), unit) for n, unit in units.items()}, dim="row")
