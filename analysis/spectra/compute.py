"""Recipes of absorption spectra. Pure: no file, no store, no picture."""

from collections.abc import Sequence

import xarray as xr

from analysis.core.data import warn, warnings_of
from analysis.core.params import Params
from analysis.core.registry import Input, Recipe
from analysis.schemas import SPECTRA
from analysis.spectra import combine, differences, energy_axis, lcf, normalising, pca, peaks, repeats, self_absorption
from analysis.spectra.curves import assemble, common_attrs, gathered
from analysis.spectra.schemas import DIFFERENCE, LCF, NORMALISED, PCA, PEAKS, REPEATS

ONE = {"spectra": Input(SPECTRA.name)}
MANY = {"spectra": Input(SPECTRA.name, many=True)}
NORMALISED_MANY = {"spectra": Input(NORMALISED.name, many=True)}


def together(spectra: Sequence[xr.Dataset]) -> xr.Dataset:
    """One dataset of all spectra; a single dataset stays as it is."""
    if len(spectra) == 1:
        return spectra[0]
    joined = assemble(gathered(spectra), attrs=common_attrs(spectra))
    return warn(joined, *(w for ds in spectra for w in warnings_of(ds)))


def normalise(*, spectra: tuple[xr.Dataset, ...], params: normalising.NormaliseParams) -> xr.Dataset:
    return normalising.normalised(together(spectra), params)


def calibrate(*, spectra: xr.Dataset, standard: xr.Dataset | None = None, params: energy_axis.CalibrateParams) -> xr.Dataset:
    return energy_axis.calibrated(spectra, standard, params)


def align(*, spectra: tuple[xr.Dataset, ...], params: energy_axis.AlignParams) -> xr.Dataset:
    return energy_axis.aligned(spectra, params)


def merge(*, spectra: tuple[xr.Dataset, ...], params: combine.MergeParams) -> xr.Dataset:
    return combine.merged(spectra, params)


def rebin(*, spectra: xr.Dataset, params: combine.RebinParams) -> xr.Dataset:
    return combine.rebinned(spectra, params)


def deglitch(*, spectra: xr.Dataset, glitches: xr.Dataset, params: Params) -> xr.Dataset:
    return combine.deglitched(spectra, glitches)


def correct(*, spectra: xr.Dataset, params: self_absorption.SelfAbsorptionParams) -> xr.Dataset:
    return self_absorption.corrected(spectra, params)


def subtract(*, spectra: tuple[xr.Dataset, ...], reference: xr.Dataset, params: differences.DifferenceParams) -> xr.Dataset:
    return differences.difference(spectra, reference, params)


def fit_peaks(*, spectra: tuple[xr.Dataset, ...], params: peaks.PeaksParams) -> xr.Dataset:
    return peaks.peaks(spectra, params)


def combine_linearly(*, unknown: xr.Dataset, references: tuple[xr.Dataset, ...], params: lcf.LcfParams) -> xr.Dataset:
    return lcf.lcf(unknown, references, params)


def components(*, spectra: tuple[xr.Dataset, ...], params: pca.PcaParams) -> xr.Dataset:
    return pca.pca(spectra, params)


def compare_scans(*, spectra: tuple[xr.Dataset, ...], params: repeats.RepeatsParams) -> xr.Dataset:
    return repeats.repeats(spectra, params)


CALIBRATED = {**ONE, "standard": Input(SPECTRA.name, optional=True)}
GLITCHED = {**ONE, "glitches": Input("spectra.glitches")}
SUBTRACTED = {**NORMALISED_MANY, "reference": Input(NORMALISED.name)}
MIXED = {"unknown": Input(NORMALISED.name), "references": Input(NORMALISED.name, many=True)}

RECIPES: tuple[Recipe, ...] = (
    Recipe("spectra.normalise", "Normalise", MANY, NORMALISED, normalise, normalising.NormaliseParams, normalising.summarise, light=True),
    Recipe("spectra.calibrate", "Calibrate energies", CALIBRATED, SPECTRA, calibrate, energy_axis.CalibrateParams, light=True),
    Recipe("spectra.align", "Align energies", MANY, SPECTRA, align, energy_axis.AlignParams, light=True),
    Recipe("spectra.merge", "Merge scans", MANY, SPECTRA, merge, combine.MergeParams, light=True),
    Recipe("spectra.rebin", "Rebin", ONE, SPECTRA, rebin, combine.RebinParams, light=True),
    Recipe("spectra.deglitch", "Take out glitches", GLITCHED, SPECTRA, deglitch, light=True),
    Recipe(
        "spectra.self_absorption",
        "Correct self-absorption",
        {"spectra": Input(NORMALISED.name)},
        NORMALISED,
        correct,
        self_absorption.SelfAbsorptionParams,
        self_absorption.summarise,
        light=True,
    ),
    Recipe(
        "spectra.difference",
        "Difference",
        SUBTRACTED,
        DIFFERENCE,
        subtract,
        differences.DifferenceParams,
        differences.summarise,
        light=True,
    ),
    Recipe("spectra.peaks", "Fit peaks", NORMALISED_MANY, PEAKS, fit_peaks, peaks.PeaksParams, peaks.summarise),
    Recipe("spectra.lcf", "Linear combination", MIXED, LCF, combine_linearly, lcf.LcfParams, lcf.summarise, light=True),
    Recipe("spectra.pca", "Principal components", NORMALISED_MANY, PCA, components, pca.PcaParams, pca.summarise, light=True),
    Recipe(
        "spectra.repeats", "Repeated scans", NORMALISED_MANY, REPEATS, compare_scans, repeats.RepeatsParams, repeats.summarise, light=True
    ),
)
