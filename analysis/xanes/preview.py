"""What a stack, frames, projections, a map or a volume look like before they are taken: few pixels, read once."""

from typing import Any

import numpy as np
import xarray as xr

from analysis.formats.blocks import size_text
from analysis.schemas import DEFINITIONS, EDGE_MAP, STACK, VOLUME, Preview, has_voxel_size, spatial_dims, voxel_um
from analysis.xanes.frames import FRAMES, PROJECTIONS, SAME_EV

SIDE = 192  # pixels of a picture at most
STRONGEST = 0.25  # of the pixels, in the mean spectrum
END = 0.2  # of the energies, at either end


def stack(ds: xr.Dataset) -> Preview:
    """The mean image of one slice and the mean spectrum of its strongest pixels."""
    slab = np.asarray(_middle(ds["mu"]).transpose(..., "energy").values, np.float32)
    n = max(1, int(END * slab.shape[-1]))
    with np.errstate(invalid="ignore"):
        jump = np.nan_to_num(slab[..., -n:].mean(axis=-1) - slab[..., :n].mean(axis=-1), nan=-np.inf)
        strong = slab[jump >= np.quantile(jump, 1 - STRONGEST)]
        image, mean = _mean(slab, -1), _mean(strong, 0)
    energy, unit = ds["energy"].values, ds["mu"].attrs.get("units", "1")
    place = " of the middle slice" if "z" in ds.dims else ""
    return Preview(
        {"Size": _size(ds), **_energies(energy), **_voxel(ds)},
        image,
        f"Mean over the energies{place}",
        (("mean of the strongest quarter", energy, mean),),
        "Energy / eV",
        "Optical depth" if unit == "1" else f"Absorption / {unit}",
        _lacks(ds),
    )


def frames(ds: xr.Dataset) -> Preview:
    """The first sample frame, else the first reference, and mean counts against energy."""
    kinds = [k for k in ("sample", "reference") if k in ds]
    energy = ds["energy"].values
    facts = {"Size": f"{size_text((ds.sizes['y'], ds.sizes['x']))} pixels", **_energies(energy)}
    curves = []
    for kind in kinds:
        facts[f"{kind.capitalize()} frames"] = _repeats(ds, kind)
        thin = _thin(ds[kind])
        curves.append((kind, energy, _mean(np.asarray(thin.values, float).reshape(energy.size, -1), 1)))
    seen = ds[kinds[0]].values if kinds else None
    first = None if seen is None else next((i for i in range(energy.size) if np.isfinite(seen[i]).any()), 0)
    image = None if seen is None or first is None else _small(seen[first])
    missing = [f"{kind} frames" for kind in ("sample", "reference") if kind not in ds]
    title = f"{kinds[0].capitalize()} at {energy[first]:.1f} eV" if kinds and first is not None else ""
    return Preview({**facts, **_voxel(ds)}, image, title, tuple(curves), "Energy / eV", "Mean counts", (*_lacks(ds), *missing))


def projections(ds: xr.Dataset) -> Preview:
    """The middle projection."""
    angle = ds["angle"].values
    image = _small(np.asarray(ds["sample"].isel(angle=angle.size // 2).values, float))
    facts = {
        "Size": f"{size_text((ds.sizes['y'], ds.sizes['x']))} pixels",
        "Angles": f"{angle.size} angles, {angle.min():.4g} … {angle.max():.4g}°".replace("-", "−"),
    }
    return Preview({**facts, **_voxel(ds)}, image, f"Projection at {angle[angle.size // 2]:.1f}°".replace("-", "−"), lacks=_lacks(ds))


def edge_map(ds: xr.Dataset) -> Preview:
    """The middle slice of a finished map."""
    image = np.asarray(_middle(ds["edge_energy"]).values, float)
    finite = image[np.isfinite(image)]
    span = {"Edge energies": f"{finite.min():.2f} … {finite.max():.2f} eV"} if finite.size else {}
    facts = {"Size": _size(ds), "Definition": DEFINITIONS.get(str(ds.attrs.get("definition")), "not stated"), **span, **_voxel(ds)}
    return Preview(facts, image, "Edge energy", lacks=_lacks(ds))


def volume(ds: xr.Dataset) -> Preview:
    """The middle slice of a tomogram."""
    image = np.asarray(_middle(ds["density"]).values, float)
    return Preview({"Size": _size(ds), **_voxel(ds)}, image, "Middle slice" if "z" in ds.dims else "", lacks=_lacks(ds))


def _middle(values: xr.DataArray) -> xr.DataArray:
    """The middle slice, thinned to what a picture needs."""
    return _thin(values.isel(z=values.sizes["z"] // 2) if "z" in values.dims else values)


def _thin(values: xr.DataArray) -> xr.DataArray:
    return values.isel({d: slice(None, None, max(1, -(-values.sizes[d] // SIDE))) for d in ("y", "x")})


def _small(image: np.ndarray) -> np.ndarray:
    return image[:: max(1, -(-image.shape[0] // SIDE)), :: max(1, -(-image.shape[1] // SIDE))]


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean of what is a number; NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    return np.asarray(np.where(count > 0, np.where(known, values, 0).sum(axis=axis, dtype=np.float64) / np.maximum(count, 1), np.nan))


def _size(ds: xr.Dataset) -> str:
    dims = spatial_dims(ds)
    return f"{size_text(tuple(ds.sizes[d] for d in dims))} {'voxels' if 'z' in dims else 'pixels'}"


def _energies(energy: np.ndarray) -> dict[str, str]:
    if energy.size == 1:
        return {"Energies": f"{energy[0]:.1f} eV"}
    steps = np.diff(energy)
    spaced = {"Steps": f"{steps.min():.3g} … {steps.max():.3g} eV"} if steps.max() - steps.min() > SAME_EV else {}
    return {"Energies": f"{energy.size} energies, {energy.min():.1f} … {energy.max():.1f} eV", **spaced}


def _repeats(ds: xr.Dataset, kind: str) -> str:
    count = ds[f"n_{kind}"].values if f"n_{kind}" in ds else np.ones(ds.sizes["energy"], int)
    name = "exposure" if kind == "sample" else "reference_exposure"
    times = np.unique(ds[name].values[np.isfinite(ds[name].values)]) if name in ds else np.array([])
    each = str(count[0]) if np.ptp(count) == 0 else f"{count.min()} … {count.max()}"
    return f"{each} at each energy" + (f", {' and '.join(f'{t:g}' for t in times[:3])} s" if times.size else "")


def _voxel(ds: xr.Dataset) -> dict[str, str]:
    if not has_voxel_size(ds):
        return {}
    given: Any = ds.attrs["voxel_um"]
    sizes = dict.fromkeys(f"{v:.4g}" for v in (voxel_um(ds) if isinstance(given, list | tuple) else (float(given),)))
    return {"Voxel": f"{' × '.join(sizes)} µm"}


def _lacks(ds: xr.Dataset) -> tuple[str, ...]:
    return () if has_voxel_size(ds) else ("voxel size",)


PREVIEWS = {STACK.name: stack, FRAMES.name: frames, PROJECTIONS.name: projections, EDGE_MAP.name: edge_map, VOLUME.name: volume}
