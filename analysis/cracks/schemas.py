"""What the recipes of cracks store."""

from analysis.core.data import Schema, Var
from analysis.schemas import VOXEL

ONE, UM = "1", "um"
PER_PARTICLE, PER_CRACK, PER_DOMAIN = ("particle_row",), ("crack",), ("domain_row",)

PARTICLES = Schema(
    "cracks.particles",
    {"particle": Var(VOXEL, ONE, title="Particle")},  # number of the particle whose envelope holds the voxel; 0 is outside
)

SEGMENTATION = Schema(
    "cracks.segmentation",
    {
        "envelope": Var(VOXEL, ONE, title="Envelope"),  # 1 inside
        "solid": Var(VOXEL, ONE, title="Solid"),
        "crack": Var(VOXEL, ONE, title="Cracks"),
        "particle": Var(VOXEL, ONE, title="Particle"),  # number of the particle, 0 outside
    },
)

STROKES = Schema(
    "cracks.strokes",
    {
        # Balls that a brush left behind, in the order in which they were painted.
        "z": Var(("stroke",), ONE, title="Slice"),
        "y": Var(("stroke",), ONE, title="Row"),
        "x": Var(("stroke",), ONE, title="Column"),
        "radius": Var(("stroke",), ONE, title="Radius, voxels"),
        "add": Var(("stroke",), ONE, title="1 adds crack, 0 takes it away"),
    },
)

SENSITIVITY = Schema(
    "cracks.sensitivity",
    {
        "parameter": Var(("setting",), "", title="Parameter"),
        "value": Var(("setting",), ONE, title="Value"),
        "factor": Var(("setting",), ONE, title="Times the chosen value"),
        "ratio": Var(("setting",), ONE, title="Crack volume ratio"),
    },
)

MEASURES = Schema(
    "cracks.measures",
    {
        "particle": Var(PER_PARTICLE, ONE, title="Particle"),
        "volume": Var(PER_PARTICLE, "um**3", title="Volume of the envelope"),
        "diameter": Var(PER_PARTICLE, UM, title="Diameter of a ball of that volume"),
        "crack_volume": Var(PER_PARTICLE, "um**3", title="Volume of the cracks"),
        "ratio": Var(PER_PARTICLE, ONE, title="Crack volume ratio"),
        "cut": Var(PER_PARTICLE, ONE, title="Cut by the border"),
        "cracks": Var(PER_PARTICLE, ONE, title="Cracks"),
        "largest_fraction": Var(PER_PARTICLE, ONE, title="Largest crack over all cracks"),
        "surface_fraction": Var(PER_PARTICLE, ONE, title="Crack volume that is open to the surface"),
        "mean_width": Var(PER_PARTICLE, UM, title="Mean width"),
        "radial_position": Var(PER_PARTICLE, ONE, title="Mean radial position"),
        "crack_area": Var(PER_PARTICLE, "um**2", title="Surface of the cracks"),
        "area_per_volume": Var(PER_PARTICLE, "1/um", title="Crack surface over envelope volume"),
        "crack_particle": Var(PER_CRACK, ONE, title="Particle of the crack"),
        "crack_size": Var(PER_CRACK, "um**3", title="Volume"),
        "crack_open": Var(PER_CRACK, ONE, title="Open to the surface"),
        "crack_widest": Var(PER_CRACK, UM, title="Largest width"),
        "crack_radial": Var(PER_CRACK, ONE, title="Mean radial position"),
        "crack_z": Var(PER_CRACK, UM, title="Middle, z"),
        "crack_y": Var(PER_CRACK, UM, title="Middle, y"),
        "crack_x": Var(PER_CRACK, UM, title="Middle, x"),
        "width": Var(("width_bin",), UM, title="Width"),  # middle of the bin
        "width_volume": Var(("width_bin",), "um**3", title="Crack volume"),
        "radius": Var(("radial_bin",), ONE, title="Radial position"),  # 0 core, 1 surface
        "radial_crack": Var(("radial_bin",), "um**3", title="Crack volume"),
        "radial_envelope": Var(("radial_bin",), "um**3", title="Envelope volume"),
    },
)

DOMAINS = Schema(
    "cracks.domains",
    {
        "domain": Var(PER_DOMAIN, ONE, title="Domain"),
        "of_particle": Var(PER_DOMAIN, ONE, title="Particle"),
        "volume": Var(PER_DOMAIN, "um**3", title="Volume"),
        "fraction": Var(PER_DOMAIN, ONE, title="Fraction of the solid"),
        "contact": Var(PER_DOMAIN, "um**2", title="Contact with the rest"),
        "kind": Var(PER_DOMAIN, "", title="Kind"),  # "detached" or "enclosed"
        "at_z": Var(PER_DOMAIN, ONE, title="Slice"),  # a voxel of the domain near its middle
        "at_y": Var(PER_DOMAIN, ONE, title="Row"),
        "at_x": Var(PER_DOMAIN, ONE, title="Column"),
        "edge_energy": Var(PER_DOMAIN, "eV", optional=True, title="Mean edge energy"),
        "difference": Var(PER_DOMAIN, "eV", optional=True, title="Difference to the main body"),
        "voxels_with_energy": Var(PER_DOMAIN, ONE, optional=True, title="Voxels with an edge energy"),
        "label": Var(VOXEL, ONE, title="Domain"),  # 1 main bodies, from 2 on the domains of the table; 0 no solid
    },
)

PROFILE = Schema(
    "cracks.distance_profile",
    {
        "distance": Var(("bin",), UM, title="Distance from the nearest crack"),
        "mean": Var(("bin",), "eV", title="Mean edge energy"),
        "median": Var(("bin",), "eV", title="Median edge energy"),
        "lower": Var(("bin",), "eV", title="Lower quartile"),
        "upper": Var(("bin",), "eV", title="Upper quartile"),
        "count": Var(("bin",), ONE, title="Voxels"),
        "fraction": Var(("part",), ONE, title="Distance over its maximum"),
        "part_mean": Var(("part",), "eV", title="Mean edge energy"),
        "part_median": Var(("part",), "eV", title="Median edge energy"),
        "part_lower": Var(("part",), "eV", title="Lower quartile"),
        "part_upper": Var(("part",), "eV", title="Upper quartile"),
        "part_count": Var(("part",), ONE, title="Voxels"),
        "depth": Var(("layer",), UM, title="Depth below the surface"),
        "depth_mean": Var(("layer",), "eV", title="Mean edge energy"),
        "depth_median": Var(("layer",), "eV", title="Median edge energy"),
        "depth_lower": Var(("layer",), "eV", title="Lower quartile"),
        "depth_upper": Var(("layer",), "eV", title="Upper quartile"),
        "depth_count": Var(("layer",), ONE, title="Voxels"),
        "joint_mean": Var(("layer", "bin"), "eV", title="Mean edge energy"),
        "joint_count": Var(("layer", "bin"), ONE, title="Voxels"),
        "slope_particle": Var(("slope_row",), ONE, title="Particle"),
        "slope": Var(("slope_row",), "eV/um", title="Slope against distance from a crack"),
        "slope_low": Var(("slope_row",), "eV/um", title="Its lower limit"),
        "slope_high": Var(("slope_row",), "eV/um", title="Its upper limit"),
        "slope_n": Var(("slope_row",), ONE, title="Voxels"),
        "furthest": Var(("slope_row",), UM, title="Largest distance from a crack"),
    },
)
