"""Cracks: volume, distance, isolated domains, in 3D."""

import dash

from components import cracks_page

dash.register_page(__name__, path="/cracks", name="Cracks", title="Cracks · Interplay", order=4, icon="cracks")
layout = cracks_page.layout
