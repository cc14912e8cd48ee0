"""Cracks of phantoms whose truth is known: volume, blanks, slabs, bad input. One set of parameters: the defaults."""

import functools

import numba
import numpy as np
import pytest
import xarray as xr
from crack_makers import SPACE, ball, edge_map, made, scalar, volume

from analysis.core.data import warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.cracks import finding, mouths, particles
from analysis.cracks.finding import find_cracks
from analysis.cracks.grey import slabs
from analysis.cracks.params import CrackParams
from analysis.cracks.segment import in_slab, prepared
from analysis.cracks.strokes import strokes_of
from analysis.demo import crack_phantoms

QUICK = {"blanks": 0}
SEED = 4001  # of no phantom that was looked at when the program was written


def found_ratio(segmentation: xr.Dataset) -> float:
    return float(segmentation["crack"].sum() / segmentation["envelope"].sum())


@pytest.mark.parametrize(("width", "blur", "tolerance"), [(3, 1.0, 0.05), (5, 1.0, 0.05), (3, 0.6, 0.05), (1, 1.0, 0.15), (2, 1.0, 0.1)])
def test_the_crack_volume_at_a_signal_to_noise_ratio_of_five(width: float, blur: float, tolerance: float) -> None:
    phantom = crack_phantoms.sheets(64, width=width, count=2, seed=SEED)
    found = made("cracks.segment", QUICK, volume=phantom.tomogram(blur=blur, snr=5, seed=SEED))
    assert found_ratio(found) == pytest.approx(phantom.ratio, rel=tolerance)
    said = found.attrs["segmentation"]
    assert said["snr"] == pytest.approx(5, rel=0.05)
    assert said["resolution_voxels"] == pytest.approx(blur, abs=0.15)
    assert found["crack"].attrs["units"] == "1"
    assert (found["solid"] + found["crack"] == found["envelope"]).all()


def test_cracks_that_are_open_to_the_surface_count_as_far_as_the_surface() -> None:
    phantom = crack_phantoms.polycrystal(80, width=4, grains=25, seed=SEED)
    found = made("cracks.segment", QUICK, volume=phantom.tomogram(blur=1.0, snr=5, seed=SEED))
    assert found_ratio(found) == pytest.approx(phantom.ratio, rel=0.06)


def test_a_dense_particle_has_no_cracks_and_a_detection_limit() -> None:
    phantom = crack_phantoms.dense(56, seed=SEED)
    found = made("cracks.segment", volume=phantom.tomogram(blur=1.0, snr=5, seed=SEED))
    assert found_ratio(found) < 1e-4
    told = made("cracks.measure", segmentation=found)
    assert scalar(told, "blank_ratio")["n"] == 3
    assert scalar(told, "detection_limit")["value"] >= 50 / phantom.envelope.sum() * 0.9  # the smallest crack that is kept
    assert scalar(told, "against_limit")["value"] == "below the detection limit"
    assert "There are no cracks at all in this segmentation." in warnings_of(told)


@pytest.mark.parametrize("detector", ["hysteresis", "intensity", "sheet", "tophat"])
def test_a_slab_is_segmented_as_the_whole_volume_is(detector: str) -> None:
    phantom = crack_phantoms.sheets(56, width=3, count=2, seed=SEED)
    params = CrackParams(detector=detector, blanks=0)
    ready = prepared(phantom.tomogram(blur=0.8, snr=8, seed=SEED), params)
    whole = find_cracks(ready.grey, ready.particles, ready.facts, ready.limits, params)
    assert found_ratio(xr.Dataset({"crack": whole.sum(), "envelope": phantom.envelope.sum()})) == pytest.approx(phantom.ratio, rel=0.25)
    for start in (0, 27, 40, 55):
        np.testing.assert_array_equal(in_slab(ready, start, start + 1), whole[start : start + 1])


def test_a_noise_free_volume_is_found_voxel_by_voxel() -> None:
    phantom = crack_phantoms.sheets(64, width=4, count=2, seed=SEED)
    found = made("cracks.segment", {"smooth": 0, "blanks": 0}, volume=phantom.tomogram(blur=0, snr=np.inf, seed=0))
    truth, crack = phantom.crack, found["crack"].values != 0
    assert (truth & crack).sum() / (truth | crack).sum() > 0.97


