"""Groups against each other, over the results of all modalities: scorecard, correlations, their figures."""

from analysis.compare.compute import RECIPES
from analysis.compare.figures import FIGURES
from analysis.core.registry import Modality

MODALITY = Modality("compare", "Comparison", recipes=RECIPES, figures=FIGURES)
