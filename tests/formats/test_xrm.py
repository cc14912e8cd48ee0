"""Images of Zeiss/Xradia microscopes: real files of three instruments, cut and damaged ones."""

from pathlib import Path

import numpy as np
import olefile
import pytest

from analysis.core.errors import ReadError
from analysis.formats.energies import energy_of_name
from analysis.formats.xrm import XrmImages, is_xrm, read_xrm
from tests.damage import damaged_copies, outcome

SSRL = "txm/ssrl_6-2c_nca_raw"
WHOLE = (slice(None),) * 3


@pytest.mark.parametrize(
    ("name", "energy", "exposure"),
    [
        ("rep01_20161456_ssrl-test-data_08324.0_eV_001of003.xrm", 8324.0, 0.5),
        ("rep01_20161456_ssrl-test-data_08354.0_eV_003of003.xrm", 8354.0, 0.5),
        ("rep01_000051_ref_20161456_ssrl-test-data_08324.0_eV_001of010.xrm", 8324.0, 0.3),
    ],
)
def test_a_frame_of_ssrl_has_its_energy_in_the_name(shared_data: Path, name: str, energy: float, exposure: float) -> None:
    found = read_xrm(shared_data / SSRL / name)
    assert found.images.shape == (1, 1024, 1024)
    assert found.images.dtype == np.uint16
    assert (found.energy.tolist(), found.energy_from) == ([energy], "name")
    assert found.exposure.tolist() == [exposure]
    assert (found.binning, found.pixel_um) == (2, 0.0312)
    assert found.reference is None


def test_pixels_are_those_of_the_stream(shared_data: Path) -> None:
    path = shared_data / SSRL / "rep01_20161456_ssrl-test-data_08324.0_eV_001of003.xrm"
    found = read_xrm(path)
    with olefile.OleFileIO(path) as ole:
        expected = np.frombuffer(ole.openstream("ImageData1/Image1").read(), "<u2").reshape(1, 1024, 1024)
    assert np.array_equal(found.images[WHOLE], expected)
    assert np.array_equal(found.images[slice(0, 1), slice(5, 9), slice(2, 900, 3)], expected[:, 5:9, 2:900:3])
    in_pieces = XrmImages(path, found.images.shape, found.images.typestr, (-1,))
    assert np.array_equal(in_pieces[WHOLE], expected)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("rep02_000072_ref_20161456_ssrl-test-data_08348.0_eV_002of010.xrm", "missing"),
        ("rep02_000182_ref_20161456_ssrl-test-data_08400.0_eV_002of010.xrm", "incomplete"),
    ],
)
def test_files_that_were_cut_off_are_refused_by_name(shared_data: Path, name: str, what: str) -> None:
    assert is_xrm(shared_data / SSRL / name)
    with pytest.raises(ReadError, match=rf"{name} is cut off: its image is {what}"):
        read_xrm(shared_data / SSRL / name)


def test_a_frame_with_its_reference_inside(shared_data: Path) -> None:
    found = read_xrm(shared_data / "txm/xradia_format_tests/test_chip00.xrm")
    assert found.images.shape == (1, 512, 512)
    assert found.energy == pytest.approx([7191.046], abs=1e-3)
    assert found.exposure == pytest.approx([39.8847], abs=1e-3)
    assert found.binning == 4
    assert found.energy_from == "file"
    assert found.reference is not None
    assert found.reference.shape == (512, 512)
    assert found.reference_exposure == 40.0


def test_projections_take_the_lone_first_energy(shared_data: Path) -> None:
    found = read_xrm(shared_data / "txm/xradia_format_tests/txrm_test_chip_tomo.txrm")
    assert found.images.shape == (7, 256, 256)
    assert found.energy == pytest.approx([9200.0] * 7, abs=0.1)
    assert found.angle == pytest.approx(np.arange(-45, 46, 15), abs=0.05)
    assert found.exposure.tolist() == [5.0] * 7
    assert found.images[slice(3, 4), slice(None), slice(None)].mean() > 0


def test_damaged_files_are_read_or_refused(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "txm/xradia_format_tests/txrm_test_chip_tomo.txrm").read_bytes()
    for k, copy in enumerate(damaged_copies(whole, 40, seed=4, head=1 << 17)):
        path = tmp_path / f"{k}.txrm"
        path.write_bytes(copy)
        found, sentence = outcome(lambda path=path: read_xrm(path))  # type: ignore[misc]
        assert sentence or (found is not None and found.images.shape[1:] == (256, 256) and found.images[WHOLE].ndim == 3)
        path.unlink()


@pytest.mark.parametrize(
    ("name", "energy"),
    [
        ("rep01_20161456_ssrl-test-data_08324.0_eV_001of003.xrm", 8324.0),
        ("particle_8350.5eV.tif", 8350.5),
        ("scan_8.3505keV_03.tif", 8350.5),
        ("particle_E8350_2.tif", 8350.0),
        ("img_energy_0712.40.tif", 712.4),
        ("20161456_fov08.xrm", None),
        ("Sample12_001.tif", None),
    ],
)
def test_energies_that_names_state(name: str, energy: float | None) -> None:
    assert energy_of_name(name) == energy
