"""How figures are dressed: group colours, template, and what every label must say.

Group colours come from the colour-blind-safe set of Okabe and Ito (https://jfly.uni-koeln.de/color/), in variants with
enough contrast on a light and on a dark ground. A group's place in ``Style.groups`` fixes its colour on every page.
"""

from dataclasses import dataclass
from typing import Any, Literal

PALETTE = {
    "light": ("#c84e00", "#0069a6", "#00785a", "#a8518a", "#8a6d00", "#4f5660"),
    "dark": ("#ff9a57", "#62bdf2", "#3ecfa4", "#e79ac6", "#d9bd3f", "#b4bcc8"),
}
INK = {"light": "#1c2330", "dark": "#e4e8ef"}
MUTED = {"light": "#5b6472", "dark": "#9aa4b2"}
GRID = {"light": "#e6e9ee", "dark": "#2b323c"}
PAPER = {"light": "#ffffff", "dark": "#171b21"}
SEQUENTIAL = "Viridis"  # perceptually even
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "triangle-down", "star")

# Journal widths (Sci. Adv.: single 55–60 mm … double 120–180 mm are common; Nature 89/183 mm), at 96 px an inch.
WIDTH_PX = {"screen": None, "single": 336, "double": 692}
FONT_PX = {"screen": 12, "single": 9, "double": 9}
FONT = "Inter, 'Segoe UI', system-ui, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Style:
    """Theme, size and group order of a figure; what it says is not its business."""

    theme: Literal["light", "dark"] = "light"
    size: Literal["screen", "single", "double"] = "screen"
    groups: tuple[str, ...] = ()
    font_px: int = 0  # of the text; 0 is what suits the size

    def color(self, group: str) -> str:
        """The colour of a group, the same in every figure; grey for what belongs to none."""
        palette = PALETTE[self.theme]
        if group not in self.groups:
            return MUTED[self.theme]
        return palette[self.groups.index(group) % len(palette)]

    def fill(self, group: str, alpha: float = 0.18) -> str:
        """The group's colour as a translucent fill."""
        r, g, b = (int(self.color(group)[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({r},{g},{b},{alpha})"

    @property
    def ink(self) -> str:
        return INK[self.theme]

    @property
    def muted(self) -> str:
        return MUTED[self.theme]

    @property
    def grid(self) -> str:
        return GRID[self.theme]

    def sequence(self, n: int) -> list[str]:
        """``n`` colours along the sequential map, for cycle number or any other order."""
        from plotly.colors import sample_colorscale

        # The map's bright end vanishes on white, its dark end on black.
        low, high = (0.0, 0.88) if self.theme == "light" else (0.3, 1.0)
        points = [low + (high - low) * (i / max(1, n - 1)) for i in range(n)]
        return list(sample_colorscale(SEQUENTIAL, points))

    def template(self) -> dict[str, Any]:
        """Plotly template: fonts, colours, axes. The only place where figures get their looks."""
        size = self.font_px or FONT_PX[self.size]
        axis = {
            "gridcolor": self.grid,
            "linecolor": self.muted,
            "tickcolor": self.muted,
            "zeroline": False,
            "showline": True,
            "mirror": True,
            "ticks": "outside",
            "ticklen": 4,
            "automargin": True,
            "title": {"standoff": 6, "font": {"size": size}},
            "separatethousands": False,
        }
        layout = {
            "font": {"family": FONT, "size": size, "color": self.ink},
            "paper_bgcolor": "rgba(0,0,0,0)" if self.size == "screen" else PAPER[self.theme],
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": list(PALETTE[self.theme]),
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 58, "r": 14, "t": 15, "b": 44},
            "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "font": {"size": size - 1}, "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {"font": {"family": FONT, "size": 12}, "namelength": -1},
            "hovermode": "closest",
            "colorscale": {"sequential": SEQUENTIAL},
        }
        return {"layout": layout}


def legend_name(label: str, origin: str) -> str:
    """A label that says where the data come from: nothing synthetic is ever shown without the word."""
    return f"{label} (synthetic)" if origin == "synthetic" else label


def origin_note(origins: set[str]) -> str:
    """What a figure of these origins says above itself; empty when all is measured."""
    if "synthetic" not in origins:
        return ""
    return "synthetic data" if origins == {"synthetic"} else "measured and synthetic data"
