"""One crack pipeline in a process of its own: ``python -m benchmarks.crack_child ours|peer VOLUME.npy``; answers with one line of JSON."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

SPACE = ("z", "y", "x")
KIB = 1024


def ours(values: np.ndarray) -> dict[str, float]:
    """Segment, label, distances, measures as the recipes do them, without the dense phantoms of the detection limit."""
    import xarray as xr

    from analysis.cracks.measure import MeasureParams, measure
    from analysis.cracks.params import CrackParams
    from analysis.cracks.segment import find_cracks, prepared, ratio_of, segmentation_of

    volume = xr.Dataset({"density": (SPACE, values, {"units": "1"})}, attrs={"voxel_um": 0.05})
    steps, started = {}, time.perf_counter()
    ready = prepared(volume, CrackParams(blanks=0))
    steps["particles"] = time.perf_counter() - started
    crack = find_cracks(ready.grey, ready.particles, ready.facts, ready.limits, ready.params)
    steps["cracks"] = time.perf_counter() - started
    made = measure(segmentation_of(ready.particles.label, crack, volume, {}), MeasureParams())
    steps["measures"] = time.perf_counter() - started
    return {"ratio": ratio_of(crack, ready.particles.label), "cracks": float(made.sizes["crack"]), **_lengths(steps)}


def _lengths(steps: dict[str, float]) -> dict[str, float]:
    before, found = 0.0, {}
    for name, at in steps.items():
        found[f"s_{name}"], before = at - before, at
    return found


def peer(values: np.ndarray) -> dict[str, float]:
    """The same steps with scipy.ndimage and scikit-image, as their documentation shows them."""
    from scipy import ndimage
    from skimage import filters, measure, morphology

    smooth = filters.gaussian(values, 1.0)
    solid = smooth > filters.threshold_otsu(smooth[::4, ::4, ::4])
    solid = morphology.remove_small_objects(solid, max_size=1000)
    envelope = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(solid, 9), iterations=8)[9:-9, 9:-9, 9:-9])
    crack = morphology.remove_small_objects(envelope & ~solid, max_size=50, connectivity=3)
    label, count = ndimage.label(crack, np.ones((3, 3, 3)))
    sizes = np.bincount(label.ravel())
    depth = ndimage.distance_transform_edt(envelope)
    away = ndimage.distance_transform_edt(crack)
    width = 2 * ndimage.mean(away, label, range(1, min(count, 1000) + 1)) if count else np.zeros(1)
    radial = 1 - depth[crack].mean() / depth.max() if crack.any() else 0.0
    vertices, faces, _, _ = measure.marching_cubes(crack.astype(np.float32), 0.5)
    area = measure.mesh_surface_area(vertices, faces)
    open_to = np.unique(label[ndimage.binary_dilation(~envelope, np.ones((3, 3, 3))) & crack])
    answer = {"ratio": crack.sum() / envelope.sum(), "cracks": count, "largest": sizes[1:].max(initial=0), "area": area}
    return {k: float(v) for k, v in {**answer, "radial": radial, "width": np.mean(width), "open": sizes[open_to].sum()}.items()}


def main(argv: list[str]) -> int:
    which, path = argv[0], Path(argv[1])
    work = {"ours": ours, "peer": peer}[which]
    if which == "ours":
        from analysis.cracks.rehearsal import rehearse

        rehearse()
    values = np.load(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
    started = time.perf_counter()
    answer: dict[str, Any] = work(values)
    answer |= {"seconds": time.perf_counter() - started, "before": before, "input": values.nbytes}
    answer["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
