"""Spark plots: both groups' replicates of a metric on one line each, small enough for a row of a table."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from components.context import style

WIDTH, HEIGHT, PAD = 96, 20, 5
RADIUS = 2.6


def spark(sides: Sequence[tuple[str, Sequence[float]]], about: str) -> Component:
    """Points of each group in its colour, the reference above; a stroke marks each mean. Nothing where there is no value."""
    every = [v for _, values in sides for v in values]
    if not every:
        return html.Span()
    low, high = min(every), max(every)
    span = (high - low) or 1.0
    parts = []
    for row, (group, values) in enumerate(sides):
        y, colour = HEIGHT * (0.3 + 0.4 * row), style().color(group)
        at = [PAD + (WIDTH - 2 * PAD) * ((v - low) / span if high > low else 0.5) for v in values]
        parts += [_mark(x, y, row, colour) for x in at]
        if at:
            mean = sum(at) / len(at)
            parts.append(f'<path d="M{mean:.1f} {y - 5:.1f}V{y + 5:.1f}" stroke="{colour}" stroke-width="1.6"/>')
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )
    return html.Img(src=f"data:image/svg+xml,{quote(drawn)}", width=WIDTH, height=HEIGHT, alt=escape(about), title=about, className="spark")


def _mark(x: float, y: float, row: int, colour: str) -> str:
    """Circles above, squares below: groups differ in shape as well as in colour."""
    if row == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}" fill="{colour}" fill-opacity="0.6"/>'
    return (
        f'<rect x="{x - RADIUS:.1f}" y="{y - RADIUS:.1f}" width="{2 * RADIUS}" height="{2 * RADIUS}" fill="{colour}" fill-opacity="0.6"/>'
    )
