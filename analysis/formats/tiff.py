"""TIFF images and series of them, read with ``tifffile``.

Pages are energies or slices; programs differ in what else they write. Uncompressed series that lie in one piece (ImageJ, most
beamlines, files above 4 GB with a single page entry) are mapped; others are decoded page by page. Deflate and LZMA need nothing
further, LZW and JPEG need a library that is not part of this program and are refused. ImageJ stores a pixel size with its unit and
a label for each page, in which some beamlines put the energy; a resolution without a unit of length is not believed (72 dpi).
Integers are read as they are stored, signed or not. Colour images are refused: their channels are no measurement.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from analysis.core.errors import ReadError
from analysis.formats.blocks import Blocks, Key, Mapped, Typed
from analysis.formats.deflate import DAMAGED
from analysis.formats.energies import energy_of_name
from analysis.formats.library_messages import captured_messages

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES = 1_000_000
_LENGTHS_UM = {"micron": 1.0, "um": 1.0, "µm": 1.0, "\\u00b5m": 1.0, "nm": 1e-3, "mm": 1e3, "cm": 1e4}
_DAMAGED: tuple[type[Exception], ...] = (
    tifffile.TiffFileError,
    OSError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    struct.error,
    *DAMAGED,
)


@dataclass(frozen=True)
class TiffPages(Typed):
    """Pages that have to be decoded: shape (n, y, x)."""

    path: Path
    shape: tuple[int, int, int]
    typestr: str
    paged: bool = True

    def __getitem__(self, key: Key) -> np.ndarray:
        first, *rest = key
        with captured_messages("tifffile"), _opened(self.path) as tif:
            return np.stack([tif.pages[i].asarray()[tuple(rest)] for i in range(self.shape[0])[first]])


@dataclass(frozen=True)
class Tiff:
    """The images of a file (one image: shape (y, x)), the pixel size and the energies of the pages where the file says them."""

    images: Blocks
    pixel_um: float | None
    energy: np.ndarray | None  # eV, one a page
    metadata: dict[str, Any]


def read_tiff(path: Path) -> Tiff:
    """Images of a file, which stay in the file.

    Raises
    ------
    ReadError
        No TIFF, cut off, colour, pages of different size, or a compression that cannot be read.
    """
    with captured_messages("tifffile") as messages, _opened(path) as tif:
        if not tif.series:
            raise ReadError(f"{path.name} holds no image.", hint="Export it again.")
        page = tif.series[0].keyframe
        if page.samplesperpixel != 1 or page.dtype is None or np.dtype(page.dtype).kind not in "biuf":
            raise ReadError(f"{path.name} holds colour pictures, no measured values.", hint="Export grey values of 16 or 32 bits.")
        _list_whole(tif, path, messages)
        shape, offset = _extent(tif, path)
        typestr = np.dtype(page.dtype).newbyteorder(tif.byteorder).str
        said = {"description": page.description[:200]} if page.description else {}
        images: Blocks = Mapped(path, shape, typestr, offset) if offset is not None else _decoded(tif, path, shape, typestr)
        return Tiff(images, _pixel_um(tif), _energies(tif, shape), said)


def _list_whole(tif: tifffile.TiffFile, path: Path, messages: list[str]) -> None:
    """Refuse a file whose list of pages breaks off, which the library only remarks on."""
    n = len(tif.pages)
    if any("offset" in m or "raised" in m for m in messages):
        raise ReadError(f"{path.name} is cut off after page {n}.", hint="Export or copy it again.")
    if n > MAX_PAGES:
        raise ReadError(f"{path.name} states {n:,} pages.", hint="Export or copy it again.")


def _extent(tif: tifffile.TiffFile, path: Path) -> tuple[tuple[int, ...], int | None]:
    """Shape of what is read, and where it begins if it lies in one piece."""
    series = tif.series[0]
    if len(tif.series) > 1 and len({(p.shape, p.dtype) for p in tif.pages}) == 1:  # equal pages that were written one by one
        _all_there(list(tif.pages), path)
        return (len(tif.pages), *tif.pages[0].shape), None
    if len(tif.series) > 1 and len(series) == 1:
        raise ReadError(f"The pages of {path.name} differ in size or type.", hint="Export them as one series.")
    shape = tuple(n for n in series.shape if n != 1) or (1,)
    if series.dataoffset is None:
        _all_there(list(series.pages), path)
        return shape, None
    need = series.dataoffset + series.nbytes
    if need > path.stat().st_size:
        raise ReadError(
            f"{path.name} is cut off: it has {path.stat().st_size:,} bytes, its pages need {need:,}.", hint="Export or copy it again."
        )
    return shape, series.dataoffset


@contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    try:
        tif = tifffile.TiffFile(path)
    except _DAMAGED as err:
        raise ReadError(f"{path.name} is no readable TIFF file: {_brief(err)}.", hint="Export or copy it again.") from err
    with tif:
        try:
            yield tif
        except _DAMAGED as err:
            raise ReadError(f"{path.name} is damaged or cut off: {_brief(err)}.", hint="Export or copy it again.") from err


def _brief(err: BaseException) -> str:
    return re.sub(r"\s+", " ", str(err)).strip().rstrip(".")[:120] or type(err).__name__


def _all_there(pages: list[Any], path: Path) -> None:
    """Refuse a file with a page that reaches beyond its end."""
    size = path.stat().st_size
    for number, page in enumerate(pages, start=1):
        if page is None or max((o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0) > size:
            raise ReadError(f"{path.name} is cut off at page {number}.", hint="Export or copy it again.")


def _decoded(tif: tifffile.TiffFile, path: Path, shape: tuple[int, ...], typestr: str) -> Blocks:
    try:
        tif.pages[0].asarray()
    except ValueError as err:
        if "imagecodecs" not in str(err):
            raise
        kind = tifffile.COMPRESSION(tif.pages[0].compression).name
        raise ReadError(f"{path.name} is compressed with {kind}, which is not read here.", hint="Save it without compression.") from err
    page = tif.pages[0].shape
    n = int(np.prod(shape, dtype=np.int64)) // int(np.prod(page, dtype=np.int64))
    if len(tif.pages) < n:
        raise ReadError(f"{path.name} is cut off: {len(tif.pages)} of {n} pages are there.", hint="Export or copy it again.")
    pages = TiffPages(path, (n, int(page[-2]), int(page[-1])), typestr)
    if len(shape) > 3:
        raise ReadError(
            f"{path.name} is a compressed series of {len(shape)} dimensions.", hint="Save it without compression, or one file an energy."
        )
    return pages


def _pixel_um(tif: tifffile.TiffFile) -> float | None:
    said = tif.imagej_metadata or {}
    unit = _LENGTHS_UM.get(str(said.get("unit", "")).strip())
    resolution = tif.pages.first.tags.get("XResolution")
    if unit is None or resolution is None or not resolution.value[0]:
        return None
    per_unit, over = resolution.value
    return float(f"{unit * over / per_unit:.6g}")


def _energies(tif: tifffile.TiffFile, shape: tuple[int, ...]) -> np.ndarray | None:
    labels = (tif.imagej_metadata or {}).get("Labels")
    if not isinstance(labels, list | tuple) or len(shape) < 3 or len(labels) != shape[0]:
        return None
    found = [energy_of_name(f"{str(label).splitlines()[0]}.tif") for label in labels if str(label)]
    return np.array(found, float) if len(found) == shape[0] and all(e is not None for e in found) else None
