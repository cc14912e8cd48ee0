"""A tomogram laid over a chemistry map: rigid, voxel sizes respected, interpolated once.

Both show the same particle, measured apart: rotated a little and shifted. Sizes are not fitted, they are known from the voxel sizes. The
transform that makes the two most alike (correlation coefficient of their grey values) is searched from coarse to fine, beginning at the
shift of the best plain correlation. What remains is measured in blocks of the result: a wrong voxel size or a deformed particle shows
as residual shifts that grow outwards.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr
from pydantic import Field
from scipy import ndimage, optimize
from scipy.spatial.transform import Rotation

from analysis.core.data import Scalar, warn
from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.core.registry import Input, Recipe
from analysis.schemas import EDGE_MAP, VOLUME, has_voxel_size, spatial_dims, voxel_um

COARSE, FINE = 40, 96  # longest side, in voxels, of the images in which the transform is searched
LEAST_LIKE = 0.5  # correlation below which the two hardly show one particle
BLOCKS = 2  # residual shifts are measured in this many blocks along each axis
UPSAMPLE = 10


class RegistrationParams(Params):
    """How a tomogram is laid over a map."""

    rotate: bool = Field(True, title="Find a rotation too")
    largest_angle: float = Field(15.0, gt=0, le=45, title="Largest rotation", json_schema_extra={"unit": "degree"})


@dataclass(frozen=True)
class Rigid:
    """A point r of the map, in µm from its centre, is at R·(r − shift) from the centre of the volume."""

    angles: tuple[float, ...]  # degrees; one in an image, three (about z, y, x) in a volume
    shift_um: tuple[float, ...]

    @property
    def matrix(self) -> np.ndarray:
        """R, shape (d, d), axes in the order of the arrays."""
        if len(self.shift_um) == 2:
            a = math.radians(self.angles[0])
            return np.array([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])
        return Rotation.from_euler("ZYX", self.angles, degrees=True).as_matrix()[::-1, ::-1]


def resampled(
    volume: np.ndarray,
    volume_um: tuple[float, ...],
    shape: tuple[int, ...],
    map_um: tuple[float, ...],
    by: Rigid,
    *,
    outside: float = np.nan,
) -> np.ndarray:
    """The volume on the grid of the map: one linear interpolation; ``outside`` where it does not reach."""
    matrix = by.matrix * np.array(map_um)[None, :] / np.array(volume_um)[:, None]
    into = by.matrix @ np.array(by.shift_um) / np.array(volume_um)
    centre, map_centre = (np.array(volume.shape) - 1) / 2, (np.array(shape) - 1) / 2
    offset = centre - matrix @ map_centre - into
    return ndimage.affine_transform(volume.astype(np.float32), matrix, offset, output_shape=shape, order=1, mode="constant", cval=outside)


def found_transform(
    volume: np.ndarray, volume_um: tuple[float, ...], still: np.ndarray, map_um: tuple[float, ...], params: RegistrationParams
) -> Rigid:
    """The rigid transform that lays ``volume`` over ``still``."""
    by = _first_shift(volume, volume_um, still, map_um)
    for done, side in enumerate((COARSE, FINE)):
        report(0.45 * done, "searching the transform")
        fixed, fixed_um = _smaller(still, map_um, side)
        moving, moving_um = _smaller(volume, volume_um, 2 * side)
        by = _refined(moving, moving_um, fixed, fixed_um, by, params)
    return by


def residual_shifts_um(laid: np.ndarray, still: np.ndarray, map_um: tuple[float, ...]) -> np.ndarray:
    """Shifts (n, d) in µm that are left in blocks of the image, of the blocks that have structure."""
    from skimage.registration import phase_cross_correlation

    found = []
    filled = np.nan_to_num(laid)
    sizes = [max(1, n // BLOCKS) for n in still.shape]
    spread = still.std()
    for index in np.ndindex(*[n // s for n, s in zip(still.shape, sizes, strict=True)]):
        block = tuple(slice(i * s, (i + 1) * s) for i, s in zip(index, sizes, strict=True))
        if still[block].std() > 0.3 * spread and filled[block].std() > 0:
            pair = (still[block] - still[block].mean(), filled[block] - filled[block].mean())
            found.append(phase_cross_correlation(*pair, upsample_factor=UPSAMPLE, normalization=None)[0] * np.array(map_um))
    return np.array(found).reshape(-1, still.ndim)


def register(*, volume: xr.Dataset, edge_map: xr.Dataset, params: RegistrationParams) -> xr.Dataset:
    """The volume on the grid of the map, with the transform, how alike they are and what residual is left.

    The map is represented by its edge jump (how much of the element is there), or by its valid voxels where it has none.
    """
    dims = spatial_dims(edge_map)
    if spatial_dims(volume) != dims:
        raise DataError(
            f"The volume has {len(spatial_dims(volume))} dimensions and the map {len(dims)}.",
            hint="Lay volumes over 3D maps, images over 2D maps.",
        )
    unknown = [name for name, ds in (("volume", volume), ("map", edge_map)) if not has_voxel_size(ds)]
    if unknown:
        raise DataError(f"The voxel size of the {' and of the '.join(unknown)} is not known.", hint="Read the file with voxel_um=…")
    still = _picture(edge_map)
    moving = np.nan_to_num(np.asarray(volume["density"].values, np.float32))
    by = found_transform(moving, voxel_um(volume), still, voxel_um(edge_map), params)
    laid = resampled(moving, voxel_um(volume), still.shape, voxel_um(edge_map), by)
    alike = _alike(laid, still)
    left = residual_shifts_um(laid, still, voxel_um(edge_map))
    residual = float(np.sqrt((left**2).sum(axis=1).mean())) if left.size else float("nan")
    attrs = {
        "voxel_um": list(voxel_um(edge_map)),
        "metadata": {"rotation_degree": list(by.angles), "shift_um": list(by.shift_um), "correlation": alike, "residual_um": residual},
    }
    made = xr.Dataset({"density": (dims, laid, {"units": volume["density"].attrs["units"]})}, attrs=attrs)
    weak = [f"Tomogram and map are hardly alike (correlation {alike:.2f}): do they show the same particle?"] if alike < LEAST_LIKE else []
    return warn(made, *weak)


def summarise(stored: xr.Dataset, params: RegistrationParams) -> Mapping[str, Scalar]:
    """Rotation, shift, likeness, residual."""
    said = stored.attrs["metadata"]
    return {
        "rotation": Scalar(float(np.linalg.norm(said["rotation_degree"])), "degree", title="Rotation"),
        "shift": Scalar(float(np.linalg.norm(said["shift_um"])), "um", title="Shift"),
        "correlation": Scalar(said["correlation"], "1", title="Correlation"),
        "residual": Scalar(said["residual_um"], "um", title="Residual shift in blocks"),
    }


def _picture(edge_map: xr.Dataset) -> np.ndarray:
    valid = edge_map["flags"].values == 0
    if "edge_jump" in edge_map:
        return np.where(valid, np.nan_to_num(edge_map["edge_jump"].values), 0).astype(np.float32)
    return valid.astype(np.float32)


def _smaller(image: np.ndarray, size_um: tuple[float, ...], side: int) -> tuple[np.ndarray, tuple[float, ...]]:
    """The image at no more than ``side`` voxels along its longest side: smoothed, then every nth voxel."""
    step = max(1, math.ceil(max(image.shape) / side))
    if step == 1:
        return image, size_um
    smooth = ndimage.gaussian_filter(image.astype(np.float32), step / 2)
    shape = tuple(max(1, n // step) for n in image.shape)
    offset = [(n - 1) / 2 - step * (m - 1) / 2 for n, m in zip(image.shape, shape, strict=True)]  # the centre stays where it is
    taken = ndimage.affine_transform(smooth, np.full(image.ndim, float(step)), offset, output_shape=shape, order=1)
    return taken, tuple(s * step for s in size_um)


def _first_shift(volume: np.ndarray, volume_um: tuple[float, ...], still: np.ndarray, map_um: tuple[float, ...]) -> Rigid:
    from skimage.registration import phase_cross_correlation

    none = Rigid((0.0,) * (1 if still.ndim == 2 else 3), (0.0,) * still.ndim)
    plain = resampled(volume, volume_um, still.shape, map_um, none, outside=0.0)
    pair = (still - still.mean(), plain - plain.mean())
    shift = phase_cross_correlation(*pair, normalization=None)[0]
    return Rigid(none.angles, tuple(float(s * u) for s, u in zip(shift, map_um, strict=True)))


def _refined(
    volume: np.ndarray, volume_um: tuple[float, ...], still: np.ndarray, map_um: tuple[float, ...], start: Rigid, params: RegistrationParams
) -> Rigid:
    """The best transform near ``start``; angles are searched in steps that move the rim by about a voxel."""
    n = len(start.angles) if params.rotate else 0
    degree_a_voxel = math.degrees(2 / max(still.shape))
    unit = np.array([degree_a_voxel] * n + list(map_um))
    limit = params.largest_angle

    def rigid(x: np.ndarray) -> Rigid:
        values = x * unit
        return Rigid(tuple(np.clip(values[:n], -limit, limit)) if n else start.angles, tuple(values[n:]))

    def unlike(x: np.ndarray) -> float:
        return -_alike(resampled(volume, volume_um, still.shape, map_um, rigid(x), outside=0.0), still)

    first = np.array([*start.angles[:n], *start.shift_um]) / unit
    found = optimize.minimize(unlike, first, method="Powell", options={"xtol": 0.02, "ftol": 1e-6, "maxiter": 12})
    best = rigid(found.x)
    return Rigid(tuple(float(a) for a in best.angles), tuple(float(s) for s in best.shift_um))


def _alike(laid: np.ndarray, still: np.ndarray) -> float:
    known = np.isfinite(laid)
    a, b = laid[known], still[known]
    if a.size < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


RECIPES_REGISTRATION: tuple[Recipe, ...] = (
    Recipe(
        "xanes.register",
        "Tomogram laid over a map",
        {"volume": Input(VOLUME.name), "edge_map": Input(EDGE_MAP.name)},
        VOLUME,
        register,
        RegistrationParams,
        summarise=summarise,
    ),
)
