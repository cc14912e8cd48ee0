"""Peak fits as a recipe: one model over all spectra, areas and heights with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, warn
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.spectra.curves import common_attrs, spread, union
from analysis.spectra.normcurves import NormCurve, norm_curves, remarks
from analysis.spectra.peakfit import PeakFit, PeakModel, fit_peaks

EV: dict[str, Any] = {"unit": "eV"}
# Sulfides of an Li6PS5Cl composite; "~" marks a broad resonance above the edge. Places are those of Fig. 5F's kind of spectrum.
S_K_PEAKS = ("PS4@2470.8", "P–Sx–P@2472.0", "sulfide@2473.5", "resonance~@2476.8")


class PeaksParams(Params):
    """The model; energies are absolute. The defaults are the preset for S K with the bridging sulfur at 2472.0 eV."""

    peaks: tuple[str, ...] = Field(S_K_PEAKS, min_length=1, max_length=12, title="Peaks as name@energy (name~@energy: broad)")
    low: float = Field(2469.0, title="Fitted from", json_schema_extra=EV)
    high: float = Field(2480.0, title="Fitted to", json_schema_extra=EV)
    freedom: float = Field(0.7, gt=0, le=5, title="Freedom of the centres", json_schema_extra=EV)
    gamma: float = Field(0.295, gt=0, le=5, title="Lorentzian half width (half the core-hole width)", json_schema_extra=EV)
    step: Literal["fit", "none"] = Field("fit", title="Arctangent step")
    step_center: float = Field(2475.0, title="Centre of the step", json_schema_extra=EV)
    step_freedom: float = Field(0.0, ge=0, le=5, title="Freedom of the step's centre", json_schema_extra=EV)
    step_width: float = Field(1.5, gt=0, le=10, title="Width of the step", json_schema_extra=EV)
    baseline: Literal["none", "constant", "linear"] = Field("constant", title="Baseline")
    feature: str = Field("P–Sx–P", title="Peak that is reported")
    feature_window: float = Field(0.3, gt=0, le=5, title="Half width of the window for its height", json_schema_extra=EV)
    level: float = Field(0.9, gt=0.5, lt=1, title="Level of the intervals")

    def model(self) -> PeakModel:
        """The model in numbers.

        Raises
        ------
        ParamError
            A peak is not written as name@energy, or lies outside the fitted range.
        """
        parsed = [_parsed(text) for text in self.peaks]
        outside = [p for p in parsed if not self.low <= p.energy <= self.high]
        if self.low >= self.high or outside:
            what = f"the peak '{outside[0].name}' at {outside[0].energy:g} eV lies outside" if outside else "nothing lies in"
            raise ParamError(f"{what[:1].upper()}{what[1:]} the fitted range {self.low:g}–{self.high:g} eV.", hint="Change range or peak.")
        order = {"none": -1, "constant": 0, "linear": 1}[self.baseline]
        return PeakModel(
            tuple(p.name for p in parsed),
            tuple(p.energy for p in parsed),
            tuple(p.wide for p in parsed),
            self.freedom,
            self.gamma,
            self.step == "fit",
            self.step_center,
            self.step_freedom,
            self.step_width,
            order,
        )


@dataclass(frozen=True)
class NamedPeak:
    name: str
    energy: float
    wide: bool


def _parsed(text: str) -> NamedPeak:
    name, _, energy = text.rpartition("@")
    try:
        return NamedPeak(name.strip().removesuffix("~") or energy.strip(), float(energy), name.strip().endswith("~"))
    except ValueError as err:
        raise ParamError(f"'{text}' is not a peak.", hint="Write it as name@energy, such as P–Sx–P@2472.0.") from err


def peaks(normalised: Sequence[xr.Dataset], params: PeaksParams) -> xr.Dataset:
    """One row a peak and spectrum, and the fitted curves.

    The interval of an area holds the scatter of the points and the error of the edge step it is measured in. A spectrum that does not
    cover the range is left out and said; if none does, that is raised.
    """
    model = params.model()
    cut, fits, left_out = _fitted(norm_curves(normalised), model, params)
    energy = union([c.energy for c in cut])
    out = _rows(cut, fits, model, params).merge(_curves(energy, cut, fits))
    out["feature_height"] = ("spectrum", np.array([_feature(c, params) for c in cut]), {"units": "1"})
    out["step_height"] = ("spectrum", np.array([f.step_height for f in fits]), {"units": "1"})
    out["r_factor"] = ("spectrum", np.array([f.r_factor for f in fits]), {"units": "1"})
    said = [
        f"'{c.name}', {name}: {flag}."
        for c, f in zip(cut, fits, strict=True)
        for name, flag in zip(model.names, f.flags, strict=True)
        if flag
    ]
    attrs = {"level": params.level, "feature": params.feature, **common_attrs(normalised)}
    return warn(out.assign_attrs(attrs), *remarks(normalised), *said, *left_out)


def _fitted(found: Sequence[NormCurve], model: PeakModel, params: PeaksParams) -> tuple[list[NormCurve], list[PeakFit], list[str]]:
    """The fitted points and the fit of every spectrum that allows it, and a sentence for each that does not."""
    cut: list[NormCurve] = []
    fits: list[PeakFit] = []
    refused: list[DataError] = []
    for k, curve in enumerate(found):
        report(k / len(found), curve.name)
        try:
            part = _range(curve, params)
            fits.append(fit_peaks(part.energy, part.norm, model, level=params.level))
            cut.append(part)
        except DataError as err:
            refused.append(err)
    if not fits:
        raise refused[0]
    return cut, fits, [f"Left out: {err.message}" for err in refused]


def _range(curve: NormCurve, params: PeaksParams) -> NormCurve:
    cut = curve.between(params.low, params.high)
    if cut.energy.size < 10 or cut.energy[0] > params.low + 1.0 or cut.energy[-1] < params.high - 1.0:
        raise DataError(
            f"'{curve.name}' ({curve.energy[0]:.0f}–{curve.energy[-1]:.0f} eV) does not cover the fitted range "
            f"{params.low:g}–{params.high:g} eV with ten points or more.",
            hint="Choose a spectrum of that edge, or another range.",
        )
    return cut


def _feature(curve: NormCurve, params: PeaksParams) -> float:
    """Mean of the normalised absorption around the reported peak's nominal place; NaN where that peak is not in the model."""
    nominal = {p.name: p.energy for p in map(_parsed, params.peaks)}.get(params.feature)
    if nominal is None:
        return float("nan")
    inside = np.abs(curve.energy - nominal) <= params.feature_window
    return float(curve.norm[inside].mean()) if inside.any() else float("nan")


