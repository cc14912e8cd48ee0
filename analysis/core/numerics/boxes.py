"""Where the numbers of a label volume lie."""

import numpy as np
from numba import njit

from analysis.core.numerics.parallel import in_parts

PART = 32  # slices that are looked at together, at least

Box = tuple[slice, slice, slice]


def boxes_of(label: np.ndarray) -> tuple[Box, ...]:
    """The smallest box around each number from 1 on; an empty one where a number does not occur.

    ``label`` has shape (z, y, x), whole numbers from 0 on.
    """
    width = label.shape[2]
    found: dict[int, np.ndarray] = {}

    def part(begin: int, end: int) -> None:
        found[begin] = _survey(label[begin:end], begin, np.array(label.shape))

    in_parts(part, label.shape[0], part=PART)
    count = max((f.shape[0] for f in found.values()), default=1)
    low, high = np.full((count, 3), width + sum(label.shape)), np.zeros((count, 3), np.int64)
    for f in found.values():
        low[: len(f)], high[: len(f)] = np.minimum(low[: len(f)], f[:, :3]), np.maximum(high[: len(f)], f[:, 3:])
    none = high.max(axis=1) == 0
    low[none] = 0
    return tuple(
        (slice(a[0], b[0]), slice(a[1], b[1]), slice(a[2], b[2])) for a, b in zip(low[1:].tolist(), high[1:].tolist(), strict=True)
    )


@njit(nogil=True, cache=True)
def _survey(label, begin, shape):  # type: ignore[no-untyped-def]
    """Rows of first and last + 1 places along z, y, x of each number."""
    depth, height, width = label.shape
    found = _none(1, shape)
    for z in range(depth):
        for y in range(height):
            x = 0
            while x < width:
                n = label[z, y, x]
                first = x
                while x < width and label[z, y, x] == n:
                    x += 1
                if n == 0:
                    continue
                if n >= found.shape[0]:
                    more = _none(max(2 * found.shape[0], n + 1), shape)
                    more[: found.shape[0]] = found
                    found = more
                row = found[n]
                row[0], row[1], row[2] = min(row[0], begin + z), min(row[1], y), min(row[2], first)
                row[3], row[4], row[5] = max(row[3], begin + z + 1), max(row[4], y + 1), max(row[5], x)
    last = found.shape[0]
    while last > 1 and found[last - 1, 3] == 0:
        last -= 1
    return found[:last]


@njit(nogil=True, cache=True)
def _none(count, shape):  # type: ignore[no-untyped-def]
    made = np.zeros((count, 6), np.int64)
    made[:, :3] = shape
    return made
