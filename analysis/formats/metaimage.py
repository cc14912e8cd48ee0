"""MetaImage volumes (``.mha``; ``.mhd`` with its data in a file beside it), as ITK, elastix and others write them.

Text header of ``Name = value`` lines that ends with ``ElementDataFile``: ``LOCAL`` (values follow) or the name of a file. ``DimSize`` and
``ElementSpacing`` begin with the fastest axis; spacings have no unit in the file, and are millimetres by convention. Values are raw or
compressed as one zlib stream (``CompressedData = True``). Not read: several channels, lists of files, ASCII values. Specification:
https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

import re
import zlib
from pathlib import Path

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.deflate import DAMAGED
from analysis.formats.volume import Volume, finished

MARK = re.compile(rb"^(?:ObjectType\s*=\s*Image|NDims\s*=\s*[123])\b", re.MULTILINE)
LAST = re.compile(rb"ElementDataFile\s*=\s*([^\r\n]*)\r?\n?")
MOST_HEADER = 1 << 16
MM_UM = 1e3
TYPES = {
    "MET_UCHAR": "uint8",
    "MET_CHAR": "int8",
    "MET_USHORT": "uint16",
    "MET_SHORT": "int16",
    "MET_UINT": "uint32",
    "MET_INT": "int32",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}


def is_metaimage(head: bytes) -> bool:
    return MARK.search(head[:MOST_HEADER]) is not None and b"DimSize" in head[:MOST_HEADER]


def read_metaimage(path: Path) -> Volume:
    """The array of a file with the axes z, y, x, and its voxel size in µm where the header says it."""
    with open(path, "rb") as f:
        begin = f.read(MOST_HEADER)
    end = LAST.search(begin)
    if end is None:
        raise ReadError(f"{path.name} is no MetaImage: it does not say where its values are.", hint="Export it again.")
    fields = _fields(begin[: end.start()].decode("utf-8", errors="replace"))
    if fields.get("elementnumberofchannels", "1") != "1":
        raise ReadError(f"{path.name} has several values for each voxel.", hint="Export one channel.")
    dtype, sizes = _type(path, fields), _numbers(fields, "dimsize")
    if not sizes or min(sizes) < 1:
        raise ReadError(f"{path.name} does not state its size.", hint="Export it again.")
    named = end.group(1).decode("utf-8", errors="replace").strip()
    shape = tuple(int(n) for n in sizes[::-1])
    raw = _values(path, named, end.end(), fields, int(np.prod(shape)) * dtype.itemsize)
    spacing = _numbers(fields, "elementspacing") or _numbers(fields, "elementsize")
    known = len(spacing) == len(shape) and all(v > 0 for v in spacing)
    return finished(path, raw, dtype, shape, tuple(float(f"{v * MM_UM:.7g}") for v in spacing[::-1]) if known else None)


def _fields(text: str) -> dict[str, str]:
    return {n.strip().lower(): v.strip() for n, equals, v in (line.partition("=") for line in text.splitlines()) if equals}


def _type(path: Path, fields: dict[str, str]) -> np.dtype:
    said = fields.get("elementtype", "")
    if said not in TYPES:
        raise ReadError(f"{path.name} holds values of type '{said}', which is not read here.", hint="Export it as 8- or 16-bit integers.")
    big = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "False")).lower() == "true"
    return np.dtype(TYPES[said]).newbyteorder(">" if big else "<")


def _numbers(fields: dict[str, str], name: str) -> list[float]:
    try:
        return [float(v) for v in fields.get(name, "").split()]
    except ValueError:
        return []


def _values(path: Path, named: str, offset: int, fields: dict[str, str], need: int) -> bytes:
    source = path if named == "LOCAL" else path.parent / Path(named).name
    if not source.is_file():
        raise ReadError(f"{path.name} has its values in {Path(named).name}, which is not beside it.", hint="Put both into one folder.")
    skip = offset if named == "LOCAL" else int(fields.get("headersize", "0") if fields.get("headersize", "0").isdigit() else 0)
    with open(source, "rb") as f:
        f.seek(skip)
        raw = f.read()
    if fields.get("compresseddata", "False").lower() != "true":
        return raw[:need]
    try:
        return zlib.decompressobj().decompress(raw, need)
    except DAMAGED as err:
        raise ReadError(f"{path.name} is damaged or cut off: {err}.", hint="Copy it again.") from err
