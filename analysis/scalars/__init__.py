"""Own numbers of cells and particles: fracture strength, resistances, lattice parameters, anything with a unit."""

from analysis.core.registry import Modality
from analysis.scalars.read import PREVIEWS, READERS

MODALITY = Modality("scalars", "Own scalars", readers=READERS, previews=PREVIEWS)