def test_several_particles_are_split_and_those_at_the_border_are_left_out() -> None:
    density = np.zeros((48, 60, 96), np.float32)
    z, y, x = np.ogrid[:48, :60, :96]
    for middle in (26, 58):  # touching balls of radius 17
        density[(z - 24) ** 2 + (y - 28) ** 2 + (x - middle) ** 2 <= 17**2] = 1.0
    density[(z - 24) ** 2 + (y - 30) ** 2 + (x - 96) ** 2 <= 14**2] = 1.0
    noise = np.random.default_rng(SEED).normal(0, 0.1, density.shape)
    found = made("cracks.particles", volume=volume(density + noise))
    assert scalar(found, "n_particles")["value"] == 3
    assert scalar(found, "n_cut")["value"] == 1
    assert len({int(found["particle"].values[24, 28, m]) for m in (26, 58, 94)} - {0}) == 3
    assert any("Cut by the border of the volume and left out of the ratio" in w for w in warnings_of(found))
    sizes = np.bincount(found["particle"].values.ravel())[1:]
    assert sorted(sizes)[1:] == pytest.approx([4 / 3 * np.pi * 17**3] * 2, rel=0.03)
    together = made("cracks.particles", {"split": False, "closing": 3}, volume=volume(density + noise))
    assert scalar(together, "n_particles")["value"] == 2


def test_known_particles_strokes_and_a_stack_or_a_map_instead_of_a_tomogram() -> None:
    phantom = crack_phantoms.sheets(64, width=4, count=1, seed=SEED)
    tomogram = phantom.tomogram(blur=0.8, snr=8, seed=1)
    known = made("cracks.particles", volume=tomogram)
    strokes = strokes_of(np.array([[32.0, 32.0, 32.0]]), radius=4, add=True)
    strokes = strokes_of(np.array([[32.0, 32.0, 32.0]]), radius=1, add=False, before=strokes)
    plain, painted = (made("cracks.segment", QUICK, volume=tomogram, particles=known, **more) for more in ({}, {"strokes": strokes}))
    difference = painted["crack"].values.astype(int) - plain["crack"].values
    inner, outer = ball(64, 1, (32, 32, 32)), ball(64, 4, (32, 32, 32))
    assert not painted["crack"].values[inner].any()
    assert painted["crack"].values[outer & ~inner].all()
    assert not difference[~outer].any()
    jump = edge_map(np.full(phantom.envelope.shape, 8340.0), phantom.envelope, 0.05)
    jump["edge_jump"] = (SPACE, tomogram["density"].values, {"units": "1/um"})
    same = made("cracks.segment", QUICK, edges=jump)
    np.testing.assert_array_equal(same["crack"].values, plain["crack"].values)
    mu = np.stack([np.zeros_like(tomogram["density"].values), tomogram["density"].values], axis=-1)
    stack = xr.Dataset(
        {"mu": ((*SPACE, "energy"), mu, {"units": "1/um"})}, {"energy": ("energy", [8300.0, 8400.0], {"units": "eV"})}, {"voxel_um": 0.05}
    )
    np.testing.assert_array_equal(made("cracks.segment", QUICK, stack=stack)["crack"].values, plain["crack"].values)


def test_a_lazy_volume_gives_the_same_bits() -> None:
    tomogram = crack_phantoms.sheets(64, width=3, count=1, seed=SEED).tomogram(seed=2)
    lazy = made("cracks.segment", QUICK, volume=tomogram.chunk({"z": 16, "y": 32, "x": 64}))
    np.testing.assert_array_equal(lazy["crack"].values, made("cracks.segment", QUICK, volume=tomogram)["crack"].values)


def test_the_ratio_is_told_for_other_settings() -> None:
    phantom = crack_phantoms.sheets(48, width=3, count=1, seed=SEED)
    found = made("cracks.sensitivity", QUICK, volume=phantom.tomogram(blur=0.8, snr=8, seed=3))
    assert found["parameter"].values.tolist() == ["as chosen", *[n for n in ("seed", "grow", "smooth", "closing") for _ in range(2)]]
    told = scalar(found, "crack_volume_ratio")
    assert told["low"] <= told["value"] <= told["high"]
    assert told["value"] == pytest.approx(phantom.ratio, rel=0.06)


