"""The kernel against known truth, against plain NumPy, and against the values stated for real references."""

import ast
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from xanes_truth import DEFINITIONS, E0, GRID, Reference, accuracy, edge, numpy_edge_maps

from analysis.schemas import DEFINITIONS as STATED
from analysis.schemas import FLAGS
from analysis.xanes import kernel, tiles
from analysis.xanes.definitions import Definition, DefinitionParams, edge_window, template_of
from analysis.xanes.normalise import fit_lines, normalise
from analysis.xanes.quality import OUTSIDE, UNCERTAIN

# What 3 % noise makes of each definition on a 1 eV grid, eV; and how far 10 000 spectra may be from it.
AT_3_PERCENT = {"e_half": 0.093, "white_line": 0.092, "template_shift": 0.054, "half_white_line": 0.080, "max_slope": 0.105}


def maps(spectra: np.ndarray, definition: str = "e_half", *, energy: np.ndarray = GRID, e0: float = E0, **params: object) -> np.ndarray:
    options = DefinitionParams(e0=e0, definition=definition, **params)  # type: ignore[arg-type]
    lines, window = fit_lines(energy, e0, options), edge_window(energy, e0, options)
    template = template_of(normalise(spectra[0].astype(float), lines).norm, lines, window)
    plan = kernel.plan_of(definition, lines, window, template=template)
    return kernel.edge_maps(spectra, np.ones(len(spectra), dtype=bool), plan)


