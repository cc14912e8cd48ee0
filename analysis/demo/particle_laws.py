"""How the particles of a group are built in a state, and how far along they are, as plain numbers that are easy to argue about.

They are chosen to look like uncoated and coated NMC811 after some cycles; they are not fitted to any measurement.
"""

from collections.abc import Mapping
from dataclasses import dataclass

STATES = ("charged", "discharged")


@dataclass(frozen=True)
class Build:
    """Morphology of a group's particles; lengths in µm."""

    crack_ratio: float  # of the envelope's volume, around which particles scatter
    crack_spread: float  # one standard deviation of the logarithm
    crack_width: float
    domains: int  # regions that cracks cut off
    domain_radius: float  # over the particle's radius
    pore_ratio: float  # closed pores, there before the first cycle
    grain: float = 0.55
    roughness: float = 0.035  # of the surface, over the radius


@dataclass(frozen=True)
class Chemistry:
    """Fraction of the delithiated end in a group and state: sums of the terms below, kept between 0 and 1; lengths in µm."""

    base: float
    between_particles: float  # standard deviation of ``base``
    grain: float  # standard deviation from grain to grain
    smooth: float  # standard deviation of what varies slowly
    near_crack: float  # added at a crack's wall ...
    crack_reach: float  # ... and fallen to 1/e at this distance
    isolated: float  # added in domains that cracks cut off
    surface: float  # added where the outer surface has poor contact ...
    surface_reach: float  # ... and fallen to 1/e at this depth


BUILDS: Mapping[str, Build] = {
    "coated": Build(crack_ratio=0.0015, crack_spread=0.35, crack_width=0.11, domains=0, domain_radius=0.0, pore_ratio=0.0004),
    "uncoated": Build(crack_ratio=0.05, crack_spread=0.2, crack_width=0.13, domains=2, domain_radius=0.27, pore_ratio=0.0004),
}
CHEMISTRY: Mapping[tuple[str, str], Chemistry] = {
    ("coated", "charged"): Chemistry(0.86, 0.02, 0.012, 0.015, -0.04, 0.30, 0.0, -0.05, 0.15),
    ("coated", "discharged"): Chemistry(0.12, 0.02, 0.012, 0.015, 0.06, 0.30, 0.0, 0.04, 0.15),
    ("uncoated", "charged"): Chemistry(0.76, 0.03, 0.04, 0.06, -0.16, 0.40, 0.06, -0.16, 0.20),
    ("uncoated", "discharged"): Chemistry(0.22, 0.03, 0.04, 0.06, 0.18, 0.40, 0.42, 0.16, 0.20),
}
POWDER_BUILD = Build(crack_ratio=0.0, crack_spread=0.0, crack_width=0.0, domains=0, domain_radius=0.0, pore_ratio=0.0004)
POWDER_CHEMISTRY = Chemistry(0.03, 0.005, 0.006, 0.008, 0.0, 1.0, 0.0, 0.0, 1.0)
