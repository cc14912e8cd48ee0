"""Named points and regions of particles, and the profile line, as the address holds them.

    points=12.30.41.7~0~P1,12.e-4f…~1~rim        line=12_30.5_41_7_30.5_12_40

Each begins with the measurement it belongs to, so that the marks of one particle wait in the address while another is shown. A point
is a voxel (z, y, x); a region is an edit of the store, whose mask recipes take as input and whose polygon pictures draw: in one slice, or
in each of several as a prism. Behind them stand the place in the list of mark colours and the name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from analysis.core.errors import DataError
from analysis.core.store import Store
from analysis.schemas import MASK
from analysis.xanes.figures_spectra import MARK_COLOURS
from components.image_view import region

MOST_MARKS = 24
NAME_LENGTH = 30
VOXEL = re.compile(r"(\d{1,9})\.(\d{1,6})\.(\d{1,6})\.(\d{1,6})")
REGION = re.compile(r"(\d{1,9})\.(e-[0-9a-f]{8,64})")
SLICES = re.compile(r"\s*(\d{1,6})\s*(?:[-–−]|to|…)?\s*(\d{1,6})?\s*")
LINE = re.compile(r"(\d{1,9})((?:_-?\d{1,6}(?:\.\d{1,3})?){6})")
COLOURS = len(MARK_COLOURS["light"])


@dataclass(frozen=True)
class Mark:
    """A voxel (z, y, x), or the key of the edit that holds a region."""

    measurement: int
    place: tuple[int, int, int] | str
    colour: int
    name: str

    @property
    def id(self) -> str:
        place = self.place if isinstance(self.place, str) else ".".join(map(str, self.place))
        return f"{self.measurement}.{place}"

    def __str__(self) -> str:
        return f"{self.id}~{self.colour}~{self.name}"


@dataclass(frozen=True)
class Line:
    """A straight line in continuous voxel coordinates (z, y, x)."""

    measurement: int
    start: tuple[float, float, float]
    end: tuple[float, float, float]

    def __str__(self) -> str:
        return "_".join([str(self.measurement), *(f"{v:.3f}".rstrip("0").rstrip(".") for v in (*self.start, *self.end))])


def marks_of(text: str) -> list[Mark]:
    """The marks of an address; what is none is left out."""
    found = []
    for part in text.split(",")[:MOST_MARKS]:
        place, _, rest = part.partition("~")
        colour, _, name = rest.partition("~")
        shown = int(colour) % COLOURS if colour.isdigit() and len(colour) < 4 else 0
        if (v := VOXEL.fullmatch(place)) is not None:
            number, z, y, x = map(int, v.groups())
            found.append(Mark(number, (z, y, x), shown, clean(name)))
        elif (r := REGION.fullmatch(place)) is not None:
            found.append(Mark(int(r[1]), r[2], shown, clean(name)))
    return found


def line_of(text: str) -> Line | None:
    found = LINE.fullmatch(text)
    if found is None:
        return None
    z0, y0, x0, z1, y1, x1 = map(float, found[2][1:].split("_"))
    return Line(int(found[1]), (z0, y0, x0), (z1, y1, x1))


def text_of(marks: Iterable[Mark]) -> str:
    return ",".join(map(str, marks))


def clean(name: str) -> str:
    """A name that an address can hold."""
    return re.sub(r"[,~\x00-\x1f]", " ", name).strip()[:NAME_LENGTH]


def added(marks: list[Mark], measurement: int, place: tuple[int, int, int] | str) -> list[Mark]:
    """The list with one mark more, in the first free colour and name; a place that is marked already stays as it is."""
    if any(m.measurement == measurement and m.place == place for m in marks) or len(marks) >= MOST_MARKS:
        return marks
    used = [m.colour for m in marks]
    colour = min(range(COLOURS), key=lambda c: (used.count(c), c))
    letter = "R" if isinstance(place, str) else "P"
    taken = {m.name for m in marks}
    name = next(f"{letter}{n}" for n in range(1, MOST_MARKS + 2) if f"{letter}{n}" not in taken)
    return [*marks, Mark(measurement, place, colour, name)]


def removed(marks: list[Mark], mark_id: str) -> list[Mark]:
    return [m for m in marks if m.id != mark_id]


def renamed(marks: list[Mark], mark_id: str, name: str) -> list[Mark]:
    return [replace(m, name=clean(name) or m.name) if m.id == mark_id else m for m in marks]


def recoloured(marks: list[Mark], mark_id: str) -> list[Mark]:
    """The list with the next colour for one mark."""
    return [replace(m, colour=(m.colour + 1) % COLOURS) if m.id == mark_id else m for m in marks]


def keep_region(store: Store, event: Mapping[str, Any], ds: xr.Dataset) -> str:
    """Store a lasso over the maps of ``ds`` as an edit, a mask of one slice; return its key.

    Raises
    ------
    DataError
        The event is no lasso, or no voxel lies inside.
    """
    shape = {d: int(ds.sizes.get(d, 1)) for d in ("z", "y", "x")}
    inside = region(event, shape)
    if not inside.any():
        raise DataError("No voxel lies inside the lasso.", hint="Draw it around at least one voxel.")
    axis, index = str(event["axis"]), int(event["index"])
    if axis not in shape or not 0 <= index < shape[axis]:
        raise DataError("This is not a lasso.", hint="Draw it again.")
    mask = np.zeros([shape[d] for d in ("z", "y", "x")], np.uint8)
    where: list[Any] = [slice(None)] * 3
    where[("z", "y", "x").index(axis)] = index
    mask[tuple(where)] = inside
    dims = ("z", "y", "x") if "z" in ds.sizes else ("y", "x")
    drawn = {"axis": axis, "index": index, "polygon": [[round(float(r), 2), round(float(c), 2)] for r, c in event["polygon"]]}
    values = mask if "z" in ds.sizes else mask[0]
    return _kept(store, dims, values, drawn)


def slices_of(drawn: Mapping[str, Any]) -> tuple[int, int]:
    """First and last slice of a region, both counted."""
    return int(drawn["index"]), int(drawn.get("last", drawn["index"]))


def reaching(store: Store, marks: list[Mark], mark_id: str, text: str) -> list[Mark]:
    """The list with one region over other slices, such as ``20-30`` or ``25``.

    Raises
    ------
    DataError
        This is no range of slices, or it lies outside the particle.
    """
    return [replace(m, place=extended(store, str(m.place), text)) if m.id == mark_id else m for m in marks]


def extended(store: Store, key: str, text: str) -> str:
    """Key of the same outline over other slices, a new edit; the edit before it stays."""
    if not store.has(key):
        raise DataError("This region is not in the workspace.", hint="Draw it again.")
    before = store.open(key)
    said = dict(before.attrs["drawn"])
    axis, mask = str(said["axis"]), before["mask"]
    size = int(mask.sizes.get(axis, 1))
    found = SLICES.fullmatch(text)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
    if not 0 <= first <= last < size:
        raise DataError(
            f"'{text.strip()}' is no range of the slices 0–{size - 1} along {axis}.",
            hint="Write the first and the last one, such as 20-30.",
        )
    if axis not in mask.dims:
        return key
    plane = mask.isel({axis: int(said["index"])}).to_numpy()
    values = np.zeros(mask.shape, np.uint8)
    where: list[Any] = [slice(None)] * mask.ndim
    where[mask.dims.index(axis)] = slice(first, last + 1)
    values[tuple(where)] = np.expand_dims(plane, mask.dims.index(axis))
    return _kept(store, mask.dims, values, {**said, "index": first, "last": last})


def _kept(store: Store, dims: tuple[Any, ...], values: np.ndarray, drawn: dict[str, Any]) -> str:
    made = xr.Dataset({"mask": (dims, values, {"units": "1"})}, attrs={"drawn": drawn, "n_voxels": int(np.count_nonzero(values))})
    return store.put_edit(MASK.conform(made), note="region drawn with the lasso")


def drawn(store: Store, mark: Mark, colour: str) -> dict[str, Any] | None:
    """A mark as an image view draws it; None for a region that is not in the store."""
    if not isinstance(mark.place, str):
        z, y, x = mark.place
        return {"name": mark.name, "z": z, "y": y, "x": x, "colour": colour}
    if not store.has(mark.place):
        return None
    return {**store.open(mark.place).attrs["drawn"], "name": mark.name, "colour": colour}
