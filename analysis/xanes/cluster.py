"""Groups of voxels with like spectra: principal components and k-means."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numba import njit
from pydantic import Field

from analysis.core.data import Scalar, Var, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.clustering import kmeans
from analysis.schemas import VOXEL, Spatial, spatial_dims
from analysis.xanes.blocks import in_blocks, is_lazy, like, per_voxel
from analysis.xanes.kept import slabs
from analysis.xanes.normalise import EV, LineParams, Lines
from analysis.xanes.voxels import Prepared, chosen_voxels, normalised_block, points_of, prepare_lines

CLUSTERS = Spatial(
    "xanes.clusters",
    {
        "label": Var(VOXEL, "1", title="Cluster"),  # from 1 in the order of edge energies; 0: not looked at
        "distance": Var(VOXEL, "1", title="Distance to the cluster's spectrum"),
        "energy": Var(("energy",), "eV", title="Photon energy"),
        "spectrum": Var(("cluster", "energy"), "1", title="Mean spectrum of the cluster"),
        "component": Var(("order", "energy"), "1", title="Principal component"),
        "explained": Var(("order",), "1", title="Share of the variance"),
        "share": Var(("cluster",), "1", title="Share of the sampled voxels"),
    },
)


class ClusterParams(LineParams):
    """How voxels are grouped."""

    clusters: int = Field(3, ge=2, le=12, title="Clusters")
    components: int = Field(4, ge=1, le=20, title="Principal components used")
    edge1: float = Field(-20.0, title="Spectra from, relative to E0", json_schema_extra=EV)
    edge2: float = Field(60.0, title="Spectra to, relative to E0", json_schema_extra=EV)
    seed: int = Field(0, ge=0, title="Seed")


@dataclass(frozen=True)
class Partition:
    """Components (p, n) about a mean (n,) and the centres (k, p) among them."""

    lines: Lines
    points: slice
    mean: np.ndarray
    components: np.ndarray
    explained: np.ndarray
    centers: np.ndarray
    spectra: np.ndarray
    share: np.ndarray


def clusters(stack: xr.Dataset, params: ClusterParams, *, mask: xr.Dataset | None = None, edges: xr.Dataset | None = None) -> xr.Dataset:
    """The cluster of every voxel; lazy where the stack is.

    Components and centres come from an even sample of up to some 40,000 spectra, then every voxel goes to the nearest centre.
    Give an edge map, or a mask: without them voxels without an edge are grouped too.
    """
    where = chosen_voxels(stack, mask, edges)
    prepared = prepare_lines(stack, params, where=where, edges=edges)
    found = _partition(prepared, params)
    spectra = in_blocks(stack["mu"])
    wanted = [like(where, spectra)] if where is not None else []
    made = per_voxel(_on_block, spectra, *wanted, rows=2, kind=np.float64, found=found)
    if not is_lazy(stack):
        made = made.compute()
    dims, units = spatial_dims(stack), {"units": "1"}
    ds = xr.Dataset(
        {
            "label": (dims, made[0].astype(np.uint8), units),
            "distance": (dims, made[1], units),
            "spectrum": (("cluster", "energy"), found.spectra, units),
            "component": (("order", "energy"), found.components, units),
            "explained": ("order", found.explained, units),
            "share": ("cluster", found.share, units),
        },
        {"energy": ("energy", found.lines.energy[found.points], {"units": "eV"})},
        {k: stack.attrs[k] for k in ("voxel_um", "element", "edge") if k in stack.attrs} | {"e0": found.lines.e0},
    )
    return warn(ds, *warnings_of(stack), *prepared.remarks)


def _partition(prepared: Prepared, params: ClusterParams) -> Partition:
    lines, energy = prepared.lines, prepared.lines.energy
    points = points_of(energy, lines.e0 + params.edge1, lines.e0 + params.edge2, least=params.components + 1)
    normed = normalised_block(np.ascontiguousarray(prepared.sample.mu), lines, points)
    normed = normed[np.isfinite(normed).all(axis=1)]
    if len(normed) < 10 * params.clusters:
        raise DataError(f"{len(normed)} spectra are too few for {params.clusters} clusters.", hint="Widen the mask, or ask for fewer.")
    mean = normed.mean(axis=0)
    variance, axes = np.linalg.eigh((normed - mean).T @ (normed - mean) / (len(normed) - 1))
    components = axes[:, ::-1][:, : params.components].T
    components *= np.sign(components[np.arange(len(components)), np.argmax(np.abs(components), axis=1)])[:, None]
    groups = kmeans((normed - mean) @ components.T, params.clusters, seed=params.seed)
    counts = np.bincount(groups.label, minlength=params.clusters)
    means = [normed[groups.label == i].mean(axis=0) if counts[i] else mean + groups.centers[i] @ components for i in range(params.clusters)]
    order = np.argsort([_center_of_rise(energy[points], m) for m in means])
    explained = variance[::-1][: params.components] / max(variance.sum(), np.finfo(float).tiny)
    spectra, share = np.stack(means)[order], counts[order] / counts.sum()
    return Partition(lines, points, mean, components, explained, groups.centers[order], spectra, share)


def _center_of_rise(energy: np.ndarray, norm: np.ndarray) -> float:
    """First moment of the rise up to the maximum: it moves with the edge, whatever its shape."""
    top = max(1, int(np.argmax(norm)))
    rise = np.clip(np.diff(norm[: top + 1]), 0, None)
    middle = 0.5 * (energy[1 : top + 1] + energy[:top])
    return float(np.sum(rise * middle) / rise.sum()) if rise.sum() > 0 else float(energy[top])


def _on_block(spectra: np.ndarray, *wanted: np.ndarray, found: Partition) -> np.ndarray:
    out = np.zeros((2, len(spectra)))
    out[1] = np.nan
    inside = wanted[0] != 0 if wanted else np.ones(len(spectra), dtype=bool)
    normed = normalised_block(np.ascontiguousarray(spectra[inside]), found.lines, found.points)
    label, distance = np.zeros(len(normed)), np.full(len(normed), np.nan)
    _nearest(normed, found.mean, found.components, found.centers, label, distance)
    out[0, inside], out[1, inside] = label, distance
    return out


@njit(nogil=True, cache=True)
def _nearest(
    normed: np.ndarray, mean: np.ndarray, components: np.ndarray, centers: np.ndarray, label: np.ndarray, distance: np.ndarray
) -> None:
    """One spectrum after another, so that the bits do not depend on the block."""
    score = np.zeros(components.shape[0])
    for i in range(normed.shape[0]):
        if np.isnan(normed[i, 0]):
            continue
        for p in range(score.size):
            score[p] = 0.0
            for k in range(mean.size):
                score[p] += components[p, k] * (normed[i, k] - mean[k])
        least = np.inf
        for c in range(centers.shape[0]):
            total = 0.0
            for p in range(score.size):
                total += (score[p] - centers[c, p]) ** 2
            if total < least:
                least, label[i] = total, c + 1
        distance[i] = np.sqrt(least)


def summarise(stored: xr.Dataset, params: ClusterParams) -> dict[str, Scalar]:
    """Share of the voxels in every cluster."""
    labels = np.sum([np.bincount(slab["label"].to_numpy().ravel(), minlength=params.clusters + 1) for slab in slabs(stored)], axis=0)
    n = int(labels[1:].sum())
    found = {"n_valid": Scalar(n, "1", n=n, of="voxels", title="Voxels grouped")}
    for i in range(1, params.clusters + 1):
        found[f"share_{i}"] = Scalar(float(labels[i] / n) if n else None, "1", n=n, of="voxels", title=f"Share of cluster {i}")
    return found
