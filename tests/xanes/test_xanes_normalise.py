"""Normalisation equals Larch's, and unusable energies are named."""

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.core.errors import DataError, ParamError
from analysis.xanes.normalise import LineParams, check_energies, fit_lines, normalise, points_between


def read_xdi(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Energy and absorption of an XDI file, each from the columns that its header names."""
    names, rows = {}, []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("# Column."):
            number, _, name = line.removeprefix("# Column.").partition(":")
            names[name.split()[0].lower()] = int(number) - 1
        elif line.strip() and not line.startswith("#"):
            rows.append([float(v) for v in line.split()])
    columns = np.array(rows).T
    energy = columns[names["energy"]]
    for name in ("mutrans", "mufluor", "normtrans"):
        if name in names:
            return energy, columns[names[name]]
    if "itrans" in names:
        return energy, np.log(columns[names["i0"]] / columns[names["itrans"]])
    fluorescence = "ifluor" if "ifluor" in names else "i1"
    return energy, columns[names[fluorescence]] / columns[names["i0"]]


FILES = ("S_elemental_rt_01", "CdS_rt_01", "FeSO4_7H2O_rt_01", "NiSO4_rt_01", "gypsum_rt_01", "Na2SO3_rt_01", "pyrite1_rt_01")


@pytest.mark.parametrize("name", FILES)
def test_edge_step_and_maximum_equal_larchs(name: str, shared_data: Path) -> None:
    """Larch 2026.3.1 with its own ranges; in all of these the post-edge polynomial is a line, and E0 lies on the grid."""
    stated = json.loads((shared_data / "xas/larch_2026.3.1_pre_edge_defaults.json").read_text())[f"xasdatalibrary/S/{name}.xdi"]
    assert stated["nnorm"] == 1
    energy, mu = read_xdi(shared_data / "xas/xdi_s" / f"{name}.xdi")
    e0 = float(energy[np.abs(energy - stated["e0"]).argmin()])
    assert e0 == pytest.approx(stated["e0"], abs=1e-6)
    params = LineParams(e0=e0, pre1=stated["pre1"], pre2=stated["pre2"], norm1=stated["norm1"], norm2=stated["norm2"])
    found = normalise(mu, fit_lines(energy, e0, params))
    assert found.jump == pytest.approx(stated["edge_step"], rel=1e-6)
    assert found.norm.max() == pytest.approx(stated["wl_max"], abs=1e-6)
    assert energy[found.norm.argmax()] == pytest.approx(stated["wl_E"], abs=1e-3)


def test_a_step_on_a_slope_is_found_exactly() -> None:
    energy = np.arange(8200.0, 8701.0, 5.0)
    mu = 0.3 - 2e-4 * (energy - 8340) + np.where(energy > 8340, 0.7 + 1e-4 * (energy - 8340), 0.0)
    found = normalise(mu, fit_lines(energy, 8340.0, LineParams(e0=8340)))
    assert found.jump == pytest.approx(0.7, abs=1e-12)
    assert found.norm[energy < 8340] == pytest.approx(0, abs=1e-12)
    assert found.pre[energy == 8340] == pytest.approx(0.3, abs=1e-12)
    assert found.post[-1] - found.pre[-1] == pytest.approx(0.7 + 1e-4 * 360, abs=1e-12)


def test_leverages_are_those_of_the_fitted_lines() -> None:
    """The scatter of fitted values under unit noise, by simulation."""
    energy = np.concatenate([np.arange(8200, 8330, 12.0), np.arange(8330, 8380, 1.0), np.arange(8390, 8800, 25.0)])
    lines = fit_lines(energy, 8343.0, LineParams(e0=8343))
    noise = np.random.default_rng(0).standard_normal((200_000, energy.size))
    pre, slope, post = noise[:, lines.pre] @ lines.w_pre, noise[:, lines.pre] @ lines.w_slope, noise[:, lines.post] @ lines.w_post
    assert np.var(pre) == pytest.approx(lines.pre_pre, rel=0.01)
    assert np.var(slope) == pytest.approx(lines.slope_slope, rel=0.01)
    assert np.mean(pre * slope) == pytest.approx(lines.pre_slope, rel=0.02)
    assert np.var(post) == pytest.approx(lines.post_post, rel=0.01)


def test_points_start_at_or_below_the_limit_and_end_before_the_nearest() -> None:
    energy = np.array([0.0, 10, 20, 30, 40])
    assert energy[points_between(energy, 10, 30)].tolist() == [10, 20]
    assert energy[points_between(energy, 12, 36)].tolist() == [10, 20, 30]
    assert energy[points_between(energy, 12, 13)].tolist() == [10, 20]  # a line needs two
    assert energy[points_between(energy, -50, 14)].tolist() == [0, 10]


def test_ranges_beyond_the_data_are_clipped_and_said() -> None:
    energy = np.arange(8300.0, 8500.0, 2.0)
    lines = fit_lines(energy, 8343.0, LineParams(e0=8343))
    assert len(lines.clipped) == 2
    assert "starts at 8300 eV" in lines.clipped[0]
    assert "ends at 8498 eV" in lines.clipped[1]


@pytest.mark.parametrize(
    ("energy", "message"),
    [
        ([8340.0], "1 energy is too few"),
        ([1, 2, 3], "3 energies are too few"),
        ([1, 2, 3, 3, 4, 5], "Energy 4, 3 eV, comes twice"),
        ([1, 2, 5, 4, 6, 7], "Energy 4, 4 eV, comes after 5 eV"),
        ([1, 2, np.nan, 4, 6, 7], "Energy 3 is not a number"),
    ],
)
def test_energies_that_cannot_be_used_are_named(energy: list[float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_energies(np.array(energy))


@pytest.mark.parametrize(
    ("start", "stop", "e0", "message"),
    [
        (8.2, 8.8, 8343.0, "outside the energies measured, 8.2 to 8.8 eV"),
        (8330.0, 8800.0, 8331.0, "Fewer than two energies lie before the edge"),
        (8200.0, 8345.0, 8343.5, "Fewer than two energies lie in the post-edge range"),
    ],
)
def test_an_edge_without_both_sides_is_refused(start: float, stop: float, e0: float, message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit_lines(np.linspace(start, stop, 60), e0, LineParams(e0=e0))


def test_ranges_out_of_order_are_refused() -> None:
    with pytest.raises(ParamError, match="pre1 < pre2 < norm1 < norm2"):
        LineParams.check({"pre1": -20, "pre2": -100})
