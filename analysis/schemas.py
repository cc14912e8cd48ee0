"""What more than one modality reads or writes: stacks, maps, masks and volumes in space, spectra."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from analysis.core.data import Schema, Var
from analysis.core.errors import DataError

VOXEL = ("z", "y", "x")
ABSORPTION = ("1", "1/um")  # optical depth of a projection; absorption coefficient of a reconstruction


@dataclass(frozen=True)
class Spatial(Schema):
    """A schema of images or of volumes.

    Variables are declared with ``z``; a dataset without ``z`` holds projections or a single slice, and all its variables
    do without it. Both bear one name, because they are analysed alike; ``dimensionality`` tells them apart, and maps of
    different dimensionality are never put together.
    """

    def conform(self, ds: xr.Dataset) -> xr.Dataset:
        if "z" in ds.dims:
            return super().conform(ds)
        flat: Mapping[str, Var] = {n: replace(v, dims=tuple(d for d in v.dims if d != "z")) for n, v in self.variables.items()}
        return Schema(self.name, flat, self.version).conform(ds)


def dimensionality(ds: xr.Dataset) -> str:
    """``"2D"`` for images, ``"3D"`` for volumes."""
    return "3D" if "z" in ds.dims else "2D"


def spatial_dims(ds: xr.Dataset) -> tuple[str, ...]:
    """The dimensions of space that a dataset has, in order."""
    return tuple(d for d in VOXEL if d in ds.dims)


def voxel_um(ds: xr.Dataset) -> tuple[float, ...]:
    """Edge lengths of a voxel along ``spatial_dims``, in µm; 1 each where the data do not say, as ``has_voxel_size`` tells."""
    given = ds.attrs.get("voxel_um")
    axes = spatial_dims(ds)
    if given is None:
        return (1.0,) * len(axes)
    sizes = (float(given),) * len(axes) if isinstance(given, int | float) else tuple(map(float, given))
    if len(sizes) != len(axes) or not all(s > 0 for s in sizes):
        raise DataError(f"The voxel size {given} does not fit {len(axes)} dimensions.", hint="State one length, or one for each, in µm.")
    return sizes


def has_voxel_size(ds: xr.Dataset) -> bool:
    return ds.attrs.get("voxel_um") is not None


# Attributes that readers set besides the schema's:
#   voxel_um    float or list in the order of the dimensions    element, edge   str   "Ni", "K"
#   metadata    dict  what else the file says (JSON-able)        warnings        list[str]

STACK = Spatial(
    "txm.stack",
    {
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "mu": Var((*VOXEL, "energy"), ABSORPTION, title="Absorption"),
        "mask": Var(VOXEL, "1", optional=True, title="Particle mask"),  # 0 outside
    },
)

MASK = Spatial("txm.mask", {"mask": Var(VOXEL, "1", title="Mask")})  # 0 outside

VOLUME = Spatial("txm.volume", {"density": Var(VOXEL, ABSORPTION, title="Absorption")})

EDGE_MAP = Spatial(
    "txm.edge_map",
    {
        "edge_energy": Var(VOXEL, "eV", title="Edge energy"),  # NaN where flags is not 0
        "edge_jump": Var(VOXEL, ABSORPTION, optional=True, title="Edge jump"),
        "white_line": Var(VOXEL, "eV", optional=True, title="White-line energy"),
        "white_line_height": Var(VOXEL, "1", optional=True, title="White-line height"),
        "noise": Var(VOXEL, ABSORPTION, optional=True, title="Noise before the edge"),
        "flags": Var(VOXEL, "1", title="Flags"),  # sum of FLAGS; 0 is a voxel that counts
        "rim": Var(VOXEL, "1", optional=True, title="Rim of the particle"),  # 1: shown, but left out of statistics
    },
)

# Why a voxel of an edge map has no value.
FLAGS = {
    1: "not a number in the spectrum",
    2: "no edge above the noise",
    4: "no such feature in the edge window",
    8: "result at the rim of the edge window",
    16: "too uncertain",
    32: "outside the mask",
}

# Attributes that an edge map must carry, imported ones too: definition (a key of DEFINITIONS), and as far as known
#   e0, pre1, pre2, norm1, norm2, energy_offset (numbers, eV), calibrant (str), voxel_um.
DEFINITIONS = {
    "e_half": "half of the edge step",
    "white_line": "white-line maximum",
    "template_shift": "shift of the mean spectrum",
    "half_white_line": "half of the white-line height",
    "max_slope": "steepest point",
}

SPECTRA = Schema(
    "xas.spectra",
    {
        # Spectra on one energy grid; those of other grids are datasets of their own.
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "mu": Var(("spectrum", "energy"), ABSORPTION, title="Absorption"),
        "name": Var(("spectrum",), "", title="Spectrum"),
    },
)


@dataclass(frozen=True)
class Preview:
    """What shows at a glance whether a file was read rightly: a picture, curves, facts, and what it does not say of itself."""

    facts: Mapping[str, str]
    image: np.ndarray | None = None  # (y, x)
    image_title: str = ""
    curves: tuple[tuple[str, np.ndarray, np.ndarray], ...] = ()  # name, x, y
    x_title: str = ""
    y_title: str = ""
    lacks: tuple[str, ...] = ()
