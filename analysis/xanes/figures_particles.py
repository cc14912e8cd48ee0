"""One mark for each particle: how heterogeneous it is beyond its noise, and which of its voxels count."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.core.data import Scalar, scalars
from analysis.core.numerics.statistics import mean_interval
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import PALETTE, Style
from analysis.core.tables import column_name
from analysis.drawing import Trace, nothing, safe
from analysis.drawing import finish_units as finish
from analysis.schemas import FLAGS
from analysis.xanes.figures_base import (
    NARROW_NOTE,
    STATE_SHORT,
    STATES,
    legend,
    number_format,
    one_of,
    short_name,
    state_of,
    titled,
    unit_of,
)

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

NO_EDGE = 2  # of FLAGS: air, mostly
REASONS = tuple(f for f in FLAGS if f not in (NO_EDGE, 32))  # 32: outside the mask
LEAST_SHOWN = 1e-4  # of a particle's voxels


def heterogeneity(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Spread of each particle beyond its noise, with the mean of each group in each state and the noise floor below."""
    shown = tuple(i for i in items if i.data.attrs.get("schema") == "xanes.distribution")
    if not shown:
        return nothing("No particle to show. Choose particles whose edge energies are mapped.", style)
    for name in ("definition", "dimensionality", "quantity"):
        one_of(shown, name)
    sets = _sets(shown)
    traces: list[Trace] = []
    for place, (group, state) in enumerate(sets):
        members = [i for i in shown if i.group == group and state_of(i) == state]
        traces += _strip(place, members, style)
    ds = shown[0].data
    unit = "1" if ds.attrs.get("quantity") else "eV"
    words = [f"<b>{safe(g or 'no group')}</b><br>{safe(s)}" for g, s in sets]
    layout = {
        "xaxis": {
            "title": titled("", shown, ["Bars: mean over particles, 95 % interval."], style),
            "tickvals": list(range(len(sets))),
            "ticktext": words,
            "range": [-0.6, len(sets) - 0.4],
            "showgrid": False,
        },
        "yaxis": {"title": {"text": f"Heterogeneity √(var − σ²) / {unit}"}, "rangemode": "tozero"},
    }
    return finish([*traces, *_key(style)], layout, style, "heterogeneity")


def _sets(items: Sequence[Labelled]) -> list[tuple[str, str]]:
    order = {s: k for k, s in enumerate(STATES)}
    groups = list(dict.fromkeys(i.group for i in items))
    found = dict.fromkeys((i.group, state_of(i)) for i in items)
    return sorted(found, key=lambda s: (groups.index(s[0]), order.get(s[1], len(order))))


def _strip(place: int, members: Sequence[Labelled], style: Style) -> list[Trace]:
    """Particles as points, their noise floors as hollow ones, the mean with its interval."""
    n, colour = len(members), style.color(members[0].group)
    offsets = 0.3 * (np.arange(n) - (n - 1) / 2) / max(n - 1, 1)
    form, unit = number_format(members[0].data) if unit_of(members[0].data) == "" else ".3f", unit_of(members[0].data)
    made: list[Trace] = []
    values = []
    for item, offset in zip(members, offsets, strict=True):
        found = scalars(item.data)
        width, noise = _value(found, "heterogeneity"), _value(found, "noise_floor")
        values.append(width)
        said = f"<b>{legend(short_name(item), [item.origin])}</b><br>"
        own: Trace = {"type": "scatter", "mode": "markers", "x": [place + offset], "showlegend": False, "meta": {"id": item.id}}
        beyond = {"hovertemplate": f"{said}heterogeneity %{{y:{form}}}{unit}<extra></extra>"}
        floor = {"hovertemplate": f"{said}noise floor %{{y:{form}}}{unit}<extra></extra>"}
        made.append({**own, "y": [width], "marker": {"size": 8, "color": colour}, **beyond})
        made.append({**own, "y": [noise], "marker": {"size": 7, "symbol": "line-ew-open", "color": style.muted}, **floor})
    mean = mean_interval(np.array(values))
    error = {"array": [mean.high - mean.value], "thickness": 1.6, "width": 6, "color": style.ink} if np.isfinite(mean.low) else {}
    said = f"mean {mean.value:{form}}{unit}, n = {mean.n} particles<extra></extra>"
    bar = {"x": [place], "y": [mean.value], "marker": {"symbol": "line-ew-open", "size": 34, "color": style.ink, "line": {"width": 2}}}
    return [{"type": "scatter", "mode": "markers", **bar, "error_y": error, "hovertemplate": said, "showlegend": False}, *made]


def _value(found: dict[str, Scalar], name: str) -> float:
    value = found[name].value if name in found else None
    return float(value) if isinstance(value, int | float) else np.nan


