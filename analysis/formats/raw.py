"""Bare numbers without a header (``.raw``, ``.bin``, ``.dat``, ``.vol``).

Nothing in the file says what it holds: shape (slowest axis first, as in NumPy), type, byte order and the length of a header are
asked for. The size of the file must fit exactly, since every other combination that fits would be read without complaint.
"""

import math
from pathlib import Path
from typing import Literal

import numpy as np

from analysis.core.errors import ReadError
from analysis.formats.blocks import Mapped, size_text

Type = Literal["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"]
Order = Literal["little", "big"]


def read_raw(path: Path, shape: tuple[int, ...], dtype: Type, order: Order = "little", header_bytes: int = 0) -> Mapped:
    """The numbers of a file in the stated shape, mapped."""
    kind = np.dtype(dtype)
    need = math.prod(shape) * kind.itemsize + header_bytes
    have = path.stat().st_size
    if need != have:
        raise ReadError(
            f"{path.name} has {have:,} bytes, but {size_text(shape)} values of type {dtype} need {need:,}.",
            hint=_fitting(have, shape, header_bytes),
        )
    return Mapped(path, shape, kind.newbyteorder("<" if order == "little" else ">").str, header_bytes)


def _fitting(have: int, shape: tuple[int, ...], header_bytes: int) -> str:
    """What would fit, as a hint."""
    values = math.prod(shape)
    per_value = (have - header_bytes) / values if values else 0
    if per_value in (1, 2, 4, 8):
        return f"The size fits {int(per_value)} bytes a value: check the type."
    extra = have - header_bytes - values * 2
    return "Check the shape (slowest axis first) and the type" + (f"; {extra:,} bytes would be left over as uint16." if extra > 0 else ".")
