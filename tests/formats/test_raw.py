"""Bare numbers: everything is stated, and has to fit."""

from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import ReadError
from analysis.formats.blocks import whole
from analysis.formats.raw import read_raw

ARRAY = np.arange(3 * 4 * 5).reshape(3, 4, 5)


@pytest.mark.parametrize(("typestr", "dtype", "order"), [("<u2", "uint16", "little"), (">u2", "uint16", "big"), (">f4", "float32", "big")])
def test_numbers_come_back_in_the_stated_order(tmp_path: Path, typestr: str, dtype: str, order: str) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(b"header--" + ARRAY.astype(typestr).tobytes())
    found = read_raw(path, (3, 4, 5), dtype, order, 8)  # type: ignore[arg-type]
    assert np.array_equal(whole(found), ARRAY)


def test_a_size_that_does_not_fit_is_refused_with_what_would(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(3 * 4 * 5 * 2))
    with pytest.raises(ReadError, match=r"a\.raw has 120 bytes, but 3 × 4 × 5 values of type float32 need 240.*fits 2 bytes a value"):
        read_raw(path, (3, 4, 5), "float32")
    path.write_bytes(bytes(3 * 4 * 5 * 2 + 512))
    with pytest.raises(ReadError, match="512 bytes would be left over as uint16"):
        read_raw(path, (3, 4, 5), "uint16")
