"""X-ray microscopy over an absorption edge: edge energies, fractions and clusters in every voxel, and how they are distributed."""

from analysis.core.registry import Modality
from analysis.xanes.compute import RECIPES

MODALITY = Modality(id="xanes", title="XANES microscopy", recipes=RECIPES)
