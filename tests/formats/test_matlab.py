"""MATLAB files of both kinds."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from analysis.core.errors import ReadError
from analysis.formats import matlab
from tests.damage import damaged_copies, outcome

MAP = 8340 + np.arange(12.0).reshape(3, 4)


def test_variables_of_version_5(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"edge": MAP, "name": "particle", "parts": {"x": 1.0}})
    known = matlab.variables(tmp_path / "a.mat")
    assert {n: d.shape for n, d in known.items()} == {"edge": (3, 4)}
    assert np.array_equal(matlab.read_variable(tmp_path / "a.mat", "edge"), MAP)
    with pytest.raises(ReadError, match=r"no variable 'map'.*/edge \(3 × 4\)"):
        matlab.read_variable(tmp_path / "a.mat", "map")


def test_version_7_3_stores_columns_first(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    with h5py.File(path, "w", userblock_size=512) as f:
        f["edge"] = MAP.T
    with open(path, "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    assert matlab.variables(path)["edge"].shape == (3, 4)
    assert np.array_equal(matlab.read_variable(path, "edge"), MAP)


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"edge": MAP}, do_compression=True)
    for copy in damaged_copies(path.read_bytes(), 60, seed=5, head=200):
        path.write_bytes(copy)
        found, sentence = outcome(lambda: matlab.variables(path))
        assert sentence or found is not None
        if found and "edge" in found:
            outcome(lambda: matlab.read_variable(path, "edge"))
