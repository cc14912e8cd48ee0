"""Figures: what is drawn, its units, its notes, the word synthetic."""

import base64
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr
from spectra_makers import REGISTRY, edge, made

from analysis.core.errors import DataError, ParamError
from analysis.core.registry import Labelled, Style
from analysis.spectra.averages import MeanParams, means
from analysis.spectra.differences import DifferenceParams, difference
from analysis.spectra.figures import DEFAULT_MARKERS
from analysis.spectra.lcf import LcfParams, lcf
from analysis.spectra.normalising import NormaliseParams, normalised
from analysis.spectra.pca import PcaParams, pca
from analysis.spectra.peaks import PeaksParams, peaks
from analysis.spectra.repeats import RepeatsParams, repeats

E = np.arange(2400.0, 2501.0, 0.25)
STYLE = Style(groups=("coated", "uncoated"))
RECIPE = NormaliseParams(preset="S K", interference="ignore")


def bump(height: float) -> np.ndarray:
    return edge(E, 2475.0) + height * np.exp(-((E - 2472.0) ** 2)) + 0.4 * np.exp(-((E - 2470.8) ** 2))


def norm(height: float, name: str = "s") -> xr.Dataset:
    noise = np.random.default_rng(int(100 * height)).normal(0, 0.003, E.size)
    return normalised(made((name, E, bump(height) + noise)), RECIPE)


def items(data: Sequence[xr.Dataset]) -> tuple[Labelled, ...]:
    labels = ("C1 · charged", "C1 · discharged", "U1 · charged", "U1 · discharged")
    groups = ("coated", "coated", "uncoated", "uncoated")
    origins = ("measured", "measured", "measured", "synthetic")
    rows = zip(data, labels, groups, origins, strict=False)
    return tuple(Labelled(d, lab, group, origin, key=f"k{k}") for k, (d, lab, group, origin) in enumerate(rows))


SPECTRA = [norm(h) for h in (0.3, 0.25, 1.0, 0.8)]


@cache
def fits() -> list[xr.Dataset]:
    """The peak fit of each."""
    return [peaks([d], PeaksParams()) for d in SPECTRA]


def draw(figure_id: str, given: tuple[Labelled, ...], style: Style = STYLE, **params: Any) -> Any:
    figure = REGISTRY.figure(figure_id)
    return _plain(figure.build(given, style, figure.params.check(params)).to_dict())


def _plain(value: Any) -> Any:
    """Plotly packs arrays; here they are arrays again."""
    if isinstance(value, dict) and "bdata" in value:
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def titles(drawn: Any) -> list[str]:
    return [a["title"]["text"] for k, a in drawn["layout"].items() if k[1:5] == "axis" and a.get("title", {}).get("text")]


def noted(drawn: Any) -> str:
    """What stands below a figure, on one line."""
    return " ".join(a["text"] for a in drawn["layout"]["annotations"] if a.get("name") == "notes").replace("<br>", " ")


def test_an_overlay_has_colours_by_group_and_dashes_by_state() -> None:
    drawn = draw("spectra.overlay", items(SPECTRA))
    colours = [t["line"]["color"] for t in drawn["data"]]
    assert colours == [STYLE.color("coated")] * 2 + [STYLE.color("uncoated")] * 2
    dashes = [t["line"]["dash"] for t in drawn["data"]]
    assert dashes[0] == dashes[2] != dashes[1] == dashes[3]
    assert [t["name"] for t in drawn["data"]][3] == "U1 · discharged (synthetic)"
    x, y = titles(drawn)
    assert x == "Photon energy / eV"
    assert "Measured and synthetic data." in noted(drawn)
    assert y == "Normalised absorption / 1"


def test_offsets_by_item_and_by_group() -> None:
    base = [t["y"] for t in draw("spectra.overlay", items(SPECTRA))["data"]]
    for by, levels in (("items", (0, 1, 2, 3)), ("groups", (0, 0, 1, 1))):
        drawn = draw("spectra.overlay", items(SPECTRA), offset=0.5, offset_by=by)
        for trace, y, level in zip(drawn["data"], base, levels, strict=True):
            assert trace["y"] == pytest.approx(y + 0.5 * level)
        assert "Curves are set off by 0.5." in noted(drawn)


