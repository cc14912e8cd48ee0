"""The numbers that are told of the cracks of a volume, from its stored tables."""

from collections.abc import Mapping

import numpy as np
import xarray as xr

from analysis.core.data import Scalar
from analysis.core.numerics.statistics import mean_interval
from analysis.cracks.measure import MeasureParams

FEWEST_BLANKS = 3  # from which a scatter is told
PARTICLES = "particles"
TITLES = {
    "crack_volume": ("um**3", "Crack volume"),
    "envelope_volume": ("um**3", "Envelope volume"),
    "largest_crack_fraction": ("1", "Largest crack over all cracks"),
    "surface_connected_fraction": ("1", "Crack volume open to the surface"),
    "mean_width": ("um", "Mean width of the cracks"),
    "crack_area": ("um**2", "Surface of the cracks"),
    "area_per_volume": ("1/um", "Crack surface over envelope volume"),
    "radial_position": ("1", "Mean radial position of the cracks"),
}


def summarise(stored: xr.Dataset, params: MeasureParams) -> Mapping[str, Scalar]:
    """The ratio with its range and detection limit, and what is told of the cracks as a whole."""
    counts = np.ones(stored.sizes["particle_row"], bool) if params.include_cut else stored["cut"].values == 0
    n = int(counts.sum())
    own = {k: stored[k].values[counts].astype(float) for k in ("volume", "crack_volume", "crack_area", "ratio")}
    volume, crack, area = (float(own[k].sum()) for k in ("volume", "crack_volume", "crack_area"))
    opened = np.nan_to_num(stored["surface_fraction"].values[counts]) * own["crack_volume"]
    sizes = stored["crack_size"].values[np.isin(stored["crack_particle"].values, stored["particle"].values[counts])]
    radial = np.nan_to_num(stored["radial_position"].values[counts]) * own["crack_volume"]
    values = {
        "crack_volume": crack,
        "envelope_volume": volume,
        "largest_crack_fraction": _part(float(sizes.max()) if sizes.size else 0.0, crack),
        "surface_connected_fraction": _part(float(opened.sum()), crack),
        "mean_width": _part(2 * crack, area),
        "crack_area": area,
        "area_per_volume": _part(area, volume),
        "radial_position": _part(float(radial.sum()), crack),
    }
    found = _ratios(stored.attrs["limits"], own["ratio"], _part(crack, volume), volume / float(np.prod(stored.attrs["voxel_um"])), params)
    found |= {k: Scalar(v, TITLES[k][0], n=n, of=PARTICLES, title=TITLES[k][1]) for k, v in values.items()}
    found["n_cracks"] = Scalar(int(sizes.size), "1", n=n, of=PARTICLES, title="Cracks")
    middle = float(np.median(sizes)) if sizes.size else None
    found["median_crack_size"] = Scalar(middle, "um**3", n=int(sizes.size), of="cracks", title="Median size of a crack")
    found["n_particles"] = Scalar(n, "1", n=n, of=PARTICLES, title="Particles that count")
    found["n_cut"] = Scalar(int((stored["cut"].values != 0).sum()), "1", title="Particles cut by the border")
    return found


def _ratios(limits: Mapping, single: np.ndarray, ratio: float | None, voxels: float, params: MeasureParams) -> dict[str, Scalar]:
    """The ratio of all particles together, its mean over them, the blank ratio, the detection limit."""
    blanks = np.array(limits["blanks"], float)
    low, high = limits["range"] or (None, None)
    over = mean_interval(single, level=params.level)
    title, n = "Crack volume ratio", int(single.size)
    found = {
        "crack_volume_ratio": Scalar(ratio, "1", low=low, high=high, n=n, of=f"{PARTICLES}; range over the settings", title=title),
        "crack_volume_ratio_mean": Scalar(
            _known(over.value), "1", _known(over.std), _known(over.low), _known(over.high), n, params.level, PARTICLES, f"{title}, mean"
        ),
    }
    limit = None
    if blanks.size:
        kind = "pristine particles" if limits["measured_blanks"] else "dense phantoms of the same resolution and noise"
        scatter = float(blanks.std(ddof=1)) if blanks.size >= FEWEST_BLANKS else None
        found["blank_ratio"] = Scalar(float(blanks.mean()), "1", std=scatter, n=int(blanks.size), of=kind, title="Ratio of blanks")
        smallest = (limits["smallest"] or 1) / voxels if voxels > 0 else 0.0
        limit = max(float(blanks.mean()) + 3 * scatter, smallest) if scatter is not None else None
    found["detection_limit"] = Scalar(limit, "1", n=int(blanks.size), of="blanks", title="Detection limit of the ratio")
    if limits["measured_blanks"] and ratio is not None:
        found["crack_volume_ratio_net"] = Scalar(ratio - float(blanks.mean()), "1", n=n, of=PARTICLES, title=f"{title} less pristine")
    if ratio is not None and limit is not None:
        words = "below the detection limit" if ratio < limit else "above the detection limit"
        found["against_limit"] = Scalar(words, "", title="Ratio against the detection limit")
    return found


def _part(value: float, whole: float) -> float | None:
    return value / whole if whole > 0 else None


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
