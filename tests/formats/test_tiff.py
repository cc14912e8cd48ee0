"""TIFF series: layouts that programs write, and broken ones."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from analysis.core.errors import ReadError
from analysis.formats.blocks import Mapped, whole
from analysis.formats.tiff import TiffPages, read_tiff
from tests.damage import damaged_copies, outcome

PAGES = np.arange(5 * 12 * 17, dtype=np.uint16).reshape(5, 12, 17)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_uncompressed_series_are_mapped(tmp_path: Path, dtype: str, byteorder: str) -> None:
    expected = (PAGES % 200 - 3).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", expected, byteorder=byteorder, photometric="minisblack")
    found = read_tiff(tmp_path / "a.tif").images
    assert isinstance(found, Mapped)
    assert np.array_equal(whole(found), expected)
    assert np.array_equal(found[slice(1, 4), slice(3, 5), slice(None)], expected[1:4, 3:5])


def test_compressed_pages_are_decoded(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PAGES, compression="zlib", photometric="minisblack")
    found = read_tiff(tmp_path / "a.tif").images
    assert isinstance(found, TiffPages)
    assert np.array_equal(whole(found), PAGES)
    assert np.array_equal(found[slice(0, 5, 2), slice(3, 5), slice(1, 2)], PAGES[::2, 3:5, 1:2])


def test_one_image_is_no_series(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PAGES[0], photometric="minisblack")
    assert read_tiff(tmp_path / "a.tif").images.shape == (12, 17)


def test_imagej_says_pixel_size_and_labels(tmp_path: Path) -> None:
    labels = [f"p_{8330 + k}.5eV" for k in range(5)]
    metadata = {"axes": "ZYX", "unit": "nm", "Labels": labels}
    tifffile.imwrite(tmp_path / "a.tif", PAGES, imagej=True, resolution=(1 / 20, 1 / 20), metadata=metadata)
    found = read_tiff(tmp_path / "a.tif")
    assert found.pixel_um == pytest.approx(0.02)
    assert found.energy is not None
    assert found.energy.tolist() == [8330.5, 8331.5, 8332.5, 8333.5, 8334.5]


def test_a_resolution_without_a_length_is_not_believed(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PAGES, resolution=(72, 72), photometric="minisblack")
    assert read_tiff(tmp_path / "a.tif").pixel_um is None


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("left", [0.3, 0.6, 0.9])
def test_files_that_were_cut_off_are_refused(tmp_path: Path, compression: str | None, left: float) -> None:
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(0).integers(0, 2**16, (6, 64, 64), dtype=np.uint16)
    with tifffile.TiffWriter(path) as tif:
        for page in noise:
            tif.write(page, compression=compression, contiguous=False, photometric="minisblack")
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    with pytest.raises(ReadError, match=r"a\.tif is (cut off|damaged|no readable)"):
        read_tiff(path)


def test_colour_and_pages_of_different_size_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((8, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(ReadError, match="colour pictures"):
        read_tiff(tmp_path / "rgb.tif")
    with tifffile.TiffWriter(tmp_path / "mixed.tif") as tif:
        tif.write(np.zeros((8, 9), np.uint16), photometric="minisblack")
        tif.write(np.zeros((8, 9), np.float32), photometric="minisblack")
    with pytest.raises(ReadError, match="differ in size or type"):
        read_tiff(tmp_path / "mixed.tif")


@pytest.mark.filterwarnings("ignore")
def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PAGES, compression="zlib", photometric="minisblack")
    for copy in damaged_copies(path.read_bytes(), 60, seed=2, head=600):
        path.write_bytes(copy)
        found, sentence = outcome(lambda: read_tiff(path))
        assert sentence or found is not None
        if found is not None and np.prod(found.images.shape) < 1 << 20:
            outcome(lambda: whole(found.images))  # noqa: B023
