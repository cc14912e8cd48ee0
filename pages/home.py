"""Compare: two groups over all modalities, the first page."""

import dash

from components import home_page

dash.register_page(__name__, path="/", name="Compare", title="Compare · Interplay", order=0, icon="home")
layout = home_page.layout
