"""Room for labels: margins that hold an axis before the browser has measured it.

Plotly draws a figure, measures its labels, and draws all of it again where they do not fit. Margins that are wide enough from
the start halve the time. They are estimated from what the ticks will say; where an estimate is too small, Plotly draws twice, as
it would have done anyway.
"""

import base64
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

DIGIT, LETTER, SIGN, LINE = 0.64, 0.63, 0.85, 1.3  # of the font's size: widths of characters, height of a line
TICK, GAP, STANDOFF = 4, 3, 6  # pixels: length of a tick, from it to its label, from there to the title
SPARE = 6  # pixels: what fonts differ by
BARE = 18  # pixels: what Plotly keeps beyond labels without a title
TICKS = 8  # on an axis of the height that cards have
PLAIN = 4  # powers of ten that are written out; beyond, a letter stands for thousands

Axis = Mapping[str, Any]
Figure = Mapping[str, Any]


def roomy(figure: dict[str, Any]) -> dict[str, Any]:
    """The figure (plain data) with margins on the left, right and bottom in which the labels of its axes have room."""
    layout = figure.get("layout", {})
    given = {**_template(layout).get("margin", {}), **layout.get("margin", {})}
    needed: dict[str, float] = {}
    for name, axis in _axes(figure):
        for side, pixels in _sides(figure, name, axis):
            needed[side] = max(needed.get(side, 0.0), pixels)
    wider = {side: math.ceil(pixels) for side, pixels in needed.items() if pixels > given.get(side, 0)}
    return {**figure, "layout": {**layout, "margin": {**given, **wider}}} if wider else figure


def _template(layout: Mapping[str, Any]) -> Mapping[str, Any]:
    return layout.get("template", {}).get("layout", {})


def _axes(figure: Figure) -> Iterator[tuple[str, Axis]]:
    """Name (x, y, x2 …) and settings of each axis that shows something."""
    layout = figure.get("layout", {})
    common = _template(layout)
    named = {m[1] + m[2] for n in layout if (m := re.fullmatch(r"([xy])axis(\d*)", n))} | ({"x", "y"} if figure.get("data") else set())
    for name in sorted(named):
        axis = {**common.get(f"{name[0]}axis", {}), **layout.get(f"{name[0]}axis{name[1:]}", {})}
        if axis.get("visible", True) and axis.get("automargin", False):
            yield name, axis


def _sides(figure: Figure, name: str, axis: Axis) -> Iterator[tuple[str, float]]:
    """Margins that an axis takes part in, and the pixels that it needs there."""
    size = _font(figure, axis)
    title = _title(axis)
    beyond = STANDOFF + LINE * _title_size(axis, size) * len(title) + SPARE if title else BARE
    labels = _labels(figure, name, axis) if axis.get("showticklabels", True) else []
    wide = max((_width(label, size) for label in labels), default=0.0)
    if name[0] == "y" and _at_the_edge(figure, name, axis):
        yield ("r" if axis.get("side") == "right" else "l"), TICK + GAP + wide + beyond
    elif name[0] == "x" and axis.get("side", "bottom") == "bottom" and _at_the_edge(figure, name, axis):
        high = max((label.count("<br>") + 1 for label in labels), default=0) * LINE * size
        yield "b", TICK + GAP + high + beyond
        if _domain(axis)[1] == 1.0 and not axis.get("ticktext") and not _is_named(figure, name, axis):
            yield "r", wide / 2 + 2 * SPARE


def _font(figure: Figure, axis: Axis) -> float:
    layout = figure.get("layout", {})
    common = {**_template(layout).get("font", {}), **layout.get("font", {})}
    return float(axis.get("tickfont", {}).get("size") or common.get("size", 12))


def _title(axis: Axis) -> list[str]:
    title = axis.get("title") or {}
    text = title if isinstance(title, str) else title.get("text") or ""
    return text.split("<br>") if text else []


def _title_size(axis: Axis, size: float) -> float:
    title = axis.get("title")
    return float(title.get("font", {}).get("size") or size) if isinstance(title, Mapping) else size


def _domain(axis: Axis) -> tuple[float, float]:
    low, high = axis.get("domain") or (0.0, 1.0)
    return float(low), float(high)


