"""Normalisation against Larch, against published values, and against exact cases."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from spectra_makers import REGISTRY, edge, made, read

from analysis.core.data import scalars, warnings_of
from analysis.core.errors import DataError, ParamError
from analysis.core.run import Request, ingest, run
from analysis.core.store import Store
from analysis.spectra.curves import Curve, curves
from analysis.spectra.edge_energy import find_e0, half_step, inflection, white_line
from analysis.spectra.normalising import NormaliseParams, normalised, recipe_mismatch
from analysis.spectra.prepost import Ranges, default_ranges, normalise
from analysis.spectra.schemas import NORMALISED

E = np.arange(2400.0, 2501.0, 0.25)
TABLE = "larch_2026.3.1_pre_edge_defaults.json"


def half_unit(value: float, digits: int) -> float:
    """Half a unit of the last of ``digits`` decimal places, to which the table is rounded."""
    return 0.5 * 10.0**-digits


def larch_spectra(shared_data: Path) -> list[tuple[str, dict[str, float], list[Curve]]]:
    """Name, Larch's values and the spectra that may be meant (equal labels are two) for each row of the table."""
    xas = shared_data / "xas"
    files = {p.name: p for p in xas.rglob("*") if p.suffix in (".xdi", ".xxdi", ".prj")}
    opened: dict[str, tuple[Curve, ...]] = {}
    rows = []
    for key, values in json.loads((xas / TABLE).read_text()).items():
        name, _, record = Path(key).name.partition("::")
        if name not in opened:
            options = {"ends": "keep", "apply_shift": False} if name.endswith(".prj") else {"ends": "keep"}
            opened[name] = curves(read(files[name], **options))
        wanted = {record, record.removeprefix("d_")}
        same = [c for c in opened[name] if not record or re.sub(r"[^A-Za-z0-9]+", "_", c.name).strip("_") in wanted]
        rows.append((key, values, same))
    return rows


def test_larch_on_all_spectra(shared_data: Path) -> None:
    rows = larch_spectra(shared_data)
    assert len(rows) == 66
    for key, want, same in rows:
        ranges = Ranges(want["pre1"], want["pre2"], want["norm1"], want["norm2"], int(want["nnorm"]))
        errors = []
        for curve in same:
            found = normalise(curve.energy, curve.mu, e0=want["e0"], ranges=ranges)
            top = int(np.argmax(found.norm))
            assert curve.energy.size == want["n"], key
            errors.append(
                max(
                    abs(found.edge_step / want["edge_step"] - 1),
                    (abs(found.norm[top] - want["wl_max"]) - half_unit(want["wl_max"], 6)) / abs(want["wl_max"]),
                    (abs(found.flat[top] - want["flat_at_wl"]) - half_unit(want["flat_at_wl"], 6)) / abs(want["flat_at_wl"]),
                )
            )
        assert min(errors) < 1e-6, key


def test_larchs_e0_and_ranges_on_all_spectra(shared_data: Path) -> None:
    for key, want, same in larch_spectra(shared_data):
        assert min(abs(find_e0(c.energy, c.mu) - want["e0"]) for c in same) < 1e-3, key
        found = [default_ranges(c.energy, want["e0"]) for c in same]
        for name in ("pre1", "pre2", "norm1", "norm2"):
            assert min(abs(getattr(r, name) - want[name]) for r in found) < 1e-4, (key, name)
        assert found[0].order == want["nnorm"], key


@pytest.mark.parametrize(("record", "step"), [("fe2o3", 0.274590899), ("fe_metal", 3.130141510), ("feo", 1.388601103)])
def test_nxxas_steps_stated_in_the_file(small_data: Path, record: str, step: float) -> None:
    ds = read(small_data / "xas" / "Fe_XDIFiles.h5", record=record)
    found = normalised(ds, NormaliseParams(pre1=-150, pre2=-50, norm1=150, norm2=750, order=2))
    assert float(found["edge_step"][0]) == pytest.approx(step, rel=2e-7)  # the file's counts are rounded


