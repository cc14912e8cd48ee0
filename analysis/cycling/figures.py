"""The figures of the cycling modality: the table of contents, and the numbers behind a figure."""

from analysis.core.registry import Figure
from analysis.cycling.figures_cycles import CapacityParams, QuantityParams, capacity, quantity

FIGURES = (
    Figure("cycling.capacity", "Capacity and coulombic efficiency", "cycling.cycles", capacity, CapacityParams),
    Figure("cycling.quantity", "Quantity against cycle", "cycling.cycles", quantity, QuantityParams),
)
