"""NumPy files: mapped and unpacked arrays, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats import npy
from analysis.formats.blocks import whole
from tests.damage import damaged_copies, outcome

ARRAY = np.arange(3 * 4 * 5, dtype=">f4").reshape(3, 4, 5)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_mapped_in_either_order(tmp_path: Path, order: str) -> None:
    np.save(tmp_path / "a.npy", np.array(ARRAY, order=order))  # type: ignore[call-overload]
    found = npy.read_npy(tmp_path / "a.npy")
    assert np.array_equal(whole(found), ARRAY)
    assert whole(found).dtype.isnative
    assert np.array_equal(found[slice(1, 3), slice(0, 1), slice(None)], ARRAY[1:3, 0:1])


def test_the_arrays_of_an_archive(shared_data: Path) -> None:
    path = shared_data / "txm/als_stxm_fe_71214078/71214078_aligned_counts.npz"
    assert npy.names(path) == {"counts": ((123, 125, 125), "float32")}
    counts = whole(npy.read_npz(path, "counts"))
    assert counts.min() > 0
    with pytest.raises(ReadError, match=r"has no array 'mu'.*It has counts \(123 × 125 × 125\)"):
        npy.read_npz(path, "mu")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}, None], object), allow_pickle=True)
    with pytest.raises(ReadError, match="no plain numbers"):
        npy.read_npy(tmp_path / "a.npy")


def test_files_that_were_cut_off_are_refused(tmp_path: Path) -> None:
    for name, save in (("a.npy", np.save), ("a.npz", np.savez)):
        path = tmp_path / name
        save(path, ARRAY)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(ReadError, match="cut off"):
            npy.read_npy(path) if name == "a.npy" else npy.names(path)


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, ARRAY)
    for copy in damaged_copies(path.read_bytes(), 60, seed=1, head=128):
        path.write_bytes(copy)
        found, sentence = outcome(lambda: npy.read_npy(path))
        assert sentence or found is not None
