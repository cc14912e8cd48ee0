"""Local icons: nothing is fetched from outside. Each is an SVG mask of ``assets/20_icons.css``."""

from dash import html


def icon(name: str, size: int = 18) -> html.Span:
    """A decorative icon in the colour of the text around it; readers of the page skip it."""
    return html.Span(className=f"icon icon-{name}", style={"width": size, "height": size}, **{"aria-hidden": "true"})
