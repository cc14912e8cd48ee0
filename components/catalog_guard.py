"""The comparability guard of the two chosen groups as a list to read, open to the end."""

from collections.abc import Mapping

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.catalog.comparability import Difference, guard
from components.context import workspace
from components.icons import icon


def panel(query: Mapping[str, str]) -> Component:
    """What else differs between the two groups, or that nothing recorded does; one line that opens."""
    ref, cmp = workspace().default_pair()
    names = (query.get("ref", ref), query.get("cmp", cmp))
    snap = workspace().snapshot()
    sides = [[c for c in snap.cells if c.group == g and not c.excluded] for g in names]
    if names[0] == names[1] or not all(sides):
        return html.Div()
    measurements = [m for m in snap.measurements if not m.excluded]
    found = guard(sides[0], sides[1], measurements)
    titles = [workspace().group_title(g) for g in names]
    if not found:
        words = f"{titles[0]} and {titles[1]} agree in every recorded condition."
        return html.Div(dmc.Text([icon("check", 14), f" {words}"], size="xs"), className="guard same")
    differing = sum(d.kind == "differs" for d in found)
    state = "differs" if differing else "unknown"
    return html.Details(
        [html.Summary([icon("warning", 15), dmc.Text(_words(titles, found), size="xs", span=True)]), _list(found)],
        className=f"guard {state}",
    )


def _words(titles: list[str], found: tuple[Difference, ...]) -> str:
    differing = [d.title for d in found if d.kind == "differs"]
    unknown = [d.title for d in found if d.kind != "differs"]
    parts = [f"{', '.join(_lower(t) for t in differing)} differ{'s' if len(differing) == 1 else ''}"] if differing else []
    parts += [f"{', '.join(_lower(t) for t in unknown)} not recorded for every cell"] if unknown else []
    return f"{titles[0]} and {titles[1]}: {'; '.join(parts)}"


def _lower(title: str) -> str:
    return title if title[1:2].isupper() or title.startswith("C-") else title[:1].lower() + title[1:]


def _list(found: tuple[Difference, ...]) -> Component:
    return html.Ul([html.Li([html.Strong("differs: " if d.kind == "differs" else "not recorded: "), d.sentence]) for d in found])
