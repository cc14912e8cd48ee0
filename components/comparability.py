"""The comparability guard: what else differs between the compared groups, said before anybody reads the figures."""

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from analysis.catalog import MeasurementRecord
from analysis.catalog.comparability import Difference, guard
from components.context import workspace
from components.icons import icon


def panel(modality: str, measurements: Sequence[MeasurementRecord], groups: Sequence[str]) -> Component:
    """One line that opens into every difference; nothing where two groups are alike or only one is shown."""
    if len(groups) < 2:
        return html.Div()
    snap = workspace().snapshot()
    used = {m.cell_id for m in measurements}
    sides = [[c for c in snap.cells if c.group == g and c.id in used] for g in groups]
    found = guard(sides[0], sides[1], measurements)
    if not found:
        return html.Div()
    differing = sum(d.kind == "differs" for d in found)
    words = f"{differing} conditions differ between the groups" if differing != 1 else "1 condition differs between the groups"
    if not differing:
        words = "Not everything is recorded for both groups"
    rows = [html.Li([html.Strong("differs: " if d.kind == "differs" else "not recorded: "), d.sentence]) for d in found]
    return html.Details(
        [html.Summary([icon("warning", 15), dmc.Text(f"{words}: {_fields(found)}", size="xs", span=True)]), html.Ul(rows)],
        className=f"guard {'differs' if differing else 'unknown'}",
        id=f"guard-{modality}",
    )


def _fields(found: Sequence[Difference]) -> str:
    return ", ".join(dict.fromkeys(d.title[:1].lower() + d.title[1:] for d in found))
