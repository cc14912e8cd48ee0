"""A tomogram of known rotation, shift and voxel size is laid over a map."""

import numpy as np
import pytest
import xarray as xr

from analysis.core.errors import DataError
from analysis.schemas import EDGE_MAP, VOLUME
from analysis.xanes.registration import RegistrationParams, Rigid, register, resampled, summarise

RNG = np.random.default_rng(12)
BLOBS = RNG.uniform(-1.4, 1.4, (30, 3)), RNG.uniform(0.2, 0.45, 30), RNG.uniform(0.5, 1.0, 30)


def grid(shape: tuple[int, ...], size_um: float) -> np.ndarray:
    """Coordinates (d, …) in µm from the centre."""
    axes = [(np.arange(n) - (n - 1) / 2) * size_um for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def particle(at: np.ndarray) -> np.ndarray:
    """Density at points (d, …) in µm, calculated: no interpolation."""
    centres, widths, heights = BLOBS
    d = at.shape[0]
    distance = [((at - c[:d].reshape(d, *[1] * (at.ndim - 1))) ** 2).sum(axis=0) for c in centres]
    return sum(h * np.exp(-r / (2 * w**2)) for r, w, h in zip(distance, widths, heights, strict=True)).astype(np.float32)


def seen(shape: tuple[int, ...], size_um: float, by: Rigid) -> np.ndarray:
    """What the map's grid shows of a particle that the transform ``by`` takes to the volume."""
    at = grid(shape, size_um) - np.array(by.shift_um).reshape(-1, *[1] * len(shape))
    return particle(np.einsum("ij,j...->i...", by.matrix, at))


def map_of(jump: np.ndarray, size_um: float) -> xr.Dataset:
    dims = ("z", "y", "x")[-jump.ndim :]
    made = {
        "edge_energy": (dims, np.full(jump.shape, 8344.0), {"units": "eV"}),
        "edge_jump": (dims, jump, {"units": "1"}),
        "flags": (dims, np.zeros(jump.shape, np.uint8), {"units": "1"}),
    }
    return EDGE_MAP.conform(xr.Dataset(made, attrs={"voxel_um": size_um, "definition": "e_half"}))


def volume_of(density: np.ndarray, size_um: float | None) -> xr.Dataset:
    dims = ("z", "y", "x")[-density.ndim :]
    attrs = {} if size_um is None else {"voxel_um": size_um}
    return VOLUME.conform(xr.Dataset({"density": (dims, density, {"units": "1"})}, attrs=attrs))


@pytest.mark.parametrize(
    ("by", "shape", "map_shape"),
    [
        (Rigid((6.0,), (0.35, -0.22)), (120, 110), (66, 70)),
        pytest.param(Rigid((4.0, -3.0, 5.0), (0.31, -0.18, 0.26)), (80, 84, 76), (44, 40, 48), marks=pytest.mark.slow),
    ],
)
def test_a_known_transform_is_found(by: Rigid, shape: tuple[int, ...], map_shape: tuple[int, ...]) -> None:
    volume, jump = particle(grid(shape, 0.05)), seen(map_shape, 0.09, by)
    made = register(volume=volume_of(volume, 0.05), edge_map=map_of(jump, 0.09), params=RegistrationParams())
    said = made.attrs["metadata"]
    assert said["shift_um"] == pytest.approx(by.shift_um, abs=0.03)  # a third of a voxel
    assert said["rotation_degree"] == pytest.approx(by.angles, abs=0.5)
    assert said["correlation"] > 0.995
    assert said["residual_um"] < 0.045  # half a voxel
    assert made["density"].shape == jump.shape
    inner = np.isfinite(made["density"].values)
    np.testing.assert_allclose(made["density"].values[inner], jump[inner], atol=0.08 * jump.max())
    assert summarise(made, RegistrationParams())["residual"].unit == "um"


def test_the_exact_transform_gives_the_map() -> None:
    by = Rigid((4.0, -3.0, 5.0), (0.31, -0.18, 0.26))
    laid = resampled(particle(grid((80, 84, 76), 0.05)), (0.05,) * 3, (30, 28, 32), (0.09,) * 3, by)
    inner = np.isfinite(laid)
    np.testing.assert_allclose(laid[inner], seen((30, 28, 32), 0.09, by)[inner], atol=0.02)


def test_what_cannot_be_laid_over_one_another_is_refused() -> None:
    jump = seen((40, 40), 0.09, Rigid((0.0,), (0.0, 0.0)))
    flat = particle(grid((60, 60), 0.05))
    with pytest.raises(DataError, match="voxel size of the volume is not known"):
        register(volume=volume_of(flat, None), edge_map=map_of(jump, 0.09), params=RegistrationParams())
    with pytest.raises(DataError, match="The volume has 3 dimensions and the map 2"):
        register(volume=volume_of(flat[None].repeat(3, 0), 0.05), edge_map=map_of(jump, 0.09), params=RegistrationParams())
    noise = volume_of(RNG.random((60, 60), dtype=np.float32), 0.05)
    made = register(volume=noise, edge_map=map_of(jump, 0.09), params=RegistrationParams(rotate=False))
    assert "hardly alike" in made.attrs["warnings"][0]
