"""The surface of a particle as a stored result: triangles with the value of a map at each vertex.

Made from view forms, at the finest level of their pyramid that has at most ``MOST_VOXELS`` voxels, so that memory is bounded
whatever the size of the data. ``attrs["surface"]`` says what it shows and how far simplifying moved it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from analysis.core import settings
from analysis.core.errors import DataError
from analysis.core.hashing import json_digest
from analysis.core.numerics import mesh, pyramid
from analysis.core.progress import report
from analysis.core.store import Store
from analysis.core.versions import code_version, library_versions
from analysis.viewform import described

JOB = "analysis.surface:make_surface"
LAYOUT = 1  # part of the key: raise it when the arrays or their description change
MOST_VOXELS = 1 << 24
INLINE_VOXELS = 1 << 18  # made at once up to here: a fraction of a second
FACES = 40_000
SMOOTH = 0.7  # voxels: takes the stairs off


@dataclass(frozen=True)
class SurfacePlan:
    """A surface that is there or can be made: its key and the record that explains it."""

    key: str
    record: dict[str, Any]
    voxels: int

    @property
    def payload(self) -> dict[str, Any]:
        """What the job ``JOB`` needs to make it."""
        return {**self.record["inputs"], **self.record["params"]}


def plan_surface(
    store: Store,
    shape: str,
    colour: str = "",
    *,
    threshold: float | None = None,
    layer: int = 0,
    faces: int = FACES,
    smooth: float = SMOOTH,
) -> SurfacePlan:
    """Name the surface around what a view form shows.

    Parameters
    ----------
    shape
        Key of the view form whose voxels are surrounded: those at or above ``threshold``; without one, those that have a
        value, and of labels those that are not 0.
    colour
        Key of the view form that colours the surface, of the same field and number of voxels; "" for none.
    layer
        Number of the layer of ``colour``.

    Raises
    ------
    DataError
        A key is no view form, of a picture, or the two do not fit together.
    """
    said = described(store, shape)
    if said["flat"]:
        raise DataError(f"'{said['variable']}' is a picture: it has no surface.", hint="Choose a volume.")
    if colour and described(store, colour)["levels"] != said["levels"]:
        sizes = [" × ".join(map(str, described(store, k)["levels"][0])) for k in (shape, colour)]
        raise DataError(f"A volume of {sizes[0]} voxels cannot be coloured by one of {sizes[1]}.", hint="Choose maps of one measurement.")
    params = {"threshold": threshold, "layer": layer, "faces": faces, "smooth": smooth}
    record = {
        "kind": "result",
        "recipe": "view.surface",
        "inputs": {"shape": shape, **({"colour": colour} if colour else {})},
        "params": params,
        "code": f"{LAYOUT}-{code_version(mesh.surface)}",
        "libraries": library_versions(),
    }
    return SurfacePlan("r-" + json_digest(record), record, int(np.prod(said["levels"][_level(said)])))


def make_surface(store: Store, payload: Mapping[str, Any]) -> str:
    """Make a surface unless it is stored; return its key. Runs as a job, or at once where the data are small."""
    given = dict(payload)
    planned = plan_surface(store, given.pop("shape"), given.pop("colour", ""), **given)
    if not store.has(planned.key):
        store.put(planned.key, _made(store, planned), {**planned.record, "created": settings.now()})
    return planned.key


def surface_of(store: Store, key: str) -> dict[str, Any]:
    """What ``attrs["surface"]`` says of a stored surface."""
    found = store.open(key).attrs.get("surface")
    if not isinstance(found, dict):
        raise DataError(f"{key} is not a surface.", hint="Surfaces are made from volumes when a page shows them.")
    return found


def _level(said: Mapping[str, Any]) -> int:
    sizes = [int(np.prod(level)) for level in said["levels"]]
    return next((n for n, size in enumerate(sizes) if size <= MOST_VOXELS), len(sizes) - 1)


def _values(store: Store, key: str, layer: int = 0) -> np.ndarray:
    """A layer of a view form at the level for surfaces, shape (z, y, x), float32."""
    import zarr

    said = described(store, key)
    codes = zarr.open_array(store.path(key) / f"level{_level(said)}", mode="r")[min(layer, _layers(said) - 1)]
    return pyramid.Scale(said["scale"], said["offset"]).values(np.asarray(codes)).astype(np.float32)


def _layers(said: Mapping[str, Any]) -> int:
    return len(said["layers"]["values"]) if said["layers"] else 1


def _made(store: Store, planned: SurfacePlan) -> xr.Dataset:
    params, inputs = planned.record["params"], planned.record["inputs"]
    said, paint = described(store, inputs["shape"]), inputs.get("colour")
    voxel_um = _voxel_um(said)
    report(0.05, "shape")
    inside = _inside(_values(store, inputs["shape"]), said, params["threshold"])
    report(0.1, "triangles")
    whole = mesh.surface(inside, voxel_um, smooth=params["smooth"])
    if not len(whole.faces):
        raise DataError(f"No voxel of '{said['variable']}' belongs to the particle.", hint="Choose another mask or a lower threshold.")
    report(0.3, "fewer triangles")
    found, deviation = mesh.simplify(whole, params["faces"])
    report(0.8, "colours")
    shades = np.full(len(found.vertices), np.nan, np.float32)
    if paint:
        shades = mesh.painted(found, _values(store, paint, params["layer"]), voxel_um)
    about = _about(found, said, described(store, paint) if paint else None, paint or "", params)
    about |= {"deviation_mean_um": deviation.mean, "deviation_max_um": deviation.highest, "faces_before": len(whole.faces)}
    return xr.Dataset(
        {
            "point": (("vertex", "xyz"), found.vertices, {"units": "um"}),
            "normal": (("vertex", "xyz"), found.normals(), {"units": "1"}),
            "value": (("vertex",), shades, {"units": about["colour"]["units"] if about["colour"] else "1"}),
            "face": (("triangle", "corner"), found.faces, {"units": "1"}),
        },
        attrs={"schema": "view.surface", "schema_version": LAYOUT, "surface": about},
    )


def _inside(values: np.ndarray, said: Mapping[str, Any], threshold: float | None) -> np.ndarray:
    if threshold is not None:
        return values >= threshold
    return np.isfinite(values) & (values != 0) if said["labels"] else np.isfinite(values)


def _voxel_um(said: Mapping[str, Any]) -> tuple[float, float, float]:
    """Edge lengths of the voxels from which the surface is made."""
    z, y, x = (u * 2 ** _level(said) if n > 1 else u for n, u in zip(said["levels"][0], said["voxel_um"], strict=True))
    return z, y, x


def _about(
    found: mesh.Mesh, said: Mapping[str, Any], colour: Mapping[str, Any] | None, colour_key: str, params: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "vertices": len(found.vertices),
        "faces": len(found.faces),
        "area_um2": found.area,
        "volume_um3": found.volume,
        "size_um": [n * u for n, u in zip(said["levels"][0], said["voxel_um"], strict=True)],
        "has_voxel_size": said["has_voxel_size"],
        "voxels_a_side": 2 ** _level(said),
        "smooth_voxels": params["smooth"],
        "layer": params["layer"],
        "colour": colour,
        "colour_key": colour_key,
    }
