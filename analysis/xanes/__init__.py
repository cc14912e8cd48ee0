"""X-ray microscopy over an absorption edge: edge energies, fractions and clusters in every voxel, and how they are distributed."""

from analysis.core.registry import Modality
from analysis.xanes.compute import RECIPES
from analysis.xanes.depth import RECIPES_DEPTH
from analysis.xanes.figures import FIGURES
from analysis.xanes.map_values import RECIPES_MAP_VALUES
from analysis.xanes.prepare import RECIPES_PREPARE
from analysis.xanes.preview import PREVIEWS
from analysis.xanes.read import READERS
from analysis.xanes.registration import RECIPES_REGISTRATION

MODALITY = Modality(
    id="xanes",
    title="X-ray microscopy",
    readers=READERS,
    recipes=(*RECIPES, *RECIPES_PREPARE, *RECIPES_REGISTRATION, *RECIPES_MAP_VALUES, *RECIPES_DEPTH),
    figures=FIGURES,
    previews=PREVIEWS,
    asks=("group", "particle", "state", "cycle"),
)
