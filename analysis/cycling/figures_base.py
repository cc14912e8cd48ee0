"""What the cycling figures share: units as people write them, legends, notes, the empty figure.

Traces are plain dicts and become a ``go.Figure`` once, without validation: twenty times faster than checking each
property, and the tests read the figures back. Plotly is imported when the first figure is built, not with this module.
"""

import html
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import Style, legend_name, origin_note

if TYPE_CHECKING:
    import plotly.graph_objects as go

Trace = dict[str, Any]

UNIT_TEXT = {
    "mA h": "mA h",
    "mA h/g": "mA h g⁻¹",
    "mW h": "mW h",
    "mW h/g": "mW h g⁻¹",
    "mA h/V": "mA h V⁻¹",
    "mA h/g/V": "mA h g⁻¹ V⁻¹",
    "V/(mA h)": "V (mA h)⁻¹",
    "V/(mA h/g)": "V (mA h g⁻¹)⁻¹",
    "1/h": "h⁻¹",
}
LEGEND_ENTRIES = 6  # more than these push the data out of a small panel: then groups speak for their cells
LABEL_LENGTH = 24  # characters of a name in a legend; hovering shows all of it
NOTE_LENGTH = 68  # characters of a note's line; they fit a panel of 440 px
NOTE_PX = {"screen": 10.5, "single": 8, "double": 8}


class FigureParams(Params):
    """What every cycling figure can be asked."""

    legend: Literal["auto", "cells", "groups"] = Field(
        "auto", title="Legend", description="auto: each cell while they are few, else one entry a group"
    )


def safe(text: str) -> str:
    """User text as text: no markup, and no hover template either."""
    return html.escape(text, quote=False).replace("%{", "%&#123;")


def short(text: str, length: int = LABEL_LENGTH) -> str:
    """``text`` cut to ``length`` characters, the cut shown."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def unit_text(units: str) -> str:
    """A unit as it stands on an axis, such as mA h g⁻¹."""
    return UNIT_TEXT.get(units, units)


def axis_text(title: str, units: str) -> str:
    """``title / unit``; a dimensionless quantity says 1."""
    return f"{title} / {unit_text(units)}"


def common_units(items: Sequence[Labelled], name: str) -> str:
    """The unit of ``name``, the same in all items; ``DataError`` names two that differ."""
    first = items[0]
    units = str(first.data[name].attrs["units"])
    for item in items[1:]:
        other = str(item.data[name].attrs["units"])
        if other != units:
            raise DataError(
                f"'{first.label}' is in {unit_text(units)} and '{item.label}' in {unit_text(other)}: they share no axis.",
                hint="Give every cell its active mass, or show them apart.",
            )
    return units


def of_schema(items: Sequence[Labelled], schema: str) -> tuple[Labelled, ...]:
    """The items that hold results of ``schema``."""
    return tuple(i for i in items if i.data.attrs.get("schema") == schema)


def cell_id(item: Labelled) -> str:
    """What a click on a point of this item refers to."""
    return item.id or item.label


def customdata(item: Labelled, cycles: Iterable[Any]) -> list[list[Any]]:
    """``[cell id, cycle]`` for each point."""
    name = cell_id(item)
    return [[name, c] for c in np.asarray(cycles).astype(int).tolist()]


def float32(values: Any) -> np.ndarray:
    """Values in the precision that a screen can show."""
    return np.ascontiguousarray(values, dtype=np.float32)


def text_values(values: xr.DataArray) -> np.ndarray:
    return np.asarray(values.values, dtype=str)


def trace_of(item: Labelled, suffix: str = "", **properties: Any) -> Trace:
    """A scatter trace that knows its cell, group and place in the legend (see ``with_legend``)."""
    meta = {"id": cell_id(item), "label": item.label, "group": item.group, "origin": item.origin, "suffix": suffix}
    return {"type": "scatter", "name": entry_name(item.label, suffix, item.origin), "meta": meta, "showlegend": False, **properties}


def entry_name(label: str, suffix: str, origin: str) -> str:
    return safe(legend_name(f"{short(label)}{' · ' if suffix else ''}{suffix}", origin))


def hover(item: Labelled, *lines: str) -> str:
    """Hover text: the cell's whole name, its group, then ``lines`` (plotly templates)."""
    head = f"<b>{safe(legend_name(item.label, item.origin))}</b>"
    group = [safe(item.group)] if item.group else []
    return "<br>".join([head, *group, *lines]) + "<extra></extra>"


