"""Volumes, areas, widths and positions of balls, slabs and cylinders against their formulas."""

import numpy as np
import pytest
from crack_makers import ball, made, scalar, segmentation
from scipy import ndimage

from analysis.core.data import scalars, warnings_of
from analysis.core.errors import DataError

SIDE, UM = 64, 0.1
AT = np.stack(np.meshgrid(*[np.arange(SIDE) - (SIDE - 1) / 2] * 3, indexing="ij"), axis=-1)
ENVELOPE = ball(SIDE, 28)


def measured(crack: np.ndarray, envelope: np.ndarray = ENVELOPE, voxel_um: float | list[float] | None = UM, **params):
    return made("cracks.measure", params, segmentation=segmentation(crack, envelope, voxel_um=voxel_um))


def test_ratio_and_labels_are_those_of_scipy_on_the_same_mask() -> None:
    crack = ENVELOPE & (np.random.default_rng(0).random(ENVELOPE.shape) < 0.08)
    found = measured(crack, min_crack=3)
    label, _ = ndimage.label(crack, np.ones((3, 3, 3)))
    sizes = np.bincount(label.ravel())[1:]
    assert scalar(found, "crack_volume_ratio")["value"] == pytest.approx(crack.sum() / ENVELOPE.sum(), rel=1e-12)
    assert scalar(found, "n_cracks")["value"] == (sizes >= 3).sum()
    np.testing.assert_allclose(found["crack_size"].values / UM**3, np.sort(sizes[sizes >= 3])[::-1])
    touching = np.unique(label[crack & ndimage.binary_dilation(~ENVELOPE, np.ones((3, 3, 3)))])
    share = sizes[touching - 1].sum() / sizes.sum()
    assert scalar(found, "surface_connected_fraction")["value"] == pytest.approx(share, rel=1e-12)
    assert scalar(found, "largest_crack_fraction")["value"] == pytest.approx(sizes.max() / sizes.sum(), rel=1e-12)


def test_a_round_void_in_the_middle() -> None:
    found = measured(ball(SIDE, 12))
    assert scalar(found, "crack_volume")["value"] == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.02)
    assert scalar(found, "crack_area")["value"] == pytest.approx(4 * np.pi * 1.2**2, rel=0.02)
    assert scalar(found, "surface_connected_fraction")["value"] == 0
    assert scalar(found, "radial_position")["value"] == pytest.approx(0.75 * 12 / 28, abs=0.03)  # mean of r/R over a ball
    assert float(found["crack_widest"].values[0]) == pytest.approx(2.4, abs=0.2)
    np.testing.assert_allclose([found[f"crack_{a}"].values[0] for a in "zyx"], SIDE * UM / 2, atol=1e-6)
    shells = found["radial_crack"].values / found["radial_envelope"].values
    assert shells[:3] == pytest.approx([1, 1, 1], abs=0.02)
    assert not shells[5:].any()


def test_a_slab_across_the_particle_and_a_cylinder() -> None:
    for width in (2, 5):
        slab = ENVELOPE & (AT[..., 0] > 0) & (AT[..., 0] < width)
        found = measured(slab)
        assert scalar(found, "mean_width")["value"] == pytest.approx(width * UM, rel=0.05)
        assert scalar(found, "surface_connected_fraction")["value"] == 1
        widths = found["width_volume"].values
        assert found["width"].values[int(np.argmax(widths))] == pytest.approx(width * UM)
        assert widths.sum() == pytest.approx(slab.sum() * UM**3)
    bore = ENVELOPE & (np.hypot(AT[..., 1], AT[..., 2]) <= 6) & (np.abs(AT[..., 0]) < 20)
    found = measured(bore)
    ends = 2 * np.pi * 0.6**2
    assert scalar(found, "crack_area")["value"] == pytest.approx(2 * np.pi * 0.6 * 4.0 + ends, rel=0.03)
    assert scalar(found, "crack_volume")["value"] == pytest.approx(np.pi * 0.6**2 * 4.0, rel=0.03)


def test_voxels_that_are_no_cubes() -> None:
    found = measured(ball(SIDE, 12), voxel_um=[0.2, 0.1, 0.1])
    assert scalar(found, "crack_volume")["value"] == pytest.approx(2 * 4 / 3 * np.pi * 1.2**3, rel=0.02)
    eccentricity = np.sqrt(1 - 0.25)  # of the prolate spheroid with half axes 2.4 and 1.2 µm
    area = 2 * np.pi * 1.2**2 * (1 + 2.4 / 1.2 / eccentricity * np.arcsin(eccentricity))
    assert scalar(found, "crack_area")["value"] == pytest.approx(area, rel=0.03)


def test_the_limit_comes_from_pristine_particles_and_their_ratio_is_taken_off() -> None:
    cracked, pristine = ball(SIDE, 12), [ENVELOPE & (np.random.default_rng(s).random(ENVELOPE.shape) < 0.001 * s) for s in (1, 2, 3)]
    references = tuple(segmentation(p, ENVELOPE) for p in pristine)
    found = made("cracks.measure", segmentation=segmentation(cracked, ENVELOPE), pristine=references)
    ratios = np.array([p.sum() / ENVELOPE.sum() for p in pristine])
    told = scalars(found)
    assert told["blank_ratio"].value == pytest.approx(ratios.mean())
    assert told["detection_limit"].value == pytest.approx(ratios.mean() + 3 * ratios.std(ddof=1))
    assert told["crack_volume_ratio_net"].value == pytest.approx(cracked.sum() / ENVELOPE.sum() - ratios.mean())
    assert told["against_limit"].value == "above the detection limit"
    few = made("cracks.measure", segmentation=segmentation(cracked, ENVELOPE), pristine=references[:2])
    assert scalar(few, "detection_limit")["value"] is None  # two blanks tell no scatter


def test_particles_that_the_border_cuts_are_left_out_unless_asked_for() -> None:
    label = np.zeros((40, 40, 80), np.uint16)
    z, y, x = np.ogrid[:40, :40, :80]
    label[(z - 20) ** 2 + (y - 20) ** 2 + (x - 20) ** 2 <= 15**2] = 1
    label[(z - 20) ** 2 + (y - 20) ** 2 + (x - 76) ** 2 <= 12**2] = 2
    crack = (label > 0) & (abs(z - 20) < 2) & (x > 30)
    masks = segmentation(crack, label > 0, label=label)
    left_out, counted = (made("cracks.measure", {"include_cut": on}, segmentation=masks) for on in (False, True))
    assert any("particle 2" in w for w in warnings_of(left_out))
    assert scalar(left_out, "crack_volume_ratio")["value"] == pytest.approx((crack & (label == 1)).sum() / (label == 1).sum())
    assert scalar(left_out, "crack_volume_ratio")["n"] == 1
    assert scalar(counted, "crack_volume_ratio")["value"] == pytest.approx(crack.sum() / (label > 0).sum())
    assert scalar(counted, "n_particles")["value"] == 2
    assert left_out["cut"].values.tolist() == [0, 1]


def test_an_empty_mask_and_one_without_cracks() -> None:
    nothing = np.zeros_like(ENVELOPE)
    with pytest.raises(DataError, match="The mask is empty"):
        measured(nothing, nothing)
    found = measured(nothing)
    assert scalar(found, "crack_volume_ratio")["value"] == 0
    assert scalar(found, "n_cracks")["value"] == 0
    assert scalar(found, "mean_width")["value"] is None
    assert "There are no cracks at all in this segmentation." in warnings_of(found)
    assert any("voxel size is not known" in w for w in warnings_of(measured(nothing, voxel_um=None)))
