"""From opened images to a stack: energies checked and ordered, axes named, values turned into absorption.

Arrays above ``IN_MEMORY`` stay in their files, in pieces of about ``VOXELS`` voxels with all their energies: whole rows, since those
lie together in most files. Pages that have to be decoded are taken whole, as many at once as ``PAGE_BYTES`` allows, and cut afterwards.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from analysis.core.data import warn
from analysis.core.errors import DataError, ReadError
from analysis.formats.blocks import Blocks, size_text, whole
from analysis.formats.energies import in_ev
from analysis.xanes.frames import SAME_EV
from analysis.xanes.sources import Opened
from analysis.xanes.stack_options import StackOptions

if TYPE_CHECKING:
    import dask.array as da

IN_MEMORY = 64 << 20  # bytes
VOXELS = 32**3  # of a piece
PAGE_BYTES = 128 << 20
SAMPLED_ROWS = 24  # of each frame, where a stack is too large to be looked at as a whole
SPACE = ("z", "y", "x")


def stack_of(opened: Opened, options: StackOptions) -> xr.Dataset:
    """The stack that some images and their energies make.

    Raises
    ------
    ReadError
        There are no energies, or they do not fit the images.
    DataError
        Energies are doubled, or a frame or the stack holds nothing usable.
    """
    energy, said = _energies(opened, options)
    axis = _energy_axis(opened, energy.size, options.energy_axis, "" if options.energies else opened.energy_from)
    keep = _kept(energy.size, options.drop)
    energy, keep, reordered = _ordered(energy, keep, opened.name)
    dims = spatial(opened.images.ndim - 1, opened.name)
    sample = _sample(opened.images, axis)[keep]
    _check_frames(sample, energy, keep, opened)
    raw = _array(opened.images, axis)
    raw = raw[..., keep] if keep.size < raw.shape[-1] or reordered else raw
    mu, remarks = _absorption(raw, sample, energy, opened, options)
    voxel = options.voxel_um if options.voxel_um is not None else opened.voxel_um
    ds = xr.Dataset(
        {"mu": ((*dims, "energy"), mu, {"units": options.unit})},
        {"energy": ("energy", energy, {"units": "eV"})},
        {"metadata": {**opened.metadata, **said}, **voxel_attrs(voxel)},
    )
    order = (f"The energies of {opened.name} were not in increasing order; the frames were put in order.",) if reordered else ()
    return warn(ds, *opened.warnings, *said.get("remarks", ()), *order, *remarks)


def voxel_attrs(voxel: float | Sequence[float] | None) -> dict[str, Any]:
    if voxel is None:
        return {}
    return {"voxel_um": float(voxel) if isinstance(voxel, int | float) else [float(v) for v in voxel]}


def spatial(n: int, name: str) -> tuple[str, ...]:
    """The names of ``n`` dimensions of space."""
    if n not in (2, 3):
        raise ReadError(f"{name} has {n} dimensions of space.", hint="A stack has rows and columns, and slices if it is of a volume.")
    return SPACE[-n:]


# -- energies --------------------------------------------------------------------------------------------------------------


def _energies(opened: Opened, options: StackOptions) -> tuple[np.ndarray, dict[str, Any]]:
    if options.energies:
        energy, unit = in_ev(options.energies, options.energy_unit, where="the list given")
        source = "options"
    elif opened.energy is not None:
        stated = opened.energy_unit if options.energy_unit == "auto" else options.energy_unit
        energy, unit = in_ev(opened.energy, stated, where=opened.energy_from or opened.name)
        source = opened.energy_from
    else:
        raise ReadError(
            f"{opened.name} ({size_text(opened.images.shape)}) does not say its energies.",
            hint="Give them with energies=FILE: a text file with one energy a line, in eV or keV.",
        )
    if energy.size < 2:
        raise DataError(f"{opened.name} holds one energy only ({energy[0]:g} eV).", hint="An edge needs images at several energies.")
    said: dict[str, Any] = {"energies_from": source, "energy_unit": unit}
    if unit == "keV":
        said["remarks"] = (f"Energies of {energy.min() / 1000:g}–{energy.max() / 1000:g} were taken as keV and converted to eV.",)
    return energy, said


def _energy_axis(opened: Opened, n: int, wanted: str, source: str) -> int:
    """0 or the last: where the energies are in the file; ``source`` says what they were taken from."""
    shape = opened.images.shape
    last = len(shape) - 1
    if opened.axes and "energy" in (names := [a.lower() for a in opened.axes]):
        wanted = "first" if names[0] == "energy" else "last" if names[-1] == "energy" else wanted
    fits = [axis for axis, name in ((0, "first"), (last, "last")) if shape and shape[axis] == n and wanted in ("auto", name)]
    if len(shape) < 3 or not fits:
        frames = shape[last if wanted == "last" else 0] if len(shape) > 2 else 1
        raise ReadError(
            f"{n} energies are given, but {opened.name} holds {frames} image{'s' if frames != 1 else ''} ({size_text(shape)}).",
            hint="Give one energy for each image, in the order of the images, with energies=FILE."
            + (f" These were taken from {source}." if source else ""),
        )
    return fits[0]


def _kept(n: int, drop: Sequence[int]) -> np.ndarray:
    wrong = [i for i in drop if not 1 <= i <= n]
    if wrong:
        raise ReadError(f"There is no frame {wrong[0]} to leave out.", hint=f"Frames are counted from 1 to {n}.")
    return np.array([i for i in range(n) if i + 1 not in set(drop)], int)


def _ordered(energy: np.ndarray, keep: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Energies in increasing order, the frames they belong to, and whether the order was changed."""
    order = np.argsort(energy[keep], kind="stable")
    placed = keep[order]
    values = energy[placed]
    double = np.flatnonzero(np.diff(values) < SAME_EV)
    if double.size:
        first, second = sorted(placed[[double[0], double[0] + 1]] + 1)
        raise DataError(
            f"{name} has the energy {values[double[0]]:g} eV twice (frames {first} and {second}).",
            hint=f"Leave one out with drop={second}.",
        )
    if values.size < 2:
        raise DataError(f"{name} holds one energy only.", hint="An edge needs images at several energies.")
    return values, placed, bool(np.any(np.diff(placed) < 0))


