"""Finished edge maps and volumes of other programs."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from scipy.io import savemat

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError, ReadError
from tests.xanes.stack_files import taken

MAP = np.random.default_rng(3).normal(8344, 1, (9, 11)).astype(np.float32)
MAP[0, :3] = 0  # outside the particle
MAP[4, 4] = np.nan


def written(folder: Path, kind: str) -> Path:
    path = folder / f"map.{kind}"
    if kind == "mat":
        savemat(path, {"E0_map": MAP})
    elif kind == "tif":
        tifffile.imwrite(path, MAP, photometric="minisblack")
    elif kind == "npy":
        np.save(path, MAP)
    else:
        with h5py.File(path, "w") as f:
            f["processed_XANES2D/proc_spectrum/whiteline_pos_fit"] = MAP
    return path


@pytest.mark.parametrize("kind", ["mat", "tif", "h5", "npy"])
def test_maps_carry_the_definition_that_was_declared(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    ds = taken(path, reader="xanes.finished_map", definition="white_line", voxel_um=0.04)
    assert ds.attrs["schema"] == "txm.edge_map"
    assert ds.attrs["definition"] == "white_line"
    assert ds.attrs["voxel_um"] == 0.04
    good = np.isfinite(MAP) & (MAP > 0)
    assert np.array_equal(ds["flags"].values == 0, good)
    assert ds["edge_energy"].values[good] == pytest.approx(MAP[good])
    assert np.isnan(ds["edge_energy"].values[~good]).all()
    with pytest.raises(ParamError, match=rf"map\.{kind} does not say how its edge energies are defined.*definition="):
        taken(path, reader="xanes.finished_map")


def test_matlab_files_are_recognised_as_maps(tmp_path: Path) -> None:
    assert taken(written(tmp_path, "mat"), definition="e_half").attrs["schema"] == "txm.edge_map"


def test_values_outside_the_limits_are_flagged(tmp_path: Path) -> None:
    ds = taken(written(tmp_path, "npy"), reader="xanes.finished_map", definition="e_half", lowest=8343, highest=8345)
    outside = np.isfinite(MAP) & (MAP > 0) & ((MAP < 8343) | (MAP > 8345))
    assert np.array_equal(ds["flags"].values == 8, outside)
    with pytest.raises(DataError, match="has no edge energy within the limits"):
        taken(tmp_path / "map.npy", reader="xanes.finished_map", definition="e_half", lowest=9000)


def test_maps_in_kev_are_converted(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MAP / 1000)
    ds = taken(tmp_path / "a.npy", reader="xanes.finished_map", definition="e_half")
    assert float(ds["edge_energy"].median()) == pytest.approx(8344, abs=1)
    assert any("keV" in w for w in warnings_of(ds))


def test_several_maps_in_one_file_are_listed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["maps/a"], f["maps/b"] = MAP, MAP + 1
    with pytest.raises(ReadError, match=r"several datasets.*/maps/a \(9 × 11\), /maps/b"):
        taken(tmp_path / "a.h5", reader="xanes.finished_map", definition="e_half")


@pytest.mark.parametrize("kind", ["tif", "slices", "npy", "h5", "raw"])
def test_volumes(tmp_path: Path, kind: str) -> None:
    volume = np.random.default_rng(2).random((6, 8, 7), dtype=np.float32)
    options: dict[str, object] = {"voxel_um": 0.05}
    if kind == "slices":
        paths = [tmp_path / f"s_{k:04d}.tif" for k in range(6)]
        for path, page in zip(paths, volume, strict=True):
            tifffile.imwrite(path, page, photometric="minisblack")
        paths = paths[::-1]
    else:
        paths = [tmp_path / f"v.{kind}"]
        if kind == "tif":
            tifffile.imwrite(paths[0], volume, photometric="minisblack")
        elif kind == "npy":
            np.save(paths[0], volume)
        elif kind == "raw":
            paths[0].write_bytes(volume.tobytes())
            options |= {"shape": "6,8,7", "dtype": "float32"}
        else:
            with h5py.File(paths[0], "w") as f:
                f["exchange/data"] = volume
    ds = taken(*paths, reader="xanes.volume", **options)
    assert ds.attrs["schema"] == "txm.volume"
    assert ds["density"].dims == ("z", "y", "x")
    assert np.array_equal(ds["density"].values, volume)
    assert ds.attrs["voxel_um"] == 0.05


def test_an_empty_volume_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.zeros((3, 4, 5)))
    with pytest.raises(DataError, match=r"All values of v\.npy \(3 × 4 × 5\) are 0"):
        taken(tmp_path / "v.npy", reader="xanes.volume")