def _rows(cut: Sequence[NormCurve], fits: Sequence[PeakFit], model: PeakModel, params: PeaksParams) -> xr.Dataset:
    def flat(values: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(values)

    scale = [np.interp(f.center, c.energy, c.gain) * c.scale_std for c, f in zip(cut, fits, strict=True)]
    area_std = flat([np.hypot(f.area_std, f.area * s) for f, s in zip(fits, scale, strict=True)])
    height_std = flat([np.hypot(f.height_std, f.height * s) for f, s in zip(fits, scale, strict=True)])
    area = flat([f.area for f in fits])
    margin = area_std * np.repeat([f.quantile for f in fits], len(model.names))
    columns: dict[str, tuple[Any, str]] = {
        "spectrum_name": (np.repeat(np.array([c.name for c in cut], dtype=str), len(model.names)), ""),
        "peak_name": (np.tile(np.array(model.names, dtype=str), len(cut)), ""),
        "center": (flat([f.center for f in fits]), "eV"),
        "center_std": (flat([f.center_std for f in fits]), "eV"),
        "height": (flat([f.height for f in fits]), "1"),
        "height_std": (height_std, "1"),
        "area": (area, "eV"),
        "area_std": (area_std, "eV"),
        "area_low": (np.maximum(area - margin, 0.0), "eV"),
        "area_high": (area + margin, "eV"),
        "sigma": (flat([f.sigma for f in fits]), "eV"),
        "gamma": (np.full(area.size, params.gamma), "eV"),
        "flags": (np.array([flag for f in fits for flag in f.flags], dtype=str), ""),
    }
    return xr.Dataset({name: ("peak", values, {"units": units}) for name, (values, units) in columns.items()})


def _curves(energy: np.ndarray, cut: Sequence[NormCurve], fits: Sequence[PeakFit]) -> xr.Dataset:
    def rows(values: list[np.ndarray]) -> np.ndarray:
        return np.stack([spread(energy, c.energy, v) for c, v in zip(cut, values, strict=True)])

    components = [spread(energy, c.energy, row) for c, f in zip(cut, fits, strict=True) for row in f.components]
    curve = ("spectrum", "energy")
    return xr.Dataset(
        {
            "energy": ("energy", energy, {"units": "eV"}),
            "name": ("spectrum", np.array([c.name for c in cut], dtype=str), {"units": ""}),
            "norm": (curve, rows([c.norm for c in cut]), {"units": "1"}),
            "fit": (curve, rows([f.fit for f in fits]), {"units": "1"}),
            "background": (curve, rows([f.background for f in fits]), {"units": "1"}),
            "component": (("peak", "energy"), np.stack(components), {"units": "1"}),
        }
    )


def summarise(stored: xr.Dataset, params: PeaksParams) -> Mapping[str, Scalar]:
    """Area, height and centre of the reported peak of one spectrum; of several, the mean with their standard deviation."""
    places = np.flatnonzero(stored["peak_name"].values.astype(str) == params.feature)
    if places.size == 0:
        return {}
    made = {}
    for name, unit, title in (("area", "eV", "Area"), ("height", "1", "Height"), ("center", "eV", "Centre")):
        values = np.asarray(stored[name].values, dtype=float)[places]
        stds = np.asarray(stored[f"{name}_std"].values, dtype=float)[places]
        made[name] = _scalar(values, stds, unit, f"{title} of the peak {params.feature}")
    if places.size == 1:
        k = int(places[0])
        low, high = float(stored["area_low"].values[k]), float(stored["area_high"].values[k])
        made["area"] = replace(made["area"], low=low, high=high, level=params.level)
    made["feature_height"] = Scalar(float(np.nanmean(stored["feature_height"].values)), "1", title="Height of the feature in its window")
    return made


def _scalar(values: np.ndarray, stds: np.ndarray, unit: str, title: str) -> Scalar:
    if values.size == 1:
        return Scalar(float(values[0]), unit, std=float(stds[0]), title=title)
    return Scalar(float(values.mean()), unit, std=float(values.std(ddof=1)), n=int(values.size), of="spectra", title=title)
