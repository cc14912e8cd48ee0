"""The synthetic particles: their spectra and shapes against independent counts, and the analysis of their files against the truth."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from scipy import ndimage

from analysis.catalog.comparability import guard
from analysis.core.data import scalars
from analysis.core.errors import ParamError
from analysis.core.run import Request, plan, run
from analysis.core.store import Store
from analysis.demo.particle_files import STACK_PATH, TOMOGRAM_PATH, absorption, noise_of, write_stack, write_tomogram
from analysis.demo.particle_laws import BUILDS, CHEMISTRY
from analysis.demo.particle_model import block_mean, build_shape, fill
from analysis.demo.particle_plans import ParticlePlan, ParticleSize, made, plan_particles
from analysis.demo.particle_spectra import JUMP_PER_UM, end_members, energies, half_height, spectra, true_edge_energy
from analysis.demo.particle_study import write_particles
from analysis.demo.particle_truth import ParticlesTruth
from analysis.modalities import registry
from analysis.schemas import STACK
from analysis.tasks import make_demo
from analysis.workspace import Workspace
from analysis.xanes.compute import EdgeParams, edge_map
from analysis.xanes.definitions import DefinitionParams
from tests.xanes.xanes_truth import DEFINITIONS, numpy_edge_maps

E0 = 8347.0
SIZE = ParticleSize(voxels=24, large_voxels=0, cells_per_group=1, pristine=0)


def planned(cell: str, state: str, size: ParticleSize = SIZE) -> ParticlePlan:
    return next(p for p in plan_particles(size) if (p.cell, p.state) == (cell, state))


def stack_of(mu: np.ndarray) -> xr.Dataset:
    dims = ("z", "y", "x")[4 - mu.ndim :]
    data = {"mu": ((*dims, "energy"), mu, {"units": "1/um"})}
    return STACK.conform(xr.Dataset(data, {"energy": ("energy", energies(), {"units": "eV"})}))


# -- spectra -----------------------------------------------------------------------------------------------------------------


def test_the_energies_are_those_of_the_study() -> None:
    energy = energies()
    assert (energy.size, energy[0], energy[-1]) == (80, 8100.0, 8800.0)
    steps = np.diff(energy)
    assert set(steps) == {1.0, 4.0, 5.0, 6.0, 10.0, 20.0} - {4.0, 5.0, 6.0} | set(steps[(steps > 1) & (steps < 10)])
    assert (steps[(energy[:-1] >= 8326) & (energy[1:] <= 8365)] == 1).all()


def test_end_members_stand_on_the_measured_references() -> None:
    assert half_height("NiO") == pytest.approx(8340.05, abs=0.05)  # where the files themselves cross one half
    assert half_height("LiNiO2") == pytest.approx(8341.82, abs=0.05)
    lithiated, delithiated = end_members()
    before, after = energies() < 8310, energies() > 8500
    np.testing.assert_allclose(lithiated[before], delithiated[before], rtol=1e-12)
    assert abs(lithiated - delithiated)[after].max() < 0.03 * JUMP_PER_UM
    # 1.55 eV apart if moved as a whole: 0.875 of the distance between the references, and an eighth of it for the NiO in one of them.
    moved = true_edge_energy(np.array([0.0, 1.0]), "e_half", e0=E0)
    assert moved[1] - moved[0] == pytest.approx(1.77, abs=0.1)


def test_the_truth_of_a_definition_agrees_with_another_program() -> None:
    fraction = np.random.default_rng(3).uniform(0, 1, 200)
    window = DefinitionParams(e0=E0, edge1=-18, edge2=14)  # evenly spaced, as the other program needs it
    other = numpy_edge_maps(spectra(fraction), energies(), window)["edge_energy"]
    np.testing.assert_allclose(true_edge_energy(fraction, "e_half", e0=E0, edge1=-18, edge2=14), other, atol=2e-3)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_every_definition_rises_with_delithiation(definition: str) -> None:
    found = true_edge_energy(np.linspace(0, 1, 21), definition, e0=E0)
    assert (np.diff(found) > 0).all()
    assert 1.0 < found[-1] - found[0] < 2.5


# -- shape and chemistry -----------------------------------------------------------------------------------------------------


def test_isolated_domains_touch_no_other_material() -> None:
    shape = made(planned("uncoated-1", "discharged", ParticleSize(voxels=32))).shape
    label, _ = ndimage.label(shape.solid)
    sizes = np.bincount(label.ravel())
    sizes[0] = 0
    body, isolated = int(sizes.argmax()), shape.isolated
    assert np.unique(isolated).tolist() == [0, 1, 2]
    for number in (1, 2):
        assert body not in label[isolated == number]
        grown = ndimage.binary_dilation(isolated == number) & (isolated != number)
        assert not (grown & shape.solid).any()  # by a face; all around is crack
        assert not (grown & ~shape.envelope).any()  # and below the surface


def test_cracks_fill_what_the_group_says() -> None:
    ratio = {}
    for group, build in BUILDS.items():
        shapes = [build_shape(build, 32, 0.1, np.random.default_rng(seed)) for seed in range(6)]
        ratio[group] = np.array([s.crack.sum() / s.envelope.sum() for s in shapes])
        assert ratio[group] == pytest.approx([s.crack_volume_ratio for s in shapes], rel=1e-12)
        assert not any((s.crack & s.pore).any() or (s.crack & ~s.envelope).any() for s in shapes)
    assert (ratio["uncoated"] > 0.02).all() and (ratio["uncoated"] < 0.12).all()
    assert (ratio["coated"] > 0).all() and (ratio["coated"] < 0.006).all()


def test_pristine_particles_are_dense_and_of_one_composition() -> None:
    plans = [p for p in plan_particles(ParticleSize(voxels=24, pristine=2)) if p.state == "pristine"]
    assert [p.name for p in plans] == ["P1", "P2"]
    for particle in map(made, plans):
        assert not particle.shape.crack.any()
        assert particle.shape.pore_volume_ratio < 0.001
        assert np.nanstd(particle.material.delithiated) < 0.015


def test_chemistry_falls_off_with_distance_from_cracks() -> None:
    rng = np.random.default_rng(5)
    shape = build_shape(BUILDS["uncoated"], 40, 0.1, rng)
    material = fill(shape, CHEMISTRY["uncoated", "discharged"], rng)
    away = ndimage.distance_transform_edt(block_mean(shape.crack) == 0) * 0.1
    deep = block_mean(shape.depth_um) > 0.5  # the surface has a term of its own
    body = (material.isolated == 0) & (material.amount > 0.5) & deep
    near, far = (material.delithiated[body & where].mean() for where in (away < 0.25, (away > 0.5) & (away < 1.0)))
    assert near - far > 0.04
    assert material.delithiated[material.isolated > 0].mean() > material.delithiated[body].mean() + 0.25


def test_a_voxel_holds_the_mean_of_its_material() -> None:
    particle = made(planned("uncoated-1", "charged"))
    amount = particle.material.amount
    assert amount.sum() * 8 == pytest.approx(particle.shape.solid.sum(), rel=1e-6)
    assert np.isnan(particle.material.delithiated[amount == 0]).all()
    inside = particle.material.delithiated[amount > 0]
    assert (inside >= 0).all() and (inside <= 1).all()


# -- the analysis finds it -----------------------------------------------------------------------------------------------------


def test_without_noise_the_map_is_the_truth() -> None:
    material = made(planned("uncoated-1", "discharged")).material
    mu = np.stack([absorption(material, i) for i in range(energies().size)], axis=-1)
    found = edge_map(stack=stack_of(mu), params=EdgeParams(e0=E0, photon_noise=0.0))
    kept = (found["flags"].values == 0) & (material.amount > 0.1)
    assert kept.sum() > 0.95 * (material.amount > 0.1).sum()
    true = true_edge_energy(material.delithiated, "e_half", e0=E0)
    np.testing.assert_allclose(found["edge_energy"].values[kept], true[kept], atol=3e-3)  # float32 keeps eV to 1e-3
    dense = material.amount == 1
    assert found["edge_jump"].values[dense] == pytest.approx(JUMP_PER_UM, rel=0.08)  # at E0 of the fitted lines


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ParticlesTruth]:
    folder = tmp_path_factory.mktemp("particles")
    return folder, write_particles(folder, seed=SIZE.seed, noise=SIZE.noise, voxels=24, large_voxels=0, cells_per_group=1, pristine=0)


def read_stack(path: Path) -> xr.Dataset:
    reader = registry().recognise(path)
    assert reader.id == "xanes.hdf5"
    return reader.read((path,), reader.options.check({"unit": "1/um", "voxel_um": 0.1}))


@pytest.mark.parametrize("definition", ["e_half", "white_line"])
def test_with_noise_the_map_is_right_within_what_it_states(study: tuple[Path, ParticlesTruth], definition: str) -> None:
    folder, truth = study
    p = planned("uncoated-1", "discharged")
    found = edge_map(stack=STACK.conform(read_stack(folder / p.file("stack"))), params=EdgeParams(e0=E0, definition=definition))
    material = made(p).material
    kept = (found["flags"].values == 0) & (material.amount > 0.6)
    assert kept.sum() > 1500
    off = found["edge_energy"].values[kept] - true_edge_energy(material.delithiated, definition, e0=E0)[kept]
    std = found["edge_energy_std"].values[kept]
    assert abs(off.mean()) < 4 * std.mean() / np.sqrt(kept.sum())
    assert np.sqrt(np.mean((off / std) ** 2)) == pytest.approx(1.0, abs=0.12)
    before = found["noise"].values[kept]
    assert np.median(before) == pytest.approx(truth.particle("uncoated-1", "P2").noise_per_um, rel=0.1)


def test_medians_are_ordered_as_in_the_truth(study: tuple[Path, ParticlesTruth]) -> None:
    folder, truth = study
    measured, true = {}, {}
    for p in truth.particles:
        found = edge_map(stack=STACK.conform(read_stack(folder / p.stack)), params=EdgeParams(e0=E0))
        name = (p.group, p.state)
        measured[name] = float(found["edge_energy"].where((found["flags"] == 0) & (found["rim"] == 0)).median())
        true[name] = float(true_edge_energy(np.array(p.delithiated_median), "e_half", e0=E0))
    assert sorted(measured, key=lambda n: measured[n]) == sorted(true, key=lambda n: true[n])
    for name, value in measured.items():
        assert value == pytest.approx(true[name], abs=0.08)  # the rim is left out of the one, not of the other
    activity = {group: measured[group, "charged"] - measured[group, "discharged"] for group in BUILDS}
    assert activity["coated"] > activity["uncoated"] + 0.3


def test_the_tomogram_shows_the_cracks(tmp_path: Path) -> None:
    particle = made(planned("uncoated-1", "charged", ParticleSize(voxels=40)))
    write_tomogram(tmp_path / "tomogram.h5", particle.shape, particle.rng)
    reader = registry().reader("xanes.volume")
    ds = reader.read((tmp_path / "tomogram.h5",), reader.options.check({"unit": "1/um", "voxel_um": 0.05}))
    density = ds["density"].values
    assert density.shape == particle.shape.crack.shape
    inner = ndimage.binary_erosion(particle.shape.envelope, iterations=3)
    dark = ndimage.gaussian_filter(density, 0.5) < 0.6 * np.median(density[inner])
    truth = particle.shape.crack | particle.shape.pore
    overlap = (dark & truth & inner).sum() / ((dark | truth) & inner).sum()
    assert overlap > 0.75
    assert (dark & inner).sum() == pytest.approx((truth & inner).sum(), rel=0.15)


# -- files -------------------------------------------------------------------------------------------------------------------


def test_files_say_what_they_are(study: tuple[Path, ParticlesTruth]) -> None:
    folder, truth = study
    ds = read_stack(folder / truth.particles[0].stack)
    np.testing.assert_array_equal(ds["energy"].values, energies())
    assert ds["mu"].attrs["units"] == "1/um"
    assert ds["mu"].dtype == np.float32
    assert ds.sizes == {"z": 24, "y": 24, "x": 24, "energy": 80}
    for p in truth.particles:
        for name in (p.stack, p.tomogram):
            assert name.startswith("synthetic_")
            with h5py.File(folder / name) as file:
                assert file.attrs["origin"] == "synthetic"
                assert b"not a measurement" in file["note"][()]
    stored = h5py.File(folder / truth.particles[0].stack)[STACK_PATH]
    assert stored.id.get_storage_size() < 2 * stored.size  # less than 16 bits a value
    assert ParticlesTruth.load(folder / "particles_truth.json") == truth


def test_noise_grows_where_photons_are_missing(tmp_path: Path) -> None:
    particle = made(planned("coated-1", "charged"))
    write_stack(tmp_path / "a.h5", particle.material, noise=0.02, rng=np.random.default_rng(1))
    with h5py.File(tmp_path / "a.h5") as file:
        noisy = file[STACK_PATH][:]
    clean = np.stack([absorption(particle.material, i) for i in range(energies().size)])
    seen = np.hypot(*np.meshgrid(*[np.arange(24) - 11.5] * 2)) < 12
    off = (noisy - clean)[:, :, seen].std(axis=(1, 2))
    np.testing.assert_allclose(off, noise_of(particle.material, 0.02), rtol=0.04)
    assert off[-40:].mean() > 1.02 * off[:10].mean()
    assert (noisy[:, :, ~seen] == 0).all()


def test_equal_seeds_make_equal_files_and_more_cells_leave_them_as_they_are(study: tuple[Path, ParticlesTruth], tmp_path: Path) -> None:
    folder, truth = study
    more = write_particles(tmp_path, voxels=24, large_voxels=0, cells_per_group=2, pristine=0, seed=SIZE.seed)
    assert set(truth.particles) < set(more.particles)
    for name, path in ((truth.particles[-1].stack, STACK_PATH), (truth.particles[-1].tomogram, TOMOGRAM_PATH)):
        with h5py.File(folder / name) as a, h5py.File(tmp_path / name) as b:
            np.testing.assert_array_equal(a[path][:], b[path][:])
    other = made(planned("uncoated-1", "charged", SIZE.model_copy(update={"seed": 1})))
    assert not np.array_equal(other.shape.crack, made(planned("uncoated-1", "charged")).shape.crack)


def test_sizes_out_of_bounds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParamError, match="Voxels along an edge"):
        write_particles(tmp_path, voxels=4)


def test_the_demo_study_has_everything_ready(tmp_path: Path) -> None:
    small = {"voxels": 16, "large_voxels": 0, "cells_per_group": 1, "pristine": 1}
    said = make_demo(
        Store(tmp_path), {"cycling": {"cycles": 5, "cells_per_group": 1}, "spectra": {"cells_per_group": 1}, "particles": small}
    )
    workspace = Workspace(tmp_path)
    stored = workspace.catalog.measurements()
    assert said == f"{len(stored)} measurements"
    assert {m.origin for m in stored} == {"synthetic"}
    assert {str(m.modality) for m in stored} == {"cycling", "spectra", "xanes"}
    stacks = [m for m in stored if m.reader_id == "xanes.hdf5"]
    described = {(m.cell, m.group, m.particle, m.state, m.cycle_number, m.dimensionality) for m in stacks}
    assert described == {
        (f"{group}-1", group, particle, state, 6, "3D") for group in BUILDS for particle, state in (("P1", "charged"), ("P2", "discharged"))
    }
    assert len([m for m in stored if m.reader_id == "xanes.volume"]) == len(stacks) + 1
    sides = ([c for c in workspace.catalog.cells() if c.group == group] for group in BUILDS)
    assert [d.field for d in guard(*sides, [m for m in stored if m.modality == "xanes"])] == []
    (scan,) = [m for m in stored if m.reader_id == "xanes.xrm"]
    assert (scan.cell, scan.particle, scan.state, scan.dimensionality, len(scan.files)) == ("NMC811 powder", "P1", "pristine", "2D", 2)
    made_maps = [k for k in workspace.store.keys("r") if workspace.store.open(k).attrs["schema"] == "txm.edge_map"]
    assert len(made_maps) == len(stacks)
    e0 = {float(workspace.store.open(k).attrs["e0"]) for k in made_maps}
    assert len(e0) == 1
    edges = plan(workspace.request("xanes.edge_map", stacks[0], {"e0": e0.pop()}), workspace.registry).key
    assert edges in made_maps
    key = run(Request(recipe="xanes.distribution", inputs={"edges": edges}), workspace.registry, workspace.store)
    assert scalars(workspace.store.open(key))["median"].n > 100
    assert workspace.check() == []
