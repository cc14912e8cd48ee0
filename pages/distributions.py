"""Distributions: edge energies of particles, charge against discharge, coated against uncoated."""

import dash

from components import distributions_page

dash.register_page(__name__, path="/distributions", name="Distributions", title="Distributions · Interplay", order=3, icon="distributions")
layout = distributions_page.layout
