"""Interplay: metrics of all modalities against each other, and the vicious circle."""

import dash

from components import interplay_page

dash.register_page(__name__, path="/interplay", name="Interplay", title="Interplay · Interplay", order=6, icon="interplay")
layout = interplay_page.layout
