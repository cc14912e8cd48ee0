"""A volume whose file states type, size and voxel size: what readers of such formats return."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.core.errors import ReadError


@dataclass(frozen=True)
class Volume:
    """``values`` with axes of length one left out, slowest axis first; ``voxel_um`` one length for each axis, None if unknown."""

    values: np.ndarray
    voxel_um: tuple[float, ...] | None


def finished(path: Path, raw: bytes, dtype: np.dtype, shape: tuple[int, ...], spacing: tuple[float, ...] | None) -> Volume:
    """The values in their shape and in the machine's byte order; ``ReadError`` where some are missing."""
    need = int(np.prod(shape)) * dtype.itemsize
    if len(raw) < need:
        raise ReadError(f"{path.name} is cut off: {len(raw):,} of {need:,} bytes of values are there.", hint="Copy it again.")
    values = np.frombuffer(raw, dtype, count=int(np.prod(shape))).reshape(shape).astype(dtype.newbyteorder("="))
    kept = [i for i, n in enumerate(shape) if n > 1]
    voxel = tuple(spacing[i] for i in kept) if spacing is not None else None
    return Volume(values.reshape([shape[i] for i in kept]), voxel)
