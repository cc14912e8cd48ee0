"""Stacks of every format against the numbers that were written, and what is wrong with files in one sentence."""

import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile
import xarray as xr
import zarr

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError, ReadError, UserError
from analysis.core.run import ingest
from analysis.core.store import Store
from analysis.xanes import stacks
from tests.xanes.stack_files import ENERGY, MU, MU_3D, REGISTRY, listed, taken

GRAY: dict[str, Any] = {"photometric": "minisblack"}


def same(ds: xr.Dataset, expected: np.ndarray = MU) -> None:
    """``expected`` has its energies first, as most files do."""
    assert ds.attrs["schema"] == "txm.stack"
    assert np.array_equal(ds["mu"].values, np.moveaxis(expected, 0, -1))
    assert ds["mu"].dims == ("y", "x", "energy") if expected.ndim == 3 else ("z", "y", "x", "energy")
    assert ds["energy"].values == pytest.approx(ENERGY)
    assert ds["mu"].attrs["units"] == "1"


# -- formats ---------------------------------------------------------------------------------------------------------------


def test_tiff_with_a_list(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p1.tif", MU, **GRAY)
    same(taken(tmp_path / "p1.tif", energies=listed(tmp_path / "list.txt")))
    same(taken(tmp_path / "p1.tif", energies=",".join(map(str, ENERGY))))


def test_tiff_with_a_list_beside_it(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p1.tif", MU, **GRAY)
    listed(tmp_path / "p1_energies.txt")
    ds = taken(tmp_path / "p1.tif", voxel_um=0.035)
    same(ds)
    assert ds.attrs["voxel_um"] == 0.035
    assert ds.attrs["metadata"]["energies_from"] == "p1_energies.txt"


def test_the_list_beside_a_stack_is_part_of_its_key(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "p1.tif", MU, **GRAY)
    store = Store(tmp_path / "workspace")
    listed(tmp_path / "p1_energies.txt")
    first = ingest([tmp_path / "p1.tif"], REGISTRY, store)
    listed(tmp_path / "p1_energies.txt", ENERGY + 0.5)
    second = ingest([tmp_path / "p1.tif"], REGISTRY, store)
    assert first != second
    assert store.open(second)["energy"].values == pytest.approx(ENERGY + 0.5)


def test_one_tiff_an_energy_in_any_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"scan_{e:.1f}eV.tif" for e in ENERGY]
    for path, image in zip(paths, MU, strict=True):
        tifffile.imwrite(path, image, **GRAY)
    same(taken(*paths))
    mixed = taken(*(paths[i] for i in (3, 0, 4, 1, 2)))
    same(mixed)
    assert any("put in order" in w for w in warnings_of(mixed))


def test_one_tiff_of_slices_an_energy(tmp_path: Path) -> None:
    paths = [tmp_path / f"recon_{e / 1000:.4f}keV.tif" for e in ENERGY]
    for path, volume in zip(paths, MU_3D, strict=True):
        tifffile.imwrite(path, volume, **GRAY)
    same(taken(*paths), MU_3D)


@pytest.mark.parametrize("layout", ["FXI", "TXM-Sandbox", "only one", "named"])
def test_hdf5(tmp_path: Path, layout: str) -> None:
    path, options = tmp_path / "a.h5", {}
    with h5py.File(path, "w") as f:
        if layout == "FXI":
            f["img_xanes"], f["X_eng"], f["Pixel Size"] = np.exp(-MU), ENERGY / 1000, "20.6nm"
        elif layout == "TXM-Sandbox":
            f["registration_results/reg_results/registered_xanes2D"] = MU
            f["trial_registration/trial_reg_parameters/eng_list"] = ENERGY
        elif layout == "only one":
            f["entry/measured"], f["entry/energy"] = np.moveaxis(MU, 0, -1), ENERGY
        else:
            f["entry/data"], f["entry/other"], f["entry/photon_energy"] = MU, MU + 1, ENERGY
            options = {"dataset": "/entry/data"}
    ds = taken(path, **options)
    if layout != "FXI":
        same(ds)
        return
    assert np.moveaxis(ds["mu"].values, -1, 0) == pytest.approx(MU, abs=1e-6)
    assert ds["energy"].values == pytest.approx(ENERGY)
    assert ds.attrs["voxel_um"] == 0.0206
    assert any("keV" in w for w in warnings_of(ds))


def test_zarr_as_folder_and_as_archive(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "s.zarr", mode="w")
    group.create_array("mu", data=MU_3D)
    group.create_array("energy", data=ENERGY)
    same(taken(tmp_path / "s.zarr" / "zarr.json"), MU_3D)
    with zipfile.ZipFile(tmp_path / "s.zarr.zip", "w") as z:
        for p in sorted((tmp_path / "s.zarr").rglob("*")):
            z.write(p, p.relative_to(tmp_path / "s.zarr").as_posix())
    same(taken(tmp_path / "s.zarr.zip"), MU_3D)


def test_numpy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MU)
    same(taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt")))
    np.savez(tmp_path / "a.npz", stack=MU, energy=ENERGY)
    same(taken(tmp_path / "a.npz"))


def test_raw_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(MU.astype(">f4").tobytes())
    path, energies = tmp_path / "a.raw", listed(tmp_path / "e.txt")
    same(taken(path, energies=energies, shape="5,12,17", dtype="float32", byte_order="big"))
    with pytest.raises(ParamError, match=r"a\.raw says nothing of what it holds \(4,080 bytes\).*shape=.*dtype="):
        taken(path, reader="xanes.raw", energies=energies)


def test_the_stack_of_als_5_3_2(shared_data: Path) -> None:
    """Counts of a real scan: its optical depth is that of the counts and I0 read by NumPy."""
    folder = shared_data / "txm/als_stxm_fe_71214078"
    path = folder / "71214078_aligned_counts.npz"
    ds = taken(path, energies=folder / "Energy.txt", i0=folder / "i0.xsp", voxel_um=0.08)
    counts, (energy, i0) = np.load(path)["counts"], np.loadtxt(folder / "i0.xsp").T
    assert ds["mu"].shape == (125, 125, 123)
    assert ds["mu"].dtype == np.float32
    assert ds["energy"].values[[0, -1]] == pytest.approx([700.0, 730.35], abs=0.01)
    assert ds["energy"].values == pytest.approx(energy, abs=1e-3)
    np.testing.assert_allclose(np.moveaxis(ds["mu"].values, -1, 0), np.log(i0[:, None, None] / counts), atol=2e-5)
    assert taken(path, energies=folder / "71214078.hdr", values="absorption")["energy"].values == pytest.approx(energy, abs=2e-3)
    with pytest.raises(ReadError, match="holds counts, and an optical depth needs the incident intensity"):
        taken(path, energies=folder / "Energy.txt")


# -- large stacks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["npy", "tif", "compressed tif", "h5"])
def test_large_stacks_stay_in_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(stacks, "IN_MEMORY", 1000)
    monkeypatch.setattr(stacks, "VOXELS", 60)
    path = tmp_path / f"a.{kind[-3:].strip()}"
    if kind == "npy":
        np.save(path, MU_3D.astype(">f4"))
    elif kind == "h5":
        with h5py.File(path, "w") as f:
            f["mu"] = MU_3D
    else:
        tifffile.imwrite(path, MU, compression="zlib" if kind.startswith("c") else None, **GRAY)
    ds = taken(path, energies=listed(tmp_path / "e.txt"), drop=[2])
    expected = np.delete(MU if "tif" in kind else MU_3D, 1, axis=0)
    assert ds["mu"].chunks is not None
    assert ds["mu"].data.chunksize == ((3, 17, 4) if "tif" in kind else (1, 3, 17, 4))
    assert np.array_equal(ds["mu"].values, np.moveaxis(expected, 0, -1))
    assert ds["mu"].dtype.isnative


def test_pieces_are_whole_rows() -> None:
    assert stacks.pieces((256, 512, 512), 32**3) == (1, 64, 512)
    assert stacks.pieces((100, 20, 30), 32**3) == (54, 20, 30)
    assert stacks.pieces((4, 5), 32**3) == (4, 5)
    assert stacks.pieces((7, 100_000), 32**3) == (1, 32**3)


# -- what is wrong with files ----------------------------------------------------------------------------------------------


def kev_beside_ev(energy: np.ndarray) -> np.ndarray:
    return np.where(np.arange(energy.size) < 2, energy / 1000, energy)


@pytest.mark.parametrize(
    ("energy", "error", "sentence"),
    [
        (ENERGY[:4], ReadError, r"4 energies are given, but a\.npy holds 5 images \(5 × 12 × 17\)"),
        (ENERGY[[0, 1, 1, 3, 4]], DataError, r"a\.npy has the energy 8340 eV twice \(frames 2 and 3\).*drop=3"),
        (ENERGY[:1], DataError, r"a\.npy holds one energy only \(8300 eV\)"),
        (np.array([8300, 8340, -1, 8350, 8400.0]), DataError, r"Energy 3 of the list given is -1"),
        (kev_beside_ev(ENERGY), DataError, r"mix keV and eV: 8\.3 stands beside 8345"),
    ],
)
def test_energies_that_do_not_fit(tmp_path: Path, energy: np.ndarray, error: type[UserError], sentence: str) -> None:
    np.save(tmp_path / "a.npy", MU)
    with pytest.raises(error, match=sentence):
        taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt", energy))


def test_doubled_energies_can_be_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MU[[0, 1, 1, 2, 3]])
    ds = taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt", ENERGY[[0, 1, 1, 2, 3]]), drop="3")
    assert ds["energy"].values == pytest.approx(ENERGY[:4])