def test_what_cannot_be_segmented_says_why() -> None:
    flat = np.full((16, 16, 16), 2.0)
    with pytest.raises(DataError, match="holds no contrast"):
        made("cracks.segment", volume=volume(flat))
    with pytest.raises(DataError, match="no two levels"):
        made("cracks.segment", volume=volume(np.random.default_rng(0).normal(size=(24, 24, 24))))
    picture = xr.Dataset({"density": (("y", "x"), np.eye(8, dtype=np.float32), {"units": "1"})})
    with pytest.raises(DataError, match="this is a picture"):
        made("cracks.segment", volume=picture)
    with pytest.raises(DataError, match="0 volumes are given"):
        made("cracks.segment")
    tomogram = crack_phantoms.dense(40, seed=1).tomogram()
    with pytest.raises(DataError, match="No particle of at least 100000 voxels"):
        made("cracks.particles", {"min_particle": 100_000}, volume=tomogram)
    other = made("cracks.particles", volume=crack_phantoms.dense(44, seed=1).tomogram())
    with pytest.raises(DataError, match="The mask of particles has 44 × 44 × 44 voxels, the volume 40 × 40 × 40"):
        made("cracks.segment", volume=tomogram, particles=other)
    with pytest.raises(DataError, match="The edge map has no edge jump"):
        made("cracks.segment", edges=edge_map(np.zeros((8, 8, 8)), np.ones((8, 8, 8), bool)))
    with pytest.raises(ParamError, match="a crack must begin at a higher contrast"):
        CrackParams.check({"seed": 2, "grow": 4})


def test_voxels_without_a_size_and_voxels_that_are_no_cubes_are_said() -> None:
    values = crack_phantoms.dense(40, seed=1).density(blur=0.8, snr=8, seed=0)
    unknown = made("cracks.segment", QUICK, volume=volume(values, None))
    assert any("The voxel size is not known" in w for w in warnings_of(unknown))
    flat = made("cracks.segment", QUICK, volume=volume(values, [0.1, 0.05, 0.05]))
    assert any("Voxels are not cubes (0.1 × 0.05 × 0.05 µm)" in w for w in warnings_of(flat))
    told = made("cracks.measure", segmentation=flat)
    assert scalar(told, "envelope_volume")["value"] == pytest.approx(float(flat["envelope"].sum()) * 0.1 * 0.05**2)


@pytest.mark.parametrize("boundary", ["volume", "half"])
def test_the_result_does_not_depend_on_the_slabs_it_is_made_in(boundary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    phantom = crack_phantoms.polycrystal(64, width=3, grains=12, seed=SEED)
    tomogram = phantom.tomogram(blur=1.0, snr=5, seed=SEED)
    found = {}
    for thick in (16, 32, 64):
        slabs_of = functools.partial(slabs, thick=thick)
        for module in (finding, mouths, particles):
            monkeypatch.setattr(module, "slabs", slabs_of)
        found[thick] = made("cracks.segment", {**QUICK, "boundary": boundary}, volume=tomogram)
    for thick in (16, 32):
        for name in ("crack", "particle"):
            np.testing.assert_array_equal(found[thick][name].values, found[64][name].values)


def test_the_result_does_not_depend_on_the_number_of_threads() -> None:
    tomogram = crack_phantoms.sheets(56, width=3, count=2, seed=SEED).tomogram(blur=1.0, snr=5, seed=SEED)
    found = []
    before = numba.get_num_threads()
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS)):
        numba.set_num_threads(threads)
        found.append(made("cracks.segment", QUICK, volume=tomogram))
    numba.set_num_threads(before)
    measures = [made("cracks.measure", segmentation=f) for f in found]
    np.testing.assert_array_equal(found[0]["crack"].values, found[1]["crack"].values)
    for name in measures[0]:
        np.testing.assert_array_equal(measures[0][name].values, measures[1][name].values)
