"""Images of Zeiss/Xradia X-ray microscopes: ``.xrm`` (one image) and ``.txrm`` (a series).

An OLE2 compound file (the container of old Office files, read with ``olefile``). Streams hold little-endian arrays without a header:

===================================== =============================================================================================
``ImageInfo/ImageWidth, ImageHeight`` int32
``ImageInfo/NoOfImages, ImagesTaken`` int32; a scan that was stopped took fewer images than planned
``ImageInfo/DataType``                int32: 5 = uint16 (unsigned), 10 = float32; no other code was seen
``ImageInfo/Energy``                  float32, eV, one for each planned image; 0 where the software was not told. SSRL 6-2c leaves 0 and
                                      writes the energy into the file name (``…_08324.0_eV_001of003.xrm``)
``ImageInfo/ExpTimes``                float32, s · ``ImageInfo/Angles`` float32, degree
``ImageInfo/PixelSize``               float32, µm in the sample, nominal: it does not follow the energy
``ImageInfo/HorizontalBin``           int32 · ``VerticalalBin`` [sic] int32
``ImageInfo/Date``                    text fields of fixed width, one for each image, with rubbish behind the zero byte
``ImageInfo/IonChamberCurrent``       float32
``ImageInfo/XPosition`` … ``ZPosition`` float32, µm
``ImageData⌈i/100⌉/Image⌈i⌉``         image i, counted from 1, rows from top to bottom as stored
``ReferenceData/Image``               one reference image where one was applied or kept; ``ReferenceData/ExpTime`` in s
``ImageInfo/OriginalDataRefCorrected`` int32, 1: the images were divided by the reference already
===================================== =============================================================================================

Arrays in ``ImageInfo`` are longer than the number of images in some files (61 energies for 7 projections, zeros behind the first): the
first entries count, and a lone first energy holds for all images. Streams are chains of sectors; an image that lies in one piece is
mapped, others are put together. Files that were cut off keep their directory, so they open, and their image ends early or is missing:
those are refused. Seen: software of 2011, 2015, 2016 (ProjectionVersion 2) and 2017 (ProjectionVersion 5). Not read: mosaics,
distortion parameters, alignment shifts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import olefile

from analysis.core.errors import ReadError
from analysis.formats.blocks import Key, Typed
from analysis.formats.energies import energy_of_name

MAGIC = olefile.MAGIC
TYPES = {5: "<u2", 10: "<f4"}
MAX_SIDE = 1 << 16
IMAGES_A_FOLDER = 100
_DAMAGED = (OSError, ValueError, IndexError, EOFError, TypeError, AttributeError)  # what olefile raises on damaged directories


@dataclass(frozen=True)
class XrmImages(Typed):
    """The images of a file: shape (n, y, x). ``offsets`` in bytes where an image lies in one piece, -1 elsewhere."""

    path: Path
    shape: tuple[int, int, int]
    typestr: str
    offsets: tuple[int, ...]
    paged: bool = False

    def __getitem__(self, key: Key) -> np.ndarray:
        first, *rest = key
        return np.stack([self._image(i)[tuple(rest)] for i in range(self.shape[0])[first]])

    def _image(self, i: int) -> np.ndarray:
        if self.offsets[i] >= 0:
            return np.memmap(self.path, self.dtype, "r", self.offsets[i], self.shape[1:])
        with _opened(self.path) as ole:
            raw = ole.openstream(_image_name(i)).read()
        return np.frombuffer(raw, self.dtype, self.shape[1] * self.shape[2]).reshape(self.shape[1:])


@dataclass(frozen=True)
class Xrm:
    """One file. Arrays have one entry for each image; energies are eV (NaN unknown), exposures s, angles degree."""

    path: Path
    images: XrmImages
    energy: np.ndarray
    exposure: np.ndarray
    angle: np.ndarray
    pixel_um: float | None
    binning: int
    date: str
    corrected: bool  # divided by a reference already
    energy_from: str  # "file", "name" or ""
    reference: np.ndarray | None = None
    reference_exposure: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


def is_xrm(path: Path) -> bool:
    """Whether this compound file was written by the microscope's software."""
    try:
        with olefile.OleFileIO(path) as ole:
            return bool(ole.exists("ImageInfo/ImageWidth"))
    except _DAMAGED:
        return False


def read_xrm(path: Path) -> Xrm:
    """Metadata of a file and its images, which stay in the file.

    Raises
    ------
    ReadError
        Not of this format, of an unknown pixel type, or cut off.
    """
    with _opened(path) as ole:
        if not ole.exists("ImageInfo/ImageWidth"):
            raise ReadError(f"{path.name} is a compound file without images of an X-ray microscope.", hint="Choose another reader.")
        images = _images(ole, path)
        n = images.shape[0]
        energy, source = _energies(_floats(ole, "ImageInfo/Energy"), n, path.name)
        bins = _ints(ole, "ImageInfo/HorizontalBin")
        pixel = _floats(ole, "ImageInfo/PixelSize")
        found = Xrm(
            path,
            images,
            energy,
            _of_images(_floats(ole, "ImageInfo/ExpTimes"), n),
            _of_images(_floats(ole, "ImageInfo/Angles"), n),
            float(pixel[0]) if pixel.size and pixel[0] > 0 else None,
            int(bins[0]) if bins.size else 1,
            _text(ole, "ImageInfo/Date"),
            bool(_ints(ole, "ImageInfo/OriginalDataRefCorrected")[:1].any()),
            source,
            *_reference(ole, images),
            metadata=_further(ole),
        )
    return found


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        ole = olefile.OleFileIO(path)
    except _DAMAGED as err:
        raise ReadError(f"{path.name} is no readable .xrm file: {err}.", hint="Copy or transfer it again.") from err
    try:
        yield ole
    finally:
        ole.close()


