"""NRRD volumes (``.nrrd``; ``.nhdr`` with its data in a file beside it), as 3D Slicer and others write them.

Text header: the line ``NRRD000x``, then ``field: value`` lines, ``key:=value`` lines and comments (``#``), ended by an empty line; then
the values, the fastest axis first. Encodings ``raw`` and ``gzip`` (``gz``). Voxel sizes stand as ``spacings``, or as the lengths of
``space directions``, in ``space units`` (``mm`` where nothing is said and directions are given). Axes of length one are dropped. Not
read: ascii, hex and bzip2, data split over several files, colour or vector axes. Specification: NRRD0005,
https://teem.sourceforge.net/nrrd/format.html.
"""

import gzip
import re
from pathlib import Path

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.deflate import DAMAGED
from analysis.formats.volume import Volume, finished

MARK = b"NRRD000"
_PACKED_BADLY: tuple[type[Exception], ...] = (OSError, EOFError, *DAMAGED)
MOST_HEADER = 1 << 20
TYPES = {
    "uint8": ("uchar", "unsigned char", "uint8_t"),
    "int8": ("signed char", "int8_t"),
    "uint16": ("ushort", "unsigned short", "unsigned short int", "uint16_t"),
    "int16": ("short", "short int", "signed short", "signed short int", "int16_t"),
    "uint32": ("uint", "unsigned int", "uint32_t"),
    "int32": ("int", "signed int", "int32_t"),
    "float32": ("float",),
    "float64": ("double",),
}
UM = {
    "um": 1.0,
    "µm": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometers": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
}


def read_nrrd(path: Path) -> Volume:
    """The array of a file with the axes z, y, x, and its voxel size in µm where the header says it."""
    head, offset = _header(path)
    fields = _fields(head)
    dtype = _type(path, fields.get("type", ""))
    sizes = _numbers(path, "sizes", fields.get("sizes", ""))
    if dtype.itemsize > 1:
        dtype = dtype.newbyteorder(">" if fields.get("endian", "little").lower() == "big" else "<")
    named = fields.get("data file") or fields.get("datafile")
    if named:
        source, offset = path.parent / Path(named).name, 0
        if not source.is_file():
            raise ReadError(f"{path.name} has its values in {Path(named).name}, which is not beside it.", hint="Put both into one folder.")
    else:
        source = path
    raw = _values(path, source, offset, fields.get("encoding", "raw").lower(), int(np.prod(sizes)) * dtype.itemsize)
    return finished(path, raw, dtype, tuple(int(n) for n in sizes[::-1]), _spacing(fields, len(sizes)))


def _header(path: Path) -> tuple[list[str], int]:
    with open(path, "rb") as f:
        begin = f.read(MOST_HEADER)
    if not begin.startswith(MARK):
        raise ReadError(f"{path.name} is no NRRD file.", hint="Export it again.")
    end = re.search(rb"\r?\n\r?\n", begin)
    stop = end.start() if end else len(begin)
    if end is None and not path.suffix.lower() == ".nhdr":
        raise ReadError(f"The header of {path.name} does not end.", hint="Copy it again.")
    return begin[:stop].decode("utf-8", errors="replace").splitlines(), end.end() if end else len(begin)


def _fields(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            found[name.strip().lower()] = value.strip()
    return found


def _type(path: Path, said: str) -> np.dtype:
    for name, words in TYPES.items():
        if said.lower() in (name, *words):
            return np.dtype(name)
    raise ReadError(f"{path.name} holds values of type '{said}', which is not read here.", hint="Export it as 8- or 16-bit integers.")


def _numbers(path: Path, name: str, text: str) -> list[int]:
    try:
        found = [int(n) for n in text.split()]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise ReadError(f"{path.name} does not state its {name}.", hint="Export it again.")
    return found


def _values(path: Path, source: Path, offset: int, encoding: str, need: int) -> bytes:
    with open(source, "rb") as f:
        f.seek(offset)
        if encoding == "raw":
            return f.read(need)
        if encoding not in ("gzip", "gz"):
            raise ReadError(f"{path.name} is encoded as {encoding}, which is not read here.", hint="Save it raw or with gzip.")
        try:
            with gzip.GzipFile(fileobj=f) as unpacked:
                return unpacked.read(need)
        except _PACKED_BADLY as err:
            raise ReadError(f"{path.name} is damaged or cut off: {err}.", hint="Copy it again.") from err


def _spacing(fields: dict[str, str], axes: int) -> tuple[float, ...] | None:
    """Voxel sizes in µm, slowest axis first; None where they are not said, or not with a unit that is known."""
    vectors = re.findall(r"\(([^)]*)\)", fields.get("space directions", ""))
    try:
        if vectors:
            lengths = [float(np.linalg.norm([float(v) for v in vector.split(",")])) for vector in vectors]
        else:
            lengths = [float(v) for v in fields.get("spacings", "").split()]
    except ValueError:
        return None
    units = re.findall(r'"([^"]*)"', fields.get("space units", "")) or re.findall(r'"([^"]*)"', fields.get("units", ""))
    unit = UM.get(units[0].strip().lower()) if units else (UM["mm"] if vectors else None)
    if len(lengths) != axes or unit is None or not all(np.isfinite(v) and v > 0 for v in lengths):
        return None
    return tuple(float(f"{v * unit:.7g}") for v in lengths[::-1])