def test_markers_and_inset() -> None:
    drawn = draw("spectra.overlay", items(SPECTRA), markers=DEFAULT_MARKERS, inset=True, inset_low=2470, inset_high=2474)
    named = {a["text"]: a["x"] for a in drawn["layout"]["annotations"]}
    assert named["P–Sx–P"] == 2472.0
    zoomed = {a["text"] for a in drawn["layout"]["annotations"] if a["xref"] == "x2"}
    assert zoomed == {"PS4", "S8", "P–Sx–P"}  # each name once: where its line is seen best
    assert {"PS4", "Sulfite", "Sulfate"} <= set(named)
    small = [t for t in drawn["data"] if t.get("xaxis") == "x2"]
    assert len(small) == 4
    assert all(t["x"].min() >= 2470 and t["x"].max() <= 2474 and not t["showlegend"] for t in small)
    with pytest.raises(ParamError, match="'nonsense' is not a marker"):
        draw("spectra.overlay", items(SPECTRA), markers=("nonsense",))


def test_calibration_badge_and_mismatch_stand_on_the_plot() -> None:
    note = {"standard": "Na2S2O3", "feature": "white_line", "assigned": 2472.02, "measured": 2472.2, "shift": -0.18}
    flagged = [d.assign_attrs(calibration=note, warnings=["Uncorrected: heights …"]) for d in SPECTRA]
    other = normalised(made(("x", E, bump(0.2))), NormaliseParams(preset="S K", norm1=15.0, interference="ignore"))
    text = noted(draw("spectra.overlay", items([*flagged[:3], other])))
    assert "calibrated on Na2S2O3 at 2472.02 eV (some spectra only)" in text
    assert "not corrected for self-absorption" in text
    assert "normalised differently (norm1)" in text


def test_difference_panel() -> None:
    found = difference(SPECTRA[2:], SPECTRA[0], DifferenceParams())
    drawn = draw("spectra.difference", items([found]))
    lines = [t for t in drawn["data"] if t["mode"] == "lines" and t.get("fill") != "toself"]
    assert [t["name"] for t in lines] == ["C1 · charged · s", "C1 · charged · s"]
    assert len(drawn["data"]) == 4
    assert "Reference: s." in noted(drawn)
    assert titles(drawn)[1] == "Difference / 1"


def test_peak_fit_panel() -> None:
    found = peaks(SPECTRA, PeaksParams())
    drawn = draw("spectra.peak_fit", items([found]), spectrum=3)
    names = [t["name"] for t in drawn["data"]]
    assert names[0] == "C1 · charged · s"
    assert names[-3:] == ["step and baseline", "fit", "residual"]
    assert any(n.startswith("P–Sx–P 247") and n.endswith(" eV") for n in names)
    assert {"Norm. absorption / 1", "Residual"} <= set(titles(drawn))
    with pytest.raises(DataError, match="holds 4 spectra, not 9"):
        draw("spectra.peak_fit", items([found]), spectrum=9)


def test_areas_stand_by_state_and_group_and_show_every_sample() -> None:
    each = items(fits())
    drawn = draw("spectra.areas", each)
    bars = [t for t in drawn["data"] if t["type"] == "bar"]
    points = [t for t in drawn["data"] if t["type"] == "scatter"]
    assert drawn["layout"]["xaxis"]["ticktext"] == ["charged", "discharged"]
    assert [b["name"] for b in bars] == ["coated, n = 1", "uncoated, n = 1"]
    assert [len(p["y"]) for p in points] == [2, 2]
    assert bars[0]["y"] == pytest.approx(points[0]["y"])
    assert all(u > c for u, c in zip(bars[1]["y"], bars[0]["y"], strict=True))
    assert titles(drawn)[1] == "Area of the peak P–Sx–P / eV"
    only = draw("spectra.areas", each[3:])
    assert only["data"][0]["name"] == "uncoated, n = 1 (synthetic)"


def test_bars_are_means_over_cells_and_not_over_spectra() -> None:
    pairs = zip(fits()[:3], ("1", "1", "2"), strict=True)
    each = tuple(Labelled(f, f"C{c} · charged", "coated", key=f"k{k}", id=c) for k, (f, c) in enumerate(pairs))
    bar, points = draw("spectra.areas", each)["data"]
    a, b, c = points["y"]
    assert bar["name"] == "coated, n = 2"
    assert bar["y"][0] == pytest.approx(((a + b) / 2 + c) / 2)


