"""Pieces of the solid that cracks cut off from the rest of their particle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numba import njit
from pydantic import Field

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.numerics.components import components
from analysis.core.numerics.edt import squared_distances
from analysis.core.numerics.growth import grown
from analysis.core.params import Params
from analysis.core.progress import report
from analysis.cracks.grids import Chemistry, chemistry_of
from analysis.cracks.masks import Masks, masks_of
from analysis.schemas import VOXEL

NOISY = {"bottleneck": 1, "smallest": 500}  # of volumes with noise: a crack may leak by a voxel, and noise makes crumbs
EXACT = {"bottleneck": 0, "smallest": 1}
KINDS = ("enclosed", "detached")
VOXELS: dict[str, Any] = {"unit": "voxels"}


class DomainParams(Params):
    """What counts as cut off."""

    bottleneck: int | None = Field(
        None,
        ge=0,
        le=10,
        title="Bridges up to twice this width do not connect",
        description="Empty: 1 for volumes segmented here, 0 for other masks",
        json_schema_extra=VOXELS,
    )
    smallest: int | None = Field(
        None,
        ge=1,
        title="Smallest domain",
        description="Empty: 500 for volumes segmented here, 1 for other masks",
        json_schema_extra=VOXELS,
    )


@dataclass(frozen=True)
class Found:
    """Domains: ``label`` 1 main bodies, from 2 on the others by size; the rest of shape (domains,), main bodies left out."""

    label: np.ndarray
    size: np.ndarray
    particle: np.ndarray
    main_of: np.ndarray  # of every part, (parts + 1,): its particle where it is the main body, else 0


def domains(segmentation: xr.Dataset, params: DomainParams, *, edges: xr.Dataset | None = None) -> xr.Dataset:
    """Table of the isolated domains and a volume with their numbers.

    Notes
    -----
    Parts of the solid that are connected over faces; the largest of each particle is its main body. With a bottleneck of n, parts are
    told apart after n voxels are taken off the solid, and grow back to where they meet.
    """
    masks = masks_of(segmentation)
    said = dict(segmentation.attrs.get("segmentation") or {})
    defaults = NOISY if said.get("noisy") else EXACT
    neck = params.bottleneck if params.bottleneck is not None else defaults["bottleneck"]
    smallest = params.smallest if params.smallest is not None else defaults["smallest"]
    parts, owner = _parts(masks, neck)
    report(0.6, "domains")
    label, particle, solid_of = _named(parts, owner, smallest)
    n = particle.size
    z, y, x = masks.voxel
    faces = np.array([y * x, z * x, z * y])
    sums = np.zeros((n + 2, 6))
    _survey(label, masks.label, faces, sums)
    place = _places(label, sums)
    size = sums[2:, 0]
    columns: dict[str, tuple[Any, str]] = {
        "domain": (np.arange(2, n + 2), "1"),
        "of_particle": (particle, "1"),
        "volume": (size * masks.voxel_volume, "um**3"),
        "fraction": (size / np.maximum(solid_of[particle], 1), "1"),
        "contact": (sums[2:, 1], "um**2"),
        "kind": (np.array([KINDS[int(s > 0)] for s in sums[2:, 2]], dtype="U8"), ""),
        **{f"at_{axis}": (place[2:, k], "1") for k, axis in enumerate("zyx")},
    }
    if edges is not None:
        columns |= _energies(chemistry_of(edges, segmentation), label, masks.label, particle)
    made = xr.Dataset({k: (("domain_row",), np.asarray(v), {"units": u}) for k, (v, u) in columns.items()})
    made["label"] = (VOXEL, label, {"units": "1", "title": "Domain"})
    attrs = {"bottleneck": neck, "smallest": smallest, "solid": float(solid_of[1:].sum() * masks.voxel_volume)}
    attrs |= {k: segmentation.attrs[k] for k in ("voxel_um", "origin") if k in segmentation.attrs}
    if edges is not None and "definition" in edges.attrs:
        attrs["definition"] = edges.attrs["definition"]
    return warn(made.assign_attrs(attrs), *warnings_of(segmentation))


def _parts(masks: Masks, neck: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the parts in every voxel of the solid, int32, and the particle of each part, (parts + 1,)."""
    solid = masks.solid
    if neck == 0:
        found = components(solid, connectivity=6)
        label = found.labels()
    else:
        found = components(squared_distances(solid) > neck * neck, connectivity=6)
        label = grown(found.labels(), solid)
        rest = components(solid & (label == 0), connectivity=6)
        extra = rest.labels()
        label = np.where(extra > 0, extra + found.count, label).astype(np.int32)
    owner = np.zeros(int(label.max()) + 1, np.int64)
    inside = label > 0
    owner[label[inside]] = masks.label[inside]
    return label, owner


