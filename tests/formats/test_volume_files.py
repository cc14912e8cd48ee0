"""NRRD and MetaImage: files as other programs write them, and damaged ones."""

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats.metaimage import is_metaimage, read_metaimage
from analysis.formats.nrrd import read_nrrd

VALUES = np.arange(2 * 3 * 4, dtype=np.uint16).reshape(2, 3, 4)  # z, y, x
NRRD = "NRRD0004\n# made by a test\ntype: uint16\ndimension: 3\nsizes: 4 3 2\nendian: {endian}\nencoding: {encoding}\n{more}\n"
MHA = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = {msb}\nCompressedData = {packed}\nDimSize = 4 3 2\n"
    "ElementSpacing = 0.0005 0.0005 0.001\nElementType = MET_USHORT\nElementDataFile = {where}\n"
)


def test_nrrd_raw_and_packed_with_the_voxel_size(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    head = NRRD.format(
        endian="big", encoding="raw", more='space directions: (0.0005,0,0) (0,0.0005,0) (0,0,0.001)\nspace units: "mm" "mm" "mm"\n'
    )
    path.write_bytes(head.encode() + VALUES.astype(">u2").tobytes())
    found = read_nrrd(path)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.voxel_um == (1.0, 0.5, 0.5)
    path.write_bytes(NRRD.format(endian="little", encoding="gzip", more="spacings: 2 1 1\n").encode() + gzip.compress(VALUES.tobytes()))
    found = read_nrrd(path)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.voxel_um is None  # spacings without a unit


def test_nrrd_with_its_values_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(VALUES.tobytes())
    path = tmp_path / "a.nhdr"
    path.write_text(NRRD.format(endian="little", encoding="raw", more="data file: a.raw\n"), encoding="ascii")
    np.testing.assert_array_equal(read_nrrd(path).values, VALUES)
    (tmp_path / "a.raw").unlink()
    with pytest.raises(ReadError, match=r"has its values in a\.raw, which is not beside it"):
        read_nrrd(path)


def test_metaimage_raw_and_packed(tmp_path: Path) -> None:
    path = tmp_path / "a.mha"
    path.write_bytes(MHA.format(msb="False", packed="False", where="LOCAL").encode() + VALUES.tobytes())
    assert is_metaimage(path.read_bytes())
    found = read_metaimage(path)
    np.testing.assert_array_equal(found.values, VALUES)
    assert found.voxel_um == (1.0, 0.5, 0.5)
    path.write_bytes(MHA.format(msb="True", packed="True", where="LOCAL").encode() + zlib.compress(VALUES.astype(">u2").tobytes()))
    np.testing.assert_array_equal(read_metaimage(path).values, VALUES)


def test_what_is_cut_off_or_not_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.nrrd"
    path.write_bytes(NRRD.format(endian="little", encoding="raw", more="").encode() + VALUES.tobytes()[:-4])
    with pytest.raises(ReadError, match="cut off: 44 of 48 bytes"):
        read_nrrd(path)
    path.write_bytes(NRRD.format(endian="little", encoding="bzip2", more="").encode())
    with pytest.raises(ReadError, match="encoded as bzip2"):
        read_nrrd(path)
    path.write_bytes(MHA.format(msb="False", packed="True", where="LOCAL").encode() + b"not zlib at all")
    with pytest.raises(ReadError, match="damaged or cut off"):
        read_metaimage(path)
    path.write_bytes(MHA.format(msb="False", packed="False", where="other.raw").encode())
    with pytest.raises(ReadError, match=r"other\.raw, which is not beside it"):
        read_metaimage(path)
