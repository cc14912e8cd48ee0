"""Parts with their neighbours: the same maps as in one piece, within the memory that a part may take."""

import tracemalloc
from collections.abc import Callable

import dask
import dask.array as da
import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from analysis.xanes import halo
from analysis.xanes.halo import part_counts, with_halo

Maps = Callable[[np.ndarray], np.ndarray]


def smoothed(reach: int) -> Maps:
    """Two maps: the first smoothed over a box, the second as it is; integers, so that sums are exact."""

    def function(block: np.ndarray) -> np.ndarray:
        size = 2 * reach + 1
        first = np.round(uniform_filter(block[0].astype(np.float64), size, mode="constant") * size ** block[0].ndim)
        return np.stack([first, block[1]]).astype(np.float32)

    return function


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [((40, 30, 20), (1, 8, 20)), ((40, 30, 20), (7, 7, 7)), ((50, 60), (8, 60)), ((5, 6, 7), (5, 6, 7)), ((3, 3), (1, 1))],
)
@pytest.mark.parametrize("reach", [0, 1, 4])
def test_parts_equal_the_whole(shape: tuple[int, ...], chunks: tuple[int, ...], reach: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halo, "PART_VOXELS", 4000)
    monkeypatch.setattr(halo, "STEP_VOXELS", 500)
    maps = np.random.default_rng(0).integers(0, 100, (3, *shape)).astype(np.float32)
    function = smoothed(reach)
    made = with_halo(function, da.from_array(maps, chunks=(3, *chunks)), halo=reach, rows=2)
    assert made.shape == (2, *shape)
    assert np.array_equal(made.compute(), function(maps))


@pytest.mark.parametrize(
    ("shape", "chunks"),
    [((256, 512, 512), (1, 64, 512)), ((2048, 2048, 2048), (1, 16, 2048)), ((1024, 1024, 1024), (32, 32, 32)), ((4096, 4096), (8, 4096))],
)
def test_no_part_is_larger_than_memory_allows(shape: tuple[int, ...], chunks: tuple[int, ...]) -> None:
    reach = 4
    cut = da.core.normalize_chunks(chunks, shape)
    counts = part_counts(cut, reach)
    wide = [min(n, c * k + 2 * reach) for n, c, k in zip(shape, chunks, counts, strict=True)]
    assert np.prod(wide) <= halo.PART_VOXELS
    parts = np.prod([-(-n // (c * k)) for n, c, k in zip(shape, chunks, counts, strict=True)])
    assert parts >= halo.FEWEST_PARTS
    assert halo._touched(cut, counts, reach) <= 2.3 * np.prod([len(c) for c in cut])


def test_parts_share_no_task() -> None:
    """What two parts shared would stay in memory until both have it."""
    made = with_halo(smoothed(1), da.ones((3, 64, 16, 16), chunks=(3, 1, 16, 16), dtype=np.float32), halo=1, rows=2)
    graph = dict(dask.optimize(made)[0].__dask_graph__())
    parts = [key for key in graph if str(key).startswith("finished") or str(key).startswith("('finished")]
    assert len(parts) >= halo.FEWEST_PARTS
    assert all(not graph[key].dependencies for key in parts)
    assert len(graph) < 20  # nothing of the 64 chunks


class _Nowhere:
    def __setitem__(self, _place: object, _values: object) -> None:
        pass


def test_memory_does_not_grow_with_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halo, "PART_VOXELS", 40 * 96 * 96)

    def peak(depth: int) -> int:
        maps = da.ones((3, depth, 96, 96), chunks=(3, 1, 96, 96), dtype=np.float32)
        made = with_halo(smoothed(1), maps, halo=1, rows=2)
        tracemalloc.start()
        da.store([made[0], made[1]], [_Nowhere(), _Nowhere()], scheduler="threads", num_workers=2)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(128)  # what is made once
    assert peak(768) < 1.5 * peak(128)
