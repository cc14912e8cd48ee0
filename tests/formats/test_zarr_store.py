"""Zarr stores: arrays, groups, several resolutions."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from analysis.core.errors import ReadError
from analysis.formats import zarr_store
from analysis.formats.blocks import whole

STACK = np.arange(4 * 6 * 5, dtype=np.float32).reshape(4, 6, 5)


@pytest.mark.parametrize("version", [2, 3])
def test_a_group_of_arrays(tmp_path: Path, version: int) -> None:
    group = zarr.open_group(tmp_path / "s.zarr", mode="w", zarr_format=version)
    group.create_array("scan/mu", data=STACK, chunks=(2, 3, 5))
    group.create_array("scan/energy", data=np.arange(4.0))
    path = tmp_path / "s.zarr" / ("zarr.json" if version == 3 else ".zgroup")
    known = zarr_store.arrays(path)
    assert {n: d.shape for n, d in known.items()} == {"scan/mu": (4, 6, 5), "scan/energy": (4,)}
    found = zarr_store.blocks(path, "scan/mu", known)
    assert np.array_equal(whole(found), STACK)
    assert np.array_equal(found[slice(1, 2), slice(None), slice(0, 5, 2)], STACK[1:2, :, ::2])
    assert path not in zarr_store.files_of(path)
    assert len(zarr_store.files_of(path)) >= 4


def test_of_several_resolutions_the_finest(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "s.zarr", mode="w")
    group.create_array("0", data=STACK)
    group.create_array("1", data=STACK[:, ::2, ::2])
    assert list(zarr_store.arrays(tmp_path / "s.zarr" / "zarr.json")) == ["0"]


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.zarr").mkdir()
    (tmp_path / "s.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_type"')
    with pytest.raises(ReadError, match=r"s\.zarr is no readable Zarr store"):
        zarr_store.arrays(tmp_path / "s.zarr" / "zarr.json")
