"""Figures from plain dicts: text that is safe in them, their frame, the empty one.

Traces are plain dicts and become a ``go.Figure`` once, without validation: twenty times faster than checking each property, and
the tests read the figures back. Plotly is imported when the first figure is built, not with this module.
"""

import html
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from analysis.core.style import Style

if TYPE_CHECKING:
    import plotly.graph_objects as go

Trace = dict[str, Any]
# A hidden entry switches what it belongs to: one click toggles the unit, two show it alone.
BY_UNIT: dict[str, Any] = {"groupclick": "togglegroup", "tracegroupgap": 2, "itemsizing": "constant"}
WIDTH = 52  # characters of a sentence in an empty figure


def safe(text: str) -> str:
    """User text as text: no markup, and no hover template either."""
    return html.escape(text, quote=False).replace("%{", "%&#123;")


def finish(traces: Sequence[Trace], layout: dict[str, Any], style: Style, revision: str) -> "go.Figure":
    """The figure of these traces. The same ``revision`` keeps a reader's zoom when the data change."""
    import plotly.graph_objects as go

    whole = {"template": style.template(), "uirevision": revision, **layout}
    return go.Figure({"data": list(traces), "layout": whole}, _validate=False)


def finish_units(traces: Sequence[Trace], layout: dict[str, Any], style: Style, revision: str) -> "go.Figure":
    """The same with a legend whose entries switch all traces of their cell or particle."""
    return finish(traces, {**layout, "legend": {**BY_UNIT, **layout.get("legend", {})}}, style, revision)


def nothing(sentence: str, style: Style) -> "go.Figure":
    """An empty figure that says what is missing."""
    hidden = {"visible": False, "range": [0, 1], "fixedrange": True}
    text = "<br>".join(safe(line) for line in textwrap.wrap(sentence, WIDTH))
    note = {"text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False, "font": {"color": style.muted}}
    return finish([], {"xaxis": hidden, "yaxis": hidden, "annotations": [note], "showlegend": False}, style, "nothing")
