"""HDF5: known layouts, the choice of a dataset, and files that lead elsewhere or end early."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats import hdf5

STACK = np.arange(4 * 6 * 5, dtype=np.float32).reshape(4, 6, 5)
ENERGY = np.array([8.30, 8.34, 8.35, 8.36])


def made(path: Path, fill: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "w") as f:
        fill(f)
    return path


def test_data_exchange(shared_data: Path) -> None:
    path = shared_data / "txm/tomo_tooth/tooth.h5"
    known = hdf5.datasets(path)
    assert {n: d.shape for n, d in known.items()} == {
        "exchange/data": (181, 2, 640),
        "exchange/data_white": (10, 2, 640),
        "exchange/data_dark": (10, 2, 640),
        "exchange/theta": (181,),
    }
    found = hdf5.layout(path, known)
    assert found is not None
    assert (found.title, found.values) == ("Data Exchange", "projections")
    part = hdf5.blocks(path, "/exchange/data")[slice(3, 5), slice(None), slice(0, 640, 64)]
    with h5py.File(path) as f:
        assert np.array_equal(part, f["exchange/data"][3:5, :, ::64])


def test_layouts_of_other_programs_are_known(tmp_path: Path) -> None:
    def fxi(f: h5py.File) -> None:
        f["img_xanes"], f["X_eng"], f["Pixel Size"] = STACK, ENERGY, "20.6nm"
        f["img_bkg"] = STACK

    def sandbox(f: h5py.File) -> None:
        f["registration_results/reg_results/registered_xanes3D"] = STACK[:, None].repeat(3, 1)
        f["registration_results/reg_results/eng_list"] = ENERGY * 1000

    def stxm(f: h5py.File) -> None:
        f["entry1/definition"] = "NXstxm"
        group = f.create_group("entry1/counter0")
        group.attrs["NX_class"] = "NXdata"
        group["data"], group["energy"] = STACK, ENERGY * 1000

    for fill, title, stack, energies, values in (
        (fxi, "FXI", "img_xanes", "X_eng", "transmission"),
        (
            sandbox,
            "TXM-Sandbox",
            "registration_results/reg_results/registered_xanes3D",
            "registration_results/reg_results/eng_list",
            "absorption",
        ),
        (stxm, "NeXus", "entry1/counter0/data", "entry1/counter0/energy", "absorption"),
    ):
        path = made(tmp_path / f"{title}.h5", fill)
        found = hdf5.layout(path, hdf5.datasets(path))
        assert found is not None
        if fill is stxm:
            title, values = "NXstxm", "counts"
        assert (found.title, found.stack, found.energies, found.values) == (title, stack, energies, values)
        assert found.pixel_um == (0.0206 if title == "FXI" else None)


def test_a_missing_dataset_is_answered_with_those_that_are_there(tmp_path: Path) -> None:
    path = made(tmp_path / "a.h5", lambda f: (f.create_dataset("entry/big", data=STACK), f.create_dataset("entry/small", data=STACK[0])))
    with pytest.raises(ReadError, match=r"no dataset '/entry/nothing'.*It holds /entry/big \(4 × 6 × 5\), /entry/small \(6 × 5\)"):
        hdf5.blocks(path, "/entry/nothing")


def test_links_inside_are_followed_and_those_that_lead_away_are_not(tmp_path: Path) -> None:
    other = made(tmp_path / "other.h5", lambda f: f.create_dataset("x", data=STACK))

    def fill(f: h5py.File) -> None:
        f["entry/detector/deep/data"] = STACK
        f["entry/data"] = h5py.SoftLink("/entry/detector/deep/data")
        f["entry/away"] = h5py.ExternalLink(str(other), "x")
        layout = h5py.VirtualLayout((4, 6, 5), "f4")
        layout[:] = h5py.VirtualSource(str(other), "x", (4, 6, 5))
        f.create_virtual_dataset("virtual", layout)

    path = made(tmp_path / "a.h5", fill)
    assert "entry/data" in hdf5.datasets(path)
    assert np.array_equal(hdf5.values(path, "/entry/data"), STACK)
    with pytest.raises(ReadError, match="lies in another file"):
        hdf5.blocks(path, "entry/away")
    with pytest.raises(ReadError, match="put together from other files"):
        hdf5.blocks(path, "virtual")


@pytest.mark.parametrize("left", [0, 100, 3000, 0.5, 0.99])
def test_files_that_were_cut_off_are_refused(tmp_path: Path, left: float) -> None:
    path = made(tmp_path / "a.h5", lambda f: f.create_dataset("x", data=np.zeros((50, 40, 30))))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole)) if 0 < left < 1 else int(left)])
    with pytest.raises(ReadError, match=r"a\.h5 is (cut off: it has|damaged, cut off or no HDF5)"):
        hdf5.datasets(path)


def test_compressed_pages_are_told_from_mapped_rows(tmp_path: Path) -> None:
    path = made(
        tmp_path / "a.h5",
        lambda f: (
            f.create_dataset("pages", data=STACK, chunks=(1, 6, 5), compression="gzip"),
            f.create_dataset("plain", data=STACK),
        ),
    )
    known = hdf5.datasets(path)
    assert (known["pages"].paged, known["plain"].paged) == (True, False)
