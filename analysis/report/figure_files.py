"""The figures of a board as single files at journal sizes, in one zip."""

import io
import re
import zipfile
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from analysis.catalog.boards import BoardRecord, Pin
from analysis.core.params import Params
from analysis.core.registry import Registry
from analysis.core.store import Store
from analysis.core.style import FONT_PX, WIDTH_PX, Style
from analysis.report.pictures import Picture, rendered
from analysis.report.pins import draw, said_origin

if TYPE_CHECKING:
    import plotly.graph_objects as go

PX_PER_PT = 96 / 72
DPI = 600
SCREEN_DPI = 96


class FigureOptions(Params):
    """How figures are written for a journal; group colours are the colour-blind-safe ones of every page."""

    format: Literal["png", "svg", "pdf"] = Field("pdf", title="Format")
    size: Literal["single", "double"] = Field("single", title="Column")
    font_pt: float = Field(7.0, ge=5, le=14, title="Font size", json_schema_extra={"unit": "pt"})
    aspect: float | None = Field(None, ge=0.3, le=1.5, title="Height as a part of the width (empty: as suits each figure)")


def bundle(board: BoardRecord, store: Store, registry: Registry, options: FigureOptions, *, groups: tuple[str, ...] = ()) -> bytes:
    """A zip with a file a figure, numbered in the board's order."""
    style = Style(size=options.size, groups=groups, font_px=round(options.font_pt * PX_PER_PT))
    width = WIDTH_PX[options.size] or WIDTH_PX["double"] or 0
    scale = DPI / SCREEN_DPI if options.format == "png" else 1.0
    figures = [
        Picture(
            fitted(marked(draw(pin, store, registry, style), pin, style), style),
            options.format,
            width,
            round(width * _aspect(pin, registry, options)),
            scale,
        )
        for pin in board.content.pins
    ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for number, (pin, content) in enumerate(zip(board.content.pins, rendered(figures), strict=True), 1):
            made.writestr(f"{number:02d}-{file_name(pin.title)}-{options.size}.{options.format}", content)
    return buffer.getvalue()


def _aspect(pin: Pin, registry: Registry, options: FigureOptions) -> float:
    return options.aspect or registry.figure(pin.figure).aspect


def marked(figure: "go.Figure", pin: Pin, style: Style) -> "go.Figure":
    """The figure with the word synthetic on it, where its data are: a single file stands without its page.

    Most figures say so themselves, in their legend or below their axes.
    """
    origin = said_origin(pin)
    if origin and "synthetic" not in figure.to_json().lower():
        size = max(6, (style.font_px or FONT_PX[style.size]) - 2)
        place = {"xref": "paper", "yref": "paper", "x": 1.0, "y": 0.0, "xanchor": "right", "yanchor": "bottom", "showarrow": False}
        figure.add_annotation(text=origin, font={"size": size, "color": style.muted}, **place)
    return figure


def fitted(figure: "go.Figure", style: Style) -> "go.Figure":
    """The figure in one column: a legend whose columns were set for a page is as wide as its entries are."""
    if style.size == "single":
        size = (style.font_px or FONT_PX[style.size]) - 2
        figure.update_layout(legend={"entrywidth": None, "entrywidthmode": None, "font": {"size": max(6, size)}})
    return figure


def file_name(title: str) -> str:
    """A title as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "figure"