# -- values ----------------------------------------------------------------------------------------------------------------


def _sample(images: Blocks, axis: int) -> np.ndarray:
    """Some rows of every frame: shape (n, values); all of them where the stack is small."""
    n = images.shape[axis]
    if math.prod(images.shape) * images.dtype.itemsize <= IN_MEMORY:
        return np.moveaxis(whole(images), axis, 0).reshape(n, -1)
    space = [i for i in range(images.ndim) if i != axis]
    rows, others = space[-2], space[:-2]
    middle: list[slice] = [slice(None)] * images.ndim
    for i in others:
        middle[i] = slice(images.shape[i] // 2, images.shape[i] // 2 + 1)
    step = max(1, images.shape[rows] // SAMPLED_ROWS)
    middle[rows] = slice(step // 2, None, step)
    return np.moveaxis(images[tuple(middle)], axis, 0).reshape(n, -1)


def _check_frames(sample: np.ndarray, energy: np.ndarray, keep: np.ndarray, opened: Opened) -> None:
    """Refuse frames without numbers, and stacks that are the same everywhere."""
    if sample.dtype.kind == "f":
        empty = np.flatnonzero(~np.isfinite(sample).any(axis=1))
        if empty.size == energy.size:
            raise DataError(f"{opened.name} holds no numbers (NaN everywhere).", hint="Export it again.")
        if empty.size:
            i = empty[0]
            more = f" and {empty.size - 1} more frame{'s' if empty.size > 2 else ''}" if empty.size > 1 else ""
            raise DataError(
                f"Frame {keep[i] + 1} of {opened.name} ({energy[i]:g} eV){more} holds no numbers.",
                hint=f"Leave out with drop={','.join(str(k + 1) for k in keep[empty])}.",
            )
    finite = sample[np.isfinite(sample)]
    if finite.min() == finite.max():
        raise DataError(f"All values of {opened.name} are {finite[0]:g}.", hint="Export it again; such a stack has no edge.")


def _absorption(raw: Any, sample: np.ndarray, energy: np.ndarray, opened: Opened, options: StackOptions) -> tuple[Any, list[str]]:
    """Optical depth from what the file holds, and remarks about it."""
    kind = opened.values if options.values == "auto" else options.values
    if kind == "absorption":
        return raw, _negative(sample, exact=_small(opened))
    incident = np.ones(energy.size)
    if kind == "counts":
        if not options.i0:
            raise ReadError(
                f"{opened.name} holds counts, and an optical depth needs the incident intensity.",
                hint="Give it with i0=FILE (two columns, energy and counts), or say values=absorption.",
            )
        incident = _incident(options, energy)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = np.log(incident.astype(np.float32)) - np.log(np.where(raw > 0, raw, np.nan).astype(np.float32))
        seen = np.log(incident)[:, None] - np.log(np.where(sample > 0, sample, np.nan))
    dark = float(np.mean(sample <= 0))
    remarks = [f"{dark:.2%} of the intensities are not positive; they have no optical depth."] if dark else []
    return depth, remarks + _negative(seen, exact=_small(opened))


def _small(opened: Opened) -> bool:
    return math.prod(opened.images.shape) * opened.images.dtype.itemsize <= IN_MEMORY


def _negative(values: np.ndarray, *, exact: bool) -> list[str]:
    known = values[np.isfinite(values)]
    share = float(np.mean(known < 0)) if known.size else 0.0
    about = "" if exact else "About "
    return [f"{about}{share:.2%} of the optical depths are negative; they are kept."] if share else []


def _incident(options: StackOptions, energy: np.ndarray) -> np.ndarray:
    given, counts = np.array(options.i0).T
    listed, _ = in_ev(given, options.energy_unit, where="i0")
    order = np.argsort(listed)
    listed, counts = listed[order], counts[order]
    outside = energy[(energy < listed[0] - SAME_EV) | (energy > listed[-1] + SAME_EV)]
    if outside.size:
        raise ReadError(
            f"The incident intensity covers {listed[0]:g}–{listed[-1]:g} eV, but a frame is at {outside[0]:g} eV.",
            hint="Give the incident intensity of this scan.",
        )
    if not (counts > 0).all():
        raise ReadError("The incident intensity is not positive everywhere.", hint="Give counts above the dark level.")
    return np.interp(energy, listed, counts)


# -- arrays ----------------------------------------------------------------------------------------------------------------


def _array(images: Blocks, axis: int) -> Any:
    """The images with their energies last: in memory if small, else lazy."""
    if math.prod(images.shape) * images.dtype.itemsize <= IN_MEMORY:
        return np.ascontiguousarray(np.moveaxis(whole(images), axis, -1))
    return lazy(images, axis)


def lazy(images: Blocks, axis: int | None) -> "da.Array":
    """Images that stay in their files, energies last and in one piece; ``axis`` None: there is no axis of energies."""
    import dask.array as da

    space = [i for i in range(images.ndim) if i != axis]
    shape = tuple(images.shape[i] for i in space)
    n = 1 if axis is None else images.shape[axis]
    read = _pages(shape, n * images.dtype.itemsize) if images.paged else pieces(shape, VOXELS)
    chunks: list[int] = [0] * images.ndim
    for i, size in zip(space, read, strict=True):
        chunks[i] = size
    if axis is not None:
        chunks[axis] = n
    made = da.from_array(images, chunks=tuple(chunks), name=False, asarray=True)
    native = images.dtype.newbyteorder("=")
    made = made.astype(native) if images.dtype != native else made
    made = da.moveaxis(made, axis, -1) if axis is not None else made
    return made.rechunk((*pieces(shape, VOXELS), *made.chunksize[len(shape) :])) if images.paged else made


def pieces(shape: Sequence[int], voxels: int) -> tuple[int, ...]:
    """Lengths of a piece of about ``voxels`` voxels that is made of whole rows, then of whole slices."""
    left = voxels
    lengths: list[int] = []
    for size in reversed(shape):
        length = max(1, min(size, left))
        lengths.append(length)
        left = max(1, left // length)
    return tuple(reversed(lengths))


def _pages(shape: tuple[int, ...], voxel_bytes: int) -> tuple[int, ...]:
    """Lengths of a piece of whole pages, or of parts of one page where even one is too much at all energies."""
    return pieces(shape, max(PAGE_BYTES // voxel_bytes, VOXELS))