def test_white_lines_of_standards(small_data: Path, shared_data: Path) -> None:
    gsecars = normalised(read(small_data / "xas" / "S_elemental_rt_01.xdi"), NormaliseParams())
    camd = normalised(read(small_data / "xas" / "S_CAMD.prj"), NormaliseParams())
    lines = dict(zip(camd["name"].values.astype(str), camd["white_line"].values, strict=True))
    assert float(gsecars["e0"][0]) == pytest.approx(2470.40, abs=1e-6)
    # Larch's table has the highest point of the 0.1 eV grid: 2471.701 and 2471.502 eV, 2471.5 to 2471.7 by dataset. The parabola through
    # seven points lies within half a grid step of it; the top of the GSECARS scan is noisy (2471.71 to 2471.83 by three to nine points).
    highest = float(gsecars["energy"][int(np.nanargmax(gsecars["norm"].values[0]))])
    assert highest == pytest.approx(2471.701, abs=1e-3)
    assert float(gsecars["white_line"][0]) == pytest.approx(highest, abs=0.05)
    assert 2471.5 <= round(highest, 2) <= 2471.7
    assert lines["Sulfur flower (+0)"] == pytest.approx(2471.54, abs=0.05)
    assert 2471.5 <= lines["Sulfur flower (+0)"] <= 2471.7
    assert lines["Zn SO4 (6+)"] == pytest.approx(2481.35, abs=0.1)


def test_an_edge_on_a_line_is_taken_apart_exactly() -> None:
    step = np.where(E >= 2472.0, 0.7, 0.0)
    mu = 0.3 + 2e-4 * (E - 2400) + step
    found = normalise(E, mu, e0=2472.0, ranges=Ranges(-62, -14, 18, 28, 0))
    assert found.edge_step == pytest.approx(0.7, rel=1e-10)
    assert found.norm == pytest.approx(step / 0.7, abs=1e-10)
    assert found.flat == pytest.approx(step / 0.7, abs=1e-10)
    assert found.edge_step_std < 1e-9


def test_thickness_and_offset_do_not_matter() -> None:
    mu = edge(E, 2472.0) + 0.8 * np.exp(-((E - 2473.5) ** 2))
    params = NormaliseParams(preset="S K", interference="ignore")
    one = normalised(made(("a", E, mu)), params)
    other = normalised(made(("a", E, 3.0 * mu + 5.0 - 1e-3 * E)), params)
    assert other["norm"].values == pytest.approx(one["norm"].values, abs=1e-10)
    assert float(other["edge_step"][0]) == pytest.approx(3 * float(one["edge_step"][0]), rel=1e-10)


def test_energies_of_an_arctangent_edge() -> None:
    fine = np.arange(2440.0, 2520.0, 0.1)
    norm = edge(fine, 2472.03, 1.5)
    assert half_step(fine, norm, 2472.0) == pytest.approx(2472.03, abs=0.01)
    assert find_e0(fine, norm) == pytest.approx(2472.0, abs=0.051)  # a point of the grid
    assert inflection(fine, norm, 2472.0) == pytest.approx(2472.03, abs=0.02)
    peak = 1.5 - 0.3 * (fine - 2473.27) ** 2
    assert white_line(fine, peak, 2472.0) == pytest.approx((2473.27, 1.5), abs=1e-6)


def test_the_noise_of_the_step_is_as_stated() -> None:
    params = NormaliseParams(preset="S K", interference="ignore")
    rng = np.random.default_rng(4)
    steps, stds = [], []
    for _ in range(60):
        ds = normalised(made(("a", E, edge(E, 2472.0) + rng.normal(0, 0.02, E.size))), params)
        steps.append(float(ds["edge_step"][0]))
        stds.append(float(ds["edge_step_std"][0]))
    assert np.std(steps) == pytest.approx(np.mean(stds), rel=0.3)


def test_area_normalisation_gives_a_mean_of_one() -> None:
    mu = 2.0 * (edge(E, 2472.0) + np.exp(-((E - 2473.5) ** 2)))
    ds = normalised(made(("a", E, mu)), NormaliseParams(preset="S K", scale="area", interference="ignore"))
    inside = (E >= 2467.0) & (E <= 2500.0)
    x = E[inside]
    assert np.trapezoid(ds["norm"].values[0][inside], x) / (x[-1] - x[0]) == pytest.approx(1.0, rel=1e-12)


