"""What a brush added to the cracks or took away from them."""

import numpy as np
import xarray as xr

from analysis.core.data import table
from analysis.core.errors import DataError
from analysis.cracks.schemas import STROKES

MOST_STROKES = 100_000


def strokes_of(points: np.ndarray, *, radius: float, add: bool, before: xr.Dataset | None = None) -> xr.Dataset:
    """Balls at some voxels as an edit, after those of an earlier edit.

    Parameters
    ----------
    points
        Shape (n, 3): z, y, x of the middles in voxels; voxel i has its middle at i.
    radius
        In voxels; 0 is the voxel alone.
    """
    if points.ndim != 2 or points.shape[1] != 3 or not np.isfinite(points).all() or not 0 <= radius <= 1000:
        raise DataError("A stroke needs places and a radius.", hint="Paint on the slice.")
    n = len(points)
    columns = {"z": points[:, 0], "y": points[:, 1], "x": points[:, 2], "radius": np.full(n, radius), "add": np.full(n, float(add))}
    if before is not None:
        columns = {k: np.concatenate([before[k].values, v]) for k, v in columns.items()}
    if len(columns["z"]) > MOST_STROKES:
        raise DataError(f"There are more than {MOST_STROKES} strokes.", hint="Change the settings, so that less is left to paint.")
    return STROKES.conform(table({k: (v, "1") for k, v in columns.items()}, dim="stroke"))


def painted(crack: np.ndarray, strokes: xr.Dataset, *, first: int = 0) -> np.ndarray:
    """The cracks with the strokes, in their order, shape as given; ``first`` is the number of the first slice."""
    out = crack.copy()
    values = [strokes[k].values.astype(float) for k in ("z", "y", "x", "radius", "add")]
    for z, y, x, radius, add in zip(*values, strict=True):
        low = [max(0, int(np.ceil(c - radius))) for c in (z - first, y, x)]
        high = [min(n, int(np.floor(c + radius)) + 1) for c, n in zip((z - first, y, x), out.shape, strict=True)]
        if any(a >= b for a, b in zip(low, high, strict=True)):
            continue
        axes = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        ball = sum((axis - c) ** 2 for axis, c in zip(axes, (z - first, y, x), strict=True)) <= radius**2
        out[tuple(slice(a, b) for a, b in zip(low, high, strict=True))][ball] = add != 0
    return out