def test_energies_in_kev_are_converted_and_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MU)
    ds = taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt", ENERGY / 1000))
    assert ds["energy"].values == pytest.approx(ENERGY)
    assert warnings_of(ds) == ("Energies of 8.3–8.4 were taken as keV and converted to eV.",)
    assert ds.attrs["metadata"]["energy_unit"] == "keV"


def test_a_stated_unit_holds_for_energies_of_the_file_too(tmp_path: Path) -> None:
    lithium = np.array([52.0, 55, 58, 60, 65])
    np.savez(tmp_path / "a.npz", stack=MU, energy=lithium)
    assert taken(tmp_path / "a.npz", energy_unit="eV")["energy"].values == pytest.approx(lithium)
    assert taken(tmp_path / "a.npz")["energy"].values == pytest.approx(1000 * lithium)


def test_energies_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    order = [2, 0, 1, 4, 3]
    np.save(tmp_path / "a.npy", MU[order])
    ds = taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt", ENERGY[order]))
    same(ds)
    assert any("were not in increasing order" in w for w in warnings_of(ds))


def test_a_stack_without_energies_asks_for_them(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MU)
    with pytest.raises(ReadError, match=r"a\.npy \(5 × 12 × 17\) does not say its energies.*energies=FILE"):
        taken(tmp_path / "a.npy")
    with pytest.raises(ParamError, match=r"there is no file nowhere\.txt"):
        taken(tmp_path / "a.npy", energies="nowhere.txt")


