"""Notes of people: Markdown in, HTML or plain text out.

Markup inside a note is text, never markup; pictures are not loaded, because their addresses lie outside.
"""

import html
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def as_html(note: str | None) -> str:
    """The note as HTML; tags that it contains are shown as they were typed."""
    return str(_parser().render(note or ""))


def for_browser(note: str | None) -> str:
    """The note for the page's own Markdown: pictures become text."""
    return (note or "").replace("![", "!\\[")


def as_text(note: str | None) -> str:
    """The note without its Markdown, a line a paragraph or list entry, for slides and notes."""
    lines: list[str] = []
    prefix = ""
    for token in _parser().parse(note or ""):
        if token.type == "list_item_open":
            prefix = "• " if token.info == "" else f"{token.info}{token.markup} "
        elif token.type == "inline":
            lines.append(prefix + "".join(_plain(child.type, child.content) for child in token.children or ()))
            prefix = ""
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip("\n"))
    return "\n".join(lines)


def _plain(kind: str, content: str) -> str:
    return "\n" if kind in ("softbreak", "hardbreak") else content


def escaped(text: str) -> str:
    return html.escape(text, quote=True)
