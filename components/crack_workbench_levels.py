"""Grey values of a volume, inside and outside the envelopes, with the levels and the thresholds by which cracks are told."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from analysis.core.style import Style
from analysis.cracks.facts import Facts
from analysis.cracks.finding import Limits
from analysis.cracks.grey import Grey
from analysis.cracks.params import CrackParams

SLICES, PLACES = 6, (0.25, 0.5, 0.75)  # looked at, about these parts of the depth
BINS = 160
ENDS = (0.05, 99.95)  # percentiles between which values are counted
BY_LEVEL = ("hysteresis", "intensity")


@dataclass(frozen=True)
class Counts:
    """Smoothed grey values: middles of the bins in the unit of the volume, and how many voxels lie in each."""

    values: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def counts_of(grey: Grey, label: np.ndarray, params: CrackParams) -> Counts:
    """Values of some slices, smoothed as cracks are looked for in them."""
    depth = grey.shape[0]
    ranges = [(max(0, round(p * depth) - SLICES // 2), min(depth, round(p * depth) + SLICES // 2 + 1)) for p in PLACES]
    smooth = np.concatenate([grey.smooth(a, b, params.smooth).ravel() for a, b in ranges])
    within = np.concatenate([np.asarray(label[a:b]).ravel() > 0 for a, b in ranges])
    values = grey.void + smooth * (grey.solid - grey.void)
    low, high = (float(v) for v in np.percentile(values, ENDS))
    edges = np.linspace(low, high, BINS + 1)
    inside, outside = (np.histogram(values[which], edges)[0] for which in (within, ~within))
    return Counts((edges[1:] + edges[:-1]) / 2, inside, outside)


def levels(grey: Grey, facts: Facts, limits: Limits, params: CrackParams) -> dict[str, float]:
    """Grey values that decide, in the unit of the volume: of void and solid, and where a crack begins and ends."""
    span = grey.solid - grey.void
    solid, void = grey.void + facts.solid * span, grey.void + facts.void * span
    found = {"void": void, "solid": solid}
    if params.detector in BY_LEVEL:
        found["begins"] = solid - limits.begin * (solid - void)
        if limits.on != limits.begin:
            found["goes on"] = solid - limits.on * (solid - void)
    return found


def figure(counts: Counts, lines: dict[str, float], style: Style, *, unit: str) -> go.Figure:
    """Two histograms over each other on a logarithmic axis, with the levels as lines."""
    n = int(counts.inside.sum() + counts.outside.sum())
    fig = go.Figure()
    for name, of, colour in (("outside", counts.outside, "#8a8f98"), ("in envelopes", counts.inside, "#3b7dd8")):
        fig.add_scatter(x=counts.values, y=of, name=name, mode="lines", line={"color": colour, "width": 1.3, "shape": "hvh"})
    for k, (name, at) in enumerate(lines.items()):
        dashed = "solid" if name in ("void", "solid") else "dash"
        fig.add_vline(x=at, line={"width": 1.3, "dash": dashed, "color": "#009e8f" if dashed == "solid" else "#d8431e"})
        up = 10 * max(0, k - 1)  # those of cracks stand close to each other and to the solid
        fig.add_annotation(x=at, y=1, yref="paper", yanchor="bottom", text=name, showarrow=False, yshift=up, font={"size": 10})
    fig.update_layout(
        template=style.template(),
        margin={"l": 46, "r": 6, "t": 36, "b": 34},
        height=176,
        showlegend=False,
        xaxis_title=f"Smoothed absorption / {unit}" if unit else "Smoothed absorption",
        yaxis_title=f"Voxels of {n:,}".replace(",", " "),
        yaxis_type="log",
        yaxis_dtick=1,
    )
    return fig