def test_frames_without_numbers_are_named(tmp_path: Path) -> None:
    broken = MU.copy()
    broken[2] = np.nan
    np.save(tmp_path / "a.npy", broken)
    energies = listed(tmp_path / "e.txt")
    with pytest.raises(DataError, match=r"Frame 3 of a\.npy \(8345 eV\) holds no numbers.*drop=3"):
        taken(tmp_path / "a.npy", energies=energies)
    assert taken(tmp_path / "a.npy", energies=energies, drop=[3]).sizes["energy"] == 4
    np.save(tmp_path / "a.npy", np.full_like(MU, np.nan))
    with pytest.raises(DataError, match="holds no numbers"):
        taken(tmp_path / "a.npy", energies=energies)


def test_a_constant_stack_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full_like(MU, 0.25))
    with pytest.raises(DataError, match=r"All values of a\.npy are 0\.25"):
        taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt"))


def test_negative_optical_depth_is_kept_and_counted(tmp_path: Path) -> None:
    shifted = MU - np.float32(0.3)
    np.save(tmp_path / "a.npy", shifted)
    ds = taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt"))
    assert np.array_equal(ds["mu"].values, np.moveaxis(shifted, 0, -1))
    share = np.mean(shifted < 0)
    assert warnings_of(ds) == (f"{share:.2%} of the optical depths are negative; they are kept.",)


def test_transmission_without_light_has_no_optical_depth(tmp_path: Path) -> None:
    transmission = np.exp(-MU)
    transmission[1, 2, 3] = 0
    np.save(tmp_path / "a.npy", transmission)
    ds = taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt"), values="transmission")
    assert np.isnan(ds["mu"].values[2, 3, 1])
    assert np.isnan(ds["mu"].values).sum() == 1
    assert any("not positive" in w for w in warnings_of(ds))


def test_several_datasets_are_listed_with_their_shapes(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as f:
        f["entry/a"], f["entry/b"] = MU, MU_3D
    with pytest.raises(ReadError, match=r"several datasets.*/entry/b \(5 × 4 × 12 × 17\), /entry/a \(5 × 12 × 17\).*dataset=/"):
        taken(tmp_path / "a.h5")


def test_a_truncated_hdf5_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as f:
        f["mu"], f["energy"] = MU, ENERGY
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ReadError, match=r"a\.h5 is cut off: it has [\d,]+ of [\d,]+ bytes"):
        taken(path)


def test_a_tomogram_is_not_taken_for_a_stack(shared_data: Path) -> None:
    with pytest.raises(ReadError, match=r"tooth\.h5 holds 181 projections.*/exchange/data \(181 × 2 × 640\)"):
        taken(shared_data / "txm/tomo_tooth/tooth.h5", reader="xanes.hdf5")


def test_images_of_different_size_are_refused(tmp_path: Path) -> None:
    for e, size in ((8300, 12), (8340, 13)):
        tifffile.imwrite(tmp_path / f"a_{e}eV.tif", np.zeros((size, 9), np.uint16), **GRAY)
    with pytest.raises(ReadError, match=r"a_8340eV\.tif holds 13 × 9 values of type uint16, but a_8300eV\.tif 12 × 9"):
        taken(tmp_path / "a_8300eV.tif", tmp_path / "a_8340eV.tif")


def test_an_incident_intensity_that_ends_early_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.exp(-MU))
    (tmp_path / "i0.txt").write_text("8300 100\n8345 90\n")
    with pytest.raises(ReadError, match="covers 8300–8345 eV, but a frame is at 8350 eV"):
        taken(tmp_path / "a.npy", energies=listed(tmp_path / "e.txt"), values="counts", i0=tmp_path / "i0.txt")
