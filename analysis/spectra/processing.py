"""From a measurement's scans to a spectrum that can be compared: one recipe with all its steps, in their order.

glitches taken out → scans aligned → energies calibrated → scans merged → rebinned → normalised → self-absorption taken off

Every step is a recipe of its own too. In one recipe they are one explicit set of numbers for all spectra of a comparison, and
fifty spectra are one result.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn, warnings_of
from analysis.core.errors import DataError, ParamError, UserError
from analysis.core.progress import report
from analysis.spectra import combine, energy_axis, normalising, self_absorption
from analysis.spectra.curves import assemble, common_attrs, curves, gathered, spread, union
from analysis.spectra.normalising import EV, NormaliseParams

DEGREE: dict[str, Any] = {"unit": "degree"}


class ProcessParams(NormaliseParams):
    """All steps of one edge's recipe; what is left empty or at "none" is not done."""

    calibrate: Literal["none", "standard", "foil", "template"] = Field("none", title="Energies calibrated on")
    standard: str = Field("", title="Name of the standard")
    feature: Literal["max_slope", "white_line"] = Field("white_line", title="Feature of the standard")
    assigned: float | None = Field(None, gt=0, title="Assigned energy", json_schema_extra=EV)
    search: float = Field(5.0, gt=0, title="Distance within which the feature is looked for", json_schema_extra=EV)
    align: Literal["none", "spectrum", "foil"] = Field("none", title="Scans of a measurement aligned by")
    merge: Literal["none", "equal", "noise"] = Field("none", title="Scans of a measurement merged, weights")
    rebin: Literal["none", "edge"] = Field("none", title="Rebinned around the edge")
    step_before: float = Field(1.0, gt=0, title="Step before", json_schema_extra=EV)
    step_edge: float = Field(0.2, gt=0, title="Step in the edge", json_schema_extra=EV)
    step_k: float = Field(0.05, gt=0, title="Step after, in k", json_schema_extra={"unit": "1/angstrom"})
    fine1: float = Field(-30.0, title="Fine steps from", json_schema_extra=EV)
    fine2: float = Field(50.0, title="Fine steps to", json_schema_extra=EV)
    formula: str = Field("", title="Formula of the sample, for self-absorption")
    angle_in: float = Field(45.0, gt=0, le=90, title="Angle of the beam to the surface", json_schema_extra=DEGREE)
    angle_out: float = Field(45.0, gt=0, le=90, title="Angle of the detector to the surface", json_schema_extra=DEGREE)


class BatchParams(ProcessParams):
    """The recipe, and which inputs belong together."""

    samples: tuple[str, ...] = Field((), title="Sample of each input: inputs of one name are its scans (each its own if empty)")
    standard_of: tuple[int, ...] = Field((), title="Standard of each input, from 1 (0: none; the first for all if empty)")
    glitches_of: tuple[int, ...] = Field((), title="Edit of each input that takes points out, from 1 (0: none)")

    def checked(self, count: int, standards: int, edits: int) -> "BatchParams":
        """With a value for each of ``count`` inputs."""
        samples = self.samples or tuple(f"#{k}" for k in range(1, count + 1))
        standard_of = self.standard_of or (min(standards, 1),) * count
        glitches_of = self.glitches_of or (min(edits, 1),) * count
        for name, values, most in (("standard", standard_of, standards), ("edit", glitches_of, edits)):
            if len(values) != count or not all(0 <= v <= most for v in values):
                raise ParamError(f"The numbers of each input's {name} do not fit {count} inputs and {most} {name}s.")
        if len(samples) != count:
            raise ParamError(f"{len(samples)} samples are named for {count} inputs.", hint="Name the sample of each input, or none.")
        return self.model_copy(update={"samples": samples, "standard_of": standard_of, "glitches_of": glitches_of})


