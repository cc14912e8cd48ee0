"""What a callback or page may ask the running server for: the workspace, the jobs, the viewer's theme."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flask import current_app, has_request_context, request

from analysis.catalog import GroupRecord
from analysis.core.jobs import Jobs
from analysis.core.style import PALETTE, Style
from analysis.workspace import Workspace

CONFIG = "INTERPLAY"
THEME_COOKIE = "interplay-theme"


@dataclass(frozen=True)
class Context:
    """Made once at start, kept in the Flask configuration."""

    workspace: Workspace
    jobs: Jobs
    roots: tuple[Path, ...]  # folders that the server-side browser may list


def context() -> Context:
    found: Context = current_app.config[CONFIG]
    return found


def workspace() -> Workspace:
    return context().workspace


def jobs() -> Jobs:
    return context().jobs


def theme() -> Literal["light", "dark"]:
    """The viewer's choice, kept in a cookie so that the server draws the first picture in it."""
    return "dark" if has_request_context() and request.cookies.get(THEME_COOKIE) == "dark" else "light"


def style() -> Style:
    """The style of every figure of this view: the viewer's theme, the groups' colours."""
    return Style(theme=theme(), groups=by_slot(workspace().snapshot().groups))


def by_slot(groups: Iterable[GroupRecord]) -> tuple[str, ...]:
    """Names at the places of their colour slots, "" where none is; groups of one slot share its colour."""
    placed: dict[int, str] = {}
    for group in groups:
        place = group.colour_slot or 0
        while place in placed:
            place += len(PALETTE["light"])
        placed[place] = group.name
    return tuple(placed.get(i, "") for i in range(max(placed, default=-1) + 1))
