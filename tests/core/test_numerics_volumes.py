"""Distances, labels, smoothing and morphology of volumes, against SciPy's on the same masks."""

import numpy as np
import pytest
from scipy import ndimage

from analysis.core.numerics.blur import blurred, reach
from analysis.core.numerics.boxes import boxes_of
from analysis.core.numerics.components import components, filled, kept
from analysis.core.numerics.edt import distances
from analysis.core.numerics.growth import grown
from analysis.core.numerics.morphology import bounds, box_closing, closed, narrowed, widened, within

SHAPES = [(1, 7, 9), (20, 31, 17), (33, 32, 40)]
FACES, ALL = ndimage.generate_binary_structure(3, 1), np.ones((3, 3, 3))


def noise(shape: tuple[int, ...], share: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(shape) < share


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (0.3, 0.2, 0.5)])
def test_distances_are_those_of_scipy(shape: tuple[int, int, int], voxel: tuple[float, float, float]) -> None:
    for share in (0.5, 0.97):
        mask = noise(shape, share)
        np.testing.assert_allclose(distances(mask, voxel), ndimage.distance_transform_edt(mask, voxel), atol=1e-5)


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (0.3, 0.2, 0.5)])
def test_far_distances_are_those_of_scipy(voxel: tuple[float, float, float]) -> None:
    mask = np.ones((3, 400, 70), bool)
    mask[0, 3, 5] = mask[2, 20, 60] = False
    np.testing.assert_allclose(distances(mask, voxel), ndimage.distance_transform_edt(mask, voxel), atol=1e-4)


def test_without_anything_outside_there_is_no_distance() -> None:
    assert np.isinf(distances(np.ones((3, 4, 5), bool))).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("connectivity", "structure"), [(6, FACES), (26, ALL)])
def test_labels_are_those_of_scipy(shape: tuple[int, int, int], connectivity: int, structure: np.ndarray) -> None:
    for share in (0.1, 0.3, 0.6):
        mask = noise(shape, share, seed=3)
        label, count = ndimage.label(mask, structure)
        found = components(mask, connectivity=connectivity)
        assert found.count == count
        np.testing.assert_array_equal(found.labels(), label)
        np.testing.assert_array_equal(found.sizes()[1:], np.bincount(label.ravel())[1:])
        marks = noise(shape, 0.05, seed=4)
        np.testing.assert_array_equal(np.flatnonzero(found.any_of(marks)), np.unique(label[marks & mask]))


def test_holes_borders_and_chosen_parts() -> None:
    mask = noise((20, 21, 22), 0.6, seed=1)
    np.testing.assert_array_equal(filled(mask), ndimage.binary_fill_holes(mask))
    label, _ = ndimage.label(mask, ALL)
    inner = np.setdiff1d(label, np.concatenate([np.unique(label.take(i, axis)) for axis in range(3) for i in (0, -1)]))
    np.testing.assert_array_equal(kept(mask, lambda c: ~c.on_border() & (c.sizes() > 0)), np.isin(label, inner[inner > 0]))


def test_smoothing_is_that_of_scipy_and_the_same_in_a_slab() -> None:
    values = np.random.default_rng(0).random((40, 20, 30), dtype=np.float32)
    whole = blurred(values, 1.3)
    expected = ndimage.gaussian_filter(values.astype(float), 1.3, mode="nearest", radius=reach(1.3))
    np.testing.assert_allclose(whole, expected, atol=1e-6)
    halo = reach(1.3)
    slab = blurred(values[15 - halo : 20 + halo], 1.3, inner=slice(halo, halo + 5))
    np.testing.assert_array_equal(slab, whole[15:20])
    np.testing.assert_array_equal(blurred(values > 0.5, 1.3), blurred((values > 0.5).astype(np.float32), 1.3))


def test_boxes_and_balls() -> None:
    mask = noise((15, 20, 25), 0.02, seed=2)
    box = np.ones((5, 5, 5))
    np.testing.assert_array_equal(widened(mask, 2), ndimage.binary_dilation(mask, box))
    np.testing.assert_array_equal(narrowed(~mask, 2), ndimage.binary_erosion(~mask, box, border_value=1))
    axis = np.arange(-4, 5)
    ball = np.add.outer(np.add.outer(axis**2, axis**2), axis**2) <= 16
    around = np.pad(mask, 12)
    np.testing.assert_array_equal(closed(mask, 4.0), ndimage.binary_closing(around, ball)[12:-12, 12:-12, 12:-12])
    for radius in (1.0, 2.5, 7.0, 30.0):
        np.testing.assert_array_equal(within(mask, radius), ndimage.distance_transform_edt(~mask) <= radius)
    assert not within(np.zeros((3, 4, 5), bool), 2.0).any()
    assert bounds(np.zeros((3, 4, 5), bool)) is None
    assert not closed(np.zeros((3, 4, 5), bool), 2.0).any()
    grey = np.random.default_rng(1).random((12, 14, 16), dtype=np.float32)
    np.testing.assert_array_equal(box_closing(grey, 1), ndimage.grey_closing(grey, size=3, mode="nearest"))


def test_labels_grow_to_the_nearer_one() -> None:
    label = np.zeros((1, 1, 10), np.int32)
    label[0, 0, 1], label[0, 0, 8] = 1, 2
    mask = np.ones((1, 1, 10), bool)
    assert grown(label, mask).ravel().tolist() == [1] * 5 + [2] * 5
    mask[0, 0, 4] = False
    mask[0, 0, 9] = False
    assert grown(label, mask).ravel().tolist() == [1, 1, 1, 1, 0, 2, 2, 2, 2, 0]


def test_parts_beside_what_is_unmarked_and_boxes_of_labels() -> None:
    mask, marks = noise((12, 14, 16), 0.1, seed=5), noise((12, 14, 16), 0.9, seed=6)
    label, count = ndimage.label(mask, ALL)
    near = ndimage.binary_dilation(~marks, ALL)
    np.testing.assert_array_equal(np.flatnonzero(components(mask).beside(marks)), np.unique(label[near & mask]))
    label[label == count // 2] = 0
    found = boxes_of(label)
    for own, expected in zip(found, ndimage.find_objects(label), strict=True):
        assert own == (expected or (slice(0, 0),) * 3)
    assert boxes_of(np.zeros((3, 4, 5), np.uint16)) == ()
