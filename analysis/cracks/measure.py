"""How much is cracked, where, how wide, and how sure that is: per particle, per crack, and all together."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.components import components
from analysis.core.numerics.surfels import areas
from analysis.core.numerics.thickness import thickness_along
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.cracks.masks import Masks, masks_of
from analysis.cracks.schemas import MEASURES
from analysis.cracks.tallies import CrackSums, Shells, crack_sums, positions, shells

WIDTH_BINS_A_VOXEL = 1
MOST_WIDTHS = 400


class MeasureParams(Params):
    """What is counted."""

    include_cut: bool = Field(False, title="Particles cut by the border count too")
    min_crack: int = Field(50, ge=1, title="Smallest crack that is counted as one", json_schema_extra={"unit": "voxels"})
    shells: int = Field(10, ge=2, le=100, title="Shells from core to surface")
    level: float = Field(0.95, gt=0.5, lt=1, title="Level of the intervals over particles")


@dataclass(frozen=True)
class Parts:
    """What is found in the masks before it is put into tables."""

    masks: Masks
    cracks: CrackSums
    open: np.ndarray
    area: np.ndarray
    envelope: np.ndarray  # voxels of each particle, (particles + 1,)
    counted: np.ndarray
    shells: Shells


def measure(
    segmentation: xr.Dataset,
    params: MeasureParams,
    *,
    pristine: tuple[xr.Dataset, ...] = (),
    sensitivity: xr.Dataset | None = None,
) -> xr.Dataset:
    """Tables of particles and cracks, histograms of width and radial position.

    Parameters
    ----------
    pristine
        Segmentations of particles that are known to be without cracks, found by the same recipe: their ratio is subtracted, and its
        scatter gives the detection limit.
    sensitivity
        How the ratio changes with the settings.
    """
    masks = masks_of(segmentation)
    parts = _parts(masks, params)
    attrs = {"voxel_um": list(masks.voxel), "min_crack": params.min_crack}
    attrs |= {k: segmentation.attrs[k] for k in ("origin",) if k in segmentation.attrs}
    attrs["limits"] = _limits(segmentation, parts, pristine, sensitivity)
    made = xr.Dataset({**_particle_table(parts, params), **_crack_table(parts, params), **_histograms(parts)}, attrs=attrs)
    made = made.assign({n: made[n].assign_attrs(title=v.title) for n, v in MEASURES.variables.items() if n in made})
    return warn(made, *warnings_of(segmentation), *_remarks(parts, params))


def _parts(masks: Masks, params: MeasureParams) -> Parts:
    cracks = components(masks.crack)
    report(0.1, "labels")
    places = positions(masks, cracks, params.shells)
    report(0.4, "distances")
    width = thickness_along(masks.crack, cracks)
    report(0.7, "widths")
    area = areas(masks.crack, None, masks.label, masks.particles.count, masks.voxel)
    report(0.9, "areas")
    counted = places.envelope > 0
    counted[0] = False
    if not params.include_cut:
        counted[list(masks.particles.cut)] = False
    classes = min(MOST_WIDTHS, int(np.ceil(width.max(initial=0.0))) + 1), 1.0 / WIDTH_BINS_A_VOXEL
    found = shells(cracks, masks.label, places, width - np.float32(0.5), counted, classes)
    sums = crack_sums(cracks, masks.label, places.radial, width)
    return Parts(masks, sums, cracks.beside(masks.label), area, places.envelope, counted, found)


Variables = dict[str, tuple[Any, ...]]


def _particle_table(parts: Parts, params: MeasureParams) -> Variables:
    masks, cracks = parts.masks, parts.cracks
    n = masks.particles.count
    unit = masks.voxel_volume
    of = cracks.particle
    crack = np.bincount(of, cracks.size, minlength=n + 1)
    opened = np.bincount(of, cracks.size * parts.open, minlength=n + 1)
    large = cracks.size >= params.min_crack
    count = np.bincount(of[large], minlength=n + 1)
    largest = np.zeros(n + 1)
    np.maximum.at(largest, of, cracks.size)
    radial = np.bincount(of, np.nan_to_num(cracks.radial) * cracks.size, minlength=n + 1)
    volume = parts.envelope * unit
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "particle": (np.arange(n + 1), "1"),
            "volume": (volume, "um**3"),
            "diameter": ((6 * volume / np.pi) ** (1 / 3), "um"),
            "crack_volume": (crack * unit, "um**3"),
            "ratio": (crack / parts.envelope, "1"),
            "cut": (np.isin(np.arange(n + 1), masks.particles.cut).astype(np.uint8), "1"),
            "cracks": (count, "1"),
            "largest_fraction": (largest / crack, "1"),
            "surface_fraction": (opened / crack, "1"),
            "mean_width": (2 * crack * unit / parts.area, "um"),
            "radial_position": (radial / crack, "1"),
            "crack_area": (parts.area, "um**2"),
            "area_per_volume": (parts.area / volume, "1/um"),
        }
    return {name: (("particle_row",), values[1:], {"units": units}) for name, (values, units) in columns.items()}


def _crack_table(parts: Parts, params: MeasureParams) -> Variables:
    cracks, masks = parts.cracks, parts.masks
    kept = np.flatnonzero(cracks.size >= params.min_crack)
    kept = kept[kept > 0]
    kept = kept[np.argsort(-cracks.size[kept], kind="stable")]
    side = float(np.cbrt(masks.voxel_volume))
    middle = (cracks.middle[kept] + 0.5) * np.array(masks.voxel)
    columns = {
        "crack_particle": (cracks.particle[kept], "1"),
        "crack_size": (cracks.size[kept] * masks.voxel_volume, "um**3"),
        "crack_open": (parts.open[kept].astype(np.uint8), "1"),
        "crack_widest": (cracks.widest[kept] * side, "um"),
        "crack_radial": (cracks.radial[kept], "1"),
        "crack_z": (middle[:, 0], "um"),
        "crack_y": (middle[:, 1], "um"),
        "crack_x": (middle[:, 2], "um"),
    }
    return {name: (("crack",), values, {"units": units}) for name, (values, units) in columns.items()}


def _histograms(parts: Parts) -> Variables:
    unit, side = parts.masks.voxel_volume, float(np.cbrt(parts.masks.voxel_volume))
    widths, n = parts.shells.width, parts.shells.envelope.size
    return {
        "width": (("width_bin",), (np.arange(widths.size) + 1) * side / WIDTH_BINS_A_VOXEL, {"units": "um"}),
        "width_volume": (("width_bin",), widths * unit, {"units": "um**3"}),
        "radius": (("radial_bin",), (np.arange(n) + 0.5) / n, {"units": "1"}),
        "radial_crack": (("radial_bin",), parts.shells.crack * unit, {"units": "um**3"}),
        "radial_envelope": (("radial_bin",), parts.shells.envelope * unit, {"units": "um**3"}),
    }


def _limits(segmentation: xr.Dataset, parts: Parts, pristine: tuple[xr.Dataset, ...], sensitivity: xr.Dataset | None) -> dict[str, Any]:
    """Blank ratio, its scatter, and the range of the ratio over the settings."""
    said = dict(segmentation.attrs.get("segmentation") or {})
    blanks = [_plain_ratio(p) for p in pristine]
    found: dict[str, Any] = {"blanks": blanks or list(said.get("blanks") or []), "measured_blanks": bool(blanks)}
    found["smallest"] = int(said.get("min_crack", 1)) if found["blanks"] else None
    low, high = said.get("ratio_low"), said.get("ratio_high")
    if sensitivity is not None:
        values = sensitivity["ratio"].values
        low, high = float(values.min()), float(values.max())
    found["range"] = [low, high] if low is not None and high is not None else None
    return found


def _plain_ratio(segmentation: xr.Dataset) -> float:
    envelope = int((segmentation["envelope"] != 0).sum())
    if envelope == 0:
        raise DataError("A pristine reference is empty.", hint="Choose another one, or leave it out.")
    return float((segmentation["crack"] != 0).sum()) / envelope


def _remarks(parts: Parts, params: MeasureParams) -> list[str]:
    said = []
    if not parts.counted.any():
        said.append("Every particle is cut by the border of the volume: no ratio is given. Set include_cut to count them.")
    elif params.include_cut and parts.masks.particles.cut:
        said.append("Particles that are cut by the border of the volume count in the ratio.")
    if not parts.masks.crack.any():
        said.append("There are no cracks at all in this segmentation.")
    return said