def processed_all(
    spectra: Sequence[xr.Dataset], params: BatchParams, *, standards: Sequence[xr.Dataset] = (), glitches: Sequence[xr.Dataset] = ()
) -> xr.Dataset:
    """Every sample's spectra by one recipe, in one dataset; ``sample`` names the sample of each where samples are named.

    A sample that a step refuses is left out: attribute ``left_out`` lists its name and the sentence. If all are refused, the first
    refusal is raised.
    """
    given = params.checked(len(spectra), len(standards), len(glitches))
    names = list(dict.fromkeys(given.samples))
    made: list[xr.Dataset] = []
    left_out: list[tuple[str, UserError]] = []
    for k, name in enumerate(names):
        report(k / len(names), name)
        parts = [j for j, n in enumerate(given.samples) if n == name]
        standard, edit = given.standard_of[parts[0]], given.glitches_of[parts[0]]
        try:
            one = processed(
                [spectra[j] for j in parts],
                params,
                standard=standards[standard - 1] if standard else None,
                glitches=glitches[edit - 1] if edit else None,
            )
        except UserError as err:
            left_out.append((name, err))
            continue
        made.append(_named(one, name) if params.samples else one)
    if not made:
        raise left_out[0][1]
    return stacked(made).assign_attrs(left_out=[[name, str(err)] for name, err in left_out])


def _named(ds: xr.Dataset, sample: str) -> xr.Dataset:
    """The spectra with their sample's name; where it has several, with their own behind it, or numbered."""
    count, own = ds.sizes["spectrum"], ds["name"].values.astype(str).tolist()
    several = own if len(set(own)) == count else [f"#{k}" for k in range(1, count + 1)]
    names = [sample] if count == 1 else [f"{sample} · {n}" for n in several]
    columns = {"name": names, "sample": [sample] * count}
    return ds.assign({n: ("spectrum", np.array(values, dtype=str), {"units": ""}) for n, values in columns.items()})


def stacked(datasets: Sequence[xr.Dataset]) -> xr.Dataset:
    """Normalised spectra under one another on the union of their energies, as they are: nothing is interpolated."""
    energy = union([np.asarray(ds["energy"].values, dtype=float) for ds in datasets])
    names = dict.fromkeys(str(n) for ds in datasets for n in ds.data_vars if n != "energy")
    columns: dict[str, Any] = {"energy": ("energy", energy, {"units": "eV"})}
    for name in names:
        first = next(ds[name] for ds in datasets if name in ds)
        rows = [_filled(ds, name, first, energy) for ds in datasets]
        columns[name] = (first.dims, np.concatenate(rows), first.attrs)
    recipes = [ds.attrs.get("recipe", {}) for ds in datasets]
    recipe = {k: v if all(r.get(k) == v for r in recipes) else None for k, v in recipes[0].items()}
    absorbers = [ds.attrs.get("self_absorption") for ds in datasets]
    same = {"self_absorption": absorbers[0]} if absorbers[0] and all(a == absorbers[0] for a in absorbers) else {}
    made = xr.Dataset(columns, attrs={**common_attrs(datasets), "recipe": recipe, **same})
    return warn(made, *(w for ds in datasets for w in warnings_of(ds)))


def _filled(ds: xr.Dataset, name: str, like: xr.DataArray, energy: np.ndarray) -> np.ndarray:
    """A variable of one dataset on the common energies; NaN where it has no point, or no such variable."""
    count = ds.sizes["spectrum"]
    if like.dims == ("spectrum", "energy"):
        if name not in ds:
            return np.full((count, energy.size), np.nan)
        own = np.asarray(ds["energy"].values, dtype=float)
        return np.stack([spread(energy, own, np.asarray(row, dtype=float)) for row in ds[name].values])
    return np.asarray(ds[name].values) if name in ds else np.full(count, np.nan)


