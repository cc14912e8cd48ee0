"""A board as PDF: a page of words, then a figure a page as vectors, then the methods."""

from analysis.catalog.boards import BoardRecord, Pin
from analysis.core.progress import report, stage
from analysis.core.registry import Registry
from analysis.core.store import Store
from analysis.core.style import Style
from analysis.report import methods
from analysis.report.notes import as_html, escaped
from analysis.report.pictures import Picture, data_urls, printed, rendered
from analysis.report.pins import draw, said_origin
from analysis.report.web import caption, heading

WIDTH_PX, HEIGHT_PX = 960, 500
LOOK = """
@page{size:A4 landscape;margin:14mm}
body{font:12px/1.45 'Segoe UI',system-ui,Arial,sans-serif;color:#1c2330;margin:0}
.sheet{break-after:page}.sheet:last-child{break-after:auto}
h1{font-size:24px;margin:0 0 6px}h2{font-size:17px;margin:0 0 8px}
img{display:block;width:100%;max-height:132mm;object-fit:contain}
.small{color:#5b6472;font-size:10px;margin:4px 0}
.synthetic{background:#fff3bf;color:#5c4700;border-radius:4px;padding:1px 7px;font-size:11px}
table{border-collapse:collapse}td,th{text-align:left;padding:2px 12px 2px 0;vertical-align:top}pre{white-space:pre-wrap}
"""


def document(board: BoardRecord, store: Store, registry: Registry, *, groups: tuple[str, ...] = ()) -> bytes:
    """The PDF file."""
    style = Style(groups=groups)
    figures = [Picture(draw(pin, store, registry, style), "svg", WIDTH_PX, HEIGHT_PX) for pin in board.content.pins]
    with stage(0.0, 0.8):
        drawn = rendered(figures)
    sheets = [f'<div class="sheet">{heading(board)}</div>']
    sheets += [_sheet(n, pin, url) for n, (pin, url) in enumerate(zip(board.content.pins, data_urls(drawn), strict=True), 1)]
    words = escaped(methods.paragraph(board.content, store, registry))
    sheets.append(f'<div class="sheet"><h2>Methods</h2><p style="white-space:pre-line">{words}</p></div>')
    report(0.85, "writing the PDF")
    head = f'<meta charset="utf-8"><title>{escaped(board.content.title)}</title><style>{LOOK}</style>'
    return printed(f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{"".join(sheets)}</body></html>')


def _sheet(number: int, pin: Pin, url: str) -> str:
    origin = said_origin(pin)
    badge = f' <span class="synthetic">{escaped(origin)}</span>' if origin else ""
    return (
        f'<div class="sheet"><h2>{number}. {escaped(pin.title)}{badge}</h2><img src="{url}" alt="{escaped(pin.title)}">'
        f'<p class="small">{escaped(caption(pin))}</p><div class="note">{as_html(pin.note)}</div></div>'
    )
