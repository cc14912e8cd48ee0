"""Spectra: absorption spectra of the chosen groups, their differences, peaks, mixtures, and how they were processed."""

import dash

from components import spectra_page

dash.register_page(__name__, path="/spectra", name="Spectra", title="Spectra · Interplay", order=5, icon="spectra")
layout = spectra_page.layout
