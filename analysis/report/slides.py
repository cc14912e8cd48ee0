"""A board as PowerPoint slides: editable titles and notes, one figure a slide, its numbers among the speaker's notes."""

import io
from typing import TYPE_CHECKING, Any

from analysis.catalog.boards import BoardRecord, Pin
from analysis.core.data import Scalar, scalars
from analysis.core.progress import report, stage
from analysis.core.registry import Registry
from analysis.core.store import Store
from analysis.core.style import Style
from analysis.report import methods
from analysis.report.notes import as_text
from analysis.report.pictures import Picture, rendered
from analysis.report.pins import draw, labelled, said_origin
from analysis.report.web import action_cells, caption, version_line

if TYPE_CHECKING:
    from pptx.presentation import Presentation

WIDE_INCH, HIGH_INCH = 13.333, 7.5
MARGIN_INCH = 0.5
PICTURE_TOP_INCH, PICTURE_INCH = 1.15, 5.35
WIDTH_PX, HEIGHT_PX, SCALE = 1184, 514, 3.0  # 12.3 inches across at 288 dpi
FONT_PX = 16
TITLE_PT, TEXT_PT, SMALL_PT = 28, 16, 11
BLANK, TITLE_ONLY = 6, 5  # layouts of python-pptx's default template
NOTE_LINES = 3
MOST_NUMBERS = 400


def presentation(board: BoardRecord, store: Store, registry: Registry, *, groups: tuple[str, ...] = ()) -> bytes:
    """The PPTX file."""
    from pptx import Presentation
    from pptx.util import Inches

    style = Style(groups=groups, font_px=FONT_PX)
    figures = [Picture(draw(pin, store, registry, style), "png", WIDTH_PX, HEIGHT_PX, SCALE) for pin in board.content.pins]
    with stage(0.0, 0.9):
        drawn = rendered(figures)
    report(0.9, "writing the slides")
    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(WIDE_INCH), Inches(HIGH_INCH)
    deck.core_properties.title, deck.core_properties.author = board.content.title, ""
    _first(deck, board)
    for pin, png in zip(board.content.pins, drawn, strict=True):
        _figure(deck, pin, png, store)
    _words(deck, "Methods", methods.paragraph(board.content, store, registry), SMALL_PT)
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def _slide(deck: "Presentation", title: str) -> Any:
    from pptx.util import Inches, Pt

    slide = deck.slides.add_slide(deck.slide_layouts[TITLE_ONLY])
    shape = slide.shapes.title
    shape.left, shape.top = Inches(MARGIN_INCH), Inches(0.25)
    shape.width, shape.height = Inches(WIDE_INCH - 2 * MARGIN_INCH), Inches(0.8)
    shape.text_frame.text = title
    shape.text_frame.word_wrap = True
    shape.text_frame.paragraphs[0].font.size = Pt(TITLE_PT)
    return slide


def _text(slide: Any, words: str, top_inch: float, high_inch: float, size: int) -> None:
    from pptx.util import Inches, Pt

    box = slide.shapes.add_textbox(Inches(MARGIN_INCH), Inches(top_inch), Inches(WIDE_INCH - 2 * MARGIN_INCH), Inches(high_inch))
    box.text_frame.word_wrap = True
    box.text_frame.text = _printable(words)
    for part in box.text_frame.paragraphs:
        part.font.size = Pt(size)


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 32)


def _first(deck: "Presentation", board: BoardRecord) -> None:
    content = board.content
    origins = {o for pin in content.pins for o in pin.origins}
    lines = [version_line(board) + (" · contains synthetic data" if "synthetic" in origins else ""), "", as_text(content.notes)]
    if content.actions:
        lines += ["", "Decisions and actions", *(" · ".join(p for p in action_cells(a) if p) for a in content.actions)]
    _words(deck, content.title, "\n".join(lines), TEXT_PT)


def _words(deck: "Presentation", title: str, words: str, size: int) -> None:
    _text(_slide(deck, title), words, PICTURE_TOP_INCH, PICTURE_INCH, size)


def _figure(deck: "Presentation", pin: Pin, png: bytes, store: Store) -> None:
    from pptx.util import Inches

    origin = said_origin(pin)
    slide = _slide(deck, pin.title + (f" ({origin})" if origin else ""))
    picture = slide.shapes.add_picture(io.BytesIO(png), Inches(MARGIN_INCH), Inches(PICTURE_TOP_INCH), height=Inches(PICTURE_INCH))
    picture.name = pin.title
    picture._element.nvPicPr.cNvPr.set("descr", pin.title)  # what a screen reader says
    note = as_text(pin.note).splitlines()
    _text(slide, "\n".join([caption(pin), *note[:NOTE_LINES]]), PICTURE_TOP_INCH + PICTURE_INCH, 0.8, SMALL_PT)
    slide.notes_slide.notes_text_frame.text = _printable("\n".join([*note, "", *_numbers(pin, store)]))


def _numbers(pin: Pin, store: Store) -> list[str]:
    """The figure's numbers, a line each, with unit, interval and n."""
    lines = [
        f"{item.label}{f' ({item.group})' if item.group else ''}: {s.title or name} {printed(s)}"
        for item in labelled(pin, store)
        for name, s in scalars(item.data).items()
        if s.value is not None
    ]
    more = [f"and {len(lines) - MOST_NUMBERS} more: see the table of the board"] if len(lines) > MOST_NUMBERS else []
    return [*lines[:MOST_NUMBERS], *more]


def printed(s: Scalar) -> str:
    """A number with its unit, uncertainty and count."""
    value = s.value if isinstance(s.value, str | int) else f"{s.value:.5g}"
    parts = [str(value), "" if s.unit == "1" else s.unit]
    if s.low is not None and s.high is not None:
        parts.append(f"[{s.low:.4g} to {s.high:.4g}]")
    elif s.std is not None:
        parts.append(f"± {s.std:.2g}")
    return " ".join([p for p in parts if p] + ([f"(n = {s.n} {s.of}".rstrip() + ")"] if s.n is not None else []))
