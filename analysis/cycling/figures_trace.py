"""Voltage and current against time, of a record or of what ``cycling.trace`` kept of one."""

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from analysis.core.registry import Labelled
from analysis.core.style import Style
from analysis.cycling.figures_base import FigureParams, cell_id, float32, hover, title_with_notes, trace_of, with_legend
from analysis.drawing import Trace, nothing
from analysis.drawing import finish_units as finish

if TYPE_CHECKING:
    import plotly.graph_objects as go

HOUR = 3600.0  # s
VOLTAGE_AXES = {"xaxis": "x2", "yaxis": "y"}
CURRENT_AXES = {"xaxis": "x", "yaxis": "y2"}


class TraceParams(FigureParams):
    """The stretch of time to show; a zoom asks again for its own stretch, with all its detail."""

    start_h: float | None = Field(None, title="From", json_schema_extra={"unit": "h"})
    end_h: float | None = Field(None, title="To", json_schema_extra={"unit": "h"})
    points: int = Field(2000, ge=50, le=20_000, title="Points drawn per line", description="lowest and highest of each stretch are kept")


def trace(items: tuple[Labelled, ...], style: Style, params: TraceParams) -> "go.Figure":
    """Voltage above current against time in h, thinned so that no peak is lost; how many rows are shown stands below."""
    shown = tuple(i for i in items if i.data.sizes.get("row", 0))
    if not shown:
        return nothing("No rows to show. Choose a measurement whose file has been imported.", style)
    traces: list[Trace] = []
    drawn = rows = 0
    for item in shown:
        time = item.data["time"].values
        window = _window(time, params)
        for name, factor, unit, axes in (("voltage", 1.0, "V", VOLTAGE_AXES), ("current", 1000.0, "mA", CURRENT_AXES)):
            line = _line(item, time[window], factor * item.data[name].values[window], unit, axes, style, params.points)
            drawn = max(drawn, line["x"].size)
            traces.append(line)
        # What was thinned before says how many rows it stands for.
        rows += int(item.data.attrs["rows"]) if item.data.attrs.get("schema") == "cycling.trace" else window.stop - window.start
    note = f"{drawn:,} points a line of {rows:,} rows shown.".replace(",", " ")
    layout = {
        "xaxis": {"title": title_with_notes("Time / h", shown, [note], style), "anchor": "y2"},
        "xaxis2": {"matches": "x", "anchor": "y", "showticklabels": False, "ticks": ""},
        "yaxis": {"title": {"text": "Voltage / V"}, "domain": [0.42, 1.0], "anchor": "x2"},
        "yaxis2": {"title": {"text": "Current / mA"}, "domain": [0.0, 0.36], "anchor": "x", "nticks": 5},
    }
    return finish(with_legend(traces, params.legend), layout, style, "trace")


def _window(time: np.ndarray, params: TraceParams) -> slice:
    """The rows of the stretch, and one more on each side so that lines reach the rim."""
    begin = 0 if params.start_h is None else int(np.searchsorted(time, params.start_h * HOUR)) - 1
    end = time.size if params.end_h is None else int(np.searchsorted(time, params.end_h * HOUR, side="right")) + 1
    return slice(max(begin, 0), max(min(end, time.size), max(begin, 0)))


def _line(item: Labelled, time: np.ndarray, values: np.ndarray, unit: str, axes: dict[str, str], style: Style, points: int) -> Trace:
    from analysis.core.numerics.decimate import min_max  # compiled: not needed where no record is drawn

    kept = min_max(np.ascontiguousarray(time), np.ascontiguousarray(values), points)
    return trace_of(
        item,
        mode="lines",
        x=time[kept] / HOUR,
        y=float32(values[kept]),
        line={"color": style.color(item.group), "width": 1.2, "simplify": False},
        # The cycle is None: what the instrument counts is not the cycle number of the analysis.
        customdata=[[cell_id(item), None]] * kept.size,
        hovertemplate=hover(item, "%{x:.4f} h", f"%{{y:.4f}} {unit}"),
        **axes,
    )