def _at_the_edge(figure: Figure, name: str, axis: Axis) -> bool:
    """Whether the axis stands at the border of the figure, not between two panels."""
    if axis.get("anchor") == "free":
        return False
    other = axis.get("anchor") or ("x" if name[0] == "y" else "y")
    low, high = _domain(figure.get("layout", {}).get(f"{other[0]}axis{other[1:]}", {}))
    return high == 1.0 if axis.get("side") in ("right", "top") else low == 0.0


def _width(label: str, size: float) -> float:
    lines = [re.sub(r"<[^>]*>", "", line) for line in label.split("<br>")]
    return size * max(sum(DIGIT if c.isdigit() else SIGN if c in "−–—" else LETTER for c in line) for line in lines)


# -- what ticks say --------------------------------------------------------------------------------------------------------


def _labels(figure: Figure, name: str, axis: Axis) -> list[str]:
    if axis.get("ticktext"):
        return [str(t) for t in axis["ticktext"]]
    if _is_named(figure, name, axis):
        return _names(figure, name, axis)
    low, high = _range(figure, name, axis)
    suffix = str(axis.get("ticksuffix", ""))
    if axis.get("type") == "log":
        return [f"{10.0**end:.{max(0, math.ceil(-end))}f}"[:5] + suffix for end in (low, high)]
    if fixed := re.fullmatch(r",?\.(\d)f", str(axis.get("tickformat", ""))):
        return [f"{end:.{fixed[1]}f}{suffix}" for end in (low, high)]
    return [f"{_number(end, high - low)}{suffix}" for end in (low, high)]


def _number(value: float, span: float) -> str:
    """About as long as Plotly writes a tick near this value."""
    if span <= 0 or not math.isfinite(value):
        return "0"
    rough = span / TICKS
    power = math.floor(math.log10(rough))
    step = next(s for s in (2, 5, 10) if rough <= s * 10.0**power) * 10.0**power
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{decimals}f}".replace("-", "−") if abs(value) < 10**PLAIN and decimals < PLAIN else "−00.0k"[value >= 0 :]


def _is_named(figure: Figure, name: str, axis: Axis) -> bool:
    return axis.get("type") in ("category", "multicategory") or (not axis.get("type") and bool(_names(figure, name, axis)))


def _names(figure: Figure, name: str, axis: Axis) -> list[str]:
    values = [v for trace in _on(figure, name) for v in _listed(trace.get(name[0])) if isinstance(v, str)]
    return list(dict.fromkeys([*map(str, axis.get("categoryarray") or ()), *values]))


def _on(figure: Figure, name: str) -> Iterator[Mapping[str, Any]]:
    return (trace for trace in figure.get("data", ()) if trace.get(f"{name[0]}axis", name[0]) == name)


def _listed(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list) else ()


def _range(figure: Figure, name: str, axis: Axis) -> tuple[float, float]:
    """What the axis spans; powers of ten on a logarithmic one."""
    given = axis.get("range")
    if given and None not in given and all(isinstance(v, int | float) for v in given):
        return float(min(given)), float(max(given))
    parts = [part for trace in _on(figure, name) for part in _extents(trace, name[0])]
    if not parts:
        return 0.0, 1.0
    values = np.concatenate(parts)
    if axis.get("type") == "log":
        values = np.log10(values[values > 0])
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    if axis.get("rangemode") == "tozero":
        low, high = min(low, 0.0), max(high, 0.0)
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _extents(trace: Mapping[str, Any], letter: str) -> Iterator[np.ndarray]:
    """Finite values of a trace along an axis, with the ends of its error bars; from 0 for bars."""
    values = _numbers(trace.get(letter))
    error = _numbers((trace.get(f"error_{letter}") or {}).get("array"))
    if error.size == values.size:
        values = np.concatenate([values - error, values + error, values])
    if trace.get("type") == "bar" and letter == ("x" if trace.get("orientation") == "h" else "y"):
        values = np.append(values, 0.0)
    yield values[np.isfinite(values)]


def _numbers(values: Any) -> np.ndarray:
    if isinstance(values, Mapping) and "bdata" in values:
        kind = np.dtype(str(values["dtype"])).newbyteorder("<")
        return np.frombuffer(base64.b64decode(values["bdata"]), dtype=kind).astype(float)
    found = [v for v in _listed(values) if isinstance(v, int | float)]
    return np.asarray(found, dtype=float)
