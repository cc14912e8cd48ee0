"""One crack pipeline in a process of its own: ``python -m benchmarks.crack_child CONTENDER VOLUME.npy``; answers with one line of JSON.

``ours``, ``scipy`` (with scikit-image) and ``porespy`` (the same, with PoreSpy's local thickness) take the same steps: particles and their
envelopes, cracks, labels, distances from the surface and from cracks, and the measures: sizes, widths, radial positions, area, what is
open to the surface. ``widths`` writes PoreSpy's local thickness of a mask beside it.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SPACE = ("z", "y", "x")


def ours(values: np.ndarray) -> dict[str, float]:
    """Segment, label, distances, measures as the recipes do them, without the dense phantoms of the detection limit."""
    import xarray as xr

    from analysis.core.numerics.edt import distances
    from analysis.cracks.masks import segmentation_of
    from analysis.cracks.measure import MeasureParams, measure
    from analysis.cracks.params import CrackParams
    from analysis.cracks.segment import find_cracks, prepared, ratio_of

    volume = xr.Dataset({"density": (SPACE, values, {"units": "1"})}, attrs={"voxel_um": 0.05})
    steps, started = {}, time.perf_counter()
    ready = prepared(volume, CrackParams(blanks=0))
    steps["particles"] = time.perf_counter() - started
    crack = find_cracks(ready.grey, ready.particles, ready.facts, ready.limits, ready.params)
    steps["cracks"] = time.perf_counter() - started
    label = ready.particles.label
    furthest = max(float(distances(~crack[box])[label[box] > 0].max()) for box in ready.particles.boxes)
    steps["distances"] = time.perf_counter() - started
    made = measure(segmentation_of(ready.particles.label, crack, volume, {}), MeasureParams())
    steps["measures"] = time.perf_counter() - started
    ratio = ratio_of(crack, ready.particles.label)
    return {"ratio": ratio, "cracks": float(made.sizes["crack"]), "furthest": furthest, **_lengths(steps)}


def _lengths(steps: dict[str, float]) -> dict[str, float]:
    before, found = 0.0, {}
    for name, at in steps.items():
        found[f"s_{name}"], before = at - before, at
    return found


def peer(values: np.ndarray, widths: Callable[[np.ndarray], np.ndarray] | None = None) -> dict[str, float]:
    """The same steps with scipy.ndimage and scikit-image, as their documentation shows them; widths by another program if given."""
    from scipy import ndimage
    from skimage import filters, measure, morphology

    smooth = filters.gaussian(values, 1.0)
    solid = smooth > filters.threshold_otsu(smooth[::4, ::4, ::4])
    solid = morphology.remove_small_objects(solid, 1000)
    envelope = ndimage.binary_fill_holes(ndimage.binary_closing(np.pad(solid, 9), iterations=8)[9:-9, 9:-9, 9:-9])
    crack = morphology.remove_small_objects(envelope & ~solid, 50, connectivity=3)
    label, count = ndimage.label(crack, np.ones((3, 3, 3)))
    sizes = np.bincount(label.ravel())
    depth = ndimage.distance_transform_edt(envelope)
    away = ndimage.distance_transform_edt(~crack)
    if widths is None:
        each = ndimage.mean(ndimage.distance_transform_edt(crack), label, range(1, min(count, 1000) + 1)) if count else np.zeros(1)
        width = 4 * float(np.mean(each))
    else:
        width = float(widths(crack)[crack].mean()) if count else 0.0
    radial = 1 - depth[crack].mean() / depth.max() if crack.any() else 0.0
    vertices, faces, _, _ = measure.marching_cubes(crack.astype(np.float32), 0.5)
    area = measure.mesh_surface_area(vertices, faces)
    open_to = np.unique(label[ndimage.binary_dilation(~envelope, np.ones((3, 3, 3))) & crack])
    answer = {"ratio": crack.sum() / envelope.sum(), "cracks": count, "largest": sizes[1:].max(initial=0), "area": area, "width": width}
    return {k: float(v) for k, v in {**answer, "radial": radial, "furthest": away[envelope].max(), "open": sizes[open_to].sum()}.items()}


def porespy(values: np.ndarray) -> dict[str, float]:
    """With the local thickness of PoreSpy."""
    return peer(values, _porespy_widths)


def _porespy_widths(crack: np.ndarray) -> np.ndarray:
    """Diameters: PoreSpy gives radii."""
    import porespy

    porespy.settings.tqdm["disable"] = True
    return 2 * np.asarray(porespy.filters.local_thickness(crack))


def main(argv: list[str]) -> int:
    which, path = argv[0], Path(argv[1])
    if which == "widths":
        np.save(path.with_suffix(".widths.npy"), _porespy_widths(np.load(path)))
        return 0
    if which == "ours":
        from analysis.cracks.rehearsal import rehearse

        rehearse()
    values = np.load(path)
    started, busy = time.perf_counter(), time.process_time()
    answer = {"ours": ours, "scipy": peer, "porespy": porespy}[which](values)
    answer |= {"seconds": time.perf_counter() - started, "cpu": time.process_time() - busy}
    print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
