"""Home: the state of the workspace and the comparison at a glance."""

import dash

from components import home_page

dash.register_page(__name__, path="/", name="Overview", title="Overview · Interplay", order=0, icon="home")
layout = home_page.layout
