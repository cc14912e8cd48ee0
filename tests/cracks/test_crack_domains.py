"""Isolated domains: exact on masks without noise, found in noisy volumes, with their chemistry."""

import numpy as np
import pytest
from crack_makers import edge_map, made, scalar, segmentation
from scipy import ndimage

from analysis.core.errors import DataError
from analysis.demo import crack_phantoms


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("seed", range(5))
def test_domains_of_masks_without_noise_are_exact(seed: int) -> None:
    phantom = crack_phantoms.islands(64, width=1.5 + seed % 3, seed=700 + seed)
    found = made("cracks.domains", segmentation=segmentation(phantom.crack, phantom.envelope, voxel_um=0.1))
    solid = phantom.envelope & ~phantom.crack
    label, count = ndimage.label(solid)
    sizes = np.sort(np.bincount(label.ravel())[1:])[::-1]
    assert scalar(found, "n_domains")["value"] == count - 1
    np.testing.assert_allclose(found["volume"].values, sizes[1:] * 1e-3)
    pairs = np.unique(np.stack([label[solid], found["label"].values[solid]]), axis=1)
    assert pairs.shape[1] == count  # the same parts, up to their names
    assert not found["contact"].values.any()
    assert scalar(found, "isolated_fraction")["value"] == pytest.approx(sizes[1:].sum() / solid.sum())
    for row, number in enumerate(found["domain"].values):
        mine = found["label"].values == number
        place = tuple(int(found[f"at_{a}"].values[row]) for a in "zyx")
        assert mine[place]
        touches = (ndimage.binary_dilation(mine) & ~phantom.envelope).any()
        assert found["kind"].values[row] == ("detached" if touches else "enclosed")


def test_domains_in_noise_and_blur() -> None:
    phantom = crack_phantoms.islands(80, width=4, seed=811)
    segmented = made("cracks.segment", {"blanks": 0}, volume=phantom.tomogram(blur=1.5, snr=5, seed=811))
    found = made("cracks.domains", segmentation=segmented)
    truths = [phantom.domain == k for k in range(1, phantom.domain.max() + 1)]
    large = [t for t in truths if t.sum() >= 2500]
    assert large
    for truth in large:
        number = np.bincount(found["label"].values[truth]).argmax()
        assert number > 1
        assert overlap(found["label"].values == number, truth) > 0.88
    assert scalar(found, "n_domains")["value"] <= len(truths)


def test_a_bridge_that_is_narrow_enough_does_not_connect() -> None:
    envelope = np.zeros((30, 30, 40), bool)
    envelope[5:25, 5:25, 5:35] = True
    crack = np.zeros_like(envelope)
    crack[:, :, 24:26] = envelope[:, :, 24:26]
    crack[14:16, 14:16, 24:26] = False
    masks = segmentation(crack, envelope, voxel_um=0.5)
    assert scalar(made("cracks.domains", segmentation=masks), "n_domains")["value"] == 0
    found = made("cracks.domains", {"bottleneck": 1}, segmentation=masks)
    assert scalar(found, "n_domains")["value"] == 1
    assert found["contact"].values[0] == pytest.approx(4 * 0.25)  # four faces
    assert found["volume"].values[0] == pytest.approx((20 * 20 * 9 + 4) * 0.125, abs=0.6)


@pytest.mark.parametrize("factor", [1, 2])
def test_the_energy_of_a_domain_and_its_difference_to_the_main_body(factor: int) -> None:
    phantom = crack_phantoms.islands(64, width=3, enclosed=1, seed=5)
    energy = np.where(phantom.domain == 2, 8341.5, np.where(phantom.domain == 1, 8340.25, 8340.0))
    coarse = (slice(None, None, factor),) * 3
    edges = edge_map(energy[coarse], phantom.envelope[coarse], 0.1 * factor)
    found = made("cracks.domains", segmentation=segmentation(phantom.crack, phantom.envelope, voxel_um=0.1), edges=edges)
    kinds = dict(zip(found["kind"].values, found["difference"].values, strict=True))
    assert kinds["enclosed"] == pytest.approx(1.5, abs=1e-3)
    assert kinds["detached"] == pytest.approx(0.25, abs=1e-3)
    assert scalar(found, "mean_difference")["unit"] == "eV"


def test_maps_that_do_not_fit() -> None:
    masks = segmentation(np.zeros((12, 12, 12), bool), np.ones((12, 12, 12), bool), voxel_um=0.1)
    with pytest.raises(DataError, match="The edge map has 5 × 12 × 12 voxels, the segmentation 12 × 12 × 12: their grids do not fit"):
        made("cracks.domains", segmentation=masks, edges=edge_map(np.zeros((5, 12, 12)), np.ones((5, 12, 12), bool)))
    with pytest.raises(DataError, match=r"Voxels of the edge map are 0\.5 µm, those of the segmentation 0\.1 µm"):
        made("cracks.domains", segmentation=masks, edges=edge_map(np.zeros((6, 6, 6)), np.ones((6, 6, 6), bool), 0.5))
    with pytest.raises(DataError, match="no voxel that counts"):
        made("cracks.domains", segmentation=masks, edges=edge_map(np.zeros((6, 6, 6)), np.zeros((6, 6, 6), bool), 0.2))