def _key(style: Style) -> list[Trace]:
    key = {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "hoverinfo": "skip", "showlegend": True}
    return [
        {**key, "name": "particle", "marker": {"size": 8, "color": style.muted}},
        {**key, "name": "its noise floor σ", "marker": {"size": 9, "symbol": "line-ew-open", "color": style.muted}},
    ]


COLUMNS = (
    "n_valid",
    "median",
    "iqr",
    "std",
    "noise_floor",
    "heterogeneity",
    "skewness",
    "kurtosis",
    "dip",
    "bimodality",
    "n_parts",
    "fraction_refused",
    "n_effective",
)


def particle_table(items: Sequence[Labelled], _params: Params) -> "pd.DataFrame":
    """One row for each particle: what it is, how it was analysed, and the numbers of its distribution with their intervals."""
    import pandas as pd

    rows = []
    for item in items:
        found = scalars(item.data)
        about = {"group": item.group, "particle": short_name(item), "state": state_of(item), "origin": item.origin, "key": item.key}
        recipe = {n: item.data.attrs.get(n) for n in ("definition", "e0", "energy_offset", "dimensionality", "quantity")}
        numbers: dict[str, Any] = {}
        for name in COLUMNS:
            scalar = found.get(name)
            if scalar is None:
                continue
            head = column_name(name, scalar.unit)
            numbers[head] = scalar.value
            if scalar.low is not None:
                numbers |= {f"{head}, low (within particle)": scalar.low, f"{head}, high (within particle)": scalar.high}
        rows.append({**about, **{k: v for k, v in recipe.items() if v is not None}, **numbers})
    return pd.DataFrame(rows)


def quality(items: tuple[Labelled, ...], style: Style, params: Params) -> "go.Figure":
    """Which voxels of each particle count, and why the others do not, as shares of all voxels that have an edge."""
    shown = tuple(i for i in items if i.data.attrs.get("schema") == "txm.edge_map" and "n_valid" in scalars(i.data))
    if not shown:
        return nothing("No edge map to show. Choose particles that were measured as stacks.", style)
    mixed = len({i.origin for i in shown}) > 1
    names = [legend(_name(i), [i.origin] if mixed else ["measured"]) for i in shown]
    parts = _parts(shown)
    colours = _colours(style)
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "x": 100 * share,
            "y": list(range(len(shown))),
            "name": name,
            "marker": {"color": colours[k % len(colours)]},
            "customdata": count,
            "hovertemplate": f"%{{y}}: {safe(name)} %{{x:.2f}} %, %{{customdata:.0f}} voxels<extra></extra>",
        }
        for k, (name, share, count) in enumerate(parts)
    ]
    layout = {
        "barmode": "stack",
        "bargap": 0.25,
        "legend": {"traceorder": "normal"},
        "xaxis": {"title": titled("Voxels with an edge / %", shown, [], style, length=NARROW_NOTE), "range": [0, 100]},
        "yaxis": {"tickvals": list(range(len(shown))), "ticktext": names, "range": [len(shown) - 0.4, -0.6], "showgrid": False},
    }
    return finish(traces, layout, style, "quality")


def _name(item: Labelled) -> str:
    """Particle and state in a few letters; the note below the figure says what all of them are."""
    return f"{short_name(item)} {STATE_SHORT.get(state_of(item), state_of(item))}".strip()


def quality_table(items: Sequence[Labelled], _params: Params) -> "pd.DataFrame":
    """One row for each particle and reason: number and share of the voxels that have an edge."""
    import pandas as pd

    shown = [i for i in items if "n_valid" in scalars(i.data)]
    rows = [
        {"group": i.group, "particle": short_name(i), "state": state_of(i), "origin": i.origin, "key": i.key, "voxels": name}
        | {"count / 1": int(count[k]), "share / 1": float(share[k])}
        for name, share, count in (_parts(shown) if shown else [])
        for k, i in enumerate(shown)
    ]
    return pd.DataFrame(rows)


def _parts(items: Sequence[Labelled]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Name, share and count of every part that is worth showing; shapes (particles,)."""
    wanted = [("counted", "n_valid"), ("rim, left out", "n_rim"), *((FLAGS[f], f"n_refused_{f}") for f in REASONS)]
    counts = {name: np.array([_value(scalars(i.data), which) for i in items]) for name, which in wanted}
    counts = {name: np.nan_to_num(c) for name, c in counts.items()}
    total = np.maximum(sum(counts.values()), 1.0)
    made = [(name, c / total, c) for name, c in counts.items()]
    return [p for k, p in enumerate(made) if k < 1 or p[1].max() > LEAST_SHOWN]


def _colours(style: Style) -> list[Any]:
    """None of the first two: these are the colours of the groups that are compared."""
    palette = PALETTE[style.theme]
    return [palette[2], style.muted, palette[4], palette[3], palette[5], style.ink]
