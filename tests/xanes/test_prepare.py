"""From frames to a stack: a real scan, a made one with known drift, edits, and what is missing."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from skimage.filters import threshold_otsu

from analysis.core.data import scalars, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.registry import Modality, Registry
from analysis.core.run import Request, run
from analysis.core.store import Store
from analysis.xanes.frames import FRAMES
from analysis.xanes.prepare import RECIPES_PREPARE, SHIFTS, OpticalDepthParams, prepare
from tests.xanes.stack_files import taken
from tests.xanes.test_alignment import particle

ENERGY = np.array([8320.0, 8340.0, 8360.0])
DRIFT = np.array([[-3.0, 2.0], [0.0, 0.0], [5.4, -1.2]])


def frames(**given: object) -> xr.Dataset:
    """Frames without noise whose optical depth is a moving, magnified particle; the illumination is uneven and stays."""
    scale = ENERGY[1] / ENERGY
    depth = np.array([particle(tuple(d), s) for d, s in zip(DRIFT, scale, strict=True)])
    light = 1000 * np.exp(-np.linspace(0, 1, depth.shape[2]))[None, None, :] * np.ones((3, depth.shape[1], 1))
    units = {"units": "counts"}
    made = {
        "sample": (("energy", "y", "x"), light * 0.5 * np.exp(-depth), units),
        "sample_std": (("energy", "y", "x"), np.full(depth.shape, 2.0), units),
        "reference": (("energy", "y", "x"), light * 0.3, units),
        "reference_std": (("energy", "y", "x"), np.full(depth.shape, 1.0), units),
        "exposure": ("energy", [0.5] * 3, {"units": "s"}),
        "reference_exposure": ("energy", [0.3] * 3, {"units": "s"}),
        "n_sample": ("energy", [3] * 3, {"units": "1"}),
        "n_reference": ("energy", [3] * 3, {"units": "1"}),
    }
    return FRAMES.conform(xr.Dataset({**made, **given}, {"energy": ("energy", ENERGY, {"units": "eV"})}))  # type: ignore[arg-type]


def edit(energy: np.ndarray, shifts: np.ndarray) -> xr.Dataset:
    columns = {f"shift_{axis}": ("energy", shifts[:, k], {"units": "1"}) for k, axis in enumerate("yx")}
    return SHIFTS.conform(xr.Dataset(columns, {"energy": ("energy", energy, {"units": "eV"})}))


def test_all_energies_come_to_lie_over_one_another() -> None:
    ds = prepare(frames=(frames(),), params=OpticalDepthParams(interpolation="cubic"))
    assert ds["mu"].dims == ("y", "x", "energy")
    assert np.stack([ds["shift_y"], ds["shift_x"]], axis=1) == pytest.approx(DRIFT, abs=0.1)
    assert ds["scale"].values == pytest.approx(8340 / ENERGY)
    for i in range(3):
        mu = ds["mu"].values[..., i]
        inner = np.isfinite(mu)
        assert inner.mean() > 0.9
        np.testing.assert_allclose(mu[inner], particle()[inner], atol=0.05)  # 1/20 px on slopes of 0.3 a pixel
    assert (ds["mu_std"].values[np.isfinite(ds["mu_std"].values)] > 0).all()


def test_edited_shifts_are_used_in_one_interpolation() -> None:
    exact = prepare(frames=(frames(),), params=OpticalDepthParams(interpolation="cubic"), shifts=edit(ENERGY, DRIFT))
    assert np.stack([exact["shift_y"], exact["shift_x"]], axis=1) == pytest.approx(DRIFT)
    mu = exact["mu"].values
    inner = np.isfinite(mu)
    np.testing.assert_allclose(mu[inner], np.repeat(particle()[..., None], 3, axis=2)[inner], atol=0.01)  # cubic, at the rims
    partly = prepare(frames=(frames(),), params=OpticalDepthParams(), shifts=edit(ENERGY[2:], np.array([[1.0, 2.0]])))
    assert partly["shift_y"].values == pytest.approx([-3.0, 0.0, 1.0], abs=0.1)
    with pytest.raises(DataError, match="edited shifts are of other energies"):
        prepare(frames=(frames(),), params=OpticalDepthParams(), shifts=edit(ENERGY + 500, DRIFT))


def test_the_recipe_runs_from_frames_and_edits_of_a_store(tmp_path: Path) -> None:
    registry = Registry({"xanes": Modality("xanes", "", recipes=RECIPES_PREPARE)})
    store = Store(tmp_path / "workspace")
    store.put("d-1", frames(), {"kind": "dataset"})
    edited = store.put_edit(edit(ENERGY, DRIFT))
    result = store.open(run(Request(recipe="xanes.optical_depth", inputs={"frames": ("d-1",), "shifts": edited}), registry, store))
    assert result.attrs["schema"] == "txm.stack"
    assert result["shift_x"].values == pytest.approx(DRIFT[:, 1])
    found = scalars(result)
    assert found["largest_shift"].value == pytest.approx(np.hypot(5.4, 1.2))
    assert found["n_energies"].value == 3


def test_frames_of_one_scan_may_come_in_parts() -> None:
    whole = prepare(frames=(frames(),), params=OpticalDepthParams(align="none"))
    parts = tuple(frames().isel(energy=[i]) for i in (2, 0, 1))
    split = (*(p.drop_vars(["sample", "sample_std"]) for p in parts), *(p.drop_vars(["reference", "reference_std"]) for p in parts))
    apart = prepare(frames=split, params=OpticalDepthParams(align="none"))
    assert np.array_equal(apart["mu"].values, whole["mu"].values, equal_nan=True)


def test_the_nearest_reference_is_used_and_said() -> None:
    ds = frames()
    lacking = (ds.drop_vars(["reference", "reference_std"]), ds.drop_vars(["sample", "sample_std"]).isel(energy=[0, 1]))
    made = prepare(frames=lacking, params=OpticalDepthParams(align="none"))
    assert "There is no reference at 8360 eV: the nearest was used, up to 20 eV away." in warnings_of(made)


def test_what_is_missing_is_said() -> None:
    ds = frames()
    with pytest.raises(DataError, match="There are no reference frames"):
        prepare(frames=(ds.drop_vars(["reference", "reference_std"]),), params=OpticalDepthParams())
    with pytest.raises(DataError, match="There are reference frames only"):
        prepare(frames=(ds.drop_vars(["sample", "sample_std"]),), params=OpticalDepthParams())
    with pytest.raises(DataError, match=r"frames at one energy only \(8340 eV\)"):
        prepare(frames=(ds.isel(energy=[1]),), params=OpticalDepthParams())
    with pytest.raises(DataError, match="The frame at 8340 eV holds nothing"):
        prepare(frames=(ds.assign(sample=ds["sample"].where(ds["energy"] != 8340)),), params=OpticalDepthParams())
    with pytest.raises(DataError, match=r"different size: 160 × 90 and 160 × 180"):
        prepare(frames=(ds, ds.isel(x=slice(90))), params=OpticalDepthParams())
    with pytest.raises(ParamError, match="reference energy 9000 eV is outside the scan"):
        prepare(frames=(ds,), params=OpticalDepthParams(reference_energy=9000))


def test_negative_depth_is_kept_and_counted_and_noise_may_be_unknown() -> None:
    ds = frames()
    bright = ds.assign(sample=ds["sample"] * 1.2, n_sample=ds["n_sample"] * 0 + 1).drop_vars(["sample_std", "reference_std"])
    made = prepare(frames=(bright,), params=OpticalDepthParams(align="none", magnify=False))
    depth = -np.log(bright["sample"].values / 0.5 / (bright["reference"].values / 0.3))
    assert float(made["mu"].min()) == pytest.approx(-np.log(1.2), abs=1e-3)
    assert f"{np.mean(depth < 0):.2%} of the optical depths are negative; they are kept." in warnings_of(made)
    assert "mu_std" not in made
    assert any("noise is not known" in w for w in warnings_of(made))


@pytest.mark.slow
def test_the_jump_of_ssrl_6_2c(shared_data: Path) -> None:
    """Above minus below the edge: Otsu threshold 0.23, mean jump in the mask 0.44, mask 20 % of the image."""
    ds = taken(*sorted((shared_data / "txm/ssrl_6-2c_nca_raw").glob("rep01*")))
    stack = prepare(frames=(ds,), params=OpticalDepthParams())
    jump = (stack["mu"].isel(energy=1) - stack["mu"].isel(energy=0)).values
    known = np.isfinite(jump)
    threshold = threshold_otsu(jump[known])
    assert threshold == pytest.approx(0.23, abs=0.01)
    assert jump[jump > threshold].mean() == pytest.approx(0.44, abs=0.01)
    assert np.mean(jump[known] > threshold) == pytest.approx(0.20, abs=0.015)
