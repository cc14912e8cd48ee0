"""STXM images of the ALS, CLS, SLS and related instruments: a header ``.hdr`` and images ``.xim``.

``.hdr`` is text of nested assignments, ``Name = value;`` in braces; lists are ``(count, value, value, …)``. What is used:
``ScanDefinition`` with ``Type`` (``NEXAFS Image Scan`` for stacks), ``Dwell`` in ms, ``Regions`` whose ``PAxis`` (x) and ``QAxis`` (y)
carry unit and points, ``StackAxis`` with the energies and their unit, ``Channels``; ``Time``. Axes of one scan have one region here:
files with several regions have images of several sizes, and the first region is read.

``.xim`` is text: one row of the image a line, numbers between blanks or tabs, the lowest y first. Names: ``<stem>_a000.xim``,
``<stem>_a001.xim`` … for the energies of channel *a* (``_b`` is the second channel), ``<stem>_a.xim`` for a single image. Region
number 0 is written ``<stem>_a0000.xim`` by some versions where there are several. Seen: ALS 5.3.2.2 of 2007 (header); values are counts
for the dwell time. The incident intensity is a scan of its own.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.blocks import Key
from analysis.formats.energies import in_ev

MARK = re.compile(r"^\s*ScanDefinition\s*=\s*\{", re.MULTILINE)
MAX_HEADER_BYTES = 32 << 20
_AGAIN = "Copy the whole scan again: the .hdr file with its .xim files."


@dataclass(frozen=True)
class XimImages:
    """Images of a scan, one text file each: shape (n, y, x), counts."""

    paths: tuple[Path, ...]
    shape: tuple[int, int, int]
    paged: bool = True

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(np.float32)

    @property
    def ndim(self) -> int:
        return 3

    def __getitem__(self, key: Key) -> np.ndarray:
        first, *rest = key
        return np.stack([read_xim(p, self.shape[1:])[tuple(rest)] for p in self.paths[first]])


@dataclass(frozen=True)
class Header:
    """What a ``.hdr`` says. ``energy`` in eV; ``step_um`` along y and x."""

    path: Path
    kind: str
    energy: np.ndarray
    shape: tuple[int, int]  # y, x
    step_um: tuple[float, float] | None
    dwell_s: float | None
    time: str
    channels: tuple[str, ...]
    regions: int
    metadata: dict[str, Any] = field(default_factory=dict)


def is_header(text: str) -> bool:
    return bool(MARK.search(text[:4096]))


def read_header(path: Path) -> Header:
    """What the header of a scan says."""
    if path.stat().st_size > MAX_HEADER_BYTES:
        raise ReadError(f"{path.name} is too long for a header of a STXM scan.", hint="Choose another reader.")
    text = path.read_text(encoding="latin-1")
    if not is_header(text):
        raise ReadError(f"{path.name} is no header of a STXM scan.", hint="Such a file begins with 'ScanDefinition = {'.")
    definition = text[: text.find("Channels", text.find("StackAxis"))] if "StackAxis" in text else text
    x, y = _axis(definition, "PAxis"), _axis(definition, "QAxis")
    if x is None or y is None:
        raise ReadError(f"{path.name} names no image axes; it is cut off or of another kind of scan.", hint=_AGAIN)
    stack = _axis(definition, "StackAxis")
    energy = in_ev(stack[1], "keV" if stack[0].lower() == "kev" else "eV", where=path.name)[0] if stack else np.array([])
    dwell = re.search(r"Dwell\s*=\s*([\d.]+)", text)
    counted = re.search(r"Regions\s*=\s*\(\s*(\d+)", text)
    return Header(
        path,
        _word(text, "Type"),
        energy,
        (len(y[1]), len(x[1])),
        _steps(y, x),
        float(dwell[1]) * 1e-3 if dwell else None,
        _word(text, "Time"),
        tuple(dict.fromkeys(re.findall(r'Name\s*=\s*"([^"]*)";\s*Unit\s*=\s*"counts"', text))),
        int(counted[1]) if counted else 1,
    )


def _word(text: str, name: str) -> str:
    found = re.search(rf'\b{name}\s*=\s*"([^"]*)"', text)
    return found[1] if found else ""


def _axis(text: str, name: str) -> tuple[str, list[float]] | None:
    """Unit and points of an axis; None where there is none."""
    found = re.search(rf"\b{name}\s*=\s*\{{(.*?)\}}\s*;", text, re.DOTALL)
    points = re.search(r"Points\s*=\s*\(\s*(\d+)\s*,([^)]*)\)", found[1]) if found else None
    if not found or not points:
        return None
    values = [float(v) for v in re.findall(r"[-+\d.]+(?:[eE][-+]?\d+)?", points[2])]
    if len(values) != int(points[1]):
        raise ReadError(f"The header is cut off: {name} states {points[1]} points and lists {len(values)}.", hint=_AGAIN)
    return _word(found[1], "Unit"), values


def _steps(y: tuple[str, list[float]], x: tuple[str, list[float]]) -> tuple[float, float] | None:
    if len(y[1]) < 2 or len(x[1]) < 2 or {y[0], x[0]} - {"um", "µm"}:
        return None
    a, b = (abs(points[-1] - points[0]) / (len(points) - 1) for _, points in (y, x))
    return (round(a, 6), round(b, 6)) if a > 0 and b > 0 else None


def image_files(path: Path, channel: str = "a") -> tuple[Path, ...]:
    """The images beside a header, in order."""
    beside = {p.name: p for p in path.parent.glob(f"{_escaped(path.stem)}_{channel}*.xim")}
    numbered = sorted(n for n in beside if re.fullmatch(rf"{re.escape(path.stem)}_{channel}\d+\.xim", n))
    single = f"{path.stem}_{channel}.xim"
    return tuple(beside[n] for n in numbered) or ((beside[single],) if single in beside else ())


def _escaped(stem: str) -> str:
    return re.sub(r"([\[\]*?])", r"[\1]", stem)


def images(header: Header, channel: str = "a") -> XimImages:
    """The images of a scan.

    Raises
    ------
    ReadError
        Images are missing, or the first one does not fit the header.
    """
    files = image_files(header.path, channel)
    want = max(header.energy.size, 1)
    if len(files) != want:
        raise ReadError(
            f"{header.path.name} lists {want} energies, but {len(files)} images {header.path.stem}_{channel}….xim lie beside it.",
            hint=_AGAIN,
        )
    read_xim(files[0], header.shape)
    return XimImages(files, (want, *header.shape))


def read_xim(path: Path, shape: tuple[int, int] | None = None) -> np.ndarray:
    """One image, rows as they are in the file; ``ReadError`` where it is not of the stated shape."""
    try:
        rows = [np.array(line.split(), np.float32) for line in path.read_text(encoding="latin-1").splitlines() if line.strip()]
    except ValueError as err:
        raise ReadError(f"{path.name} does not hold numbers only: {err}.", hint=_AGAIN) from err
    widths = {r.size for r in rows}
    found = (len(rows), widths.pop()) if len(widths) == 1 else None
    if found is None or (shape is not None and found != shape):
        expected = f", but its header says {shape[0]} × {shape[1]}" if shape else ""
        said = f"is an image of {found[0]} × {found[1]}{expected}" if found else "has rows of different length: it is cut off"
        raise ReadError(f"{path.name} {said}.", hint=_AGAIN)
    return np.stack(rows)
