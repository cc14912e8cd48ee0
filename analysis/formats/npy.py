"""NumPy arrays: ``.npy`` (one array) and ``.npz`` (a zip archive of them).

``.npy``: the mark ``\\x93NUMPY``, two bytes of version, the header's length, a Python literal with ``descr``, ``fortran_order`` and
``shape``, then the values: mapped where they are. ``.npz``: one ``.npy`` for each name; members are unpacked as a whole, because even
stored ones begin anywhere in the archive. Arrays of Python objects would have to be unpickled: they are refused, as are archives that
unpack to more than 64 GiB. Versions 1.0, 2.0 and 3.0.
"""

from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import IO
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.lib import format as npy_format

from analysis.core.errors import ReadError
from analysis.formats.blocks import Blocks, InMemory, Mapped, complete, size_text

MAGIC = npy_format.MAGIC_PREFIX
MAX_BYTES = 64 << 30
_AGAIN = "Save it again with numpy.save or numpy.savez."


def read_npy(path: Path) -> Blocks:
    """The array of an ``.npy`` file, mapped."""
    with open(path, "rb") as f:
        shape, fortran, dtype = _header(f, path.name)
        offset = f.tell()
    complete(path, offset + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize)
    return Mapped(path, shape, dtype.str, offset, "F" if fortran else "C")


def names(path: Path) -> Mapping[str, tuple[tuple[int, ...], str]]:
    """Shape and type of each array in an ``.npz`` archive."""
    found = {}
    try:
        with ZipFile(path) as z:
            for member in z.namelist():
                if member.endswith(".npy"):
                    with z.open(member) as f:
                        shape, _, dtype = _header(f, f"{member} in {path.name}")
                    found[member.removesuffix(".npy")] = (shape, dtype.name)
    except (BadZipFile, OSError, NotImplementedError) as err:
        raise ReadError(f"{path.name} is damaged or cut off: {err}.", hint="Copy it again.") from err
    return found


def read_npz(path: Path, name: str) -> Blocks:
    """One array of an ``.npz`` archive, unpacked."""
    known = names(path)
    if name not in known:
        raise ReadError(f"{path.name} has no array '{name}'.", hint=f"It has {_listed(known)}.")
    shape, dtype = known[name]
    if int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize > MAX_BYTES:
        raise ReadError(f"'{name}' of {path.name} unpacks to more than 64 GiB.", hint="Save it as .npy, which is read in parts.")
    try:
        with np.load(path, allow_pickle=False) as z:
            return InMemory(np.asarray(z[name]))
    except (BadZipFile, OSError, ValueError, EOFError) as err:
        raise ReadError(f"'{name}' of {path.name} is damaged or cut off: {err}.", hint="Copy it again.") from err


def _listed(known: Mapping[str, tuple[tuple[int, ...], str]]) -> str:
    return ", ".join(f"{n} ({size_text(shape)})" for n, (shape, _) in known.items()) or "none"


def _header(f: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = npy_format.read_magic(f)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, fortran, dtype = read(f)
    except (ValueError, EOFError, OSError, SyntaxError, TokenError, RecursionError, TypeError) as err:
        raise ReadError(f"{name} is no NumPy array: {str(err).splitlines()[0]}.", hint=_AGAIN) from err
    if dtype.hasobject or dtype.kind not in "biuf":
        raise ReadError(f"{name} holds no plain numbers (type {dtype}).", hint=_AGAIN)
    return tuple(int(n) for n in shape), bool(fortran), dtype
