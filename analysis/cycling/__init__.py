"""Charge–discharge cycling: cycler files, capacity and efficiency per cycle, profiles, dQ/dV, rate tests."""

from analysis.core.registry import Modality
from analysis.cycling.figures import FIGURES

MODALITY = Modality(id="cycling", title="Cycling", figures=FIGURES)
