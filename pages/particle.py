"""Particles: slices, 3D, spectra, values of a map, for one particle or two beside each other."""

import dash

from components import particle_page

dash.register_page(__name__, path="/particle", name="Particle", title="Particle · Interplay", order=2, icon="particle")
layout = particle_page.layout