def test_how_a_spectrum_came_to_be() -> None:
    drawn = draw("spectra.lines", items(SPECTRA[:1]))
    assert [t["name"] for t in drawn["data"]] == ["absorption", "pre-edge line", "post-edge"]
    ranges = [(s["x0"], s["x1"]) for s in drawn["layout"]["shapes"] if s["type"] == "rect"]
    assert ranges == [(2410.0, 2458.0), (2490.0, 2500.0)]
    assert "E0 2472.00, half step" in noted(drawn)
    raw = made(("a", E, bump(1.0)))
    crossed = draw("spectra.measured", items([raw]), points=True, taken=("a@2450.0", "b@2460"))
    assert crossed["data"][-1]["name"] == "taken out"
    assert crossed["data"][-1]["x"].tolist() == [2450.0]
    edges = draw("spectra.edges", items(SPECTRA))
    assert [t["name"] for t in edges["data"]] == ["half step", "steepest", "inflection", "white line"]
    assert list(edges["data"][3]["x"]) == pytest.approx([float(d["white_line"][0]) for d in SPECTRA])


def test_standards_say_where_their_feature_was_found() -> None:
    shifted = made(("thiosulfate", E + 0.25, bump(2.0)))
    drawn = draw("spectra.standards", items([shifted]), assigned=2472.0)
    top = E[np.argmax(bump(2.0))] + 0.25
    assert drawn["data"][1]["x"][0] == pytest.approx(top, abs=0.1)
    assert drawn["data"][0]["name"] == f"C1 · charged: −{drawn['data'][1]['x'][0] - 2472.0:.2f} eV"


def test_means_have_bands_and_say_of_how_many_cells() -> None:
    mean = means([norm(h) for h in (0.9, 1.0, 1.1)], MeanParams(sets=("m",) * 3))
    drawn = draw("spectra.overlay", (Labelled(mean, "uncoated · charged", "uncoated"),))
    shape, curve = drawn["data"]
    assert shape["fill"] == "toself"
    assert curve["name"] == "uncoated · charged"
    assert "Bands: standard deviation over cells. Means of 3 cells." in noted(drawn)


def test_mixture_components_and_repeats() -> None:
    references = [norm(0.3, "low"), norm(1.0, "high")]
    mixed = draw("spectra.lcf", items([lcf(norm(0.6, "u"), references, LcfParams(low=-5, high=25))]))
    assert [t["name"].split()[0] for t in mixed["data"]] == ["u", "fit", "low", "high", "residual"]
    parts = draw("spectra.components", items([pca(SPECTRA, PcaParams())]))
    assert titles(parts)[1] == "Indicator function / 1"
    scans = draw("spectra.scans", items([repeats(SPECTRA, RepeatsParams())]))
    assert scans["data"][0]["x"].tolist() == [1, 2, 3, 4]


def test_spectra_as_measured() -> None:
    drawn = draw("spectra.measured", items([made(("a", E, bump(1.0)), ("b", E[::2], bump(1.0)[::2]))]))
    assert [t["name"] for t in drawn["data"]] == ["C1 · charged · a", "C1 · charged · b"]
    assert [t["x"].size for t in drawn["data"]] == [E.size, E[::2].size]


def test_tables_hold_the_numbers() -> None:
    overlay = REGISTRY.figure("spectra.overlay")
    assert overlay.table is not None
    frame = overlay.table(items(SPECTRA), overlay.params())
    assert list(frame.columns) == ["group", "sample", "origin", "spectrum", "energy / eV", "norm / 1", "flat / 1", "mu / 1"]
    assert len(frame) == 4 * E.size
    areas = REGISTRY.figure("spectra.areas")
    assert areas.table is not None
    rows = areas.table(items([peaks(SPECTRA, PeaksParams())]), areas.params())
    assert len(rows) == 16
    assert {"peak_name", "area / eV", "area_low / eV", "area_high / eV"} <= set(rows.columns)


def test_user_text_is_text() -> None:
    evil = Labelled(SPECTRA[0], "<b>x</b>%{y}", "coated")
    assert draw("spectra.overlay", (evil,))["data"][0]["name"] == "&lt;b&gt;x&lt;/b&gt;%&#123;y}"
