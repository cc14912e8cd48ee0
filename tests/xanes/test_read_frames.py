"""Raw frames and projections: real scans of three instruments."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import DataError, ReadError
from analysis.formats.xrm import read_xrm
from analysis.xanes import read_frames
from analysis.xanes.frames import scan_of
from tests.xanes.stack_files import taken

SSRL = "txm/ssrl_6-2c_nca_raw"


def few(shared_data: Path) -> list[Path]:
    """At each energy two frames of the sample and two references."""
    found = sorted((shared_data / SSRL).glob("rep01*"))
    return [p for p in found if any(f"_{k:03d}of" in p.name for k in (1, 2))]


def pixels(path: Path) -> np.ndarray:
    return read_xrm(path).images[slice(0, 1), slice(None), slice(None)][0].astype(float)


def test_a_scan_of_ssrl(shared_data: Path) -> None:
    paths = few(shared_data)
    ds = taken(*paths)
    assert ds.attrs["schema"] == "txm.frames"
    assert ds["energy"].values.tolist() == [8324.0, 8354.0]
    assert ds["exposure"].values.tolist() == [0.5, 0.5]
    assert ds["reference_exposure"].values.tolist() == [0.3, 0.3]
    assert ds["n_sample"].values.tolist() == [2, 2]
    assert ds["n_reference"].values.tolist() == [2, 2]
    assert ds.attrs["voxel_um"] == 0.0312
    assert ds.attrs["metadata"]["binning"] == 2
    a, b = (pixels(p) for p in paths if "_ref_" not in p.name and "8354" in p.name)
    np.testing.assert_allclose(ds["sample"].values[1], (a + b) / 2, rtol=1e-6)
    np.testing.assert_allclose(ds["sample_std"].values[1], np.abs(a - b) / 2, atol=1e-3)  # the standard deviation of a mean of two


def test_large_scans_stay_in_their_files(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = few(shared_data)[:4]
    whole = taken(*paths)
    monkeypatch.setattr(read_frames, "FRAME_BYTES", 1000)
    lazy = taken(*paths)
    assert lazy["reference"].chunks is not None
    assert np.array_equal(lazy["reference"].values, whole["reference"].values)
    assert np.array_equal(lazy["reference_std"].values, whole["reference_std"].values, equal_nan=True)


def test_parts_of_a_scan_are_pooled_as_if_read_together(shared_data: Path) -> None:
    paths = sorted((shared_data / SSRL).glob("rep01_20161456*08324*"))
    assert len(paths) == 3
    together = scan_of([taken(*paths)]).at("sample", 8324.0)
    apart = scan_of([taken(paths[0]), taken(*paths[1:])]).at("sample", 8324.0)
    assert (together.n, apart.n) == (3, 3)
    np.testing.assert_allclose(apart.mean, together.mean, rtol=1e-6)
    np.testing.assert_allclose(apart.std, together.std, rtol=1e-4, atol=1e-3)


def test_truncated_files_are_refused_by_name(shared_data: Path) -> None:
    cut = sorted((shared_data / SSRL).glob("rep02*"))
    with pytest.raises(ReadError, match=r"2 files are cut off or unreadable: rep02_000072.*_002of010\.xrm, rep02_000182.*_002of010\.xrm"):
        taken(*few(shared_data)[:1], *cut)
    with pytest.raises(ReadError, match=r"rep02_000072_ref_.*\.xrm is cut off"):
        taken(cut[0])


def test_a_frame_with_its_reference_inside(shared_data: Path) -> None:
    ds = taken(shared_data / "txm/xradia_format_tests/test_chip00.xrm")
    assert ds["sample"].shape == (1, 512, 512)
    assert ds["energy"].values == pytest.approx([7191.05], abs=0.01)
    assert ds["exposure"].values == pytest.approx([39.885], abs=1e-3)
    assert ds["reference_exposure"].values == pytest.approx([40.0])
    assert ds.attrs["metadata"]["binning"] == 4


def test_images_of_different_size_and_energies_that_nobody_knows(shared_data: Path, tmp_path: Path) -> None:
    frame = few(shared_data)[0]
    with pytest.raises(ReadError, match=r"test_chip00\.xrm is an image of 512 × 512 pixels"):
        taken(frame, shared_data / "txm/xradia_format_tests/test_chip00.xrm")
    nameless = tmp_path / "frame_1.xrm"
    shutil.copyfile(frame, nameless)
    with pytest.raises(ReadError, match=r"frame_1\.xrm says its energy neither inside nor in its name"):
        taken(nameless)


def test_frames_with_different_exposures_are_not_averaged(shared_data: Path) -> None:
    paths = few(shared_data)
    with pytest.raises(DataError, match=r"sample frames at 8324 eV were exposed for 0\.3 s and 0\.5 s"):
        taken(*paths, reader="xanes.xrm", reference_word="nothing")


def test_projections_of_xradia(shared_data: Path) -> None:
    path = shared_data / "txm/xradia_format_tests/txrm_test_chip_tomo.txrm"
    ds = taken(path)
    assert ds.attrs["schema"] == "txm.projections"
    assert ds["sample"].shape == (7, 256, 256)
    assert ds["angle"].values == pytest.approx(np.arange(-45, 46, 15), abs=0.05)
    assert ds.attrs["metadata"]["energy_ev"] == pytest.approx(9200, abs=0.1)
    with pytest.raises(ReadError, match=r"holds projections at several angles.*reader=xanes\.projections_xrm"):
        taken(path, reader="xanes.xrm")


def test_projections_in_data_exchange(shared_data: Path) -> None:
    ds = taken(shared_data / "txm/tomo_tooth/tooth.h5")
    assert ds.attrs["schema"] == "txm.projections"
    assert ds["sample"].shape == (181, 2, 640)
    assert (ds.attrs["metadata"]["n_white"], ds.attrs["metadata"]["n_dark"]) == (10, 10)
    assert ds["reference"].shape == ds["dark"].shape == (2, 640)
    assert float(ds["reference"].mean()) > float(ds["dark"].mean())
    assert ds["angle"].attrs["units"] == "degree"
    assert ds["angle"].values[[0, -1]] == pytest.approx([0, 180], abs=1.01)
