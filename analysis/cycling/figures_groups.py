"""Figures that compare groups: retention with mean and SD, rate test, one number of each cell with its interval."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.data import Scalar, scalars, table
from analysis.core.errors import DataError, ParamError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.cycling.figures_base import (
    axis_text,
    by_group,
    cell_id,
    common_units,
    customdata,
    float32,
    hover,
    is_regular,
    joint_name,
    plural,
    short,
    text_values,
    title_with_notes,
    trace_of,
    unit_text,
)
from analysis.cycling.figures_cycles import NO_CYCLES, CycleAxis, CycleAxisParams, room_for_labels
from analysis.cycling.pooling import QUANTITIES, PoolParams, pool
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish

if TYPE_CHECKING:
    import plotly.graph_objects as go

LEVEL = 0.95
SAME_RATE = 0.25  # relative; rates relative to each cell's own capacity differ by as much in one protocol
TITLE_LENGTH = 34  # characters of an upright title's line; they fit a panel of 300 px
MIN_INTERVAL = 3  # cells; below, an interval says nothing
RATIO_MEANS = ("retention", "coulombic_efficiency")  # stored as ratios, shown in %
PERCENT = ("retention", "efficiency")  # dimensionless scalars of these names read in %


class RetentionParams(CycleAxisParams):
    show_cells: bool = Field(True, title="Show single cells")


class PooledParams(Params):
    quantity: Literal["retention", "discharge_capacity", "charge_capacity", "coulombic_efficiency"] = Field("retention", title="Quantity")


class RateParams(Params):
    show_cells: bool = Field(True, title="Show single cells")


class SummaryParams(Params):
    scalar: str = Field("retention", title="Quantity", description="name of a scalar of the cells' results")


def retention(items: tuple[Labelled, ...], style: Style, params: RetentionParams) -> "go.Figure":
    """Capacity retention against cycle: each group's mean with a band of one SD, single cells thin behind.

    Means are those of the drawn lines: whole regular cycles, aligned as the axis counts. Pooled results among the items are
    for their tables and provenance.
    """
    shown = tuple(i for i in items if i.data.attrs.get("schema") != "cycling.pooled" and i.data.sizes.get("cycle", 0))
    if not shown:
        return nothing(NO_CYCLES, style)
    axis = CycleAxis.of(shown, params.x)
    cells = [_cell_line(item, axis, k, style) for k, item in enumerate(shown)]
    pooled = pool(tuple(_regular(i, axis, k) for k, i in enumerate(shown)), PoolParams(groups=tuple(i.group for i in shown)))
    means = [
        t
        for group, members in by_group(shown).items()
        for t in _mean_and_band(group, joint_name(group, "", {cell_id(i): i.origin for i in members}), pooled, "retention", style)
    ]
    single = params.legend == "cells"
    behind = [{**t, "showlegend": single, "legendgroup": t["meta"]["id" if single else "group"]} for t in cells]
    low, high = room_for_labels(np.concatenate([t["y"] for t in cells]))
    layout = {
        **axis.layout(shown, ["Mean ± SD over cells; thin: cells.", _left_out(shown)], style, hollow=False),
        "yaxis": {"title": {"text": "Capacity retention / %"}, "range": [low, high]},
        **axis.marks(params.selected, style),
    }
    return finish([*(behind if params.show_cells else []), *means, *axis.carriers()], layout, style, f"retention {params.x}")


def _left_out(items: Sequence[Labelled]) -> str:
    """Which cycles besides formation are not drawn."""
    kinds = np.concatenate([text_values(i.data["kind"])[~is_regular(i)] for i in items])
    odd = int((kinds != "formation").sum())
    return f"{odd} partial, check or cut-off {plural(odd, 'cycle')} left out." if odd else ""


def retention_values(item: Labelled) -> np.ndarray:
    """Discharge capacity in % of the cell's reference at each of its cycles; shape (C,).

    As the result states it (``retention``, with the reference that was chosen), else against the first regular cycle.
    """
    if "retention" in item.data:
        return 100.0 * item.data["retention"].values
    capacity = item.data["discharge_capacity"].values.astype(float)
    regular = is_regular(item) & (capacity > 0)
    return 100.0 * capacity / capacity[regular][0] if regular.any() else np.full(capacity.shape, np.nan)


def _regular(item: Labelled, axis: CycleAxis, index: int) -> xr.Dataset:
    """The regular cycles of a cell, numbered as the axis counts them, as ``pool`` takes them."""
    ds = item.data
    kept = is_regular(item)
    columns = {name: (ds[name].values[kept], str(ds[name].attrs["units"])) for name in (*QUANTITIES, "kind") if name != "retention"}
    number = axis.x(index, ds["cycle"].values[kept])
    columns |= {"cycle": (number, "1"), "retention": (retention_values(item)[kept] / 100.0, "1")}
    return table(columns, dim="cycle", attrs=ds.attrs)


def _cell_line(item: Labelled, axis: CycleAxis, index: int, style: Style) -> Trace:
    regular = is_regular(item)
    cycles = item.data["cycle"].values[regular]
    return trace_of(
        item,
        mode="lines",
        x=axis.x(index, cycles),
        y=float32(retention_values(item)[regular]),
        line={"color": style.color(item.group), "width": 1, "simplify": False},
        opacity=0.45,
        customdata=customdata(item, cycles),
        hovertemplate=hover(item, "cycle %{customdata[1]}", "retention: %{y:.2f} %"),
    )


def _mean_and_band(group: str, name: str, pooled: xr.Dataset, quantity: str, style: Style) -> list[Trace]:
    """The mean of a group and, below it, the band of one SD where there are two cells or more; ratios in %."""
    factor, unit = (100.0, "%") if quantity in RATIO_MEANS else (1.0, unit_text(str(pooled[quantity].attrs["units"])))
    row = pooled["group"].values.tolist().index(group)
    n = pooled["n_cells"].values[row]
    mean, std = (factor * pooled[q].values[row] for q in (quantity, f"{quantity}_std"))
    x, kept, several = pooled["cycle"].values, np.isfinite(mean), np.isfinite(std)
    shared = {"type": "scatter", "mode": "lines", "legendgroup": group, "meta": {"group": group}}
    made: list[Trace] = []
    if several.any():
        low, high = (float32(mean[several] + side * std[several]) for side in (-1, 1))
        outline = {"x": np.concatenate([x[several], x[several][::-1]]), "y": np.concatenate([high, low[::-1]]), "line": {"width": 0}}
        made.append({**shared, **outline, "fill": "toself", "fillcolor": style.fill(group), "hoverinfo": "skip", "showlegend": False})
    spread = [
        f"± {s:.2f} {unit} (SD), n = {k}" if k > 1 else f"{unit}, n = 1" for s, k in zip(std[kept].tolist(), n[kept].tolist(), strict=True)
    ]
    text = {"text": spread, "hovertemplate": f"<b>{name}</b><br>cycle %{{x}}<br>mean: %{{y:.2f}} %{{text}}<extra></extra>"}
    line = {"color": style.color(group), "width": 2.4, "simplify": False}
    return [*made, {**shared, "x": x[kept], "y": float32(mean[kept]), "name": name, "line": line, **text}]


def pooled_groups(items: tuple[Labelled, ...], style: Style, params: PooledParams) -> "go.Figure":
    """Mean of a quantity against cycle for each group of pooled results, with a band of one SD over cells."""
    shown = tuple(i for i in items if i.data.sizes.get("cycle", 0))
    if not shown:
        return nothing("No groups to show. Choose cells and pool them by group.", style)
    traces: list[Trace] = []
    for item in shown:
        for group in item.data["group"].values.tolist():
            name = joint_name(group, "", dict.fromkeys(map(str, range(int(item.data.attrs["cells"][group]))), item.origin))
            traces += _mean_and_band(group, name, item.data, params.quantity, style)
    unit = "%" if params.quantity in RATIO_MEANS else unit_text(common_units(shown, params.quantity))
    layout = {
        "xaxis": {"title": title_with_notes("Cycle", shown, ["Mean ± SD over cells."], style)},
        "yaxis": {"title": {"text": f"{params.quantity.replace('_', ' ').capitalize()} / {unit}"}},
    }
    return finish(traces, layout, style, f"pooled {params.quantity}")


def rate(items: tuple[Labelled, ...], style: Style, params: RateParams) -> "go.Figure":
    """Discharge capacity at each C-rate in the order of the test: mean ± SD over cells, cells as points."""
    shown = tuple(i for i in items if i.data.sizes.get("rate_group", 0))
    if not shown:
        return nothing("No rate test to show. Choose cells that were cycled at several rates, and give their 1C.", style)
    units = common_units(shown, "discharge_capacity")
    names, places = rate_steps(shown)
    groups = by_group(shown)
    traces: list[Trace] = []
    for k, (group, members) in enumerate(groups.items()):
        offset = 0.26 * (k - (len(groups) - 1) / 2)
        cells = [_rate_points(i, at + offset, units, style) for i, at in zip(shown, places, strict=True) if i.group == group]
        traces += cells if params.show_cells else []
        traces.append(_rate_means(group, members, cells, units, style))
    note = "Mean ± SD over cells; small: cells." if params.show_cells else "Mean ± SD over cells."
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "range": [-0.6, len(names) - 0.4]}
    layout = {
        "xaxis": {"title": title_with_notes("C-rate, in test order", shown, [note], style), "showgrid": False, **ticks},
        "yaxis": {"title": {"text": axis_text("Discharge capacity", units)}, "rangemode": "tozero"},
    }
    return finish(traces, layout, style, "rate")


def rate_name(c_rate: float) -> str:
    """C-rate as people write it: C/10, C/3, 1C, 2.5C."""
    if not np.isfinite(c_rate) or c_rate <= 0:
        return "?"
    inverse = 1.0 / c_rate
    if c_rate < 0.95 and abs(inverse - round(inverse)) < 0.06 * inverse:
        return f"C/{round(inverse)}"
    return f"{c_rate:.2g}C" if c_rate < 10 else f"{c_rate:.0f}C"


def rate_steps(items: Sequence[Labelled]) -> tuple[list[str], list[np.ndarray]]:
    """Names of the rates in the order of the test, and the place of each cell's groups among them.

    Cells of one protocol share places: as many groups each, whose rates agree. Otherwise places are shared by name, a return to
    a rate having its own.
    """
    rates = [i.data["c_rate"].values.astype(float) for i in items]
    if len({r.size for r in rates}) == 1:
        usual = np.median(np.stack(rates), axis=0)
        if all(np.all(np.abs(r - usual) <= SAME_RATE * usual) for r in rates):
            return [rate_name(float(r)) for r in usual], [np.arange(usual.size)] * len(items)
    steps = [_numbered([rate_name(float(c)) for c in r]) for r in rates]
    at: dict[tuple[str, int], list[float]] = {}
    for own in steps:
        for place, step in enumerate(own):
            at.setdefault(step, []).append(place / len(own))
    order = sorted(at, key=lambda step: (sum(at[step]) / len(at[step]), step))
    return [name for name, _ in order], [np.array([order.index(step) for step in own]) for own in steps]


def _numbered(names: Sequence[str]) -> list[tuple[str, int]]:
    """Each name with how often it came before."""
    return [(name, names[:k].count(name)) for k, name in enumerate(names)]


def _rate_points(item: Labelled, x: np.ndarray, units: str, style: Style) -> Trace:
    return trace_of(
        item,
        mode="markers",
        x=x,
        y=item.data["discharge_capacity"].values,
        marker={"color": style.color(item.group), "size": 5, "opacity": 0.45},
        legendgroup=item.group,
        text=[rate_name(float(c)) for c in item.data["c_rate"].values],
        customdata=customdata(item, item.data["first_cycle"].values),
        hovertemplate=hover(item, "%{text}, from cycle %{customdata[1]}", f"%{{y:.4~g}} {unit_text(units)}"),
    )


def _rate_means(group: str, members: Sequence[Labelled], cells: Sequence[Trace], units: str, style: Style) -> Trace:
    """Mean and SD over the cells of a group at each place of the axis."""
    x, y = (np.concatenate([t[axis] for t in cells]) for axis in ("x", "y"))
    places = np.unique(x)
    at = [y[(x == place) & np.isfinite(y)] for place in places]
    name = joint_name(group, "", {cell_id(i): i.origin for i in members})
    spread = np.array([v.std(ddof=1) if v.size > 1 else 0.0 for v in at])
    said = [
        f"± {s:.2g} {unit_text(units)} (SD), n = {v.size}" if v.size > 1 else f"{unit_text(units)}, n = 1"
        for s, v in zip(spread, at, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": name,
        "legendgroup": group,
        "meta": {"group": group},
        "x": places,
        "y": np.array([v.mean() if v.size else np.nan for v in at]),
        "error_y": {"array": spread, "color": style.color(group), "thickness": 1.5, "width": 4},
        "marker": {"color": style.color(group), "size": 9},
        "line": {"color": style.fill(group, 0.4), "width": 1},
        "text": said,
        "hovertemplate": f"<b>{name}</b><br>mean: %{{y:.4~g}} %{{text}}<extra></extra>",
    }


def summary(items: tuple[Labelled, ...], style: Style, params: SummaryParams) -> "go.Figure":
    """One number of each cell by group: all cells as points, the mean and, from three cells on, its 95 % t interval."""
    if not items:
        return nothing("No cells to compare. Choose cells whose cycling data have been imported.", style)
    found = {cell_id(i): s for i in items if (s := _scalar(i, params.scalar)) is not None}
    shown = tuple(i for i in items if cell_id(i) in found)
    if not shown:
        known = sorted({name for i in items for name, s in scalars(i.data).items() if isinstance(s.value, int | float)})
        raise ParamError(f"No cell has a number named '{params.scalar}'.", hint=f"Known: {', '.join(known) or 'none'}.")
    factor, title, unit = _scalar_axis(params.scalar, tuple(found.values()))
    traces: list[Trace] = []
    ticks = []
    for k, (group, members) in enumerate(by_group(shown).items()):
        values = factor * np.array([float(found[cell_id(i)].value or 0.0) for i in members])
        traces += [*_summary_cells(members, values, k, unit, style), _mean_interval(group, members, values, k, unit, style)]
        ticks.append(f"{safe(short(group or 'no group', 18))}<br>n = {len(members)}")
    missing = len(items) - len(shown)
    absent = f"{missing} {plural(missing, 'cell')} without this number." if missing else ""
    notes = ["Mean with 95 % t interval from 3 cells on.", _ends(shown), absent]
    places = {"tickvals": list(range(len(ticks))), "ticktext": ticks, "range": [-0.6, len(ticks) - 0.4]}
    layout = {
        "xaxis": {"title": title_with_notes("Group", shown, notes, style), "showgrid": False, **places},
        "yaxis": {"title": {"text": title}},
    }
    return finish(traces, layout, style, f"summary {params.scalar}")


def _scalar_axis(name: str, found: Sequence[Scalar]) -> tuple[float, str, str]:
    """Factor, axis title and unit of a scalar; ``DataError`` where cells have it in different units."""
    units = {s.unit for s in found}
    if len(units) > 1:
        raise DataError(
            f"'{name}' is in {' and '.join(sorted(map(unit_text, units)))}: these share no axis.", hint="Give every cell its active mass."
        )
    own = found[0].unit
    factor, unit = (100.0, "%") if own == "1" and any(p in name for p in PERCENT) else (1.0, unit_text(own))
    titles = {s.title.partition(" (")[0] for s in found}  # what stands in brackets is too long for an axis
    title = titles.pop() if len(titles) == 1 and "" not in titles else name.replace("_", " ").capitalize()
    return factor, "<br>".join(textwrap.wrap(safe(title), TITLE_LENGTH)) + f" / {unit}", unit


def _ends(items: Sequence[Labelled]) -> str:
    """Where the cells' tests end, said when it is not the same cycle: such numbers compare different ages."""
    ends = [int(i.data["cycle"].values[-1]) for i in items if i.data.sizes.get("cycle", 0)]
    return f"Tests end at cycle {min(ends)} to {max(ends)}." if len(set(ends)) > 1 else ""