def _stream(ole: Any, name: str) -> bytes:
    try:
        return bytes(ole.openstream(name).read()) if ole.exists(name) else b""
    except _DAMAGED:
        return b""


def _ints(ole: Any, name: str) -> np.ndarray:
    raw = _stream(ole, name)
    return np.frombuffer(raw, "<i4", len(raw) // 4)


def _floats(ole: Any, name: str) -> np.ndarray:
    raw = _stream(ole, name)
    single = np.frombuffer(raw, "<f4", len(raw) // 4)
    return single.astype("U32").astype(float)  # 0.3, not 0.30000001


def _text(ole: Any, name: str) -> str:
    return _stream(ole, name)[:260].partition(b"\0")[0].decode("latin-1").strip()


def _of_images(values: np.ndarray, n: int) -> np.ndarray:
    """The first ``n`` values, NaN where the file has fewer."""
    found = np.full(n, np.nan)
    found[: min(n, values.size)] = values[:n]
    return found


def _energies(values: np.ndarray, n: int, name: str) -> tuple[np.ndarray, str]:
    given = _of_images(values, n)
    known = np.isfinite(given) & (given > 0)
    if known.all():
        return np.round(given, 3), "file"
    if known[0] and not known[1:].any():
        return np.full(n, round(float(given[0]), 3)), "file"
    stated = energy_of_name(name)
    if stated is not None and not known.any():
        return np.full(n, stated), "name"
    return np.where(known, given, np.nan), "file" if known.any() else ""


def _image_name(i: int) -> str:
    return f"ImageData{i // IMAGES_A_FOLDER + 1}/Image{i + 1}"


def _images(ole: Any, path: Path) -> XrmImages:
    width, height, code = (
        int(v[0]) if v.size else 0 for v in (_ints(ole, f"ImageInfo/{n}") for n in ("ImageWidth", "ImageHeight", "DataType"))
    )
    if code not in TYPES:
        raise ReadError(
            f"{path.name} has pixels of the unknown type {code}.", hint="Known are 5 (uint16) and 10 (float32); export it as TIFF."
        )
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ReadError(f"{path.name} states an image of {width} × {height} pixels.", hint="Copy or transfer it again.")
    need = width * height * np.dtype(TYPES[code]).itemsize
    planned = _ints(ole, "ImageInfo/NoOfImages")
    taken = _ints(ole, "ImageInfo/ImagesTaken")
    n = int(min(v[0] for v in (planned, taken) if v.size)) if planned.size or taken.size else 1
    if n < 1 and planned.size and planned[0] > 0 and not ole.exists(_image_name(0)):
        raise ReadError(f"{path.name} is cut off: its image is missing.", hint="Take it out, or transfer it again.")
    offsets = tuple(_offset(ole, path, i, need) for i in range(max(n, 1)))
    return XrmImages(path, (max(n, 1), height, width), TYPES[code], offsets)


def _offset(ole: Any, path: Path, i: int, need: int) -> int:
    """Where image ``i`` begins, -1 if it lies in pieces; ``ReadError`` where it is not all there."""
    name = _image_name(i)
    which = "its image" if i == 0 else f"image {i + 1}"
    if not ole.exists(name):
        raise ReadError(f"{path.name} is cut off: {which} is missing.", hint="Take it out, or transfer it again.")
    entry = ole.direntries[ole._find(name)]
    short = ReadError(f"{path.name} is cut off: {which} is incomplete.", hint="Take it out, or transfer it again.")
    if ole.get_size(name) < need:
        raise short
    if ole.get_size(name) < ole.minisectorcutoff:
        return -1
    sectors = []
    sector = entry.isectStart
    for _ in range(-(-need // ole.sectorsize)):
        if not 0 <= sector < len(ole.fat):
            raise short
        sectors.append(sector)
        sector = ole.fat[sector]
    chain = np.array(sectors, np.int64)
    ends = (chain + 2) * ole.sectorsize  # the header fills the place of the first sector
    ends[-1] -= -need % ole.sectorsize
    if ends.max() > ole._filesize:
        raise short
    return int((chain[0] + 1) * ole.sectorsize) if np.all(np.diff(chain) == 1) else -1


def _reference(ole: Any, images: XrmImages) -> tuple[np.ndarray | None, float | None]:
    code, raw = _ints(ole, "ReferenceData/DataType"), _stream(ole, "ReferenceData/Image")
    pixels = images.shape[1] * images.shape[2]
    typestr = TYPES.get(int(code[0]) if code.size else 0)
    if typestr is None or len(raw) < pixels * np.dtype(typestr).itemsize:
        return None, None
    exposure = _floats(ole, "ReferenceData/ExpTime")
    image = np.frombuffer(raw, typestr, pixels).reshape(images.shape[1:])
    return image, float(exposure[0]) if exposure.size and exposure[0] > 0 else None


def _further(ole: Any) -> dict[str, Any]:
    names = {
        "x_um": "XPosition",
        "y_um": "YPosition",
        "z_um": "ZPosition",
        "ion_chamber": "IonChamberCurrent",
        "magnification": "OpticalMagnification",
        "frames_averaged": "NoOfImagesAveraged",
    }
    said: dict[str, Any] = {}
    for ours, theirs in names.items():
        read = _ints if theirs == "NoOfImagesAveraged" else _floats
        value = read(ole, f"ImageInfo/{theirs}")
        if value.size and np.isfinite(value[0]):
            said[ours] = float(f"{value[0]:.6g}")
    if camera := _text(ole, "ImageInfo/CameraName"):
        said["camera"] = camera
    if objective := _text(ole, "ImageInfo/ObjectiveName"):
        said["objective"] = objective
    return said
