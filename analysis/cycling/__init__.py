"""Charge–discharge cycling: cycler files, capacity and efficiency per cycle, profiles, dQ/dV, rate tests."""

from analysis.core.registry import Modality
from analysis.cycling import read_binary, read_cycles, read_tables, read_text
from analysis.cycling.compute import RECIPES
from analysis.cycling.figures import FIGURES
from analysis.cycling.rehearsal import rehearse

MODALITY = Modality(
    id="cycling",
    title="Cycling",
    readers=(*read_binary.READERS, *read_text.READERS, *read_cycles.READERS, *read_tables.READERS),
    recipes=RECIPES,
    figures=FIGURES,
    rehearse=rehearse,
    asks=("group", "active mass", "area"),
)
