"""Cracks: how much of a particle is cracked, what it cuts off, and whether the chemistry near a crack differs."""

from analysis.core.registry import Modality
from analysis.cracks.compute import RECIPES
from analysis.cracks.figures import FIGURES
from analysis.cracks.read import READERS
from analysis.cracks.rehearsal import rehearse

MODALITY = Modality(
    id="cracks", title="Cracks", readers=READERS, recipes=RECIPES, figures=FIGURES, rehearse=rehearse, asks=("group", "particle", "state")
)
