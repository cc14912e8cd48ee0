"""Recipes of absorption spectra. Pure: no file, no store, no picture."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from analysis.core.data import warn, warnings_of
from analysis.core.params import Params
from analysis.core.registry import Input, Recipe
from analysis.schemas import SPECTRA
from analysis.spectra import (
    averages,
    combine,
    differences,
    energy_axis,
    lcf,
    lcf_table,
    normalising,
    pca,
    peaks,
    processing,
    repeats,
    self_absorption,
)
from analysis.spectra.processing import joined
from analysis.spectra.schemas import DIFFERENCE, EDGE_TABLE, LCF, LCF_TABLE, NORMALISED, PCA, PEAK_TABLE, PEAKS, REPEATS

ONE = {"spectra": Input(SPECTRA.name)}
MANY = {"spectra": Input(SPECTRA.name, many=True)}
NORMALISED_MANY = {"spectra": Input(NORMALISED.name, many=True)}


def normalise(*, spectra: tuple[xr.Dataset, ...], params: normalising.NormaliseParams) -> xr.Dataset:
    return normalising.normalised(joined(spectra), params)


def process(
    *,
    spectra: tuple[xr.Dataset, ...],
    standards: tuple[xr.Dataset, ...] = (),
    glitches: tuple[xr.Dataset, ...] = (),
    params: processing.BatchParams,
) -> xr.Dataset:
    return processing.processed_all(spectra, params, standards=standards or (), glitches=glitches or ())


def average(*, spectra: tuple[xr.Dataset, ...], params: averages.MeanParams) -> xr.Dataset:
    return averages.means(spectra, params)


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


def combine_all(*, unknown: xr.Dataset, references: tuple[xr.Dataset, ...], params: lcf_table.LcfTableParams) -> xr.Dataset:
    return lcf_table.lcf_table(unknown, references, params)


def components(*, spectra: tuple[xr.Dataset, ...], params: pca.PcaParams) -> xr.Dataset:
    return pca.pca(spectra, params)


def compare_scans(*, spectra: tuple[xr.Dataset, ...], params: repeats.RepeatsParams) -> xr.Dataset:
    return repeats.repeats(spectra, params)


def _rows(datasets: Sequence[xr.Dataset], dim: str) -> xr.Dataset:
    """What the datasets hold along one dimension only, one under the other; a column that some lack is left out."""
    parts = [ds[[n for n in ds.data_vars if ds[n].dims == (dim,)]] for ds in datasets]
    shared = [n for n in parts[0].data_vars if all(n in p for p in parts)]
    joined = {n: (dim, np.concatenate([p[n].values for p in parts]), {"units": parts[0][n].attrs["units"]}) for n in shared}
    return warn(xr.Dataset(joined), *(w for ds in datasets for w in warnings_of(ds)))


def edge_table(*, spectra: tuple[xr.Dataset, ...], params: Params) -> xr.Dataset:
    """One row a spectrum: edge energies, edge step, white line, noise."""
    return _rows(spectra, "spectrum")


def peak_table(*, peaks: tuple[xr.Dataset, ...], params: Params) -> xr.Dataset:
    """One row a peak and spectrum."""
    return _rows(peaks, "peak")


PROCESSED = {
    **MANY,
    "standards": Input(SPECTRA.name, many=True, optional=True),
    "glitches": Input("spectra.glitches", many=True, optional=True),
}
CALIBRATED = {**ONE, "standard": Input(SPECTRA.name, optional=True)}
GLITCHED = {**ONE, "glitches": Input("spectra.glitches")}
SUBTRACTED = {**NORMALISED_MANY, "reference": Input(NORMALISED.name)}
MIXED = {"unknown": Input(NORMALISED.name), "references": Input(NORMALISED.name, many=True)}

RECIPES: tuple[Recipe, ...] = (
    Recipe("spectra.normalise", "Normalise", MANY, NORMALISED, normalise, normalising.NormaliseParams, normalising.summarise, light=True),
    Recipe(
        "spectra.process",
        "Process and normalise",
        PROCESSED,
        NORMALISED,
        process,
        processing.BatchParams,
        normalising.summarise,
        light=True,
    ),
    Recipe("spectra.mean", "Means over samples", NORMALISED_MANY, NORMALISED, average, averages.MeanParams, light=True),
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
    Recipe("spectra.edge_table", "Table of edges", NORMALISED_MANY, EDGE_TABLE, edge_table, light=True),
    Recipe("spectra.peak_table", "Table of peaks", {"peaks": Input(PEAKS.name, many=True)}, PEAK_TABLE, peak_table, light=True),
    Recipe("spectra.lcf", "Linear combination", MIXED, LCF, combine_linearly, lcf.LcfParams, lcf.summarise, light=True),
    Recipe("spectra.lcf_table", "Linear combinations of many spectra", MIXED, LCF_TABLE, combine_all, lcf_table.LcfTableParams),
    Recipe("spectra.pca", "Principal components", NORMALISED_MANY, PCA, components, pca.PcaParams, pca.summarise, light=True),
    Recipe(
        "spectra.repeats", "Repeated scans", NORMALISED_MANY, REPEATS, compare_scans, repeats.RepeatsParams, repeats.summarise, light=True
    ),
)
