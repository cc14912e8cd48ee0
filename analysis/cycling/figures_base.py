"""What the cycling figures share: units as people write them, legends, notes."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field

from analysis.core.errors import DataError
from analysis.core.params import Params
from analysis.core.registry import Labelled
from analysis.core.style import FONT_PX, Style, legend_name, origin_note
from analysis.drawing import Trace, safe

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
NOTE_LENGTH = 70  # characters of a note's line; they fit a panel of 440 px
NOTE_PX = {"screen": 10.5, "single": 8, "double": 8}


class FigureParams(Params):
    """What every cycling figure can be asked."""

    legend: Literal["auto", "cells", "groups"] = Field(
        "auto", title="Legend", description="auto: each cell while they are few, else one entry a group"
    )


def short(text: str, length: int = LABEL_LENGTH) -> str:
    """``text`` cut to ``length`` characters, the cut shown."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def unit_text(units: str) -> str:
    """A unit as it stands on an axis, such as mA h g⁻¹."""
    rate_of = units.removesuffix("/cycle")
    return UNIT_TEXT.get(units, units) if rate_of == units else f"{UNIT_TEXT.get(rate_of, rate_of)} per cycle"


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


def is_regular(item: Labelled) -> np.ndarray:
    """Whole cycles of the ageing test itself: no formation, check or pulse cycle, and not cut off; shape (C,), bool."""
    flags = np.char.find(text_values(item.data["flags"]), "cut_off") >= 0
    return (text_values(item.data["kind"]) == "cycle") & ~flags


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


def with_legend(traces: Sequence[Trace], mode: str = "auto", *, panels: bool = False) -> list[Trace]:
    """Traces of which one per legend entry is shown there; an entry switches all traces of its ``legendgroup``.

    Entries are cells while they are few, so that a click hides all quantities of a cell, else groups with their count.
    Beside one another in ``panels`` that bear the groups' names, they are only what the cells' curves have in common.
    """
    spoken = [t["meta"] for t in traces if "suffix" in t.get("meta", {})]
    parts = _entry_parts(spoken, mode, panels)
    seen: set[str] = set()
    made = []
    for trace in traces:
        meta = trace.get("meta", {})
        if "suffix" not in meta:
            made.append(trace)
            continue
        entry = " · ".join(meta[p] for p in parts if meta[p])
        shown = {"legendgroup": entry, "showlegend": entry not in seen and bool(entry)}
        if "id" not in parts and entry not in seen:
            sharing = [m for m in spoken if all(m[p] == meta[p] for p in parts)]
            shown["name"] = joint_name(meta["group"] if "group" in parts else "", meta["suffix"], {m["id"]: m["origin"] for m in sharing})
        seen.add(entry)
        made.append({**trace, **shown})
    return made


def _entry_parts(spoken: Sequence[dict[str, str]], mode: str, panels: bool) -> tuple[str, ...]:
    """Which parts of a trace's ``meta`` tell legend entries apart."""
    if mode == "auto":
        entries = {(m["id"], m["suffix"]) for m in spoken}
        mode = "cells" if len(entries) <= LEGEND_ENTRIES and not panels else "panels" if panels else "groups"
    return {"cells": ("id", "suffix"), "groups": ("group", "suffix"), "panels": ("suffix",)}[mode]


def joint_name(group: str, suffix: str, origins: Mapping[str, str]) -> str:
    """The name of an entry that stands for several cells (id: origin); it counts them where it has no other suffix."""
    n, made_up = len(origins), sum(o == "synthetic" for o in origins.values())
    words = [w for w in (short(group), suffix) if w] or ["no group"]
    name = " · ".join(words) + ("" if suffix else f", n = {n} {plural(n, 'cell')}")
    if 0 < made_up < n:
        return safe(f"{name} ({made_up} of {n} synthetic)")
    return safe(legend_name(name, "synthetic" if made_up else "measured"))


def by_group(items: Sequence[Labelled]) -> dict[str, tuple[Labelled, ...]]:
    """Items by their group, in the order of first appearance."""
    groups = dict.fromkeys(i.group for i in items)
    return {g: tuple(i for i in items if i.group == g) for g in groups}


def count_note(items: Sequence[Labelled]) -> str:
    """How many cells of which group are drawn; empty for one."""
    groups = [i.group or "no group" for i in items]
    if len(groups) < 2:
        return ""
    return f"Cells: {', '.join(f'{groups.count(g)} {short(g)}' for g in dict.fromkeys(groups))}."


def plural(n: int, word: str) -> str:
    return word if n == 1 else f"{word}s"


def note_lines(items: Sequence[Labelled], notes: Sequence[str], style: Style) -> list[str]:
    """Small muted lines; the first word says where the data come from when they are not all measured."""
    origin = origin_note({i.origin for i in items})
    said = [f"{origin[:1].upper()}{origin[1:]}." if origin else "", *notes]
    look = f"font-size:{NOTE_PX[style.size]}px;color:{style.muted}"
    return [f'<span style="{look}">{safe(line)}</span>' for line in _packed([n for n in said if n])]


def _packed(sentences: Sequence[str]) -> list[str]:
    """Sentences put together into lines, broken inside only where one is longer than a line."""
    lines: list[str] = []
    for sentence in sentences:
        if lines and len(lines[-1]) + len(sentence) < NOTE_LENGTH:
            lines[-1] += f" {sentence}"
        else:
            lines += textwrap.wrap(sentence, NOTE_LENGTH)
    return lines


def title_with_notes(title: str, items: Sequence[Labelled], notes: Sequence[str], style: Style) -> dict[str, Any]:
    """An axis title with notes below it: plotly keeps room for titles, for free annotations it does not."""
    return {"text": "<br>".join([title, *note_lines(items, notes, style)])}


def notes_below(items: Sequence[Labelled], notes: Sequence[str], style: Style) -> dict[str, Any]:
    """Notes below a row of panels, whose titles are too narrow for them, with the margin that they need."""
    lines = note_lines(items, notes, style)
    if not lines:
        return {}
    # Tick labels and titles of the panels take 3.4 times the font's height, a note's line 1.3 times its own.
    above = round(3.4 * FONT_PX[style.size])
    place = {"x": 0.5, "xref": "paper", "xanchor": "center", "y": 0, "yref": "paper", "yanchor": "top", "yshift": -above}
    bottom = above + round(1.35 * NOTE_PX[style.size] * len(lines)) + 6
    return {"annotations": [{"text": "<br>".join(lines), "showarrow": False, **place}], "margin": {"b": bottom}}


def heading(group: str) -> str:
    """A group's name over its panel."""
    return f"<b>{safe(short(group or 'no group'))}</b>"