def _scalar(item: Labelled, name: str) -> Scalar | None:
    found = scalars(item.data).get(name)
    return found if found is not None and isinstance(found.value, int | float) and np.isfinite(found.value) else None


def _summary_cells(members: Sequence[Labelled], values: np.ndarray, place: int, unit: str, style: Style) -> list[Trace]:
    spread = np.linspace(-0.12, 0.12, len(members)) if len(members) > 1 else np.zeros(1)
    marker = {"size": 7, "opacity": 0.65}
    return [
        trace_of(
            item,
            mode="markers",
            x=[place - 0.1 + float(dx)],
            y=[float(v)],
            marker={**marker, "color": style.color(item.group)},
            legendgroup=item.group,
            customdata=[[cell_id(item), None]],
            hovertemplate=hover(item, f"%{{y:.4~g}} {unit}"),
        )
        for item, v, dx in zip(members, values, spread, strict=True)
    ]


def _mean_interval(group: str, members: Sequence[Labelled], values: np.ndarray, place: int, unit: str, style: Style) -> Trace:
    from analysis.core.numerics.statistics import mean_interval  # brings scipy.stats, half a second

    found = mean_interval(values, level=LEVEL)
    stated = found.n >= MIN_INTERVAL
    name = joint_name(group, "", {cell_id(i): i.origin for i in members})
    interval = f"{LEVEL:.0%} interval {found.low:.4g} to {found.high:.4g} {unit}" if stated else "too few cells for an interval"
    bar: dict[str, Any] = {"array": [found.high - found.value], "color": style.color(group), "thickness": 2, "width": 6}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "legendgroup": group,
        "meta": {"group": group},
        "x": [place + 0.16],
        "y": [found.value],
        "marker": {"color": style.color(group), "symbol": "diamond", "size": 10},
        "hovertemplate": f"<b>{name}</b><br>mean: %{{y:.4~g}} {unit}<br>{interval}<extra></extra>",
        **({"error_y": bar} if stated else {}),
    }
