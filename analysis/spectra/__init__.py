"""Bulk absorption spectra: XANES files, normalisation, calibration, peak fits, mixtures."""

from analysis.core.registry import Modality
from analysis.spectra.compute import RECIPES
from analysis.spectra.figures import FIGURES
from analysis.spectra.preview import PREVIEWS
from analysis.spectra.read import READERS

MODALITY = Modality(
    "spectra",
    "Absorption spectra",
    readers=READERS,
    recipes=RECIPES,
    figures=FIGURES,
    previews=PREVIEWS,
    asks=("group", "state", "cycle"),
)
