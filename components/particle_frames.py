"""Raw frames on the particle page: the shifts between energies as a table that can be edited."""

from dash import html
from dash.development.base_component import Component

from components.views import Query


def editor(query: Query) -> Component:
    return html.Div()
