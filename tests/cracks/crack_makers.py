"""Particles with cracks and chemistry of known truth, small enough for tests."""

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

from analysis.core.data import with_scalars
from analysis.core.registry import Recipe
from analysis.cracks.compute import RECIPES
from analysis.cracks.masks import segmentation_of

SPACE = ("z", "y", "x")
RECIPE: dict[str, Recipe] = {r.id: r for r in RECIPES}


def made(recipe_id: str, params: dict | None = None, **inputs) -> xr.Dataset:
    """The result of a recipe with its scalars, as a run stores it."""
    recipe = RECIPE[recipe_id]
    chosen = recipe.params.check(params or {})
    ds = recipe.output.conform(recipe.compute(**inputs, params=chosen))
    return with_scalars(ds, recipe.summarise(ds, chosen)) if recipe.summarise else ds


def scalar(ds: xr.Dataset, name: str) -> dict:
    return ds.attrs["scalars"][name]


def segmentation(
    crack: np.ndarray, envelope: np.ndarray, *, voxel_um: float | list[float] | None = 1.0, label: np.ndarray | None = None
) -> xr.Dataset:
    """A segmentation from masks, as an import makes it."""
    attrs = {} if voxel_um is None else {"voxel_um": voxel_um}
    names = label if label is not None else envelope.astype(np.uint16)
    ds = segmentation_of(
        names, crack, xr.Dataset({"mask": (SPACE, envelope)}, attrs=attrs), {"segmentation": {"imported": True, "noisy": False}}
    )
    return ds.assign_attrs(schema="cracks.segmentation")


def volume(density: np.ndarray, voxel_um: float | list[float] | None = 0.05) -> xr.Dataset:
    attrs = {} if voxel_um is None else {"voxel_um": voxel_um}
    return xr.Dataset({"density": (SPACE, density.astype(np.float32), {"units": "1/um"})}, attrs=attrs)


def edge_map(energy: np.ndarray, valid: np.ndarray, voxel_um: float = 1.0) -> xr.Dataset:
    maps = {
        "edge_energy": (SPACE, np.where(valid, energy, np.nan).astype(np.float32), {"units": "eV"}),
        "flags": (SPACE, np.where(valid, 0, 32).astype(np.uint8), {"units": "1"}),
    }
    return xr.Dataset(maps, attrs={"voxel_um": voxel_um, "definition": "e_half"})


def field(shape: tuple[int, ...], *, length: float, std: float, noise: float, seed: int) -> np.ndarray:
    """A chemistry that resembles its neighbours, with white noise: in eV about 0."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.standard_normal(shape), length)
    return std * smooth / smooth.std() + noise * rng.standard_normal(shape)


def ball(side: int, radius: float, middle: tuple[float, float, float] | None = None) -> np.ndarray:
    axes = np.ogrid[:side, :side, :side]
    at = middle or ((side - 1) / 2,) * 3
    return sum((a - m) ** 2 for a, m in zip(axes, at, strict=True)) <= radius**2