def _named(parts: np.ndarray, owner: np.ndarray, smallest: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """New numbers: 1 for main bodies, 2 … by size for domains, 0 for crumbs; particle of each domain; solid voxels of each particle."""
    size = np.bincount(parts.ravel(), minlength=owner.size)
    size[0] = 0
    solid_of = np.bincount(owner, size).astype(np.int64)
    names = np.zeros(owner.size, np.int32)
    order = np.argsort(-size, kind="stable")
    seen: set[int] = set()
    particle: list[int] = []
    for part in order[size[order] > 0].tolist():
        if int(owner[part]) not in seen:
            seen.add(int(owner[part]))
            names[part] = 1
        elif size[part] >= smallest:
            particle.append(int(owner[part]))
            names[part] = len(particle) + 1
        else:
            break
    kind = np.uint16 if len(particle) < 65_000 else np.int32
    rest = order[(size[order] > 0) & (names[order] == 0)]
    for part in rest.tolist():  # main bodies of particles that are smaller than the smallest domain
        if int(owner[part]) not in seen:
            seen.add(int(owner[part]))
            names[part] = 1
    return names.astype(kind)[parts], np.array(particle, np.int64), solid_of


@njit(nogil=True, cache=True)
def _survey(label, particle, faces, sums):  # type: ignore[no-untyped-def]
    """Of each domain: voxels, area towards other parts, area towards outside, sums of z, y, x."""
    depth, height, width = label.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                n = label[z, y, x]
                if n < 2:
                    continue
                sums[n, 0] += 1
                sums[n, 3] += z
                sums[n, 4] += y
                sums[n, 5] += x
                for side in range(6):
                    way, axis = 2 * (side % 2) - 1, side // 2
                    i, j, k = z + way * (axis == 0), y + way * (axis == 1), x + way * (axis == 2)
                    if i < 0 or j < 0 or k < 0 or i >= depth or j >= height or k >= width:
                        continue
                    if particle[i, j, k] == 0:
                        sums[n, 2] += faces[axis]
                    elif label[i, j, k] > 0 and label[i, j, k] != n:
                        sums[n, 1] += faces[axis]


def _places(label: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """The voxel of each domain that is nearest to its middle, shape (domains + 2, 3)."""
    middle = sums[:, 3:] / np.maximum(sums[:, :1], 1)
    place, best = np.zeros((len(sums), 3), np.int64), np.full(len(sums), np.inf)
    if len(sums) > 2:
        _nearest(label, middle, place, best)
    return place


@njit(nogil=True, cache=True)
def _nearest(label, middle, place, best):  # type: ignore[no-untyped-def]
    depth, height, width = label.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                n = label[z, y, x]
                if n < 2:
                    continue
                away = (z - middle[n, 0]) ** 2 + (y - middle[n, 1]) ** 2 + (x - middle[n, 2]) ** 2
                if away < best[n]:
                    best[n] = away
                    place[n, 0], place[n, 1], place[n, 2] = z, y, x


def _energies(chemistry: Chemistry, label: np.ndarray, particle: np.ndarray, of: np.ndarray) -> dict[str, tuple[Any, str]]:
    """Mean edge energy of each domain over the voxels of the map that lie wholly in it, and its difference to the main body."""
    n, bodies = of.size, int(particle.max())
    total, count = np.zeros(n + 2 + bodies), np.zeros(n + 2 + bodies)
    _mean_energies(chemistry.energy, np.array(chemistry.factor), label, particle, n + 1, total, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
    return {
        "edge_energy": (mean[2 : n + 2], "eV"),
        "difference": (mean[2 : n + 2] - mean[n + 1 + of], "eV"),
        "voxels_with_energy": (count[2 : n + 2], "1"),
    }


@njit(nogil=True, cache=True)
def _mean_energies(energy, factor, label, particle, bodies, total, count):  # type: ignore[no-untyped-def]
    depth, height, width = energy.shape
    for z in range(depth):
        for y in range(height):
            for x in range(width):
                if not np.isfinite(energy[z, y, x]):
                    continue
                a, b, c = z * factor[0], y * factor[1], x * factor[2]
                n, alike = label[a, b, c], True
                for i in range(a, a + factor[0]):
                    for j in range(b, b + factor[1]):
                        for k in range(c, c + factor[2]):
                            alike = alike and label[i, j, k] == n
                if n == 0 or not alike:
                    continue
                m = n if n > 1 else bodies + particle[a, b, c]
                total[m] += energy[z, y, x]
                count[m] += 1


def summarise(stored: xr.Dataset, params: DomainParams) -> Mapping[str, Scalar]:
    """How many domains, how much of the solid they are, how they differ in energy from the main body."""
    n, volume = int(stored.sizes["domain_row"]), stored["volume"].values
    solid = float(stored.attrs["solid"])
    detached = stored["kind"].values.astype(str) == "detached"
    found = {
        "n_domains": Scalar(n, "1", title="Isolated domains"),
        "n_detached": Scalar(int(detached.sum()), "1", title="Detached at the surface"),
        "n_enclosed": Scalar(int((~detached).sum()), "1", title="Enclosed"),
        "isolated_fraction": Scalar(
            float(volume.sum()) / solid if solid > 0 else None, "1", n=n, of="domains", title="Isolated part of the solid"
        ),
        "largest_domain": Scalar(float(volume.max()) if n else None, "um**3", n=n, of="domains", title="Largest isolated domain"),
    }
    if "difference" in stored:
        known = stored["difference"].values
        known = known[np.isfinite(known)]
        std = float(known.std(ddof=1)) if known.size > 1 else None
        mean = float(known.mean()) if known.size else None
        found["mean_difference"] = Scalar(
            mean, "eV", std=std, n=int(known.size), of="domains", title="Mean difference of edge energy to the main body"
        )
    return found
