"""Cycling: capacity, efficiency, profiles, dQ/dV, rates of the chosen groups."""

import dash

from components import cycling_page

dash.register_page(__name__, path="/cycling", name="Cycling", title="Cycling · Interplay", order=1, icon="cycling")
layout = cycling_page.layout