def shifted(count: int, *, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shift = rng.uniform(-1, 1, count)
    mu = edge(GRID - shift[:, None]) + noise * rng.standard_normal((count, GRID.size))
    return mu.astype(np.float32), shift


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("noise", [0.01, 0.03, 0.05])
def test_bias_spread_and_intervals(definition: str, noise: float) -> None:
    """Bias a small part of the spread, spread as seen by others, 90 % intervals of the stated uncertainty cover 87 to 93 %."""
    found = accuracy(definition, noise)
    assert found.refused < 0.001
    assert abs(found.bias) < 0.05 * found.std
    assert found.std < AT_3_PERCENT[definition] * noise / 0.03 * 1.05
    assert found.std > 0.99 * found.bound
    assert 0.87 < found.coverage < 0.93
    assert found.stated == pytest.approx(found.std, rel=0.05)


@pytest.mark.parametrize("name", ["NiO", "LiNiO2"])
@pytest.mark.parametrize("definition", DEFINITIONS)
def test_intervals_hold_for_real_shapes(definition: str, name: str, shared_data: Path) -> None:
    reference = Reference(shared_data / f"xas/refs_ni/ref_{name}.txt")
    found = accuracy(definition, 0.02, spectrum=reference, e0=8340.0)
    assert 0.87 < found.coverage < 0.93
    assert abs(found.bias) < 0.05 * found.std


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_the_edge_moves_by_what_it_is_moved(definition: str) -> None:
    """All positions on the grid; what is left is the error of smoothing and interpolation."""
    mu, shift = shifted(500)
    found = maps(mu, definition)
    error = found[kernel.ENERGY] - shift
    assert np.ptp(error) < 0.05
    assert np.polyfit(shift, found[kernel.ENERGY], 1)[0] == pytest.approx(1, abs=0.01)


def test_plain_numpy_gives_the_same() -> None:
    """An evenly spaced window, where SciPy's Savitzky–Golay filter may be used."""
    mu, _ = shifted(2000, noise=0.03)
    params = DefinitionParams(e0=E0, edge1=-15, edge2=28)
    plain = numpy_edge_maps(mu.astype(float), GRID, params)
    found = maps(mu, edge1=-15, edge2=28)
    assert (found[kernel.REFUSED] == 0).all()
    assert found[kernel.ENERGY] == pytest.approx(plain["edge_energy"], abs=2e-3)  # float32 near 8343 steps by 0.001
    assert found[kernel.JUMP] == pytest.approx(plain["edge_jump"], abs=1e-5)
    assert found[kernel.VARIANCE] == pytest.approx(plain["variance"], rel=2e-4)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_bits_do_not_depend_on_layout_neighbours_or_place(definition: str) -> None:
    mu, _ = shifted(333, noise=0.03)
    whole = maps(mu, definition)
    by_image = maps(np.ascontiguousarray(mu.T).T, definition)
    assert np.array_equal(whole, by_image, equal_nan=True)
    lines = fit_lines(GRID, E0, DefinitionParams(e0=E0))
    window = edge_window(GRID, E0, DefinitionParams(e0=E0))
    template = template_of(normalise(mu[0].astype(float), lines).norm, lines, window)
    plan = kernel.plan_of(definition, lines, window, template=template)
    parts = [kernel.edge_maps(mu[a:b], np.ones(b - a, dtype=bool), plan) for a, b in ((0, 1), (1, 70), (70, 333))]
    assert np.array_equal(whole, np.concatenate(parts, axis=1), equal_nan=True)
    wanted = np.arange(333) % 3 == 0
    some = kernel.edge_maps(mu, wanted, plan)
    assert np.array_equal(some[:, wanted], whole[:, wanted], equal_nan=True)
    assert (some[kernel.REFUSED, ~wanted] == kernel.UNWANTED).all()
    assert np.isnan(some[: kernel.REFUSED, ~wanted]).all()


@pytest.mark.parametrize(("name", "half", "white"), [("NiO", 8340.05, 8347.76), ("LiNiO2", 8341.82, 8349.74)])
def test_stated_values_of_nickel_references(name: str, half: float, white: float, shared_data: Path) -> None:
    """The files hold normalised spectra; both are in keV."""
    reference = Reference(shared_data / f"xas/refs_ni/ref_{name}.txt")
    mu = np.tile(reference.mu, (2, 1))
    found = maps(mu.astype(np.float32), energy=reference.energy, e0=8340.0, normalised=True)[:, 0]
    assert found[kernel.REFUSED] == 0
    assert found[kernel.ENERGY] == pytest.approx(half, abs=0.05)
    assert found[kernel.WHITE_LINE] == pytest.approx(white, abs=0.05)
    assert found[kernel.JUMP] == 1


def test_white_line_does_not_leap_where_another_point_is_highest() -> None:
    """An asymmetric peak moved in steps of 0.01 eV: no step of the result is far from 0.01 eV."""
    shift = np.arange(0, 3, 0.01)
    mu = edge(GRID - shift[:, None]) + 0.3 * np.exp(-0.5 * ((GRID - shift[:, None] - E0 - 11) / 3) ** 2)
    found = maps(mu.astype(np.float32), "white_line")[kernel.ENERGY].astype(float)
    assert np.abs(np.diff(found) - 0.01).max() < 0.006


def test_a_large_background_does_not_cost_digits() -> None:
    mu, _ = shifted(200, noise=0.01)
    plain, high = maps(mu), maps(mu + np.float32(100))
    assert high[kernel.ENERGY] == pytest.approx(plain[kernel.ENERGY], abs=0.01)
    assert high[kernel.VARIANCE] == pytest.approx(plain[kernel.VARIANCE], rel=0.05)


def test_what_is_refused_and_why() -> None:
    mu, _ = shifted(6)
    mu[1, 40] = np.nan
    mu[2] = np.inf
    mu[3] = 0.2
    mu[4] = -mu[4]
    rising = GRID > 8379  # the step comes after the edge window
    mu[5] = np.where(rising, 1.0, 0.0)
    found = maps(mu)
    wanted = [0, kernel.NOT_FINITE, kernel.NOT_FINITE, kernel.NO_EDGE, kernel.NO_EDGE, kernel.NO_FEATURE]
    assert found[kernel.REFUSED].tolist() == wanted
    assert np.isnan(found[kernel.ENERGY, 1:]).all()
    late = maps(shifted(3)[0], "white_line", edge2=4)
    assert (late[kernel.REFUSED] == kernel.AT_RIM).all()


def test_photon_noise_widens_the_stated_uncertainty() -> None:
    mu, _ = shifted(10)
    params = DefinitionParams(e0=E0)
    lines, window = fit_lines(GRID, E0, params), edge_window(GRID, E0, params)
    gains = []
    for kappa in (0.0, 1.0):
        plan = kernel.plan_of("e_half", lines, window, kappa=kappa)
        gains.append(kernel.edge_maps(mu, np.ones(10, dtype=bool), plan)[kernel.GAIN])
    assert (gains[1] / gains[0] > np.exp(0.25 * 0.5)).all()  # half of the jump alone: variance e**0.5 on part of it
    assert (gains[1] / gains[0] < np.exp(0.5)).all()


def test_compiled_code_imports_nothing_of_the_project() -> None:
    """numba keeps compiled code on disk and looks at the date of one file only: a callee in another file would go stale."""
    tree = ast.parse(Path(tiles.__file__).read_text(encoding="utf-8"))
    at_run_time = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert {getattr(n, "module", None) or n.names[0].name for n in at_run_time} == {"typing", "numpy", "numba"}
    assert tiles.UNWANTED == OUTSIDE
    assert set(FLAGS) == {tiles.NOT_FINITE, tiles.NO_EDGE, tiles.NO_FEATURE, tiles.AT_RIM, UNCERTAIN, OUTSIDE}
    assert tuple(kernel.CODES) == tuple(get_args(Definition)) == tuple(STATED)
