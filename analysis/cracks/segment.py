"""Recipes that find particles and cracks in a volume, and say how far the answer depends on how it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.data import Scalar, warn, warnings_of
from analysis.core.errors import DataError
from analysis.core.numerics.blur import blurred
from analysis.core.progress import report, stage
from analysis.cracks.facts import Facts, facts_of
from analysis.cracks.finding import Limits, find_cracks, find_in_slab, limits_of
from analysis.cracks.grey import Grey, grey_of
from analysis.cracks.masks import checked_shape, remarks_of, segmentation_of
from analysis.cracks.mouths import particles_and_facts, particles_in
from analysis.cracks.params import CrackParams, ParticleParams
from analysis.cracks.particles import Particles, particles_of
from analysis.cracks.strokes import painted
from analysis.schemas import VOXEL, spatial_dims

BLANK_RADIUS = 32  # voxels: of the dense phantoms, at most
ENDS = 0.06  # fraction of the energies, at each end, whose difference stands for the jump of a stack
FACTORS = (0.8, 1.25)
TRIED = 1 << 24  # voxels: of larger volumes the settings are tried on a middle part
Optional = xr.Dataset | None


@dataclass(frozen=True)
class Prepared:
    """A volume whose particles are known, with all that is decided once: what a slab needs to be segmented."""

    grey: Grey
    particles: Particles
    facts: Facts
    limits: Limits
    params: CrackParams


def volume_of(volume: Optional, edges: Optional = None, stack: Optional = None) -> xr.Dataset:
    """The one volume in which cracks are looked for: a tomogram, the edge jump of a map, or the jump of a stack."""
    given = [ds for ds in (volume, edges, stack) if ds is not None]
    if len(given) != 1:
        raise DataError(
            f"{len(given)} volumes are given where cracks are looked for in one.",
            hint="Give a tomogram, an edge map with its jump, or a stack.",
        )
    ds = given[0]
    if volume is not None:
        return volume
    if spatial_dims(ds) != VOXEL:
        raise DataError("Cracks are measured in volumes, and this is a picture.", hint="Choose a map or stack of a volume.")
    if edges is not None:
        if "edge_jump" not in edges:
            raise DataError("The edge map has no edge jump.", hint="Choose the map as it was made from its stack, or a tomogram.")
        density = edges["edge_jump"]
    else:
        ends = max(1, round(ENDS * ds.sizes["energy"]))
        density = ds["mu"].isel(energy=slice(-ends, None)).mean("energy") - ds["mu"].isel(energy=slice(0, ends)).mean("energy")
        density = density.assign_attrs(units=ds["mu"].attrs["units"])
    kept = {k: ds.attrs[k] for k in ("voxel_um", "metadata", "warnings", "origin") if k in ds.attrs}
    return xr.Dataset({"density": density}, attrs=kept)


def particles(*, params: ParticleParams, volume: Optional = None, edges: Optional = None, stack: Optional = None) -> xr.Dataset:
    """The number of its particle in every voxel of an envelope."""
    source = volume_of(volume, edges, stack)
    found = particles_in(grey_of(source, params), params)
    kept = {k: source.attrs[k] for k in ("voxel_um", "metadata", "origin") if k in source.attrs}
    made = xr.Dataset({"particle": (VOXEL, found.label, {"units": "1"})}, attrs={**kept, "cut": list(found.cut), "count": found.count})
    return warn(made, *warnings_of(source), *remarks_of(found.label, source))


def prepared(source: xr.Dataset, params: CrackParams, known: Optional = None) -> Prepared:
    """Particles (unless they are known), resolution, noise and limits of a volume."""
    grey = grey_of(source, params)
    if known is not None:
        checked_shape(known, source, "mask of particles")
        found = particles_of(np.ascontiguousarray(known["particle"].to_numpy()))
        if found.count == 0:
            raise DataError("The mask is empty: no voxel belongs to a particle.", hint="Choose another mask of particles.")
        facts = facts_of(grey, found, params)
    else:
        found, facts = particles_and_facts(grey, params)
    return Prepared(grey, found, facts, limits_of(grey, found, facts, params), params)


def in_slab(ready: Prepared, start: int, stop: int) -> np.ndarray:
    """Cracks in slices ``start`` … ``stop`` alone, shape (stop - start, y, x), bool: what a page shows while settings are changed."""
    return find_in_slab(ready.grey, ready.particles.label, ready.facts, ready.limits, ready.params, start, stop)


def segment(
    *,
    params: CrackParams,
    volume: Optional = None,
    edges: Optional = None,
    stack: Optional = None,
    particles: Optional = None,
    strokes: Optional = None,
) -> xr.Dataset:
    """Envelope, solid, cracks and particles of a volume; brush strokes are applied last."""
    source = volume_of(volume, edges, stack)
    with stage(0.0, 0.35):
        ready = prepared(source, params, particles)
    with stage(0.35, 0.7):
        crack = find_cracks(ready.grey, ready.particles, ready.facts, ready.limits, params)
    said = _said(ready)
    with stage(0.7, 0.9):
        said |= _tried(ready, crack)
    with stage(0.9, 1.0):
        said["blanks"] = _blanks(ready)
    if strokes is not None:
        crack = painted(crack, strokes)
        said["strokes"] = int(strokes.sizes["stroke"])
    return segmentation_of(ready.particles.label, crack, source, {"segmentation": said, **_noted(ready)})


def _noted(ready: Prepared) -> dict[str, Any]:
    return {"snr": ready.facts.snr} if np.isfinite(ready.facts.snr) else {}


def _said(ready: Prepared) -> dict[str, Any]:
    """What was found out about the volume, in plain numbers."""
    facts, span = ready.facts, ready.grey.solid - ready.grey.void
    return {
        "solid": ready.grey.void + facts.solid * span,
        "void": ready.grey.void + facts.void * span,
        "snr": facts.snr if np.isfinite(facts.snr) else None,
        "resolution_voxels": facts.resolution,
        "noise": facts.noise / facts.contrast,
        "begin": ready.limits.begin,
        "on": ready.limits.on,
        "closing": ready.params.closing,
        "min_crack": ready.params.min_crack,
        "detector": ready.params.detector,
        "noisy": facts.noise > 0,
    }


# -- how sure that is --------------------------------------------------------------------------------------------------------


def ratio_of(crack: np.ndarray, label: np.ndarray) -> float:
    return int(np.count_nonzero(crack)) / max(int(np.count_nonzero(label)), 1)


def _tried(ready: Prepared, crack: np.ndarray) -> dict[str, float]:
    """The range of the ratio when the limits of the detector are a fifth lower or a quarter higher."""
    a, b = _middle_part(ready)
    part = _crop(ready, a, b)
    own = ratio_of(crack[a:b], part.particles.label)
    whole = ratio_of(crack, ready.particles.label)
    tried = []
    for factor in FACTORS:
        limits = Limits(part.limits.begin * factor, part.limits.on * factor, part.limits.level)
        found = ratio_of(find_cracks(part.grey, part.particles, part.facts, limits, part.params), part.particles.label)
        tried.append(whole * found / own if own > 0 else found)
    return {"ratio_low": min(*tried, whole), "ratio_high": max(*tried, whole)}


def _middle_part(ready: Prepared) -> tuple[int, int]:
    """Slices on which settings are tried: all of them, or as many about the middle of the largest particle as the limit allows."""
    depth, height, width = ready.grey.shape
    many = max(32, TRIED // (height * width))
    if depth <= many:
        return 0, depth
    largest = max(ready.particles.boxes, key=lambda box: int(np.prod([s.stop - s.start for s in box])))[0]
    start = int(np.clip((largest.start + largest.stop - many) // 2, 0, depth - many))
    return start, start + many


def _crop(ready: Prepared, start: int, stop: int) -> Prepared:
    grey = Grey(ready.grey.density[start:stop], ready.grey.solid, ready.grey.void)
    return Prepared(grey, particles_of(ready.particles.label[start:stop]), ready.facts, ready.limits, ready.params)


def _blanks(ready: Prepared) -> list[float]:
    """Ratios that the recipe finds in dense balls which are blurred and noisy as the volume is."""
    found = []
    for k in range(ready.params.blanks):
        blank = blank_volume(ready.facts, ready.particles, seed=ready.params.random + k)
        params = ready.params.model_copy(update={"solid": None, "void": None, "min_particle": 1})
        made = prepared(blank, params)
        found.append(ratio_of(find_cracks(made.grey, made.particles, made.facts, made.limits, params), made.particles.label))
    return found


def blank_volume(facts: Facts, like: Particles, *, seed: int) -> xr.Dataset:
    """A dense ball with the resolution and the noise of a volume, as large as its largest particle but for a limit."""
    rng = np.random.default_rng(seed)
    size = max(int(np.prod([s.stop - s.start for s in box])) for box in like.boxes)
    radius = float(np.clip((size * 0.52) ** (1 / 3) * 0.62, 12, BLANK_RADIUS))
    side = 2 * int(np.ceil(radius + 6 * max(facts.resolution, 1.0))) + 1
    axis = np.arange(side) - side // 2
    middle = rng.uniform(-0.5, 0.5, 3)
    z, y, x = (axis - m for axis, m in zip(np.ix_(axis, axis, axis), middle, strict=True))
    square = z**2 + y**2 + x**2
    clear = blurred(np.asarray(square <= radius**2), facts.resolution)
    noise = _noise(rng, clear.shape, facts.alike) * (facts.raw_noise / facts.contrast)
    return xr.Dataset({"density": (VOXEL, (clear + noise).astype(np.float32), {"units": "1"})}, attrs={"voxel_um": 1.0})


def _noise(rng: np.random.Generator, shape: tuple[int, ...], alike: float) -> np.ndarray:
    """Noise of standard deviation 1 whose neighbours are alike: white noise under a Gaussian of that correlation."""
    white = np.asarray(rng.standard_normal(shape, dtype=np.float32))
    if alike < 0.05:
        return white
    sigma = 0.5 / np.sqrt(-np.log(min(alike, 0.98)))
    smooth = blurred(white, float(sigma))
    return np.asarray(smooth / float(smooth.std()))


TRIALS: tuple[tuple[str, float], ...] = tuple((name, f) for name in ("seed", "grow", "smooth", "closing") for f in FACTORS)


def sensitivity(*, params: CrackParams, volume: Optional = None, edges: Optional = None, stack: Optional = None) -> xr.Dataset:
    """The ratio with each setting a fifth lower and a quarter higher, particles and levels found anew each time."""
    source = volume_of(volume, edges, stack)
    rows: list[tuple[str, float, float, float]] = []
    trials = (("as chosen", 1.0), *TRIALS)
    for k, (name, factor) in enumerate(trials):
        with stage(k / len(trials), (k + 1) / len(trials)):
            changed, value = (params, float("nan")) if k == 0 else _changed(params, name, factor)
            ready = prepared(source, changed)
            crack = find_cracks(ready.grey, ready.particles, ready.facts, ready.limits, changed)
            rows.append((name, value, factor, ratio_of(crack, ready.particles.label)))
    report(1.0)
    names, values, factors, ratios = zip(*rows, strict=True)
    columns = {"parameter": (list(names), ""), "value": (values, "1"), "factor": (factors, "1"), "ratio": (ratios, "1")}
    return xr.Dataset({n: ("setting", np.asarray(v), {"units": u}) for n, (v, u) in columns.items()})


def _changed(params: CrackParams, name: str, factor: float) -> tuple[CrackParams, float]:
    value = getattr(params, name) * factor
    update: dict[str, float] = {name: value}
    if name == "seed":
        update |= {"depth": params.depth * factor, "grow": min(params.grow, value)}
    if name == "grow":
        update |= {"seed": max(params.seed, value)}
    return params.model_copy(update=update), value


# -- scalars ---------------------------------------------------------------------------------------------------------------


def summarise_particles(stored: xr.Dataset, params: ParticleParams) -> Mapping[str, Scalar]:
    """How many particles, and how many of them the border cuts."""
    n = int(stored.attrs["count"])
    cut = Scalar(len(stored.attrs["cut"]), "1", n=n, of="particles", title="Particles cut by the border")
    return {"n_particles": Scalar(n, "1", title="Particles"), "n_cut": cut}


def summarise(stored: xr.Dataset, params: CrackParams) -> Mapping[str, Scalar]:
    """What the volume is like: levels, noise, resolution; the plain ratio with its range over the limits."""
    said = stored.attrs["segmentation"]
    voxels = int(np.count_nonzero(stored["particle"].to_numpy()))
    plain = float(np.count_nonzero(stored["crack"].to_numpy()) / voxels)
    return {
        "ratio": Scalar(
            plain,
            "1",
            low=said["ratio_low"],
            high=said["ratio_high"],
            n=voxels,
            of="voxels; range over the limits",
            title="Crack volume ratio of all particles",
        ),
        "snr": Scalar(said["snr"], "1", title="Contrast over noise"),
        "resolution": Scalar(said["resolution_voxels"], "voxels", title="Resolution, standard deviation"),
        "noise": Scalar(said["noise"], "1", title="Noise after smoothing, over the contrast"),
    }


def summarise_sensitivity(stored: xr.Dataset, params: CrackParams) -> Mapping[str, Scalar]:
    """The range of the ratio over all settings that were tried."""
    ratios = stored["ratio"].values
    chosen, low, high = float(ratios[0]), float(ratios.min()), float(ratios.max())
    return {"crack_volume_ratio": Scalar(chosen, "1", low=low, high=high, n=ratios.size, of="settings", title="Crack volume ratio")}
