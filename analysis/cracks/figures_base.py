"""What the figures of cracks share: notes, colours of items."""

import textwrap
from collections.abc import Sequence
from typing import Any

from analysis.core.data import Scalar, scalars
from analysis.core.registry import Labelled
from analysis.core.style import Style, legend_name, origin_note
from analysis.drawing import safe

NOTE_LENGTH, WIDE_NOTE = 62, 124  # characters a line
NOTE_PX = {"screen": 10.5, "single": 8, "double": 8}


def legend(item: Labelled) -> str:
    return safe(legend_name(item.label, item.origin))


def titled(
    title: str, items: Sequence[Labelled], style: Style, *notes: str, marked: Sequence[str] = (), wide: bool = False
) -> dict[str, Any]:
    """An axis title with lines below it: ``marked`` ones as they are, then notes, where the data come from first."""
    origin = origin_note({i.origin for i in items})
    said = " ".join([*([f"{origin[:1].upper()}{origin[1:]}."] if origin else []), *filter(None, notes)])
    look = f"font-size:{NOTE_PX[style.size]}px;color:{style.muted}"
    lines = [*marked, *(safe(line) for line in textwrap.wrap(said, WIDE_NOTE if wide else NOTE_LENGTH))]
    return {"text": "<br>".join([title, *(f'<span style="{look}">{line}</span>' for line in lines)])}


def scalar(item: Labelled, name: str) -> Scalar | None:
    """A scalar of an item's result that has a value; None otherwise."""
    found = scalars(item.data).get(name)
    return found if found is not None and found.value is not None else None


def number(item: Labelled, name: str) -> float | None:
    found = scalar(item, name)
    return float(found.value) if found is not None and not isinstance(found.value, str | None) else None


def by_group(items: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    """The items of each group, in the order in which groups come first."""
    found: dict[str, list[Labelled]] = {}
    for item in items:
        found.setdefault(item.group, []).append(item)
    return found


def colours(items: Sequence[Labelled], style: Style) -> list[str]:
    """Colour of every item: that of its group, or along a sequence where there are no groups."""
    if any(i.group in style.groups for i in items):
        return [style.color(i.group) for i in items]
    return style.sequence(len(items))


def faded(colour: str, alpha: float) -> str:
    """A colour as a translucent fill, from ``#rrggbb`` or ``rgb(…)``."""
    if colour.startswith("#"):
        r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({r},{g},{b},{alpha})"
    return colour.replace("rgb(", "rgba(").replace(")", f", {alpha})")