def test_a_niobium_step_is_fitted_or_masked_and_said() -> None:
    mu = edge(E, 2472.5, 1.0)
    with_nb = mu + 0.1 * edge(E, 2465.0, 1.87)
    fitted = normalised(made(("a", E, with_nb)), NormaliseParams(preset="S K"))
    assert float(fitted["interference_step"][0]) == pytest.approx(0.1, abs=0.005)
    plain = normalised(made(("a", E, mu)), NormaliseParams(preset="S K"))
    assert float(fitted["edge_step"][0]) == pytest.approx(float(plain["edge_step"][0]), rel=0.006)
    masked = normalised(made(("a", E, with_nb)), NormaliseParams(preset="S K", interference="mask"))
    assert any("take no part" in w for w in warnings_of(masked))


def test_comparisons_are_checked_for_one_recipe() -> None:
    a, b = (normalised(made(("a", E, edge(E, 2472.0))), NormaliseParams(preset="S K", norm1=n)) for n in (18.0, 15.0))
    assert recipe_mismatch([a, a]) == ""
    assert recipe_mismatch([a, b]) == "The spectra are normalised differently (norm1): heights are not comparable."
    two = normalised(made(("a", E, edge(E, 2472.0)), ("b", E, edge(E, 2473.0))), NormaliseParams())
    assert any("chosen for each spectrum by itself" in w for w in warnings_of(two))


def test_fluorescence_wears_a_badge(small_data: Path) -> None:
    ds = normalised(read(small_data / "xas" / "S_elemental_rt_01.xdi"), NormaliseParams())
    assert any(w.startswith("Uncorrected: heights unreliable") for w in warnings_of(ds))


def test_ranges_beyond_the_data_are_clipped_and_said(small_data: Path) -> None:
    ds = normalised(read(small_data / "xas" / "S_elemental_rt_01.xdi"), NormaliseParams(preset="S K", interference="ignore"))
    assert "The pre-edge range of 'elemental sulfur' ends with the data at 2450.0 eV, not at 2410.0 eV." in warnings_of(ds)


def test_what_a_user_is_told(small_data: Path) -> None:
    nickel = read(small_data / "xas" / "Ni_metal_rt_01.xdi")
    with pytest.raises(DataError, match=r"does not reach E0 = 2472.0 eV: it is of another edge. It covers Ni K"):
        normalised(nickel, NormaliseParams(preset="S K"))
    falling = made(("swapped", E, -0.5 - edge(E, 2472.0)))
    with pytest.raises(DataError, match="does not rise at 2472"):
        normalised(falling, NormaliseParams(preset="S K", interference="ignore"))
    with pytest.raises(DataError, match=r"post-edge range 2600\.0–2500\.8 eV holds 0 points"):
        normalised(made(("a", E, edge(E, 2472.0))), NormaliseParams(e0=2472.0, norm1=128.0))
    with pytest.raises(ParamError, match="pre1 must lie below pre2"):
        NormaliseParams.check({"pre1": -10, "pre2": -20})


def test_the_recipe_through_the_store(tmp_path: Path, small_data: Path) -> None:
    store = Store(tmp_path / "store")
    key = ingest([small_data / "xas" / "S_elemental_rt_01.xdi"], REGISTRY, store)
    result = store.open(run(Request(recipe="spectra.normalise", inputs={"spectra": key}), REGISTRY, store))
    assert isinstance(NORMALISED.conform(result), xr.Dataset)
    assert result["norm"].dims == ("spectrum", "energy")
    assert {n: result[n].attrs["units"] for n in ("norm", "flat", "e0", "edge_step")} == {
        "norm": "1",
        "flat": "1",
        "e0": "eV",
        "edge_step": "1",
    }
    found = scalars(result)
    assert found["edge_step"].value == pytest.approx(0.086574914, rel=1e-7)
    assert (found["e0"].unit, found["white_line"].unit) == ("eV", "eV")
    both = run(Request(recipe="spectra.normalise", inputs={"spectra": (key, key)}), REGISTRY, store)
    assert (store.open(both).sizes["spectrum"], scalars(store.open(both))["e0"].n) == (2, 2)
