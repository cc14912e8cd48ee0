"""The figures of X-ray microscopy: the table of contents."""

from analysis.core.params import Params
from analysis.core.registry import Figure
from analysis.xanes.figures_distributions import HistogramParams, histogram, histogram_table
from analysis.xanes.figures_map_values import MapHistogramParams, ProfileFigureParams, map_histogram, map_profile
from analysis.xanes.figures_particles import heterogeneity, particle_table, quality, quality_table
from analysis.xanes.figures_shifts import ShiftParams, shifts
from analysis.xanes.figures_slices import SliceParams, slices
from analysis.xanes.figures_spectra import SpectraParams, spectra
from analysis.xanes.figures_violins import ViolinParams, effect_table, effects, violin_table, violins

FIGURES = (
    Figure("xanes.histogram", "Histogram of edge energies", "xanes.distribution", histogram, HistogramParams, histogram_table),
    Figure("xanes.violins", "Charge against discharge", "xanes.pooled", violins, ViolinParams, violin_table),
    Figure("xanes.effects", "Differences over particles", "xanes.activity", effects, Params, effect_table),
    Figure("xanes.heterogeneity", "Heterogeneity of particles", "xanes.distribution", heterogeneity, Params, particle_table),
    Figure("xanes.quality", "Voxels that count", "txm.edge_map", quality, Params, quality_table),
    Figure("xanes.slices", "Slices of a map", "txm.edge_map", slices, SliceParams),
    Figure("xanes.spectra", "Spectra of voxels and regions", "xanes.spectrum", spectra, SpectraParams),
    Figure("xanes.map_histogram", "Values of a map", "xanes.map_histogram", map_histogram, MapHistogramParams),
    Figure("xanes.map_profile", "A map along a line", "xanes.map_profile", map_profile, ProfileFigureParams),
    Figure("xanes.shifts", "Shifts between the frames of a scan", "txm.stack", shifts, ShiftParams),
)
