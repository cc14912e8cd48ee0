"""Small grey pictures as PNG: eight bits, no filter, zlib (W3C Portable Network Graphics, third edition)."""

import struct
import zlib

import numpy as np


def grey_png(values: np.ndarray, *, low: float = 1.0, high: float = 99.0) -> bytes:
    """A picture of values (y, x) between two of their percentiles; what is no number is black."""
    finite = values[np.isfinite(values)]
    bottom, top = np.percentile(finite, [low, high]) if finite.size else (0.0, 1.0)
    scaled = (np.where(np.isfinite(values), values, bottom) - bottom) / (top - bottom if top > bottom else 1.0)
    grey = np.clip(np.round(255 * scaled), 0, 255).astype(np.uint8)
    rows = np.pad(grey, ((0, 0), (1, 0))).tobytes()  # a zero before each row: not filtered
    size = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 8, 0, 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
