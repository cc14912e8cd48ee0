"""Catalog: cells, groups and measurements as tables, edited in place."""

import dash

from components import catalog_page

dash.register_page(__name__, path="/catalog", name="Catalog", title="Catalog · Interplay", order=9, icon="catalog")
layout = catalog_page.layout
