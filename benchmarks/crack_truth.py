"""Cracks against known truth: volumes, blanks, isolated domains, slopes. One set of parameters, the defaults; seeds of no other use."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from scipy.ndimage import gaussian_filter

from analysis.cracks.distance import DistanceParams, distance_profile, summarise
from analysis.cracks.domains import DomainParams, domains
from analysis.cracks.masks import segmentation_of
from analysis.cracks.params import CrackParams
from analysis.cracks.segment import segment
from analysis.demo import crack_phantoms as phantoms
from benchmarks.measure import median
from benchmarks.report import Section, Table

SIZE, SNR = 96, 5.0
WIDTHS, BLURS = (1, 2, 3, 4, 6), (0.7, 1.0, 1.5)
FIRST_SEED = 70_000
LARGE = 1000  # voxels of a domain that must be found
DEFAULTS = CrackParams(blanks=0)
Make = Callable[[int, float, int], phantoms.Phantom]


def run(*, quick: bool) -> Section:
    """All tables; ``quick`` with few phantoms each."""
    many = 2 if quick else 6
    tables = (
        _ratios("Plane cracks inside a ball", lambda size, width, seed: phantoms.sheets(size, width=width, seed=seed), many),
        _ratios("Opened grain boundaries, most of them open to the surface", _grains, many),
        _blanks(3 if quick else 20),
        _islands(2 if quick else 20),
        _slopes(20 if quick else 200),
    )
    intro = (
        f"Signal to noise (solid − void)/σ = {SNR:g}; blur is the standard deviation of the resolution in voxels. Balls of "
        f"{0.4 * SIZE:.0f} voxels radius. Errors are relative to the true ratio: median and range over the phantoms."
    )
    return Section("cracks", "Cracks of known volume", intro, tables)


def _grains(size: int, width: float, seed: int) -> phantoms.Phantom:
    return phantoms.polycrystal(size, width=width, seed=seed)


def _found(phantom: phantoms.Phantom, blur: float, seed: int) -> xr.Dataset:
    return segment(volume=phantom.tomogram(blur=blur, snr=SNR, seed=seed), params=DEFAULTS)


def _ratio(found: xr.Dataset) -> float:
    return float(found["crack"].sum() / found["envelope"].sum())


def _ratios(title: str, make: Make, many: int) -> Table:
    rows = []
    for width in WIDTHS:
        cells = [f"{width}"]
        for blur in BLURS:
            errors = []
            for k in range(many):
                seed = FIRST_SEED + 100 * width + k
                phantom = make(SIZE, width, seed)
                errors.append(100 * (_ratio(_found(phantom, blur, seed)) / phantom.ratio - 1))
            cells.append(f"{median(errors):+.1f} ({min(errors):+.1f} … {max(errors):+.1f}) %")
        rows.append(tuple(cells))
    return Table(title, ("width / voxels", *(f"error at blur {b:g}" for b in BLURS)), tuple(rows), (f"{many} phantoms a cell.",))


def _blanks(many: int) -> Table:
    rows = []
    for blur in BLURS:
        found = [_ratio(_found(phantoms.dense(SIZE, seed=FIRST_SEED + k), blur, FIRST_SEED + k)) for k in range(many)]
        limit = float(np.mean(found) + 3 * np.std(found, ddof=1))
        rows.append((f"{blur:g}", f"{100 * np.mean(found):.4f} %", f"{100 * max(found):.4f} %", f"{100 * limit:.4f} %"))
    return Table("Dense phantoms", ("blur", "mean ratio", "largest", "mean + 3 SD"), tuple(rows), (f"{many} phantoms a row.",))


def _islands(many: int) -> Table:
    overlaps: dict[str, list[float]] = {"1 000 … 2 500": [], "2 500 … 10 000": [], "more": []}
    missed = false = 0
    for k in range(many):
        phantom = phantoms.islands(SIZE, width=3 + k % 2, seed=FIRST_SEED + k)
        label = domains(_found(phantom, 1.5, FIRST_SEED + k), DomainParams())["label"].values
        known = set()
        for number in range(1, int(phantom.domain.max()) + 1):
            truth = phantom.domain == number
            size = int(truth.sum())
            if size == 0:
                continue
            own = int(np.bincount(label[truth]).argmax())
            known.add(own)
            if size < LARGE:
                continue
            overlap = float((truth & (label == own)).sum() / (truth | (label == own)).sum()) if own > 1 else 0.0
            missed += own < 2
            overlaps["1 000 … 2 500" if size < 2500 else "2 500 … 10 000" if size < 10_000 else "more"].append(overlap)
        false += len(set(range(2, int(label.max()) + 1)) - known)
    rows = [(name, f"{len(v)}", f"{min(v):.3f}", f"{median(v):.3f}") for name, v in overlaps.items() if v]
    notes = (f"{many} phantoms, blur 1.5; domains of at least {LARGE} voxels missed: {missed}; false ones in all phantoms: {false}.",)
    return Table("Isolated domains", ("voxels", "domains", "smallest overlap (IoU)", "median"), tuple(rows), notes)


def _slopes(many: int) -> Table:
    outside, missed = 0, 0
    for k in range(many):
        phantom = phantoms.sheets(56, width=3, count=2, seed=FIRST_SEED + k)
        masks = segmentation_of(phantom.envelope.astype(np.uint16), phantom.crack, phantom.tomogram(), {})
        for slope in (0.0, 0.3):
            told = summarise(distance_profile(masks, _chemistry(phantom, slope, k), DistanceParams()), DistanceParams())["slope"]
            inside = told.low is not None and told.high is not None and told.low <= slope <= told.high
            outside += not inside and slope == 0
            missed += not inside and slope > 0
    rows = (("none", f"{100 * outside / many:.1f} %"), ("0.3 eV/µm", f"{100 * missed / many:.1f} %"))
    notes = (f"{many} particles with chemistry that resembles its neighbours over 2 voxels, and white noise; 95 % intervals.",)
    return Table("Slope of edge energy against distance", ("true slope", "intervals that exclude it"), rows, notes)


def _chemistry(phantom: phantoms.Phantom, slope: float, seed: int) -> xr.Dataset:
    from analysis.core.numerics.edt import distances

    rng = np.random.default_rng(FIRST_SEED + seed)
    alike = gaussian_filter(rng.standard_normal(phantom.crack.shape), 2.0)
    away = distances(~phantom.crack, (phantom.voxel_um,) * 3)
    energy = 8340 + slope * away + 0.1 * alike / alike.std() + 0.1 * rng.standard_normal(phantom.crack.shape)
    space, inside = ("z", "y", "x"), phantom.envelope
    maps = {
        "edge_energy": (space, np.where(inside, energy, np.nan).astype(np.float32), {"units": "eV"}),
        "flags": (space, (~inside).astype(np.uint8), {"units": "1"}),
    }
    return xr.Dataset(maps, attrs={"voxel_um": phantom.voxel_um})
