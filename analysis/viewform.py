"""The view form of a stored variable: what slices and 3D pictures are cut from.

A zarr group of 16-bit integers with one scale and offset (0 is "not a number"), chunks of 64³ voxels of one layer, and a pyramid
of 2× coarser levels; ``attrs["view"]`` says how to read them. A layer is a photon energy, a component, whatever dimension
the variable has besides space; pictures are volumes of one voxel in z. It is made once, block by block, whatever the size
of the data, and stored as a result under the hash of source, variable and code. See ``analysis.core.numerics.pyramid``.

Layout: ``level0``, ``level1``, … with dimensions (layer, z, y, x). Layers of one block share a file (shard), so that a stack of
80 energies does not become ten thousands of files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from analysis.core import settings
from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.hashing import json_digest
from analysis.core.numerics import pyramid
from analysis.core.progress import report
from analysis.core.store import COMPRESSION, Store
from analysis.core.versions import code_version, library_versions
from analysis.schemas import DEFINITIONS, EDGE_MAP, FLAGS, VOXEL, has_voxel_size, spatial_dims, voxel_um

JOB = "analysis.viewform:make_view"
LAYOUT = 2  # part of the key: raise it when the arrays or their description change
CHUNK, FLAT_CHUNK = 64, 512
SHARD_LAYERS = 64
TOP = 64  # the coarsest level is not longer than this on any axis
PERCENTS = (0.0, 0.5, 1.0, 2.0, 5.0, 25.0, 50.0, 75.0, 95.0, 98.0, 99.0, 99.5, 100.0)
LAYER_BINS = 1024
INLINE_VOXELS = 4 << 20  # made at once up to here: a fraction of a second
FEW_LABELS = 256
TITLES = {
    "mu": "Absorption",
    "density": "Tomogram",
    "edge_energy_std": "σ of the edge energy",
    "label": "Cluster",
    "weight": "Fraction",
    "r_factor": "R-factor",
}

Kind = Literal["auto", "quantity", "labels"]
Box = tuple[slice, slice, slice, slice]  # layer, z, y, x


@dataclass(frozen=True)
class ViewPlan:
    """A view form that is there or can be made: its key and the record that explains it."""

    key: str
    record: dict[str, Any]
    voxels: int

    @property
    def payload(self) -> dict[str, Any]:
        """What the job ``JOB`` needs to make it."""
        return {"source": self.record["inputs"]["source"], **self.record["params"]}


def plan_view(store: Store, source: str, variable: str, *, kind: Kind = "auto") -> ViewPlan:
    """Check that a stored variable can be shown, and name its view form.

    Raises
    ------
    ParamError
        The entry has no such variable.
    DataError
        The variable does not hold numbers in space, or has more than one dimension besides.
    """
    array = _array(store, source, variable)
    record = {
        "kind": "result",
        "recipe": "view.form",
        "inputs": {"source": source},
        "params": {"variable": variable, "kind": kind},
        "code": f"{LAYOUT}-{code_version(pyramid.quantise)}",
        "libraries": library_versions(),
    }
    return ViewPlan("r-" + json_digest(record), record, array.size)


def make_view(store: Store, payload: Mapping[str, Any]) -> str:
    """Make a view form unless it is stored; return its key. Runs as a job, or at once where the data are small."""
    source, variable, kind = payload["source"], payload["variable"], payload.get("kind", "auto")
    planned = plan_view(store, source, variable, kind=kind)
    if not store.has(planned.key):
        ds = store.open(source)
        making = _Making(ds, _array(store, source, variable), source, kind)
        store.put_files(planned.key, making.write, {**planned.record, "created": settings.now()})
    return planned.key


def described(store: Store, key: str) -> dict[str, Any]:
    """What ``attrs["view"]`` says of a view form: levels, scale, unit, layers, percentiles.

    Raises
    ------
    DataError
        The entry is something else.
    """
    found = store.open(key).attrs.get("view")
    if not isinstance(found, dict):
        raise DataError(f"{key} is not a view form.", hint="View forms are made from stored variables when a page shows them.")
    return found


def _array(store: Store, source: str, variable: str) -> xr.DataArray:
    ds = store.open(source)
    if variable not in ds.data_vars:
        raise ParamError(f"{source} has no variable '{variable}'.", hint=f"It has: {', '.join(map(str, ds.data_vars))}.")
    array = ds[variable]
    extra = [d for d in array.dims if d not in VOXEL]
    if "y" not in array.dims or "x" not in array.dims or len(extra) > 1:
        raise DataError(f"'{variable}' has dimensions {array.dims}: it is no picture and no volume.", hint="Choose a map or a stack.")
    if array.dtype.kind not in "biuf":
        raise DataError(f"'{variable}' does not hold numbers.", hint="Choose a map or a stack.")
    if array.size == 0:
        raise DataError(f"'{variable}' is empty.", hint="Choose a map or a stack.")
    return array


class _Making:
    """One view form on its way to disk: two passes over the source, then each coarser level from the one before."""

    def __init__(self, ds: xr.Dataset, array: xr.DataArray, source: str, kind: Kind) -> None:
        layer = next((str(d) for d in array.dims if d not in VOXEL), None)
        self.ds, self.source, self.layer, self.kind = ds, source, layer, kind
        self.array = array.transpose(*([layer] if layer else []), *(d for d in VOXEL if d in array.dims))
        sizes = array.sizes
        self.shape = (sizes[layer] if layer else 1, sizes.get("z", 1), sizes["y"], sizes["x"])
        flat = self.shape[1] == 1
        self.chunk = (1, 1, FLAT_CHUNK, FLAT_CHUNK) if flat else (1, CHUNK, CHUNK, CHUNK)
        self.counts = np.zeros(pyramid.CODES + 1, np.int64)
        self.layer_counts = np.zeros((self.shape[0], LAYER_BINS), np.int64)

    def write(self, folder: Path) -> None:
        """Write the whole group into a folder that does not exist yet."""
        import zarr

        found = self._range()
        labels = self.kind == "labels" or (self.kind == "auto" and self._few_whole(found))
        scale, levels = found.scale(), self._levels()
        group = zarr.open_group(folder, mode="w", zarr_format=3)
        arrays = [self._create(group, n, shape) for n, shape in enumerate(levels)]
        self._fill(arrays[0], scale)
        for n, (fine, coarse) in enumerate(pairwise(arrays)):
            report(0.9 + 0.1 * n / len(arrays), "coarser levels")
            self._coarsen(fine, coarse, labels=labels)
        group.attrs.update({"schema": "view.form", "schema_version": LAYOUT, "view": self._description(found, scale, labels, levels)})
        zarr.consolidate_metadata(folder)

    def _few_whole(self, found: pyramid.Range) -> bool:
        return self.array.dtype.kind in "biu" and self.array.attrs.get("units") in ("1", "") and found.high - found.low < FEW_LABELS

    def _levels(self) -> list[tuple[int, int, int]]:
        levels = [self.shape[1:]]
        while max(levels[-1]) > TOP:
            z, y, x = levels[-1]
            levels.append((-(-z // 2), -(-y // 2), -(-x // 2)))
        return levels

    def _create(self, group: Any, level: int, shape: tuple[int, int, int]) -> Any:
        from zarr.codecs import BloscCodec

        layers = min(self.shape[0], SHARD_LAYERS)
        return group.create_array(
            f"level{level}",
            shape=(self.shape[0], *shape),
            dtype="uint16",
            chunks=self.chunk,
            shards=(layers, *self.chunk[1:]) if layers > 1 else None,
            compressors=(BloscCodec(**COMPRESSION),),  # type: ignore[arg-type]
            fill_value=0,
            dimension_names=["layer", *(f"{d}{level or ''}" for d in VOXEL)],
            attributes={"units": "1"},
        )

    def _range(self) -> pyramid.Range:
        found = pyramid.Range()
        for done, box in self._boxes(self.shape[1:]):
            report(0.4 * done, "range of values")
            found.add(self._block(box))
        return found

    def _fill(self, level: Any, scale: pyramid.Scale) -> None:
        for done, box in self._boxes(self.shape[1:]):
            report(0.4 + 0.5 * done, "slices")
            codes = pyramid.quantise(self._block(box), scale)
            level[box] = codes
            for n, layer in zip(range(box[0].start, box[0].stop), codes, strict=True):
                counts = np.bincount(layer.reshape(-1), minlength=pyramid.CODES + 1)
                counts[0] = 0
                self.counts += counts
                self.layer_counts[n] += counts.reshape(LAYER_BINS, -1).sum(axis=1)

    def _coarsen(self, fine: Any, coarse: Any, *, labels: bool) -> None:
        for _, box in self._boxes(coarse.shape[1:]):
            twice = tuple(slice(2 * s.start, 2 * s.stop) if n > 1 else s for s, n in zip(box[1:], fine.shape[1:], strict=True))
            coarse[box] = pyramid.halve(fine[(box[0], *twice)], labels=labels)

    def _boxes(self, shape: tuple[int, ...]) -> Iterator[tuple[float, Box]]:
        """Blocks of one shard each, in order, with the fraction that is done before each."""
        sizes = (SHARD_LAYERS, *self.chunk[1:])
        counts = [-(-n // s) for n, s in zip((self.shape[0], *shape), sizes, strict=True)]
        for i, place in enumerate(np.ndindex(*counts)):
            layer, z, y, x = (slice(p * s, min((p + 1) * s, n)) for p, s, n in zip(place, sizes, (self.shape[0], *shape), strict=True))
            yield i / int(np.prod(counts)), (layer, z, y, x)

    def _block(self, box: Box) -> np.ndarray:
        """Values of a block, shape (layer, z, y, x)."""
        axes = dict(zip(("layer", *VOXEL), box, strict=True))
        if self.layer:
            axes[self.layer] = axes["layer"]
        values = self.array.isel({d: axes[str(d)] for d in self.array.dims}).to_numpy()
        return values.reshape([s.stop - s.start for s in box])

    def _description(self, found: pyramid.Range, scale: pyramid.Scale, labels: bool, levels: list[tuple[int, int, int]]) -> dict[str, Any]:
        attrs = self.array.attrs
        sizes = dict(zip(spatial_dims(self.ds), voxel_um(self.ds), strict=True))
        last = scale.offset + scale.scale * pyramid.CODES
        return {
            "source": self.source,
            "variable": str(self.array.name),
            "title": self._title(),
            "units": str(attrs.get("units", "1")),
            "definition": self._definition(),
            "labels": labels,
            "names": self._names(),
            "scale": scale.scale,
            "offset": scale.offset,
            "cut": bool(found.samples) and (found.low < scale.offset + scale.scale / 2 or found.high > last + scale.scale / 2),
            "low": found.low if found.samples else None,
            "high": found.high if found.samples else None,
            "flat": "z" not in self.array.dims,
            "levels": [list(level) for level in levels],
            "layers": self._layers(),
            "voxel_um": [sizes.get(d, 1.0) for d in VOXEL],
            "has_voxel_size": has_voxel_size(self.ds),
            "percents": list(PERCENTS),
            "percentiles": pyramid.percentiles(self.counts, scale, PERCENTS),
            "layer_percentiles": [pyramid.percentiles(c, scale, PERCENTS) for c in self.layer_counts] if self.shape[0] > 1 else [],
            "warnings": list(warnings_of(self.ds)),
        }

    def _title(self) -> str:
        attrs, name = self.array.attrs, str(self.array.name)
        plain = TITLES.get(name) or name.replace("_", " ")
        return str(attrs.get("title") or attrs.get("long_name") or plain[:1].upper() + plain[1:])

    def _names(self) -> dict[str, str]:
        """Names of labels: as the variable has them, those of the flags of edge maps, else none."""
        given = {str(k): str(v) for k, v in dict(self.array.attrs.get("names") or {}).items()}
        flags = str(self.array.name) == "flags" and self.ds.attrs.get("schema") == EDGE_MAP.name
        return given or ({"0": "counts", **{str(k): v for k, v in FLAGS.items()}} if flags else {})

    def _definition(self) -> str:
        """What an edge energy means, in words; empty for what needs none."""
        given = str(self.ds.attrs.get("definition") or "")
        return DEFINITIONS.get(given, given) if str(self.array.name).startswith("edge_energy") else ""

    def _layers(self) -> dict[str, Any] | None:
        """Name, unit and value of each layer; None where there is but one."""
        if self.layer is None:
            return None
        coordinate = self.ds.variables.get(self.layer)
        known = coordinate is not None and coordinate.dims == (self.layer,) and coordinate.dtype.kind in "biuf"
        values = np.asarray(coordinate.values, float) if known and coordinate is not None else np.arange(self.shape[0], dtype=float)
        units = str(coordinate.attrs.get("units", "1")) if known and coordinate is not None else "1"
        return {"name": self.layer, "units": units, "values": [float(v) for v in values], "names": self._layer_names()}

    def _layer_names(self) -> list[str]:
        """Names of the layers, where the dataset names its components; else none."""
        names = self.ds.variables.get("name")
        known = names is not None and names.dims == (self.layer,)
        return [str(n) for n in np.asarray(names.values)] if known and names is not None else []
