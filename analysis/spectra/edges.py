"""Edges, standards and named features as data.

Edge energies and core-hole widths (natural width of the level, FWHM) after W. T. Elam, B. D. Ravel, J. R. Sieber, Radiat.
Phys. Chem. 63, 121 (2002), doi 10.1016/S0969-806X(01)00227-4, and M. O. Krause, J. H. Oliver, J. Phys. Chem. Ref. Data 8, 329
(1979), doi 10.1063/1.555595.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edge:
    """An absorption edge: element, shell, energy and core-hole width (both eV)."""

    element: str
    shell: str
    energy: float
    width: float

    @property
    def label(self) -> str:
        return f"{self.element} {self.shell}"


EDGES = (
    Edge("Na", "K", 1070.8, 0.30),
    Edge("Mg", "K", 1303.0, 0.34),
    Edge("Al", "K", 1559.6, 0.42),
    Edge("Si", "K", 1839.0, 0.48),
    Edge("P", "K", 2145.5, 0.53),
    Edge("Zr", "L3", 2223.0, 1.57),
    Edge("Nb", "L3", 2371.0, 1.66),
    Edge("Nb", "L2", 2465.0, 1.87),
    Edge("S", "K", 2472.0, 0.59),
    Edge("Cl", "K", 2822.4, 0.64),
    Edge("K", "K", 3608.4, 0.74),
    Edge("Ca", "K", 4038.5, 0.81),
    Edge("Ti", "K", 4966.0, 0.94),
    Edge("V", "K", 5465.0, 1.01),
    Edge("Cr", "K", 5989.0, 1.08),
    Edge("Mn", "K", 6539.0, 1.16),
    Edge("Fe", "K", 7112.0, 1.25),
    Edge("Co", "K", 7709.0, 1.33),
    Edge("Ni", "K", 8333.0, 1.44),
    Edge("Cu", "K", 8979.0, 1.55),
    Edge("Zn", "K", 9659.0, 1.67),
    Edge("Ge", "K", 11103.0, 1.97),
    Edge("Au", "L3", 11919.0, 5.54),
    Edge("Se", "K", 12658.0, 2.33),
    Edge("Br", "K", 13474.0, 2.52),
    Edge("Zr", "K", 17998.0, 3.84),
    Edge("Nb", "K", 18986.0, 4.14),
)


@dataclass(frozen=True)
class Standard:
    """A substance whose feature has an agreed energy (eV), for calibration; ``also`` are other names of it."""

    name: str
    edge: str
    feature: str  # max_slope or white_line
    energy: float
    source: str
    also: tuple[str, ...] = ()


STANDARDS = (
    Standard(
        "Ni foil",
        "Ni K",
        "max_slope",
        8333.0,
        "first maximum of the derivative; J. A. Bearden, A. F. Burr, Rev. Mod. Phys. 39, 125 (1967)",
        ("nickel foil", "ni metal", "nickel metal"),
    ),
    Standard(
        "Na2S2O3",
        "S K",
        "white_line",
        2472.02,
        "first maximum of sodium thiosulfate, the convention of S K-edge work at SSRL",
        ("sodium thiosulfate", "thiosulfate"),
    ),
    Standard(
        "S8",
        "S K",
        "white_line",
        2471.7,
        "elemental sulfur as in XASDataLibrary (GSECARS); conventions differ by half an eV",
        ("elemental sulfur", "sulfur", "sulfur flower"),
    ),
    Standard(
        "Gypsum",
        "S K",
        "white_line",
        2481.8,
        "sulfate as in XASDataLibrary (GSECARS); conventions differ by half an eV",
        ("caso4", "caso4·2h2o"),
    ),
)


def standard_of(name: str, edge: str) -> Standard | None:
    """The standard of that edge that a sample's name means; None where it is none that is known here."""
    plain = name.casefold().strip()
    return next((s for s in STANDARDS if s.edge == edge and plain in (s.name.casefold(), *s.also)), None)


@dataclass(frozen=True)
class Marker:
    """A named energy (eV) to be drawn as a line."""

    name: str
    energy: float
    source: str
    edge: str = "S K"


# Energies are those of the cited work's own calibration: a tenth or two are between beamlines.
S_K_MARKERS = (
    Marker("PS4", 2471.0, "thiophosphate, about; to be placed by a standard of one's own beamline"),
    Marker("P–Sx–P", 2472.0, "bridging sulfur: Guo et al., Sci. Data 10, 349 (2023), doi 10.1038/s41597-023-02262-4"),
    Marker("S8", 2471.7, "elemental sulfur, white line in XASDataLibrary (GSECARS)"),
    Marker("Sulfite", 2477.4, "Na2SO3, white line in XASDataLibrary (GSECARS)"),
    Marker("Sulfate", 2481.8, "CaSO4·2H2O, white line in XASDataLibrary (GSECARS)"),
    Marker("Nb L2", 2465.0, "Nb L2 edge, present in LiNbO3-coated samples only"),
)
MARKERS = (*S_K_MARKERS, Marker("Ni K", 8333.0, "foil: first maximum of the derivative", "Ni K"))


def edges_between(low: float, high: float) -> tuple[Edge, ...]:
    """Known edges within an energy range (eV)."""
    return tuple(e for e in EDGES if low <= e.energy <= high)


def edge_of(element: str, shell: str) -> Edge | None:
    """The edge by element and shell; None where it is not known here."""
    return next((e for e in EDGES if (e.element, e.shell) == (element.title(), shell.upper())), None)


def nearest_edge(energy: float) -> Edge:
    """The known edge nearest to an energy (eV)."""
    return min(EDGES, key=lambda e: abs(e.energy - energy))