def with_legend(traces: Sequence[Trace], mode: str = "auto") -> list[Trace]:
    """Traces of which one per cell, or one per group, stands in the legend and switches the others.

    A cell's quantities share one entry (``legendgroup``), so that a click hides the whole cell. Groups count their cells.
    """
    spoken = [t for t in traces if "suffix" in t.get("meta", {})]
    entries = {(t["meta"]["id"], t["meta"]["suffix"]) for t in spoken}
    by_group = mode == "groups" or (mode == "auto" and len(entries) > LEGEND_ENTRIES)
    seen: set[tuple[str, str]] = set()
    made = []
    for trace in traces:
        if "suffix" not in trace.get("meta", {}):
            made.append(trace)
            continue
        meta = trace["meta"]
        unit = (meta["group"] or "no group", meta["suffix"]) if by_group else (meta["id"], meta["suffix"])
        entry = {"legendgroup": " · ".join(unit), "showlegend": unit not in seen}
        if by_group and unit not in seen:
            entry["name"] = _group_name(unit[0], unit[1], [t["meta"] for t in spoken if t["meta"]["group"] == meta["group"]])
        seen.add(unit)
        made.append({**trace, **entry})
    return made


def _group_name(group: str, suffix: str, metas: Sequence[dict[str, str]]) -> str:
    origins = {m["id"]: m["origin"] for m in metas}
    n, made_up = len(origins), sum(o == "synthetic" for o in origins.values())
    name = f"{short(group)}{' · ' if suffix else ''}{suffix}, n = {n} {plural(n, 'cell')}"
    if 0 < made_up < n:
        return safe(f"{name} ({made_up} of them synthetic)")
    return safe(legend_name(name, "synthetic" if made_up else "measured"))


def plural(n: int, word: str) -> str:
    return word if n == 1 else f"{word}s"


def title_with_notes(title: str, items: Sequence[Labelled], notes: Sequence[str], style: Style) -> dict[str, Any]:
    """An axis title with small notes below it: plotly keeps room for titles, for free annotations it does not.

    The first note says where the data come from when they are not all measured.
    """
    origin = origin_note({i.origin for i in items})
    said = [f"{origin[:1].upper()}{origin[1:]}." if origin else "", *notes]
    lines = textwrap.wrap(" ".join(n for n in said if n), NOTE_LENGTH)
    look = f"font-size:{NOTE_PX[style.size]}px;color:{style.muted}"
    small = [f'<span style="{look}">{safe(line)}</span>' for line in lines]
    return {"text": "<br>".join([title, *small])}


def finish(traces: Sequence[Trace], layout: dict[str, Any], style: Style, revision: str) -> "go.Figure":
    """The figure of these traces. The same ``revision`` keeps a reader's zoom when the data change."""
    import plotly.graph_objects as go

    # A hidden entry switches what it belongs to: one click toggles the unit, two show it alone.
    legend = {"groupclick": "togglegroup", "tracegroupgap": 2, "itemsizing": "constant", **layout.get("legend", {})}
    common = {"template": style.template(), "uirevision": revision}
    return go.Figure({"data": list(traces), "layout": {**common, **layout, "legend": legend}}, _validate=False)


def nothing(sentence: str, style: Style) -> "go.Figure":
    """An empty figure that says what is missing."""
    import plotly.graph_objects as go

    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    text = "<br>".join(safe(line) for line in textwrap.wrap(sentence, 52))
    note = {"text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, "font": {"color": style.muted}}
    layout = {"template": style.template(), "xaxis": hidden, "yaxis": hidden, "annotations": [note], "showlegend": False}
    return go.Figure({"data": [], "layout": layout}, _validate=False)
