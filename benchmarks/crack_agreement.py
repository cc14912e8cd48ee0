"""What this program and others find on the same masks: distances, labels, closing, filling, ratio, widths."""

import subprocess
from pathlib import Path

import numpy as np
from scipy import ndimage

from analysis.core.numerics.components import components, filled
from analysis.core.numerics.edt import distances
from analysis.core.numerics.morphology import closed
from analysis.core.numerics.thickness import thickness
from analysis.demo import crack_phantoms
from benchmarks import places
from benchmarks.report import Table, count

RADIUS = 8.0  # voxels of the closing
SEED = 71_000


def table(side: int, porespy: Path, folder: Path) -> Table:
    """Differences on the masks of one phantom with cracks that are open to the surface, with noise in the mask."""
    phantom = crack_phantoms.polycrystal(side, width=5, seed=SEED)
    crack = phantom.crack ^ (np.random.default_rng(SEED).random(phantom.crack.shape) < 0.002) & phantom.envelope
    solid = phantom.envelope & ~crack
    rows = (
        ("distances inside the solid", "SciPy", f"largest difference {_distance(solid):.1e} voxels"),
        ("distances, voxels 0.3 × 0.2 × 0.5 µm", "SciPy", f"largest difference {_distance(solid, (0.3, 0.2, 0.5)):.1e} µm"),
        *(("labels over " + name, "SciPy", _labels(crack, n)) for name, n in (("faces", 6), ("corners", 26))),
        (f"closing by a ball of {RADIUS:g}", "scikit-image", f"{count(_closing(solid))} voxels differ"),
        ("holes filled", "SciPy", f"{count(int((filled(solid) != ndimage.binary_fill_holes(solid)).sum()))} voxels differ"),
        ("crack ratio", "NumPy", f"difference {abs(crack.sum() / phantom.envelope.sum() - _ratio(phantom.envelope, crack)):.0e}"),
        ("local thickness of the cracks", "PoreSpy", _widths(phantom.crack, porespy, folder)),
    )
    notes = ("PoreSpy's thickness has 25 sizes and stands on voxels alone; ours stands between voxels too where a width is even.",)
    return Table(f"The same masks of {side}³ voxels", ("step", "beside", "found"), rows, notes)


def _distance(solid: np.ndarray, voxel: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> float:
    return float(np.abs(distances(solid, voxel) - ndimage.distance_transform_edt(solid, voxel)).max())


def _labels(mask: np.ndarray, connectivity: int) -> str:
    structure = ndimage.generate_binary_structure(3, 1) if connectivity == 6 else np.ones((3, 3, 3))
    label, number = ndimage.label(mask, structure)
    found = components(mask, connectivity=connectivity)
    pairs = np.unique(np.stack([label[mask], found.labels()[mask]]), axis=1)
    same = found.count == number == pairs.shape[1] and not found.labels()[~mask].any()
    return f"{count(found.count)} and {count(number)} parts, " + ("the same" if same else f"{count(pairs.shape[1])} pairs")


def _closing(solid: np.ndarray) -> int:
    from skimage.morphology import isotropic_closing

    rim = int(RADIUS) + 2
    expected = isotropic_closing(np.pad(solid, rim), RADIUS)[(slice(rim, -rim),) * 3]
    return int((closed(solid, RADIUS) != expected).sum())


def _ratio(envelope: np.ndarray, crack: np.ndarray) -> float:
    from analysis.cracks.segment import ratio_of

    return ratio_of(crack, envelope)


def _widths(crack: np.ndarray, porespy: Path, folder: Path) -> str:
    path = folder / "crack.npy"
    np.save(path, crack)
    command = [str(porespy), "-W", "ignore", "-m", "benchmarks.crack_child", "widths", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=places.ROOT)
    if done.returncode:
        raise places.Missing(f"PoreSpy failed: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")
    other, own = np.load(path.with_suffix(".widths.npy"))[crack], thickness(crack)[crack]
    alike = 100 * float((np.abs(own - other) <= 1.5).mean())
    return f"median {np.median(own):.2f} and {np.median(other):.2f} voxels; within 1.5 voxels of one another in {alike:.1f} % of the cracks"
