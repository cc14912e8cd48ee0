"""What is wrong with a stack is one sentence, on the command line and on the import page alike; what is only odd is a warning."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile

from analysis.cli import main
from analysis.inspection import inspect
from analysis.modalities import registry

ENERGY = np.concatenate([np.arange(8200.0, 8320.0, 20.0), np.arange(8325.0, 8376.0, 3.0), np.arange(8400.0, 8700.0, 40.0)])
N = ENERGY.size
NOISE = 0.004 * np.random.default_rng(3).standard_normal((N, 6, 7))


def mu(energy: np.ndarray = ENERGY) -> np.ndarray:
    """An edge at 8343 eV in every pixel: shape (energy, y, x)."""
    step = 0.5 + np.arctan((energy - 8343.0) / 1.5) / np.pi
    return (0.2 + 0.4 * step[:, None, None] + NOISE[: energy.size]).astype(np.float32)


def saved(folder: Path, images: np.ndarray, energy: np.ndarray) -> Path:
    np.save(folder / "s.npy", images)
    (folder / "s_energies.txt").write_text("\n".join(f"{e:.4f}" for e in energy))
    return folder / "s.npy"


def with_nan_frame() -> np.ndarray:
    images = mu()
    images[4] = np.nan
    return images


def mixed() -> np.ndarray:
    energy = ENERGY.copy()
    energy[3] /= 1000
    return energy


def doubled() -> np.ndarray:
    energy = ENERGY.copy()
    energy[3] = energy[2]
    return energy


@pytest.mark.parametrize(
    ("images", "energy", "sentence"),
    [
        (mu(), ENERGY[:-2], f"{N - 2} energies are given, but s.npy holds {N} images"),
        (mu(), mixed(), "The energies of s_energies.txt mix keV and eV: 8.26 stands beside 8200"),
        (mu(), doubled(), "s.npy has the energy 8240 eV twice (frames 3 and 4)"),
        (with_nan_frame(), ENERGY, "Frame 5 of s.npy (8280 eV) holds no numbers"),
        (np.full_like(mu(), np.nan), ENERGY, "s.npy holds no numbers (NaN everywhere)"),
        (np.full_like(mu(), 0.5), ENERGY, "All values of s.npy are 0.5"),
        (mu()[:1], ENERGY[:1], "s.npy holds one energy only (8200 eV)"),
    ],
    ids=["count", "mixed units", "doubled", "NaN frame", "NaN", "constant", "one energy"],
)
def test_a_stack_that_cannot_be_read(
    images: np.ndarray, energy: np.ndarray, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, images, energy)
    assert main(["run", "xanes.edge_map", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert sentence in said
    found = inspect(path, registry())
    assert (found.kind, sentence in found.message) == ("problem", True)
    assert found.hint


@pytest.mark.parametrize(
    ("kept", "params", "sentence"),
    [
        (slice(0, 20), ["e0=8343"], "Fewer than two energies lie in the post-edge range of the edge at 8343 eV"),
        (slice(12, None), ["e0=8344"], "Fewer than two energies lie before the edge at 8344 eV"),
        (slice(None), ["e0=7112"], "E0 = 7112 eV lies outside the energies measured, 8200 to 8680 eV"),
        (slice(None), ["e0=8.343"], "E0 = 8.343 eV lies outside the energies measured"),
        (slice(0, 6), [], "Fewer than two energies lie in the post-edge range"),
    ],
    ids=["no post-edge", "no pre-edge", "another edge", "E0 in keV", "no edge at all"],
)
def test_a_stack_that_has_no_edge_to_measure(
    kept: slice, params: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a stack can be imported; the recipe says what it lacks."""
    path = saved(tmp_path, mu()[kept], ENERGY[kept])
    assert main(["run", "xanes.edge_map", str(path), *(w for p in params for w in ("-p", p))]) == 2
    assert sentence in capsys.readouterr().err
    assert inspect(path, registry()).kind == "data"


def test_transmitted_intensity_is_told_from_absorption(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, np.exp(-mu()), ENERGY)
    assert main(["run", "xanes.edge_map", str(path), "-p", "e0=8343"]) == 2
    assert "absorption falls instead of rising" in capsys.readouterr().err
    assert main(["run", "xanes.edge_map", str(path), "-p", "e0=8343", "-r", "values=transmission"]) == 0


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        (lambda images, energy: (images[::-1], energy[::-1]), "were not in increasing order; the frames were put in order"),
        (lambda images, energy: (images, energy / 1000), "were taken as keV and converted to eV"),
        (lambda images, energy: (images - 0.25, energy), "of the optical depths are negative; they are kept"),
    ],
    ids=["unsorted", "keV", "negative"],
)
def test_what_is_odd_is_read_and_said(
    change: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    warning: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = saved(tmp_path, *change(mu(), ENERGY))
    assert main(["run", "xanes.edge_map", str(path), "-p", "e0=8343"]) == 0
    out = capsys.readouterr()
    assert warning in out.err
    assert "median                         8342.9" in out.out or "median                         8343" in out.out
    found = inspect(path, registry())
    assert found.kind == "data"
    assert any(warning in w for w in found.warnings)


def test_a_file_that_was_cut_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(tmp_path / "whole.h5", "w") as f:
        f["entry/data"], f["entry/energy"] = mu(), ENERGY
    whole = (tmp_path / "whole.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    tifffile.imwrite(tmp_path / "whole.tif", mu())
    whole = (tmp_path / "whole.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    for name in ("cut.h5", "cut.tif"):
        assert main(["run", "xanes.edge_map", str(tmp_path / name)]) == 2
        assert f"{name} is " in capsys.readouterr().err
        found = inspect(tmp_path / name, registry())
        assert found.kind == "problem"
        assert found.message.startswith(f"{name} is ")
