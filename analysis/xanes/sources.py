"""Where the arrays of stacks, volumes and maps come from: any of the known formats, opened without being read.

An ``Opened`` says what the files themselves know: images, energies, what the values are, pixel size. What they do not say, the
reader's options add.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats import hdf5, matlab, npy, stxm, tiff, zarr_store
from analysis.formats.blocks import Blocks, InMemory, Without, stacked, whole
from analysis.formats.energies import Unit, energy_of_name, read_list

Values = Literal["absorption", "transmission", "counts"]
LIST_NAMES = (
    "{stem}_energies.txt",
    "{stem}_energy.txt",
    "{stem}.energies.txt",
    "energies.txt",
    "energy.txt",
    "Energy.txt",
    "energy_list.txt",
)


@dataclass(frozen=True)
class Opened:
    """Images of one or more files.

    ``energy`` is what the files say, in ``energy_unit`` (``"auto"``: they do not say the unit); ``voxel_um`` is one length, or one for each
    axis of space.
    """

    name: str
    images: Blocks  # without axes of length one
    energy: np.ndarray | None = None
    energy_from: str = ""
    energy_unit: Unit = "auto"
    values: Values = "absorption"
    voxel_um: float | tuple[float, ...] | None = None
    axes: tuple[str, ...] = ()  # names of the axes where the file gives them
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def list_beside(path: Path) -> tuple[Path, ...]:
    """The list of energies that lies beside a stack under one of the usual names."""
    for pattern in LIST_NAMES:
        beside = path.parent / pattern.format(stem=path.stem)
        if beside.is_file() and beside != path:
            return (beside,)
    return ()


def energies_beside(path: Path) -> tuple[np.ndarray | None, str]:
    """The energies of that list and its name."""
    for beside in list_beside(path):
        return read_list(beside)[:, 0], beside.name
    return None, ""


def _without(images: Blocks) -> Blocks:
    return Without(images) if 1 in images.shape else images


def open_tiff(paths: Sequence[Path]) -> Opened:
    """One series, or one file an energy in the order of the energies that the names state."""
    found = [tiff.read_tiff(p) for p in paths]
    first = found[0]
    voxel = first.pixel_um
    if len(paths) == 1:
        if first.energy is not None:
            return Opened(paths[0].name, first.images, first.energy, "page labels", "eV", voxel_um=voxel, metadata=first.metadata)
        return Opened(paths[0].name, first.images, *energies_beside(paths[0]), voxel_um=voxel, metadata=first.metadata)
    named = [energy_of_name(p.name) for p in paths]
    images = stacked([t.images for t in found], [p.name for p in paths])
    title = f"{paths[0].name} and {len(paths) - 1} more"
    if all(e is not None for e in named):
        return Opened(title, images, np.array(named, float), "file names", "eV", voxel_um=voxel)
    if any(e is not None for e in named):
        silent = next(p.name for p, e in zip(paths, named, strict=True) if e is None)
        raise ReadError(
            f"The name of {silent} states no energy, others do.", hint="Put it as 8350.0eV into every name, or give energies=FILE."
        )
    return Opened(title, images, *energies_beside(paths[0]), voxel_um=voxel)


def open_hdf5(path: Path, dataset: str = "", energies: str = "") -> Opened:
    """The stated dataset, the one of a known layout, or the only one that can be meant."""
    known = hdf5.datasets(path)
    layout = hdf5.layout(path, known)
    if layout is not None and layout.values == "projections" and not dataset:
        n = known[layout.stack].shape[0]
        raise ReadError(
            f"{path.name} holds {n} projections of a tomogram, no stack of energies.",
            hint="Read it with reader=xanes.projections_hdf5, or name another dataset with dataset=…; " + hdf5.listed(known),
        )
    fits = layout is not None and (not dataset or dataset.strip("/") == layout.stack)
    name = dataset or (layout.stack if layout else _only(path, known))
    images = _without(hdf5.blocks(path, name))
    told = energies or (layout.energies if layout and fits else "") or _energies_in(known, images.shape)
    metadata = {"layout": layout.title} if layout and fits else {}
    return Opened(
        f"{path.name}:/{name.strip('/')}",
        images,
        hdf5.values(path, told).ravel() if told else None,
        f"/{told.strip('/')}" if told else "",
        _unit(known, told),
        layout.values if layout and fits and layout.values in ("absorption", "transmission", "counts") else "absorption",  # type: ignore[arg-type]
        layout.pixel_um if layout and fits else None,
        metadata=metadata,
    )


def _unit(known: Any, name: str) -> Unit:
    said = known[name.strip("/")].units.lower() if name.strip("/") in known else ""
    return "keV" if said == "kev" else "eV" if said == "ev" else "auto"


def _only(path: Path, known: Any, least: int = 3) -> str:
    images = [n for n, d in known.items() if len(d.squeezed) in range(least, 5)]
    if len(images) == 1:
        return str(images[0])
    what = "holds several datasets that could be meant" if images else "holds no dataset of three or four dimensions"
    raise ReadError(f"{path.name} {what}.", hint=f"{hdf5.listed(known)} Name one with dataset=/….")


def _energies_in(known: Any, shape: tuple[int, ...]) -> str:
    found = hdf5.energy_candidates(known, (shape[0], shape[-1])) if shape else []
    return found[0] if len(found) == 1 else ""


def open_zarr(path: Path, dataset: str = "", energies: str = "") -> Opened:
    """The stated array of a store, or the only one that can be meant."""
    known = zarr_store.arrays(path)
    root = zarr_store.root_of(path)
    name = dataset.strip("/")
    if not dataset:
        name = "" if "" in known else _only(root, known)
    if name not in known:
        raise ReadError(f"{root.name} has no array '{dataset}'.", hint=hdf5.listed(known))
    images = _without(zarr_store.blocks(path, name, known))
    told = energies.strip("/") or _energies_in(known, images.shape)
    if told and told not in known:
        raise ReadError(f"{root.name} has no array '{told}'.", hint=hdf5.listed(known))
    axes = tuple(n for n, size in zip(zarr_store.dimension_names(path, name), known[name].shape, strict=False) if size != 1)
    return Opened(
        f"{root.name}:/{name}",
        images,
        whole(zarr_store.blocks(path, told, known)).ravel() if told else None,
        f"/{told}" if told else "",
        _unit(known, told),
        axes=axes if len(axes) == images.ndim else (),
    )


def open_numpy(path: Path, dataset: str = "") -> Opened:
    """An ``.npy`` array, or the stated one of an ``.npz`` archive, or the only one of it with three dimensions or more."""
    energy, source = energies_beside(path)
    with open(path, "rb") as f:
        single = f.read(len(npy.MAGIC)) == npy.MAGIC
    if single:
        return Opened(path.name, _without(npy.read_npy(path)), energy, source)
    known = {n: hdf5.Dataset(n, shape, kind) for n, (shape, kind) in npy.names(path).items()}
    name = dataset or _only(path, known)
    images = _without(npy.read_npz(path, name))
    if told := _energies_in(known, images.shape):
        energy, source = whole(npy.read_npz(path, told)).ravel(), told
    return Opened(f"{path.name}:{name}", images, energy, source, values="counts" if name == "counts" else "absorption")


def open_matlab(path: Path, dataset: str = "") -> Opened:
    """The stated variable of a MATLAB file, or the only one that can be meant."""
    known = matlab.variables(path)
    name = dataset or _only(path, known, least=2)
    return Opened(f"{path.name}:{name}", _without(InMemory(matlab.read_variable(path, name))))


def open_stxm(path: Path, channel: str = "a") -> Opened:
    """The images of a STXM scan: counts."""
    header = stxm.read_header(path)
    images = stxm.images(header, channel)
    said = {k: v for k, v in (("scan", header.kind), ("time", header.time), ("dwell_s", header.dwell_s)) if v}
    warned = (f"{path.name} has {header.regions} regions; the first was read.",) if header.regions > 1 else ()
    energy = header.energy if header.energy.size else None
    return Opened(path.name, images, energy, "header", "eV", "counts", header.step_um, metadata=said, warnings=warned)
