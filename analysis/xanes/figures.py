"""The figures of X-ray microscopy: the table of contents."""

from analysis.core.registry import Figure
from analysis.xanes.figures_distributions import HistogramParams, histogram

FIGURES = (Figure("xanes.histogram", "Histogram of edge energies", "xanes.distribution", histogram, HistogramParams),)
