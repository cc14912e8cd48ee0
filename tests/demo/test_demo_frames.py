"""Synthetic raw frames: the container is read by another program, and the analysis finds the drift and the particle again."""

import io
from pathlib import Path

import numpy as np
import olefile
import pytest
import xarray as xr

from analysis.core.registry import Reader
from analysis.demo.compound_file import compound_file
from analysis.demo.particle_frames import Frames, moved, projected
from analysis.demo.particle_plans import ParticlePlan, ParticleSize, framed_plan, made, plan_particles, taken
from analysis.demo.particle_spectra import true_edge_energy
from analysis.demo.particle_study import write_particles
from analysis.demo.particle_truth import FramesTruth
from analysis.modalities import registry
from analysis.xanes.compute import EdgeParams, edge_map
from analysis.xanes.prepare import OpticalDepthParams, prepare

SIZE = ParticleSize(voxels=32, large_voxels=0, cells_per_group=1, pristine=1)


def planned() -> ParticlePlan:
    plan = framed_plan(plan_particles(SIZE))
    assert plan is not None
    return plan


def test_olefile_reads_every_stream() -> None:
    rng = np.random.default_rng(0)
    lengths = {"Alone": 3, "A/Empty": 0, "A/Small": 64, "A/Edge": 4095, "A/Whole": 4096, "B/Long": 3 * 4096 + 1}
    lengths |= {f"B/Image{i}": 70 * i for i in range(1, 130)}
    streams = {name: rng.bytes(length) for name, length in lengths.items()}
    with olefile.OleFileIO(io.BytesIO(compound_file(streams))) as ole:
        assert ole.parsing_issues == []
        assert {"/".join(parts) for parts in ole.listdir()} == set(streams)
        for name, content in streams.items():
            assert ole.openstream(name).read() == content


def test_a_file_with_many_sectors_has_several_tables() -> None:
    large = np.random.default_rng(1).bytes(1100 * 4096)
    with olefile.OleFileIO(io.BytesIO(compound_file({"Large": large, "Small": b"x"}))) as ole:
        assert ole.openstream("Large").read() == large
        assert ole.openstream("Small").read() == b"x"


def test_a_moved_image_lies_where_it_was_moved_to() -> None:
    y, x = np.mgrid[:60, :60] - 29.5
    blob = np.exp(-((y - 4) ** 2 + (x + 6) ** 2) / 18)
    seen = moved(blob, scale=0.95, shift=np.array([1.5, -2.0]))
    # A feature at r is seen at c + scale (r - c - shift).
    centre = [(seen * axis).sum() / seen.sum() for axis in (y, x)]
    assert centre == pytest.approx([0.95 * (4 - 1.5), 0.95 * (-6 + 2.0)], abs=0.02)
    assert seen.sum() == pytest.approx(blob.sum() * 0.95**2, rel=0.01)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[FramesTruth, xr.Dataset]:
    folder = tmp_path_factory.mktemp("frames")
    truth = write_particles(folder, voxels=32, large_voxels=0, cells_per_group=1, pristine=1).frames
    assert truth is not None
    paths = tuple(folder / name for name in truth.files)
    return truth, read(paths, registry().recognise(paths[0]))


def read(paths: tuple[Path, ...], reader: Reader) -> xr.Dataset:
    assert reader.id == "xanes.xrm"
    return reader.schema.conform(reader.read(paths, reader.options.check({})))


def test_the_files_hold_what_was_counted(scan: tuple[FramesTruth, xr.Dataset]) -> None:
    truth, ds = scan
    frames: Frames = taken(planned())
    np.testing.assert_array_equal(ds["energy"].values, truth.energy_eV)
    np.testing.assert_allclose(ds["sample"].values, frames.sample.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(ds["reference"].values, frames.reference.mean(axis=1), rtol=1e-6)
    assert set(ds["n_sample"].values) == {2}
    assert (ds["exposure"].values[0], ds["reference_exposure"].values[0]) == (truth.exposure_s, truth.reference_exposure_s)
    assert ds.attrs["voxel_um"] == truth.pixel_um
    assert "synthetic" in ds.attrs["metadata"]["camera"]


def test_drift_magnification_and_chemistry_are_found(scan: tuple[FramesTruth, xr.Dataset]) -> None:
    truth, ds = scan
    made_stack = prepare(frames=(ds,), params=OpticalDepthParams())
    np.testing.assert_allclose(made_stack["scale"].values, truth.scale, rtol=1e-12)
    assert np.abs(truth.shift_y).max() > 1  # there is something to be found
    off = np.hypot(made_stack["shift_y"].values - truth.shift_y, made_stack["shift_x"].values - truth.shift_x)
    assert np.sqrt(np.mean(off**2)) < 0.2  # of an image of 48 pixels
    material = made(planned()).material
    inner = slice(8, 40)
    depth = np.moveaxis(projected(material), 0, -1)[inner, inner]
    assert np.sqrt(np.nanmean((made_stack["mu"].values[inner, inner] - depth) ** 2)) < 0.02
    through = material.amount.sum(axis=0)
    held = (material.amount * np.nan_to_num(material.delithiated)).sum(axis=0)
    fraction = np.pad(held / np.maximum(through, 1e-6), 8)
    found = edge_map(stack=made_stack, params=EdgeParams(e0=8347.0))
    kept = (found["flags"].values == 0) & (np.pad(through, 8) > 14)
    assert kept.sum() > 200
    wrong = found["edge_energy"].values[kept] - true_edge_energy(fraction, "e_half", e0=8347.0)[kept]
    assert abs(np.median(wrong)) < 4 * 1.25 * wrong.std() / np.sqrt(kept.sum())
