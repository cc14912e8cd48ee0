"""A mask of another program over the volume that it was made from."""

import numpy as np
import pytest
from crack_makers import ball, made, scalar, segmentation, volume

from analysis.core.data import warnings_of
from analysis.core.errors import DataError
from analysis.cracks.strokes import strokes_of

SIDE = 24


def _mask(voxel_um: float | list[float] | None = 0.05):
    envelope = ball(SIDE, 9)
    crack = envelope & (np.abs(np.arange(SIDE) - SIDE // 2)[:, None, None] <= 1)
    return segmentation(crack, envelope, voxel_um=voxel_um), crack, envelope


def test_a_mask_is_taken_as_it_is_with_the_voxel_size_of_its_volume() -> None:
    mask, crack, envelope = _mask(voxel_um=None)
    found = made("cracks.adopt", mask=mask, volume=volume(envelope.astype(float), voxel_um=0.04))
    assert found.attrs["voxel_um"] == 0.04
    assert np.array_equal(found["crack"].values != 0, crack)
    assert scalar(found, "ratio")["value"] == pytest.approx(crack.sum() / envelope.sum(), rel=1e-12)
    assert warnings_of(found) == ()


def test_strokes_are_painted_on_it() -> None:
    mask, crack, envelope = _mask()
    taken = strokes_of(np.array([[SIDE // 2, SIDE // 2, SIDE // 2]]), radius=0, add=False)
    found = made("cracks.adopt", mask=mask, volume=volume(envelope.astype(float)), strokes=taken)
    assert int((found["crack"] != 0).sum()) == crack.sum() - 1


def test_a_mask_alone_is_its_own_volume() -> None:
    mask, crack, _ = _mask()
    assert int((made("cracks.adopt", mask=mask)["crack"] != 0).sum()) == crack.sum()


def test_a_mask_of_another_shape_or_voxel_size_is_refused_in_one_sentence() -> None:
    mask, _, envelope = _mask(voxel_um=0.1)
    with pytest.raises(DataError, match=r"The mask has 24 × 24 × 24 voxels, the volume 24 × 24 × 23\."):
        made("cracks.adopt", mask=mask, volume=volume(envelope[:, :, 1:].astype(float)))
    with pytest.raises(DataError, match=r"The mask has voxels of 0\.1 × 0\.1 × 0\.1 µm, the volume of 0\.05 × 0\.05 × 0\.05 µm\."):
        made("cracks.adopt", mask=mask, volume=volume(envelope.astype(float), voxel_um=0.05))
    empty = segmentation(np.zeros_like(envelope), np.zeros_like(envelope))
    with pytest.raises(DataError, match=r"The mask is empty: no voxel belongs to a particle\."):
        made("cracks.adopt", mask=empty, volume=volume(envelope.astype(float)))
