"""Volumes with known values, in a store, for tests and measurements of what shows them."""

import numpy as np
import xarray as xr

from analysis.core.store import Store

SHAPE = (40, 48, 56)
ENERGIES = (8330.0, 8340.0, 8350.0, 8360.0)


def ramp(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Every voxel's value is its address: 10000 z + 100 y + x."""
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return (10000.0 * z + 100.0 * y + x).astype(np.float32)


def ball(shape: tuple[int, int, int] = SHAPE, radius: float = 17.0) -> np.ndarray:
    """A ball in the middle of a volume."""
    axes = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return sum((a - (n - 1) / 2) ** 2 for a, n in zip(axes, shape, strict=True)) <= radius**2


def put(store: Store, key: str = "d-volume", *, shape: tuple[int, int, int] = SHAPE) -> str:
    """Store a volume with an address map, an energy map that has a value in a ball only, its labels, and a small stack."""
    address, inside = ramp(shape), ball(shape)
    x = np.broadcast_to(np.arange(shape[2], dtype=np.float32), shape)
    energy = np.where(inside, 8340.0 + 10.0 * x / shape[2], np.nan).astype(np.float32)
    stack = np.stack([address / 1e6 + i for i in range(len(ENERGIES))], axis=-1).astype(np.float32)
    space = ("z", "y", "x")
    ds = xr.Dataset(
        {
            "address": (space, address, {"units": "1", "title": "Address"}),
            "edge_energy": (space, energy, {"units": "eV", "title": "Edge energy"}),
            "labels": (space, np.where(inside, 1 + (x > shape[2] / 2), 0).astype(np.uint8), {"units": "1", "title": "Halves"}),
            "mu": ((*space, "energy"), stack, {"units": "1", "title": "Absorption"}),
            "picture": (space[1:], address[0], {"units": "1", "title": "Picture"}),
        },
        coords={"energy": ("energy", list(ENERGIES), {"units": "eV"})},
        attrs={"voxel_um": 0.05, "definition": "e_half"},
    )
    store.put(key, ds, {"kind": "dataset"})
    return key