def processed(
    spectra: Sequence[xr.Dataset],
    params: ProcessParams,
    *,
    standard: xr.Dataset | None = None,
    glitches: xr.Dataset | None = None,
) -> xr.Dataset:
    """A measurement's spectra, calibrated, merged, normalised and corrected as the parameters say.

    Parameters
    ----------
    standard
        What the energies are calibrated on: the standard measured in the same session, or the template to align with.

    Raises
    ------
    DataError, ParamError
        What a step raises, or a step lacks what it needs: a standard, a foil, an assigned energy.
    """
    ds = joined(spectra)
    if glitches is not None:
        ds = combine.deglitched(ds, glitches)
    if params.align != "none" and ds.sizes["spectrum"] > 1:
        ds = energy_axis.aligned([ds], energy_axis.AlignParams(using=params.align))
    ds = _calibrated(ds, standard, params)
    if params.merge != "none" and ds.sizes["spectrum"] > 1:
        name = str(ds["name"].values[0])
        ds = combine.merged([ds], combine.MergeParams(name=name, weighting=params.merge))
    if params.rebin != "none":
        ds = combine.rebinned(ds, _bins(params))
    made = normalising.normalised(ds, params)
    is_corrected = params.formula.strip().casefold() not in ("", "none")
    return self_absorption.corrected(made, _absorber(made, params)) if is_corrected else made


def joined(spectra: Sequence[xr.Dataset]) -> xr.Dataset:
    """One dataset of all spectra; a single dataset stays as it is."""
    if len(spectra) == 1:
        return spectra[0]
    made = assemble(gathered(spectra), attrs=common_attrs(spectra))
    return warn(made, *(w for ds in spectra for w in warnings_of(ds)))


def _calibrated(ds: xr.Dataset, standard: xr.Dataset | None, params: ProcessParams) -> xr.Dataset:
    if params.calibrate == "none":
        return ds
    if params.calibrate != "foil" and standard is None:
        raise ParamError("Nothing is given to calibrate the energies on.", hint="Choose a standard or a template, or do not calibrate.")
    if params.calibrate == "template" and standard is not None:
        return _on_template(ds, standard)
    if params.assigned is None:
        raise ParamError("The standard's feature has no assigned energy.", hint="State it in eV: it is printed on every figure.")
    if params.calibrate == "foil":
        _require_foil(ds)
        standard = None
    asked = energy_axis.CalibrateParams(standard=params.standard, feature=params.feature, assigned=params.assigned, search=params.search)
    return energy_axis.calibrated(ds, standard, asked)


def _require_foil(ds: xr.Dataset) -> None:
    name = str(ds["name"].values[0])
    if curves(ds)[0].reference is None:
        raise DataError(f"'{name}' has no foil measured behind it.", hint="Calibrate on a standard that was measured in the same session.")


def _on_template(ds: xr.Dataset, template: xr.Dataset) -> xr.Dataset:
    """The spectra shifted until their derivatives fit the template's first spectrum best."""
    first = template.isel(spectrum=[0])
    found = energy_axis.aligned([first, ds], energy_axis.AlignParams())
    own = assemble(gathered([found])[1:], units=str(ds["mu"].attrs.get("units", "1")))
    kept = {k: v for k, v in ds.attrs.items() if k not in ("schema", "schema_version")}
    name = str(first["name"].values[0])
    shifts = found["alignment_shift"].values[1:]
    note = {"standard": name, "feature": "alignment", "assigned": None, "measured": None, "shift": float(np.mean(shifts))}
    said = [w for w in warnings_of(found) if w not in warnings_of(template)]
    return warn(own.assign_attrs(kept | {"calibration": note}), *said)


def _bins(params: ProcessParams) -> combine.RebinParams:
    return combine.RebinParams(
        e0=params.value("e0"),
        edge1=params.fine1,
        edge2=params.fine2,
        pre_step=params.step_before,
        edge_step=params.step_edge,
        k_step=params.step_k,
    )


def _absorber(made: xr.Dataset, params: ProcessParams) -> self_absorption.SelfAbsorptionParams:
    """The sample as the correction takes it; element and edge are those of the spectrum, sulfur's where it does not say."""
    found = {"element": made.attrs.get("element") or "S", "edge": made.attrs.get("edge") or "K"}
    return self_absorption.SelfAbsorptionParams.check(
        {"formula": params.formula, "angle_in": params.angle_in, "angle_out": params.angle_out, **found}
    )
