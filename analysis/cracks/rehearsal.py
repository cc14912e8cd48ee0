"""Every kernel of the modality once, on a small particle: compiled code is loaded before somebody waits for it."""

import numpy as np
import xarray as xr

from analysis.core.data import with_scalars
from analysis.cracks.compute import RECIPES
from analysis.cracks.params import CrackParams
from analysis.cracks.segment import in_slab, prepared

SIDE = 40


def rehearse() -> None:
    """Run each recipe over a ball with a crack; what comes out is thrown away."""
    recipes = {r.id: r for r in RECIPES}
    volume, edges = _ball()
    params = CrackParams(blanks=1)
    segmentation = recipes["cracks.segment"].compute(volume=volume, params=params)
    in_slab(prepared(volume, params.model_copy(update={"detector": "sheet"})), SIDE // 2, SIDE // 2 + 1)
    given = {"segmentation": segmentation}
    for name in ("cracks.measure", "cracks.domains", "cracks.distance_profile"):
        recipe = recipes[name]
        chosen = recipe.params.check({})
        made = recipe.compute(**given, **({"edges": edges} if "edges" in recipe.inputs else {}), params=chosen)
        if recipe.summarise is not None:
            with_scalars(made, recipe.summarise(made, chosen))


def _ball() -> tuple[xr.Dataset, xr.Dataset]:
    z, y, x = np.ogrid[:SIDE, :SIDE, :SIDE]
    away = np.sqrt((z - SIDE / 2) ** 2 + (y - SIDE / 2) ** 2 + (x - SIDE / 2) ** 2)
    inside = away < 0.4 * SIDE
    crack = inside & (np.abs(z - SIDE / 2) < 2) & (away < 0.3 * SIDE)
    noise = np.random.default_rng(0).normal(0, 0.05, inside.shape)
    space = ("z", "y", "x")
    density = ((inside & ~crack) + noise).astype(np.float32)
    volume = xr.Dataset({"density": (space, density, {"units": "1"})}, attrs={"voxel_um": 0.1})
    energy = np.where(inside, 8340.0 + noise, np.nan).astype(np.float32)
    flags = (~inside).astype(np.uint8)
    maps = {"edge_energy": (space, energy, {"units": "eV"}), "flags": (space, flags, {"units": "1"})}
    return volume, xr.Dataset(maps, attrs={"voxel_um": 0.1})
