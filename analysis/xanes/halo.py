"""Maps whose voxels depend on their neighbours, part by part: each part on its own reads what it needs, so that memory is bounded.

A graph in which parts share their neighbours' maps keeps those maps until the last part has them; whether that is a few or all of them
is up to a scheduler. Parts here share nothing. What lies between two of them is computed twice: a third of a stack that is stored in
slices, where parts are large.
"""

import itertools
import uuid
from collections.abc import Callable, Sequence

import dask
import dask.array as da
import numpy as np

PART_VOXELS = 1 << 23  # with its neighbours: some 0.5 GB of maps
STEP_VOXELS = 1 << 19  # of a part at a time, while it is finished
FEWEST_PARTS = 4  # where there are as many chunks: they run side by side

Cut = tuple[slice, ...]


def with_halo(function: Callable[[np.ndarray], np.ndarray], maps: da.Array, *, halo: int, rows: int) -> da.Array:
    """Maps from maps of shape (rows, …space) where each voxel depends on its neighbours up to ``halo`` away.

    Parameters
    ----------
    function
        Maps a block of maps with its neighbours to maps of shape (``rows``, …) of the same voxels, float32.

    Returns
    -------
    da.Array
        Shape (rows, …space), float32, a chunk a part. Each part is one task, which computes the chunks of ``maps`` that it needs one
        by one.
    """
    chunks = maps.chunks[1:]
    counts = part_counts(chunks, halo)
    edges = [_edges(c, n) for c, n in zip(chunks, counts, strict=True)]
    name = f"finished-{uuid.uuid4().hex}"  # one name: a cluster then sees that they are of one kind, and takes a few at a time
    graph = {}
    for index in np.ndindex(*(len(e) - 1 for e in edges)):
        cut = tuple(slice(e[i], e[i + 1]) for e, i in zip(edges, index, strict=True))
        graph[(name, 0, *index)] = (_finished, _part_of(maps, cut, halo), function, halo, rows)
    return da.Array(graph, name, ((rows,), *(tuple(map(int, np.diff(e))) for e in edges)), dtype=np.float32)


def part_counts(chunks: Sequence[Sequence[int]], halo: int) -> tuple[int, ...]:
    """How many chunks along each axis make a part: few voxels computed twice, none larger than memory allows."""
    axes = [_choices(len(c)) for c in chunks]
    fitting = [n for n in itertools.product(*axes) if _wide(chunks, n, halo) <= PART_VOXELS]
    wanted = min(FEWEST_PARTS, int(np.prod([len(c) for c in chunks])))
    several = [n for n in fitting if np.prod([-(-len(c) // k) for c, k in zip(chunks, n, strict=True)]) >= wanted]
    return min(several or fitting or [(1,) * len(chunks)], key=lambda n: (_touched(chunks, n, halo), np.prod(n)))


def _choices(count: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, 16 …, and all."""
    small = [k for p in range(count.bit_length()) for k in (1 << p, 3 << p)]
    return sorted({k for k in small if k < count} | {count})


def _wide(chunks: Sequence[Sequence[int]], counts: Sequence[int], halo: int) -> int:
    """Voxels of the largest part with its neighbours."""
    return int(np.prod([min(sum(c), max(c) * n + 2 * halo) for c, n in zip(chunks, counts, strict=True)], dtype=np.int64))


def _touched(chunks: Sequence[Sequence[int]], counts: Sequence[int], halo: int) -> int:
    """Chunks that are computed, once for each part that needs them."""
    total = 1
    for c, n in zip(chunks, counts, strict=True):
        beside = -(-halo // max(c))
        total *= sum(min(i + n + beside, len(c)) - max(i - beside, 0) for i in range(0, len(c), n))
    return total


def _edges(chunks: Sequence[int], count: int) -> list[int]:
    ends = np.concatenate([[0], np.cumsum(chunks)])
    return [int(v) for v in [*ends[:-1:count], ends[-1]]]


class _Part:
    """What a task needs. Not a dataclass: into those dask looks, and would put their arrays into its own graph."""

    def __init__(self, wide: da.Array, inner: Cut) -> None:
        self.wide = wide
        self.inner = inner  # what of it the part is to make


def _part_of(maps: da.Array, cut: Cut, halo: int) -> _Part:
    outer = tuple(slice(max(s.start - halo, 0), min(s.stop + halo, n)) for s, n in zip(cut, maps.shape[1:], strict=True))
    inner = tuple(slice(s.start - o.start, s.stop - o.start) for s, o in zip(cut, outer, strict=True))
    return _Part(dask.optimize(maps[(slice(None), *outer)])[0], inner)


def _finished(part: _Part, function: Callable[[np.ndarray], np.ndarray], halo: int, rows: int) -> np.ndarray:
    """The maps of a part, made piece by piece along its second last axis."""
    wide = np.empty(part.wide.shape, part.wide.dtype)
    da.store(part.wide, wide, scheduler="synchronous", lock=False)  # chunk by chunk: none is kept
    axis = max(wide.ndim - 2, 1)
    inner = part.inner[axis - 1]
    thick = max(4 * halo, STEP_VOXELS * wide.shape[axis] // wide[0].size, 1)
    made = np.empty((rows, *(s.stop - s.start for s in part.inner)), np.float32)
    for start in range(inner.start, inner.stop, thick):
        stop = min(start + thick, inner.stop)
        low, high = max(start - halo, 0), min(stop + halo, wide.shape[axis])
        own = list(part.inner)
        own[axis - 1] = slice(start - low, stop - low)
        piece = wide[(slice(None),) * axis + (slice(low, high),)]
        made[(slice(None),) * axis + (slice(start - inner.start, stop - inner.start),)] = function(piece)[(slice(None), *own)]
    return made
