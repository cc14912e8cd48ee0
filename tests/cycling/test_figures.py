"""Figures of the cycling modality: what they show, say, colour and count; not how many pixels."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import xarray as xr

from analysis.core.data import Scalar, table, with_scalars
from analysis.core.errors import DataError, ParamError
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.core.tables import tidy
from analysis.cycling.figures import FIGURES
from analysis.cycling.figures_curves import thin
from analysis.cycling.figures_groups import rate_name, rate_steps
from analysis.cycling.pooling import POOLED, PoolParams, pool
from analysis.cycling.schemas import CYCLES, DQDV, PROFILE, RATES, RECORD
from analysis.cycling.trace import TRACE

BY_ID = {f.id: f for f in FIGURES}
STYLE = Style(groups=("uncoated", "coated"))


def cycles(n: int = 20, *, formation: int = 3, first: float = 190.0, fade: float = 1.0, unit: str = "mA h/g") -> xr.Dataset:
    """Cycles whose capacity falls by ``fade`` each; coulombic efficiency 0.998, in the first cycle 0.8."""
    number = np.arange(1, n + 1)
    discharge = first - fade * (number - 1.0 - formation)
    efficiency = np.where(number == 1, 0.8, 0.998)
    energy = unit.replace("mA h", "mW h")
    one = np.ones(n)
    columns = {
        "cycle": (number, "1"),
        "charge_capacity": (discharge / efficiency, unit),
        "discharge_capacity": (discharge, unit),
        "coulombic_efficiency": (efficiency, "1"),
        "energy_efficiency": (0.94 * one, "1"),
        "charge_energy": (3.3 * discharge, energy),
        "discharge_energy": (3.1 * discharge, energy),
        "mean_charge_voltage": (3.3 * one, "V"),
        "mean_discharge_voltage": (3.1 * one, "V"),
        "hysteresis": (0.2 * one, "V"),
        "charge_current": (1e-4 * one, "A"),
        "discharge_current": (2e-4 * one, "A"),
        "start_time": (36000.0 * number, "s"),
        "duration": (36000.0 * one, "s"),
        "kind": (np.where(number <= formation, "formation", "cycle"), ""),
        "flags": (np.full(n, ""), ""),
    }
    ds = CYCLES.conform(table(columns, dim="cycle"))
    last = discharge[-1] / discharge[formation] if n > formation else None
    return with_scalars(ds, {"retention": Scalar(last, title="Retention"), "rows": Scalar(n * 100)})


def profile(numbers: tuple[int, ...] = (1, 4), *, points: int = 400) -> xr.Dataset:
    """Charge from 3 to 4 V and discharge back, each over 100 mA h/g."""
    x = np.linspace(0.0, 1.0, points)
    n = 2 * len(numbers)
    columns = {
        "cycle": (np.repeat(np.array(numbers), 2 * points), "1"),
        "direction": (np.tile(np.repeat([1, -1], points), len(numbers)), "1"),
        "capacity": (np.tile(100.0 * x, n), "mA h/g"),
        "voltage": (np.tile(np.concatenate([3 + x, 4 - x]), len(numbers)), "V"),
    }
    return PROFILE.conform(table(columns, dim="point"))


def derivative(numbers: tuple[int, ...] = (1, 4)) -> xr.Dataset:
    curve = profile(numbers)
    sign = curve["direction"].values.astype(float)
    columns = {"dqdv": ("point", 100.0 * sign, {"units": "mA h/g/V"}), "dvdq": ("point", 0.01 * sign, {"units": "V/(mA h/g)"})}
    return DQDV.conform(curve.assign(columns)).assign_attrs(window_mV=12.0)


def rates(shift: float = 0.0, c_rates: tuple[float, ...] = (0.1, 0.5, 1.0, 0.1)) -> xr.Dataset:
    n = len(c_rates)
    columns = {
        "c_rate": (np.array(c_rates), "1/h"),
        "first_cycle": (1 + 5 * np.arange(n), "1"),
        "last_cycle": (5 + 5 * np.arange(n), "1"),
        "discharge_capacity": (180.0 - 40 * np.array(c_rates) + shift, "mA h/g"),
        "discharge_capacity_std": (np.full(n, 0.5), "mA h/g"),
        "n_cycles": (np.full(n, 5), "1"),
    }
    return RATES.conform(table(columns, dim="rate_group"))


def record(rows: int = 50_000) -> xr.Dataset:
    """A second a row, 3.6 V but for one spike of 4.2 V."""
    voltage = np.full(rows, 3.6)
    voltage[rows // 3] = 4.2
    columns = {"time": (np.arange(rows, dtype=float), "s"), "voltage": (voltage, "V"), "current": (np.full(rows, 1e-3), "A")}
    return RECORD.conform(table(columns, dim="row"))


def pooled() -> xr.Dataset:
    made = tuple(c.assign(retention=c["discharge_capacity"] / 190.0) for c in (cycles(first=190.0), cycles(first=192.0)))
    for c in made:
        c["retention"].attrs["units"] = "1"
    return POOLED.conform(pool(made * 2, PoolParams(groups=("uncoated", "uncoated", "coated", "coated"))))


def drawn_record() -> xr.Dataset:
    """What ``cycling.trace`` keeps: few rows, and how many they stand for."""
    return TRACE.conform(record(60).assign_attrs(rows=50_000))


MAKERS: dict[str, Callable[[], xr.Dataset]] = {
    "cycling.cycles": cycles,
    "cycling.profile": profile,
    "cycling.dqdv": derivative,
    "cycling.rates": rates,
    "cycling.record": record,
    "cycling.trace": drawn_record,
    "cycling.pooled": pooled,
}
OF_CELLS = [f for f in FIGURES if f.id != "cycling.pooled"]  # the others draw groups, which no click refers to


def study(make: Callable[[], xr.Dataset], *, each: int = 2, origin: str = "synthetic") -> tuple[Labelled, ...]:
    return tuple(
        Labelled(make(), f"{group} {k}", group, origin, f"key-{group}-{k}", f"id-{group}-{k}")
        for group in ("uncoated", "coated")
        for k in range(each)
    )


def build(figure_id: str, items: tuple[Labelled, ...], style: Style = STYLE, **params: Any) -> go.Figure:
    figure = BY_ID[figure_id]
    return figure.build(items, style, figure.params.check(params))


def of_cells(fig: go.Figure) -> list[Any]:
    return [t for t in fig.data if t.meta and "id" in t.meta]


def notes(fig: go.Figure) -> str:
    """All that is said below and in the plot, without markup."""
    said = [fig.layout.xaxis.title.text, *(a.text for a in fig.layout.annotations or ())]
    return re.sub("<[^>]*>", "", " ".join(str(s).replace("<br>", " ") for s in said))


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.id)
@pytest.mark.parametrize("each", [1, 2, 6])
def test_everything_synthetic_says_so(figure: Any, each: int) -> None:
    items = study(MAKERS[figure.schema], each=each)
    fig = build(figure.id, items)
    entries = [t.name for t in fig.data if t.showlegend is not False]
    assert entries
    assert all("synthetic" in name for name in entries)
    assert all("synthetic" in t.hovertemplate for t in of_cells(fig))
    assert "Synthetic data." in notes(fig)
    measured = build(figure.id, study(MAKERS[figure.schema], origin="measured"))
    assert not any("synthetic" in (t.name or "") for t in measured.data)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.id)
def test_every_figure_is_what_plotly_accepts(figure: Any) -> None:
    fig = build(figure.id, study(MAKERS[figure.schema]))
    go.Figure(fig.to_dict())  # full validation, which building leaves out


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.id)
def test_axes_name_their_units(figure: Any) -> None:
    layout = build(figure.id, study(MAKERS[figure.schema])).layout.to_plotly_json()
    titles = [a["title"]["text"] for name, a in layout.items() if name[1:5] == "axis" and "title" in a]
    unitless = ("Cycle", "Group", "C-rate")
    assert titles
    assert all(" / " in t or t.startswith(unitless) for t in titles)


@pytest.mark.parametrize("figure", OF_CELLS, ids=lambda f: f.id)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_points_refer_to_their_cell_and_colours_to_their_group(figure: Any, theme: Any) -> None:
    style = Style(theme=theme, groups=("uncoated", "coated"))
    fig = build(figure.id, study(MAKERS[figure.schema]), style)
    traces = of_cells(fig)
    assert {t.meta["group"] for t in traces} == {"uncoated", "coated"}
    for t in traces:
        assert len(t.customdata) == len(t.x) == len(t.y)
        assert {row[0] for row in t.customdata} == {t.meta["id"]}
        if figure.schema != "cycling.dqdv":  # where colour is the cycle
            color = t.line.color if t.mode == "lines" else t.marker.color
            assert color == style.color(t.meta["group"])


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.id)
def test_nothing_to_show_is_said(figure: Any) -> None:
    fig = build(figure.id, ())
    assert not fig.data
    assert "Choose" in fig.layout.annotations[0].text


@pytest.mark.parametrize("figure", OF_CELLS, ids=lambda f: f.id)
def test_zoom_survives_new_data_and_names_stay_text(figure: Any) -> None:
    make = MAKERS[figure.schema]
    short = build(figure.id, study(make, each=1))
    assert short.layout.uirevision == build(figure.id, study(make)).layout.uirevision
    label = "<b>cell</b> %{x} with a name that is far longer than any legend could show"
    fig = build(figure.id, (Labelled(make(), label, "uncoated", id="a"),))
    cells = of_cells(fig)
    assert all("<b>cell" not in t.name and len(t.name) < 60 for t in cells)
    assert all("&lt;b&gt;cell&lt;/b&gt; %&#123;x} with a name that is far longer" in t.hovertemplate for t in cells)


def test_capacity_shows_both_quantities_in_their_units() -> None:
    fig = build("cycling.capacity", study(cycles), show_charge=True)
    traces = of_cells(fig)
    assert len(traces) == 4 * 3 * 2  # four cells, three quantities, regular cycles and formation
    assert fig.layout.yaxis.title.text.endswith("/ mA h g⁻¹")
    assert fig.layout.yaxis2.title.text.endswith("Coulombic efficiency / %")
    assert fig.layout.yaxis2.tickmode == "auto"
    efficiency = [t for t in traces if t.yaxis == "y2"]
    assert np.sort(efficiency[0].y)[-1] == pytest.approx(99.8)
    assert sorted(row[1] for t in traces[:2] for row in t.customdata) == list(range(1, 21))


def test_capacity_says_how_many_efficiencies_lie_off_its_axis() -> None:
    items = study(cycles)
    fig = build("cycling.capacity", items)
    low, high = fig.layout.yaxis2.range
    outside = sum(int(((t.y < low) | (t.y > high)).sum()) for t in of_cells(fig) if t.yaxis == "y2")
    assert outside == 4  # the first cycle of each of four cells, 80 %
    assert "4 CE points off the axis" in notes(fig)
    assert (low, high) == (90.0, 102.0)
    poor = cycles().copy()
    poor["coulombic_efficiency"] = poor["coulombic_efficiency"] * 0.8
    low, high = build("cycling.capacity", (Labelled(poor, "poor"),)).layout.yaxis2.range
    assert low < 79.8 < high


def test_formation_is_hollow_shaded_and_named() -> None:
    fig = build("cycling.capacity", study(cycles))
    filled, hollow = of_cells(fig)[:2]
    assert [row[1] for row in hollow.customdata] == [1, 2, 3]
    assert hollow.marker.symbol >= 100 > filled.marker.symbol
    assert filled.showlegend
    assert hollow.legendgroup == filled.legendgroup
    band = fig.layout.shapes[-1]
    assert (band.x0, band.x1) == (0.5, 3.5)
    assert any("formation" in a.text for a in fig.layout.annotations)
    assert "formation (3 cycles)" in notes(fig)
    assert not build("cycling.capacity", (Labelled(cycles(formation=0), "a"),)).layout.shapes


def test_the_other_count_of_cycles_stands_on_top_where_cells_agree() -> None:
    fig = build("cycling.capacity", study(cycles))
    shift = np.subtract(fig.layout.xaxis.range, fig.layout.xaxis2.range)
    assert shift == pytest.approx([3, 3])
    below, above = (t for t in fig.data if t.xaxis)  # equal ends make both axes agree when plotly chooses the range
    assert [x + 3 for x in above.x] == list(below.x) == [1, 20]
    after = build("cycling.capacity", study(cycles), x="after_formation")
    assert after.layout.xaxis.title.text.startswith("Cycle after formation")
    t = of_cells(after)[0]
    assert all(x == row[1] - 3 for x, row in zip(t.x.tolist(), t.customdata, strict=True))
    mixed = (Labelled(cycles(formation=2), "a"), Labelled(cycles(formation=5), "b"))
    assert "xaxis2" not in build("cycling.capacity", mixed).layout.to_plotly_json()
    assert "2 to 5 cycles" in notes(build("cycling.capacity", mixed))


def test_odd_cycles_say_why_and_the_efficiency_its_convention() -> None:
    odd = cycles().assign_attrs(efficiency="discharge / charge of the same cycle")
    words = odd["flags"].values.astype("<U40")
    words[9] = "ce_above_one short_suspected"
    odd["flags"] = ("cycle", words, {"units": ""})
    fig = build("cycling.capacity", (Labelled(odd, "a", id="a"),))
    said = {row[1]: text for t in fig.data[:2] for row, text in zip(t.customdata, t.text, strict=True)}
    assert (said[1], said[4], said[10]) == (" (formation)", "", " (ce above one, short suspected)")
    assert "CE = discharge/charge." in notes(fig)


def test_highlighted_cycles_are_ringed() -> None:
    fig = build("cycling.capacity", study(cycles), selected=(4, 9))
    rings = [t for t in fig.data if t.name == "highlighted"]
    assert {t.yaxis for t in rings} == {"y", "y2"}
    assert all(sorted(set(t.x.tolist())) == [4, 9] and t.hoverinfo == "skip" for t in rings)


def test_cells_without_a_common_unit_are_refused() -> None:
    items = (Labelled(cycles(), "with mass"), Labelled(cycles(unit="mA h"), "without"))
    with pytest.raises(DataError, match=r"'with mass' is in mA h g⁻¹ and 'without' in mA h:"):
        build("cycling.capacity", items)


@pytest.mark.parametrize(
    ("name", "title", "value"),
    [
        ("energy_efficiency", "Energy efficiency / %", 94.0),
        ("hysteresis", "Voltage hysteresis / V", 0.2),
        ("duration", "Duration / h", 10.0),
        ("discharge_current", "Median discharge current / mA", 0.2),
        ("discharge_energy", "Discharge energy / mW h g⁻¹", 3.1 * 190),
    ],
)
def test_a_quantity_reads_in_the_unit_people_use(name: str, title: str, value: float) -> None:
    fig = build("cycling.quantity", (Labelled(cycles(), "a", id="a"),), quantity=name)
    assert fig.layout.yaxis.title.text == title
    t = of_cells(fig)[0]
    assert t.y[[row[1] for row in t.customdata].index(4)] == pytest.approx(value, rel=1e-6)


def test_retention_pools_cells_and_keeps_them() -> None:
    items = (
        Labelled(cycles(20, first=100.0, fade=1.0), "a", "coated", id="a"),
        Labelled(cycles(20, first=200.0, fade=4.0), "b", "coated", id="b"),
        Labelled(cycles(10, first=100.0, fade=0.0), "c", "coated", id="c"),
    )
    fig = build("cycling.retention", items)
    mean = next(t for t in fig.data if t.showlegend is not False)
    assert mean.name == "coated, n = 3 cells"
    at = dict(zip(mean.x.tolist(), mean.y.tolist(), strict=True))
    assert at[4] == pytest.approx(100.0)
    assert at[10] == pytest.approx((94 + 88 + 100) / 3)
    assert at[20] == pytest.approx((84 + 68) / 2)
    assert "± 6.00 % (SD), n = 3" in mean.text  # of 94, 88 and 100
    assert len(of_cells(fig)) == 3
    assert not of_cells(build("cycling.retention", items, show_cells=False))


def test_a_cut_off_cycle_is_hollow_and_pulls_no_mean() -> None:
    stopped = cycles(12)
    words = stopped["flags"].values.astype("<U20")
    words[-1] = "cut_off"
    stopped["flags"] = ("cycle", words, {"units": ""})
    stopped["discharge_capacity"][-1] = 60.0
    items = (Labelled(stopped, "a", "coated", id="a"), Labelled(cycles(20), "b", "coated", id="b"))
    fig = build("cycling.retention", items)
    mean = next(t for t in fig.data if t.showlegend is not False)
    assert mean.y[mean.x.tolist().index(12)] == pytest.approx(100 * 182 / 190)
    assert max(of_cells(fig)[0].x) == 11
    assert "1 partial, check or cut-off cycle left out" in notes(fig)
    fig = build("cycling.capacity", items)
    marks = {row[1]: t.marker.symbol for t in fig.data[:2] for row in t.customdata}
    assert (marks[11], marks[12]) == (0, 100)
    assert "Hollow: formation (3 cycles), cut off." in notes(fig)


def test_retention_takes_pooled_results_beside_the_cells() -> None:
    cells = study(cycles)
    fig = build("cycling.retention", (*cells, Labelled(pooled(), "group mean", origin="synthetic")))
    assert len(fig.data) == len(build("cycling.retention", cells).data)


def test_pooled_groups_count_their_cells_and_keep_their_colours() -> None:
    fig = build("cycling.pooled", (Labelled(pooled(), "all", origin="synthetic"),), quantity="discharge_capacity")
    means = [t for t in fig.data if t.showlegend is not False]
    assert [t.name for t in means] == [f"{g}, n = 2 cells (synthetic)" for g in ("uncoated", "coated")]
    assert [t.line.color for t in means] == [STYLE.color("uncoated"), STYLE.color("coated")]
    assert means[0].y[3] == pytest.approx(191.0)
    assert "± 1.41 mA h g⁻¹ (SD), n = 2" in means[0].text[3]
    assert fig.layout.yaxis.title.text == "Discharge capacity / mA h g⁻¹"


def test_profiles_start_at_zero_and_share_a_trace_per_cycle() -> None:
    fig = build("cycling.profiles", study(profile, each=1), cycles=(1, 4))
    assert [t.name for t in fig.data] == [f"{g} 0 · cycle {c} (synthetic)" for g in ("uncoated", "coated") for c in (1, 4)]
    assert [t.line.dash for t in fig.data] == ["solid", "dash"] * 2
    first = fig.data[0]
    gap = int(np.flatnonzero(np.isnan(first.x))[0])
    assert first.x[0] == first.x[gap + 1] == 0
    assert (first.y[0], first.y[gap - 1], first.y[gap + 1], first.y[-1]) == (3, 4, 4, 3)
    assert first.customdata[0] == ["id-uncoated-0", 1]
    assert (fig.layout.xaxis.title.text.split("<br>")[0], fig.layout.yaxis.title.text) == ("Capacity / mA h g⁻¹", "Cell voltage / V")


def test_the_lithium_scale_is_shifted_and_says_where_it_holds() -> None:
    fig = build("cycling.profiles", study(profile, each=1), scale="Li")
    assert np.nanmax(fig.data[0].y) == pytest.approx(4.62)
    assert fig.layout.yaxis.title.text == "Voltage vs Li⁺/Li / V"
    assert "two-phase" in notes(fig)


def test_groups_stand_side_by_side_on_the_same_axes() -> None:
    fig = build("cycling.profiles", study(profile), side_by_side=True)
    assert {(t.meta["group"], t.xaxis or "x") for t in fig.data} == {("uncoated", "x"), ("coated", "x2")}
    assert (fig.layout.xaxis2.matches, fig.layout.yaxis2.matches) == ("x", "y")
    assert {"<b>uncoated</b>", "<b>coated</b>"} <= {a.text for a in fig.layout.annotations}
    assert [t.name for t in fig.data if t.showlegend] == ["cycle 1 (synthetic)", "cycle 4 (synthetic)"]


def test_many_cycles_are_told_apart_by_shade_and_bar() -> None:
    numbers = tuple(range(1, 9))
    fig = build("cycling.profiles", (Labelled(profile(numbers), "a", "coated", id="a"),))
    assert len({t.line.color for t in fig.data}) == 8
    assert "cycle 1 to 8" in notes(fig)
    bars = [t for t in build("cycling.dqdv", (Labelled(derivative(numbers), "a", id="a"),)).data if t.marker.showscale]
    assert list(bars[0].marker.colorbar.ticktext) == ["1", "5", "8"]


@pytest.mark.parametrize(
    ("figure_id", "titles"),
    [
        ("cycling.dqdv", ("Cell voltage / V", "dQ/dV / mA h g⁻¹ V⁻¹")),
        ("cycling.dvdq", ("Capacity / mA h g⁻¹", "dV/dQ / V (mA h g⁻¹)⁻¹")),
    ],
)
def test_derivatives_print_their_window(figure_id: str, titles: tuple[str, str]) -> None:
    fig = build(figure_id, study(derivative))
    assert (fig.layout.xaxis.title.text, fig.layout.yaxis.title.text) == titles
    assert "window 12 mV" in notes(fig)
    assert len({t.line.color for t in fig.data}) == 2  # two cycles


def test_peaks_are_ringed_where_the_result_lists_them_on_either_scale() -> None:
    peak = {"cycle": 4, "direction": 1, "voltage": 3.5, "height": 120.0}
    items = (Labelled(derivative().assign_attrs(peaks=[peak]), "a", "coated", id="a"),)
    assert len(build("cycling.dqdv", items).data) == 2
    for scale, voltage in (("cell", 3.5), ("Li", 4.12)):
        rings = [t for t in build("cycling.dqdv", items, show_peaks=True, scale=scale).data if t.mode == "markers"]
        assert [(t.x[0], t.y[0], t.customdata[0]) for t in rings] == [(pytest.approx(voltage), 120.0, ["a", 4])]


def test_a_steep_end_does_not_flatten_dvdq() -> None:
    steep = derivative((1,))
    values = steep["dvdq"].values.copy()
    values[-20:] = -50.0  # over the last 5 % of one of two half cycles
    steep["dvdq"] = ("point", values, {"units": "V/(mA h/g)"})
    fig = build("cycling.dvdq", (Labelled(steep, "a", id="a"),))
    low, high = fig.layout.yaxis.range
    assert -0.05 < low < -0.01
    assert 0.01 < high < 0.05
    assert "Steep ends cut off" in notes(fig)


def test_thinning_keeps_ends_and_a_spike() -> None:
    x = np.linspace(0, 1, 10_001)
    y = np.where(np.abs(x - 0.3) < 2e-3, 1.0, 0.0)
    kept = thin(x, y, 200)
    assert kept.shape[1] <= 200
    assert kept[0, 0] == 0
    assert kept[0, -1] == 1
    assert kept[1].max() == 1
    assert thin(x[:50], y[:50], 200).shape == (2, 50)
    runaway = np.where(x > 0.99, 1e4 * (x - 0.99), np.sin(20 * x))
    assert (thin(x, runaway, 200)[0] > 0.99).sum() > 90
    assert (thin(x, runaway, 200, (-1.0, 1.0))[0] > 0.99).sum() < 20  # the visible part keeps its points


def test_rates_in_test_order_with_mean_and_deviation() -> None:
    items = (Labelled(rates(0.0), "a", "coated", id="a"), Labelled(rates(2.0), "b", "coated", id="b"))
    fig = build("cycling.rate", items)
    assert list(fig.layout.xaxis.ticktext) == ["C/10", "C/2", "1C", "C/10"]
    mean = next(t for t in fig.data if t.showlegend is not False)
    assert mean.name == "coated, n = 2 cells"
    assert mean.y[1] == pytest.approx(161.0)
    assert mean.error_y.array[1] == pytest.approx(np.sqrt(2))
    assert len(of_cells(fig)) == 2


@pytest.mark.parametrize(("c_rate", "name"), [(0.1, "C/10"), (1 / 3, "C/3"), (0.498, "C/2"), (1.0, "1C"), (2.5, "2.5C"), (12.0, "12C")])
def test_rates_are_named_as_people_write_them(c_rate: float, name: str) -> None:
    assert rate_name(c_rate) == name


def test_cells_of_one_protocol_share_their_rates_whatever_their_own_1c() -> None:
    nominal = np.array([0.1, 0.5, 1.0, 0.1])
    names, places = rate_steps(tuple(Labelled(rates(c_rates=tuple(f * nominal)), str(f)) for f in (0.9, 1.0, 1.12)))
    assert names == ["C/10", "C/2", "1C", "C/10"]
    assert all(p.tolist() == [0, 1, 2, 3] for p in places)


def test_a_cell_that_lacks_a_rate_keeps_the_order_of_the_others() -> None:
    full, part = rates(), rates(c_rates=(0.1, 1.0, 0.1))
    names, places = rate_steps((Labelled(full, "a"), Labelled(part, "b")))
    assert names == ["C/10", "C/2", "1C", "C/10"] or names == ["C/10", "1C", "C/2", "C/10"]
    assert [names[k] for k in places[0]] == ["C/10", "C/2", "1C", "C/10"]
    assert [names[k] for k in places[1]] == ["C/10", "1C", "C/10"]
    assert places[1][-1] == 3


def test_the_trace_keeps_the_spike_and_counts_its_rows() -> None:
    items = (Labelled(record(), "a", "coated", id="a"),)
    fig = build("cycling.trace", items, points=400)
    voltage, current = fig.data
    assert voltage.y.max() == np.float32(4.2)
    assert voltage.x.size <= 400
    assert current.y[0] == pytest.approx(1.0)  # mA
    assert "of 50 000 rows shown" in notes(fig)
    assert (fig.layout.yaxis.title.text, fig.layout.yaxis2.title.text) == ("Voltage / V", "Current / mA")
    zoomed = build("cycling.trace", items, start_h=1.0, end_h=1.02)
    kept = build("cycling.trace", (Labelled(drawn_record(), "a", id="a"),))
    assert "60 points a line of 50 000 rows shown" in notes(kept)
    assert "of 75 rows shown" in notes(zoomed)  # 73 from 3600 to 3672 s, and one more on each side


def test_summary_shows_every_cell_and_an_interval_from_three_on() -> None:
    def cell(value: float | None, name: str, group: str) -> Labelled:
        return Labelled(with_scalars(cycles(), {"retention": Scalar(value, title="Retention")}), name, group, id=name)

    items = (*(cell(v, f"u{v}", "uncoated") for v in (0.6, 0.7, 0.8)), cell(0.9, "c", "coated"), cell(None, "gone", "coated"))
    fig = build("cycling.summary_bars", items)
    assert list(fig.layout.xaxis.ticktext) == ["uncoated<br>n = 3", "coated<br>n = 1"]
    assert fig.layout.yaxis.title.text == "Retention / %"
    assert len(of_cells(fig)) == 4
    uncoated, coated = (t for t in fig.data if t.showlegend is not False)
    assert uncoated.y[0] == pytest.approx(70.0)
    # Student's t for two degrees of freedom and 95 %: 4.3027; SD 10, n 3.
    assert uncoated.error_y.array[0] == pytest.approx(4.3027 * 10 / np.sqrt(3), rel=1e-4)
    assert coated.error_y.array is None
    assert "1 cell without this number" in notes(fig)
    with pytest.raises(ParamError, match="No cell has a number named 'colour'"):
        build("cycling.summary_bars", items, scalar="colour")


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.id)
def test_tables_are_tidy_and_carry_units_and_origin(figure: Any) -> None:
    items = study(MAKERS[figure.schema], each=1)
    table = figure.table or (lambda items, _params: tidy(items))
    frame = table(items, figure.params())
    assert list(frame.columns[:4]) == ["group", "cell", "origin", "key"]
    assert set(frame["origin"]) == {"synthetic"}
    if figure.id != "cycling.summary_bars":
        assert len(frame) == sum(int(np.prod(list(i.data.sizes.values()))) for i in items)
        assert any(" / " in c for c in frame.columns)
    assert list(table((), figure.params()).columns[:4]) == ["group", "cell", "origin", "key"]


def test_tables_hold_full_precision_and_what_the_figure_shows() -> None:
    items = (Labelled(cycles(first=190.123456789), "a", "coated", "measured", "key", "a"),)
    frame = BY_ID["cycling.retention"].table(items, BY_ID["cycling.retention"].params())
    assert frame["discharge_capacity / mA h/g"][3] == 190.123456789
    assert frame["retention / 1"][3] == pytest.approx(1.0, abs=1e-12)
    curves = (Labelled(profile((1, 4, 9)), "a"),)
    frame = BY_ID["cycling.profiles"].table(curves, BY_ID["cycling.profiles"].params(cycles=(4,)))
    assert set(frame["cycle / 1"]) == {4}
    assert len(frame) == 800


def test_a_long_test_is_a_line_with_few_markers() -> None:
    regular, formation = of_cells(build("cycling.quantity", (Labelled(cycles(203), "a"),), quantity="hysteresis"))
    assert regular.mode == "lines+markers"
    assert regular.marker.maxdisplayed < 20
    assert len(regular.x) == 200  # every cycle still answers hover and click
    assert np.all(np.diff(regular.x) > 0)
    assert formation.mode == "markers"


@pytest.mark.parametrize("figure_id", ["cycling.capacity", "cycling.retention", "cycling.quantity"])
def test_figures_of_a_whole_study_are_light_on_the_wire(figure_id: str) -> None:
    assert len(build(figure_id, study(lambda: cycles(203), each=4)).to_json()) < 200_000


def test_a_quantity_that_some_cells_lack_is_drawn_of_the_others() -> None:
    known = cycles().assign(polarisation=("cycle", np.full(cycles().sizes["cycle"], 0.1), {"units": "V"}))
    items = (Labelled(known, "a", id="a"), Labelled(cycles(), "b", id="b"))
    fig = build("cycling.quantity", items, quantity="polarisation")
    assert {t.meta["id"] for t in fig.data if t.meta} == {"a"}
    assert "Not known of b." in fig.layout.xaxis.title.text
    assert "Polarisation at half capacity / V" in fig.layout.yaxis.title.text
    empty = build("cycling.quantity", items[1:], quantity="polarisation")
    assert "No polarisation at half capacity is known" in empty.layout.annotations[0].text.replace("<br>", " ")
